//! QA_PIXEL and QA_RADSAT words of Collection 2.

use crate::calendar::Platform;

/// QA_PIXEL outside the scene.
pub const QA_FILL: u16 = 1;

/// What the masking algorithm says about a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) cloud: bool,
    /// Within three pixels of cloud, not cloud itself.
    pub(crate) dilated: bool,
    pub(crate) shadow: bool,
    /// Only ever true for OLI.
    pub(crate) cirrus: bool,
    pub(crate) water: bool,
}

/// Every QA_PIXEL word the generator writes for a sensor, fill included.
pub fn valid_words(platform: Platform) -> &'static [u16] {
    if platform.is_oli() {
        &[
            1, 21_762, 21_824, 21_890, 21_952, 22_280, 23_826, 23_888, 23_952, 54_534, 54_596, 54_724,
            55_052, 56_598, 56_660,
        ]
    } else {
        &[1, 5440, 5442, 5504, 5506, 5896, 7440, 7442, 7568]
    }
}

/// The word for a verdict: the most telling of the documented combinations.
#[inline]
pub(crate) fn word(oli: bool, v: Verdict) -> u16 {
    if !oli {
        return match v {
            Verdict { cloud: true, .. } => 5896,
            Verdict { shadow: true, water: true, .. } => 7568,
            Verdict { shadow: true, dilated: true, .. } => 7442,
            Verdict { shadow: true, .. } => 7440,
            Verdict { dilated: true, water: true, .. } => 5506,
            Verdict { dilated: true, .. } => 5442,
            Verdict { water: true, .. } => 5504,
            _ => 5440,
        };
    }
    if v.cirrus {
        return match v {
            Verdict { cloud: true, .. } => 55_052,
            Verdict { shadow: true, dilated: true, .. } => 56_598,
            Verdict { shadow: true, .. } => 56_660,
            Verdict { dilated: true, .. } => 54_534,
            Verdict { water: true, .. } => 54_724,
            _ => 54_596,
        };
    }
    match v {
        Verdict { cloud: true, .. } => 22_280,
        Verdict { shadow: true, water: true, .. } => 23_952,
        Verdict { shadow: true, dilated: true, .. } => 23_826,
        Verdict { shadow: true, .. } => 23_888,
        Verdict { dilated: true, water: true, .. } => 21_890,
        Verdict { dilated: true, .. } => 21_762,
        Verdict { water: true, .. } => 21_952,
        _ => 21_824,
    }
}

/// QA_RADSAT bit of a surface reflectance band.
pub(crate) fn saturation_bit(sr_band: u8) -> u16 {
    1 << (sr_band - 1)
}

/// Reflectance from which a band of a sensor saturates: TM and ETM+ do over bright cloud in the
/// visible, OLI hardly ever.
pub(crate) fn saturates_at(platform: Platform, sr_band: u8) -> f32 {
    match (platform.is_oli(), sr_band) {
        (true, 1..=4) => 0.885,
        (false, 1) => 0.74,
        (false, 2 | 3) => 0.78,
        _ => f32::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_verdicts() -> impl Iterator<Item = Verdict> {
        (0..32_u8).map(|b| {
            let bit = |n: u8| b >> n & 1 == 1;
            Verdict { cloud: bit(0), dilated: bit(1), shadow: bit(2), cirrus: bit(3), water: bit(4) }
        })
    }

    #[test]
    fn words_decode_to_the_verdict() {
        for oli in [false, true] {
            let platform = if oli { Platform::Landsat9 } else { Platform::Landsat5 };
            for v in all_verdicts().filter(|v| oli || !v.cirrus) {
                let w = word(oli, v);
                assert!(valid_words(platform).contains(&w), "{v:?} {w}");
                let bit = |n: u16| w >> n & 1 == 1;
                assert!(!bit(0));
                assert_eq!(bit(3), v.cloud, "{v:?} {w}");
                assert_eq!(bit(2), v.cirrus, "{v:?} {w}");
                assert_eq!(bit(4), v.shadow && !v.cloud, "{v:?} {w}");
                assert_eq!(w & 31 != 0, v.cloud || v.shadow || v.dilated || v.cirrus, "{v:?} {w}");
                assert_eq!(w >> 8 & 3, if v.cloud { 3 } else { 1 });
                assert_eq!(w >> 10 & 3, if v.shadow && !v.cloud { 3 } else { 1 });
                assert_eq!(
                    w >> 14,
                    match (oli, v.cirrus) {
                        (false, _) => 0,
                        (_, true) => 3,
                        _ => 1,
                    }
                );
            }
        }
    }

    #[test]
    fn known_words_of_the_two_sensors() {
        let clear = Verdict::default();
        let water = Verdict { water: true, ..clear };
        let shadow = Verdict { shadow: true, ..clear };
        let cirrus = Verdict { cirrus: true, ..clear };
        assert_eq!([word(false, clear), word(false, water), word(false, shadow)], [5440, 5504, 7440]);
        assert_eq!([word(true, clear), word(true, water), word(true, shadow)], [21_824, 21_952, 23_888]);
        assert_eq!(word(true, cirrus), 54_596);
        assert_eq!(saturation_bit(7), 64);
    }
}
