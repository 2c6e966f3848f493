//! What a damaged group holds, and the end of such a group.

use rusqlite::{Transaction, params};

use super::SqliteIndex;
use super::read::{AT_PREFIX, GENERATION, OVERVIEW, SLOT, generation, overview, slot};
use super::write::bump;
use crate::error::Context;
use crate::lock::now_s;
use crate::{GenerationRow, IndexError, OverviewRow, SlotRow};

impl SqliteIndex {
    pub(super) fn read_group_slots(&self, prefix: &str) -> Result<Vec<SlotRow>, IndexError> {
        let sql = format!("SELECT {SLOT} WHERE {AT_PREFIX} ORDER BY l.position, s.id");
        self.list("read slots of a group", &sql, [prefix], slot)
    }

    pub(super) fn read_group_overviews(&self, prefix: &str) -> Result<Vec<(OverviewRow, u64)>, IndexError> {
        let sql = format!(
            "SELECT {OVERVIEW}, o.added FROM overviews o JOIN groups g ON g.id = o.group_id
             WHERE {AT_PREFIX} ORDER BY o.position, o.id"
        );
        self.list("read overviews of a group", &sql, [prefix], |r| {
            Ok((overview(r)?, r.get::<_, i64>(11)? as u64))
        })
    }

    pub(super) fn read_group_generation(&self, prefix: &str) -> Result<Option<GenerationRow>, IndexError> {
        self.one("read raster", &format!("SELECT {GENERATION} WHERE {AT_PREFIX}"), [prefix], generation)
    }

    pub(super) fn read_slot(&self, id: i64) -> Result<Option<SlotRow>, IndexError> {
        self.one("read slot", &format!("SELECT {SLOT} WHERE s.id = ?1"), [id], slot)
    }

    pub(super) fn read_generation(&self, id: i64) -> Result<Option<GenerationRow>, IndexError> {
        self.one("read raster", &format!("SELECT {GENERATION} WHERE d.id = ?1"), [id], generation)
    }

    pub(super) fn write_doom(&self, prefix: &str) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            doom(tx, prefix)?;
            bump(tx)
        })
    }

    pub(super) fn write_stale(&self, generation: i64) -> Result<(), IndexError> {
        self.with_writer(|tx| {
            tx.execute(
                "INSERT OR IGNORE INTO stale SELECT product, period_start, ix_min, iy_min,
                   (SELECT max(n) FROM snapshots) FROM generations WHERE id = ?1 AND retired IS NULL",
                [generation],
            )
            .context("mark stale")?;
            bump(tx)
        })
    }
}

/// Takes a group that holds nothing any more out of the index; its objects are to be deleted.
pub(super) fn doom(tx: &Transaction<'_>, prefix: &str) -> Result<(), IndexError> {
    let held: bool = tx
        .query_row(
            &format!(
                "SELECT EXISTS (SELECT 1 FROM groups g WHERE {AT_PREFIX}
                   AND (g.id IN (SELECT group_id FROM slot_locations) OR g.id IN (SELECT group_id FROM overviews)
                        OR g.id IN (SELECT group_id FROM generations)))"
            ),
            [prefix],
            |r| r.get(0),
        )
        .context("doom group")?;
    if held {
        return Err(IndexError::Corrupt {
            what: "group",
            id: prefix.into(),
            message: "it is to be deleted, but rows still lie in it".into(),
        });
    }
    tx.execute("INSERT OR IGNORE INTO doomed VALUES (?1, ?2)", params![prefix, now_s() as i64])
        .context("doom group")?;
    for sql in [
        "DELETE FROM vacated WHERE group_id",
        "DELETE FROM objects WHERE group_id",
        "DELETE FROM groups WHERE id",
    ] {
        let sql = format!("{sql} = (SELECT g.id FROM groups g WHERE {AT_PREFIX})");
        tx.execute(&sql, [prefix]).context("doom group")?;
    }
    Ok(())
}
