"""Writes a window of a band as raw doubles: OUT BAND DATE X_MIN Y_MAX RESOLUTION WIDTH HEIGHT GROUP…"""

import sys

import numpy as np
import xarray as xr

out, band, date = sys.argv[1:4]
x_min, y_max, resolution = map(float, sys.argv[4:7])
width, height = map(int, sys.argv[7:9])
xs = x_min + (np.arange(width) + 0.5) * resolution
ys = y_max - (np.arange(height) + 0.5) * resolution
window = np.full((height, width), np.nan)
for path in sys.argv[9:]:
    group = xr.open_zarr(path, mask_and_scale=False, decode_coords="all")
    times = group.time.dt.strftime("%Y-%m-%d").values
    if date not in times:
        continue
    array = group[band].isel(time=int(np.flatnonzero(times == date)[0]))
    part = array.reindex(x=xs, y=ys, method="nearest", tolerance=resolution / 100, fill_value=0).values.astype(float)
    inside = np.isin(np.round(ys / resolution * 2), np.round(array.y.values / resolution * 2))[:, None]
    inside = inside & np.isin(np.round(xs / resolution * 2), np.round(array.x.values / resolution * 2))[None, :]
    window[inside] = part[inside]
window.astype("<f8").tofile(out)
