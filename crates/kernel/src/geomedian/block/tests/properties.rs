//! What holds for any stack.

use proptest::prelude::*;

use super::*;

/// A pixel: how many dates, over what surface, and the seed of its weather.
fn pixel() -> impl Strategy<Value = (usize, [u16; 6], u8, u64)> {
    let count = prop_oneof![3 => 0usize..4, 4 => 4usize..16, 6 => 16usize..70, 1 => 70usize..700];
    (count, prop::array::uniform6(7400u16..20000), 0u8..8, any::<u64>())
}

/// Synthetic series: a surface with noise, clouds and gaps; now and then identical, collinear or empty.
fn series((count, surface, kind, seed): (usize, [u16; 6], u8, u64)) -> Vec<[u16; 6]> {
    let mut state = seed | 1;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 20) % n) as u16
    };
    (0..count)
        .map(|_| match kind {
            0 => surface,
            1 => [surface[0] + 40 * below(60); 6],
            2 => [0; 6],
            _ => {
                let cloud = if below(10) == 0 { 9000 + below(8000) } else { 0 };
                let season = below(400);
                let mut dn = surface.map(|v| (v + cloud + season + below(300)).max(7273));
                if below(8) == 0 {
                    dn[usize::from(below(6))] = [0, 7000, 50000][usize::from(below(3))];
                }
                if below(6) == 0 {
                    dn = surface;
                }
                dn
            }
        })
        .collect()
}

fn scenes() -> impl Strategy<Value = Scenes> {
    let pixels = prop_oneof![8 => 1usize..40, 1 => 60usize..70, 1 => 120usize..300];
    // Pixels hidden one by one, or in runs as clouds hide them: strips that are hidden wholly are not read.
    let run = prop_oneof![2 => Just(1usize), 1 => 50usize..200];
    (pixels.prop_flat_map(|n| prop::collection::vec(pixel(), n)), any::<u64>(), 0u8..10, run).prop_map(
        |(pixels, seed, cover, run)| {
            let mut scenes = Scenes::of(&pixels.into_iter().map(series).collect::<Vec<_>>());
            let mut state = seed | 1;
            for (k, hidden) in scenes.hidden.iter_mut().enumerate() {
                if k.is_multiple_of(run) {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                }
                *hidden = (state >> 40) % 10 < u64::from(cover);
            }
            scenes
        },
    )
}

/// Synthetic: half of the dates under cloud and a little noise, so that all lie along a line and the cost is nearly flat
/// between the two halves. One or two digital numbers of noise are an observation's own rounding, 60 a day's haze.
fn half_cloud() -> impl Strategy<Value = Vec<[u16; 6]>> {
    let surface = prop::array::uniform6(7600u16..12000);
    (5usize..30, surface, 4000u16..16000, 1u64..200, any::<u64>()).prop_map(
        |(half, surface, cloud, noise, seed)| {
            let mut state = seed | 1;
            let mut below = |n: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                ((state >> 20) % n) as u16
            };
            (0..2 * half).map(|k| surface.map(|v| v + cloud * (k % 2) as u16 + below(noise))).collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_level_gives_the_same_bytes(scenes in scenes(), min_obs in 0u16..12) {
        let first = scenes.solve(Level::Plain, min_obs);
        for level in Level::available() {
            prop_assert_eq!(bits(&scenes.solve(level, min_obs)), bits(&first), "{:?}", level);
        }
        assert_like_scalar(&scenes, &first, min_obs.max(1));
    }

    /// A pixel's bytes are its own: alone, or anywhere in a block.
    #[test]
    fn neighbours_do_not_matter(scenes in scenes(), cut in 0usize..300) {
        let whole = scenes.solve(Level::best(), 1);
        let cut = cut % scenes.pixels;
        let part = |range: std::ops::Range<usize>| {
            let n = range.len();
            let keep = |k: usize| range.contains(&(k % scenes.pixels));
            let part = Scenes {
                bands: scenes.bands.each_ref().map(|b| {
                    b.iter().enumerate().filter(|(k, _)| keep(*k)).map(|(_, v)| *v).collect()
                }),
                hidden: scenes.hidden.iter().enumerate().filter(|(k, _)| keep(*k)).map(|(_, h)| *h).collect(),
                pixels: n,
            };
            part.solve(Level::best(), 1)
        };
        for range in [cut..cut + 1, cut..scenes.pixels] {
            let alone = part(range.clone());
            for (i, at) in range.clone().enumerate() {
                for j in 0..6 {
                    let (a, b) = (alone.point[j * range.len() + i], whole.point[j * scenes.pixels + at]);
                    prop_assert_eq!(a.to_bits(), b.to_bits());
                }
                prop_assert_eq!(alone.smad[i].to_bits(), whole.smad[at].to_bits());
                prop_assert_eq!(alone.emad[i].to_bits(), whole.emad[at].to_bits());
                prop_assert_eq!(alone.bcmad[i].to_bits(), whole.bcmad[at].to_bits());
                prop_assert_eq!((alone.count[i], alone.flags[i]), (whole.count[at], whole.flags[at]));
            }
        }
    }

    #[test]
    fn half_of_the_dates_under_cloud(pixels in prop::collection::vec(half_cloud(), 1..20)) {
        let scenes = Scenes::of(&pixels);
        let planes = scenes.solve(Level::best(), 1);
        let mut workspace = Workspace::new();
        for i in 0..scenes.pixels {
            let rows = scenes.rows(i);
            // The point itself says little where the cost is flat; that it costs as little as any does.
            let found = geomad(&rows, 1, &mut workspace);
            let point = std::array::from_fn(|j| f64::from(planes.point[j * scenes.pixels + i]));
            prop_assert!(cost(&rows, &point) <= cost(&rows, &found.point) * (1.0 + 1e-9));
            let off = off_by(&planes, i, &found.point);
            prop_assert!(off <= 0.5 || found.flags.contains(QaFlags::NON_UNIQUE), "{} dates: {} DN", rows.len(), off);
        }
    }
}

fn cost(rows: &[[f64; 6]], y: &[f64; 6]) -> f64 {
    let distance = |x: &[f64; 6]| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
    rows.iter().map(distance).sum()
}
