//! `compact`, `gc`, `backup`, `migrate`, `info --usage`.

use std::path::Path;

use serde_json::json;
use tesela_compute::Cube;
use tesela_compute::archive::CompactOptions;
use tesela_compute::keep::{GcOptions, Usage};
use tesela_index::{SqliteIndex, WriterLock};
use tesela_model::Progress;

use crate::args::{CompactArgs, GcArgs};
use crate::failure::Failure;
use crate::output::Output;

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Moves slots into archive blocks.
pub fn compact(
    cube: &Cube,
    args: &CompactArgs,
    progress: &dyn Progress,
    output: &Output,
) -> Result<(), Failure> {
    let _lock = cube.lock("compact")?;
    if !args.dry_run {
        tesela_ingest::sweep(cube.store(), cube.index())?;
    }
    let options = CompactOptions { product: args.product.clone(), all: args.all, dry_run: args.dry_run };
    let started = std::time::Instant::now();
    let report = cube.compact(&options, progress)?;
    let seconds = started.elapsed().as_secs_f64();
    output.answer(&report, || {
        if report.blocks == 0 {
            return "nothing to move".into();
        }
        if args.dry_run {
            return format!("{} slots would be moved into {} blocks", report.slots, report.blocks);
        }
        format!(
            "{} slots moved into {} blocks: {:.1} MB became {:.1} MB, {:.0} MB/s of pixels\n\
             {} groups are free; `tesela gc` deletes them",
            report.slots,
            report.blocks,
            megabytes(report.bytes_before),
            megabytes(report.bytes_after),
            megabytes(report.raw_bytes) / seconds.max(1e-9),
            report.freed_groups
        )
    });
    Ok(())
}

/// Collects garbage.
pub fn gc(cube: &Cube, args: &GcArgs, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let _lock = cube.lock("gc")?;
    if !args.dry_run {
        tesela_ingest::sweep(cube.store(), cube.index())?;
    }
    let options = GcOptions { keep: args.keep, grace: args.grace, dry_run: args.dry_run };
    let report = cube.gc(&options, progress)?;
    output.answer(&report, || {
        let c = &report.collected;
        let verb = if args.dry_run { "would be let go" } else { "let go" };
        let mut text = format!(
            "{} snapshots {verb}, with {} scenes, {} slots, {} rasters\n{} groups, {:.1} MB {}",
            c.expired.len(),
            c.scenes,
            c.slots,
            c.generations,
            c.prefixes.len(),
            megabytes(c.bytes),
            if args.dry_run {
                "would be deleted".to_owned()
            } else {
                format!("deleted ({} objects)", report.deleted_objects)
            }
        );
        if !report.plans.is_empty() {
            let verb = if args.dry_run { "would be dropped" } else { "dropped" };
            text += &format!("\nabandoned plans {verb}: {}", report.plans.join(" "));
        }
        text
    });
    Ok(())
}

/// Copies the cube.
pub fn backup(cube: &Cube, to: &Path, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let report = cube.backup(to, progress)?;
    output.answer(&report, || {
        format!(
            "snapshot {} is at {}: {} objects, {:.1} MB; {} copied now, {} no longer needed removed",
            report.snapshot,
            to.display(),
            report.objects,
            megabytes(report.bytes),
            report.copied,
            report.removed
        )
    });
    Ok(())
}

/// Brings an older index up to date.
pub fn migrate(dir: &Path, output: &Output) -> Result<(), Failure> {
    let _lock = WriterLock::acquire(dir, "migrate")?;
    let (from, to) = SqliteIndex::migrate(dir)?;
    output.answer(&json!({"cube": dir, "from": from, "to": to}), || {
        if from == to {
            format!("the index has schema {to} already")
        } else {
            format!("the index had schema {from}, now {to}; as it was: index.db.schema-{from}")
        }
    });
    Ok(())
}

/// What takes how much space.
pub fn usage(cube: &Cube, output: &Output) -> Result<(), Failure> {
    let rows = cube.usage()?;
    output.answer(&rows, || {
        let line = |u: &Usage| {
            let year = u.year.map_or_else(|| "-".to_owned(), |y| y.to_string());
            format!(
                "{:<24} {:<11} {year:<5} {:>6} groups {:>8} objects {:>12.1} MB",
                u.product,
                u.form,
                u.groups,
                u.objects,
                megabytes(u.bytes)
            )
        };
        let total: u64 = rows.iter().map(|u| u.bytes).sum();
        let mut lines: Vec<String> = rows.iter().map(line).collect();
        lines.push(format!("{:.1} MB in all", megabytes(total)));
        lines.join("\n")
    });
    Ok(())
}
