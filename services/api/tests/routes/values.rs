//! Dates, series, lineage, snapshots and statistics.

use crate::harness::{SET, Server};

#[tokio::test]
async fn snapshots_are_listed() {
    let server = Server::with_zones();
    let list = server.json("/v1/snapshots").await;
    assert_eq!(list["latest"], 1);
    assert_eq!(
        (&list["snapshots"][0]["snapshot"], &list["snapshots"][0]["kind"]),
        (&1.into(), &"zones".into())
    );
    assert!(list["snapshots"][0]["created"].as_str().unwrap().ends_with('Z'));
    server.get("/v1/snapshots?limit=0").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn zone_sets_are_listed() {
    let list = Server::with_zones().json("/v1/zones?lang=es").await;
    let set = &list["zone_sets"][0];
    assert_eq!(
        (&set["id"], &set["title"], &set["zones"]),
        (&SET.into(), &"Manzanas 2020".into(), &12.into())
    );
    assert_eq!((&set["key_field"], &set["bbox"][1]), (&"CVEGEO".into(), &21.8.into()));
}

#[tokio::test]
async fn dates_of_a_product_without_scenes_are_none() {
    let server = Server::with_zones();
    let reply = server.get("/v1/products/landsat_c2_sr/dates?bbox=-103,21,-102,22").await;
    assert_eq!(reply.json()["dates"], serde_json::json!([]));
    assert_eq!(reply.header("tesela-snapshot"), "1");
    let pinned = server.get("/v1/products/landsat_c2_sr/dates?snapshot=0").await;
    assert_eq!((pinned.header("tesela-snapshot"), &pinned.json()["snapshot"]), ("0", &0.into()));
    assert!(pinned.header("cache-control").contains("max-age"));
    server.get("/v1/products/none/dates").await.problem(404, "unknown_product");
    server.get("/v1/products/landsat_c2_sr/dates?snapshot=99").await.problem(404, "unknown_snapshot");
    server.get("/v1/products/landsat_c2_sr/dates?bbox=1,2").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_series_outside_the_data_is_empty() {
    let server = Server::with_zones();
    let series = server.json("/v1/series?lon=-102.3&lat=21.9&bands=red&masked=keep").await;
    assert_eq!(series["product"], "landsat_c2_sr");
    assert_eq!(series["observations"], serde_json::json!([]));
    assert_eq!(series["bands"], serde_json::json!([{"name": "red", "unit": "1"}]));
    assert_eq!(series["location"]["crs"], "EPSG:6372");
    let csv = server.get("/v1/series?lon=-102.3&lat=21.9&bands=red,nir&f=csv").await;
    assert_eq!(csv.text(), "\"datetime\",\"platform\",\"red\",\"nir\",\"used\",\"reason\"\r\n");
    assert!(csv.header("content-disposition").contains("landsat_c2_sr"));
    assert!(csv.header("content-type").starts_with("text/csv"));
}

#[tokio::test]
async fn series_parameters_are_checked_by_name() {
    let server = Server::with_zones();
    for (query, parameter) in [
        ("", "lon"),
        ("lon=1", "lat"),
        ("lon=abc&lat=1", "lon"),
        ("lon=181&lat=1", "lon"),
        ("lon=1&lat=91", "lat"),
        ("lon=NaN&lat=1", "lon"),
        ("lon=1&lat=1e309", "lat"),
        ("lon=1&lat=1&datetime=yesterday", "datetime"),
        ("lon=1&lat=1&masked=maybe", "masked"),
        ("lon=1&lat=1&bands=red&expression=red", "expression"),
        ("lon=1&lat=1&snapshot=x", "snapshot"),
        ("lon=1&lat=1&f=xml", "f"),
    ] {
        let reply = server.get(&format!("/v1/series?{query}")).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
        assert_eq!(reply.json()["parameter"], parameter, "{query}");
    }
    server.get("/v1/series?lon=1&lat=1&product=none").await.problem(404, "unknown_product");
    server.get("/v1/series?lon=-102&lat=22&bands=purple").await.problem(400, "unknown_band");
    let reply = server.get("/v1/series?lon=-102&lat=22&expression=(").await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let problem = Server::empty().get("/v1/series?lon=1&lat=1").await.problem(400, "invalid_parameter");
    assert_eq!(problem["parameter"], "product");
}

#[tokio::test]
async fn statistics_say_what_is_missing() {
    let server = Server::with_zones();
    let problem = server.get(&format!("/v1/zones/{SET}/stats")).await.problem(400, "invalid_parameter");
    assert_eq!(problem["parameter"], "product");
    assert!(problem["detail"].as_str().unwrap().contains("landsat_c2_sr"));
    server.get("/v1/zones/none/stats").await.problem(404, "unknown_zone_set");
    server.get("/v1/zones/manzanas%402020/stats?product=none").await.problem(404, "unknown_product");
    let stats = |query: &str| format!("/v1/zones/{SET}/stats?product=landsat_c2_sr&band=red&{query}");
    for (query, parameter) in [
        ("stats=mode", "stats"),
        ("min_coverage=2", "min_coverage"),
        ("expression=red", "expression"),
        ("datetime=x", "datetime"),
        ("bbox=1", "bbox"),
    ] {
        let reply = server.get(&stats(query)).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["parameter"]), (400, &parameter.into()), "{query}");
    }
    server.get(&stats("keys=010010001,none")).await.problem(404, "unknown_zone");
    assert_eq!(server.get(&stats("")).await.status, 400, "scenes have no zone statistics");
}

#[tokio::test]
async fn lineage_of_nothing_is_told() {
    let server = Server::with_zones();
    let reply = server.get("/v1/lineage?lon=-102.3&lat=21.9&product=landsat_c2_sr").await;
    reply.problem(404, "no_data_at_time");
    let span = server.json("/v1/lineage?lon=-102.3&lat=21.9&product=landsat_c2_sr&datetime=2020/2024").await;
    assert_eq!(span["scenes"], serde_json::json!([]));
    server.get("/v1/lineage?lon=-102.3").await.problem(400, "invalid_parameter");
}
