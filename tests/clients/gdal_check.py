#!/usr/bin/env python3
"""GDAL's tools read georeferenced maps whose pixels are the store's: the WMTS driver, KVP and REST, and the WMS driver.

usage: gdal_check.py URL CUBE_DIR [OUT_DIR]      (gdal-bin on PATH; TESELA_PYTHON reads the store). pip: numpy

Read at the grid's own resolution and in its CRS, so nothing is resampled and no pixel may differ.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from checks import Checks, same_pixels, truth

url, cube = sys.argv[1].rstrip("/"), sys.argv[2]
out = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="tesela-gdal-")
os.makedirs(out, exist_ok=True)
c = Checks()
LAYER, STYLE = "geomedian_annual", "true_color"
if not shutil.which("gdal_translate"):
    c.skip("GDAL", "gdal_translate is not installed")
    c.done()
os.environ.update(GDAL_HTTP_TIMEOUT="60", GDAL_DEFAULT_WMS_CACHE_PATH=tempfile.mkdtemp(prefix="tesela-gdal-"))


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


print(run("gdalinfo", "--version").stdout.strip())
store = truth(cube, out)
first, last = str(store["years"][0]), str(store["years"][-1])
crs, cell = str(store["crs"]), float(store["cell"])


def read(label, source, place, year, *options):
    """One window out of a source: its place, its CRS, its pixels."""
    west, south, east, north = map(float, store[f"{place}_box"])
    path = os.path.join(out, f"{label.replace(' ', '-').lower()}.tif")
    # GDAL reads PNG tiles as they are; what it makes of them here is a GeoTIFF, and raw bytes to compare.
    done = run("gdal_translate", "-q", *options, "-projwin", *map(str, (west, north, east, south)), source, path)
    if not c.check(f"{label}: gdal_translate reads", done.returncode == 0 and "ERROR" not in done.stderr, done.stderr.strip()):
        return None
    about = json.loads(run("gdalinfo", "-json", path).stdout)
    transform = about["geoTransform"]
    c.check(f"{label}: placed to a millimetre", np.allclose(transform, [west, cell, 0, north, 0, -cell], atol=1e-3), transform)
    c.check(f"{label}: CRS is {crs}", f'ID["EPSG",{crs.split(":")[1]}]' in about.get("coordinateSystem", {}).get("wkt", ""))
    raw = path.replace(".tif", ".raw")
    run("gdal_translate", "-q", "-of", "ENVI", "-co", "INTERLEAVE=BIP", path, raw)
    picture = np.fromfile(raw, "u1").reshape(about["size"][1], about["size"][0], len(about["bands"]))
    alpha = picture.shape[-1] == 4
    equal, how = same_pixels(picture, store[f"{place}_{year}"], alpha)
    c.check(f"{label}: pixels equal the store's", equal, how)
    return picture


# WMTS shows the default date: the last.
for encoding, source in {"KVP": f"{url}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&VERSION=1.0.0", "REST": f"{url}/wmts/1.0.0/WMTSCapabilities.xml"}.items():
    listed = run("gdalinfo", "-json", f"WMTS:{source}")
    subsets = json.loads(listed.stdout or "{}").get("metadata", {}).get("SUBDATASETS", {}).values()
    own = next((s for s in subsets if f"layer={LAYER}" in s and "tilematrixset=mx6372_30" in s), None)
    c.check(f"WMTS {encoding}: the layer in the grid's own set is listed", own, len(subsets) // 2)
    for place in ("middle", "corner"):
        read(f"WMTS {encoding} {place}", f"WMTS:{source},layer={LAYER},style={STYLE},tilematrixset=mx6372_30", place, last)
    web = os.path.join(out, f"wmts-{encoding.lower()}-mercator.tif")
    done = run("gdalwarp", "-q", "-overwrite", "-t_srs", crs, "-tr", str(cell), str(cell), "-te", *map(str, map(float, store["middle_box"])),
               f"WMTS:{source},layer={LAYER},style={STYLE},tilematrixset=WebMercatorQuad", web)
    c.check(f"WMTS {encoding} WebMercatorQuad: gdalwarp brings it to the grid", done.returncode == 0 and "ERROR" not in done.stderr, done.stderr.strip())
    if done.returncode:
        continue
    raw = web.replace(".tif", ".raw")
    run("gdal_translate", "-q", "-of", "ENVI", "-co", "INTERLEAVE=BIP", web, raw)
    picture = np.fromfile(raw, "u1").reshape(store[f"middle_{last}"].shape).astype(int)
    # Twice resampled, so no more than that the same place is shown: a shift by one cell would show.
    expected, wide = store[f"middle_{last}"].astype(int), picture[4:-4, 4:-4, :3]
    away = {(i, j): np.abs(expected[4 + i:-4 + i or None, 4 + j:-4 + j or None, :3] - wide).mean() for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2)}
    c.check(f"WMTS {encoding} WebMercatorQuad: nearest to the store unshifted", min(away, key=away.get) == (0, 0), {k: round(float(v), 2) for k, v in sorted(away.items(), key=lambda e: e[1])[:3]})

# WMS names its date. Version 1.3.0 takes northing first in this CRS, 1.1.1 easting first.
for version, srs, order in (("1.3.0", "CRS", "yxYX"), ("1.1.1", "SRS", "xyXY")):
    for year in (first, last):
        west, south, east, north = map(float, store["middle_box"])
        side = store[f"middle_{year}"].shape[0]
        xml = os.path.join(out, f"wms-{version}-{year}.xml")
        with open(xml, "w", encoding="utf-8") as f:
            f.write(f"<GDAL_WMS><Service name='WMS'><Version>{version}</Version><ServerUrl>{url}/wms?TIME={year}-01-01&amp;</ServerUrl>"
                    f"<{srs}>{crs}</{srs}><ImageFormat>image/png</ImageFormat><Layers>{LAYER}</Layers><Styles>{STYLE}</Styles><Transparent>TRUE</Transparent>"
                    f"<BBoxOrder>{order}</BBoxOrder></Service><DataWindow><UpperLeftX>{west}</UpperLeftX><UpperLeftY>{north}</UpperLeftY><LowerRightX>{east}</LowerRightX>"
                    f"<LowerRightY>{south}</LowerRightY><SizeX>{side}</SizeX><SizeY>{side}</SizeY></DataWindow><Projection>{crs}</Projection><BandsCount>4</BandsCount>"
                    f"<BlockSizeX>{side}</BlockSizeX><BlockSizeY>{side}</BlockSizeY></GDAL_WMS>")
        read(f"WMS {version} {year}", xml, "middle", year)
c.done()
