//! `/stac`: products as STAC collections; scenes and derived rasters as items, each raster with what it was made from.
//!
//! Conformance: STAC API 1.0 (core, collections, features), items 1.1. There is no search over several collections yet.
//!
//! | module | idea |
//! |---|---|
//! | [`collection`] | a product's document |
//! | [`item`] | what scenes and rasters have in common |
//! | [`raster`] | a derived raster: processing, links to its inputs |
//! | [`scene`] | a scene |
//! | [`page`] | items of a collection, page by page |
//! | [`inputs`] | all inputs of a raster, with their digests |

mod collection;
mod inputs;
mod item;
mod page;
mod raster;
mod scene;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use tesela_compute::{Catalog, Cube, Product};
use tesela_index::ProductKind;

pub(crate) use inputs::PARAMETERS as INPUTS_PARAMETERS;
pub(crate) use page::PARAMETERS as ITEMS_PARAMETERS;

use super::landing::OPENAPI_TYPE;
use super::links::{Link, Links, encoded};
use super::query::{Query, Segments};
use super::read::read;
use super::reply::{at_snapshot, json as json_reply, typed_json, with_header};
use crate::request::Lang;
use crate::request::text::shorten;
use crate::{ApiError, ApiResult, AppState};

/// Query parameters of the catalogue, a collection and one item.
pub(crate) const PARAMETERS: &[&str] = &["lang", "snapshot", "f"];

/// Version of items, collections and the catalogue.
const STAC_VERSION: &str = "1.1.0";

const GEOJSON: &str = "application/geo+json";
const JSON: &str = "application/json";

/// Conformance classes that these routes fulfil.
const CONFORMANCE: &[&str] = &[
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
];

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/stac", get(catalogue))
        .route("/stac/conformance", get(conformance))
        .route("/stac/collections", get(collections))
        .route("/stac/collections/{id}", get(one_collection))
        .route("/stac/collections/{id}/items", get(page::list))
        .route("/stac/collections/{id}/items/{item}", get(one_item))
        .route("/stac/collections/{id}/items/{item}/inputs", get(inputs::list))
}

/// How documents are written: in which language, below which address, at which snapshot.
struct Writing {
    lang: Lang,
    links: Links,
    snapshot: u64,
    /// Whether the request named the snapshot: then links do too.
    pinned: bool,
}

impl Writing {
    /// A link into this catalogue, at the snapshot asked for.
    fn link(
        &self,
        rel: &'static str,
        media_type: &'static str,
        path: &str,
        title: impl Into<String>,
    ) -> Link {
        let path = match (self.pinned, path.contains('?')) {
            (false, _) => path.to_owned(),
            (true, false) => format!("{path}?snapshot={}", self.snapshot),
            (true, true) => format!("{path}&snapshot={}", self.snapshot),
        };
        self.links.link(rel, media_type, &path, title)
    }

    fn root(&self) -> Link {
        self.link("root", JSON, "/stac", "Tesela")
    }

    /// Notes language and snapshot on an answer.
    fn finish(&self, response: Response) -> Response {
        at_snapshot(with_header(response, header::VARY, "accept-language"), self.snapshot, self.pinned)
    }
}

/// What every route asks first.
struct Asked {
    lang: Lang,
    links: Links,
    snapshot: Option<u64>,
}

impl Asked {
    fn of(app: &AppState, query: &Query, headers: &HeaderMap) -> ApiResult<Self> {
        query.word("f", &["json", "geojson"])?;
        Ok(Self {
            lang: Lang::negotiate(query.text("lang"), headers),
            links: Links::of(app, headers),
            snapshot: query.snapshot()?,
        })
    }

    fn at(self, cube: &Cube) -> ApiResult<Writing> {
        let snapshot = cube.snapshot(self.snapshot)?;
        Ok(Writing { lang: self.lang, links: self.links, snapshot, pinned: self.snapshot.is_some() })
    }
}

async fn catalogue(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> ApiResult<Response> {
    let asked = Asked::of(&app, &Query::of(&uri, PARAMETERS)?, &headers)?;
    read(&app, move |cube| {
        let (catalog, writing) = (cube.catalog()?, asked.at(cube)?);
        let description = match writing.lang.code() {
            "es" => "Productos del cubo: escenas y lo que se deriva de ellas, con su procedencia.",
            _ => "Products of the cube: scenes, and what was derived from them, with its provenance.",
        };
        let mut links = vec![
            writing.link("self", JSON, "/stac", "This document"),
            writing.root(),
            writing.links.link("service-desc", OPENAPI_TYPE, "/api", "API definition (OpenAPI 3.1)"),
            writing.links.link("service-doc", "text/html", "/api.html", "API for people"),
            writing.links.link("conformance", JSON, "/stac/conformance", "Conformance classes"),
            writing.link("data", JSON, "/stac/collections", "Products"),
        ];
        links.extend(catalog.products.values().map(|product| {
            let title = writing.lang.text_or(&product.title, &product.id);
            writing.link("child", JSON, &collection::path(&product.id), title)
        }));
        let response = json_reply(&json!({
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": "tesela",
            "title": "Tesela",
            "description": description,
            "conformsTo": CONFORMANCE,
            "links": links,
        }))?;
        Ok(writing.finish(response))
    })
    .await
}

async fn conformance(uri: Uri) -> ApiResult<Response> {
    Query::of(&uri, &["f"])?.word("f", &["json"])?;
    json_reply(&json!({"conformsTo": CONFORMANCE}))
}

async fn collections(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> ApiResult<Response> {
    let asked = Asked::of(&app, &Query::of(&uri, PARAMETERS)?, &headers)?;
    read(&app, move |cube| {
        let (catalog, writing) = (cube.catalog()?, asked.at(cube)?);
        let documents = catalog
            .products
            .values()
            .map(|product| collection::document(cube, product, &writing))
            .collect::<ApiResult<Vec<Value>>>()?;
        let links = [writing.link("self", JSON, "/stac/collections", "Products"), writing.root()];
        Ok(writing.finish(json_reply(&json!({"collections": documents, "links": links}))?))
    })
    .await
}

async fn one_collection(
    State(app): State<AppState>,
    Segments([id]): Segments<1>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let asked = Asked::of(&app, &Query::of(&uri, PARAMETERS)?, &headers)?;
    read(&app, move |cube| {
        let (product, writing) = (product(&*cube.catalog()?, &id)?, asked.at(cube)?);
        Ok(writing.finish(json_reply(&collection::document(cube, &product, &writing)?)?))
    })
    .await
}

async fn one_item(
    State(app): State<AppState>,
    Segments([id, name]): Segments<2>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let asked = Asked::of(&app, &Query::of(&uri, PARAMETERS)?, &headers)?;
    read(&app, move |cube| {
        let (product, writing) = (product(&*cube.catalog()?, &id)?, asked.at(cube)?);
        let document = match product.kind {
            ProductKind::Scenes => {
                scene::document(cube, &product, &scene::of_id(cube, &product, &name, &writing)?, &writing)
            }
            ProductKind::Derived => {
                raster::document(cube, &product, &raster::of_id(cube, &product, &name, &writing)?, &writing)
            }
        }?;
        Ok(writing.finish(typed_json(GEOJSON, &document)?))
    })
    .await
}

fn product(catalog: &Catalog, id: &str) -> ApiResult<Arc<Product>> {
    let unknown = || {
        let detail =
            format!("there is no collection {:?}; /stac/collections lists what there is", shorten(id));
        ApiError::not_found("unknown_collection", detail)
    };
    catalog.products.get(id).cloned().ok_or_else(unknown)
}

fn no_item(product: &str, id: &str, writing: &Writing) -> ApiError {
    let (id, n) = (shorten(id), writing.snapshot);
    let detail =
        format!("{product} has no item {id:?} at snapshot {n}; /stac/collections/{product}/items lists them");
    ApiError::not_found("unknown_item", detail)
}

/// Address of an item.
fn item_path(product: &str, id: &str) -> String {
    format!("{}/items/{}", collection::path(product), encoded(id))
}
