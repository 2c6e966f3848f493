//! Levels of a derived raster against what follows from the level under them.

use tesela_grid::{PixelWindow, TileId};
use tesela_layout::names::{TILE_LEVELS, array_name, coarsest_level, tiles_window};
use tesela_model::Band;
use tesela_store::{ArrayRef, Pixels, Store};

use super::pixels::{Group, fill_is_nodata};
use crate::ComputeError;
use crate::load::{paste, place};
use crate::recipe::pyramid::{Counted, halved};

/// The first pixel of an array.
const CORNER: PixelWindow = PixelWindow::new(0, 0, 0, 0);

/// Levels 1 to 3 of one band of one tile, compared to what its chunks of level 0 make, chunk by chunk.
pub(super) struct Levels<'l> {
    band: &'l Band,
    array: ArrayRef,
    /// The tile in the array of level 0.
    tile: PixelWindow,
    /// What is stored of each level, finest first.
    stored: Vec<Stored>,
    /// Whether what a chunk makes is apart from what others do; else the tile is worked as a whole.
    by_chunk: bool,
    /// Rows and columns of chunks in the tile, and which of them came.
    across: usize,
    came: Vec<bool>,
    stale: Option<u32>,
}

/// The pixels of one level of a tile that something is stored of; windows begin at the tile's corner.
struct Stored {
    window: PixelWindow,
    pixels: Pixels,
}

impl<'l> Levels<'l> {
    /// Reads what is stored of levels 1 to 3. `array` is the band's level 0.
    pub(super) fn read(
        store: &Store,
        group: &'l Group<'_>,
        band: &'l Band,
        tile: TileId,
        array: &ArrayRef,
    ) -> Result<Option<Self>, ComputeError> {
        let Some(base) = group.tile(tile, 0) else { return Ok(None) };
        let mut stored = Vec::new();
        for level in 1..=TILE_LEVELS {
            let Some(whole) = group.tile(tile, level) else { return Ok(None) };
            let array = store.open_array(&group.key, &array_name(&band.name, level))?;
            let window = stored_window(store, &array, band, &whole)?;
            let mut pixels = Pixels::empty(band.dtype);
            store.read_window(&array, 0, place(&CORNER, &window), &mut pixels)?;
            let window =
                PixelWindow::new(window.px - whole.px, window.py - whole.py, window.width, window.height);
            stored.push(Stored { window, pixels });
        }
        let [dates, ..] = array.shape();
        let [depth, rows, columns] = array.inner();
        // Blocks that begin at multiples of this from the tile's corner have parents of their own at every level.
        let step = 1 << TILE_LEVELS;
        let by_chunk = (dates, depth) == (1, 1)
            && rows % step == 0
            && columns % step == 0
            && base.py % rows as i64 == 0
            && base.px % columns as i64 == 0;
        let (down, across) = (base.height.div_ceil(rows as usize), base.width.div_ceil(columns as usize));
        let came = vec![false; if by_chunk { down * across } else { 0 }];
        let array = array.clone();
        Ok(Some(Self { band, array, tile: base, stored, by_chunk, across, came, stale: None }))
    }

    /// The tile in the array of level 0.
    pub(super) fn tile(&self) -> &PixelWindow {
        &self.tile
    }

    /// Compares what a chunk of level 0 makes.
    pub(super) fn add(&mut self, [_, y, x]: [u64; 3], pixels: &Pixels) -> Result<(), ComputeError> {
        if !self.by_chunk {
            return Ok(());
        }
        let [_, rows, columns] = self.array.inner();
        let whole =
            PixelWindow::new((x * columns) as i64, (y * rows) as i64, columns as usize, rows as usize);
        let Some(block) = self.tile.intersection(&whole) else { return Ok(()) };
        let (down, right) = (block.py - self.tile.py, block.px - self.tile.px);
        let at = (down / rows as i64) as usize * self.across + (right / columns as i64) as usize;
        if let Some(came) = self.came.get_mut(at) {
            *came = true;
        }
        let base = if block == whole {
            pixels.clone()
        } else {
            let mut part = Pixels::filled(self.band.dtype, block.len(), self.band.nodata);
            paste(pixels, 0, &whole, &mut part, 0, &block);
            part
        };
        self.compare(PixelWindow::new(right, down, block.width, block.height), base)
    }

    /// The first level that does not follow. Chunks that did not come hold nothing.
    pub(super) fn finish(mut self, store: &Store) -> Result<Option<u32>, ComputeError> {
        if !self.by_chunk {
            let mut base = Pixels::empty(self.band.dtype);
            store.read_window(&self.array, 0, place(&CORNER, &self.tile), &mut base)?;
            let whole = PixelWindow::new(0, 0, self.tile.width, self.tile.height);
            self.compare(whole, base)?;
            return Ok(self.stale);
        }
        let [_, rows, columns] = self.array.inner().map(|n| n as usize);
        let whole = PixelWindow::new(0, 0, self.tile.width, self.tile.height);
        for (i, _) in self.came.iter().enumerate().filter(|(_, came)| !**came) {
            let (y, x) = (i / self.across * rows, i % self.across * columns);
            let block = PixelWindow::new(x as i64, y as i64, columns, rows);
            let Some(mut window) = whole.intersection(&block) else { continue };
            for (level, stored) in (1..).zip(&self.stored) {
                window = halved(&window);
                if !stored.is_nothing(&window, self.band) {
                    self.stale = Some(self.stale.map_or(level, |known| known.min(level)));
                }
            }
        }
        Ok(self.stale)
    }

    /// Makes every level of a block of level 0.
    fn compare(&mut self, block: PixelWindow, base: Pixels) -> Result<(), ComputeError> {
        let (mut window, mut made) = (block, Counted::base(base, self.band));
        for (level, stored) in (1..).zip(&self.stored) {
            made = made.halve(self.band, window.width, window.height)?;
            window = halved(&window);
            if !stored.is(&window, &made.values, self.band) {
                self.stale = Some(self.stale.map_or(level, |known| known.min(level)));
            }
        }
        Ok(())
    }
}

impl Stored {
    /// Whether a window of the level holds just these pixels.
    fn is(&self, window: &PixelWindow, made: &Pixels, band: &Band) -> bool {
        match (made, &self.pixels) {
            (Pixels::U8(m), Pixels::U8(s)) => self.rows(window, m, s, band.nodata as u8, |a, b| a == b),
            (Pixels::U16(m), Pixels::U16(s)) => self.rows(window, m, s, band.nodata as u16, |a, b| a == b),
            (Pixels::I16(m), Pixels::I16(s)) => self.rows(window, m, s, band.nodata as i16, |a, b| a == b),
            (Pixels::F32(m), Pixels::F32(s)) => {
                // To the end of the row, so that the compiler takes many pixels in one instruction.
                let both = |(a, b): (&f32, &f32)| (a == b) | (a.is_nan() & b.is_nan());
                let same = |a: &[f32], b: &[f32]| {
                    a.len() == b.len() && a.iter().zip(b).fold(true, |same, pair| same & both(pair))
                };
                self.rows(window, m, s, band.nodata as f32, same)
            }
            _ => false,
        }
    }

    fn rows<T: Copy>(
        &self,
        window: &PixelWindow,
        made: &[T],
        stored: &[T],
        nodata: T,
        same: impl Fn(&[T], &[T]) -> bool,
    ) -> bool {
        let nothing = vec![nodata; window.width];
        let shared = self.window.intersection(window);
        (0..window.height).all(|row| {
            let made = &made[row * window.width..][..window.width];
            let y = window.py + row as i64;
            match shared.filter(|s| (s.py..s.py_end()).contains(&y)) {
                None => same(made, &nothing),
                Some(s) => {
                    let (from, to) = ((s.px - window.px) as usize, (s.px_end() - window.px) as usize);
                    let start =
                        (y - self.window.py) as usize * self.window.width + (s.px - self.window.px) as usize;
                    same(&made[from..to], &stored[start..start + s.width])
                        && same(&made[..from], &nothing[..from])
                        && same(&made[to..], &nothing[to..])
                }
            }
        })
    }

    /// Whether no pixel of a window of the level is valid, nor anything but nodata.
    fn is_nothing(&self, window: &PixelWindow, band: &Band) -> bool {
        match self.window.intersection(window) {
            None => true,
            Some(s) => self.is(&s, &Pixels::filled(band.dtype, s.len(), band.nodata), band),
        }
    }
}

/// The part of a window of an array's only date that something is stored of; everything else reads as nodata.
fn stored_window(
    store: &Store,
    array: &ArrayRef,
    band: &Band,
    window: &PixelWindow,
) -> Result<PixelWindow, ComputeError> {
    if !fill_is_nodata(array, band) {
        return Ok(*window);
    }
    let part = store.stored_part(array, 0, place(&CORNER, window))?;
    Ok(part.map_or(CORNER, |w| PixelWindow::new(w.x0, w.y0, w.width, w.height)))
}

/// The first level above 3 whose valid pixels are not those of the level under it, in a band.
pub(super) fn stale_wide_level(
    store: &Store,
    group: &Group<'_>,
    band: &Band,
) -> Result<Option<u32>, ComputeError> {
    let Some(g) = &group.generation else { return Ok(None) };
    let grid = &group.product.grid;
    let whole = |level| {
        let w = tiles_window(grid, g.tile_min, g.tile_end, level);
        PixelWindow::new(0, 0, w.width, w.height)
    };
    for level in TILE_LEVELS + 1..=coarsest_level(grid, g.tile_min, g.tile_end) {
        let below = store.open_array(&group.key, &array_name(&band.name, level - 1))?;
        let here = store.open_array(&group.key, &array_name(&band.name, level))?;
        let under = stored_window(store, &below, band, &whole(level - 1))?;
        let over = stored_window(store, &here, band, &whole(level))?;
        // Where neither level stores anything both are nodata.
        let made = PixelWindow::new(
            under.px / 2,
            under.py / 2,
            (under.px_end().unsigned_abs().div_ceil(2) - (under.px / 2).unsigned_abs()) as usize,
            (under.py_end().unsigned_abs().div_ceil(2) - (under.py / 2).unsigned_abs()) as usize,
        );
        let both = match (made.is_empty(), over.is_empty()) {
            (true, true) => continue,
            (true, false) => over,
            (false, true) => made,
            (false, false) => made.union(&over),
        };
        let children = PixelWindow::new(2 * both.px, 2 * both.py, 2 * both.width, 2 * both.height);
        let children = whole(level - 1).intersection(&children).unwrap_or(CORNER);
        let (mut fine, mut coarse) = (Pixels::empty(band.dtype), Pixels::empty(band.dtype));
        store.read_window(&below, 0, place(&CORNER, &children), &mut fine)?;
        store.read_window(&here, 0, place(&CORNER, &both), &mut coarse)?;
        // Weights are not stored, so values are compared to the range of their children.
        let fits = match (&fine, &coarse) {
            (Pixels::U8(f), Pixels::U8(c)) => follows(f, &children, c, &both, band, None),
            (Pixels::U16(f), Pixels::U16(c)) => follows(f, &children, c, &both, band, None),
            (Pixels::I16(f), Pixels::I16(c)) => follows(f, &children, c, &both, band, None),
            (Pixels::F32(f), Pixels::F32(c)) => follows(f, &children, c, &both, band, Some(1e-6)),
            _ => false,
        };
        if !fits {
            return Ok(Some(level));
        }
    }
    Ok(None)
}

/// Whether each coarse pixel lies within its valid children (one stored step of rounding allowed, or a share of the
/// largest), and is nodata just where they all are.
fn follows<T: Copy + Into<f64>>(
    fine: &[T],
    fw: &PixelWindow,
    coarse: &[T],
    cw: &PixelWindow,
    band: &Band,
    share: Option<f64>,
) -> bool {
    let nodata = band.nodata;
    let is_nodata = |v: f64| v.is_nan() | (v == nodata);
    for y in 0..cw.height {
        for x in 0..cw.width {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (fy, fx) = (2 * y + dy, 2 * x + dx);
                if fy < fw.height && fx < fw.width {
                    let v = fine[fy * fw.width + fx].into();
                    if !is_nodata(v) {
                        (low, high) = (low.min(v), high.max(v));
                    }
                }
            }
            let v = coarse[y * cw.width + x].into();
            let slack = share.map_or(1.0, |share| share * high.abs().max(1.0));
            let fits = if low > high {
                is_nodata(v)
            } else {
                !is_nodata(v) && v >= low - slack && v <= high + slack
            };
            if !fits {
                return false;
            }
        }
    }
    true
}
