use proptest::prelude::*;
use tesela_raster::{SceneReduction, half, reduce_max, reduce_mean, reduce_mean_weighted, reduce_mode};

#[test]
fn a_four_by_four_by_eye() {
    #[rustfmt::skip]
    let values = [1u16, 2,  10, 20,
                  3,    5,   0, 33,
                  0,    0,   7,  7,
                  0,    0,   7,  9];
    assert_eq!(reduce_mean(&values, 4, 4, 0).unwrap(), [3, 21, 0, 8]); // 2.75, 21, -, 7.5 to even
    assert_eq!(reduce_mode(&values, 4, 4, 0).unwrap(), [1, 10, 0, 7]);
    assert_eq!(reduce_max(&values, 4, 4, 0).unwrap(), [5, 33, 0, 9]);
}

#[test]
fn odd_sizes_round_up() {
    #[rustfmt::skip]
    let values = [1u8, 3, 5,
                  3,   5, 9,
                  8,   2, 4];
    assert_eq!(reduce_mean(&values, 3, 3, 0).unwrap(), [3, 7, 5, 4]);
    assert_eq!(reduce_max(&values, 3, 3, 0).unwrap(), [5, 9, 8, 4]);
    assert_eq!(reduce_mode(&[4i16], 1, 1, 0).unwrap(), [4]);
    assert_eq!((half(5), half(4), half(1), half(0)), (3, 2, 1, 0));
    assert!(reduce_mean(&values, 4, 3, 0).is_err());
}

#[test]
fn half_goes_to_even_and_never_to_nodata() {
    assert_eq!(reduce_mean(&[2u16, 3], 2, 1, 0).unwrap(), [2]);
    assert_eq!(reduce_mean(&[3u16, 4], 2, 1, 0).unwrap(), [4]);
    assert_eq!(reduce_mean(&[-1i16, 1], 2, 1, 0).unwrap(), [1]);
    assert_eq!(reduce_mean(&[f32::NAN, 1.5], 2, 1, f32::NAN).unwrap(), [1.5]);
    assert!(reduce_mean(&[f32::NAN; 2], 2, 1, f32::NAN).unwrap()[0].is_nan());
}

#[test]
fn counts_weigh_the_children() {
    // Three clear years against one: (100 · 3 + 200 · 1) / 4.
    let (means, counts) = reduce_mean_weighted(&[100u16, 200, 0, 999], &[3, 1, 4, 0], 2, 2, 0).unwrap();
    assert_eq!((means, counts), (vec![125], vec![4]));
    let (means, counts) = reduce_mean_weighted(&[7u16; 4], &[60_000; 4], 2, 2, 0).unwrap();
    assert_eq!((means, counts), (vec![7], vec![65_535]));
    assert_eq!(reduce_mean_weighted(&[7u16, 8], &[0, 0], 2, 1, 0).unwrap(), (vec![0], vec![0]));
    assert!(reduce_mean_weighted(&[7u16; 4], &[1; 3], 2, 2, 0).is_err());
}

#[test]
fn a_scene_uses_clear_children_or_else_all_observed() {
    const CLEAR: u16 = 21824;
    const CLOUD: u16 = 22280;
    const FILL: u16 = 1;
    #[rustfmt::skip]
    let quality = [CLEAR, CLOUD,  CLOUD, CLOUD,  FILL,
                   CLEAR, FILL,   FILL,  22018,  FILL];
    #[rustfmt::skip]
    let band =    [100u16, 900,   900,   1000,   0,
                   300,    0,     0,     1100,   0];
    let clear = quality.map(|word| word == CLEAR);
    let fill = quality.map(|word| word == FILL);
    let scene = SceneReduction::new(5, 2, &clear, &fill).unwrap();
    assert_eq!((scene.width(), scene.height()), (3, 1));
    assert_eq!(scene.mean(&band, 0).unwrap(), [200, 1000, 0]);
    assert_eq!(scene.quality(&quality, FILL).unwrap(), [CLEAR, CLOUD, FILL]);
    assert_eq!(scene.max(&band, 0).unwrap(), [300, 1100, 0]);
    assert!(scene.mean(&band[1..], 0).is_err());
    // A used child may lack one band: the others carry it.
    assert_eq!(scene.mean(&[0u16, 900, 0, 0, 0, 300, 0, 0, 0, 0], 0).unwrap(), [300, 0, 0]);
}

fn weighted_width() -> impl Strategy<Value = usize> {
    prop_oneof![1usize..12, 30usize..80]
}

proptest! {
    #[test]
    fn weighted_levels_keep_the_mean_of_the_ground(
        (width, height, values) in (1usize..20, 1usize..20)
            .prop_flat_map(|(w, h)| (Just(w), Just(h), prop::collection::vec(prop_oneof![1 => Just(f32::NAN), 3 => 0f32..1.0], w * h))),
    ) {
        let valid: Vec<f64> = values.iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v)).collect();
        let mut counts: Vec<u16> = values.iter().map(|v| u16::from(!v.is_nan())).collect();
        let (mut level, mut w, mut h) = (values, width, height);
        while w * h > 1 {
            (level, counts) = reduce_mean_weighted(&level, &counts, w, h, f32::NAN).unwrap();
            (w, h) = (half(w), half(h));
        }
        prop_assert_eq!(usize::from(counts[0]), valid.len());
        if !valid.is_empty() {
            let mean = valid.iter().sum::<f64>() / valid.len() as f64;
            prop_assert!((f64::from(level[0]) - mean).abs() < 1e-6);
        }
    }

    #[test]
    fn weighted_means_are_those_of_the_formula(
        (width, height, values, counts) in (weighted_width(), 1usize..12, any::<bool>()).prop_flat_map(|(w, h, even)| {
            // Where nothing is missing and all weighs the same, parents are made sixteen at a time.
            let value = if even {
                prop_oneof![3 => -6i16..-3, 3 => -2i16..5, 1 => any::<i16>()].boxed()
            } else {
                prop_oneof![1 => Just(-3i16), 4 => -5i16..5, 2 => any::<i16>()].boxed()
            };
            let count = if even {
                prop_oneof![400 => Just(16u16), 1 => Just(15u16)].boxed()
            } else {
                prop_oneof![1 => Just(0u16), 6 => Just(16u16), 2 => Just(16_384u16), 2 => any::<u16>()].boxed()
            };
            (Just(w), Just(h), prop::collection::vec(value, w * h), prop::collection::vec(count, w * h))
        }),
    ) {
        let floats: Vec<f32> = values.iter().map(|v| if *v == -3 { f32::NAN } else { f32::from(*v) * -0.1 }).collect();
        let (means, totals) = reduce_mean_weighted(&values, &counts, width, height, -3).unwrap();
        let (float_means, float_totals) = reduce_mean_weighted(&floats, &counts, width, height, f32::NAN).unwrap();
        prop_assert_eq!(&float_totals, &totals);
        for (i, (y, x)) in (0..half(height)).flat_map(|y| (0..half(width)).map(move |x| (y, x))).enumerate() {
            let (mut sum, mut float_sum, mut total) = (0i64, 0f64, 0u32);
            for (r, c) in [(2 * y, 2 * x), (2 * y, 2 * x + 1), (2 * y + 1, 2 * x), (2 * y + 1, 2 * x + 1)] {
                if r < height && c < width && values[r * width + c] != -3 {
                    let at = r * width + c;
                    sum += i64::from(values[at]) * i64::from(counts[at]);
                    float_sum += f64::from(floats[at]) * f64::from(counts[at]);
                    total += u32::from(counts[at]);
                }
            }
            prop_assert_eq!(u32::from(totals[i]), total.min(65_535));
            if total == 0 {
                prop_assert!(means[i] == -3 && float_means[i].is_nan());
                continue;
            }
            let mean = (sum as f64 / f64::from(total)).round_ties_even();
            // No mean becomes nodata: it goes to the side it lies on.
            let up = sum as f64 / f64::from(total) >= -3.0;
            let expected = match mean as i16 {
                -3 if up => -2,
                -3 => -4,
                other => other,
            };
            prop_assert_eq!(means[i], expected);
            prop_assert_eq!(float_means[i].to_bits(), ((float_sum / f64::from(total)) as f32).to_bits());
        }
    }

    #[test]
    fn every_rule_equals_the_naive_one(
        (width, height, values, clear) in (1usize..12, 1usize..12)
            .prop_flat_map(|(w, h)| (Just(w), Just(h), prop::collection::vec(0u8..5, w * h), prop::collection::vec(any::<bool>(), w * h))),
    ) {
        let fill: Vec<bool> = values.iter().map(|v| *v == 0).collect();
        let scene = SceneReduction::new(width, height, &clear, &fill).unwrap();
        let (means, words) = (scene.mean(&values, 0).unwrap(), scene.quality(&values, 0).unwrap());
        let modes = reduce_mode(&values, width, height, 0).unwrap();
        let maxima = reduce_max(&values, width, height, 0).unwrap();
        for y in 0..half(height) {
            for x in 0..half(width) {
                let mut children = Vec::new();
                for (r, c) in [(2 * y, 2 * x), (2 * y, 2 * x + 1), (2 * y + 1, 2 * x), (2 * y + 1, 2 * x + 1)] {
                    if r < height && c < width && values[r * width + c] != 0 {
                        children.push((values[r * width + c], clear[r * width + c]));
                    }
                }
                let all: Vec<u8> = children.iter().map(|c| c.0).collect();
                let good: Vec<u8> = children.iter().filter(|c| c.1).map(|c| c.0).collect();
                let used = if good.is_empty() { &all } else { &good };
                let mode = |values: &[u8]| (1..5u8).rev().max_by_key(|v| values.iter().filter(|o| *o == v).count())
                    .filter(|_| !values.is_empty()).unwrap_or(0);
                let mean = if used.is_empty() { 0 } else {
                    (used.iter().map(|v| f64::from(*v)).sum::<f64>() / used.len() as f64).round_ties_even() as u8
                };
                let i = y * half(width) + x;
                prop_assert_eq!((means[i], words[i]), (mean, mode(used)));
                prop_assert_eq!((modes[i], maxima[i]), (mode(&all), all.iter().copied().max().unwrap_or(0)));
            }
        }
    }
}
