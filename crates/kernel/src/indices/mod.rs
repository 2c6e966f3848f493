//! Spectral indices the server knows by name.
//!
//! Each is an [`Expression`] over the bands `blue green red nir swir1 swir2` in
//! surface reflectance (0..=1, not digital numbers). Values are never clipped to the typical range, which
//! is for stretching pictures and for a warning in quality reports.

mod table;
#[cfg(test)]
mod tests;

pub use table::INDICES;

use super::expr::{ExprError, Expression, Vocabulary};

/// The six reflectance bands that indices are written in.
pub const BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// What an index is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Greenness and canopy.
    Vegetation,
    /// Open water and moisture.
    Water,
    /// Built-up land.
    Urban,
    /// Bare ground.
    Soil,
    /// Fire scars.
    Burn,
    /// Brightness, greenness and wetness axes.
    TasselledCap,
}

/// A spectral index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectralIndex {
    /// Short name, such as `NDVI`.
    pub name: &'static str,
    /// English title.
    pub title_en: &'static str,
    /// Spanish title.
    pub title_es: &'static str,
    /// What it is used for.
    pub domain: Domain,
    /// Expression over [`BANDS`].
    pub formula: &'static str,
    /// Values land surfaces usually take, lowest and highest; unitless.
    pub typical_range: (f32, f32),
    /// Publication the formula follows.
    pub source: &'static str,
}

impl SpectralIndex {
    /// The formula, ready to evaluate.
    /// # Errors
    /// [`ExprError`] if the formula is not an expression, which holds for no index of [`INDICES`].
    pub fn expression(&self) -> Result<Expression, ExprError> {
        Expression::parse(self.formula, &vocabulary())
    }
}

/// The index called `name`, in any case.
pub fn lookup(name: &str) -> Option<&'static SpectralIndex> {
    INDICES.iter().find(|index| index.name.eq_ignore_ascii_case(name))
}

/// The names formulas may use: [`BANDS`] and the letters of the awesome-spectral-indices catalogue for
/// them (`B G R N S1 S2`).
pub fn vocabulary() -> Vocabulary {
    let letters = ["B", "G", "R", "N", "S1", "S2"];
    letters
        .into_iter()
        .zip(BANDS)
        .fold(Vocabulary::new().with_bands(BANDS), |names, (letter, band)| names.with_alias(letter, band))
}
