//! Boxes on the round earth: longitudes that pass 180°, poles, and places where a map is cut.

use tesela_grid::{BoundingBox, CrsName};

use crate::{transform_bounds, with_transformer};

/// Points along each edge of a box.
const EDGE_POINTS: usize = 33;
/// How far the image of an edge piece's middle may lie from the middle of its image, as a share of its length: 0.5 and
/// more where the piece jumps from one side of the map to the other.
const MOST_BENT: f64 = 0.25;
/// Degrees of longitude from one point of an edge to the next that only happen beside a pole.
const MOST_TURN: f64 = 120.0;
/// Latitudes from here on are a pole's.
const POLE: f64 = 90.0 - 1e-9;
/// Pieces shorter than this, in units of the target, bend by rounding alone.
const SHORTEST: f64 = 1e-9;

/// Longitude and latitude bounds of a box, as GeoJSON writes them (RFC 7946, section 5.2): `x_min` above `x_max` where
/// it crosses the 180th meridian; all longitudes up to latitude ±90 where it holds a pole.
///
/// `None` if the CRS is unknown or no point has a longitude and latitude.
///
/// ```
/// use tesela_crs::lon_lat_bounds;
/// use tesela_grid::{BoundingBox, CrsName};
///
/// // 60 km on either side of 180° and the equator, in UTM zone 1.
/// let fiji = BoundingBox::new(106_000.0, -60_000.0, 226_000.0, 60_000.0);
/// let b = lon_lat_bounds(&CrsName::epsg(32601), &fiji).unwrap();
/// assert!(b.x_min > 179.0 && b.x_max < -179.0 && b.x_max > -180.0);
/// ```
pub fn lon_lat_bounds(from: &CrsName, bounds: &BoundingBox) -> Option<BoundingBox> {
    let to = CrsName::lon_lat();
    let flat = || transform_bounds(from, &to, bounds);
    let (lons, lats) = with_transformer(from, &to, |transformer| {
        if transformer.is_identity() {
            return None;
        }
        let (mut lons, mut lats): (Vec<f64>, Vec<f64>) = perimeter(bounds).into_iter().unzip();
        transformer.transform(&mut lons, &mut lats);
        Some((lons, lats))
    })
    .ok()?
    .unwrap_or_default();
    if lons.is_empty() || lons.iter().any(|lon| lon.is_nan()) {
        return flat();
    }
    let (mut south, mut north) = extremes(&lats)?;
    // Longitudes along the edge as they go on, past 180 where it passes 180, back to where it began. A pole has none.
    let lons: Vec<f64> =
        lons.into_iter().zip(&lats).filter(|(_, lat)| lat.abs() < POLE).map(|(lon, _)| lon).collect();
    let first = *lons.first()?;
    let (mut at, mut most) = (first, 0.0_f64);
    let unrolled: Vec<f64> = lons
        .iter()
        .chain([&first])
        .map(|lon| {
            let step = turned(lon - at);
            most = most.max(step.abs());
            at += step;
            at
        })
        .collect();
    let (west, east) = extremes(&unrolled)?;
    // An edge that comes back a turn later goes round a pole; one with such a step goes through it, or nearly.
    let round = (at - first).abs() > 180.0 || most > MOST_TURN;
    if round {
        (south, north) = if south + north < 0.0 { (-90.0, north) } else { (south, 90.0) };
    }
    let (west, east) = if round || east - west >= 360.0 { (-180.0, 180.0) } else { within(west, east) };
    Some(BoundingBox::new(west, south, east, north))
}

/// Whether the image of a box is in pieces: its edge jumps from one side of the target's map to the other, as at the
/// 180th meridian of a map in degrees, or goes round a pole that such a map has no place for.
///
/// Edges without an image do not count. False if a CRS is unknown.
pub fn is_torn(from: &CrsName, to: &CrsName, bounds: &BoundingBox) -> bool {
    with_transformer(from, to, |transformer| {
        if transformer.is_identity() {
            return false;
        }
        let nodes = perimeter(bounds);
        let middles = (0..nodes.len()).map(|i| {
            let (a, b) = (nodes[i], nodes[(i + 1) % nodes.len()]);
            ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
        });
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = nodes.iter().copied().chain(middles).unzip();
        transformer.transform(&mut xs, &mut ys);
        let n = nodes.len();
        (0..n).any(|i| {
            let j = (i + 1) % n;
            let long = (xs[j] - xs[i]).hypot(ys[j] - ys[i]);
            let bent = (xs[n + i] - (xs[i] + xs[j]) / 2.0).hypot(ys[n + i] - (ys[i] + ys[j]) / 2.0);
            long > SHORTEST && bent > MOST_BENT * long
        })
    })
    .unwrap_or(false)
}

/// Points along a box's edge, in the order of a walk round it; the first is not repeated.
fn perimeter(b: &BoundingBox) -> Vec<(f64, f64)> {
    let corners = [(b.x_min, b.y_min), (b.x_max, b.y_min), (b.x_max, b.y_max), (b.x_min, b.y_max)];
    let last = EDGE_POINTS - 1;
    (0..4)
        .flat_map(|side| {
            let (from, to) = (corners[side], corners[(side + 1) % 4]);
            (0..last).map(move |i| {
                let t = i as f64 / last as f64;
                (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t)
            })
        })
        .collect()
}

/// A difference of longitudes by the shorter way.
fn turned(difference: f64) -> f64 {
    (difference + 180.0).rem_euclid(360.0) - 180.0
}

/// West and east within ±180, west above east across the 180th meridian.
fn within(west: f64, east: f64) -> (f64, f64) {
    let turns = ((west + 180.0) / 360.0).floor() * 360.0;
    let (west, east) = (west - turns, east - turns);
    if east <= 180.0 { (west, east) } else { (west, east - 360.0) }
}

fn extremes(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some((low, values.iter().copied().reduce(f64::max)?))
}
