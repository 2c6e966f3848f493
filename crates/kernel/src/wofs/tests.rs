//! Known answers KAT-WO of science 5.1, and the tree against its leaves written as a table.

use super::*;

#[test]
fn known_spectra() {
    for (spectrum, water) in [
        ([350, 300, 200, 120, 60, 40], true),
        ([900, 1100, 1200, 700, 400, 250], true),
        ([300, 600, 400, 3500, 1700, 800], false),
        ([1200, 1600, 2000, 2600, 3300, 2900], false),
        ([4000, 4200, 4300, 4600, 3500, 2800], false),
        ([120, 150, 130, 400, 200, 120], true), // a dark shadow
        ([320, 500, 480, 700, 540, 330], true),
        ([1100, 1350, 1500, 2100, 2300, 2000], false),
        ([0; 6], false),
    ] {
        assert_eq!(is_water(spectrum.map(f64::from)), water, "{spectrum:?}");
    }
}

/// What a condition looks at.
#[derive(Clone, Copy)]
enum Of {
    B1,
    B3,
    B7,
    N52,
    N43,
    N72,
}
use Of::{B1, B3, B7, N43, N52, N72};

/// `(quantity, above, up to)`: `above < quantity <= up to`.
type Condition = (Of, f64, f64);
const LOW: f64 = f64::NEG_INFINITY;
const TOP: f64 = f64::INFINITY;

/// Every path from the root to a wet leaf, for spectra whose ratios have a value.
const WET_PATHS: &[&[Condition]] = &[
    &[(N52, LOW, -0.01), (B1, LOW, 2083.5), (B7, LOW, 323.5), (N43, LOW, 0.61)],
    &[(N52, LOW, -0.01), (B1, LOW, 1400.5), (B7, 323.5, TOP), (N72, LOW, -0.23), (N43, LOW, 0.22)],
    &[(N52, LOW, -0.01), (B1, LOW, 473.0), (B7, 323.5, TOP), (N72, LOW, -0.23), (N43, 0.22, TOP)],
    &[(N52, LOW, -0.01), (B1, LOW, 379.0), (B7, 323.5, TOP), (N72, -0.23, TOP)],
    &[(N52, LOW, -0.01), (B1, 1400.5, 2083.5), (B7, 323.5, TOP), (N43, LOW, -0.01)],
    &[(N52, -0.01, 0.12), (B1, LOW, 334.5), (N43, LOW, 0.54)],
    &[(N52, 0.12, 0.23), (B1, LOW, 129.5), (N43, LOW, 0.54), (B3, LOW, 364.5)],
    &[(N52, 0.12, 0.23), (B1, LOW, 300.5), (N43, LOW, 0.54), (B3, 364.5, TOP)],
    &[(N52, 0.23, 0.34), (B1, LOW, 129.5), (N43, LOW, 0.45), (B3, LOW, 364.5)],
];

fn by_table(b: [f64; 6]) -> bool {
    let value = |of: Of| match of {
        B1 => b[0],
        B3 => b[2],
        B7 => b[5],
        N52 => (b[4] - b[1]) / (b[4] + b[1]),
        N43 => (b[3] - b[2]) / (b[3] + b[2]),
        N72 => (b[5] - b[1]) / (b[5] + b[1]),
    };
    WET_PATHS.iter().any(|path| path.iter().all(|&(of, above, to)| above < value(of) && value(of) <= to))
}

/// Spectra spread so that every leaf is reached, some thousand times at least.
#[test]
fn the_tree_equals_the_table_of_its_paths() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut wet = 0;
    for k in 0..400_000 {
        let scale = [300.0, 600.0, 2500.0, 6000.0][k % 4];
        // Whole numbers above 0, so that no ratio is 0/0.
        let spectrum: [f64; 6] = std::array::from_fn(|_| 1.0 + (scale * uniform()).floor());
        assert_eq!(is_water(spectrum), by_table(spectrum), "{spectrum:?}");
        wet += usize::from(is_water(spectrum));
    }
    assert!((100_000..300_000).contains(&wet), "{wet}");
}

#[test]
fn collection_2_words_become_flags() {
    let water = [8545u16, 8364, 8000, 7709, 7491, 7418]; // about the first known spectrum
    let dry = [11_636u16, 13_091, 14_545, 16_727, 19_273, 17_818];
    let clear = 21_824;
    assert_eq!(observe_c2(water, clear, false, 0), WATER);
    assert_eq!(observe_c2(dry, clear, false, 0), 0);
    assert_eq!(observe_c2(dry, 1, false, 0), NODATA);
    assert_eq!(observe_c2([0; 6], clear, false, STEEP), NODATA);
    assert_eq!(observe_c2([0, 1, 1, 1, 1, 1], clear, false, 0), NON_CONTIGUOUS);
    assert_eq!(observe_c2(dry, 22_280, false, 0), CLOUD);
    assert_eq!(observe_c2(dry, 54_596, false, 0), CLOUD); // cirrus alone
    assert_eq!(observe_c2(water, 23_888, false, 0), WATER | CLOUD_SHADOW);
    assert!(is_shadow_c2(23_888) && !is_shadow_c2(clear));
    assert_eq!(
        observe_c2(dry, clear, true, LOW_SUN | TERRAIN_SHADOW),
        CLOUD_SHADOW | LOW_SUN | TERRAIN_SHADOW
    );
    assert_eq!(observe_c2(dry, clear, false, 0xff), LOW_SUN | TERRAIN_SHADOW | STEEP);
    let disk = crate::morphology::Disk::new(SHADOW_RADIUS).unwrap();
    assert_eq!(disk.size(), 37);
}

#[test]
fn days_are_counted_once() {
    // Columns are pixels: always dry; wet and dry on day 2; spoilt by the second scene of day 2; never seen;
    // only clouds; wet twice in a day.
    let observations = [
        [0, 128, 128, 1, 64, 1], // day 1
        [0, 128, 0, 1, 66, 128], // day 2
        [0, 0, 192, 1, 1, 128],  // day 2
        [0, 128, 1, 1, 32, 0],   // day 3
    ]
    .concat();
    let summary = summarise(&observations, 6, &["1", "2", "2", "3"]).unwrap();
    assert_eq!(summary.clear, [3, 2, 1, NODATA_COUNT, 0, 2]);
    assert_eq!(summary.wet, [0, 2, 1, NODATA_COUNT, 0, 1]);
    assert_eq!(summary.frequency[..3], [0.0, 1.0, 1.0]);
    assert!(summary.frequency[3].is_nan() && summary.frequency[4].is_nan());
    assert_eq!(summary.frequency[5], 0.5);
    let wrong = summarise(&observations, 5, &["1", "2", "2", "3"]);
    assert_eq!(wrong, Err(WofsError::Shape { values: 24, scenes: 4, pixels: 5 }));
    assert!(summarise::<u8>(&[], 0, &[]).is_ok());
}
