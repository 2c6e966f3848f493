#!/usr/bin/env python3
"""A product as one Zarr group, over HTTP and exported: bit for bit what the stored groups hold.

usage: zarr_view_check.py URL CUBE_DIR [OUT_DIR]     pip: xarray zarr dask numpy pyproj aiohttp

The stored groups are those that `tesela info --json` prints; the directories are written by `tesela export` into
OUT_DIR (a temporary directory unless given), which is best on the cube's file system: there it makes hard links.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import warnings

from checks import Checks, evenly, info, tesela

c = Checks()
try:
    import aiohttp  # noqa: F401
    import numpy as np
    import pyproj
    import xarray as xr
    import zarr
except ImportError as e:
    c.skip("the assembled view", e)
    c.done()
warnings.simplefilter("error")  # What a library warns of would puzzle its user,
for among_libraries in (DeprecationWarning, PendingDeprecationWarning):  # unless it is meant for other libraries.
    warnings.simplefilter("ignore", among_libraries)
base, cube = sys.argv[1].rstrip("/"), sys.argv[2]
out = tempfile.mkdtemp(prefix="view", dir=sys.argv[3] if len(sys.argv) > 3 else None)
print("xarray", xr.__version__, "zarr", zarr.__version__, "aiohttp", aiohttp.__version__)
found = info(cube)
n, products = found["snapshot"], {p["id"]: p for p in found["products"]}


def same(a, b):
    """Bit for bit, NaN and all."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def ask(path, method="GET", **headers):
    """(status, headers, body), redirects not followed."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    request = urllib.request.Request(base + path, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.build_opener(Stay).open(request) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def place(view, stored):
    """Where a stored group's pixels lie in the view."""
    (row,), (column,) = np.nonzero(view.y.values == stored.y.values[0]), np.nonzero(view.x.values == stored.x.values[0])
    return slice(row[0], row[0] + stored.sizes["y"]), slice(column[0], column[0] + stored.sizes["x"])


# The protocol.
name = "geomedian_annual"
path = f"/zarr/{name}@{n}"
status, headers, body = ask(f"/zarr/{name}")
c.check("the product's own address leads to the latest snapshot's", status == 307 and headers["Location"].endswith(path), headers["Location"])
status, headers, root = ask(path + "/zarr.json")
c.check("metadata: JSON, its snapshot in header and ETag", status == 200 and headers["Content-Type"] == "application/json" and headers["Tesela-Snapshot"] == str(n) and headers["ETag"].startswith(f'"{n}-'), headers["ETag"])
c.check("metadata: kept by who has it", ask(path + "/zarr.json", If_None_Match=headers["ETag"])[0] == 304)
c.check("metadata: scripts of other origins may read it", headers["Access-Control-Allow-Origin"] == "*")
document = json.loads(root)
c.check("metadata: consolidated, and says its snapshot", document["attributes"]["tesela_snapshot"] == n and "red" in document["consolidated_metadata"]["metadata"])
chunk = path + "/red/c/0/0/0"
status, headers, whole = ask(chunk)
c.check("a chunk: bytes, ranges taken", status == 200 and headers["Accept-Ranges"] == "bytes" and len(whole) == int(headers["Content-Length"]), len(whole))
status, headers, body = ask(chunk, "HEAD")
c.check("a chunk: HEAD says how long it is", status == 200 and int(headers["Content-Length"]) == len(whole) and not body)
for text, want in (("bytes=5-14", whole[5:15]), ("bytes=-20", whole[-20:]), (f"bytes={len(whole) - 3}-", whole[-3:]), (f"bytes=0-{10**30}", whole)):
    status, headers, body = ask(chunk, Range=text)
    c.check(f"a chunk: Range {text}", status == 206 and body == want and headers["Content-Range"].endswith(f"/{len(whole)}"), headers["Content-Range"])
status, headers, body = ask(chunk, Range=f"bytes={len(whole)}-")
c.check("a chunk: a range past the end is 416", status == 416 and headers["Content-Range"] == f"bytes */{len(whole)}", headers["Content-Range"])
for key in ("red/c/9999/0/0", "red/c/0/0/99999999999999999999999", "red/c/0/-1/0", "red/c/0/0", ".zattrs", "../../index.db", "%2e%2e/%2e%2e/%2e%2e/index.db", "red/c/0/0/0/zarr.json", "no/such/c/0/0/0"):
    status, headers, body = ask(f"{path}/{key}")
    c.check(f"nothing under {key}: 404, a problem document", status == 404 and headers["Content-Type"] == "application/problem+json", status)
for address in (f"/zarr/none@{n}/zarr.json", f"/zarr/{name}@{n + 999}/zarr.json", f"/zarr/{name}@x/zarr.json", "/zarr/none"):
    status, headers, body = ask(address)
    c.check(f"{address}: 404, a problem document", status == 404 and headers["Content-Type"] == "application/problem+json", body[:120])

# A derived product.
product = products[name]
view = xr.open_zarr(base + path)
raw = zarr.open_group(base + path, mode="r")
label = name
c.check(f"{label}: every period, in order", [str(t)[:19] + "Z" for t in view.time.values] == [p["datetime"] for p in product["periods"]], view.sizes["time"])
c.check(f"{label}: every band over (time, y, x)", all(view[b].dims == ("time", "y", "x") for b in product["bands"]))
for period in evenly(product["periods"], 3):
    at = product["periods"].index(period)
    stored = xr.open_zarr(period["zarr"])
    rows, columns = place(view, stored)
    group = zarr.open_group(period["zarr"], mode="r")
    wrong = [b for b in product["bands"] if not same(raw[b][at, rows, columns], group[b][0])]
    c.check(f"{label} {period['period']}: every band bit for bit the stored group's", not wrong, wrong or f"{group['red'].shape}")
    if stored.sizes == view.isel(time=[at]).sizes:
        wrong = [level for level in (1, 2, 3) if not same(raw[f"overviews/{level}/red"][at], group[f"overviews/{level}/red"][0])]
        c.check(f"{label} {period['period']}: overviews too", not wrong, wrong)
c.check(f"{label}: there is data", bool((raw["red"][-1] != 0).any()))
first = next(s["snapshot"] for s in reversed(json.loads(ask("/v1/snapshots?limit=1000")[2])["snapshots"]) if ask(f"/zarr/{name}@{s['snapshot']}/zarr.json", "HEAD")[0] == 200)
early = xr.open_zarr(f"{base}/zarr/{name}@{first}")
c.check(f"{label}: an early snapshot has its own periods still", 1 <= early.sizes["time"] <= view.sizes["time"] and early.attrs["tesela_snapshot"] == first, f"snapshot {first}: {early.sizes['time']} of {view.sizes['time']}")
loose = xr.open_zarr(f"{base}/zarr/{name}")
c.check(f"{label}: without a snapshot, the latest's values", loose.attrs["tesela_snapshot"] == n and same(loose.red[-1, ::16, ::16].values, view.red[-1, ::16, ::16].values))

# Scenes.
name = label = "landsat_c2_sr"
product = products[name]
scenes = xr.open_zarr(f"{base}/zarr/{name}@{n}")
raw_scenes = zarr.open_group(f"{base}/zarr/{name}@{n}", mode="r")
times = scenes.time.values
c.check(f"{label}: times ascend", bool((np.diff(times) > np.timedelta64(0)).all()), len(times))
c.check(f"{label}: solar day and platform are coordinates", {"solar_day", "platform"} <= set(scenes.red.coords) and np.issubdtype(scenes.solar_day.dtype, np.datetime64), list(scenes.red.coords))
meanings = dict(zip(scenes.platform.attrs["flag_values"], scenes.platform.attrs["flag_meanings"].split()))
c.check(f"{label}: platforms are named", {meanings[v] for v in scenes.platform.values} <= {f"landsat-{i}" for i in (4, 5, 7, 8, 9)}, meanings)
c.check(f"{label}: a date and platform comes once", len(set(zip(scenes.solar_day.values.tolist(), scenes.platform.values.tolist()))) == len(times))
c.check(f"{label}: solar day is within a day of the time", bool((abs(scenes.solar_day.values - times) < np.timedelta64(36, "h")).all()))
compared, wrong, tiles, seen = 0, [], {}, set()
for group in product["groups"]:
    stored = xr.open_zarr(group["zarr"])
    if stored.sizes["time"] != group["dates"]:
        continue  # Some of its dates were replaced since.
    rows, columns = place(scenes, stored)
    tiles[rows.start, columns.start] = rows, columns
    at = [int(np.argmin(abs(times - t))) for t in stored.time.values]
    seen |= {(i, rows.start, columns.start) for i in at}
    late = [t for i, t in zip(at, stored.time.values) if abs(times[i] - t) > np.timedelta64(10, "m")]
    c.check(f"{label}: {os.sep.join(group['zarr'].split(os.sep)[-2:])}: each of its dates is on the axis", not late, late)
    source = zarr.open_group(group["zarr"], mode="r")
    for position in evenly(range(len(at)), 3):
        for band in ("red", "qa_pixel"):
            compared += 1
            if not same(raw_scenes[band][at[position], rows, columns], source[band][position]):
                wrong.append((group["zarr"], position, band))
c.check(f"{label}: {compared} rasters bit for bit the stored groups'", compared > 3 and not wrong, wrong[:3])
nothing = next(((i, *t) for i in range(len(times)) for t in tiles if (i, *t) not in seen), None)
if nothing and all(xr.open_zarr(g["zarr"]).sizes["time"] == g["dates"] for g in product["groups"]):
    rows, columns = tiles[nothing[1:]]
    c.check(f"{label}: where a date has no scene there is fill", bool((raw_scenes["red"][nothing[0], rows, columns] == raw_scenes["red"].fill_value).all()))

# Directories.
for name, over_http in (("geomedian_annual", raw), ("landsat_c2_sr", raw_scenes)):
    to = os.path.join(out, name)
    command = [tesela(), "export", "--cube", cube, "--json", "--product", name, "--snapshot", str(n), "--zarr-view", to]
    done = subprocess.run(command, capture_output=True, text=True)
    c.check(f"{name}: exported", done.returncode == 0, done.stdout.replace("\n", " ") or done.stderr)
    again = subprocess.run(command, capture_output=True, text=True)
    c.check(f"{name}: a directory that exists is refused, and stays", again.returncode == 1 and "exists already" in again.stderr and os.path.exists(f"{to}/zarr.json"), again.stderr.strip())
    c.check(f"{name}: nothing else is left beside it", all(not f.startswith(".") for f in os.listdir(out)), os.listdir(out))
    exported = xr.open_zarr(to)
    served = view if over_http is raw else scenes
    c.check(f"{name}: the same coordinates", all(np.array_equal(exported[k].values, served[k].values) for k in served.coords) and set(exported.coords) == set(served.coords), list(exported.coords))
    c.check(f"{name}: the same attributes", exported.attrs == served.attrs and all(exported[b].attrs == served[b].attrs for b in served.data_vars))
    group = zarr.open_group(to, mode="r")
    wrong = [(b, i) for b in products[name]["bands"] for i in evenly(range(exported.sizes["time"]), 4) if not same(group[b][i], over_http[b][i])]
    c.check(f"{name}: every band bit for bit as over HTTP", not wrong, wrong[:3])
    if over_http is raw:
        with open(f"{to}/zarr.json", "rb") as file:
            c.check(f"{name}: the same metadata document", file.read() == root)
shutil.rmtree(out)

# What demo.json tells other clients.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "demo.json")) as file:
    told = json.load(file)["zarr"]
address = told["url"].replace("{base}", base)
group = xr.open_zarr(address)
values = group[told["variable"]]
c.check("demo.json: its address opens, its dimensions have coordinates", list(values.dims) == told["dims"] and all(d in group.coords for d in told["dims"]), values.dims)
crs = pyproj.CRS(group["spatial_ref"].attrs["crs_wkt"])
c.check("demo.json: its CRS", crs.to_epsg() == told["epsg"], crs.to_epsg())
c.check("demo.json: every date has pixels", bool(np.isfinite(values.values).any(axis=(1, 2)).all()), values.shape)
c.done()
