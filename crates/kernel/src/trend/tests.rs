//! Known answers KAT-TS3 of science 4.3, and laws that hold for any series.

use proptest::prelude::*;

use super::*;

fn fit(times: &[f64], values: &[f64]) -> TrendFit {
    Trend::new().fit(times, values).unwrap().unwrap()
}

fn index(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64).collect()
}

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance
}

#[test]
fn a_rising_series() {
    let x = [0.31, 0.29, 0.33, 0.35, 0.34, 0.36, 0.40, 0.38, 0.41, 0.45];
    let TrendFit { count, test, line } = fit(&index(10), &x);
    assert_eq!((count, test.s, test.variance), (10, 39, 125.0));
    assert!(near(test.z, 3.39882333, 6e-9), "{test:?}");
    assert!(near(test.p, 0.00067676418, 6e-12), "{test:?}");
    assert!(near(test.tau, 0.8666667, 6e-8));
    assert!(near(line.slope, 0.016666667, 6e-10) && near(line.intercept, 0.28, 1e-12), "{line:?}");
    assert!(near(line.slope_low, 0.01, 1e-12) && near(line.slope_high, 0.02, 1e-12), "{line:?}");
}

#[test]
fn ties_widen_nothing_but_the_variance() {
    let TrendFit { test, line, .. } = fit(&index(10), &[1., 2., 2., 3., 3., 3., 5., 4., 6., 6.]);
    assert_eq!(test.s, 38);
    assert!(near(test.variance, 119.33333, 4e-6) && near(test.z, 3.3870440, 6e-8), "{test:?}");
    assert!(near(test.p, 0.00070650057, 6e-12), "{test:?}");
    assert_eq!((line.slope, line.intercept), (0.5, 0.75));
}

#[test]
fn a_constant_series_has_no_trend() {
    let TrendFit { test, line, .. } = fit(&index(8), &[0.3; 8]);
    assert_eq!((test.s, test.z, test.p, test.tau), (0, 0.0, 1.0, 0.0));
    assert_eq!((line.slope, line.slope_low, line.slope_high), (0.0, 0.0, 0.0));
    assert!(near(line.intercept, 0.3, 1e-15));
}

#[test]
fn irregular_times_count() {
    let line = fit(&[2000., 2001., 2003., 2004., 2008.], &[1., 1.2, 1.1, 1.6, 2.]).line;
    assert!(near(line.slope, 0.129166667, 6e-10), "{line:?}");
    assert!(near(line.intercept, 1.2 - line.slope * 2003.0, 1e-9));
}

#[test]
fn missing_years_are_left_out() {
    let with_gaps = fit(&index(6), &[1.0, f64::NAN, 2.0, f64::INFINITY, 4.0, 3.0]);
    assert_eq!(with_gaps, fit(&[0., 2., 4., 5.], &[1., 2., 4., 3.]));
    let mut trend = Trend::new();
    assert_eq!(trend.fit(&[0., 1., 2.], &[1., f64::NAN, 2.]).unwrap(), None);
    assert_eq!(trend.fit(&[5.; 3], &[1., 2., 3.]).unwrap(), None);
    assert_eq!(trend.fit(&[0.], &[]), Err(TrendError { times: 1, values: 0 }));
}

/// Values of the C library's function, near the seam of the two forms and far out.
#[test]
fn normal_tails() {
    for (x, expected) in [
        (0.0, 1.0),
        (0.5, 0.4795001221869535),
        (1.0, 0.15729920705028513),
        (1.9999, 0.004679802092970608),
        (2.0, 0.004677734981047265),
        (3.0, 2.2090496998585438e-05),
        (5.0, 1.5374597944280351e-12),
        (8.0, 1.1224297172982928e-29),
    ] {
        let found = normal::erfc(x);
        assert!((found - expected).abs() <= 4e-13 * expected.max(1e-2), "{x}: {found}");
        assert!((found - expected).abs() <= 1e-11 * expected, "{x}: {found}");
    }
}

proptest! {
    #[test]
    fn turning_a_series_over_turns_its_trend(values in prop::collection::vec(-5i32..5, 3..40)) {
        let up: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
        let down: Vec<f64> = up.iter().map(|v| -v).collect();
        let times = index(up.len());
        let (a, b) = (fit(&times, &up), fit(&times, &down));
        prop_assert_eq!((a.test.s, a.test.variance, a.test.p), (-b.test.s, b.test.variance, b.test.p));
        prop_assert_eq!((a.line.slope, a.line.intercept), (-b.line.slope, -b.line.intercept));
        prop_assert!(a.line.slope_low <= a.line.slope && a.line.slope <= a.line.slope_high);
        prop_assert!((0.0..=1.0).contains(&a.test.p) && a.test.tau.abs() <= 1.0);
    }

    #[test]
    fn a_straight_line_is_found(slope in -2.0f64..2.0, intercept in -2.0f64..2.0, n in 3usize..40) {
        let times: Vec<f64> = (0..n).map(|i| 2000.0 + (i * i) as f64 * 0.25).collect();
        let values: Vec<f64> = times.iter().map(|t| intercept + slope * t).collect();
        let line = fit(&times, &values).line;
        prop_assert!((line.slope - slope).abs() < 1e-9 && (line.intercept - intercept).abs() < 1e-5);
    }
}
