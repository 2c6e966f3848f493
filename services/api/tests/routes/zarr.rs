//! Products as Zarr groups: addresses, ranges, what is not there.

use axum::http::Method;

use crate::harness::{Server, request};
use crate::quadrants::{LAYER, server};

#[tokio::test]
async fn the_products_address_leads_to_the_latest_snapshots() {
    let server = server();
    let reply = server.get(&format!("/zarr/{LAYER}")).await;
    assert_eq!(reply.status, 307);
    assert_eq!(reply.header("location"), format!("http://cubo.example/zarr/{LAYER}@3"));
    assert_eq!(reply.header("tesela-snapshot"), "3");
    let root = server.json(&format!("/zarr/{LAYER}@3")).await;
    assert_eq!(root, server.json(&format!("/zarr/{LAYER}@3/zarr.json")).await);
    assert_eq!(root, server.json(&format!("/zarr/{LAYER}%403/zarr.json")).await);
    assert_eq!(root["attributes"]["tesela_view"], format!("/zarr/{LAYER}@3"));
    assert_eq!(root["consolidated_metadata"]["metadata"]["red"]["shape"], serde_json::json!([2, 256, 256]));
}

#[tokio::test]
async fn a_snapshot_keeps_its_view() {
    let server = server();
    let earlier = server.get(&format!("/zarr/{LAYER}@2/red/zarr.json")).await;
    assert_eq!(earlier.json()["shape"][0], 1);
    assert_eq!(earlier.header("tesela-snapshot"), "2");
    assert!(earlier.header("etag").starts_with("\"2-"));
    assert!(earlier.header("cache-control").contains("max-age"));
    let latest = server.get(&format!("/zarr/{LAYER}/red/zarr.json")).await;
    assert_eq!(latest.json()["shape"][0], 2);
    assert_eq!(latest.header("cache-control"), "no-cache");
    // The same raster is the same object at both.
    let chunk = |n: u64| format!("/zarr/{LAYER}@{n}/red/c/0/0/0");
    assert_eq!(server.get(&chunk(2)).await.body, server.get(&chunk(3)).await.body);
    server.get(&format!("/zarr/{LAYER}@1/zarr.json")).await.problem(404, "no_data_at_time");
    server.get(&format!("/zarr/{LAYER}@4/zarr.json")).await.problem(404, "unknown_snapshot");
    server.get("/zarr/none/zarr.json").await.problem(404, "unknown_product");
}

#[tokio::test]
async fn ranges_are_followed() {
    let server = server();
    let path = format!("/zarr/{LAYER}@3/green/c/1/0/0");
    let whole = server.get(&path).await;
    let size = whole.body.len();
    assert_eq!((whole.status.as_u16(), whole.header("accept-ranges")), (200, "bytes"));
    assert_eq!(whole.header("content-type"), "application/octet-stream");
    let last = size - 1;
    for (range, part) in [
        ("bytes=0-3", 0..4),
        ("bytes=-20", size - 20..size),
        ("bytes=10-", 10..size),
        ("bytes=-99999999", 0..size),
    ] {
        let reply = server.get_with(&path, &[("range", range)]).await;
        assert_eq!(reply.status, 206, "{range}");
        assert_eq!(reply.body, whole.body[part.clone()], "{range}");
        let said = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        assert_eq!(reply.header("content-range"), said);
        assert_eq!(reply.header("content-length"), part.len().to_string());
    }
    for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
        let reply = server.get_with(&path, &[("range", &range)]).await;
        reply.problem(416, "range_not_satisfiable");
        assert_eq!(reply.header("content-range"), format!("bytes */{size}"));
    }
    // What cannot be followed is passed over.
    for range in ["bytes=0-1,3-4", "pixels=0-1", "bytes=9-1"] {
        assert_eq!(server.get_with(&path, &[("range", range)]).await.status, 200, "{range}");
    }
    let etag = whole.header("etag");
    let with = |tag: &'static str| [("range", "bytes=0-0"), ("if-range", tag)];
    assert_eq!(server.get_with(&path, &with("\"other\"")).await.status, 200);
    let same = server.get_with(&path, &[("range", "bytes=0-0"), ("if-range", etag)]).await;
    assert_eq!((same.status.as_u16(), same.body.len()), (206, 1));
    assert_eq!(server.get_with(&path, &[("if-none-match", etag)]).await.status, 304);
    let head = server.send(request(Method::HEAD, &path, &[("range", "bytes=0-0")])).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), (last + 1).to_string());
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let server = server();
    for key in [
        ".zattrs",
        "red",
        "red/c/0/0",
        "red/c/2/0/0",
        "red/c/0/0/18446744073709551616",
        "red/c/0/0/-1",
        "..%2f..%2findex.db",
        "%2e%2e/%2e%2e/%2e%2e/index.db",
        "red/c/0/0/0/zarr.json",
        "nir/c/0/0/0",
    ] {
        server.get(&format!("/zarr/{LAYER}@3/{key}")).await.problem(404, "no_such_key");
    }
    server.get(&format!("/zarr/{LAYER}@3/zarr.json?snapshot=2")).await.problem(400, "unknown_parameter");
    let post = server.send(request(Method::POST, &format!("/zarr/{LAYER}@3/zarr.json"), &[])).await;
    post.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn a_product_without_data_has_no_group() {
    let server = Server::with_zones();
    server.get("/zarr/landsat_c2_sr").await.problem(404, "no_data_at_time");
    server.get("/zarr/landsat_c2_sr@1/red/c/0/0/0").await.problem(404, "no_data_at_time");
}
