//! Known answers KAT-IX of science 3, and the catalogue as a whole.

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
    let mut names: Vec<&str> = indices().iter().map(|index| index.name.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for index in indices() {
        assert_eq!(lookup(&index.name), Some(index));
        assert!(index.typical_range.is_none_or(|(least, greatest)| least < greatest), "{}", index.name);
        assert!(!index.title_en.is_empty() && !index.source.is_empty(), "{}", index.name);
    }
    assert_eq!(lookup("ndvi"), lookup("NDVI"));
    assert_eq!(lookup("BAI").unwrap().domain, Domain::Burn);
    assert_eq!(lookup("BaI").unwrap().domain, Domain::Soil);
    assert_eq!(lookup("bai"), None); // which of them?
    assert_eq!(lookup("nope"), None);
}

#[test]
fn those_we_document_have_both_languages_and_a_range() {
    for (name, _) in KNOWN {
        let index = lookup(name).unwrap();
        assert!(index.title_es.as_ref().is_some_and(|title| !title.is_empty()), "{name}");
        assert!(index.typical_range.is_some(), "{name}");
        assert_eq!(index.missing(), [""; 0], "{name}");
    }
}

/// 280 of the catalogue and 13 of ours; 185 of the catalogue need but the six bands, one of them (NIRvP) also a
/// radiation that no band holds.
#[test]
fn the_whole_catalogue_compiles() {
    catalogue::try_read().unwrap();
    assert_eq!(indices().len(), 280 + 13);
    let mut of_six_bands = 0;
    for index in indices() {
        let expression = index.expression().unwrap_or_else(|error| {
            panic!("{}: {error}\n{}", index.name, error.underline(&index.formula));
        });
        let foreign: Vec<&String> =
            expression.bands().iter().filter(|band| !BANDS.contains(&band.as_str())).collect();
        for band in &foreign {
            assert!(index.missing().contains(&band.as_str()), "{}: {band}", index.name);
        }
        assert_eq!(foreign.len(), index.missing().len(), "{}", index.name);
        of_six_bands += usize::from(index.missing().is_empty());
    }
    assert_eq!(of_six_bands, 184 + 13);
    assert_eq!(lookup("NIRvP").unwrap().missing(), ["PAR"]);
    assert_eq!(lookup("NDREI").unwrap().missing(), ["RE1"]);
}

/// The catalogue's formulas against a few from their publications, by hand.
#[test]
fn powers_bind_as_the_catalogue_means_them() {
    let [_, g, r, n, ..] = PIXEL;
    for (name, expected) in [
        ("NLI", (n * n - r) / (n * n + r)),
        ("CVI", n * r / (g * g)),
        ("TVI", ((n - r) / (n + r) + 0.5).sqrt()),
        ("AVI", (n * (1.0 - r) * (n - r)).cbrt()),
        ("GDVI", (n * n - r * r) / (n * n + r * r)),
        ("OCVI", n / g * (r / g).powf(1.16)),
    ] {
        let expression = lookup(name).unwrap().expression().unwrap();
        let found = expression.evaluate_point(&values(&expression, PIXEL)).unwrap();
        assert!((found - expected).abs() < 1e-12 * expected.abs(), "{name}: {found} {expected}");
    }
}

#[test]
fn corrections_say_why() {
    for name in ["SAVI", "IBI", "NBUI", "AWEInsh"] {
        assert!(lookup(name).unwrap().correction.is_some(), "{name}");
    }
    for name in ["SAVI", "IBI", "NBUI"] {
        assert_eq!(lookup(name).unwrap().constants["L"], 0.5, "{name}");
    }
    assert_eq!(lookup("EVI").unwrap().constants["L"], 1.0);
}

/// Every index at one pixel, inputs beyond the six bands made up, as Python evaluates the same formulas with the
/// same constants. Python knows no rule for small denominators; none is small here.
#[test]
fn every_index_equals_python() {
    let rows: Vec<(String, String, f64)> = csv::Reader::from_reader(&include_bytes!("python.csv")[..])
        .deserialize()
        .map(Result::unwrap)
        .collect();
    let inputs: BTreeMap<&str, f64> =
        rows.iter().filter(|row| row.0 == "input").map(|row| (row.1.as_str(), row.2)).collect();
    let known: Vec<_> = rows.iter().filter(|row| row.0 == "index").collect();
    assert_eq!(known.len(), indices().len());
    for (_, name, expected) in known {
        let expression = lookup(name).unwrap().expression().unwrap();
        let letter = |band: &String| BANDS.iter().position(|known| known == band).map(|at| LETTERS[at]);
        let value = |band: &String| inputs[letter(band).unwrap_or(band)];
        let values: Vec<f64> = expression.bands().iter().map(value).collect();
        let found = expression.evaluate_point(&values).unwrap();
        let near = (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3);
        assert!(near || (found.is_nan() && expected.is_nan()), "{name}: {found}, Python {expected}");
    }
}
