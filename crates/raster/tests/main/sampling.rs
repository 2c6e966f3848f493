use proptest::prelude::*;
use tesela_grid::{CrsName, GeoBox, PixelWindow};
use tesela_model::Resampling::{self, Bilinear, Cubic, Nearest};
use tesela_raster::{NearestIndex, RasterError, Sample, Source, SourceGrid, gather, gather_part};

/// A picture of `width × height` pixels whose pixel (0, 0) has its centre at `first` and the next at `+ step`.
fn grid(width: usize, height: usize, first: [f64; 2], step: [f64; 2]) -> SourceGrid {
    let picture =
        GeoBox { crs: CrsName::epsg(3857), x_min: -0.5, y_max: 0.5, dx: 1.0, dy: 1.0, width, height };
    SourceGrid::new(&picture, |xs, ys| {
        xs.iter_mut().for_each(|x| *x = first[0] + *x * step[0]);
        ys.iter_mut().for_each(|y| *y = first[1] - *y * step[1]);
    })
}

fn sample<T: Sample>(
    values: &[T],
    window: PixelWindow,
    nodata: T,
    hidden: Option<&[bool]>,
    grid: &SourceGrid,
    resampling: Resampling,
) -> Vec<T> {
    let mut source = Source::new(values, window, nodata).unwrap();
    if let Some(hidden) = hidden {
        source = source.masked(hidden).unwrap();
    }
    let mut out = vec![nodata; grid.width() * grid.height()];
    gather(&source, grid, resampling, &mut out).unwrap();
    out
}

const THREE: PixelWindow = PixelWindow::new(0, 0, 3, 3);

#[test]
fn the_same_pixels_come_back() {
    let values: Vec<u16> = (1..=9).collect();
    for resampling in [Nearest, Bilinear, Cubic] {
        assert_eq!(sample(&values, THREE, 0, None, &grid(3, 3, [0.5, 0.5], [1.0, 1.0]), resampling), values);
    }
}

#[test]
fn nearest_takes_the_pixel_it_lies_in() {
    #[rustfmt::skip]
    let values = [1u8, 2, 3,
                  4, 5, 6,
                  7, 8, 9];
    #[rustfmt::skip]
    let expected = [1u8, 1, 2, 2, 3, 3,
                    1,   1, 2, 2, 3, 3,
                    4,   4, 5, 5, 6, 6,
                    4,   4, 5, 5, 6, 6,
                    7,   7, 8, 8, 9, 9,
                    7,   7, 8, 8, 9, 9];
    assert_eq!(sample(&values, THREE, 0, None, &grid(6, 6, [0.25, 0.25], [0.5, 0.5]), Nearest), expected);
    // One pixel off to the left and up: outside is nodata.
    let moved = grid(3, 3, [-0.5, -0.5], [1.0, 1.0]);
    assert_eq!(sample(&values, THREE, 0, None, &moved, Nearest), [0, 0, 0, 0, 1, 2, 0, 4, 5]);
    // The window's own place counts, not the slice's.
    let window = PixelWindow::new(100, -7, 3, 3);
    let there = grid(2, 1, [101.5, -5.5], [1.0, 1.0]);
    assert_eq!(sample(&values, window, 0, None, &there, Nearest), [5, 6]);
}

#[test]
fn bilinear_midpoints_and_gaps() {
    #[rustfmt::skip]
    let values = [10i16, 20, 30,
                  40,    -1, 60,
                  70,    80, 90];
    // Between the centres: means of 2 × 2, of which one is nodata: 3/4 of the weight is left.
    let middle = grid(2, 2, [1.0, 1.0], [1.0, 1.0]);
    assert_eq!(sample(&values, THREE, -1, None, &middle, Bilinear), [23, 37, 63, 77]);
    // On the edge of the raster half the weight is left, beyond it less; on the hole nothing.
    let edge = grid(3, 1, [0.5, 0.0], [1.0, 1.0]);
    assert_eq!(sample(&values, THREE, -1, None, &edge, Bilinear), [10, 20, 30]);
    let beyond = grid(3, 1, [0.5, -0.01], [1.0, 1.0]);
    assert_eq!(sample(&values, THREE, -1, None, &beyond, Bilinear), [-1, -1, -1]);
    let hole = grid(1, 1, [1.5, 1.5], [1.0, 1.0]);
    assert_eq!(sample(&values, THREE, -1, None, &hole, Bilinear), [-1]);
    // A mask does as nodata does: 23 was the mean of 10, 20, 40.
    let hidden = [false, true, false, false, false, false, false, false, false];
    assert_eq!(
        sample(&values, THREE, -1, Some(&hidden), &grid(1, 1, [1.0, 1.0], [1.0, 1.0]), Bilinear),
        [25]
    );
    assert_eq!(
        sample(&values, THREE, -1, Some(&hidden), &grid(2, 1, [0.5, 0.5], [1.0, 1.0]), Nearest),
        [10, -1]
    );
}

#[test]
fn cubic_keeps_a_straight_line_and_overshoots_a_step() {
    let line: Vec<f32> = (0..16).map(|i| (i % 4) as f32).collect();
    let window = PixelWindow::new(0, 0, 4, 4);
    let at = grid(1, 1, [1.8, 2.0], [1.0, 1.0]);
    let found = sample(&line, window, f32::NAN, None, &at, Cubic);
    assert!((found[0] - 1.3).abs() < 1e-6, "{found:?}");
    // 100, 100, 200, 200 at t = 0.25: Keys's weights −9, 111, 29, −3 over 128.
    let step: Vec<u8> = [100, 100, 200, 200].repeat(4);
    let found = sample(&step, window, 0, None, &grid(1, 1, [1.75, 1.5], [1.0, 1.0]), Cubic);
    assert_eq!(found, [120]); // (100 · 102 + 200 · 26) / 128 = 120.3
    let dark: Vec<u16> = [50, 1, 1, 50].repeat(4);
    let found = sample(&dark, window, 0, None, &grid(1, 1, [2.0, 1.5], [1.0, 1.0]), Cubic);
    assert_eq!(found, [1]); // −5.1, clamped to 0, which is nodata: the nearest valid value
}

#[test]
fn sizes_are_checked() {
    assert_eq!(
        Source::new(&[1u8, 2], THREE, 0).unwrap_err(),
        RasterError::Size { what: "the source", expected: 9, found: 2 }
    );
    let values = [1u8; 9];
    let source = Source::new(&values, THREE, 0).unwrap();
    assert!(source.masked(&[true]).is_err());
    assert!(gather(&source, &grid(2, 2, [0.0, 0.0], [1.0, 1.0]), Bilinear, &mut [0; 3]).is_err());
    let index = NearestIndex::new(&grid(2, 2, [50.0, 50.0], [1.0, 1.0]), &THREE);
    assert!(index.is_outside());
    assert!(index.gather(&values, 0, &mut [0; 3]).is_err());
    assert!(index.gather(&values[1..], 0, &mut [0; 4]).is_err());
}

/// By the definition, one weight at a time.
fn naive(
    values: &[u16],
    hidden: &[bool],
    width: i64,
    height: i64,
    u: f64,
    v: f64,
    cubic: bool,
) -> Option<f64> {
    let kernel = |distance: f64| {
        let d = distance.abs();
        match (cubic, d) {
            (false, d) if d < 1.0 => 1.0 - d,
            (true, d) if d < 1.0 => 1.5 * d.powi(3) - 2.5 * d.powi(2) + 1.0,
            (true, d) if d < 2.0 => -0.5 * d.powi(3) + 2.5 * d.powi(2) - 4.0 * d + 2.0,
            _ => 0.0,
        }
    };
    let (mut sum, mut weight) = (0.0, 0.0);
    for row in 0..height {
        for col in 0..width {
            let index = (row * width + col) as usize;
            if values[index] != 0 && !hidden[index] {
                let w = kernel(u - col as f64 - 0.5) * kernel(v - row as f64 - 0.5);
                sum += w * f64::from(values[index]);
                weight += w;
            }
        }
    }
    // Within rounding of one half either answer is right; such cases are not generated by the test below.
    (weight >= 0.5 - 1e-9).then(|| sum / weight)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn equals_the_naive_sum(
        (width, height, values, hidden) in (1usize..9, 1usize..9).prop_flat_map(|(w, h)| {
            let value = prop_oneof![1 => Just(0u16), 4 => 1u16..=65535];
            (Just(w), Just(h), prop::collection::vec(value, w * h), prop::collection::vec(prop::bool::weighted(0.2), w * h))
        }),
        first in [-2.0f64..9.0, -2.0..9.0],
        step in [0.05f64..1.5, 0.05..1.5],
        cubic in any::<bool>(),
    ) {
        let grid = grid(20, 3, first, step);
        let window = PixelWindow::new(0, 0, width, height);
        let found = sample(&values, window, 0, Some(&hidden), &grid, if cubic { Cubic } else { Bilinear });
        let nearest = sample(&values, window, 0, Some(&hidden), &grid, Nearest);
        let (mut us, mut vs) = (vec![0.0; 20], vec![0.0; 20]);
        for row in 0..3 {
            grid.row(row, &mut us, &mut vs);
            for col in 0..20 {
                let expected = naive(&values, &hidden, width as i64, height as i64, us[col], vs[col], cubic)
                    .filter(|_| us[col] >= -0.5 && vs[col] >= -0.5);
                let expected = expected.map_or(0.0, |value| value.clamp(1.0, 65535.0));
                let value = f64::from(found[row * 20 + col]);
                prop_assert!((value - expected).abs() <= 0.5 + 1e-6, "{} {} {} {}", us[col], vs[col], value, expected);
                let inside = us[col] >= 0.0 && vs[col] >= 0.0 && us[col] < width as f64 && vs[col] < height as f64;
                let index = || vs[col] as usize * width + us[col] as usize;
                let expected = if inside && !hidden[index()] { values[index()] } else { 0 };
                prop_assert_eq!(nearest[row * 20 + col], expected);
            }
        }
    }
}

proptest! {
    /// A mask that hides nothing is looked at pixel by pixel; without it, 16-bit pixels are sampled in lanes.
    #[test]
    fn lanes_give_what_single_pixels_give(
        values in prop::collection::vec(prop_oneof![20 => 1u16..=65_535, 1 => Just(0u16)], 40 * 30),
        holes in prop::collection::vec((0usize..40, 0usize..30, 0usize..12), 0..4),
        nodata in prop_oneof![Just(0u16), Just(65_535), any::<u16>()],
        first in prop::array::uniform2(-3.0..4.0f64),
        step in prop::array::uniform2(0.3..1.3f64),
        part in (0i64..30, 0i64..20, 1usize..40, 1usize..12),
    ) {
        let mut values = values;
        for (x, y, size) in holes {
            for row in y..(y + size).min(30) {
                values[row * 40 + x..row * 40 + (x + size).min(40)].fill(nodata);
            }
        }
        let (grid, window) = (grid(50, 25, first, step), PixelWindow::new(0, 0, 40, 30));
        let one_by_one = sample(&values, window, nodata, Some(&[false; 40 * 30]), &grid, Bilinear);
        prop_assert_eq!(&sample(&values, window, nodata, None, &grid, Bilinear), &one_by_one);
        // A part of the picture, into longer rows; past the picture is nodata.
        let (left, top, width, height) = part;
        let part = PixelWindow::new(left, top, width, height);
        let source = Source::new(&values, window, nodata).unwrap();
        for resampling in [Nearest, Bilinear, Cubic] {
            let whole = sample(&values, window, nodata, None, &grid, resampling);
            let mut out = vec![7u16; height * 45];
            gather_part(&source, &grid, resampling, &part, &mut out, 45).unwrap();
            for (row, line) in out.chunks(45).enumerate() {
                for (column, value) in line.iter().enumerate() {
                    let (x, y) = (left as usize + column, top as usize + row);
                    let expected = if column >= width { 7 } else if x < 50 && y < 25 { whole[y * 50 + x] } else { nodata };
                    prop_assert_eq!(*value, expected, "{:?} at {}, {}", resampling, x, y);
                }
            }
        }
    }
}
