//! Landing page, conformance, viewer, probes.

use crate::harness::Server;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

#[tokio::test]
async fn the_landing_page_is_json_for_programs_and_the_viewer_for_browsers() {
    let server = Server::empty();
    let landing = server.get("/").await;
    assert_eq!(landing.header("content-type"), "application/json");
    let vary: Vec<_> = landing.headers.get_all("vary").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(vary.join(",").contains("accept"), "{vary:?}");
    let document = landing.json();
    let links = document["links"].as_array().unwrap();
    for rel in ["self", "service-desc", "service-doc", "conformance", "data", "alternate"] {
        assert!(links.iter().any(|link| link["rel"] == rel && link["type"].is_string()), "{rel}");
    }
    assert!(links.iter().all(|link| link["href"].as_str().unwrap().starts_with("http://cubo.example/")));
    for (path, headers) in [("/", &[BROWSER][..]), ("/?f=html", &[])] {
        let page = server.get_with(path, headers).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text().starts_with("<!doctype html>"));
        assert!(!page.header("etag").is_empty());
    }
    assert_eq!(server.get_with("/?f=json", &[BROWSER]).await.header("content-type"), "application/json");
    server.get("/?f=xml").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn every_link_of_the_landing_page_resolves() {
    let server = Server::empty();
    for link in server.json("/").await["links"].as_array().unwrap() {
        let path = link["href"].as_str().unwrap().strip_prefix("http://cubo.example").unwrap();
        let reply = server.get_with(path, &[("accept", link["type"].as_str().unwrap())]).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let media_type = reply.header("content-type").split(';').next().unwrap();
        assert_eq!(media_type, link["type"].as_str().unwrap().split(';').next().unwrap(), "{path}");
    }
}

#[tokio::test]
async fn conformance_names_the_classes() {
    let conforms = Server::empty().json("/conformance").await["conformsTo"].to_string();
    for class in [
        "ogcapi-common-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
    ] {
        assert!(conforms.contains(class), "{class}");
    }
}

#[tokio::test]
async fn viewer_files_are_asked_for_once() {
    let server = Server::empty();
    let file = server.get("/viewer/js/main.js").await;
    assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
    let etag = file.header("etag").to_owned();
    let again = server.get_with("/viewer/js/main.js", &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let zipped = server.get_with("/viewer/js/main.js", &[("accept-encoding", "gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(&zipped.body[..2], [0x1f, 0x8b]);
    assert_eq!(server.get("/viewer/i18n/languages.json").await.json()[0], "en");
    for path in ["/viewer/none.js", "/viewer/../Cargo.toml", "/viewer/%2e%2e/%2e%2e/Cargo.toml"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn probes_and_metrics_answer() {
    let server = Server::with_zones();
    assert_eq!(server.json("/healthz").await["status"], "ok");
    let ready = server.json("/readyz").await;
    assert_eq!((&ready["snapshot"], &ready["products"]), (&1.into(), &1.into()));
    server.get("/collections/none").await.problem(404, "unknown_collection");
    server.get("/no/such/place").await.problem(404, "no_such_path");
    let metrics = server.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = metrics.text();
    for line in [
        "tesela_http_requests_total{route=\"/collections/{id}\",method=\"GET\",status=\"404\"} 1",
        "tesela_http_requests_total{route=\"unmatched\",method=\"GET\",status=\"404\"} 1",
        "tesela_snapshot 1",
        "tesela_http_in_flight 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("/no/such/place"));
}
