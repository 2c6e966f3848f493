//! What every answer has in common.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::harness::{Server, request};

#[tokio::test]
async fn every_answer_names_its_snapshot_and_lets_scripts_read_it() {
    let server = Server::with_zones();
    for path in [
        "/",
        "/?f=html",
        "/collections",
        "/collections/none",
        "/no/such/place",
        "/v1/series",
        "/viewer/logo.svg",
        "/wmts",
        "/wms",
        "/tiles/a/b/0/0/0.png",
        "/metrics",
    ] {
        let reply = server.get_with(path, &[("origin", "http://client.example")]).await;
        assert_eq!(reply.header("tesela-snapshot"), "1", "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        let exposed = reply.header("access-control-expose-headers").to_ascii_lowercase();
        for name in [
            "tesela-snapshot",
            "tesela-datetime",
            "content-range",
            "content-length",
            "etag",
            "link",
            "warning",
        ] {
            assert!(exposed.contains(name), "{path}: {exposed}");
        }
    }
}

#[tokio::test]
async fn preflight_is_answered_everywhere() {
    let server = Server::empty();
    for path in ["/wmts", "/wms", "/collections", "/v1/series", "/no/such/place"] {
        let headers = [("origin", "http://client.example"), ("access-control-request-method", "GET")];
        let reply = server.send(request(Method::OPTIONS, path, &headers)).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.status);
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        let methods = reply.header("access-control-allow-methods");
        assert!(["GET", "HEAD", "POST", "OPTIONS"].iter().all(|m| methods.contains(m)), "{methods}");
        assert!(!reply.header("tesela-snapshot").is_empty());
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_taken() {
    let server = Server::empty();
    for (method, path) in [(Method::POST, "/collections"), (Method::DELETE, "/v1/series"), (Method::PUT, "/")]
    {
        let reply = server.send(request(method, path, &[])).await;
        reply.problem(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), "GET,HEAD", "{path}");
    }
    let bogus = Method::from_bytes(b"BOGUS").unwrap();
    server.send(request(bogus, "/", &[])).await.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn head_has_the_headers_without_the_body() {
    let server = Server::with_zones();
    for path in ["/", "/collections", "/viewer/js/main.js", "/collections/none"] {
        let get = server.get(path).await;
        let head = server.send(request(Method::HEAD, path, &[])).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
    }
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let server = Server::empty();
    let body = Body::from(vec![b'x'; (2 << 20) + 1]);
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/series")
        .header("content-length", (2 << 20) + 1)
        .body(body);
    server.send(request.unwrap()).await.problem(413, "too_large");
}

#[tokio::test]
async fn documents_are_compressed_when_asked() {
    let server = Server::empty();
    let zipped = server.get_with("/api", &[("accept-encoding", "gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(server.get("/api").await.header("content-encoding"), "");
}
