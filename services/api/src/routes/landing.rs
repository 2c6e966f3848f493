//! `/`, `/conformance`, `/api`, `/api.html`: where clients begin.
//!
//! Conformance: OGC API Common 1.0 part 1 (core, landing page, JSON, OpenAPI 3.0).

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::links::Links;
use super::negotiate::{Form, form_of};
use super::query::Query;
use super::reply::{body_of, json as json_reply, typed_json, with_header};
use super::{collections, openapi, viewer};
use crate::request::Lang;
use crate::{ApiResult, AppState};

/// Media type of the API definition.
pub(crate) const OPENAPI_TYPE: &str = "application/vnd.oai.openapi+json;version=3.1";

/// Media type of the API definition in the version that OGC API's clients ask for.
pub(crate) const OLDER_OPENAPI_TYPE: &str = "application/vnd.oai.openapi+json;version=3.0";

/// Query parameters of the landing page. Others are passed over: people paste this address with all kinds of tails.
pub(crate) const PARAMETERS: &[&str] = &["f", "lang"];

/// Conformance classes that this file fulfils.
const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
];

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(landing))
        .route("/conformance", get(conformance))
        .route("/api", get(api))
        .route("/api.html", get(api_page))
}

async fn landing(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> ApiResult<Response> {
    let query = Query::any(&uri)?;
    let response = match form_of(&query, &headers, &[Form::Json, Form::Html])? {
        Form::Html => viewer::page(&headers),
        _ => document(&Links::of(&app, &headers), Lang::negotiate(query.text("lang"), &headers))?,
    };
    Ok(with_header(response, header::VARY, "accept, accept-language"))
}

fn document(links: &Links, lang: Lang) -> ApiResult<Response> {
    let (title, description) = match lang.code() {
        "es" => (
            "Tesela",
            "Cubo de datos de imágenes de satélite: mapas, series de tiempo y estadísticas por zona.",
        ),
        _ => ("Tesela", "A data cube of satellite images: maps, time series and statistics by zone."),
    };
    let links = [
        links.link("self", "application/json", "/", "This document"),
        links.link("alternate", "text/html", "/?f=html", "Map viewer"),
        links.link("service-desc", OPENAPI_TYPE, "/api", "API definition (OpenAPI 3.1)"),
        links.link("service-desc", OLDER_OPENAPI_TYPE, "/api?f=oas30", "API definition (OpenAPI 3.0)"),
        links.link("service-doc", "text/html", "/api.html", "API for people"),
        links.link("conformance", "application/json", "/conformance", "Conformance classes"),
        links.link("data", "application/json", "/collections", "Products and zone sets"),
        links.link("related", "application/json", "/stac", "STAC: scenes and derived rasters as items"),
        links.link("related", "application/json", "/v1/zones", "Zone sets with statistics"),
        links.link("related", "application/json", "/v1/snapshots", "Commits"),
        links.link("related", "application/xml", "/wmts/1.0.0/WMTSCapabilities.xml", "WMTS 1.0.0"),
        links.link(
            "related",
            "text/xml",
            "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities",
            "WMS 1.3.0 and 1.1.1",
        ),
    ];
    json_reply(&json!({"title": title, "description": description, "links": links}))
}

async fn conformance(uri: Uri) -> ApiResult<Response> {
    Query::of(&uri, &["f"])?.word("f", &["json"])?;
    let classes: Vec<&str> = CONFORMANCE.iter().chain(collections::CONFORMANCE).copied().collect();
    json_reply(&json!({"conformsTo": classes}))
}

async fn api(uri: Uri) -> ApiResult<Response> {
    match Query::of(&uri, &["f"])?.word("f", &["json", "oas30"])? {
        Some("oas30") => typed_json(OLDER_OPENAPI_TYPE, openapi::older()),
        _ => typed_json(OPENAPI_TYPE, openapi::shared()),
    }
}

async fn api_page(uri: Uri) -> ApiResult<Response> {
    Query::of(&uri, &["f"])?.word("f", &["html"])?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    let page = body_of("text/html; charset=utf-8", openapi::page(openapi::shared()));
    Ok(with_header(page, header::CONTENT_SECURITY_POLICY, policy))
}
