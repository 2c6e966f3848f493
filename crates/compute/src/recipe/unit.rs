//! One unit: a tile of a job, block by block.

use rayon::prelude::*;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{GenerationRow, SlotRow};
use tesela_kernel::expr::Expression;
use tesela_model::{Band, Period, Progress, RecipeDef, Reducer};

use super::jobs::{Inputs, Job};
use super::layers::{Layers, planes};
use super::output::{Output, TileWriter, blocks};
use super::plan::UnitDone;
use super::pyramid::Counted;
use super::rasters::{Chain, Series, probability};
use super::reduce::{named, reduce};
use super::scenes::SceneTile;
use super::thresholds::Decided;
use crate::catalog::Product;
use crate::load::Neighbours;
use crate::skip::ChunkReport;
use crate::{ComputeError, Cube};

/// Side of a block, pixels, where memory allows.
pub(super) const SIDE: usize = 256;
/// Side of the smallest block: pyramid levels of a block must meet those of the next.
pub(super) const LEAST_SIDE: usize = 64;

/// Bands that the wofs tree takes, in its order.
const WOFS_BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// How units are worked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Side of a block, pixels.
    pub(super) side: usize,
    /// Decode also what the mask hides wholly.
    pub(super) read_all: bool,
}

/// What is the same for every unit of a job.
pub(super) struct JobWork<'j> {
    pub(super) cube: &'j Cube,
    pub(super) recipe: &'j RecipeDef,
    pub(super) input: &'j Product,
    pub(super) job: &'j Job,
    pub(super) decided: &'j Decided,
    pub(super) output: &'j Output<'j>,
    pub(super) run: &'j str,
    pub(super) neighbours: &'j Neighbours,
}

/// What a unit made: its record, and level 4 of each period, band by band.
pub(super) struct UnitMade {
    pub(super) done: UnitDone,
    pub(super) tops: Vec<Vec<Counted>>,
}

/// Layers of a block, one set a period; `None` where there is nothing.
type Made = Option<(Vec<Layers>, ChunkReport)>;
type Maker<'m> = dyn Fn(&PixelWindow) -> Result<Made, ComputeError> + Sync + 'm;
/// What blocks read, and their pixels with a value.
type Totals = (ChunkReport, u64);
type WithMaker<'t> = dyn FnMut(&Maker<'_>) -> Result<Totals, ComputeError> + 't;

impl JobWork<'_> {
    /// Works a tile and writes its objects.
    ///
    /// # Errors
    /// Those of the store; [`ComputeError::Cancelled`]; [`ComputeError::Recipe`].
    pub(super) fn unit(
        &self,
        tile: TileId,
        manner: Manner,
        progress: &dyn Progress,
    ) -> Result<UnitMade, ComputeError> {
        let store = self.cube.store();
        let writers = self
            .job
            .periods
            .iter()
            .map(|p| self.output.tile_writer(store, self.output.prefix(p, self.run)?, tile))
            .collect::<Result<Vec<_>, _>>()?;
        let (chunks, pixels) = self.with_maker(tile, manner.read_all, &mut |make| {
            self.blocks(tile, manner.side, make, &writers, progress)
        })?;
        let mut made = UnitMade { done: UnitDone { pixels, chunks, objects: Vec::new() }, tops: Vec::new() };
        for writer in writers {
            let (objects, tops) = writer.finish()?;
            made.done.objects.push(objects);
            made.tops.push(tops);
        }
        Ok(made)
    }

    fn blocks(
        &self,
        tile: TileId,
        side: usize,
        make: &Maker<'_>,
        writers: &[TileWriter<'_>],
        progress: &dyn Progress,
    ) -> Result<Totals, ComputeError> {
        let bands = &self.output.product.bands;
        let work = |window: &PixelWindow| {
            if progress.cancelled() {
                return Err(ComputeError::Cancelled);
            }
            let mut found = (ChunkReport::default(), 0);
            if let Some((periods, chunks)) = make(window)? {
                for (layers, writer) in periods.iter().zip(writers) {
                    found.1 += pixels_of(bands, layers);
                    writer.put(window, planes(bands, layers)?)?;
                }
                found.0 = chunks;
            }
            progress.advance(1);
            Ok(found)
        };
        let tile_window = self.output.grid().tile_window(tile, 0);
        let found: Vec<Totals> = blocks(&tile_window, side).par_iter().map(work).collect::<Result<_, _>>()?;
        Ok(found.into_iter().fold((ChunkReport::default(), 0), |(mut chunks, pixels), (c, p)| {
            chunks.add(c);
            (chunks, pixels + p)
        }))
    }

    /// Calls with what makes the layers of a window of a tile.
    fn with_maker(
        &self,
        tile: TileId,
        read_all: bool,
        then: &mut WithMaker<'_>,
    ) -> Result<Totals, ComputeError> {
        let (recipe, input) = (self.recipe, self.input);
        match (&self.job.inputs, &recipe.reducer) {
            (Inputs::Slots(by_tile), reducer) if reducer.takes_scenes() => {
                let Some(slots) = by_tile.get(&tile) else { return Ok((ChunkReport::default(), 0)) };
                let mut work = Scenes::new(self.cube, input, recipe, slots, self.neighbours)?;
                if read_all {
                    work.tile.read_all();
                }
                let period = self.period()?;
                then(&|window| work.layers(recipe, &period, window))
            }
            (Inputs::Rasters(rasters), Reducer::Expression { expression, band }) => {
                let expression = input.expression(expression)?;
                let series = Series { cube: self.cube, input, rasters, expression: &expression };
                then(&|window| {
                    let Some(raster) = rasters.first() else { return Ok(None) };
                    let values = series.read(raster, window)?;
                    Ok(one(values.iter().any(|v| !v.is_nan()).then(|| named([(band, values)]))))
                })
            }
            (Inputs::Rasters(rasters), Reducer::Trend { expression }) => {
                let expression = input.expression(expression)?;
                let series = Series { cube: self.cube, input, rasters, expression: &expression };
                then(&|window| Ok(one(series.trend(window, recipe.min_obs)?)))
            }
            (Inputs::Rasters(rasters), Reducer::States { probability: text, states, sieve, .. }) => {
                let expression = probability(input, text, &self.decided.thresholds)?;
                let series = Series { cube: self.cube, input, rasters, expression: &expression };
                let chain = Chain::new(states, self.decided.initial.unwrap_or(0.5), *sieve);
                then(&|window| {
                    Ok(chain.layers(&series, window)?.map(|periods| (periods, ChunkReport::default())))
                })
            }
            (_, reducer) => Err(ComputeError::Recipe {
                recipe: recipe.recipe.clone(),
                problem: format!("{} does not take {}", reducer.as_str(), input.id),
            }),
        }
    }

    fn period(&self) -> Result<Period, ComputeError> {
        self.job.periods.first().copied().ok_or_else(|| ComputeError::Recipe {
            recipe: self.recipe.recipe.clone(),
            problem: "there is no period to work".into(),
        })
    }
}

/// The expression that a reducer of scenes takes of each observation.
///
/// # Errors
/// [`ComputeError::Parameter`] points at the column.
pub(super) fn scene_expression(
    reducer: &Reducer,
    input: &Product,
) -> Result<Option<Expression>, ComputeError> {
    match reducer {
        Reducer::Statistics { expression, .. }
        | Reducer::Phenology { expression, .. }
        | Reducer::BestPixel { expression, .. }
        | Reducer::Harmonic { expression, .. } => input.expression(expression).map(Some),
        _ => Ok(None),
    }
}

/// Bands of scenes that a reducer reads.
pub(super) fn scene_bands(reducer: &Reducer, expression: Option<&Expression>) -> Vec<String> {
    match reducer {
        Reducer::Geomedian { bands } | Reducer::Medoid { bands } => bands.clone(),
        Reducer::Wofs {} => WOFS_BANDS.map(str::to_owned).into(),
        Reducer::BestPixel { bands, .. } => {
            let more = expression.map(|e| e.bands().to_vec()).unwrap_or_default();
            bands.iter().cloned().chain(more.into_iter().filter(|b| !bands.contains(b))).collect()
        }
        _ => expression.map(|e| e.bands().to_vec()).unwrap_or_default(),
    }
}

/// The scenes of one tile, and the expression taken of each.
pub(super) struct Scenes<'s> {
    tile: SceneTile<'s>,
    expression: Option<Expression>,
}

impl<'s> Scenes<'s> {
    pub(super) fn new(
        cube: &'s Cube,
        input: &'s Product,
        recipe: &RecipeDef,
        slots: &'s [SlotRow],
        neighbours: &'s Neighbours,
    ) -> Result<Self, ComputeError> {
        let expression = scene_expression(&recipe.reducer, input)?;
        let names = scene_bands(&recipe.reducer, expression.as_ref());
        Ok(Self { tile: SceneTile::new(cube, input, recipe, &names, slots, neighbours)?, expression })
    }

    /// Layers of a window; `None` when nothing was ever observed there.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn layers(
        &self,
        recipe: &RecipeDef,
        period: &Period,
        window: &PixelWindow,
    ) -> Result<Made, ComputeError> {
        let Some((seen, chunks)) = self.tile.observe(window)? else { return Ok(None) };
        let layers = reduce(&recipe.reducer, self.expression.as_ref(), period, recipe.min_obs, &seen)?;
        self.tile.take_back(seen);
        Ok(Some((vec![layers], chunks)))
    }
}

fn one(layers: Option<Layers>) -> Made {
    Some((vec![layers?], ChunkReport::default()))
}

/// Pixels with a value in the first output band.
fn pixels_of(bands: &[Band], layers: &Layers) -> u64 {
    let first = bands.first().and_then(|b| layers.iter().find(|(name, _)| *name == b.name));
    first.map_or(0, |(_, values)| values.iter().filter(|v| !v.is_nan()).count() as u64)
}

/// Rows of rasters by their ids, in the order asked for.
///
/// # Errors
/// [`ComputeError::Recipe`] when one is gone.
pub(super) fn rows_of(
    rows: Vec<GenerationRow>,
    ids: &[i64],
    recipe: &RecipeDef,
) -> Result<Vec<GenerationRow>, ComputeError> {
    ids.iter()
        .map(|id| {
            rows.iter().find(|r| r.id == *id).cloned().ok_or_else(|| ComputeError::Recipe {
                recipe: recipe.recipe.clone(),
                problem: format!("an input raster of {} is not there any more; plan again", recipe.input),
            })
        })
        .collect()
}
