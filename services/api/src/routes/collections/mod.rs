//! `/collections`: products and zone sets as OGC API collections; zones as features.
//!
//! Conformance: OGC API Common 1.0 parts 1 and 2, OGC API Features 1.0 part 1 (core, GeoJSON).
//!
//! | module | idea |
//! |---|---|
//! | [`product`] | a product's document |
//! | [`zone_set`] | a zone set's document |
//! | [`style`] | a style and its legend |
//! | [`extent`] | where and when there is data |
//! | [`items`] | zones as GeoJSON features, or their attributes as CSV |

mod extent;
mod items;
mod product;
mod style;
mod zone_set;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde_json::Value;
use tesela_compute::Cube;

pub(crate) use items::{ITEM_PARAMETERS, PARAMETERS as ITEMS_PARAMETERS};

use super::links::{Link, Links};
use super::query::{Query, Segments};
use super::read::read;
use super::reply::{at_snapshot, json, with_header};
use crate::request::Lang;
use crate::request::text::shorten;
use crate::{ApiError, ApiResult, AppState};

/// Query parameters of the list and of one collection.
pub(crate) const PARAMETERS: &[&str] = &["lang", "f"];

/// Conformance classes that these routes fulfil.
pub(crate) const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
];

/// Longitude and latitude, as OGC names them.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/collections", get(list))
        .route("/collections/{id}", get(one))
        .route("/collections/{id}/items", get(items::list))
        .route("/collections/{id}/items/{key}", get(items::one))
}

/// How documents are written: in which language, below which address, at which snapshot.
#[derive(Debug, Clone)]
struct Writing {
    lang: Lang,
    links: Links,
    snapshot: u64,
}

#[derive(Serialize)]
struct CollectionList {
    links: Vec<Link>,
    collections: Vec<Value>,
}

async fn list(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> ApiResult<Response> {
    let (lang, links) = negotiated(&app, &uri, &headers)?;
    read(&app, move |cube| {
        let catalog = cube.catalog()?;
        let writing = Writing { lang, links, snapshot: catalog.snapshot };
        let products = catalog.products.values();
        let mut collections = products
            .map(|product| product::document(cube, &catalog, product, &writing))
            .collect::<ApiResult<Vec<Value>>>()?;
        // Those with data first: clients begin with the first that suits them.
        collections.sort_by_key(|document| document["extent"]["spatial"].is_null());
        for set in catalog.zone_sets.values() {
            collections.push(zone_set::document(set, &writing));
        }
        let own = writing.links.link("self", "application/json", "/collections", "Collections");
        reply(&CollectionList { links: vec![own], collections }, catalog.snapshot)
    })
    .await
}

async fn one(
    State(app): State<AppState>,
    Segments([id]): Segments<1>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (lang, links) = negotiated(&app, &uri, &headers)?;
    read(&app, move |cube| {
        let snapshot = cube.catalog()?.snapshot;
        reply(&document_of(cube, &id, &Writing { lang, links, snapshot })?, snapshot)
    })
    .await
}

fn document_of(cube: &Cube, id: &str, writing: &Writing) -> ApiResult<Value> {
    let catalog = cube.catalog()?;
    if let Some(product) = catalog.products.get(id) {
        return product::document(cube, &catalog, product, writing);
    }
    match catalog.zone_sets.get(id) {
        Some(set) => Ok(zone_set::document(set, writing)),
        None => Err(unknown(id)),
    }
}

fn unknown(id: &str) -> ApiError {
    let detail = format!("there is no collection {:?}; /collections lists what there is", shorten(id));
    ApiError::not_found("unknown_collection", detail)
}

fn negotiated(app: &AppState, uri: &Uri, headers: &HeaderMap) -> ApiResult<(Lang, Links)> {
    let query = Query::of(uri, PARAMETERS)?;
    query.word("f", &["json"])?;
    Ok((Lang::negotiate(query.text("lang"), headers), Links::of(app, headers)))
}

fn reply(value: &impl Serialize, snapshot: u64) -> ApiResult<Response> {
    let response = with_header(json(value)?, header::VARY, "accept-language");
    Ok(at_snapshot(response, snapshot, false))
}
