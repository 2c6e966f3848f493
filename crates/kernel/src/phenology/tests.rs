//! Known answers KAT-TS4 of science 4.4, and seasons drawn by hand.

use proptest::prelude::*;

use super::*;

const DAYS: [f64; 12] = [15., 46., 74., 105., 135., 166., 196., 227., 258., 288., 319., 349.];
const NDVI: [f64; 12] = [0.21, 0.22, 0.27, 0.38, 0.52, 0.63, 0.66, 0.60, 0.49, 0.36, 0.27, 0.22];

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 6e-5
}

#[test]
fn a_known_season_by_thresholds() {
    let s = season(&DAYS, &NDVI, DEFAULT_SHARE).unwrap().unwrap();
    assert_eq!((s.peak, s.peak_value, s.base_before, s.base_after), (196.0, 0.66, 0.21, 0.22));
    assert!(near(s.amplitude(), 0.45));
    assert!(near(s.start, 82.4545) && near(s.start_value, 0.300), "{s:?}");
    assert!(near(s.end, 305.9111) && near(s.end_value, 0.308), "{s:?}");
    assert!(near(s.length(), 223.4566) && near(s.greening(), 0.36 / (196.0 - 82.4545)));
    let half = season(&DAYS, &NDVI, 0.5).unwrap().unwrap();
    assert!(near(half.start, 116.7857) && near(half.end, 269.5385), "{half:?}");
}

#[test]
fn a_known_season_of_dea_tools() {
    let s = dea_season(&DAYS, &NDVI, DeaTiming::Outer).unwrap().unwrap();
    assert_eq!((s.peak, s.peak_value, s.trough, s.amplitude), (196.0, 0.66, 0.21, 0.66 - 0.21));
    assert_eq!((s.start, s.end, s.length), (15.0, 349.0, 334.0));
    assert_eq!((s.start_value, s.end_value), (0.21, 0.22));
    assert!(near(s.greening, 0.45 / 181.0) && near(s.senescing, -0.44 / 153.0));
    assert_eq!(dea_season(&DAYS, &NDVI, DeaTiming::Median).unwrap().unwrap().start, 74.0);
}

/// From 1 October: a winter season that a calendar year would cut is whole.
#[test]
fn the_agricultural_year_begins_in_october() {
    let from_october: Vec<f64> = DAYS.iter().map(|day| day - 15.0).collect();
    let s = season(&from_october, &NDVI, DEFAULT_SHARE).unwrap().unwrap();
    assert!(near(s.start, 82.4545 - 15.0) && near(s.length(), 223.4566));
    // dea-tools with days of the year, October first, ends before it starts and adds the last day.
    let winter = [274., 305., 335.].into_iter().chain([366., 397.]).collect::<Vec<_>>();
    let s = dea_season(&winter, &[0.2, 0.5, 0.8, 0.5, 0.2], DeaTiming::Outer).unwrap().unwrap();
    assert_eq!((s.start, s.end, s.length), (274.0, 397.0, 123.0));
}

#[test]
fn a_season_that_is_cut_has_no_start_or_end() {
    let rising = season(&[0., 10., 20.], &[0.1, 0.4, 0.8], 0.2).unwrap().unwrap();
    assert!(rising.end.is_nan() && rising.base_after.is_nan() && rising.length().is_nan());
    assert!(near(rising.start, 10.0 * (0.14 / 0.3)) && near(rising.start, 4.66667));
    assert!(near(rising.amplitude(), 0.7));
    assert_eq!(season(&[0., 10., 20.], &[0.3; 3], 0.2).unwrap(), None);
    assert_eq!(season(&[0., 10., 20.], &[0.3, f64::NAN, 0.5], 0.2).unwrap(), None);
    assert_eq!(dea_season(&[0., 10.], &[f64::NAN; 2], DeaTiming::Outer).unwrap(), None);
}

#[test]
fn wrong_series_are_refused() {
    let found = season(&[0., 1.], &[0.1; 3], 0.2);
    assert_eq!(found, Err(PhenologyError::Length { times: 2, values: 3 }));
    let found = peaks(&[0., 2., 2.], &[0.1; 3], 0.1);
    assert_eq!(found, Err(PhenologyError::Times { position: 2 }));
    for share in [0.0, 1.0, f64::NAN] {
        let found = season(&[0., 1.], &[0.1; 2], share);
        assert!(matches!(found, Err(PhenologyError::Share { .. })));
    }
}

#[test]
fn peaks_stand_out() {
    let count = |values: &[f64]| {
        let times: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
        peaks(&times, values, MIN_PROMINENCE).unwrap()
    };
    assert_eq!(count(&[0.2, 0.6, 0.3, 0.7, 0.2]), [1.0, 3.0]); // two crops
    assert_eq!(count(&[0.2, 0.6, 0.55, 0.7, 0.2]), [3.0]); // a dent
    assert_eq!(count(&[0.2, 0.7, 0.55, 0.7, 0.2]), [1.0, 3.0]); // equal heights: neither hides the other
    assert_eq!(count(&[0.2, 0.7, 0.7, 0.7, 0.2]), [1.0]); // a plateau
    assert_eq!(count(&[0.9, 0.2, 0.2, 0.9]), [0.0; 0]); // ends are cut seasons
    assert_eq!(count(&[0.2, 0.3, f64::NAN, 0.7, 0.2]), [3.0]);
    assert_eq!(count(&[]), [0.0; 0]);
}

proptest! {
    /// Prominence by its other definition: how far one must descend from the peak to reach higher ground, or the
    /// nearer foot of the series, going left or right.
    #[test]
    fn prominence_is_the_least_descent(values in prop::collection::vec(0u8..8, 1..30)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let times: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
        let found = peaks(&times, &values, 1.5).unwrap();
        let n = values.len();
        for i in 0..n {
            let first_of_plateau = i > 0 && values[i - 1] < values[i];
            let end = (i..n).find(|&k| values[k] != values[i]).unwrap_or(n);
            let is_peak = first_of_plateau && end < n && values[end] < values[i];
            let foot = |stop: Option<usize>, range: &dyn Fn(usize) -> std::ops::Range<usize>| {
                range(stop.unwrap_or(usize::MAX)).map(|k| values[k]).fold(values[i], f64::min)
            };
            let left = foot((0..i).rev().find(|&k| values[k] > values[i]), &|stop| {
                if stop == usize::MAX { 0..i } else { stop..i }
            });
            let right = foot((i..n).find(|&k| values[k] > values[i]), &|stop| i..stop.min(n));
            let expected = is_peak && values[i] - left.max(right) > 1.5;
            prop_assert_eq!(found.contains(&(i as f64)), expected, "{} of {:?}", i, &values);
        }
    }

    /// A triangle: thresholds are crossed where its sides say.
    #[test]
    fn a_triangle_is_measured(peak in 3usize..27, share in 0.05f64..0.95, before in 0.0f64..0.3, after in 0.0f64..0.3) {
        let times: Vec<f64> = (0..31).map(|i| f64::from(i) * 10.0).collect();
        let value = |i: usize| if i <= peak {
            before + (0.9 - before) * i as f64 / peak as f64
        } else {
            after + (0.9 - after) * (30 - i) as f64 / (30 - peak) as f64
        };
        let values: Vec<f64> = (0..31).map(value).collect();
        let s = season(&times, &values, share).unwrap().unwrap();
        prop_assert!((s.start - share * times[peak]).abs() < 1e-6);
        prop_assert!((s.end - (300.0 - share * (300.0 - times[peak]))).abs() < 1e-6);
        prop_assert_eq!(s.peak, times[peak]);
    }
}

/// Series with gaps and level stretches, as the functions of dea-tools (May 2024) answer for them.
#[test]
fn seasons_equal_those_of_dea_tools() {
    type Row = (String, f64, f64, f64, f64, f64, String, String);
    let mut reader = csv::Reader::from_reader(&include_bytes!("dea_tools.csv")[..]);
    let mut count = 0;
    for row in reader.deserialize() {
        let (timing, peak, start, start_value, end, end_value, days, values): Row = row.unwrap();
        let numbers = |text: &str| -> Vec<f64> { text.split(' ').map(|v| v.parse().unwrap()).collect() };
        let timing = if timing == "outer" { DeaTiming::Outer } else { DeaTiming::Median };
        let s = dea_season(&numbers(&days), &numbers(&values), timing).unwrap().unwrap();
        let expected = [peak, start, start_value, end, end_value];
        for (found, expected) in [s.peak, s.start, s.start_value, s.end, s.end_value].iter().zip(expected) {
            let same = (found - expected).abs() < 1e-9 || (found.is_nan() && expected.is_nan());
            assert!(same, "{s:?} {expected:?} {timing:?} {days} {values}");
        }
        count += 1;
    }
    assert_eq!(count, 80);
}
