//! What to generate, how it goes, what came out.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::SynthError;

/// Years for which the acquisition calendars are defined.
const CALENDAR_YEARS: RangeInclusive<i32> = 1985..=2030;
/// Sides of the cube window, in pixels, that the world is designed for.
const SIZES: RangeInclusive<usize> = 64..=2048;

/// What archive to generate. Equal configurations give equal pixels, on any number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynthConfig {
    /// Seed of everything random: weather, missing acquisitions, parcels, town, noise.
    pub seed: u64,
    /// Calendar years covered, both ends included (within 1985–2030).
    pub years: RangeInclusive<i32>,
    /// Side of the square cube window in 30 m pixels (64–2048), centred on the tile corner.
    pub size_px: usize,
    /// Acquisition days kept per year (years with SLC-off ETM+ alone get one more). At least 1.
    pub days_per_year: usize,
    /// Upper bound on the number of scenes; whole days are dropped, evenly over time.
    pub max_scenes: Option<usize>,
}

impl Default for SynthConfig {
    fn default() -> Self {
        SynthConfig { seed: 7999, years: 1994..=2024, size_px: 512, days_per_year: 7, max_scenes: None }
    }
}

impl SynthConfig {
    /// A configuration for tests: 2011–2014 (TM, SLC-off ETM+, OLI), 96 px, at most 16 scenes.
    pub fn small() -> Self {
        SynthConfig { years: 2011..=2014, size_px: 96, max_scenes: Some(16), ..SynthConfig::default() }
    }

    /// Checks every field against its range.
    pub(crate) fn validate(&self) -> Result<(), SynthError> {
        let bad = |field, reason: String| Err(SynthError::Config { field, reason });
        if self.years.is_empty()
            || !CALENDAR_YEARS.contains(self.years.start())
            || !CALENDAR_YEARS.contains(self.years.end())
        {
            return bad("years", format!("{:?} is not a range within {CALENDAR_YEARS:?}", self.years));
        }
        if !SIZES.contains(&self.size_px) || !self.size_px.is_multiple_of(2) {
            return bad("size_px", format!("{} is not an even number within {SIZES:?}", self.size_px));
        }
        if self.days_per_year == 0 {
            return bad("days_per_year", "must be at least 1".to_owned());
        }
        if self.max_scenes == Some(0) {
            return bad("max_scenes", "must be at least 1".to_owned());
        }
        Ok(())
    }
}

/// How far the scenes have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Scenes written so far.
    pub done: usize,
    /// Scenes to write in all.
    pub total: usize,
}

/// What [`crate::generate`] left on disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Root of the archive.
    pub root: PathBuf,
    /// True when a complete archive of the same configuration was already there.
    pub reused: bool,
    /// Scenes (one WRS-2 row of one day and platform).
    pub scenes: usize,
    /// Passes (one day and platform).
    pub passes: usize,
    /// Census blocks in `zones/manzanas.gpkg`.
    pub blocks: usize,
    /// AGEBs in `zones/agebs.gpkg`.
    pub agebs: usize,
    /// Size of all files, in bytes.
    pub bytes: u64,
    /// Wall seconds spent on static cover, scenes, truth and zones (zeros when reused).
    pub seconds: Timings,
}

/// Wall time per stage, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Static attributes of both pixel grids.
    pub cover: f64,
    /// Scenes: rendering and writing.
    pub scenes: f64,
    /// Truth rasters.
    pub truth: f64,
    /// Zone layers.
    pub zones: f64,
}
