//! The bytes of a key.

use std::ops::Range;
use std::sync::Arc;

use tesela_grid::PixelWindow;
use tesela_index::GenerationRow;
use tesela_layout::names::{TILE_LEVELS, array_name, tiles_window};
use tesela_store::{ArrayRef, ArraySpec, ObjectKey, Pixels, StoreError, Window};

use super::key::Named;
use super::{Source, View, ViewArray};
use crate::{ComputeError, Cube};

/// What lies under a key of a view.
pub struct ViewObject {
    /// Its size in bytes.
    pub size: u64,
    held: Held,
}

enum Held {
    Document(Arc<[u8]>),
    Encoded(Vec<u8>),
    Stored(ObjectKey),
}

impl Cube {
    /// What lies under a key of a view; `None` when nothing does, which for a chunk means that it is all fill.
    /// Costs at most the reading and encoding of one chunk.
    ///
    /// # Errors
    /// [`ComputeError::View`] when the chunk's raster is not as the view says; a snapshot that has gone since the
    /// view was made; those of index and store.
    pub fn view_object(&self, view: &View, key: &str) -> Result<Option<ViewObject>, ComputeError> {
        let (array, chunk) = match view.named(key) {
            None => return Ok(None),
            Some(Named::Document(bytes)) => {
                return Ok(Some(ViewObject {
                    size: bytes.len() as u64,
                    held: Held::Document(bytes.clone()),
                }));
            }
            Some(Named::Chunk(array, chunk)) => (array, chunk),
        };
        let found = match &view.source {
            Source::Objects(_) => self.stored(view, array, chunk)?,
            Source::Generations(_) | Source::Days(_) => self.encoded(view, array, chunk)?,
        };
        if found.is_none() {
            // Fill only if the snapshot is still kept: what is missing was not swept under the reader.
            self.snapshot(Some(view.snapshot))?;
        }
        Ok(found)
    }

    /// Bytes of what [`Cube::view_object`] found; the range must lie inside it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn view_bytes(&self, object: ViewObject, range: Range<u64>) -> Result<Vec<u8>, ComputeError> {
        let (from, to) = (range.start as usize, range.end as usize);
        match object.held {
            Held::Encoded(bytes) if range == (0..bytes.len() as u64) => Ok(bytes),
            Held::Encoded(bytes) => Ok(bytes.get(from..to).unwrap_or_default().to_vec()),
            Held::Document(bytes) => Ok(bytes.get(from..to).unwrap_or_default().to_vec()),
            Held::Stored(key) => {
                let read = self.store().objects().get_range(&key, range.start, range.end - range.start)?;
                Ok(read.ok_or(StoreError::ObjectMissing { key })?)
            }
        }
    }

    fn stored(
        &self,
        view: &View,
        array: &ViewArray,
        chunk: [u64; 3],
    ) -> Result<Option<ViewObject>, ComputeError> {
        let Some(key) = view.stored_key(array, chunk)? else { return Ok(None) };
        let size = self.store().objects().size(&key)?;
        Ok(size.map(|size| ViewObject { size, held: Held::Stored(key) }))
    }

    fn encoded(
        &self,
        view: &View,
        array: &ViewArray,
        chunk: [u64; 3],
    ) -> Result<Option<ViewObject>, ComputeError> {
        let [t, y, x] = chunk;
        let [_, rows, columns] = array.chunk;
        // Chunks lie inside the array, and so in numbers that a window has.
        let window = PixelWindow::new(
            array.window.px + (x * columns) as i64,
            array.window.py + (y * rows) as i64,
            columns as usize,
            rows as usize,
        );
        let Some(pixels) = self.view_pixels(view, array, t, &window)? else { return Ok(None) };
        let encoded = array.spec.encode_plain(&pixels)?;
        Ok(encoded.map(|bytes| ViewObject { size: bytes.len() as u64, held: Held::Encoded(bytes) }))
    }

    /// Stored values of level 0 on one date, in a window that lies in one tile; `None` where there is no raster.
    pub(super) fn view_pixels(
        &self,
        view: &View,
        array: &ViewArray,
        t: u64,
        window: &PixelWindow,
    ) -> Result<Option<Pixels>, ComputeError> {
        let grid = &view.product.grid;
        let tile = grid.tile_of_pixel(window.px, window.py).0;
        let (prefix, position, base) = match &view.source {
            Source::Objects(rows) | Source::Generations(rows) => {
                let Some(row) = rows.get(t as usize) else { return Ok(None) };
                let inside = (row.tile_min.ix..row.tile_end.ix).contains(&tile.ix)
                    && (row.tile_min.iy..row.tile_end.iy).contains(&tile.iy);
                if !inside {
                    return Ok(None);
                }
                (row.prefix.clone(), 0, tiles_window(grid, row.tile_min, row.tile_end, 0))
            }
            Source::Days(days) => {
                let Some(day) = days.get(t as usize) else { return Ok(None) };
                let slots = self.day_slots(&view.product.id, day, view.snapshot)?;
                let Some(slot) = slots.iter().find(|s| s.tile == tile && s.platform == day.platform) else {
                    return Ok(None);
                };
                (slot.prefix.clone(), slot.position, grid.tile_window(tile, 0))
            }
        };
        let prefix = ObjectKey::new(&prefix)?;
        let name = &view.product.bands[array.band].name;
        let Some(stored) = self.open_if_there(&prefix, name)? else { return Ok(None) };
        if let Some(problem) = values_differ(&stored, &array.spec) {
            return Err(ComputeError::View { product: view.product.id.clone(), problem });
        }
        let place = Window {
            y0: window.py - base.py,
            x0: window.px - base.px,
            height: window.height,
            width: window.width,
        };
        let mut pixels = Pixels::empty(array.spec.dtype);
        self.store().read_window(&stored, position, place, &mut pixels)?;
        Ok(Some(pixels))
    }

    /// An array of a group; `None` when the group was written without it, as before its band was defined.
    pub(super) fn open_if_there(
        &self,
        prefix: &ObjectKey,
        name: &str,
    ) -> Result<Option<ArrayRef>, ComputeError> {
        match self.store().open_array(prefix, name) {
            Ok(array) => Ok(Some(array)),
            Err(missing @ StoreError::NodeMissing { .. }) => {
                let path = prefix.join(name)?;
                let listed = self.store().open_group(prefix)?.iter().any(|a| *a.path() == path);
                if listed { Err(missing.into()) } else { Ok(None) }
            }
            Err(e) => Err(e.into()),
        }
    }
}

impl View {
    /// The stored object that is a chunk of the view, whether it exists or not; `None` where there is no raster.
    pub(super) fn stored_key(
        &self,
        array: &ViewArray,
        chunk: [u64; 3],
    ) -> Result<Option<ObjectKey>, ComputeError> {
        let Source::Objects(rows) = &self.source else { return Ok(None) };
        let [t, y, x] = chunk;
        let Some(row) = rows.get(t as usize) else { return Ok(None) };
        let Some((y, x)) = self.own_shard(row, array, y, x) else { return Ok(None) };
        let name = array_name(&self.product.bands[array.band].name, array.level);
        Ok(Some(ObjectKey::new(&row.prefix)?.join(&format!("{name}/c/0/{y}/{x}"))?))
    }

    /// Row and column of a shard in a raster's own shards.
    fn own_shard(&self, row: &GenerationRow, array: &ViewArray, y: u64, x: u64) -> Option<(u64, u64)> {
        if array.level > TILE_LEVELS {
            // Such levels are presented only where all rasters have one extent.
            return Some((y, x));
        }
        let grid = &self.product.grid;
        let side = grid.level_tile_size(array.level) as i64;
        let own = tiles_window(grid, row.tile_min, row.tile_end, array.level);
        let shift = |own: i64, view: i64, index: u64, length: usize| {
            let shifted = i64::try_from(index).ok()?.checked_sub((own - view) / side)?;
            u64::try_from(shifted).ok().filter(|&i| i < (length as i64 / side) as u64)
        };
        Some((shift(own.py, array.window.py, y, own.height)?, shift(own.px, array.window.px, x, own.width)?))
    }
}

/// What keeps stored values from being an array's, if anything.
pub(super) fn values_differ(stored: &ArrayRef, spec: &ArraySpec) -> Option<String> {
    let same_fill = stored.fill() == spec.fill || stored.fill().is_nan() && spec.fill.is_nan();
    let same = stored.dtype() == spec.dtype
        && same_fill
        && (stored.scale(), stored.offset()) == (spec.scale, spec.offset);
    (!same).then(|| {
        format!(
            "{} is stored as {} with nodata {}, scale {}, offset {}, and the product says {}, {}, {}, {}",
            stored.path(),
            stored.dtype().as_str(),
            stored.fill(),
            stored.scale(),
            stored.offset(),
            spec.dtype.as_str(),
            spec.fill,
            spec.scale,
            spec.offset
        )
    })
}
