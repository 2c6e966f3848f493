//! Shapes of the JSON answers.

use serde_json::{Map, Value, json};

/// Every schema, by name.
pub(super) fn all() -> Value {
    let mut out = Map::new();
    for part in [general(), collections(), stac(), values(), zones()] {
        if let Value::Object(part) = part {
            out.extend(part);
        }
    }
    Value::Object(out)
}

/// An object whose named members are all there; others may be.
fn object(members: &Value) -> Value {
    let names: Vec<String> = members.as_object().map(|m| m.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "required": names, "properties": members})
}

/// An array of a named schema.
fn list(name: &str) -> Value {
    json!({"type": "array", "items": reference(name)})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn maybe(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn numbers(n: usize) -> Value {
    json!({"type": "array", "items": {"type": "number"}, "minItems": n, "maxItems": n})
}

fn general() -> Value {
    json!({
        "Any": {},
        "TileJson": {
            "type": "object",
            "required": ["tilejson", "tiles", "minzoom", "maxzoom", "bounds"],
            "properties": {
                "tilejson": {"const": "3.0.0"},
                "name": text(),
                "tiles": {"type": "array", "items": text(), "minItems": 1},
                "minzoom": count(),
                "maxzoom": count(),
                "bounds": numbers(4),
            },
        },
        "Object": {"type": "object"},
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string", "description": "urn:tesela:problem: and a stable code"},
                "title": text(),
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": text(),
                "parameter": {"type": "string", "description": "The request parameter at fault"},
            },
        },
        "Link": {
            "type": "object",
            "required": ["href", "rel", "type"],
            "properties": {
                "href": text(), "rel": text(), "type": text(), "title": text(), "templated": {"type": "boolean"},
            },
        },
        "Landing": object(&json!({"title": text(), "description": text(), "links": list("Link")})),
        "Conformance": object(&json!({"conformsTo": {"type": "array", "items": text()}})),
        "Health": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"const": "ok"}, "snapshot": count(), "products": count()},
        },
    })
}

fn collections() -> Value {
    json!({
        "Collections": object(&json!({"links": list("Link"), "collections": list("Collection")})),
        "Collection": {
            "type": "object",
            "required": ["id", "title", "extent", "links", "tesela:kind", "tesela:synthetic"],
            "properties": {
                "id": text(),
                "title": text(),
                "description": text(),
                "extent": reference("Extent"),
                "itemType": text(),
                "crs": {"type": "array", "items": text()},
                "links": list("Link"),
                "tesela:kind": {"type": "string", "enum": ["scenes", "derived", "zones"]},
                "tesela:status": reference("Status"),
                "tesela:synthetic": {"type": "boolean", "description": "Generated, not observed"},
                "tesela:grid": reference("Grid"),
                "tesela:bands": list("Band"),
                "tesela:styles": list("Style"),
                "tesela:masks": {"type": "array", "items": text()},
                "tesela:datetime": object(&json!({"default": maybe("string")})),
                "tesela:zones": count(),
                "tesela:key_field": text(),
                "tesela:edition": maybe("string"),
            },
        },
        "Status": {"type": "string", "enum": ["experimental", "preliminary", "official", "superseded"]},
        "Extent": {
            "type": "object",
            "properties": {
                "spatial": object(&json!({
                    "bbox": {"type": "array", "minItems": 1, "items": numbers(4)},
                    "crs": text(),
                })),
                "temporal": {
                    "type": "object",
                    "required": ["interval"],
                    "properties": {
                        "interval": {
                            "type": "array",
                            "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": maybe("string")},
                        },
                        "trs": text(),
                    },
                },
            },
        },
        "Grid": object(&json!({
            "id": text(), "crs": text(), "resolution_m": number(), "tile_size_px": count(),
            "origin": numbers(2), "proj4": text(),
        })),
        "Band": object(&json!({
            "name": text(), "title": text(), "unit": maybe("string"), "scale": number(), "offset": number(),
            "dtype": {"type": "string", "enum": ["uint8", "uint16", "int16", "float32"]},
        })),
        "Style": {
            "type": "object",
            "required": ["name", "title", "legend"],
            "properties": {
                "name": text(),
                "title": text(),
                "default": {"type": "boolean"},
                "legend": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"type": "string", "enum": ["rgb", "ramp", "classes", "none"]}},
                },
            },
        },
        "FeatureCollection": object(&json!({
            "type": {"const": "FeatureCollection"},
            "numberMatched": count(),
            "numberReturned": count(),
            "timeStamp": text(),
            "links": list("Link"),
            "features": list("Feature"),
        })),
        "Feature": {
            "type": "object",
            "required": ["type", "id", "geometry", "properties"],
            "properties": {
                "type": {"const": "Feature"},
                "id": text(),
                "geometry": {"type": ["object", "null"]},
                "properties": {"type": ["object", "null"]},
                "links": list("Link"),
            },
        },
    })
}

fn stac() -> Value {
    let version = json!({"const": "1.1.0"});
    let item = object(&json!({
        "type": {"const": "Feature"}, "stac_version": version, "id": text(), "collection": text(),
        "stac_extensions": {"type": "array", "items": text()},
        "geometry": {"type": "object"}, "bbox": numbers(4),
        "properties": {"type": "object", "required": ["datetime"]},
        "assets": {"type": "object"}, "links": list("Link"),
    }));
    let collection = object(&json!({
        "type": {"const": "Collection"}, "stac_version": version, "id": text(), "title": text(),
        "description": text(), "license": text(), "extent": reference("Extent"),
        "tesela:status": reference("Status"), "links": list("Link"),
    }));
    json!({
        "StacCatalog": object(&json!({
            "type": {"const": "Catalog"}, "stac_version": version, "id": text(), "title": text(),
            "description": text(), "conformsTo": {"type": "array", "items": text()}, "links": list("Link"),
        })),
        "StacCollection": collection,
        "StacCollections": object(&json!({"collections": list("StacCollection"), "links": list("Link")})),
        "StacItem": item,
        "StacItems": object(&json!({
            "type": {"const": "FeatureCollection"}, "numberReturned": count(), "features": list("StacItem"),
            "links": list("Link"),
        })),
        "StacInputs": object(&json!({
            "item": text(), "input_snapshot": count(), "links": list("Link"),
            "recorded": {
                "type": ["object", "null"],
                "description": "kind, count and digest: blake3 of all lines ID DIGEST, as kept with the raster",
            },
            "inputs": {"type": "array", "items": object(&json!({
                "id": text(), "collection": text(), "digest": text(), "href": maybe("string"),
            }))},
        })),
    })
}

fn values() -> Value {
    json!({
        "Dates": object(&json!({
            "product": text(),
            "snapshot": count(),
            "dates": {"type": "array", "items": object(&json!({
                "datetime": text(), "label": text(), "platform": maybe("string"),
                "clear_fraction": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            }))},
        })),
        "Series": object(&json!({
            "product": text(),
            "snapshot": count(),
            "location": object(&json!({
                "lon": number(), "lat": number(), "crs": text(), "x": maybe("number"), "y": maybe("number"),
                "tile": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                "col": count(), "row": count(),
            })),
            "bands": {"type": "array", "items": object(&json!({"name": text(), "unit": text()}))},
            "observations": {"type": "array", "items": object(&json!({
                "datetime": text(),
                "platform": maybe("string"),
                "values": {"type": "object", "additionalProperties": maybe("number")},
                "used": {"type": "boolean"},
                "reason": maybe("string"),
            }))},
        })),
        "Lineage": object(&json!({
            "product": text(), "snapshot": count(), "lon": number(), "lat": number(),
            "tile": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            "period": {"type": ["array", "null"], "items": text()},
            "generation": maybe("string"),
            "provenance": {},
            "scenes": {"type": "array", "items": object(&json!({
                "product": text(), "product_id": text(), "platform": text(), "path": count(), "row": count(),
                "acquired": text(), "solar_day": text(), "processed": maybe("string"), "tier": maybe("string"),
                "cloud_cover": maybe("number"), "synthetic": {"type": "boolean"},
            }))},
        })),
        "Snapshots": object(&json!({
            "latest": count(),
            "snapshots": {"type": "array", "items": object(&json!({
                "snapshot": count(), "created": text(), "kind": text(), "summary": {},
            }))},
        })),
    })
}

fn zones() -> Value {
    json!({
        "ZoneSets": object(&json!({
            "zone_sets": {"type": "array", "items": object(&json!({
                "id": text(), "title": text(), "zones": count(), "key_field": text(),
                "edition": maybe("string"), "bbox": numbers(4), "synthetic": {"type": "boolean"},
            }))},
        })),
        "ZoneTable": {
            "type": "object",
            "required": ["zone_set", "product", "band", "snapshot", "rows"],
            "properties": {
                "zone_set": text(), "key": text(), "product": text(), "band": text(), "snapshot": count(),
                "rows": list("ZoneRow"),
            },
        },
        "ZoneRow": {
            "type": "object",
            "required": ["key", "datetime", "band", "coverage", "valid_area_m2", "area_m2", "method", "status", "snapshot"],
            "properties": {
                "key": text(),
                "datetime": text(),
                "band": text(),
                "count": {"type": ["number", "null"], "description": "Sum of the coverage fractions of valid cells"},
                "mean": maybe("number"),
                "sd": maybe("number"),
                "min": maybe("number"),
                "max": maybe("number"),
                "median": maybe("number"),
                "coverage": {"type": ["number", "null"], "description": "Valid share of the zone, 0 to 1"},
                "valid_area_m2": maybe("number"),
                "area_m2": maybe("number"),
                "clear_obs_mean": maybe("number"),
                "emad_mean": maybe("number"),
                "method": text(),
                "status": reference("Status"),
                "snapshot": count(),
                "reason": {"type": ["string", "null"], "description": "Why values are null"},
            },
        },
    })
}
