//! Foreign truth: the same zones through exactextract (see `exactextract/make_fixture.py`).

use geo_types::{LineString, MultiPolygon, Polygon};
use serde::Deserialize;
use tesela_stats::{CellRule, CellWindow, Quantile, ZoneAccumulator};

use crate::windows::{cover, dense};

#[derive(Deserialize)]
struct Fixture {
    window: CellWindow,
    values: Vec<Vec<Option<f64>>>,
    zones: Vec<Zone>,
}

#[derive(Deserialize)]
struct Zone {
    kind: String,
    polygons: Vec<Vec<Vec<(f64, f64)>>>, // parts, rings, vertices
    stats: Stats,
    cells: Vec<usize>,
    fractions: Vec<f32>,
}

/// exactextract's names.
#[derive(Debug, Deserialize)]
struct Stats {
    count: f64,
    mean: Option<f64>,
    stdev: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    median: Option<f64>,
    quantile_10: Option<f64>,
    quantile_90: Option<f64>,
    majority: Option<f64>,
    minority: Option<f64>,
    variety: f64,
}

impl Zone {
    fn geometry(&self) -> MultiPolygon<f64> {
        let ring = |vertices: &Vec<(f64, f64)>| LineString::from(vertices.clone());
        let polygon = |rings: &Vec<Vec<(f64, f64)>>| {
            Polygon::new(ring(&rings[0]), rings[1..].iter().map(ring).collect())
        };
        MultiPolygon(self.polygons.iter().map(polygon).collect())
    }
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("exactextract/fixture.json")).unwrap_or_else(|e| unreachable!("{e}"))
}

#[test]
fn every_cell_is_covered_as_in_exactextract() {
    let fixture = fixture();
    assert_eq!(fixture.zones.len(), 60);
    for (at, zone) in fixture.zones.iter().enumerate() {
        let ours: Vec<f32> = dense(&cover(&zone.geometry(), fixture.window), fixture.window).concat();
        let mut theirs = vec![0.0; ours.len()];
        zone.cells.iter().zip(&zone.fractions).for_each(|(&cell, &fraction)| theirs[cell] = fraction);
        for (cell, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            assert!(
                (ours - theirs).abs() <= 1e-6,
                "zone {at} ({}), cell {cell}: {ours}, {theirs}",
                zone.kind
            );
        }
    }
}

#[test]
fn every_statistic_is_that_of_exactextract() {
    let fixture = fixture();
    for (at, zone) in fixture.zones.iter().enumerate() {
        let mut accumulator = ZoneAccumulator::with_values(CellRule::default());
        let coverage = cover(&zone.geometry(), fixture.window);
        let value = |row: u32, col: u32| fixture.values[row as usize][col as usize];
        accumulator.add_coverage(&coverage, value, |_, _| 900.0);
        let ours = accumulator.summary(&[0.1, 0.9].map(|q| Quantile::new(q).unwrap()));
        let theirs = &zone.stats;
        // Both round coverage to f32: 6e-8 of a cell, which small counts and interpolation magnify.
        for (name, ours, theirs, tolerance) in [
            ("count", Some(ours.count), Some(theirs.count), 2e-6),
            ("mean", ours.mean, theirs.mean, 5e-6),
            ("stdev", ours.stdev, theirs.stdev, 5e-6),
            ("median", ours.median, theirs.median, 5e-5),
            ("quantile 0.1", ours.quantiles[0].value, theirs.quantile_10, 5e-5),
            ("quantile 0.9", ours.quantiles[1].value, theirs.quantile_90, 5e-5),
            ("min", ours.min, theirs.min, 0.0),
            ("max", ours.max, theirs.max, 0.0),
            ("majority", ours.majority, theirs.majority, 0.0),
            ("minority", ours.minority, theirs.minority, 0.0),
            ("variety", ours.variety.map(|n| n as f64), Some(theirs.variety), 0.0),
        ] {
            let agrees = match (ours, theirs) {
                (Some(ours), Some(theirs)) => (ours - theirs).abs() <= tolerance,
                (ours, theirs) => ours == theirs,
            };
            assert!(agrees, "zone {at} ({}), {name}: {ours:?}, {theirs:?}", zone.kind);
        }
    }
}
