//! What a perfect cube would hold: rasters on the cube grid, without clouds, gaps, haze and noise.

use std::ops::RangeInclusive;
use std::path::Path;

use gdal::raster::GdalType;
use rayon::prelude::*;

use crate::SynthError;
use crate::calendar::{Pass, Tier};
use crate::cover::Cover;
use crate::geomedian::{Point, geometric_median};
use crate::place::Raster;
use crate::render::{ADD, MULT};
use crate::spectra::{LAND_CLASSES, Spectrum, table};
use crate::tiff::{self, Band};
use crate::world::World;

/// Names of the six truth bands, in order.
pub const TRUTH_BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// `truth/README.md`.
const README: &str = include_str!("truth.md");

/// Where truth goes and what it is made from.
pub(crate) struct Truth<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) world: &'a World,
    /// Static attributes of the pixels of `raster`.
    pub(crate) cover: &'a Cover,
    /// The cube window.
    pub(crate) raster: &'a Raster,
    /// CRS of the cube.
    pub(crate) wkt: &'a str,
    pub(crate) seed: u64,
}

impl Truth<'_> {
    /// Writes the truth of all years.
    pub(crate) fn write(&self, years: RangeInclusive<i32>, passes: &[Pass]) -> Result<(), SynthError> {
        std::fs::create_dir_all(self.dir).map_err(SynthError::io(self.dir))?;
        let readme = self.dir.join("README.md");
        std::fs::write(&readme, README).map_err(SynthError::io(&readme))?;
        let change = (0..self.raster.len()).map(|p| self.cover.change_year(p)).collect();
        self.save("change_year.tif", None, &[], vec![Band { data: change, name: "change_year" }])?;
        let years: Vec<i32> = years.collect();
        years.par_iter().try_for_each(|&year| {
            let of_year = |pass: &&Pass| i32::from(pass.day.year()) == year && pass.tier == Tier::T1;
            let days: Vec<Vec<Spectrum>> = passes
                .iter()
                .filter(of_year)
                .map(|pass| table(self.world.surfaces(), self.seed, pass.day))
                .collect();
            let year = u16::try_from(year).unwrap_or(0);
            self.write_landclass(year)?;
            self.write_spectra(year, &days)
        })
    }

    fn save<T: GdalType + Copy>(
        &self,
        name: &str,
        nodata: Option<f64>,
        metadata: &[(&str, &str)],
        bands: Vec<Band<'_, T>>,
    ) -> Result<(), SynthError> {
        tiff::write(&self.dir.join(name), self.raster, self.wkt, nodata, metadata, bands)
    }

    fn write_landclass(&self, year: u16) -> Result<(), SynthError> {
        let classes = (0..self.raster.len()).map(|p| self.cover.land_class(self.world, p, year)).collect();
        let keys: Vec<(String, &str)> =
            LAND_CLASSES.iter().map(|(code, name)| (format!("CLASS_{code}"), *name)).collect();
        let metadata: Vec<(&str, &str)> = keys.iter().map(|(key, name)| (key.as_str(), *name)).collect();
        let band: Band<'_, u8> = Band { data: classes, name: "landclass" };
        self.save(&format!("landclass_{year}.tif"), Some(0.0), &metadata, vec![band])
    }

    fn write_spectra(&self, year: u16, days: &[Vec<Spectrum>]) -> Result<(), SynthError> {
        let n = self.raster.len();
        let mut bands = vec![vec![0_u16; n]; 6];
        let mut ndvi = vec![f32::NAN; n];
        let mut observations: Vec<Point> = Vec::with_capacity(days.len());
        for p in 0..n {
            observations.clear();
            observations.extend(days.iter().map(|spectra| {
                let rho = self.cover.reflectance(p, spectra, year);
                std::array::from_fn::<f64, 6, _>(|k| f64::from(rho[k]))
            }));
            let Some(median) = geometric_median(&observations) else { continue };
            for (band, rho) in bands.iter_mut().zip(median) {
                band[p] = ((rho - ADD) / MULT).round().clamp(1.0, 65_535.0) as u16;
            }
            ndvi[p] = ((median[3] - median[2]) / (median[3] + median[2])) as f32;
        }
        let count = days.len().to_string();
        let metadata = [("ACQUISITIONS", count.as_str()), ("SCALE", "2.75e-05"), ("OFFSET", "-0.2")];
        let bands = bands.into_iter().zip(TRUTH_BANDS).map(|(data, name)| Band { data, name }).collect();
        self.save(&format!("geomedian_{year}.tif"), Some(0.0), &metadata, bands)?;
        let band = Band { data: ndvi, name: "ndvi" };
        self.save(&format!("ndvi_{year}.tif"), Some(f64::NAN), &metadata[..1], vec![band])
    }
}
