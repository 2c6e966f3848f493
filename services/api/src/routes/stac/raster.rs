//! A derived raster as a STAC item: what it was made from and how, as the processing extension (1.2) says it.

use serde_json::{Map, Value, json};
use tesela_compute::recipe::RasterInput;
use tesela_compute::{ComputeError, Cube, Product};
use tesela_crs::{crs_info, lon_lat_bounds};
use tesela_grid::{BoundingBox, GridDef, TileId};
use tesela_index::GenerationRow;
use tesela_model::Instant;

use super::item::Item;
use super::{GEOJSON, Writing, item_path, no_item};
use crate::routes::links::{Link, encoded};
use crate::routes::read::index_error;
use crate::{ApiError, ApiResult};

const PROCESSING: &str = "https://stac-extensions.github.io/processing/v1.2.0/schema.json";
const PROJECTION: &str = "https://stac-extensions.github.io/projection/v2.0.0/schema.json";

/// Most inputs that an item links one by one: a country's year has thousands. The list of inputs has all.
pub(super) const MOST_LINKS: usize = 100;

/// Name of a raster's item: unique over all products.
pub(super) fn id_of(row: &GenerationRow) -> String {
    format!("{}_{}", row.product, row.period.label())
}

/// The raster whose item has that name.
///
/// # Errors
/// 404 when there is none at the snapshot.
pub(super) fn of_id(cube: &Cube, product: &Product, id: &str, writing: &Writing) -> ApiResult<GenerationRow> {
    let rows = cube.generations(&product.id, writing.snapshot)?;
    rows.iter().find(|row| id_of(row) == id).cloned().ok_or_else(|| no_item(&product.id, id, writing))
}

/// Longitude and latitude of a raster's tiles.
///
/// # Errors
/// 500 where its grid's CRS has none.
pub(super) fn bounds(grid: &GridDef, row: &GenerationRow) -> ApiResult<BoundingBox> {
    let nowhere = || ApiError::internal(&format!("{} has no longitude and latitude", row.prefix));
    lon_lat_bounds(&grid.crs, &on_grid(grid, row)).ok_or_else(nowhere)
}

fn on_grid(grid: &GridDef, row: &GenerationRow) -> BoundingBox {
    let first = grid.tile_bounds(row.tile_min);
    let last = grid.tile_bounds(TileId { ix: row.tile_end.ix - 1, iy: row.tile_end.iy - 1 });
    BoundingBox::new(first.x_min, first.y_min, last.x_max, last.y_max)
}

/// The item.
///
/// # Errors
/// Those of the index; as [`bounds`].
pub(super) fn document(
    cube: &Cube,
    product: &Product,
    row: &GenerationRow,
    writing: &Writing,
) -> ApiResult<Value> {
    let told: Value = serde_json::from_str(&row.provenance).unwrap_or_default();
    let inputs = Inputs::of(cube, row, &told)?;
    let made = cube.index().snapshot(row.added).map_err(index_error)?.map(|s| s.created.to_string());
    let last = Instant(row.period.end.0.saturating_sub(1).max(row.period.start.0));
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    let title = writing.lang.text_or(&product.title, &product.id);
    put("title", format!("{title}, {}", row.period.label()).into());
    put("datetime", row.period.start.to_string().into());
    put("start_datetime", row.period.start.to_string().into());
    put("end_datetime", last.to_string().into());
    if let Some(made) = made {
        put("created", made.as_str().into());
        put("processing:datetime", made.into());
    }
    if let Some((name, version)) = told["software"].as_str().and_then(|text| text.split_once(' ')) {
        put("processing:software", json!({name: version}));
    }
    if let Some(version) = told["recipe_version"].as_str() {
        put("processing:version", version.into());
    }
    if let Some(recipe) = product.recipe() {
        put("processing:level", recipe.reducer.processing_level().into());
    }
    put("processing:lineage", lineage(&told, &inputs, writing).into());
    if told["definition"].is_object() {
        put("processing:expression", json!({"format": "tesela-recipe", "expression": told["definition"]}));
    }
    projection(&product.grid, row, &mut properties)?;
    let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    put("tesela:status", told["status"].clone());
    put("tesela:added", row.added.into());
    put("tesela:generation", row.prefix.as_str().into());
    put(
        "tesela:recipe",
        json!({
            "id": told["recipe"], "version": told["recipe_version"], "digest": told["definition_digest"],
        }),
    );
    put("tesela:input_snapshot", told["input_snapshot"].clone());
    put("tesela:inputs", told["inputs"].clone());
    if !told["decided"].is_null() {
        put("tesela:decided", told["decided"].clone());
    }
    let id = id_of(row);
    let item = Item {
        product,
        id: &id,
        bounds: bounds(&product.grid, row)?,
        extensions: vec![PROCESSING, PROJECTION],
        properties,
        links: links(&id, &product.id, &inputs, writing),
    };
    Ok(item.document(writing))
}

/// What the raster was made from, as far as it is still known.
struct Inputs {
    /// The first of them, in order of time.
    first: Vec<RasterInput>,
    /// How many went in.
    count: u64,
    /// The snapshot at which all of them can be asked for; `None` when that has expired.
    snapshot: Option<u64>,
}

impl Inputs {
    fn of(cube: &Cube, row: &GenerationRow, told: &Value) -> ApiResult<Self> {
        let snapshot = told["input_snapshot"].as_u64().unwrap_or(row.added);
        let first = cube.raster_inputs(row, 0, MOST_LINKS)?;
        let count = told["inputs"]["count"].as_u64().unwrap_or(first.len() as u64);
        let kept = cube.index().require_snapshot(snapshot).is_ok();
        Ok(Self { first, count, snapshot: kept.then_some(snapshot) })
    }
}

/// Address of an input's item at the snapshot that the raster was made at.
pub(super) fn input_path(input: &RasterInput, snapshot: Option<u64>) -> String {
    let id = match input {
        RasterInput::Scene(row) => row.product_id.clone(),
        RasterInput::Raster(row) => id_of(row),
    };
    let path = item_path(input.product(), &id);
    snapshot.map_or_else(|| path.clone(), |n| format!("{path}?snapshot={n}"))
}

fn links(id: &str, product: &str, inputs: &Inputs, writing: &Writing) -> Vec<Link> {
    let Inputs { first, count, snapshot } = inputs;
    let mut out: Vec<Link> = Vec::with_capacity(first.len() + 2);
    // Where their snapshot has expired, what was replaced since has no address any more: the list still names it.
    if snapshot.is_some() {
        out.extend(
            first
                .iter()
                .map(|i| writing.links.link("derived_from", GEOJSON, &input_path(i, *snapshot), i.id())),
        );
    }
    let all = format!("{}/inputs", item_path(product, id));
    let title = match writing.lang.code() {
        "es" => format!("Los {count} insumos, con sus resúmenes criptográficos"),
        _ => format!("All {count} inputs, with their digests"),
    };
    out.push(writing.link("via", GEOJSON, &all, title));
    let lineage = format!("/v1/lineage?product={}&lon={{lon}}&lat={{lat}}", encoded(product));
    out.push(writing.links.link("related", "application/json", &lineage, "The scenes behind a pixel"));
    out
}

/// One sentence for people.
fn lineage(told: &Value, inputs: &Inputs, writing: &Writing) -> String {
    let word = |name: &str| told[name].as_str().unwrap_or("?").to_owned();
    let kind = told["definition"]["reducer"].as_object().and_then(|r| r.keys().next().cloned());
    let how = kind.unwrap_or_else(|| word("recipe"));
    let (input, mask, recipe, version) =
        (word("input"), word("mask"), word("recipe"), word("recipe_version"));
    let (count, n) = (inputs.count, &told["input_snapshot"]);
    let scenes = told["inputs"]["kind"] != "rasters";
    match writing.lang.code() {
        "es" => {
            let of = if scenes { "escenas" } else { "rásters" };
            format!(
                "{how} de {count} {of} de {input} (máscara {mask}) en la instantánea {n}; receta {recipe} {version}"
            )
        }
        _ => {
            let of = if scenes { "scenes" } else { "rasters" };
            format!(
                "{how} of {count} {of} of {input} (mask {mask}) at snapshot {n}; recipe {recipe} {version}"
            )
        }
    }
}

/// Where the pixels are, as the projection extension says it.
fn projection(grid: &GridDef, row: &GenerationRow, properties: &mut Map<String, Value>) -> ApiResult<()> {
    let b = on_grid(grid, row);
    let size = i64::from(grid.tile_size);
    let side = |end: i32, min: i32| i64::from(end - min) * size;
    match grid.crs.as_str() {
        code if code.starts_with("EPSG:") => properties.insert("proj:code".into(), code.into()),
        _ => {
            let info = crs_info(&grid.crs).map_err(ComputeError::from)?;
            properties.insert("proj:wkt2".into(), info.wkt2.as_str().into())
        }
    };
    properties.insert("proj:bbox".into(), json!([b.x_min, b.y_min, b.x_max, b.y_max]));
    let (height, width) = (side(row.tile_end.iy, row.tile_min.iy), side(row.tile_end.ix, row.tile_min.ix));
    properties.insert("proj:shape".into(), json!([height, width]));
    let r = grid.resolution;
    properties.insert("proj:transform".into(), json!([r, 0.0, b.x_min, 0.0, -r, b.y_max]));
    Ok(())
}
