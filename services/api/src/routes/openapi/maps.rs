//! Operations that answer with pictures and with OGC documents.

use super::operation::{Answer, Operation, Refusal};

const PNG: &str = "image/png";
const WEBP: &str = "image/webp";

/// Parameters that change a tile's picture.
const PAINTING: &[&str] = &["style", "datetime", "expression", "mask", "resampling", "snapshot"];

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        answers: &[Answer::bytes(PNG)],
        also: &[204, 304],
        parameters: PAINTING,
        ..map("/tiles/{layer}/{tms}/{z}/{x}/{y}.png", "tile_png", "A map tile, PNG")
    },
    Operation {
        answers: &[Answer::bytes(WEBP)],
        also: &[204, 304],
        parameters: PAINTING,
        ..map("/tiles/{layer}/{tms}/{z}/{x}/{y}.webp", "tile_webp", "A map tile, lossless WebP")
    },
    Operation {
        answers: &[Answer::of("application/json", "TileJson")],
        parameters: &["style", "datetime", "expression", "mask", "resampling", "snapshot", "lang"],
        ..map("/tiles/{layer}/{tms}/tilejson.json", "tilejson", "TileJSON 3.0.0 of a product")
    },
    Operation {
        answers: &[Answer::bytes(PNG)],
        also: &[304],
        parameters: &["lang"],
        ..map("/legends/{layer}/{style}.png", "legend", "A style's legend")
    },
    Operation {
        answers: &[
            Answer::text("application/xml"),
            Answer::bytes(PNG),
            Answer::bytes(WEBP),
            Answer::of("application/json", "Any"),
        ],
        also: &[204, 304],
        parameters: &[
            "SERVICE",
            "REQUEST",
            "VERSION",
            "LAYER",
            "STYLE",
            "FORMAT",
            "TILEMATRIXSET",
            "TILEMATRIX",
            "TILEROW",
            "TILECOL",
            "TIME",
            "I",
            "J",
            "INFOFORMAT",
            "AcceptVersions",
            "Sections",
            "AcceptFormats",
            "lang",
        ],
        refusal: Refusal::Ogc,
        ..map("/wmts", "wmts_kvp", "WMTS 1.0.0, KVP: GetCapabilities, GetTile, GetFeatureInfo")
    },
    Operation {
        answers: &[Answer::text("application/xml")],
        also: &[304],
        parameters: &["lang"],
        refusal: Refusal::Ogc,
        ..map("/wmts/1.0.0/WMTSCapabilities.xml", "wmts_capabilities", "WMTS 1.0.0 capabilities, REST")
    },
    Operation {
        answers: &[Answer::bytes(PNG), Answer::bytes(WEBP)],
        also: &[204, 304],
        refusal: Refusal::Ogc,
        ..map(
            "/wmts/1.0.0/{layer}/{style}/{time}/{tms}/{z}/{y}/{x}.png",
            "wmts_tile",
            "WMTS 1.0.0 tile, REST",
        )
    },
    Operation {
        answers: &[
            Answer::of("application/json", "Any"),
            Answer::of("application/geo+json", "Any"),
            Answer::text("text/plain"),
            Answer::text("text/html"),
        ],
        refusal: Refusal::Ogc,
        ..map(
            "/wmts/1.0.0/{layer}/{style}/{time}/{tms}/{z}/{y}/{x}/{j}/{i}.json",
            "wmts_feature_info",
            "Values under a pixel of a tile, REST",
        )
    },
    Operation {
        answers: &[
            Answer::text("text/xml"),
            Answer::text("application/vnd.ogc.wms_xml"),
            Answer::bytes(PNG),
            Answer::bytes(WEBP),
            Answer::text("text/plain"),
            Answer::text("text/html"),
            Answer::of("application/json", "Any"),
            Answer::of("application/geo+json", "Any"),
        ],
        also: &[304],
        parameters: &[
            "SERVICE",
            "REQUEST",
            "VERSION",
            "LAYERS",
            "STYLES",
            "CRS",
            "SRS",
            "BBOX",
            "WIDTH",
            "HEIGHT",
            "FORMAT",
            "TRANSPARENT",
            "BGCOLOR",
            "TIME",
            "EXCEPTIONS",
            "QUERY_LAYERS",
            "INFO_FORMAT",
            "FEATURE_COUNT",
            "I",
            "J",
            "X",
            "Y",
            "LAYER",
            "STYLE",
            "lang",
        ],
        refusal: Refusal::Ogc,
        ..map("/wms", "wms", "WMS 1.3.0 and 1.1.1: GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic")
    },
];

/// A picture with problem documents.
const fn map(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        path,
        id,
        tag: "maps",
        summary,
        parameters: &[],
        required: &[],
        answers: &[],
        also: &[],
        refusal: Refusal::Problem,
    }
}
