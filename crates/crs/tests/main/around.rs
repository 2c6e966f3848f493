//! Boxes across 180° and round the poles.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use tesela_crs::{is_torn, lon_lat_bounds, transform_points};
use tesela_grid::{BoundingBox, CrsName};

const POLAR_SOUTH: u32 = 3031;
const POLAR_NORTH: u32 = 3413;

fn bounds(epsg: u32, b: [f64; 4]) -> BoundingBox {
    lon_lat_bounds(&CrsName::epsg(epsg), &boxed(b)).unwrap()
}

fn boxed([w, s, e, n]: [f64; 4]) -> BoundingBox {
    BoundingBox::new(w, s, e, n)
}

/// Whether a box holds a place, with a metre or so of slack for edges that sag between the points they are taken at.
fn holds(b: &BoundingBox, lon: f64, lat: f64) -> bool {
    let slack = 1e-4;
    let across = if b.x_min <= b.x_max {
        (b.x_min - slack..=b.x_max + slack).contains(&lon)
    } else {
        lon >= b.x_min - slack || lon <= b.x_max + slack
    };
    across && (b.y_min - slack..=b.y_max + slack).contains(&lat)
}

#[test]
fn boxes_hold_every_inner_point_and_are_tight() {
    // A Landsat scene's size at places of every kind; widths by the cosine of the latitude that lies furthest out.
    for (epsg, at, size, widest) in [
        (32614, [410_000.0, 2_300_000.0], 230_000.0, 2.3),
        // Across 180° at the equator, in either zone, and near Fiji with Landsat's negative northings.
        (32601, [100_000.0, -115_000.0], 230_000.0, 2.1),
        (32660, [750_000.0, -115_000.0], 230_000.0, 2.1),
        (32601, [60_000.0, -1_900_000.0], 230_000.0, 2.3),
        // Wrangel Island, Chukotka.
        (32601, [350_000.0, 7_800_000.0], 230_000.0, 7.0),
        // McMurdo, beside 180°; Alaska's side of the pole.
        (POLAR_SOUTH, [-100_000.0, -1_400_000.0], 230_000.0, 12.0),
        (POLAR_NORTH, [-2_000_000.0, 700_000.0], 230_000.0, 12.0),
    ] {
        let b = boxed([at[0], at[1], at[0] + size, at[1] + size]);
        let found = bounds(epsg, [b.x_min, b.y_min, b.x_max, b.y_max]);
        let width = (found.x_max - found.x_min).rem_euclid(360.0);
        assert!(width < widest, "{epsg} {at:?}: {found:?}");
        assert!((-180.0..=180.0).contains(&found.x_min) && (-180.0..=180.0).contains(&found.x_max));
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = (0..100 * 100)
            .map(|i| (at[0] + size * f64::from(i % 100) / 99.0, at[1] + size * f64::from(i / 100) / 99.0))
            .unzip();
        transform_points(&CrsName::epsg(epsg), &CrsName::lon_lat(), &mut xs, &mut ys).unwrap();
        for (lon, lat) in xs.into_iter().zip(ys) {
            assert!(holds(&found, lon, lat), "{epsg} {at:?}: {lon} {lat} not in {found:?}");
        }
    }
}

#[test]
fn west_lies_above_east_across_180() {
    let fiji = bounds(32601, [60_000.0, -1_900_000.0, 290_000.0, -1_670_000.0]);
    assert!(fiji.x_min > 178.0 && fiji.x_max < -178.0 && fiji.y_max < -15.0, "{fiji:?}");
    // The same scene from the other zone.
    let from_60 = bounds(32660, [703_000.0, -1_900_000.0, 930_000.0, -1_670_000.0]);
    assert!(from_60.x_min > 178.0 && from_60.x_max < -178.0, "{from_60:?}");
    // Beside it, on either side.
    let east = bounds(32601, [300_000.0, 0.0, 400_000.0, 100_000.0]);
    assert!(-180.0 < east.x_min && east.x_min < east.x_max && east.x_max < -177.0, "{east:?}");
    let west = bounds(32660, [600_000.0, 0.0, 700_000.0, 100_000.0]);
    assert!(177.0 < west.x_min && west.x_min < west.x_max && west.x_max < 180.0, "{west:?}");
}

#[test]
fn a_box_round_a_pole_has_all_longitudes() {
    for (epsg, pole) in [(POLAR_SOUTH, -90.0), (POLAR_NORTH, 90.0)] {
        // In the middle, off it, and with the pole on the edge.
        for b in [[-1e5, -1e5, 1e5, 1e5], [-2e5, -1e4, 3e4, 2e5], [0.0, -1e5, 2e5, 1e5]] {
            let found = bounds(epsg, b);
            assert_eq!((found.x_min, found.x_max), (-180.0, 180.0), "{b:?}");
            let outer = if pole > 0.0 { found.y_max } else { found.y_min };
            assert_eq!(outer, pole, "{b:?}");
            let inner: f64 = if pole > 0.0 { found.y_min } else { found.y_max };
            assert!(inner.abs() > 86.0 && inner.abs() < 90.0, "{b:?}: {found:?}");
        }
    }
    // A corner at the pole: a quarter of the world, west of the meridian that grows down.
    let corner = bounds(POLAR_SOUTH, [-2e5, -2e5, 0.0, 0.0]);
    assert!((corner.x_min + 180.0).abs() < 1e-9 && (corner.x_max + 90.0).abs() < 1e-9, "{corner:?}");
    assert_eq!(corner.y_min, -90.0);
    // The whole world stays the whole world.
    let world = bounds(3857, [-20_037_508.34, -2e7, 20_037_508.34, 2e7]);
    assert!(world.x_min <= -179.9999 && world.x_max >= 179.9999, "{world:?}");
    // Longitude and latitude are as they are.
    assert_eq!(bounds(4326, [170.0, -20.0, 175.0, -10.0]), boxed([170.0, -20.0, 175.0, -10.0]));
    assert_eq!(lon_lat_bounds(&CrsName::new("nonsense"), &boxed([0.0, 0.0, 1.0, 1.0])), None);
}

#[test]
fn maps_in_degrees_are_cut_at_180_and_at_the_poles() {
    let torn = |from: u32, to: u32, b: [f64; 4]| is_torn(&CrsName::epsg(from), &CrsName::epsg(to), &boxed(b));
    let fiji = [60_000.0, -1_900_000.0, 290_000.0, -1_670_000.0];
    let beside = [300_000.0, 0.0, 400_000.0, 100_000.0];
    for (to, cut) in
        [(4326, true), (3857, true), (32660, false), (32601, false), (3832, false), (3031, false)]
    {
        assert_eq!(torn(32601, to, fiji), cut, "{to}");
        assert!(!torn(32601, to, beside), "{to}");
    }
    let pole = [-1e5, -1e5, 1e5, 1e5];
    assert!(torn(POLAR_SOUTH, 4326, pole) && torn(POLAR_NORTH, 4326, pole));
    assert!(!torn(POLAR_SOUTH, POLAR_SOUTH, pole));
    // Mexico's own map is cut on the other side of the world.
    assert!(!torn(32614, 6372, [410_000.0, 2_300_000.0, 640_000.0, 2_530_000.0]));
    assert!(torn(32644, 6372, [100_000.0, 2_300_000.0, 330_000.0, 2_530_000.0]));
}

#[test]
fn bounds_are_those_of_proj() {
    // PROJ's own proj_trans_bounds, by way of pyproj 3 with densify_pts=21.
    for (epsg, b, [west, south, east, north]) in [
        (32601, [6e4, -1.9e6, 2.9e5, -1.67e6], [178.866189, -17.175151, -178.953908, -15.068579]),
        (32660, [7.03e5, -1.9e6, 9.3e5, -1.67e6], [178.888803, -17.175784, -178.959967, -15.070237]),
        (32601, [3.5e5, 7.8e6, 5.8e5, 8.03e6], [178.571619, 70.262001, -174.634982, 72.368145]),
        (32614, [4.1e5, 2.3e6, 6.4e5, 2.53e6], [-99.87738, 20.794607, -97.635274, 22.877864]),
        (POLAR_SOUTH, [-1e5, -1e5, 1e5, 1e5], [-180.0, -90.0, 180.0, -88.69846]),
        (POLAR_SOUTH, [-1e5, -1.4e6, 1.3e5, -1.17e6], [173.659808, -79.261909, -175.114797, -77.111869]),
        (POLAR_NORTH, [-2e6, 7e5, -1.77e6, 9.3e5], [-162.718502, 69.841165, -154.290046, 72.55973]),
    ] {
        let found = bounds(epsg, b);
        for (ours, known) in
            [(found.x_min, west), (found.y_min, south), (found.x_max, east), (found.y_max, north)]
        {
            // Extremes between two points of an edge differ by how close the points stand.
            assert!((ours - known).abs() < 2e-4, "{epsg} {b:?}: {found:?}");
        }
    }
    // LC08_L2SR_066091_20211228: the raster's box holds the scene's as its STAC item gives it.
    let found = bounds(32601, [443_685.0, -5_059_215.0, 681_615.0, -4_820_685.0]);
    assert!(holds(&found, -177.72317251, -45.68419498) && holds(&found, -174.66865445, -43.51702502));
}
