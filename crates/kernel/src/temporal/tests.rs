//! Known answers KAT-TS1 of science 4.1, and every level against plain transcriptions.

use proptest::prelude::*;

use super::lanes::Level;
use super::medoid::medoid_at;
use super::percentiles::percentiles_at;
use super::summary::summarise_at;
use super::*;

const ALL: std::ops::RangeInclusive<f32> = f32::MIN..=f32::MAX;

/// Percentiles of one pixel, through the block kernel.
fn of(values: &[f32], shares: &[f64], method: Method) -> Vec<f32> {
    let mut out = vec![-1.0; shares.len()];
    percentiles(&Stack::new(values, 1, ALL).unwrap(), shares, method, &mut out).unwrap();
    out
}

#[test]
fn known_percentiles() {
    let shares = [0.1, 0.25, 0.5, 0.75, 0.9];
    let ten: Vec<f32> = (1..=10).rev().map(|v| v as f32).collect();
    assert_eq!(of(&ten, &shares, Method::Odc), [2.0, 3.0, 5.0, 8.0, 9.0]);
    assert_eq!(of(&ten, &shares, Method::Linear), [1.9, 3.25, 5.5, 7.75, 9.1]);
    assert_eq!(of(&ten[4..], &shares, Method::Odc), [1.0, 2.0, 3.0, 5.0, 5.0]);
    assert_eq!(of(&ten[4..], &shares, Method::Linear), [1.5, 2.25, 3.5, 4.75, 5.5]);
    assert_eq!(of(&[20.0, 30.0, 10.0], &shares, Method::Odc), [10.0, 10.0, 20.0, 30.0, 30.0]);
}

#[test]
fn few_observations_follow_the_rules() {
    assert!(of(&[], &[0.5], Method::Linear)[0].is_nan());
    assert!(of(&[f32::NAN, f32::INFINITY], &[0.5], Method::Linear)[0].is_nan());
    assert_eq!(of(&[f32::NAN, 4.0], &[0.0, 0.5, 1.0], Method::Linear), [4.0; 3]);
    assert!(of(&[1.0, 2.0, f32::NAN], &[0.5], Method::Odc)[0].is_nan());
    assert_eq!(of(&[1.0, 2.0], &[0.5], Method::Linear), [1.5]);
}

#[test]
fn the_greatest_number_counts_as_an_observation() {
    let values = [65535u16, 7, 0, 65535];
    let stack = Stack::new(&values, 1, 1..=65535).unwrap();
    let mut out = [0.0; 3];
    percentiles(&stack, &[0.0, 0.5, 1.0], Method::Odc, &mut out).unwrap();
    assert_eq!(out, [7.0, 65535.0, 65535.0]);
    let summary = summarise(&stack, Deviation::Population);
    assert_eq!((summary.count[0], summary.greatest[0]), (3, 65535.0));
}

#[test]
fn known_summary() {
    // Mean 5, sum of squares about it 32.
    let values = [2u16, 4, 4, 4, 5, 5, 7, 9, 0, 9999];
    let stack = Stack::new(&values, 1, 1..=100).unwrap();
    let population = summarise(&stack, Deviation::Population);
    assert_eq!((population.count[0], population.mean[0], population.deviation[0]), (8, 5.0, 2.0));
    assert_eq!((population.least[0], population.greatest[0]), (2.0, 9.0));
    let sample = summarise(&stack, Deviation::Sample);
    assert_eq!(sample.deviation[0], (32.0f64 / 7.0).sqrt() as f32);
    let hidden = [true, true, true, true, true, true, true, false, false, false];
    let one = stack.with_hidden(&hidden).unwrap();
    assert_eq!(summarise(&one, Deviation::Population).deviation[0], 0.0);
    assert!(summarise(&one, Deviation::Sample).deviation[0].is_nan());
    let none = Stack::new(&values, 1, 200..=300).unwrap();
    let empty = summarise(&none, Deviation::Population);
    assert_eq!(empty.count, [0]);
    for plane in [empty.mean, empty.deviation, empty.least, empty.greatest] {
        assert!(plane[0].is_nan());
    }
}

#[test]
fn the_medoid_is_an_observation_in_the_middle() {
    // Two pixels, five dates; the second pixel's middle date is hidden in one band.
    let red = [1u16, 1, 2, 2, 3, 3, 4, 4, 60, 60];
    let nir = [5u16, 5, 5, 5, 5, 0, 5, 5, 90, 90];
    let stacks = [&red, &nir].map(|values| Stack::new(values, 2, 1..=65535).unwrap());
    assert_eq!(medoid(&stacks).unwrap(), [2, 1]); // of 1 2 4 60: 2 and 4 both sum to 61, the first wins
    assert_eq!(pick(&stacks[0], &[2, 1]).unwrap(), [3.0, 2.0]);

    let pair = Stack::new(&red[..4], 2, 1..=65535).unwrap();
    assert_eq!(medoid(std::slice::from_ref(&pair)).unwrap(), [0, 0]);
    let none = Stack::new(&[0u16; 4], 2, 1..=65535).unwrap();
    assert_eq!(medoid(std::slice::from_ref(&none)).unwrap(), [NO_DATE; 2]);
    assert!(pick(&none, &[NO_DATE, 0]).unwrap().iter().all(|value| value.is_nan()));
    assert_eq!(medoid::<u16>(&[]), Err(TemporalError::NoBands));
}

#[test]
fn the_best_date_is_the_first_greenest() {
    let nan = f32::NAN;
    let ndvi = [0.2, nan, 0.8, nan, 0.8, -0.5, nan, nan];
    let stack = Stack::new(&ndvi, 2, ALL).unwrap();
    assert_eq!(best_date(&stack), [1, 2]);
    let hidden = [false, false, true, false, true, true, false, false];
    assert_eq!(best_date(&stack.with_hidden(&hidden).unwrap()), [0, NO_DATE]);
}

#[test]
fn wrong_shapes_are_refused() {
    assert_eq!(Stack::new(&[0u16; 5], 2, 1..=9).unwrap_err(), TemporalError::Ragged { values: 5, pixels: 2 });
    let stack = Stack::new(&[1u16; 6], 2, 1..=9).unwrap();
    let wrong = stack.clone().with_hidden(&[false; 5]).unwrap_err();
    assert_eq!(wrong.to_string(), "the mask holds 5 values where 6 are needed");
    assert!(matches!(median(&stack, &mut [0.0; 3]), Err(TemporalError::Length { .. })));
    for share in [-0.1, 1.1, f64::NAN] {
        let found = percentiles(&stack, &[share], Method::Linear, &mut [0.0; 2]);
        assert!(matches!(found, Err(TemporalError::Share { .. })));
    }
    assert!(
        [-0.1, 1.1, f64::NAN].iter().all(|&share| of_sorted(&[1.0, 2.0], share, Method::Linear).is_nan())
    );
    assert_eq!((stack.get(usize::MAX, 0), stack.get(0, 2), stack.get(2, 1)), (None, None, Some(1)));
    let other = Stack::new(&[1u16; 4], 2, 1..=9).unwrap();
    assert!(medoid(&[stack.clone(), other]).is_err());
    assert!(pick(&stack, &[0]).is_err());
    assert!(Stack::new(&[0u16; 65536], 1, 1..=9).is_err());
    let empty = Stack::new(&[0u16; 0], 0, 1..=9).unwrap();
    assert_eq!(median(&empty, &mut []), Ok(()));
    let mut out = [0.0; 3];
    let no_dates = Stack::new(&[0.0f32; 0], 3, ALL).unwrap();
    median(&no_dates, &mut out).unwrap();
    assert!(out.iter().all(|value| value.is_nan()));
}

/// Stacks of odd sizes, with ties, gaps and whole dates missing; 0 is nodata.
fn stacks() -> impl Strategy<Value = (usize, Vec<u16>, Vec<bool>)> {
    (
        prop_oneof![9 => 1usize..=70, 1 => 500usize..=530],
        0usize..=75,
        prop::sample::select(vec![3u16, 300, u16::MAX]),
    )
        .prop_flat_map(|(pixels, dates, greatest)| {
            let missing = prop::collection::vec(prop::bool::weighted(0.2), dates);
            let values = prop::collection::vec(0..=greatest, dates * pixels);
            let hidden = prop::collection::vec(prop::bool::weighted(0.4), dates * pixels);
            (missing, values, hidden).prop_map(move |(missing, values, mut hidden)| {
                for (date, _) in missing.iter().enumerate().filter(|(_, missing)| **missing) {
                    hidden[date * pixels..(date + 1) * pixels].fill(true);
                }
                (pixels, values, hidden)
            })
        })
}

/// Observations of a pixel with their dates.
fn observations(pixels: usize, values: &[u16], hidden: &[bool], pixel: usize) -> Vec<(u16, f64)> {
    let dates = values.len() / pixels;
    (0..dates)
        .map(|date| (date, date * pixels + pixel))
        .filter(|&(_, at)| !hidden[at] && values[at] != 0)
        .map(|(date, at)| (date as u16, f64::from(values[at])))
        .collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_level_equals_the_plain_statistic((pixels, values, hidden) in stacks()) {
        let shares = [0.0, 0.1, 0.5, 0.77, 1.0];
        let stack = Stack::new(&values, pixels, 1..=u16::MAX).unwrap().with_hidden(&hidden).unwrap();
        // The same in reflectance, with missing as NaN.
        let reflectance: Vec<f32> = values
            .iter()
            .zip(&hidden)
            .map(|(&v, &h)| if h || v == 0 { f32::NAN } else { f32::from(v) * 2.75e-5 - 0.2 })
            .collect();
        let float = Stack::new(&reflectance, pixels, ALL).unwrap();
        for level in Level::available() {
            for method in [Method::Linear, Method::Odc] {
                let mut out = vec![-1.0; shares.len() * pixels];
                percentiles_at(level, &stack, &shares, method, &mut out).unwrap();
                let mut out_float = vec![-1.0; shares.len() * pixels];
                percentiles_at(level, &float, &shares, method, &mut out_float).unwrap();
                for pixel in 0..pixels {
                    let seen = observations(pixels, &values, &hidden, pixel);
                    let mut sorted: Vec<f64> = seen.iter().map(|o| o.1).collect();
                    sorted.sort_by(f64::total_cmp);
                    for (k, &share) in shares.iter().enumerate() {
                        let expected = of_sorted(&sorted, share, method) as f32;
                        let found = out[k * pixels + pixel];
                        prop_assert_eq!(bits(&[found]), bits(&[expected]), "{:?}", level);
                        let found = out_float[k * pixels + pixel];
                        prop_assert!((found.is_nan() && expected.is_nan())
                            || (found - (expected * 2.75e-5 - 0.2)).abs() < 1e-6);
                    }
                }
            }
        }
    }

    #[test]
    fn every_level_gives_the_same_summary((pixels, values, hidden) in stacks()) {
        let stack = Stack::new(&values, pixels, 1..=u16::MAX).unwrap().with_hidden(&hidden).unwrap();
        for level in Level::available() {
            let summary = summarise_at(level, &stack, Deviation::Sample);
            for pixel in 0..pixels {
                let seen = observations(pixels, &values, &hidden, pixel);
                let n = seen.len() as f64;
                let mean = seen.iter().map(|o| o.1).sum::<f64>() / n;
                let squares: f64 = seen.iter().map(|o| (o.1 - mean) * (o.1 - mean)).sum();
                let nodata = |value: f64| if seen.is_empty() { f32::NAN } else { value as f32 };
                let least = seen.iter().map(|o| o.1).fold(f64::INFINITY, f64::min);
                let greatest = seen.iter().map(|o| o.1).fold(f64::NEG_INFINITY, f64::max);
                let expected = [mean, (squares / (n - 1.0)).sqrt(), least, greatest].map(nodata);
                let found = [&summary.mean, &summary.deviation, &summary.least, &summary.greatest];
                prop_assert_eq!(bits(&found.map(|plane| plane[pixel])), bits(&expected));
                prop_assert_eq!(usize::from(summary.count[pixel]), seen.len());
            }
        }
    }

    #[test]
    fn every_level_chooses_the_medoid((pixels, values, hidden) in stacks()) {
        let second: Vec<u16> = values.iter().rev().copied().collect();
        let none = vec![false; hidden.len()];
        let stacks = [
            Stack::new(&values, pixels, 1..=u16::MAX).unwrap().with_hidden(&hidden).unwrap(),
            Stack::new(&second, pixels, 1..=u16::MAX).unwrap(),
        ];
        let chosen = medoid(&stacks).unwrap();
        for level in Level::available() {
            prop_assert_eq!(&medoid_at(level, &stacks).unwrap(), &chosen);
        }
        for (pixel, &found) in chosen.iter().enumerate() {
            let b = observations(pixels, &second, &none, pixel);
            let seen: Vec<(u16, f64, f64)> = observations(pixels, &values, &hidden, pixel)
                .into_iter()
                .filter_map(|(date, x)| b.iter().find(|o| o.0 == date).map(|o| (date, x, o.1)))
                .collect();
            let cost = |o: &(u16, f64, f64)| -> f64 {
                seen.iter().map(|e| ((e.1 - o.1).powi(2) + (e.2 - o.2).powi(2)).sqrt()).sum()
            };
            let best = seen.iter().map(|o| (o.0, cost(o))).reduce(|a, b| if b.1 < a.1 { b } else { a });
            prop_assert_eq!(found, best.map_or(NO_DATE, |b| b.0));
        }
    }

    #[test]
    fn the_best_date_has_the_greatest_value((pixels, values, hidden) in stacks()) {
        let stack = Stack::new(&values, pixels, 1..=u16::MAX).unwrap().with_hidden(&hidden).unwrap();
        for (pixel, &found) in best_date(&stack).iter().enumerate() {
            let seen = observations(pixels, &values, &hidden, pixel);
            let best = seen.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
            prop_assert_eq!(found, best.map_or(NO_DATE, |b| b.0));
        }
    }
}
