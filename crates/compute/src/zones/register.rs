//! Registering a polygon layer: checked keys, exact coverage on every grid of the cube.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use geo_types::MultiPolygon;
use rayon::prelude::*;
use tesela_crs::{crs_info, transform_points};
use tesela_grid::{BoundingBox, CrsName, GridDef, PixelWindow, TileId};
use tesela_index::{NewZone, NewZoneSet, ZoneSetCommit};
use tesela_stats::{CellWindow, cover_multi_polygon, planar_area, planar_centroid};

use super::coverage::{ZoneCoverage, encode};
use crate::{ComputeError, Cube};

/// One polygon as read from a file.
#[derive(Debug, Clone)]
pub struct ZoneInput {
    /// Key, a string always.
    pub key: String,
    /// Attributes.
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// Valid polygons in `crs`, `(x, y)` order.
    pub geometry: MultiPolygon<f64>,
}

/// A polygon layer to register.
#[derive(Debug, Clone)]
pub struct ZoneRegistration {
    /// `manzanas@2020`.
    pub id: String,
    /// Title by language.
    pub title: BTreeMap<String, String>,
    /// Edition.
    pub edition: Option<String>,
    /// Key attribute.
    pub key_field: String,
    /// Where it was read from.
    pub source: String,
    /// CRS of the geometries.
    pub crs: CrsName,
    /// Generated, not real.
    pub synthetic: bool,
    /// What was repaired or left out.
    pub report: Vec<String>,
    /// Zones in any order.
    pub zones: Vec<ZoneInput>,
}

impl Cube {
    /// Registers a polygon layer and its coverage on every grid a product uses. The caller holds the writer lock.
    ///
    /// # Errors
    /// [`ComputeError::Parameter`] for a key that is empty or stands twice; a taken id; those of the index.
    pub fn add_zones(&self, mut set: ZoneRegistration) -> Result<u64, ComputeError> {
        set.zones.sort_by(|a, b| a.key.cmp(&b.key));
        check_keys(&set)?;
        let catalog = self.fresh_catalog()?;
        let used: BTreeSet<&str> = catalog.products.values().map(|p| p.grid.id.as_str()).collect();
        let grids: Vec<Arc<GridDef>> =
            catalog.grids.values().filter(|g| used.contains(g.id.as_str())).cloned().collect();
        let lon_lat = CrsName::lon_lat();
        let mut zones = Vec::with_capacity(set.zones.len());
        for z in &set.zones {
            let shape = reprojected(&z.geometry, &set.crs, &lon_lat)?;
            let bbox = bounds(&shape).ok_or_else(|| ComputeError::Parameter {
                parameter: "zones",
                problem: format!("zone {} has no place in longitude and latitude", z.key),
            })?;
            zones.push(NewZone {
                key: z.key.clone(),
                properties: serde_json::Value::Object(z.properties.clone()).to_string(),
                geometry: geojson(&shape).to_string(),
                area_m2: 0.0,
                bbox,
            });
        }
        let mut coverage = Vec::new();
        for (g, grid) in grids.iter().enumerate() {
            let shapes = set
                .zones
                .iter()
                .map(|z| reprojected(&z.geometry, &set.crs, &grid.crs))
                .collect::<Result<Vec<_>, _>>()?;
            if g == 0 {
                for (zone, shape) in zones.iter_mut().zip(&shapes) {
                    zone.area_m2 = true_area(grid, shape)?;
                }
            }
            coverage.extend(
                cover(grid, &shapes)?.into_iter().map(|(tile, bytes)| (grid.id.clone(), tile, bytes)),
            );
        }
        let new = NewZoneSet {
            id: set.id,
            title: serde_json::to_string(&set.title).unwrap_or_default(),
            edition: set.edition,
            key_field: set.key_field,
            source: set.source,
            synthetic: set.synthetic,
            report: serde_json::to_string(&set.report).unwrap_or_default(),
            zones,
        };
        Ok(self.index().commit_zone_set(&ZoneSetCommit { set: new, coverage })?)
    }
}

fn check_keys(set: &ZoneRegistration) -> Result<(), ComputeError> {
    let wrong = |problem: String| Err(ComputeError::Parameter { parameter: "key", problem });
    if set.zones.is_empty() {
        return wrong(format!("{} holds no polygons", set.source));
    }
    if let Some(i) = set.zones.iter().position(|z| z.key.trim().is_empty()) {
        return wrong(format!("{}: {} zone(s) have an empty {}", set.source, i + 1, set.key_field));
    }
    if let Some(w) = set.zones.windows(2).find(|w| w[0].key == w[1].key) {
        return wrong(format!(
            "{}: {} {} stands more than once; keys must be unique",
            set.source, set.key_field, w[0].key
        ));
    }
    Ok(())
}

/// Coverage of every tile that a zone meets.
fn cover(grid: &GridDef, shapes: &[MultiPolygon<f64>]) -> Result<BTreeMap<TileId, Vec<u8>>, ComputeError> {
    let mut by_tile: BTreeMap<TileId, Vec<u32>> = BTreeMap::new();
    for (ordinal, shape) in shapes.iter().enumerate() {
        let Some(b) = bounds(shape) else { continue };
        for tile in grid.tiles_in_window(&grid.window_covering(&b), 0) {
            if grid.has_tile(tile) {
                by_tile.entry(tile).or_default().push(ordinal as u32);
            }
        }
    }
    by_tile
        .into_par_iter()
        .filter_map(|(tile, ordinals)| {
            let window = cell_window(grid, &grid.tile_window(tile, 0));
            let covered: Result<Vec<ZoneCoverage>, ComputeError> = ordinals
                .into_iter()
                .map(|ordinal| {
                    let coverage = cover_multi_polygon(&shapes[ordinal as usize], window).map_err(|e| {
                        ComputeError::Parameter { parameter: "zones", problem: e.to_string() }
                    })?;
                    Ok(ZoneCoverage { ordinal, coverage })
                })
                .filter(|z| z.as_ref().map_or(true, |z| !z.coverage.is_empty()))
                .collect();
            match covered {
                Ok(zones) if zones.is_empty() => None,
                Ok(zones) => Some(Ok((tile, encode(&zones)))),
                Err(e) => Some(Err(e)),
            }
        })
        .collect()
}

pub(super) fn cell_window(grid: &GridDef, window: &PixelWindow) -> CellWindow {
    let g = grid.geobox(window, 0);
    CellWindow {
        x_min: g.x_min,
        y_max: g.y_max,
        cell_width: g.dx,
        cell_height: g.dy,
        cols: window.width as u32,
        rows: window.height as u32,
    }
}

/// Planar area over the areal scale at the centroid (science 9.3, polygon true area of blocks).
fn true_area(grid: &GridDef, shape: &MultiPolygon<f64>) -> Result<f64, ComputeError> {
    let planar = planar_area(shape);
    let (Some(model), Some(c)) = (crs_info(&grid.crs)?.area_model, planar_centroid(shape)) else {
        return Ok(planar);
    };
    Ok(planar * model.cell_area_m2(c.x, c.y, 1.0, 1.0))
}

fn reprojected(
    shape: &MultiPolygon<f64>,
    from: &CrsName,
    to: &CrsName,
) -> Result<MultiPolygon<f64>, ComputeError> {
    if from == to {
        return Ok(shape.clone());
    }
    let mut shape = shape.clone();
    let rings = shape.0.iter_mut();
    let mut failed = None;
    for polygon in rings {
        let mut move_ring = |ring: &mut geo_types::LineString<f64>| {
            let mut xs: Vec<f64> = ring.0.iter().map(|c| c.x).collect();
            let mut ys: Vec<f64> = ring.0.iter().map(|c| c.y).collect();
            if let Err(e) = transform_points(from, to, &mut xs, &mut ys) {
                failed = Some(e);
            }
            for (c, (x, y)) in ring.0.iter_mut().zip(xs.into_iter().zip(ys)) {
                (c.x, c.y) = (x, y);
            }
        };
        polygon.exterior_mut(|r| move_ring(r));
        polygon.interiors_mut(|rs| rs.iter_mut().for_each(&mut move_ring));
    }
    match failed {
        Some(e) => Err(e.into()),
        None => Ok(shape),
    }
}

fn bounds(shape: &MultiPolygon<f64>) -> Option<BoundingBox> {
    BoundingBox::of_points(shape.0.iter().flat_map(|p| p.exterior().0.iter().map(|c| (c.x, c.y))))
}

/// GeoJSON geometry, seven decimals of a degree (a centimetre).
fn geojson(shape: &MultiPolygon<f64>) -> serde_json::Value {
    let round = |v: f64| (v * 1e7).round() / 1e7;
    let ring = |r: &geo_types::LineString<f64>| -> serde_json::Value {
        r.0.iter().map(|c| serde_json::json!([round(c.x), round(c.y)])).collect()
    };
    let polygon = |p: &geo_types::Polygon<f64>| -> serde_json::Value {
        std::iter::once(p.exterior()).chain(p.interiors()).map(ring).collect()
    };
    if let [one] = shape.0.as_slice() {
        return serde_json::json!({"type": "Polygon", "coordinates": polygon(one)});
    }
    let all: serde_json::Value = shape.0.iter().map(polygon).collect();
    serde_json::json!({"type": "MultiPolygon", "coordinates": all})
}
