//! Polygons and the coverage one can read off squared paper. Cells are 1 × 1, y goes up, rows go down.

use geo_types::{MultiPolygon, Polygon};
use tesela_stats::{CellWindow, CoverageBuilder, StatsError, centre_coverage};

use crate::windows::{cover, dense, ring, unit_cells};

#[track_caller]
fn assert_covers<const N: usize, const M: usize>(
    zone: impl Into<MultiPolygon<f64>>,
    expected: [[f32; N]; M],
) {
    let window = unit_cells(N as u32, M as u32);
    let coverage = cover(&zone.into(), window);
    assert_eq!(dense(&coverage, window), expected.map(|row| row.to_vec()));
}

#[test]
fn a_square_between_cell_centres() {
    assert_covers(
        ring(&[(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)]),
        [
            [0.25, 0.5, 0.25], //
            [0.50, 1.0, 0.50],
            [0.25, 0.5, 0.25],
        ],
    );
}

#[test]
fn half_of_the_window() {
    assert_covers(
        ring(&[(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)]),
        [
            [0.5, 0.0, 0.0], //
            [1.0, 0.5, 0.0],
            [1.0, 1.0, 0.5],
        ],
    );
}

#[test]
fn a_diamond_on_edge_midpoints() {
    assert_covers(
        ring(&[(1.5, 0.0), (3.0, 1.5), (1.5, 3.0), (0.0, 1.5)]),
        [
            [0.125, 0.75, 0.125], //
            [0.750, 1.00, 0.750],
            [0.125, 0.75, 0.125],
        ],
    );
}

#[test]
fn sides_on_cell_edges_touch_no_neighbour() {
    assert_covers(
        ring(&[(1.0, 1.0), (2.0, 1.0), (2.0, 3.0), (1.0, 3.0)]),
        [
            [0.0, 1.0, 0.0], //
            [0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0],
        ],
    );
}

#[test]
fn corners_on_cell_corners() {
    assert_covers(
        ring(&[(1.0, 0.0), (2.0, 1.0), (1.0, 2.0), (0.0, 1.0)]),
        [
            [0.0, 0.0, 0.0], //
            [0.5, 0.5, 0.0],
            [0.5, 0.5, 0.0],
        ],
    );
}

#[test]
fn a_zone_smaller_than_a_cell() {
    assert_covers(
        ring(&[(1.25, 1.25), (1.75, 1.25), (1.75, 1.5), (1.25, 1.5)]),
        [
            [0.0, 0.000, 0.0], //
            [0.0, 0.125, 0.0],
            [0.0, 0.000, 0.0],
        ],
    );
}

#[test]
fn a_sliver_through_three_cells() {
    assert_covers(
        ring(&[(0.0, 1.5), (3.0, 1.5), (3.0, 1.5078125), (0.0, 1.5078125)]),
        [
            [0.0, 0.0, 0.0], //
            [0.0078125, 0.0078125, 0.0078125],
            [0.0, 0.0, 0.0],
        ],
    );
}

#[test]
fn a_hole_is_not_covered_whichever_way_it_runs() {
    let outer = [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 3.0), (0.0, 0.0)];
    let mut hole = vec![(1.0, 0.5), (2.5, 0.5), (2.5, 2.0), (1.0, 2.0), (1.0, 0.5)];
    for _ in 0..2 {
        assert_covers(
            Polygon::new(outer.to_vec().into(), vec![hole.clone().into()]),
            [
                [1.0, 1.0, 1.0], //
                [1.0, 0.0, 0.5],
                [1.0, 0.5, 0.75],
            ],
        );
        hole.reverse();
    }
}

#[test]
fn an_island_in_a_lake() {
    let shore = ring(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (0.0, 5.0)]);
    let lake = vec![(1.0, 1.0), (4.0, 1.0), (4.0, 4.0), (1.0, 4.0), (1.0, 1.0)];
    let island = ring(&[(2.0, 2.0), (3.0, 2.0), (3.0, 3.0), (2.0, 3.0)]);
    assert_covers(
        MultiPolygon(vec![Polygon::new(shore.exterior().clone(), vec![lake.into()]), island]),
        [
            [1.0, 1.0, 1.0, 1.0, 1.0], //
            [1.0, 0.0, 0.0, 0.0, 1.0],
            [1.0, 0.0, 1.0, 0.0, 1.0],
            [1.0, 0.0, 0.0, 0.0, 1.0],
            [1.0, 1.0, 1.0, 1.0, 1.0],
        ],
    );
}

#[test]
fn two_parts_in_one_cell_add_up() {
    assert_covers(
        MultiPolygon(vec![
            ring(&[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]),
            ring(&[(0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0)]),
        ]),
        [[0.5]],
    );
}

#[test]
fn parts_that_meet_on_a_slant_make_whole_cells() {
    let window = unit_cells(3, 3);
    let zone = MultiPolygon(vec![
        ring(&[(0.0, 0.0), (3.0, 0.0), (3.0, 2.9), (0.0, 0.1)]),
        ring(&[(0.0, 0.1), (3.0, 2.9), (3.0, 3.0), (0.0, 3.0)]),
    ]);
    let coverage = cover(&zone, window);
    assert_eq!(coverage.edges(), []);
    assert_eq!(coverage.cell_count(), 9);
}

#[test]
fn what_lies_outside_the_window_is_left_out() {
    // Far beyond every side, below the line y = x + 1.5.
    assert_covers(
        ring(&[(-4.0, -9.0), (200.0, -9.0), (200.0, 90.0), (88.5, 90.0), (-4.0, -2.5)]),
        [
            [0.125, 0.875, 1.0], //
            [0.875, 1.000, 1.0],
            [1.000, 1.000, 1.0],
        ],
    );
    assert_covers(ring(&[(-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0)]), [[1.0, 1.0], [1.0, 1.0]]);
    for (x, y) in [(-5.0, 1.0), (9.0, 1.0), (1.0, 9.0), (1.0, -5.0), (2.0, 0.0), (0.0, 2.0)] {
        assert_covers(
            ring(&[(x, y), (x + 1.0, y), (x + 1.0, y + 1.0), (x, y + 1.0)]),
            [[0.0, 0.0], [0.0, 0.0]],
        );
    }
}

#[test]
fn no_area_covers_nothing() {
    assert_covers(ring(&[(0.2, 0.2), (2.7, 1.9)]), [[0.0; 3]; 3]);
    assert_covers(ring(&[]), [[0.0; 3]; 3]);
    assert_covers(MultiPolygon(vec![]), [[0.0; 3]; 3]);
}

#[test]
fn decimal_cell_sizes_do_not_leak_into_neighbours() {
    // Cells 3 to 6 of a grid of 0.00025°: the decimals are not exact, the answer is.
    let window = CellWindow {
        x_min: -99.2,
        y_max: 19.6,
        cell_width: 0.00025,
        cell_height: 0.00025,
        cols: 10,
        rows: 10,
    };
    let zone =
        ring(&[(-99.19925, 19.5985), (-99.1985, 19.5985), (-99.1985, 19.59925), (-99.19925, 19.59925)]);
    let coverage = cover(&zone.into(), window);
    assert_eq!(coverage.edges(), []);
    let spans: Vec<_> = coverage.spans().iter().map(|span| (span.row, span.col_start, span.len)).collect();
    assert_eq!(spans, [(3, 3, 3), (4, 3, 3), (5, 3, 3)]);
}

#[test]
fn a_bad_vertex_is_named_and_leaves_the_builder_usable() {
    let mut builder = CoverageBuilder::new(unit_cells(3, 3)).unwrap();
    let bad = ring(&[(0.0, 0.0), (3.0, 0.0), (f64::NAN, 3.0)]);
    let error = builder.add_polygon(&bad).unwrap_err();
    assert!(matches!(error, StatsError::VertexNotFinite { index: 2, .. }));
    assert!(centre_coverage(&bad.into(), unit_cells(3, 3)).is_err());
    builder.add_polygon(&ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])).unwrap();
    assert_eq!(builder.finish().total(), 1.0);
}

#[test]
fn a_window_without_cells_is_refused() {
    for window in [
        unit_cells(0, 3),
        CellWindow { cell_width: -1.0, ..unit_cells(3, 3) },
        CellWindow { y_max: f64::NAN, ..unit_cells(3, 3) },
    ] {
        assert!(matches!(CoverageBuilder::new(window), Err(StatsError::InvalidWindow { .. })));
    }
}

#[test]
fn the_centre_rule_gives_each_cell_to_one_side() {
    let window = unit_cells(3, 3);
    let lower = MultiPolygon(vec![ring(&[(0.0, 0.0), (3.0, 0.0), (3.0, 1.5), (0.0, 1.5)])]);
    let upper = MultiPolygon(vec![ring(&[(0.0, 1.5), (3.0, 1.5), (3.0, 3.0), (0.0, 3.0)])]);
    // The border runs through the centres of the middle row.
    assert_eq!(dense(&centre_coverage(&lower, window).unwrap(), window), [[0.0; 3], [1.0; 3], [1.0; 3]]);
    assert_eq!(dense(&centre_coverage(&upper, window).unwrap(), window), [[1.0; 3], [0.0; 3], [0.0; 3]]);
}
