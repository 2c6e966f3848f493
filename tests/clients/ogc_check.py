#!/usr/bin/env python3
"""OWSLib reads the WMTS and WMS capabilities and asks for maps; every document is valid against the official schemas.

usage: ogc_check.py URL      pip: owslib lxml pillow; for the schemas: pip install --no-deps MapProxy pycsw

The schemas come out of MapProxy's and pycsw's packages, or from folders laid out as schemas.opengis.net is
(TESELA_XSD_DIRS, separated by colons); nothing is fetched.
"""
import copy
import importlib.util
import io
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

from checks import Checks

c = Checks()
url = sys.argv[1].rstrip("/")
LAYER = "geomedian_annual"
OGC = "http://schemas.opengis.net/"
SCHEMAS = {"WMTS": ["wmts/1.0/wmts.xsd"], "OWS": ["ows/1.1.0/owsExceptionReport.xsd"],
           "WMS": ["wms/1.3.0/capabilities_1_3_0.xsd", "sld/1.1.0/sld_capabilities.xsd"], "WMS exception": ["wms/1.3.0/exceptions_1_3_0.xsd"]}


def get(path):
    try:
        with urllib.request.urlopen(url + path, timeout=60) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers.get_content_type(), e.read()


def owslib():
    try:
        import owslib
        from owslib.wms import WebMapService
        from owslib.wmts import WebMapTileService
        from PIL import Image
    except ImportError as e:
        return c.skip("OWSLib", e, required=False)
    print("OWSLib", owslib.__version__)

    def drawn(data):
        return Image.open(io.BytesIO(data)).convert("RGBA").getextrema()[3][1] == 255

    for label, source in (("KVP", f"{url}/wmts"), ("REST", f"{url}/wmts/1.0.0/WMTSCapabilities.xml")):
        wmts = WebMapTileService(source)
        layer = wmts.contents.get(LAYER)
        if not c.check(f"WMTS {label}: the layer is listed", layer is not None, list(wmts.contents)):
            continue
        sets = {"WebMercatorQuad", "WorldCRS84Quad", "mx6372_30"}
        c.check(f"WMTS {label}: its tile matrix sets are defined", sets <= set(layer.tilematrixsetlinks) <= set(wmts.tilematrixsets), list(layer.tilematrixsetlinks))
        c.check(f"WMTS {label}: identifiers are plain numbers", all(m.isdigit() for s in wmts.tilematrixsets.values() for m in s.tilematrix))
        c.check(f"WMTS {label}: one default style", sum(s["isDefault"] for s in layer.styles.values()) == 1, list(layer.styles))
        if not hasattr(layer, "dimensions"):
            return c.skip("OWSLib", f"{owslib.__version__} is too old to read dimensions", required=False)
        times = layer.dimensions["Time"]["values"]
        c.check(f"WMTS {label}: its dates", len(times) >= 2 and times == sorted(times), f"{times[0]} … {times[-1]}, {len(times)}")
        west, south, east, north = layer.boundingBoxWGS84
        zoom = "12"
        matrix = wmts.tilematrixsets["WorldCRS84Quad"].tilematrix[zoom]
        span = 180 / 2 ** int(zoom)
        place = {"tilematrixset": "WorldCRS84Quad", "tilematrix": zoom, "row": int((90 - (south + north) / 2) / span), "column": int(((west + east) / 2 + 180) / span)}
        c.check(f"WMTS {label}: the level has the standard's size", (matrix.matrixwidth, matrix.matrixheight) == (2 * 2 ** int(zoom), 2 ** int(zoom)))
        if label == "KVP":
            tiles = [wmts.gettile(layer=LAYER, style="default", format="image/png", Time=t, **place).read() for t in (times[0], times[-1])]
            kvp = tiles[-1]
        else:
            links = [wmts.buildTileResource(layer=LAYER, style="default", Time=t, **place) for t in (times[0], times[-1])]
            tiles = [urllib.request.urlopen(link, timeout=60).read() for link in links]
            c.check("WMTS: KVP and REST give the same bytes", tiles[-1] == kvp)
        c.check(f"WMTS {label}: tiles are drawn, and two dates are two pictures", all(map(drawn, tiles)) and tiles[0] != tiles[1])
    for version in ("1.3.0", "1.1.1"):
        wms = WebMapService(f"{url}/wms", version=version)
        if not c.check(f"WMS {version}: the layer is listed", LAYER in wms.contents, list(wms.contents)):
            continue
        layer = wms[LAYER]
        c.check(f"WMS {version}: the grid's and the web's CRS are offered", {"EPSG:4326", "EPSG:3857", "EPSG:6372"} <= set(layer.crsOptions), layer.crsOptions)
        times = [t.strip() for t in layer.timepositions or []]
        c.check(f"WMS {version}: its dates", len(times) >= 2 and times == sorted(times), times[:3])
        c.check(f"WMS {version}: every style has a legend", all("legend" in s for s in layer.styles.values()), list(layer.styles))
        place = {"srs": "EPSG:4326", "bbox": layer.boundingBoxWGS84, "size": (128, 128)}
        maps = [wms.getmap(layers=[LAYER], styles=[""], format="image/png", transparent=True, time=t, **place).read() for t in (times[0], times[-1])]
        c.check(f"WMS {version}: maps are drawn, and two dates are two pictures", all(map(drawn, maps)) and maps[0] != maps[1])
        told = wms.getfeatureinfo(layers=[LAYER], query_layers=[LAYER], info_format="application/json", xy=(64, 64), **place).read()
        c.check(f"WMS {version}: GetFeatureInfo tells values", b"red" in told, told[:120])


def schemas():
    try:
        from lxml import etree
    except ImportError as e:
        return c.skip("schemas", e, required=False)
    roots = [d for d in os.environ.get("TESELA_XSD_DIRS", "").split(":") if d]
    for module, inside in (("mapproxy", "test/schemas"), ("pycsw", "core/schemas/ogc")):
        spec = importlib.util.find_spec(module)
        if spec and spec.submodule_search_locations:
            roots.append(os.path.join(spec.submodule_search_locations[0], inside))
    w3c = [os.path.join(root, "..", "w3c") for root in roots] + roots

    def local(path, folders):
        return next((f for f in (os.path.join(d, path) for d in folders) if os.path.isfile(f)), None)

    def xlink():
        """The schemas use both the W3C's names for groups of attributes and the OGC's old ones; a validator reads one file only."""
        new, old = local("1999/xlink.xsd", w3c) or local("xlink.xsd", roots), local("xlink/1.0.0/xlinks.xsd", roots)
        if not (new and old):
            return open(new or old, "rb").read()
        tree, group = etree.parse(new).getroot(), "{http://www.w3.org/2001/XMLSchema}attributeGroup"
        have = {node.get("name") for node in tree.iter(group)}
        for node in etree.parse(old).getroot().iterchildren(group):
            if node.get("name") not in have:
                tree.append(copy.deepcopy(node))
                for typed in tree[-1].iterfind(".//*[@type]"):  # Its types had no prefix.
                    typed.set("type", f"xs:{typed.get('type')}")
        return etree.tostring(tree)

    missing = set()

    class Local(etree.Resolver):
        def resolve(self, system_url, _public, context):
            if not system_url or not system_url.startswith("http"):
                return None
            path = urllib.parse.urlparse(system_url).path.lstrip("/")
            if path.endswith(("xlink.xsd", "xlinks.xsd")):
                return self.resolve_string(xlink(), context, base_url=system_url)
            found = local(path, roots)
            if path.endswith("xml.xsd"):
                found = found or local("2001/xml.xsd", w3c) or local("xml.xsd", roots)
            if found:
                return self.resolve_string(open(found, "rb").read(), context, base_url=system_url)
            # Only the animation of GML's styles refers to SMIL, and no package has it.
            names = ("animate", "animateMotion", "animateColor", "set") if path.endswith("smil20.xsd") else ()
            if not names:
                missing.add(system_url)
            stub = "".join(f"<xs:element name='{n}'/>" for n in names)
            space = " targetNamespace='http://www.w3.org/2001/SMIL20/'" if names else ""
            return self.resolve_string(f"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'{space}>{stub}</xs:schema>", context, base_url=system_url)

    def schema(paths):
        parser = etree.XMLParser(no_network=True)
        parser.resolvers.add(Local())
        spaces = [etree.parse(local(path, roots)).getroot().get("targetNamespace") for path in paths]
        imports = "".join(f"<xs:import namespace='{s}' schemaLocation='{OGC}{p}'/>" for s, p in zip(spaces, paths))
        text = f"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{imports}</xs:schema>"
        return etree.XMLSchema(etree.fromstring(text, parser, base_url=OGC + "all.xsd"))

    if not all(local(path, roots) for paths in SCHEMAS.values() for path in paths):
        return c.skip("schemas", "MapProxy's and pycsw's packages are not installed", required=False)
    known = {name: schema(paths) for name, paths in SCHEMAS.items()}

    def valid(label, path, name, status):
        code, kind, body = get(path)
        ok = known[name].validate(etree.fromstring(body))
        c.check(f"{label}: valid against the schema", ok, "" if ok else [f"line {e.line}: {e.message[:160]}" for e in known[name].error_log][:3])
        c.check(f"{label}: {status} and XML", code == status and kind in ("text/xml", "application/xml"), (code, kind))
        return body

    tile = "/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={}&STYLE={}&FORMAT=image/png&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX={}&TILEROW={}&TILECOL=0"
    for lang in ("es", "en"):
        valid(f"WMTS capabilities, KVP, {lang}", f"/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&lang={lang}", "WMTS", 200)
        valid(f"WMTS capabilities, REST, {lang}", f"/wmts/1.0.0/WMTSCapabilities.xml?lang={lang}", "WMTS", 200)
        valid(f"WMS 1.3.0 capabilities, {lang}", f"/wms?SERVICE=WMS&REQUEST=GetCapabilities&VERSION=1.3.0&lang={lang}", "WMS", 200)
    for section in ("ServiceIdentification", "OperationsMetadata", "Contents", "All"):
        valid(f"WMTS capabilities, {section}", f"/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&Sections={section}", "WMTS", 200)
    for label, path in (("no such layer", tile.format("no-such", "default", 0, 0)), ("no such style", tile.format(LAYER, "no-such", 0, 0)),
                        ("no such level", tile.format(LAYER, "default", 99, 0)), ("a row outside", tile.format(LAYER, "default", 1, 99)),
                        ("no request", "/wmts?SERVICE=WMTS"), ("markup in a value", tile.format("%3Cb%3E%26%22", "default", 0, 0))):
        body = valid(f"WMTS exception, {label}", path, "OWS", 400)
        c.check(f"WMTS exception, {label}: code and locator", b"exceptionCode=" in body and b"locator=" in body)
    map_ = "/wms?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS={}&STYLES={}&CRS={}&BBOX=15,-94,16,-93&WIDTH=8&HEIGHT=8&FORMAT=image/png"
    for code, path in (("LayerNotDefined", map_.format("no-such", "", "EPSG:4326")), ("StyleNotDefined", map_.format(LAYER, "no-such", "EPSG:4326")),
                       ("InvalidCRS", map_.format(LAYER, "", "EPSG:0")), ("InvalidDimensionValue", map_.format(LAYER, "", "EPSG:4326") + "&TIME=2099-01-01"),
                       ("OperationNotSupported", "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetNothing")):
        body = valid(f"WMS exception {code}", path, "WMS exception", 200)
        c.check(f"WMS exception {code}: says so", f'code="{code}"'.encode() in body, body[-200:])
    if missing:
        print("  schemas not found, taken as empty:", sorted(missing)[:5])


owslib()
schemas()
c.done()
