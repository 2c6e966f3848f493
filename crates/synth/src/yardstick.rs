//! A cube in miniature, for tests: nearest scene pixels, masked by their QA words, geometric median; scored as
//! `tesela demo --score` does. It shows what the archive itself allows, without any of Tesela's code.

use crate::SynthConfig;
use crate::calendar::{self, Pass, Tier};
use crate::clouds::dilate3;
use crate::cover::Cover;
use crate::geomedian::{Point, geometric_median};
use crate::place::Raster;
use crate::render::{ADD, MULT, Picture, Stage, render};
use crate::spectra;
use crate::town::{Town, inside};
use crate::world::World;

/// What one pass shows of a cube pixel.
struct Look {
    /// Without air and noise, when the ground was truly visible.
    truth: Option<Point>,
    /// What the scene says, when neither mask nor saturation hides it.
    masked: Option<Point>,
    /// What the scene says anywhere.
    bare: Option<Point>,
}

/// Pixels that the standard mask leaves: shadows are grown by three pixels.
fn unmasked(picture: &Picture, width: usize) -> Vec<bool> {
    let shadow: Vec<bool> = picture.qa.iter().map(|w| w & 17 == 16).collect();
    let shadow = dilate3(&shadow, width);
    picture.qa.iter().zip(shadow).map(|(w, dark)| w & 31 == 0 && !dark).collect()
}

fn median_dn(errors: &mut [f64]) -> f64 {
    let middle = errors.len() / 2;
    *errors.select_nth_unstable_by(middle, f64::total_cmp).1 / MULT
}

fn ndvi(p: &Point) -> f64 {
    (p[3] - p[2]) / (p[3] + p[2])
}

#[test]
fn masked_composites_are_close_to_the_truth_and_unmasked_ones_are_not() {
    // Half the default side: smaller windows hold little but the town; the control needs the weather of many years.
    let config = SynthConfig { size_px: 256, ..SynthConfig::default() };
    let (raster, cube) = (Raster::pass(config.size_px).unwrap(), Raster::cube(config.size_px));
    let world = World::new(config.seed, config.size_px as f64 * 20.0 + 1000.0);
    let (cover, cube_cover) = (Cover::new(&world, &raster).unwrap(), Cover::new(&world, &cube).unwrap());
    let water: Vec<bool> = (0..raster.len()).map(|p| cover.is_water(&world, p)).collect();
    let stage = Stage { seed: config.seed, world: &world, raster: &raster, cover: &cover, water: &water };
    let nearest = cube.nearest_in(&raster).unwrap();
    let block = |&(x, y): &(f64, f64)| {
        let cell = world.town().cell_at(x, y)?;
        inside(&cell.block, x, y).then(|| Town::index(cell))
    };
    let blocks: Vec<Option<usize>> = cube.world_coordinates().unwrap().iter().map(block).collect();

    let look = |pass: &Pass| -> Vec<Look> {
        let sun = crate::scene::sun_of(pass, crate::scene::scene_time(pass, config.seed, 0));
        let picture = render(&stage, pass, &sun);
        let kept = unmasked(&picture, raster.width);
        let table = spectra::table(world.surfaces(), config.seed, pass.day);
        let (first, year) = (usize::from(pass.platform.is_oli()), u16::try_from(pass.day.year()).unwrap());
        let one = |(q, &p): (usize, &u32)| {
            let p = p as usize;
            let ideal = cube_cover.reflectance(q, &table, year);
            let seen: Point = std::array::from_fn(|k| f64::from(picture.bands[first + k][p]) * MULT + ADD);
            let bare = (picture.qa[p] & 1 == 0 && picture.radsat[p] == 0).then_some(seen);
            Look {
                truth: picture.visible[p].then(|| std::array::from_fn(|k| f64::from(ideal[k]))),
                masked: bare.filter(|_| kept[p]),
                bare,
            }
        };
        nearest.iter().enumerate().map(one).collect()
    };

    let passes = calendar::passes(&config);
    let (mut errors, mut control) = (Vec::new(), Vec::new());
    let (mut ndvi_error, mut ndvi_control, mut counted) = (0.0, 0.0, 0);
    for year in (1994..=2024).step_by(3) {
        let of_year = passes.iter().filter(|p| p.day.year() == year && p.tier == Tier::T1);
        let looks: Vec<Vec<Look>> = of_year.map(look).collect();
        let mut means = vec![[0.0_f64; 4]; world.town().lattice_len()];
        for q in 0..cube.len() {
            let composite = |pick: fn(&Look) -> Option<Point>| {
                geometric_median(&looks.iter().filter_map(|l| pick(&l[q])).collect::<Vec<_>>())
            };
            let answers = (composite(|l| l.truth), composite(|l| l.masked), composite(|l| l.bare));
            let (Some(truth), Some(masked), Some(bare)) = answers else { continue };
            errors.extend((0..6).map(|k| (truth[k] - masked[k]).abs()));
            control.extend((0..6).map(|k| (truth[k] - bare[k]).abs()));
            if let Some(b) = blocks[q] {
                for (sum, v) in means[b].iter_mut().zip([1.0, ndvi(&truth), ndvi(&masked), ndvi(&bare)]) {
                    *sum += v;
                }
            }
        }
        for [n, truth, masked, bare] in means.into_iter().filter(|m| m[0] > 0.0) {
            ndvi_error += (masked - truth).abs() / n;
            ndvi_control += (bare - truth).abs() / n;
            counted += 1;
        }
    }
    let (error, control) = (median_dn(&mut errors), median_dn(&mut control));
    let (ndvi_error, ndvi_control) = (ndvi_error / f64::from(counted), ndvi_control / f64::from(counted));
    println!("{error:.1} DN, NDVI {ndvi_error:.4}; control {control:.1} DN, {ndvi_control:.4}");
    assert!(error < 100.0 && ndvi_error < 0.01, "{error} {ndvi_error}");
    assert!(control > 5.0 * error && ndvi_control > 5.0 * ndvi_error, "{control} {ndvi_control}");
}
