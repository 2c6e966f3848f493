//! Known answers, and the rules for what takes part.

use super::*;
use crate::geomedian::geomad_rows;

const O: [[u16; 6]; 7] = [
    [8000, 9200, 9700, 15800, 14100, 11600],
    [8150, 9350, 9900, 15200, 14500, 11900],
    [7900, 9050, 9450, 16900, 13700, 11200],
    [8300, 9500, 10200, 14600, 14900, 12300],
    [21000, 21500, 21900, 24500, 20100, 17400], // cloud
    [7700, 8500, 8700, 11900, 11100, 9500],     // shadow
    [8050, 9250, 9750, 16000, 14200, 11700],
];

fn pick(which: &[usize]) -> Vec<[u16; 6]> {
    which.iter().map(|&i| O[i]).collect()
}

/// Name, observations, geomedian (DN), EMAD (ρ), SMAD, BCMAD.
type Known = (&'static str, Vec<[u16; 6]>, [f64; 6], [f64; 3]);

fn known() -> Vec<Known> {
    let mut without_o2 = pick(&[0, 1, 2, 3, 4, 5, 6]);
    without_o2[2][3] = 0;
    let line = |c: &[u16]| c.iter().map(|&c| [c; 6]).collect::<Vec<_>>();
    let gm1 = [8069.461, 9260.035, 9764.005, 15788.293, 14161.091, 11658.194];
    let gm2 = [8171.633, 9363.360, 9909.308, 15281.078, 14425.981, 11861.794];
    let gm5 = [8207.897, 9402.327, 9936.351, 15451.392, 14426.296, 11855.066];
    let gm11 = [8034.540, 9232.249, 9738.721, 15827.984, 14174.825, 11663.515];
    let gm12 = [8001.857, 9201.356, 9701.550, 15797.783, 14102.117, 11602.051];
    let o0 = O[0].map(f64::from);
    let nothing = [f64::NAN; 6];
    vec![
        ("GM1", pick(&[0, 1, 2, 3, 4, 5, 6]), gm1, [0.037199986, 0.0018383056, 0.054897915]),
        ("GM2", without_o2, gm2, [0.024812620, 0.0018897865, 0.037311472]),
        ("GM3", pick(&[0]), o0, [0.0; 3]),
        (
            "GM4",
            pick(&[0, 1]),
            [8075., 9275., 9800., 15500., 14300., 11750.],
            [0.011462916, 0.0005857411, 0.017954941],
        ),
        ("GM5", pick(&[0, 1, 4]), gm5, [0.018097303, 0.0013812726, 0.031276552]),
        ("GM6", pick(&[0, 0, 0, 0, 1, 2, 4]), o0, [0.0; 3]),
        ("GM7", pick(&[0; 5]), o0, [0.0; 3]),
        ("GM8", vec![[0; 6]; 3], nothing, [f64::NAN; 3]),
        ("GM9", line(&[8000, 9000, 10000, 13000, 28000]), [10000.; 6], [0.134721936, 0.0, 0.354838710]),
        ("GM10", line(&[8000, 9000, 10000, 13000]), [10000.; 6], [0.101041452, 0.0, 0.289664253]),
        ("GM11", pick(&[0, 1, 2, 3, 6]), gm11, [0.021464707, 0.0020115009, 0.031431757]),
        ("GM12", pick(&[0, 1, 2, 3, 5, 6]), gm12, [0.028984402, 0.0015455409, 0.042277699]),
    ]
}

/// Asserts the known answers of a block of one pixel each. Repeating every observation changes none of them, but
/// sends the pixels through the lanes.
fn assert_known(level: Level, repeat: usize) {
    let known = known();
    let repeated = |obs: &Vec<[u16; 6]>| obs.iter().flat_map(|o| vec![*o; repeat]).collect();
    let series: Vec<Vec<[u16; 6]>> = known.iter().map(|k| repeated(&k.1)).collect();
    let scenes = Scenes::of(&series);
    let planes = scenes.solve(level, 1);
    for (i, (name, obs, dn, mads)) in known.iter().enumerate() {
        let at = format!("{name}, {} times {repeat}", level.name());
        let complete = obs.iter().filter(|o| o.iter().all(|&v| v != 0)).count() * repeat;
        assert_eq!(usize::from(planes.count[i]), complete, "{at}");
        assert_eq!(planes.flags[i].contains(QaFlags::LOW_COUNT), complete < 5, "{at}");
        assert!(!planes.flags[i].contains(QaFlags::MAX_ITERATIONS), "{at}");
        // Any point between the two middle ones: repeated, they are two of four, as GM10's are.
        let segment = *name == "GM10" || *name == "GM4";
        assert_eq!(planes.flags[i].contains(QaFlags::NON_UNIQUE), segment, "{at}");
        if segment && repeat > 1 {
            continue;
        }
        let found = [planes.emad[i], planes.smad[i], planes.bcmad[i]];
        if complete == 0 {
            assert!(found.iter().all(|v| v.is_nan()) && planes.point[i].is_nan(), "{at}");
            continue;
        }
        let off = off_by(&planes, i, &dn.map(|v| v * SCALE + OFFSET));
        assert!(off < 0.02, "{at}: {off} DN");
        for (found, known) in found.iter().zip(mads) {
            assert!((f64::from(*found) - known).abs() < 2e-7, "{at}: {found}, known {known}");
        }
    }
}

#[test]
fn known_answers() {
    for level in Level::available() {
        assert_known(level, 1);
    }
}

#[test]
fn known_answers_of_repeated_observations() {
    for level in Level::available() {
        assert_known(level, 3);
        assert_known(level, 10);
    }
}

/// Half cloud, half ground (synthetic): the sum of distances hardly changes along the line between the two, and where the
/// lanes stopped it was 1e-9 of itself above the least, 11 digital numbers away.
#[test]
fn a_nearly_flat_cost_is_solved_in_f64() {
    let series = vec![
        [19637, 19829, 19222, 18929, 18261, 18290],
        [21319, 21617, 20801, 20532, 19692, 19648],
        [23265, 23608, 22916, 22587, 21492, 21770],
        [27121, 27128, 26768, 26420, 25815, 25723],
        [8644, 8774, 8486, 8045, 7727, 7591],
        [8706, 8887, 8375, 7787, 7615, 7329],
        [19647, 19974, 19368, 18541, 18342, 18257],
        [8799, 9002, 8413, 7873, 7467, 7662],
        [8673, 8942, 8650, 7922, 7689, 7580],
        [8936, 9656, 8582, 7853, 7624, 7549],
    ];
    let scenes = Scenes::of(&[series]);
    for level in Level::available() {
        let planes = scenes.solve(level, 1);
        assert_eq!(planes.scalar_pixels, 1, "{}", level.name());
        assert_like_scalar(&scenes, &planes, 1);
    }
}

#[test]
fn what_takes_part() {
    let n = 12;
    let mut scenes = Scenes::of(&[vec![O[0]; n], vec![O[0]; n], vec![O[0]; n]]);
    let pixels = scenes.pixels;
    scenes.hidden[0] = true;
    scenes.bands[2][pixels] = 0;
    scenes.bands[3][2 * pixels] = 7272;
    scenes.bands[3][3 * pixels] = 43637;
    scenes.bands[3][4 * pixels + 1] = 7273;
    scenes.bands[3][5 * pixels + 1] = 43636;
    for level in Level::available() {
        let planes = scenes.solve(level, 9);
        assert_eq!(planes.count, [8, 12, 12]);
        assert!(planes.point[0].is_nan() && planes.smad[0].is_nan());
        assert_eq!(off_by(&planes, 1, &O[0].map(|v| f64::from(v) * SCALE + OFFSET)).round(), 0.0);
        assert_eq!((planes.emad[1], planes.emad[2]), (0.0, 0.0));
        assert_like_scalar(&scenes, &planes, 9);
    }
}

#[test]
fn stored_types_say_the_same() {
    let series: Vec<Vec<[u16; 6]>> = (0..20u16)
        .map(|i| (0..15 + i % 5).map(|k| O[usize::from(k % 7)].map(|v| v + 13 * k * (i + 1) % 97)).collect())
        .collect();
    let scenes = Scenes::of(&series);
    let unsigned = scenes.solve(Level::best(), 1);
    let signed = scenes.bands.each_ref().map(|b| b.iter().map(|&v| v as i16).collect::<Vec<_>>());
    let float = scenes
        .bands
        .each_ref()
        .map(|b| b.iter().map(|&v| if v == 0 { f32::NAN } else { f32::from(v) }).collect::<Vec<_>>());
    let layer = |samples| Layer { samples, scale: SCALE, offset: OFFSET, nodata: 0.0, valid: VALID };
    let signed = signed.each_ref().map(|b| layer(Samples::I16(b)));
    let float = float.each_ref().map(|b| Layer {
        nodata: f64::NAN,
        valid: [f64::NEG_INFINITY, f64::INFINITY],
        ..layer(Samples::F32(b))
    });
    for layers in [signed, float] {
        let stack = Stack { layers: &layers, hidden: &scenes.hidden, pixels: scenes.pixels };
        assert_eq!(bits(&geomad_block(&stack, 1).unwrap()), bits(&unsigned));
    }
}

#[test]
fn other_numbers_of_bands_are_solved_in_f64() {
    let scenes = Scenes::of(&[pick(&[0, 1, 2, 3, 4, 5, 6]), pick(&[0, 2, 4])]);
    let mut workspace = Workspace::new();
    for bands in [1, 3, 5] {
        let layers = &scenes.layers()[..bands];
        let stack = Stack { layers, hidden: &scenes.hidden, pixels: scenes.pixels };
        let planes = geomad_block(&stack, 1).unwrap();
        for i in 0..2 {
            let rows: Vec<f64> = scenes.rows(i).iter().flat_map(|r| r[..bands].to_vec()).collect();
            let mut point = vec![0.0; bands];
            let found = geomad_rows(&rows, bands, 1, &mut point, &mut workspace).unwrap();
            assert!((0..bands).all(|j| planes.point[2 * j + i] == point[j] as f32));
            assert_eq!((planes.emad[i], planes.count[i]), (found.mads.emad as f32, found.count));
        }
    }
}

#[test]
fn bad_shapes_are_refused() {
    let scenes = Scenes::of(&[pick(&[0, 1]), pick(&[2, 3])]);
    let layers = scenes.layers();
    let stack = Stack { layers: &layers, hidden: &scenes.hidden, pixels: 2 };
    let none = geomad_block(&Stack { layers: &[], ..stack }, 1);
    assert_eq!(none, Err(StackError::BandCount { bands: 0 }));
    let ragged = geomad_block(&Stack { hidden: &scenes.hidden[1..], ..stack }, 1);
    assert_eq!(ragged, Err(StackError::Shape { layer: 0, len: 4, hidden: 3, pixels: 2 }));
    assert!(geomad_block(&Stack { pixels: 3, ..stack }, 1).is_err());
    let empty = Scenes::of(&[]);
    let layers = empty.layers();
    let planes = geomad_block(&Stack { layers: &layers, hidden: &[], pixels: 0 }, 1).unwrap();
    assert_eq!((planes.point.len(), planes.count.len()), (0, 0));
}
