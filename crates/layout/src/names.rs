//! Where things lie in the store: prefixes of Zarr groups, array names, levels.
//!
//! ```text
//! scenes/{product}/{ix}_{iy}/{run}-{batch}       slots of one tile: level 0 and overviews/1..3
//! scenes/{product}/mosaic/{run}-{batch}          overviews/4.. of one solar day and platform each
//! derived/{product}/{period}/{run}               one period: level 0, overviews/1..
//! ```

use std::collections::BTreeMap;

use tesela_grid::{GridDef, PixelWindow, TileId};

use tesela_model::Period;

/// Levels that lie in a tile; from the next one up an overview is grid-wide.
pub const TILE_LEVELS: u32 = 3;

/// Prefix of a group of slots.
pub fn slots_prefix(product: &str, tile: TileId, run: &str, batch: usize) -> String {
    format!("scenes/{product}/{tile}/{run}-{batch}")
}

/// Prefix of a group of grid-wide overviews.
pub fn overviews_prefix(product: &str, run: &str, batch: usize) -> String {
    format!("scenes/{product}/mosaic/{run}-{batch}")
}

/// Prefix of a derived raster.
pub fn generation_prefix(product: &str, period: &Period, run: &str) -> String {
    format!("derived/{product}/{}/{run}", period.label())
}

/// Name of a band's array at a level, inside its group.
pub fn array_name(band: &str, level: u32) -> String {
    if level == 0 { band.to_owned() } else { format!("overviews/{level}/{band}") }
}

/// The window that a rectangle of tiles (`min` to before `end`) fills at a level.
pub fn tiles_window(grid: &GridDef, min: TileId, end: TileId, level: u32) -> PixelWindow {
    let t = grid.level_tile_size(level) as i64;
    PixelWindow::new(
        i64::from(min.ix) * t,
        -i64::from(end.iy) * t,
        (i64::from(end.ix - min.ix) * t) as usize,
        (i64::from(end.iy - min.iy) * t) as usize,
    )
}

/// The coarsest level of a rectangle of tiles: the first that fits 256 × 256 px, at least 4; or the last at which a tile
/// has whole pixels, which come to lie beside their places above it (3200 px are 25 at level 7).
pub fn coarsest_level(grid: &GridDef, min: TileId, end: TileId) -> u32 {
    let mut level = TILE_LEVELS + 1;
    loop {
        let w = tiles_window(grid, min, end, level);
        if w.width.max(w.height) <= 256 || !grid.tile_size.is_multiple_of(2 << level) {
            return level;
        }
        level += 1;
    }
}

/// The smallest rectangle holding all tiles, as (south-west, one past north-east).
pub fn tiles_extent(tiles: impl IntoIterator<Item = TileId>) -> Option<(TileId, TileId)> {
    let mut found: Option<(TileId, TileId)> = None;
    for t in tiles {
        let (min, end) = found.get_or_insert((t, TileId { ix: t.ix + 1, iy: t.iy + 1 }));
        min.ix = min.ix.min(t.ix);
        min.iy = min.iy.min(t.iy);
        end.ix = end.ix.max(t.ix + 1);
        end.iy = end.iy.max(t.iy + 1);
    }
    found
}

/// Names the slots an overview is made from: tiles and their scenes, in order. An overview whose slots have another
/// digest is stale.
pub fn slots_digest(members: &BTreeMap<TileId, Vec<String>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (tile, scenes) in members {
        hasher.update(format!("{tile}:{};", scenes.join(",")).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
