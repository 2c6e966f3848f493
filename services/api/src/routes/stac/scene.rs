//! A scene as a STAC item.

use serde_json::{Map, json};
use tesela_compute::recipe::RasterInput;
use tesela_compute::{Cube, Product};
use tesela_index::{SceneQuery, SceneRow};

use super::item::Item;
use super::{Writing, no_item};
use crate::ApiResult;
use crate::routes::read::index_error;
use crate::routes::reply::finite;

const EO: &str = "https://stac-extensions.github.io/eo/v2.0.0/schema.json";

/// The scene of that full identifier.
///
/// # Errors
/// 404 when there is none at the snapshot.
pub(super) fn of_id(cube: &Cube, product: &Product, id: &str, writing: &Writing) -> ApiResult<SceneRow> {
    let query = SceneQuery {
        product: Some(product.id.clone()),
        id: Some(id.to_owned()),
        limit: 1,
        ..SceneQuery::default()
    };
    let found = cube.index().scenes(&query, writing.snapshot).map_err(index_error)?;
    found.into_iter().next().ok_or_else(|| no_item(&product.id, id, writing))
}

/// The item.
///
/// # Errors
/// Those of the index.
pub(super) fn document(
    cube: &Cube,
    product: &Product,
    row: &SceneRow,
    writing: &Writing,
) -> ApiResult<serde_json::Value> {
    let mut properties = Map::new();
    let mut put = |name: &str, value: serde_json::Value| properties.insert(name.to_owned(), value);
    put("datetime", row.acquired.to_string().into());
    put("platform", row.platform.as_str().into());
    let mut extensions = Vec::new();
    if let Some(cloud) = row.cloud_cover.and_then(finite).filter(|c| (0.0..=100.0).contains(c)) {
        put("eo:cloud_cover", cloud.into());
        extensions.push(EO);
    }
    put("landsat:wrs_path", format!("{:03}", row.wrs_path).into());
    put("landsat:wrs_row", format!("{:03}", row.wrs_row).into());
    put("tesela:solar_day", row.solar_day.as_str().into());
    put("tesela:tier", json!(row.tier));
    put("tesela:processed", json!(row.processed));
    put("tesela:synthetic", row.synthetic.into());
    put("tesela:added", row.added.into());
    put("tesela:digest", cube.input_digest(&RasterInput::Scene(Box::new(row.clone())))?.into());
    let item =
        Item { product, id: &row.product_id, bounds: row.bbox, extensions, properties, links: Vec::new() };
    Ok(item.document(writing))
}
