#!/usr/bin/env bash
# Statistics over time beside bottleneck and numpy, in one run, one thread. One figure a line: `name value`.
#   PYTHON  a Python with numpy and bottleneck; made in a folder of its own when it lacks them
# Both sides read the same 92 dates of float32 with NaN; `median_…` and `three_percentiles_…` without `_float` read
# 16-bit numbers and a mask, as the cube holds them. Bounded: about two minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tesela-peers.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

PYTHON=${PYTHON:-${TESELA_CI_CACHE:-$HOME/.cache/tesela}/venv/bin/python}
if ! "$PYTHON" -c 'import bottleneck, numpy' 2>/dev/null; then
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" install -q bottleneck numpy
    PYTHON=$scratch/venv/bin/python
fi

cargo bench -q -p tesela-benches --profile dev --bench percentiles -- --write "$scratch" 2>/dev/null | tee "$scratch/ours"
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$PYTHON" - "$scratch" <<'PY'
import sys, time
import bottleneck, numpy as np

scratch = sys.argv[1]
ours = dict(line.split() for line in open(f"{scratch}/ours"))
stack = np.fromfile(f"{scratch}/stack.f32", "<f4").reshape(92, -1)
last = np.ascontiguousarray(stack.T)


def mobs(work, repeats=3):
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return stack.size / best / 1e6, result


peer, expected = mobs(lambda: bottleneck.nanmedian(stack, axis=0))
time_last, _ = mobs(lambda: bottleneck.nanmedian(last, axis=1))  # what bottleneck likes best
peer = max(peer, time_last)
print(f"bottleneck_median_mobs_per_cpu_s {peer:.0f}")
print(f"ratio_vs_bottleneck {float(ours['median_float_mobs_per_cpu_s']) / peer:.2f}")
found = np.fromfile(f"{scratch}/median.f32", "<f4")
print(f"median_largest_difference {np.nanmax(np.abs(found - expected)):.3g}")
assert (np.isnan(found) == np.isnan(expected)).all()

part = stack[:, :8192]
start = time.process_time()
expected = np.nanpercentile(part, [10, 50, 90], axis=0)
numpy_mobs = part.size / (time.process_time() - start) / 1e6
print(f"numpy_three_percentiles_mobs_per_cpu_s {numpy_mobs:.1f}")
print(f"ratio_vs_numpy {float(ours['three_percentiles_float_mobs_per_cpu_s']) / numpy_mobs:.1f}")
found = np.fromfile(f"{scratch}/percentiles.f32", "<f4").reshape(3, -1)[:, :8192]
print(f"percentiles_largest_difference {np.nanmax(np.abs(found - expected)):.3g}")
PY
