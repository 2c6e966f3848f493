//! What is kept and where: tags, staged units, moves, garbage.

use rusqlite::{OptionalExtension, Transaction, params};
use tesela_model::Instant;

use super::SqliteIndex;
use super::write::{bump, insert_group};
use crate::error::Context;
use crate::lock::now_s;
use crate::{Collected, GroupKind, GroupRow, Index, IndexError, MoveCommit, StagedRow};

/// Rows that no kept snapshot sees, of a table with `added` and `retired`; `kept` is a temporary table.
const UNSEEN: &str =
    "retired IS NOT NULL AND NOT EXISTS (SELECT 1 FROM kept k WHERE k.n >= added AND k.n < retired)";

impl SqliteIndex {
    pub(super) fn find_snapshot(&self, n: u64) -> Result<(), IndexError> {
        let latest = self.latest_snapshot()?;
        if n > latest {
            return Err(IndexError::UnknownSnapshot { n, latest });
        }
        let sql = "SELECT n FROM snapshots WHERE expired IS NULL ORDER BY abs(n - ?1), n DESC LIMIT 1";
        let nearest: Option<i64> = self.one("read snapshots", sql, [n as i64], |r| r.get(0))?;
        match nearest.map(|n| n as u64) {
            Some(nearest) if nearest != n && n > 0 => Err(IndexError::ExpiredSnapshot { n, nearest }),
            _ => Ok(()),
        }
    }

    pub(super) fn write_tag(&self, name: &str, snapshot: u64, note: &str) -> Result<(), IndexError> {
        self.find_snapshot(snapshot)?;
        self.with_writer(|tx| {
            let old: Option<i64> = tx
                .query_row("SELECT n FROM tags WHERE name = ?1", [name], |r| r.get(0))
                .optional()
                .context("read tag")?;
            match old {
                Some(old) if old as u64 == snapshot => return Ok(()),
                Some(_) => {
                    return Err(IndexError::Duplicate {
                        what: "tag",
                        id: name.into(),
                        hint: " for another snapshot; a tag never moves, take another name",
                    });
                }
                None => {}
            }
            // Looked at again inside the transaction: a collection may have come between.
            let kept: bool = tx
                .query_row(
                    "SELECT EXISTS (SELECT 1 FROM snapshots WHERE n = ?1 AND expired IS NULL)",
                    [snapshot as i64],
                    |r| r.get(0),
                )
                .context("read snapshot")?;
            if !kept {
                return Err(IndexError::UnknownSnapshot { n: snapshot, latest: snapshot });
            }
            tx.execute(
                "INSERT INTO tags VALUES (?1, ?2, ?3, ?4)",
                params![name, snapshot as i64, note, now_s() as i64],
            )
            .context("add tag")?;
            bump(tx)
        })
    }

    pub(super) fn write_delete_tag(&self, name: &str) -> Result<(), IndexError> {
        let known = self.tags()?;
        self.with_writer(|tx| {
            let gone = tx.execute("DELETE FROM tags WHERE name = ?1", [name]).context("remove tag")?;
            if gone == 0 {
                let known: Vec<&str> = known.iter().map(|t| t.name.as_str()).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(IndexError::UnknownTag { name: name.chars().take(64).collect(), known });
            }
            bump(tx)
        })
    }

    pub(super) fn write_staged(&self, unit: &StagedRow) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO staged VALUES (?1, ?2, ?3, ?4, ?5)",
                params![unit.product, unit.unit, unit.prefix, unit.result, now_s() as i64],
            )
            .context("stage unit")?;
            Ok(())
        })
    }

    pub(super) fn write_drop_staged(&self, product: &str, units: &[String]) -> Result<(), IndexError> {
        self.with_writer(|tx| drop_staged(tx, product, units))
    }

    pub(super) fn write_move(&self, c: &MoveCommit) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            let group = insert_group(tx, &c.product, c.kind.as_str(), &c.run, &c.group)?;
            let (vacate, place) = match c.kind {
                GroupKind::Slots => (
                    "SELECT group_id, position FROM slot_locations WHERE slot_id = ?1",
                    "UPDATE slot_locations SET group_id = ?2, position = ?3 WHERE slot_id = ?1",
                ),
                GroupKind::Overviews => (
                    "SELECT group_id, position FROM overviews WHERE id = ?1",
                    "UPDATE overviews SET group_id = ?2, position = ?3 WHERE id = ?1",
                ),
                GroupKind::Generation => (
                    "SELECT group_id, 0 FROM generations WHERE id = ?1",
                    "UPDATE generations SET group_id = ?2 WHERE id = ?1 AND ?3 = 0",
                ),
            };
            for (row, position) in &c.rows {
                tx.prepare_cached(&format!("INSERT OR IGNORE INTO vacated {vacate}"))
                    .context("vacate place")?
                    .execute([row])
                    .context("vacate place")?;
                let moved = tx
                    .prepare_cached(place)
                    .context("move row")?
                    .execute(params![row, group, *position as i64])
                    .context("move row")?;
                if moved != 1 {
                    return Err(IndexError::Corrupt {
                        what: c.kind.as_str(),
                        id: row.to_string(),
                        message: "it has no place to move from".into(),
                    });
                }
            }
            for prefix in &c.doomed {
                super::repair::doom(tx, prefix)?;
            }
            bump(tx)
        })
    }

    pub(super) fn read_groups(&self) -> Result<Vec<GroupRow>, IndexError> {
        let sql = "
            WITH held AS (
              SELECT l.group_id AS id, min(s.time) AS a, max(s.time) AS b FROM slot_locations l
                JOIN slots s ON s.id = l.slot_id GROUP BY 1
              UNION ALL SELECT group_id, min(time), max(time) FROM overviews GROUP BY 1
              UNION ALL SELECT group_id, min(period_start), max(period_end) FROM generations GROUP BY 1),
            sizes AS (SELECT group_id AS id, count(*) AS n, sum(bytes) AS bytes FROM objects GROUP BY 1)
            SELECT g.product, g.kind, g.prefix, g.archive, coalesce(z.n, 0), coalesce(z.bytes, 0), h.a, h.b
            FROM groups g LEFT JOIN held h ON h.id = g.id LEFT JOIN sizes z ON z.id = g.id ORDER BY g.prefix";
        self.list("read groups", sql, (), |r| {
            Ok(GroupRow {
                product: r.get(0)?,
                kind: r.get(1)?,
                prefix: r.get(2)?,
                archive: r.get(3)?,
                objects: r.get::<_, i64>(4)? as u64,
                bytes: r.get::<_, i64>(5)? as u64,
                first: r.get::<_, Option<i64>>(6)?.map(Instant),
                last: r.get::<_, Option<i64>>(7)?.map(Instant),
            })
        })
    }

    pub(super) fn write_collect(&self, before: Instant, dry_run: bool) -> Result<Collected, IndexError> {
        self.transact(!dry_run, |tx| collect(tx, before))
    }

    pub(super) fn write_forget_doomed(&self, prefix: &str) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            tx.execute("DELETE FROM doomed WHERE prefix = ?1", [prefix]).context("forget group")?;
            Ok(())
        })
    }
}

pub(super) fn drop_staged(tx: &Transaction<'_>, product: &str, units: &[String]) -> Result<(), IndexError> {
    for unit in units {
        tx.prepare_cached("DELETE FROM staged WHERE product = ?1 AND unit = ?2")
            .context("forget staged unit")?
            .execute((product, unit))
            .context("forget staged unit")?;
    }
    Ok(())
}

fn collect(tx: &Transaction<'_>, before: Instant) -> Result<Collected, IndexError> {
    let what = "collect garbage";
    tx.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS kept (n INTEGER PRIMARY KEY);
         CREATE TEMP TABLE IF NOT EXISTS dead_generations (id INTEGER PRIMARY KEY);
         CREATE TEMP TABLE IF NOT EXISTS dead_slots (id INTEGER PRIMARY KEY);
         CREATE TEMP TABLE IF NOT EXISTS dead_groups (id INTEGER PRIMARY KEY);
         DELETE FROM kept; DELETE FROM dead_generations; DELETE FROM dead_slots; DELETE FROM dead_groups;",
    )
    .context(what)?;
    tx.execute(
        "INSERT INTO kept SELECT n FROM snapshots WHERE expired IS NULL
         AND (created >= ?1 OR n = (SELECT max(n) FROM snapshots) OR n IN (SELECT n FROM tags))",
        [before.0],
    )
    .context(what)?;
    let numbers = |sql: &str| -> Result<Vec<i64>, IndexError> {
        let mut statement = tx.prepare(sql).context(what)?;
        let rows = statement.query_map((), |r| r.get(0)).context(what)?;
        rows.collect::<Result<_, _>>().context(what)
    };
    let mut found = Collected {
        expired: numbers(
            "SELECT n FROM snapshots WHERE expired IS NULL AND n NOT IN (SELECT n FROM kept) ORDER BY n",
        )?
        .into_iter()
        .map(|n| n as u64)
        .collect(),
        ..Collected::default()
    };
    tx.execute(
        "UPDATE snapshots SET expired = ?1 WHERE expired IS NULL AND n NOT IN (SELECT n FROM kept)",
        [now_s() as i64],
    )
    .context(what)?;

    // Rasters: those of official products stay, and those that a raster which stays was made from.
    tx.execute_batch(&format!(
        "INSERT INTO dead_generations SELECT g.id FROM generations g JOIN products p ON p.id = g.product
         WHERE coalesce(json_extract(p.definition, '$.status'), '') <> 'official' AND {UNSEEN}"
    ))
    .context(what)?;
    while tx
        .execute(
            "DELETE FROM dead_generations WHERE id IN (SELECT source_id FROM generation_sources
             WHERE generation_id NOT IN (SELECT id FROM dead_generations))",
            (),
        )
        .context(what)?
        > 0
    {}
    found.generations = numbers("SELECT count(*) FROM dead_generations")?.first().map_or(0, |n| *n as u64);
    tx.execute_batch(
        "DELETE FROM generation_slots WHERE generation_id IN (SELECT id FROM dead_generations);
         DELETE FROM generation_sources WHERE generation_id IN (SELECT id FROM dead_generations);
         DELETE FROM generations WHERE id IN (SELECT id FROM dead_generations);",
    )
    .context(what)?;

    // Slots lose their pixels; those in the lineage of a raster that stays keep their row.
    tx.execute_batch(&format!(
        "INSERT INTO dead_slots SELECT id FROM slots WHERE {UNSEEN};
         INSERT OR IGNORE INTO vacated
           SELECT group_id, position FROM slot_locations WHERE slot_id IN (SELECT id FROM dead_slots);
         DELETE FROM slot_locations WHERE slot_id IN (SELECT id FROM dead_slots);
         DELETE FROM dead_slots WHERE id IN (SELECT slot_id FROM generation_slots);
         DELETE FROM slot_scenes WHERE slot_id IN (SELECT id FROM dead_slots);"
    ))
    .context(what)?;
    found.slots =
        tx.execute("DELETE FROM slots WHERE id IN (SELECT id FROM dead_slots)", ()).context(what)? as u64;
    tx.execute_batch(&format!(
        "INSERT OR IGNORE INTO vacated SELECT group_id, position FROM overviews WHERE {UNSEEN};
         DELETE FROM overviews WHERE {UNSEEN};
         DELETE FROM archived_scenes WHERE {UNSEEN};
         DELETE FROM scene_documents WHERE scene_id IN (SELECT id FROM scenes WHERE {UNSEEN})
           AND scene_id NOT IN (SELECT scene_id FROM slot_scenes);"
    ))
    .context(what)?;
    found.scenes = tx
        .execute(
            &format!("DELETE FROM scenes WHERE {UNSEEN} AND id NOT IN (SELECT scene_id FROM slot_scenes)"),
            (),
        )
        .context(what)? as u64;

    tx.execute_batch(
        "INSERT INTO dead_groups SELECT id FROM groups WHERE id NOT IN (SELECT group_id FROM slot_locations)
           AND id NOT IN (SELECT group_id FROM overviews) AND id NOT IN (SELECT group_id FROM generations)",
    )
    .context(what)?;
    found.bytes = numbers(
        "SELECT coalesce(sum(bytes), 0) FROM objects WHERE group_id IN (SELECT id FROM dead_groups)",
    )?
    .first()
    .map_or(0, |n| *n as u64);
    let mut statement = tx
        .prepare("SELECT prefix FROM groups WHERE id IN (SELECT id FROM dead_groups) ORDER BY prefix")
        .context(what)?;
    let prefixes = statement.query_map((), |r| r.get(0)).context(what)?;
    found.prefixes = prefixes.collect::<Result<_, _>>().context(what)?;
    drop(statement);
    tx.execute(
        "INSERT OR IGNORE INTO doomed SELECT prefix, ?1 FROM groups WHERE id IN (SELECT id FROM dead_groups)",
        [now_s() as i64],
    )
    .context(what)?;
    tx.execute_batch(
        "DELETE FROM vacated WHERE group_id IN (SELECT id FROM dead_groups);
         DELETE FROM objects WHERE group_id IN (SELECT id FROM dead_groups);
         DELETE FROM groups WHERE id IN (SELECT id FROM dead_groups);",
    )
    .context(what)?;
    if !found.expired.is_empty() || !found.prefixes.is_empty() {
        bump(tx)?;
    }
    Ok(found)
}
