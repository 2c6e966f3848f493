//! `scenes`, `snapshots`, `check`.

use std::process::ExitCode;

use serde_json::json;
use tesela_compute::Cube;
use tesela_index::{SceneOrder, SceneQuery, SnapshotRow};
use tesela_model::{Progress, TimeSelector};

use crate::args::{ScenesCommand, SnapshotsCommand};
use crate::failure::Failure;
use crate::output::Output;

/// `scenes …`.
pub fn scenes(cube: &Cube, command: ScenesCommand, output: &Output) -> Result<(), Failure> {
    let snapshot = cube.snapshot(None)?;
    match command {
        ScenesCommand::List(asked) => {
            let query = SceneQuery {
                product: asked.product,
                platforms: asked.platform,
                time: asked.datetime.map(|t| TimeSelector::parse(&t)).transpose()?.map(|t| t.period()),
                bbox: asked.bbox,
                wrs_path: asked.path_row.map(|(path, _)| path),
                wrs_row: asked.path_row.map(|(_, row)| row),
                cloud_cover_max: asked.cloud,
                order: if asked.newest_first { SceneOrder::NewestFirst } else { SceneOrder::OldestFirst },
                limit: asked.limit,
                ..SceneQuery::default()
            };
            let rows = cube.index().scenes(&query, snapshot)?;
            let values: Vec<_> = rows
                .iter()
                .map(|s| {
                    json!({
                        "id": s.product_id, "product": s.product, "platform": s.platform, "datetime": s.acquired.to_string(),
                        "path": s.wrs_path, "row": s.wrs_row, "tier": s.tier, "cloud_cover": s.cloud_cover,
                        "bbox": [s.bbox.x_min, s.bbox.y_min, s.bbox.x_max, s.bbox.y_max], "synthetic": s.synthetic,
                        "added": s.added,
                    })
                })
                .collect();
            output.answer(&values, || {
                rows.iter()
                    .map(|s| {
                        let cloud = s.cloud_cover.map_or_else(|| "   -".into(), |c| format!("{c:4.0}"));
                        format!(
                            "{} {:<10} {:03}/{:03} {cloud} % {}",
                            s.acquired, s.platform, s.wrs_path, s.wrs_row, s.product_id
                        )
                    })
                    .collect::<Vec<_>>()
                    .join("\n")
            });
        }
        ScenesCommand::Show { id } => {
            let query = SceneQuery { id: Some(id.clone()), limit: 1, ..SceneQuery::default() };
            let found = cube.index().scenes(&query, snapshot)?;
            let row = found
                .first()
                .ok_or_else(|| Failure::Message(format!("no scene {id}; see `tesela scenes list`")))?;
            let text = cube.index().scene_document(row.id)?.unwrap_or_default();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            output.print(&serde_json::to_string_pretty(&value).unwrap_or_default());
        }
    }
    Ok(())
}

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
            let n = cube.snapshot(*snapshot)?;
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
