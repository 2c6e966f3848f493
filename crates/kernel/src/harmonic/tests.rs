//! Known answers KAT-TS2 of science 4.2, and series made from known waves.

use proptest::prelude::*;

use super::*;

const DAYS: [f64; 12] = [0., 30., 61., 91., 122., 152., 183., 213., 244., 274., 305., 335.];
const NDVI: [f64; 12] = [0.21, 0.22, 0.27, 0.38, 0.52, 0.63, 0.66, 0.60, 0.49, 0.36, 0.27, 0.22];

fn known(order: usize, trend: bool) -> Fit {
    let model = Model { order, trend, period: 365.25, observations_per_parameter: 2 };
    Design::new(model, &DAYS).unwrap().fit(&NDVI).unwrap().unwrap()
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} {expected:?}");
    }
}

#[test]
fn one_wave() {
    let fit = known(1, false);
    assert_near(fit.coefficients(), &[0.402962, -0.228032, 0.009663], 6e-7);
    assert_near(&[fit.amplitude(1).unwrap()], &[0.228236], 6e-7);
    assert_near(&[fit.peak_day(1).unwrap()], &[180.1632], 6e-5);
    assert_eq!((fit.count, fit.amplitude(2), fit.peak_day(0)), (12, None, None));
}

#[test]
fn two_waves_and_a_trend() {
    let fit = known(2, true);
    let expected = [0.409739, -0.014923, -0.229402, 0.005050, 0.030083, -0.010694];
    assert_near(fit.coefficients(), &expected, 6e-7);
    assert_near(&[fit.rmse, fit.r2], &[0.003682367, 0.99974545], 6e-9);
}

#[test]
fn too_few_or_useless_dates_are_nodata() {
    let design = Design::new(Model::annual(1, false), &DAYS).unwrap();
    let mut values = NDVI;
    values[3..6].fill(f64::NAN);
    assert_eq!(design.fit(&values).unwrap().unwrap().count, 9);
    values[0] = f64::INFINITY;
    assert_eq!(design.fit(&values).unwrap(), None);
    // Twelve observations of the same day of the year tell nothing about a wave.
    let same: Vec<f64> = (0..12).map(|k| f64::from(k) * YEAR_DAYS).collect();
    assert_eq!(Design::new(Model::annual(1, false), &same).unwrap().fit(&NDVI).unwrap(), None);
}

#[test]
fn a_constant_series_has_no_season() {
    let fit = Design::new(Model::annual(1, true), &DAYS).unwrap().fit(&[0.5; 12]).unwrap().unwrap();
    assert_near(
        &[fit.level(), fit.trend(), fit.amplitude(1).unwrap(), fit.rmse],
        &[0.5, 0.0, 0.0, 0.0],
        1e-12,
    );
    assert!(fit.r2.is_nan());
}

#[test]
fn wrong_models_are_refused() {
    assert_eq!(Design::new(Model::annual(5, false), &DAYS).unwrap_err(), HarmonicError::Order { order: 5 });
    let never = Model { period: 0.0, ..Model::annual(1, false) };
    assert_eq!(Design::new(never, &DAYS).unwrap_err(), HarmonicError::Period { period: 0.0 });
    let design = Design::new(Model::annual(1, false), &[0.0, f64::NAN]);
    assert_eq!(design.unwrap_err(), HarmonicError::Time { position: 1 });
    let design = Design::new(Model::annual(1, false), &DAYS).unwrap();
    assert_eq!(design.fit(&[0.0; 3]), Err(HarmonicError::Length { expected: 12, found: 3 }));
}

proptest! {
    /// Ten years of irregular dates, waves as amplitude and crest, no noise: everything comes back, whatever
    /// the origin of the days.
    #[test]
    fn known_waves_come_back(
        level in -1.0f64..1.0, trend in -0.1f64..0.1, order in 1usize..=4,
        heights in prop::array::uniform4(0.05f64..0.5), crests in prop::array::uniform4(0.0f64..1.0),
        gaps in prop::collection::vec(1u32..40, 200), origin in prop::sample::select(vec![0.0, 11_000.0, 730_000.0]),
    ) {
        let times: Vec<f64> = gaps.iter().scan(origin, |t, &g| { *t += f64::from(g); Some(*t) }).collect();
        let value = |&t: &f64| {
            let waves: f64 = (1..=order).map(|k| {
                let length = YEAR_DAYS / k as f64;
                heights[k - 1] * (std::f64::consts::TAU * (t / length - crests[k - 1])).cos()
            }).sum();
            level + trend * (t - origin) / YEAR_DAYS + waves
        };
        let values: Vec<f64> = times.iter().map(value).collect();
        let fit = Design::new(Model::annual(order, true), &times).unwrap().fit(&values).unwrap().unwrap();
        prop_assert!((fit.predict(origin) - value(&origin)).abs() < 1e-7);
        prop_assert!((fit.trend() - trend).abs() < 1e-8);
        prop_assert!(fit.rmse < 1e-7 && fit.r2 > 1.0 - 1e-9);
        for k in 1..=order {
            let length = YEAR_DAYS / k as f64;
            prop_assert!((fit.amplitude(k).unwrap() - heights[k - 1]).abs() < 1e-7);
            let apart = (fit.peak_day(k).unwrap() / length - crests[k - 1]).rem_euclid(1.0);
            prop_assert!(apart.min(1.0 - apart) < 1e-6);
        }
    }

    /// At the minimum the residuals are orthogonal to every regressor.
    #[test]
    fn residuals_are_orthogonal(values in prop::collection::vec(-1.0f64..1.0, 40)) {
        let times: Vec<f64> = (0..40).map(|k| f64::from(k * k) * 0.7 + 3.0).collect();
        let fit = Design::new(Model::annual(2, true), &times).unwrap().fit(&values).unwrap().unwrap();
        let mut sums = [0.0; MAX_PARAMETERS];
        for (&t, v) in times.iter().zip(&values) {
            let mut row = [0.0; MAX_PARAMETERS];
            regressors(&fit.model, t, 0.0, &mut row);
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x * (v - fit.predict(t));
            }
        }
        prop_assert!(sums.iter().all(|sum| sum.abs() < 1e-9));
    }
}
