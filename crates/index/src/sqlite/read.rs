//! Reads, and the trait.

use rusqlite::{OptionalExtension, Row, params};
use tesela_grid::{BoundingBox, GridDef, TileId};
use tesela_model::{Instant, Period};

use super::SqliteIndex;
use super::search::{circle, meets};
use crate::error::Context;
use crate::{
    ArchivedRow, Collected, GenerationCommit, GenerationRow, GroupRow, Index, IndexError, IngestCommit,
    MoveCommit, ObjectRow, OverviewRow, PositionRow, ProductKind, ProductRow, QuarantineRow, SceneDayRow,
    SceneOrder, SceneQuery, SceneRow, SlotRow, SnapshotRow, StagedRow, StaleRow, TagRow, ZoneRow,
    ZoneSetCommit, ZoneSetRow,
};

pub(super) const SCENE: &str = "s.id, s.product, s.scene_key, s.product_id, s.platform, s.wrs_path, s.wrs_row, s.acquired, \
     s.solar_day, s.processed, s.tier, s.cloud_cover, s.west, s.south, s.east, s.north, s.synthetic, s.added";

pub(super) fn scene(r: &Row<'_>) -> rusqlite::Result<SceneRow> {
    Ok(SceneRow {
        id: r.get(0)?,
        product: r.get(1)?,
        scene_key: r.get(2)?,
        product_id: r.get(3)?,
        platform: r.get(4)?,
        wrs_path: r.get(5)?,
        wrs_row: r.get(6)?,
        acquired: Instant(r.get(7)?),
        solar_day: r.get(8)?,
        processed: r.get(9)?,
        tier: r.get(10)?,
        cloud_cover: r.get(11)?,
        bbox: BoundingBox::new(r.get(12)?, r.get(13)?, r.get(14)?, r.get(15)?),
        synthetic: r.get(16)?,
        added: r.get::<_, i64>(17)? as u64,
    })
}

pub(super) const SLOT: &str =
    "s.id, s.ix, s.iy, s.solar_day, s.time, s.platform, s.revision, g.prefix, l.position, g.archive
     FROM slots s JOIN slot_locations l ON l.slot_id = s.id JOIN groups g ON g.id = l.group_id";

pub(super) fn slot(r: &Row<'_>) -> rusqlite::Result<SlotRow> {
    Ok(SlotRow {
        id: r.get(0)?,
        tile: TileId { ix: r.get(1)?, iy: r.get(2)? },
        solar_day: r.get(3)?,
        time: Instant(r.get(4)?),
        platform: r.get(5)?,
        revision: r.get(6)?,
        prefix: r.get(7)?,
        position: r.get::<_, i64>(8)? as u64,
        archive: r.get(9)?,
    })
}

/// Of the groups `g` the one at the prefix `?1`; its last part comes first in the index, see migration 4.
pub(super) const AT_PREFIX: &str =
    "g.name = replace(?1, rtrim(?1, replace(?1, '/', '')), '') AND g.prefix = ?1";

pub(super) const GENERATION: &str =
    "d.id, d.product, d.period_start, d.period_end, g.prefix, d.ix_min, d.iy_min, d.ix_end, d.iy_end,
     d.provenance, d.added FROM generations d JOIN groups g ON g.id = d.group_id";

pub(super) fn generation(r: &Row<'_>) -> rusqlite::Result<GenerationRow> {
    Ok(GenerationRow {
        id: r.get(0)?,
        product: r.get(1)?,
        period: Period { start: Instant(r.get(2)?), end: Instant(r.get(3)?) },
        prefix: r.get(4)?,
        tile_min: TileId { ix: r.get(5)?, iy: r.get(6)? },
        tile_end: TileId { ix: r.get(7)?, iy: r.get(8)? },
        provenance: r.get(9)?,
        added: r.get::<_, i64>(10)? as u64,
    })
}

pub(super) const OVERVIEW: &str =
    "o.id, o.solar_day, o.time, o.platform, g.prefix, o.position, o.slots_digest, o.ix_min, o.iy_min,
     o.ix_end, o.iy_end";

pub(super) fn overview(r: &Row<'_>) -> rusqlite::Result<OverviewRow> {
    Ok(OverviewRow {
        id: r.get(0)?,
        solar_day: r.get(1)?,
        time: Instant(r.get(2)?),
        platform: r.get(3)?,
        prefix: r.get(4)?,
        position: r.get::<_, i64>(5)? as u64,
        slots_digest: r.get(6)?,
        tile_min: TileId { ix: r.get(7)?, iy: r.get(8)? },
        tile_end: TileId { ix: r.get(9)?, iy: r.get(10)? },
    })
}

const SNAPSHOT: &str = "n, created, kind, summary, expired,
       (SELECT group_concat(name, char(10)) FROM (SELECT name FROM tags t WHERE t.n = s.n ORDER BY name))
     FROM snapshots s";

fn snapshot(r: &Row<'_>) -> rusqlite::Result<SnapshotRow> {
    let tags: Option<String> = r.get(5)?;
    Ok(SnapshotRow {
        n: r.get::<_, i64>(0)? as u64,
        created: Instant(r.get(1)?),
        kind: r.get(2)?,
        summary: r.get(3)?,
        expired: r.get::<_, Option<i64>>(4)?.map(Instant),
        tags: tags.map(|t| t.lines().map(str::to_owned).collect()).unwrap_or_default(),
    })
}

fn object(r: &Row<'_>) -> rusqlite::Result<ObjectRow> {
    Ok(ObjectRow { key: r.get(0)?, bytes: r.get::<_, i64>(1)? as u64, digest: r.get(2)?, prefix: r.get(3)? })
}

fn zone(r: &Row<'_>) -> rusqlite::Result<ZoneRow> {
    Ok(ZoneRow {
        ordinal: r.get(0)?,
        key: r.get(1)?,
        properties: r.get(2)?,
        geometry: r.get(3)?,
        area_m2: r.get(4)?,
    })
}

impl SqliteIndex {
    pub(super) fn list<T>(
        &self,
        context: &'static str,
        sql: &str,
        parameters: impl rusqlite::Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, IndexError> {
        self.with_reader(|db| {
            let mut statement = db.prepare_cached(sql).context(context)?;
            let rows = statement.query_map(parameters, row).context(context)?;
            rows.collect::<Result<_, _>>().context(context)
        })
    }

    pub(super) fn one<T>(
        &self,
        context: &'static str,
        sql: &str,
        parameters: impl rusqlite::Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, IndexError> {
        self.with_reader(|db| {
            db.prepare_cached(sql).context(context)?.query_row(parameters, row).optional().context(context)
        })
    }
}

impl Index for SqliteIndex {
    fn latest_snapshot(&self) -> Result<u64, IndexError> {
        let n: Option<i64> =
            self.one("read snapshots", "SELECT coalesce(max(n), 0) FROM snapshots", (), |r| r.get(0))?;
        Ok(n.unwrap_or(0) as u64)
    }

    fn snapshots(&self, limit: usize) -> Result<Vec<SnapshotRow>, IndexError> {
        let sql = format!("SELECT {SNAPSHOT} ORDER BY n DESC LIMIT ?1");
        self.list("read snapshots", &sql, [limit as i64], snapshot)
    }

    fn snapshot(&self, n: u64) -> Result<Option<SnapshotRow>, IndexError> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        self.one("read snapshots", &format!("SELECT {SNAPSHOT} WHERE s.n = ?1"), [n], snapshot)
    }

    fn require_snapshot(&self, n: u64) -> Result<(), IndexError> {
        self.find_snapshot(n)
    }

    fn put_tag(&self, name: &str, snapshot: u64, note: &str) -> Result<(), IndexError> {
        self.write_tag(name, snapshot, note)
    }

    fn delete_tag(&self, name: &str) -> Result<(), IndexError> {
        self.write_delete_tag(name)
    }

    fn tags(&self) -> Result<Vec<TagRow>, IndexError> {
        let sql = "SELECT name, n, note, created FROM tags ORDER BY name";
        self.list("read tags", sql, (), |r| {
            Ok(TagRow {
                name: r.get(0)?,
                snapshot: r.get::<_, i64>(1)? as u64,
                note: r.get(2)?,
                created: Instant(r.get(3)?),
            })
        })
    }

    fn stage_unit(&self, unit: &StagedRow) -> Result<(), IndexError> {
        self.write_staged(unit)
    }

    fn staged_units(&self) -> Result<Vec<StagedRow>, IndexError> {
        let sql = "SELECT product, unit, prefix, result FROM staged ORDER BY prefix";
        self.list("read staged units", sql, (), |r| {
            Ok(StagedRow { product: r.get(0)?, unit: r.get(1)?, prefix: r.get(2)?, result: r.get(3)? })
        })
    }

    fn drop_staged(&self, product: &str, units: &[String]) -> Result<(), IndexError> {
        self.write_drop_staged(product, units)
    }

    fn commit_move(&self, commit: &MoveCommit) -> Result<(), IndexError> {
        self.write_move(commit)
    }

    fn groups(&self) -> Result<Vec<GroupRow>, IndexError> {
        self.read_groups()
    }

    fn collect(&self, before: Instant, dry_run: bool) -> Result<Collected, IndexError> {
        self.write_collect(before, dry_run)
    }

    fn doomed(&self) -> Result<Vec<String>, IndexError> {
        self.list("read doomed groups", "SELECT prefix FROM doomed ORDER BY prefix", (), |r| r.get(0))
    }

    fn forget_doomed(&self, prefix: &str) -> Result<(), IndexError> {
        self.write_forget_doomed(prefix)
    }

    fn change_counter(&self) -> Result<u64, IndexError> {
        Ok(self.fact("changes")?.and_then(|v| v.parse().ok()).unwrap_or(0))
    }

    fn fact(&self, key: &str) -> Result<Option<String>, IndexError> {
        self.one("read cube facts", "SELECT value FROM cube WHERE key = ?1", [key], |r| r.get(0))
    }

    fn has_synthetic(&self) -> Result<bool, IndexError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM scenes WHERE synthetic AND retired IS NULL)
                       OR EXISTS (SELECT 1 FROM zone_sets WHERE synthetic)";
        Ok(self.one("read cube facts", sql, (), |r| r.get(0))?.unwrap_or(false))
    }

    fn put_grid(&self, grid: &GridDef) -> Result<(), IndexError> {
        self.write_grid(grid)
    }

    fn grids(&self) -> Result<Vec<GridDef>, IndexError> {
        let texts: Vec<(String, String)> =
            self.list("read grids", "SELECT id, definition FROM grids ORDER BY id", (), |r| {
                Ok((r.get(0)?, r.get(1)?))
            })?;
        texts
            .into_iter()
            .map(|(id, text)| {
                serde_json::from_str(&text).map_err(|e| IndexError::Corrupt {
                    what: "grid",
                    id,
                    message: e.to_string(),
                })
            })
            .collect()
    }

    fn put_product(
        &self,
        id: &str,
        kind: ProductKind,
        grid: &str,
        definition: &str,
    ) -> Result<(), IndexError> {
        self.write_product(id, kind, grid, definition)
    }

    fn products(&self) -> Result<Vec<ProductRow>, IndexError> {
        self.list("read products", "SELECT id, kind, grid, definition FROM products ORDER BY id", (), |r| {
            let kind: String = r.get(1)?;
            Ok(ProductRow {
                id: r.get(0)?,
                kind: if kind == "scenes" { ProductKind::Scenes } else { ProductKind::Derived },
                grid: r.get(2)?,
                definition: r.get(3)?,
            })
        })
    }

    fn begin_run(&self, kind: &str) -> Result<String, IndexError> {
        self.write_begin_run(kind)
    }

    fn end_run(&self, run: &str) -> Result<(), IndexError> {
        self.write_end_run(run)
    }

    fn unfinished_runs(&self) -> Result<Vec<String>, IndexError> {
        let sql = "SELECT id FROM runs WHERE finished IS NULL AND kind <> 'plan' ORDER BY id";
        self.list("read runs", sql, (), |r| r.get(0))
    }

    fn planned_runs(&self) -> Result<Vec<String>, IndexError> {
        let sql = "SELECT id FROM runs WHERE finished IS NULL AND kind = 'plan' ORDER BY id";
        self.list("read runs", sql, (), |r| r.get(0))
    }

    fn group_prefixes(&self) -> Result<Vec<String>, IndexError> {
        let sql = "SELECT prefix FROM groups UNION SELECT prefix FROM staged ORDER BY 1";
        self.list("read groups", sql, (), |r| r.get(0))
    }

    fn scenes_extent(
        &self,
        product: &str,
        snapshot: u64,
    ) -> Result<Option<(BoundingBox, Instant, Instant)>, IndexError> {
        self.read_extent(product, snapshot)
    }

    fn commit_ingest(&self, commit: &IngestCommit) -> Result<u64, IndexError> {
        self.write_ingest(commit)
    }

    fn commit_generations(&self, commit: &GenerationCommit) -> Result<u64, IndexError> {
        self.write_generations(commit)
    }

    fn commit_zone_set(&self, commit: &ZoneSetCommit) -> Result<u64, IndexError> {
        self.write_zone_set(commit)
    }

    fn scenes(&self, query: &SceneQuery, snapshot: u64) -> Result<Vec<SceneRow>, IndexError> {
        self.search_scenes(query, snapshot)
    }

    fn count_scenes(&self, query: &SceneQuery, snapshot: u64) -> Result<u64, IndexError> {
        self.count_scenes_matched(query, snapshot)
    }

    fn scene_days(
        &self,
        product: &str,
        bbox: Option<&BoundingBox>,
        snapshot: u64,
    ) -> Result<Vec<SceneDayRow>, IndexError> {
        self.read_scene_days(product, bbox, snapshot)
    }

    fn scene_document(&self, id: i64) -> Result<Option<String>, IndexError> {
        self.one("read scene", "SELECT document FROM scene_documents WHERE scene_id = ?1", [id], |r| r.get(0))
    }

    fn slot_scenes(&self, slot: i64) -> Result<Vec<SceneRow>, IndexError> {
        let sql = format!(
            "SELECT {SCENE} FROM slot_scenes l JOIN scenes s ON s.id = l.scene_id WHERE l.slot_id = ?1 ORDER BY l.rank"
        );
        self.list("read lineage", &sql, [slot], scene)
    }

    fn slots_scenes(&self, slots: &[i64], offset: usize, limit: usize) -> Result<Vec<SceneRow>, IndexError> {
        let sql = format!(
            "SELECT {SCENE} FROM scenes s
             WHERE s.id IN (SELECT l.scene_id FROM json_each(?1) e JOIN slot_scenes l ON l.slot_id = e.value)
             ORDER BY s.acquired, s.id LIMIT ?2 OFFSET ?3"
        );
        let most = if limit == 0 { -1 } else { i64::try_from(limit).unwrap_or(-1) };
        let ids = serde_json::to_string(slots).unwrap_or_default();
        self.list("read lineage", &sql, params![ids, most, i64::try_from(offset).unwrap_or(i64::MAX)], scene)
    }

    fn scene_slots(&self, scene: i64, snapshot: u64) -> Result<Vec<SlotRow>, IndexError> {
        self.read_scene_slots(scene, snapshot)
    }

    fn outdated_slots(&self, product: &str) -> Result<Vec<(SlotRow, String)>, IndexError> {
        self.read_outdated(product)
    }

    fn archived_scenes(&self, product: Option<&str>, snapshot: u64) -> Result<Vec<ArchivedRow>, IndexError> {
        self.read_archived(product, snapshot)
    }

    fn group_slots(&self, prefix: &str) -> Result<Vec<SlotRow>, IndexError> {
        self.read_group_slots(prefix)
    }

    fn group_overviews(&self, prefix: &str) -> Result<Vec<(OverviewRow, u64)>, IndexError> {
        self.read_group_overviews(prefix)
    }

    fn group_generation(&self, prefix: &str) -> Result<Option<GenerationRow>, IndexError> {
        self.read_group_generation(prefix)
    }

    fn slot(&self, id: i64) -> Result<Option<SlotRow>, IndexError> {
        self.read_slot(id)
    }

    fn generation(&self, id: i64) -> Result<Option<GenerationRow>, IndexError> {
        self.read_generation(id)
    }

    fn doom_group(&self, prefix: &str) -> Result<(), IndexError> {
        self.write_doom(prefix)
    }

    fn mark_stale(&self, generation: i64) -> Result<(), IndexError> {
        self.write_stale(generation)
    }

    fn slots(
        &self,
        product: &str,
        tile: Option<TileId>,
        time: &Period,
        snapshot: u64,
    ) -> Result<Vec<SlotRow>, IndexError> {
        let here = if tile.is_some() { "AND s.ix = ?5 AND s.iy = ?6" } else { "AND ?5 = ?6" };
        let sql = format!(
            "SELECT {SLOT}
             WHERE s.product = ?1 AND s.time >= ?2 AND s.time < ?3
               AND s.added <= ?4 AND (s.retired IS NULL OR s.retired > ?4) {here}
             ORDER BY s.time, s.platform, s.iy, s.ix"
        );
        let (ix, iy) = tile.map_or((0, 0), |t| (t.ix, t.iy));
        self.list(
            "read slots",
            &sql,
            params![product, time.start.0, time.end.0, snapshot as i64, ix, iy],
            slot,
        )
    }

    fn slot_tiles(&self, product: &str, snapshot: u64) -> Result<Vec<TileId>, IndexError> {
        self.read_slot_tiles(product, snapshot)
    }

    fn slot_days(&self, product: &str, snapshot: u64) -> Result<Vec<(String, String, Instant)>, IndexError> {
        let sql = "SELECT solar_day, platform, min(time) AS t FROM slots WHERE product = ?1 AND added <= ?2
                   AND (retired IS NULL OR retired > ?2) GROUP BY solar_day, platform ORDER BY t, platform";
        self.list("read dates", sql, params![product, snapshot as i64], |r| {
            Ok((r.get(0)?, r.get(1)?, Instant(r.get(2)?)))
        })
    }

    fn slot_day(
        &self,
        product: &str,
        time: &Period,
        solar_day: Option<&str>,
        order: SceneOrder,
        snapshot: u64,
    ) -> Result<Option<(String, String, Instant)>, IndexError> {
        let order = match order {
            SceneOrder::OldestFirst => "time, platform",
            SceneOrder::NewestFirst => "time DESC, platform DESC",
        };
        let sql = format!(
            "SELECT solar_day, platform, time FROM slots
             WHERE product = ?1 AND time >= ?2 AND time < ?3 AND (?4 IS NULL OR solar_day = ?4)
               AND added <= ?5 AND (retired IS NULL OR retired > ?5)
             ORDER BY {order} LIMIT 1"
        );
        let p = params![product, time.start.0, time.end.0, solar_day, snapshot as i64];
        self.one("read dates", &sql, p, |r| Ok((r.get(0)?, r.get(1)?, Instant(r.get(2)?))))
    }

    fn overviews(&self, product: &str, time: &Period, snapshot: u64) -> Result<Vec<OverviewRow>, IndexError> {
        let sql = format!(
            "SELECT {OVERVIEW}
                   FROM overviews o JOIN groups g ON g.id = o.group_id
                   WHERE o.product = ?1 AND o.time >= ?2 AND o.time < ?3
                     AND o.added <= ?4 AND (o.retired IS NULL OR o.retired > ?4)
                   ORDER BY o.time, o.platform"
        );
        let p = params![product, time.start.0, time.end.0, snapshot as i64];
        self.list("read overviews", &sql, p, overview)
    }

    fn generations(&self, product: &str, snapshot: u64) -> Result<Vec<GenerationRow>, IndexError> {
        let sql = format!(
            "SELECT {GENERATION}
                   WHERE d.product = ?1 AND d.added <= ?2 AND (d.retired IS NULL OR d.retired > ?2)
                   ORDER BY d.period_start"
        );
        self.list("read periods", &sql, params![product, snapshot as i64], generation)
    }

    fn generation_slots(&self, id: i64) -> Result<Vec<i64>, IndexError> {
        let sql = "SELECT slot_id FROM generation_slots WHERE generation_id = ?1 ORDER BY slot_id";
        self.list("read lineage", sql, [id], |r| r.get(0))
    }

    fn generation_sources(&self, id: i64) -> Result<Vec<i64>, IndexError> {
        let sql = "SELECT source_id FROM generation_sources WHERE generation_id = ?1 ORDER BY source_id";
        self.list("read lineage", sql, [id], |r| r.get(0))
    }

    fn stale(&self) -> Result<Vec<StaleRow>, IndexError> {
        let sql =
            "SELECT product, period_start, ix, iy, since FROM stale ORDER BY product, period_start, iy, ix";
        self.list("read stale marks", sql, (), |r| {
            Ok(StaleRow {
                product: r.get(0)?,
                period_start: Instant(r.get(1)?),
                tile: TileId { ix: r.get(2)?, iy: r.get(3)? },
                since: r.get::<_, i64>(4)? as u64,
            })
        })
    }

    fn has_object(&self, key: &str) -> Result<bool, IndexError> {
        // Its group is one of the folders above it.
        let folders: Vec<&str> = key.match_indices('/').filter_map(|(end, _)| key.get(..end)).collect();
        let folders = serde_json::to_string(&folders).unwrap_or_default();
        let sql = format!(
            "SELECT 1 FROM json_each(?1) f CROSS JOIN groups g ON {} CROSS JOIN objects o ON o.group_id = g.id
             WHERE o.key = ?2",
            AT_PREFIX.replace("?1", "f.value")
        );
        Ok(self.one("find object", &sql, (folders, key), |_| Ok(()))?.is_some())
    }

    fn objects(&self) -> Result<Vec<ObjectRow>, IndexError> {
        let sql =
            "SELECT o.key, o.bytes, o.digest, g.prefix FROM objects o JOIN groups g ON g.id = o.group_id
                   ORDER BY o.key";
        self.list("read objects", sql, (), object)
    }

    fn group_objects(&self, prefix: &str) -> Result<Vec<ObjectRow>, IndexError> {
        let sql =
            "SELECT o.key, o.bytes, o.digest, g.prefix FROM groups g JOIN objects o ON o.group_id = g.id
                   WHERE g.prefix = ?1 ORDER BY o.key";
        self.list("read objects", sql, [prefix], object)
    }

    fn contradictions(&self) -> Result<Vec<String>, IndexError> {
        let checks = [
            "SELECT 'table ' || \"table\" || ' row ' || rowid || ' points at a missing row of ' || parent
             FROM pragma_foreign_key_check",
            "SELECT 'slot ' || product || ' ' || ix || '_' || iy || ' ' || solar_day || ' has no place in the store'
             FROM slots s WHERE id NOT IN (SELECT slot_id FROM slot_locations)
               AND (retired IS NULL OR EXISTS (SELECT 1 FROM snapshots k WHERE k.expired IS NULL
                                               AND k.n >= s.added AND k.n < s.retired))",
            "SELECT 'slot ' || product || ' ' || ix || '_' || iy || ' ' || solar_day || ' has no scenes'
             FROM slots WHERE id NOT IN (SELECT slot_id FROM slot_scenes)",
            "SELECT 'scene ' || s.product_id || ' was acquired on ' || date(s.acquired, 'unixepoch') ||
                    ' but its slot says ' || l.solar_day
             FROM scenes s JOIN slot_scenes x ON x.scene_id = s.id JOIN slots l ON l.id = x.slot_id
             WHERE abs(julianday(s.acquired, 'unixepoch') - julianday(l.solar_day) - 0.5) > 1.6
                OR s.solar_day <> l.solar_day",
            "SELECT 'scene ' || product_id || ' has no document' FROM scenes
             WHERE id NOT IN (SELECT scene_id FROM scene_documents)",
        ];
        let mut found = Vec::new();
        for sql in checks {
            found.extend(self.list("check the index", sql, (), |r| r.get::<_, String>(0))?);
        }
        Ok(found)
    }

    fn all_positions(&self) -> Result<Vec<PositionRow>, IndexError> {
        let sql = "
            SELECT g.kind, g.product, g.prefix, l.position, s.time, s.solar_day FROM groups g
              LEFT JOIN slot_locations l ON l.group_id = g.id LEFT JOIN slots s ON s.id = l.slot_id
              WHERE g.kind = 'slots'
                AND (l.position IS NOT NULL OR g.id NOT IN (SELECT group_id FROM vacated))
            UNION ALL
            SELECT g.kind, g.product, g.prefix, v.position, NULL, NULL FROM vacated v
              JOIN groups g ON g.id = v.group_id
            UNION ALL
            SELECT g.kind, g.product, g.prefix, o.position, o.time, o.solar_day FROM groups g
              LEFT JOIN overviews o ON o.group_id = g.id WHERE g.kind = 'overviews'
            UNION ALL
            SELECT g.kind, g.product, g.prefix, iif(d.id IS NULL, NULL, 0), d.period_start, '' FROM groups g
              LEFT JOIN generations d ON d.group_id = g.id WHERE g.kind = 'generation'
            ORDER BY 3, 4";
        self.list("read positions", sql, (), |r| {
            Ok(PositionRow {
                kind: r.get(0)?,
                product: r.get(1)?,
                prefix: r.get(2)?,
                position: r.get::<_, Option<i64>>(3)?.map(|p| p as u64),
                time: r.get::<_, Option<i64>>(4)?.map(Instant),
                solar_day: r.get::<_, Option<String>>(5)?.unwrap_or_default(),
            })
        })
    }

    fn put_quarantine(&self, product: &str, path: &str, code: &str, reason: &str) -> Result<(), IndexError> {
        self.write_quarantine(product, path, code, reason)
    }

    fn clear_quarantine(&self, product: &str, path: &str) -> Result<(), IndexError> {
        self.write_clear_quarantine(product, path)
    }

    fn quarantine(&self) -> Result<Vec<QuarantineRow>, IndexError> {
        let sql = "SELECT id, product, path, code, reason, noted FROM quarantine ORDER BY id DESC";
        self.list("read quarantine", sql, (), |r| {
            Ok(QuarantineRow {
                id: r.get(0)?,
                product: r.get(1)?,
                path: r.get(2)?,
                code: r.get(3)?,
                reason: r.get(4)?,
                noted: Instant(r.get(5)?),
            })
        })
    }

    fn zone_sets(&self) -> Result<Vec<ZoneSetRow>, IndexError> {
        let sql = "SELECT id, title, edition, key_field, zones, west, south, east, north, synthetic, report,
                     added FROM zone_sets ORDER BY id";
        self.list("read zone sets", sql, (), |r| {
            Ok(ZoneSetRow {
                id: r.get(0)?,
                title: r.get(1)?,
                edition: r.get(2)?,
                key_field: r.get(3)?,
                zones: r.get::<_, i64>(4)? as u64,
                bbox: BoundingBox::new(r.get(5)?, r.get(6)?, r.get(7)?, r.get(8)?),
                synthetic: r.get(9)?,
                report: r.get(10)?,
                added: r.get::<_, i64>(11)? as u64,
            })
        })
    }

    fn zones(
        &self,
        set: &str,
        bbox: Option<&BoundingBox>,
        offset: usize,
        limit: usize,
    ) -> Result<(u64, Vec<ZoneRow>), IndexError> {
        let (west, east) = bbox.map(circle).unzip();
        let (south, north) = bbox.map(|b| (b.y_min, b.y_max)).unzip();
        let inside = meets("zones", ["?2", "?3", "?4", "?5"]);
        let meets = format!("FROM zones WHERE set_id = ?1 AND (?2 IS NULL OR {inside})");
        let matched: Option<i64> = self.one(
            "count zones",
            &format!("SELECT count(*) {meets}"),
            params![set, west, south, east, north],
            |r| r.get(0),
        )?;
        let rows = self.list(
            "read zones",
            &format!("SELECT ordinal, key, properties, geometry, area_m2 {meets} ORDER BY ordinal LIMIT ?6 OFFSET ?7"),
            params![set, west, south, east, north, limit as i64, offset as i64],
            zone,
        )?;
        Ok((matched.unwrap_or(0) as u64, rows))
    }

    fn zone(&self, set: &str, key: &str) -> Result<Option<ZoneRow>, IndexError> {
        let sql =
            "SELECT ordinal, key, properties, geometry, area_m2 FROM zones WHERE set_id = ?1 AND key = ?2";
        self.one("read zone", sql, (set, key), zone)
    }

    fn zone_keys(&self, set: &str) -> Result<Vec<String>, IndexError> {
        self.list("read zone keys", "SELECT key FROM zones WHERE set_id = ?1 ORDER BY ordinal", [set], |r| {
            r.get(0)
        })
    }

    fn zone_coverage(&self, set: &str, grid: &str) -> Result<Vec<(TileId, Vec<u8>)>, IndexError> {
        let sql =
            "SELECT ix, iy, coverage FROM zone_coverage WHERE set_id = ?1 AND grid = ?2 ORDER BY iy, ix";
        self.list("read coverage", sql, (set, grid), |r| {
            Ok((TileId { ix: r.get(0)?, iy: r.get(1)? }, r.get(2)?))
        })
    }
}
