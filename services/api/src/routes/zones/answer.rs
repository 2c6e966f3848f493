//! A statistics table as JSON or CSV.

use axum::response::Response;
use serde::Serialize;
use tesela_compute::zones::{ZoneStatRow, ZoneTable};

use crate::ApiResult;
use crate::routes::negotiate::Form;
use crate::routes::reply::{as_download, at_snapshot, body_of, json};
use crate::routes::table::{Column, Rows};

#[derive(Serialize)]
struct TableView<'a> {
    zone_set: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    product: &'a str,
    band: &'a str,
    snapshot: u64,
    rows: Rows<'a, ZoneStatRow>,
}

/// The answer; `key` when it is one zone's series.
///
/// # Errors
/// 500 when it cannot be written.
pub(super) fn table(
    table: &ZoneTable,
    key: Option<&str>,
    columns: &[&Column<ZoneStatRow>],
    form: Form,
    pinned: bool,
) -> ApiResult<Response> {
    let rows = Rows { columns, rows: &table.rows };
    let ZoneTable { zone_set, product, band, snapshot, .. } = table;
    let response = if form == Form::Csv {
        let name: Vec<&str> = [zone_set, product, band].into_iter().map(String::as_str).chain(key).collect();
        let body = body_of("text/csv; charset=utf-8; header=present", rows.csv());
        as_download(body, &format!("{}.csv", name.join("_")))
    } else {
        json(&TableView { zone_set, key, product, band, snapshot: *snapshot, rows })?
    };
    Ok(at_snapshot(response, *snapshot, pinned))
}
