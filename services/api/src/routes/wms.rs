//! OGC WMS 1.3.0 and 1.1.1 at `/wms`.
//!
//! | module | idea |
//! |---|---|
//! | [`version`] | what the two versions say differently |
//! | [`capabilities`] | the capabilities documents |
//! | [`error`] | exception reports, and refusals shown as pictures |
//! | [`map`] | `GetMap` |
//! | [`info`] | `GetFeatureInfo` |
//! | [`legend`] | `GetLegendGraphic` |

mod capabilities;
mod error;
mod info;
mod legend;
mod map;
mod version;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use crate::AppState;
use crate::request::Params;
use crate::request::text::shorten;
use error::{Exception, shown};
use version::Version;

/// The routes of WMS.
pub fn routes() -> Router<AppState> {
    Router::new().route("/wms", get(answer))
}

async fn answer(State(state): State<AppState>, params: Params, headers: HeaderMap) -> Response {
    // A refusal is written in the version asked for, even if that is what is wrong.
    let version = Version::negotiated(params.any(&["version", "wmtver"]));
    let result = operation(&state, &params, &headers, version).await;
    result.unwrap_or_else(|exception| shown(&exception, &state, &params, version))
}

async fn operation(
    state: &AppState,
    params: &Params,
    headers: &HeaderMap,
    version: Version,
) -> Result<Response, Exception> {
    if let Some(service) = params.get("service").filter(|service| !service.eq_ignore_ascii_case("WMS")) {
        return Err(Exception::invalid("SERVICE", format!("service {:?} is not WMS", shorten(service))));
    }
    let request = params.get("request").ok_or_else(|| Exception::missing("REQUEST"))?;
    match request.to_ascii_lowercase().as_str() {
        "getcapabilities" | "capabilities" => capabilities::document(state, params, headers, version).await,
        "getmap" | "map" => map::get_map(state, params, headers, spoken(params)?).await,
        "getfeatureinfo" => info::get_feature_info(state, params, headers, spoken(params)?).await,
        "getlegendgraphic" => legend::get_legend_graphic(state, params, headers).await,
        _ => Err(Exception::new(
            Some("OperationNotSupported"),
            Some("REQUEST"),
            format!(
                "{:?} is none of GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic",
                shorten(request)
            ),
        )),
    }
}

/// The version a request is written in, which must be named: axis order depends on it.
fn spoken(params: &Params) -> Result<Version, Exception> {
    let text = params.any(&["version", "wmtver"]).ok_or_else(|| Exception::missing("VERSION"))?;
    Version::exact(text).ok_or_else(|| {
        Exception::invalid("VERSION", format!("version {:?} is neither 1.3.0 nor 1.1.1", shorten(text)))
    })
}
