//! The scenes of one folder. A folder is usually one product; flat folders of many are told apart by file names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tesela_model::landsat::{Field, Platform, ProductId, SceneId, scene_key};

use super::bands::{band_after_prefix, band_by_ending, band_of_field, tiff_stem};
use super::listing::{Listing, MetadataGroup};
use super::mtl::{self, Layout, MtlError, MtlFacts};
use super::refusal::{RefusalReason, Refused};
use super::scene::{BandFile, LEVEL_SR, SceneSource, acquisition_instant};

/// Every scene of a folder, and what was refused there.
pub fn scenes(listing: &Listing) -> (Vec<SceneSource>, Vec<Refused>) {
    let groups = listing.metadata_groups();
    let alone = groups.len() == 1;
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for group in &groups {
        match scene(listing, group, alone) {
            Ok(scene) => found.push(scene),
            Err(refusal) => refused.push(refusal),
        }
    }
    (found, refused)
}

/// The scene of one product. `alone` says that no other product shares the folder, so that files whose names do
/// not begin with the product id may be taken by their ending.
pub fn scene(listing: &Listing, group: &MetadataGroup, alone: bool) -> Result<SceneSource, Refused> {
    let mut warnings = Vec::new();
    let mut first_error: Option<(PathBuf, MtlError)> = None;
    for name in &group.files {
        let file = listing.folder.join(name);
        match mtl::read(&file).and_then(|m| Ok((m.layout, m.facts()?))) {
            Ok((layout, facts)) => {
                if let Some((_, error)) = &first_error {
                    warnings.push(format!("{error}; {name} was read instead"));
                }
                let context = Context { listing, stem: &group.stem, alone, file: &file, layout };
                return context
                    .build(&facts, warnings)
                    .map_err(|reason| Refused { path: file.clone(), reason });
            }
            Err(error) => {
                first_error.get_or_insert((file, error));
            }
        }
    }
    Err(match first_error {
        Some((path, error)) => Refused { path, reason: error.into() },
        None => {
            let folder = listing.folder.display().to_string();
            Refused { path: listing.folder.clone(), reason: RefusalReason::NoMetadata { folder } }
        }
    })
}

/// What is known of a product besides the facts in its metadata.
struct Context<'a> {
    listing: &'a Listing,
    stem: &'a str,
    alone: bool,
    file: &'a Path,
    layout: Layout,
}

impl Context<'_> {
    fn build(&self, facts: &MtlFacts, mut warnings: Vec<String>) -> Result<SceneSource, RefusalReason> {
        let id = self.parsed_id(facts)?;
        let platform = self.platform(facts, id.as_ref())?;
        let product_id = self.product_id(facts);
        if self.layout == Layout::Collection2 && !is_level2(&facts.level) {
            return Err(RefusalReason::Level1 { product_id, level: facts.level.clone() });
        }
        let bands = self.bands(facts, &product_id, &mut warnings);
        let level = self.level(facts, &product_id, &bands)?;
        if bands.is_empty() {
            return Err(RefusalReason::NoBands {
                product_id,
                folder: self.listing.folder.display().to_string(),
            });
        }
        self.check_names(facts, &product_id, id.as_ref(), &mut warnings);
        let (acquired, time_assumed) = acquisition_instant(facts.acquired, facts.center_time)
            .ok_or_else(|| self.contradiction(format!("DATE_ACQUIRED {} is out of range", facts.acquired)))?;
        Ok(SceneSource {
            scene_key: scene_key(platform, facts.path, facts.row, facts.acquired),
            product_id,
            platform,
            instrument: facts.sensor.clone(),
            collection: facts.collection.clone(),
            level,
            tier: facts.tier.clone(),
            path: facts.path,
            row: facts.row,
            acquired,
            time_assumed,
            processed: facts.processed,
            cloud_cover_percent: facts.cloud_cover_percent,
            sun_azimuth_deg: facts.sun_azimuth_deg,
            sun_elevation_deg: facts.sun_elevation_deg,
            bands,
            mtl: facts.geometry.clone(),
            synthetic: facts.origin.as_deref().is_some_and(|o| o.starts_with("SYNTHETIC")),
            source: self.file.to_owned(),
            metadata: facts.metadata.clone(),
            warnings,
        })
    }

    fn contradiction(&self, problem: String) -> RefusalReason {
        RefusalReason::Contradiction { file: self.file.display().to_string(), problem }
    }

    /// Collections have a product id, and it must be well-formed; before them there is none.
    fn parsed_id(&self, facts: &MtlFacts) -> Result<Option<ProductId>, RefusalReason> {
        let file = || self.file.display().to_string();
        match facts.product_id.as_deref().map(ProductId::parse) {
            Some(Ok(id)) => Ok(Some(id)),
            Some(Err(error)) if matches!(error.field, Field::SensorLetter | Field::Satellite) => {
                Err(RefusalReason::UnknownSensor { file: file(), detail: error.to_string() })
            }
            Some(Err(source)) => Err(RefusalReason::BadProductId { file: file(), source }),
            None if self.layout == Layout::Collection2 => {
                Err(MtlError::MissingField { file: file(), field: "LANDSAT_PRODUCT_ID".to_owned() }.into())
            }
            None => Ok(None),
        }
    }

    fn platform(&self, facts: &MtlFacts, id: Option<&ProductId>) -> Result<Platform, RefusalReason> {
        let unknown = |detail| RefusalReason::UnknownSensor { file: self.file.display().to_string(), detail };
        let platform: Platform = facts
            .spacecraft
            .parse()
            .map_err(|e: tesela_model::landsat::PlatformError| unknown(e.to_string()))?;
        let reflective = ["TM", "ETM", "OLI"].iter().any(|s| facts.sensor.starts_with(s));
        if !reflective {
            return Err(unknown(format!(
                "SENSOR_ID is `{}` on {platform}, expected TM, ETM or OLI_TIRS",
                facts.sensor
            )));
        }
        let Some(id) = id else { return Ok(platform) };
        match id.platform() {
            Err(e) => Err(unknown(e.to_string())),
            Ok(named) if named != platform => Err(self.contradiction(format!(
                "SPACECRAFT_ID is {}, LANDSAT_PRODUCT_ID says {named}",
                facts.spacecraft
            ))),
            Ok(_) => Ok(platform),
        }
    }

    fn product_id(&self, facts: &MtlFacts) -> String {
        facts.product_id.clone().or_else(|| facts.scene_id.clone()).unwrap_or_else(|| self.stem.to_owned())
    }

    /// ESPA metadata describes the Level-1 input: there the files decide.
    fn level(
        &self,
        facts: &MtlFacts,
        product_id: &str,
        bands: &BTreeMap<String, BandFile>,
    ) -> Result<String, RefusalReason> {
        if self.layout == Layout::Collection2 || is_level2(&facts.level) {
            return Ok(facts.level.clone());
        }
        if facts.level == LEVEL_SR || bands.keys().any(|b| b.starts_with("sr_band")) {
            return Ok(LEVEL_SR.to_owned());
        }
        Err(RefusalReason::Level1 { product_id: product_id.to_owned(), level: facts.level.clone() })
    }

    fn bands(
        &self,
        facts: &MtlFacts,
        product_id: &str,
        warnings: &mut Vec<String>,
    ) -> BTreeMap<String, BandFile> {
        let mut bands = self.bands_by_field(facts, warnings);
        let taken: Vec<PathBuf> = bands.values().map(|b| b.path.clone()).collect();
        for name in &self.listing.files {
            let path = self.listing.folder.join(name);
            let Some(stem) = tiff_stem(name).filter(|_| !taken.contains(&path)) else { continue };
            let Some(band) = self.band_by_name(stem, product_id) else { continue };
            if let Some(other) = bands.get(&band) {
                let kept = other.path.file_name().unwrap_or_default().to_string_lossy();
                warnings.push(format!("band {band} is in {kept} and in {name}; the first is used"));
                continue;
            }
            bands.insert(band, BandFile { path, band_index: 1 });
        }
        bands
    }

    /// Files the metadata names, as far as they are there.
    fn bands_by_field(&self, facts: &MtlFacts, warnings: &mut Vec<String>) -> BTreeMap<String, BandFile> {
        let mut bands = BTreeMap::new();
        for (field, value) in &facts.file_names {
            let band = if self.layout == Layout::Espa { Some(field.clone()) } else { band_of_field(field) };
            let Some(band) = band else { continue };
            if value.contains(['/', '\\']) {
                warnings.push(format!(
                    "{field} is `{value}`, a path; only file names beside the metadata are read"
                ));
                continue;
            }
            // An absent file matters only when a product needs its band.
            let Some(name) = self.listing.files.iter().find(|f| f.eq_ignore_ascii_case(value)) else {
                continue;
            };
            if tiff_stem(name).is_some() {
                bands.insert(band, BandFile { path: self.listing.folder.join(name), band_index: 1 });
            }
        }
        bands
    }

    fn band_by_name(&self, stem: &str, product_id: &str) -> Option<String> {
        if let Some(band) = band_after_prefix(stem, product_id).or_else(|| band_after_prefix(stem, self.stem))
        {
            return Some(band);
        }
        let of_another = ProductId::parse_prefix(stem).is_some() || SceneId::parse_prefix(stem).is_some();
        if self.alone && !of_another { band_by_ending(stem).map(str::to_owned) } else { None }
    }

    fn check_names(
        &self,
        facts: &MtlFacts,
        product_id: &str,
        id: Option<&ProductId>,
        warnings: &mut Vec<String>,
    ) {
        if !self.stem.eq_ignore_ascii_case(product_id) {
            let name = self.file.file_name().unwrap_or_default().to_string_lossy();
            warnings.push(format!("the metadata file is called {name}, but describes {product_id}"));
        }
        let folder = self.listing.folder.file_name().unwrap_or_default().to_string_lossy();
        if is_name_of_another(&folder, product_id) {
            warnings.push(format!("the folder is called {folder}, but holds {product_id}"));
        }
        if let Some(id) = id {
            let inside = (facts.path, facts.row, facts.acquired);
            if (id.path, id.row, id.acquired) != inside {
                warnings.push(format!(
                    "{product_id}: WRS_PATH {}, WRS_ROW {} and DATE_ACQUIRED {} differ from the product id",
                    facts.path, facts.row, facts.acquired
                ));
            }
        }
    }
}

fn is_level2(level: &str) -> bool {
    matches!(level, "L2SP" | "L2SR")
}

/// Folder names are free, unless they read like the id of another product.
fn is_name_of_another(folder: &str, product_id: &str) -> bool {
    let like_an_id = folder.get(..5).is_some_and(|head| {
        let head = head.as_bytes();
        head[0] == b'L'
            && head[1].is_ascii_uppercase()
            && head[2..4].iter().all(u8::is_ascii_digit)
            && head[4] == b'_'
    });
    like_an_id && !product_id.starts_with(folder) && !folder.starts_with(product_id)
}
