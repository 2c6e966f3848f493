#!/usr/bin/env python3
"""xarray opens the paths that `tesela info --json` prints: time, x, y and CRS decoded, scale applied, NaN for no data.

usage: xarray_check.py CUBE_DIR      (no server). pip: xarray zarr rioxarray numpy pyproj, and odc-geo for its check

A group of a scenes product holds up to 32 dates of one tile; one line makes them a series:

    xr.concat([xr.open_zarr(path) for path in paths], "time")
"""
import os
import sys
import warnings
from collections import defaultdict

from checks import Checks, info

c = Checks()
try:
    import numpy as np
    import pyproj
    import rioxarray  # noqa: F401
    import xarray as xr
    import zarr
except ImportError as e:
    c.skip("xarray", e)
    c.done()
warnings.simplefilter("error")  # What a library warns of would puzzle its user,
for among_libraries in (DeprecationWarning, PendingDeprecationWarning):  # unless it is meant for other libraries.
    warnings.simplefilter("ignore", among_libraries)
print("xarray", xr.__version__, "zarr", zarr.__version__)
products = {p["id"]: p for p in info(sys.argv[1])["products"]}


def common(label, ds, product, band):
    """What every group must offer."""
    c.check(f"{label}: time is decoded", np.issubdtype(ds.time.dtype, np.datetime64), ds.time.dtype)
    x, y = ds.x.values, ds.y.values
    cell = x[1] - x[0]
    c.check(f"{label}: x rises and y falls by whole cells", cell > 0 and np.allclose(np.diff(x), cell) and np.allclose(np.diff(y), -cell), cell)
    c.check(f"{label}: x and y are cell centres of the grid", np.isclose(x[0] % cell, cell / 2) and np.isclose(y[0] % cell, cell / 2), (x[0], y[0]))
    epsg = int(product["crs"].split(":")[1])
    c.check(f"{label}: rioxarray reads the CRS of a band", ds[band].rio.crs is not None and ds[band].rio.crs.to_epsg() == epsg, ds[band].rio.crs.to_epsg())
    given = ds.rio.transform()
    c.check(f"{label}: rioxarray's transform is the grid's", tuple(given)[:6] == (cell, 0, x[0] - cell / 2, 0, -cell, y[0] + cell / 2), tuple(given)[:6])
    try:
        from odc.geo.xr import xr_coords  # noqa: F401
    except ImportError as e:
        c.skip(f"{label}: odc-geo", e)
    else:
        box = ds[band].odc.geobox
        c.check(f"{label}: odc-geo's GeoBox is the grid's", box.crs.epsg == epsg and box.shape == (len(y), len(x)) and box.affine == given, (box.crs.epsg, *box.shape))
    c.check(f"{label}: every band is there", set(product["bands"]) <= set(ds.data_vars), sorted(ds.data_vars))
    raw = zarr.open_group(ds.encoding["source"], mode="r")[band]
    attributes = dict(raw.attrs)
    scaled = {"scale_factor", "add_offset", "_FillValue"} if np.issubdtype(raw.dtype, np.integer) else set()
    c.check(f"{label}: the CF attributes are written", {"grid_mapping", "coordinates", "units", *scaled} <= attributes.keys(), sorted(attributes))
    return raw, attributes


def values(label, ds, product, raw, attributes, band, at):
    """Scale and no data, in a window over the data of one date."""
    west, south, east, north = pyproj.Transformer.from_crs(4326, product["crs"], always_xy=True).transform_bounds(*product["bbox"])
    rows = np.flatnonzero((ds.y.values > south) & (ds.y.values < north))
    columns = np.flatnonzero((ds.x.values > west) & (ds.x.values < east))
    window = (at, slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    stored = raw[window]
    decoded = ds[band][window].values
    empty = stored == attributes["_FillValue"] if "_FillValue" in attributes else np.isnan(stored)
    c.check(f"{label}: no data is NaN, and nothing else is", np.array_equal(np.isnan(decoded), empty), f"{int(empty.sum())} of {empty.size} px hold nothing")
    c.check(f"{label}: the window holds both", empty.any() and not empty.all())
    want = stored[~empty] * attributes.get("scale_factor", 1) + attributes.get("add_offset", 0)
    c.check(f"{label}: scale and offset are applied", np.allclose(decoded[~empty], want, atol=1e-6, rtol=0))
    median = float(np.nanmedian(decoded))
    c.check(f"{label}: {band} is a reflectance or an index", -1.0 <= np.nanmin(decoded) and np.nanmax(decoded) <= 1.7 and -0.2 < median < 1, f"median {median:.4f}")


for name, band in (("geomedian_annual", "red"), ("ndvi_annual", "ndvi")):
    product = products[name]
    for period in (product["periods"][0], product["periods"][-1]):
        label = f"{name} {period['period']}"
        ds = xr.open_zarr(period["zarr"])
        raw, attributes = common(label, ds, product, band)
        c.check(f"{label}: its time is the period's", str(ds.time.values[0])[:19] + "Z" == period["datetime"] and ds.sizes["time"] == 1, ds.time.values[0])
        values(label, ds, product, raw, attributes, band, 0)

product = products["landsat_c2_sr"]
tiles = defaultdict(list)
for group in product["groups"]:
    tiles[os.path.dirname(group["zarr"])].append(group)
groups = max(tiles.values(), key=lambda groups: groups[0]["dates"])
group = groups[0]
label = "landsat_c2_sr, a group"
ds = xr.open_zarr(group["zarr"])
raw, attributes = common(label, ds, product, "red")
c.check(f"{label}: as many times as the index counts", ds.sizes["time"] == group["dates"], ds.sizes["time"])
c.check(f"{label}: times with the clock, in order", bool((np.diff(ds.time.values) > np.timedelta64(0)).all()) and str(ds.time.values[0])[11:19] != "00:00:00", ds.time.values[0])
sums = [int((raw[i, ::32, ::32] != attributes["_FillValue"]).sum()) for i in range(min(4, ds.sizes["time"]))]
values(label, ds, product, raw, attributes, "red", int(np.argmax(sums)))
c.check(f"{label}: the quality band stays bits", np.issubdtype(ds["qa_pixel"].dtype, np.integer), ds["qa_pixel"].dtype)
if len(groups) > 1:
    paths = [g["zarr"] for g in groups[:2]]
    both = xr.concat([xr.open_zarr(path) for path in paths], "time")
    label = "landsat_c2_sr, two groups in one line"
    c.check(f"{label}: all dates, in order", both.sizes["time"] == sum(g["dates"] for g in groups[:2]) and bool((np.diff(both.time.values) > np.timedelta64(0)).all()), both.sizes["time"])
    c.check(f"{label}: one grid still", both.sizes["x"] == ds.sizes["x"] and both["red"].rio.crs == ds["red"].rio.crs)
    c.check(f"{label}: the second's pixels follow the first's", np.array_equal(both["red"][group["dates"], ::64, ::64].values, xr.open_zarr(paths[1])["red"][0, ::64, ::64].values, equal_nan=True))
else:
    c.check("landsat_c2_sr: two groups of one tile to join", False, "the cube holds one")
c.done()
