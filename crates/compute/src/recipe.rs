//! Derived products: a recipe becomes a plan, a plan is worked unit by unit, and what is done is committed.
//!
//! | module | idea |
//! |---|---|
//! | [`jobs`] | which rasters are missing or out of date |
//! | [`plan`] | a run frozen on disk |
//! | [`run`] | plan, work, commit |
//! | [`unit`] | one tile, block by block |
//! | [`scenes`] | observations of a window under the mask |
//! | [`reduce`], [`rasters`] | what becomes of them |
//! | [`output`], [`finish`] | shards, pyramids, documents |
//! | [`provenance`] | what a raster was made from, and how |

mod finish;
mod harmonised;
mod jobs;
mod layers;
mod memory;
mod output;
mod plan;
mod provenance;
pub(crate) mod pyramid;
mod rasters;
mod reduce;
mod repair;
mod room;
mod run;
mod says;
mod scenes;
#[cfg(test)]
mod tests;
mod thresholds;
mod unit;

use std::collections::BTreeMap;

use serde::Serialize;
use tesela_grid::PixelWindow;
use tesela_index::ProductKind;
use tesela_kernel::expr::{ExprError, Expression, Quantity};
use tesela_model::{Band, Period, PyramidRule, RecipeDef, Reducer, shipped_recipe, shipped_recipes};
use tesela_store::Pixels;

pub use memory::Estimate;
pub use plan::{Plan, PlannedInputs, PlannedJob, Unit};
pub use provenance::RasterInput;
pub use repair::RasterRepair;
pub(crate) use scenes::saturation_bits;

use crate::catalog::Product;
use crate::load::Neighbours;
pub use crate::skip::ChunkReport;
use crate::{ComputeError, Cube};

/// How a computation runs.
#[derive(Debug, Clone, Default)]
pub struct ComputeOptions {
    /// First and last year; `None` is everything there is.
    pub years: Option<(i32, i32)>,
    /// Recompute periods that are up to date.
    pub force: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Most memory to use, bytes; `None` is as much as all threads take.
    pub memory_bytes: Option<u64>,
    /// Most threads; `None` is one a core.
    pub threads: Option<usize>,
    /// Decode also the chunks that the mask hides wholly. The answer is the same; for comparisons.
    pub read_all: bool,
}

/// What a computation did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ComputeReport {
    /// Derived product.
    pub product: String,
    /// Periods computed, by label.
    pub computed: Vec<String>,
    /// Periods that were up to date.
    pub current: usize,
    /// Periods that went, because nothing is left of what they were made from.
    pub withdrawn: Vec<String>,
    /// Bytes written.
    pub bytes: u64,
    /// Pixels with a value, over all periods.
    pub pixels: u64,
    /// Latest snapshot.
    pub snapshot: u64,
    /// Chunks of scenes read and left out.
    pub chunks: ChunkReport,
    /// Units (tiles of a period) worked or, in a dry run, to be worked.
    pub units: usize,
    /// Tiles taken over from the raster before, unchanged.
    pub kept: usize,
    /// What a dry run expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// What a worker did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WorkReport {
    /// The plan.
    pub plan: String,
    /// Units this process worked.
    pub done: usize,
    /// Units that were done when it came to them.
    pub found_done: usize,
}

/// Which units of a plan a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Whatever nobody has done.
    All,
    /// The units whose number leaves `index` when divided by `of`.
    Index {
        /// From 0.
        index: usize,
        /// Number of workers.
        of: usize,
    },
}

impl Share {
    fn has(self, unit: usize) -> bool {
        match self {
            Self::All => true,
            Self::Index { index, of } => unit % of.max(1) == index,
        }
    }
}

/// A recipe by the name of a shipped one.
///
/// # Errors
/// [`ComputeError::UnknownRecipe`] lists what is shipped.
pub fn shipped(name: &str) -> Result<RecipeDef, ComputeError> {
    match shipped_recipe(name) {
        Some(Ok(def)) => Ok(def),
        Some(Err(e)) => Err(ComputeError::Recipe { recipe: name.into(), problem: e.to_string() }),
        None => Err(ComputeError::UnknownRecipe {
            name: name.into(),
            known: shipped_recipes().map(|(n, _)| n).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Whether a recipe fits its input.
fn check(recipe: &RecipeDef, input: &Product) -> Result<(), ComputeError> {
    let wrong = |problem: String| ComputeError::Recipe { recipe: recipe.recipe.clone(), problem };
    let kind = recipe.reducer.as_str();
    match (recipe.reducer.takes_scenes(), input.kind) {
        (true, ProductKind::Derived) => {
            return Err(wrong(format!("{kind} needs a scenes product, {} is derived", input.id)));
        }
        (false, ProductKind::Scenes) => {
            return Err(wrong(format!("{kind} needs a derived product, {} holds scenes", input.id)));
        }
        _ => {}
    }
    if recipe.reducer.takes_scenes() {
        input.mask(&recipe.mask).map_err(|e| wrong(e.to_string()))?;
    }
    if let Some(theirs) = input.recipe()
        && !jobs::works_all_together(&recipe.reducer)
        && theirs.period != recipe.period
    {
        let (ours, theirs) = (recipe.period.as_str(), theirs.period.as_str());
        return Err(wrong(format!("its period is {ours}, that of {} is {theirs}", input.id)));
    }
    let fits = |e: ComputeError| wrong(e.to_string());
    match &recipe.reducer {
        Reducer::Expression { expression, .. } | Reducer::Trend { expression } => {
            let parsed = input.expression(expression).map_err(fits)?;
            adds_up(input, &parsed).map_err(|e| fits(e.into()))?;
        }
        Reducer::States { probability, thresholds, .. } => {
            for tesela_model::Threshold::Otsu { expression, .. } in thresholds.values() {
                let parsed = input.expression(expression).map_err(fits)?;
                adds_up(input, &parsed).map_err(|e| fits(e.into()))?;
            }
            let unknown: BTreeMap<String, f64> = thresholds.keys().map(|name| (name.clone(), 0.5)).collect();
            let parsed = rasters::probability(input, probability, &unknown).map_err(fits)?;
            adds_up(input, &parsed).map_err(|e| fits(e.into()))?;
        }
        reducer => {
            let expression = unit::scene_expression(reducer, input).map_err(fits)?;
            if let Some(parsed) = &expression {
                adds_up(input, parsed).map_err(|e| fits(e.into()))?;
            }
            let names = unit::scene_bands(reducer, expression.as_ref());
            let bands = names.iter().map(|n| input.band(n)).collect::<Result<Vec<_>, _>>().map_err(fits)?;
            if let Some(direction) = recipe.harmonise {
                harmonised::Harmonised::new(direction, recipe, &bands)?;
            }
        }
    }
    Ok(())
}

/// Whether an expression adds only what is in one unit. Flags are codes, and so is what has no unit and of which a
/// pyramid takes the most frequent.
fn adds_up(input: &Product, expression: &Expression) -> Result<(), ExprError> {
    expression.check_units(|name| match input.bands.iter().find(|b| b.name == name) {
        Some(band) if is_code(band) => Quantity::Code,
        Some(band) => Quantity::Unit(&band.unit),
        None => Quantity::Unit("1"),
    })
}

fn is_code(band: &Band) -> bool {
    band.flags.is_some() || (band.pyramid == PyramidRule::Mode && band.unit == "1")
}

impl Cube {
    /// Works a recipe of scenes over a window without writing: physical values of its output bands, NaN where none. For
    /// comparisons; the recipe need not be a product of the cube.
    ///
    /// # Errors
    /// As [`Cube::compute`]; [`ComputeError::Recipe`] for a recipe of rasters.
    pub fn evaluate(
        &self,
        recipe: &RecipeDef,
        period: &Period,
        window: &PixelWindow,
    ) -> Result<Vec<Vec<f32>>, ComputeError> {
        use rayon::prelude::*;
        let catalog = self.catalog()?;
        let input = catalog.product(&recipe.input)?.clone();
        check(recipe, &input)?;
        if !recipe.reducer.takes_scenes() {
            let problem = "only recipes of scenes can be evaluated without writing".into();
            return Err(ComputeError::Recipe { recipe: recipe.recipe.clone(), problem });
        }
        let outputs: Vec<Band> = recipe.outputs.iter().map(Band::from).collect();
        let mut result = vec![vec![f32::NAN; window.len()]; outputs.len()];
        let jobs = self.all_jobs(recipe, &input, catalog.snapshot)?;
        let Some(job) = jobs.into_iter().find(|j| j.periods.contains(period)) else { return Ok(result) };
        let jobs::Inputs::Slots(by_tile) = &job.inputs else { return Ok(result) };
        let neighbours = Neighbours::new(by_tile.values().flatten().cloned());
        for (tile, slots) in by_tile {
            let work = unit::Scenes::new(self, &input, recipe, slots, &neighbours)?;
            let parts: Vec<PixelWindow> = output::blocks(&input.grid.tile_window(*tile, 0), unit::SIDE)
                .iter()
                .filter_map(|b| b.intersection(window))
                .collect();
            let make = |part: &PixelWindow| {
                let made = work.layers(recipe, period, part)?;
                made.and_then(|(mut periods, _)| periods.pop())
                    .map(|layers| layers::planes(&outputs, &layers))
                    .transpose()
            };
            let made: Vec<Option<Vec<Pixels>>> = parts.par_iter().map(make).collect::<Result<_, _>>()?;
            for (part, planes) in parts.iter().zip(made) {
                for ((layer, plane), band) in result.iter_mut().zip(planes.iter().flatten()).zip(&outputs) {
                    let values = crate::query::physical(plane, band)?;
                    for (row, line) in values.chunks_exact(part.width).enumerate() {
                        let at = (part.py - window.py) as usize + row;
                        let start = at * window.width + (part.px - window.px) as usize;
                        layer[start..start + part.width].copy_from_slice(line);
                    }
                }
            }
        }
        Ok(result)
    }

    /// Physical values of every band of a derived raster in a window, NaN where nodata.
    ///
    /// # Errors
    /// Unknown product; [`ComputeError::NoData`] when the period does not exist; those of the store.
    pub fn stored_window(
        &self,
        product: &str,
        period: &Period,
        window: &PixelWindow,
    ) -> Result<Vec<Vec<f32>>, ComputeError> {
        let catalog = self.catalog()?;
        let product = catalog.product(product)?;
        let time = tesela_model::TimeSelector::Span(*period);
        let (item, _) = self.find_item(product, &time, catalog.snapshot)?;
        let bands: Vec<&Band> = product.bands.iter().collect();
        let read = self.read_item(product, &item, &bands, 0, window)?;
        read.iter().zip(&bands).map(|(p, b)| crate::query::physical(p, b)).collect()
    }
}
