//! One file a protocol; this one puts them together.
//!
//! | module | addresses |
//! |---|---|
//! | [`landing`] | `/`, `/conformance`, `/api`, `/api.html` |
//! | [`viewer`] | `/viewer/…` |
//! | [`collections`] | `/collections…` |
//! | [`stac`] | `/stac…` |
//! | [`dates`], [`series`], [`lineage`], [`snapshots`] | `/v1/…`: values through time |
//! | [`zones`] | `/v1/zones…`: statistics |
//! | [`tiles`], [`wmts`], [`wms`], [`legends`] | pictures |
//! | [`zarr`] | `/zarr/…`: a product as one Zarr group |
//! | [`health`] | `/healthz`, `/readyz`, `/metrics` |
//! | [`openapi`] | what `/api` says of all of them |
//!
//! What JSON routes share: [`query`] (parameters), [`negotiate`] (forms), [`choice`] (what is meant when nothing is
//! said), [`read`] (index reads), [`reply`], [`table`] and [`links`] (answers). What all answers share: [`layers`]
//! and [`manners`], counted by [`metrics`].

mod choice;
mod collections;
mod dates;
mod health;
mod landing;
mod layers;
pub mod legends;
mod lineage;
mod links;
mod manners;
mod metrics;
mod negotiate;
mod openapi;
mod query;
mod read;
mod reply;
mod series;
mod snapshots;
mod stac;
mod table;
pub mod tiles;
mod viewer;
pub mod wms;
pub mod wmts;
mod zarr;
mod zones;

use std::sync::Arc;

use axum::Router;

use crate::AppState;

/// Every route of the server, in its layers.
pub fn router(state: AppState) -> Router {
    let counters = Arc::new(metrics::Metrics::default());
    let routes = Router::new()
        .merge(landing::routes())
        .merge(viewer::routes())
        .merge(collections::routes())
        .merge(stac::routes())
        .merge(dates::routes())
        .merge(series::routes())
        .merge(lineage::routes())
        .merge(snapshots::routes())
        .merge(zones::routes())
        .merge(tiles::routes())
        .merge(wmts::routes())
        .merge(wms::routes())
        .merge(legends::routes())
        .merge(zarr::routes())
        .merge(health::routes(Arc::clone(&counters)))
        .method_not_allowed_fallback(manners::no_such_method)
        .fallback(manners::no_such_path);
    let around = manners::Surroundings { app: state.clone(), metrics: counters };
    layers::wrap(routes.with_state(state), around)
}

/// The API definition: OpenAPI 3.1.
pub fn openapi_document() -> serde_json::Value {
    openapi::shared().clone()
}
