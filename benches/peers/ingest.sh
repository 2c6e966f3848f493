#!/usr/bin/env bash
# Bulk ingest beside its bound and beside zarr-python, in one run. One figure a line: `name value`.
#   TESELA   the executable [target/debug/tesela]      MEMORY  what `ingest --bulk` may take, in turn [512M 2G]
#   PYTHON   a Python with zarr, rasterio, numpy; made in a folder of its own when it lacks them
#   SIZE     side of the synthetic scenes' window, pixels [2048]; YEARS first and last [2014-2014]: scenes fill a tile
#            nearly, as real ones of some 7,600 pixels fill many; what is done once a scene weighs more in smaller ones
# Bounded: about five minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SIZE=${SIZE:-2048} YEARS=${YEARS:-2014-2014} MEMORY=${MEMORY:-512M 2G}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tesela-peers.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

cargo build -q -p tesela
TESELA=${TESELA:-${CARGO_TARGET_DIR:-target}/debug/tesela}
PYTHON=${PYTHON:-${TESELA_CI_CACHE:-$HOME/.cache/tesela}/venv/bin/python}
if ! "$PYTHON" -c 'import zarr, rasterio, numpy' 2>/dev/null; then
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" install -q zarr rasterio numpy
    PYTHON=$scratch/venv/bin/python
fi

# Share of the bound, own grid and warped apart.
cargo bench -q -p tesela-benches --profile dev --bench ingest -- --size "$SIZE" --years "$YEARS" 2>/dev/null |
    tee "$scratch/bound"
awk '/_share_of_bound / { if (least == "" || $2 < least) least = $2 } END { print "share_of_bound", least }' "$scratch/bound"

# Peak memory of the executable against what it was allowed.
"$TESELA" demo --cube "$scratch/demo" --no-serve --size "$SIZE" --years "$YEARS" >/dev/null 2>&1
for memory in $MEMORY; do
    "$TESELA" init "$scratch/cube-$memory" >/dev/null
    "$PYTHON" - "$TESELA" "$scratch" "$memory" <<'PY'
import os, resource, subprocess, sys
tesela, scratch, memory = sys.argv[1:]
subprocess.run([tesela, "--cube", os.path.join(scratch, "cube-" + memory), "ingest", "--bulk", "--memory", memory,
                os.path.join(scratch, "demo/synthetic/scenes")],
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
allowed = float(memory.rstrip("GM")) * (1024 if memory.endswith("G") else 1)
print(f"peak_rss_mb_{memory} {peak:.0f}")
print(f"peak_rss_share_of_{memory} {peak / allowed:.3f}")
PY
done
"$TESELA" init "$scratch/cube" >/dev/null
"$PYTHON" - "$TESELA" "$scratch" "${MEMORY##* }" <<'PY'
import glob, os, resource, subprocess, sys, time
import numpy as np, rasterio, zarr
from zarr.codecs import BloscCodec

tesela, scratch, memory = sys.argv[1:]
scenes = os.path.join(scratch, "demo/synthetic/scenes")
before = resource.getrusage(resource.RUSAGE_CHILDREN)
subprocess.run([tesela, "--cube", os.path.join(scratch, "cube"), "ingest", "--bulk", "--memory", memory, scenes],
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
after = resource.getrusage(resource.RUSAGE_CHILDREN)
ours = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(f"peak_rss_mb {after.ru_maxrss / 1024:.0f}")

# zarr-python: the same files onto their own pixels, one array a band, no pyramid, no fuse, no index.
files = sorted(f for s in os.listdir(scenes) if s.endswith("_T1")
               for f in glob.glob(os.path.join(scenes, s, "*_SR_B[1-7].TIF")) + glob.glob(os.path.join(scenes, s, "*_QA_*.TIF")))
by_scene = {}
for f in files:
    by_scene.setdefault(os.path.dirname(f), []).append(f)
start, raw = time.process_time(), 0
for i, (scene, paths) in enumerate(by_scene.items()):
    planes = [rasterio.open(p).read(1) for p in paths]
    group = zarr.open_group(os.path.join(scratch, "peer", str(i)), mode="w", zarr_format=3)
    for p, plane in zip(paths, planes):
        codec = BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")
        chunks = (64, 64)
        shards = tuple(-(-n // 64) * 64 for n in plane.shape)
        array = group.create_array(os.path.basename(p), shape=plane.shape, dtype=plane.dtype, chunks=chunks,
                                   shards=shards, compressors=codec, fill_value=0)
        array[:] = plane
        raw += plane.nbytes
peer = time.process_time() - start
print(f"zarr_python_mb_per_cpu_s {raw / 1e6 / peer:.1f}")
print(f"tesela_mb_per_cpu_s {raw / 1e6 / ours:.1f}")
print(f"ratio_vs_zarr_python {peer / ours:.2f}")
PY
