//! A product as a STAC collection.

use serde_json::{Value, json};
use tesela_compute::query::ProductExtent;
use tesela_compute::{Cube, Product};
use tesela_model::Instant;

use super::{GEOJSON, JSON, STAC_VERSION, Writing};
use crate::ApiResult;
use crate::routes::links::encoded;

/// Address of a collection.
pub(super) fn path(product: &str) -> String {
    format!("/stac/collections/{}", encoded(product))
}

/// The document, at the snapshot being written.
///
/// # Errors
/// Those of reading the product's extent.
pub(super) fn document(cube: &Cube, product: &Product, writing: &Writing) -> ApiResult<Value> {
    let extent = cube.extent(&product.id, writing.snapshot)?;
    let own = path(&product.id);
    let title = writing.lang.text_or(&product.title, &product.id);
    let mut links = vec![
        writing.link("self", JSON, &own, title),
        writing.root(),
        writing.link("parent", JSON, "/stac", "Tesela"),
        writing.link("items", GEOJSON, &format!("{own}/items"), "Items"),
        writing.links.link(
            "alternate",
            JSON,
            &format!("/collections/{}", encoded(&product.id)),
            "OGC API collection",
        ),
    ];
    if let Some(recipe) = product.recipe() {
        links.push(writing.link("derived_from", JSON, &path(&recipe.input), recipe.input.as_str()));
    }
    Ok(json!({
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": product.id,
        "title": title,
        "description": writing.lang.text_or(&product.description, title),
        "license": "other",
        "extent": of(extent.as_ref()),
        "tesela:status": product.status.as_str(),
        "links": links,
    }))
}

/// STAC wants a box even where nothing is known yet: then the whole Earth.
fn of(extent: Option<&ProductExtent>) -> Value {
    let Some(ProductExtent { lon_lat: b, time }) = extent else {
        return json!({
            "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
            "temporal": {"interval": [[null, null]]},
        });
    };
    // Periods are half-open; STAC intervals hold both ends.
    let last = Instant(time.end.0.saturating_sub(1).max(time.start.0));
    json!({
        "spatial": {"bbox": [[b.x_min, b.y_min, b.x_max, b.y_max]]},
        "temporal": {"interval": [[time.start.to_string(), last.to_string()]]},
    })
}
