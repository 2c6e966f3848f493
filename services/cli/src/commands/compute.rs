//! `compute`.

use std::path::Path;
use std::time::Duration;

use tesela_compute::Cube;
use tesela_compute::recipe::{ComputeOptions, shipped};
use tesela_model::{Progress, RecipeDef};

use super::read_text;
use crate::args::ComputeArgs;
use crate::failure::Failure;
use crate::output::Output;

/// Runs a recipe.
pub fn run(cube: &Cube, args: &ComputeArgs, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let _lock = cube.lock_within("compute", Duration::from_secs(args.wait))?;
    tesela_ingest::sweep(cube.store(), cube.index())?;
    let mut recipe = find(cube, &args.recipe)?;
    if let Some(input) = &args.input {
        recipe.input.clone_from(input);
    }
    let options =
        ComputeOptions { years: args.years, force: args.force, dry_run: args.dry_run, read_all: false };
    let report = cube.compute(&recipe, &options, progress)?;
    output.answer(&report, || {
        let verb = if args.dry_run { "would be computed" } else { "computed" };
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
            let verb = if args.dry_run { "would go" } else { "went" };
            text += &format!("\n{verb}, since no scene of it is left: {}", report.withdrawn.join(" "));
        }
        if !args.dry_run {
            text += &format!(
                "\n{} pixels with values, {:.1} MB, snapshot {}",
                report.pixels,
                report.bytes as f64 / 1e6,
                report.snapshot
            );
            let c = report.chunks;
            if let Some(share) = c.share_skipped() {
                text += &format!(
                    "\n{} chunks read, {} left out because the mask hides them ({:.1} %)",
                    c.read + c.quality_read,
                    c.skipped + c.quality_skipped,
                    100.0 * share
                );
            }
        }
        text
    });
    Ok(())
}

/// A recipe file, the recipe of a derived product of this cube, or a shipped one.
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
