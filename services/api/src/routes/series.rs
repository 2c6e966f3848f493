//! `/v1/series`: every observation of one pixel.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tesela_compute::Selection;
use tesela_compute::series::{Location, Observation, Series, SeriesQuery};
use tesela_index::ProductKind;

use super::choice::product_of;
use super::negotiate::{Form, form_of};
use super::query::Query;
use super::read::read;
use super::reply::{as_download, at_snapshot, body_of, finite, json};
use super::table::{Cell, CsvWriter};
use crate::{ApiError, ApiResult, AppState};

/// Query parameters.
pub(crate) const PARAMETERS: &[&str] =
    &["lon", "lat", "product", "bands", "expression", "datetime", "mask", "masked", "snapshot", "f"];

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/v1/series", get(series))
}

async fn series(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> ApiResult<Response> {
    let query = Query::of(&uri, PARAMETERS)?;
    let form = form_of(&query, &headers, &[Form::Json, Form::Csv])?;
    let mut question = question(&query)?;
    let asked = query.text("product").map(str::to_owned);
    // The catalogue is read off the async threads; the product must be known before pixel work is admitted.
    question.product = read(&app, move |cube| {
        Ok(product_of(&*cube.catalog()?, asked.as_deref(), ProductKind::Scenes)?.id.clone())
    })
    .await?;
    let pinned = question.snapshot.is_some();
    let found = app.run(move |cube| Ok(cube.series(&question)?)).await?;
    let response = match form {
        Form::Csv => as_download(
            body_of("text/csv; charset=utf-8; header=present", csv(&found)),
            &format!("{}_{:.6}_{:.6}.csv", found.product, found.location.lon, found.location.lat),
        ),
        _ => json(&SeriesView::from(&found))?,
    };
    Ok(at_snapshot(response, found.snapshot, pinned))
}

/// What the parameters ask; the product is still empty.
fn question(query: &Query) -> ApiResult<SeriesQuery> {
    Ok(SeriesQuery {
        product: String::new(),
        lon: coordinate(query, "lon", 180.0)?,
        lat: coordinate(query, "lat", 90.0)?,
        selection: selection(query)?,
        time: query.datetime()?,
        mask: query.text("mask").map(str::to_owned),
        keep_masked: query.word("masked", &["keep", "drop"])? == Some("keep"),
        snapshot: query.snapshot()?,
    })
}

/// A longitude or latitude; needed always.
pub(crate) fn coordinate(query: &Query, name: &'static str, most: f64) -> ApiResult<f64> {
    let expected =
        || ApiError::parameter(name, format!("{name} must be a number of degrees from -{most} to {most}"));
    query.number(name)?.filter(|v| v.abs() <= most).ok_or_else(expected)
}

/// `bands` or `expression`; neither means every band.
fn selection(query: &Query) -> ApiResult<Selection> {
    match (query.list("bands"), query.text("expression")) {
        (Some(_), Some(_)) => {
            Err(ApiError::parameter("expression", "give either bands or expression, not both"))
        }
        (None, Some(expression)) => Ok(Selection::Expression(expression.to_owned())),
        (bands, None) => Ok(Selection::Bands(bands.unwrap_or_default())),
    }
}

#[derive(Serialize)]
struct SeriesView<'a> {
    product: &'a str,
    snapshot: u64,
    location: LocationView<'a>,
    bands: Vec<BandView<'a>>,
    observations: Vec<ObservationView<'a>>,
}

/// Where a series was read; a place off the grid has no pixel.
#[derive(Serialize)]
struct LocationView<'a> {
    lon: f64,
    lat: f64,
    crs: &'a str,
    x: Option<f64>,
    y: Option<f64>,
    tile: [i32; 2],
    col: u32,
    row: u32,
}

#[derive(Serialize)]
struct BandView<'a> {
    name: &'a str,
    unit: &'a str,
}

#[derive(Serialize)]
struct ObservationView<'a> {
    datetime: &'a str,
    platform: Option<&'a str>,
    values: Values<'a>,
    used: bool,
    reason: Option<&'a str>,
}

/// Values under the names of their bands.
struct Values<'a> {
    bands: &'a [(String, String)],
    values: &'a [Option<f64>],
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.bands.len()))?;
        for ((name, _), value) in self.bands.iter().zip(self.values) {
            map.serialize_entry(name, &value.and_then(finite))?;
        }
        map.end()
    }
}

impl<'a> From<&'a Location> for LocationView<'a> {
    fn from(at: &'a Location) -> Self {
        let Location { lon, lat, crs, x, y, tile, col, row } = at;
        Self { lon: *lon, lat: *lat, crs, x: finite(*x), y: finite(*y), tile: *tile, col: *col, row: *row }
    }
}

impl<'a> From<&'a Series> for SeriesView<'a> {
    fn from(series: &'a Series) -> Self {
        let observation = |o: &'a Observation| ObservationView {
            datetime: &o.datetime,
            platform: o.platform.as_deref(),
            values: Values { bands: &series.bands, values: &o.values },
            used: o.used,
            reason: o.reason.as_deref(),
        };
        Self {
            product: &series.product,
            snapshot: series.snapshot,
            location: LocationView::from(&series.location),
            bands: series.bands.iter().map(|(name, unit)| BandView { name, unit }).collect(),
            observations: series.observations.iter().map(observation).collect(),
        }
    }
}

fn csv(series: &Series) -> String {
    let mut out = CsvWriter::default();
    let names = series.bands.iter().map(|(name, _)| Cell::from(name.as_str()));
    let head = ["datetime", "platform"].map(Cell::from).into_iter().chain(names);
    out.row(head.chain(["used", "reason"].map(Cell::from)));
    for o in &series.observations {
        let values = o.values.iter().map(|v| Cell::from(*v));
        let front = [Cell::from(o.datetime.as_str()), Cell::from(o.platform.as_deref())];
        out.row(front.into_iter().chain(values).chain([Cell::Bool(o.used), Cell::from(o.reason.as_deref())]));
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Series {
        let observation = |datetime: &str, value, used| Observation {
            datetime: datetime.into(),
            platform: Some("landsat-8".into()),
            values: vec![value, None],
            used,
            reason: (!used).then(|| "cloud".into()),
        };
        Series {
            product: "landsat_c2_sr".into(),
            snapshot: 7,
            location: Location {
                lon: -102.3,
                lat: 21.9,
                crs: "EPSG:6372".into(),
                x: 2_469_000.0,
                y: f64::NAN,
                tile: [40, 17],
                col: 3,
                row: 5,
            },
            bands: vec![("red".into(), "1".into()), ("nir".into(), "1".into())],
            observations: vec![
                observation("2024-03-05T17:03:21Z", Some(0.1), true),
                observation("2024-03-21T17:03:21Z", Some(f64::NAN), false),
            ],
        }
    }

    #[test]
    fn no_number_is_nan() {
        let view = serde_json::to_value(SeriesView::from(&sample())).unwrap();
        assert_eq!(view["location"]["y"], serde_json::Value::Null);
        assert_eq!(view["observations"][0]["values"], serde_json::json!({"red": 0.1, "nir": null}));
        assert_eq!(view["observations"][1]["values"]["red"], serde_json::Value::Null);
        assert_eq!(view["bands"][1], serde_json::json!({"name": "nir", "unit": "1"}));
    }

    #[test]
    fn csv_has_a_column_for_each_band() {
        let text = csv(&sample());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "\"datetime\",\"platform\",\"red\",\"nir\",\"used\",\"reason\"");
        assert_eq!(lines[1], "\"2024-03-05T17:03:21Z\",\"landsat-8\",0.1,,true,");
        assert_eq!(lines[2], "\"2024-03-21T17:03:21Z\",\"landsat-8\",,,false,\"cloud\"");
    }
}
