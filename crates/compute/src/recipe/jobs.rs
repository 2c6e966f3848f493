//! Which rasters are missing or out of date, and what each is made from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use tesela_grid::TileId;
use tesela_index::{GenerationRow, ObjectRow, ProductKind, SlotRow};
use tesela_layout::names::tiles_extent;
use tesela_model::{Instant, Period, PeriodKind, RecipeDef, Reducer};

use super::ComputeOptions;
use super::output::{Output, tiles_between};
use super::plan::PlannedInputs;
use crate::catalog::Product;
use crate::mask::Masker;
use crate::{ComputeError, Cube};

/// Rasters that are made together.
#[derive(Debug)]
pub(super) struct Job {
    /// One raster each.
    pub(super) periods: Vec<Period>,
    pub(super) inputs: Inputs,
}

/// What rasters are made from.
#[derive(Debug)]
pub(super) enum Inputs {
    /// Slots of a scenes product, by tile.
    Slots(BTreeMap<TileId, Vec<SlotRow>>),
    /// Rasters of another derived product, oldest first.
    Rasters(Vec<GenerationRow>),
}

impl Inputs {
    /// By row ids.
    pub(super) fn ids(&self) -> PlannedInputs {
        match self {
            Self::Slots(tiles) => {
                let mut ids: Vec<i64> = tiles.values().flatten().map(|s| s.id).collect();
                ids.sort_unstable();
                PlannedInputs::Slots(ids)
            }
            Self::Rasters(rows) => PlannedInputs::Rasters(rows.iter().map(|r| r.id).collect()),
        }
    }

    /// Most slots of one tile, or number of rasters.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Slots(tiles) => tiles.values().map(Vec::len).max().unwrap_or(0),
            Self::Rasters(rows) => rows.len(),
        }
    }
}

/// All of time.
pub(super) fn always() -> Period {
    Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) }
}

impl Cube {
    /// What is to be made, in order of time, and how many periods are up to date.
    pub(super) fn jobs(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        options: &ComputeOptions,
        digest: &str,
        snapshot: u64,
    ) -> Result<(Vec<Job>, usize), ComputeError> {
        let existing: BTreeMap<Instant, GenerationRow> = self
            .index()
            .generations(&recipe.recipe, snapshot)?
            .into_iter()
            .map(|g| (g.period.start, g))
            .collect();
        let stale: BTreeSet<Instant> = self
            .index()
            .stale()?
            .into_iter()
            .filter(|s| s.product == recipe.recipe)
            .map(|s| s.period_start)
            .collect();
        let together = works_all_together(&recipe.reducer) || recipe.period == PeriodKind::All;
        if options.years.is_some() && together {
            return Err(ComputeError::Recipe {
                recipe: recipe.recipe.clone(),
                problem: format!(
                    "{} takes all periods of {} together; leave --years out",
                    recipe.reducer.as_str(),
                    input.id
                ),
            });
        }
        let mut jobs = Vec::new();
        let mut current = 0;
        for job in self.all_jobs(recipe, input, snapshot)? {
            if !job.periods.iter().any(|p| wanted(options, p)) {
                continue;
            }
            let up_to_date = |p: &Period| {
                existing.get(&p.start).is_some_and(|g| {
                    g.period == *p
                        && !stale.contains(&p.start)
                        && made_by(&g.provenance, digest)
                        && self.made_from(g, &job.inputs)
                })
            };
            if !options.force && job.periods.iter().all(up_to_date) {
                current += job.periods.len();
            } else {
                jobs.push(job);
            }
        }
        Ok((jobs, current))
    }

    /// Everything that the input gives, up to date or not.
    pub(super) fn all_jobs(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        snapshot: u64,
    ) -> Result<Vec<Job>, ComputeError> {
        if input.kind == ProductKind::Scenes {
            return self.scene_jobs(recipe.period, input, snapshot);
        }
        let rows = self.index().generations(&input.id, snapshot)?;
        let one = |row: GenerationRow| Job { periods: vec![row.period], inputs: Inputs::Rasters(vec![row]) };
        Ok(match (&recipe.reducer, rows.first(), rows.last()) {
            (_, None, _) | (_, _, None) => Vec::new(),
            (Reducer::Trend { .. }, Some(first), Some(last)) => {
                let span = Period { start: first.period.start, end: last.period.end };
                vec![Job { periods: vec![span], inputs: Inputs::Rasters(rows) }]
            }
            (Reducer::States { .. }, ..) => {
                let periods = rows.iter().map(|r| r.period).collect();
                vec![Job { periods, inputs: Inputs::Rasters(rows) }]
            }
            _ => rows.into_iter().map(one).collect(),
        })
    }

    fn scene_jobs(&self, kind: PeriodKind, input: &Product, snapshot: u64) -> Result<Vec<Job>, ComputeError> {
        let mut periods: BTreeMap<Period, BTreeMap<TileId, Vec<SlotRow>>> = BTreeMap::new();
        for slot in self.index().slots(&input.id, None, &always(), snapshot)? {
            // The solar day decides the period, as it does on the map.
            let day: Date = slot.solar_day.parse().unwrap_or_else(|_| slot.time.date());
            let period = if kind == PeriodKind::All { PeriodKind::Year.of(day) } else { kind.of(day) };
            if let Some(period) = period {
                periods.entry(period).or_default().entry(slot.tile).or_default().push(slot);
            }
        }
        if kind == PeriodKind::All {
            periods = whole_years(periods);
        }
        Ok(periods
            .into_iter()
            .map(|(period, tiles)| Job { periods: vec![period], inputs: Inputs::Slots(tiles) })
            .collect())
    }

    /// Rasters of periods in which the input holds nothing any more: its scenes were archived.
    pub(super) fn orphans(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        options: &ComputeOptions,
        snapshot: u64,
    ) -> Result<Vec<GenerationRow>, ComputeError> {
        let jobs = self.all_jobs(recipe, input, snapshot)?;
        let held: BTreeSet<Instant> = jobs.iter().flat_map(|j| &j.periods).map(|p| p.start).collect();
        let rows = self.index().generations(&recipe.recipe, snapshot)?.into_iter();
        let is_orphan = |g: &GenerationRow| {
            !held.contains(&g.period.start) && wanted(options, &g.period) && made_of(g, &input.id)
        };
        Ok(rows.filter(is_orphan).collect())
    }

    /// Whether a raster was made from exactly these inputs.
    fn made_from(&self, g: &GenerationRow, inputs: &Inputs) -> bool {
        match inputs.ids() {
            PlannedInputs::Slots(ids) => self.index().generation_slots(g.id).is_ok_and(|made| made == ids),
            PlannedInputs::Rasters(mut ids) => {
                ids.sort_unstable();
                self.index().generation_sources(g.id).is_ok_and(|mut made| {
                    made.sort_unstable();
                    made == ids
                })
            }
        }
    }

    /// Extent of the rasters and the tiles that have pixels.
    pub(super) fn tiles(
        &self,
        input: &Product,
        inputs: &Inputs,
        snapshot: u64,
    ) -> Result<(TileId, TileId, Vec<TileId>), ComputeError> {
        let none = || ComputeError::NoData {
            product: input.id.clone(),
            time: "any time".into(),
            hint: "it has no pixels".into(),
        };
        match inputs {
            Inputs::Slots(by_tile) => {
                let all = self.index().slot_tiles(&input.id, snapshot)?;
                let tiles: Vec<TileId> = by_tile.keys().copied().collect();
                let extent = tiles_extent(all.into_iter().chain(tiles.iter().copied()));
                let (min, end) = extent.ok_or_else(none)?;
                Ok((min, end, tiles))
            }
            Inputs::Rasters(rows) => {
                let north_east = |end: TileId| TileId { ix: end.ix - 1, iy: end.iy - 1 };
                let corners = rows.iter().flat_map(|r| [r.tile_min, north_east(r.tile_end)]);
                let (min, end) = tiles_extent(corners).ok_or_else(none)?;
                Ok((min, end, tiles_between(min, end)))
            }
        }
    }

    /// Tiles that a raster of the same recipe and extent has already, from the same inputs in the tile and, where the
    /// mask reaches over edges, around it: their objects are taken over. With that raster.
    pub(super) fn unchanged(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        job: &Job,
        digest: &str,
        (min, end): (TileId, TileId),
        snapshot: u64,
    ) -> Result<Option<(GenerationRow, Vec<TileId>)>, ComputeError> {
        let [period] = job.periods.as_slice() else { return Ok(None) };
        let rows = self.index().generations(&recipe.recipe, snapshot)?;
        let same = |g: &GenerationRow| {
            g.period == *period && g.tile_min == min && g.tile_end == end && made_by(&g.provenance, digest)
        };
        let Some(old) = rows.into_iter().find(same) else { return Ok(None) };
        let tiles = match &job.inputs {
            Inputs::Slots(by_tile) => self.same_slots(recipe, input, by_tile, &old)?,
            Inputs::Rasters(rasters) => self.same_pixels(recipe, input, rasters, &old)?,
        };
        Ok(tiles.map(|tiles| (old, tiles)))
    }

    /// Tiles whose slots, and those around them that the mask reaches, are what a raster was made from.
    fn same_slots(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        by_tile: &BTreeMap<TileId, Vec<SlotRow>>,
        old: &GenerationRow,
    ) -> Result<Option<Vec<TileId>>, ComputeError> {
        let made: BTreeSet<i64> = self.index().generation_slots(old.id)?.into_iter().collect();
        let mut before: BTreeMap<TileId, BTreeSet<i64>> = BTreeMap::new();
        let mut known = 0;
        // What it was made from was visible when it was planned; where that has expired, everything is made again.
        let planned = input_snapshot(&old.provenance).unwrap_or(old.added);
        for slot in self.index().slots(&input.id, None, &always(), planned).unwrap_or_default() {
            if made.contains(&slot.id) {
                before.entry(slot.tile).or_default().insert(slot.id);
                known += 1;
            }
        }
        if known != made.len() {
            return Ok(None);
        }
        let now: BTreeMap<TileId, BTreeSet<i64>> =
            by_tile.iter().map(|(t, slots)| (*t, slots.iter().map(|s| s.id).collect())).collect();
        let reach = i32::from(self.reaches_over_edges(recipe, input)?);
        let same_around = |tile: &TileId| {
            (-reach..=reach).all(|dy| {
                (-reach..=reach).all(|dx| {
                    let near = TileId { ix: tile.ix + dx, iy: tile.iy + dy };
                    before.get(&near) == now.get(&near)
                })
            })
        };
        Ok(Some(now.keys().copied().filter(same_around).collect()))
    }

    /// Tiles in which the rasters of the input, period by period, hold the bytes that a raster was made from. A chain
    /// of states takes more of its input than the tile: it is always made again.
    fn same_pixels(
        &self,
        recipe: &RecipeDef,
        input: &Product,
        rasters: &[GenerationRow],
        old: &GenerationRow,
    ) -> Result<Option<Vec<TileId>>, ComputeError> {
        if matches!(recipe.reducer, Reducer::States { .. }) {
            return Ok(None);
        }
        let sources = self.index().generation_sources(old.id)?;
        if sources.len() != rasters.len() {
            return Ok(None);
        }
        let mut before = BTreeMap::new();
        for id in sources {
            // Let go of since: nothing can be compared.
            let Some(source) = self.index().generation(id)? else { return Ok(None) };
            before.insert(source.period, source);
        }
        let mut changed = BTreeSet::new();
        for now in rasters {
            let Some(then) = before.get(&now.period) else { return Ok(None) };
            if then.id == now.id {
                continue;
            }
            if (then.tile_min, then.tile_end) != (now.tile_min, now.tile_end) {
                return Ok(None);
            }
            let output = Output::new(input, now.tile_min, now.tile_end);
            let (then, now) = (self.pixels_of(then)?, self.pixels_of(now)?);
            for tile in output.tiles() {
                let names = output.tile_objects(tile)?;
                if names.iter().any(|name| then.get(name) != now.get(name)) {
                    changed.insert(tile);
                }
            }
        }
        let all = Output::new(input, old.tile_min, old.tile_end).tiles();
        Ok(Some(all.into_iter().filter(|tile| !changed.contains(tile)).collect()))
    }

    /// Digests of a raster's chunks of the finest level, by name inside its group.
    fn pixels_of(&self, raster: &GenerationRow) -> Result<BTreeMap<String, String>, ComputeError> {
        let named = |o: ObjectRow| {
            let name = o.key.strip_prefix(&raster.prefix)?.trim_start_matches('/').to_owned();
            let finest = !name.starts_with("overviews/") && !name.starts_with("facts/");
            finest.then_some((name, o.digest))
        };
        Ok(self.index().group_objects(&raster.prefix)?.into_iter().filter_map(named).collect())
    }

    fn reaches_over_edges(&self, recipe: &RecipeDef, input: &Product) -> Result<bool, ComputeError> {
        let Some((quality, _)) = input.quality() else { return Ok(false) };
        Ok(Masker::new(input.mask(&recipe.mask)?, quality.nodata)?.halo() > 0)
    }
}

/// One period from the first year with slots to the last.
fn whole_years(
    years: BTreeMap<Period, BTreeMap<TileId, Vec<SlotRow>>>,
) -> BTreeMap<Period, BTreeMap<TileId, Vec<SlotRow>>> {
    let ends = years.keys().next().zip(years.keys().next_back());
    let Some(all) = ends.map(|(first, last)| Period { start: first.start, end: last.end }) else {
        return BTreeMap::new();
    };
    let mut tiles: BTreeMap<TileId, Vec<SlotRow>> = BTreeMap::new();
    for (tile, slots) in years.into_values().flatten() {
        tiles.entry(tile).or_default().extend(slots);
    }
    BTreeMap::from([(all, tiles)])
}

/// Whether a recipe cannot be worked period by period.
pub(super) fn works_all_together(reducer: &Reducer) -> bool {
    matches!(reducer, Reducer::Trend { .. } | Reducer::States { .. })
}

fn wanted(options: &ComputeOptions, period: &Period) -> bool {
    let year = period.start.year();
    options.years.is_none_or(|(a, b)| (a..=b).contains(&year))
}

/// Whether a raster was made from a product.
fn made_of(g: &GenerationRow, input: &str) -> bool {
    input_of(&g.provenance).is_some_and(|made| made == input)
}

/// The product that a raster was made from.
pub(super) fn input_of(provenance: &str) -> Option<String> {
    Some(serde_json::from_str::<serde_json::Value>(provenance).ok()?["input"].as_str()?.to_owned())
}

pub(super) fn made_by(provenance: &str, digest: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(provenance).is_ok_and(|v| v["definition_digest"] == digest)
}

fn input_snapshot(provenance: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(provenance).ok()?["input_snapshot"].as_u64()
}
