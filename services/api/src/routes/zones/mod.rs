//! `/v1/zones`: registered zone sets and statistics by zone.
//!
//! | module | idea |
//! |---|---|
//! | [`columns`] | the columns of a statistics table and the `stats` parameter |
//! | [`question`] | from parameters to a `ZoneQuery`, and which zones are kept |
//! | [`answer`] | a table as JSON or CSV |

mod answer;
mod columns;
mod question;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tesela_grid::Titles;
use tesela_index::ZoneSetRow;

pub(crate) use columns::STATISTICS;

use super::negotiate::{Form, form_of};
use super::query::{Query, Segments};
use super::read::read;
use super::reply::{json, with_header};
use crate::request::Lang;
use crate::{ApiResult, AppState};

/// Query parameters of the list of sets.
pub(crate) const LIST_PARAMETERS: &[&str] = &["lang", "f"];

/// Query parameters of a statistics table.
pub(crate) const STATS_PARAMETERS: &[&str] = &[
    "product",
    "band",
    "expression",
    "datetime",
    "keys",
    "bbox",
    "bbox-crs",
    "stats",
    "min_coverage",
    "snapshot",
    "f",
];

/// Query parameters of one zone's series.
pub(crate) const SERIES_PARAMETERS: &[&str] =
    &["product", "band", "expression", "datetime", "stats", "min_coverage", "snapshot", "f"];

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/zones", get(list))
        .route("/v1/zones/{set}/stats", get(stats))
        .route("/v1/zones/{set}/items/{key}/series", get(series))
}

#[derive(Serialize)]
struct ZoneSets<'a> {
    zone_sets: Vec<ZoneSetView<'a>>,
}

/// A zone set in the list.
#[derive(Serialize)]
struct ZoneSetView<'a> {
    id: &'a str,
    title: String,
    zones: u64,
    key_field: &'a str,
    edition: Option<&'a str>,
    bbox: [f64; 4],
    synthetic: bool,
}

impl<'a> ZoneSetView<'a> {
    fn new(row: &'a ZoneSetRow, lang: Lang) -> Self {
        let b = row.bbox;
        Self {
            id: &row.id,
            title: title_of(row, lang),
            zones: row.zones,
            key_field: &row.key_field,
            edition: row.edition.as_deref(),
            bbox: [b.x_min, b.y_min, b.x_max, b.y_max],
            synthetic: row.synthetic,
        }
    }
}

/// A zone set's title in a language; its id when it has none.
pub(crate) fn title_of(row: &ZoneSetRow, lang: Lang) -> String {
    let titles: Titles = serde_json::from_str(&row.title).unwrap_or_default();
    lang.text_or(&titles, &row.id).to_owned()
}

async fn list(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> ApiResult<Response> {
    let query = Query::of(&uri, LIST_PARAMETERS)?;
    query.word("f", &["json"])?;
    let lang = Lang::negotiate(query.text("lang"), &headers);
    let catalog = read(&app, |cube| Ok(cube.catalog()?)).await?;
    let zone_sets = catalog.zone_sets.values().map(|row| ZoneSetView::new(row, lang)).collect();
    Ok(with_header(json(&ZoneSets { zone_sets })?, header::VARY, "accept-language"))
}

async fn stats(
    State(app): State<AppState>,
    Segments([set]): Segments<1>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::of(&uri, STATS_PARAMETERS)?;
    let form = form_of(&query, &headers, &[Form::Json, Form::Csv])?;
    let columns = columns::chosen(query.list("stats"))?;
    let kept = question::Kept::of(&query)?;
    let pinned = query.snapshot()?.is_some();
    let asked = question::Asked::of(set, &query)?;
    let table = app
        .run(move |cube| {
            let mut wanted = asked.resolved(cube)?;
            wanted.key = kept.only_key();
            let keep = kept.keys(cube, &wanted.set)?;
            let mut table = cube.zone_stats(&wanted)?;
            if let Some(keep) = keep {
                table.rows.retain(|row| keep.contains(&row.key));
            }
            Ok(table)
        })
        .await?;
    answer::table(&table, None, &columns, form, pinned)
}

async fn series(
    State(app): State<AppState>,
    Segments([set, key]): Segments<2>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::of(&uri, SERIES_PARAMETERS)?;
    let form = form_of(&query, &headers, &[Form::Json, Form::Csv])?;
    let columns = columns::chosen(query.list("stats"))?;
    let pinned = query.snapshot()?.is_some();
    let asked = question::Asked::of(set, &query)?;
    let every_period = query.text("datetime").is_none();
    let (key, table) = app
        .run(move |cube| {
            let mut wanted = asked.resolved(cube)?;
            wanted.key = Some(key.clone());
            wanted.all_periods |= every_period;
            Ok((key, cube.zone_stats(&wanted)?))
        })
        .await?;
    answer::table(&table, Some(&key), &columns, form, pinned)
}
