//! Grammar, messages, nodata rules, and blocks against single points.

use proptest::prelude::*;

use super::*;

fn vocabulary() -> Vocabulary {
    Vocabulary::new()
        .with_bands(["blue", "green", "red", "nir", "swir1", "swir2"])
        .with_alias("N", "nir")
        .with_alias("R", "red")
        .with_constant("L", 0.5)
}

fn parse(source: &str) -> Result<Expression, ExprError> {
    Expression::parse(source, &vocabulary())
}

/// The value of an expression without bands.
fn number(source: &str) -> f64 {
    parse(source).unwrap().evaluate_point(&[]).unwrap()
}

/// The value for one pixel, through the block kernel; bands in order of first use.
fn pixel(source: &str, bands: &[f32]) -> f32 {
    let slices: Vec<&[f32]> = bands.iter().map(std::slice::from_ref).collect();
    let mut out = [0.0];
    parse(source).unwrap().evaluate(&slices, &mut out).unwrap();
    out[0]
}

fn message(source: &str) -> String {
    parse(source).unwrap_err().to_string()
}

#[test]
fn operators_bind_as_written_on_paper() {
    for (source, expected) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("64 / 4 / 2", 8.0),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("(-2) ** 2", 4.0),
        ("2 ** -1", 0.5),
        ("2 ** -1 * 4", 2.0),
        ("2 ** -2 ** 2", 0.0625),
        ("-2 * -3", 6.0),
        ("--2", 2.0),
        ("+2 - +1", 1.0),
        ("2.5e-1 + .5 + 1.", 1.75),
        ("1e+2-1E2", 0.0),
        ("4 ** 0.5 + sqrt(9) + abs(-1) + ln(1)", 6.0),
        ("logistic(0) + logistic(ln(3)) - logistic(-1000)", 1.25),
        ("min(3, 1, 2) + max(3, 1, 2)", 4.0),
        ("L * 2", 1.0),
        ("1e300 / 1e299", 10.0),
    ] {
        assert!((number(source) - expected).abs() < 1e-12, "{source} is {}", number(source));
        assert!((f64::from(pixel(source, &[])) - expected).abs() < 1e-6, "{source}");
    }
}

#[test]
fn bands_come_in_order_of_first_use_and_aliases_resolve() {
    let ndvi = parse("(N - red) / (nir + R)").unwrap();
    assert_eq!(ndvi.bands(), ["nir", "red"]);
    assert_eq!(ndvi.source(), "(N - red) / (nir + R)");
    assert!(parse("1 + L").unwrap().bands().is_empty());
}

#[test]
fn messages_point_at_the_column() {
    for (source, expected) in [
        ("", "column 1: expected a number, a name or `(`, found the end"),
        ("nir +", "column 6: expected a number, a name or `(`, found the end"),
        ("nir * / red", "column 7: expected a number, a name or `(`, found `/`"),
        ("(nir - red", "column 11: expected an operator or `)`, found the end"),
        ("nir red", "column 5: expected an operator or the end, found `red`"),
        ("nir)", "column 4: expected an operator or the end, found `)`"),
        ("2nir", "column 1: `2nir` is not a number"),
        ("1.2.3", "column 1: `1.2.3` is not a number"),
        ("1e999", "column 1: `1e999` is not a number"),
        ("nir; rm", "column 4: the character ';' has no meaning here"),
        ("ñ + nir", "column 1: the character 'ñ' has no meaning here"),
        ("exec(nir)", "column 1: unknown function `exec` (known: sqrt, ln, abs, min, max)"),
        ("sqrt(nir, red)", "column 1: `sqrt` takes one argument, not 2"),
        ("1 + max(nir)", "column 5: `max` takes two arguments or more, not 1"),
        ("sqrt()", "column 6: expected a number, a name or `(`, found `)`"),
        ("nir / (1 - 1)", "column 7: this constant part has no value"),
        ("nir + sqrt(0 - 1)", "column 7: this constant part has no value"),
        ("nir * 1e300", "column 7: this constant part has no value"),
    ] {
        assert_eq!(message(source), expected, "{source}");
    }
    assert_eq!(
        message("nir - rde"),
        "column 7: unknown name `rde`, did you mean `red`? \
         (known: L, N, R, blue, green, nir, red, swir1, swir2)"
    );
    assert!(message("nir - x").starts_with("column 7: unknown name `x` (known"));
    let error = parse("(nir - rde) / 2").unwrap_err();
    assert_eq!(error.underline("(nir - rde) / 2"), "(nir - rde) / 2\n       ^^^");
}

#[test]
fn size_and_cost_are_bounded() {
    let kind = |source: &str| parse(source).unwrap_err().kind;
    assert_eq!(kind(&" ".repeat(MAX_LENGTH + 1)), ExprErrorKind::TooLong);
    assert_eq!(kind(&format!("{}nir", "(".repeat(1000))), ExprErrorKind::TooDeep);
    assert_eq!(kind(&format!("{}nir", "-".repeat(1000))), ExprErrorKind::TooDeep);
    assert_eq!(kind(&vec!["2"; 400].join("**")), ExprErrorKind::TooDeep);
    assert_eq!(kind(&vec!["1"; 1000].join("+")), ExprErrorKind::TooManyParts);
    assert_eq!(kind(&vec!["N**R"; 100].join("+")), ExprErrorKind::TooCostly);
    let long = parse(&vec!["nir"; 500].join("+")).unwrap();
    assert_eq!((long.cost(), long.evaluate_point(&[1.0]).unwrap()), (499, 500.0));
    assert!(parse(&format!("{}nir{}", "(".repeat(60), ")".repeat(60))).is_ok());
}

#[test]
fn nodata_follows_the_rules() {
    let nan = f32::NAN;
    for (source, bands) in [
        ("nir", &[nan][..]),
        ("nir", &[f32::INFINITY]),
        ("nir * 0 + red", &[nan, 0.1]),
        ("nir ** 0", &[nan]),
        ("1 ** nir", &[nan]),
        ("nir - nir", &[nan]),
        ("min(nir, red)", &[nan, 0.1]),
        ("max(red, nir, 1)", &[0.1, nan]),
        ("min(nir, 1)", &[f32::INFINITY]),
        ("1 / nir", &[f32::INFINITY]),
        ("red / nir", &[0.1, 0.0]),
        ("red / nir", &[0.1, 9.9e-7]),
        ("red / nir", &[0.1, -9.9e-7]),
        ("nir ** -1", &[0.0]),
        ("nir ** -2", &[9.9e-4]),
        ("nir ** -1.5", &[1e-5]),
        ("sqrt(nir)", &[-0.1]),
        ("nir ** 0.5", &[-0.1]),
        ("ln(nir)", &[0.0]),
        ("ln(nir)", &[-1.0]),
        ("nir * nir", &[1e30]),
        ("1 / (nir * nir)", &[1e30]),
        ("min(nir * nir, 1)", &[1e30]),
    ] {
        assert!(pixel(source, bands).is_nan(), "{source} at {bands:?} is {}", pixel(source, bands));
        let point: Vec<f64> = bands.iter().map(|&v| f64::from(v)).collect();
        if !source.contains("nir * nir") {
            assert!(parse(source).unwrap().evaluate_point(&point).unwrap().is_nan(), "{source}");
        }
    }
    assert_eq!(pixel("red / nir", &[1.0, 1.1e-6]), 1.0 / 1.1e-6);
    assert_eq!(pixel("nir ** 0", &[0.0]), 1.0);
    assert_eq!(pixel("-1.5 * nir", &[-2.0]), 3.0); // no clipping
}

#[test]
fn blocks_of_any_length_equal_single_pixels() {
    let expression = parse("2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)").unwrap();
    for length in [0, 1, 511, 512, 513, 1500] {
        let band = |k: usize| -> Vec<f32> { (0..length).map(|i| ((i * k) % 97) as f32 / 97.0).collect() };
        let (nir, red, blue) = (band(13), band(31), band(7));
        let mut out = vec![-9.0; length];
        expression.evaluate(&[&nir, &red, &blue], &mut out).unwrap();
        for i in 0..length {
            let mut single = [0.0];
            expression.evaluate(&[&[nir[i]], &[red[i]], &[blue[i]]], &mut single).unwrap();
            assert_eq!(out[i].to_bits(), single[0].to_bits());
        }
    }
}

#[test]
fn wrong_input_shapes_are_refused() {
    let ndvi = parse("(nir - red) / (nir + red)").unwrap();
    let mut out = [7.0; 3];
    let found = ndvi.evaluate(&[&[0.1; 3]], &mut out);
    assert_eq!(found, Err(EvaluateError::BandCount { expected: 2, found: 1 }));
    let found = ndvi.evaluate(&[&[0.1; 3], &[0.1; 2]], &mut out);
    assert_eq!(found, Err(EvaluateError::Length { band: 1, expected: 3, found: 2 }));
    assert_eq!(out, [7.0; 3]);
    assert!(ndvi.evaluate_point(&[0.1]).is_err());
}

/// Source text of well-formed expressions.
fn sources() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["blue", "green", "red", "nir", "L", "0.25", "3"]).prop_map(str::to_owned),
        (0.0..10.0).prop_map(|v: f64| format!("{v:.3}")),
    ];
    leaf.prop_recursive(5, 48, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            (inner.clone(), -3i32..4).prop_map(|(a, e)| format!("({a}) ** {e}")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("sqrt({a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("max({a}, abs({b}))")),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(source in ".{0,80}") {
        if let Err(error) = parse(&source) {
            prop_assert!(error.column <= source.chars().count() + 1);
            error.underline(&source);
        }
    }

    #[test]
    fn no_near_miss_makes_it_panic(source in "[nirL0-9.e ()*/+,_-]{0,60}|(sqrt|min|max|red|\\(|\\)|,|\\*\\*|-){0,30}") {
        if let Ok(expression) = parse(&source) {
            let bands = vec![0.3; expression.bands().len()];
            let value = expression.evaluate_point(&bands).unwrap();
            prop_assert!(value.is_finite() || value.is_nan());
        }
    }

    /// The same operations in both precisions, so they agree unless rounding was amplified: compare where
    /// moving the inputs by one part in 10⁶ moves the result by little.
    #[test]
    fn blocks_follow_the_reference(source in sources(), values in prop::array::uniform4(0.01f64..0.9)) {
        if let Ok(expression) = parse(&source) {
            let at = |factor: f64| -> f64 {
                let bands: Vec<f64> = values[..expression.bands().len()].iter().map(|v| v * factor).collect();
                expression.evaluate_point(&bands).unwrap()
            };
            let (low, middle, high) = (at(1.0 - 1e-5), at(1.0), at(1.0 + 1e-5));
            let bands: Vec<f32> = values[..expression.bands().len()].iter().map(|&v| v as f32).collect();
            let found = f64::from(pixel(&source, &bands));
            let spread = (low - middle).abs() + (high - middle).abs();
            if spread < 1e-3 * middle.abs() && middle.abs() < 1e6 && found.is_finite() {
                prop_assert!((found - middle).abs() <= 1e-2 * (middle.abs() + 1.0), "{found} {middle}");
            }
            prop_assert!(found.is_nan() || found.is_finite());
        }
    }
}
