//! What a time means in a product.

use tesela_index::ProductKind;
use tesela_index::SceneOrder::{NewestFirst, OldestFirst};
use tesela_model::{Instant, Period, TimeSelector};

use super::Moment;
use crate::catalog::Product;
use crate::cube::around;
use crate::load::Item;
use crate::{ComputeError, Cube};

impl Cube {
    /// What a time means in a product at a snapshot.
    ///
    /// Derived products: the period that holds it, or shares most of an interval. Scenes: the latest solar day
    /// inside. `Latest` is the last there is.
    ///
    /// # Errors
    /// [`ComputeError::NoData`] when nothing fits; unknown products.
    pub fn moment(&self, product: &str, time: &TimeSelector, snapshot: u64) -> Result<Moment, ComputeError> {
        let catalog = self.catalog()?;
        Ok(self.find_item(catalog.product(product)?, time, snapshot)?.1)
    }

    pub(crate) fn find_item(
        &self,
        product: &Product,
        time: &TimeSelector,
        snapshot: u64,
    ) -> Result<(Item, Moment), ComputeError> {
        match product.kind {
            ProductKind::Derived => self.find_generation(product, time, snapshot),
            ProductKind::Scenes => self.find_day(product, time, snapshot),
        }
    }

    fn find_generation(
        &self,
        product: &Product,
        time: &TimeSelector,
        snapshot: u64,
    ) -> Result<(Item, Moment), ComputeError> {
        let rows = self.generations(&product.id, snapshot)?;
        let periods: Vec<Period> = rows.iter().map(|g| g.period).collect();
        let Some(i) = time.pick(&periods) else {
            let hint = match (periods.first(), periods.last()) {
                (Some(a), Some(b)) => format!("it has {} to {}", a.label(), b.label()),
                _ => format!("it has no raster yet; run `tesela compute {}`", product.id),
            };
            return Err(no_data(product, time, hint));
        };
        let g = rows[i].clone();
        let moment = Moment {
            period: g.period,
            label: g.period.label(),
            datetime: g.period.start.to_string(),
            platforms: Vec::new(),
            version: g.prefix.clone(),
        };
        Ok((Item::Generation(Box::new(g)), moment))
    }

    fn find_day(
        &self,
        product: &Product,
        time: &TimeSelector,
        snapshot: u64,
    ) -> Result<(Item, Moment), ComputeError> {
        // A date means the solar day of that name, whatever the UTC instant; other spans mean instants.
        let asked = time.period();
        let named = match time {
            TimeSelector::Span(p) if p.end.0 - p.start.0 == 86_400 => {
                let name = p.start.date().to_string();
                self.day(&product.id, &around(p.start), Some(&name), NewestFirst, snapshot)?
            }
            _ => None,
        };
        let found = match named {
            Some(day) => Some(day),
            None => self.day(&product.id, &asked, None, NewestFirst, snapshot)?,
        };
        let Some(day) = found else {
            let always = TimeSelector::Latest.period();
            let end = |order| self.day(&product.id, &always, None, order, snapshot);
            let hint = match (end(OldestFirst)?, end(NewestFirst)?) {
                (Some(a), Some(b)) => format!("it has scenes from {} to {}", a.solar_day, b.solar_day),
                _ => "it has no scenes yet; run `tesela ingest`".into(),
            };
            return Err(no_data(product, time, hint));
        };
        let slots = self.day_slots(&product.id, &day, snapshot)?;
        let mut overviews = self.day_overviews(&product.id, &day, snapshot)?.to_vec();
        overviews.sort_by(|a, b| a.platform.cmp(&b.platform));
        let mut platforms: Vec<String> = slots.iter().map(|s| s.platform.clone()).collect();
        platforms.sort();
        platforms.dedup();
        let version =
            slots.iter().map(|s| format!("{}@{}", s.prefix, s.position)).collect::<Vec<_>>().join(",");
        let first = slots.iter().map(|s| s.time).min().unwrap_or(day.time);
        let moment = Moment {
            period: Period { start: first, end: Instant(first.0 + 1) },
            label: day.solar_day.clone(),
            datetime: first.to_string(),
            platforms,
            version,
        };
        Ok((Item::Day { slots, overviews }, moment))
    }
}

fn no_data(product: &Product, time: &TimeSelector, hint: String) -> ComputeError {
    let time = match time {
        TimeSelector::Latest => "any time".into(),
        TimeSelector::Span(p) | TimeSelector::Interval(p) => format!("{}/{}", p.start, p.end),
    };
    ComputeError::NoData { product: product.id.clone(), time, hint }
}
