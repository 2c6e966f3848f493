//! Reducers of scenes: many observations of one block become layers.

use tesela_kernel::expr::Expression;
use tesela_kernel::geomedian::{Layer, Samples, Stack as Spectra, geomad_block};
use tesela_kernel::harmonic::{Design, Model};
use tesela_kernel::phenology::{MIN_PROMINENCE, peaks, season};
use tesela_kernel::temporal::{
    Deviation, Method, NO_DATE, Stack, best_date, medoid, percentiles, pick, summarise,
};
use tesela_kernel::wofs;
use tesela_model::{Band, Instant, PercentileMethod, Period, Reducer, Statistic};
use tesela_store::Pixels;

use super::layers::Layers;
use crate::ComputeError;
use crate::query::physical;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// What slots hold of one window, and what of it may be used. All stacks are `(slots, pixels)`.
pub(super) struct Observations<'o> {
    /// Bands of `stacks`.
    pub(super) bands: Vec<&'o Band>,
    /// Stored values, band by band.
    pub(super) stacks: Vec<Pixels>,
    /// What the mask or saturation hides.
    pub(super) hidden: Vec<bool>,
    /// Pixels with any observation at all, hidden or not.
    pub(super) observed: Vec<bool>,
    /// Times of the slots, ascending.
    pub(super) times: Vec<Instant>,
    /// Solar days of the slots.
    pub(super) days: Vec<&'o str>,
}

impl Observations<'_> {
    fn pixels(&self) -> usize {
        self.observed.len()
    }

    /// Physical values of every band; NaN where hidden, nodata or, if `strict`, outside a band's valid range. An
    /// observation that one band lacks is lacking in all.
    fn physical(&self, strict: bool) -> Result<Vec<Vec<f32>>, ComputeError> {
        let mut values = self
            .stacks
            .iter()
            .zip(&self.bands)
            .map(|(stack, band)| physical(stack, band))
            .collect::<Result<Vec<_>, _>>()?;
        let mut lacking = self.hidden.clone();
        for (stack, band) in self.stacks.iter().zip(&self.bands) {
            let valid = band.valid.filter(|_| strict);
            match stack {
                Pixels::U8(v) => note_lacking(v, band.nodata, valid, &mut lacking),
                Pixels::U16(v) => note_lacking(v, band.nodata, valid, &mut lacking),
                Pixels::I16(v) => note_lacking(v, band.nodata, valid, &mut lacking),
                Pixels::F32(v) => note_lacking(v, band.nodata, valid, &mut lacking),
            }
        }
        for values in &mut values {
            for (value, lacking) in values.iter_mut().zip(&lacking) {
                if *lacking {
                    *value = f32::NAN;
                }
            }
        }
        Ok(values)
    }

    /// Days of each slot since a period's first.
    fn days_since(&self, period: &Period) -> Vec<f64> {
        self.times.iter().map(|t| (t.0 - period.start.0) as f64 / DAY_S).collect()
    }

    /// An expression of each observation.
    fn index(&self, expression: &Expression) -> Result<Vec<f32>, ComputeError> {
        let values = self.physical(true)?;
        // The expression's own bands, in its order, among those that were read.
        let at = |name: &String| self.bands.iter().position(|b| b.name == *name);
        let inputs: Vec<&[f32]> =
            expression.bands().iter().filter_map(at).map(|i| values[i].as_slice()).collect();
        let mut index = vec![f32::NAN; self.hidden.len()];
        expression.evaluate(&inputs, &mut index).map_err(unusable)?;
        Ok(index)
    }
}

/// Notes where a stored value is nodata or outside the valid range.
fn note_lacking<T: Copy + Into<f64>>(
    stored: &[T],
    nodata: f64,
    valid: Option<[f64; 2]>,
    lacking: &mut [bool],
) {
    let [low, high] = valid.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    for (lacking, value) in lacking.iter_mut().zip(stored) {
        let value: f64 = (*value).into();
        // A comparison with NaN is false: it lacks too.
        *lacking |= value == nodata || !(value >= low && value <= high);
    }
}

/// A kernel refused what a recipe gave it.
pub(super) fn unusable(e: impl std::fmt::Display) -> ComputeError {
    ComputeError::Parameter { parameter: "reducer", problem: e.to_string() }
}

/// Layers of a block. Pixels with fewer than `min_obs` usable observations are NaN in all but the counts; a pixel
/// never observed is NaN everywhere.
///
/// # Errors
/// [`ComputeError::Parameter`] when a kernel refuses its input.
pub(super) fn reduce(
    reducer: &Reducer,
    expression: Option<&Expression>,
    period: &Period,
    min_obs: u16,
    seen: &Observations<'_>,
) -> Result<Layers, ComputeError> {
    let mut layers = match (reducer, expression) {
        (Reducer::Statistics { statistics, percentiles, method, .. }, Some(e)) => {
            of_index(&seen.index(e)?, seen.pixels(), statistics, percentiles, *method, min_obs)?
        }
        (Reducer::Phenology { threshold, .. }, Some(e)) => {
            seasons(&seen.index(e)?, seen, period, *threshold, min_obs)?
        }
        (Reducer::BestPixel { bands, .. }, Some(e)) => {
            best_pixels(&seen.index(e)?, seen, bands, period, min_obs)?
        }
        (Reducer::Harmonic { order, trend, observations_per_parameter, .. }, Some(e)) => {
            let model = Model {
                observations_per_parameter: usize::from(*observations_per_parameter),
                ..Model::annual(usize::from(*order), *trend)
            };
            waves(&seen.index(e)?, seen, period, model, min_obs)?
        }
        (Reducer::Geomedian { .. }, _) => geomedians(seen, min_obs)?,
        (Reducer::Medoid { .. }, _) => medoids(seen, min_obs)?,
        (Reducer::Wofs {}, _) => water(seen)?,
        _ => return Err(unusable(format!("{} does not take scenes", reducer.as_str()))),
    };
    if seen.observed.contains(&false) {
        for (_, values) in &mut layers {
            for (value, observed) in values.iter_mut().zip(&seen.observed) {
                *value = if *observed { *value } else { f32::NAN };
            }
        }
    }
    Ok(layers)
}

/// Every finite value.
fn any(values: &[f32], pixels: usize) -> Result<Stack<'_, f32>, ComputeError> {
    Stack::new(values, pixels, f32::MIN..=f32::MAX).map_err(unusable)
}

/// NaN where there are too few observations.
fn require(mut values: Vec<f32>, counts: &[u16], min_obs: u16) -> Vec<f32> {
    for (value, count) in values.iter_mut().zip(counts) {
        if *count < min_obs {
            *value = f32::NAN;
        }
    }
    values
}

pub(super) fn named<const N: usize>(layers: [(&str, Vec<f32>); N]) -> Layers {
    layers.into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
}

fn as_floats(counts: &[u16]) -> Vec<f32> {
    counts.iter().map(|c| f32::from(*c)).collect()
}

fn of_index(
    index: &[f32],
    pixels: usize,
    statistics: &[Statistic],
    wanted: &[u8],
    method: PercentileMethod,
    min_obs: u16,
) -> Result<Layers, ComputeError> {
    let stack = any(index, pixels)?;
    let summary = summarise(&stack, Deviation::Population);
    let mut layers = Layers::new();
    for statistic in statistics {
        let values = match statistic {
            Statistic::Count => {
                layers.push((statistic.as_str().to_owned(), as_floats(&summary.count)));
                continue;
            }
            Statistic::Mean => summary.mean.clone(),
            Statistic::Stdev => summary.deviation.clone(),
            Statistic::Min => summary.least.clone(),
            Statistic::Max => summary.greatest.clone(),
            Statistic::Median => {
                let mut out = vec![f32::NAN; pixels];
                percentiles(&stack, &[0.5], Method::Linear, &mut out).map_err(unusable)?;
                out
            }
        };
        layers.push((statistic.as_str().to_owned(), require(values, &summary.count, min_obs)));
    }
    if !wanted.is_empty() {
        let shares: Vec<f64> = wanted.iter().map(|p| f64::from(*p) / 100.0).collect();
        let method = match method {
            PercentileMethod::Linear => Method::Linear,
            PercentileMethod::Odc => Method::Odc,
        };
        let mut out = vec![f32::NAN; pixels * shares.len()];
        percentiles(&stack, &shares, method, &mut out).map_err(unusable)?;
        for (p, values) in wanted.iter().zip(out.chunks_exact(pixels.max(1))) {
            layers.push((format!("p{p}"), require(values.to_vec(), &summary.count, min_obs)));
        }
    }
    Ok(layers)
}

/// Seasons of an index, pixel by pixel. Extremes need one observation, days of a season three.
fn seasons(
    index: &[f32],
    seen: &Observations<'_>,
    period: &Period,
    threshold: f64,
    min_obs: u16,
) -> Result<Layers, ComputeError> {
    let pixels = seen.pixels();
    let nothing = || vec![f32::NAN; pixels];
    let [mut peak, mut trough, mut amplitude] = [nothing(), nothing(), nothing()];
    let [mut peak_day, mut start_day, mut end_day, mut length] = [nothing(), nothing(), nothing(), nothing()];
    let [mut number, mut count] = [nothing(), vec![0.0f32; pixels]];
    let since_start = seen.days_since(period);
    let (mut days, mut values) = (Vec::new(), Vec::new());
    for i in 0..pixels {
        days.clear();
        values.clear();
        for (s, day) in since_start.iter().enumerate() {
            let value = index[s * pixels + i];
            // Two platforms at one instant are one observation.
            if !value.is_nan() && days.last().is_none_or(|last| last < day) {
                days.push(*day);
                values.push(f64::from(value));
            }
        }
        count[i] = values.len() as f32;
        if values.is_empty() || values.len() < usize::from(min_obs) {
            continue;
        }
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        peak[i] = greatest as f32;
        trough[i] = least as f32;
        amplitude[i] = (greatest - least) as f32;
        if let Some(s) = season(&days, &values, threshold).map_err(unusable)? {
            peak_day[i] = s.peak as f32;
            start_day[i] = s.start as f32;
            end_day[i] = s.end as f32;
            length[i] = s.length() as f32;
        }
        number[i] = peaks(&days, &values, MIN_PROMINENCE).map_err(unusable)?.len() as f32;
    }
    Ok(named([
        ("peak", peak),
        ("trough", trough),
        ("amplitude", amplitude),
        ("peak_day", peak_day),
        ("start_day", start_day),
        ("end_day", end_day),
        ("length", length),
        ("peaks", number),
        ("count", count),
    ]))
}

/// Geometric medians straight from stored values.
fn geomedians(seen: &Observations<'_>, min_obs: u16) -> Result<Layers, ComputeError> {
    let layers: Vec<Layer<'_>> = seen
        .stacks
        .iter()
        .zip(&seen.bands)
        .map(|(stack, band)| Layer {
            samples: match stack {
                Pixels::U8(v) => Samples::U8(v),
                Pixels::U16(v) => Samples::U16(v),
                Pixels::I16(v) => Samples::I16(v),
                Pixels::F32(v) => Samples::F32(v),
            },
            scale: band.scale,
            offset: band.offset,
            nodata: band.nodata,
            valid: band.valid.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
        })
        .collect();
    let spectra = Spectra { layers: &layers, hidden: &seen.hidden, pixels: seen.pixels() };
    let made = geomad_block(&spectra, min_obs).map_err(unusable)?;
    let planes = made.point.chunks_exact(seen.pixels().max(1));
    let mut layers: Layers =
        seen.bands.iter().map(|b| b.name.clone()).zip(planes.map(<[f32]>::to_vec)).collect();
    let flags = made.flags.iter().map(|f| f32::from(f.bits())).collect();
    layers.extend(named([
        ("smad", made.smad),
        ("emad", made.emad),
        ("bcmad", made.bcmad),
        ("count", as_floats(&made.count)),
        ("qa", flags),
    ]));
    Ok(layers)
}

fn medoids(seen: &Observations<'_>, min_obs: u16) -> Result<Layers, ComputeError> {
    let values = seen.physical(true)?;
    let stacks = values.iter().map(|v| any(v, seen.pixels())).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = stacks.first() else { return Err(unusable("no bands")) };
    let count = summarise(first, Deviation::Population).count;
    let mut dates = medoid(&stacks).map_err(unusable)?;
    for (date, count) in dates.iter_mut().zip(&count) {
        if *count < min_obs {
            *date = NO_DATE;
        }
    }
    let mut layers = Layers::new();
    for (stack, band) in stacks.iter().zip(&seen.bands) {
        layers.push((band.name.clone(), pick(stack, &dates).map_err(unusable)?));
    }
    layers.push(("count".to_owned(), as_floats(&count)));
    Ok(layers)
}

/// The observations at which an index is greatest.
fn best_pixels(
    index: &[f32],
    seen: &Observations<'_>,
    wanted: &[String],
    period: &Period,
    min_obs: u16,
) -> Result<Layers, ComputeError> {
    let pixels = seen.pixels();
    let stack = any(index, pixels)?;
    let count = summarise(&stack, Deviation::Population).count;
    let mut dates = best_date(&stack);
    for (date, count) in dates.iter_mut().zip(&count) {
        if *count < min_obs {
            *date = NO_DATE;
        }
    }
    let mut layers = Layers::new();
    let values = seen.physical(true)?;
    for (values, band) in values.iter().zip(&seen.bands).filter(|(_, b)| wanted.contains(&b.name)) {
        layers.push((band.name.clone(), pick(&any(values, pixels)?, &dates).map_err(unusable)?));
    }
    let days = seen.days_since(period);
    let day =
        dates.iter().map(|d| days.get(usize::from(*d)).map_or(f32::NAN, |d| d.floor() as f32)).collect();
    layers.extend(named([
        ("value", pick(&stack, &dates).map_err(unusable)?),
        ("day", day),
        ("count", as_floats(&count)),
    ]));
    Ok(layers)
}

/// Level, trend and waves of an index, pixel by pixel.
fn waves(
    index: &[f32],
    seen: &Observations<'_>,
    period: &Period,
    model: Model,
    min_obs: u16,
) -> Result<Layers, ComputeError> {
    let pixels = seen.pixels();
    let days = seen.days_since(period);
    let design = Design::new(model, &days).map_err(unusable)?;
    let names = ["level", "trend", "rmse", "r2"].map(str::to_owned).into_iter();
    let of_wave = |k: usize| [format!("amplitude_{k}"), format!("peak_day_{k}")];
    let names: Vec<String> = names.chain((1..=model.order).flat_map(of_wave)).collect();
    let mut layers: Layers = names.into_iter().map(|name| (name, vec![f32::NAN; pixels])).collect();
    let mut count = vec![0.0f32; pixels];
    let mut values = vec![f64::NAN; days.len()];
    for (i, count) in count.iter_mut().enumerate() {
        let of_pixel = index.iter().skip(i).step_by(pixels);
        values.iter_mut().zip(of_pixel).for_each(|(to, from)| *to = f64::from(*from));
        let number = values.iter().filter(|v| v.is_finite()).count();
        *count = number as f32;
        if number < usize::from(min_obs) {
            continue;
        }
        let Some(fit) = design.fit(&values).map_err(unusable)? else { continue };
        let first = [fit.level(), fit.trend(), fit.rmse, fit.r2];
        let of_waves = (1..=model.order).flat_map(|k| [fit.amplitude(k), fit.peak_day(k)]);
        let found = first.into_iter().chain(of_waves.map(|v| v.unwrap_or(f64::NAN)));
        for ((_, layer), value) in layers.iter_mut().zip(found) {
            layer[i] = value as f32;
        }
    }
    layers.push(("count".to_owned(), count));
    Ok(layers)
}

/// Wet and clear observations, day by day. Terrain is not known here, so its shadows are not left out.
fn water(seen: &Observations<'_>) -> Result<Layers, ComputeError> {
    // Dark water is often below the range that composites take.
    let values = seen.physical(false)?;
    let [blue, green, red, nir, swir1, swir2] = values.as_slice() else {
        return Err(unusable("wofs needs blue, green, red, nir, swir1 and swir2"));
    };
    let mut observations = vec![wofs::NODATA; seen.hidden.len()];
    for (i, observation) in observations.iter_mut().enumerate() {
        let spectrum = [blue[i], green[i], red[i], nir[i], swir1[i], swir2[i]].map(|v| f64::from(v) * 1e4);
        if !spectrum.iter().any(|v| v.is_nan()) {
            *observation = if wofs::is_water(spectrum) { wofs::WATER } else { 0 };
        }
    }
    let summary = wofs::summarise(&observations, seen.pixels(), &seen.days).map_err(unusable)?;
    // A pixel that was only ever seen under cloud has no clear observation, but it is not without data.
    let counts = |v: &[i16]| v.iter().map(|c| f32::from((*c).max(0))).collect::<Vec<_>>();
    Ok(named([
        ("wet", counts(&summary.wet)),
        ("clear", counts(&summary.clear)),
        ("frequency", summary.frequency.clone()),
    ]))
}
