#!/usr/bin/env bash
# Map tiles of 256 × 256 pixels as PNG beside TiTiler serving cloud-optimised GeoTIFFs of the same pixels, both over HTTP
# from one process with one worker, in one run. One figure a line: `name value`. CPU milliseconds a tile are those of the
# server's process, after it has answered once; the wall is shared with whatever else runs.
#   TESELA   the executable [target/debug/tesela]
#   PYTHON   a Python with titiler-core, uvicorn, zarr, rasterio, pillow; made in a folder of its own when it lacks them
#   SIZE     side of the synthetic data, pixels [2048]      REPS   servers of each side, taking turns [3]
# `_cached`: decoded chunks (TiTiler: GDAL's blocks) in memory, the picture itself not. `_file_warm`: a server just
# started, files in the page cache; every third tile, so that they share few chunks. Zoom 12 has the finest pixels that
# are no finer than the data's. `lowest` is the zoom of which one tile holds all of the data.
# Each writes PNG as it does by default: TiTiler by GDAL, zlib level 6; `kb_` says what came of it. MapServer is no
# package of Python's and takes no part.
# Bounded: about five minutes on two cores, of which two are the installation and the demo cube.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SIZE=${SIZE:-2048} REPS=${REPS:-3}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tesela-peers.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

[ -n "${TESELA:-}" ] || cargo build -q -p tesela
TESELA=${TESELA:-${CARGO_TARGET_DIR:-target}/debug/tesela}
PYTHON=${PYTHON:-${TESELA_CI_CACHE:-$HOME/.cache/tesela}/venv-titiler/bin/python}
needs='import PIL, numpy, rasterio, titiler.core, uvicorn, zarr'
if ! "$PYTHON" -c "$needs" 2>/dev/null; then
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" install -q titiler-core uvicorn zarr rasterio pillow
    PYTHON=$scratch/venv/bin/python
fi
"$TESELA" demo --cube "$scratch/cube" --no-serve --size "$SIZE" --years 2020-2020 >/dev/null 2>&1
cat >"$scratch/peer.py" <<'PY'
from fastapi import FastAPI
from titiler.core.factory import TilerFactory

app = FastAPI()
app.include_router(TilerFactory(router_prefix="/cog").router, prefix="/cog")


@app.get("/ready")
def ready():
    return {}
PY

timeout 600 "$PYTHON" - "$TESELA" "$scratch" "$REPS" <<'PY'
import glob, io, json, math, os, signal, socket, statistics, subprocess, sys, time, urllib.parse, urllib.request
import numpy as np, rasterio, zarr
from PIL import Image
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds

tesela, scratch, reps = sys.argv[1], sys.argv[2], int(sys.argv[3])
cube, product, year = f"{scratch}/cube", "geomedian_annual", "2020-01-01"
WEB = 20037508.342789244


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process with its children, its CPU time in nanoseconds."""

    def __init__(self, command, base, ready, **more):
        self.base = base
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **more)
        end = time.time() + 60
        while True:
            try:
                fetch(base + ready)
                return
            except OSError:
                if time.time() > end or self.process.poll() is not None:
                    self.stop()
                    raise SystemExit(f"{command[0]} does not answer at {base}{ready}")
                time.sleep(0.05)

    def cpu_ms(self):
        group, spent = os.getpgid(self.process.pid), 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(pid)) == group:
                    for task in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                        spent += int(open(task).read().split()[0])
            except (OSError, ValueError):
                pass
        return spent / 1e6

    def take(self, paths):
        """CPU milliseconds a path, and what came."""
        before = self.cpu_ms()
        answers = [fetch(self.base + path) for path in paths]
        return (self.cpu_ms() - before) / len(paths), answers

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# The composite's stored pixels, as one COG of three bands: what TiTiler is best at.
prefix = next(d for d in glob.glob(f"{cube}/store/derived/{product}/*/*") if os.path.isdir(d))
group = zarr.open_group(prefix, mode="r")
planes = np.stack([group[band][0] for band in ("red", "green", "blue")])
x, y = group["x"][:2], group["y"][:2]
spatial = dict(group["spatial_ref"].attrs)
step = float(x[1] - x[0])
held = np.argwhere(planes.any(axis=0))
(top, left), (bottom, right) = held.min(0), held.max(0) + 1
planes = planes[:, top:bottom, left:right]
origin = (float(x[0]) - step / 2 + left * step, float(y[0]) + step / 2 - top * step)
cog = f"{scratch}/rgb.tif"
with rasterio.open(cog, "w", driver="COG", width=planes.shape[2], height=planes.shape[1], count=3, dtype="uint16", nodata=0,
                   crs=spatial.get("crs_wkt") or spatial["spatial_ref"], transform=from_origin(*origin, step, step),
                   compress="deflate", predictor=2, blocksize=512, overview_resampling="average") as f:
    f.write(planes)
    bounds = transform_bounds(f.crs, "EPSG:3857", *f.bounds)


def tiles(zoom, inside):
    """Tiles of a zoom that lie within the data, or meet them."""
    side = 2 * WEB / 2**zoom
    low, high = (math.ceil, math.floor) if inside else (math.floor, math.ceil)
    columns = range(low((bounds[0] + WEB) / side), high((bounds[2] + WEB) / side))
    lines = range(low((WEB - bounds[3]) / side), high((WEB - bounds[1]) / side))
    return [(zoom, c, r) for r in lines for c in columns]


native = tiles(12, True)
lowest = next(z for z in range(12, -1, -1) if len(tiles(z, False)) == 1)
assert len(native) >= 4, f"only {len(native)} tiles of zoom 12: a larger SIZE is needed"
apart = native[::3]


def box(tile, shift=0.0):
    zoom, column, row = tile
    side = 2 * WEB / 2**zoom
    west, north = column * side - WEB + shift * side / 256, WEB - row * side
    return f"{west},{north - side},{west + side},{north}"


def ours(layer, date):
    return lambda t: f"/tiles/{layer}/WebMercatorQuad/{t[0]}/{t[1]}/{t[2]}.png?datetime={date}"


def shifted(layer, date):
    """The same places some pixels beside: their chunks come into memory, or are there; the picture is another."""
    return lambda t, by: (f"/wms?service=WMS&version=1.3.0&request=GetMap&crs=EPSG:3857&width=256&height=256&styles=&format=image/png"
                          f"&layers={layer}&time={date}&bbox={box(t, by)}")


def serve_ours():
    port = free_port()
    command = [tesela, "--cube", cube, "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    return Server(command, f"http://127.0.0.1:{port}", "/readyz")


def serve_titiler():
    port = free_port()
    environment = dict(os.environ, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_CACHEMAX="200", GDAL_NUM_THREADS="1", VSI_CACHE="TRUE")
    command = [sys.executable, "-m", "uvicorn", "peer:app", "--port", str(port), "--log-level", "critical"]
    return Server(command, f"http://127.0.0.1:{port}", "/ready", cwd=scratch, env=environment)


def least(found, name, value):
    found[name] = min(value, found.get(name, math.inf))


def measured(found, name, layer, date, zoom12, low):
    """One server after the other, so that each kind begins with nothing in memory."""
    at, beside = ours(layer, date), shifted(layer, date)
    far = (12, native[0][1] + 400, native[0][2])
    with serve_ours() as server:
        server.take([at(far)])
        per, pictures = server.take([at(t) for t in zoom12[::3]])
        least(found, f"cpu_ms_{name}_tile_file_warm", per)
    with serve_ours() as server:
        server.take([beside(t, 8) for t in zoom12])
        per, pictures = server.take([at(t) for t in zoom12])
        least(found, f"cpu_ms_{name}_tile", per)
        found[f"kb_{name}_tile"] = sum(map(len, pictures)) / len(pictures) / 1024
        if low:
            server.take([beside(low, 8)])
            per, _ = server.take([beside(low, n / 8) for n in range(1, 9)])
            least(found, f"cpu_ms_{name}_tile_lowest", per)
            same, _ = server.take([beside(zoom12[0], n / 8) for n in range(1, 9)])
            least(found, f"cpu_ms_{name}_tile_native_by_wms", same)
    return pictures


with serve_ours() as server:
    dates = [d["label"] for d in json.loads(fetch(f"{server.base}/v1/products/landsat_c2_sr/dates"))["dates"]]
    whole = max(dates, key=lambda d: sum(len(fetch(server.base + ours("landsat_c2_sr", d)(t))) for t in native[::5]))
    # What the painter of the style stretches to, and TiTiler is told to.
    ranges = json.loads(fetch(f"{server.base}/collections/{product}"))
style = next(s for s in ranges["tesela:styles"] if s["default"])["legend"]
red = next(b for b in ranges["tesela:bands"] if b["name"] == "red")
low_dn, high_dn = (round((v - red["offset"]) / red["scale"]) for v in style["range"])
there = lambda t: f"/cog/tiles/WebMercatorQuad/{t[0]}/{t[1]}/{t[2]}.png?url={urllib.parse.quote(cog)}&rescale={low_dn},{high_dn}"

found = {}
lowest_tile = tiles(lowest, False)[0]
for _ in range(reps):
    pictures = measured(found, "rgb", product, year, native, lowest_tile)
    measured(found, "scenes_rgb", "landsat_c2_sr", whole, native, None)
    measured(found, "one_band", "ndvi_annual", year, native, None)
    with serve_titiler() as server:
        server.take([there((12, native[0][1] + 1, native[0][2]))])
        per, _ = server.take([there(t) for t in apart])
        least(found, "titiler_cpu_ms_rgb_tile_file_warm", per)
        per, theirs = server.take([there(t) for t in native])
        per, theirs = server.take([there(t) for t in native])
        least(found, "titiler_cpu_ms_rgb_tile", per)
        found["titiler_kb_rgb_tile"] = sum(map(len, theirs)) / len(theirs) / 1024

# The same picture: colours within two levels of 255.
close = []
for a, b in zip(pictures, theirs):
    a, b = (np.asarray(Image.open(io.BytesIO(p)).convert("RGBA")).astype(int) for p in (a, b))
    both = (a[..., 3] > 0) & (b[..., 3] > 0)
    close.append((np.abs(a - b)[..., :3].max(-1)[both] <= 2).mean())
print(f"tiles {len(native)}")
for name in sorted(found):
    print(f"{name} {found[name]:.2f}")
print(f"pixels_within_2_levels_of_titiler {statistics.mean(close):.3f}")
print(f"lowest_zoom {lowest}")
print(f"ratio_lowest_to_native {found['cpu_ms_rgb_tile_lowest'] / found['cpu_ms_rgb_tile_native_by_wms']:.2f}")
print(f"ratio_scenes_to_composite {found['cpu_ms_scenes_rgb_tile'] / found['cpu_ms_rgb_tile']:.2f}")
print(f"ratio_vs_titiler {found['titiler_cpu_ms_rgb_tile'] / found['cpu_ms_rgb_tile']:.1f}")
print(f"ratio_vs_titiler_file_warm {found['titiler_cpu_ms_rgb_tile_file_warm'] / found['cpu_ms_rgb_tile_file_warm']:.1f}")
PY
