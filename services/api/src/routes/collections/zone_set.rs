//! A zone set's collection document.

use serde_json::{Value, json};
use tesela_index::ZoneSetRow;

use super::{CRS84, Writing, extent};
use crate::routes::links::encoded;
use crate::routes::zones::title_of;

/// The document.
pub(super) fn document(set: &ZoneSetRow, writing: &Writing) -> Value {
    let Writing { lang, links, .. } = writing;
    let title = title_of(set, *lang);
    let (id, path) = (&set.id, format!("/collections/{}", encoded(&set.id)));
    let links = [
        links.link("self", "application/json", &path, title.as_str()),
        links.link("items", "application/geo+json", &format!("{path}/items"), "GeoJSON"),
        links.link("items", "text/csv", &format!("{path}/items?f=csv"), "CSV"),
        links.link("related", "application/json", &format!("/v1/zones/{}/stats", encoded(id)), "Statistics"),
    ];
    json!({
        "id": id,
        "title": title,
        "description": "",
        "extent": extent::of_space(&set.bbox),
        "itemType": "feature",
        "crs": [CRS84],
        "tesela:kind": "zones",
        "tesela:synthetic": set.synthetic,
        "tesela:zones": set.zones,
        "tesela:key_field": set.key_field,
        "tesela:edition": set.edition,
        "links": links,
    })
}
