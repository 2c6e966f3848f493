//! Items of one collection, page by page.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use tesela_compute::{Cube, Product};
use tesela_grid::BoundingBox;
use tesela_index::{ProductKind, ScenePosition, SceneQuery};
use tesela_model::{Instant, Period, TimeSelector};

use super::{Asked, GEOJSON, JSON, Writing, collection, product, raster, scene};
use crate::request::text::shorten;
use crate::routes::links::encoded;
use crate::routes::query::{Query, Segments};
use crate::routes::read::{index_error, read};
use crate::routes::reply::typed_json;
use crate::{ApiError, ApiResult, AppState};

/// Query parameters.
pub(crate) const PARAMETERS: &[&str] =
    &["limit", "token", "bbox", "bbox-crs", "datetime", "lang", "snapshot", "f"];

/// Items of a page unless `limit` says otherwise, and most of them.
const USUAL_LIMIT: u64 = 10;
const MOST: u64 = 1000;

/// What a page holds.
struct Wanted {
    limit: usize,
    bbox: Option<BoundingBox>,
    time: Option<Period>,
    /// The last item of the page before: its time, and a scene's row.
    after: Option<ScenePosition>,
}

pub(super) async fn list(
    State(app): State<AppState>,
    Segments([id]): Segments<1>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    let asked = Asked::of(&app, &query, &headers)?;
    let wanted = Wanted {
        // Beyond the most, the most: clients ask for more than they need.
        limit: query.integer("limit", 1..=u64::MAX)?.unwrap_or(USUAL_LIMIT).min(MOST) as usize,
        bbox: query.bbox()?,
        time: match query.datetime()? {
            TimeSelector::Latest => None,
            TimeSelector::Span(period) | TimeSelector::Interval(period) => Some(period),
        },
        after: query.text("token").map(position).transpose()?,
    };
    read(&app, move |cube| {
        let (product, writing) = (product(&*cube.catalog()?, &id)?, asked.at(cube)?);
        let (features, next) = match product.kind {
            ProductKind::Scenes => scenes(cube, &product, &wanted, &writing)?,
            ProductKind::Derived => rasters(cube, &product, &wanted, &writing)?,
        };
        let own = collection::path(&product.id);
        let mut same = format!("{own}/items?limit={}", wanted.limit);
        for name in ["bbox", "bbox-crs", "datetime"] {
            if let Some(value) = query.text(name) {
                same.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let mut links =
            vec![writing.root(), writing.link("collection", JSON, &own, product.id.as_str())];
        let here = query.text("token").map_or_else(|| same.clone(), |t| format!("{same}&token={}", encoded(t)));
        links.push(writing.link("self", GEOJSON, &here, "This page"));
        if let Some(ScenePosition { acquired, id }) = next {
            let path = format!("{same}&token={}.{id}", acquired.0);
            links.push(writing.link("next", GEOJSON, &path, "Next page"));
        }
        let page = json!({
            "type": "FeatureCollection", "numberReturned": features.len(), "features": features, "links": links,
        });
        Ok(writing.finish(typed_json(GEOJSON, &page)?))
    })
    .await
}

/// Items, and where the next page begins if there is one.
type Page = (Vec<Value>, Option<ScenePosition>);

fn scenes(cube: &Cube, product: &Product, wanted: &Wanted, writing: &Writing) -> ApiResult<Page> {
    let query = SceneQuery {
        product: Some(product.id.clone()),
        time: wanted.time,
        bbox: wanted.bbox,
        after: wanted.after,
        limit: wanted.limit + 1,
        ..SceneQuery::default()
    };
    let mut rows = cube.index().scenes(&query, writing.snapshot).map_err(index_error)?;
    let more = rows.len() > wanted.limit;
    rows.truncate(wanted.limit);
    let next = rows.last().filter(|_| more).map(tesela_index::SceneRow::position);
    let items = rows.iter().map(|row| scene::document(cube, product, row, writing));
    Ok((items.collect::<ApiResult<_>>()?, next))
}

fn rasters(cube: &Cube, product: &Product, wanted: &Wanted, writing: &Writing) -> ApiResult<Page> {
    let mut found = Vec::new();
    for row in cube.generations(&product.id, writing.snapshot)?.iter() {
        let in_time = wanted.time.is_none_or(|t| t.overlap_s(&row.period) > 0);
        if !in_time || wanted.after.is_some_and(|after| row.period.start <= after.acquired) {
            continue;
        }
        if let Some(bbox) = &wanted.bbox
            && !meets(&raster::bounds(&product.grid, row)?, bbox)
        {
            continue;
        }
        found.push(row.clone());
    }
    let more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let next = found.last().filter(|_| more).map(|r| ScenePosition { acquired: r.period.start, id: r.id });
    let items = found.iter().map(|row| raster::document(cube, product, row, writing));
    Ok((items.collect::<ApiResult<_>>()?, next))
}

/// Whether two boxes of longitude and latitude meet; either may cross the 180th meridian.
fn meets(a: &BoundingBox, b: &BoundingBox) -> bool {
    let spans = |x: &BoundingBox| {
        if x.x_min > x.x_max { vec![(x.x_min, 180.0), (-180.0, x.x_max)] } else { vec![(x.x_min, x.x_max)] }
    };
    let (ours, theirs) = (spans(a), spans(b));
    let across = ours.iter().any(|p| theirs.iter().any(|q| p.0 <= q.1 && q.0 <= p.1));
    across && a.y_min <= b.y_max && b.y_min <= a.y_max
}

fn position(token: &str) -> ApiResult<ScenePosition> {
    let read = || {
        let (time, id) = token.split_once('.')?;
        Some(ScenePosition { acquired: Instant(time.parse().ok()?), id: id.parse().ok()? })
    };
    read().ok_or_else(|| {
        let detail = format!("token {:?} is not from a link rel=next of this address", shorten(token));
        ApiError::parameter("token", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_meet_over_the_meridian_too() {
        let pacific = BoundingBox::new(170.0, -10.0, -170.0, 10.0);
        assert!(meets(&pacific, &BoundingBox::new(-175.0, 0.0, -171.0, 1.0)));
        assert!(meets(&BoundingBox::new(175.0, 0.0, 176.0, 1.0), &pacific));
        assert!(!meets(&pacific, &BoundingBox::new(-102.0, 0.0, -101.0, 1.0)));
        assert!(!meets(&pacific, &BoundingBox::new(175.0, 11.0, 176.0, 12.0)));
    }

    #[test]
    fn tokens_are_read_back_or_refused() {
        assert_eq!(position("-5.12").unwrap(), ScenePosition { acquired: Instant(-5), id: 12 });
        for bad in ["", "5", "a.b", "5.", "99999999999999999999.1"] {
            assert!(position(bad).is_err(), "{bad}");
        }
    }
}
