//! Known answers of science 2.7 and the properties every geomedian has.

use proptest::prelude::*;

use super::*;

const O: [[f64; 6]; 7] = [
    [8000., 9200., 9700., 15800., 14100., 11600.],
    [8150., 9350., 9900., 15200., 14500., 11900.],
    [7900., 9050., 9450., 16900., 13700., 11200.],
    [8300., 9500., 10200., 14600., 14900., 12300.],
    [21000., 21500., 21900., 24500., 20100., 17400.], // cloud
    [7700., 8500., 8700., 11900., 11100., 9500.],     // shadow
    [8050., 9250., 9750., 16000., 14200., 11700.],
];

fn to_rho<const P: usize>(dn: &[f64; P]) -> [f64; P] {
    dn.map(|v| v * 2.75e-5 - 0.2)
}

fn to_dn<const P: usize>(rho: &[f64; P]) -> [f64; P] {
    rho.map(|v| (v + 0.2) / 2.75e-5)
}

fn stack<const P: usize>(dn: &[[f64; P]]) -> Vec<[f64; P]> {
    dn.iter().map(to_rho).collect()
}

fn pick(indices: &[usize]) -> Vec<[f64; 6]> {
    indices.iter().map(|&i| to_rho(&O[i])).collect()
}

fn solve<const P: usize>(obs: &[[f64; P]]) -> Geomad<P> {
    geomad(obs, 1, &mut Workspace::new())
}

#[track_caller]
fn assert_known(name: &str, obs: &[[f64; 6]], dn: [f64; 6], [emad, smad, bcmad]: [f64; 3], count: u16) {
    let found = solve(obs);
    for (a, b) in to_dn(&found.point).iter().zip(dn) {
        assert!((a - b).abs() < 0.01, "{name}: {:?}", to_dn(&found.point));
    }
    let Mads { emad: e, smad: s, bcmad: b } = found.mads;
    assert!((e - emad).abs() < 6e-10, "{name}: emad {e}");
    assert!((s - smad).abs() < 6e-11, "{name}: smad {s}");
    assert!((b - bcmad).abs() < 6e-10, "{name}: bcmad {b}");
    assert_eq!(found.count, count, "{name}");
    assert!(!found.flags.contains(QaFlags::MAX_ITERATIONS), "{name}");
    assert_eq!(found.flags.contains(QaFlags::LOW_COUNT), count < 5, "{name}");
}

#[test]
fn gm1_with_cloud_and_shadow() {
    let dn = [8069.461, 9260.035, 9764.005, 15788.293, 14161.091, 11658.194];
    assert_known("GM1", &stack(&O), dn, [0.037199986, 0.0018383056, 0.054897915], 7);
}

#[test]
fn gm2_incomplete_observation_is_dropped_whole() {
    let mut obs = stack(&O);
    obs[2][3] = f64::NAN;
    let dn = [8171.633, 9363.360, 9909.308, 15281.078, 14425.981, 11861.794];
    assert_known("GM2", &obs, dn, [0.024812620, 0.0018897865, 0.037311472], 6);
}

#[test]
fn gm3_single_observation_is_its_own_median() {
    assert_known("GM3", &pick(&[0]), O[0], [0.0; 3], 1);
    assert_eq!(solve(&pick(&[0])).mads, Mads::ZERO);
    assert_eq!(solve(&[[0.0; 6]]).mads, Mads::ZERO);
}

#[test]
fn gm4_two_observations_give_the_midpoint() {
    let dn = [8075., 9275., 9800., 15500., 14300., 11750.];
    assert_known("GM4", &pick(&[0, 1]), dn, [0.011462916, 0.0005857411, 0.017954941], 2);
    assert!(solve(&pick(&[0, 1])).flags.contains(QaFlags::NON_UNIQUE));
    assert!(!solve(&pick(&[0, 0])).flags.contains(QaFlags::NON_UNIQUE));
}

#[test]
fn gm5_three_observations() {
    let dn = [8207.897, 9402.327, 9936.351, 15451.392, 14426.296, 11855.066];
    assert_known("GM5", &pick(&[0, 1, 4]), dn, [0.018097303, 0.0013812726, 0.031276552], 3);
}

#[test]
fn gm6_repeated_observation_is_the_vertex() {
    let obs = pick(&[0, 0, 0, 0, 1, 2, 4]);
    assert_known("GM6", &obs, O[0], [0.0; 3], 7);
    assert_eq!(solve(&obs).point, to_rho(&O[0]));
}

#[test]
fn gm7_all_coincident() {
    let obs = pick(&[0; 5]);
    assert_known("GM7", &obs, O[0], [0.0; 3], 5);
    assert_eq!(solve(&obs).flags, QaFlags::NONE);
}

#[test]
fn gm8_nothing_valid_is_nodata() {
    for obs in [vec![], vec![[f64::NAN; 6]; 3]] {
        let found = solve(&obs);
        assert!(found.point.iter().all(|v| v.is_nan()));
        assert!(found.mads.emad.is_nan() && found.mads.smad.is_nan() && found.mads.bcmad.is_nan());
        assert_eq!((found.count, found.flags), (0, QaFlags::LOW_COUNT));
    }
}

#[test]
fn gm9_odd_collinear_is_the_middle_vertex() {
    let obs = stack(&[8000., 9000., 10000., 13000., 28000.].map(|c| [c; 6]));
    assert_known("GM9", &obs, [10000.; 6], [0.134721936, 0.0, 0.354838710], 5);
    assert_eq!(solve(&obs).flags, QaFlags::NONE);
}

#[test]
fn gm10_even_collinear_is_flagged() {
    let obs = stack(&[8000., 9000., 10000., 13000.].map(|c| [c; 6]));
    assert_known("GM10", &obs, [10000.; 6], [0.101041452, 0.0, 0.289664253], 4);
    assert_eq!(solve(&obs).flags, QaFlags::LOW_COUNT | QaFlags::NON_UNIQUE);
    // One DN off the line and the minimiser is unique again.
    let mut bent = obs.clone();
    bent[1][0] += 2.75e-5;
    assert_eq!(solve(&bent).flags, QaFlags::LOW_COUNT);
    // So it is where the two middle observations coincide.
    let twice = stack(&[8000., 10000., 10000., 13000.].map(|c| [c; 6]));
    assert_eq!(solve(&twice).flags, QaFlags::LOW_COUNT);
}

#[test]
fn gm11_clear_observations() {
    let dn = [8034.540, 9232.249, 9738.721, 15827.984, 14174.825, 11663.515];
    assert_known("GM11", &pick(&[0, 1, 2, 3, 6]), dn, [0.021464707, 0.0020115009, 0.031431757], 5);
}

#[test]
fn gm12_even_count() {
    let dn = [8001.857, 9201.356, 9701.550, 15797.783, 14102.117, 11602.051];
    assert_known("GM12", &pick(&[0, 1, 2, 3, 5, 6]), dn, [0.028984402, 0.0015455409, 0.042277699], 6);
}

#[test]
fn gm1_as_stored_integers() {
    let found = solve(&stack(&O));
    let ints = Quantizer::<u16>::new(1e-4, 0.0, 0).unwrap();
    assert_eq!(found.point.map(|v| ints.encode(v)), [219, 547, 685, 2342, 1894, 1206]);
    assert_eq!(ints.encode(found.mads.emad), 372);
}

#[test]
fn two_dimensional_figures() {
    let half_root = 3f64.sqrt() / 2.0;
    let square: &[[f64; 2]] = &[[0., 0.], [0., 1.], [1., 0.], [1., 1.]];
    for (obs, expected) in [
        (square, [0.5, 0.5]),
        (&[[0., 0.], [1., 0.], [0.5, half_root]], [0.5, 0.2886751346]),
        (&[[0., 0.], [1., 0.1], [2., 0.]], [1.0, 0.1]),
        (&[[0., 0.], [4., 0.], [0., 3.]], [0.6957885341, 0.7511761065]),
    ] {
        let point = solve(obs).point;
        assert!((0..2).all(|j| (point[j] - expected[j]).abs() < 1e-9), "{point:?}");
    }
}

/// Three observations coincide and the others pull a little harder than they hold: the minimiser lies so
/// near them that the Weiszfeld map hardly moves.
#[test]
fn minimiser_beside_repeated_observations() {
    for excess in [1e-2, 1e-4, 1e-6] {
        let x: f64 = (3.0 + excess) / 8.0;
        let y = (1.0 - x * x).sqrt();
        let mut obs = vec![[0.0, 0.0]; 3];
        obs.extend([[x, y], [x, -y]].into_iter().cycle().take(8));
        let found = solve(&obs);
        let [along, across] = found.point;
        // Cost along the axis: 3a + 8√((x − a)² + y²), least where its slope vanishes. A slope of 5e-7 is
        // 7e-8 (0.003 DN) away.
        let slope = 3.0 - 8.0 * (x - along) / ((x - along).powi(2) + y * y).sqrt();
        assert!(along > 0.0 && across.abs() < 1e-9 && slope.abs() < 5e-7, "{excess}: {along} {slope}");
        assert_eq!(found.flags, QaFlags::NONE);
    }
}

#[test]
fn min_obs_hides_the_point_and_keeps_the_count() {
    let found = geomad(&pick(&[0, 1, 2]), 4, &mut Workspace::new());
    assert!(found.point[0].is_nan() && found.mads.emad.is_nan());
    assert_eq!(found.count, 3);
}

#[test]
fn undefined_distances_are_skipped() {
    let mut ws = Workspace::new();
    let found = mads(&[[0.0, 0.0], [0.3, 0.1], [-0.2, -0.2]], &[0.2, 0.2], &mut ws);
    assert!((found.emad - 0.08f64.sqrt()).abs() < 1e-15); // of three
    let cosine = 1.0 - 0.08 / (0.1f64 * 0.08).sqrt();
    assert!((found.smad - (cosine + 2.0) / 2.0).abs() < 1e-15); // the zero spectrum has no angle
    assert!((found.bcmad - (0.2 / 0.8 + 1.0) / 2.0).abs() < 1e-15); // Σ|x + m| = 0 left out
    let zero = mads(&[[0.0; 2]; 2], &[0.0; 2], &mut ws);
    assert!(zero.emad == 0.0 && zero.smad.is_nan() && zero.bcmad.is_nan());
}

#[test]
fn rows_agree_with_the_typed_kernel_and_refuse_bad_shapes() {
    let mut ws = Workspace::new();
    let obs = stack(&O);
    let flat: Vec<f64> = obs.iter().flatten().copied().collect();
    let mut point = [0.0; 6];
    let summary = geomad_rows(&flat, 6, 1, &mut point, &mut ws).unwrap();
    let typed = solve(&obs);
    assert_eq!((point, summary.mads, summary.count), (typed.point, typed.mads, typed.count));
    for bands in 1..=MAX_BANDS {
        let mut point = vec![0.0; bands];
        assert_eq!(geomad_rows(&vec![0.25; 5 * bands], bands, 1, &mut point, &mut ws).unwrap().count, 5);
        assert!(point.iter().all(|&v| v == 0.25));
    }
    let bands_0 = geomad_rows(&[], 0, 1, &mut [], &mut ws);
    assert_eq!(bands_0, Err(RowsError::BandCount { bands: 0 }));
    let ragged = geomad_rows(&flat[1..], 6, 1, &mut point, &mut ws);
    assert_eq!(ragged, Err(RowsError::RaggedRows { values: 41, bands: 6 }));
    let output = geomad_rows(&flat, 6, 1, &mut point[1..], &mut ws);
    assert_eq!(output, Err(RowsError::OutputLength { len: 5, bands: 6 }));
}

#[test]
fn quantizer_rounds_to_even_and_never_onto_nodata() {
    let ints = Quantizer::<u16>::new(1e-4, 0.0, 0).unwrap();
    let stored = |rho: f64| ints.encode(rho);
    assert_eq!([0.00025, 0.00035, 0.00024].map(stored), [2, 4, 2]);
    assert_eq!([0.0, 0.00004, -0.1, 1e-4].map(stored), [1, 1, 1, 1]);
    assert_eq!([f64::NAN, f64::INFINITY].map(stored), [0, 0]);
    assert_eq!(stored(99.0), u16::MAX);
    let signed = Quantizer::<i16>::new(1e-4, 0.0, -999).unwrap();
    assert_eq!([-0.0999, -0.0998, f64::NAN, 0.0].map(|v| signed.encode(v)), [-998, -998, -999, 0]);
    let top = Quantizer::<u16>::new(2.75e-5, -0.2, u16::MAX).unwrap();
    assert_eq!([99.0, -0.1999725].map(|v| top.encode(v)), [65534, 1]);
    assert!(Quantizer::<u16>::new(0.0, 0.0, 0).is_err());
    assert!(Quantizer::<u16>::new(1e-4, f64::NAN, 0).is_err());
}

#[test]
fn many_values_are_quantized_as_one() {
    let mut values = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, f32::MAX, f32::MIN, 1e-45];
    // Halves and their neighbours, and bits of every kind.
    for half in -1000..=70_000 {
        let v = (half as f32 + 0.5) * 2e-5;
        values.extend([v.next_down(), v, v.next_up()]);
    }
    values.extend((0..1u32 << 16).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9))));
    let one = |v: &f32| f64::from(*v);
    for (scale, offset, nodata) in [(1e-4, 0.0, 0), (2e-5, 0.0, 9), (2.75e-5, -0.2, u16::MAX), (1.0, 0.0, 1)]
    {
        let q = Quantizer::<u16>::new(scale, offset, nodata).unwrap();
        assert_eq!(q.encode_all(&values), values.iter().map(|v| q.encode(one(v))).collect::<Vec<_>>());
    }
    for (scale, offset, nodata) in [(1e-4, 0.0, -999), (2e-5, 0.1, i16::MAX), (0.5, 0.0, i16::MIN)] {
        let q = Quantizer::<i16>::new(scale, offset, nodata).unwrap();
        assert_eq!(q.encode_all(&values), values.iter().map(|v| q.encode(one(v))).collect::<Vec<_>>());
    }
}

/// Sum of distances to `y`.
fn cost<const P: usize>(obs: &[[f64; P]], y: &[f64; P]) -> f64 {
    let distance = |x: &[f64; P]| x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    obs.iter().map(distance).sum()
}

/// Plain Weiszfeld from the mean, the reference anyone can verify.
fn weiszfeld<const P: usize>(obs: &[[f64; P]]) -> [f64; P] {
    let mut y: [f64; P] = std::array::from_fn(|j| obs.iter().map(|x| x[j]).sum::<f64>() / obs.len() as f64);
    for _ in 0..1000 {
        let weights: Vec<f64> = obs.iter().map(|x| 1.0 / cost(&[*x], &y).max(1e-12)).collect();
        let total: f64 = weights.iter().sum();
        y = std::array::from_fn(|j| obs.iter().zip(&weights).map(|(x, w)| x[j] * w).sum::<f64>() / total);
    }
    y
}

/// Stacks as Landsat makes them: a surface, noise, now and then a cloud or a repeat, quantised.
fn stacks() -> impl Strategy<Value = Vec<[f64; 6]>> {
    let observation = (prop::array::uniform6(-400i32..400), 0u8..10);
    (prop::array::uniform6(7500i32..20000), prop::collection::vec(observation, 1..24)).prop_map(
        |(surface, noise)| {
            let dn = |(noise, kind): ([i32; 6], u8)| {
                std::array::from_fn(|j| {
                    let cloud = if kind == 0 { 12_000 } else { 0 };
                    let noise = if kind == 1 { 0 } else { noise[j] };
                    f64::from(surface[j] + noise + cloud)
                })
            };
            noise.into_iter().map(dn).map(|row| to_rho(&row)).collect()
        },
    )
}

proptest! {
    #[test]
    fn no_point_costs_less(obs in stacks()) {
        let found = solve(&obs);
        prop_assert!(!found.flags.contains(QaFlags::MAX_ITERATIONS));
        prop_assert!(cost(&obs, &found.point) <= cost(&obs, &weiszfeld(&obs)) * (1.0 + 1e-12) + 1e-15);
        for x in &obs {
            prop_assert!(cost(&obs, &found.point) <= cost(&obs, x) * (1.0 + 1e-12) + 1e-15);
        }
    }

    #[test]
    fn newton_finds_the_same_point(obs in stacks()) {
        let found = solve(&obs);
        if obs.len() > 2 && !found.flags.contains(QaFlags::NON_UNIQUE) {
            let descent = newton::descend(&obs, obs[0], 100, &mut Workspace::new());
            prop_assert!(descent.converged);
            for j in 0..6 {
                prop_assert!((descent.point[j] - found.point[j]).abs() < 2.75e-7);
            }
        }
    }

    #[test]
    fn point_lies_in_the_bounding_box(obs in stacks()) {
        let point = solve(&obs).point;
        for j in 0..6 {
            let (low, high) = obs.iter().fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x[j]), h.max(x[j])));
            prop_assert!((low - 1e-12..=high + 1e-12).contains(&point[j]));
        }
    }

    #[test]
    fn order_does_not_matter(obs in stacks(), seed in any::<u64>()) {
        let mut shuffled = obs.clone();
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let (a, b) = (solve(&obs), solve(&shuffled));
        prop_assert_eq!(a.flags, b.flags);
        if !a.flags.contains(QaFlags::NON_UNIQUE) {
            for j in 0..6 {
                prop_assert!((a.point[j] - b.point[j]).abs() < 2.75e-6, "{:?} {:?}", a.point, b.point);
            }
        }
    }

    #[test]
    fn a_shift_moves_the_point_with_it(obs in stacks(), shift in prop::array::uniform6(-0.1f64..0.1)) {
        let moved: Vec<[f64; 6]> =
            obs.iter().map(|x| std::array::from_fn(|j| x[j] + shift[j])).collect();
        let (a, b) = (solve(&obs), solve(&moved));
        if !a.flags.contains(QaFlags::NON_UNIQUE) {
            for (j, by) in shift.into_iter().enumerate() {
                prop_assert!((a.point[j] + by - b.point[j]).abs() < 2.75e-6);
            }
        }
    }

    #[test]
    fn used_workspace_changes_nothing(first in stacks(), second in stacks()) {
        let mut ws = Workspace::new();
        geomad(&first, 1, &mut ws);
        prop_assert_eq!(geomad(&second, 1, &mut ws), solve(&second));
    }

    #[test]
    fn any_numbers_are_survived(obs in prop::collection::vec(prop::array::uniform3(any::<f64>()), 0..9)) {
        let found = solve(&obs);
        prop_assert_eq!(usize::from(found.count), obs.iter().filter(|x| x.iter().all(|v| v.is_finite())).count());
    }
}
