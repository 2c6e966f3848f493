//! `ingest`, `quarantine`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tesela_compute::{Cube, Product};
use tesela_ingest::{IngestOptions, IngestReport, ingest};
use tesela_model::{ProductDef, Progress};

use crate::args::{IngestArgs, QuarantineCommand};
use crate::failure::Failure;
use crate::output::Output;

/// Adds scenes.
pub fn run(cube: &Cube, args: &IngestArgs, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let _lock = cube.lock_within("ingest", Duration::from_secs(args.wait))?;
    let options = IngestOptions {
        dry_run: args.dry_run,
        batch_days: args.batch_days.map(usize::from),
        bulk: args.bulk,
        memory_bytes: args.limits.memory.or_else(half_of_memory),
    };
    let report = add(cube, &args.product, &args.paths, &options, progress)?;
    let nothing = report.added == 0 && report.already == 0 && report.archived == 0;
    output.answer(&report, || words(&report, args.dry_run));
    if nothing && !report.refused.is_empty() {
        return Err(Failure::Message(
            "no scene was added; the reasons stand above and in `tesela quarantine list`".into(),
        ));
    }
    Ok(())
}

/// Adds scenes to a product; the caller holds the lock.
pub fn add(
    cube: &Cube,
    product: &str,
    paths: &[PathBuf],
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<IngestReport, Failure> {
    let catalog = cube.fresh_catalog()?;
    let product = catalog.product(product)?;
    let def = scenes_of(product)?;
    Ok(ingest(cube.store(), cube.index(), def, &product.grid, paths, options, progress)?)
}

/// The definition of a scenes product.
pub fn scenes_of(product: &Product) -> Result<&ProductDef, Failure> {
    product.scenes().ok_or_else(|| {
        Failure::Message(format!("{} is a derived product; scenes go into a scenes product", product.id))
    })
}

/// Half of the machine's memory, where that can be asked.
pub(super) fn half_of_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024 / 2)
}

fn words(r: &IngestReport, dry_run: bool) -> String {
    let verb = if dry_run { "would be added" } else { "added" };
    let mut text = format!(
        "{} scenes found: {} {verb}, {} in the cube already, {} refused",
        r.found,
        r.added,
        r.already,
        r.refused.len()
    );
    if r.archived > 0 {
        text +=
            &format!("\n{} are archived and stay out (`tesela scenes restore` brings them back)", r.archived);
    }
    if !dry_run {
        text += &format!("\n{} slots, {:.1} MB, snapshot {}", r.slots, r.bytes as f64 / 1e6, r.snapshot);
        if r.resumed > 0 {
            text += &format!("\n{} groups were finished by an earlier run that did not end", r.resumed);
        }
        if r.added > 0 {
            text += &format!("\n{:.2} pixels read for each pixel of the new scenes", r.overlap);
        }
    }
    for refused in &r.refused {
        text += &format!("\nrefused [{}] {}", refused.code, refused.reason);
    }
    for warning in r.warnings.iter().take(20) {
        text += &format!("\nwarning: {warning}");
    }
    if r.warnings.len() > 20 {
        text += &format!("\n… and {} more warnings (all with --json)", r.warnings.len() - 20);
    }
    text
}

/// `quarantine …`.
pub fn quarantine(
    cube: &Cube,
    command: &QuarantineCommand,
    progress: &dyn Progress,
    output: &Output,
) -> Result<(), Failure> {
    let rows = cube.index().quarantine()?;
    let find = |id: i64| {
        rows.iter()
            .find(|r| r.id == id)
            .ok_or_else(|| Failure::Message(format!("no refusal has number {id}")))
    };
    match command {
        QuarantineCommand::List => output.answer(&rows, || {
            if rows.is_empty() {
                return "nothing was refused".into();
            }
            rows.iter()
                .map(|r| format!("{:>5} {:<14} {:<22} {}", r.id, r.product, r.code, r.reason))
                .collect::<Vec<_>>()
                .join("\n")
        }),
        QuarantineCommand::Show { id } => {
            let r = find(*id)?;
            output.answer(r, || {
                format!("{}\nproduct {}\npath {}\nsince {}\n{}", r.code, r.product, r.path, r.noted, r.reason)
            });
        }
        QuarantineCommand::Retry { id } => {
            let chosen: Vec<_> = match id {
                Some(id) => vec![find(*id)?],
                None => rows.iter().collect(),
            };
            let _lock = cube.lock("quarantine retry")?;
            let mut added = 0;
            let mut refused = 0;
            for row in chosen {
                let path = PathBuf::from(&row.path);
                let report = add(cube, &row.product, &[path], &IngestOptions::default(), progress)?;
                added += report.added;
                refused += report.refused.len();
            }
            output.answer(&json!({"added": added, "refused": refused}), || {
                format!("{added} added, {refused} refused again")
            });
        }
    }
    Ok(())
}
