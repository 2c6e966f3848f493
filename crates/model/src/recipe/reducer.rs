//! How observations or rasters become the layers of one raster.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One statistic of a series of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Number of values.
    Count,
    /// Mean.
    Mean,
    /// Standard deviation of the population.
    Stdev,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Middle value; the mean of the two middle ones for an even number.
    Median,
}

impl Statistic {
    /// As YAML writes it, and the layer is named.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Mean => "mean",
            Self::Stdev => "stdev",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
        }
    }
}

/// Definition of a percentile (science 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PercentileMethod {
    /// Linear interpolation between order statistics, as numpy's default.
    #[default]
    Linear,
    /// Nearest rank, at least three values, as Open Data Cube's.
    Odc,
}

/// A number that a recipe takes from its input before anything is computed, and that its provenance keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Threshold {
    /// Otsu's threshold of an expression over all rasters of the input (256 bins over `range`).
    Otsu {
        /// Over the input's physical values.
        expression: String,
        /// Least and greatest value of the histogram.
        range: [f64; 2],
    },
}

/// Two hidden states, 0 and 1, and how they follow each other from year to year (science 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwoStates {
    /// Probability of going from 0 to 1 in a step.
    pub enter: f64,
    /// Probability of going from 1 to 0 in a step.
    pub leave: f64,
    /// Probability of 1 in the first raster; unset, the share of pixels whose evidence says 1 in all rasters together.
    #[serde(default)]
    pub initial: Option<f64>,
}

/// Patches too small to keep, by 8-connection, and holes too small to leave, by 4-connection; pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sieve {
    /// Patches of state 1 with fewer pixels become 0.
    pub patches: u16,
    /// Holes of state 0 with fewer pixels, enclosed by 1, become 1.
    #[serde(default)]
    pub holes: u16,
}

/// How the inputs of a period become layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reducer {
    /// Scenes: geometric median of `bands` with `smad`, `emad`, `bcmad`, `count` and `qa` (science 2).
    Geomedian {
        /// Input bands, also layers.
        bands: Vec<String>,
    },
    /// Scenes: the observation closest to all others; layers are the bands, and `count`.
    Medoid {
        /// Input bands, also layers.
        bands: Vec<String>,
    },
    /// Scenes: the observation with the greatest value of an expression, such as NDVI's; layers are the bands, `value` (of
    /// the expression), `day` (days since the period's first) and `count`.
    BestPixel {
        /// Over the input's physical values; the first of equals.
        expression: String,
        /// Input bands, also layers.
        bands: Vec<String>,
    },
    /// Scenes: level, trend and waves of the year of an expression by least squares (science 4.2): `level`, `trend` (per
    /// year), `amplitude_1` and `peak_day_1` (days since the period's first, below a wave's length) up to `order`, `rmse`,
    /// `r2`, `count`. Below `observations_per_parameter` times `1 + trend + 2 order` observations only `count`.
    Harmonic {
        /// Over the input's physical values.
        expression: String,
        /// Number of waves, 1 to 4.
        #[serde(default = "first_wave")]
        order: u8,
        /// Whether a linear trend is fitted too; without, it is 0.
        #[serde(default)]
        trend: bool,
        /// Observations needed for each parameter.
        #[serde(default = "three")]
        observations_per_parameter: u8,
    },
    /// Scenes: statistics of an expression over time, the expression taken of each observation.
    Statistics {
        /// Over the input's physical values.
        expression: String,
        /// Layers named as the statistic.
        #[serde(default)]
        statistics: Vec<Statistic>,
        /// Layers `p10`, `p50`, …: per cent, 0 to 100.
        #[serde(default)]
        percentiles: Vec<u8>,
        /// How percentiles are defined.
        #[serde(default)]
        method: PercentileMethod,
    },
    /// Scenes: layers `wet` and `clear` (observations), `frequency` (wet / clear), by the decision tree of Water
    /// Observations from Space (science 5.1). Bands blue, green, red, nir, swir1, swir2.
    Wofs {},
    /// Scenes: `peak` and `trough` (values), `amplitude`, `peak_day`, `start_day`, `end_day`, `length` (days since the
    /// period's first), `peaks`, `count` of an index over the period (science 4.4).
    Phenology {
        /// The index, over the input's physical values.
        expression: String,
        /// Share of the amplitude at which a season starts and ends.
        #[serde(default = "fifth")]
        threshold: f64,
    },
    /// Rasters: an expression over one raster of the same period.
    Expression {
        /// Over the input's physical values.
        expression: String,
        /// The layer.
        band: String,
    },
    /// Rasters, all periods together: `slope` (per year) and `intercept` of Sen, Mann–Kendall's `z`, `p` and `tau`, and
    /// `count`, of an expression (science 4.3).
    Trend {
        /// Over the input's physical values.
        expression: String,
    },
    /// Rasters: per period the more likely of two states, all periods together: `class` (0 or 1), `probability` of 1 as
    /// the period alone has it (per cent), `evidence` (the class that this gives), `change_year` (first year in state 1;
    /// 0: never), and `provisional` (1 in the last raster, which no later one has confirmed).
    States {
        /// Probability of state 1, 0 to 1, from the input's physical values and the thresholds.
        probability: String,
        /// Named numbers for `probability`.
        #[serde(default)]
        thresholds: BTreeMap<String, Threshold>,
        /// The chain.
        states: TwoStates,
        /// Clean-up of `class`, raster by raster.
        #[serde(default)]
        sieve: Option<Sieve>,
    },
}

fn first_wave() -> u8 {
    1
}

fn three() -> u8 {
    3
}

fn fifth() -> f64 {
    0.2
}

impl Reducer {
    /// Layers that an output may name, in their usual order.
    pub fn layers(&self) -> Vec<String> {
        let named = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        match self {
            Self::Geomedian { bands } => {
                [bands.clone(), named(&["smad", "emad", "bcmad", "count", "qa"])].concat()
            }
            Self::Medoid { bands } => [bands.clone(), named(&["count"])].concat(),
            Self::BestPixel { bands, .. } => [bands.clone(), named(&["value", "day", "count"])].concat(),
            Self::Harmonic { order, .. } => {
                let waves = (1..=*order).flat_map(|k| [format!("amplitude_{k}"), format!("peak_day_{k}")]);
                let [first, last] = [named(&["level", "trend"]), named(&["rmse", "r2", "count"])];
                first.into_iter().chain(waves).chain(last).collect()
            }
            Self::Statistics { statistics, percentiles, .. } => statistics
                .iter()
                .map(|s| s.as_str().to_owned())
                .chain(percentiles.iter().map(|p| format!("p{p}")))
                .collect(),
            Self::Wofs {} => named(&["wet", "clear", "frequency"]),
            Self::Phenology { .. } => named(&[
                "peak",
                "trough",
                "amplitude",
                "peak_day",
                "start_day",
                "end_day",
                "length",
                "peaks",
                "count",
            ]),
            Self::Expression { band, .. } => vec![band.clone()],
            Self::Trend { .. } => named(&["slope", "intercept", "z", "p", "tau", "count"]),
            Self::States { .. } => named(&["class", "probability", "evidence", "change_year", "provisional"]),
        }
    }

    /// Whether it takes a scenes product; the others take a derived one.
    pub fn takes_scenes(&self) -> bool {
        matches!(
            self,
            Self::Geomedian { .. }
                | Self::Medoid { .. }
                | Self::BestPixel { .. }
                | Self::Harmonic { .. }
                | Self::Statistics { .. }
                | Self::Wofs {}
                | Self::Phenology { .. }
        )
    }

    /// Processing level of what it makes: `L3` is resampled in time, in the quantities of its input; `L4` is what an
    /// analysis or a model makes of it.
    pub fn processing_level(&self) -> &'static str {
        match self {
            Self::Geomedian { .. }
            | Self::Medoid { .. }
            | Self::BestPixel { .. }
            | Self::Statistics { .. }
            | Self::Expression { .. } => "L3",
            Self::Wofs {}
            | Self::Harmonic { .. }
            | Self::Phenology { .. }
            | Self::Trend { .. }
            | Self::States { .. } => "L4",
        }
    }

    /// As YAML writes it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Geomedian { .. } => "geomedian",
            Self::Medoid { .. } => "medoid",
            Self::BestPixel { .. } => "best_pixel",
            Self::Harmonic { .. } => "harmonic",
            Self::Statistics { .. } => "statistics",
            Self::Wofs {} => "wofs",
            Self::Phenology { .. } => "phenology",
            Self::Expression { .. } => "expression",
            Self::Trend { .. } => "trend",
            Self::States { .. } => "states",
        }
    }

    /// What no JSON Schema says, as `(word at fault, problem)`.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut wrong = |word: &str, problem: String| found.push((word.to_owned(), problem));
        let share = |v: f64| v > 0.0 && v < 1.0;
        match self {
            Self::Geomedian { bands } | Self::Medoid { bands } | Self::BestPixel { bands, .. } => {
                if bands.is_empty() || bands.len() > 16 {
                    wrong("bands", format!("{} takes 1 to 16 bands, not {}", self.as_str(), bands.len()));
                }
            }
            Self::Statistics { statistics, percentiles, .. } => {
                if statistics.is_empty() && percentiles.is_empty() {
                    wrong("statistics", "name at least one statistic or percentile".into());
                }
                for p in percentiles.iter().filter(|p| **p > 100) {
                    wrong(&p.to_string(), format!("percentile {p} is above 100"));
                }
            }
            Self::Harmonic { order, observations_per_parameter, .. } => {
                if !(1..=4).contains(order) {
                    wrong("order", format!("order {order} must be 1 to 4 waves"));
                }
                if *observations_per_parameter == 0 {
                    wrong("observations_per_parameter", "a parameter needs at least one observation".into());
                }
            }
            Self::Phenology { threshold, .. } => {
                if !share(*threshold) {
                    wrong("threshold", format!("threshold {threshold} must lie between 0 and 1"));
                }
            }
            Self::States { thresholds, states, .. } => {
                for (name, value) in [("enter", states.enter), ("leave", states.leave)] {
                    if !share(value) {
                        wrong(name, format!("{name} {value} must lie between 0 and 1"));
                    }
                }
                if let Some(initial) = states.initial.filter(|v| !share(*v)) {
                    wrong("initial", format!("initial {initial} must lie between 0 and 1"));
                }
                for (name, Threshold::Otsu { range: [a, b], .. }) in thresholds {
                    if a.partial_cmp(b) != Some(std::cmp::Ordering::Less) {
                        wrong(name, format!("range [{a}, {b}] of threshold {name} must ascend"));
                    }
                }
            }
            Self::Wofs {} | Self::Expression { .. } | Self::Trend { .. } => {}
        }
        found
    }
}
