"""Writes windows of bands as raw doubles, [date][band][row][column], NaN where no group has the pixel.

OUT BANDS DATES X_MIN Y_MAX RESOLUTION WIDTH HEIGHT GROUP…, where bands and dates are lists with commas.
"""

import sys

import numpy as np
import xarray as xr

out = sys.argv[1]
bands, dates = (text.split(",") for text in sys.argv[2:4])
x_min, y_max, resolution = map(float, sys.argv[4:7])
width, height = map(int, sys.argv[7:9])
xs = x_min + (np.arange(width) + 0.5) * resolution
ys = y_max - (np.arange(height) + 0.5) * resolution
found = np.full((len(dates), len(bands), height, width), np.nan)
for path in sys.argv[9:]:
    group = xr.open_zarr(path, mask_and_scale=False, decode_coords="all", chunks=None)
    rows, columns = (np.isin(np.round(want, 3), np.round(have, 3)) for want, have in ((ys, group.y), (xs, group.x)))
    if not (rows.any() and columns.any()):
        continue
    for position, day in enumerate(group.time.dt.strftime("%Y-%m-%d").values):
        if day in dates:
            for number, band in enumerate(bands):
                part = group[band].isel(time=position).sel(y=ys[rows], x=xs[columns])
                found[dates.index(day), number][np.ix_(rows, columns)] = part.values
found.astype("<f8").tofile(out)
