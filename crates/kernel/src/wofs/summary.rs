//! How often a place was under water.

use super::{NODATA, WATER};

/// Counts of a pixel that was never observed.
pub const NODATA_COUNT: i16 = -999;

/// Clear and wet observations of every pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct WofsSummary {
    /// Days with a clear observation; [`NODATA_COUNT`] where there was never an observation.
    pub clear: Vec<i16>,
    /// Days with water; likewise.
    pub wet: Vec<i16>,
    /// `wet / clear`, NaN without a clear observation.
    pub frequency: Vec<f32>,
}

/// Input that is not a stack of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WofsError {
    /// There is not one plane of `pixels` values for each scene.
    #[error("{values} observations are not {scenes} scenes of {pixels} pixels")]
    Shape {
        /// Values given.
        values: usize,
        /// Scenes named.
        scenes: usize,
        /// Pixels of a scene.
        pixels: usize,
    },
    /// More days than a count holds.
    #[error("a summary counts at most {} scenes, not {scenes}", i16::MAX)]
    TooManyScenes {
        /// Scenes named.
        scenes: usize,
    },
}

/// What the scenes of one day said of a pixel.
const OBSERVED: u8 = 1;
const SPOILT: u8 = 2;
const WET: u8 = 4;
const DRY: u8 = 8;

/// Sums up `observations`, `(scene, pixel)` bytes of flags, where `days[scene]` is the day of each scene and
/// scenes of one day stand side by side.
///
/// A day counts once: one spoilt observation (any flag but water) spoils it, a pixel both wet and dry is
/// neither, otherwise it is wet or dry.
/// # Errors
/// [`WofsError::Shape`], [`WofsError::TooManyScenes`].
pub fn summarise<D: PartialEq>(
    observations: &[u8],
    pixels: usize,
    days: &[D],
) -> Result<WofsSummary, WofsError> {
    let scenes = days.len();
    if scenes.checked_mul(pixels) != Some(observations.len()) {
        return Err(WofsError::Shape { values: observations.len(), scenes, pixels });
    }
    if i16::try_from(scenes).is_err() {
        return Err(WofsError::TooManyScenes { scenes });
    }
    let (mut clear, mut wet) = (vec![NODATA_COUNT; pixels], vec![NODATA_COUNT; pixels]);
    let mut today = vec![0u8; pixels];
    let mut scene = 0;
    for day in days.chunk_by(|a, b| a == b) {
        today.fill(0);
        for _ in day {
            let plane = &observations[scene * pixels..(scene + 1) * pixels];
            for (said, &observation) in today.iter_mut().zip(plane) {
                *said |= meaning(observation);
            }
            scene += 1;
        }
        for ((said, clear), wet) in today.iter().zip(&mut clear).zip(&mut wet) {
            if said & OBSERVED == 0 {
                continue;
            }
            if *clear == NODATA_COUNT {
                (*clear, *wet) = (0, 0);
            }
            let state = said & (SPOILT | WET | DRY);
            *clear += i16::from(state == WET || state == DRY);
            *wet += i16::from(state == WET);
        }
    }
    let frequency = |(&clear, &wet): (&i16, &i16)| {
        if clear > 0 { f32::from(wet) / f32::from(clear) } else { f32::NAN }
    };
    let frequency = clear.iter().zip(&wet).map(frequency).collect();
    Ok(WofsSummary { clear, wet, frequency })
}

fn meaning(observation: u8) -> u8 {
    match observation {
        0 => OBSERVED | DRY,
        WATER => OBSERVED | WET,
        _ if observation & NODATA != 0 => 0,
        _ => OBSERVED | SPOILT,
    }
}
