//! A router over a cube in a temporary directory, and answers that are easy to look at.

use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tesela_api::{AppState, ServeConfig, router};
use tesela_compute::Cube;
use tesela_grid::{BoundingBox, builtin_grid};
use tesela_index::{NewZone, NewZoneSet, ProductKind, ZoneSetCommit};
use tesela_model::shipped_product;
use tower::ServiceExt;

/// The zone set of [`Server::with_zones`].
pub const SET: &str = "manzanas@2020";

/// Zones in it.
pub const ZONES: usize = 12;

pub struct Server {
    router: Router,
    _dir: TempDir,
}

/// An answer, read to its end.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Server {
    /// Over a cube with nothing in it.
    pub fn empty() -> Self {
        Self::over(|_| {})
    }

    /// Over a cube with one product without scenes and one zone set, at snapshot 1.
    pub fn with_zones() -> Self {
        Self::over(|cube| {
            add_product(cube);
            add_zones(cube);
        })
    }

    /// Over a cube filled by a function.
    pub fn over(fill: impl FnOnce(&Cube)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cube = Cube::create(&dir.path().join("cube")).unwrap();
        fill(&cube);
        let router = router(AppState::new(cube, ServeConfig::default()));
        Self { router, _dir: dir }
    }

    /// Any request.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// A `GET` with headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(request(Method::GET, path, headers)).await
    }

    /// A plain `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[]).await
    }

    /// A `GET` that must succeed with JSON.
    pub async fn json(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// A header's text; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem document, and gives it.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:tesela:problem:{code}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path).header("host", "cubo.example");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).unwrap()
}

/// Path of a file beside the tests.
pub fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn add_product(cube: &Cube) {
    let index = cube.index();
    let product = shipped_product("landsat_c2_sr").unwrap().unwrap();
    index.put_grid(&builtin_grid(&product.grid).unwrap()).unwrap();
    let definition = serde_json::to_string(&product).unwrap();
    index.put_product(&product.product, ProductKind::Scenes, &product.grid, &definition).unwrap();
}

fn add_zones(cube: &Cube) {
    let zones = (0..ZONES).map(|i| {
        let (w, s) = (-102.4 + 0.01 * i as f64, 21.8);
        let (e, n) = (w + 0.008, s + 0.008);
        NewZone {
            key: format!("010010{i:03}"),
            properties: format!("{{\"CVEGEO\":\"010010{i:03}\",\"name\":\"Manzana, {i}\"}}"),
            geometry: format!(
                "{{\"type\":\"Polygon\",\"coordinates\":[[[{w},{s}],[{e},{s}],[{e},{n}],[{w},{n}],[{w},{s}]]]}}"
            ),
            area_m2: 700_000.0,
            bbox: BoundingBox::new(w, s, e, n),
        }
    });
    let set = NewZoneSet {
        id: SET.into(),
        title: "{\"es\":\"Manzanas 2020\",\"en\":\"Census blocks 2020\"}".into(),
        edition: Some("2020".into()),
        key_field: "CVEGEO".into(),
        source: "manzanas.gpkg".into(),
        synthetic: true,
        report: "{}".into(),
        zones: zones.collect(),
    };
    cube.index().commit_zone_set(&ZoneSetCommit { set, coverage: Vec::new() }).unwrap();
}
