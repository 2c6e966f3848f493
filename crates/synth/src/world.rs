//! The analytic world: which surface lies at any point, in world coordinates (metres).

use crate::noise::{self, fbm, value_noise};
use crate::spectra::{Parcel, Surface};
use crate::town::{Cell, Town, inside};

/// Index into [`World::surfaces`].
pub(crate) type SurfaceId = u32;

const RIVER: SurfaceId = 0;
const LAGOON: SurfaceId = 1;
const FOREST: SurfaceId = 2;
const SAND: SurfaceId = 3;
const TRACK: SurfaceId = 4;
const STREET: SurfaceId = 5;
const PARK: SurfaceId = 6;
/// Number of surfaces that exist once.
const SINGLE: u32 = 7;

/// Size of a parcel cell before it is divided, metres.
const PARCEL_CELL: (f64, f64) = (320.0, 210.0);
/// Angle of the parcel lattice against EPSG:6372, radians.
const PARCEL_ANGLE: f64 = -0.42;
/// Half the width of the track around a parcel, metres.
const HALF_TRACK: f64 = 4.0;

/// What lies at a point, before and after it was built over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Surface until the year before `built`.
    pub(crate) before: SurfaceId,
    /// Surface from 1 January of `built` on.
    pub(crate) after: SurfaceId,
    /// First year built; `u16::MAX`: never.
    pub(crate) built: u16,
}

/// The landscape.
#[derive(Debug)]
pub(crate) struct World {
    seed: u64,
    town: Town,
    surfaces: Vec<Surface>,
    /// First surface of the parcels.
    parcels: u32,
    /// Parcel lattice cells from -n to n along both axes.
    parcel_reach: i64,
}

impl World {
    /// The world within `reach_m` metres of the corner (along each axis).
    pub(crate) fn new(seed: u64, reach_m: f64) -> World {
        let town = Town::new(seed, |x, y| river(x, y).0);
        let mut surfaces = vec![
            Surface::River,
            Surface::Lagoon,
            Surface::Forest,
            Surface::Sand,
            Surface::Track,
            Surface::Street,
            Surface::Park,
        ];
        surfaces.resize(surfaces.len() + town.lattice_len(), Surface::Street);
        for cell in town.cells() {
            surfaces[SINGLE as usize + Town::index(cell)] = built_surface(cell);
        }
        let parcels = surfaces.len() as u32;
        let parcel_reach = (reach_m * std::f64::consts::SQRT_2 / PARCEL_CELL.1).ceil() as i64 + 2;
        for j in -parcel_reach..=parcel_reach {
            for i in -parcel_reach..=parcel_reach {
                for strip in 0..3 {
                    surfaces.push(parcel_surface(seed, i, j, strip));
                }
            }
        }
        World { seed, town, surfaces, parcels, parcel_reach }
    }

    /// All surfaces; ids index into this.
    pub(crate) fn surfaces(&self) -> &[Surface] {
        &self.surfaces
    }

    /// The town.
    pub(crate) fn town(&self) -> &Town {
        &self.town
    }

    /// What lies at a point.
    pub(crate) fn spot(&self, x: f64, y: f64) -> Spot {
        let (distance, half_width) = river(x, y);
        let never = |surface| Spot { before: surface, after: surface, built: u16::MAX };
        let shore = lagoon(x, y);
        if shore < 1.0 {
            return never(LAGOON);
        }
        if distance < half_width {
            return never(RIVER);
        }
        let ragged = value_noise(self.seed ^ 11, x / 220.0, y / 220.0);
        let gallery = distance < half_width + 45.0 + 25.0 * ragged;
        let before = if shore < 1.10 {
            SAND
        } else if gallery || (hills(x, y) > 0.25 && woods(self.seed, x, y)) {
            FOREST
        } else {
            self.parcel(x, y)
        };
        let Some(cell) = self.town.cell_at(x, y) else { return never(before) };
        let in_block = inside(&cell.block, x, y);
        let built = if in_block { cell.lot_built(x, y) } else { cell.built };
        let after = match (in_block, cell.park) {
            (true, true) => PARK,
            (true, false) => SINGLE + Town::index(cell) as u32,
            (false, _) => STREET,
        };
        Spot { before, after, built: if built == 0 { u16::MAX } else { built } }
    }

    /// Two static textures of a point: a gain of all bands around 1 (with the shade of the hills) and
    /// a spectral tilt around 0.
    pub(crate) fn texture(&self, x: f64, y: f64) -> (f32, f32) {
        let fine = value_noise(self.seed ^ 21, x / 90.0, y / 90.0);
        let broad = value_noise(self.seed ^ 22, x / 260.0, y / 260.0);
        let tilt = value_noise(self.seed ^ 23, x / 110.0, y / 110.0);
        let relief = hills(x, y);
        let shade = if relief > 0.0 {
            // Sun from the south-east, as on every morning overpass.
            let height = |x: f64, y: f64| fbm(self.seed ^ 31, x / 1500.0, y / 1500.0, 3) * 260.0;
            let (gx, gy) =
                (height(x + 45.0, y) - height(x - 45.0, y), height(x, y + 45.0) - height(x, y - 45.0));
            (relief * (-gx + gy) / 90.0 * 1.1).clamp(-0.22, 0.16)
        } else {
            0.0
        };
        ((1.0 + 0.02 * fine + 0.03 * broad + shade) as f32, (0.03 * tilt) as f32)
    }

    fn parcel(&self, x: f64, y: f64) -> SurfaceId {
        let (sin, cos) = PARCEL_ANGLE.sin_cos();
        let (u, v) = (cos * x + sin * y, -sin * x + cos * y);
        let (i, j) = ((u / PARCEL_CELL.0).floor() as i64, (v / PARCEL_CELL.1).floor() as i64);
        if i.abs() > self.parcel_reach || j.abs() > self.parcel_reach {
            return TRACK;
        }
        let (fu, fv) = (u - i as f64 * PARCEL_CELL.0, v - j as f64 * PARCEL_CELL.1);
        let strips = strips(self.seed, i, j);
        let width = PARCEL_CELL.0 / strips as f64;
        let strip = ((fu / width) as u32).min(strips - 1);
        let into = fu - f64::from(strip) * width;
        let edge = into.min(width - into).min(fv).min(PARCEL_CELL.1 - fv);
        if edge < HALF_TRACK {
            return TRACK;
        }
        let side = 2 * self.parcel_reach + 1;
        let cell = (j + self.parcel_reach) * side + (i + self.parcel_reach);
        self.parcels + cell as u32 * 3 + strip
    }
}

/// In how many parcels a lattice cell is divided.
fn strips(seed: u64, i: i64, j: i64) -> u32 {
    match noise::uniform(seed ^ 0x7374_7269, i, j) {
        v if v < 0.3 => 1,
        v if v < 0.75 => 2,
        _ => 3,
    }
}

fn parcel_surface(seed: u64, i: i64, j: i64, strip: u32) -> Surface {
    let id = noise::hash(seed ^ 0x7061_7263, 3 * i + i64::from(strip), j);
    let draw = |k| noise::uniform(id, k, 0);
    let parcel = Parcel {
        id,
        shift: (28.0 * draw(1) - 14.0) as f32,
        soil: (0.88 + 0.26 * draw(2)) as f32,
        peak: (0.74 + 0.20 * draw(3)) as f32,
    };
    let width = PARCEL_CELL.0 / f64::from(strips(seed, i, j));
    let u = i as f64 * PARCEL_CELL.0 + (f64::from(strip) + 0.5) * width;
    let v = (j as f64 + 0.5) * PARCEL_CELL.1;
    let (sin, cos) = PARCEL_ANGLE.sin_cos();
    let (x, y) = (cos * u - sin * v, sin * u + cos * v);
    let (along, off) = river_frame(x, y);
    let beyond = off - river_axis(along);
    if hills(x, y) > 0.0 || draw(4) < 0.16 {
        Surface::Pasture(parcel)
    } else if draw(5) < 0.035 || fbm(seed ^ 41, x / 900.0, y / 900.0, 2) > 0.52 {
        Surface::BareSoil(parcel)
    } else if (0.0..3000.0).contains(&beyond) {
        Surface::Irrigated(parcel)
    } else {
        Surface::RainFed(parcel)
    }
}

fn built_surface(cell: &Cell) -> Surface {
    let draw = |k| noise::uniform(cell.id, k, 1) as f32;
    let old = cell.built > 0 && cell.built < 1994;
    let raw = if old {
        [0.30 + 0.4 * draw(1), 0.15 * draw(2), 0.35 + 0.4 * draw(3), 0.06 * draw(4)]
    } else {
        [0.40 + 0.4 * draw(1), 0.10 + 0.3 * draw(2), 0.10 * draw(3), 0.10 + 0.2 * draw(4)]
    };
    let sum: f32 = raw.iter().sum();
    let trees = if old { 0.11 + 0.12 * draw(5) } else { 0.07 + 0.11 * draw(5) };
    Surface::Built { mix: raw.map(|v| v / sum), trees }
}

/// Coordinates along the river (downstream, to the south-west) and to its left bank's right (south-east).
fn river_frame(x: f64, y: f64) -> (f64, f64) {
    const ALONG: (f64, f64) = (-0.78, -0.625_78);
    (x * ALONG.0 + y * ALONG.1, -x * ALONG.1 + y * ALONG.0)
}

/// Offset of the river's axis at a distance along it.
fn river_axis(along: f64) -> f64 {
    820.0 + 270.0 * (along / 1250.0 + 0.6).sin() + 100.0 * (along / 430.0 + 2.0).sin()
}

/// Distance to the river's axis and half its width, metres.
fn river(x: f64, y: f64) -> (f64, f64) {
    let (along, off) = river_frame(x, y);
    let slope = 270.0 / 1250.0 * (along / 1250.0 + 0.6).cos() + 100.0 / 430.0 * (along / 430.0 + 2.0).cos();
    let distance = (off - river_axis(along)).abs() / (1.0 + slope * slope).sqrt();
    (distance, 48.0 + 10.0 * (along / 900.0).sin())
}

/// Below 1 inside the lagoon, growing outwards.
fn lagoon(x: f64, y: f64) -> f64 {
    let (dx, dy) = (x + 4900.0, y + 5000.0);
    let (u, v) = (0.9 * dx - 0.44 * dy, 0.44 * dx + 0.9 * dy);
    let radius = (u / 2000.0).hypot(v / 1250.0);
    radius + 0.5 * fbm(51, x / 1100.0, y / 1100.0, 4)
}

/// Above 0 in the hills, 1 well inside them.
fn hills(x: f64, y: f64) -> f64 {
    let toward = 0.42 * x + 0.907 * y + 1100.0 * fbm(61, x / 2600.0, y / 2600.0, 3);
    ((toward - 3300.0) / 1500.0).clamp(0.0, 1.0)
}

fn woods(seed: u64, x: f64, y: f64) -> bool {
    fbm(seed ^ 71, x / 700.0, y / 700.0, 3) > 0.22 - 0.5 * hills(x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_lies_in_the_default_window() {
        let world = World::new(7999, 8000.0);
        let mut seen = [0_usize; 9];
        for j in -60..60 {
            for i in -60..60 {
                let spot = world.spot(f64::from(i) * 120.0, f64::from(j) * 120.0);
                let id = if spot.built <= 2024 { spot.after } else { spot.before };
                seen[usize::from(world.surfaces()[id as usize].class())] += 1;
            }
        }
        assert!(seen[1..].iter().all(|&n| n > 60), "{seen:?}");
    }

    #[test]
    fn blocks_are_many_small_and_apart_from_streets() {
        let world = World::new(crate::SynthConfig::default().seed, 8000.0);
        let (agebs, blocks) = world.town().census(|_, _| true);
        assert!(blocks.len() >= 500, "{}", blocks.len());
        assert!(agebs.len() > 10);
        let mut areas: Vec<f64> = blocks.iter().map(super::super::town::Block::area_m2).collect();
        areas.sort_by(f64::total_cmp);
        let median_px = areas[areas.len() / 2] / 900.0;
        assert!((8.0..=15.0).contains(&median_px), "{median_px}");
        assert!(areas[0] > 4.0 * 900.0);
        let keys: std::collections::BTreeSet<_> = blocks.iter().map(|b| &b.cvegeo).collect();
        assert_eq!(keys.len(), blocks.len());
        for block in &blocks {
            assert_eq!(block.cvegeo.len(), 16);
            assert!(agebs.iter().any(|ageb| block.cvegeo.starts_with(&ageb.cvegeo)));
        }
        for year in [1994, 2004, 2014, 2024] {
            let built = |y| blocks.iter().filter(|b| b.built_year > 0 && b.built_year <= y).count();
            assert!(built(year) > built(year - 8), "{year}");
        }
    }
}
