//! What items of scenes and of rasters have in common.

use serde_json::{Map, Value, json};
use tesela_compute::Product;
use tesela_grid::BoundingBox;

use super::{GEOJSON, JSON, STAC_VERSION, Writing, collection, item_path};
use crate::routes::links::{Link, encoded};

/// Extension of scale and offset.
const RASTER: &str = "https://stac-extensions.github.io/raster/v2.0.0/schema.json";

/// An item of a product: its properties, with the extensions they need and links of its own.
pub(super) struct Item<'i> {
    pub(super) product: &'i Product,
    pub(super) id: &'i str,
    /// Longitude and latitude; west above east crosses the 180th meridian.
    pub(super) bounds: BoundingBox,
    pub(super) extensions: Vec<&'static str>,
    pub(super) properties: Map<String, Value>,
    pub(super) links: Vec<Link>,
}

impl Item<'_> {
    pub(super) fn document(mut self, writing: &Writing) -> Value {
        let Self { product, id, bounds: b, .. } = self;
        self.extensions.push(RASTER);
        let collection = collection::path(&product.id);
        let title = writing.lang.text_or(&product.title, &product.id);
        let mut links = vec![
            writing.link("self", GEOJSON, &item_path(&product.id, id), "This item"),
            writing.root(),
            writing.link("parent", JSON, &collection, title),
            writing.link("collection", JSON, &collection, title),
        ];
        links.extend(self.links);
        json!({
            "type": "Feature",
            "stac_version": STAC_VERSION,
            "stac_extensions": self.extensions,
            "id": id,
            "collection": product.id,
            "geometry": geometry(&b),
            "bbox": [b.x_min, b.y_min, b.x_max, b.y_max],
            "properties": self.properties,
            "assets": {"zarr": zarr(product, writing)},
            "links": links,
        })
    }
}

/// The product as one Zarr group of all dates at the snapshot: the item is one step of its time axis.
fn zarr(product: &Product, writing: &Writing) -> Value {
    let bands: Vec<Value> = product
        .bands
        .iter()
        .map(|band| {
            let nodata = if band.nodata.is_nan() { json!("nan") } else { json!(band.nodata) };
            json!({
                "name": band.name,
                "description": writing.lang.text_or(&band.title, &band.name),
                "data_type": band.dtype.as_str(),
                "nodata": nodata,
                "unit": band.unit,
                "raster:scale": band.scale,
                "raster:offset": band.offset,
            })
        })
        .collect();
    json!({
        "href": writing.links.href(&format!("/zarr/{}@{}", encoded(&product.id), writing.snapshot)),
        "type": "application/vnd.zarr; version=3",
        "title": match writing.lang.code() {
            "es" => "Grupo Zarr v3 de todas las fechas",
            _ => "Zarr v3 group of all dates",
        },
        "roles": ["data"],
        "bands": bands,
    })
}

/// A box as GeoJSON: two polygons where it crosses the 180th meridian.
fn geometry(b: &BoundingBox) -> Value {
    let ring = |west: f64, east: f64| {
        json!([[[west, b.y_min], [east, b.y_min], [east, b.y_max], [west, b.y_max], [west, b.y_min]]])
    };
    if b.x_min > b.x_max {
        json!({"type": "MultiPolygon", "coordinates": [ring(b.x_min, 180.0), ring(-180.0, b.x_max)]})
    } else {
        json!({"type": "Polygon", "coordinates": ring(b.x_min, b.x_max)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_across_the_meridian_is_two() {
        let one = geometry(&BoundingBox::new(-103.0, 21.0, -102.0, 22.0));
        assert_eq!(
            (&one["type"], one["coordinates"][0].as_array().map(Vec::len)),
            (&"Polygon".into(), Some(5))
        );
        let two = geometry(&BoundingBox::new(179.0, -1.0, -179.0, 1.0));
        assert_eq!(two["type"], "MultiPolygon");
        assert_eq!(
            (&two["coordinates"][0][0][1], &two["coordinates"][1][0][0]),
            (&json!([180.0, -1.0]), &json!([-180.0, -1.0]))
        );
    }
}
