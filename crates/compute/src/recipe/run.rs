//! From a recipe to committed rasters: planned, worked unit by unit, committed job by job.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tesela_index::{GenerationCommit, GenerationRow, ProductKind};
use tesela_model::{Period, Progress, RecipeDef};
use tesela_store::{Kept, ObjectKey, keep_freed_memory};

use super::finish::Gathered;
use super::jobs::{Inputs, Job, always, input_of};
use super::memory::{self, Need};
use super::output::{Output, blocks};
use super::plan::{Asked, Plan, PlannedInputs, PlannedJob, Plans, Unit, UnitDone};
use super::pyramid::Counted;
use super::repair::digest_of;
use super::thresholds::Decided;
use super::unit::{JobWork, Manner, rows_of, scene_bands, scene_expression};
use super::{ComputeOptions, ComputeReport, Share, WorkReport, check};
use crate::catalog::{Catalog, Product};
use crate::load::Neighbours;
use crate::mask::Masker;
use crate::{ComputeError, Cube};

/// How often a worker looks whether a unit that another has is done.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Cube {
    /// Runs a recipe over every period that is missing, stale, or made by another version of it. The caller holds the
    /// writer lock. A run that was cut off is taken up where it was.
    ///
    /// # Errors
    /// [`ComputeError::Recipe`] when the recipe does not fit its input; [`ComputeError::TooLittleMemory`]; those of
    /// store and index; [`ComputeError::Cancelled`]. What was committed before stays, and so does every unit done.
    pub fn compute(
        &self,
        recipe: &RecipeDef,
        options: &ComputeOptions,
        progress: &dyn Progress,
    ) -> Result<ComputeReport, ComputeError> {
        keep_freed_memory(Kept::Stacks);
        let (mut plan, current) = self.draft(recipe, options)?;
        let mut report = ComputeReport {
            product: recipe.recipe.clone(),
            current,
            snapshot: plan.snapshot,
            ..ComputeReport::default()
        };
        let labels = |plan: &Plan| plan.jobs.iter().flat_map(|j| &j.periods).map(Period::label).collect();
        let catalog = self.fresh_catalog()?;
        let orphans = self.orphans(recipe, catalog.product(&recipe.input)?, options, plan.snapshot)?;
        report.withdrawn = orphans.iter().map(|g| g.period.label()).collect();
        if options.dry_run {
            report.computed = labels(&plan);
            report.units = plan.units().count();
            report.estimate = Some(self.estimate(&plan, options)?);
            return Ok(report);
        }
        if !orphans.is_empty() {
            report.snapshot = self.withdraw(recipe, &orphans)?;
        }
        let plans = Plans::of(self.dir());
        self.tidy_plans(&plans)?;
        if plan.jobs.is_empty() {
            return Ok(report);
        }
        let taken_up = self.take_up(&plans, &plan, options)?;
        let wanted: Vec<usize> = match &taken_up {
            Some(old) => plan.jobs.iter().filter_map(|j| old.jobs.iter().position(|o| o == j)).collect(),
            None => (0..plan.jobs.len()).collect(),
        };
        let was_cut_off = taken_up.is_some();
        match taken_up {
            Some(old) => plan = old,
            None => {
                plan.run = self.index().begin_run("plan")?;
                plans.put(&plan)?;
            }
        }
        let _share = plans.enter(&plan.run)?;
        let catalog = self.fresh_catalog()?;
        let prepared = Prepared::new(self, &catalog, &plan)?;
        let manner = memory::fit(&prepared.needs(&plan)?, options)?;
        let units: Vec<Unit> = wanted
            .iter()
            .flat_map(|&job| plan.jobs[job].tiles.iter().map(move |&tile| Unit { job, tile }))
            .collect();
        progress.begin(
            &format!("compute {}", recipe.recipe),
            prepared.blocks(&units, manner.manner),
            "blocks",
        );
        let worked = manner.pool(|| {
            for &job in &wanted {
                self.work_job(&plans, &plan, &prepared, job, manner.manner, progress)?;
                let done = self.commit_planned(&plans, &plan, &prepared, job, !was_cut_off)?;
                report.bytes += done.bytes;
                report.pixels += done.pixels;
                report.chunks.add(done.chunks);
                report.kept += done.kept;
                report.snapshot = done.snapshot;
                report.computed.extend(plan.jobs[job].periods.iter().map(Period::label));
            }
            Ok(())
        });
        progress.end();
        worked?;
        report.units = units.len();
        self.finish_plan(&plans, &plan)?;
        Ok(report)
    }

    /// Rasters that nothing is left of go.
    fn withdraw(&self, recipe: &RecipeDef, orphans: &[GenerationRow]) -> Result<u64, ComputeError> {
        let run = self.index().begin_run("compute")?;
        let labels: Vec<String> = orphans.iter().map(|g| g.period.label()).collect();
        let snapshot = self.index().commit_generations(&GenerationCommit {
            product: recipe.recipe.clone(),
            run: run.clone(),
            summary: serde_json::json!({"product": recipe.recipe, "withdrawn": labels}).to_string(),
            withdrawn: orphans.iter().map(|g| g.id).collect(),
            ..GenerationCommit::default()
        })?;
        self.index().end_run(&run)?;
        Ok(snapshot)
    }

    /// Freezes what is to be done, for `work` and `commit`. The caller holds the writer lock.
    ///
    /// # Errors
    /// As [`Cube::compute`].
    pub fn plan(&self, recipe: &RecipeDef, options: &ComputeOptions) -> Result<Option<Plan>, ComputeError> {
        let (mut plan, _) = self.draft(recipe, options)?;
        if plan.jobs.is_empty() {
            return Ok(None);
        }
        let plans = Plans::of(self.dir());
        self.tidy_plans(&plans)?;
        plan.run = self.index().begin_run("plan")?;
        plans.put(&plan)?;
        Ok(Some(plan))
    }

    /// Plans that are neither committed nor dropped: the plan, and how many of its units are done.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub fn plans(&self) -> Result<Vec<(Plan, usize)>, ComputeError> {
        let plans = Plans::of(self.dir());
        let counted = |run: &String| {
            let plan = plans.get(run)?;
            let done = plan.units().filter(|u| plans.is_done(run, *u)).count();
            Ok((plan, done))
        };
        plans.runs()?.iter().map(counted).collect()
    }

    /// Forgets a plan and deletes what its units wrote. The caller holds the writer lock.
    ///
    /// # Errors
    /// [`ComputeError::UnknownPlan`]; [`ComputeError::PlanAtWork`] while a process works it; those of the store.
    pub fn drop_plan(&self, run: &str) -> Result<(), ComputeError> {
        let plans = Plans::of(self.dir());
        let plan = plans.get(run)?;
        let _alone = plans.alone(run)?;
        self.drop_objects(&plan)?;
        self.finish_plan(&plans, &plan)
    }

    /// Plans that nobody has worked for so long; those that are being worked are not among them.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(crate) fn abandoned_plans(&self, idle: Duration) -> Result<Vec<String>, ComputeError> {
        let plans = Plans::of(self.dir());
        let mut found = Vec::new();
        for run in plans.runs()? {
            let age = plans.touched(&run).and_then(|at| at.elapsed().ok()).unwrap_or_default();
            if age < idle {
                continue;
            }
            match plans.alone(&run) {
                Ok(_) => found.push(run),
                Err(ComputeError::PlanAtWork { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(found)
    }

    /// Removes a plan of which everything is committed or deleted, with what its dead workers were about to write.
    fn finish_plan(&self, plans: &Plans, plan: &Plan) -> Result<(), ComputeError> {
        for period in plan.jobs.iter().flat_map(|j| &j.periods) {
            let prefix = tesela_layout::names::generation_prefix(&plan.recipe.recipe, period, &plan.run);
            for left in self.store().objects().leftovers(Some(&ObjectKey::new(&prefix)?))? {
                self.store().objects().remove_leftover(&left)?;
            }
        }
        plans.remove(&plan.run)?;
        Ok(self.index().end_run(&plan.run)?)
    }

    /// Clears away what processes left that died while they made, removed or had just committed a plan. The caller
    /// holds the writer lock.
    pub(crate) fn clear_remnants(&self) -> Result<(), ComputeError> {
        self.tidy_plans(&Plans::of(self.dir()))
    }

    fn tidy_plans(&self, plans: &Plans) -> Result<(), ComputeError> {
        for run in plans.runs()? {
            let plan = plans.get(&run)?;
            let mut all = true;
            for job in 0..plan.jobs.len() {
                all = all && self.is_committed(&plan, job)?;
            }
            if all {
                self.finish_plan(plans, &plan)?;
            }
        }
        plans.remove_remnants()?;
        for run in self.index().planned_runs()? {
            if !plans.is_there(&run) {
                self.index().end_run(&run)?;
            }
        }
        Ok(())
    }

    /// Works the units of a plan that nobody has done. Needs no writer lock: several processes may work one plan, and
    /// a unit that one of them has is left to it.
    ///
    /// # Errors
    /// [`ComputeError::UnknownPlan`]; otherwise as [`Cube::compute`].
    pub fn work(
        &self,
        run: &str,
        share: Share,
        options: &ComputeOptions,
        progress: &dyn Progress,
    ) -> Result<WorkReport, ComputeError> {
        keep_freed_memory(Kept::Stacks);
        let plans = Plans::of(self.dir());
        let _share = plans.enter(run)?;
        let plan = plans.get(run)?;
        let catalog = self.fresh_catalog()?;
        let prepared = Prepared::new(self, &catalog, &plan)?;
        let manner = memory::fit(&prepared.needs(&plan)?, options)?;
        let units: Vec<Unit> =
            plan.units().enumerate().filter(|(i, _)| share.has(*i)).map(|(_, unit)| unit).collect();
        progress.begin(
            &format!("work {}", plan.recipe.recipe),
            prepared.blocks(&units, manner.manner),
            "blocks",
        );
        let mut report = WorkReport { plan: run.to_owned(), ..WorkReport::default() };
        let worked = manner.pool(|| {
            let mut left = units;
            while !left.is_empty() {
                let before = left.len();
                let mut elsewhere = Vec::new();
                for unit in left {
                    match self.work_unit(&plans, &plan, &prepared, unit, manner.manner, progress)? {
                        Worked::Done => report.done += 1,
                        Worked::Before => report.found_done += 1,
                        Worked::Elsewhere => elsewhere.push(unit),
                    }
                }
                left = elsewhere;
                if left.len() == before {
                    // Others have all that is left: wait, for one of them may die.
                    if progress.cancelled() {
                        return Err(ComputeError::Cancelled);
                    }
                    std::thread::sleep(LOOK_AGAIN);
                }
            }
            Ok(())
        });
        progress.end();
        worked?;
        Ok(report)
    }

    /// Commits a plan whose units are all done, job by job. The caller holds the writer lock.
    ///
    /// # Errors
    /// [`ComputeError::PlanUnfinished`] says how many units are missing; those of store and index.
    pub fn commit_plan(&self, run: &str) -> Result<ComputeReport, ComputeError> {
        let plans = Plans::of(self.dir());
        let plan = plans.get(run)?;
        let missing = plan.units().filter(|u| !plans.is_done(run, *u)).count();
        if missing > 0 {
            let units = plan.units().count();
            return Err(ComputeError::PlanUnfinished { plan: run.to_owned(), missing, units });
        }
        let catalog = self.fresh_catalog()?;
        let prepared = Prepared::new(self, &catalog, &plan)?;
        let mut report = ComputeReport { product: plan.recipe.recipe.clone(), ..ComputeReport::default() };
        for job in 0..plan.jobs.len() {
            // A commit that was cut off goes on behind what it made visible.
            if self.is_committed(&plan, job)? {
                continue;
            }
            let done = self.commit_planned(&plans, &plan, &prepared, job, false)?;
            report.bytes += done.bytes;
            report.pixels += done.pixels;
            report.chunks.add(done.chunks);
            report.kept += done.kept;
            report.computed.extend(plan.jobs[job].periods.iter().map(Period::label));
        }
        report.units = plan.units().count();
        report.snapshot = self.index().latest_snapshot()?;
        self.finish_plan(&plans, &plan)?;
        Ok(report)
    }

    /// What is to be done, not on disk yet.
    fn draft(&self, recipe: &RecipeDef, options: &ComputeOptions) -> Result<(Plan, usize), ComputeError> {
        let catalog = self.fresh_catalog()?;
        let input = catalog.product(&recipe.input)?.clone();
        check(recipe, &input)?;
        self.keeps_its_input(recipe, catalog.snapshot)?;
        let definition = serde_json::to_string(recipe)
            .map_err(|e| ComputeError::Recipe { recipe: recipe.recipe.clone(), problem: e.to_string() })?;
        let digest = digest_of(recipe);
        if !options.dry_run {
            self.index().put_product(&recipe.recipe, ProductKind::Derived, &input.grid.id, &definition)?;
        }
        let snapshot = self.fresh_catalog()?.snapshot;
        let (jobs, current) = self.jobs(recipe, &input, options, &digest, snapshot)?;
        let mut planned = Vec::new();
        for job in jobs {
            let (tile_min, tile_end, mut tiles) = self.tiles(&input, &job.inputs, snapshot)?;
            let mut kept = Vec::new();
            if !options.force {
                let extent = (tile_min, tile_end);
                if let Some((_, same)) = self.unchanged(recipe, &input, &job, &digest, extent, snapshot)? {
                    kept = same;
                    tiles.retain(|t| !kept.contains(t));
                }
            }
            let decided = match &job.inputs {
                Inputs::Rasters(rows) => self.decide(recipe, &input, rows)?,
                Inputs::Slots(_) => Decided::default(),
            };
            let inputs = job.inputs.ids();
            planned.push(PlannedJob {
                periods: job.periods,
                inputs,
                decided,
                tile_min,
                tile_end,
                tiles,
                kept,
            });
        }
        let plan = Plan { run: String::new(), recipe: recipe.clone(), digest, snapshot, jobs: planned };
        Ok((plan, current))
    }

    /// One derived product is made of one input: else its years would be of different collections or sensors.
    fn keeps_its_input(&self, recipe: &RecipeDef, snapshot: u64) -> Result<(), ComputeError> {
        for row in self.index().generations(&recipe.recipe, snapshot)? {
            match input_of(&row.provenance) {
                Some(input) if input != recipe.input => {
                    return Err(ComputeError::Recipe {
                        recipe: recipe.recipe.clone(),
                        problem: format!(
                            "its input is {}, but {} of it was made from {input}; one product has one input: give the \
                             recipe another name",
                            recipe.input,
                            row.period.label()
                        ),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The plan of a run that was cut off, if it was to make the same from the same. Plans of the recipe that were to
    /// make something else are dropped.
    fn take_up(
        &self,
        plans: &Plans,
        draft: &Plan,
        options: &ComputeOptions,
    ) -> Result<Option<Plan>, ComputeError> {
        for run in plans.runs()? {
            let old = plans.get(&run)?;
            if old.recipe.recipe != draft.recipe.recipe {
                continue;
            }
            let same = old.digest == draft.digest && draft.jobs.iter().all(|j| old.jobs.contains(j));
            if same && !options.force {
                return Ok(Some(old));
            }
            self.drop_plan(&run)?;
        }
        Ok(None)
    }

    fn drop_objects(&self, plan: &Plan) -> Result<(), ComputeError> {
        let visible: Vec<String> = self.index().group_prefixes()?;
        for period in plan.jobs.iter().flat_map(|j| &j.periods) {
            let prefix = tesela_layout::names::generation_prefix(&plan.recipe.recipe, period, &plan.run);
            if !visible.contains(&prefix) {
                self.store().delete_under(&ObjectKey::new(&prefix)?)?;
            }
        }
        Ok(self.store().sync()?)
    }

    fn is_committed(&self, plan: &Plan, job: usize) -> Result<bool, ComputeError> {
        let visible = self.index().group_prefixes()?;
        Ok(plan.jobs[job].periods.iter().all(|period| {
            let prefix = tesela_layout::names::generation_prefix(&plan.recipe.recipe, period, &plan.run);
            visible.contains(&prefix)
        }))
    }

    fn work_job(
        &self,
        plans: &Plans,
        plan: &Plan,
        prepared: &Prepared,
        job: usize,
        manner: Manner,
        progress: &dyn Progress,
    ) -> Result<(), ComputeError> {
        for &tile in &plan.jobs[job].tiles {
            let unit = Unit { job, tile };
            while self.work_unit(plans, plan, prepared, unit, manner, progress)? == Worked::Elsewhere {
                if progress.cancelled() {
                    return Err(ComputeError::Cancelled);
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        }
        Ok(())
    }

    fn work_unit(
        &self,
        plans: &Plans,
        plan: &Plan,
        prepared: &Prepared,
        unit: Unit,
        manner: Manner,
        progress: &dyn Progress,
    ) -> Result<Worked, ComputeError> {
        let blocks = prepared.blocks(&[unit], manner);
        if plans.is_done(&plan.run, unit) {
            progress.advance(blocks);
            return Ok(Worked::Before);
        }
        let _claim = match plans.claim(&plan.run, unit)? {
            Asked::Given(claim) => claim,
            Asked::Taken => return Ok(Worked::Elsewhere),
            // Committed while this process was on its way: nothing is left to do.
            Asked::Gone if self.is_committed(plan, unit.job)? => return Ok(Worked::Before),
            Asked::Gone => {
                return Err(ComputeError::UnknownPlan {
                    plan: plan.run.clone(),
                    known: "it was removed while it was worked".into(),
                });
            }
        };
        if plans.is_done(&plan.run, unit) {
            progress.advance(blocks);
            return Ok(Worked::Before);
        }
        let planned = &plan.jobs[unit.job];
        let output = Output::new(&prepared.product, planned.tile_min, planned.tile_end);
        for period in &planned.periods {
            // What a process that died with this unit left.
            let prefix = output.prefix(period, &plan.run)?;
            for name in output.tile_objects(unit.tile)? {
                self.store().delete(&prefix.join(&name)?)?;
            }
        }
        let work = JobWork {
            cube: self,
            recipe: &plan.recipe,
            input: &prepared.input,
            job: &prepared.jobs[unit.job],
            decided: &planned.decided,
            output: &output,
            run: &plan.run,
            neighbours: &prepared.neighbours[unit.job],
        };
        let made = work.unit(unit.tile, manner, progress)?;
        let mut top = Vec::new();
        made.tops.iter().flatten().for_each(|counted| counted.put_bytes(&mut top));
        plans.put_done(&plan.run, unit, &made.done, &top)?;
        Ok(Worked::Done)
    }

    fn commit_planned(
        &self,
        plans: &Plans,
        plan: &Plan,
        prepared: &Prepared,
        job: usize,
        worked_here: bool,
    ) -> Result<Committed, ComputeError> {
        let planned = &plan.jobs[job];
        let output = Output::new(&prepared.product, planned.tile_min, planned.tile_end);
        let mut gathered: Vec<Gathered> = planned.periods.iter().map(|_| Gathered::default()).collect();
        let mut committed = Committed { kept: planned.kept.len(), ..Committed::default() };
        for &tile in &planned.tiles {
            let unit = Unit { job, tile };
            let lost = || ComputeError::PlanUnfinished {
                plan: plan.run.clone(),
                missing: 1,
                units: planned.tiles.len(),
            };
            let done = plans.done(&plan.run, unit)?.ok_or_else(lost)?;
            if !worked_here && !self.is_there(&done)? {
                plans.forget(&plan.run, unit)?;
                return Err(lost());
            }
            let top = plans.top(&plan.run, unit)?;
            let mut bytes = top.as_slice();
            let len = output.top_window(tile).len();
            for (gathered, objects) in gathered.iter_mut().zip(done.objects) {
                gathered.objects.extend(objects);
                let bands = output.product.bands.iter();
                let tops: Option<Vec<Counted>> =
                    bands.map(|b| Counted::take_bytes(&mut bytes, b, len)).collect();
                gathered.tops.push((tile, tops.ok_or_else(lost)?));
            }
            committed.pixels += done.pixels;
            committed.chunks.add(done.chunks);
        }
        for (period, gathered) in planned.periods.iter().zip(&gathered) {
            // What a commit that was cut off left.
            let ours: BTreeSet<&ObjectKey> = gathered.objects.iter().map(|o| &o.key).collect();
            for (key, _) in self.store().list(Some(&output.prefix(period, &plan.run)?))? {
                if !ours.contains(&key) {
                    self.store().delete(&key)?;
                }
            }
        }
        if let (false, [period], [gathered]) =
            (planned.kept.is_empty(), planned.periods.as_slice(), gathered.as_mut_slice())
        {
            let rows = self.index().generations(&plan.recipe.recipe, plan.snapshot)?;
            let old = rows.into_iter().find(|g| g.period == *period).ok_or_else(|| ComputeError::Recipe {
                recipe: plan.recipe.recipe.clone(),
                problem: format!(
                    "the raster of {} that tiles were to be taken from is gone; plan again",
                    period.label()
                ),
            })?;
            self.take_over(&output, &old, &output.prefix(period, &plan.run)?, &planned.kept, gathered)?;
        }
        let (snapshot, bytes) = self.commit_job(plan, planned, &output, gathered, committed.pixels)?;
        Ok(Committed { snapshot, bytes, ..committed })
    }

    /// Whether every object of a unit is what was noted of it.
    fn is_there(&self, done: &UnitDone) -> Result<bool, ComputeError> {
        for object in done.objects.iter().flatten() {
            let found = self.store().digest(&object.key)?;
            if found.is_none_or(|f| f.bytes != object.bytes || f.digest != object.digest) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn estimate(&self, plan: &Plan, options: &ComputeOptions) -> Result<memory::Estimate, ComputeError> {
        let catalog = self.fresh_catalog()?;
        let prepared = Prepared::new(self, &catalog, plan)?;
        memory::estimate(&prepared.needs(plan)?, plan, &prepared.product, options)
    }
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worked {
    Done,
    /// It was done already.
    Before,
    /// Another process has it.
    Elsewhere,
}

/// What a job's commit gave.
#[derive(Debug, Clone, Copy, Default)]
struct Committed {
    snapshot: u64,
    bytes: u64,
    pixels: u64,
    chunks: crate::skip::ChunkReport,
    kept: usize,
}

/// A plan's inputs as rows.
struct Prepared {
    product: Product,
    input: Product,
    jobs: Vec<Job>,
    neighbours: Vec<Neighbours>,
}

impl Prepared {
    fn new(cube: &Cube, catalog: &Catalog, plan: &Plan) -> Result<Self, ComputeError> {
        let input = catalog.product(&plan.recipe.input)?.as_ref().clone();
        let product = match catalog.product(&plan.recipe.recipe) {
            Ok(product) => product.as_ref().clone(),
            // A dry run makes no product.
            Err(_) => Product::of_recipe(plan.recipe.clone(), input.grid.clone()),
        };
        let mut jobs = Vec::new();
        let slots = if plan.recipe.reducer.takes_scenes() {
            cube.index().slots(&input.id, None, &always(), plan.snapshot)?
        } else {
            Vec::new()
        };
        for planned in &plan.jobs {
            let inputs = match &planned.inputs {
                PlannedInputs::Slots(ids) => {
                    let wanted: BTreeSet<i64> = ids.iter().copied().collect();
                    let mut tiles = BTreeMap::new();
                    let mut found = 0;
                    for slot in slots.iter().filter(|s| wanted.contains(&s.id)) {
                        tiles.entry(slot.tile).or_insert_with(Vec::new).push(slot.clone());
                        found += 1;
                    }
                    if found != wanted.len() {
                        return Err(ComputeError::Recipe {
                            recipe: plan.recipe.recipe.clone(),
                            problem: format!(
                                "{} of {} input slots are gone since snapshot {}; plan again",
                                wanted.len() - found,
                                wanted.len(),
                                plan.snapshot
                            ),
                        });
                    }
                    Inputs::Slots(tiles)
                }
                PlannedInputs::Rasters(ids) => {
                    let rows: Vec<GenerationRow> = cube.index().generations(&input.id, plan.snapshot)?;
                    Inputs::Rasters(rows_of(rows, ids, &plan.recipe)?)
                }
            };
            jobs.push(Job { periods: planned.periods.clone(), inputs });
        }
        let around = |job: &Job| match &job.inputs {
            Inputs::Slots(tiles) => Neighbours::new(tiles.values().flatten().cloned()),
            Inputs::Rasters(_) => Neighbours::default(),
        };
        let neighbours = jobs.iter().map(around).collect();
        Ok(Self { product, input, jobs, neighbours })
    }

    /// What the largest block of any job takes.
    fn needs(&self, plan: &Plan) -> Result<Need, ComputeError> {
        use tesela_model::Reducer;
        let reducer = &plan.recipe.reducer;
        let expression = scene_expression(reducer, &self.input)?;
        let halo = match reducer {
            Reducer::States { sieve: Some(s), .. } => usize::from(s.patches.max(s.holes)) + 1,
            _ if reducer.takes_scenes() => match self.input.quality() {
                Some((quality, _)) => {
                    Masker::new(self.input.mask(&plan.recipe.mask)?, quality.nodata)?.halo()
                }
                None => 0,
            },
            _ => 0,
        };
        Ok(Need {
            scenes: reducer.takes_scenes(),
            floats: !matches!(reducer, Reducer::Geomedian { .. }) || plan.recipe.harmonise.is_some(),
            depth: self.jobs.iter().map(|j| j.inputs.depth()).max().unwrap_or(0),
            bands: if reducer.takes_scenes() {
                scene_bands(reducer, expression.as_ref()).len()
            } else {
                self.input.bands.len().min(8)
            },
            halo,
            outputs: self.product.bands.clone(),
            periods: self.jobs.iter().map(|j| j.periods.len()).max().unwrap_or(1),
            tile_pixels: u64::from(self.product.grid.tile_size).pow(2),
            planes: memory::planes(plan),
        })
    }

    fn blocks(&self, units: &[Unit], manner: Manner) -> u64 {
        let count =
            |unit: &Unit| blocks(&self.product.grid.tile_window(unit.tile, 0), manner.side).len() as u64;
        units.iter().map(count).sum()
    }
}
