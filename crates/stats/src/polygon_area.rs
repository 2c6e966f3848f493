//! Area and centroid on the plane.

use geo_types::{Coord, LineString, MultiPolygon, Polygon};

/// Planar area of a zone in squared units of its coordinates; holes are taken away, orientation is ignored.
///
/// Its true area is this divided by the projection's areal scale at [`planar_centroid`], good for blocks; for a
/// municipality sum the true areas of its cells.
pub fn planar_area(zone: &MultiPolygon<f64>) -> f64 {
    zone.iter().map(polygon_area).sum()
}

/// Centre of gravity of a zone, or `None` if it has no area.
pub fn planar_centroid(zone: &MultiPolygon<f64>) -> Option<Coord<f64>> {
    let origin = zone.iter().find_map(|polygon| polygon.exterior().0.first().copied())?;
    let mut area = 0.0;
    let mut moment = Coord { x: 0.0, y: 0.0 };
    for polygon in zone {
        let holes = polygon.interiors().iter().map(|ring| (ring, -1.0));
        for (ring, role) in std::iter::once((polygon.exterior(), 1.0)).chain(holes) {
            let (ring_area, ring_moment) = ring_moments(ring, origin);
            let sign = role * ring_area.signum();
            area += sign * ring_area;
            moment = moment + ring_moment * sign;
        }
    }
    (area > 0.0).then(|| origin + moment / area)
}

/// Signed area of a closed ring: positive if it runs counterclockwise with y upwards.
pub(crate) fn ring_area(ring: &LineString<f64>) -> f64 {
    // Relative to the first vertex: national coordinates are in millions, blocks in hundreds.
    let Some(&origin) = ring.0.first() else { return 0.0 };
    let crosses = ring.lines().map(|line| {
        let (a, b) = (line.start - origin, line.end - origin);
        a.x * b.y - b.x * a.y
    });
    0.5 * crosses.sum::<f64>()
}

fn polygon_area(polygon: &Polygon<f64>) -> f64 {
    ring_area(polygon.exterior()).abs()
        - polygon.interiors().iter().map(|hole| ring_area(hole).abs()).sum::<f64>()
}

/// Signed area and first moments of a ring about `origin`.
fn ring_moments(ring: &LineString<f64>, origin: Coord<f64>) -> (f64, Coord<f64>) {
    let mut area = 0.0;
    let mut moment = Coord { x: 0.0, y: 0.0 };
    for line in ring.lines() {
        let (a, b) = (line.start - origin, line.end - origin);
        let cross = a.x * b.y - b.x * a.y;
        area += cross / 2.0;
        moment = moment + (a + b) * (cross / 6.0);
    }
    (area, moment)
}

#[cfg(test)]
mod tests {
    use geo_types::{coord, polygon};

    use super::*;

    #[test]
    fn a_frame_has_the_area_of_its_wood_whichever_way_it_is_drawn() {
        let frame = polygon!(
            exterior: [(x: 0.0, y: 0.0), (x: 0.0, y: 4.0), (x: 4.0, y: 4.0), (x: 4.0, y: 0.0)],
            interiors: [[(x: 1.0, y: 1.0), (x: 1.0, y: 3.0), (x: 2.0, y: 3.0), (x: 2.0, y: 1.0)]],
        );
        let zone = MultiPolygon(vec![frame]);
        assert_eq!(planar_area(&zone), 14.0);
        let centre = planar_centroid(&zone).unwrap();
        // (16·2 − 2·1.5)/14, (16·2 − 2·2)/14
        assert!((centre.x - 29.0 / 14.0).abs() < 1e-12 && (centre.y - 2.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_has_no_centre() {
        assert_eq!(planar_centroid(&MultiPolygon(vec![])), None);
        let line = Polygon::new(LineString(vec![coord! {x: 0.0, y: 0.0}, coord! {x: 1.0, y: 0.0}]), vec![]);
        assert_eq!(planar_centroid(&MultiPolygon(vec![line])), None);
    }
}
