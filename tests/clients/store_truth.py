#!/usr/bin/env python3
"""What pictures must show, read from the store's Zarr groups without the server. pip: xarray zarr pyproj numpy

usage: store_truth.py CUBE_DIR OUT.npz [--product geomedian_annual] [--years 5] [--size 256]

Writes, for a window of whole grid cells in the middle of the data ("middle") and one over its upper left corner
("corner", with cells that hold nothing): xmin ymin xmax ymax, and for each year the pixels of the style true_color.
The style is applied as crates/render/src/stretch.rs does, in float32: (value - low) * (255 / (high - low)) + 0.5, cut to
a whole number and clamped to 0 … 255; a pixel with no value in a band is transparent.
"""
import argparse

import numpy as np
import pyproj
import xarray as xr
from checks import evenly, info

RANGE, BANDS = (0.0, 0.3), ("red", "green", "blue")


def painted(window):
    per_unit = np.float32(255 / (RANGE[1] - RANGE[0]))
    planes = np.stack([window[band].values.astype("f4") for band in BANDS], -1)
    drawn = np.isfinite(planes).all(-1)
    scaled = (planes - np.float32(RANGE[0])) * per_unit + np.float32(0.5)
    rgba = np.zeros((*drawn.shape, 4), "u1")
    rgba[..., :3] = np.where(drawn[..., None], np.clip(np.nan_to_num(scaled), 0, 255), 0).astype("u1")
    rgba[..., 3] = np.where(drawn, 255, 0)
    return rgba


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cube")
    parser.add_argument("out")
    parser.add_argument("--product", default="geomedian_annual")
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--size", type=int, default=256)
    a = parser.parse_args()

    product = next(p for p in info(a.cube)["products"] if p["id"] == a.product)
    periods = evenly(product["periods"], a.years)
    last = xr.open_zarr(periods[-1]["zarr"]).isel(time=0)
    cell = abs(float(last.x[1] - last.x[0]))
    forward = pyproj.Transformer.from_crs(4326, product["crs"], always_xy=True)
    west, south, east, north = forward.transform_bounds(*product["bbox"])
    columns = np.flatnonzero((last.x.values > west) & (last.x.values < east))
    rows = np.flatnonzero((last.y.values > south) & (last.y.values < north))
    near = last["red"].isel(x=columns, y=rows).values
    drawn = np.isfinite(near)
    top, left = (np.flatnonzero(drawn.any(axis))[0] for axis in (1, 0))
    middle = (rows[len(rows) // 2] - a.size // 2, columns[len(columns) // 2] - a.size // 2)
    found = {"years": np.array([p["period"] for p in periods]), "datetimes": np.array([p["datetime"] for p in periods]),
             "crs": np.array(product["crs"]), "cell": np.array(cell)}
    for name, (row, col) in {"middle": middle, "corner": (rows[0] + top, columns[0] + left)}.items():
        place = {"y": slice(row, row + a.size), "x": slice(col, col + a.size)}
        window = last.isel(place)
        xmin, ymax = float(window.x[0]) - cell / 2, float(window.y[0]) + cell / 2
        found[f"{name}_box"] = np.array([xmin, ymax - a.size * cell, xmin + a.size * cell, ymax])
        for p in periods:
            found[f"{name}_{p['period']}"] = painted(xr.open_zarr(p["zarr"]).isel(time=0).isel(place))
    np.savez(a.out, **found)


if __name__ == "__main__":
    main()
