//! A cube in miniature, for tests: scenes masked by their QA words, nearest pixel, geometric median; scored as
//! `tesela demo --score` does. Shows what the archive itself allows, without any of Tesela's code.

use crate::SynthConfig;
use crate::calendar::{self, Tier};
use crate::clouds::dilate3;
use crate::cover::Cover;
use crate::geomedian::{Point, geometric_median};
use crate::place::Raster;
use crate::qa::QA_FILL;
use crate::render::{ADD, MULT, Stage, render};
use crate::spectra;
use crate::town::inside;
use crate::world::World;

fn env(k: &str) -> bool {
    std::env::var("YARD").is_ok_and(|v| v.split(',').any(|x| x == k))
}

#[test]
fn masked_composites_are_close_to_the_truth_and_unmasked_ones_are_not() {
    let num = |k: &str, d: usize| std::env::var(k).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let config = SynthConfig { size_px: num("SIZE", 256), seed: num("SEED", 7999) as u64, ..SynthConfig::default() };
    let raster = Raster::pass(config.size_px).unwrap();
    let cube = Raster::cube(config.size_px);
    let world = World::new(config.seed, config.size_px as f64 * 20.0 + 1000.0);
    let cover = Cover::new(&world, &raster).unwrap();
    let cube_cover = Cover::new(&world, &cube).unwrap();
    let water: Vec<bool> = (0..raster.len()).map(|p| cover.is_water(&world, p)).collect();
    let nearest = cube.nearest_in(&raster).unwrap();
    let places = cube.world_coordinates().unwrap();
    let block: Vec<Option<usize>> = places.iter().map(|&(x, y)| {
        let cell = world.town().cell_at(x, y)?;
        inside(&cell.block, x, y).then(|| crate::town::Town::index(cell))
    }).collect();
    let stage = Stage { seed: config.seed, world: &world, raster: &raster, cover: &cover, water: &water };
    let passes = calendar::passes(&config);
    let (mut errs, mut control_errs) = (vec![], vec![]);
    let mut bands_err: [Vec<f32>; 6] = Default::default();
    let mut by_class: Vec<Vec<f32>> = vec![vec![]; 9];
    let (mut nd, mut ndc, mut ndn, mut bias) = (0.0, 0.0, 0, 0.0);
    let (mut lost, mut gained, mut vis, mut few) = (0usize, 0usize, 0usize, [0usize; 6]);
    let (mut obsc, mut unm) = (0, 0);
    for year in (1994 + num("FIRST", 0)..=2024).step_by(num("STEP", 5)) {
        let of_year: Vec<_> = passes.iter().filter(|p| p.day.year() as usize == year && p.tier == Tier::T1).collect();
        let mut dates = vec![];
        for pass in &of_year {
            let sun = crate::scene::sun_of(pass, crate::scene::scene_time(pass, config.seed, 0));
            let picture = render(&stage, pass, &sun);
            obsc += picture.obscured;
            unm += picture.unmasked;
            let shadow: Vec<bool> = picture.qa.iter().map(|w| w & 17 == 16).collect();
            let grown = dilate3(&shadow, raster.width);
            let ok: Vec<bool> = if env("perfect") { picture.visible.clone() } else { (0..raster.len()).map(|p| picture.qa[p] & 31 == 0 && !grown[p]).collect() };
            let table = spectra::table(world.surfaces(), config.seed, pass.day);
            let y = pass.day.year() as u16;
            let first = usize::from(pass.platform.is_oli());
            let spectrum = |p: usize| -> Point { std::array::from_fn(|k| f64::from(picture.bands[first + k][p]) * MULT + ADD) };
            let mut date = vec![];
            for q in 0..cube.len() {
                let p = nearest[q] as usize;
                let ideal = cube_cover.reflectance(q, &table, y);
                let ideal: Point = std::array::from_fn(|k| f64::from(ideal[k]));
                let made: Point = if env("ideal") { ideal } else if env("clean") { let r = cover.reflectance(p, &table, y); std::array::from_fn(|k| f64::from(r[k])) } else { spectrum(p) };
                let fill = picture.qa[p] == QA_FILL;
                let bad = fill || picture.radsat[p] != 0;
                date.push((picture.visible[p], ok[p] && !bad, !bad, ideal, made, spectrum(p)));
            }
            dates.push(date);
        }
        let (mut sums, mut n) = (vec![[0.0f64; 3]; world.town().lattice_len()], vec![0usize; world.town().lattice_len()]);
        for q in 0..cube.len() {
            let pick = |f: &dyn Fn(&(bool, bool, bool, Point, Point, Point)) -> Option<Point>| {
                let v: Vec<Point> = dates.iter().filter_map(|d| f(&d[q])).collect();
                (v.len(), geometric_median(&v))
            };
            let t = pick(&|d| d.0.then_some(d.3));
            let m = pick(&|d| d.1.then_some(d.4));
            let c = pick(&|d| d.2.then_some(d.5));
            for d in &dates { vis += usize::from(d[q].0); lost += usize::from(d[q].0 && !d[q].1); gained += usize::from(!d[q].0 && d[q].1); }
            few[m.0.min(5)] += 1;
            let (Some(t), Some(m), Some(c)) = (t.1, m.1, c.1) else { continue };
            let class = cube_cover.land_class(&world, q, year as u16) as usize;
            for k in 0..6 {
                let e = ((t[k] - m[k]).abs() / MULT) as f32;
                errs.push(e); bands_err[k].push(e); by_class[class].push(e);
                control_errs.push(((t[k] - c[k]).abs() / MULT) as f32);
            }
            if let Some(b) = block[q] {
                let v = |p: &Point| (p[3] - p[2]) / (p[3] + p[2]);
                for (s, x) in sums[b].iter_mut().zip([v(&t), v(&m), v(&c)]) { *s += x; }
                n[b] += 1;
            }
        }
        for (s, n) in sums.iter().zip(n).filter(|x| x.1 > 0) {
            let n = n as f64;
            nd += (s[1] - s[0]).abs() / n; ndc += (s[2] - s[0]).abs() / n; bias += (s[1] - s[0]) / n; ndn += 1;
        }
    }
    let med = |v: &mut Vec<f32>| { if v.is_empty() { return f32::NAN; } let m = v.len() / 2; *v.select_nth_unstable_by(m, f32::total_cmp).1 };
    let e = med(&mut errs); let c = med(&mut control_errs);
    println!("YARD {:?}: {e:.1} DN, ndvi {:.4} (bias {:.4}); control {c:.1} ({:.1}x) {:.4} ({:.1}x); blocks {ndn}", std::env::var("YARD"), nd / ndn as f64, bias / ndn as f64, c / e, ndc / ndn as f64, ndc / nd);
    let total: usize = few.iter().sum();
    println!("  bands {:?} classes {:?}", bands_err.iter_mut().map(med).collect::<Vec<_>>(), by_class.iter_mut().map(med).collect::<Vec<_>>());
    println!("  visible/px {:.2} lost {:.3} gained {:.3}, estimate n {:?} unmasked {:.4}", vis as f64 / total as f64, lost as f64 / vis as f64, gained as f64 / vis as f64, few.map(|f| (f as f64 / total as f64 * 1000.0).round() / 1000.0), unm as f64 / obsc as f64);
}
