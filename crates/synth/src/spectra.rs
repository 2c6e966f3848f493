//! Surface spectra and how they change through the year.
//!
//! Reflectances are fractions, in the order blue, green, red, nir, swir1, swir2.

use jiff::civil::Date;

use crate::calendar::{day_of_year, epoch_day};
use crate::noise;

/// Reflectance in six bands, padded to eight lanes.
pub(crate) type Spectrum = [f32; 8];

const fn s(v: [f32; 6]) -> Spectrum {
    [v[0], v[1], v[2], v[3], v[4], v[5], 0.0, 0.0]
}

pub(crate) const RIVER_DRY: Spectrum = s([0.058, 0.078, 0.070, 0.048, 0.028, 0.020]);
pub(crate) const RIVER_WET: Spectrum = s([0.076, 0.108, 0.118, 0.082, 0.034, 0.024]);
pub(crate) const LAGOON: Spectrum = s([0.050, 0.064, 0.048, 0.032, 0.021, 0.016]);
pub(crate) const FOREST_WET: Spectrum = s([0.022, 0.045, 0.028, 0.340, 0.150, 0.060]);
pub(crate) const FOREST_DRY: Spectrum = s([0.034, 0.057, 0.054, 0.245, 0.200, 0.105]);
pub(crate) const PASTURE_WET: Spectrum = s([0.034, 0.070, 0.050, 0.330, 0.210, 0.100]);
pub(crate) const PASTURE_DRY: Spectrum = s([0.066, 0.096, 0.116, 0.216, 0.310, 0.205]);
pub(crate) const SAND: Spectrum = s([0.115, 0.155, 0.190, 0.245, 0.320, 0.275]);
pub(crate) const SOIL: Spectrum = s([0.082, 0.117, 0.152, 0.222, 0.305, 0.255]);
pub(crate) const CROP: Spectrum = s([0.028, 0.062, 0.032, 0.440, 0.190, 0.075]);
pub(crate) const STUBBLE: Spectrum = s([0.076, 0.112, 0.138, 0.235, 0.315, 0.215]);
pub(crate) const TRACK: Spectrum = s([0.078, 0.108, 0.130, 0.225, 0.285, 0.215]);
pub(crate) const ASPHALT: Spectrum = s([0.096, 0.111, 0.123, 0.150, 0.172, 0.163]);
pub(crate) const CONCRETE: Spectrum = s([0.142, 0.168, 0.186, 0.226, 0.248, 0.218]);
pub(crate) const SHEET_METAL: Spectrum = s([0.205, 0.225, 0.238, 0.270, 0.285, 0.255]);
pub(crate) const OLD_ROOF: Spectrum = s([0.098, 0.124, 0.160, 0.205, 0.235, 0.205]);
pub(crate) const CLOUD: Spectrum = s([0.66, 0.66, 0.67, 0.70, 0.53, 0.43]);
/// Share of light left in deep cloud shadow: sky light is blue.
pub(crate) const SHADOW: Spectrum = s([0.66, 0.56, 0.50, 0.40, 0.36, 0.36]);
/// Path reflectance of aerosol left by the atmospheric correction, relative to blue.
pub(crate) const HAZE: Spectrum = s([1.0, 0.72, 0.55, 0.30, 0.12, 0.07]);
/// Reflectance added by thin cirrus, relative to blue.
pub(crate) const CIRRUS: Spectrum = s([1.0, 1.0, 1.0, 1.0, 0.75, 0.6]);
/// How the second texture acts on each band (fraction per unit).
pub(crate) const TILT: Spectrum = s([-0.5, -0.3, -0.6, 1.0, -0.4, -0.8]);

/// `a + t·(b − a)`, lane by lane.
#[inline]
pub(crate) fn blend(a: &Spectrum, b: &Spectrum, t: f64) -> Spectrum {
    let t = t as f32;
    std::array::from_fn(|k| a[k] + t * (b[k] - a[k]))
}

/// `a` times a factor.
#[inline]
pub(crate) fn scale(a: &Spectrum, factor: f64) -> Spectrum {
    a.map(|v| v * factor as f32)
}

/// Season and weather of one day, shared by all surfaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Season {
    /// Seed of the world (not of the pass: surfaces do not know the satellite).
    pub(crate) seed: u64,
    /// Calendar year.
    pub(crate) year: i64,
    /// Day of the year from 1.
    pub(crate) doy: f64,
    /// How green natural vegetation is, 0 (end of the dry season) to 1.
    pub(crate) green: f64,
    /// How wet the ground is, 0 to 1 (rains from May to October).
    pub(crate) wet: f64,
}

/// Logistic rise from 0 to 1 around `centre`.
#[inline]
fn rise(t: f64, centre: f64, width: f64) -> f64 {
    1.0 / (1.0 + (-(t - centre) / width).exp())
}

/// Rainfall anomaly of a year, -1 (drought) to 1.
fn rain(seed: u64, year: i64) -> f64 {
    noise::signed(seed ^ 0x7261_696e, year, 0)
}

impl Season {
    pub(crate) fn new(seed: u64, day: Date) -> Season {
        let year = i64::from(day.year());
        let doy = day_of_year(day) as f64;
        let anomaly = rain(seed, year);
        let onset = 142.0 - 8.0 * anomaly;
        let green = rise(doy, onset + 14.0, 11.0) * (1.0 - rise(doy, 335.0 + 8.0 * anomaly, 17.0))
            + (1.0 - rise(doy + 365.0, 335.0 + 8.0 * rain(seed, year - 1), 17.0));
        let wet = rise(doy, onset, 9.0) * (1.0 - rise(doy, 305.0, 10.0));
        Season { seed, year, doy, green: (green * (0.95 + 0.05 * anomaly)).clamp(0.0, 1.0), wet }
    }

    /// Small variation of a surface from year to year, about ±`amount`.
    fn yearly(&self, id: u64, amount: f64) -> f64 {
        1.0 + amount * noise::signed(self.seed ^ id, self.year, 0x79)
    }
}

/// What a surface is made of. Reflectance depends on the day through [`Surface::spectrum`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surface {
    /// Turbid running water.
    River,
    /// Still water.
    Lagoon,
    /// Semi-deciduous forest.
    Forest,
    /// Sand around the lagoon.
    Sand,
    /// Dirt track between parcels.
    Track,
    /// Paved street under a few trees.
    Street,
    /// Trees and lawn in the town, watered.
    Park,
    /// Grassland parcel.
    Pasture(Parcel),
    /// Ploughed or eroded land without vegetation.
    BareSoil(Parcel),
    /// One crop a year, with the rains.
    RainFed(Parcel),
    /// Two crops a year.
    Irrigated(Parcel),
    /// A built town block.
    Built {
        /// Shares of concrete, sheet metal, old roofs, bare yards; they add up to 1.
        mix: [f32; 4],
        /// Share of trees, taken from the whole.
        trees: f32,
    },
}

/// What tells one parcel from another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parcel {
    /// Hash of the parcel.
    pub(crate) id: u64,
    /// Shift of its calendar, days.
    pub(crate) shift: f32,
    /// Brightness of its soil, around 1.
    pub(crate) soil: f32,
    /// Crop cover at the peak, 0 to 1.
    pub(crate) peak: f32,
}

impl Parcel {
    fn fallow(&self, season: &Season, year: i64, share: f64) -> bool {
        noise::uniform(season.seed ^ self.id, year, 0x66) < share
    }

    fn ground(&self, season: &Season, stubble: f64) -> Spectrum {
        let soil = scale(&SOIL, f64::from(self.soil) * (1.0 - 0.16 * season.wet));
        blend(&soil, &STUBBLE, stubble)
    }

    /// Crop cover of one season sown on day `sown` (in days of `season`'s year).
    fn cover(&self, season: &Season, sown: f64, length: f64) -> f64 {
        let t = season.doy - sown - f64::from(self.shift);
        f64::from(self.peak) * rise(t, 30.0, 7.5) * (1.0 - rise(t, length, 7.5))
    }
}

/// Trees of the town, some of them watered.
fn tree(season: &Season) -> Spectrum {
    blend(&FOREST_DRY, &FOREST_WET, 0.5 + 0.5 * season.green)
}

impl Surface {
    /// Reflectance on a day, before texture.
    pub(crate) fn spectrum(&self, season: &Season) -> Spectrum {
        match self {
            Surface::River => scale(&blend(&RIVER_DRY, &RIVER_WET, season.wet), season.yearly(1, 0.04)),
            Surface::Lagoon => scale(&LAGOON, (1.0 + 0.08 * season.wet) * season.yearly(2, 0.03)),
            Surface::Forest => scale(&blend(&FOREST_DRY, &FOREST_WET, season.green), season.yearly(3, 0.015)),
            Surface::Sand => scale(&SAND, 1.0 - 0.10 * season.wet),
            Surface::Track => {
                scale(&blend(&TRACK, &PASTURE_WET, 0.25 * season.green), 1.0 - 0.08 * season.wet)
            }
            Surface::Street => blend(&scale(&ASPHALT, 1.0 - 0.03 * season.wet), &tree(season), 0.12),
            Surface::Park => blend(&PASTURE_WET, &FOREST_WET, 0.5 + 0.1 * season.green),
            Surface::Pasture(parcel) => {
                let green = season.green * (0.82 + 0.18 * f64::from(parcel.peak));
                let spectrum = blend(&PASTURE_DRY, &PASTURE_WET, green);
                scale(&spectrum, f64::from(parcel.soil).sqrt() * season.yearly(parcel.id, 0.02))
            }
            Surface::BareSoil(parcel) => {
                blend(&parcel.ground(season, 0.0), &PASTURE_DRY, 0.10 + 0.06 * season.green)
            }
            Surface::RainFed(parcel) => {
                let anomaly = rain(season.seed, season.year);
                if parcel.fallow(season, season.year, 0.10) {
                    return blend(&parcel.ground(season, 0.4), &PASTURE_WET, 0.45 * season.green);
                }
                let sown = 150.0 - 8.0 * anomaly;
                let cover = parcel.cover(season, sown, 122.0) * (0.94 + 0.06 * anomaly);
                let harvested = season.doy - sown - f64::from(parcel.shift) - 122.0;
                let stubble = if harvested > 0.0 { 0.25 + 0.55 * (-harvested / 70.0).exp() } else { 0.25 };
                let stubble = if season.doy > sown - 30.0 && harvested < 0.0 { 0.05 } else { stubble };
                blend(&parcel.ground(season, stubble), &CROP, cover)
            }
            Surface::Irrigated(parcel) => {
                // The winter crop is sown in November of the year before.
                let winter = if parcel.fallow(season, season.year, 0.06) {
                    0.0
                } else {
                    parcel.cover(season, -46.0, 118.0)
                };
                let next = if parcel.fallow(season, season.year + 1, 0.06) {
                    0.0
                } else {
                    parcel.cover(season, 319.0, 118.0)
                };
                let summer = if parcel.fallow(season, -season.year, 0.06) {
                    0.0
                } else {
                    parcel.cover(season, 112.0, 120.0)
                };
                let cover = winter.max(next).max(summer);
                blend(&parcel.ground(season, 0.15), &CROP, cover)
            }
            Surface::Built { mix, trees } => {
                let parts = [&CONCRETE, &SHEET_METAL, &OLD_ROOF, &SOIL];
                let roofs: Spectrum =
                    std::array::from_fn(|k| parts.iter().zip(mix).map(|(part, share)| part[k] * share).sum());
                blend(&roofs, &tree(season), f64::from(*trees))
            }
        }
    }

    /// Land class code of the truth rasters; see [`LAND_CLASSES`].
    pub(crate) fn class(&self) -> u8 {
        match self {
            Surface::River => 1,
            Surface::Lagoon => 2,
            Surface::Forest => 3,
            Surface::Pasture(_) | Surface::Track => 4,
            Surface::RainFed(_) => 5,
            Surface::Irrigated(_) => 6,
            Surface::BareSoil(_) | Surface::Sand => 7,
            Surface::Street | Surface::Park | Surface::Built { .. } => 8,
        }
    }

    /// True for open water.
    pub(crate) fn is_water(&self) -> bool {
        matches!(self, Surface::River | Surface::Lagoon)
    }
}

/// Land class codes and names of `truth/landclass_<year>.tif`.
pub const LAND_CLASSES: [(u8, &str); 8] = [
    (1, "river"),
    (2, "lagoon"),
    (3, "forest"),
    (4, "pasture"),
    (5, "cropland_rainfed"),
    (6, "cropland_irrigated"),
    (7, "bare_soil"),
    (8, "urban"),
];

/// Spectra of all surfaces on one day.
pub(crate) fn table(surfaces: &[Surface], seed: u64, day: Date) -> Vec<Spectrum> {
    let season = Season::new(seed, day);
    debug_assert!(epoch_day(day) > 0);
    surfaces.iter().map(|surface| surface.spectrum(&season)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn ndvi(surface: &Surface, day: Date) -> f64 {
        let rho = surface.spectrum(&Season::new(5, day));
        f64::from((rho[3] - rho[2]) / (rho[3] + rho[2]))
    }

    #[test]
    fn seasons_of_vegetation() {
        let parcel = Parcel { id: 5, shift: 0.0, soil: 1.0, peak: 0.9 };
        let (april, august) = (date(2015, 4, 10), date(2015, 8, 15));
        assert!(ndvi(&Surface::Forest, august) > 0.75 && ndvi(&Surface::Forest, april) > 0.5);
        assert!(ndvi(&Surface::Pasture(parcel), april) < 0.4);
        assert!(ndvi(&Surface::Pasture(parcel), august) > 0.65);
        let irrigated = Surface::Irrigated(Parcel { id: 9, ..parcel });
        let peaks = (1..=365)
            .map(|d| ndvi(&irrigated, date(2015, 1, 1) + jiff::Span::new().days(d - 1)))
            .collect::<Vec<_>>();
        assert!(peaks[20] > 0.6 && peaks[105] < 0.4 && peaks[190] > 0.6 && peaks[280] < 0.4);
    }

    #[test]
    fn water_is_dark_and_negative_in_ndvi() {
        assert!(ndvi(&Surface::Lagoon, date(2001, 2, 1)) < 0.0);
        assert!(ndvi(&Surface::River, date(2001, 9, 1)) < 0.0);
    }
}
