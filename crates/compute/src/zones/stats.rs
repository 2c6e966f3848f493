//! Statistics of zones over derived rasters: one pass over a tile's pixels for all its zones.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tesela_crs::crs_info;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{GenerationRow, ProductKind};
use tesela_model::{Band, TimeSelector};
use tesela_stats::{CellRule, Coverage, ZoneAccumulator};

use super::coverage::{ZoneCoverage, decode};
use super::register::cell_window;
use super::{ZoneQuery, ZoneStatRow, ZoneTable};
use crate::catalog::Product;
use crate::load::Item;
use crate::query::physical;
use crate::{ComputeError, Cube};

/// One zone's sums over some tiles.
struct Sums {
    values: ZoneAccumulator,
    count: Option<ZoneAccumulator>,
    emad: Option<ZoneAccumulator>,
}

impl Sums {
    fn new() -> Self {
        Self { values: ZoneAccumulator::with_values(CellRule::default()), count: None, emad: None }
    }

    fn merge(&mut self, other: Self) {
        self.values.merge(&other.values);
        for (mine, theirs) in [(&mut self.count, other.count), (&mut self.emad, other.emad)] {
            match (mine.as_mut(), theirs) {
                (Some(m), Some(t)) => m.merge(&t),
                (None, t) => *mine = t,
                _ => {}
            }
        }
    }
}

/// Planes over one window: the statistic's values, and those that qualify it.
struct Planes {
    window: PixelWindow,
    values: Vec<f32>,
    count: Option<Vec<f32>>,
    emad: Option<Vec<f32>>,
}

impl Cube {
    /// Statistics of every zone of a set, or of one.
    ///
    /// Definitions are exactextract's, in f64, over exact coverage fractions; nodata cells are left out of
    /// everything but `coverage`. Areas are true areas on the ellipsoid.
    ///
    /// # Errors
    /// Unknown set, product, band, zone or time; a scenes product; those of store and index.
    pub fn zone_stats(&self, query: &ZoneQuery) -> Result<ZoneTable, ComputeError> {
        let catalog = self.catalog()?;
        catalog.zone_set(&query.set)?;
        let product = catalog.product(&query.product)?;
        if product.kind != ProductKind::Derived {
            return Err(ComputeError::Parameter {
                parameter: "product",
                problem: format!("{} holds scenes; zone statistics need a derived product", product.id),
            });
        }
        let snapshot = self.snapshot(query.snapshot)?;
        let keys = self.index().zone_keys(&query.set)?;
        let only = match &query.key {
            Some(key) => Some(keys.iter().position(|k| k == key).ok_or_else(|| ComputeError::UnknownZone {
                set: query.set.clone(),
                key: key.chars().take(64).collect(),
            })? as u32),
            None => None,
        };
        let tiles: Vec<(TileId, Vec<ZoneCoverage>)> = self
            .index()
            .zone_coverage(&query.set, &product.grid.id)?
            .into_iter()
            .map(|(tile, bytes)| {
                let mut zones = decode(&bytes)?;
                if let Some(o) = only {
                    zones.retain(|z| z.ordinal == o);
                }
                Ok((tile, zones))
            })
            .collect::<Result<Vec<_>, ComputeError>>()?;
        let mut rows = Vec::new();
        for g in self.chosen(product, query, snapshot)? {
            let sums = self.sum(product, &g, query, &tiles, snapshot)?;
            rows.extend(self.rows(product, &g, query, &keys, only, sums, snapshot));
        }
        Ok(ZoneTable {
            zone_set: query.set.clone(),
            product: product.id.clone(),
            band: query.band.clone(),
            snapshot,
            rows,
        })
    }

    fn chosen(
        &self,
        product: &Product,
        query: &ZoneQuery,
        snapshot: u64,
    ) -> Result<Vec<GenerationRow>, ComputeError> {
        let all = self.generations(&product.id, snapshot)?;
        if query.all_periods {
            return Ok(all.to_vec());
        }
        if let TimeSelector::Interval(span) = query.time {
            let found: Vec<_> = all.iter().filter(|g| span.contains(g.period.start)).cloned().collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        match self.find_item(product, &query.time, snapshot)?.0 {
            Item::Generation(g) => Ok(vec![*g]),
            Item::Day { .. } => Ok(Vec::new()),
        }
    }

    fn sum(
        &self,
        product: &Product,
        g: &GenerationRow,
        query: &ZoneQuery,
        tiles: &[(TileId, Vec<ZoneCoverage>)],
        snapshot: u64,
    ) -> Result<BTreeMap<u32, Sums>, ComputeError> {
        let expression = match product.band(&query.band) {
            Ok(_) => None,
            Err(unknown) => match product.expression(&query.band) {
                Ok(e) => Some(e),
                // A plain word that is no band is a misspelt band, not a faulty expression.
                Err(_) if query.band.chars().all(|c| c.is_alphanumeric() || c == '_') => return Err(unknown),
                Err(e) => return Err(e),
            },
        };
        let partial: Vec<Vec<(u32, Sums)>> = tiles
            .par_iter()
            .map(|(tile, zones)| {
                let Some(local) = covered_window(zones) else { return Ok(Vec::new()) };
                let origin = product.grid.tile_window(*tile, 0);
                let window =
                    PixelWindow::new(origin.px + local.px, origin.py + local.py, local.width, local.height);
                let planes = self.planes(product, g, query, expression.as_ref(), window, snapshot)?;
                let model = crs_info(&product.grid.crs)?.area_model;
                let areas = model.as_ref().map(tesela_grid::area::CellAreaModel::evaluator);
                let cells = cell_window(&product.grid, &origin);
                zones
                    .iter()
                    .map(|z| Ok((z.ordinal, accumulate(z, &planes, &local, &cells, areas.as_ref()))))
                    .collect()
            })
            .collect::<Result<_, ComputeError>>()?;
        let mut sums: BTreeMap<u32, Sums> = BTreeMap::new();
        for (ordinal, s) in partial.into_iter().flatten() {
            sums.entry(ordinal).or_insert_with(Sums::new).merge(s);
        }
        Ok(sums)
    }

    /// Reads the statistic's band over a window, with the count and EMAD that qualify it: the product's own, or its
    /// input's of the same period.
    fn planes(
        &self,
        product: &Product,
        g: &GenerationRow,
        query: &ZoneQuery,
        expression: Option<&tesela_kernel::expr::Expression>,
        window: PixelWindow,
        snapshot: u64,
    ) -> Result<Planes, ComputeError> {
        let item = Item::Generation(Box::new(g.clone()));
        let names: Vec<String> = match expression {
            Some(e) => e.bands().to_vec(),
            None => vec![query.band.clone()],
        };
        let layers = self.layers(product, &item, &names, &window)?;
        let values = match expression {
            None => layers.into_iter().next().unwrap_or_default(),
            Some(e) => {
                let inputs: Vec<&[f32]> = layers.iter().map(Vec::as_slice).collect();
                let mut out = vec![f32::NAN; window.len()];
                e.evaluate(&inputs, &mut out)
                    .map_err(|e| ComputeError::Parameter { parameter: "band", problem: e.to_string() })?;
                out
            }
        };
        let (mut count, mut emad) = (None, None);
        if let Some((owner, row)) = self.quality_source(product, g, snapshot)? {
            let item = Item::Generation(Box::new(row));
            let names = ["count".to_owned(), "emad".to_owned()];
            let mut layers = self.layers(&owner, &item, &names, &window)?;
            emad = layers.pop();
            count = layers.pop();
        }
        Ok(Planes { window, values, count, emad })
    }

    fn layers(
        &self,
        product: &Product,
        item: &Item,
        names: &[String],
        window: &PixelWindow,
    ) -> Result<Vec<Vec<f32>>, ComputeError> {
        let bands: Vec<&Band> = names.iter().map(|n| product.band(n)).collect::<Result<_, _>>()?;
        let read = self.read_item(product, item, &bands, 0, window)?;
        read.iter().zip(&bands).map(|(p, b)| physical(p, b)).collect()
    }

    /// The product and raster that hold `count` and `emad` for a raster.
    fn quality_source(
        &self,
        product: &Product,
        g: &GenerationRow,
        snapshot: u64,
    ) -> Result<Option<(std::sync::Arc<Product>, GenerationRow)>, ComputeError> {
        let catalog = self.catalog()?;
        let has = |p: &Product| p.band("count").is_ok() && p.band("emad").is_ok();
        let mut at = catalog.product(&product.id)?.clone();
        for _ in 0..8 {
            if has(&at) {
                let rows = self.generations(&at.id, snapshot)?;
                let row = rows.iter().find(|r| r.period == g.period).cloned();
                return Ok(row.filter(|_| at.grid.id == product.grid.id).map(|r| (at, r)));
            }
            let Some(recipe) = at.recipe() else { return Ok(None) };
            let Ok(next) = catalog.product(&recipe.input) else { return Ok(None) };
            at = next.clone();
        }
        Ok(None)
    }

    #[allow(clippy::too_many_arguments)]
    fn rows(
        &self,
        product: &Product,
        g: &GenerationRow,
        query: &ZoneQuery,
        keys: &[String],
        only: Option<u32>,
        mut sums: BTreeMap<u32, Sums>,
        snapshot: u64,
    ) -> Vec<ZoneStatRow> {
        let wanted = |o: u32| only.is_none_or(|x| x == o);
        (0..keys.len() as u32)
            .filter(|o| wanted(*o))
            .map(|o| {
                let mut s = sums.remove(&o).unwrap_or_else(Sums::new);
                let v = s.values.summary(&[]);
                let coverage = v.coverage.unwrap_or(0.0);
                let reason = if v.count == 0.0 {
                    Some("no_valid_cells")
                } else if coverage < query.min_coverage {
                    Some("below_min_coverage")
                } else {
                    None
                };
                let shown = |x: Option<f64>| x.filter(|x| reason.is_none() && x.is_finite());
                let mean = |a: &Option<ZoneAccumulator>| {
                    shown(
                        a.as_ref()
                            .map(tesela_stats::ZoneAccumulator::moments)
                            .filter(|m| !m.is_empty())
                            .map(tesela_stats::Moments::mean),
                    )
                };
                ZoneStatRow {
                    key: keys[o as usize].clone(),
                    datetime: g.period.start.date().to_string(),
                    band: query.band.clone(),
                    count: v.count,
                    mean: shown(v.mean),
                    sd: shown(v.stdev),
                    min: shown(v.min),
                    max: shown(v.max),
                    median: shown(v.median),
                    coverage,
                    valid_area_m2: v.valid_area_m2,
                    area_m2: v.area_m2,
                    clear_obs_mean: mean(&s.count),
                    emad_mean: mean(&s.emad),
                    method: "exact_coverage",
                    status: product.status.as_str(),
                    snapshot,
                    reason,
                }
            })
            .collect()
    }
}

impl Cube {
    /// Coverage-weighted means of any values on a product's grid, by zone in key order; `None` where a zone has no
    /// valid cell. `values` fill `window`, row-major, NaN for nodata.
    ///
    /// # Errors
    /// Unknown set or product; those of the index.
    pub fn zone_means(
        &self,
        set: &str,
        product: &str,
        window: &PixelWindow,
        values: &[f32],
    ) -> Result<Vec<Option<f64>>, ComputeError> {
        let catalog = self.catalog()?;
        catalog.zone_set(set)?;
        let grid = catalog.product(product)?.grid.clone();
        let n = self.index().zone_keys(set)?.len();
        let mut sums: Vec<ZoneAccumulator> =
            (0..n).map(|_| ZoneAccumulator::moments_only(CellRule::default())).collect();
        for (tile, bytes) in self.index().zone_coverage(set, &grid.id)? {
            let origin = grid.tile_window(tile, 0);
            let value = |row: u32, col: u32| {
                let (x, y) = (origin.px + i64::from(col) - window.px, origin.py + i64::from(row) - window.py);
                let inside = x >= 0 && y >= 0 && x < window.width as i64 && y < window.height as i64;
                inside
                    .then(|| values[y as usize * window.width + x as usize])
                    .filter(|v| !v.is_nan())
                    .map(f64::from)
            };
            for z in decode(&bytes)? {
                if let Some(sum) = sums.get_mut(z.ordinal as usize) {
                    sum.add_coverage(&z.coverage, value, |_, _| 1.0);
                }
            }
        }
        Ok(sums
            .iter()
            .map(|s| Some(s.moments()).filter(|m| !m.is_empty()).map(tesela_stats::Moments::mean))
            .collect())
    }
}

/// The rectangle of a tile's cells that any zone touches, in the tile's own rows and columns.
fn covered_window(zones: &[ZoneCoverage]) -> Option<PixelWindow> {
    let mut found: Option<PixelWindow> = None;
    for z in zones {
        for run in z.coverage.runs() {
            let w = PixelWindow::new(i64::from(run.col_start), i64::from(run.row), run.len as usize, 1);
            found = Some(found.map_or(w, |f| f.union(&w)));
        }
    }
    found
}

fn accumulate(
    z: &ZoneCoverage,
    planes: &Planes,
    local: &PixelWindow,
    cells: &tesela_stats::CellWindow,
    areas: Option<&tesela_grid::area::CellAreas>,
) -> Sums {
    let at = |row: u32, col: u32| {
        (i64::from(row) - local.py) as usize * planes.window.width + (i64::from(col) - local.px) as usize
    };
    let area = |row: u32, col: u32| {
        let c = cells.cell_centre(row, col);
        areas.map_or(cells.cell_area(), |a| a.cell_area_m2(c.x, c.y, cells.cell_width, cells.cell_height))
    };
    let run = |coverage: &Coverage, plane: &[f32], mut into: ZoneAccumulator| {
        let value = |row: u32, col: u32| {
            let v = plane[at(row, col)];
            (!v.is_nan()).then(|| f64::from(v))
        };
        into.add_coverage(coverage, value, area);
        into
    };
    let rule = CellRule::default();
    // Count and EMAD speak of the cells that the statistic used.
    let among = |plane: &Vec<f32>| -> Vec<f32> {
        plane.iter().zip(&planes.values).map(|(q, v)| if v.is_nan() { f32::NAN } else { *q }).collect()
    };
    Sums {
        values: run(&z.coverage, &planes.values, ZoneAccumulator::with_values(rule)),
        count: planes
            .count
            .as_ref()
            .map(|p| run(&z.coverage, &among(p), ZoneAccumulator::moments_only(rule))),
        emad: planes.emad.as_ref().map(|p| run(&z.coverage, &among(p), ZoneAccumulator::moments_only(rule))),
    }
}
