//! The API definition: OpenAPI 3.1, assembled from one table of operations and the routes' own parameter lists.
//!
//! | module | idea |
//! |---|---|
//! | [`operation`] | what is said of one address |
//! | [`data`] | the operations that answer with documents and tables |
//! | [`maps`] | the operations that answer with pictures and with OGC documents |
//! | [`parameters`] | every parameter once: one vocabulary |
//! | [`schemas`] | the shapes of answers |
//! | [`older`] | the same in OpenAPI 3.0 |
//! | [`page`] | the same for people |

mod data;
mod maps;
mod older;
mod operation;
mod page;
mod parameters;
mod schemas;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use operation::Operation;

/// The document, made once.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// The document in OpenAPI 3.0.
static OLDER: LazyLock<Value> = LazyLock::new(|| older::reworded(&DOCUMENT));

/// The document, shared.
pub(crate) fn shared() -> &'static Value {
    &DOCUMENT
}

/// The document in OpenAPI 3.0, shared.
pub(crate) fn older() -> &'static Value {
    &OLDER
}

/// The page for people.
pub(crate) fn page(document: &Value) -> String {
    page::html(document)
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    data::OPERATIONS.iter().chain(maps::OPERATIONS)
}

fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        paths.insert(operation.path.to_owned(), json!({"get": operation.document()}));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tesela",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A data cube of satellite images: maps, time series and statistics by zone. Every answer names \
                the snapshot (commit) it was read at in the header Tesela-Snapshot; snapshot=N gives the same values again. \
                HEAD is answered wherever GET is. Errors are RFC 9457 problem documents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "start", "description": "Where clients begin"},
            {"name": "collections", "description": "Products and zone sets (OGC API)"},
            {"name": "stac", "description": "Scenes and derived rasters as STAC items, with their provenance"},
            {"name": "values", "description": "Dates, time series, lineage"},
            {"name": "zones", "description": "Statistics by zone"},
            {"name": "maps", "description": "Pictures: XYZ, WMTS, WMS, legends"},
            {"name": "operation", "description": "Probes and metrics"},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "headers": {
                "Tesela-Snapshot": {
                    "description": "The snapshot (commit) the answer was read at",
                    "schema": {"type": "integer", "minimum": 0},
                },
                "Tesela-Datetime": {"description": "The time the picture shows", "schema": {"type": "string"}},
            },
            "responses": {
                "Problem": {
                    "description": "Refused or failed; detail says what was wrong and what would be right",
                    "headers": {"Tesela-Snapshot": {"$ref": "#/components/headers/Tesela-Snapshot"}},
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
                "OgcException": {
                    "description": "Refused or failed, in the protocol's own words",
                    "headers": {"Tesela-Snapshot": {"$ref": "#/components/headers/Tesela-Snapshot"}},
                    "content": {
                        "application/xml": {"schema": {"type": "string"}},
                        "text/xml": {"schema": {"type": "string"}},
                        "application/vnd.ogc.se_xml": {"schema": {"type": "string"}},
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
                    },
                },
            },
        },
    })
}
