//! What a product holds as a whole: its extent, its tiles. None of these reads every row.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use tesela_grid::{BoundingBox, TileId};
use tesela_model::Instant;

use super::SqliteIndex;
use crate::IndexError;
use crate::error::Context;

const VISIBLE: &str = "added <= ?2 AND (retired IS NULL OR retired > ?2)";

/// West, south, and east and north negated, of a path and row: the smaller, the further out.
type Sides = [f64; 4];

impl SqliteIndex {
    pub(super) fn read_extent(
        &self,
        product: &str,
        snapshot: u64,
    ) -> Result<Option<(BoundingBox, Instant, Instant)>, IndexError> {
        self.with_reader(|db| {
            let end = |order: &str| -> Result<Option<i64>, IndexError> {
                let sql = format!(
                    "SELECT acquired FROM scenes INDEXED BY scenes_time WHERE product = ?1 AND {VISIBLE}
                     ORDER BY acquired {order} LIMIT 1"
                );
                db.prepare_cached(&sql)
                    .context("read extent")?
                    .query_row(params![product, snapshot as i64], |r| r.get(0))
                    .optional()
                    .context("read extent")
            };
            let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(None) };
            let Some(bounds) = visible_bounds(db, product, snapshot)? else { return Ok(None) };
            Ok(Some((bounds, Instant(first), Instant(last))))
        })
    }

    pub(super) fn read_slot_tiles(&self, product: &str, snapshot: u64) -> Result<Vec<TileId>, IndexError> {
        // From tile to tile by the index: slots are many, tiles few.
        let next = |same: &str| {
            format!(
                "SELECT ix, iy FROM slots INDEXED BY slots_tile WHERE product = ?1 AND {VISIBLE} AND {same}
                 ORDER BY ix, iy LIMIT 1"
            )
        };
        self.with_reader(|db| {
            let mut in_column = db.prepare_cached(&next("ix = ?3 AND iy > ?4")).context("read tiles")?;
            let mut in_later = db.prepare_cached(&next("ix > ?3 AND ?4 = ?4")).context("read tiles")?;
            let mut tiles = BTreeSet::new();
            let mut at = (i64::MIN, i64::MIN);
            loop {
                let mut found = None;
                for statement in [&mut in_column, &mut in_later] {
                    found = statement
                        .query_row(params![product, snapshot as i64, at.0, at.1], |r| {
                            Ok(TileId { ix: r.get(0)?, iy: r.get(1)? })
                        })
                        .optional()
                        .context("read tiles")?;
                    if found.is_some() {
                        break;
                    }
                }
                let Some(tile) = found else { break };
                at = (tile.ix.into(), tile.iy.into());
                tiles.insert((tile.iy, tile.ix));
            }
            Ok(tiles.into_iter().map(|(iy, ix)| TileId { ix, iy }).collect())
        })
    }
}

/// Bounds of a product's visible scenes, west above east where they cross the 180th meridian. A footprint holds every scene its path and row ever had, so only those are
/// read whose footprint lies further out than what was found.
fn visible_bounds(db: &Connection, product: &str, snapshot: u64) -> Result<Option<BoundingBox>, IndexError> {
    let sides = "iif(west > east, -180.0, west), south, iif(west > east, -180.0, -east), -north";
    let mut statement = db
        .prepare_cached(&format!("SELECT wrs_path, wrs_row, {sides} FROM footprints WHERE product = ?1"))
        .context("read extent")?;
    let places: Vec<(u16, u16, Sides)> = statement
        .query_map([product], |r| Ok((r.get(0)?, r.get(1)?, [r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?])))
        .and_then(Iterator::collect)
        .context("read extent")?;
    let mut statement = db
        .prepare_cached(&format!(
            "SELECT {sides} FROM scenes INDEXED BY scenes_place
             WHERE product = ?1 AND wrs_path = ?3 AND wrs_row = ?4 AND {VISIBLE}"
        ))
        .context("read extent")?;
    let mut found = [f64::INFINITY; 4];
    let mut read = vec![false; places.len()];
    for side in 0..4 {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by(|a, b| places[*a].2[side].total_cmp(&places[*b].2[side]));
        for i in order {
            let (path, row, outer) = places[i];
            if outer[side] >= found[side] {
                break;
            }
            if std::mem::replace(&mut read[i], true) {
                continue;
            }
            let mut rows =
                statement.query(params![product, snapshot as i64, path, row]).context("read extent")?;
            while let Some(r) = rows.next().context("read extent")? {
                for (k, least) in found.iter_mut().enumerate() {
                    *least = least.min(r.get(k).context("read extent")?);
                }
            }
        }
    }
    let [west, south, east, north] = found;
    if west != -180.0 || east != -180.0 {
        return Ok(west.is_finite().then(|| BoundingBox::new(west, south, -east, -north)));
    }
    let (west, east) = visible_arc(db, product, snapshot)?.unwrap_or((west, -east));
    Ok(Some(BoundingBox::new(west, south, east, -north)))
}

/// West and east of the shortest arc that holds all visible scenes, west above east, where one of them crosses the 180th
/// meridian; `None` where none does, or where there is no gap between them.
fn visible_arc(db: &Connection, product: &str, snapshot: u64) -> Result<Option<(f64, f64)>, IndexError> {
    let mut statement = db
        .prepare_cached(&format!(
            "SELECT DISTINCT west, east FROM scenes INDEXED BY scenes_day WHERE product = ?1 AND {VISIBLE}"
        ))
        .context("read extent")?;
    let mut arcs: Vec<(f64, f64)> = statement
        .query_map(params![product, snapshot as i64], |r| Ok((r.get(0)?, r.get(1)?)))
        .and_then(Iterator::collect)
        .context("read extent")?;
    if !arcs.iter().any(|(west, east)| west > east) {
        return Ok(None);
    }
    arcs.iter_mut().filter(|(west, east)| west > east).for_each(|(_, east)| *east += 360.0);
    arcs.sort_by(|a, b| a.0.total_cmp(&b.0));
    // What lies past 180 covers the circle's beginning too.
    let mut covered = arcs.iter().map(|(_, east)| east - 360.0).fold(-180.0, f64::max);
    let mut gap = (0.0, covered, covered);
    for (west, east) in arcs {
        if west - covered > gap.0 {
            gap = (west - covered, west, covered);
        }
        covered = covered.max(east);
    }
    Ok((gap.0 > 0.0).then_some((gap.1, gap.2)))
}
