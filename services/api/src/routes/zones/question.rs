//! From parameters to a `ZoneQuery`.

use std::collections::BTreeSet;

use tesela_compute::Cube;
use tesela_compute::zones::{DEFAULT_MIN_COVERAGE, ZoneQuery};
use tesela_grid::BoundingBox;
use tesela_index::ProductKind;
use tesela_model::TimeSelector;

use crate::request::text::shorten;
use crate::routes::choice::{band_of, product_of};
use crate::routes::query::Query;
use crate::routes::read::index_error;
use crate::{ApiError, ApiResult};

/// Most keys in one request.
const MOST_KEYS: usize = 1000;

/// What a client asked, before the catalogue was consulted.
#[derive(Debug)]
pub(super) struct Asked {
    set: String,
    product: Option<String>,
    band: Option<String>,
    expression: Option<String>,
    time: TimeSelector,
    all_periods: bool,
    min_coverage: f64,
    snapshot: Option<u64>,
}

impl Asked {
    /// Reads the parameters that tables and series share.
    ///
    /// # Errors
    /// 400 names the parameter.
    pub(super) fn of(set: String, query: &Query) -> ApiResult<Self> {
        let all_periods = query.text("datetime").is_some_and(|text| text.eq_ignore_ascii_case("all"));
        let time = if all_periods { TimeSelector::Latest } else { query.datetime()? };
        let (band, expression) = (query.text("band"), query.text("expression"));
        if band.is_some() && expression.is_some() {
            return Err(ApiError::parameter("expression", "give either band or expression, not both"));
        }
        let share = query.number("min_coverage")?.unwrap_or(DEFAULT_MIN_COVERAGE);
        if !(0.0..=1.0).contains(&share) {
            return Err(ApiError::parameter("min_coverage", "min_coverage must be from 0 to 1"));
        }
        Ok(Self {
            set,
            product: query.text("product").map(str::to_owned),
            band: band.map(str::to_owned),
            expression: expression.map(str::to_owned),
            time,
            all_periods,
            min_coverage: share,
            snapshot: query.snapshot()?,
        })
    }

    /// The question itself, for every zone.
    ///
    /// # Errors
    /// 404 for an unknown set or product; 400 when product or band must be chosen.
    pub(super) fn resolved(self, cube: &Cube) -> ApiResult<ZoneQuery> {
        let catalog = cube.catalog()?;
        catalog.zone_set(&self.set)?;
        let product = product_of(&catalog, self.product.as_deref(), ProductKind::Derived)?;
        let band = match self.expression {
            Some(expression) => expression,
            None => band_of(&product, self.band.as_deref())?,
        };
        Ok(ZoneQuery {
            set: self.set,
            product: product.id.clone(),
            band,
            time: self.time,
            all_periods: self.all_periods,
            key: None,
            min_coverage: self.min_coverage,
            snapshot: self.snapshot,
        })
    }
}

/// Which zones of the set are wanted: by key, by box, both, or all.
#[derive(Debug)]
pub(super) struct Kept {
    keys: Option<Vec<String>>,
    bbox: Option<BoundingBox>,
}

impl Kept {
    /// Reads `keys` and `bbox`.
    ///
    /// # Errors
    /// 400 names the parameter.
    pub(super) fn of(query: &Query) -> ApiResult<Self> {
        let keys = query.list("keys");
        if keys.as_ref().is_some_and(|keys| keys.len() > MOST_KEYS) {
            let most = format!("at most {MOST_KEYS} keys in one request; leave keys out for the whole set");
            return Err(ApiError::parameter("keys", most));
        }
        Ok(Self { keys, bbox: query.bbox()? })
    }

    /// The one zone wanted, if it is one: cheaper to compute.
    pub(super) fn only_key(&self) -> Option<String> {
        match self.keys.as_deref() {
            Some([only]) => Some(only.clone()),
            _ => None,
        }
    }

    /// Keys of the zones wanted; `None` means all.
    ///
    /// # Errors
    /// 404 for a key that the set does not have.
    pub(super) fn keys(&self, cube: &Cube, set: &str) -> ApiResult<Option<BTreeSet<String>>> {
        let inside = self.bbox.map(|bbox| -> ApiResult<BTreeSet<String>> {
            let (_, zones) = cube.index().zones(set, Some(&bbox), 0, usize::MAX >> 1).map_err(index_error)?;
            Ok(zones.into_iter().map(|zone| zone.key).collect())
        });
        let inside = inside.transpose()?;
        let Some(keys) = &self.keys else { return Ok(inside) };
        for key in keys {
            if cube.index().zone(set, key).map_err(index_error)?.is_none() {
                let detail = format!("zone set {set} has no zone {:?}", shorten(key));
                return Err(ApiError::not_found("unknown_zone", detail));
            }
        }
        let named = keys.iter().filter(|key| inside.as_ref().is_none_or(|inside| inside.contains(*key)));
        Ok(Some(named.cloned().collect()))
    }
}
