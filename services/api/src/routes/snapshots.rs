//! `/v1/snapshots`: the commits, newest first.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tesela_index::SnapshotRow;

use super::query::Query;
use super::read::{index_error, read};
use super::reply::json;
use crate::{ApiResult, AppState};

/// Query parameters of the list.
pub(crate) const PARAMETERS: &[&str] = &["limit", "f"];

/// Commits listed unless `limit` says otherwise.
const USUAL_LIMIT: u64 = 100;

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/v1/snapshots", get(list))
}

#[derive(Serialize)]
struct SnapshotList {
    latest: u64,
    snapshots: Vec<SnapshotView>,
}

/// A commit.
#[derive(Serialize)]
struct SnapshotView {
    snapshot: u64,
    created: String,
    kind: String,
    summary: serde_json::Value,
}

impl From<SnapshotRow> for SnapshotView {
    fn from(row: SnapshotRow) -> Self {
        let summary = serde_json::from_str(&row.summary).unwrap_or(serde_json::Value::String(row.summary));
        Self { snapshot: row.n, created: row.created.to_string(), kind: row.kind, summary }
    }
}

async fn list(State(app): State<AppState>, uri: Uri) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    query.word("f", &["json"])?;
    let limit = query.integer("limit", 1..=1000)?.unwrap_or(USUAL_LIMIT);
    let (latest, rows) = read(&app, move |cube| {
        let rows = cube.index().snapshots(limit as usize).map_err(index_error)?;
        Ok((cube.catalog()?.snapshot, rows))
    })
    .await?;
    json(&SnapshotList { latest, snapshots: rows.into_iter().map(SnapshotView::from).collect() })
}
