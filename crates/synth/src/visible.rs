//! Where a pass saw the ground: what truth rests on.

use crate::clouds::SkyAt;

/// Cloud opacity, or depth of cloud shadow, from which the ground does not count as visible: 2 % of the
/// light, about a hundredth in reflectance.
const VEIL: f32 = 0.02;
/// Reflectance of thin cirrus in the blue from which the ground does not count as visible.
const THIN_CIRRUS: f32 = 0.01;

/// True when neither cloud, cloud shadow nor thin cirrus stand before the ground. Haze never hides it.
#[inline]
pub(crate) fn through(w: &SkyAt) -> bool {
    w.opacity < VEIL && w.shadow < VEIL && w.cirrus < THIN_CIRRUS
}

/// A set of pixels of the pass raster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PixelSet {
    words: Vec<u64>,
}

impl PixelSet {
    /// The pixels with `true`.
    pub(crate) fn new(pixels: impl Iterator<Item = bool>) -> PixelSet {
        let mut set = PixelSet::default();
        for (p, inside) in pixels.enumerate() {
            if p % 64 == 0 {
                set.words.push(0);
            }
            if inside && let Some(last) = set.words.last_mut() {
                *last |= 1 << (p % 64);
            }
        }
        set
    }

    /// True for a pixel of the set.
    #[inline]
    pub(crate) fn contains(&self, pixel: usize) -> bool {
        self.words.get(pixel / 64).is_some_and(|word| word >> (pixel % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_given() {
        let inside = |p: usize| p.is_multiple_of(7) || p == 130;
        let set = PixelSet::new((0..131).map(inside));
        assert!((0..200).all(|p| set.contains(p) == (p < 131 && inside(p))));
    }

    #[test]
    fn cloud_shadow_and_cirrus_hide_the_ground_but_haze_does_not() {
        let clear = SkyAt { haze: 0.01, tops: 1.0, ..SkyAt::default() };
        assert!(through(&clear));
        assert!(!through(&SkyAt { opacity: 0.05, ..clear }));
        assert!(!through(&SkyAt { shadow: 0.05, ..clear }));
        assert!(!through(&SkyAt { cirrus: 0.02, ..clear }));
    }
}
