//! Milliseconds of warping a 256² tile and of one pyramid level of a 2048² tile: `cargo run -p tesela-raster
//! --example bench_raster` (one figure a line: name, value).

use std::hint::black_box;
use std::time::Instant;

use tesela_grid::{CrsName, GeoBox};
use tesela_model::Resampling;
use tesela_raster::{
    NearestIndex, SceneReduction, Source, SourceGrid, gather, reduce_mean, reduce_mean_weighted, reduce_mode,
    to_physical,
};

/// The best of several rounds: other processes share the machine.
fn ms(name: &str, mut work: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..60 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("{name} {best:.3}");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let picture = GeoBox {
        crs: CrsName::epsg(3857),
        x_min: 0.0,
        y_max: 256.0,
        dx: 1.0,
        dy: 1.0,
        width: 256,
        height: 256,
    };
    // A turn, a stretch and a slight bend, as of Mercator over the national conic.
    let to_source = |xs: &mut [f64], ys: &mut [f64]| {
        for (x, y) in xs.iter_mut().zip(ys) {
            (*x, *y) =
                (30.0 + 1.02 * *x + 0.1 * *y + 2e-5 * *y * *y, 20.0 - 0.1 * *x + 1.02 * (256.0 - *y) + 30.0);
        }
    };
    ms("grid_256_ms", || drop(black_box(SourceGrid::new(&picture, to_source))));
    let grid = SourceGrid::new(&picture, to_source);
    let window = grid.source_window(Resampling::Cubic).ok_or("no window")?;
    let values: Vec<u16> = (0..window.len()).map(|i| (i * 7919 % 43_000 + 1) as u16).collect();
    let source = Source::new(&values, window, 0)?;
    let hidden: Vec<bool> = (0..window.len()).map(|i| i % 97 == 0).collect();
    let mut out = vec![0u16; 256 * 256];
    let mut physical = vec![0f32; 256 * 256];
    for (name, kernel) in
        [("nearest", Resampling::Nearest), ("bilinear", Resampling::Bilinear), ("cubic", Resampling::Cubic)]
    {
        ms(&format!("{name}_256_ms"), || drop(black_box(gather(&source, &grid, kernel, &mut out))));
        let masked = source.masked(&hidden)?;
        ms(&format!("{name}_masked_256_ms"), || drop(black_box(gather(&masked, &grid, kernel, &mut out))));
    }
    let (mut us, mut vs) = (vec![0.0; 256], vec![0.0; 256]);
    ms("rows_256_ms", || {
        for row in 0..256 {
            grid.row(row, &mut us, &mut vs);
            black_box((&us, &vs));
        }
    });
    let index = NearestIndex::new(&grid, &window);
    ms("nearest_index_256_ms", || drop(black_box(NearestIndex::new(&grid, &window))));
    ms("nearest_take_256_ms", || drop(black_box(index.gather(&values, 0, &mut out))));
    ms("to_physical_256_ms", || drop(black_box(to_physical(&out, 2.75e-5, -0.2, 0, &mut physical))));

    let tile: Vec<u16> = (0..2048 * 2048).map(|i: usize| (i * 7919 % 43_000) as u16).collect();
    let counts = vec![1u16; tile.len()];
    let (clear, fill): (Vec<bool>, Vec<bool>) = tile.iter().map(|v| (v % 3 == 0, v % 50 == 0)).unzip();
    ms("mean_2048_ms", || drop(black_box(reduce_mean(&tile, 2048, 2048, 0))));
    ms("mean_weighted_2048_ms", || drop(black_box(reduce_mean_weighted(&tile, &counts, 2048, 2048, 0))));
    ms("mode_2048_ms", || drop(black_box(reduce_mode(&tile, 2048, 2048, 0))));
    ms("scene_choice_2048_ms", || drop(black_box(SceneReduction::new(2048, 2048, &clear, &fill))));
    let scene = SceneReduction::new(2048, 2048, &clear, &fill)?;
    ms("scene_mean_2048_ms", || drop(black_box(scene.mean(&tile, 0))));
    ms("scene_quality_2048_ms", || drop(black_box(scene.quality(&tile, 0))));
    Ok(())
}
