//! Gaps of Landsat 7 after its scan line corrector failed on 2003-05-31.
//!
//! Gaps run along the scan lines (which dip to the east) once per pair of scans and widen away from
//! the centre of the swath. The area lies in the eastern half of the path, so that they grow from about
//! 3 px in the west to 11 px in the east: 22 % of all pixels. Their phase differs from date to date.

use crate::noise;

/// Period of the gaps along the track, pixels.
const PERIOD: f64 = 33.0;
/// Dip of a scan line: pixels down per pixel to the east.
pub(crate) const SCAN_DIP: f64 = 0.151;

/// Gap pattern of one pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gaps {
    phase: f64,
    narrow: f64,
    wide: f64,
}

impl Gaps {
    pub(crate) fn new(pass_seed: u64) -> Gaps {
        let jitter = noise::signed(pass_seed, 41, 0);
        Gaps {
            phase: noise::uniform(pass_seed, 42, 0) * PERIOD,
            narrow: 3.4 + 0.4 * jitter,
            wide: 11.1 + 0.4 * jitter,
        }
    }

    /// True when a pixel was not scanned. `across` runs from 0 (west) to 1 (east).
    #[inline]
    pub(crate) fn contains(&self, col: usize, row: usize, across: f64) -> bool {
        let along = row as f64 - SCAN_DIP * col as f64 + self.phase;
        let scan = (along / PERIOD).floor();
        let within = along - scan * PERIOD;
        within < self.narrow + (self.wide - self.narrow) * across
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_22_per_cent_is_lost() {
        for seed in 0..20 {
            let gaps = Gaps::new(noise::mix(seed));
            let lost =
                (0..400 * 400).filter(|p| gaps.contains(p % 400, p / 400, (p % 400) as f64 / 400.0)).count();
            let share = lost as f64 / 160_000.0;
            assert!((0.19..0.25).contains(&share), "{share}");
        }
    }
}
