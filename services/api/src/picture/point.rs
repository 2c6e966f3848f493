//! The values under one pixel: every band of a product where a client clicked.
//!
//! A click on a picture is answered from the grid's own pixel under the clicked pixel's centre, whatever the
//! picture's zoom: the value stored, never a pyramid's.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tesela_compute::query::{PixelQuery, Selection};
use tesela_compute::{Cube, Product};
use tesela_crs::transform_points;
use tesela_grid::{CrsName, GeoBox, PixelWindow};
use tesela_model::{Resampling, TimeSelector};

use super::request::PictureLayer;
use super::resolve::moment;
use crate::ApiResult;
use crate::request::Lang;

/// A click.
#[derive(Debug, Clone, PartialEq)]
pub struct PointRequest {
    /// Layers to ask.
    pub layers: Vec<PictureLayer>,
    /// CRS of the place.
    pub crs: CrsName,
    /// Easting or longitude.
    pub x: f64,
    /// Northing or latitude.
    pub y: f64,
    /// When.
    pub time: TimeSelector,
    /// Named mask.
    pub mask: Option<String>,
    /// At which snapshot.
    pub snapshot: Option<u64>,
}

impl PointRequest {
    /// The centre of a picture's pixel.
    pub fn at_pixel(layers: Vec<PictureLayer>, target: &GeoBox, col: usize, row: usize) -> Self {
        let (x, y) = target.xy(col as f64 + 0.5, row as f64 + 0.5);
        let crs = target.crs.clone();
        Self { layers, crs, x, y, time: TimeSelector::Latest, mask: None, snapshot: None }
    }
}

/// One value under the click.
#[derive(Debug, Clone, PartialEq)]
pub struct PointValue {
    /// Band name, or the style's expression.
    pub name: String,
    /// Title in the client's language.
    pub title: String,
    /// Unit.
    pub unit: String,
    /// Physical value; `None` for nodata.
    pub value: Option<f64>,
    /// Flags set, of a quality band.
    pub flags: Option<Vec<String>>,
}

/// Which pixel of the grid was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointPlace {
    /// Longitude of its centre.
    pub lon: f64,
    /// Latitude of its centre.
    pub lat: f64,
    /// Easting of its centre, grid CRS.
    pub x: f64,
    /// Northing of its centre, grid CRS.
    pub y: f64,
    /// Tile, `[ix, iy]`.
    pub tile: [i32; 2],
    /// Column in the tile.
    pub col: u32,
    /// Row in the tile.
    pub row: u32,
}

/// What one layer answers to a click.
#[derive(Debug, Clone, PartialEq)]
pub struct PointAnswer {
    /// Product id.
    pub product: String,
    /// Its title in the client's language.
    pub title: String,
    /// `experimental`, `preliminary`, …
    pub status: &'static str,
    /// ISO time.
    pub datetime: String,
    /// Snapshot read.
    pub snapshot: u64,
    /// Grid id.
    pub grid: String,
    /// Where; `None` if the place has no coordinates on the grid.
    pub place: Option<PointPlace>,
    /// Every band.
    pub bands: Vec<PointValue>,
    /// Style name.
    pub style: String,
    /// The value of the style's expression, if it has one.
    pub style_value: Option<PointValue>,
}

/// Answers a click, a layer at a time.
///
/// # Errors
/// As a picture's: unknown names, times without data, masks.
pub fn read(cube: &Cube, request: &PointRequest, lang: Lang) -> ApiResult<Vec<PointAnswer>> {
    let catalog = cube.catalog()?;
    let snapshot = cube.snapshot(request.snapshot)?;
    let one = |layer: &PictureLayer| {
        let product = catalog.product(&layer.product)?;
        let style = product.style(&layer.style)?;
        let expression = layer.expression.as_ref().or(style.expression.as_ref());
        let moment = moment(cube, &catalog, &product.id, &request.time, snapshot)?;
        let place = place(product, &request.crs, request.x, request.y)?;
        let (mut bands, mut style_value) = (vec![None; product.bands.len()], None);
        if let Some((_, target)) = &place {
            let load = |selection| values(cube, product, selection, target, request, snapshot);
            bands = load(Selection::Bands(product.band_names()))?;
            if let Some(expression) = expression {
                style_value = load(Selection::Expression(expression.clone()))?.first().copied().flatten();
            }
        }
        ApiResult::Ok(PointAnswer {
            product: product.id.clone(),
            title: lang.marked(lang.text_or(&product.title, &product.id), catalog.synthetic).into_owned(),
            status: product.status.as_str(),
            datetime: moment.datetime.clone(),
            snapshot,
            grid: product.grid.id.clone(),
            place: place.map(|(place, _)| place),
            bands: product
                .bands
                .iter()
                .zip(bands)
                .map(|(band, value)| described(band, value, lang))
                .collect(),
            style: style.name.clone(),
            style_value: expression.map(|expression| PointValue {
                name: expression.clone(),
                title: lang.text_or(&style.title, &style.name).to_owned(),
                unit: style.unit.clone().unwrap_or_default(),
                value: style_value,
                flags: None,
            }),
        })
    };
    request.layers.iter().map(one).collect()
}

fn described(band: &tesela_model::Band, value: Option<f64>, lang: Lang) -> PointValue {
    let table = band.flags.as_deref().and_then(|name| tesela_model::landsat::FlagTable::builtin(name).ok());
    PointValue {
        name: band.name.clone(),
        title: lang.text_or(&band.title, &band.name).to_owned(),
        unit: band.unit.clone(),
        value,
        flags: table.zip(value).map(|(table, word)| table.decode(word as i32).flags),
    }
}

/// The grid's pixel under a place, and the box of that one pixel.
fn place(product: &Arc<Product>, crs: &CrsName, x: f64, y: f64) -> ApiResult<Option<(PointPlace, GeoBox)>> {
    let grid = &product.grid;
    let (mut xs, mut ys) = ([x], [y]);
    transform_points(crs, &grid.crs, &mut xs, &mut ys).map_err(tesela_compute::ComputeError::from)?;
    // Past this no grid has pixels, and indices would not fit.
    const FAR: f64 = 1e9;
    if !(xs[0].abs() < FAR && ys[0].abs() < FAR) {
        return Ok(None);
    }
    let (px, py) = grid.pixel_at(xs[0], ys[0]);
    let target = grid.geobox(&PixelWindow::new(px, py, 1, 1), 0);
    let (tile, col, row) = grid.tile_of_pixel(px, py);
    let (x, y) = target.xy(0.5, 0.5);
    let (mut lons, mut lats) = ([x], [y]);
    transform_points(&grid.crs, &CrsName::lon_lat(), &mut lons, &mut lats)
        .map_err(tesela_compute::ComputeError::from)?;
    if !(lons[0].is_finite() && lats[0].is_finite()) {
        return Ok(None);
    }
    let place = PointPlace { lon: lons[0], lat: lats[0], x, y, tile: [tile.ix, tile.iy], col, row };
    Ok(Some((place, target)))
}

fn values(
    cube: &Cube,
    product: &Product,
    selection: Selection,
    target: &GeoBox,
    request: &PointRequest,
    snapshot: u64,
) -> ApiResult<Vec<Option<f64>>> {
    let answer = cube.load(&PixelQuery {
        product: product.id.clone(),
        selection,
        time: request.time,
        target: target.clone(),
        mask: request.mask.clone(),
        resampling: Resampling::Nearest,
        snapshot: Some(snapshot),
    })?;
    Ok(answer.layers.iter().map(|layer| layer.first().copied().and_then(shortest)).collect())
}

/// The shortest decimal that means the same f32: 0.1055, not 0.10549999773502350.
fn shortest(value: f32) -> Option<f64> {
    if value.is_finite() { value.to_string().parse().ok() } else { None }
}

/// Answers as a GeoJSON FeatureCollection, a feature a layer at the pixel's centre.
pub fn geojson(answers: &[PointAnswer]) -> Value {
    let feature = |answer: &PointAnswer| {
        let mut properties = Map::new();
        properties.insert("product".into(), json!(answer.product));
        properties.insert("title".into(), json!(answer.title));
        properties.insert("status".into(), json!(answer.status));
        properties.insert("datetime".into(), json!(answer.datetime));
        properties.insert("snapshot".into(), json!(answer.snapshot));
        properties.insert("grid".into(), json!(answer.grid));
        if let Some(p) = &answer.place {
            properties.insert("x".into(), json!(p.x));
            properties.insert("y".into(), json!(p.y));
            properties.insert("tile".into(), json!(format!("{}_{}", p.tile[0], p.tile[1])));
            properties.insert("col".into(), json!(p.col));
            properties.insert("row".into(), json!(p.row));
        }
        for band in &answer.bands {
            properties.insert(band.name.clone(), json!(band.value));
            if let Some(flags) = &band.flags {
                properties.insert(format!("{}_flags", band.name), json!(flags.join("+")));
            }
        }
        let units: Map<String, Value> =
            answer.bands.iter().map(|band| (band.name.clone(), json!(band.unit))).collect();
        properties.insert("units".into(), Value::Object(units));
        properties.insert("style".into(), json!(answer.style));
        if let Some(value) = &answer.style_value {
            properties.insert("style_expression".into(), json!(value.name));
            properties.insert("style_value".into(), json!(value.value));
        }
        json!({
            "type": "Feature",
            "id": answer.product,
            "geometry": answer.place.map(|p| json!({"type": "Point", "coordinates": [p.lon, p.lat]})),
            "properties": properties,
        })
    };
    json!({"type": "FeatureCollection", "features": answers.iter().map(feature).collect::<Vec<_>>()})
}

/// Answers as lines of text, `name = value unit`.
pub fn text(answers: &[PointAnswer], lang: Lang) -> String {
    use std::fmt::Write;

    let mut out = String::new();
    for answer in answers {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{} = {} ({})", lang.say("product"), answer.title, answer.product);
        let _ = writeln!(out, "{} = {}", lang.say("date"), answer.datetime);
        let _ = writeln!(out, "{} = {}", lang.say("snapshot"), answer.snapshot);
        let _ = writeln!(out, "{} = {}", lang.say("status"), answer.status);
        if let Some(p) = &answer.place {
            let _ = writeln!(out, "{} = {:.6}, {:.6}", lang.say("coordinates"), p.lon, p.lat);
            let _ = writeln!(
                out,
                "{} = {} {}_{} [{}, {}]",
                lang.say("pixel"),
                answer.grid,
                p.tile[0],
                p.tile[1],
                p.col,
                p.row
            );
        }
        for value in answer.bands.iter().chain(&answer.style_value) {
            let _ = writeln!(out, "{} = {}", value.name, value.shown(lang));
        }
        out.push('\n');
    }
    out
}

impl PointValue {
    /// The value with its unit and flags, for people.
    pub fn shown(&self, lang: Lang) -> String {
        let Some(value) = self.value else { return lang.say("no_value").to_owned() };
        let unit = Some(self.unit.as_str()).filter(|unit| !unit.is_empty() && *unit != "1");
        let mut shown = unit.map_or_else(|| value.to_string(), |unit| format!("{value} {unit}"));
        if let Some(flags) = self.flags.as_ref().filter(|flags| !flags.is_empty()) {
            shown.push_str(&format!(" ({})", flags.join(", ")));
        }
        shown
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn answer() -> PointAnswer {
        let value = |name: &str, value, unit: &str| PointValue {
            name: name.into(),
            title: name.into(),
            unit: unit.into(),
            value,
            flags: None,
        };
        PointAnswer {
            product: "geomedian_annual".into(),
            title: "Geomediana <anual>".into(),
            status: "experimental",
            datetime: "2024-01-01T00:00:00Z".into(),
            snapshot: 3,
            grid: "mx6372_30".into(),
            place: Some(PointPlace {
                lon: -99.1332,
                lat: 19.4326,
                x: 2_800_155.0,
                y: 829_065.0,
                tile: [45, 13],
                col: 1,
                row: 2,
            }),
            bands: vec![value("red", Some(0.1055), "1"), value("smad", None, "m")],
            style: "ndvi".into(),
            style_value: Some(value("(nir - red) / (nir + red)", Some(0.5), "")),
        }
    }

    #[test]
    fn geojson_names_values_units_and_place() {
        let doc = geojson(&[answer()]);
        let feature = &doc["features"][0];
        assert_eq!(feature["geometry"]["coordinates"][0], -99.1332);
        let p = &feature["properties"];
        assert_eq!(p["red"], 0.1055);
        assert!(p["smad"].is_null());
        assert_eq!(p["units"]["smad"], "m");
        assert_eq!(p["style_value"], 0.5);
        assert_eq!((p["tile"].as_str(), &p["snapshot"]), (Some("45_13"), &json!(3)));
    }

    #[test]
    fn text_is_lines_of_names_and_values() {
        let text = text(&[answer()], Lang::of_code("es").unwrap());
        assert!(text.contains("red = 0.1055\nsmad = sin dato\n(nir - red) / (nir + red) = 0.5"), "{text}");
        assert!(text.contains("Instantánea = 3"), "{text}");
    }

    #[test]
    fn values_are_written_as_short_as_they_are() {
        assert_eq!(shortest(0.1055), Some(0.1055));
        assert_eq!(shortest(f32::NAN), None);
    }
}
