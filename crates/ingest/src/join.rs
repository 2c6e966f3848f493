//! What the cube holds of a day: scenes to fuse again with others, tiles that a scene has left, scenes that stay out.

use std::collections::{BTreeMap, BTreeSet};

use tesela_grid::{GridDef, TileId};
use tesela_index::{ArchivedRow, Index, SceneQuery, SceneRow};
use tesela_model::ProductDef;

use crate::IngestError;
use crate::plan::{Day, DayKey, PlannedScene, place, resolve_files};
use crate::source::SceneSource;

/// Adds to a day of new scenes those that the cube holds in the slots which change, so that these are fused from all
/// their sources; and the tiles that an earlier processing met and the new one does not. `known` are the scenes of the
/// cube by key, `replaced` the keys of those that go with the same commit. The scenes that were joined.
pub(crate) fn join_day(
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    day: &mut Day,
    known: &BTreeMap<&str, &SceneRow>,
    replaced: &BTreeSet<String>,
    snapshot: u64,
) -> Result<Vec<String>, IngestError> {
    let new: BTreeSet<String> = day.scenes.iter().map(|s| s.source.product_id.clone()).collect();
    let keys: BTreeSet<String> = day.scenes.iter().map(|s| s.source.scene_key.clone()).collect();
    let met = day.tiles(grid, &new);
    for key in &keys {
        let Some(earlier) = known.get(key.as_str()) else { continue };
        let slots = index.scene_slots(earlier.id, snapshot)?;
        day.left.extend(slots.iter().filter(|s| day.key.holds(s) && !met.contains(&s.tile)).map(|s| s.tile));
    }
    let mut sharing = scenes_in(index, product, &day.key, &day.tiles(grid, &new), snapshot)?;
    sharing.retain(|id, row| {
        !keys.contains(&row.scene_key) && !replaced.contains(&row.scene_key) && !new.contains(id)
    });
    let mut joined = Vec::with_capacity(sharing.len());
    for row in sharing.values() {
        let scene = placed(index, product, grid, row).map_err(|reason| IngestError::RefuseSource {
            product_id: new.first().cloned().unwrap_or_default(),
            other: row.product_id.clone(),
            reason,
        })?;
        joined.push(scene);
    }
    day.scenes.extend(joined);
    day.sort();
    Ok(sharing.into_keys().collect())
}

/// Where new scenes leave a day altogether: an earlier processing put them on another solar day. The tiles by that day,
/// and the scenes that leave it.
pub(crate) fn days_left(
    index: &dyn Index,
    days: &[Day],
    known: &BTreeMap<&str, &SceneRow>,
    snapshot: u64,
) -> Result<BTreeMap<DayKey, LeftDay>, IngestError> {
    let mut found: BTreeMap<DayKey, LeftDay> = BTreeMap::new();
    let new = days.iter().flat_map(|day| day.scenes.iter().map(move |scene| (day.key, &scene.source)));
    for (key, source) in new {
        let Some(earlier) = known.get(source.scene_key.as_str()) else { continue };
        for slot in index.scene_slots(earlier.id, snapshot)?.iter().filter(|slot| !key.holds(slot)) {
            let text = index.scene_document(earlier.id)?.unwrap_or_default();
            let platform = serde_json::from_str::<SceneSource>(&text).map(|s| s.platform.stac_name());
            let (Ok(platform), Ok(solar_day)) = (platform, slot.solar_day.parse()) else { continue };
            let left = found.entry(DayKey { solar_day, platform }).or_default();
            left.tiles.insert(slot.tile);
            left.scenes.insert(source.product_id.clone());
        }
    }
    Ok(found)
}

/// What leaves a day.
#[derive(Debug, Default)]
pub(crate) struct LeftDay {
    pub(crate) tiles: BTreeSet<TileId>,
    /// Identifiers of the new scenes that were on it before.
    pub(crate) scenes: BTreeSet<String>,
}

/// Scenes of a day's slots in some tiles, by identifier.
pub(crate) fn scenes_in(
    index: &dyn Index,
    product: &ProductDef,
    day: &DayKey,
    tiles: &BTreeSet<TileId>,
    snapshot: u64,
) -> Result<BTreeMap<String, SceneRow>, IngestError> {
    let mut found = BTreeMap::new();
    for tile in tiles {
        for slot in index.slots(&product.product, Some(*tile), &day.around(), snapshot)? {
            if day.holds(&slot) {
                let rows = index.slot_scenes(slot.id)?.into_iter();
                found.extend(rows.map(|row| (row.product_id.clone(), row)));
            }
        }
    }
    Ok(found)
}

/// A scene of the cube, its files opened again; else why not, with the file.
pub(crate) fn placed(
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    row: &SceneRow,
) -> Result<PlannedScene, String> {
    let text = index.scene_document(row.id).map_err(|e| e.to_string())?.unwrap_or_default();
    placed_from(product, grid, &text)
}

/// A scene as its document describes it, its files opened again; else why not, with the file.
pub(crate) fn placed_from(
    product: &ProductDef,
    grid: &GridDef,
    document: &str,
) -> Result<PlannedScene, String> {
    let source: SceneSource = serde_json::from_str(document)
        .map_err(|e| format!("the index has no description of it that can be read: {e}"))?;
    let files = resolve_files(product, &source).map_err(|e| e.to_string())?;
    if let Some((_, band, file)) = files.iter().find(|(_, _, file)| !file.path.exists()) {
        return Err(format!("{} is missing (its band {band})", file.path.display()));
    }
    place(product, grid, source, files).map_err(|e| e.to_string())
}

/// Scenes without those that the operator archived, and how many these were. A processing later than every archived
/// one of its scene comes in.
pub(crate) fn without_archived(
    index: &dyn Index,
    product: &ProductDef,
    scenes: Vec<SceneSource>,
    snapshot: u64,
) -> Result<(Vec<SceneSource>, usize), IngestError> {
    let mut latest: BTreeMap<String, Option<String>> = BTreeMap::new();
    for ArchivedRow { scene_key, processed, .. } in index.archived_scenes(Some(&product.product), snapshot)? {
        let held = latest.entry(scene_key).or_default();
        *held = std::mem::take(held).max(processed);
    }
    let (mut coming, mut out) = (Vec::with_capacity(scenes.len()), 0);
    for scene in scenes {
        let processed = scene.processed.map(|d| d.to_string());
        let archived = latest.get(&scene.scene_key).is_some_and(|archived| processed <= *archived);
        // An earlier processing that the operator restored is in the cube.
        let query = || SceneQuery {
            product: Some(product.product.clone()),
            id: Some(scene.product_id.clone()),
            limit: 1,
            ..SceneQuery::default()
        };
        if archived && index.scenes(&query(), snapshot)?.is_empty() {
            out += 1;
        } else {
            coming.push(scene);
        }
    }
    Ok((coming, out))
}
