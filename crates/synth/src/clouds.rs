//! Clouds, their shadows, thin cirrus and haze of one pass.
//!
//! Fields live on a grid of 60 m over the pass raster (every second pixel) and are interpolated.

use crate::noise::{self, fbm, smoothstep, value_noise};
use crate::place::Raster;
use crate::spectra::Season;
use crate::sun::Sun;

/// Pixels per field cell.
const STEP: usize = 2;
/// Field cells around the raster, so that shadows of clouds outside fall into it.
const APRON: usize = 36;
/// Opacity or darkness from which a pixel counts as cloud or shadow.
pub(crate) const OPAQUE: f32 = 0.25;
/// Reflectance of cirrus from which a cirrus band detects it.
pub(crate) const CIRRUS_SEEN: f32 = 0.012;
/// Share of cloud and shadow cells that the cloud masking algorithm overlooks. The ring of dilated
/// cloud around the rest hides some of them.
const OVERLOOKED: f64 = 0.055;

/// The weather over one pass.
pub(crate) struct Sky {
    width: usize,
    /// Cloud opacity, 0 to 1.
    opacity: Vec<f32>,
    /// Depth of cloud shadow, 0 to 1.
    shadow: Vec<f32>,
    /// Reflectance added by cirrus in the blue.
    cirrus: Vec<f32>,
    /// Reflectance that haze adds in the blue, or that its correction took too much.
    haze: Vec<f32>,
    /// Brightness of the cloud tops around 1.
    tops: Vec<f32>,
    /// Cells that the cloud mask misses.
    overlooked: Vec<f32>,
}

/// The weather at one pixel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SkyAt {
    pub(crate) opacity: f32,
    pub(crate) shadow: f32,
    pub(crate) cirrus: f32,
    pub(crate) haze: f32,
    pub(crate) tops: f32,
    pub(crate) overlooked: bool,
}

/// Share of the area under cloud on one day: wet season 40–90 %, dry season 10–46 %, some days clear,
/// some overcast.
fn cloud_share(seed: u64, wet: f64) -> f64 {
    let (kind, amount) = (noise::uniform(seed, 11, 0), noise::uniform(seed, 12, 0));
    let clear = 0.18 - 0.14 * wet;
    let overcast = 0.015 + 0.06 * wet;
    if kind < clear {
        0.03 * amount * amount
    } else if kind > 1.0 - overcast {
        0.97 + 0.03 * amount
    } else {
        let (low, high) = (0.10 + 0.30 * wet, 0.46 + 0.44 * wet);
        low + (high - low) * amount
    }
}

impl Sky {
    /// The weather of a pass over `raster`.
    pub(crate) fn new(pass_seed: u64, season: &Season, sun: &Sun, raster: &Raster) -> Sky {
        let (width, height) = (raster.width / STEP + 2, raster.height / STEP + 2);
        let cell = STEP as f64 * 30.0;
        let metres = |i: usize, j: usize| (raster.west + i as f64 * cell, raster.north - j as f64 * cell);
        // Cloud field on the grid and its apron.
        let (wide, tall) = (width + 2 * APRON, height + 2 * APRON);
        let scale = 1600.0 + 2600.0 * noise::uniform(pass_seed, 21, 0);
        let cloud_seed = noise::mix(pass_seed ^ 0x636c_6f75);
        let mut field = Vec::with_capacity(wide * tall);
        for j in 0..tall {
            for i in 0..wide {
                let x = raster.west + (i as f64 - APRON as f64) * cell;
                let y = raster.north - (j as f64 - APRON as f64) * cell;
                field.push(fbm(cloud_seed, x / scale, y / scale, 5) as f32);
            }
        }
        let share = cloud_share(pass_seed, season.wet);
        let threshold = f64::from(upper_quantile(&field, share));
        let soft = 0.08;
        let opacity_of = |f: f32| {
            (smoothstep(threshold - 0.33 * soft, threshold + 0.67 * soft, f64::from(f)) * 0.97) as f32
        };
        let wide_opacity: Vec<f32> = field.iter().map(|&f| opacity_of(f)).collect();
        // A shadow lies away from the sun; look from the ground towards it.
        let base_m = 600.0 + 900.0 * noise::uniform(pass_seed, 22, 0);
        let reach = base_m / sun.elevation_deg.to_radians().tan();
        let azimuth = sun.azimuth_deg.to_radians();
        let limit = APRON as f64 - 1.0;
        let shift_x = (reach * azimuth.sin() / cell).round().clamp(-limit, limit) as i64;
        let shift_y = (-reach * azimuth.cos() / cell).round().clamp(-limit, limit) as i64;

        let n = width * height;
        let mut sky = Sky {
            width,
            opacity: Vec::with_capacity(n),
            shadow: Vec::with_capacity(n),
            cirrus: Vec::with_capacity(n),
            haze: Vec::with_capacity(n),
            tops: Vec::with_capacity(n),
            overlooked: Vec::with_capacity(n),
        };
        let has_cirrus = noise::uniform(pass_seed, 23, 0) < 0.08;
        // Left by a correction that takes off a little too little, or too much.
        let haze_level = 0.0004 + 0.001 * noise::signed(pass_seed, 24, 0);
        let mut miss = Vec::with_capacity(n);
        for j in 0..height {
            for i in 0..width {
                let (x, y) = metres(i, j);
                let at = |dx: i64, dy: i64| {
                    let (i, j) = ((i + APRON) as i64 + dx, (j + APRON) as i64 + dy);
                    wide_opacity[j as usize * wide + i as usize]
                };
                sky.opacity.push(at(0, 0));
                sky.shadow.push(at(shift_x, shift_y));
                sky.cirrus.push(if has_cirrus {
                    let streak = fbm(pass_seed ^ 31, (x + 0.4 * y) / 5200.0, (y - 0.3 * x) / 1700.0, 3);
                    (0.05 * smoothstep(0.02, 0.9, streak)) as f32
                } else {
                    0.0
                });
                let haze = 1.0 + 0.5 * value_noise(pass_seed ^ 32, x / 9000.0, y / 9000.0);
                sky.haze.push((haze_level * haze) as f32);
                sky.tops.push((1.0 + 0.22 * value_noise(pass_seed ^ 33, x / 330.0, y / 330.0)) as f32);
                miss.push(value_noise(pass_seed ^ 34, x / 550.0, y / 550.0) as f32);
            }
        }
        let bad = |k: usize| sky.opacity[k] >= OPAQUE || sky.shadow[k] >= OPAQUE;
        let of_bad: Vec<f32> = (0..n).filter(|&k| bad(k)).map(|k| miss[k]).collect();
        let threshold = upper_quantile(&of_bad, OVERLOOKED);
        sky.overlooked = miss.iter().map(|&m| if m > threshold { 1.0 } else { 0.0 }).collect();
        sky
    }

    /// The weather at a pixel of the raster.
    #[inline]
    pub(crate) fn at(&self, col: usize, row: usize) -> SkyAt {
        let k = row / STEP * self.width + col / STEP;
        let (tx, ty) = ((col % STEP) as f32 / STEP as f32 + 0.25, (row % STEP) as f32 / STEP as f32 + 0.25);
        let lerp = |v: &[f32]| {
            let low = v[k] + tx * (v[k + 1] - v[k]);
            let high = v[k + self.width] + tx * (v[k + self.width + 1] - v[k + self.width]);
            low + ty * (high - low)
        };
        SkyAt {
            opacity: lerp(&self.opacity),
            shadow: lerp(&self.shadow),
            cirrus: lerp(&self.cirrus),
            haze: lerp(&self.haze),
            tops: lerp(&self.tops),
            overlooked: lerp(&self.overlooked) > 0.5,
        }
    }
}

/// The value that a share of the values exceed; infinite for an empty share.
fn upper_quantile(values: &[f32], share: f64) -> f32 {
    let above = (values.len() as f64 * share) as usize;
    if above == 0 {
        return f32::INFINITY;
    }
    if above >= values.len() {
        return f32::NEG_INFINITY;
    }
    let mut sorted = values.to_vec();
    let split = values.len() - above;
    *sorted.select_nth_unstable_by(split, f32::total_cmp).1
}

/// Marks every pixel within three pixels (Euclidean) of a marked one.
pub(crate) fn dilate3(mask: &[bool], width: usize) -> Vec<bool> {
    const FAR: u8 = 4;
    let height = mask.len() / width;
    // Distance along the row to the nearest marked pixel, at most FAR.
    let mut along = vec![FAR; mask.len()];
    for row in 0..height {
        let line = row * width..(row + 1) * width;
        let mut distance = FAR;
        for k in line.clone() {
            distance = if mask[k] { 0 } else { (distance + 1).min(FAR) };
            along[k] = distance;
        }
        distance = FAR;
        for k in line.rev() {
            distance = if mask[k] { 0 } else { (distance + 1).min(FAR) };
            along[k] = along[k].min(distance);
        }
    }
    // Largest distance along a row `dy` away that is still within three pixels.
    const REACH: [u8; 4] = [3, 2, 2, 0];
    let mut out = vec![false; mask.len()];
    for row in 0..height {
        for (dy, reach) in REACH.iter().enumerate() {
            for other in [row.checked_sub(dy), Some(row + dy).filter(|&r| r < height)].into_iter().flatten() {
                for col in 0..width {
                    out[row * width + col] |= along[other * width + col] <= *reach;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dilation_of_one_pixel_is_the_disk_of_29() {
        let mut mask = vec![false; 11 * 9];
        mask[4 * 11 + 5] = true;
        assert_eq!(dilate3(&mask, 11).iter().filter(|&&m| m).count(), 29);
        assert!(dilate3(&[false; 20], 5).iter().all(|&m| !m));
    }

    #[test]
    fn cloud_shares_follow_the_season() {
        let mean = |wet| (0..2000).map(|k| cloud_share(noise::mix(k), wet)).sum::<f64>() / 2000.0;
        assert!((0.18..0.32).contains(&mean(0.0)), "{}", mean(0.0));
        assert!((0.55..0.72).contains(&mean(1.0)), "{}", mean(1.0));
    }

    #[test]
    fn quantiles_at_the_ends() {
        let v = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(upper_quantile(&v, 0.0), f32::INFINITY);
        assert_eq!(upper_quantile(&v, 1.0), f32::NEG_INFINITY);
        assert_eq!(upper_quantile(&v, 0.5), 3.0);
    }
}
