//! The picture of one pass: reflectance through weather, gaps and noise, as digital numbers.

use crate::calendar::Pass;
use crate::clouds::{CIRRUS_SEEN, OPAQUE, Sky, SkyAt, dilate3};
use crate::cover::Cover;
use crate::noise;
use crate::place::Raster;
use crate::qa::{self, QA_FILL, Verdict};
use crate::slc::{Gaps, SCAN_DIP};
use crate::spectra::{self, CIRRUS, CLOUD, HAZE, SHADOW, Season, Spectrum};
use crate::sun::Sun;
use crate::visible;
use crate::world::World;

/// Collection 2 scaling: reflectance = DN · MULT + ADD.
pub(crate) const MULT: f64 = 2.75e-5;
/// See [`MULT`].
pub(crate) const ADD: f64 = -0.2;

/// Digital number of a reflectance; 0 is fill and never returned.
#[inline]
pub(crate) fn dn(rho: f32) -> u16 {
    ((f64::from(rho) - ADD) / MULT).round().clamp(1.0, 65_535.0) as u16
}

/// All pixels of one pass (both rows together).
pub(crate) struct Picture {
    /// Surface reflectance, in the order of `Platform::sr_bands`.
    pub(crate) bands: Vec<Vec<u16>>,
    /// QA_PIXEL.
    pub(crate) qa: Vec<u16>,
    /// QA_RADSAT.
    pub(crate) radsat: Vec<u16>,
    /// Pixels where the ground was truly seen: scanned, and nothing stood before it.
    pub(crate) visible: Vec<bool>,
    /// Pixels really under cloud or shadow, and how many of them the QA leaves unmasked.
    pub(crate) obscured: usize,
    /// See `obscured`.
    pub(crate) unmasked: usize,
}

/// What all passes share.
pub(crate) struct Stage<'a> {
    pub(crate) seed: u64,
    pub(crate) world: &'a World,
    pub(crate) raster: &'a Raster,
    pub(crate) cover: &'a Cover,
    /// Pixels of open water.
    pub(crate) water: &'a [bool],
}

/// Renders a pass. Equal inputs give equal pixels.
pub(crate) fn render(stage: &Stage, pass: &Pass, sun: &Sun) -> Picture {
    let seed = pass.seed(stage.seed);
    let season = Season::new(stage.seed, pass.day);
    let spectra = spectra::table(stage.world.surfaces(), stage.seed, pass.day);
    let sky = Sky::new(seed, &season, sun, stage.raster);
    let (width, height) = (stage.raster.width, stage.raster.height);
    let n = width * height;
    let year = u16::try_from(pass.day.year()).unwrap_or(0);
    let oli = pass.platform.is_oli();

    let weather: Vec<SkyAt> = (0..n).map(|p| sky.at(p % width, p / width)).collect();
    let cloud: Vec<bool> = weather.iter().map(|w| w.opacity >= OPAQUE && !w.overlooked).collect();
    let ring = dilate3(&cloud, width);

    let swath = SwathEdge::new(seed, stage.raster);
    let gaps = pass.slc_off().then(|| Gaps::new(seed));
    let camera = Camera::new(seed, oli, pass.platform.sr_bands());
    let limits: Vec<f32> =
        pass.platform.sr_bands().iter().map(|&b| qa::saturates_at(pass.platform, b)).collect();
    let mut picture = Picture {
        bands: vec![vec![0; n]; limits.len()],
        qa: vec![QA_FILL; n],
        radsat: vec![0; n],
        visible: vec![false; n],
        obscured: 0,
        unmasked: 0,
    };
    for p in 0..n {
        let (col, row) = (p % width, p / width);
        let across = col as f64 / width as f64;
        if !swath.contains(col, row) || gaps.is_some_and(|g| g.contains(col, row, across)) {
            continue;
        }
        let weather = weather[p];
        picture.visible[p] = visible::through(&weather);
        let rho = through_air(stage.cover.reflectance(p, &spectra, year), weather);
        // Noise belongs to the ground pixel: overlapping rows of one pass are equal.
        let values = camera.expose(&rho, noise::noise8(seed ^ 0x6e6f, p as i64, 0));
        for (k, limit) in limits.iter().enumerate() {
            picture.bands[k][p] = dn(values[k]);
            if values[k] > *limit {
                picture.radsat[p] |= qa::saturation_bit(pass.platform.sr_bands()[k]);
            }
        }
        let dark = weather.shadow >= OPAQUE && weather.opacity < OPAQUE;
        let verdict = Verdict {
            cloud: cloud[p],
            dilated: ring[p] && !cloud[p],
            shadow: dark && !weather.overlooked,
            cirrus: oli && weather.cirrus >= CIRRUS_SEEN,
            water: stage.water[p],
        };
        picture.qa[p] = qa::word(oli, verdict);
        if weather.opacity >= OPAQUE || dark {
            picture.obscured += 1;
            picture.unmasked += usize::from(picture.qa[p] & 31 == 0);
        }
    }
    picture
}

/// Surface reflectance as seen through shadow, haze, cirrus and cloud.
#[inline]
fn through_air(mut rho: Spectrum, w: SkyAt) -> Spectrum {
    let tops = w.tops * (0.75 + 0.25 * w.opacity);
    for k in 0..8 {
        let lit = rho[k] * (1.0 - w.shadow * (1.0 - SHADOW[k]));
        let veiled = lit + w.haze * HAZE[k] + w.cirrus * CIRRUS[k] * (1.0 - lit);
        rho[k] = veiled + w.opacity * (CLOUD[k] * tops - veiled);
    }
    rho
}

/// Sensor bands, calibration and noise of one pass.
struct Camera {
    oli: bool,
    /// Standard deviation of the noise, reflectance.
    noise: f32,
    /// Calibration error of each band, around 1.
    gain: [f32; 8],
    bands: usize,
}

impl Camera {
    fn new(seed: u64, oli: bool, bands: &[u8]) -> Camera {
        let gain = std::array::from_fn(|k| (1.0 + 0.003 * noise::signed(seed, 51, k as i64)) as f32);
        Camera { oli, noise: if oli { 0.0008 } else { 0.0012 }, gain, bands: bands.len() }
    }

    /// The sensor's own bands in file order.
    #[inline]
    fn expose(&self, rho: &Spectrum, noise: [f32; 8]) -> [f32; 8] {
        let mut out = [0.0; 8];
        let first = usize::from(self.oli);
        if self.oli {
            // Coastal aerosol: like blue, a little darker over land.
            out[0] = 0.88 * rho[0] + 0.003;
        }
        out[first..self.bands].copy_from_slice(&rho[..self.bands - first]);
        for k in 0..self.bands {
            out[k] = out[k] * self.gain[k] + self.noise * noise[k];
        }
        out
    }
}

/// The eastern edge of the swath; it cuts the south-eastern corner of the margin, a little further in
/// or out from pass to pass.
struct SwathEdge {
    /// Column of the edge on row 0.
    at_top: f64,
    /// Columns to the west per row.
    slant: f64,
}

impl SwathEdge {
    fn new(seed: u64, raster: &Raster) -> SwathEdge {
        let slant = 0.212;
        let (width, height) = (raster.width as f64, raster.height as f64);
        let drift = noise::signed(seed, 61, 0) * 0.03 * width;
        SwathEdge { at_top: width * 0.97 + slant * height * 0.95 + drift, slant }
    }

    #[inline]
    fn contains(&self, col: usize, row: usize) -> bool {
        (col as f64) < self.at_top - self.slant * row as f64
    }
}

/// Where one row of a pass ends: a line that dips to the east like the scan lines.
pub(crate) struct RowEdge {
    /// Raster row at column 0.
    start: f64,
}

impl RowEdge {
    /// A row edge through raster row `centre` at the middle of the raster.
    pub(crate) fn new(centre: f64, width: usize) -> RowEdge {
        RowEdge { start: centre - SCAN_DIP * width as f64 / 2.0 }
    }

    /// True when a pixel lies north of the edge.
    #[inline]
    pub(crate) fn north_of(&self, col: usize, row: usize) -> bool {
        (row as f64) < self.start + SCAN_DIP * col as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SynthConfig;

    #[test]
    fn scaling_follows_collection_2() {
        assert_eq!(dn(0.199_987_5), 14_545);
        assert_eq!(dn(0.000_007_5), 7273);
        assert_eq!((dn(-1.0), dn(9.0)), (1, 65_535));
    }

    struct Bench {
        config: SynthConfig,
        world: World,
        raster: Raster,
        cover: Cover,
        water: Vec<bool>,
    }

    impl Bench {
        fn new(size_px: usize) -> Bench {
            let config = SynthConfig { size_px, ..SynthConfig::default() };
            let raster = Raster::pass(size_px).unwrap();
            let world = World::new(config.seed, size_px as f64 * 20.0 + 1000.0);
            let cover = Cover::new(&world, &raster).unwrap();
            let water = (0..raster.len()).map(|p| cover.is_water(&world, p)).collect();
            Bench { config, world, raster, cover, water }
        }

        fn render(&self, pass: &Pass) -> Picture {
            let stage = Stage {
                seed: self.config.seed,
                world: &self.world,
                raster: &self.raster,
                cover: &self.cover,
                water: &self.water,
            };
            let sun = crate::scene::sun_of(pass, crate::scene::scene_time(pass, self.config.seed, 0));
            render(&stage, pass, &sun)
        }
    }

    /// Over the whole calendar: the share of clouded and shadowed pixels that no mask bit covers, the share
    /// lost to SLC-off gaps, and the words written.
    #[test]
    fn masks_and_gaps_have_the_documented_shares() {
        let bench = Bench::new(160);
        let swath_only = |seed| {
            let edge = SwathEdge::new(seed, &bench.raster);
            (0..bench.raster.len())
                .filter(|p| edge.contains(p % bench.raster.width, p / bench.raster.width))
                .count()
        };
        let (mut obscured, mut unmasked, mut gaps, mut scanned) = (0, 0, 0, 0);
        for pass in crate::calendar::passes(&bench.config).iter().step_by(2) {
            let picture = bench.render(pass);
            obscured += picture.obscured;
            unmasked += picture.unmasked;
            let words = qa::valid_words(pass.platform);
            assert!(picture.qa.iter().all(|w| words.contains(w)), "{pass:?}");
            let observed = picture.qa.iter().filter(|&&w| w != QA_FILL).count();
            for band in &picture.bands {
                assert!(band.iter().zip(&picture.qa).all(|(&v, &w)| (v == 0) == (w == QA_FILL)));
            }
            let swath = swath_only(pass.seed(bench.config.seed));
            if pass.slc_off() {
                gaps += swath - observed;
                scanned += swath;
            } else {
                assert_eq!(observed, swath);
            }
        }
        let share = unmasked as f64 / obscured as f64;
        println!("unmasked {share:.4}");
        assert!((0.015..0.04).contains(&share), "unmasked {share}");
        let share = gaps as f64 / scanned as f64;
        assert!((0.20..0.24).contains(&share), "gaps {share}");
    }

    #[test]
    fn clear_pixels_are_close_to_the_ideal_reflectance() {
        let bench = Bench::new(96);
        for pass in crate::calendar::passes(&bench.config).iter().step_by(25) {
            let picture = bench.render(pass);
            let spectra = spectra::table(bench.world.surfaces(), bench.config.seed, pass.day);
            let year = u16::try_from(pass.day.year()).unwrap();
            let clear = if pass.platform.is_oli() { 21_824 } else { 5440 };
            let first = usize::from(pass.platform.is_oli());
            let (mut sum, mut n) = ([0.0_f64; 6], 0);
            for p in (0..bench.raster.len()).filter(|&p| picture.qa[p] == clear) {
                let ideal = bench.cover.reflectance(p, &spectra, year);
                for k in 0..6 {
                    let rho = f64::from(picture.bands[k + first][p]) * MULT + ADD;
                    sum[k] += rho - f64::from(ideal[k]);
                }
                n += 1;
            }
            if n > 2000 {
                assert!(sum.iter().all(|s| (s / f64::from(n)).abs() < 0.03), "{pass:?} {sum:?} {n}");
            }
        }
    }
}
