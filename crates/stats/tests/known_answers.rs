//! Known answers of `science.md` section 9, by their names there.

use geo_types::MultiPolygon;
use tesela_grid::area::{CellAreaModel, Ellipsoid};
use tesela_stats::{
    CategoryAccumulator, CellRule, CellWeighting, CellWindow, Coverage, Quantile, WeightedMoments,
    ZonalSummary, ZoneAccumulator, centre_coverage, planar_area, planar_centroid,
};

use crate::windows::{cover, ring, unit_cells};

const ONE_TO_NINE: [[Option<f64>; 3]; 3] = [
    [Some(1.0), Some(2.0), Some(3.0)], //
    [Some(4.0), Some(5.0), Some(6.0)],
    [Some(7.0), Some(8.0), Some(9.0)],
];
const FIVE_MISSING: [[Option<f64>; 3]; 3] = [
    [Some(1.0), Some(2.0), Some(3.0)], //
    [Some(4.0), None, Some(6.0)],
    [Some(7.0), Some(8.0), Some(9.0)],
];

/// Coverage .25 .5 .25 .5 1 .5 .25 .5 .25.
fn square() -> Coverage {
    cover(&ring(&[(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)]).into(), unit_cells(3, 3))
}

fn triangle() -> Coverage {
    cover(&ring(&[(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)]).into(), unit_cells(3, 3))
}

fn everything() -> Coverage {
    cover(&ring(&[(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 3.0)]).into(), unit_cells(3, 3))
}

fn summary(coverage: &Coverage, values: [[Option<f64>; 3]; 3], rule: CellRule) -> ZonalSummary {
    let mut zone = ZoneAccumulator::with_values(rule);
    zone.add_coverage(coverage, |row, col| values[row as usize][col as usize], |_, _| 900.0);
    zone.summary(&[0.1, 0.25, 0.33, 0.75, 0.9].map(|q| Quantile::new(q).unwrap_or(Quantile::MEDIAN)))
}

#[track_caller]
fn assert_near(found: impl Into<Option<f64>>, expected: f64) {
    let found = found.into();
    let near = found.is_some_and(|found| (found - expected).abs() <= 5.1e-8 * expected.abs().max(1.0));
    assert!(near, "{found:?} is not {expected}");
}

#[test]
fn kat_zs_a_square() {
    let zone = summary(&square(), ONE_TO_NINE, CellRule::default());
    assert_eq!((zone.count, zone.sum, zone.mean), (4.0, 20.0, Some(5.0)));
    assert_near(zone.variance, 5.0);
    assert_near(zone.stdev, 2.2360680);
    assert_near(zone.coefficient_of_variation, 0.4472136);
    assert_eq!((zone.min, zone.max, zone.median), (Some(1.0), Some(9.0), Some(5.0)));
    for (quantile, expected) in zone.quantiles.iter().zip([2.175, 3.5, 4.1630769, 6.5, 7.825]) {
        assert_near(quantile.value, expected);
    }
    assert_eq!((zone.majority, zone.minority, zone.variety), (Some(5.0), Some(1.0), Some(9)));
    assert_eq!((zone.coverage, zone.valid_area_m2, zone.area_m2), (Some(1.0), 3600.0, 3600.0));
}

#[test]
fn kat_zs_b_five_is_nodata() {
    let zone = summary(&square(), FIVE_MISSING, CellRule::default());
    assert_eq!((zone.count, zone.sum, zone.mean), (3.0, 15.0, Some(5.0)));
    assert_near(zone.variance, 6.6666667);
    assert_near(zone.stdev, 2.5819889);
    assert_near(zone.coefficient_of_variation, 0.5163978);
    assert_eq!((zone.min, zone.max, zone.median), (Some(1.0), Some(9.0), Some(5.0)));
    assert_near(zone.quantiles[1].value, 2.8571429);
    assert_near(zone.quantiles[2].value, 3.4290909);
    assert_near(zone.quantiles[3].value, 7.1428571);
    assert_eq!((zone.majority, zone.minority, zone.variety), (Some(8.0), Some(1.0), Some(8)));
    assert_eq!((zone.coverage, zone.valid_area_m2, zone.area_m2), (Some(0.75), 2700.0, 3600.0));
}

#[test]
fn kat_zs_b_options() {
    let filled = summary(&square(), FIVE_MISSING, CellRule::default().with_default_value(0.0));
    assert_eq!((filled.count, filled.mean), (4.0, Some(3.75)));
    assert_eq!(filled.coverage, Some(0.75), "a default does not make a cell valid");
    let half_or_more = CellRule::default().with_min_fraction(0.5).unwrap();
    assert_eq!(summary(&square(), FIVE_MISSING, half_or_more).count, 2.0);
    let touched = CellRule::default().with_weighting(CellWeighting::None);
    assert_eq!(summary(&square(), FIVE_MISSING, touched).count, 8.0);
    let by_area = CellRule::default().with_weighting(CellWeighting::TrueArea);
    let by_area = summary(&square(), FIVE_MISSING, by_area);
    assert_eq!((by_area.count, by_area.mean), (2700.0, Some(5.0)));
}

#[test]
fn kat_zs_c_triangle() {
    let zone = summary(&triangle(), ONE_TO_NINE, CellRule::default());
    assert_eq!((zone.count, zone.sum), (4.5, 26.5));
    assert_near(zone.mean, 5.8888889);
    assert_near(zone.variance, 5.8765432);
    assert_near(zone.stdev, 2.4241582);
    assert_near(zone.coefficient_of_variation, 0.4116495);
    assert_eq!((zone.min, zone.max), (Some(1.0), Some(9.0)));
    assert_near(zone.median, 6.2222222);
    assert_near(zone.quantiles[1].value, 4.425);
    assert_near(zone.quantiles[2].value, 4.785);
    assert_near(zone.quantiles[3].value, 7.6458333);
    assert_eq!((zone.majority, zone.minority), (Some(8.0), Some(1.0)));
}

#[test]
fn kat_zs_d_equal_shares() {
    let mut zone = ZoneAccumulator::with_values(CellRule::default());
    let classes = [[1.0, 1.0, 2.0], [1.0, 2.0, 2.0], [3.0, 3.0, 3.0]];
    zone.add_coverage(&everything(), |row, col| Some(classes[row as usize][col as usize]), |_, _| 900.0);
    let shares = zone.values().map(|values| values.sorted().shares()).unwrap();
    let shares: Vec<_> = shares.iter().map(|share| (share.value, share.share)).collect();
    assert_eq!(shares, [(1.0, 1.0 / 3.0), (2.0, 1.0 / 3.0), (3.0, 1.0 / 3.0)]);
    let zone = zone.summary(&[]);
    assert_eq!((zone.majority, zone.minority, zone.variety), (Some(3.0), Some(1.0), Some(3)));
}

#[test]
fn kat_zs_a_weighted_by_ten_times_the_value() {
    let weigh = |weight: fn(f64) -> Option<f64>| {
        let mut zone = WeightedMoments::new(CellRule::default());
        for cell in square().cells() {
            let value = ONE_TO_NINE[cell.row as usize][cell.col as usize];
            zone.add(value, value.and_then(weight), cell.fraction, 900.0);
        }
        zone
    };
    let zone = weigh(|value| Some(10.0 * value));
    assert_eq!((zone.weight(), zone.sum()), (200.0, 1200.0));
    assert_near(zone.mean(), 6.0);
    assert_near(zone.variance(), 4.0);
    assert_near(zone.stdev(), 2.0);
    // The centre's weight missing: not known. Taken as 0: exactextract's default_weight=0.
    let unknown = weigh(|value| (value != 5.0).then_some(10.0 * value));
    assert!(unknown.mean().is_nan() && unknown.sum().is_nan() && unknown.variance().is_nan());
    let without = weigh(|value| Some(if value == 5.0 { 0.0 } else { 10.0 * value }));
    assert_near(without.mean(), 6.333333333);
    assert_near(without.sum(), 950.0);
    assert_near(without.variance(), 4.888888889);
    // No weight at all: exactextract's sum 0, mean NaN.
    let weightless = weigh(|_| Some(0.0));
    assert_eq!(weightless.sum(), 0.0);
    assert!(weightless.mean().is_nan());
}

#[test]
fn kat_zs_all_nodata() {
    for nothing in [None, Some(f64::NAN), Some(f64::INFINITY)] {
        let mut zone = ZoneAccumulator::with_values(CellRule::default());
        zone.add_coverage(&square(), |_, _| nothing, |_, _| 900.0);
        assert!(zone.moments().mean().is_nan());
        let zone = zone.summary(&[Quantile::MEDIAN]);
        assert_eq!((zone.count, zone.sum, zone.variety), (0.0, 0.0, Some(0)));
        assert_eq!((zone.mean, zone.stdev, zone.min, zone.max), (None, None, None, None));
        assert_eq!((zone.median, zone.quantiles[0].value), (None, None));
        assert_eq!((zone.majority, zone.minority), (None, None));
        assert_eq!((zone.coverage, zone.valid_area_m2, zone.area_m2), (Some(0.0), 0.0, 3600.0));
    }
    let untouched = ZoneAccumulator::moments_only(CellRule::default()).summary(&[]);
    assert_eq!((untouched.coverage, untouched.variety, untouched.median), (None, None, None));
}

#[test]
fn a_summary_is_a_document() {
    let zone = summary(&square(), FIVE_MISSING, CellRule::default());
    let json = serde_json::to_value(&zone).unwrap();
    assert_eq!(json["quantiles"][0]["q"], 0.1);
    assert_eq!(serde_json::from_value::<ZonalSummary>(json).unwrap(), zone);
    let cheap = serde_json::to_value(ZoneAccumulator::default().summary(&[])).unwrap();
    assert_eq!(cheap["mean"], serde_json::Value::Null);
    assert!(cheap.get("median").is_none(), "not asked for is not the same as not known");
}

/// KAT-BK1: block CVEGEO 0100600010051001 in EPSG:6372.
fn block() -> MultiPolygon<f64> {
    ring(&[
        (2470881.1249, 1125252.7598),
        (2470876.4232, 1125333.4394),
        (2470886.4212, 1125334.1302),
        (2470903.7311, 1125335.3242),
        (2470915.5170, 1125336.1382),
        (2470956.4130, 1125338.9602),
        (2470957.6413, 1125323.7984),
        (2470965.9055, 1125221.8010),
        (2470883.2093, 1125217.0071),
    ])
    .into()
}

const BLOCK_WINDOW: CellWindow =
    CellWindow { x_min: 2470860.0, y_max: 1125360.0, cell_width: 30.0, cell_height: 30.0, cols: 5, rows: 6 };

const MX6372: CellAreaModel = CellAreaModel::LambertConformal2sp {
    lat1_deg: 17.5,
    lat2_deg: 29.5,
    lat0_deg: 12.0,
    lon0_deg: -102.0,
    false_easting_m: 2_500_000.0,
    false_northing_m: 0.0,
    ellipsoid: Ellipsoid::GRS80,
};

#[test]
fn kat_bk1_statistics_and_areas_of_a_real_block() {
    let areas = MX6372.evaluator();
    let true_area = |row, col| {
        let centre = BLOCK_WINDOW.cell_centre(row, col);
        areas.cell_area_m2(centre.x, centre.y, 30.0, 30.0)
    };
    let value = |row: u32, col: u32| Some(f64::from(row * 5 + col + 1));
    let coverage = cover(&block(), BLOCK_WINDOW);
    let mut zone = ZoneAccumulator::with_values(CellRule::default());
    zone.add_coverage(&coverage, value, true_area);
    let zone = zone.summary(&[]);
    let assert_digits = |found: f64, expected: f64, half_unit: f64| {
        assert!((found - expected).abs() <= half_unit, "{found} is not {expected}");
    };
    assert_digits(zone.count, 10.60283, 5e-6);
    assert_digits(zone.mean.unwrap(), 13.80541, 5e-6);
    assert_digits(zone.stdev.unwrap(), 5.966111, 5e-7);
    assert_digits(zone.median.unwrap(), 13.245138, 5e-7);
    assert_eq!(zone.majority, Some(18.0));
    assert_digits(900.0 * coverage.total(), 9542.547, 1e-3); // fractions are f32
    assert_digits(planar_area(&block()), 9542.547, 5e-4);
    assert_digits(zone.area_m2, 9641.683, 1e-3);
    // The polygon itself: planar area over the areal scale at its centroid.
    let centroid = planar_centroid(&block()).unwrap();
    assert_digits(
        planar_area(&block()) * areas.cell_area_m2(centroid.x, centroid.y, 1.0, 1.0),
        9641.683,
        1e-3,
    );
}

#[test]
fn kat_bk1_the_pixel_centre_rule_keeps_nine_pixels() {
    let centres = centre_coverage(&block(), BLOCK_WINDOW).unwrap();
    assert_eq!(centres.cell_count(), 9);
    let off = centres.total() / cover(&block(), BLOCK_WINDOW).total() - 1.0;
    assert!((off + 0.15).abs() < 0.005, "15 % too little, {off}");
}

#[test]
fn category_areas_of_a_zone_and_its_halves() {
    // 9.2: true areas by class; here cells of 100, 200 and 300 m² by row, classes 1 and 2, one nodata.
    let classes = [[Some(1), Some(1), Some(2)], [Some(1), None, Some(2)], [Some(2), Some(2), Some(2)]];
    let gather = |coverage: &Coverage| {
        let mut zone = CategoryAccumulator::default();
        for cell in coverage.cells() {
            let class = classes[cell.row as usize][cell.col as usize];
            zone.add(class, cell.fraction, 100.0 * f64::from(cell.row + 1));
        }
        zone
    };
    let whole = gather(&everything()).areas();
    assert_eq!(whole.categories[0].area_m2, 400.0); // 100 + 100 + 200
    assert_eq!(whole.categories[1].area_m2, 1200.0); // 100 + 200 + 3 × 300
    assert_eq!((whole.categories[0].fraction, whole.categories[1].fraction), (0.25, 0.75));
    assert_eq!((whole.valid_area_m2, whole.nodata_area_m2), (1600.0, 200.0));
    let other_half = ring(&[(3.0, 0.0), (3.0, 3.0), (0.0, 3.0)]).into();
    let mut halves = gather(&triangle());
    halves.merge(&gather(&cover(&other_half, unit_cells(3, 3))));
    assert_eq!(halves.areas(), whole);
}
