//! Known answers KAT-IX of science 3.

use super::*;

/// The pixel of KAT-IX, in the order of [`BANDS`].
const PIXEL: [f64; 6] = [0.0218975, 0.05465, 0.06851, 0.23417, 0.1894275, 0.120595];

const KNOWN: [(&str, f64); 34] = [
    ("NDVI", 0.54731069),
    ("EVI", 0.27964237),
    ("EVI2", 0.29611882),
    ("SAVI", 0.30957542),
    ("MSAVI", 0.27844466),
    ("OSAVI", 0.35804444),
    ("NDWI", -0.62156360),
    ("MNDWI", -0.55219141),
    ("NDBI", -0.10562503),
    ("NDMI", 0.10562503),
    ("UI", -0.32014150),
    ("NBR", 0.32014150),
    ("NBR2", 0.22202421),
    ("BUI", -0.65293572),
    ("IBI", -0.06910833),
    ("NBI", 0.05541990),
    ("BSI", 0.00363810),
    ("DBSI", 0.00488072),
    ("AWEInsh", -0.92928875),
    ("AWEIsh", -0.50702250),
    ("BaI", 0.0237675),
    ("BRBA", 0.36166871),
    ("PISI", -0.04135806),
    ("MBI", 0.19617828),
    ("BAEI", 1.50980733),
    ("TCB", 0.28642923),
    ("TCG", 0.11573622),
    ("TCW", -0.13228281),
    ("TCB_ETM", 0.28192389),
    ("TCG_ETM", 0.06891855),
    ("TCW_ETM", -0.17033440),
    ("TCB_OLI", 0.30420036),
    ("TCG_OLI", 0.10761677),
    ("TCW_OLI", -0.07343010),
];

/// The values an expression wants, from a full spectrum.
fn values(expression: &Expression, spectrum: [f64; 6]) -> Vec<f64> {
    let value = |band: &String| spectrum[BANDS.iter().position(|name| name == band).unwrap()];
    expression.bands().iter().map(value).collect()
}

#[test]
fn every_index_gives_its_known_value() {
    assert_eq!(INDICES.len(), KNOWN.len());
    for (name, expected) in KNOWN {
        let expression = lookup(name).unwrap().expression().unwrap();
        let values = values(&expression, PIXEL);
        let point = expression.evaluate_point(&values).unwrap();
        assert!((point - expected).abs() <= 6e-9, "{name}: {point}"); // eight digits are printed

        let single: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        let bands: Vec<&[f32]> = single.iter().map(std::slice::from_ref).collect();
        let mut out = [0.0];
        expression.evaluate(&bands, &mut out).unwrap();
        let error = (f64::from(out[0]) - expected).abs();
        assert!(error <= 1e-6 * expected.abs().max(0.2), "{name}: {}", out[0]);
    }
}

#[test]
fn savi_and_ibi_use_half_and_not_the_catalogue_default() {
    let at = |formula: &str| {
        let names = vocabulary().with_constant("L", 1.0);
        let expression = Expression::parse(formula, &names).unwrap();
        expression.evaluate_point(&values(&expression, PIXEL)).unwrap()
    };
    assert!((at("(1 + L) * (N - R) / (N + R + L)") - 0.25433721).abs() < 6e-9);
    let built_up = "((S1-N)/(S1+N)-(((N-R)*(1.0+L)/(N+R+L))+(G-S1)/(G+S1))/2.0)\
                    /((S1-N)/(S1+N)+(((N-R)*(1.0+L)/(N+R+L))+(G-S1)/(G+S1))/2.0)";
    assert!((at(built_up) + 0.17011080).abs() < 6e-9);
}

/// A tasselled cap axis is linear: its value at each unit vector is a coefficient.
#[test]
fn tasselled_cap_axes_have_unit_length_and_stand_square() {
    let coefficients = |name: &str| -> [f64; 6] {
        let expression = lookup(name).unwrap().expression().unwrap();
        std::array::from_fn(|j| {
            let unit = std::array::from_fn(|k| if j == k { 1.0 } else { 0.0 });
            expression.evaluate_point(&values(&expression, unit)).unwrap()
        })
    };
    let dot = |a: &[f64; 6], b: &[f64; 6]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for suffix in ["", "_ETM", "_OLI"] {
        let axes = ["TCB", "TCG", "TCW"].map(|axis| coefficients(&format!("{axis}{suffix}")));
        for (i, axis) in axes.iter().enumerate() {
            assert!((dot(axis, axis) - 1.0).abs() < 2e-3, "{suffix} {i}: {}", dot(axis, axis));
            assert!(dot(axis, &axes[(i + 1) % 3]).abs() < 2e-2, "{suffix} {i}");
        }
    }
    assert_eq!(coefficients("TCB")[5], 0.2303); // plus: dea-tools has it negative
}

#[test]
fn names_are_unique_and_found_in_any_case() {
    for index in INDICES {
        assert_eq!(lookup(&index.name.to_lowercase()), Some(index));
        assert!(index.typical_range.0 < index.typical_range.1);
        assert!(!index.title_en.is_empty() && !index.title_es.is_empty() && !index.source.is_empty());
    }
    assert_eq!(lookup("nope"), None);
}
