#!/usr/bin/env python3
"""QGIS draws what the store holds: WMTS (KVP and REST) and WMS-T under the temporal controller.

usage: pyqgis_check.py URL CUBE_DIR [OUT_DIR]      (a Python with PyQGIS; no display; TESELA_PYTHON reads the store)

Pictures are asked for in the grid's own CRS, one pixel a cell, so nothing is resampled: every pixel must equal the
store's, with no difference allowed, not one grey level. OUT_DIR gets the pictures.
"""
import os
import sys
import tempfile
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QGIS_CUSTOM_CONFIG_PATH"] = tempfile.mkdtemp(prefix="tesela-qgis-")
import numpy as np  # noqa: E402
from checks import Checks, evenly, same_pixels, truth  # noqa: E402
from qgis.core import (Qgis, QgsApplication, QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsDateTimeRange,  # noqa: E402
                       QgsInterval, QgsMapRendererParallelJob, QgsMapSettings, QgsProject, QgsRasterLayer, QgsRectangle,
                       QgsTemporalNavigationObject, QgsUnitTypes)
from qgis.PyQt.QtCore import QDateTime, QEventLoop, QSize, Qt, QTimer  # noqa: E402
from qgis.PyQt.QtGui import QColor, QImage  # noqa: E402

url, cube = sys.argv[1].rstrip("/"), sys.argv[2]
out = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="tesela-pyqgis-")
os.makedirs(out, exist_ok=True)
c = Checks()
LAYER, STYLE = "geomedian_annual", "true_color"
QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
app = QgsApplication([], False)
app.initQgis()
messages = []
app.messageLog().messageReceived.connect(lambda text, tag, level: messages.append(f"{tag}: {text}") if level in (Qgis.Warning, Qgis.Critical) else None)
print("QGIS", Qgis.QGIS_VERSION)

store = truth(cube, out)
years = [str(y) for y in store["years"]]
crs_name, cell = str(store["crs"]), float(store["cell"])
size = store[f"middle_{years[0]}"].shape[0]


def layer_of(name, dimensions="", **parameters):
    parameters = {"contextualWMSLegend": 0, "dpiMode": 7, "featureCount": 10, "format": "image/png", "layers": LAYER, "styles": STYLE, **parameters}
    source = parameters.pop("url")
    uri = "&".join(f"{k}={urllib.parse.quote(str(v), safe=':/')}" for k, v in parameters.items())
    layer = QgsRasterLayer(f"{uri}{dimensions}&url={urllib.parse.quote(source, safe='')}", name, "wms")
    # QgsError.summary() of a layer without an error segfaults in 3.22.
    c.check(f"{name}: layer valid", layer.isValid(), "" if layer.isValid() else layer.error().summary())
    return layer


def draw(layer, crs, box, name, when=None, side=size):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    settings.setTransformContext(QgsProject.instance().transformContext())
    settings.setExtent(box if isinstance(box, QgsRectangle) else QgsRectangle(*map(float, box)))
    settings.setOutputSize(QSize(side, side))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    settings.setOutputImageFormat(QImage.Format_ARGB32)
    if when is not None:
        settings.setIsTemporal(True)
        settings.setTemporalRange(when)
    job, loop = QgsMapRendererParallelJob(settings), QEventLoop()
    job.finished.connect(loop.quit)
    QTimer.singleShot(60000, loop.quit)
    job.start()
    loop.exec_()
    job.waitForFinished()
    image = job.renderedImage().convertToFormat(QImage.Format_RGBA8888)
    image.save(os.path.join(out, f"{name}.png"))
    errors = [e.message for e in job.errors()]
    if errors:
        c.check(f"{name}: drawn without an error", False, errors[0])
    bits = image.bits()
    bits.setsize(image.byteCount())
    return np.frombuffer(bits, "u1").reshape(side, image.bytesPerLine() // 4, 4)[:, :side].copy()


def compare(label, picture, place, year):
    equal, how = same_pixels(picture, store[f"{place}_{year}"])
    c.check(f"{label}: pixels equal the store's", equal, how)


def around(layer, crs, margin=1.0):
    """A square over the layer."""
    transform = QgsCoordinateTransform(layer.crs(), QgsCoordinateReferenceSystem(crs), QgsProject.instance())
    box = transform.transformBoundingBox(layer.extent())
    half, middle = max(box.width(), box.height()) / 2 * margin, box.center()
    return QgsRectangle(middle.x() - half, middle.y() - half, middle.x() + half, middle.y() + half)


# WMTS. QGIS 3.22 has no temporal controller for it: the Add Layer dialog asks for one date.
capabilities = {"KVP": f"{url}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&VERSION=1.0.0", "REST": f"{url}/wmts/1.0.0/WMTSCapabilities.xml"}
ns = {"w": "http://www.opengis.net/wmts/1.0", "o": "http://www.opengis.net/ows/1.1"}
tree = ElementTree.fromstring(urllib.request.urlopen(capabilities["KVP"], timeout=60).read())
grid_set = next(s.find("o:Identifier", ns).text for s in tree.iterfind("w:Contents/w:TileMatrixSet", ns)
                if s.find("o:SupportedCRS", ns).text.endswith(f"EPSG::{crs_name.split(':')[1]}"))
for encoding, source in capabilities.items():
    pictures = {}
    for year in (years[0], years[-1]):
        date = "&tileDimensions=" + urllib.parse.quote(f"Time={year}-01-01", safe="")
        name = f"wmts-{encoding.lower()}-{year}"
        layer = layer_of(name, date, url=source, crs=crs_name, tileMatrixSet=grid_set)
        for place in ("middle", "corner"):
            picture = draw(layer, crs_name, store[f"{place}_box"], f"{name}-{place}")
            compare(f"{name}, {place}", picture, place, year)
            pictures[year] = picture
        layer = layer_of(f"{name}-mercator", date, url=source, crs="EPSG:3857", tileMatrixSet="WebMercatorQuad")
        share = (draw(layer, "EPSG:3857", around(layer, "EPSG:3857"), f"{name}-mercator", side=512)[..., 3] > 0).mean()
        c.check(f"{name}-mercator: the whole layer draws", share > 0.3, f"{share:.0%} of the picture")
    c.check(f"WMTS {encoding}: two dates are two pictures", not np.array_equal(*pictures.values()))

# WMS-T. A layer added as the dialog adds it, stepped by the temporal controller.
wms = f"{url}/wms?SERVICE=WMS&VERSION=1.3.0"
ns = {"w": "http://www.opengis.net/wms"}
tree = ElementTree.fromstring(urllib.request.urlopen(f"{wms}&REQUEST=GetCapabilities", timeout=60).read())
node = next(n for n in tree.iter("{http://www.opengis.net/wms}Layer") if n.findtext("w:Name", namespaces=ns) == LAYER)
times = node.findtext("w:Dimension[@name='time']", namespaces=ns).strip()
c.check("WMS-T: the store's years are all advertised", all(f"{year}-01-01" in times.split(",") for year in years), times)
layer = layer_of("wms-t", url=wms, crs=crs_name, type="wmst", timeDimensionExtent=times, temporalSource="provider", allowTemporalUpdates="true")
capable = layer.dataProvider().temporalCapabilities()
c.check("WMS-T: QGIS sees a time dimension", bool(capable and capable.hasTemporalCapabilities()))
layer.temporalProperties().setIsActive(True)


def instant(text):
    moment = QDateTime.fromString(text, Qt.ISODate)
    moment.setTimeSpec(Qt.UTC)
    return moment


controller = QgsTemporalNavigationObject()
controller.setTemporalExtents(QgsDateTimeRange(instant(f"{years[0]}-01-01T00:00:00"), instant(f"{years[-1]}-12-31T23:59:59")))
controller.setFrameDuration(QgsInterval(1, QgsUnitTypes.TemporalYears))
frames = {str(r.begin().date().year()): r for r in map(controller.dateTimeRangeForFrameNumber, range(controller.totalFrameCount()))}
c.check("WMS-T: the temporal controller has a frame for each year", all(year in frames for year in years), f"{len(frames)} frames")
shown = {"middle": [], "corner": []}
for year in evenly(years, 5):
    for place, pictures in shown.items():
        picture = draw(layer, crs_name, store[f"{place}_box"], f"wms-t-{year}-{place}", frames[year])
        compare(f"WMS-T frame {year}, {place}", picture, place, year)
        pictures.append(picture)
    draw(layer, crs_name, around(layer, crs_name), f"wms-t-{year}", frames[year], side=648)
different = {p.tobytes() for p in shown["middle"]}
c.check("WMS-T: five years are five pictures", len(different) == len(shown["middle"]) == 5, len(different))
plain = layer_of("wms-default", url=wms, crs=crs_name)
compare("WMS without a date: the last year", draw(plain, crs_name, store["middle_box"], "wms-default"), "middle", years[-1])

for message in messages[:5]:
    print("  QGIS log:", message[:200].replace("\n", " "))
print("  pictures in", out)
c.done()
