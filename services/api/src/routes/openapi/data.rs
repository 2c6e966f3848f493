//! Operations that answer with documents and tables.

use super::operation::{Answer, Operation, Refusal};
use crate::routes::{collections, dates, landing, lineage, series, snapshots, stac, zones};

const CSV: &str = "text/csv";
const JSON: &str = "application/json";

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        answers: &[Answer::of(JSON, "Landing"), Answer::text("text/html")],
        also: &[304],
        parameters: landing::PARAMETERS,
        ..document("/", "landing", "start", "Landing page, or the map viewer for browsers")
    },
    Operation {
        answers: &[Answer::of(JSON, "Conformance")],
        ..document("/conformance", "conformance", "start", "Conformance classes")
    },
    Operation {
        answers: &[
            Answer::of(landing::OPENAPI_TYPE, "Object"),
            Answer::of(landing::OLDER_OPENAPI_TYPE, "Object"),
        ],
        ..document("/api", "api", "start", "This definition")
    },
    Operation {
        answers: &[Answer::text("text/html")],
        ..document("/api.html", "api_html", "start", "This definition for people")
    },
    Operation {
        answers: &[
            Answer::text("text/javascript"),
            Answer::text("text/css"),
            Answer::text("text/html"),
            Answer::text("text/plain"),
            Answer::text("image/svg+xml"),
            Answer::of(JSON, "Any"),
        ],
        also: &[304],
        parameters: &[],
        ..document("/viewer/{path}", "viewer_file", "start", "A file of the map viewer")
    },
    Operation {
        answers: &[Answer::of(JSON, "Collections")],
        parameters: collections::PARAMETERS,
        ..document("/collections", "collections", "collections", "Products and zone sets")
    },
    Operation {
        answers: &[Answer::of(JSON, "Collection")],
        parameters: collections::PARAMETERS,
        ..document("/collections/{id}", "collection", "collections", "One product or zone set")
    },
    Operation {
        answers: &[Answer::of("application/geo+json", "FeatureCollection"), Answer::text(CSV)],
        parameters: collections::ITEMS_PARAMETERS,
        ..document("/collections/{id}/items", "items", "collections", "Zones of a set, page by page")
    },
    Operation {
        answers: &[Answer::of("application/geo+json", "Feature"), Answer::text(CSV)],
        parameters: collections::ITEM_PARAMETERS,
        ..document("/collections/{id}/items/{key}", "item", "collections", "One zone")
    },
    Operation {
        answers: &[Answer::of(JSON, "StacCatalog")],
        parameters: stac::PARAMETERS,
        ..document("/stac", "stac", "stac", "Catalogue of scenes and derived rasters")
    },
    Operation {
        answers: &[Answer::of(JSON, "Conformance")],
        ..document("/stac/conformance", "stac_conformance", "stac", "Conformance classes of the catalogue")
    },
    Operation {
        answers: &[Answer::of(JSON, "StacCollections")],
        parameters: stac::PARAMETERS,
        ..document("/stac/collections", "stac_collections", "stac", "Products")
    },
    Operation {
        answers: &[Answer::of(JSON, "StacCollection")],
        parameters: stac::PARAMETERS,
        ..document("/stac/collections/{id}", "stac_collection", "stac", "One product")
    },
    Operation {
        answers: &[Answer::of("application/geo+json", "StacItems")],
        parameters: stac::ITEMS_PARAMETERS,
        ..document("/stac/collections/{id}/items", "stac_items", "stac", "Scenes or rasters, page by page")
    },
    Operation {
        answers: &[Answer::of("application/geo+json", "StacItem")],
        parameters: stac::PARAMETERS,
        ..document(
            "/stac/collections/{id}/items/{item}",
            "stac_item",
            "stac",
            "A scene, or a raster with what it was made from and how",
        )
    },
    Operation {
        answers: &[Answer::of(JSON, "StacInputs")],
        parameters: stac::INPUTS_PARAMETERS,
        ..document(
            "/stac/collections/{id}/items/{item}/inputs",
            "stac_inputs",
            "stac",
            "All inputs of a raster, with their digests, page by page",
        )
    },
    Operation {
        answers: &[Answer::of(JSON, "Dates")],
        parameters: dates::PARAMETERS,
        ..document(
            "/v1/products/{id}/dates",
            "dates",
            "values",
            "Dates of a product, with the clear share in a box",
        )
    },
    Operation {
        answers: &[Answer::of(JSON, "Series"), Answer::text(CSV)],
        parameters: series::PARAMETERS,
        required: &["lon", "lat"],
        ..document("/v1/series", "series", "values", "Every observation of one pixel")
    },
    Operation {
        answers: &[Answer::of(JSON, "Lineage")],
        parameters: lineage::PARAMETERS,
        required: &["lon", "lat"],
        ..document("/v1/lineage", "lineage", "values", "The scenes behind a pixel")
    },
    Operation {
        answers: &[Answer::of(JSON, "Snapshots")],
        parameters: snapshots::PARAMETERS,
        ..document("/v1/snapshots", "snapshots", "values", "Commits, newest first")
    },
    Operation {
        answers: &[Answer::of(JSON, "Object")],
        also: &[304, 307],
        parameters: &[],
        ..document(
            "/zarr/{product}",
            "zarr_root",
            "values",
            "Root of a product's Zarr group; without @ it leads to the latest snapshot",
        )
    },
    Operation {
        answers: &[Answer::of(JSON, "Object"), Answer::bytes("application/octet-stream")],
        also: &[206, 304],
        parameters: &[],
        ..document(
            "/zarr/{product}/{key}",
            "zarr_key",
            "values",
            "A product as one Zarr v3 group of all dates and tiles; 404 is a chunk of nothing but fill",
        )
    },
    Operation {
        answers: &[Answer::of(JSON, "ZoneSets")],
        parameters: zones::LIST_PARAMETERS,
        ..document("/v1/zones", "zone_sets", "zones", "Zone sets")
    },
    Operation {
        answers: &[Answer::of(JSON, "ZoneTable"), Answer::text(CSV)],
        parameters: zones::STATS_PARAMETERS,
        ..document(
            "/v1/zones/{set}/stats",
            "zone_stats",
            "zones",
            "Statistics of a band or expression by zone",
        )
    },
    Operation {
        answers: &[Answer::of(JSON, "ZoneTable"), Answer::text(CSV)],
        parameters: zones::SERIES_PARAMETERS,
        ..document("/v1/zones/{set}/items/{key}/series", "zone_series", "zones", "One zone through time")
    },
    Operation {
        answers: &[Answer::of(JSON, "Health")],
        parameters: &[],
        ..document("/healthz", "healthz", "operation", "The process answers")
    },
    Operation {
        answers: &[Answer::of(JSON, "Health")],
        parameters: &[],
        ..document("/readyz", "readyz", "operation", "The catalogue can be read; 503 when not")
    },
    Operation {
        answers: &[Answer::text("text/plain")],
        parameters: &[],
        ..document("/metrics", "metrics", "operation", "Counters in Prometheus' text form")
    },
];

/// An operation with one form and problem documents.
const fn document(
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        path,
        id,
        tag,
        summary,
        parameters: &["f"],
        required: &[],
        answers: &[],
        also: &[],
        refusal: Refusal::Problem,
    }
}
