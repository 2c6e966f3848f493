//! Numbers that a recipe takes from the whole of its input before any unit is worked.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tesela_grid::{PixelWindow, TileId};
use tesela_index::GenerationRow;
use tesela_kernel::expr::Expression;
use tesela_kernel::otsu::otsu_of_histogram;
use tesela_model::{RecipeDef, Reducer, Threshold};

use super::output::blocks;
use super::rasters::{Series, probability};
use super::unit::SIDE;
use crate::catalog::Product;
use crate::{ComputeError, Cube};

/// Bins of a histogram.
const BINS: usize = 256;
/// Initial probabilities are kept this far from certainty.
const LEAST_SHARE: f64 = 0.001;

/// What the input decided. Part of the provenance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Decided {
    /// Thresholds by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) thresholds: BTreeMap<String, f64>,
    /// Probability of state 1 in the first raster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) initial: Option<f64>,
}

impl Cube {
    /// Thresholds and initial share of a recipe of states over all rasters of its input; nothing for others. Sums of
    /// whole numbers, so threads do not matter.
    ///
    /// # Errors
    /// [`ComputeError::Recipe`] when a threshold has too few different values; those of the store.
    pub(super) fn decide(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        rasters: &[GenerationRow],
    ) -> Result<Decided, ComputeError> {
        let Reducer::States { probability: text, thresholds, states, .. } = &recipe.reducer else {
            return Ok(Decided::default());
        };
        let mut decided = Decided::default();
        for (name, Threshold::Otsu { expression, range: [low, high] }) in thresholds {
            let expression = input.expression(expression)?;
            let width = (high - low) / BINS as f64;
            let bin = |v: f32| {
                let at = (f64::from(v) - low) / width;
                // A value at the upper end belongs to the last bin, as in numpy's histograms.
                ((0.0..=BINS as f64).contains(&at)).then(|| (at as usize).min(BINS - 1))
            };
            let counts = self.histogram(input, rasters, &expression, BINS, bin)?;
            let centres: Vec<f64> = (0..BINS).map(|i| low + (i as f64 + 0.5) * width).collect();
            let at = otsu_of_histogram(&counts, &centres).ok_or_else(|| ComputeError::Recipe {
                recipe: recipe.recipe.clone(),
                problem: format!(
                    "threshold {name} finds fewer than two different values within [{low}, {high}] in {}",
                    input.id
                ),
            })?;
            decided.thresholds.insert(name.clone(), centres[at]);
        }
        decided.initial = Some(match states.initial {
            Some(initial) => initial,
            None => {
                let expression = probability(input, text, &decided.thresholds)?;
                let counts = self.histogram(input, rasters, &expression, 2, |p| {
                    (!p.is_nan()).then(|| usize::from(p > 0.5))
                })?;
                let all = (counts[0] + counts[1]).max(1) as f64;
                (counts[1] as f64 / all).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE)
            }
        });
        Ok(decided)
    }

    /// How many level-0 pixels of all rasters fall into each bin.
    fn histogram(
        &self,
        input: &Product,
        rasters: &[GenerationRow],
        expression: &Expression,
        bins: usize,
        bin: impl Fn(f32) -> Option<usize> + Sync,
    ) -> Result<Vec<u64>, ComputeError> {
        let series = Series { cube: self, input, rasters, expression };
        let mut windows: Vec<(&GenerationRow, PixelWindow)> = Vec::new();
        for raster in rasters {
            for iy in raster.tile_min.iy..raster.tile_end.iy {
                for ix in raster.tile_min.ix..raster.tile_end.ix {
                    let tile = input.grid.tile_window(TileId { ix, iy }, 0);
                    windows.extend(blocks(&tile, SIDE).into_iter().map(|w| (raster, w)));
                }
            }
        }
        let count = |(raster, window): &(&GenerationRow, PixelWindow)| {
            let mut counts = vec![0u64; bins];
            for at in series.read(raster, window)?.into_iter().filter_map(&bin) {
                counts[at] += 1;
            }
            Ok::<_, ComputeError>(counts)
        };
        let add = |mut a: Vec<u64>, b: Vec<u64>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            Ok(a)
        };
        windows.par_iter().map(count).try_reduce(|| vec![0; bins], add)
    }
}
