//! `snapshots`, `check`.

use std::process::ExitCode;

use serde_json::json;
use tesela_compute::Cube;
use tesela_index::SnapshotRow;
use tesela_model::Progress;

use crate::args::SnapshotsCommand;
use crate::failure::Failure;
use crate::output::Output;

/// `snapshots …`.
pub fn snapshots(cube: &Cube, command: &SnapshotsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        SnapshotsCommand::List { limit } => {
            let rows = cube.index().snapshots(*limit)?;
            output.answer(&rows, || {
                let line = |s: &SnapshotRow| {
                    let tags: String = s.tags.iter().map(|t| format!(" [{t}]")).collect();
                    let expired = if s.expired.is_some() { " (expired)" } else { "" };
                    format!("{:>6} {} {:<8} {}{tags}{expired}", s.n, s.created, s.kind, s.summary)
                };
                rows.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
        SnapshotsCommand::Tag { name, snapshot, note } => {
            let well_formed = !name.is_empty()
                && name.len() <= 64
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
            if !well_formed {
                return Err(Failure::Message(format!(
                    "{name:?} is no tag: give up to 64 letters, digits and -_.@"
                )));
            }
            let n = super::snapshot(cube, snapshot.as_deref())?;
            if n == 0 {
                return Err(Failure::Message(
                    "nothing has been committed yet: there is no snapshot to keep".into(),
                ));
            }
            cube.index().put_tag(name, n, note)?;
            output.answer(&json!({"tag": name, "snapshot": n}), || format!("snapshot {n} is kept as {name}"));
        }
        SnapshotsCommand::Untag { name } => {
            cube.index().delete_tag(name)?;
            output.answer(&json!({"untagged": name}), || format!("{name} is no tag any more"));
        }
    }
    Ok(())
}

/// Compares store and index; exit code 1 when they differ.
pub fn check(cube: &Cube, progress: &dyn Progress, output: &Output) -> Result<ExitCode, Failure> {
    let report = cube.check(progress)?;
    output.answer(&report, || {
        let mut lines: Vec<String> =
            report.faults.iter().map(|f| format!("{}: {}", f.kind, f.detail)).collect();
        lines.push(format!(
            "{} objects ({:.1} MB) in {} groups compared: {}",
            report.objects,
            report.bytes as f64 / 1e6,
            report.groups,
            if report.faults.is_empty() {
                "no difference".to_owned()
            } else {
                format!("{} fault(s)", report.faults.len())
            }
        ));
        lines.join("\n")
    });
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
