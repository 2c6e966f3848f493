//! What comes out of a block.

use super::super::QaFlags;

/// Planes of a block, unrounded; pixels fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Planes {
    /// The geomedian (ρ), `(band, pixel)`; NaN where there is none.
    pub point: Vec<f32>,
    /// Median cosine distance; NaN where the point is, or where no distance is defined.
    pub smad: Vec<f32>,
    /// Median Euclidean distance (ρ).
    pub emad: Vec<f32>,
    /// Median Bray-Curtis distance.
    pub bcmad: Vec<f32>,
    /// Complete observations, kept where `min_obs` turned the pixel to nodata.
    pub count: Vec<u16>,
    /// What a user should know before trusting the point.
    pub flags: Vec<QaFlags>,
    /// How many pixels the scalar solver answered.
    pub scalar_pixels: usize,
}

impl Planes {
    pub(super) fn nodata(bands: usize, pixels: usize) -> Self {
        Self {
            point: vec![f32::NAN; bands * pixels],
            smad: vec![f32::NAN; pixels],
            emad: vec![f32::NAN; pixels],
            bcmad: vec![f32::NAN; pixels],
            count: vec![0; pixels],
            flags: vec![QaFlags::NONE; pixels],
            scalar_pixels: 0,
        }
    }
}
