//! Whatever clients send, the answer is a refusal in good order, never a 5xx and never a panic.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Request, Uri};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::harness::{Reply, Server};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SERVER: LazyLock<Server> = LazyLock::new(Server::with_zones);

/// Addresses that take a query.
const PATHS: [&str; 20] = [
    "/",
    "/collections",
    "/collections/manzanas@2020/items",
    "/collections/manzanas@2020/items/010010001",
    "/stac/collections/landsat_c2_sr",
    "/stac/collections/landsat_c2_sr/items",
    "/stac/collections/landsat_c2_sr/items/LC08/inputs",
    "/v1/products/landsat_c2_sr/dates",
    "/v1/series",
    "/v1/lineage",
    "/v1/zones",
    "/v1/zones/manzanas@2020/stats",
    "/v1/zones/manzanas@2020/items/010010001/series",
    "/v1/snapshots",
    "/wmts",
    "/wmts/1.0.0/WMTSCapabilities.xml",
    "/wms",
    "/tiles/landsat_c2_sr/WebMercatorQuad/10/220/450.png",
    "/legends/landsat_c2_sr/default.png",
    "/zarr/landsat_c2_sr@1/red/c/0/0/0",
];

/// Parameters of all of them.
const NAMES: [&str; 25] = [
    "f",
    "lang",
    "limit",
    "offset",
    "token",
    "bbox",
    "bbox-crs",
    "datetime",
    "snapshot",
    "lon",
    "lat",
    "product",
    "bands",
    "band",
    "expression",
    "mask",
    "masked",
    "keys",
    "stats",
    "min_coverage",
    "style",
    "resampling",
    "service",
    "request",
    "time",
];

const NASTY: [&str; 22] = [
    "",
    "%20",
    "NaN",
    "inf",
    "-1",
    "0",
    "1e309",
    "%00",
    "%ff%fe",
    "%",
    "%zz",
    "../../etc/passwd",
    "%0d%0aX-Injected:%201",
    "9223372036854775808",
    "2024-02-30",
    "P1Y/P1Y",
    "9999-99-99",
    "EPSG:999999999",
    "1,2,3",
    "((((((((((",
    "red/0",
    "all",
];

fn sound(path: &str, reply: &Reply) {
    assert!(reply.status.as_u16() < 500, "{path}: {} {}", reply.status, reply.text());
    assert!(!reply.headers.contains_key("x-injected"), "{path}");
    assert!(!reply.header("tesela-snapshot").is_empty(), "{path}");
    let text = reply.text();
    for secret in ["panicked", ".rs:", "/tmp/", "SELECT "] {
        assert!(!text.contains(secret) || path.contains("/viewer"), "{path}: {text}");
    }
}

fn ask(uri: &str) {
    let Ok(uri) = uri.parse::<Uri>() else { return };
    let request =
        Request::builder().uri(uri.clone()).header("host", "cubo.example").body(Body::empty()).unwrap();
    sound(&uri.to_string(), &RUNTIME.block_on(SERVER.send(request)));
}

#[test]
fn nasty_values_in_every_parameter() {
    for path in PATHS {
        for name in NAMES {
            for value in NASTY {
                ask(&format!("{path}?{name}={value}"));
            }
        }
    }
}

#[test]
fn nasty_values_beside_good_ones() {
    for base in [
        "/v1/series?lon=-102.3&lat=21.9&product=landsat_c2_sr",
        "/v1/zones/manzanas@2020/stats?product=landsat_c2_sr&band=red",
        "/collections/manzanas@2020/items?limit=5",
    ] {
        for name in NAMES {
            for value in NASTY {
                ask(&format!("{base}&{name}={value}"));
            }
        }
    }
}

#[test]
fn nasty_paths() {
    let long = "a".repeat(20_000);
    for value in NASTY.iter().copied().chain([long.as_str()]) {
        for template in [
            "/collections/{}",
            "/collections/{}/items",
            "/collections/manzanas@2020/items/{}",
            "/v1/products/{}/dates",
            "/v1/zones/{}/stats",
            "/v1/zones/manzanas@2020/items/{}/series?product=landsat_c2_sr&band=red",
            "/viewer/{}",
            "/tiles/{}/WebMercatorQuad/1/1/1.png",
            "/tiles/landsat_c2_sr/{}/1/1/1.png",
            "/tiles/landsat_c2_sr/WebMercatorQuad/{}/1/1.png",
            "/legends/landsat_c2_sr/{}.png",
            "/zarr/{}",
            "/zarr/{}/zarr.json",
            "/zarr/landsat_c2_sr@{}/zarr.json",
            "/zarr/landsat_c2_sr/{}",
            "/zarr/landsat_c2_sr/red/c/0/{}/0",
            "/{}",
        ] {
            ask(&template.replace("{}", value));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_parameter(path in 0..PATHS.len(), name in 0..NAMES.len(), value in "\\PC{0,40}") {
        let encoded: String = value.bytes().map(|b| format!("%{b:02x}")).collect();
        ask(&format!("{}?{}={encoded}", PATHS[path], NAMES[name]));
    }

    #[test]
    fn any_query_at_all(path in 0..PATHS.len(), query in "[!-~]{0,60}") {
        ask(&format!("{}?{query}", PATHS[path]));
    }
}
