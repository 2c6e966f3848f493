//! OGC WMTS 1.0.0, KVP at `/wmts` and REST below `/wmts/1.0.0/`.
//!
//! | module | idea |
//! |---|---|
//! | [`capabilities`] | the capabilities document |
//! | [`error`] | exception reports |
//! | [`kvp`] | requests as query strings |
//! | [`rest`] | requests as paths |
//! | [`tile`] | what both become: a tile, or the values under one of its pixels |

mod capabilities;
mod error;
mod kvp;
mod rest;
mod tile;

use axum::Router;
use axum::routing::get;

use crate::AppState;

/// The routes of WMTS.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/wmts", get(kvp::answer))
        .route("/wmts/1.0.0/WMTSCapabilities.xml", get(rest::capabilities))
        .route("/wmts/1.0.0/{layer}/{style}/{time}/{set}/{matrix}/{row}/{col}", get(rest::tile))
        .route(
            "/wmts/1.0.0/{layer}/{style}/{time}/{set}/{matrix}/{row}/{col}/{j}/{i}",
            get(rest::feature_info),
        )
}
