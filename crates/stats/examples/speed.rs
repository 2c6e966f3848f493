//! How fast zones are: `cargo run --release -p tesela-stats --example speed`.
//!
//! Made-up zones, single thread, informative only: no figure here is a test.

use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::Instant;

use geo_types::{LineString, Polygon};
use tesela_stats::{CellRule, CellWindow, CoverageBuilder, Quantile, StatsError, ZoneAccumulator};

fn main() -> Result<(), StatsError> {
    blocks()?;
    municipality()
}

/// 20,000 zones of about ten cells in one tile of 2048², then 30 layers of each.
fn blocks() -> Result<(), StatsError> {
    const ZONES: u32 = 20_000;
    const LAYERS: u32 = 30;
    let window = window(2048, 2048);
    let zones: Vec<_> = (0..ZONES)
        .map(|i| {
            outline(f64::from(i % 150) * 13.0 + 9.3, f64::from(i / 150) * 13.0 + 9.1, 2.1, 10, f64::from(i))
        })
        .collect();

    let start = Instant::now();
    let mut builder = CoverageBuilder::new(window)?;
    let mut coverages = Vec::new();
    for zone in &zones {
        builder.add_polygon(zone)?;
        coverages.push(builder.finish());
    }
    let seconds = start.elapsed().as_secs_f64();
    let cells: u64 = coverages.iter().map(tesela_stats::Coverage::cell_count).sum();
    let total: f64 = coverages.iter().map(tesela_stats::Coverage::total).sum();
    println!(
        "block_coverage_ms {:.1}  ({ZONES} zones, {:.1} cells covered, {:.1} touched each)",
        1e3 * seconds,
        total / f64::from(ZONES),
        cells as f64 / f64::from(ZONES)
    );

    let layer: Vec<u16> = (0..2048 * 2048u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 18) as u16).collect();
    for (name, keep_values) in [("moments", false), ("quantiles", true)] {
        let start = Instant::now();
        for _ in 0..LAYERS {
            for coverage in &coverages {
                let mut zone = if keep_values {
                    ZoneAccumulator::with_values(CellRule::default())
                } else {
                    ZoneAccumulator::moments_only(CellRule::default())
                };
                let value = |row: u32, col: u32| {
                    let value = layer[(row * 2048 + col) as usize];
                    (value != 0).then_some(f64::from(value))
                };
                zone.add_coverage(coverage, value, |_, _| 905.0);
                black_box(zone.summary(&[Quantile::MEDIAN]));
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("zone_layers_per_s_{name} {:.0}", f64::from(ZONES * LAYERS) / seconds);
    }
    Ok(())
}

/// One zone of 100,000 vertices and some 3 million cells.
fn municipality() -> Result<(), StatsError> {
    let zone = outline(1100.0, 1100.0, 1000.0, 100_000, 1.0);
    let start = Instant::now();
    let mut builder = CoverageBuilder::new(window(2200, 2200))?;
    builder.add_polygon(&zone)?;
    let coverage = builder.finish();
    println!(
        "municipality_coverage_ms {:.1}  ({:.0} cells, {} spans, {} partial cells)",
        1e3 * start.elapsed().as_secs_f64(),
        coverage.total(),
        coverage.spans().len(),
        coverage.edges().len()
    );
    for (name, keep_values) in [("moments", false), ("quantiles", true)] {
        let start = Instant::now();
        let mut zone = if keep_values {
            ZoneAccumulator::with_values(CellRule::default())
        } else {
            ZoneAccumulator::moments_only(CellRule::default())
        };
        zone.add_coverage(
            &coverage,
            |row, col| Some(f64::from((row * 31 + col * 17) % 10_007)),
            |_, _| 905.0,
        );
        black_box(zone.summary(&[Quantile::MEDIAN]));
        println!("municipality_{name}_ms {:.1}", 1e3 * start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn window(cols: u32, rows: u32) -> CellWindow {
    CellWindow { x_min: 0.0, y_max: 30.0 * f64::from(rows), cell_width: 30.0, cell_height: 30.0, cols, rows }
}

/// A rough circle around a point, all in cells of 30 m from the lower left.
fn outline(x: f64, y: f64, radius: f64, vertices: u32, phase: f64) -> Polygon<f64> {
    let ring: LineString<f64> = (0..vertices)
        .map(|i| {
            let angle = TAU * f64::from(i) / f64::from(vertices);
            let radius =
                radius * (1.0 + 0.03 * (phase + 7.0 * angle).sin() + 0.002 * (f64::from(i) * 2.4).sin());
            (30.0 * (x + radius * angle.cos()), 30.0 * (y + radius * angle.sin()))
        })
        .collect();
    Polygon::new(ring, vec![])
}
