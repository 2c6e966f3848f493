//! Where and when a product has data.

use std::sync::Arc;

use tesela_grid::BoundingBox;
use tesela_index::ProductKind;
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
        let days = match bbox {
            // What every map client asks: kept.
            None => self.scene_days(&p.id, snapshot)?,
            Some(_) => Arc::new(self.index().scene_days(&p.id, bbox, snapshot)?),
        };
        // One entry a solar day: that is what a slider steps through.
        Ok(days
            .iter()
            .map(|d| DateEntry {
                datetime: d.solar_day.clone(),
                label: d.solar_day.clone(),
                platform: Some(d.platform.clone()),
                clear_fraction: d.cloud_cover.map(|c| 1.0 - c / 100.0),
            })
            .collect())
    }
}
