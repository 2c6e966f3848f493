//! Map tiles by number: `/tiles/{layer}/{tms}/{z}/{x}/{y}.png` and `/tiles/{layer}/{tms}/tilejson.json`.
//!
//! Tiles without data are 204; names that mean nothing are problem documents.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tesela_compute::Cube;

use crate::picture::http::{Empty, SNAPSHOT, if_none_match, respond};
use crate::picture::tiles::{NoTile, deepest_useful, set, tile};
use crate::picture::{ImageFormat, PictureRequest, catalog, off_thread, picture};
use crate::request::text::{percent_encoded, shorten};
use crate::request::{BaseUrl, Lang, Params, time, values};
use crate::{ApiError, ApiResult, AppState};

/// Parameters that change a tile's picture.
const PAINTING: [&str; 6] = ["style", "datetime", "expression", "mask", "snapshot", "resampling"];

/// The routes of this file.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/tiles/{layer}/{tms}/{z}/{x}/{y}", get(get_tile))
        .route("/tiles/{layer}/{tms}/tilejson.json", get(get_tilejson))
}

async fn get_tile(
    State(state): State<AppState>,
    path: Result<Path<[String; 5]>, PathRejection>,
    params: Params,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Path([layer, tms, z, x, file]) = path.map_err(|e| bad_path(&e))?;
    params.only(&PAINTING)?;
    let (y, format) = file
        .rsplit_once('.')
        .and_then(|(y, extension)| Some((y.to_owned(), ImageFormat::of(extension)?)))
        .ok_or_else(|| {
            ApiError::not_found(
                "unknown_format",
                format!("{:?} ends in no known format; tiles are {{y}}.png or {{y}}.webp", shorten(&file)),
            )
        })?;
    let catalog = catalog(&state).await?;
    let target = set(&catalog, &tms).and_then(|set| tile(&set, &z, &y, &x)).map_err(|e| no_tile(&e))?;
    let mut request = PictureRequest::new(&layer, params.get("style").unwrap_or_default(), target);
    request.layers[0].expression = params.get("expression").map(str::to_owned);
    request.time = time::datetime(params.get("datetime"))?;
    request.mask = values::mask(params.get("mask"));
    request.resampling = values::resampling(params.get("resampling"))?;
    request.snapshot = time::snapshot(params.get("snapshot"))?;
    request.format = format;
    request.if_none_match = if_none_match(&headers);
    Ok(respond(picture(&state, request).await?, Empty::NoContent))
}

async fn get_tilejson(
    State(state): State<AppState>,
    path: Result<Path<[String; 2]>, PathRejection>,
    params: Params,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Path([layer, tms]) = path.map_err(|e| bad_path(&e))?;
    let known: Vec<&str> = PAINTING.into_iter().chain(["lang"]).collect();
    params.only(&known)?;
    let lang = Lang::negotiate(params.get("lang"), &headers);
    let base = BaseUrl::of(&state.config, &headers);
    let (snapshot, document) =
        off_thread(&state, move |cube| tilejson(cube, &layer, &tms, &params, lang, &base)).await?;
    Ok(([(SNAPSHOT, snapshot.to_string())], Json(document)).into_response())
}

/// TileJSON 3.0.0; the painting parameters of its own address are handed on to the tiles'.
fn tilejson(
    cube: &Cube,
    layer: &str,
    tms: &str,
    params: &Params,
    lang: Lang,
    base: &BaseUrl,
) -> ApiResult<(u64, Value)> {
    let catalog = cube.catalog()?;
    let product = catalog.product(layer)?;
    let set = set(&catalog, tms).map_err(|e| no_tile(&e))?;
    product.style(params.get("style").unwrap_or_default())?;
    let snapshot = cube.snapshot(time::snapshot(params.get("snapshot"))?)?;
    let extent = cube.extent(layer, snapshot)?.ok_or_else(|| {
        ApiError::not_found("no_data", format!("product {layer} has no data at snapshot {snapshot}"))
    })?;
    let bounds = extent.lon_lat;
    let handed_on: Vec<String> = PAINTING
        .into_iter()
        .filter_map(|name| Some(format!("{name}={}", percent_encoded(params.get(name)?))))
        .collect();
    let query = if handed_on.is_empty() { String::new() } else { format!("?{}", handed_on.join("&")) };
    let max_zoom = deepest_useful(&set, &product.grid, &bounds);
    let centre = bounds.middle_place();
    // TileJSON's bounds must not wrap around the 180th meridian.
    let bounds = bounds.not_across_180();
    let title = lang.marked(lang.text_or(&product.title, &product.id), catalog.synthetic);
    let document = json!({
        "tilejson": "3.0.0",
        "name": title,
        "description": lang.text(&product.description),
        "version": "1.0.0",
        "scheme": "xyz",
        "tiles": [format!("{base}/tiles/{layer}/{}/{{z}}/{{x}}/{{y}}.png{query}", set.id)],
        "minzoom": 0,
        "maxzoom": max_zoom,
        "bounds": [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max],
        "center": [centre.0, centre.1, max_zoom.saturating_sub(4)],
        "tileMatrixSet": set.id,
        "crs": set.crs.as_str(),
    });
    Ok((snapshot, document))
}

fn bad_path(rejection: &PathRejection) -> ApiError {
    ApiError::parameter("path", rejection.body_text())
}

fn no_tile(why: &NoTile) -> ApiError {
    let code = match why {
        NoTile::Set(_) => "unknown_tile_matrix_set",
        NoTile::Matrix(_) => "unknown_tile_matrix",
        NoTile::Row(_) | NoTile::Col(_) => "unknown_tile",
        NoTile::RowOutside(_) | NoTile::ColOutside(_) => "tile_out_of_range",
    };
    ApiError::not_found(code, why.message())
}
