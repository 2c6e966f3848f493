//! `/v1/lineage`: the scenes behind a pixel, those of its tile whose bounds hold it.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tesela_compute::{Cube, Product};
use tesela_crs::transform_points;
use tesela_grid::{CrsName, GridDef, TileId};
use tesela_index::{GenerationRow, ProductKind, SceneRow, SlotRow};
use tesela_model::{Period, TimeSelector};

use super::choice::product_of;
use super::query::Query;
use super::read::{index_error, read};
use super::reply::{at_snapshot, finite, json};
use super::series::coordinate;
use crate::{ApiError, ApiResult, AppState};

/// Query parameters.
pub(crate) const PARAMETERS: &[&str] = &["lon", "lat", "product", "datetime", "snapshot", "f"];

/// Longest chain of derived products.
const LONGEST_CHAIN: usize = 8;

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/v1/lineage", get(lineage))
}

#[derive(Serialize)]
struct Lineage {
    product: String,
    snapshot: u64,
    lon: f64,
    lat: f64,
    tile: [i32; 2],
    period: Option<[String; 2]>,
    generation: Option<String>,
    provenance: Option<serde_json::Value>,
    scenes: Vec<SceneView>,
}

/// A scene.
#[derive(Serialize)]
struct SceneView {
    product: String,
    product_id: String,
    platform: String,
    path: u16,
    row: u16,
    acquired: String,
    solar_day: String,
    processed: Option<String>,
    tier: Option<String>,
    cloud_cover: Option<f64>,
    synthetic: bool,
}

impl From<SceneRow> for SceneView {
    fn from(row: SceneRow) -> Self {
        Self {
            product: row.product,
            product_id: row.product_id,
            platform: row.platform,
            path: row.wrs_path,
            row: row.wrs_row,
            acquired: row.acquired.to_string(),
            solar_day: row.solar_day,
            processed: row.processed,
            tier: row.tier,
            cloud_cover: row.cloud_cover.and_then(finite),
            synthetic: row.synthetic,
        }
    }
}

async fn lineage(State(app): State<AppState>, uri: Uri) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    query.word("f", &["json"])?;
    let (lon, lat) = (coordinate(&query, "lon", 180.0)?, coordinate(&query, "lat", 90.0)?);
    let time = query.datetime()?;
    let asked = query.snapshot()?;
    let product = query.text("product").map(str::to_owned);
    let found = read(&app, move |cube| {
        let snapshot = cube.snapshot(asked)?;
        let product = product_of(&*cube.catalog()?, product.as_deref(), ProductKind::Derived)?;
        behind(cube, &product, lon, lat, &time, snapshot)
    })
    .await?;
    Ok(at_snapshot(json(&found)?, found.snapshot, asked.is_some()))
}

fn behind(
    cube: &Cube,
    product: &Product,
    lon: f64,
    lat: f64,
    time: &TimeSelector,
    snapshot: u64,
) -> ApiResult<Lineage> {
    let tile = tile_of(&product.grid, lon, lat)?;
    let mut out = Lineage {
        product: product.id.clone(),
        snapshot,
        lon,
        lat,
        tile: [tile.ix, tile.iy],
        period: None,
        generation: None,
        provenance: None,
        scenes: Vec::new(),
    };
    let slots = match product.kind {
        ProductKind::Scenes => {
            let period = day_of(cube, product, time, snapshot)?;
            out.period = Some(text_of(&period));
            cube.index().slots(&product.id, Some(tile), &period, snapshot).map_err(index_error)?
        }
        ProductKind::Derived => {
            let generations = cube.index().generations(&product.id, snapshot).map_err(index_error)?;
            let periods: Vec<Period> = generations.iter().map(|g| g.period).collect();
            let Some(generation) = time.pick(&periods).map(|i| &generations[i]) else { return Ok(out) };
            out.period = Some(text_of(&generation.period));
            out.generation = Some(generation.prefix.clone());
            out.provenance = serde_json::from_str(&generation.provenance).ok();
            slots_behind(cube, generation, tile, LONGEST_CHAIN)?
        }
    };
    for slot in slots {
        let scenes = cube.index().slot_scenes(slot.id).map_err(index_error)?;
        out.scenes.extend(scenes.into_iter().filter(|scene| holds(scene, lon, lat)).map(SceneView::from));
    }
    Ok(out)
}

/// Whether a place lies within a scene's bounds.
fn holds(scene: &SceneRow, lon: f64, lat: f64) -> bool {
    scene.bbox.holds_place(lon, lat)
}

/// The span of a scenes product's time: the whole day that is shown for it.
fn day_of(cube: &Cube, product: &Product, time: &TimeSelector, snapshot: u64) -> ApiResult<Period> {
    Ok(match time {
        TimeSelector::Interval(period) => *period,
        _ => cube.moment(&product.id, time, snapshot)?.period,
    })
}

/// Slots of one tile that a raster was made from, through any rasters between.
fn slots_behind(cube: &Cube, made: &GenerationRow, tile: TileId, depth: usize) -> ApiResult<Vec<SlotRow>> {
    let index = cube.index();
    let wanted: BTreeSet<i64> = index.generation_slots(made.id).map_err(index_error)?.into_iter().collect();
    let sources: BTreeSet<i64> =
        index.generation_sources(made.id).map_err(index_error)?.into_iter().collect();
    let catalog = cube.catalog()?;
    let mut found = Vec::new();
    for product in catalog.products.values() {
        match product.kind {
            // One writer at a time: what went in was visible when the raster was committed.
            ProductKind::Scenes if !wanted.is_empty() => {
                let slots =
                    index.slots(&product.id, Some(tile), &made.period, made.added).map_err(index_error)?;
                found.extend(slots.into_iter().filter(|slot| wanted.contains(&slot.id)));
            }
            ProductKind::Derived if !sources.is_empty() && depth > 0 => {
                let inputs = index.generations(&product.id, made.added).map_err(index_error)?;
                for input in inputs.iter().filter(|g| sources.contains(&g.id)) {
                    found.extend(slots_behind(cube, input, tile, depth - 1)?);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn tile_of(grid: &GridDef, lon: f64, lat: f64) -> ApiResult<TileId> {
    let (mut x, mut y) = ([lon], [lat]);
    transform_points(&CrsName::lon_lat(), &grid.crs, &mut x, &mut y)
        .map_err(|e| ApiError::from(tesela_compute::ComputeError::from(e)))?;
    if x[0].is_finite() && y[0].is_finite() {
        Ok(grid.tile_at(x[0], y[0]))
    } else {
        Err(ApiError::parameter("lon", format!("the place lies outside what {} can describe", grid.crs)))
    }
}

fn text_of(period: &Period) -> [String; 2] {
    [period.start.to_string(), period.end.to_string()]
}
