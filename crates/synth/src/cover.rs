//! Static attributes of every pixel of a raster: which surfaces it sees, with which weight.
//!
//! A pixel sees the world through a point spread function of about one pixel (28 m wide at half height): 5×5
//! samples, 12 m apart, with weights (1 4 6 4 1)⊗(1 4 6 4 1)/256.

use rayon::prelude::*;

use crate::SynthError;
use crate::place::Raster;
use crate::spectra::{Spectrum, TILT};
use crate::world::{Spot, World};

/// Distance of the samples, metres.
const SAMPLE_M: f64 = 12.0;
const OFFSETS: [(f64, f64, f32); 25] = {
    const WEIGHTS: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
    let mut offsets = [(0.0, 0.0, 0.0); 25];
    let mut k = 0;
    while k < 25 {
        let (row, col) = (k / 5, k % 5);
        offsets[k] = (
            SAMPLE_M * (col as f64 - 2.0),
            SAMPLE_M * (row as f64 - 2.0),
            WEIGHTS[row] * WEIGHTS[col] / 256.0,
        );
        k += 1;
    }
    offsets
};

/// One part of a pixel.
#[derive(Clone, Copy, Debug)]
struct Part {
    spot: Spot,
    /// Share of the pixel; the parts of a pixel add up to 1.
    weight: f32,
}

/// Static attributes of all pixels of one raster.
#[derive(Debug)]
pub(crate) struct Cover {
    /// Parts of pixel `p` are `parts[first[p]..first[p + 1]]`.
    first: Vec<u32>,
    parts: Vec<Part>,
    /// Gain and tilt of each pixel.
    texture: Vec<(f32, f32)>,
}

impl Cover {
    /// Samples the world for every pixel of `raster`.
    pub(crate) fn new(world: &World, raster: &Raster) -> Result<Cover, SynthError> {
        let places = raster.world_coordinates()?;
        let rows: Vec<Vec<Sampled>> = places
            .par_chunks(raster.width)
            .map(|row| row.iter().map(|&(x, y)| Sampled::new(world, x, y)).collect())
            .collect();
        let mut cover = Cover { first: vec![0], parts: Vec::new(), texture: Vec::new() };
        for mut pixel in rows.into_iter().flatten() {
            cover.parts.append(&mut pixel.parts);
            cover.first.push(cover.parts.len() as u32);
            cover.texture.push(pixel.texture);
        }
        Ok(cover)
    }

    fn parts(&self, pixel: usize) -> &[Part] {
        &self.parts[self.first[pixel] as usize..self.first[pixel + 1] as usize]
    }

    /// Reflectance of a pixel without atmosphere, clouds and noise, from the spectra of the day.
    #[inline]
    pub(crate) fn reflectance(&self, pixel: usize, spectra: &[Spectrum], year: u16) -> Spectrum {
        let mut sum = [0.0_f32; 8];
        for part in self.parts(pixel) {
            let id = if year >= part.spot.built { part.spot.after } else { part.spot.before };
            let spectrum = &spectra[id as usize];
            for k in 0..8 {
                sum[k] += part.weight * spectrum[k];
            }
        }
        let (gain, tilt) = self.texture[pixel];
        for k in 0..8 {
            sum[k] *= gain * (1.0 + tilt * TILT[k]);
        }
        sum
    }

    /// True when at least half of a pixel is open water (it never gets built over).
    pub(crate) fn is_water(&self, world: &World, pixel: usize) -> bool {
        let water = |part: &&Part| world.surfaces()[part.spot.before as usize].is_water();
        self.parts(pixel).iter().filter(water).map(|part| part.weight).sum::<f32>() >= 0.5
    }

    /// Land class with the largest share of a pixel in a year (the smaller code in a tie).
    pub(crate) fn land_class(&self, world: &World, pixel: usize, year: u16) -> u8 {
        let mut shares = [0.0_f32; 9];
        for part in self.parts(pixel) {
            let id = if year >= part.spot.built { part.spot.after } else { part.spot.before };
            shares[usize::from(world.surfaces()[id as usize].class())] += part.weight;
        }
        let mut best = 1;
        for class in 2..shares.len() {
            if shares[class] > shares[best] {
                best = class;
            }
        }
        best as u8
    }

    /// First year in which at least half of a pixel is built; 0: never.
    pub(crate) fn change_year(&self, pixel: usize) -> u16 {
        let mut built: Vec<(u16, f32)> = self
            .parts(pixel)
            .iter()
            .filter(|part| part.spot.built != u16::MAX)
            .map(|part| (part.spot.built, part.weight))
            .collect();
        built.sort_by_key(|&(year, _)| year);
        let mut share = 0.0;
        for (year, weight) in built {
            share += weight;
            if share >= 0.5 {
                return year;
            }
        }
        0
    }
}

/// What one pixel sees.
struct Sampled {
    parts: Vec<Part>,
    texture: (f32, f32),
}

impl Sampled {
    fn new(world: &World, x: f64, y: f64) -> Sampled {
        let mut parts: Vec<Part> = Vec::with_capacity(4);
        for (dx, dy, weight) in OFFSETS {
            let spot = world.spot(x + dx, y + dy);
            match parts.iter_mut().find(|part| part.spot == spot) {
                Some(part) => part.weight += weight,
                None => parts.push(Part { spot, weight }),
            }
        }
        Sampled { parts, texture: world.texture(x, y) }
    }
}
