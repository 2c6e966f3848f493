//! Scenes that the operator took out of the cube, and the slots that go with them.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use tesela_grid::TileId;
use tesela_model::Instant;

use super::SqliteIndex;
use super::read::{SLOT, slot};
use super::write::mark_stale;
use crate::error::Context;
use crate::lock::now_s;
use crate::{ArchivedRow, ArchivedScene, IndexError, SlotRow};

impl SqliteIndex {
    pub(super) fn read_archived(
        &self,
        product: Option<&str>,
        snapshot: u64,
    ) -> Result<Vec<ArchivedRow>, IndexError> {
        let sql =
            "SELECT id, product, scene_id, scene_key, product_id, platform, wrs_path, wrs_row, acquired,
                     processed, document, reason, noted, added FROM archived_scenes
                   WHERE (?1 IS NULL OR product = ?1) AND added <= ?2 AND (retired IS NULL OR retired > ?2)
                   ORDER BY acquired, id";
        self.list("read archived scenes", sql, params![product, snapshot as i64], archived)
    }

    pub(super) fn read_outdated(&self, product: &str) -> Result<Vec<(SlotRow, String)>, IndexError> {
        // SLOT is columns and tables: the scene's name comes by a look of its own.
        let sql = "SELECT l.id, c.product_id FROM slots l JOIN slot_scenes x ON x.slot_id = l.id
                     JOIN scenes c ON c.id = x.scene_id
                   WHERE l.product = ?1 AND l.retired IS NULL AND c.retired IS NOT NULL
                   ORDER BY l.time, l.iy, l.ix";
        let found: Vec<(i64, String)> =
            self.list("read outdated slots", sql, [product], |r| Ok((r.get(0)?, r.get(1)?)))?;
        let mut outdated = Vec::new();
        for (id, scene) in found {
            outdated.extend(self.read_slot(id)?.map(|slot| (slot, scene)));
        }
        Ok(outdated)
    }

    pub(super) fn read_scene_slots(&self, scene: i64, snapshot: u64) -> Result<Vec<SlotRow>, IndexError> {
        let sql = format!(
            "SELECT {SLOT} JOIN slot_scenes x ON x.slot_id = s.id
             WHERE x.scene_id = ?1 AND s.added <= ?2 AND (s.retired IS NULL OR s.retired > ?2)
             ORDER BY s.time, s.iy, s.ix"
        );
        self.list("read slots of a scene", &sql, params![scene, snapshot as i64], slot)
    }
}

fn archived(r: &Row<'_>) -> rusqlite::Result<ArchivedRow> {
    Ok(ArchivedRow {
        id: r.get(0)?,
        product: r.get(1)?,
        scene: r.get(2)?,
        scene_key: r.get(3)?,
        product_id: r.get(4)?,
        platform: r.get(5)?,
        wrs_path: r.get(6)?,
        wrs_row: r.get(7)?,
        acquired: Instant(r.get(8)?),
        processed: r.get(9)?,
        document: r.get(10)?,
        reason: r.get(11)?,
        noted: Instant(r.get(12)?),
        added: r.get::<_, i64>(13)? as u64,
    })
}

/// Retires scenes and notes what is needed to bring them back.
pub(super) fn take_out(
    tx: &Transaction<'_>,
    product: &str,
    scenes: &[ArchivedScene],
    n: i64,
) -> Result<(), IndexError> {
    for s in scenes {
        let noted = tx
            .prepare_cached(
                "INSERT INTO archived_scenes (product, scene_id, scene_key, product_id, platform, wrs_path, wrs_row,
                   acquired, processed, document, reason, noted, added)
                 SELECT s.product, s.id, s.scene_key, s.product_id, s.platform, s.wrs_path, s.wrs_row, s.acquired,
                   s.processed, d.document, ?3, ?4, ?5
                 FROM scenes s JOIN scene_documents d ON d.scene_id = s.id
                 WHERE s.id = ?1 AND s.product = ?2 AND s.retired IS NULL",
            )
            .context("archive scene")?
            .execute(params![s.scene, product, s.reason, now_s() as i64, n])
            .context("archive scene")?;
        if noted != 1 {
            return Err(IndexError::Corrupt {
                what: "scene",
                id: s.scene.to_string(),
                message: "it is to be archived, but it is not visible or has no document".into(),
            });
        }
        tx.prepare_cached("UPDATE scenes SET retired = ?2 WHERE id = ?1")
            .context("archive scene")?
            .execute(params![s.scene, n])
            .context("archive scene")?;
    }
    Ok(())
}

/// Notes that archived scenes come back; the commit adds them as scenes.
pub(super) fn bring_back(tx: &Transaction<'_>, archived: &[i64], n: i64) -> Result<(), IndexError> {
    for id in archived {
        tx.prepare_cached("UPDATE archived_scenes SET retired = ?2 WHERE id = ?1 AND retired IS NULL")
            .context("restore scene")?
            .execute(params![id, n])
            .context("restore scene")?;
    }
    Ok(())
}

/// Retires slots that nothing takes the place of; what was derived from them is stale.
pub(super) fn empty_slots(
    tx: &Transaction<'_>,
    product: &str,
    derived: &[String],
    slots: &[i64],
    n: i64,
) -> Result<(), IndexError> {
    for id in slots {
        let place: Option<(TileId, Instant)> = tx
            .prepare_cached(
                "SELECT ix, iy, time FROM slots WHERE id = ?1 AND product = ?2 AND retired IS NULL",
            )
            .context("find slot")?
            .query_row(params![id, product], |r| {
                Ok((TileId { ix: r.get(0)?, iy: r.get(1)? }, Instant(r.get(2)?)))
            })
            .optional()
            .context("find slot")?;
        let Some((tile, time)) = place else { continue };
        tx.prepare_cached("UPDATE slots SET retired = ?2 WHERE id = ?1")
            .context("retire slot")?
            .execute(params![id, n])
            .context("retire slot")?;
        mark_stale(tx, derived, tile, time, n)?;
    }
    Ok(())
}
