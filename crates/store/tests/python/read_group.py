"""Reads a group as a notebook user would and compares it with the truth.

usage: read_group.py GROUP_DIRECTORY TRUTH_JSON
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import rioxarray  # noqa: F401  (registers .rio)
import xarray as xr
import zarr

group, truth = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
warnings.simplefilter("error")  # an unconsolidated group, an odd codec: nothing to be quiet about
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", category=PendingDeprecationWarning)


def stored(name):
    """The truth of one array, with its own type; NaN where JSON has null."""
    array = truth["arrays"][name]
    values = [np.nan if v is None else v for v in array["values"]]
    return np.array(values, dtype="float64").reshape(array["shape"]).astype(array["dtype"])


# zarr-python: every array, by path and by consolidated metadata alone.
root = zarr.open_group(group, mode="r", use_consolidated=True)
assert root.metadata.consolidated_metadata is not None
for name in truth["arrays"]:
    np.testing.assert_array_equal(root[name][:], stored(name), err_msg=name)
    np.testing.assert_array_equal(zarr.open_array(group / name, mode="r")[:], stored(name), err_msg=name)

for coords in ("coordinates", "all"):
    data = xr.open_zarr(group, consolidated=True, decode_coords=coords, chunks=None)
    assert data.sizes == {"time": 5, "y": 37, "x": 45}, data.sizes
    seconds = data.time.values.astype("datetime64[s]").astype("int64")
    np.testing.assert_array_equal(seconds, truth["time"])
    np.testing.assert_array_equal(data.x.values, 2_400_015.0 + 30 * np.arange(45))
    np.testing.assert_array_equal(data.y.values, 899_985.0 - 30 * np.arange(37))
    assert "spatial_ref" in data.coords and "spatial_ref" in data["red"].coords
    for name in ("red", "mad", "qa_pixel"):
        assert data[name].rio.crs is not None, name
        assert data[name].rio.crs.to_epsg() == 6372, data[name].rio.crs
    assert tuple(data["red"].rio.transform())[:6] == (30.0, 0.0, 2_400_000.0, 0.0, -30.0, 900_000.0)
    assert data["red"].rio.x_dim == "x" and data["red"].rio.y_dim == "y"

    red = stored("red").astype("float64")
    physical = np.where(red == 0, np.nan, red * 2.75e-5 - 0.2)
    np.testing.assert_allclose(data["red"].values, physical, rtol=1e-5, atol=1e-6)
    # Flag words stay integers.
    assert data["qa_pixel"].dtype == np.uint16, data["qa_pixel"].dtype
    np.testing.assert_array_equal(data["qa_pixel"].values, stored("qa_pixel"))
    np.testing.assert_array_equal(data["mad"].values, stored("mad"))
    for name, fill in (("count", 255), ("elevation", -9999), ("depth", -1)):
        array = stored(name).astype("float64")
        np.testing.assert_array_equal(data[name].values, np.where(array == fill, np.nan, array), err_msg=name)

try:
    import odc.geo.xr  # noqa: F401
except ImportError:
    print("odc-geo: skipped")
else:
    box = data["red"].odc.geobox
    assert box.crs.epsg == 6372 and box.shape == (37, 45), box
    assert tuple(box.transform)[:6] == (30.0, 0.0, 2_400_000.0, 0.0, -30.0, 900_000.0), box.transform

# Pyramid levels are groups of their own.
level = xr.open_zarr(group / "overviews/1", consolidated=True, decode_coords="all", chunks=None)
assert level["red"].rio.crs.to_epsg() == 6372
assert tuple(level["red"].rio.transform())[:6] == (60.0, 0.0, 2_400_000.0, 0.0, -60.0, 900_000.0)
overview = stored("overviews/1/red").astype("float64")
np.testing.assert_allclose(
    level["red"].values, np.where(overview == 0, np.nan, overview * 2.75e-5 - 0.2), rtol=1e-5, atol=1e-6
)

# Consolidated metadata is what is used: without the arrays' own documents the group opens all the same.
bare = group.parent / "bare"
shutil.copytree(group, bare)
for document in bare.rglob("*/zarr.json"):
    document.unlink()
opened = xr.open_zarr(bare, consolidated=True, decode_coords="all", chunks=None)
np.testing.assert_array_equal(opened["mad"].values, stored("mad"))
print("ok")
