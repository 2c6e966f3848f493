//! What holds for every zone.

use geo_types::{LineString, MultiPolygon, Polygon};
use proptest::prelude::*;
use tesela_stats::{
    CellRule, CellWindow, Coverage, CoverageCell, Quantile, ZoneAccumulator, centre_coverage, planar_area,
};

use crate::windows::{cover, dense, ring, unit_cells};

const COLS: u32 = 12;
const ROWS: u32 = 9;
/// Fractions are stored in f32, 6e-8 each.
const F32: f32 = 1e-6;

/// A coordinate that is often on a cell edge, a cell centre or a repeat, and sometimes anywhere.
fn coordinate(max: f64) -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => (0..=(2.0 * max) as u32).prop_map(|halves| f64::from(halves) / 2.0),
        3 => 0.0..=max,
    ]
}

/// A border across the window from left to right: x grows (it may also run straight up), y is anything inside.
fn border() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((coordinate(f64::from(COLS)), coordinate(f64::from(ROWS))), 2..30).prop_map(
        |mut points| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let last = points.len() - 1;
            points[0].0 = 0.0;
            points[last].0 = f64::from(COLS);
            points
        },
    )
}

fn below_and_above(border: &[(f64, f64)]) -> (Polygon<f64>, Polygon<f64>) {
    let (width, height) = (f64::from(COLS), f64::from(ROWS));
    let closed_by = |corners: [(f64, f64); 2]| ring(&[border, &corners].concat());
    (closed_by([(width, 0.0), (0.0, 0.0)]), closed_by([(width, height), (0.0, height)]))
}

/// A polygon seen whole from its middle: vertices by angle, at any distance; with a small copy as a hole.
fn star() -> impl Strategy<Value = MultiPolygon<f64>> {
    // Four steps or more of like size: none is half a turn, so the middle is inside and the hole as well.
    let steps = prop::collection::vec((0.4..1.0f64, 0.05..1.0f64), 4..60);
    (steps, 0.0..12.0f64, 0.0..9.0f64, 0.1..8.0f64).prop_map(|(steps, x, y, size)| {
        let turn: f64 = steps.iter().map(|step| step.0).sum();
        let outline = |scale: f64| -> LineString<f64> {
            let mut angle = 0.0f64;
            let points = steps.iter().map(|(step, radius)| {
                angle += step / turn * std::f64::consts::TAU;
                (x + scale * radius * angle.cos(), y + scale * radius * angle.sin())
            });
            points.collect()
        };
        MultiPolygon(vec![Polygon::new(outline(size), vec![outline(size / 2.0)])])
    })
}

fn assert_same(found: &Coverage, expected: &Coverage, window: CellWindow, tolerance: f32) {
    for (row, (found, expected)) in dense(found, window).iter().zip(dense(expected, window)).enumerate() {
        for (col, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() <= tolerance, "row {row} col {col}: {found} is not {expected}");
        }
    }
}

fn turned(line: &LineString<f64>, by: usize, reverse: bool) -> LineString<f64> {
    let mut open = line.0[..line.0.len() - 1].to_vec();
    let by = by % open.len();
    open.rotate_left(by);
    if reverse {
        open.reverse();
    }
    let mut turned = LineString(open);
    turned.close();
    turned
}

proptest! {
    #[test]
    fn zones_on_both_sides_of_a_border_cover_each_cell_once(border in border()) {
        let window = unit_cells(COLS, ROWS);
        let (below, above) = below_and_above(&border);
        let (below, above) = (dense(&cover(&below.into(), window), window), dense(&cover(&above.into(), window), window));
        for (below, above) in below.iter().flatten().zip(above.iter().flatten()) {
            prop_assert!((below + above - 1.0).abs() <= F32, "{below} + {above}");
        }
    }

    #[test]
    fn the_centre_rule_gives_each_cell_to_exactly_one_side(border in border()) {
        let window = unit_cells(COLS, ROWS);
        let (below, above) = below_and_above(&border);
        let below = dense(&centre_coverage(&below.into(), window).unwrap(), window);
        let above = dense(&centre_coverage(&above.into(), window).unwrap(), window);
        for (below, above) in below.iter().flatten().zip(above.iter().flatten()) {
            prop_assert_eq!(below + above, 1.0);
        }
    }

    #[test]
    fn covered_cells_add_up_to_the_polygon(zone in star()) {
        // A window that holds all of it.
        let window = CellWindow { x_min: -10.0, y_max: 20.0, cell_width: 0.7, cell_height: 0.4, cols: 50, rows: 80 };
        let covered = cover(&zone, window).total() * window.cell_area();
        prop_assert!((covered - planar_area(&zone)).abs() <= 1e-6 * planar_area(&zone).max(0.1));
    }

    #[test]
    fn a_window_sees_the_same_as_a_larger_one(zone in star()) {
        let window = unit_cells(COLS, ROWS);
        let large = CellWindow { x_min: -10.0, y_max: f64::from(ROWS) + 10.0, cols: COLS + 20, rows: ROWS + 20, ..window };
        let inner = cover(&zone, large).cells().filter_map(|cell| {
            let (row, col) = (cell.row.checked_sub(10)?, cell.col.checked_sub(10)?);
            (row < ROWS && col < COLS).then_some(CoverageCell { row, col, ..cell })
        }).collect();
        assert_same(&cover(&zone, window), &Coverage::from_parts(vec![], inner).unwrap(), window, F32);
    }

    #[test]
    fn moving_by_whole_cells_changes_nothing(zone in star(), right in -40_000i32..40_000, up in -40_000i32..40_000) {
        let window = CellWindow { cell_width: 30.0, cell_height: 30.0, y_max: 30.0 * f64::from(ROWS), ..unit_cells(COLS, ROWS) };
        let (dx, dy) = (30.0 * f64::from(right), 30.0 * f64::from(up));
        let scaled = |dx: f64, dy: f64| {
            let move_ring = |ring: &LineString<f64>| ring.coords().map(|c| (30.0 * c.x + dx, 30.0 * c.y + dy)).collect();
            let polygons = zone.iter().map(|p| Polygon::new(move_ring(p.exterior()), p.interiors().iter().map(move_ring).collect()));
            MultiPolygon(polygons.collect())
        };
        let there = CellWindow { x_min: window.x_min + dx, y_max: window.y_max + dy, ..window };
        assert_same(&cover(&scaled(dx, dy), there), &cover(&scaled(0.0, 0.0), window), window, F32);
    }

    #[test]
    fn orientation_and_first_vertex_do_not_matter(zone in star(), by in 0usize..60, outer: bool, inner: bool) {
        let window = unit_cells(COLS, ROWS);
        let other = zone.iter().map(|polygon| Polygon::new(
            turned(polygon.exterior(), by, outer),
            polygon.interiors().iter().map(|hole| turned(hole, by, inner)).collect(),
        ));
        assert_same(&cover(&MultiPolygon(other.collect()), window), &cover(&zone, window), window, F32);
    }

    #[test]
    fn coverage_is_well_formed(zone in star()) {
        let coverage = cover(&zone, unit_cells(COLS, ROWS));
        let again = Coverage::from_parts(coverage.spans().to_vec(), coverage.edges().to_vec());
        prop_assert_eq!(again.unwrap(), coverage.clone());
        prop_assert!(coverage.edges().iter().all(|cell| cell.fraction < 1.0 && cell.row < ROWS && cell.col < COLS));
        prop_assert!(coverage.spans().iter().all(|span| span.row < ROWS && span.col_start + span.len <= COLS));
    }

    #[test]
    fn a_zone_gathered_in_parts_is_the_zone(
        cells in prop::collection::vec((prop::option::of(-100i32..100), 0.0f32..=1.0), 0..3000),
        cut in 0usize..3000,
    ) {
        let gather = |cells: &[(Option<i32>, f32)]| {
            let mut zone = ZoneAccumulator::with_values(CellRule::default());
            cells.iter().for_each(|&(value, fraction)| zone.add(value.map(f64::from), fraction, 905.0));
            zone
        };
        let (left, right) = cells.split_at(cut.min(cells.len()));
        let mut parts = gather(left);
        parts.merge(&gather(right));
        let q = [Quantile::new(0.1).unwrap(), Quantile::new(0.9).unwrap()];
        let (parts, whole) = (parts.summary(&q), gather(&cells).summary(&q));
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
            (a, b) => a == b,
        };
        prop_assert!(near(Some(parts.count), Some(whole.count)) && near(Some(parts.sum), Some(whole.sum)));
        prop_assert!(near(parts.mean, whole.mean) && near(parts.stdev, whole.stdev));
        prop_assert!(near(parts.coverage, whole.coverage) && near(parts.median, whole.median));
        prop_assert!(parts.quantiles.iter().zip(&whole.quantiles).all(|(a, b)| near(a.value, b.value)));
        prop_assert_eq!((parts.min, parts.max, parts.variety), (whole.min, whole.max, whole.variety));
    }
}
