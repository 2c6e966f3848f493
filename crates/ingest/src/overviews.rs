//! Levels 4 and up, across the mosaic: one object per (solar day, platform, band, level).

use std::collections::BTreeMap;

use tesela_grid::{PixelWindow, TileId};
use tesela_index::{Index, NewGroup, NewOverview, SlotRow};
use tesela_layout::names::{
    TILE_LEVELS, array_name, coarsest_level, overviews_prefix, slots_digest, tiles_extent, tiles_window,
};
use tesela_layout::{Shape, array_spec, group_spec};
use tesela_model::{Instant, Period};
use tesela_store::{ArrayRef, Codec, ObjectKey, Pixels, Window};

use crate::IngestError;
use crate::plan::DayKey;
use crate::slots::{Context, TopLevel, later, new_object};

/// Side of the inner chunk of overviews, pixels.
const INNER: u32 = 256;

/// Writes the overviews of a batch's days, together with what earlier batches hold of the same days.
///
/// # Errors
/// [`IngestError`] of the store or the index.
pub fn write_overviews(
    c: &Context<'_>,
    index: &dyn Index,
    tops: Vec<TopLevel>,
    scenes_of: &BTreeMap<(TileId, DayKey), Vec<String>>,
    batch: usize,
) -> Result<Option<(NewGroup, Vec<NewOverview>)>, IngestError> {
    let mut days: BTreeMap<(Instant, DayKey), Vec<TopLevel>> = BTreeMap::new();
    for top in tops {
        days.entry((top.time, top.day)).or_default().push(top);
    }
    // One day may have tiles whose first scene differs in time; its earliest speaks for it.
    let mut merged: BTreeMap<DayKey, (Instant, Vec<TopLevel>)> = BTreeMap::new();
    for ((time, day), parts) in days {
        let entry = merged.entry(day).or_insert((time, Vec::new()));
        entry.0 = entry.0.min(time);
        entry.1.extend(parts);
    }
    let mut digests = BTreeMap::new();
    for (day, (time, parts)) in &mut merged {
        let mut members: BTreeMap<TileId, Vec<String>> = parts
            .iter()
            .map(|p| (p.tile, scenes_of.get(&(p.tile, *day)).cloned().unwrap_or_default()))
            .collect();
        for slot in earlier_slots(c, index, *day, *time)? {
            if members.contains_key(&slot.tile) {
                continue;
            }
            let scenes = index.slot_scenes(slot.id)?.into_iter().map(|s| s.product_id).collect();
            members.insert(slot.tile, scenes);
            parts.push(read_top(c, &slot, *day)?);
        }
        digests.insert(*day, slots_digest(&members));
    }
    let mut ordered: Vec<(DayKey, Instant, Vec<TopLevel>)> =
        merged.into_iter().map(|(d, (t, p))| (d, t, p)).collect();
    ordered.sort_by_key(|(d, t, _)| (*t, *d));
    let Some((min, end)) = tiles_extent(ordered.iter().flat_map(|(_, _, p)| p.iter().map(|t| t.tile))) else {
        return Ok(None);
    };
    let top_level = coarsest_level(c.grid, min, end);
    let windows: Vec<PixelWindow> = (0..=top_level).map(|l| tiles_window(c.grid, min, end, l)).collect();
    let prefix = ObjectKey::new(&overviews_prefix(&c.product.product, c.run, batch))?;
    let dates = ordered.len() as u64;
    let mut specs = Vec::new();
    for level in TILE_LEVELS + 1..=top_level {
        for band in &c.bands {
            specs.push(array_spec(
                band,
                level,
                Shape::whole(dates, &windows[level as usize], INNER),
                Codec::Lz4Bit,
            ));
        }
    }
    let mut times = Vec::new();
    let mut overviews = Vec::new();
    let mut objects = Vec::new();
    for (position, (day, time, parts)) in ordered.iter().enumerate() {
        let time = later(*time, &times);
        times.push(time);
        let (mut window, mut planes) = mosaic(c, parts);
        for level in TILE_LEVELS + 1..=top_level {
            // Even edges, so that each level's pixels hold exactly four of the level below.
            (window, planes) = padded(c, window, planes);
            planes = c.halve(&planes, window.width, window.height)?;
            window = PixelWindow::new(window.px / 2, window.py / 2, window.width / 2, window.height / 2);
            let whole = windows[level as usize];
            let Some(inside) = window.intersection(&whole) else { continue };
            for (b, plane) in planes.iter().enumerate() {
                let spec = &specs[(level - TILE_LEVELS - 1) as usize * c.bands.len() + b];
                let array = ArrayRef::from_spec(&prefix, spec)?;
                let mut writer = c.store.shard_writer(&array, [position as u64, 0, 0])?;
                let plane = crop(plane, &window, &inside);
                let (y0, x0) = ((inside.py - whole.py) as u64, (inside.px - whole.px) as u64);
                writer.put_window(0, y0, x0, inside.height, inside.width, &plane)?;
                objects.extend(writer.finish()?);
            }
        }
        overviews.push(NewOverview {
            solar_day: day.solar_day.to_string(),
            time,
            platform: day.platform.into(),
            prefix: prefix.as_str().into(),
            position: position as u64,
            slots_digest: digests.remove(day).unwrap_or_default(),
            tile_min: min,
            tile_end: end,
        });
    }
    let mut attributes = serde_json::Map::new();
    attributes.insert("tesela_levels".into(), format!("{}..{top_level}", TILE_LEVELS + 1).into());
    let spec = group_spec(prefix.clone(), c.grid, c.crs, &windows, times, specs, attributes);
    objects.extend(c.store.write_group(&spec)?);
    let group =
        NewGroup { prefix: prefix.as_str().into(), objects: objects.iter().map(new_object).collect() };
    Ok(Some((group, overviews)))
}

fn earlier_slots(
    c: &Context<'_>,
    index: &dyn Index,
    day: DayKey,
    time: Instant,
) -> Result<Vec<SlotRow>, IngestError> {
    let around = Period { start: Instant(time.0 - 172_800), end: Instant(time.0 + 172_800) };
    let snapshot = index.latest_snapshot()?;
    let slots = index.slots(&c.product.product, None, &around, snapshot)?;
    let solar_day = day.solar_day.to_string();
    Ok(slots.into_iter().filter(|s| s.solar_day == solar_day && s.platform == day.platform).collect())
}

fn read_top(c: &Context<'_>, slot: &SlotRow, day: DayKey) -> Result<TopLevel, IngestError> {
    let prefix = ObjectKey::new(&slot.prefix)?;
    let window = c.grid.tile_window(slot.tile, TILE_LEVELS);
    let whole = Window { y0: 0, x0: 0, height: window.height, width: window.width };
    let mut planes = Vec::new();
    for band in &c.bands {
        let array = c.store.open_array(&prefix, &array_name(&band.name, TILE_LEVELS))?;
        let mut plane = Pixels::empty(band.dtype);
        c.store.read_window(&array, slot.position, whole, &mut plane)?;
        planes.push(plane);
    }
    Ok(TopLevel { tile: slot.tile, day, time: slot.time, window, planes })
}

/// All tiles' level-3 pixels of a day on one canvas.
fn mosaic(c: &Context<'_>, parts: &[TopLevel]) -> (PixelWindow, Vec<Pixels>) {
    let window =
        parts.iter().map(|p| p.window).reduce(|a, b| a.union(&b)).unwrap_or(PixelWindow::new(0, 0, 0, 0));
    let mut planes: Vec<Pixels> =
        c.bands.iter().map(|b| Pixels::filled(b.dtype, window.len(), b.nodata)).collect();
    for part in parts {
        for (to, from) in planes.iter_mut().zip(&part.planes) {
            paste(from, &part.window, to, &window);
        }
    }
    (window, planes)
}

fn padded(c: &Context<'_>, window: PixelWindow, planes: Vec<Pixels>) -> (PixelWindow, Vec<Pixels>) {
    let (px, py) = (window.px & !1, window.py & !1);
    let even = PixelWindow::new(
        px,
        py,
        ((window.px_end() - px + 1) & !1) as usize,
        ((window.py_end() - py + 1) & !1) as usize,
    );
    if even == window {
        return (window, planes);
    }
    let planes = planes
        .iter()
        .zip(&c.bands)
        .map(|(plane, band)| {
            let mut grown = Pixels::filled(band.dtype, even.len(), band.nodata);
            paste(plane, &window, &mut grown, &even);
            grown
        })
        .collect();
    (even, planes)
}

fn crop(plane: &Pixels, window: &PixelWindow, inside: &PixelWindow) -> Pixels {
    if window == inside {
        return plane.clone();
    }
    let mut out = Pixels::filled(plane.dtype(), inside.len(), 0.0);
    paste(plane, window, &mut out, inside);
    out
}

/// Copies the pixels that both windows have.
fn paste(from: &Pixels, from_window: &PixelWindow, to: &mut Pixels, to_window: &PixelWindow) {
    fn rows<T: Copy>(from: &[T], fw: &PixelWindow, to: &mut [T], tw: &PixelWindow) {
        let Some(shared) = fw.intersection(tw) else { return };
        for y in shared.py..shared.py_end() {
            let f = (y - fw.py) as usize * fw.width + (shared.px - fw.px) as usize;
            let t = (y - tw.py) as usize * tw.width + (shared.px - tw.px) as usize;
            to[t..t + shared.width].copy_from_slice(&from[f..f + shared.width]);
        }
    }
    match (from, to) {
        (Pixels::U8(f), Pixels::U8(t)) => rows(f, from_window, t, to_window),
        (Pixels::U16(f), Pixels::U16(t)) => rows(f, from_window, t, to_window),
        (Pixels::I16(f), Pixels::I16(t)) => rows(f, from_window, t, to_window),
        (Pixels::F32(f), Pixels::F32(t)) => rows(f, from_window, t, to_window),
        _ => {}
    }
}
