//! Derived products: blocks in parallel, pyramids, one commit a period.

mod block;
pub(crate) mod pyramid;
mod repair;
#[cfg(test)]
mod tests;
mod write;

pub use repair::RasterRepair;

pub(crate) use block::saturation_bits;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tesela_grid::TileId;
use tesela_index::{GenerationCommit, GenerationRow, ProductKind, SlotRow};
use tesela_model::{Instant, Period, Progress, RecipeDef, shipped_recipe, shipped_recipes};

use crate::catalog::Product;
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

/// One raster to be made.
struct Job {
    period: Period,
    inputs: Inputs,
}

/// What a raster is made from.
enum Inputs {
    /// Slots of a scenes product, by tile.
    Slots(BTreeMap<TileId, Vec<SlotRow>>),
    /// The raster of the same period of another derived product.
    Generation(Box<GenerationRow>),
}

impl Cube {
    /// Runs a recipe over every period that is missing, stale, or made by another version of it. The caller
    /// holds the writer lock.
    ///
    /// # Errors
    /// [`ComputeError::Recipe`] when the recipe does not fit its input; those of store and index;
    /// [`ComputeError::Cancelled`]. Periods committed before stay.
    pub fn compute(
        &self,
        recipe: &RecipeDef,
        options: &ComputeOptions,
        progress: &dyn Progress,
    ) -> Result<ComputeReport, ComputeError> {
        let catalog = self.fresh_catalog()?;
        let input = catalog.product(&recipe.input)?.clone();
        check(recipe, &input)?;
        let definition = serde_json::to_string(recipe)
            .map_err(|e| ComputeError::Recipe { recipe: recipe.recipe.clone(), problem: e.to_string() })?;
        let digest = blake3::hash(definition.as_bytes()).to_hex().to_string();
        if !options.dry_run {
            self.index().put_product(&recipe.recipe, ProductKind::Derived, &input.grid.id, &definition)?;
        }
        let catalog = self.fresh_catalog()?;
        let snapshot = catalog.snapshot;
        let mut report =
            ComputeReport { product: recipe.recipe.clone(), snapshot, ..ComputeReport::default() };
        let (jobs, current) = self.jobs(recipe, &input, options, &digest, snapshot)?;
        report.current = current;
        let orphans = self.orphans(recipe, &input, options, snapshot)?;
        if options.dry_run || (jobs.is_empty() && orphans.is_empty()) {
            report.computed = jobs.iter().map(|j| j.period.label()).collect();
            report.withdrawn = orphans.iter().map(|g| g.period.label()).collect();
            return Ok(report);
        }
        let product = catalog.product(&recipe.recipe)?.clone();
        let run = self.index().begin_run("compute")?;
        let total: u64 = jobs.iter().map(|j| self.block_count(&input, &j.inputs)).sum();
        progress.begin(&format!("compute {}", recipe.recipe), total, "blocks");
        for job in jobs {
            if progress.cancelled() {
                progress.end();
                return Err(ComputeError::Cancelled);
            }
            let label = job.period.label();
            let (generation, pixels, chunks) = self.make(
                recipe,
                &product,
                &input,
                job,
                &run,
                &digest,
                snapshot,
                options.read_all,
                progress,
            )?;
            report.chunks.add(chunks);
            report.bytes += generation.group.objects.iter().map(|o| o.bytes).sum::<u64>();
            report.pixels += pixels;
            self.store().sync()?;
            report.snapshot = self.index().commit_generations(&GenerationCommit {
                product: recipe.recipe.clone(),
                run: run.clone(),
                summary: serde_json::json!({"product": recipe.recipe, "period": label, "pixels": pixels})
                    .to_string(),
                generations: vec![generation],
                ..GenerationCommit::default()
            })?;
            report.computed.push(label);
        }
        progress.end();
        if !orphans.is_empty() {
            report.withdrawn = orphans.iter().map(|g| g.period.label()).collect();
            report.snapshot = self.index().commit_generations(&GenerationCommit {
                product: recipe.recipe.clone(),
                run: run.clone(),
                summary: serde_json::json!({"product": recipe.recipe, "withdrawn": report.withdrawn})
                    .to_string(),
                withdrawn: orphans.iter().map(|g| g.id).collect(),
                ..GenerationCommit::default()
            })?;
        }
        self.index().end_run(&run)?;
        Ok(report)
    }

    /// Rasters of periods in which the input holds nothing any more: its scenes were archived.
    fn orphans(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        options: &ComputeOptions,
        snapshot: u64,
    ) -> Result<Vec<GenerationRow>, ComputeError> {
        let held: BTreeSet<Instant> =
            self.inputs(input, snapshot)?.into_iter().map(|(period, _)| period.start).collect();
        let rows = self.index().generations(&recipe.recipe, snapshot)?.into_iter();
        Ok(rows
            .filter(|g| {
                !held.contains(&g.period.start) && wanted(options, &g.period) && made_of(g, &input.id)
            })
            .collect())
    }

    /// Periods to compute, and how many are up to date.
    fn jobs(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        options: &ComputeOptions,
        digest: &str,
        snapshot: u64,
    ) -> Result<(Vec<Job>, usize), ComputeError> {
        let existing: BTreeMap<Instant, GenerationRow> = self
            .index()
            .generations(&recipe.recipe, snapshot)?
            .into_iter()
            .map(|g| (g.period.start, g))
            .collect();
        let stale: BTreeSet<Instant> = self
            .index()
            .stale()?
            .into_iter()
            .filter(|s| s.product == recipe.recipe)
            .map(|s| s.period_start)
            .collect();
        let mut jobs = Vec::new();
        let mut current = 0;
        for (period, inputs) in self.inputs(input, snapshot)? {
            if !wanted(options, &period) {
                continue;
            }
            let up_to_date = existing.get(&period.start).is_some_and(|g| {
                !stale.contains(&period.start) && made_by(&g.provenance, digest) && self.made_from(g, &inputs)
            });
            if up_to_date && !options.force {
                current += 1;
            } else {
                jobs.push(Job { period, inputs });
            }
        }
        Ok((jobs, current))
    }

    /// Whether a raster was made from exactly these inputs.
    fn made_from(&self, g: &GenerationRow, inputs: &Inputs) -> bool {
        match inputs {
            Inputs::Slots(tiles) => {
                let mut ids: Vec<i64> = tiles.values().flatten().map(|s| s.id).collect();
                ids.sort_unstable();
                self.index().generation_slots(g.id).is_ok_and(|made| made == ids)
            }
            Inputs::Generation(source) => {
                self.index().generation_sources(g.id).is_ok_and(|made| made == [source.id])
            }
        }
    }

    fn inputs(&self, input: &Product, snapshot: u64) -> Result<Vec<(Period, Inputs)>, ComputeError> {
        if input.kind == ProductKind::Derived {
            let rows = self.index().generations(&input.id, snapshot)?;
            return Ok(rows.into_iter().map(|g| (g.period, Inputs::Generation(Box::new(g)))).collect());
        }
        let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
        let mut years: BTreeMap<i16, BTreeMap<TileId, Vec<SlotRow>>> = BTreeMap::new();
        for slot in self.index().slots(&input.id, None, &always, snapshot)? {
            // The solar day decides the year, as it does on the map.
            let year =
                slot.solar_day.get(..4).and_then(|y| y.parse().ok()).unwrap_or(slot.time.year() as i16);
            years.entry(year).or_default().entry(slot.tile).or_default().push(slot);
        }
        Ok(years
            .into_iter()
            .filter_map(|(year, tiles)| Some((Period::year(year)?, Inputs::Slots(tiles))))
            .collect())
    }

    fn block_count(&self, input: &Product, inputs: &Inputs) -> u64 {
        let side = u64::from(input.grid.tile_size).div_ceil(block::SIDE as u64);
        let tiles = match inputs {
            Inputs::Slots(tiles) => tiles.len() as u64,
            Inputs::Generation(g) => {
                ((g.tile_end.ix - g.tile_min.ix) as u64) * ((g.tile_end.iy - g.tile_min.iy) as u64)
            }
        };
        tiles * side * side
    }
}

fn wanted(options: &ComputeOptions, period: &Period) -> bool {
    let year = period.start.year();
    options.years.is_none_or(|(a, b)| (a..=b).contains(&year))
}

/// Whether a raster was made from a product.
fn made_of(g: &GenerationRow, input: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(&g.provenance).is_ok_and(|v| v["input"] == input)
}

fn made_by(provenance: &str, digest: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(provenance).is_ok_and(|v| v["definition_digest"] == digest)
}

/// Whether a recipe fits its input.
fn check(recipe: &RecipeDef, input: &Product) -> Result<(), ComputeError> {
    use tesela_model::Reducer;
    let wrong = |problem: String| ComputeError::Recipe { recipe: recipe.recipe.clone(), problem };
    match &recipe.reducer {
        Reducer::Geomedian { bands } => {
            if input.kind != ProductKind::Scenes {
                return Err(wrong(format!("geomedian needs a scenes product, {} is derived", input.id)));
            }
            for b in bands {
                input.band(b).map_err(|e| wrong(e.to_string()))?;
            }
            input.mask(&recipe.mask).map_err(|e| wrong(e.to_string()))?;
        }
        Reducer::Expression { expression, .. } => {
            if input.kind != ProductKind::Derived {
                return Err(wrong(format!("expression needs a derived product, {} holds scenes", input.id)));
            }
            input.expression(expression).map_err(|e| wrong(e.to_string()))?;
        }
    }
    Ok(())
}
