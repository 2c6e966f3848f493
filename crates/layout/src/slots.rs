//! A group of slots as it is written: by ingest from scenes, by `compact` from other groups.

use serde_json::{Map, json};
use tesela_crs::CrsInfo;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_model::{ArchiveCodec, Band, DType, Instant, ScenesLayout};
use tesela_store::{
    ArrayRef, ArraySpec, Codec, GroupSpec, ObjectInfo, ObjectKey, Pixels, ShardWriter, Store, StoreError,
};

use crate::names::TILE_LEVELS;
use crate::{Shape, array_spec, group_spec};

/// Side of the inner chunks of levels 1 to 3, pixels.
const OVERVIEW_INNER: u32 = 128;

/// How a group of slots is cut into objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Level 0 as one object per slot and band, quick to write: scenes as they arrive.
    Recent,
    /// Level 0 as objects of many dates, quick to read through time and small.
    Archive,
}

/// A group of slots of one tile, about to be written.
pub struct SlotsGroup<'g> {
    /// Where it will lie.
    pub prefix: ObjectKey,
    /// Its tile.
    pub tile: TileId,
    /// The product's bands.
    pub bands: &'g [Band],
    /// The product's grid.
    pub grid: &'g GridDef,
    /// The grid's CRS.
    pub crs: &'g CrsInfo,
    /// The product's layout.
    pub layout: ScenesLayout,
    /// Recent or archive.
    pub form: Form,
    /// The most dates that will come.
    pub planned: u64,
}

impl SlotsGroup<'_> {
    /// Window of the tile at each level, finest first.
    pub fn windows(&self) -> Vec<PixelWindow> {
        (0..=TILE_LEVELS).map(|level| self.grid.tile_window(self.tile, level)).collect()
    }

    fn codec(&self) -> Codec {
        match self.form {
            Form::Recent => Codec::Lz4Bit,
            Form::Archive => match self.layout.archive.codec {
                ArchiveCodec::Lz4 => Codec::Lz4Bit,
                ArchiveCodec::Zstd => Codec::Zstd5Byte,
            },
        }
    }

    fn shape(&self, window: &PixelWindow, level: u32, dates: u64) -> Shape {
        let archive = self.layout.archive;
        match (self.form, level) {
            (Form::Recent, 0) => Shape::tiled(dates, window, 1, window.width, self.layout.inner_chunk),
            (Form::Recent, _) => Shape::tiled(dates, window, self.planned, window.width, OVERVIEW_INNER),
            (Form::Archive, 0) => {
                let side = inner_side(window.width, archive.side);
                Shape::deep(dates, window, u64::from(archive.dates), side, archive.inner)
            }
            (Form::Archive, _) => {
                Shape::tiled(dates, window, u64::from(archive.dates), window.width, OVERVIEW_INNER)
            }
        }
    }

    /// A band's array at a level, holding `dates` dates.
    pub fn array(&self, band: &Band, level: u32, dates: u64) -> ArraySpec {
        let window = self.grid.tile_window(self.tile, level);
        array_spec(band, level, self.shape(&window, level, dates), self.codec())
    }

    /// Bytes that a writer of one band holds at most before they are compressed, when its dates come in order.
    pub fn band_bytes(&self, dtype: DType) -> u64 {
        let tile = self.grid.tile_window(self.tile, 0);
        let depth = match self.form {
            Form::Recent => 1,
            Form::Archive => u64::from(self.layout.archive.inner[0]),
        };
        tile.len() as u64 * dtype.size_bytes() as u64 * depth
    }

    /// A writer of one band, all levels.
    ///
    /// # Errors
    /// [`StoreError::InvalidSpec`].
    pub fn band_writer(&self, store: &Store, band: &Band) -> Result<BandWriter, StoreError> {
        let mut levels = Vec::new();
        for level in 0..=TILE_LEVELS {
            let array = ArrayRef::from_spec(&self.prefix, &self.array(band, level, self.planned))?;
            let by_slot = self.form == Form::Recent && level == 0;
            let shards = if by_slot { Vec::new() } else { shards(store, &array)? };
            levels.push(Level { array, by_slot, shards });
        }
        Ok(BandWriter { store: store.clone(), levels, objects: Vec::new() })
    }

    /// The group, once its dates are known.
    pub fn spec(&self, times: Vec<Instant>) -> GroupSpec {
        let dates = times.len() as u64;
        let arrays = (0..=TILE_LEVELS)
            .flat_map(|level| self.bands.iter().map(move |band| self.array(band, level, dates)))
            .collect();
        let mut attributes = Map::new();
        attributes.insert(
            "tesela_form".into(),
            json!(match self.form {
                Form::Recent => "recent",
                Form::Archive => "archive",
            }),
        );
        group_spec(self.prefix.clone(), self.grid, self.crs, &self.windows(), times, arrays, attributes)
    }
}

/// The largest side up to `preferred` that divides the tile's.
fn inner_side(tile: usize, preferred: u32) -> usize {
    let preferred = preferred as usize;
    if tile.is_multiple_of(preferred) { preferred } else { tile }
}

fn shards(store: &Store, array: &ArrayRef) -> Result<Vec<Shard>, StoreError> {
    let [_, rows, columns] = array.shard_counts();
    let [_, height, width] = array.shard();
    let mut found = Vec::new();
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        found.push(Shard { y0: y * height, x0: x * width, writer: store.shard_writer(array, [0, y, x])? });
    }
    Ok(found)
}

/// Writes one band of a group, date by date.
pub struct BandWriter {
    store: Store,
    levels: Vec<Level>,
    objects: Vec<ObjectInfo>,
}

struct Level {
    array: ArrayRef,
    /// One object a date, put at once.
    by_slot: bool,
    shards: Vec<Shard>,
}

struct Shard {
    y0: u64,
    x0: u64,
    writer: ShardWriter,
}

impl BandWriter {
    /// Adds the pixels of one date at one level: a window of the tile, whose own window at that level is `tile`.
    ///
    /// # Errors
    /// [`StoreError`] of the writer.
    pub fn put(
        &mut self,
        position: u64,
        level: u32,
        tile: &PixelWindow,
        window: &PixelWindow,
        plane: &Pixels,
    ) -> Result<(), StoreError> {
        let (y0, x0) = ((window.py - tile.py) as u64, (window.px - tile.px) as u64);
        let at = &mut self.levels[level as usize];
        if at.by_slot {
            let mut writer = self.store.shard_writer(&at.array, [position, 0, 0])?;
            writer.put_window(0, y0, x0, window.height, window.width, plane)?;
            self.objects.extend(writer.finish()?);
            return Ok(());
        }
        let (y1, x1) = (y0 + window.height as u64, x0 + window.width as u64);
        for shard in &mut at.shards {
            let [_, height, width] = shard.writer.extent();
            let (top, bottom) = (y0.max(shard.y0), y1.min(shard.y0 + height));
            let (left, right) = (x0.max(shard.x0), x1.min(shard.x0 + width));
            if top >= bottom || left >= right {
                continue;
            }
            let (rows, columns) = ((bottom - top) as usize, (right - left) as usize);
            let (down, across) = (top - shard.y0, left - shard.x0);
            let from = [(top - y0) as usize, (left - x0) as usize];
            shard.writer.put_part(position, [down, across], [rows, columns], plane, from, window.width)?;
        }
        Ok(())
    }

    /// Says that no pixel of dates before `position` will come any more, so that they need not be held.
    ///
    /// # Errors
    /// [`StoreError`] of the writer.
    pub fn pass(&mut self, position: u64) -> Result<(), StoreError> {
        self.levels.iter_mut().flat_map(|l| &mut l.shards).try_for_each(|s| s.writer.flush(position))
    }

    /// Puts what is left; every object of the band.
    ///
    /// # Errors
    /// [`StoreError`] of the writer.
    pub fn finish(self) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut objects = self.objects;
        for shard in self.levels.into_iter().flat_map(|l| l.shards) {
            objects.extend(shard.writer.finish()?);
        }
        Ok(objects)
    }
}
