//! Reducers of rasters: all periods of a derived product together become layers of each period, or of one.

use std::collections::BTreeMap;

use tesela_grid::PixelWindow;
use tesela_index::GenerationRow;
use tesela_kernel::classes::{Connectivity, drop_patches};
use tesela_kernel::expr::{Expression, Vocabulary};
use tesela_kernel::hmm::TwoState;
use tesela_kernel::trend;
use tesela_model::{Sieve, TwoStates};

use super::layers::Layers;
use super::reduce::{named, unusable};
use crate::catalog::Product;
use crate::load::Item;
use crate::query::physical;
use crate::{ComputeError, Cube};

/// Days of a year, for slopes.
const YEAR_S: f64 = 365.2425 * 86_400.0;

/// Rasters of one product, oldest first, and an expression over each.
pub(super) struct Series<'s> {
    pub(super) cube: &'s Cube,
    pub(super) input: &'s Product,
    pub(super) rasters: &'s [GenerationRow],
    pub(super) expression: &'s Expression,
}

impl Series<'_> {
    /// Values of the expression in a window, raster by raster; NaN where nodata.
    pub(super) fn read(
        &self,
        raster: &GenerationRow,
        window: &PixelWindow,
    ) -> Result<Vec<f32>, ComputeError> {
        let names = self.expression.bands();
        let bands = names.iter().map(|n| self.input.band(n)).collect::<Result<Vec<_>, _>>()?;
        let item = Item::Generation(Box::new(raster.clone()));
        let read = self.cube.read_item(self.input, &item, &bands, 0, window)?;
        let layers = read.iter().zip(&bands).map(|(p, b)| physical(p, b)).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<&[f32]> = layers.iter().map(Vec::as_slice).collect();
        let mut values = vec![f32::NAN; window.len()];
        self.expression.evaluate(&inputs, &mut values).map_err(unusable)?;
        Ok(values)
    }

    fn all(&self, window: &PixelWindow) -> Result<Vec<Vec<f32>>, ComputeError> {
        self.rasters.iter().map(|r| self.read(r, window)).collect()
    }

    /// Sen's line and Mann–Kendall's test of each pixel; `None` where no raster has a value. The intercept is the
    /// line's value at the start of the first period.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn trend(&self, window: &PixelWindow, min_obs: u16) -> Result<Option<Layers>, ComputeError> {
        let values = self.all(window)?;
        if values.iter().flatten().all(|v| v.is_nan()) {
            return Ok(None);
        }
        let first = self.rasters.first().map_or(0, |r| r.period.start.0);
        let times: Vec<f64> =
            self.rasters.iter().map(|r| (r.period.start.0 - first) as f64 / YEAR_S).collect();
        let nothing = || vec![f32::NAN; window.len()];
        let [mut slope, mut intercept, mut z, mut p, mut tau] =
            [nothing(), nothing(), nothing(), nothing(), nothing()];
        let mut count = nothing();
        let mut fitter = trend::Trend::new();
        let mut series = vec![f64::NAN; times.len()];
        for i in 0..window.len() {
            for (v, raster) in series.iter_mut().zip(&values) {
                *v = f64::from(raster[i]);
            }
            let n = series.iter().filter(|v| !v.is_nan()).count();
            if n == 0 {
                continue;
            }
            count[i] = n as f32;
            if n < usize::from(min_obs) {
                continue;
            }
            if let Some(fit) = fitter.fit(&times, &series).map_err(unusable)? {
                slope[i] = fit.line.slope as f32;
                intercept[i] = fit.line.intercept as f32;
                (z[i], p[i], tau[i]) = (fit.test.z as f32, fit.test.p as f32, fit.test.tau as f32);
            }
        }
        Ok(Some(named([
            ("slope", slope),
            ("intercept", intercept),
            ("z", z),
            ("p", p),
            ("tau", tau),
            ("count", count),
        ])))
    }
}

/// A chain of two states with everything decided that the input decides.
pub(super) struct Chain {
    pub(super) model: TwoState,
    pub(super) sieve: Option<Sieve>,
}

impl Chain {
    /// # Arguments
    /// `initial`: probability of state 1 in the first raster.
    pub(super) fn new(states: &TwoStates, initial: f64, sieve: Option<Sieve>) -> Self {
        Self { model: TwoState { enter: states.enter, leave: states.leave, first: initial }, sieve }
    }

    /// Pixels around a window that its answer depends on: whether a patch is large enough shows within as many pixels.
    pub(super) fn halo(&self) -> usize {
        self.sieve.map_or(0, |s| usize::from(s.patches.max(s.holes)) + 1)
    }

    /// Layers of every raster in a window; `None` where no raster has a value. A pixel with a value in one raster has
    /// a class in all.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn layers(
        &self,
        series: &Series<'_>,
        window: &PixelWindow,
    ) -> Result<Option<Vec<Layers>>, ComputeError> {
        let grown = window.grown(self.halo());
        let evidence = series.all(&grown)?;
        if evidence.iter().flatten().all(|v| v.is_nan()) {
            return Ok(None);
        }
        let classes = self.classes(&evidence, grown.len(), grown.width)?;
        let crop = |values: &[f32]| -> Vec<f32> {
            let halo = self.halo();
            (0..window.height)
                .flat_map(|y| {
                    let at = (y + halo) * grown.width + halo;
                    values[at..at + window.width].iter().copied()
                })
                .collect()
        };
        let mut change = vec![f32::NAN; grown.len()];
        for (raster, classes) in series.rasters.iter().zip(&classes) {
            let year = raster.period.start.year() as f32;
            for (change, class) in change.iter_mut().zip(classes) {
                match *class {
                    OUT if change.is_nan() => *change = 0.0,
                    IN if change.is_nan() || *change == 0.0 => *change = year,
                    _ => {}
                }
            }
        }
        let change = crop(&change);
        let last = series.rasters.len().saturating_sub(1);
        let layers = classes.iter().zip(&evidence).enumerate().map(|(t, (classes, evidence))| {
            let class: Vec<f32> =
                classes.iter().map(|c| if *c == MISSING { f32::NAN } else { f32::from(*c) }).collect();
            let class = crop(&class);
            let evidence = crop(evidence);
            let provisional =
                class.iter().map(|c| if c.is_nan() { f32::NAN } else { f32::from(u8::from(t == last)) });
            let provisional = provisional.collect();
            let said = |p: &f32| if p.is_nan() { f32::NAN } else { f32::from(u8::from(*p > 0.5)) };
            let by_rule = evidence.iter().map(said).collect();
            let percent = evidence.iter().map(|p| p * 100.0).collect();
            named([
                ("class", class),
                ("probability", percent),
                ("evidence", by_rule),
                ("change_year", change.clone()),
                ("provisional", provisional),
            ])
        });
        Ok(Some(layers.collect()))
    }

    /// `(raster, pixel)` of 0, 1, [`MISSING`].
    fn classes(&self, evidence: &[Vec<f32>], len: usize, width: usize) -> Result<Vec<Vec<u8>>, ComputeError> {
        let mut classes = vec![vec![MISSING; len]; evidence.len()];
        let (mut p, mut states) = (vec![f64::NAN; evidence.len()], vec![0u8; evidence.len()]);
        for i in 0..len {
            for (p, raster) in p.iter_mut().zip(evidence) {
                *p = f64::from(raster[i]);
            }
            if p.iter().all(|p| p.is_nan()) {
                continue;
            }
            self.model.decode(&p, &mut states).map_err(unusable)?;
            for (classes, state) in classes.iter_mut().zip(&states) {
                classes[i] = *state;
            }
        }
        if let Some(wanted) = self.sieve {
            for classes in &mut classes {
                clean(wanted, classes, width)?;
            }
        }
        Ok(classes)
    }
}

/// Drops small patches of 1 and fills small holes of 0. A hole that reaches missing pixels is as large as they are.
fn clean(wanted: Sieve, classes: &mut [u8], width: usize) -> Result<(), ComputeError> {
    let height = classes.len().checked_div(width).unwrap_or(0);
    let mut within: Vec<bool> = classes.iter().map(|c| *c == IN).collect();
    let patches = usize::from(wanted.patches);
    drop_patches(&mut within, width, height, patches, Connectivity::Eight).map_err(unusable)?;
    let mut outside: Vec<bool> = within.iter().map(|w| !w).collect();
    let holes = usize::from(wanted.holes);
    drop_patches(&mut outside, width, height, holes, Connectivity::Four).map_err(unusable)?;
    for (class, outside) in classes.iter_mut().zip(&outside).filter(|(c, _)| **c != MISSING) {
        *class = if *outside { OUT } else { IN };
    }
    Ok(())
}

const OUT: u8 = 0;
const IN: u8 = 1;
/// No evidence in any raster.
const MISSING: u8 = 255;

/// The probability expression of a chain with its thresholds as constants.
///
/// # Errors
/// [`ComputeError::Expression`] points at the column.
pub(super) fn probability(
    input: &Product,
    text: &str,
    thresholds: &BTreeMap<String, f64>,
) -> Result<Expression, ComputeError> {
    let mut vocabulary = Vocabulary::new().with_bands(input.band_names());
    for (name, value) in thresholds {
        vocabulary = vocabulary.with_constant(name, *value);
    }
    Ok(Expression::parse(text, &vocabulary)?)
}
