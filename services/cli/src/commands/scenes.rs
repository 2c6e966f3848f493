//! `scenes`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tesela_compute::{Cube, Product};
use tesela_index::{ArchivedRow, SceneOrder, SceneQuery};
use tesela_ingest::{IngestOptions, archive_scenes, restore_scenes};
use tesela_model::{Progress, TimeSelector};

use super::ingest::half_of_memory;
use crate::args::{ChosenScenes, ScenesArchiveArgs, ScenesCommand, ScenesListArgs};
use crate::failure::Failure;
use crate::output::Output;

/// `scenes …`.
pub fn run(
    cube: &Cube,
    command: ScenesCommand,
    progress: &dyn Progress,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ScenesCommand::List(asked) if asked.archived => list_archived(cube, &asked, output)?,
        ScenesCommand::List(asked) => {
            let snapshot = super::snapshot(cube, asked.snapshot.as_deref())?;
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
        ScenesCommand::Show { id, snapshot } => {
            let snapshot = super::snapshot(cube, snapshot.as_deref())?;
            let query = SceneQuery { id: Some(id.clone()), limit: 1, ..SceneQuery::default() };
            let found = cube.index().scenes(&query, snapshot)?;
            let row = found
                .first()
                .ok_or_else(|| Failure::Message(format!("no scene {id}; see `tesela scenes list`")))?;
            let text = cube.index().scene_document(row.id)?.unwrap_or_default();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            output.print(&serde_json::to_string_pretty(&value).unwrap_or_default());
        }
        ScenesCommand::Archive(args) => archive(cube, &args, progress, output)?,
        ScenesCommand::Restore(args) => restore(cube, &args.chosen, progress, output)?,
    }
    Ok(())
}

/// Scenes that the operator took out, oldest first.
fn list_archived(cube: &Cube, asked: &ScenesListArgs, output: &Output) -> Result<(), Failure> {
    let snapshot = super::snapshot(cube, asked.snapshot.as_deref())?;
    let time = asked.datetime.as_deref().map(TimeSelector::parse).transpose()?.map(|t| t.period());
    let wanted = |s: &ArchivedRow| {
        time.is_none_or(|t| t.contains(s.acquired))
            && (asked.platform.is_empty() || asked.platform.contains(&s.platform))
            && asked.path_row.is_none_or(|at| at == (s.wrs_path, s.wrs_row))
    };
    let mut rows = cube.index().archived_scenes(asked.product.as_deref(), snapshot)?;
    rows.retain(wanted);
    if asked.newest_first {
        rows.reverse();
    }
    rows.truncate(if asked.limit == 0 { usize::MAX } else { asked.limit });
    let values: Vec<_> = rows
        .iter()
        .map(|s| {
            json!({
                "id": s.product_id, "product": s.product, "platform": s.platform, "datetime": s.acquired.to_string(),
                "path": s.wrs_path, "row": s.wrs_row, "reason": s.reason, "archived": s.noted.to_string(),
                "snapshot": s.added,
            })
        })
        .collect();
    output.answer(&values, || {
        if rows.is_empty() {
            return "no scene is archived".into();
        }
        rows.iter()
            .map(|s| {
                format!("{} {} archived {} ({}) {}", s.acquired, s.product_id, s.noted, s.added, s.reason)
            })
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(())
}

/// The product of some scenes, visible or archived.
fn product_of(cube: &Cube, chosen: &ChosenScenes) -> Result<std::sync::Arc<Product>, Failure> {
    let catalog = cube.fresh_catalog()?;
    if let Some(id) = &chosen.product {
        return Ok(catalog.product(id)?.clone());
    }
    let archived = cube.index().archived_scenes(None, catalog.snapshot)?;
    let mut products = BTreeSet::new();
    for id in &chosen.scenes {
        let query = SceneQuery { id: Some(id.clone()), ..SceneQuery::default() };
        let visible = cube.index().scenes(&query, catalog.snapshot)?.into_iter().map(|s| s.product);
        let out = archived.iter().filter(|a| a.product_id == *id).map(|a| a.product.clone());
        let holding: BTreeSet<String> = visible.chain(out).collect();
        if holding.is_empty() {
            return Err(Failure::Message(format!(
                "no scene {id}; see `tesela scenes list` and `tesela scenes list --archived`"
            )));
        }
        products.extend(holding);
    }
    let several = products.iter().cloned().collect::<Vec<_>>().join(", ");
    match products.pop_first() {
        Some(id) if products.is_empty() => Ok(catalog.product(&id)?.clone()),
        _ => Err(Failure::Message(format!("these scenes are in {several}: say which with --product"))),
    }
}

fn options(chosen: &ChosenScenes) -> IngestOptions {
    IngestOptions { memory_bytes: chosen.limits.memory.or_else(half_of_memory), ..IngestOptions::default() }
}

fn archive(
    cube: &Cube,
    args: &ScenesArchiveArgs,
    progress: &dyn Progress,
    output: &Output,
) -> Result<(), Failure> {
    let chosen = &args.chosen;
    super::use_threads(chosen.limits.threads);
    let _lock = cube.lock_within("scenes archive", Duration::from_secs(chosen.wait))?;
    let product = product_of(cube, chosen)?;
    let def = super::ingest::scenes_of(&product)?;
    let (store, index, grid) = (cube.store(), cube.index(), &product.grid);
    let options = options(chosen);
    let report = archive_scenes(store, index, def, grid, &chosen.scenes, &args.reason, &options, progress)?;
    output.answer(&report, || {
        format!(
            "{} scenes archived, {} were already; {} slots made again without them, {} gone with them, snapshot {}",
            report.archived.len(),
            report.already.len(),
            report.fused_slots,
            report.emptied_slots,
            report.snapshot
        )
    });
    Ok(())
}

fn restore(
    cube: &Cube,
    chosen: &ChosenScenes,
    progress: &dyn Progress,
    output: &Output,
) -> Result<(), Failure> {
    super::use_threads(chosen.limits.threads);
    let _lock = cube.lock_within("scenes restore", Duration::from_secs(chosen.wait))?;
    let product = product_of(cube, chosen)?;
    let def = super::ingest::scenes_of(&product)?;
    let (store, index, grid) = (cube.store(), cube.index(), &product.grid);
    let report = restore_scenes(store, index, def, grid, &chosen.scenes, &options(chosen), progress)?;
    output.answer(&report, || {
        format!(
            "{} scenes restored from their files, {} from the store, {} were in the cube; {} slots, snapshot {}",
            report.from_source.len(),
            report.from_store.len(),
            report.already.len(),
            report.slots,
            report.snapshot
        )
    });
    Ok(())
}
