//! Requests that ask for what is not there: clear answers in each protocol's own form, and a server that goes on.

use crate::harness::{Server, demo};

/// Path, status, and what the answer says.
type Refusal = (String, u16, &'static [&'static str]);

#[test]
fn bad_requests_are_answered_and_the_server_goes_on() {
    let cube = demo("2020");
    let server = Server::start(&cube);
    for (path, status, says) in refusals() {
        let answer = server.get(&path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        for part in says {
            assert!(answer.text().contains(part), "{path}: no {part:?} in {}", answer.text());
        }
    }
    // Where there is nothing to see, nothing is seen, and it is no error.
    assert_eq!(server.get("tiles/landsat_c2_sr/WebMercatorQuad/13/0/0.png").status, 204);
    let far = server.get(&wms(
        "geomedian_annual",
        "",
        "EPSG:4326",
        "55.6,-3.4,55.8,-3.2",
        "64",
        "&transparent=true",
    ));
    let (width, height, pixels) = far.rgba();
    assert_eq!((width, height), (64, 64));
    assert!(pixels.iter().all(|p| p[3] == 0));

    assert_eq!(server.get("healthz").status, 200);
    assert_eq!(server.get("tiles/geomedian_annual/WebMercatorQuad/13/1973/3736.png").status, 200);
    drop(server);
    cube.is_sound();
}

fn wms(layer: &str, style: &str, crs: &str, bbox: &str, width: &str, more: &str) -> String {
    format!(
        "wms?service=WMS&version=1.3.0&request=GetMap&layers={layer}&styles={style}&crs={crs}&bbox={bbox}\
         &width={width}&height=64&format=image/png{more}"
    )
}

fn wmts(layer: &str, style: &str, time: &str, set: &str, tile: &str) -> String {
    format!("wmts/1.0.0/{layer}/{style}/{time}/{set}/{tile}.png")
}

fn refusals() -> Vec<Refusal> {
    let tile = |layer: &str, rest: &str| format!("tiles/{layer}/{rest}");
    let here = "15.55,-93.3,15.65,-93.2";
    let place = "lon=-93.26&lat=15.6";
    vec![
        // XYZ
        (
            tile("nothing", "WebMercatorQuad/13/1973/3736.png"),
            404,
            &["unknown product nothing", "geomedian_annual"],
        ),
        (tile("geomedian_annual", "Nothing/13/1973/3736.png"), 404, &["Nothing", "WebMercatorQuad"]),
        (
            tile("geomedian_annual", "WebMercatorQuad/13/1973/3736.png?style=nothing"),
            404,
            &["no style nothing", "true_color"],
        ),
        (
            tile("geomedian_annual", "WebMercatorQuad/13/1973/3736.png?datetime=1980"),
            404,
            &["nothing at 1980"],
        ),
        (tile("geomedian_annual", "WebMercatorQuad/13/1973/3736.png?datetime=soon"), 400, &["soon"]),
        (tile("geomedian_annual", "WebMercatorQuad/33/1973/3736.png"), 404, &["\\\"33\\\"", "0 to 24"]),
        (
            tile("geomedian_annual", "WebMercatorQuad/3/1973/3736.png"),
            404,
            &["column 1973 is outside 0 to 7"],
        ),
        (tile("geomedian_annual", "WebMercatorQuad/13/1973/3736.bmp"), 404, &["3736.bmp"]),
        // WMTS
        (
            wmts("nothing", "default", "2020", "WebMercatorQuad", "13/3736/1973"),
            404,
            &["ExceptionReport", "Layer", "unknown product nothing"],
        ),
        (
            wmts("geomedian_annual", "nothing", "2020", "WebMercatorQuad", "13/3736/1973"),
            404,
            &["Style", "no style nothing"],
        ),
        (
            wmts("geomedian_annual", "default", "1980", "WebMercatorQuad", "13/3736/1973"),
            400,
            &["Time", "nothing at 1980"],
        ),
        (
            wmts("geomedian_annual", "default", "2020", "WebMercatorQuad", "44/3736/1973"),
            404,
            &["TileMatrix", "0 to 24"],
        ),
        (wmts("geomedian_annual", "default", "2020", "Nothing", "13/3736/1973"), 404, &["Nothing"]),
        (
            "wmts?service=WMTS&request=GetNothing&version=1.0.0".into(),
            400,
            &["ExceptionReport", "GetNothing"],
        ),
        // WMS answers its exceptions with 200.
        (
            wms("nothing", "", "EPSG:4326", here, "64", ""),
            200,
            &["LayerNotDefined", "unknown product nothing"],
        ),
        (
            wms("geomedian_annual", "nothing", "EPSG:4326", here, "64", ""),
            200,
            &["StyleNotDefined", "no style nothing"],
        ),
        (
            wms("geomedian_annual", "", "EPSG:4326", here, "64", "&time=1980-01-01"),
            200,
            &["InvalidDimensionValue", "1980-01-01"],
        ),
        (wms("geomedian_annual", "", "EPSG:999999", here, "64", ""), 200, &["InvalidCRS", "EPSG:999999"]),
        (
            wms("geomedian_annual", "", "EPSG:4326", "15.65,-93.3,15.55,-93.2", "64", ""),
            200,
            &["BBOX", "minx must be below"],
        ),
        (wms("geomedian_annual", "", "EPSG:4326", "a,b,c,d", "64", ""), 200, &["BBOX"]),
        (wms("geomedian_annual", "", "EPSG:4326", here, "99999", ""), 200, &["WIDTH", "4096"]),
        // Series and zones
        ("v1/series?product=landsat_c2_sr&lon=200&lat=0".into(), 400, &["lon must be", "-180 to 180"]),
        (format!("v1/series?product=nothing&{place}"), 404, &["unknown product nothing"]),
        (format!("v1/series?product=landsat_c2_sr&{place}&bands=nothing"), 400, &["nothing", "swir2"]),
        (
            format!("v1/series?product=landsat_c2_sr&{place}&expression=nir%2F(red"),
            400,
            &["invalid_expression", "column 9"],
        ),
        (format!("v1/series?product=landsat_c2_sr&{place}&mask=nothing"), 400, &["nothing", "standard"]),
        (format!("v1/series?product=landsat_c2_sr&{place}&snapshot=999"), 404, &["999"]),
        (
            format!("v1/series?product=landsat_c2_sr&{place}&nothing=1"),
            400,
            &["unknown parameter", "nothing"],
        ),
        (
            "v1/zones/nothing/stats?product=ndvi_annual&band=ndvi".into(),
            404,
            &["unknown zone set nothing", "manzanas@demo"],
        ),
        ("v1/zones/manzanas@demo/stats?product=ndvi_annual&band=nothing".into(), 400, &["nothing", "ndvi"]),
        ("v1/zones/manzanas@demo/stats?product=landsat_c2_sr&band=red".into(), 400, &["holds scenes"]),
        (
            "v1/zones/manzanas@demo/items/nothing/series?product=ndvi_annual&band=ndvi".into(),
            404,
            &["nothing"],
        ),
        ("nothing/at/all".into(), 404, &["no_such_path"]),
    ]
}
