//! What a perfect cube would hold: rasters on the cube grid, without haze and noise, from the dates on which the
//! ground was visible. `truth.md` defines them.

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
use crate::visible::PixelSet;
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
    /// Passes of the archive.
    pub(crate) passes: &'a [Pass],
    /// Where each pass saw the ground, on its own raster.
    pub(crate) seen: &'a [PixelSet],
    /// For each pixel of `raster` the pixel of the pass raster that its centre lies in.
    pub(crate) nearest: &'a [u32],
}

/// One accepted pass of a year.
struct Date<'a> {
    spectra: Vec<Spectrum>,
    seen: &'a PixelSet,
}

impl Truth<'_> {
    /// Writes the truth of all years.
    pub(crate) fn write(&self, years: RangeInclusive<i32>) -> Result<(), SynthError> {
        std::fs::create_dir_all(self.dir).map_err(SynthError::io(self.dir))?;
        let readme = self.dir.join("README.md");
        std::fs::write(&readme, README).map_err(SynthError::io(&readme))?;
        let change = (0..self.raster.len()).map(|p| self.cover.change_year(p)).collect();
        self.save("change_year.tif", None, &[], vec![Band { data: change, name: "change_year" }])?;
        let years: Vec<i32> = years.collect();
        years.par_iter().try_for_each(|&year| {
            let dates = self.dates(year);
            let year = u16::try_from(year).unwrap_or(0);
            self.write_landclass(year)?;
            self.write_composites(year, &dates)
        })
    }

    /// The tier 1 passes of a year.
    fn dates(&self, year: i32) -> Vec<Date<'_>> {
        let of_year = |pass: &Pass| i32::from(pass.day.year()) == year && pass.tier == Tier::T1;
        let table = |pass: &Pass| table(self.world.surfaces(), self.seed, pass.day);
        let pairs = self.passes.iter().zip(self.seen).filter(|(pass, _)| of_year(pass));
        pairs.map(|(pass, seen)| Date { spectra: table(pass), seen }).collect()
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

    /// The composite of what was truly seen, its NDVI and number of dates, and the composite of all dates as
    /// if none had clouds or gaps.
    fn write_composites(&self, year: u16, dates: &[Date<'_>]) -> Result<(), SynthError> {
        let n = self.raster.len();
        let (mut ndvi, mut count) = (vec![f32::NAN; n], vec![0_u8; n]);
        let (mut seen, mut all) = (vec![vec![0_u16; n]; 6], vec![vec![0_u16; n]; 6]);
        let mut visible: Vec<Point> = Vec::with_capacity(dates.len());
        let mut every: Vec<Point> = Vec::with_capacity(dates.len());
        for p in 0..n {
            let at = self.nearest[p] as usize;
            visible.clear();
            every.clear();
            for date in dates {
                let rho = self.cover.reflectance(p, &date.spectra, year);
                let ideal: Point = std::array::from_fn(|k| f64::from(rho[k]));
                every.push(ideal);
                if date.seen.contains(at) {
                    visible.push(ideal);
                }
            }
            count[p] = u8::try_from(visible.len()).unwrap_or(u8::MAX);
            if let Some(median) = geometric_median(&visible) {
                put(&mut seen, p, &median);
                ndvi[p] = ((median[3] - median[2]) / (median[3] + median[2])) as f32;
            }
            if let Some(median) = geometric_median(&every) {
                put(&mut all, p, &median);
            }
        }
        self.save_spectra(&format!("geomedian_{year}.tif"), dates, seen)?;
        self.save_spectra(&format!("geomedian_all_passes_{year}.tif"), dates, all)?;
        let band = Band { data: ndvi, name: "ndvi" };
        self.save(&format!("ndvi_{year}.tif"), Some(f64::NAN), &[], vec![band])?;
        self.save(&format!("visible_{year}.tif"), None, &[], vec![Band { data: count, name: "visible" }])
    }

    fn save_spectra(&self, name: &str, dates: &[Date<'_>], bands: Vec<Vec<u16>>) -> Result<(), SynthError> {
        let count = dates.len().to_string();
        let metadata = [("ACQUISITIONS", count.as_str()), ("SCALE", "2.75e-05"), ("OFFSET", "-0.2")];
        let bands = bands.into_iter().zip(TRUTH_BANDS).map(|(data, name)| Band { data, name }).collect();
        self.save(name, Some(0.0), &metadata, bands)
    }
}

/// Writes a reflectance as digital numbers into pixel `p` of its bands.
fn put(bands: &mut [Vec<u16>], p: usize, rho: &Point) {
    for (band, rho) in bands.iter_mut().zip(rho) {
        band[p] = ((rho - ADD) / MULT).round().clamp(1.0, 65_535.0) as u16;
    }
}
