//! Reflectance of one sensor as another would have seen it, slot by slot.

use tesela_kernel::harmonise::{Direction, Line, harmonise, line};
use tesela_kernel::indices;
use tesela_model::landsat::{Platform, SensorFamily};
use tesela_model::{Band, DType, Harmonise, RecipeDef, Reducer};
use tesela_store::Pixels;

use crate::ComputeError;
use crate::query::physical;

/// The lines of a recipe's bands, and the bands as they are afterwards: reflectance in floats, NaN where there is none.
pub(super) struct Harmonised {
    direction: Harmonise,
    lines: Vec<Line>,
    bands: Vec<Band>,
    /// Whether values outside a band's valid range are left out, as most reducers want it.
    strict: bool,
}

impl Harmonised {
    /// # Errors
    /// [`ComputeError::Recipe`] names a band without coefficients.
    pub(super) fn new(
        direction: Harmonise,
        recipe: &RecipeDef,
        bands: &[&Band],
    ) -> Result<Self, ComputeError> {
        let way = match direction {
            Harmonise::EtmToOli => Direction::EtmToOli,
            Harmonise::OliToEtm => Direction::OliToEtm,
        };
        let of = |band: &&Band| {
            line(&band.name, way).ok_or_else(|| ComputeError::Recipe {
                recipe: recipe.recipe.clone(),
                problem: format!(
                    "harmonise: there are no coefficients for band {}; there are for {}",
                    band.name,
                    indices::BANDS.join(", ")
                ),
            })
        };
        let lines = bands.iter().map(of).collect::<Result<_, _>>()?;
        let after = |band: &&Band| Band {
            dtype: DType::Float32,
            nodata: f64::NAN,
            scale: 1.0,
            offset: 0.0,
            valid: None,
            ..(*band).clone()
        };
        let strict = !matches!(recipe.reducer, Reducer::Wofs {});
        Ok(Self { direction, lines, bands: bands.iter().map(after).collect(), strict })
    }

    /// The bands of [`Self::stacks`].
    pub(super) fn bands(&self) -> Vec<&Band> {
        self.bands.iter().collect()
    }

    fn concerns(&self, platform: &str) -> bool {
        let family = platform.parse::<Platform>().map(Platform::family);
        match self.direction {
            Harmonise::EtmToOli => matches!(family, Ok(SensorFamily::Tm | SensorFamily::Etm)),
            Harmonise::OliToEtm => matches!(family, Ok(SensorFamily::Oli)),
        }
    }

    /// Stored stacks `(slots, pixels)` as reflectance, those of the slots concerned turned.
    ///
    /// # Errors
    /// [`ComputeError::Parameter`] when sizes disagree.
    pub(super) fn stacks(
        &self,
        bands: &[&Band],
        stacks: Vec<Pixels>,
        platforms: &[&str],
    ) -> Result<Vec<Pixels>, ComputeError> {
        let one = |((band, stack), line): ((&&Band, Pixels), &Line)| {
            let mut values = physical(&stack, band)?;
            if let Some([low, high]) = band.valid.filter(|_| self.strict) {
                for (i, value) in values.iter_mut().enumerate() {
                    let stored = stack.get_f64(i).unwrap_or(band.nodata);
                    if !(stored >= low && stored <= high) {
                        *value = f32::NAN;
                    }
                }
            }
            let pixels = (values.len() / platforms.len().max(1)).max(1);
            for (slot, platform) in values.chunks_exact_mut(pixels).zip(platforms) {
                if self.concerns(platform) {
                    harmonise(slot, *line);
                }
            }
            Ok(Pixels::F32(values))
        };
        bands.iter().zip(stacks).zip(&self.lines).map(one).collect()
    }
}
