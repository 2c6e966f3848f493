//! Maps and tiles of every protocol, of a cube whose picture is known.

use tesela_crs::transform_bounds;
use tesela_grid::{BoundingBox, CrsName, TileMatrixSet, builtin_grid};

use crate::harness::{Reply, Server};
use crate::quadrants::{LAYER, bounds, server};

/// RGBA pixels of a PNG.
struct Picture {
    width: usize,
    pixels: Vec<[u8; 4]>,
}

impl Picture {
    fn of(reply: &Reply) -> Self {
        assert_eq!(reply.header("content-type"), "image/png", "{}", reply.text());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&reply.body));
        decoder
            .set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgba);
        let pixels = bytes.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]).collect();
        Self { width: info.width as usize, pixels }
    }

    /// The pixel at shares of width and height from the upper left.
    fn at(&self, across: f64, down: f64) -> [u8; 4] {
        let height = self.pixels.len() / self.width;
        let (col, row) = ((self.width as f64 * across) as usize, (height as f64 * down) as usize);
        self.pixels[row * self.width + col]
    }

    /// Red, green, blue and yellow at a quarter and three quarters: that nothing is swapped or turned.
    fn assert_quadrants(&self, value: u8, label: &str) {
        let near = |a: [u8; 4], b: [u8; 4]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 2);
        for (across, down, color) in [
            (0.3, 0.3, [value, 0, 0, 255]),
            (0.7, 0.3, [0, value, 0, 255]),
            (0.3, 0.7, [0, 0, value, 255]),
            (0.7, 0.7, [value, value, 0, 255]),
        ] {
            let found = self.at(across, down);
            assert!(near(found, color), "{label} at {across}, {down}: {found:?}, not {color:?}");
        }
    }

    fn is_transparent(&self) -> bool {
        self.pixels.iter().all(|p| p[3] == 0)
    }
}

fn bbox_text(b: &BoundingBox, northing_first: bool) -> String {
    if northing_first {
        format!("{},{},{},{}", b.y_min, b.x_min, b.y_max, b.x_max)
    } else {
        format!("{},{},{},{}", b.x_min, b.y_min, b.x_max, b.y_max)
    }
}

fn in_crs(crs: &CrsName) -> BoundingBox {
    transform_bounds(&CrsName::epsg(32614), crs, &bounds()).unwrap()
}

fn get_map(extra: &str) -> String {
    let b = bbox_text(&bounds(), false);
    format!(
        "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={LAYER}&STYLES=&CRS=EPSG:32614&BBOX={b}&WIDTH=128&HEIGHT=128&FORMAT=image/png{extra}"
    )
}

async fn map(server: &Server, extra: &str) -> Picture {
    Picture::of(&server.get(&get_map(extra)).await)
}

/// The path of the web tile at a level that holds the middle of the data, and its own middle's side.
fn web_tile(z: u32) -> (u64, u64) {
    let set = TileMatrixSet::web_mercator_quad();
    let b = in_crs(&CrsName::epsg(3857));
    let matrix = &set.matrices[z as usize];
    let span = matrix.cell_size * 256.0;
    let (x, y) = ((b.x_min + b.x_max) / 2.0, (b.y_min + b.y_max) / 2.0);
    (((x - matrix.top_left.0) / span) as u64, ((matrix.top_left.1 - y) / span) as u64)
}

#[tokio::test]
async fn wms_draws_every_crs_the_right_way_round() {
    let server = server();
    for (crs, name, northing_first) in [
        (CrsName::epsg(32614), "EPSG:32614", false),
        (CrsName::epsg(3857), "EPSG:3857", false),
        (CrsName::lon_lat(), "CRS:84", false),
        (CrsName::epsg(4326), "EPSG:4326", true),
        (CrsName::epsg(6372), "EPSG:6372", true),
    ] {
        let bbox = bbox_text(&in_crs(&crs), northing_first);
        let path = format!(
            "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={LAYER}&STYLES=&CRS={name}&BBOX={bbox}&WIDTH=200&HEIGHT=100&FORMAT=image/png&TRANSPARENT=TRUE"
        );
        let picture = Picture::of(&server.get(&path).await);
        assert_eq!((picture.width, picture.pixels.len()), (200, 20_000));
        picture.assert_quadrants(255, name);
        assert_eq!(picture.at(0.01, 0.01)[3], 0, "{name}: the border is transparent");
    }
    let bbox = bbox_text(&in_crs(&CrsName::epsg(4326)), false);
    let old = format!(
        "/wms?version=1.1.1&request=GetMap&layers={LAYER}&styles=&srs=EPSG:4326&bbox={bbox}&width=64&height=64&format=image/png"
    );
    Picture::of(&server.get(&old).await).assert_quadrants(255, "1.1.1");
}

#[tokio::test]
async fn wms_obeys_time_background_and_style() {
    let server = server();
    for (time, value) in [
        ("2023", 128),
        ("2023-01-01", 128),
        ("2023-01-01T00:00:00Z/2023-12-31T23:59:59Z", 128),
        ("2024-06", 255),
        ("current", 255),
        ("default", 255),
    ] {
        map(&server, &format!("&TIME={time}")).await.assert_quadrants(value, time);
    }
    let unsaid = server.get(&get_map("")).await;
    assert_eq!(unsaid.header("warning"), "99 Default value used: time=2024-01-01T00:00:00Z ISO8601");
    assert_eq!(unsaid.header("tesela-datetime"), "2024-01-01T00:00:00Z");
    assert_eq!(unsaid.header("tesela-snapshot"), "3");
    assert_eq!(server.get(&get_map("&TIME=2023")).await.header("warning"), "");
    assert_eq!(map(&server, "").await.at(0.01, 0.01), [255; 4]);
    assert_eq!(map(&server, "&BGCOLOR=0x0000FF").await.at(0.01, 0.01), [0, 0, 255, 255]);
    let redness = Picture::of(&server.get(&get_map("").replace("STYLES=", "STYLES=redness")).await);
    let [r, g, b, _] = redness.at(0.3, 0.3);
    assert!(r > 250 && g > 250 && b > 250, "{r} {g} {b}");
    assert!(redness.at(0.7, 0.3)[0] < 5);
}

#[tokio::test]
async fn wms_layers_are_stacked() {
    let server = server();
    let path =
        get_map("&TRANSPARENT=TRUE").replace(&format!("LAYERS={LAYER}"), &format!("LAYERS={LAYER},{LAYER}"));
    let picture = Picture::of(&server.get(&path.replace("STYLES=", "STYLES=redness,rgb")).await);
    picture.assert_quadrants(255, "two layers");
}

#[tokio::test]
async fn wms_refuses_in_its_own_words() {
    let server = server();
    let base = get_map("");
    for (from, to, code) in [
        ("LAYERS=quadrants", "LAYERS=bogus", "LayerNotDefined"),
        ("STYLES=", "STYLES=bogus", "StyleNotDefined"),
        ("CRS=EPSG:32614", "CRS=EPSG:99999", "InvalidCRS"),
        ("FORMAT=image/png", "FORMAT=bogus/bogus", "InvalidFormat"),
        ("&WIDTH", "&TIME=1999&WIDTH", "InvalidDimensionValue"),
        ("&WIDTH", "&TIME=not-a-date&WIDTH", "InvalidDimensionValue"),
        ("REQUEST=GetMap", "REQUEST=GetBogus", "OperationNotSupported"),
        ("WIDTH=128", "WIDTH=0", "InvalidParameterValue"),
    ] {
        let path = base.replacen(from, to, 1);
        let reply = server.get(&path).await;
        assert!(reply.header("content-type").starts_with("text/xml"), "{path}");
        assert!(reply.text().contains(&format!("code=\"{code}\"")), "{path}: {}", reply.text());
    }
    let big = server.get(&base.replacen("WIDTH=128", "WIDTH=100000", 1)).await;
    assert!(big.text().contains("at most 4096"), "{}", big.text());
    let blank = base.replacen(LAYER, "bogus", 1) + "&EXCEPTIONS=BLANK&BGCOLOR=0xFF0000";
    let blank = Picture::of(&server.get(&blank).await);
    assert!(blank.width == 128 && blank.pixels.iter().all(|p| *p == [255, 0, 0, 255]));
    let written = base.replacen(LAYER, "bogus", 1) + "&EXCEPTIONS=INIMAGE";
    assert!(Picture::of(&server.get(&written).await).pixels.iter().any(|p| *p != [255; 4]));
}

#[tokio::test]
async fn wmts_and_xyz_draw_the_same_tile() {
    let server = server();
    let (x, y) = web_tile(12);
    let kvp = format!(
        "/wmts?service=WMTS&request=GetTile&version=1.0.0&layer={LAYER}&style=default&format=image/png&tilematrixset=WebMercatorQuad&tilematrix=12&tilerow={y}&tilecol={x}&time=2023-01-01"
    );
    let rest = format!("/wmts/1.0.0/{LAYER}/default/2023-01-01/WebMercatorQuad/12/{y}/{x}.png");
    let xyz = format!("/tiles/{LAYER}/WebMercatorQuad/12/{x}/{y}.png?datetime=2023");
    let replies = [server.get(&kvp).await, server.get(&rest).await, server.get(&xyz).await];
    for reply in &replies {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.body, replies[0].body);
        assert_eq!(reply.header("etag"), replies[0].header("etag"));
        assert_eq!(reply.header("tesela-datetime"), "2023-01-01T00:00:00Z");
    }
    assert!(!Picture::of(&replies[0]).is_transparent());
}

#[tokio::test]
async fn a_grids_own_tiles_are_its_pixels() {
    let server = server();
    // The grid's extent is four tiles of 256 px a side, so that its deepest level is its tiles.
    let path = format!("/wmts/1.0.0/{LAYER}/default/2024-01-01/test_30/2/2/1.png");
    let picture = Picture::of(&server.get(&path).await);
    picture.assert_quadrants(255, "test_30");
    assert_eq!(picture.pixels[15 * 256 + 128][3], 0);
    assert_eq!(picture.pixels[16 * 256 + 16], [255, 0, 0, 255]);
}

#[tokio::test]
async fn nothing_is_a_transparent_tile_or_204() {
    let server = server();
    let wmts = server.get(&format!("/wmts/1.0.0/{LAYER}/default/default/WebMercatorQuad/5/0/0.png")).await;
    assert_eq!(wmts.status, 200);
    assert!(Picture::of(&wmts).is_transparent());
    let xyz = server.get(&format!("/tiles/{LAYER}/WebMercatorQuad/5/0/0.png")).await;
    assert_eq!((xyz.status.as_u16(), xyz.body.len()), (204, 0));
}

#[tokio::test]
async fn wmts_refuses_in_its_own_words() {
    let server = server();
    let tile = |layer: &str, style: &str, time: &str, set: &str, z: &str, row: &str| {
        format!("/wmts/1.0.0/{layer}/{style}/{time}/{set}/{z}/{row}/0.png")
    };
    for (path, status, code, locator) in [
        (
            tile("bogus", "default", "2024", "WebMercatorQuad", "0", "0"),
            404,
            "InvalidParameterValue",
            "Layer",
        ),
        (tile(LAYER, "bogus", "2024", "WebMercatorQuad", "0", "0"), 404, "InvalidParameterValue", "Style"),
        (tile(LAYER, "rgb", "1999", "WebMercatorQuad", "0", "0"), 400, "InvalidParameterValue", "Time"),
        (tile(LAYER, "rgb", "x", "WebMercatorQuad", "0", "0"), 400, "InvalidParameterValue", "Time"),
        (tile(LAYER, "rgb", "2024", "bogus", "0", "0"), 404, "InvalidParameterValue", "TileMatrixSet"),
        (
            tile(LAYER, "rgb", "2024", "WebMercatorQuad", "99", "0"),
            404,
            "InvalidParameterValue",
            "TileMatrix",
        ),
        (tile(LAYER, "rgb", "2024", "WebMercatorQuad", "1", "2"), 400, "TileOutOfRange", "TileRow"),
        ("/wmts?service=WMTS&request=GetTile".into(), 400, "MissingParameterValue", "Layer"),
        ("/wmts?request=GetCapabilities".into(), 400, "MissingParameterValue", "Service"),
    ] {
        let reply = server.get(&path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        let exception = format!("exceptionCode=\"{code}\" locator=\"{locator}\"");
        assert!(reply.text().contains(&exception), "{path}: {}", reply.text());
        assert_eq!(reply.header("content-type"), "application/xml");
    }
}

#[tokio::test]
async fn xyz_refuses_with_problems() {
    let server = server();
    for (path, status, code) in [
        ("bogus/WebMercatorQuad/0/0/0.png", 404, "unknown_product"),
        ("quadrants/bogus/0/0/0.png", 404, "unknown_tile_matrix_set"),
        ("quadrants/WebMercatorQuad/1/2/0.png", 404, "tile_out_of_range"),
        ("quadrants/WebMercatorQuad/0/a/0.png", 404, "unknown_tile"),
        ("quadrants/WebMercatorQuad/0/0/0.bmp", 404, "unknown_format"),
        ("quadrants/WebMercatorQuad/0/0/0.png?style=bogus", 404, "unknown_style"),
        ("quadrants/WebMercatorQuad/0/0/0.png?datetime=1999", 404, "no_data_at_time"),
        ("quadrants/WebMercatorQuad/0/0/0.png?datetime=never", 400, "invalid_datetime"),
        ("quadrants/WebMercatorQuad/0/0/0.png?date=2023", 400, "unknown_parameter"),
        ("quadrants/WebMercatorQuad/0/0/0.png?snapshot=99", 404, "unknown_snapshot"),
        ("quadrants/WebMercatorQuad/0/0/0.png?mask=bogus", 400, "unknown_mask"),
        ("quadrants/WebMercatorQuad/0/0/0.png?expression=red", 400, "invalid_parameter"),
        ("quadrants/WebMercatorQuad/8/57/114.png?style=redness&expression=pink", 400, "invalid_expression"),
    ] {
        server.get(&format!("/tiles/{path}")).await.problem(status, code);
    }
}

#[tokio::test]
async fn copies_that_are_current_are_not_sent_again() {
    let server = server();
    let (x, y) = web_tile(12);
    let path = format!("/tiles/{LAYER}/WebMercatorQuad/12/{x}/{y}.png");
    let first = server.get(&path).await;
    assert_eq!(first.header("cache-control"), "public, max-age=60");
    let again = server.get_with(&path, &[("if-none-match", first.header("etag"))]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("tesela-datetime"), "2024-01-01T00:00:00Z");
    // The same pixels at a numbered snapshot, kept for ever.
    let pinned = server.get(&format!("{path}?snapshot=3")).await;
    assert_eq!(pinned.header("etag"), first.header("etag"));
    assert!(pinned.header("cache-control").contains("immutable"));
    // Before the second year was there.
    let before = server.get(&format!("{path}?snapshot=2")).await;
    assert_eq!(before.header("tesela-datetime"), "2023-01-01T00:00:00Z");
    assert_ne!(before.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn feature_info_names_every_value() {
    let server = server();
    let wms = get_map("&QUERY_LAYERS=quadrants&I=40&J=40&INFO_FORMAT=application/json&STYLES=redness")
        .replacen("STYLES=&", "", 1)
        .replacen("GetMap", "GetFeatureInfo", 1);
    let doc = server.json(&wms).await;
    let feature = &doc["features"][0]["properties"];
    assert_eq!((&feature["red"], &feature["green"]), (&0.6.into(), &0.0001.into()));
    assert_eq!((&feature["col"], &feature["row"]), (&81.into(), &80.into()));
    assert_eq!((&feature["datetime"], &feature["snapshot"]), (&"2024-01-01T00:00:00Z".into(), &3.into()));
    assert!(feature["style_value"].as_f64().unwrap() > 0.99);
    let rest = format!("/wmts/1.0.0/{LAYER}/default/2023/test_30/2/2/1/81/81.json");
    assert_eq!(server.json(&rest).await["features"][0]["properties"]["red"], 0.3);
    let text = server.get(&rest.replace(".json", ".txt")).await;
    assert!(text.text().contains("red = 0.3\n"), "{}", text.text());
    let outside = server.json(&rest.replace("/2/2/1/81/81", "/2/0/0/0/0")).await;
    assert!(outside["features"][0]["properties"]["red"].is_null());
    let html = server.get(&rest.replace(".json", ".html")).await.text();
    assert!(html.contains("Cuadrantes &#60;de prueba&#62;"), "{html}");
}

#[tokio::test]
async fn documents_advertise_the_layer() {
    let server = server();
    let wmts = server.get("/wmts/1.0.0/WMTSCapabilities.xml").await;
    assert_eq!(wmts.header("content-type"), "application/xml");
    let text = wmts.text();
    assert!(text.contains("<Value>2023-01-01</Value>\n        <Value>2024-01-01</Value>"), "{text}");
    assert!(text.contains("http://cubo.example/wmts?") && text.contains("Cuadrantes &#60;de prueba&#62;"));
    let current =
        server.get_with("/wmts/1.0.0/WMTSCapabilities.xml", &[("if-none-match", wmts.header("etag"))]).await;
    assert_eq!(current.status, 304);
    let refused = server.get_with("/wmts/1.0.0/WMTSCapabilities.xml", &[("accept", "example/unknown")]).await;
    assert_eq!(refused.status, 406);
    let wms = server.get("/wms?service=WMS&request=GetCapabilities&lang=en").await.text();
    assert!(wms.contains("<Title>Quadrants &#60;for tests&#62;</Title>"), "{wms}");
    let legend = server.get(&format!("/legends/{LAYER}/redness.png?lang=en")).await;
    let size = format!("<LegendURL width=\"{}\"", Picture::of(&legend).width);
    assert!(wms.contains(&size), "{size}");
    let tilejson = server.json(&format!("/tiles/{LAYER}/WebMercatorQuad/tilejson.json?style=redness")).await;
    assert_eq!(
        tilejson["tiles"][0],
        "http://cubo.example/tiles/quadrants/WebMercatorQuad/{z}/{x}/{y}.png?style=redness"
    );
    let b = in_crs(&CrsName::lon_lat());
    let west = tilejson["bounds"][0].as_f64().unwrap();
    assert!(west >= b.x_min - 1e-6 && west < b.x_min + 0.02, "{west} {b:?}");
}

#[test]
fn the_shipped_grid_has_a_tile_matrix_set() {
    let set = TileMatrixSet::of_grid(&builtin_grid("mx6372_30").unwrap());
    assert!(set.matrices.len() > 5);
}
