//! Estimate against the synthetic truth, and a control that ignores the masks.
//!
//! Truth is the geometric median of the noise-free ground over the passes on which it was truly visible, pixel by
//! pixel, by the generator's own knowledge (`truth/README.md` of the archive). So the error holds what the software
//! and the masks do (commission, omission, resampling, arithmetic, noise), not which dates had clouds.

use std::path::Path;

use gdal::Dataset;
use serde::Serialize;
use tesela_compute::Cube;
use tesela_compute::recipe::shipped;
use tesela_grid::{BoundingBox, PixelWindow};
use tesela_model::Progress;

use super::classes::{self, CroplandScore, UrbanScore};
use crate::failure::Failure;

/// One Collection 2 DN as reflectance.
const DN: f64 = 2.75e-5;
const ZONES: &str = "manzanas@demo";

/// Errors against the truth.
#[derive(Debug, Serialize)]
pub struct Score {
    /// Years compared.
    years: usize,
    /// Pixels compared, over all years and bands.
    values: usize,
    /// Median absolute error of the geomedian, Collection 2 DN.
    geomedian_median_error_dn: f64,
    /// Mean absolute error of the mean NDVI of a block.
    block_ndvi_mean_error: f64,
    /// The same of a geomedian that ignores the masks.
    control_geomedian_median_error_dn: f64,
    /// The same of a geomedian that ignores the masks.
    control_block_ndvi_mean_error: f64,
    /// Control over estimate, geomedian.
    control_ratio: f64,
    /// Control over estimate, block NDVI.
    control_ndvi_ratio: f64,
    /// Median absolute error of the geomedian against that of every pass as if cloud-free: what clouds, gaps and
    /// the swath took from the archive, not what the software did. Not part of the bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    all_passes_geomedian_median_error_dn: Option<f64>,
    /// The same for the mean NDVI of a block.
    #[serde(skip_serializing_if = "Option::is_none")]
    all_passes_block_ndvi_mean_error: Option<f64>,
    /// Urban classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    urban: Option<UrbanScore>,
    /// Cropland classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    cropland: Option<CroplandScore>,
    /// Error ≤ 100 DN, block NDVI error ≤ 0.01, control at least five times worse in both; first urban year within one
    /// for 90 % of built pixels, F1 of cropland 0.85.
    pub passed: bool,
}

impl Score {
    /// For people.
    pub fn words(&self) -> String {
        let sampling = match (
            self.all_passes_geomedian_median_error_dn,
            self.all_passes_block_ndvi_mean_error,
        ) {
            (Some(dn), Some(ndvi)) => format!(
                "\nagainst every pass as if cloud-free: {dn:.1} DN, {ndvi:.4}: the archive's sampling, not the software"
            ),
            _ => String::new(),
        };
        format!(
            "score over {} years: geomedian median error {:.1} DN (bar 100), block NDVI error {:.4} (bar 0.01)\n\
             control without masks: {:.1} DN ({:.1}x worse), {:.4} ({:.1}x worse; bar 5x): {}{sampling}",
            self.years,
            self.geomedian_median_error_dn,
            self.block_ndvi_mean_error,
            self.control_geomedian_median_error_dn,
            self.control_ratio,
            self.control_block_ndvi_mean_error,
            self.control_ndvi_ratio,
            if self.passed { "passed" } else { "FAILED" }
        ) + &self.classes()
    }
}

impl Score {
    fn classes(&self) -> String {
        let mut text = String::new();
        if let Some(u) = &self.urban {
            text += &format!(
                "\nurban: first year within one for {:.1} % of {} built pixels (bar 90), F1 of the last year {:.3}\n\
                 rule alone, without the chain: {:.1} %, F1 {:.3}",
                100.0 * u.within_one_year,
                u.built_pixels,
                u.last_year_f1,
                100.0 * u.rule_within_one_year,
                u.rule_last_year_f1
            );
        }
        if let Some(c) = &self.cropland {
            text += &format!(
                "\ncropland: F1 {:.3} over {} agricultural years (bar 0.85); rule alone, without the chain: {:.3}",
                c.f1, c.years, c.rule_f1
            );
        }
        text
    }
}

#[derive(Default)]
struct Errors {
    reflectance_dn: Vec<f32>,
    ndvi_sum: f64,
    ndvi_blocks: usize,
}

/// Compares every year of the demo cube with the truth beside its archive.
pub fn score(cube: &Cube, archive: &Path, progress: &dyn Progress) -> Result<Score, Failure> {
    let truth = archive.join("truth");
    let recipe = shipped("geomedian_annual")?;
    let mut unmasked = recipe.clone();
    unmasked.mask = "none".into();
    let catalog = cube.fresh_catalog()?;
    let grid = catalog.product("geomedian_annual")?.grid.clone();
    let generations = cube.index().generations("geomedian_annual", catalog.snapshot)?;
    progress.begin("score", generations.len() as u64, "years");
    let (mut estimate, mut control, mut sampling) = (Errors::default(), Errors::default(), Errors::default());
    let mut years = 0;
    for g in &generations {
        let year = g.period.label();
        let path = truth.join(format!("geomedian_{year}.tif"));
        if !path.is_file() {
            continue;
        }
        let (bounds, bands) = read_truth(&path)?;
        let all_passes = truth.join(format!("geomedian_all_passes_{year}.tif"));
        let window = grid.window_covering(&inset(bounds, grid.resolution));
        let made = cube.stored_window("geomedian_annual", &g.period, &window)?;
        let bare = cube.evaluate(&unmasked, &g.period, &window)?;
        add(cube, &mut estimate, &bands, &made, &window)?;
        add(cube, &mut control, &bands, &bare, &window)?;
        if all_passes.is_file() {
            let (_, bands) = read_truth(&all_passes)?;
            add(cube, &mut sampling, &bands, &made, &window)?;
        }
        years += 1;
        progress.advance(1);
    }
    progress.end();
    if years == 0 {
        return Err(Failure::Message(format!("no truth found in {}", truth.display())));
    }
    let values = estimate.reflectance_dn.len();
    let (e, c) = (median(&mut estimate.reflectance_dn), median(&mut control.reflectance_dn));
    let ndvi = |x: &Errors| x.ndvi_sum / (x.ndvi_blocks.max(1) as f64);
    let (en, cn) = (ndvi(&estimate), ndvi(&control));
    let (ratio, ndvi_ratio) = (c / e.max(1e-9), cn / en.max(1e-12));
    let (urban, cropland) = (classes::urban(cube, &truth)?, classes::cropland(cube, &truth)?);
    let classes_pass =
        urban.is_none_or(|u| u.within_one_year >= 0.9) && cropland.is_none_or(|c| c.f1 >= 0.85);
    let sampled = !sampling.reflectance_dn.is_empty();
    Ok(Score {
        years,
        values,
        geomedian_median_error_dn: e,
        block_ndvi_mean_error: en,
        control_geomedian_median_error_dn: c,
        control_block_ndvi_mean_error: cn,
        control_ratio: ratio,
        control_ndvi_ratio: ndvi_ratio,
        all_passes_geomedian_median_error_dn: sampled.then(|| median(&mut sampling.reflectance_dn)),
        all_passes_block_ndvi_mean_error: sampled.then(|| ndvi(&sampling)),
        passed: e <= 100.0 && en <= 0.01 && ratio >= 5.0 && ndvi_ratio >= 5.0 && classes_pass,
        urban,
        cropland,
    })
}

/// Reflectance by band, physical.
type Bands = Vec<Vec<f32>>;

fn read_truth(path: &Path) -> Result<(BoundingBox, Bands), Failure> {
    let wrong = |e: gdal::errors::GdalError| Failure::Message(format!("{}: {e}", path.display()));
    let dataset = Dataset::open(path).map_err(wrong)?;
    let t = dataset.geo_transform().map_err(wrong)?;
    let (w, h) = dataset.raster_size();
    let bounds = BoundingBox::new(t[0], t[3] + t[5] * h as f64, t[0] + t[1] * w as f64, t[3]);
    let bands = (1..=6)
        .map(|b| {
            let band = dataset.rasterband(b).map_err(wrong)?;
            let values = band.read_as::<f32>((0, 0), (w, h), (w, h), None).map_err(wrong)?;
            let physical = |v: &f32| if *v == 0.0 { f32::NAN } else { (f64::from(*v) * DN - 0.2) as f32 };
            Ok(values.data().iter().map(physical).collect())
        })
        .collect::<Result<_, Failure>>()?;
    Ok((bounds, bands))
}

/// A hair inside, so that rounding adds no pixel.
pub(super) fn inset(b: BoundingBox, resolution: f64) -> BoundingBox {
    let d = resolution * 1e-3;
    BoundingBox::new(b.x_min + d, b.y_min + d, b.x_max - d, b.y_max - d)
}

fn add(
    cube: &Cube,
    errors: &mut Errors,
    truth: &Bands,
    made: &Bands,
    window: &PixelWindow,
) -> Result<(), Failure> {
    for (t, m) in truth.iter().zip(made) {
        if t.len() != m.len() {
            return Err(Failure::Message(format!(
                "truth has {} pixels, the cube's window {}",
                t.len(),
                m.len()
            )));
        }
        let both = t.iter().zip(m).filter(|(t, m)| !t.is_nan() && !m.is_nan());
        errors.reflectance_dn.extend(both.map(|(t, m)| (f64::from((t - m).abs()) / DN) as f32));
    }
    let ndvi = |b: &Bands| -> Vec<f32> {
        b[3].iter()
            .zip(&b[2])
            .map(|(n, r)| if (n + r).abs() < 1e-6 { f32::NAN } else { (n - r) / (n + r) })
            .collect()
    };
    let is = cube.zone_means(ZONES, "geomedian_annual", window, &ndvi(made))?;
    let should = cube.zone_means(ZONES, "geomedian_annual", window, &ndvi(truth))?;
    for (i, s) in is.iter().zip(&should) {
        if let (Some(i), Some(s)) = (i, s) {
            errors.ndvi_sum += (i - s).abs();
            errors.ndvi_blocks += 1;
        }
    }
    Ok(())
}

fn median(values: &mut [f32]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let middle = values.len() / 2;
    let (_, m, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    f64::from(*m)
}
