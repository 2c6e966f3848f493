//! A damaged raster made again from what it was made from. It takes the damaged one's place when every object has the
//! digest that was recorded; no answer changes then.

use std::collections::{BTreeMap, BTreeSet};

use tesela_grid::TileId;
use tesela_index::{
    GenerationCommit, GenerationRow, GroupKind, MoveCommit, NewGeneration, ObjectRow, SlotRow,
};
use tesela_model::{Progress, RecipeDef, Reducer};
use tesela_store::ObjectKey;

use super::finish::Gathered;
use super::jobs::{Inputs, Job, made_by};
use super::output::Output;
use super::plan::{Plan, PlannedJob};
use super::thresholds::Decided;
use super::unit::{JobWork, Manner, SIDE};
use crate::catalog::Product;
use crate::load::Neighbours;
use crate::{ComputeError, Cube};

/// What became of a damaged raster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RasterRepair {
    /// Made again as it was.
    Repaired,
    /// Made again otherwise, as this snapshot.
    Changed(u64),
    /// Not made again, and why.
    Cannot(String),
}

impl Cube {
    /// Makes the raster of a damaged group again. `objects` are all that the index has of the group, `broken` groups
    /// that could not be repaired. The caller holds the writer lock.
    ///
    /// # Errors
    /// Those of store and index; [`ComputeError::Cancelled`]. What is about this raster alone is
    /// [`RasterRepair::Cannot`].
    pub fn repair_raster(
        &self,
        prefix: &str,
        objects: &[ObjectRow],
        broken: &BTreeSet<String>,
        accept_changed: bool,
        run: &str,
        progress: &dyn Progress,
    ) -> Result<RasterRepair, ComputeError> {
        let Some(row) = self.index().group_generation(prefix)? else {
            self.index().doom_group(prefix)?;
            return Ok(RasterRepair::Repaired);
        };
        let catalog = self.fresh_catalog()?;
        let product = catalog.product(&row.product)?.clone();
        let again = |why: &str| -> Result<RasterRepair, ComputeError> {
            self.index().mark_stale(row.id)?;
            let year = row.period.start.year();
            Ok(RasterRepair::Cannot(format!(
                "{why}; it is marked as stale: `tesela compute {} --years {year}` makes another",
                row.product
            )))
        };
        let provenance: serde_json::Value = serde_json::from_str(&row.provenance).unwrap_or_default();
        let recipe = product.recipe().filter(|r| made_by(&row.provenance, &digest_of(r)));
        let Some(recipe) = recipe.cloned() else {
            return again("its recipe is another one now");
        };
        let input = catalog.product(&recipe.input)?.clone();
        let Some(inputs) = self.inputs_of(&row)? else {
            return again("what it was made from is not kept any more");
        };
        if let Some(damaged) = places(&inputs).into_iter().find(|p| broken.contains(*p)) {
            return Ok(RasterRepair::Cannot(format!("what it was made from, {damaged}, is damaged itself")));
        }
        let snapshot = provenance["input_snapshot"].as_u64().unwrap_or(row.added.saturating_sub(1));
        let decided: Decided = serde_json::from_value(provenance["decided"].clone()).unwrap_or_default();
        let remake = Remake { cube: self, recipe: &recipe, product: &product, input: &input, row: &row, run };
        let made = remake.raster(inputs, decided, snapshot, progress);
        let new_prefix =
            ObjectKey::new(&tesela_layout::names::generation_prefix(&row.product, &row.period, run))?;
        let generation = match made {
            Ok(made) => made,
            Err(ComputeError::Store(e)) => {
                self.store().delete_under(&new_prefix)?;
                return Ok(RasterRepair::Cannot(format!("what it is made from cannot be read: {e}")));
            }
            Err(e) => return Err(e),
        };
        let mut now: BTreeMap<&str, &str> = generation
            .group
            .objects
            .iter()
            .filter_map(|o| Some((chunk(&generation.group.prefix, &o.key)?, o.digest.as_str())))
            .collect();
        let then: BTreeMap<&str, &str> =
            objects.iter().filter_map(|o| Some((chunk(prefix, &o.key)?, o.digest.as_str()))).collect();
        // A raster of before facts has none to compare.
        now.retain(|name, _| then.contains_key(name) || !name.starts_with("facts/"));
        self.store().sync()?;
        if now == then {
            self.index().commit_move(&MoveCommit {
                product: row.product.clone(),
                run: run.into(),
                kind: GroupKind::Generation,
                group: generation.group,
                rows: vec![(row.id, 0)],
                doomed: vec![prefix.into()],
            })?;
            return Ok(RasterRepair::Repaired);
        }
        let visible =
            self.index().generations(&row.product, catalog.snapshot)?.iter().any(|g| g.id == row.id);
        if !accept_changed || !visible {
            self.store().delete_under(&new_prefix)?;
            let others = then.iter().filter(|(name, digest)| now.get(*name) != Some(*digest)).count();
            return Ok(RasterRepair::Cannot(format!(
                "made again from what it was made from, {others} objects differ from what was recorded{}",
                if visible { "; --accept-changed takes them as a new snapshot" } else { "" }
            )));
        }
        let label = row.period.label();
        let n = self.index().commit_generations(&GenerationCommit {
            product: row.product.clone(),
            run: run.into(),
            summary: serde_json::json!({"product": row.product, "period": label, "repaired": true})
                .to_string(),
            generations: vec![generation],
            ..GenerationCommit::default()
        })?;
        Ok(RasterRepair::Changed(n))
    }

    /// What a raster was made from, as recorded; `None` when some of it is not kept.
    fn inputs_of(&self, row: &GenerationRow) -> Result<Option<Inputs>, ComputeError> {
        let sources = self.index().generation_sources(row.id)?;
        if !sources.is_empty() {
            let mut rasters = Vec::with_capacity(sources.len());
            for id in sources {
                let Some(source) = self.index().generation(id)? else { return Ok(None) };
                rasters.push(source);
            }
            rasters.sort_by_key(|r| r.period);
            return Ok(Some(Inputs::Rasters(rasters)));
        }
        let mut by_tile: BTreeMap<TileId, Vec<SlotRow>> = BTreeMap::new();
        for id in self.index().generation_slots(row.id)? {
            let Some(slot) = self.index().slot(id)? else { return Ok(None) };
            by_tile.entry(slot.tile).or_default().push(slot);
        }
        for slots in by_tile.values_mut() {
            slots.sort_by(|a, b| (a.time, &a.platform).cmp(&(b.time, &b.platform)));
        }
        Ok((!by_tile.is_empty()).then_some(Inputs::Slots(by_tile)))
    }
}

/// One raster made again.
struct Remake<'r> {
    cube: &'r Cube,
    recipe: &'r RecipeDef,
    product: &'r Product,
    input: &'r Product,
    row: &'r GenerationRow,
    run: &'r str,
}

impl Remake<'_> {
    fn raster(
        &self,
        inputs: Inputs,
        decided: Decided,
        snapshot: u64,
        progress: &dyn Progress,
    ) -> Result<NewGeneration, ComputeError> {
        let (min, end) = (self.row.tile_min, self.row.tile_end);
        let tiles: Vec<TileId> = match &inputs {
            Inputs::Slots(by_tile) => by_tile.keys().copied().collect(),
            Inputs::Rasters(_) => {
                (min.iy..end.iy).flat_map(|iy| (min.ix..end.ix).map(move |ix| TileId { ix, iy })).collect()
            }
        };
        // Classes of one period need the rasters of all.
        let periods = match (&inputs, &self.recipe.reducer) {
            (Inputs::Rasters(rasters), Reducer::States { .. }) => rasters.iter().map(|r| r.period).collect(),
            _ => vec![self.row.period],
        };
        let neighbours = match &inputs {
            Inputs::Slots(by_tile) => Neighbours::new(by_tile.values().flatten().cloned()),
            Inputs::Rasters(_) => Neighbours::default(),
        };
        let planned = PlannedJob {
            periods: periods.clone(),
            inputs: inputs.ids(),
            decided,
            tile_min: min,
            tile_end: end,
            tiles: tiles.clone(),
            kept: Vec::new(),
        };
        let job = Job { periods, inputs };
        let output = Output::new(self.product, min, end);
        let work = JobWork {
            cube: self.cube,
            recipe: self.recipe,
            input: self.input,
            job: &job,
            decided: &planned.decided,
            output: &output,
            run: self.run,
            neighbours: &neighbours,
        };
        let mut gathered: Vec<Gathered> = job.periods.iter().map(|_| Gathered::default()).collect();
        let label = self.row.period.label();
        progress.begin(&format!("repair {} {label}", self.row.product), tiles.len() as u64, "tiles");
        for tile in tiles {
            let made = work.unit(tile, Manner { side: SIDE, read_all: false }, progress)?;
            for ((gathered, objects), tops) in gathered.iter_mut().zip(made.done.objects).zip(made.tops) {
                gathered.objects.extend(objects);
                gathered.tops.push((tile, tops));
            }
        }
        progress.end();
        let plan = Plan {
            run: self.run.into(),
            recipe: self.recipe.clone(),
            digest: digest_of(self.recipe),
            snapshot,
            jobs: Vec::new(),
        };
        let mut wanted = None;
        for (period, gathered) in job.periods.iter().zip(gathered) {
            if *period == self.row.period {
                let provenance = self.cube.provenance(&plan, &planned)?;
                let made = self.cube.generation(&plan, &planned, &output, period, gathered, &provenance)?;
                wanted = Some(made);
            } else {
                self.cube.store().delete_under(&output.prefix(period, self.run)?)?;
            }
        }
        wanted.ok_or_else(|| ComputeError::Recipe {
            recipe: self.recipe.recipe.clone(),
            problem: format!("its inputs do not give the period {label}"),
        })
    }
}

/// Digest of a recipe: rasters with another were made by another version of it.
pub(super) fn digest_of(recipe: &RecipeDef) -> String {
    let definition = serde_json::to_string(recipe).unwrap_or_default();
    blake3::hash(definition.as_bytes()).to_hex().to_string()
}

/// Groups that hold what a raster is made from.
fn places(inputs: &Inputs) -> BTreeSet<&str> {
    match inputs {
        Inputs::Slots(by_tile) => by_tile.values().flatten().map(|s| s.prefix.as_str()).collect(),
        Inputs::Rasters(rasters) => rasters.iter().map(|g| g.prefix.as_str()).collect(),
    }
}

/// A chunk's name in its group; none for metadata, which tell the program's version.
fn chunk<'k>(prefix: &str, key: &'k str) -> Option<&'k str> {
    let name = key.strip_prefix(prefix)?.trim_start_matches('/');
    name.contains("/c/").then_some(name)
}
