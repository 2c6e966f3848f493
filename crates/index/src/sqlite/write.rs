//! Writes: each is one transaction.

use rusqlite::{OptionalExtension, Transaction, params};
use tesela_grid::{GridDef, TileId};
use tesela_model::Instant;

use super::SqliteIndex;
use super::keep::drop_staged;
use super::read::AT_PREFIX;
use crate::error::Context;
use crate::lock::now_s;
use crate::{
    GenerationCommit, IndexError, IngestCommit, NewGroup, NewScene, NewSlot, ProductKind, ZoneSetCommit,
};

impl SqliteIndex {
    pub(super) fn write_grid(&self, grid: &GridDef) -> Result<(), IndexError> {
        let text = serde_json::to_string(grid).unwrap_or_default();
        self.with_writer(|tx| {
            let old: Option<String> = tx
                .query_row("SELECT definition FROM grids WHERE id = ?1", [&grid.id], |r| r.get(0))
                .optional()
                .context("read grid")?;
            match old {
                Some(old) if old == text => Ok(()),
                Some(_) => Err(IndexError::Duplicate {
                    what: "grid",
                    id: grid.id.clone(),
                    hint: " with another definition; give the new one another id",
                }),
                None => {
                    tx.execute("INSERT INTO grids VALUES (?1, ?2)", (&grid.id, &text)).context("add grid")?;
                    Ok(())
                }
            }
        })
    }

    pub(super) fn write_product(
        &self,
        id: &str,
        kind: ProductKind,
        grid: &str,
        definition: &str,
    ) -> Result<(), IndexError> {
        let kind = match kind {
            ProductKind::Scenes => "scenes",
            ProductKind::Derived => "derived",
        };
        self.with_writer(|tx| {
            let old: Option<(String, String)> = tx
                .query_row("SELECT kind, grid FROM products WHERE id = ?1", [id], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()
                .context("read product")?;
            if let Some((old_kind, old_grid)) = old {
                let filled: bool = tx
                    .query_row("SELECT EXISTS (SELECT 1 FROM groups WHERE product = ?1)", [id], |r| r.get(0))
                    .context("read product")?;
                if filled && (old_kind != kind || old_grid != grid) {
                    return Err(IndexError::Duplicate {
                        what: "product",
                        id: id.into(),
                        hint: " and holds data on another grid or of another kind; give the new one another id",
                    });
                }
            }
            tx.execute(
                "INSERT INTO products (id, kind, grid, definition, updated) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET kind = ?2, grid = ?3, definition = ?4, updated = ?5",
                params![id, kind, grid, definition, now_s() as i64],
            )
            .context("add product")?;
            bump(tx)
        })
    }

    pub(super) fn write_begin_run(&self, kind: &str) -> Result<String, IndexError> {
        self.with_writer(|tx| {
            let n: i64 = tx
                .query_row("SELECT coalesce(max(rowid), 0) FROM runs", (), |r| r.get(0))
                .context("begin run")?;
            let id = format!("{:x}-{n:x}", now_s());
            tx.execute(
                "INSERT INTO runs (id, kind, host, pid, started) VALUES (?1, ?2, '', ?3, ?4)",
                params![id, kind, std::process::id(), now_s() as i64],
            )
            .context("begin run")?;
            Ok(id)
        })
    }

    pub(super) fn write_end_run(&self, run: &str) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            tx.execute("UPDATE runs SET finished = ?2 WHERE id = ?1", params![run, now_s() as i64])
                .context("end run")?;
            Ok(())
        })
    }

    pub(super) fn write_ingest(&self, c: &IngestCommit) -> Result<u64, IndexError> {
        self.with_writer(|tx| {
            let n = next_snapshot(tx, c.change.as_str(), &c.summary)?;
            super::archived::take_out(tx, &c.product, &c.archived, n)?;
            super::archived::bring_back(tx, &c.restored, n)?;
            let mut ids = std::collections::HashMap::new();
            for scene in &c.scenes {
                ids.insert(scene.product_id.as_str(), insert_scene(tx, &c.product, scene, n)?);
            }
            let derived = derived_from(tx, &c.product)?;
            let mut groups = std::collections::HashMap::new();
            for group in &c.slot_groups {
                groups.insert(group.prefix.as_str(), insert_group(tx, &c.product, "slots", &c.run, group)?);
            }
            for group in &c.overview_groups {
                groups.insert(group.prefix.as_str(), insert_group(tx, &c.product, "overviews", &c.run, group)?);
            }
            for slot in &c.slots {
                let group = match groups.get(slot.prefix.as_str()) {
                    Some(id) => Some(*id),
                    None => find_group(tx, &slot.prefix)?,
                };
                insert_slot(tx, &c.product, &derived, slot, group, n, &ids)?;
            }
            super::archived::empty_slots(tx, &c.product, &derived, &c.emptied, n)?;
            let remade = c.overviews.iter().map(|o| (&o.solar_day, &o.platform));
            for (solar_day, platform) in remade.chain(c.emptied_days.iter().map(|(d, p)| (d, p))) {
                tx.prepare_cached(
                    // The bounds on the time are what the index is entered by: a solar day is hours from the day in UTC.
                    "UPDATE overviews SET retired = ?4 WHERE product = ?1 AND solar_day = ?2 AND platform = ?3
                     AND retired IS NULL AND time BETWEEN unixepoch(?2) - 172800 AND unixepoch(?2) + 172800",
                )
                .context("retire overview")?
                .execute(params![c.product, solar_day, platform, n])
                .context("retire overview")?;
            }
            for o in &c.overviews {
                tx.prepare_cached(
                    "INSERT INTO overviews (product, solar_day, time, platform, group_id, position, slots_digest, ix_min,
                     iy_min, ix_end, iy_end, added)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )
                .context("add overview")?
                .execute(params![
                    c.product, o.solar_day, o.time.0, o.platform, groups.get(o.prefix.as_str()), o.position as i64, o.slots_digest,
                    o.tile_min.ix, o.tile_min.iy, o.tile_end.ix, o.tile_end.iy, n
                ])
                .context("add overview")?;
            }
            drop_staged(tx, &c.product, &c.staged)?;
            bump(tx)?;
            Ok(n as u64)
        })
    }

    pub(super) fn write_generations(&self, c: &GenerationCommit) -> Result<u64, IndexError> {
        self.with_writer(|tx| {
            let n = next_snapshot(tx, "compute", &c.summary)?;
            for g in &c.generations {
                let group = insert_group(tx, &c.product, "generation", &c.run, &g.group)?;
                let retired: Option<i64> = tx
                    .query_row(
                        "SELECT id FROM generations WHERE product = ?1 AND period_start = ?2 AND retired IS NULL",
                        params![c.product, g.period.start.0],
                        |r| r.get(0),
                    )
                    .optional()
                    .context("retire generation")?;
                if let Some(old) = retired {
                    retire_generation(tx, old, n)?;
                }
                tx.execute(
                    "INSERT INTO generations (product, period_start, period_end, group_id, ix_min, iy_min, ix_end,
                     iy_end, provenance, added) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    params![
                        c.product,
                        g.period.start.0,
                        g.period.end.0,
                        group,
                        g.tile_min.ix,
                        g.tile_min.iy,
                        g.tile_end.ix,
                        g.tile_end.iy,
                        g.provenance,
                        n
                    ],
                )
                .context("add generation")?;
                let id = tx.last_insert_rowid();
                for slot in &g.slots {
                    tx.prepare_cached("INSERT INTO generation_slots VALUES (?1, ?2)")
                        .context("add lineage")?
                        .execute((id, slot))
                        .context("add lineage")?;
                }
                for source in &g.sources {
                    tx.prepare_cached("INSERT INTO generation_sources VALUES (?1, ?2)")
                        .context("add lineage")?
                        .execute((id, source))
                        .context("add lineage")?;
                }
                tx.execute(
                    "DELETE FROM stale WHERE product = ?1 AND period_start = ?2",
                    params![c.product, g.period.start.0],
                )
                .context("clear stale marks")?;
            }
            for id in &c.withdrawn {
                retire_generation(tx, *id, n)?;
                tx.execute(
                    "DELETE FROM stale WHERE product = ?1
                     AND period_start = (SELECT period_start FROM generations WHERE id = ?2)",
                    params![c.product, id],
                )
                .context("clear stale marks")?;
            }
            bump(tx)?;
            Ok(n as u64)
        })
    }

    pub(super) fn write_zone_set(&self, c: &ZoneSetCommit) -> Result<u64, IndexError> {
        let s = &c.set;
        self.with_writer(|tx| {
            let taken: bool = tx
                .query_row("SELECT EXISTS (SELECT 1 FROM zone_sets WHERE id = ?1)", [&s.id], |r| r.get(0))
                .context("read zone set")?;
            if taken {
                return Err(IndexError::Duplicate {
                    what: "zone set",
                    id: s.id.clone(),
                    hint: "; an edition never changes: give the new one another edition (--id NAME@EDITION)",
                });
            }
            let n = next_snapshot(
                tx,
                "zones",
                &format!("{{\"zone_set\":{:?},\"zones\":{}}}", s.id, s.zones.len()),
            )?;
            let Some(bbox) = s.zones.iter().map(|z| z.bbox).reduce(|a, b| a.union(&b)) else {
                return Err(IndexError::UnknownZoneSet {
                    id: s.id.clone(),
                    known: "no zones were given".into(),
                });
            };
            tx.execute(
                "INSERT INTO zone_sets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![
                    s.id,
                    s.title,
                    s.edition,
                    s.key_field,
                    s.source,
                    s.synthetic,
                    s.zones.len() as i64,
                    bbox.x_min,
                    bbox.y_min,
                    bbox.x_max,
                    bbox.y_max,
                    s.report,
                    n
                ],
            )
            .context("add zone set")?;
            let mut add = tx
                .prepare("INSERT INTO zones VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
                .context("add zone")?;
            for (ordinal, z) in s.zones.iter().enumerate() {
                add.execute(params![
                    s.id,
                    ordinal as i64,
                    z.key,
                    z.properties,
                    z.geometry,
                    z.area_m2,
                    z.bbox.x_min,
                    z.bbox.y_min,
                    z.bbox.x_max,
                    z.bbox.y_max
                ])
                .context("add zone")?;
            }
            let mut add = tx
                .prepare("INSERT INTO zone_coverage VALUES (?1, ?2, ?3, ?4, ?5)")
                .context("add coverage")?;
            for (grid, tile, blob) in &c.coverage {
                add.execute(params![s.id, grid, tile.ix, tile.iy, blob]).context("add coverage")?;
            }
            bump(tx)?;
            Ok(n as u64)
        })
    }

    pub(super) fn write_quarantine(
        &self,
        product: &str,
        path: &str,
        code: &str,
        reason: &str,
    ) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            tx.execute(
                "INSERT INTO quarantine (product, path, code, reason, noted) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (product, path) DO UPDATE SET code = ?3, reason = ?4, noted = ?5",
                params![product, path, code, reason, now_s() as i64],
            )
            .context("note refusal")?;
            Ok(())
        })
    }

    pub(super) fn write_clear_quarantine(&self, product: &str, path: &str) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            tx.execute("DELETE FROM quarantine WHERE product = ?1 AND path = ?2", (product, path))
                .context("clear refusal")?;
            Ok(())
        })
    }
}

/// Takes the next snapshot number. The clock is only a note: numbers give the order, and a clock that was put back
/// repeats the last note.
fn next_snapshot(tx: &Transaction<'_>, kind: &str, summary: &str) -> Result<i64, IndexError> {
    let n: i64 = tx
        .query_row("SELECT coalesce(max(n), 0) + 1 FROM snapshots", (), |r| r.get(0))
        .context("next snapshot")?;
    tx.execute(
        "INSERT INTO snapshots (n, created, kind, summary)
         VALUES (?1, max(?2, (SELECT coalesce(max(created), 0) FROM snapshots)), ?3, ?4)",
        params![n, now_s() as i64, kind, summary],
    )
    .context("next snapshot")?;
    Ok(n)
}

pub(super) fn bump(tx: &Transaction<'_>) -> Result<(), IndexError> {
    tx.execute(
        "INSERT INTO cube VALUES ('changes', '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        (),
    )
    .context("count change")?;
    Ok(())
}

pub(super) fn insert_group(
    tx: &Transaction<'_>,
    product: &str,
    kind: &str,
    run: &str,
    group: &NewGroup,
) -> Result<i64, IndexError> {
    tx.prepare_cached("INSERT INTO groups (product, kind, prefix, run, archive) VALUES (?1, ?2, ?3, ?4, ?5)")
        .context("add group")?
        .execute((product, kind, &group.prefix, run, group.archive))
        .context("add group")?;
    let id = tx.last_insert_rowid();
    let mut add = tx
        .prepare_cached("INSERT INTO objects (key, group_id, bytes, digest) VALUES (?1, ?2, ?3, ?4)")
        .context("add object")?;
    for o in &group.objects {
        add.execute(params![o.key, id, o.bytes as i64, o.digest]).context("add object")?;
    }
    Ok(id)
}

/// A group of the cube by its prefix.
fn find_group(tx: &Transaction<'_>, prefix: &str) -> Result<Option<i64>, IndexError> {
    let sql = format!("SELECT g.id FROM groups g WHERE {AT_PREFIX}");
    let mut find = tx.prepare_cached(&sql).context("find group")?;
    find.query_row([prefix], |r| r.get(0)).optional().context("find group")
}

fn insert_scene(tx: &Transaction<'_>, product: &str, s: &NewScene, n: i64) -> Result<i64, IndexError> {
    tx.prepare_cached(
        "UPDATE scenes SET retired = ?3 WHERE product = ?1 AND scene_key = ?2 AND retired IS NULL",
    )
    .context("retire scene")?
    .execute(params![product, s.scene_key, n])
    .context("retire scene")?;
    tx.prepare_cached(
        "INSERT INTO scenes (product, scene_key, product_id, platform, wrs_path, wrs_row, acquired, solar_day,
         processed, tier, cloud_cover, west, south, east, north, synthetic, added)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )
    .context("add scene")?
    .execute(params![
        product, s.scene_key, s.product_id, s.platform, s.wrs_path, s.wrs_row, s.acquired.0, s.solar_day, s.processed,
        s.tier, s.cloud_cover, s.bbox.x_min, s.bbox.y_min, s.bbox.x_max, s.bbox.y_max, s.synthetic, n
    ])
    .context("add scene")?;
    let id = tx.last_insert_rowid();
    super::search::widen_footprint(tx, product, s)?;
    tx.prepare_cached("INSERT INTO scene_documents VALUES (?1, ?2)")
        .context("add scene")?
        .execute((id, &s.document))
        .context("add scene")?;
    Ok(id)
}

fn insert_slot(
    tx: &Transaction<'_>,
    product: &str,
    derived: &[String],
    s: &NewSlot,
    group: Option<i64>,
    n: i64,
    new_scenes: &std::collections::HashMap<&str, i64>,
) -> Result<(), IndexError> {
    let old: Option<(i64, u32)> = tx
        .prepare_cached(
            "SELECT id, revision FROM slots WHERE product = ?1 AND ix = ?2 AND iy = ?3 AND solar_day = ?4
             AND platform = ?5 AND retired IS NULL AND time BETWEEN ?6 - 172800 AND ?6 + 172800",
        )
        .context("find slot")?
        .query_row(params![product, s.tile.ix, s.tile.iy, s.solar_day, s.platform, s.time.0], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()
        .context("find slot")?;
    if let Some((id, _)) = old {
        tx.prepare_cached("UPDATE slots SET retired = ?2 WHERE id = ?1")
            .context("retire slot")?
            .execute(params![id, n])
            .context("retire slot")?;
    }
    tx.prepare_cached(
        "INSERT INTO slots (product, ix, iy, solar_day, time, platform, revision, added)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .context("add slot")?
    .execute(params![
        product,
        s.tile.ix,
        s.tile.iy,
        s.solar_day,
        s.time.0,
        s.platform,
        old.map_or(0, |(_, r)| r + 1),
        n
    ])
    .context("add slot")?;
    let id = tx.last_insert_rowid();
    tx.prepare_cached("INSERT INTO slot_locations VALUES (?1, ?2, ?3)")
        .context("place slot")?
        .execute(params![id, group, s.position as i64])
        .context("place slot")?;
    for (rank, name) in s.scenes.iter().enumerate() {
        let scene: Option<i64> = match new_scenes.get(name.as_str()) {
            Some(id) => Some(*id),
            None => tx
                .query_row(
                    "SELECT id FROM scenes WHERE product = ?1 AND product_id = ?2 AND retired IS NULL",
                    (product, name),
                    |r| r.get(0),
                )
                .optional()
                .context("find scene")?,
        };
        let Some(scene) = scene else {
            return Err(IndexError::Corrupt {
                what: "slot",
                id: format!("{product} {} {}", s.tile, s.solar_day),
                message: format!("scene {name} is not registered"),
            });
        };
        tx.prepare_cached("INSERT INTO slot_scenes VALUES (?1, ?2, ?3)")
            .context("add lineage")?
            .execute(params![id, scene, rank as i64])
            .context("add lineage")?;
    }
    mark_stale(tx, derived, s.tile, s.time, n)
}

/// Retires a derived raster; what was made from it is stale now.
fn retire_generation(tx: &Transaction<'_>, id: i64, n: i64) -> Result<(), IndexError> {
    tx.execute("UPDATE generations SET retired = ?2 WHERE id = ?1", params![id, n])
        .context("retire generation")?;
    tx.execute(
        "INSERT OR IGNORE INTO stale SELECT d.product, d.period_start, d.ix_min, d.iy_min, ?2
         FROM generation_sources s JOIN generations d ON d.id = s.generation_id
         WHERE s.source_id = ?1 AND d.retired IS NULL",
        params![id, n],
    )
    .context("mark stale")?;
    Ok(())
}

/// Products made from a product.
fn derived_from(tx: &Transaction<'_>, product: &str) -> Result<Vec<String>, IndexError> {
    let mut find = tx
        .prepare_cached("SELECT id FROM products WHERE json_extract(definition, '$.input') = ?1")
        .context("find derived products")?;
    let ids = find.query_map([product], |r| r.get(0)).context("find derived products")?;
    ids.collect::<Result<_, _>>().context("find derived products")
}

/// Rasters of derived products whose period holds a slot's time are stale in its tile.
pub(super) fn mark_stale(
    tx: &Transaction<'_>,
    derived: &[String],
    tile: TileId,
    time: Instant,
    n: i64,
) -> Result<(), IndexError> {
    for product in derived {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO stale
             SELECT product, period_start, ?2, ?3, ?5 FROM generations
             WHERE product = ?1 AND period_start <= ?4 AND ?4 < period_end AND retired IS NULL",
        )
        .context("mark stale")?
        .execute(params![product, tile.ix, tile.iy, time.0, n])
        .context("mark stale")?;
    }
    Ok(())
}
