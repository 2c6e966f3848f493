//! `compute`, and its parts `plan`, `work` and `commit`.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tesela_compute::Cube;
use tesela_compute::recipe::{ComputeOptions, ComputeReport, Plan, Share, shipped};
use tesela_model::{Progress, RecipeDef};

use super::read_text;
use crate::args::{ComputeArgs, Limits, PlanArgs, PlanCommand, RecipeArgs, WorkArgs};
use crate::failure::Failure;
use crate::output::Output;

/// Runs a recipe.
pub fn run(cube: &Cube, args: &ComputeArgs, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let _lock = cube.lock_within("compute", Duration::from_secs(args.what.wait))?;
    tesela_ingest::sweep(cube.store(), cube.index())?;
    let options = ComputeOptions { dry_run: args.dry_run, ..options(Some(&args.what), &args.limits) };
    let report = cube.compute(&recipe(cube, &args.what)?, &options, progress)?;
    output.answer(&report, || words(&report, args.dry_run));
    Ok(())
}

/// Freezes what a recipe is to do, or lists or drops such plans.
pub fn plan(cube: &Cube, args: &PlanArgs, output: &Output) -> Result<(), Failure> {
    match (&args.command, &args.what) {
        (Some(PlanCommand::Drop { plan }), _) => {
            let _lock = cube.lock("plan")?;
            cube.drop_plan(plan)?;
            output.answer(&json!({"dropped": plan}), || format!("dropped {plan}"));
        }
        (None, Some(what)) => {
            let _lock = cube.lock_within("plan", Duration::from_secs(what.wait))?;
            tesela_ingest::sweep(cube.store(), cube.index())?;
            let limits = Limits { memory: None, threads: None };
            let made = cube.plan(&recipe(cube, what)?, &options(Some(what), &limits))?;
            output.answer(&made.as_ref().map(|p| summary(p, 0)), || match &made {
                None => "everything is up to date; there is nothing to plan".into(),
                Some(p) => format!(
                    "plan {run}: {units} units of {recipe}\ntesela work {run} --all     as often as you like, at once or \
                     again\ntesela commit {run}",
                    run = p.run,
                    units = p.units().count(),
                    recipe = p.recipe.recipe
                ),
            });
        }
        _ => {
            let plans = cube.plans()?;
            let list: Vec<_> = plans.iter().map(|(p, done)| summary(p, *done)).collect();
            output.answer(&list, || {
                let line = |(p, done): &(Plan, usize)| {
                    format!("{}  {}  {done} of {} units done", p.run, p.recipe.recipe, p.units().count())
                };
                if plans.is_empty() {
                    "no plans".into()
                } else {
                    plans.iter().map(line).collect::<Vec<_>>().join("\n")
                }
            });
        }
    }
    Ok(())
}

/// Works units of a plan.
pub fn work(cube: &Cube, args: &WorkArgs, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let share = args.index.map_or(Share::All, |(index, of)| Share::Index { index, of });
    let report = cube.work(&args.plan, share, &options(None, &args.limits), progress)?;
    output
        .answer(&report, || format!("{} units worked, {} were done already", report.done, report.found_done));
    Ok(())
}

/// Commits a plan.
pub fn commit(cube: &Cube, plan: &str, wait: u64, output: &Output) -> Result<(), Failure> {
    let _lock = cube.lock_within("commit", Duration::from_secs(wait))?;
    let report = cube.commit_plan(plan)?;
    output.answer(&report, || words(&report, false));
    Ok(())
}

fn options(what: Option<&RecipeArgs>, limits: &Limits) -> ComputeOptions {
    ComputeOptions {
        years: what.and_then(|w| w.years),
        force: what.is_some_and(|w| w.force),
        memory_bytes: limits.memory.or_else(super::ingest::half_of_memory),
        threads: limits.threads.map(usize::from),
        ..ComputeOptions::default()
    }
}

fn summary(plan: &Plan, done: usize) -> serde_json::Value {
    json!({
        "plan": plan.run,
        "product": plan.recipe.recipe,
        "snapshot": plan.snapshot,
        "periods": plan.jobs.iter().map(|j| j.periods.len()).sum::<usize>(),
        "units": plan.units().count(),
        "done": done,
    })
}

fn words(report: &ComputeReport, dry_run: bool) -> String {
    let verb = if dry_run { "would be computed" } else { "computed" };
    let mut text = format!(
        "{}: {} periods {verb}, {} up to date",
        report.product,
        report.computed.len(),
        report.current
    );
    if !report.computed.is_empty() {
        text += &format!("\nperiods: {}", report.computed.join(" "));
    }
    if !report.withdrawn.is_empty() {
        let verb = if dry_run { "would go" } else { "went" };
        text += &format!("\n{verb}, since no scene of it is left: {}", report.withdrawn.join(" "));
    }
    if let Some(e) = &report.estimate {
        text += &format!(
            "\n{} units; {:.1} MB of stored pixels in, {:.1} MB out before compression\n\
             at most {} MB on {} threads, blocks of {} pixels; about {} s if every tile is full",
            e.units,
            e.input_bytes as f64 / 1e6,
            e.output_bytes as f64 / 1e6,
            e.memory_mb,
            e.threads,
            e.block_side_px,
            e.seconds
        );
    }
    if dry_run {
        return text;
    }
    text += &format!(
        "\n{} pixels with values, {:.1} MB, snapshot {}",
        report.pixels,
        report.bytes as f64 / 1e6,
        report.snapshot
    );
    if report.kept > 0 {
        text += &format!("\n{} tiles taken over unchanged, {} worked", report.kept, report.units);
    }
    let c = report.chunks;
    if let Some(share) = c.share_skipped() {
        text += &format!(
            "\n{} chunks read, {} left out because the mask hides them ({:.1} %)",
            c.read + c.quality_read,
            c.skipped + c.quality_skipped,
            100.0 * share
        );
    }
    text
}

fn recipe(cube: &Cube, what: &RecipeArgs) -> Result<RecipeDef, Failure> {
    let mut recipe = find(cube, &what.recipe)?;
    if let Some(input) = &what.input {
        recipe.input.clone_from(input);
    }
    Ok(recipe)
}

/// A recipe file, a shipped recipe, or the recipe of a derived product of this cube.
fn find(cube: &Cube, name: &str) -> Result<RecipeDef, Failure> {
    let path = Path::new(name);
    if path.is_file() {
        return Ok(RecipeDef::from_yaml(name, &read_text(path)?)?);
    }
    let catalog = cube.fresh_catalog()?;
    if let Some(recipe) = catalog.products.get(name).and_then(|p| p.recipe()) {
        return Ok(recipe.clone());
    }
    Ok(shipped(name)?)
}
