//! Levels 4 and up, across the mosaic: one object per (solar day, platform, band, level).

use std::collections::BTreeMap;

use rayon::prelude::*;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{Index, NewGroup, NewOverview, NewSlot, SlotRow};
use tesela_layout::names::{
    TILE_LEVELS, array_name, coarsest_level, overviews_prefix, slots_digest, tiles_extent, tiles_window,
};
use tesela_layout::{Shape, array_spec, group_spec};
use tesela_model::Instant;
use tesela_store::{ArrayRef, ArraySpec, Codec, ObjectInfo, ObjectKey, Pixels, Window};

use crate::IngestError;
use crate::plan::DayKey;
use crate::slots::{Context, later, new_object};

/// Side of the inner chunk of overviews, pixels.
const INNER: u32 = 256;

/// A slot's level-3 pixels: what overviews are made from.
struct Top {
    window: PixelWindow,
    planes: Vec<Pixels>,
}

/// Where a slot's pixels lie.
pub(crate) struct Place {
    pub(crate) tile: TileId,
    pub(crate) prefix: String,
    pub(crate) position: u64,
}

/// Everything a day and platform has in the product, once the batch is in.
struct DayParts {
    day: DayKey,
    time: Instant,
    places: Vec<Place>,
    digest: String,
}

/// A group of overviews, about to be written: its tiles, and what each of its dates is made from.
pub(crate) struct OverviewsGroup {
    pub(crate) min: TileId,
    pub(crate) end: TileId,
    pub(crate) times: Vec<Instant>,
    pub(crate) places: Vec<Vec<Place>>,
}

/// Writes the overviews of a batch's days, from its slots and from what earlier batches hold of the same days;
/// `gone` are slots that go without another in their place.
///
/// # Errors
/// [`IngestError`] of the store or the index.
pub fn write_overviews(
    c: &Context<'_>,
    index: &dyn Index,
    days: &[DayKey],
    slots: &[NewSlot],
    gone: &[SlotRow],
    number: usize,
) -> Result<Option<(NewGroup, Vec<NewOverview>)>, IngestError> {
    let mut parts = days_parts(c, index, days, slots, gone)?;
    parts.sort_by_key(|p| (p.time, p.day));
    let Some((min, end)) = tiles_extent(parts.iter().flat_map(|p| p.places.iter().map(|s| s.tile))) else {
        return Ok(None);
    };
    let mut times: Vec<Instant> = Vec::new();
    for p in &parts {
        times.push(later(p.time, &times));
    }
    let described: Vec<(DayKey, String)> = parts.iter().map(|p| (p.day, p.digest.clone())).collect();
    let places = parts.into_iter().map(|p| p.places).collect();
    let group = write_group(c, &OverviewsGroup { min, end, times: times.clone(), places }, number)?;
    let overviews = described
        .into_iter()
        .zip(times)
        .enumerate()
        .map(|(position, ((day, slots_digest), time))| NewOverview {
            solar_day: day.solar_day.to_string(),
            time,
            platform: day.platform.into(),
            prefix: group.prefix.clone(),
            position: position as u64,
            slots_digest,
            tile_min: min,
            tile_end: end,
        })
        .collect();
    Ok(Some((group, overviews)))
}

/// Writes a group of overviews as number `number` of the run.
///
/// # Errors
/// [`IngestError`] of the store.
pub(crate) fn write_group(
    c: &Context<'_>,
    group: &OverviewsGroup,
    number: usize,
) -> Result<NewGroup, IngestError> {
    let (min, end) = (group.min, group.end);
    let top_level = coarsest_level(c.grid, min, end);
    let windows: Vec<PixelWindow> = (0..=top_level).map(|l| tiles_window(c.grid, min, end, l)).collect();
    let prefix = ObjectKey::new(&overviews_prefix(&c.product.product, c.run, number))?;
    let dates = group.places.len() as u64;
    let mut specs = Vec::new();
    for level in TILE_LEVELS + 1..=top_level {
        for band in &c.bands {
            let shape = Shape::whole(dates, &windows[level as usize], INNER);
            specs.push(array_spec(band, level, shape, Codec::Lz4Bit));
        }
    }
    let written: Vec<Vec<ObjectInfo>> = group
        .places
        .par_iter()
        .enumerate()
        .map(|(position, places)| write_day(c, &prefix, &windows, &specs, position as u64, places))
        .collect::<Result<_, _>>()?;
    let mut objects: Vec<ObjectInfo> = written.into_iter().flatten().collect();
    let mut attributes = serde_json::Map::new();
    attributes.insert("tesela_levels".into(), format!("{}..{top_level}", TILE_LEVELS + 1).into());
    let times = group.times.clone();
    let spec = group_spec(prefix.clone(), c.grid, c.crs, &windows, times, specs, attributes);
    objects.extend(c.store.write_group(&spec)?);
    Ok(NewGroup {
        prefix: prefix.as_str().into(),
        archive: false,
        objects: objects.iter().map(new_object).collect(),
    })
}

/// Where the pixels of each day lie, those of the cube's own slots among them. The earliest slot of a day speaks for
/// its time: tiles may differ in their first scene.
fn days_parts(
    c: &Context<'_>,
    index: &dyn Index,
    days: &[DayKey],
    slots: &[NewSlot],
    gone: &[SlotRow],
) -> Result<Vec<DayParts>, IngestError> {
    let mut by_day: BTreeMap<(String, &str), Vec<&NewSlot>> = BTreeMap::new();
    for slot in slots {
        by_day.entry((slot.solar_day.clone(), &slot.platform)).or_default().push(slot);
    }
    let mut found = Vec::new();
    for day in days {
        let new = by_day.remove(&(day.solar_day.to_string(), day.platform)).unwrap_or_default();
        if new.is_empty() && !gone.iter().any(|slot| day.holds(slot)) {
            continue;
        }
        let mut earliest = new.iter().map(|s| s.time).min();
        let mut members: BTreeMap<TileId, Vec<String>> =
            new.iter().map(|s| (s.tile, s.scenes.clone())).collect();
        let mut places: Vec<Place> = new
            .iter()
            .map(|s| Place { tile: s.tile, prefix: s.prefix.clone(), position: s.position })
            .collect();
        for slot in earlier_slots(c, index, *day)? {
            if members.contains_key(&slot.tile) || gone.iter().any(|g| g.id == slot.id) {
                continue;
            }
            if new.is_empty() {
                earliest = Some(earliest.map_or(slot.time, |time| time.min(slot.time)));
            }
            let scenes = index.slot_scenes(slot.id)?.into_iter().map(|s| s.product_id).collect();
            members.insert(slot.tile, scenes);
            places.push(Place { tile: slot.tile, prefix: slot.prefix, position: slot.position });
        }
        let Some(time) = earliest else { continue };
        found.push(DayParts { day: *day, time, places, digest: slots_digest(&members) });
    }
    Ok(found)
}

/// Levels 4 and up of one day.
fn write_day(
    c: &Context<'_>,
    prefix: &ObjectKey,
    windows: &[PixelWindow],
    specs: &[ArraySpec],
    position: u64,
    places: &[Place],
) -> Result<Vec<ObjectInfo>, IngestError> {
    let tops = places.iter().map(|p| read_top(c, p)).collect::<Result<Vec<_>, _>>()?;
    let mut objects = Vec::new();
    let (mut window, mut planes) = mosaic(c, &tops);
    for (level, whole) in windows.iter().enumerate().skip(TILE_LEVELS as usize + 1) {
        // Even edges, so that each level's pixels hold exactly four of the level below.
        (window, planes) = padded(c, window, planes);
        planes = c.halve(&planes, window.width, window.height)?;
        window = PixelWindow::new(window.px / 2, window.py / 2, window.width / 2, window.height / 2);
        let Some(inside) = window.intersection(whole) else { continue };
        for (b, plane) in planes.iter().enumerate() {
            let spec = &specs[(level - TILE_LEVELS as usize - 1) * c.bands.len() + b];
            let array = ArrayRef::from_spec(prefix, spec)?;
            let mut writer = c.store.shard_writer(&array, [position, 0, 0])?;
            let plane = crop(plane, &window, &inside);
            let (y0, x0) = ((inside.py - whole.py) as u64, (inside.px - whole.px) as u64);
            writer.put_window(0, y0, x0, inside.height, inside.width, &plane)?;
            objects.extend(writer.finish()?);
        }
    }
    Ok(objects)
}

fn earlier_slots(c: &Context<'_>, index: &dyn Index, day: DayKey) -> Result<Vec<SlotRow>, IngestError> {
    let snapshot = index.latest_snapshot()?;
    let slots = index.slots(&c.product.product, None, &day.around(), snapshot)?;
    Ok(slots.into_iter().filter(|slot| day.holds(slot)).collect())
}

fn read_top(c: &Context<'_>, place: &Place) -> Result<Top, IngestError> {
    let prefix = ObjectKey::new(&place.prefix)?;
    let window = c.grid.tile_window(place.tile, TILE_LEVELS);
    let whole = Window { y0: 0, x0: 0, height: window.height, width: window.width };
    let mut planes = Vec::new();
    for band in &c.bands {
        let array = c.store.open_array(&prefix, &array_name(&band.name, TILE_LEVELS))?;
        let mut plane = Pixels::empty(band.dtype);
        c.store.read_window(&array, place.position, whole, &mut plane)?;
        planes.push(plane);
    }
    Ok(Top { window, planes })
}

/// All tiles' level-3 pixels of a day on one canvas.
fn mosaic(c: &Context<'_>, parts: &[Top]) -> (PixelWindow, Vec<Pixels>) {
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
