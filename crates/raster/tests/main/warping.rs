use tesela_grid::{CrsName, GeoBox, PixelWindow};
use tesela_model::Resampling;
use tesela_raster::SourceGrid;

fn picture(width: usize, height: usize) -> GeoBox {
    GeoBox { crs: CrsName::epsg(3857), x_min: 0.0, y_max: height as f64, dx: 1.0, dy: 1.0, width, height }
}

/// Largest distance between the grid's positions and the exact ones, and the number of disagreements over NaN.
fn compare(picture: &GeoBox, mut to_source: impl FnMut(&mut [f64], &mut [f64])) -> (SourceGrid, f64, usize) {
    let grid = SourceGrid::new(picture, &mut to_source);
    let (mut worst, mut mismatches) = (0f64, 0);
    let (mut us, mut vs) = (vec![0.0; picture.width], vec![0.0; picture.width]);
    for row in 0..picture.height {
        grid.row(row, &mut us, &mut vs);
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) =
            (0..picture.width).map(|col| picture.xy(col as f64 + 0.5, row as f64 + 0.5)).unzip();
        to_source(&mut xs, &mut ys);
        for col in 0..picture.width {
            if us[col].is_nan() != xs[col].is_nan() {
                mismatches += 1;
            } else if !us[col].is_nan() {
                worst = worst.max((us[col] - xs[col]).hypot(vs[col] - ys[col]));
            }
        }
    }
    (grid, worst, mismatches)
}

/// Rows down: v = height − y.
fn flip(height: usize, ys: &mut [f64]) {
    ys.iter_mut().for_each(|y| *y = height as f64 - *y);
}

#[test]
fn the_same_pixels_are_themselves_exactly() {
    for (width, height) in [(256, 256), (1, 1), (1, 40), (17, 33), (100, 3), (257, 16)] {
        let box_ = picture(width, height);
        let (grid, worst, mismatches) = compare(&box_, |_, ys| flip(height, ys));
        assert_eq!((worst, mismatches, grid.exact_cells(), grid.step()), (0.0, 0, 0, 16), "{width} {height}");
        for resampling in [Resampling::Nearest, Resampling::Bilinear] {
            assert_eq!(grid.source_window(resampling), Some(PixelWindow::new(0, 0, width, height)));
        }
        let window = grid.source_window(Resampling::Cubic).unwrap();
        assert_eq!(window, PixelWindow::new(-1, -1, width + 2, height + 2));
        if width > 1 && height > 1 {
            assert_eq!(grid.source_pixels_per_pixel(), Some(1.0));
        }
    }
}

#[test]
fn windows_hold_the_neighbours_that_are_read() {
    // Source pixels twice as large, moved by a quarter: centres at u = 0.5, 1, 1.5, 2.
    let box_ = picture(4, 4);
    let grid = SourceGrid::new(&box_, |xs, ys| {
        flip(4, ys);
        xs.iter_mut().chain(ys).for_each(|p| *p = *p / 2.0 + 0.25);
    });
    assert_eq!(grid.source_window(Resampling::Nearest), Some(PixelWindow::new(0, 0, 3, 3)));
    assert_eq!(grid.source_window(Resampling::Bilinear), Some(PixelWindow::new(0, 0, 3, 3)));
    assert_eq!(grid.source_window(Resampling::Cubic), Some(PixelWindow::new(-1, -1, 5, 5)));
    let level1 = grid.scaled(0.5);
    assert_eq!(level1.source_bounds().map(|b| (b.x_min, b.x_max)), Some((0.25, 1.0)));
}

#[test]
fn a_gentle_curve_needs_only_the_coarse_grid() {
    let (grid, worst, _) = compare(&picture(256, 256), |xs, ys| {
        for (x, y) in xs.iter_mut().zip(ys) {
            (*x, *y) = (*x + 1e-4 * *y * *y, 256.0 - *y + 3e-5 * *x * *x);
        }
    });
    assert_eq!((grid.step(), grid.exact_cells()), (16, 0));
    assert!(worst < 0.125 && worst > 0.0, "{worst}");
    assert!(grid.error_px() < 0.125);
}

#[test]
fn a_sharp_curve_halves_the_step() {
    // Error at a cell's centre: k · (step / 2)²; the slope stays below one source pixel a pixel.
    for (k, step) in [(0.001, 16), (0.004, 8), (0.01, 4)] {
        let (grid, worst, _) = compare(&picture(64, 64), |xs, ys| {
            flip(64, ys);
            xs.iter().zip(ys).for_each(|(x, y)| *y += k * (*x - 32.0).powi(2));
        });
        assert_eq!((grid.step(), grid.exact_cells()), (step, 0));
        assert!(worst < 0.13, "{k}: {worst}");
    }
    // A kink in one place: its cells alone are exact.
    let (grid, worst, _) = compare(&picture(256, 256), |xs, ys| {
        flip(256, ys);
        xs.iter_mut().for_each(|x| *x = if *x > 100.3 { 2.0 * *x - 100.3 } else { *x });
    });
    assert_eq!((grid.step(), grid.exact_cells()), (8, 32));
    assert!(worst < 0.25, "{worst}");
    // Wild everywhere: every pixel exact.
    let (grid, worst, _) = compare(&picture(64, 64), |xs, ys| {
        for (x, y) in xs.iter_mut().zip(ys) {
            (*x, *y) = (*x + 5.0 * (*x * 2.3).sin(), 64.0 - *y + 5.0 * (*y * 1.9).cos());
        }
    });
    assert_eq!(grid.step(), 4);
    assert!(worst < 12.0 && grid.exact_cells() > 0, "{worst}");
}

#[test]
fn pixels_that_do_not_project_are_nan_and_their_neighbours_exact() {
    let half_moon = |xs: &mut [f64], ys: &mut [f64]| {
        for (x, y) in xs.iter_mut().zip(ys) {
            if (*x - 128.0).hypot(*y - 128.0) > 100.0 {
                (*x, *y) = (f64::NAN, f64::NAN);
            } else {
                *y = 256.0 - *y;
            }
        }
    };
    let (grid, worst, mismatches) = compare(&picture(256, 256), half_moon);
    assert!(worst < 1e-9 && grid.exact_cells() > 0);
    // Slivers of a cell whose corners and centre are all outside may be missed.
    assert!(mismatches < 256, "{mismatches}");
    let nowhere = SourceGrid::new(&picture(256, 256), |xs, _| xs.fill(f64::NAN));
    assert_eq!(nowhere.source_window(Resampling::Nearest), None);
    assert_eq!(nowhere.source_pixels_per_pixel(), None);
    let empty = SourceGrid::new(&picture(0, 5), |_, _| {});
    assert_eq!(empty.source_bounds(), None);
}

#[test]
fn a_jump_is_not_interpolated_across() {
    let (_, worst, mismatches) = compare(&picture(256, 256), |xs, ys| {
        flip(256, ys);
        xs.iter_mut().for_each(|x| *x = if *x > 77.7 { *x - 4e7 } else { *x });
    });
    assert!(worst < 1e-6 && mismatches == 0, "{worst}");
}
