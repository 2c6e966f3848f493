//! Windows of the grid from slots, overviews and generations: the only readers of product pixels.

use std::collections::BTreeMap;

use tesela_grid::{PixelWindow, TileId};
use tesela_index::{GenerationRow, OverviewRow, SlotRow};
use tesela_layout::names::{TILE_LEVELS, array_name, coarsest_level, tiles_window};
use tesela_model::Band;
use tesela_store::{ObjectKey, Pixels, Slice, Store, Window};

use crate::catalog::Product;
use crate::skip::Needs;
use crate::{ComputeError, Cube};

/// What a query reads: one derived raster, or one solar day of scenes.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A derived raster.
    Generation(Box<GenerationRow>),
    /// The scenes of a solar day, platform by platform.
    Day {
        /// Slots of every tile and platform, by time.
        slots: std::sync::Arc<Vec<SlotRow>>,
        /// Overviews, by time; one a platform.
        overviews: Vec<OverviewRow>,
    },
}

impl Item {
    /// The coarsest level there is.
    pub(crate) fn top_level(&self, product: &Product) -> u32 {
        let top = |min, end| coarsest_level(&product.grid, min, end);
        match self {
            Self::Generation(g) => top(g.tile_min, g.tile_end),
            Self::Day { overviews, .. } => {
                overviews.iter().map(|o| top(o.tile_min, o.tile_end)).min().unwrap_or(TILE_LEVELS)
            }
        }
    }
}

impl Cube {
    /// Stored values of some bands of an item in a window of the grid at a level.
    pub(crate) fn read_item(
        &self,
        product: &Product,
        item: &Item,
        bands: &[&Band],
        level: u32,
        window: &PixelWindow,
    ) -> Result<Vec<Pixels>, ComputeError> {
        self.read_item_where(product, item, bands, level, window, None)
    }

    /// As [`Cube::read_item`]; pixels of `hidden` (one a pixel of the window) are nobody's to look at, and chunks that
    /// have no other are not read. What such pixels become is not said.
    pub(crate) fn read_item_where(
        &self,
        product: &Product,
        item: &Item,
        bands: &[&Band],
        level: u32,
        window: &PixelWindow,
        hidden: Option<&[bool]>,
    ) -> Result<Vec<Pixels>, ComputeError> {
        if hidden.is_some_and(|h| !h.contains(&false)) {
            return Ok(bands.iter().map(|b| Pixels::filled(b.dtype, window.len(), b.nodata)).collect());
        }
        let hidden = hidden.map(|hidden| Hidden { hidden, window });
        let hidden = hidden.as_ref();
        match item {
            Item::Generation(g) => {
                let base = tiles_window(&product.grid, g.tile_min, g.tile_end, level);
                read_group(self.store(), &g.prefix, 0, bands, level, &base, window, hidden)
            }
            Item::Day { overviews, .. } if level > TILE_LEVELS => {
                let mut layers = Vec::new();
                for o in overviews {
                    let base = tiles_window(&product.grid, o.tile_min, o.tile_end, level);
                    layers.push(read_group(
                        self.store(),
                        &o.prefix,
                        o.position,
                        bands,
                        level,
                        &base,
                        window,
                        hidden,
                    )?);
                }
                Ok(first_observed(layers, bands, window.len()))
            }
            Item::Day { slots, .. } => {
                let mut by_platform: BTreeMap<&str, Vec<&SlotRow>> = BTreeMap::new();
                for s in slots.iter() {
                    by_platform.entry(&s.platform).or_default().push(s);
                }
                let mut layers = Vec::new();
                for slots in by_platform.values() {
                    layers.push(read_slots(self.store(), product, slots, bands, level, window, hidden)?);
                }
                Ok(first_observed(layers, bands, window.len()))
            }
        }
    }

    /// Stored values of one band over several slots of one tile into `out`: `(slots, height, width)`. The window may reach
    /// into neighbour tiles, where the slots of the same day and platform give the pixels.
    pub(crate) fn read_slot_stack(
        &self,
        product: &Product,
        band: &Band,
        slots: &[SlotRow],
        neighbours: &Neighbours,
        window: &PixelWindow,
        out: &mut Pixels,
    ) -> Result<(), ComputeError> {
        let Some(home) = slots.first().map(|s| s.tile) else {
            out.reshape(band.dtype, 0);
            return Ok(());
        };
        let home_window = product.grid.tile_window(home, 0);
        let inside = home_window.intersection(window) == Some(*window);
        let slices = self.slices(band, slots.iter())?;
        self.store().read_stack(&slices, place(&home_window, window), out)?;
        if inside {
            return Ok(());
        }
        for tile in product.grid.tiles_in_window(window, 0) {
            let Some(there) = neighbours.0.get(&tile).filter(|_| tile != home) else { continue };
            let matched: Vec<(usize, &SlotRow)> = slots
                .iter()
                .enumerate()
                .filter_map(|(i, s)| there.get(&(s.solar_day.clone(), s.platform.clone())).map(|n| (i, n)))
                .collect();
            let tile_window = product.grid.tile_window(tile, 0);
            let Some(part) = tile_window.intersection(window).filter(|_| !matched.is_empty()) else {
                continue;
            };
            let slices = self.slices(band, matched.iter().map(|(_, s)| *s))?;
            let mut piece = Pixels::empty(band.dtype);
            self.store().read_stack(&slices, place(&tile_window, &part), &mut piece)?;
            for (k, (i, _)) in matched.iter().enumerate() {
                paste(&piece, k * part.len(), &part, out, i * window.len(), window);
            }
        }
        Ok(())
    }

    /// As [`Cube::read_slot_stack`] of a window that lies inside the tile, of those chunks only that `needs` looks at:
    /// the slots of `chosen`, places in `slots`.
    pub(crate) fn read_slots_where(
        &self,
        product: &Product,
        band: &Band,
        slots: &[SlotRow],
        chosen: &[usize],
        needs: Option<&Needs>,
        window: &PixelWindow,
    ) -> Result<Pixels, ComputeError> {
        let mut out = Pixels::empty(band.dtype);
        let Some(home) = slots.first().map(|s| s.tile) else { return Ok(out) };
        let slices = self.slices(band, chosen.iter().filter_map(|i| slots.get(*i)))?;
        let window = place(&product.grid.tile_window(home, 0), window);
        self.read_slices_where(&slices, chosen, needs, window, &mut out)?;
        Ok(out)
    }

    /// As [`Cube::read_slots_where`] of slices already known, one a slot of `chosen`; `window` counts from the tile's
    /// first pixel.
    pub(crate) fn read_slices_where(
        &self,
        slices: &[Slice],
        chosen: &[usize],
        needs: Option<&Needs>,
        window: Window,
        out: &mut Pixels,
    ) -> Result<(), ComputeError> {
        let wanted = |k: usize, at: [u64; 2]| match (needs, chosen.get(k), slices.get(k)) {
            (Some(needs), Some(slot), Some(slice)) => needs.wants(*slot, slice.array.inner(), at),
            _ => true,
        };
        Ok(self.store().read_stack_once(slices, window, &wanted, out)?)
    }

    /// Where a band of slots lies in the store.
    pub(crate) fn slices<'s>(
        &self,
        band: &Band,
        slots: impl Iterator<Item = &'s SlotRow>,
    ) -> Result<Vec<Slice>, ComputeError> {
        slots
            .map(|s| {
                let array = self.store().open_array(&ObjectKey::new(&s.prefix)?, &band.name)?;
                Ok(Slice { array, t: s.position })
            })
            .collect()
    }
}

/// Slots of the tiles around a tile, by tile, then by (solar day, platform).
#[derive(Debug, Default)]
pub(crate) struct Neighbours(BTreeMap<TileId, BTreeMap<(String, String), SlotRow>>);

impl Neighbours {
    pub(crate) fn new(slots: impl IntoIterator<Item = SlotRow>) -> Self {
        let mut by_tile: BTreeMap<TileId, BTreeMap<_, _>> = BTreeMap::new();
        for s in slots {
            by_tile.entry(s.tile).or_default().insert((s.solar_day.clone(), s.platform.clone()), s);
        }
        Self(by_tile)
    }
}

/// A window of the grid as rows and columns of an array whose first pixel is `base`'s.
pub(crate) fn place(base: &PixelWindow, window: &PixelWindow) -> Window {
    Window { y0: window.py - base.py, x0: window.px - base.px, height: window.height, width: window.width }
}

/// Pixels of a window that nobody looks at.
struct Hidden<'h> {
    hidden: &'h [bool],
    window: &'h PixelWindow,
}

impl Hidden<'_> {
    /// Whether any pixel of `part` is looked at.
    fn leaves(&self, part: &PixelWindow) -> bool {
        let Some(shared) = self.window.intersection(part) else { return false };
        (shared.py..shared.py_end()).any(|y| {
            let start = (y - self.window.py) as usize * self.window.width;
            let from = start + (shared.px - self.window.px) as usize;
            self.hidden.get(from..from + shared.width).is_none_or(|run| run.contains(&false))
        })
    }
}

#[allow(clippy::too_many_arguments)]
fn read_group(
    store: &Store,
    prefix: &str,
    position: u64,
    bands: &[&Band],
    level: u32,
    base: &PixelWindow,
    window: &PixelWindow,
    hidden: Option<&Hidden<'_>>,
) -> Result<Vec<Pixels>, ComputeError> {
    let prefix = ObjectKey::new(prefix)?;
    bands
        .iter()
        .map(|band| {
            let array = store.open_array(&prefix, &array_name(&band.name, level))?;
            let mut out = Pixels::empty(band.dtype);
            let [_, rows, columns] = array.inner();
            let wanted = |_: usize, [cy, cx]: [u64; 2]| {
                let (x, y) = (base.px + (cx * columns) as i64, base.py + (cy * rows) as i64);
                let chunk = PixelWindow::new(x, y, columns as usize, rows as usize);
                hidden.is_none_or(|hidden| hidden.leaves(&chunk))
            };
            let slice = [Slice { array, t: position }];
            store.read_stack_where(&slice, place(base, window), &wanted, &mut out)?;
            Ok(out)
        })
        .collect()
}

/// One platform's slots of a day, mosaicked over tiles.
fn read_slots(
    store: &Store,
    product: &Product,
    slots: &[&SlotRow],
    bands: &[&Band],
    level: u32,
    window: &PixelWindow,
    hidden: Option<&Hidden<'_>>,
) -> Result<Vec<Pixels>, ComputeError> {
    let mut planes: Vec<Pixels> =
        bands.iter().map(|b| Pixels::filled(b.dtype, window.len(), b.nodata)).collect();
    for slot in slots {
        let tile = product.grid.tile_window(slot.tile, level);
        let Some(part) = tile.intersection(window) else { continue };
        let read = read_group(store, &slot.prefix, slot.position, bands, level, &tile, &part, hidden)?;
        if part == *window {
            return Ok(read);
        }
        for (piece, plane) in read.iter().zip(&mut planes) {
            paste(piece, 0, &part, plane, 0, window);
        }
    }
    Ok(planes)
}

/// Several platforms on one day: per pixel the first with any observation gives all bands.
fn first_observed(mut layers: Vec<Vec<Pixels>>, bands: &[&Band], len: usize) -> Vec<Pixels> {
    if layers.is_empty() {
        return bands.iter().map(|b| Pixels::filled(b.dtype, len, b.nodata)).collect();
    }
    let mut result = layers.remove(0);
    for layer in layers {
        let empty: Vec<bool> = (0..len)
            .map(|i| result.iter().zip(bands).all(|(p, b)| p.get_f64(i).is_none_or(|v| b.is_nodata(v))))
            .collect();
        for (to, from) in result.iter_mut().zip(&layer) {
            fill_where(to, from, &empty);
        }
    }
    result
}

fn fill_where(to: &mut Pixels, from: &Pixels, wanted: &[bool]) {
    fn each<T: Copy>(to: &mut [T], from: &[T], wanted: &[bool]) {
        for ((t, f), w) in to.iter_mut().zip(from).zip(wanted) {
            if *w {
                *t = *f;
            }
        }
    }
    match (to, from) {
        (Pixels::U8(t), Pixels::U8(f)) => each(t, f, wanted),
        (Pixels::U16(t), Pixels::U16(f)) => each(t, f, wanted),
        (Pixels::I16(t), Pixels::I16(f)) => each(t, f, wanted),
        (Pixels::F32(t), Pixels::F32(f)) => each(t, f, wanted),
        _ => {}
    }
}

/// Copies the pixels that both windows have, from one plane of a stack to one of another.
pub(crate) fn paste(
    from: &Pixels,
    from_at: usize,
    fw: &PixelWindow,
    to: &mut Pixels,
    to_at: usize,
    tw: &PixelWindow,
) {
    fn rows<T: Copy>(from: &[T], fw: &PixelWindow, to: &mut [T], tw: &PixelWindow) {
        let Some(shared) = fw.intersection(tw) else { return };
        for y in shared.py..shared.py_end() {
            let f = (y - fw.py) as usize * fw.width + (shared.px - fw.px) as usize;
            let t = (y - tw.py) as usize * tw.width + (shared.px - tw.px) as usize;
            to[t..t + shared.width].copy_from_slice(&from[f..f + shared.width]);
        }
    }
    match (from, to) {
        (Pixels::U8(f), Pixels::U8(t)) => rows(&f[from_at..], fw, &mut t[to_at..], tw),
        (Pixels::U16(f), Pixels::U16(t)) => rows(&f[from_at..], fw, &mut t[to_at..], tw),
        (Pixels::I16(f), Pixels::I16(t)) => rows(&f[from_at..], fw, &mut t[to_at..], tw),
        (Pixels::F32(f), Pixels::F32(t)) => rows(&f[from_at..], fw, &mut t[to_at..], tw),
        _ => {}
    }
}
