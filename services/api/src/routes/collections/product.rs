//! A product's collection document.

use serde_json::{Map, Value, json};
use tesela_compute::{Catalog, Cube, Product};
use tesela_crs::crs_info;
use tesela_grid::GridDef;
use tesela_index::ProductKind;
use tesela_model::{Band, TimeSelector};

use super::{Writing, extent, style};
use crate::ApiResult;
use crate::request::Lang;
use crate::routes::links::Link;

/// The document, at the snapshot being written.
///
/// # Errors
/// Those of reading the product's extent.
pub(super) fn document(
    cube: &Cube,
    catalog: &Catalog,
    product: &Product,
    writing: &Writing,
) -> ApiResult<Value> {
    let lang = writing.lang;
    let found = cube.extent(&product.id, writing.snapshot)?;
    let styles: Vec<Value> =
        product.styles.iter().enumerate().map(|(i, s)| style::document(s, i == 0, lang)).collect();
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("id", product.id.as_str().into());
    put("title", lang.text_or(&product.title, &product.id).into());
    put("description", lang.text(&product.description).into());
    put("extent", extent::of_product(found.as_ref()));
    put("crs", json!([super::CRS84]));
    put("tesela:kind", kind(product.kind).into());
    put("tesela:status", product.status.as_str().into());
    put("tesela:synthetic", catalog.synthetic.into());
    put("tesela:grid", grid(&product.grid)?);
    put("tesela:bands", product.bands.iter().map(|b| band(b, lang)).collect());
    put("tesela:styles", styles.into());
    put(
        "tesela:masks",
        product.scenes().map(|d| d.masks.keys().cloned().collect::<Vec<_>>()).unwrap_or_default().into(),
    );
    put(
        "tesela:datetime",
        json!({"default": default_date(cube, product, found.is_some(), writing.snapshot)?}),
    );
    put("links", json!(links(product, writing)));
    Ok(Value::Object(out))
}

/// The date a map shows when none is asked for: the latest in the list of dates.
fn default_date(cube: &Cube, product: &Product, has_data: bool, snapshot: u64) -> ApiResult<Option<String>> {
    if !has_data {
        return Ok(None);
    }
    let moment = cube.moment(&product.id, &TimeSelector::Latest, snapshot)?;
    Ok(Some(match product.kind {
        // A scene's day is its solar day, which may differ from the UTC date.
        ProductKind::Scenes => moment.label,
        ProductKind::Derived => moment.period.start.date().to_string(),
    }))
}

fn kind(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::Scenes => "scenes",
        ProductKind::Derived => "derived",
    }
}

/// A grid as clients compute with it; `proj4` is for `proj4js`.
fn grid(grid: &GridDef) -> ApiResult<Value> {
    let info = crs_info(&grid.crs).map_err(tesela_compute::ComputeError::from)?;
    Ok(json!({
        "id": grid.id,
        "crs": grid.crs.as_str(),
        "resolution_m": grid.resolution,
        "tile_size_px": grid.tile_size,
        "origin": grid.origin,
        "proj4": info.proj4,
    }))
}

fn band(band: &Band, lang: Lang) -> Value {
    // A dimensionless reflectance has unit 1; a quality word has none.
    let unit = (band.flags.is_none() && !band.unit.is_empty()).then_some(band.unit.as_str());
    json!({
        "name": band.name,
        "title": lang.text_or(&band.title, &band.name),
        "unit": unit,
        "scale": band.scale,
        "offset": band.offset,
        "dtype": band.dtype.as_str(),
    })
}

fn links(product: &Product, writing: &Writing) -> Vec<Link> {
    let Writing { lang, links, .. } = writing;
    let id = &product.id;
    let title = lang.text_or(&product.title, id);
    let mut out = vec![
        links.link("self", "application/json", &format!("/collections/{id}"), title),
        links.link(
            "describedby",
            "application/json",
            &format!("/tiles/{id}/WebMercatorQuad/tilejson.json"),
            "TileJSON",
        ),
        links.link(
            "item",
            "image/png",
            &format!("/tiles/{id}/WebMercatorQuad/{{z}}/{{x}}/{{y}}.png"),
            "Map tiles (XYZ)",
        ),
        links.link("alternate", "application/xml", "/wmts/1.0.0/WMTSCapabilities.xml", "WMTS"),
        links.link("alternate", "text/xml", "/wms?SERVICE=WMS&REQUEST=GetCapabilities", "WMS"),
        links.link("related", "application/json", &format!("/v1/products/{id}/dates"), "Dates"),
    ];
    for style in &product.styles {
        let path = format!("/legends/{id}/{}.png", style.name);
        let title = lang.text_or(&style.title, &style.name);
        out.push(links.link("http://www.opengis.net/def/rel/ogc/1.0/legend", "image/png", &path, title));
    }
    out
}
