//! Zones as features: GeoJSON, or their attributes as CSV.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use serde_json::{Map, Value};
use tesela_index::ZoneRow;

use super::unknown;
use crate::request::text::shorten;
use crate::routes::links::{Link, Links, encoded};
use crate::routes::negotiate::{Form, form_of};
use crate::routes::query::{Query, Segments};
use crate::routes::read::{index_error, read};
use crate::routes::reply::{body_of, with_header};
use crate::routes::table::{Cell, CsvWriter};
use crate::{ApiError, ApiResult, AppState};

/// Query parameters of a page of items.
pub(crate) const PARAMETERS: &[&str] = &["limit", "offset", "bbox", "bbox-crs", "datetime", "f"];

/// Query parameters of one item.
pub(crate) const ITEM_PARAMETERS: &[&str] = &["f"];

/// Items of a page unless `limit` says otherwise.
const USUAL_LIMIT: u64 = 10;

/// Most items of a page.
const MOST: u64 = 10_000;

const FORMS: [Form; 3] = [Form::GeoJson, Form::Json, Form::Csv];

/// A page of zones that meet the box. Zones have no time of their own, so that every `datetime` fits.
pub(super) async fn list(
    State(app): State<AppState>,
    Segments([id]): Segments<1>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    let form = form_of(&query, &headers, &FORMS)?;
    let limit = query.integer("limit", 1..=u64::MAX)?.unwrap_or(USUAL_LIMIT).min(MOST);
    let offset = query.integer("offset", 0..=u64::MAX >> 1)?.unwrap_or(0);
    let bbox = query.bbox()?;
    query.datetime()?;
    let page = Page { links: Links::of(&app, &headers), id, query, limit, offset };
    read(&app, move |cube| {
        set_exists(cube, &page.id)?;
        let (matched, zones) = cube
            .index()
            .zones(&page.id, bbox.as_ref(), page.offset as usize, page.limit as usize)
            .map_err(index_error)?;
        Ok(match form {
            Form::Csv => page.csv(matched, &zones),
            _ => page.geojson(matched, &zones),
        })
    })
    .await
}

/// One zone.
pub(super) async fn one(
    State(app): State<AppState>,
    Segments([id, key]): Segments<2>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::of(&uri, ITEM_PARAMETERS)?;
    let form = form_of(&query, &headers, &FORMS)?;
    let links = Links::of(&app, &headers);
    read(&app, move |cube| {
        set_exists(cube, &id)?;
        let zone = cube.index().zone(&id, &key).map_err(index_error)?.ok_or_else(|| {
            ApiError::not_found("unknown_zone", format!("zone set {id} has no zone {:?}", shorten(&key)))
        })?;
        if form == Form::Csv {
            return Ok(body_of(CSV_TYPE, csv(std::slice::from_ref(&zone))));
        }
        let set = format!("/collections/{}", encoded(&id));
        let own = format!("{set}/items/{}", encoded(&key));
        let links = [
            links.link("self", "application/geo+json", &own, "This zone"),
            links.link("alternate", "text/csv", &format!("{own}?f=csv"), "This zone as CSV"),
            links.link("collection", "application/json", &set, "The zone set"),
        ];
        let mut body = feature(&zone);
        body.truncate(body.len() - 1);
        body.push_str(",\"links\":");
        body.push_str(&written(&links));
        body.push('}');
        Ok(body_of(GEOJSON_TYPE, body))
    })
    .await
}

const GEOJSON_TYPE: &str = "application/geo+json";
const CSV_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// A product is a collection without items.
fn set_exists(cube: &tesela_compute::Cube, id: &str) -> ApiResult<()> {
    let catalog = cube.catalog()?;
    if catalog.zone_sets.contains_key(id) {
        Ok(())
    } else if catalog.products.contains_key(id) {
        Err(ApiError::not_found(
            "no_items",
            format!("{id} is a product and has no items; its maps are linked from /collections/{id}"),
        ))
    } else {
        Err(unknown(id))
    }
}

/// What a page's links need to know.
struct Page {
    id: String,
    query: Query,
    links: Links,
    limit: u64,
    offset: u64,
}

impl Page {
    fn geojson(&self, matched: u64, zones: &[ZoneRow]) -> Response {
        let mut links = vec![
            self.link("self", "application/geo+json", self.offset, "This page"),
            self.link("alternate", "text/csv", self.offset, "This page as CSV"),
            self.links.link(
                "collection",
                "application/json",
                &format!("/collections/{}", encoded(&self.id)),
                "The zone set",
            ),
        ];
        links.extend(self.next(matched, zones.len(), "application/geo+json"));
        if self.offset > 0 {
            let before = self.offset.saturating_sub(self.limit);
            links.push(self.link("prev", "application/geo+json", before, "Previous page"));
        }
        let features: Vec<String> = zones.iter().map(feature).collect();
        let now = tesela_model::Instant::from(jiff::Timestamp::now());
        let body = format!(
            "{{\"type\":\"FeatureCollection\",\"numberMatched\":{matched},\"numberReturned\":{},\"timeStamp\":\"{now}\",\
             \"links\":{},\"features\":[{}]}}",
            zones.len(),
            written(&links),
            features.join(","),
        );
        body_of(GEOJSON_TYPE, body)
    }

    /// CSV has no room for links: the next page stands in the `Link` header.
    fn csv(&self, matched: u64, zones: &[ZoneRow]) -> Response {
        let response = body_of(CSV_TYPE, csv(zones));
        match self.next(matched, zones.len(), "text/csv") {
            Some(next) => with_header(
                response,
                header::LINK,
                &format!("<{}>; rel=\"next\"; type=\"{}\"", next.href, next.media_type),
            ),
            None => response,
        }
    }

    fn next(&self, matched: u64, returned: usize, media_type: &'static str) -> Option<Link> {
        let after = self.offset + returned as u64;
        (returned > 0 && after < matched).then(|| self.link("next", media_type, after, "Next page"))
    }

    /// The same request at another offset, in another form.
    fn link(&self, rel: &'static str, media_type: &'static str, offset: u64, title: &str) -> Link {
        let mut path =
            format!("/collections/{}/items?limit={}&offset={offset}", encoded(&self.id), self.limit);
        for name in ["bbox", "bbox-crs", "datetime"] {
            if let Some(value) = self.query.text(name) {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        if media_type == "text/csv" {
            path.push_str("&f=csv");
        }
        self.links.link(rel, media_type, &path, title)
    }
}

/// A GeoJSON feature. Geometry and properties are JSON in the index and go out as they lie.
fn feature(zone: &ZoneRow) -> String {
    format!(
        "{{\"type\":\"Feature\",\"id\":{},\"geometry\":{},\"properties\":{}}}",
        Value::from(zone.key.as_str()),
        zone.geometry,
        zone.properties
    )
}

fn written(links: &[Link]) -> String {
    serde_json::to_string(links).unwrap_or_else(|_| "[]".to_owned())
}

/// Keys, true areas and attributes; attributes that some zones lack are empty there.
fn csv(zones: &[ZoneRow]) -> String {
    let attributes: Vec<Map<String, Value>> =
        zones.iter().map(|zone| serde_json::from_str(&zone.properties).unwrap_or_default()).collect();
    let names: BTreeSet<&String> = attributes.iter().flat_map(Map::keys).collect();
    let mut out = CsvWriter::default();
    let head = ["key", "area_m2"].map(Cell::from).into_iter();
    out.row(head.chain(names.iter().map(|name| Cell::from(name.as_str()))));
    for (zone, attributes) in zones.iter().zip(&attributes) {
        let own = [Cell::from(zone.key.as_str()), Cell::Number(zone.area_m2)];
        out.row(own.into_iter().chain(names.iter().map(|name| cell(attributes.get(*name)))));
    }
    out.finish()
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::String(text)) => Cell::from(text.as_str()),
        Some(Value::Bool(b)) => Cell::Bool(*b),
        Some(Value::Number(n)) => Cell::from(n.as_f64()),
        Some(other) => Cell::Text(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(key: &str, properties: &str) -> ZoneRow {
        ZoneRow {
            ordinal: 0,
            key: key.into(),
            properties: properties.into(),
            geometry: r#"{"type":"Point","coordinates":[1,2]}"#.into(),
            area_m2: 12.5,
        }
    }

    #[test]
    fn features_are_json_whatever_the_key() {
        let text = feature(&zone("a\"b", r#"{"CVEGEO":"a\"b"}"#));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["id"], &value["properties"]["CVEGEO"]), (&"a\"b".into(), &"a\"b".into()));
    }

    #[test]
    fn attributes_become_columns() {
        let text = csv(&[zone("01", r#"{"name":"Centro","n":3}"#), zone("02", r#"{"ok":true,"n":null}"#)]);
        assert_eq!(
            text,
            "\"key\",\"area_m2\",\"n\",\"name\",\"ok\"\r\n\"01\",12.5,3,\"Centro\",\r\n\"02\",12.5,,,true\r\n"
        );
    }
}
