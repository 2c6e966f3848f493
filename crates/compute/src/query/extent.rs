//! Where and when a product has data.

use tesela_grid::BoundingBox;
use tesela_index::{ProductKind, SceneQuery};
use tesela_model::{Instant, Period};

use super::{DateEntry, ProductExtent};
use crate::{ComputeError, Cube};

impl Cube {
    /// Where and when a product has data; `None` when it has none.
    ///
    /// # Errors
    /// Unknown products; those of the index.
    pub fn extent(&self, product: &str, snapshot: u64) -> Result<Option<ProductExtent>, ComputeError> {
        let catalog = self.catalog()?;
        let p = catalog.product(product)?;
        match p.kind {
            ProductKind::Scenes => {
                Ok(self.index().scenes_extent(&p.id, snapshot)?.map(|(lon_lat, first, last)| ProductExtent {
                    lon_lat,
                    time: Period { start: first, end: Instant(last.0 + 1) },
                }))
            }
            ProductKind::Derived => {
                let rows = self.generations(&p.id, snapshot)?;
                let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
                // What it was made from says where its pixels are.
                let mut input = p.clone();
                for _ in 0..8 {
                    match input.recipe() {
                        Some(r) => match catalog.products.get(&r.input) {
                            Some(next) => input = next.clone(),
                            None => break,
                        },
                        None => break,
                    }
                }
                let scenes = self.index().scenes_extent(&input.id, snapshot)?;
                Ok(scenes.map(|(lon_lat, _, _)| ProductExtent {
                    lon_lat,
                    time: Period { start: first.period.start, end: last.period.end },
                }))
            }
        }
    }

    /// Dates of a product, ascending; of scenes that meet a lon/lat box, if given.
    ///
    /// # Errors
    /// Unknown products; those of the index.
    pub fn dates(
        &self,
        product: &str,
        bbox: Option<&BoundingBox>,
        snapshot: u64,
    ) -> Result<Vec<DateEntry>, ComputeError> {
        let catalog = self.catalog()?;
        let p = catalog.product(product)?;
        if p.kind == ProductKind::Derived {
            return Ok(self
                .generations(&p.id, snapshot)?
                .iter()
                .map(|g| DateEntry {
                    datetime: g.period.start.date().to_string(),
                    label: g.period.label(),
                    platform: None,
                    clear_fraction: None,
                })
                .collect());
        }
        let query = SceneQuery { product: Some(p.id.clone()), bbox: bbox.copied(), ..SceneQuery::default() };
        let mut entries: Vec<DateEntry> = Vec::new();
        let mut clouds: Vec<(f64, u32)> = Vec::new();
        for scene in self.index().scenes(&query, snapshot)? {
            // One entry a solar day: that is what a slider steps through.
            if entries.last().is_none_or(|e| e.datetime != scene.solar_day) {
                entries.push(DateEntry {
                    datetime: scene.solar_day.clone(),
                    label: scene.solar_day.clone(),
                    platform: Some(scene.platform.clone()),
                    clear_fraction: None,
                });
                clouds.push((0.0, 0));
            }
            if let (Some(c), Some(sum)) = (scene.cloud_cover, clouds.last_mut()) {
                sum.0 += c.clamp(0.0, 100.0);
                sum.1 += 1;
            }
        }
        for (e, (sum, n)) in entries.iter_mut().zip(clouds) {
            e.clear_fraction = (n > 0).then(|| 1.0 - sum / (100.0 * f64::from(n)));
        }
        entries.sort_by(|a, b| a.datetime.cmp(&b.datetime));
        entries.dedup_by(|a, b| a.datetime == b.datetime);
        Ok(entries)
    }
}
