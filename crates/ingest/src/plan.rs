//! Which scenes go in, where they lie, and in which batches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use tesela_crs::{is_torn, lon_lat_bounds, transform_bounds, with_transformer};
use tesela_grid::{BoundingBox, CrsName, GridDef, PixelWindow, TileId};
use tesela_index::SlotRow;
use tesela_model::landsat::{resolve_alias, solar_day};
use tesela_model::{Instant, Period, ProductDef};

use crate::IngestError;
use crate::raster::{RasterInfo, probe};
use crate::source::{BandFile, RefusalReason, SceneSource};

/// How many times coarser or finer than the grid's a scene's pixels may be.
const MOST_TIMES: f64 = 100.0;

/// One scene with its geometry checked and its place on the grid known.
#[derive(Debug, Clone)]
pub struct PlannedScene {
    /// As discovered.
    pub source: SceneSource,
    /// Files by measurement name, in the product's order; optional bands may be absent.
    pub files: BTreeMap<String, (String, BandFile, RasterInfo)>,
    /// Footprint, the same for all bands.
    pub geobox: tesela_grid::GeoBox,
    /// Level-0 window of the grid that its bounds cover.
    pub window: PixelWindow,
    /// Longitude and latitude bounds; `x_min` above `x_max` across the 180th meridian.
    pub bbox: BoundingBox,
    /// Solar day.
    pub solar_day: Date,
    /// What an operator should know: metadata that disagrees with the raster.
    pub warnings: Vec<String>,
}

impl PlannedScene {
    /// Time as stored.
    pub fn time(&self) -> Instant {
        Instant::from(self.source.acquired)
    }

    /// Tiles of the grid that it meets.
    pub fn tiles(&self, grid: &GridDef) -> BTreeSet<TileId> {
        grid.tiles_in_window(&self.window, 0).into_iter().filter(|t| grid.has_tile(*t)).collect()
    }

    /// Key of the slot it belongs to, in any tile.
    pub fn day(&self) -> DayKey {
        DayKey { solar_day: self.solar_day, platform: self.source.platform.stac_name() }
    }
}

/// Scenes that fuse: one solar day, one platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayKey {
    /// Solar day.
    pub solar_day: Date,
    /// `landsat-8`.
    pub platform: &'static str,
}

impl DayKey {
    /// A time that holds the solar day, wherever on the globe.
    pub fn around(&self) -> Period {
        let Instant(start) = Instant::at_midnight(self.solar_day);
        Period { start: Instant(start - 2 * 86_400), end: Instant(start + 3 * 86_400) }
    }

    /// Whether a slot is of this day and platform.
    pub fn holds(&self, slot: &SlotRow) -> bool {
        slot.platform == self.platform && slot.solar_day == self.solar_day.to_string()
    }
}

/// File band names a product needs from a scene, by measurement; `Err` names what is missing.
///
/// # Errors
/// [`RefusalReason::MissingBands`] when a measurement that is not optional has no file.
pub fn resolve_files(
    product: &ProductDef,
    scene: &SceneSource,
) -> Result<Vec<(String, String, BandFile)>, RefusalReason> {
    let family = scene.platform.family();
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for m in &product.measurements {
        let alias = resolve_alias(&m.aliases, family).or_else(|| m.aliases.get("any").map(String::as_str));
        let Some(file_band) = alias else {
            if !m.optional {
                missing.push((m.name.clone(), format!("{} for {}", m.name, family.name())));
            }
            continue;
        };
        match scene.bands.get(file_band) {
            Some(file) => found.push((m.name.clone(), file_band.to_owned(), file.clone())),
            None if m.optional => {}
            None => missing.push((m.name.clone(), file_band.to_owned())),
        }
    }
    crate::source::require_bands(scene, &missing)?;
    Ok(found)
}

/// Opens every band of a scene, checks that they share their pixels, and finds the scene's place.
///
/// # Errors
/// [`IngestError`] with a scene code: unreadable band, bands that differ, no CRS, outside the grid.
pub fn place(
    product: &ProductDef,
    grid: &GridDef,
    source: SceneSource,
    files: Vec<(String, String, BandFile)>,
) -> Result<PlannedScene, IngestError> {
    let mut probed = BTreeMap::new();
    let mut first: Option<tesela_grid::GeoBox> = None;
    for (name, band, file) in files {
        let info = probe(&file, &band)?;
        match &first {
            None => first = Some(info.geobox.clone()),
            Some(g) if *g != info.geobox => {
                return Err(IngestError::BandsDiffer {
                    path: file.path,
                    band,
                    found: describe(&info.geobox),
                    expected: describe(g),
                });
            }
            Some(_) => {}
        }
        probed.insert(name, (band, file, info));
    }
    let Some(geobox) = first else {
        return Err(IngestError::Geometry {
            path: source.source.clone(),
            problem: format!("no band that product {} knows", product.product),
        });
    };
    let outside = |bounds: String| IngestError::OutsideGrid {
        product_id: source.product_id.clone(),
        grid: grid.id.clone(),
        bounds,
    };
    if is_torn(&geobox.crs, &grid.crs, &geobox.bounds()) {
        // What lies around pieces on both sides of a map would seem to be everywhere on it.
        if !has_a_place(&geobox, grid)? {
            return Err(outside("in pieces on either side of its map".into()));
        }
        return Err(IngestError::Torn {
            product_id: source.product_id.clone(),
            grid: grid.id.clone(),
            crs: short(&grid.crs),
            scene_crs: short(&geobox.crs),
        });
    }
    let bounds = transform_bounds(&geobox.crs, &grid.crs, &geobox.bounds())
        .ok_or_else(|| outside("cannot be projected".into()))?;
    let across = pixel_across(&geobox, grid)?;
    if !(1.0 / MOST_TIMES..=MOST_TIMES).contains(&(across / grid.resolution)) {
        return Err(IngestError::Geometry {
            path: first_file(&probed),
            problem: format!(
                "its pixels are {across} across in the units of grid {}, whose own are {}; at most {MOST_TIMES} times \
                 more or less is taken",
                grid.id, grid.resolution
            ),
        });
    }
    let window = grid.window_covering(&bounds);
    let on_grid = grid.tiles_in_window(&window, 0).into_iter().any(|t| grid.has_tile(t));
    if !on_grid {
        let b = bounds;
        return Err(outside(format!("{:.0} {:.0} {:.0} {:.0}", b.x_min, b.y_min, b.x_max, b.y_max)));
    }
    let bbox = lon_lat_bounds(&geobox.crs, &geobox.bounds())
        .ok_or_else(|| outside("has no longitude and latitude".into()))?;
    let middle = geobox.bounds();
    let (mut lon, mut lat) = ([(middle.x_min + middle.x_max) / 2.0], [(middle.y_min + middle.y_max) / 2.0]);
    with_transformer(&geobox.crs, &CrsName::lon_lat(), |t| t.transform(&mut lon, &mut lat))?;
    let solar_day = solar_day(source.acquired, lon[0]);
    let warnings = metadata_warnings(&source, &geobox);
    Ok(PlannedScene { source, files: probed, geobox, window, bbox, solar_day, warnings })
}

/// Whether some point of a raster's edge lies on a tile of the grid.
fn has_a_place(g: &tesela_grid::GeoBox, grid: &GridDef) -> Result<bool, IngestError> {
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = g.bounds().edge_points(9).into_iter().unzip();
    with_transformer(&g.crs, &grid.crs, |t| t.transform(&mut xs, &mut ys))?;
    let on_tile =
        |(x, y): (&f64, &f64)| x.is_finite() && y.is_finite() && grid.has_tile(grid.tile_at(*x, *y));
    Ok(xs.iter().zip(&ys).any(on_tile))
}

/// Side of the raster's middle pixel, in the grid's units.
fn pixel_across(g: &tesela_grid::GeoBox, grid: &GridDef) -> Result<f64, IngestError> {
    let (x, y) = g.xy(g.width as f64 / 2.0, g.height as f64 / 2.0);
    let (mut xs, mut ys) = ([x, x + g.dx, x], [y, y, y - g.dy]);
    with_transformer(&g.crs, &grid.crs, |t| t.transform(&mut xs, &mut ys))?;
    let side = |i: usize| (xs[i] - xs[0]).hypot(ys[i] - ys[0]);
    Ok((side(1) * side(2)).sqrt())
}

/// The first file of a scene, for messages.
fn first_file(probed: &BTreeMap<String, (String, BandFile, RasterInfo)>) -> std::path::PathBuf {
    probed.values().next().map(|(_, file, _)| file.path.clone()).unwrap_or_default()
}

fn describe(g: &tesela_grid::GeoBox) -> String {
    format!("{} × {} px of {} from ({}, {}) in {}", g.width, g.height, g.dx, g.x_min, g.y_max, short(&g.crs))
}

fn short(crs: &CrsName) -> String {
    crs.as_str().chars().take(40).collect()
}

/// Where the metadata disagrees with the raster; the raster decides.
fn metadata_warnings(source: &SceneSource, geobox: &tesela_grid::GeoBox) -> Vec<String> {
    let mut warnings = source.warnings.clone();
    let Some(mtl) = &source.mtl else { return warnings };
    if (mtl.samples as usize, mtl.lines as usize) != (geobox.width, geobox.height) {
        warnings.push(format!(
            "metadata says {} × {} pixels, the raster has {} × {}; the raster is used",
            mtl.samples, mtl.lines, geobox.width, geobox.height
        ));
    }
    let (x, y) = mtl.corner_ul_edge_xy();
    if (x - geobox.x_min).abs() > 1e-3 || (y - geobox.y_max).abs() > 1e-3 {
        warnings.push(format!(
            "metadata puts the upper-left edge at ({x}, {y}), the raster at ({}, {}); the raster is used",
            geobox.x_min, geobox.y_max
        ));
    }
    warnings
}

/// The scenes of one day and platform.
#[derive(Debug, Clone)]
pub struct Day {
    /// Its key.
    pub key: DayKey,
    /// Scenes in fuse order: row, then path.
    pub scenes: Vec<PlannedScene>,
    /// Tiles that a scene has left, reprocessed or archived: their slots change too.
    pub left: BTreeSet<TileId>,
}

impl Day {
    /// Time of the first scene.
    pub fn time(&self) -> Instant {
        self.scenes.iter().map(PlannedScene::time).min().unwrap_or(Instant(0))
    }

    /// The day as a window of the grid sees it: only the scenes that meet it.
    pub fn within(&self, window: &PixelWindow) -> Self {
        let meets = |s: &&PlannedScene| s.window.intersection(window).is_some();
        let scenes = self.scenes.iter().filter(meets).cloned().collect();
        Self { key: self.key, scenes, left: BTreeSet::new() }
    }

    /// Puts the scenes into fuse order.
    pub fn sort(&mut self) {
        self.scenes.sort_by(|a, b| {
            (a.source.row, a.source.path, &a.source.product_id).cmp(&(
                b.source.row,
                b.source.path,
                &b.source.product_id,
            ))
        });
    }

    /// Tiles whose slot changes: those that any of the new scenes meets, and those that one has left.
    pub fn tiles(&self, grid: &GridDef, new_ids: &BTreeSet<String>) -> BTreeSet<TileId> {
        self.scenes
            .iter()
            .filter(|s| new_ids.contains(&s.source.product_id))
            .flat_map(|s| s.tiles(grid))
            .chain(self.left.iter().copied())
            .collect()
    }
}

/// Groups scenes by day and cuts the days into batches of at most `batch_days`, in time order.
pub fn batches(scenes: Vec<PlannedScene>, batch_days: usize) -> Vec<Vec<Day>> {
    let mut days: BTreeMap<DayKey, Vec<PlannedScene>> = BTreeMap::new();
    for scene in scenes {
        days.entry(scene.day()).or_default().push(scene);
    }
    let mut days: Vec<Day> = days
        .into_iter()
        .map(|(key, scenes)| {
            let mut day = Day { key, scenes, left: BTreeSet::new() };
            day.sort();
            day
        })
        .collect();
    days.sort_by_key(|d| (d.time(), d.key));
    let mut batches = Vec::new();
    let mut rest = days.into_iter().peekable();
    while rest.peek().is_some() {
        batches.push(rest.by_ref().take(batch_days.max(1)).collect());
    }
    batches
}
