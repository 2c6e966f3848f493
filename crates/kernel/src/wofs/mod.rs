//! Water observations from space: the decision tree, its flags and the summary over time.
//!
//! Each observation becomes one byte: 0 dry, 128 wet, anything else is not a clear observation. Thresholds were
//! trained on nadir- and terrain-corrected reflectance of Australia; dark shadows pass for water where no
//! terrain mask is given.
//!
//! # Source
//! Mueller et al. (2016), RSE 174; tree and flags as in GeoscienceAustralia's `wofs` (Apache-2.0), the summary
//! as in odc-stats.

mod summary;
#[cfg(test)]
mod tests;
mod tree;

pub use summary::{NODATA_COUNT, WofsError, WofsSummary, summarise};
pub use tree::is_water;

/// No observation; stands alone.
pub const NODATA: u8 = 1;
/// Some bands are missing.
pub const NON_CONTIGUOUS: u8 = 2;
/// The sun is lower than 10°.
pub const LOW_SUN: u8 = 4;
/// In the shadow of the terrain.
pub const TERRAIN_SHADOW: u8 = 8;
/// On a slope steeper than 12°.
pub const STEEP: u8 = 16;
/// In, or within [`SHADOW_RADIUS`] of, a cloud's shadow.
pub const CLOUD_SHADOW: u8 = 32;
/// Cloud, cirrus or the ring around them.
pub const CLOUD: u8 = 64;
/// Water.
pub const WATER: u8 = 128;

/// Cloud shadows are grown by the disk of this radius, pixels (37 pixels), with
/// [`crate::morphology::Disk`].
pub const SHADOW_RADIUS: f64 = 3.5;

/// Bits of Collection 2 `QA_PIXEL`: fill; dilated cloud, cirrus, cloud; cloud shadow.
const QA_FILL: u16 = 1;
const QA_CLOUD: u16 = 0b1110;
const QA_SHADOW: u16 = 1 << 4;

/// Whether a Collection 2 `QA_PIXEL` word says cloud shadow: the mask to grow by [`SHADOW_RADIUS`].
pub fn is_shadow_c2(qa: u16) -> bool {
    qa & QA_SHADOW != 0
}

/// One Landsat Collection 2 observation as a byte of flags.
///
/// `numbers` are the stored surface reflectances of blue, green, red, nir, swir1, swir2 (0 missing), `qa` the
/// `QA_PIXEL` word, `near_shadow` whether the pixel lies in the grown shadow, `terrain` any of [`LOW_SUN`],
/// [`TERRAIN_SHADOW`] and [`STEEP`]. [`NODATA`] if every band is missing or the word says fill; a pixel with
/// some bands missing is [`NON_CONTIGUOUS`] and not classified.
pub fn observe_c2(numbers: [u16; 6], qa: u16, near_shadow: bool, terrain: u8) -> u8 {
    if qa & QA_FILL != 0 || numbers == [0; 6] {
        return NODATA;
    }
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let incomplete = numbers.contains(&0);
    let spectrum = numbers.map(|number| (f64::from(number) * 2.75e-5 - 0.2) * 1e4);
    flag(incomplete, NON_CONTIGUOUS)
        | terrain & (LOW_SUN | TERRAIN_SHADOW | STEEP)
        | flag(near_shadow || is_shadow_c2(qa), CLOUD_SHADOW)
        | flag(qa & QA_CLOUD != 0, CLOUD)
        | flag(!incomplete && is_water(spectrum), WATER)
}
