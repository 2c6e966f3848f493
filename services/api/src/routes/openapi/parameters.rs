//! Every parameter once.

use serde_json::{Value, json};
use tesela_compute::zones::DEFAULT_MIN_COVERAGE;

use crate::routes::zones::STATISTICS;

/// A variable of a path.
pub(super) fn in_path(path: &str, name: &str) -> Value {
    let (description, schema) = match name {
        "id" if path.starts_with("/v1/products") => ("Product", json!({"type": "string"})),
        "id" if path.starts_with("/stac") => ("Product", json!({"type": "string"})),
        "item" => (
            "A scene's full identifier; product and period of a raster: geomedian_annual_2020",
            json!({"type": "string"}),
        ),
        "id" => {
            ("Product or zone set; the @ of a zone set may be percent-encoded", json!({"type": "string"}))
        }
        "set" => ("Zone set; its @ may be percent-encoded", json!({"type": "string"})),
        "key" if path.starts_with("/zarr") => {
            ("Key of the Zarr v3 store: zarr.json, red/zarr.json, red/c/0/1/2", json!({"type": "string"}))
        }
        "product" if path.starts_with("/zarr") => {
            ("Product, and @ with the snapshot to read it at: geomedian_annual@17", json!({"type": "string"}))
        }
        "key" => ("Key of a zone", json!({"type": "string"})),
        "layer" | "product" => ("Product", json!({"type": "string"})),
        "style" => ("Style; default is the product's first", json!({"type": "string"})),
        "tms" => ("Tile matrix set: WebMercatorQuad, WorldCRS84Quad or a grid", json!({"type": "string"})),
        "z" => ("Tile matrix (zoom level)", json!({"type": "integer", "minimum": 0, "maximum": 30})),
        "x" => ("Tile column, from the west", json!({"type": "integer", "minimum": 0})),
        "y" => ("Tile row, from the north", json!({"type": "integer", "minimum": 0})),
        "i" => ("Column in the tile", json!({"type": "integer", "minimum": 0, "maximum": 255})),
        "j" => ("Row in the tile", json!({"type": "integer", "minimum": 0, "maximum": 255})),
        "time" => ("Time, or default or current", json!({"type": "string"})),
        "path" => ("File", json!({"type": "string"})),
        _ => ("", json!({"type": "string"})),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema})
}

/// A parameter of a query; the operation matters only for ranges and meanings of its own.
pub(super) fn in_query(operation: &str, name: &str, required: bool) -> Value {
    let (description, schema) = meaning(operation, name);
    json!({"name": name, "in": "query", "required": required, "description": description, "schema": schema})
}

fn meaning(operation: &str, name: &str) -> (&'static str, Value) {
    let text = || json!({"type": "string"});
    let number = |low: f64, high: f64| json!({"type": "number", "minimum": low, "maximum": high});
    let whole = |low: u64, high: u64, usual: u64| json!({"type": "integer", "minimum": low, "maximum": high, "default": usual});
    let word = |words: &[&str]| json!({"type": "string", "enum": words});
    match (name, operation) {
        ("f", "landing") => ("Form of the answer; else by Accept", word(&["json", "html"])),
        ("f", "items" | "item") => ("Form of the answer; else by Accept", word(&["geojson", "json", "csv"])),
        ("f", "series" | "zone_stats" | "zone_series") => {
            ("Form of the answer; else by Accept", word(&["json", "csv"]))
        }
        (
            "f",
            "stac" | "stac_collections" | "stac_collection" | "stac_items" | "stac_item" | "stac_inputs",
        ) => ("Form of the answer; there is one", word(&["json", "geojson"])),
        ("f", "api") => ("Version: json is 3.1, oas30 is 3.0", word(&["json", "oas30"])),
        ("f", "api_html") => ("Form of the answer", word(&["html"])),
        ("f", _) => ("Form of the answer", word(&["json"])),
        ("lang", _) => (
            "Language of titles; else by Accept-Language",
            json!({"type": "string", "examples": ["es", "en"]}),
        ),
        ("limit", "items") => ("Most items in the answer", whole(1, 10_000, 10)),
        ("limit", "stac_items") => ("Most items in the answer", whole(1, 1000, 10)),
        ("limit", "stac_inputs") => ("Most inputs in the answer", whole(1, 1000, 100)),
        ("limit", _) => ("Most commits in the answer", whole(1, 1000, 100)),
        ("token", _) => ("Where a page begins; from a link rel=next", text()),
        ("offset", _) => ("Items passed over", json!({"type": "integer", "minimum": 0, "default": 0})),
        ("bbox", _) => (
            "west,south,east,north in bbox-crs and its axis order; in degrees west above east crosses the 180th meridian",
            json!({"type": "string", "examples": ["-102.4,21.8,-102.2,22"]}),
        ),
        ("bbox-crs", _) => (
            "CRS of bbox; longitude and latitude unless given",
            json!({"type": "string", "examples": ["EPSG:6372", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"]}),
        ),
        ("datetime", "items") => ("Accepted and checked; zones have no time, so that all fit", text()),
        ("datetime", "zone_stats") => (
            "Periods: a time, an interval, or all; absent is the latest",
            json!({"type": "string", "examples": ["2024", "2020/2024", "all"]}),
        ),
        ("datetime", "series" | "zone_series" | "stac_items") => (
            "Only within this time",
            json!({"type": "string", "examples": ["2024", "2020-01-01/2024-12-31", "../2010"]}),
        ),
        ("datetime" | "time", _) => (
            "Which time is shown; absent, default and current are the latest",
            json!({"type": "string", "examples": ["2024", "2024-03", "2024-03-05"]}),
        ),
        ("snapshot", _) => {
            ("Read at this commit; the latest unless given", json!({"type": "integer", "minimum": 0}))
        }
        ("product", "zone_stats" | "zone_series" | "lineage") => {
            ("Product; needed unless there is only one derived product", text())
        }
        ("product", _) => ("Product; needed unless there is only one product of scenes", text()),
        ("band", _) => ("Band; needed unless the product has only one or expression is given", text()),
        ("bands", _) => ("Names of bands, comma between; all unless given", text()),
        ("expression", _) => {
            ("Arithmetic over band names", json!({"type": "string", "examples": ["(nir-red)/(nir+red)"]}))
        }
        ("lon", _) => ("Longitude, degrees", number(-180.0, 180.0)),
        ("lat", _) => ("Latitude, degrees", number(-90.0, 90.0)),
        ("mask", _) => ("Named mask of the product, or none", text()),
        ("masked", _) => {
            ("Whether masked observations are kept, with used=false and a reason", word(&["keep", "drop"]))
        }
        ("keys", _) => ("Keys of zones, comma between; at most 1000", text()),
        ("stats", _) => (
            "Statistics in the table, comma between; all unless given",
            json!({"type": "string", "examples": [STATISTICS.join(",")]}),
        ),
        ("min_coverage", _) => {
            let mut share = number(0.0, 1.0);
            share["default"] = DEFAULT_MIN_COVERAGE.into();
            ("Share of valid area below which values are null, with a reason", share)
        }
        ("resampling", _) => ("How pixels are resampled", word(&["nearest", "bilinear", "cubic"])),
        ("style", _) => ("Style; the product's first unless given", text()),
        ("format", _) => ("Format of the picture", text()),
        _ => ("See the protocol's standard", text()),
    }
}
