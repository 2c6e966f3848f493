#!/usr/bin/env bash
# Map tiles of 256 × 256 pixels as PNG beside TiTiler and MapServer serving cloud-optimised GeoTIFFs of the same pixels,
# each from one process with one worker, in one run: Tesela and TiTiler over HTTP, MapServer by FastCGI without a web
# server before it. One figure a line: `name value`. CPU milliseconds a tile are those of the server's process, after it
# has answered once; the wall is shared with whatever else runs.
#   TESELA   the executable [target/debug/tesela]
#   PYTHON   a Python with titiler-core, uvicorn, zarr, rasterio, pillow; made in a folder of its own when it lacks them
#   MAPSERV  MapServer's executable [mapserv; Debian's cgi-mapserver]; its lines are left out when absent
#   SIZE     side of the synthetic data, pixels [2048]      REPS   servers of each side, taking turns [3]
# Without a suffix: decoded chunks (the peers': GDAL's blocks) in memory, the picture itself not. `_file_warm`: a server
# that has answered for another date (the peers: another file) and nothing else, files in the page cache; every third
# tile, so that they share few chunks. Zoom 12 has the finest pixels that
# are no finer than the data's. `lowest` is the zoom of which one tile holds all of the data.
# Each writes PNG as it does by default: TiTiler by GDAL, MapServer by libpng, both zlib level 6; `kb_` says what came of
# it.
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
"$TESELA" demo --cube "$scratch/cube" --no-serve --size "$SIZE" --years 2019-2020 >/dev/null 2>&1
cat >"$scratch/peer.py" <<'PY'
from fastapi import FastAPI
from titiler.core.factory import TilerFactory

app = FastAPI()
app.include_router(TilerFactory(router_prefix="/cog").router, prefix="/cog")


@app.get("/ready")
def ready():
    return {}
PY

timeout 600 "$PYTHON" - "$TESELA" "$scratch" "$REPS" "${MAPSERV:-$(command -v mapserv || true)}" <<'PY'
import glob, http.client, io, json, math, os, signal, socket, statistics, struct, subprocess, sys, time, urllib.parse
import numpy as np, rasterio, zarr
from PIL import Image
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds

tesela, scratch, reps, mapserv = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
cube, product, year, year_before = f"{scratch}/cube", "geomedian_annual", "2020-01-01", "2019-01-01"
WEB = 20037508.342789244


class Http:
    """Asks over one connection, as a browser does."""

    def __init__(self):
        self.kept = None

    def __call__(self, url):
        where = urllib.parse.urlsplit(url)
        for again in (True, False):
            if self.kept is None:
                self.kept = http.client.HTTPConnection(where.netloc, timeout=60)
            try:
                self.kept.request("GET", url.split(where.netloc, 1)[1])
                answer = self.kept.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                self.kept.close()
                self.kept = None
                if not again:
                    raise
                continue
            if answer.status >= 400:
                raise SystemExit(f"{answer.status} from {url}: {body[:400]!r}")
            return body


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process with its children, its CPU time in nanoseconds."""

    def __init__(self, command, base, ready, fetch=None, **more):
        self.base, self.fetch = base, fetch or Http()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **more)
        end = time.time() + 60
        while True:
            try:
                self.fetch(base + ready)
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
        answers = [self.fetch(self.base + path) for path in paths]
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


# The composite's stored pixels of each year, as a COG of three bands: what TiTiler is best at.
def written(place, wanted):
    """The COG of one year; its bounds in Web Mercator."""
    for prefix in glob.glob(f"{cube}/store/derived/{product}/*/*"):
        group = zarr.open_group(prefix, mode="r") if os.path.isdir(prefix) else None
        if group is None or str(np.datetime64("1970-01-01") + group["time"][0].astype("timedelta64[s]"))[:4] != wanted[:4]:
            continue
        planes = np.stack([group[band][0] for band in ("red", "green", "blue")])
        x, y = group["x"][:2], group["y"][:2]
        spatial = dict(group["spatial_ref"].attrs)
        step = float(x[1] - x[0])
        held = np.argwhere(planes.any(axis=0))
        (top, left), (bottom, right) = held.min(0), held.max(0) + 1
        planes = planes[:, top:bottom, left:right]
        origin = (float(x[0]) - step / 2 + left * step, float(y[0]) + step / 2 - top * step)
        with rasterio.open(place, "w", driver="COG", width=planes.shape[2], height=planes.shape[1], count=3, dtype="uint16",
                           nodata=0, crs=spatial.get("crs_wkt") or spatial["spatial_ref"],
                           transform=from_origin(*origin, step, step), compress="deflate", predictor=2, blocksize=512,
                           overview_resampling="average") as f:
            f.write(planes)
            return transform_bounds(f.crs, "EPSG:3857", *f.bounds)
    raise SystemExit(f"there is no composite of {wanted}")


cog, cog_before = f"{scratch}/rgb.tif", f"{scratch}/rgb-before.tif"
written(cog_before, year_before)
bounds = written(cog, year)


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
                          f"&transparent=true&layers={layer}&time={date}&bbox={box(t, by)}")


def serve_ours():
    port = free_port()
    command = [tesela, "--cube", cube, "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    return Server(command, f"http://127.0.0.1:{port}", "/readyz")


def serve_titiler():
    port = free_port()
    environment = dict(os.environ, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_CACHEMAX="200", GDAL_NUM_THREADS="1", VSI_CACHE="TRUE")
    command = [sys.executable, "-m", "uvicorn", "peer:app", "--port", str(port), "--log-level", "critical"]
    return Server(command, f"http://127.0.0.1:{port}", "/ready", cwd=scratch, env=environment)


class FastCgi:
    """Asks a FastCGI program over a socket of its own, as a web server would; a path is the query string."""

    def __init__(self, place):
        self.place, self.listening = place, socket.socket(socket.AF_UNIX)
        self.listening.bind(place)
        self.listening.listen()

    def __call__(self, query):
        def record(kind, content):
            return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content

        def pair(name, value):
            return struct.pack(">BL", len(name), len(value) | 1 << 31) + name.encode() + value.encode()

        named = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1"}
        head = b"".join(pair(*item) for item in named.items())
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.place)
            s.sendall(record(1, struct.pack(">HB5x", 1, 0)) + record(4, head) + record(4, b"") + record(5, b""))
            held, out, kind = s.makefile("rb"), b"", 0
            while kind != 3:
                _, kind, _, size, padding = struct.unpack(">BBHHBx", held.read(8))
                content = held.read(size + padding)[:size]
                out += content if kind == 6 else b""
        head, body = out.split(b"\r\n\r\n", 1)
        if b"image/png" not in head:
            raise SystemExit(f"MapServer answers {head!r} {body[:400]!r}")
        return body


def serve_mapserver():
    """The same COGs, stretched and warped alike."""
    layer = lambda name, file: f"""  LAYER NAME "{name}" TYPE RASTER STATUS ON DATA "{file}" PROJECTION AUTO END OFFSITE 0 0 0
    PROCESSING "SCALE={low_dn},{high_dn}" PROCESSING "RESAMPLE=NEAREST" PROCESSING "CLOSE_CONNECTION=DEFER"
    METADATA "wms_title" "{name}" END
  END
"""
    with open(f"{scratch}/bench.map", "w") as f:
        f.write(f"""MAP
  NAME "bench" SIZE 256 256 PROJECTION "init=epsg:3857" END IMAGETYPE "rgba"
  OUTPUTFORMAT NAME "rgba" DRIVER "AGG/PNG" MIMETYPE "image/png" IMAGEMODE RGBA EXTENSION "png" FORMATOPTION "COMPRESSION=6" TRANSPARENT ON END
  WEB METADATA "wms_title" "bench" "wms_onlineresource" "http://localhost/" "wms_srs" "EPSG:3857" "wms_enable_request" "*" END END
{layer("rgb", cog)}{layer("before", cog_before)}END
""")
    with open(f"{scratch}/mapserver.conf", "w") as f:
        f.write(f'CONFIG ENV MS_MAPFILE "{scratch}/bench.map" MS_MAP_PATTERN "." END END\n')
    place = f"{scratch}/mapserver.sock"
    if os.path.exists(place):
        os.unlink(place)
    ask = FastCgi(place)
    environment = dict(os.environ, MAPSERVER_CONFIG_FILE=f"{scratch}/mapserver.conf", GDAL_CACHEMAX="200")
    query = lambda t, layer="rgb": f"SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&SRS=EPSG:3857&BBOX={box(t)}&WIDTH=256&HEIGHT=256&FORMAT=image/png&TRANSPARENT=TRUE&STYLES=&LAYERS={layer}"
    server = Server([mapserv], "", "", fetch=lambda path: b"", stdin=ask.listening, env=environment)
    server.fetch = ask
    return server, query


def least(found, name, value):
    found[name] = min(value, found.get(name, math.inf))


def measured(found, name, layer, date, before, zoom12, low):
    """One server after the other, so that each kind begins with nothing in memory."""
    at, beside = ours(layer, date), shifted(layer, date)
    with serve_ours() as server:
        server.take([ours(layer, before)(t) for t in zoom12[1::3]])
        per, pictures = server.take([at(t) for t in zoom12[::3]])
        least(found, f"cpu_ms_{name}_tile_file_warm", per)
    with serve_ours() as server:
        server.take([beside(t, 8) for t in zoom12])
        _, pictures = server.take([at(t) for t in zoom12])
        per, _ = server.take([beside(t, by) for by in (2, 4, 6) for t in zoom12])
        least(found, f"cpu_ms_{name}_tile", per)
        found[f"kb_{name}_tile"] = sum(map(len, pictures)) / len(pictures) / 1024
        if low:
            server.take([beside(low, 8)])
            per, _ = server.take([beside(low, n / 8) for n in range(1, 9)])
            least(found, f"cpu_ms_{name}_tile_lowest", per)
            same, _ = server.take([beside(zoom12[0], n / 8) for n in range(1, 9)])
            least(found, f"cpu_ms_{name}_tile_native_by_wms", same)
    return pictures


def measured_peer(found, name, server, address, before):
    """A peer's tiles; its pictures. `before` is what `address` takes for the other year."""
    server.take([address(t, before) for t in native[1::3]])
    per, _ = server.take([address(t) for t in apart])
    least(found, f"{name}_cpu_ms_rgb_tile_file_warm", per)
    server.take([address(t) for t in native])
    per, theirs = server.take([address(t) for t in native])
    least(found, f"{name}_cpu_ms_rgb_tile", per)
    found[f"{name}_kb_rgb_tile"] = sum(map(len, theirs)) / len(theirs) / 1024
    return theirs


with serve_ours() as server:
    dates = [d["label"] for d in json.loads(server.fetch(f"{server.base}/v1/products/landsat_c2_sr/dates"))["dates"]]
    held = lambda d: sum(len(server.fetch(server.base + ours("landsat_c2_sr", d)(t))) for t in native[::5])
    whole_before, whole = sorted(dates, key=held)[-2:]
    # What the painter of the style stretches to, and TiTiler is told to.
    ranges = json.loads(server.fetch(f"{server.base}/collections/{product}"))
style = next(s for s in ranges["tesela:styles"] if s["default"])["legend"]
red = next(b for b in ranges["tesela:bands"] if b["name"] == "red")
low_dn, high_dn = (round((v - red["offset"]) / red["scale"]) for v in style["range"])
there = lambda t, file=cog: f"/cog/tiles/WebMercatorQuad/{t[0]}/{t[1]}/{t[2]}.png?url={urllib.parse.quote(file)}&rescale={low_dn},{high_dn}"

found = {}
lowest_tile = tiles(lowest, False)[0]
for _ in range(reps):
    pictures = measured(found, "rgb", product, year, year_before, native, lowest_tile)
    measured(found, "scenes_rgb", "landsat_c2_sr", whole, whole_before, native, None)
    measured(found, "one_band", "ndvi_annual", year, year_before, native, None)
    with serve_titiler() as server:
        theirs = measured_peer(found, "titiler", server, there, cog_before)
    if mapserv:
        server, query = serve_mapserver()
        with server:
            of_mapserver = measured_peer(found, "mapserver", server, query, "before")


def close(theirs):
    """Share of pixels whose colours are within two levels of 255."""
    shares = []
    for a, b in zip(pictures, theirs):
        a, b = (np.asarray(Image.open(io.BytesIO(p)).convert("RGBA")).astype(int) for p in (a, b))
        both = (a[..., 3] > 0) & (b[..., 3] > 0)
        shares.append((np.abs(a - b)[..., :3].max(-1)[both] <= 2).mean())
    return statistics.mean(shares)


print(f"tiles {len(native)}")
for name in sorted(found):
    print(f"{name} {found[name]:.2f}")
print(f"pixels_within_2_levels_of_titiler {close(theirs):.3f}")
print(f"lowest_zoom {lowest}")
print(f"ratio_lowest_to_native {found['cpu_ms_rgb_tile_lowest'] / found['cpu_ms_rgb_tile_native_by_wms']:.2f}")
print(f"ratio_scenes_to_composite {found['cpu_ms_scenes_rgb_tile'] / found['cpu_ms_rgb_tile']:.2f}")
print(f"ratio_vs_titiler {found['titiler_cpu_ms_rgb_tile'] / found['cpu_ms_rgb_tile']:.1f}")
print(f"ratio_vs_titiler_file_warm {found['titiler_cpu_ms_rgb_tile_file_warm'] / found['cpu_ms_rgb_tile_file_warm']:.1f}")
if mapserv:
    print(f"pixels_within_2_levels_of_mapserver {close(of_mapserver):.3f}")
    print(f"ratio_vs_mapserver {found['mapserver_cpu_ms_rgb_tile'] / found['cpu_ms_rgb_tile']:.1f}")
    print(f"ratio_vs_mapserver_file_warm {found['mapserver_cpu_ms_rgb_tile_file_warm'] / found['cpu_ms_rgb_tile_file_warm']:.1f}")
PY
