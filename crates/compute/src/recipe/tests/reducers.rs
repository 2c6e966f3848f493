//! Reducers, clean-up of masks and harmonisation against the pixels that the stack was made of, worked out here again.

use tesela_model::{CleanupStep, Period, RecipeDef};

use super::*;

/// Two tiles meet in its middle.
const WINDOW: PixelWindow = PixelWindow { px: 236, py: -120, width: 40, height: 30 };

fn cube_with(change: impl Fn(&mut tesela_model::ProductDef)) -> (TempDir, Cube) {
    let (dir, cube) = cube(Form::Recent, true);
    let mut product = cube.fresh_catalog().unwrap().product(SCENES).unwrap().scenes().unwrap().clone();
    change(&mut product);
    let text = serde_json::to_string(&product).unwrap();
    cube.index().put_product(SCENES, ProductKind::Scenes, &grid().id, &text).unwrap();
    cube.fresh_catalog().unwrap();
    (dir, cube)
}

fn recipe(reducer: &str, period: &str, layers: &[&str], more: &str) -> RecipeDef {
    let outputs: Vec<String> =
        layers.iter().map(|l| format!("  - {{name: {l}, dtype: float32, nodata: nan}}\n")).collect();
    let text = format!(
        "recipe: tried\nversion: \"1\"\ntitle: {{es: t, en: t}}\nstatus: experimental\ninput: {SCENES}\n\
         period: {period}\nmask: clouds\n{more}reducer:\n  {reducer}\noutputs:\n{}",
        outputs.concat()
    );
    RecipeDef::from_yaml("tried.yaml", &text).unwrap()
}

fn year(cube: &Cube) -> Period {
    let slots = cube.index().slots(SCENES, None, &always(), 99).unwrap();
    tesela_model::PeriodKind::Year.of(slots[0].time.date()).unwrap()
}

/// Days since the year began and physical values of some bands, observation by observation, of what may be used.
fn clear(at: (i64, i64), bands: &[usize]) -> Vec<(f64, Vec<f64>)> {
    let (x, y) = at;
    let day = |date: u64| {
        let second = 1_577_900_000 + date as i64 * 16 * 86_400 + x.div_euclid(SIDE);
        (second - 1_577_836_800) as f64 / 86_400.0 // 2020-01-01
    };
    let year = (0..DATES).filter(|d| day(*d) < 366.0);
    // Bit 3 of the saturation word spoils red.
    let usable = year.filter(|d| word(*d, x, y) == 64 && !(bands.contains(&3) && noise(*d, 3, x, y) < 1e-3));
    usable
        .map(|d| {
            let value = |b: &usize| reflectance(d, *b, x, y, 64) * 2.75e-5 - 0.2;
            (day(d), bands.iter().map(value).collect())
        })
        .collect()
}

fn places_of(window: PixelWindow) -> impl Iterator<Item = (i64, i64)> {
    (window.py..window.py_end()).flat_map(move |y| (window.px..window.px_end()).map(move |x| (x, y)))
}

fn places() -> impl Iterator<Item = (i64, i64)> {
    places_of(WINDOW)
}

fn near(a: f32, b: f64, tolerance: f64, what: &str) {
    assert!((f64::from(a) - b).abs() <= tolerance, "{what}: {a} instead of {b}");
}

const RED: usize = 3;
const NIR: usize = 4;

#[test]
fn the_best_pixel_is_the_greenest_observation() {
    let (_dir, cube) = cube(Form::Recent, true);
    let layers = ["swir1", "nir", "value", "day", "count"];
    let tried = recipe(
        "best_pixel: {expression: \"(nir - red) / (nir + red)\", bands: [swir1, nir]}",
        "year",
        &layers,
        "min_obs: 2\n",
    );
    let found = cube.evaluate(&tried, &year(&cube), &WINDOW).unwrap();
    let mut compared = 0;
    for (i, at) in places().enumerate() {
        let seen = clear(at, &[RED, NIR, 5]);
        let ndvi = |v: &[f64]| (v[1] - v[0]) / (v[1] + v[0]);
        if word(0, at.0, at.1) != 1 {
            near(found[4][i], seen.len() as f64, 0.0, "count");
        }
        if seen.len() < 2 {
            assert!(found[..4].iter().all(|layer| layer[i].is_nan()));
            continue;
        }
        let best = seen.iter().max_by(|a, b| ndvi(&a.1).total_cmp(&ndvi(&b.1))).unwrap();
        near(found[2][i], ndvi(&best.1), 1e-6, "value");
        near(found[3][i], best.0.floor(), 0.0, "day");
        near(found[1][i], best.1[1], 1e-6, "nir");
        near(found[0][i], best.1[2], 1e-6, "swir1");
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn waves_leave_residuals_that_no_regressor_explains() {
    let (_dir, cube) = cube(Form::Recent, true);
    let layers = ["level", "amplitude_1", "peak_day_1", "rmse", "count"];
    let reducer = "harmonic: {expression: nir, order: 1, observations_per_parameter: 1}";
    let found = cube.evaluate(&recipe(reducer, "year", &layers, ""), &year(&cube), &WINDOW).unwrap();
    let mut compared = 0;
    for (i, at) in places().enumerate() {
        let seen = clear(at, &[NIR]);
        if seen.len() < 4 {
            continue;
        }
        let turn = |day: f64| std::f64::consts::TAU * day / 365.2425;
        let [level, height, peak, rmse, count] = [0, 1, 2, 3, 4].map(|l: usize| f64::from(found[l][i]));
        let model = |day: f64| level + height * (turn(day) - turn(peak)).cos();
        let left: Vec<(f64, f64)> = seen.iter().map(|(day, v)| (*day, v[0] - model(*day))).collect();
        for regressor in [|_: f64| 1.0, f64::cos, f64::sin] {
            let sum: f64 = left.iter().map(|(day, r)| r * regressor(turn(*day))).sum();
            assert!(sum.abs() < 1e-5 * seen.len() as f64, "{at:?}: {sum}");
        }
        let squares: f64 = left.iter().map(|(_, r)| r * r).sum();
        assert!((squares / (count - 3.0)).sqrt() - rmse < 1e-5, "{at:?}");
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
    let strict = reducer.replace("observations_per_parameter: 1", "observations_per_parameter: 200");
    let none = cube.evaluate(&recipe(&strict, "year", &layers, ""), &year(&cube), &WINDOW).unwrap();
    assert!(none[0].iter().all(|v| v.is_nan()), "too few observations");
    assert_eq!(none[4].iter().filter(|v| v.is_nan()).count(), found[4].iter().filter(|v| v.is_nan()).count());
}

#[test]
fn harmonised_reflectance_is_that_of_the_other_sensor() {
    let (_dir, cube) = cube(Form::Recent, true);
    let reducer = "statistics: {expression: nir, statistics: [mean, count]}";
    let evaluate = |more: &str| {
        cube.evaluate(&recipe(reducer, "year", &["mean", "count"], more), &year(&cube), &WINDOW).unwrap()
    };
    let plain = evaluate("");
    let turned = evaluate("harmonise: oli_to_etm\n");
    assert_eq!(
        plain[1].iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
        turned[1].iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    );
    // Roy et al. (2016), table 2, nir.
    for (a, b) in plain[0].iter().zip(&turned[0]).filter(|(a, _)| !a.is_nan()) {
        near(*b, 0.8339 * f64::from(*a) + 0.0448, 1e-6, "mean");
    }
    // Every platform of this stack is OLI already.
    let same = evaluate("harmonise: etm_to_oli\n");
    for (a, b) in plain[0].iter().zip(&same[0]).filter(|(a, _)| !a.is_nan()) {
        near(*b, f64::from(*a), 1e-6, "mean");
    }
    // The geomedian takes stored numbers otherwise.
    let bands = ["blue", "green", "red", "nir", "swir1", "swir2"];
    let geomedian = |more: &str| {
        let reducer = format!("geomedian: {{bands: [{}]}}", bands.join(", "));
        cube.evaluate(&recipe(&reducer, "year", &["nir", "count"], more), &year(&cube), &WINDOW).unwrap()
    };
    let (plain, same) = (geomedian(""), geomedian("harmonise: etm_to_oli\n"));
    for (a, b) in plain.iter().zip(&same) {
        for (a, b) in a.iter().zip(b) {
            assert!(a.is_nan() == b.is_nan() && (a.is_nan() || (a - b).abs() < 1e-5), "{a} {b}");
        }
    }
    let refused = recipe(
        "statistics: {expression: coastal, statistics: [mean]}",
        "year",
        &["mean"],
        "harmonise: oli_to_etm\n",
    );
    let says = cube.evaluate(&refused, &year(&cube), &WINDOW).unwrap_err().to_string();
    assert!(says.contains("coastal") && says.contains("swir2"), "{says}");
}

/// Whether a disk of radius 1, a plus of five pixels, around any of the plus' own places fits into the clouds.
fn opened(date: u64, x: i64, y: i64) -> bool {
    const PLUS: [(i64, i64); 5] = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)];
    let cloud = |x: i64, y: i64| {
        let inside = (0..2 * SIDE).contains(&x) && (-SIDE..0).contains(&y);
        inside && word(date, x, y) & 0b11110 != 0
    };
    PLUS.iter().any(|(dx, dy)| PLUS.iter().all(|(ex, ey)| cloud(x + dx + ex, y + dy + ey)))
}

#[test]
fn a_cleaned_mask_is_opened_across_tiles_and_hides_no_less_of_fill() {
    let cleaned = |def: &mut tesela_model::ProductDef| {
        let mut mask = def.masks["clouds"].clone();
        mask.cleanup = vec![CleanupStep::Opening(1)];
        def.masks.insert("clouds".into(), mask);
    };
    let (_dir, cube) = cube_with(cleaned);
    let wide = PixelWindow { px: 176, py: -200, width: 160, height: 120 };
    let tried = recipe("statistics: {expression: nir, statistics: [count]}", "year", &["count"], "");
    let found = cube.evaluate(&tried, &year(&cube), &wide).unwrap();
    let (mut uncovered, mut hidden) = (0, 0);
    for (i, (x, y)) in places_of(wide).enumerate() {
        let year = (0..DATES).filter(|d| *d * 16 + 1 < 366);
        let seen: Vec<u64> = year.filter(|d| word(*d, x, y) != 1).collect();
        let clear = seen.iter().filter(|d| !opened(**d, x, y)).count();
        // Clouds are within the range that composites take.
        near(found[0][i], clear as f64, 0.0, &format!("count at {x} {y}"));
        uncovered += seen.iter().filter(|d| word(**d, x, y) != 64 && !opened(**d, x, y)).count();
        hidden += seen.len() - clear;
    }
    assert!(uncovered > 10 && hidden > 1000, "{uncovered} {hidden}");
    // Facts, which know flags where they lie, must not hide what opening lays bare.
    let digest = |read_all: bool| {
        let options = ComputeOptions { force: true, read_all, ..ComputeOptions::default() };
        let report = cube.compute(&tried, &options, &Silent).unwrap();
        let row = cube.index().generations("tried", report.snapshot).unwrap().remove(0);
        let objects = cube.index().objects().unwrap().into_iter();
        let inside = objects.filter_map(|o| Some((o.key.strip_prefix(&row.prefix)?.to_owned(), o.digest)));
        inside.filter(|(key, _)| !key.ends_with("zarr.json")).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(digest(true), digest(false));
}

#[test]
fn all_of_time_is_one_period_of_whole_years() {
    let (_dir, cube) = cube(Form::Recent, true);
    let tried =
        recipe("statistics: {expression: nir, statistics: [count, max]}", "all", &["count", "max"], "");
    let report = cube.compute(&tried, &ComputeOptions::default(), &Silent).unwrap();
    assert_eq!(report.computed.len(), 1, "{report:?}");
    let row = cube.index().generations("tried", report.snapshot).unwrap().remove(0);
    assert_eq!(row.period, year(&cube), "19 dates of 2020");
    let again = cube.compute(&tried, &ComputeOptions::default(), &Silent).unwrap();
    assert_eq!((again.computed.len(), again.current), (0, 1));
    let years = ComputeOptions { years: Some((2020, 2020)), ..ComputeOptions::default() };
    assert!(cube.compute(&tried, &years, &Silent).unwrap_err().to_string().contains("--years"));
}
