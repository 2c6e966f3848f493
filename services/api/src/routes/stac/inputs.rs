//! All inputs of a raster with their digests: what an item's links are the beginning of.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use tesela_index::ProductKind;

use super::{Asked, GEOJSON, item_path, no_item, product, raster};
use crate::routes::query::{Query, Segments};
use crate::routes::read::{index_error, read};
use crate::routes::reply::json as json_reply;
use crate::{ApiResult, AppState};

/// Query parameters.
pub(crate) const PARAMETERS: &[&str] = &["limit", "offset", "lang", "snapshot", "f"];

/// Inputs listed unless `limit` says otherwise, and most of them.
const USUAL_LIMIT: u64 = 100;
const MOST: u64 = 1000;

/// A page of them, in order of time. The digest that the item records is blake3 of all lines `ID DIGEST`.
pub(super) async fn list(
    State(app): State<AppState>,
    Segments([id, name]): Segments<2>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    let limit = query.integer("limit", 1..=MOST)?.unwrap_or(USUAL_LIMIT);
    let offset = query.integer("offset", 0..=u64::from(u32::MAX))?.unwrap_or(0);
    let asked = Asked::of(&app, &query, &headers)?;
    read(&app, move |cube| {
        let (product, writing) = (product(&*cube.catalog()?, &id)?, asked.at(cube)?);
        if product.kind != ProductKind::Derived {
            return Err(no_item(&product.id, &name, &writing));
        }
        let row = raster::of_id(cube, &product, &name, &writing)?;
        let told: Value = serde_json::from_str(&row.provenance).unwrap_or_default();
        let snapshot = told["input_snapshot"].as_u64().unwrap_or(row.added);
        let kept = cube.index().require_snapshot(snapshot).map_err(index_error).is_ok();
        // One more tells whether there is another page.
        let mut found = cube.raster_inputs(&row, offset as usize, limit as usize + 1)?;
        let more = found.len() as u64 > limit;
        found.truncate(limit as usize);
        let inputs = found
            .iter()
            .map(|input| {
                let href = writing.links.href(&raster::input_path(input, kept.then_some(snapshot)));
                let digest = cube.input_digest(input)?;
                Ok(json!({
                    "id": input.id(), "collection": input.product(), "digest": digest,
                    "href": if kept { Some(href) } else { None },
                }))
            })
            .collect::<ApiResult<Vec<Value>>>()?;
        let own = item_path(&product.id, &name);
        let page = |offset: u64| format!("{own}/inputs?limit={limit}&offset={offset}");
        let mut links = vec![
            writing.link("self", "application/json", &page(offset), "This page"),
            writing.link("item", GEOJSON, &own, name.as_str()),
        ];
        if more {
            links.push(writing.link("next", "application/json", &page(offset + limit), "Next page"));
        }
        let reply = json!({
            "item": name, "recorded": told["inputs"], "input_snapshot": snapshot, "inputs": inputs, "links": links,
        });
        Ok(writing.finish(json_reply(&reply)?))
    })
    .await
}
