#!/usr/bin/env bash
# A pixel's series of 690 dates and 7 bands beside rasterio reading it out of 690 × 7 cloud-optimised GeoTIFFs, in one
# run. One figure a line: `name value`.
#   DATES, SIDE   dates [690] and side of the rasters, pixels [512]; both are said in the figures
#   BENCH         the executable of `--bench cube` [built]
#   PYTHON        a Python with rasterio and numpy; made in a folder of its own when it lacks them
# Files are in the page cache on both sides; times are medians of wall milliseconds, and CPU milliseconds.
# Bounded: about five minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
DATES=${DATES:-690} SIDE=${SIDE:-512}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tesela-peers.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
PYTHON=${PYTHON:-${TESELA_CI_CACHE:-$HOME/.cache/tesela}/venv/bin/python}
if ! "$PYTHON" -c 'import rasterio, numpy' 2>/dev/null; then
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" install -q rasterio numpy
    PYTHON=$scratch/venv/bin/python
fi

BENCH=${BENCH:-$(cargo bench -q -p tesela-benches --profile dev --bench cube --no-run --message-format=json 2>/dev/null |
    grep '"name":"cube"' | grep -o '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4)}
echo "dates $DATES"
echo "side_px $SIDE"
"$BENCH" --bench --dates "$DATES" --side "$SIDE" 2>/dev/null | grep '^series_' | tee "$scratch/ours"

"$PYTHON" - "$scratch" "$DATES" "$SIDE" <<'PY' | tee "$scratch/theirs"
import os, statistics, sys, time
import numpy as np, rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

scratch, dates, side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
bands, pixels = 7, 5
rng = np.random.default_rng(7)
land = rng.integers(400, 3000, (side // 16, side // 16), dtype=np.uint16).repeat(16, 0).repeat(16, 1)
known, files = {}, []
places = [tuple(map(int, rng.integers(0, side, 2))) for _ in range(pixels + 1)]
for date in range(dates):
    for band in range(bands):
        values = land[:side, :side] + rng.integers(0, 256, (side, side), dtype=np.uint16) + np.uint16(300 * band)
        path = os.path.join(scratch, f"{date}_{band}.tif")
        with rasterio.open(path, "w", driver="COG", width=side, height=side, count=1, dtype="uint16", crs="EPSG:32615",
                           transform=from_origin(15, 15, 30, 30), compress="deflate", predictor=2, blocksize=256) as f:
            f.write(values, 1)
        files.append(path)
        for place in places:
            known.setdefault(place, []).append(int(values[place]))

def series(row, col):
    found = []
    for path in files:
        with rasterio.open(path) as f:
            found.append(int(f.read(1, window=Window(col, row, 1, 1))[0, 0]))
    return found

# One dataset environment for all, as a careful user would have.
with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
    wall, cpu = [], []
    for n, (row, col) in enumerate(places):
        a, b = time.perf_counter(), time.process_time()
        found = series(row, col)
        a, b = time.perf_counter() - a, time.process_time() - b
        assert found == known[row, col], "the COGs hold other values"
        if n:
            wall.append(a)
            cpu.append(b)
print(f"cogs_{dates}_dates_{bands}_bands_ms {1e3 * statistics.median(wall):.1f}")
print(f"cogs_{dates}_dates_{bands}_bands_cpu_ms {1e3 * statistics.median(cpu):.1f}")
PY

of() { awk -v name="$2" '$1 == name { print $2 }' "$1"; }
warm=$(of "$scratch/ours" series_warm_ms) cpu=$(of "$scratch/ours" series_warm_cpu_ms)
echo "ms_${DATES}_dates_7_bands $warm"
awk -v ours="$warm" -v theirs="$(of "$scratch/theirs" "cogs_${DATES}_dates_7_bands_ms")" 'BEGIN { printf "ratio_vs_cogs %.1f\n", theirs / ours }'
awk -v ours="$cpu" -v theirs="$(of "$scratch/theirs" "cogs_${DATES}_dates_7_bands_cpu_ms")" 'BEGIN { printf "cpu_ratio_vs_cogs %.1f\n", theirs / ours }'
