//! Where and when there is data.

use serde_json::{Value, json};
use tesela_compute::query::ProductExtent;
use tesela_grid::BoundingBox;
use tesela_model::Instant;

use super::CRS84;

/// An OGC extent of space only.
pub(super) fn of_space(bounds: &BoundingBox) -> Value {
    json!({"spatial": spatial(bounds), "temporal": {"interval": [[null, null]]}})
}

/// An OGC extent; without a box while there is no data.
pub(super) fn of_product(extent: Option<&ProductExtent>) -> Value {
    let Some(ProductExtent { lon_lat, time }) = extent else {
        return json!({"temporal": {"interval": [[null, null]]}});
    };
    // Periods are half-open; OGC intervals hold both ends.
    let last = Instant(time.end.0.saturating_sub(1).max(time.start.0));
    json!({
        "spatial": spatial(lon_lat),
        "temporal": {
            "interval": [[time.start.to_string(), last.to_string()]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        },
    })
}

fn spatial(b: &BoundingBox) -> Value {
    json!({"bbox": [[b.x_min, b.y_min, b.x_max, b.y_max]], "crs": CRS84})
}
