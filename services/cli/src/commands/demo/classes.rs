//! Urban and cropland classes against the synthetic truth, with the chain of states and without it.

use std::path::Path;

use gdal::Dataset;
use serde::Serialize;
use tesela_compute::Cube;
use tesela_grid::{BoundingBox, PixelWindow};
use tesela_index::GenerationRow;

use super::score::inset;
use crate::failure::Failure;

/// Truth classes 5 and 6: rain-fed and irrigated cropland.
const CROPLAND: [u16; 2] = [5, 6];

/// First urban years against the years in which at least half of a pixel was built.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct UrbanScore {
    /// Pixels built in truth.
    pub built_pixels: usize,
    /// Of those, the share whose first urban year is at most one off. Before the first year counts as the first.
    pub within_one_year: f64,
    /// F1 of the class in the last year.
    pub last_year_f1: f64,
    /// The same by the rule alone, without the chain.
    pub rule_within_one_year: f64,
    /// The same by the rule alone.
    pub rule_last_year_f1: f64,
}

/// Cropland of every agricultural year against the land classes of the year it ends in.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CroplandScore {
    /// Agricultural years compared.
    pub years: usize,
    /// F1 over all years and pixels.
    pub f1: f64,
    /// The same by the rule alone, without the chain.
    pub rule_f1: f64,
}

/// Right and wrong pixels of one class.
#[derive(Default)]
struct Counts {
    both: usize,
    said: usize,
    is: usize,
}

impl Counts {
    fn add(&mut self, said: bool, is: bool) {
        self.both += usize::from(said && is);
        self.said += usize::from(said);
        self.is += usize::from(is);
    }

    fn f1(&self) -> f64 {
        2.0 * self.both as f64 / ((self.said + self.is).max(1) as f64)
    }
}

/// Scores `urban_annual`; `None` when the cube has none.
pub fn urban(cube: &Cube, truth: &Path) -> Result<Option<UrbanScore>, Failure> {
    let rasters = rasters(cube, "urban_annual")?;
    let (Some(first), Some(last)) = (rasters.first(), rasters.last()) else { return Ok(None) };
    let (window, built) = read(cube, "urban_annual", &truth.join("change_year.tif"))?;
    let first_year = first.period.start.year() as f32;
    let year_of = |v: f32| if v > 0.0 { Some(v.max(first_year)) } else { None };
    let (mut chain, mut rule) = (Counts::default(), Counts::default());
    let class = bands(cube, last, &window, &["class", "evidence", "change_year"])?;
    let mut rule_year = vec![0.0f32; built.len()];
    for raster in &rasters {
        let said = &bands(cube, raster, &window, &["evidence"])?[0];
        let year = raster.period.start.year() as f32;
        for (first, said) in rule_year.iter_mut().zip(said) {
            if *first == 0.0 && *said == 1.0 {
                *first = year;
            }
        }
    }
    let (mut near, mut rule_near, mut pixels) = (0usize, 0usize, 0usize);
    let last_year = last.period.start.year() as f32;
    for (i, truth) in built.iter().enumerate() {
        let truth = year_of(f32::from(*truth)).filter(|y| *y <= last_year);
        chain.add(class[0][i] == 1.0, truth.is_some());
        rule.add(class[1][i] == 1.0, truth.is_some());
        let Some(truth) = truth else { continue };
        pixels += 1;
        let is_near = |said: f32| year_of(said).is_some_and(|said| (said - truth).abs() <= 1.0);
        near += usize::from(is_near(class[2][i]));
        rule_near += usize::from(is_near(rule_year[i]));
    }
    let share = |n: usize| n as f64 / pixels.max(1) as f64;
    Ok(Some(UrbanScore {
        built_pixels: pixels,
        within_one_year: share(near),
        last_year_f1: chain.f1(),
        rule_within_one_year: share(rule_near),
        rule_last_year_f1: rule.f1(),
    }))
}

/// Scores `cropland_annual`; `None` when the cube has none.
pub fn cropland(cube: &Cube, truth: &Path) -> Result<Option<CroplandScore>, Failure> {
    let (mut chain, mut rule) = (Counts::default(), Counts::default());
    let mut years = 0;
    for raster in rasters(cube, "cropland_annual")? {
        // October to September: most of it lies in the year it ends in.
        let path = truth.join(format!("landclass_{}.tif", raster.period.start.year() + 1));
        if !path.is_file() {
            continue;
        }
        let (window, classes) = read(cube, "cropland_annual", &path)?;
        let said = bands(cube, &raster, &window, &["class", "evidence"])?;
        for (i, class) in classes.iter().enumerate() {
            let is = CROPLAND.contains(class);
            chain.add(said[0][i] == 1.0, is);
            rule.add(said[1][i] == 1.0, is);
        }
        years += 1;
    }
    Ok((years > 0).then(|| CroplandScore { years, f1: chain.f1(), rule_f1: rule.f1() }))
}

fn rasters(cube: &Cube, product: &str) -> Result<Vec<GenerationRow>, Failure> {
    let catalog = cube.fresh_catalog()?;
    if !catalog.products.contains_key(product) {
        return Ok(Vec::new());
    }
    Ok(cube.index().generations(product, catalog.snapshot)?)
}

/// Physical values of some bands in a window.
fn bands(
    cube: &Cube,
    raster: &GenerationRow,
    window: &PixelWindow,
    names: &[&str],
) -> Result<Vec<Vec<f32>>, Failure> {
    let catalog = cube.catalog()?;
    let all = catalog.product(&raster.product)?.band_names();
    let mut values = cube.stored_window(&raster.product, &raster.period, window)?;
    let take = |name: &&str| {
        let at = all.iter().position(|n| n == name);
        at.map(|i| std::mem::take(&mut values[i]))
            .ok_or_else(|| Failure::Message(format!("{} has no band {name}", raster.product)))
    };
    names.iter().map(take).collect()
}

/// A truth raster of whole numbers, and its window on the product's grid.
fn read(cube: &Cube, product: &str, path: &Path) -> Result<(PixelWindow, Vec<u16>), Failure> {
    let wrong = |e: gdal::errors::GdalError| Failure::Message(format!("{}: {e}", path.display()));
    let dataset = Dataset::open(path).map_err(wrong)?;
    let t = dataset.geo_transform().map_err(wrong)?;
    let (w, h) = dataset.raster_size();
    let bounds = BoundingBox::new(t[0], t[3] + t[5] * h as f64, t[0] + t[1] * w as f64, t[3]);
    let values = dataset.rasterband(1).map_err(wrong)?.read_as::<u16>((0, 0), (w, h), (w, h), None);
    let grid = cube.catalog()?.product(product)?.grid.clone();
    let window = grid.window_covering(&inset(bounds, grid.resolution));
    let values = values.map_err(wrong)?.data().to_vec();
    if values.len() == window.len() {
        Ok((window, values))
    } else {
        Err(Failure::Message(format!(
            "{}: {} pixels, the cube's window has {}",
            path.display(),
            values.len(),
            window.len()
        )))
    }
}
