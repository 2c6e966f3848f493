//! One product folder: cut from the picture of its pass and written in the USGS layout.

use std::path::Path;

use jiff::civil::{Date, date};

use crate::SynthError;
use crate::calendar::{Pass, Platform, epoch_day};
use crate::mtl::{self, Mtl, SceneFacts};
use crate::noise;
use crate::place::{self, CORNER_LON_LAT, EPSG_SCENES, Raster, WRS_PATH, WRS_ROWS};
use crate::qa::QA_FILL;
use crate::render::{Picture, RowEdge};
use crate::slc::SCAN_DIP;
use crate::sun::{Sun, sun};
use crate::tiff::{self, Band};
use crate::visible::PixelSet;

/// Seconds between the centres of two WRS-2 rows.
const ROW_INTERVAL_S: f64 = 23.9;

/// The part of the pass raster that one WRS-2 row covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Index into [`WRS_ROWS`].
    pub(crate) row: usize,
    /// First line of the pass raster.
    first: usize,
    /// Lines.
    height: usize,
    /// Line of the pass raster where this row's edge crosses the middle, before drift.
    edge: f64,
    /// Largest drift of the edge between passes, lines.
    drift: f64,
}

impl Cut {
    /// The cuts of both rows: they overlap by a fifth of the pass, and each raster reaches as far as
    /// its slanted edge.
    pub(crate) fn both(raster: &Raster) -> [Cut; 2] {
        let height = raster.height as f64;
        let drift = 0.02 * height;
        let slack = SCAN_DIP * raster.width as f64 / 2.0 + drift + 2.0;
        let (north_edge, south_edge) = (0.40 * height, 0.60 * height);
        let end = ((south_edge + slack).ceil() as usize).min(raster.height);
        let start = (north_edge - slack).max(0.0).floor() as usize;
        [
            Cut { row: 0, first: 0, height: end, edge: south_edge, drift },
            Cut { row: 1, first: start, height: raster.height - start, edge: north_edge, drift },
        ]
    }
}

/// Seconds of the UTC day at the centre of a scene.
pub(crate) fn scene_time(pass: &Pass, seed: u64, row: usize) -> f64 {
    let minute = match pass.platform {
        Platform::Landsat5 => 10.0 - 0.3 * f64::from(2011 - pass.day.year()),
        Platform::Landsat7 if pass.day.year() > 2017 => -5.0 - 9.0 * f64::from(pass.day.year() - 2017),
        Platform::Landsat7 => 24.0,
        Platform::Landsat8 | Platform::Landsat9 => 31.0,
    };
    let jitter = 55.0 * noise::signed(pass.seed(seed), 71, 0);
    16.0 * 3600.0 + minute * 60.0 + jitter + ROW_INTERVAL_S * row as f64
}

/// The sun over the area during a pass.
pub(crate) fn sun_of(pass: &Pass, utc_s: f64) -> Sun {
    sun(pass.day, utc_s, CORNER_LON_LAT.0, CORNER_LON_LAT.1)
}

/// `L2SP`, but one scene (the northern row of the first Landsat 8 pass of 2014) has no surface temperature.
pub(crate) fn level(first_of_2014: bool, row: usize) -> &'static str {
    if first_of_2014 && row == 0 { "L2SR" } else { "L2SP" }
}

/// When a scene was (re)processed: the archive up to mid 2020 in the Collection 2 campaign of 2020, later
/// scenes some weeks after acquisition.
fn processed(pass: &Pass, seed: u64) -> Date {
    let late = (noise::uniform(pass.seed(seed), 72, 0) * 40.0) as i64;
    let campaign = date(2020, 8, 5);
    let (base, days) = if pass.day < date(2020, 8, 1) {
        (campaign, late)
    } else if pass.platform == Platform::Landsat9 && pass.day < date(2023, 4, 1) {
        (date(2023, 4, 10), late / 4)
    } else {
        (pass.day, 14 + late / 4)
    };
    base.checked_add(jiff::Span::new().days(days)).unwrap_or(base)
}

/// Product id of a scene.
pub(crate) fn product_id(pass: &Pass, seed: u64, row: usize, level: &str) -> String {
    let compact = |d: Date| format!("{:04}{:02}{:02}", d.year(), d.month(), d.day());
    format!(
        "{}_{level}_{WRS_PATH:03}{:03}_{}_{}_02_{}",
        pass.platform.prefix(),
        WRS_ROWS[row],
        compact(pass.day),
        compact(processed(pass, seed)),
        mtl::tier(pass.tier)
    )
}

/// What all scenes of an archive share.
pub(crate) struct SceneWriter<'a> {
    pub(crate) seed: u64,
    /// Raster of the whole pass.
    pub(crate) raster: &'a Raster,
    /// CRS of the scenes.
    pub(crate) wkt: &'a str,
    /// Open water, on the pass raster.
    pub(crate) water: &'a [bool],
}

impl SceneWriter<'_> {
    /// Writes one scene into `dir/<product id>/`.
    pub(crate) fn write(
        &self,
        dir: &Path,
        pass: &Pass,
        cut: &Cut,
        picture: &Picture,
        level: &'static str,
    ) -> Result<(), SynthError> {
        let id = product_id(pass, self.seed, cut.row, level);
        let folder = dir.join(&id);
        std::fs::create_dir_all(&folder).map_err(SynthError::io(&folder))?;
        let raster = self.raster.rows(cut.first, cut.height);
        let inside = self.footprint(pass, cut);
        let crop = |full: &[u16], fill: u16| -> Vec<u16> {
            let from = cut.first * raster.width;
            let part = &full[from..from + raster.len()];
            part.iter().zip(&inside).map(|(&v, &seen)| if seen { v } else { fill }).collect()
        };
        let save = |suffix: &str, nodata: Option<f64>, data: Vec<u16>| {
            let path = folder.join(format!("{id}_{suffix}.TIF"));
            tiff::write(&path, &raster, self.wkt, nodata, &[], vec![Band { data, name: suffix }])
        };
        for (band, full) in pass.platform.sr_bands().iter().zip(&picture.bands) {
            save(&format!("SR_B{band}"), Some(0.0), crop(full, 0))?;
        }
        let qa = crop(&picture.qa, QA_FILL);
        let radsat = crop(&picture.radsat, 0);
        let utc_s = scene_time(pass, self.seed, cut.row);
        let water = &self.water[cut.first * raster.width..];
        let facts = SceneFacts {
            product_id: &id,
            level,
            pass,
            wrs_row: WRS_ROWS[cut.row],
            utc_s,
            processed: processed(pass, self.seed),
            sun: sun_of(pass, utc_s),
            raster: &raster,
            corners_lon_lat: corners(&raster)?,
            cloud_cover: cloud_per_cent(&qa, |_| true),
            cloud_cover_land: cloud_per_cent(&qa, |p| !water[p]),
            saturated: pass
                .platform
                .sr_bands()
                .iter()
                .map(|&band| radsat.iter().any(|w| w & crate::qa::saturation_bit(band) != 0))
                .collect(),
        };
        let mtl = Mtl::new(&facts);
        save("QA_PIXEL", Some(f64::from(QA_FILL)), qa)?;
        save("QA_RADSAT", None, radsat)?;
        for encoding in encodings(pass) {
            let text = match *encoding {
                "txt" => mtl.odl(),
                "xml" => mtl.xml(),
                _ => mtl.json(),
            };
            let path = folder.join(format!("{id}_MTL.{encoding}"));
            std::fs::write(&path, text).map_err(SynthError::io(&path))?;
        }
        Ok(())
    }

    /// Where the scenes of a pass, taken together, truly show the ground.
    pub(crate) fn ground_seen(&self, pass: &Pass, cuts: &[Cut], picture: &Picture) -> PixelSet {
        let mut seen = vec![false; self.raster.len()];
        for cut in cuts.iter().filter(|cut| pass.rows[cut.row]) {
            let from = cut.first * self.raster.width;
            for (p, inside) in self.footprint(pass, cut).into_iter().enumerate() {
                seen[from + p] |= inside && picture.visible[from + p];
            }
        }
        PixelSet::new(seen.into_iter())
    }

    /// Which pixels of the cut lie on this row's side of its edge.
    fn footprint(&self, pass: &Pass, cut: &Cut) -> Vec<bool> {
        let drift = cut.drift * noise::signed(pass.seed(self.seed), 73, cut.row as i64);
        let edge = RowEdge::new(cut.edge + drift, self.raster.width);
        let width = self.raster.width;
        (0..cut.height * width)
            .map(|p| edge.north_of(p % width, cut.first + p / width) == (cut.row == 0))
            .collect()
    }
}

/// Which metadata files a scene has: TM text only, ETM+ JSON, OLI JSON and text, and every eighth OLI pass
/// XML alone.
fn encodings(pass: &Pass) -> &'static [&'static str] {
    match pass.platform {
        Platform::Landsat5 => &["txt"],
        Platform::Landsat7 => &["json"],
        _ if (epoch_day(pass.day) / 8) % 8 == 0 => &["xml"],
        _ => &["json", "txt"],
    }
}

/// Longitude and latitude of the centres of the corner pixels: UL, UR, LL, LR.
fn corners(raster: &Raster) -> Result<[(f64, f64); 4], SynthError> {
    let (left, top) = (raster.west + 15.0, raster.north - 15.0);
    let right = left + (raster.width - 1) as f64 * place::PIXEL_M;
    let bottom = top - (raster.height - 1) as f64 * place::PIXEL_M;
    let mut x = [left, right, left, right];
    let mut y = [top, top, bottom, bottom];
    place::transform(EPSG_SCENES, 4326, &mut x, &mut y)?;
    Ok(std::array::from_fn(|k| (x[k], y[k])))
}

/// Per cent of cloud (QA bit 3) among the observed pixels that `counts` admits.
fn cloud_per_cent(qa: &[u16], counts: impl Fn(usize) -> bool) -> f64 {
    let (mut seen, mut cloud) = (0_usize, 0_usize);
    for (p, word) in qa.iter().enumerate() {
        if word & 1 == 0 && counts(p) {
            seen += 1;
            cloud += usize::from(word & 8 != 0);
        }
    }
    if seen == 0 { 0.0 } else { 100.0 * cloud as f64 / seen as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Tier;

    #[test]
    fn product_ids_look_like_real_ones() {
        let pass =
            Pass { platform: Platform::Landsat5, day: date(1998, 3, 8), tier: Tier::T1, rows: [true, true] };
        let id = product_id(&pass, 1, 1, "L2SP");
        assert!(id.starts_with("LT05_L2SP_022049_19980308_2020"), "{id}");
        assert!(id.ends_with("_02_T1") && id.len() == 40, "{id}");
    }

    #[test]
    fn rows_are_24_seconds_apart_in_the_morning() {
        for (platform, year) in
            [(Platform::Landsat5, 1994), (Platform::Landsat7, 2023), (Platform::Landsat9, 2024)]
        {
            let pass = Pass { platform, day: date(year, 5, 2), tier: Tier::T1, rows: [true, true] };
            let (a, b) = (scene_time(&pass, 3, 0), scene_time(&pass, 3, 1));
            assert!((b - a - ROW_INTERVAL_S).abs() < 1e-9);
            assert!((14.5 * 3600.0..17.0 * 3600.0).contains(&a), "{a}");
            assert!(sun_of(&pass, a).elevation_deg > 40.0);
        }
    }
}
