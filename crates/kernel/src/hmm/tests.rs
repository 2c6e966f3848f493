//! Known answers KAT-HM of science 6.3, and the path against all paths there are.

use proptest::prelude::*;

use super::*;

fn decode(model: TwoState, probabilities: &[f64]) -> (Vec<u8>, f64) {
    let mut states = vec![9; probabilities.len()];
    let log = model.decode(probabilities, &mut states).unwrap();
    (states, log)
}

#[test]
fn known_paths() {
    for (probabilities, expected, log) in [
        (&[0.1, 0.2, 0.1, 0.8, 0.2, 0.7, 0.9, 0.8, 0.95, 0.9], [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], -7.753860),
        (&[0.1, 0.9, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], [0; 10], -4.243584),
        (&[0.9, 0.8, 0.3, 0.9, 0.9, 0.2, 0.9, 0.9, 0.9, 0.9], [1; 10], -4.467234),
        (&[0.4, 0.45, 0.5, 0.55, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6], [1; 10], -6.763893),
    ] {
        let (states, found) = decode(URBAN, probabilities);
        assert_eq!(states, expected);
        assert!((found - log).abs() <= 6e-7, "{found}");
    }
}

#[test]
fn one_sure_year_is_just_enough() {
    // The barrier is ln(.98/.02); in the last year nothing contradicts.
    let (states, _) = decode(URBAN, &[0.01, 0.01, 0.01, 0.981]);
    assert_eq!(change(&states), Change::At { year: 3, provisional: true });
    assert_eq!(change(&decode(URBAN, &[0.01, 0.01, 0.01, 0.979]).0), Change::Never);
    let (states, _) = decode(URBAN, &[0.01, 0.01, 0.99, 0.99]);
    assert_eq!(change(&states), Change::At { year: 2, provisional: false });
    assert_eq!(change(&[1, 1]), Change::BeforeFirst);
}

#[test]
fn a_missing_year_adds_no_evidence() {
    let nan = f64::NAN;
    // Within a gap the change is dated early: a year more in state 0 costs 0.98, in state 1 next to nothing.
    assert_eq!(decode(URBAN, &[0.1, 0.1, nan, nan, 0.9, 0.9]).0, [0, 0, 1, 1, 1, 1]);
    let (states, log) = decode(TwoState { first: 0.3, ..URBAN }, &[nan, nan]);
    assert_eq!(states, [0, 0]);
    assert!((log - (0.7f64.ln() + 0.98f64.ln())).abs() < 1e-12);
    assert_eq!(decode(URBAN, &[nan]).0, [0]); // a tie
    assert_eq!(decode(URBAN, &[0.5]).0, [0]);
    assert_eq!(decode(URBAN, &[]).0, [0u8; 0]);
}

#[test]
fn fallow_stays_cropland() {
    // Two years of weak signal stay cropland by themselves; two years surely bare are bridged.
    assert_eq!(decode(CROPLAND, &[0.9, 0.9, 0.2, 0.2, 0.9, 0.9]).0, [1; 6]);
    let (mut states, _) = decode(CROPLAND, &[0.9, 0.9, 0.001, 0.001, 0.9, 0.9]);
    assert_eq!(states, [1, 1, 0, 0, 1, 1]);
    bridge(&mut states, FALLOW_YEARS);
    assert_eq!(states, [1; 6]);
    let mut longer = [0, 1, 0, 0, 0, 1, 0];
    bridge(&mut longer, FALLOW_YEARS);
    assert_eq!(longer, [0, 1, 0, 0, 0, 1, 0]);
    // Cropland that is given up, and built-up land that is not.
    let given_up = [0.9, 0.9, 0.9, 0.05, 0.05, 0.05, 0.05, 0.05];
    assert_eq!(decode(CROPLAND, &given_up).0, [1, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(decode(URBAN, &[0.99, 0.99, 0.99, 0.2, 0.2, 0.2, 0.2]).0, [1; 7]);
}

#[test]
fn wrong_models_are_refused() {
    let sure = TwoState { leave: 0.0, ..URBAN };
    let found = sure.decode(&[0.1], &mut [0]);
    assert_eq!(found, Err(HmmError::Parameter { parameter: "leave", value: 0.0 }));
    assert_eq!(URBAN.decode(&[0.1], &mut [0; 2]), Err(HmmError::Length { years: 1, states: 2 }));
}

fn models() -> impl Strategy<Value = TwoState> {
    (0.01f64..0.6, 1e-6f64..0.6, 0.05f64..0.95).prop_map(|(enter, leave, first)| TwoState {
        enter,
        leave,
        first,
    })
}

proptest! {
    /// No path among all `2ⁿ` is likelier, and the log given is that of the path given.
    #[test]
    fn no_path_is_likelier(model in models(), years in prop::collection::vec(prop::option::weighted(0.9, 0.0f64..1.0), 1..9)) {
        let probabilities: Vec<f64> = years.into_iter().map(|p| p.unwrap_or(f64::NAN)).collect();
        let (states, log) = decode(model, &probabilities);
        let log_of = |states: &[u8]| -> f64 {
            let mut probability = if states[0] == 1 { model.first } else { 1.0 - model.first };
            for (year, &p) in probabilities.iter().enumerate() {
                if year > 0 {
                    probability *= match (states[year - 1], states[year]) {
                        (0, 0) => 1.0 - model.enter,
                        (0, _) => model.enter,
                        (_, 0) => model.leave,
                        _ => 1.0 - model.leave,
                    };
                }
                if !p.is_nan() {
                    let p = p.clamp(0.001, 0.999);
                    probability *= if states[year] == 1 { p } else { 1.0 - p };
                }
            }
            probability.ln()
        };
        prop_assert!((log_of(&states) - log).abs() < 1e-9);
        for path in 0u32..1 << probabilities.len() {
            let path: Vec<u8> = (0..probabilities.len()).map(|year| (path >> year & 1) as u8).collect();
            prop_assert!(log_of(&path) <= log + 1e-9);
        }
    }
}
