//! Spectral indices the server knows by name.
//!
//! They are data: the Awesome Spectral Indices catalogue as it is published, and an overlay of ours that adds
//! what it lacks (tasselled cap, BUI, BSI, NBI, BAEI), Spanish titles and usual ranges, and corrects what we
//! know to be wrong in it, each with its reason. Each is an [`Expression`] over reflectance bands (0..=1, not
//! digital numbers). Values are never clipped to the typical range, which is for stretching pictures and for a
//! warning in quality reports.
//!
//! The tasselled cap of Crist (`TCB`, `TCG`, `TCW`) is meant for surface reflectance of **all** sensors, so
//! that a series has no step where the sensor changes; the `_ETM` and `_OLI` forms were fitted to reflectance
//! at the top of the atmosphere.

mod catalogue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::expr::{ExprError, Expression, Vocabulary};

/// The six reflectance bands that most indices are written in.
pub const BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// The letters of the catalogue for [`BANDS`].
const LETTERS: [&str; 6] = ["B", "G", "R", "N", "S1", "S2"];

/// What an index is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Snow and ice.
    Snow,
    /// Clouds.
    Clouds,
    /// Backscatter of radar.
    Radar,
    /// Vegetation by a kernel between bands.
    Kernel,
    /// Brightness, greenness and wetness axes.
    TasselledCap,
}

/// A spectral index.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralIndex {
    /// Short name, such as `NDVI`.
    pub name: String,
    /// English title.
    pub title_en: String,
    /// Spanish title, where there is one.
    pub title_es: Option<String>,
    /// What it is used for.
    pub domain: Domain,
    /// Expression over the names in [`SpectralIndex::inputs`] and constants.
    pub formula: String,
    /// Bands and other inputs of the formula by the letters of the catalogue (`N` nir, `RE1` first red edge).
    pub inputs: Vec<String>,
    /// Constants of the formula and their values here.
    pub constants: BTreeMap<String, f64>,
    /// Values land surfaces usually take, lowest and highest; unitless.
    pub typical_range: Option<(f32, f32)>,
    /// Publication the formula follows: its citation or its address.
    pub source: String,
    /// Why the formula or a constant is not the catalogue's.
    pub correction: Option<String>,
}

impl SpectralIndex {
    /// The formula, ready to evaluate. Its bands are called as in [`BANDS`]; inputs that are none of those
    /// keep their letter.
    /// # Errors
    /// [`ExprError`] if the formula is not an expression, which holds for no index of [`indices`].
    pub fn expression(&self) -> Result<Expression, ExprError> {
        let names = self.missing().into_iter().fold(vocabulary(), |names, input| names.with_bands([input]));
        let names =
            self.constants.iter().fold(names, |names, (name, &value)| names.with_constant(name, value));
        Expression::parse(&self.formula, &names)
    }

    /// The inputs that are not among [`BANDS`], in alphabetical order: empty if Landsat's six are enough.
    pub fn missing(&self) -> Vec<&str> {
        let foreign = |input: &&String| !LETTERS.contains(&input.as_str());
        self.inputs.iter().filter(foreign).map(String::as_str).collect()
    }
}

/// Every index known by name: the catalogue's in alphabetical order, then those of the overlay.
pub fn indices() -> &'static [SpectralIndex] {
    static INDICES: LazyLock<Vec<SpectralIndex>> = LazyLock::new(catalogue::read);
    &INDICES
}

/// The index called `name`. The case of letters matters only where two names differ in nothing else (`BAI`,
/// burnt area; `BaI`, bareness).
pub fn lookup(name: &str) -> Option<&'static SpectralIndex> {
    let exact = indices().iter().find(|index| index.name == name);
    exact.or_else(|| {
        let mut similar = indices().iter().filter(|index| index.name.eq_ignore_ascii_case(name));
        similar.next().filter(|_| similar.next().is_none())
    })
}

/// The names formulas over the six bands may use: [`BANDS`] and the letters of the catalogue for them
/// (`B G R N S1 S2`).
pub fn vocabulary() -> Vocabulary {
    LETTERS
        .into_iter()
        .zip(BANDS)
        .fold(Vocabulary::new().with_bands(BANDS), |names, (letter, band)| names.with_alias(letter, band))
}
