//! `/v1/products/{id}/dates`: what a time slider needs.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tesela_compute::query::DateEntry;

use super::query::{Query, Segments};
use super::read::read;
use super::reply::{at_snapshot, finite, json};
use crate::{ApiResult, AppState};

/// Query parameters.
pub(crate) const PARAMETERS: &[&str] = &["bbox", "bbox-crs", "snapshot", "f"];

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/v1/products/{id}/dates", get(dates))
}

#[derive(Serialize)]
struct Dates<'a> {
    product: &'a str,
    snapshot: u64,
    dates: Vec<DateView<'a>>,
}

/// One date.
#[derive(Serialize)]
struct DateView<'a> {
    datetime: &'a str,
    label: &'a str,
    platform: Option<&'a str>,
    clear_fraction: Option<f64>,
}

impl<'a> From<&'a DateEntry> for DateView<'a> {
    fn from(entry: &'a DateEntry) -> Self {
        Self {
            datetime: &entry.datetime,
            label: &entry.label,
            platform: entry.platform.as_deref(),
            clear_fraction: entry.clear_fraction.and_then(finite).map(|share| (share * 1e4).round() / 1e4),
        }
    }
}

async fn dates(State(app): State<AppState>, Segments([id]): Segments<1>, uri: Uri) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    query.word("f", &["json"])?;
    let bbox = query.bbox()?;
    let asked = query.snapshot()?;
    let (id, snapshot, entries) = read(&app, move |cube| {
        cube.catalog()?.product(&id)?;
        let snapshot = cube.snapshot(asked)?;
        let entries = cube.dates(&id, bbox.as_ref(), snapshot)?;
        Ok((id, snapshot, entries))
    })
    .await?;
    let reply = Dates { product: &id, snapshot, dates: entries.iter().map(DateView::from).collect() };
    Ok(at_snapshot(json(&reply)?, snapshot, asked.is_some()))
}
