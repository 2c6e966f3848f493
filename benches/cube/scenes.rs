//! Synthetic stacks: one GeoTIFF a date with six reflectances and Fmask, listed in a manifest. Land in patches with
//! seasons and noise, cloud in fields of 32 × 32 pixels; all from a seed. How far the noise lets pixels compress is
//! printed by the bench: real rough land takes 1.65 bytes a value (docs/store-layout.md).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gdal::DriverManager;
use gdal::raster::{Buffer, RasterCreationOptions};
use rayon::prelude::*;
use tesela_grid::{CrsName, GridDef};
use tesela_model::Instant;

use crate::Fallible;

/// Reflectances, then Fmask.
pub const BANDS: [&str; 7] = ["blue", "green", "red", "nir", "swir1", "swir2", "fmask"];
/// Days from one date to the next, from 1984-03-01 on: 690 of them end in 2021.
const STEP_DAYS: i64 = 20;
const FIRST_DAY: i64 = 5_173;
/// The first of one year, 1985, and its days.
const YEAR_FIRST_DAY: i64 = 5_479;
const YEAR_DAYS: i64 = 365;
/// Side of a patch of land and of a field of cloud, pixels.
const PATCH: usize = 16;
const FIELD: usize = 32;
/// Stored reflectance varies by this much from pixel to pixel.
const NOISE: u32 = 255;
const CLOUD: i16 = 4;

/// Pixel sums that the reader must find: the control of every figure.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub side: usize,
    seed: u32,
    step_days: i64,
    first_day: i64,
}

impl World {
    pub fn new(side: usize, seed: u32) -> Self {
        Self { side, seed, step_days: STEP_DAYS, first_day: FIRST_DAY }
    }

    /// The same land, seen on so many dates from 1985-01-01 on, all of that year: every eight days of 46.
    pub fn of_one_year(self, dates: usize) -> Self {
        let step_days = (YEAR_DAYS - 1) / (dates.max(2) as i64 - 1);
        Self { step_days, first_day: YEAR_FIRST_DAY, ..self }
    }

    fn noise(&self, a: usize, b: usize, c: usize) -> u32 {
        let mut z = (a as u32).wrapping_mul(0x9e37_79b9) ^ (b as u32).wrapping_mul(0x85eb_ca6b);
        z = (z ^ (c as u32).wrapping_mul(0xc2b2_ae35) ^ self.seed).wrapping_mul(0x27d4_eb2f);
        z = (z ^ (z >> 15)).wrapping_mul(0x2c1b_3c6d);
        z ^ (z >> 13)
    }

    /// Whether a pixel is under cloud on a date: from no field to nine in ten.
    pub fn is_cloudy(&self, date: usize, y: usize, x: usize) -> bool {
        let share = self.noise(date, 1, 1) % 90;
        self.noise(date, 1000 + y / FIELD, x / FIELD) % 100 < share
    }

    /// Stored reflectance.
    pub fn value(&self, band: usize, date: usize, y: usize, x: usize) -> i16 {
        let noise = (self.noise(date * 7 + band, y, x) % (NOISE + 1)) as i16;
        if self.is_cloudy(date, y, x) {
            return 5000 + noise;
        }
        let land = 400 + 300 * band as i16 + (self.noise(7, y / PATCH, x / PATCH) % 900) as i16;
        let season = 200.0 * ((date as f64 * self.step_days as f64) / 365.25 * std::f64::consts::TAU).sin();
        land + season as i16 + noise
    }

    fn plane(&self, band: usize, date: usize) -> Vec<i16> {
        let at = |i: usize| (i / self.side, i % self.side);
        let one = |i: usize| {
            let (y, x) = at(i);
            match band {
                6 if self.is_cloudy(date, y, x) => CLOUD,
                6 => 0,
                _ => self.value(band, date, y, x),
            }
        };
        (0..self.side * self.side).map(one).collect()
    }

    /// Writes the dates as GeoTIFFs whose upper left corner is given, on the grid's own pixels; the manifest.
    pub fn write(
        &self,
        folder: &Path,
        grid: &GridDef,
        corner: (f64, f64),
        dates: usize,
    ) -> Fallible<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let wkt = tesela_crs::crs_info(&CrsName::new(grid.crs.as_str()))?.wkt2.clone();
        (0..dates).into_par_iter().try_for_each(|date| -> Fallible<()> {
            let options = RasterCreationOptions::from_iter(["INTERLEAVE=BAND"]);
            let driver = DriverManager::get_driver_by_name("GTiff")?;
            let path = folder.join(format!("d{date}.tif"));
            let mut file = driver.create_with_band_type_with_options::<i16, _>(
                path,
                self.side,
                self.side,
                BANDS.len(),
                &options,
            )?;
            file.set_projection(&wkt)?;
            file.set_geo_transform(&[corner.0, grid.resolution, 0.0, corner.1, 0.0, -grid.resolution])?;
            for band in 0..BANDS.len() {
                let mut buffer = Buffer::new((self.side, self.side), self.plane(band, date));
                file.rasterband(band + 1)?.write((0, 0), (self.side, self.side), &mut buffer)?;
            }
            Ok(())
        })?;
        let mut text = String::from("path,datetime,platform");
        BANDS.iter().for_each(|b| text.push_str(&format!(",band.{b}")));
        for date in 0..dates {
            let day = Instant((self.first_day + self.step_days * date as i64) * 86_400).date();
            let platform = match day.year() {
                ..=2011 => "landsat-5",
                2012 => "landsat-7",
                _ => "landsat-8",
            };
            write!(text, "\nd{date}.tif,{day},{platform},1,2,3,4,5,6,7")?;
        }
        let manifest = folder.join("scenes.csv");
        std::fs::write(&manifest, text)?;
        Ok(manifest)
    }
}
