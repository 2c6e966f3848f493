//! Every level against every other, bit for bit, and against the scalar solver; known answers of science 2.7.

mod known;
mod properties;
mod real;
mod select;

use super::super::{Geomad, Workspace, geomad};
use super::*;

/// Collection 2 reflectance of a digital number.
const SCALE: f64 = 2.75e-5;
const OFFSET: f64 = -0.2;
/// Values that may be used, as the shipped recipes have them.
const VALID: [f64; 2] = [7273.0, 43636.0];

/// Six bands of `(time, pixel)` digital numbers, and what is hidden.
#[derive(Debug, Clone, Default)]
pub(super) struct Scenes {
    pub(super) bands: [Vec<u16>; 6],
    pub(super) hidden: Vec<bool>,
    pub(super) pixels: usize,
}

impl Scenes {
    /// One pixel after the other, each a series of observations; short ones are filled up with nodata.
    pub(super) fn of(series: &[Vec<[u16; 6]>]) -> Self {
        let times = series.iter().map(Vec::len).max().unwrap_or(0);
        let mut scenes = Self { pixels: series.len(), ..Self::default() };
        for time in 0..times {
            for pixel in series {
                let dn = pixel.get(time).copied().unwrap_or([0; 6]);
                for (band, v) in scenes.bands.iter_mut().zip(dn) {
                    band.push(v);
                }
                scenes.hidden.push(false);
            }
        }
        scenes
    }

    pub(super) fn solve(&self, level: Level, min_obs: u16) -> Planes {
        let layers = self.layers();
        geomad_block_at(level, &Stack { layers: &layers, hidden: &self.hidden, pixels: self.pixels }, min_obs)
            .unwrap()
    }

    fn layers(&self) -> [Layer<'_>; 6] {
        self.bands.each_ref().map(|b| Layer {
            samples: Samples::U16(b),
            scale: SCALE,
            offset: OFFSET,
            nodata: 0.0,
            valid: VALID,
        })
    }

    /// The usable observations of one pixel (ρ).
    pub(super) fn rows(&self, pixel: usize) -> Vec<[f64; 6]> {
        (pixel..self.hidden.len())
            .step_by(self.pixels)
            .filter(|&k| !self.hidden[k])
            .map(|k| self.bands.each_ref().map(|b| f64::from(b[k])))
            .filter(|dn| dn.iter().all(|v| (VALID[0]..=VALID[1]).contains(v)))
            .map(|dn| dn.map(|v| v * SCALE + OFFSET))
            .collect()
    }
}

/// Everything a block is, as bits: NaN is not equal to itself.
pub(super) fn bits(planes: &Planes) -> (Vec<u32>, Vec<u16>, Vec<u8>) {
    let floats = planes.point.iter().chain(&planes.smad).chain(&planes.emad).chain(&planes.bcmad);
    let floats = floats.map(|v| v.to_bits()).collect();
    (floats, planes.count.clone(), planes.flags.iter().map(|f| f.bits()).collect())
}

/// Largest difference of any band from `point` (ρ), in digital numbers of Collection 2.
pub(super) fn off_by(planes: &Planes, pixel: usize, point: &[f64; 6]) -> f64 {
    let pixels = planes.count.len();
    let off = |j: usize| (f64::from(planes.point[j * pixels + pixel]) - point[j]).abs() / SCALE;
    (0..6).map(off).fold(0.0, f64::max)
}

/// Asserts what is promised of every pixel against the scalar kernel.
pub(super) fn assert_like_scalar(scenes: &Scenes, planes: &Planes, min_obs: u16) {
    let mut workspace = Workspace::new();
    for i in 0..scenes.pixels {
        let Geomad { point, mads, count, flags, .. } = geomad(&scenes.rows(i), min_obs, &mut workspace);
        assert_eq!((planes.count[i], planes.flags[i]), (count, flags), "pixel {i}");
        if point[0].is_nan() {
            assert!(planes.emad[i].is_nan() && (0..6).all(|j| planes.point[j * scenes.pixels + i].is_nan()));
            continue;
        }
        let off = off_by(planes, i, &point);
        assert!(off <= 0.5, "pixel {i} of {count}: {off} DN");
        for (ours, theirs) in
            [(planes.emad[i], mads.emad), (planes.smad[i], mads.smad), (planes.bcmad[i], mads.bcmad)]
        {
            let off = (f64::from(ours) - theirs).abs();
            assert!(
                off <= 1e-5 || (ours.is_nan() && theirs.is_nan()),
                "pixel {i} of {count}: {ours} {theirs}"
            );
        }
    }
}
