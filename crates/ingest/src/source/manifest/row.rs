//! One line of a manifest, read into a scene.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use csv::StringRecord;
use jiff::civil::{self, Date};
use jiff::tz::Offset;
use jiff::{Timestamp, Zoned};
use serde_json::json;
use tesela_model::landsat::{Platform, ProductId, SceneId};

use super::ManifestError;
use super::columns::{BandColumn, Columns};
use super::identity::{Identity, RowId};
use crate::source::scene::{BandFile, SceneSource, acquisition_instant};

/// One line of a manifest.
pub(super) struct Row<'a> {
    pub(super) file: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) columns: &'a Columns,
    pub(super) record: &'a StringRecord,
    pub(super) line: u64,
}

impl Row<'_> {
    pub(super) fn scene(&self) -> Result<SceneSource, ManifestError> {
        if self.record.len() != self.columns.count {
            let problem =
                format!("the line has {} fields, the header has {}", self.record.len(), self.columns.count);
            return Err(self.error_at(0, problem));
        }
        let path = self.path()?;
        let (acquired, time_assumed) = self.datetime()?;
        let platform: Platform = self
            .required("platform")?
            .parse()
            .map_err(|e: tesela_model::landsat::PlatformError| self.error("platform", e.to_string()))?;
        let bands = self.bands(&path)?;
        if !path.is_file() {
            return Err(self.error("path", format!("{} does not exist", path.display())));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (text, id) = self.id(&stem)?;
        let mut warnings = Vec::new();
        let date = Offset::UTC.to_datetime(acquired).date();
        let mut identity = Identity::of(&id, &text, platform, date);
        identity.check(&text, platform, date, &mut warnings);
        self.overrides(&mut identity);
        Ok(SceneSource {
            product_id: text,
            scene_key: identity.key,
            platform,
            instrument: platform.sensor().name().to_owned(),
            collection: identity.collection,
            level: identity.level,
            tier: identity.tier,
            path: identity.path,
            row: identity.row,
            acquired,
            time_assumed,
            processed: identity.processed,
            cloud_cover_percent: self.cloud_cover()?,
            sun_azimuth_deg: None,
            sun_elevation_deg: None,
            bands,
            mtl: None,
            synthetic: false,
            source: self.file.to_owned(),
            metadata: json!({ "manifest_line": self.line }),
            warnings,
        })
    }

    /// The text of a column, blank counting as absent.
    fn text(&self, name: &str) -> Option<&str> {
        self.record.get(*self.columns.named.get(name)?).filter(|t| !t.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, ManifestError> {
        self.text(name).ok_or_else(|| self.error(name, format!("`{name}` is blank")))
    }

    fn error(&self, name: &str, problem: String) -> ManifestError {
        self.error_at(self.columns.named.get(name).map_or(0, |at| at + 1), problem)
    }

    fn error_at(&self, column: usize, problem: String) -> ManifestError {
        ManifestError { file: self.file.display().to_string(), line: self.line, column, problem }
    }

    fn path(&self) -> Result<PathBuf, ManifestError> {
        let text = self.required("path")?;
        if text.to_ascii_lowercase().starts_with("/vsi") || text.contains("://") {
            return Err(self.error("path", format!("`{text}` is a URL or /vsi path; expected a local file")));
        }
        if text.contains('\0') {
            return Err(self.error("path", "the path holds a NUL character".to_owned()));
        }
        let path = Path::new(text);
        if path.components().any(|c| c == Component::ParentDir) {
            let problem = format!(
                "`{text}` leads out of the manifest's folder; give the absolute path instead of `..`"
            );
            return Err(self.error("path", problem));
        }
        Ok(self.folder.join(path))
    }

    fn datetime(&self) -> Result<(Timestamp, bool), ManifestError> {
        let text = self.required("datetime")?;
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok((instant, false));
        }
        // A date and nothing else: civil dates also parse from longer texts.
        let date = if text.len() == 10 { text.parse::<Date>().ok() } else { None };
        date.and_then(|d| acquisition_instant(d, None)).ok_or_else(|| {
            let zoned = text.parse::<Zoned>().is_ok() || text.parse::<civil::DateTime>().is_ok();
            let hint = if zoned { "; a time needs Z or an offset" } else { "" };
            self.error(
                "datetime",
                format!("`{text}` is not a date 1999-11-18 or an instant 1999-11-18T16:14:05Z{hint}"),
            )
        })
    }

    fn bands(&self, path: &Path) -> Result<BTreeMap<String, BandFile>, ManifestError> {
        let mut bands = BTreeMap::new();
        for (name, column) in &self.columns.bands {
            let band_index = match column {
                BandColumn::Shared(index) => *index,
                BandColumn::At(at) => match self.record.get(*at).filter(|t| !t.is_empty()) {
                    None => continue,
                    Some(text) => {
                        text.parse().ok().filter(|i| (1..=65_535).contains(i)).ok_or_else(|| {
                            self.error_at(
                                at + 1,
                                format!("band `{name}` is `{text}`, expected an index from 1"),
                            )
                        })?
                    }
                },
            };
            bands.insert(name.clone(), BandFile { path: path.to_owned(), band_index });
        }
        if bands.is_empty() {
            return Err(self.error_at(0, "the row gives no band".to_owned()));
        }
        Ok(bands)
    }

    /// `scene_id`, else the id the file name begins with, else the stem.
    fn id(&self, stem: &str) -> Result<(String, RowId), ManifestError> {
        if let Some(text) = self.text("scene_id") {
            let id = match (ProductId::parse(text), SceneId::parse(text)) {
                (Ok(id), _) => RowId::Product(id),
                (_, Ok(id)) => RowId::Scene(id),
                _ => RowId::Other,
            };
            if text.contains(['/', '\\']) || text.chars().any(char::is_control) {
                return Err(self.error(
                    "scene_id",
                    format!("`{text}` is not an id: it holds a slash or a control character"),
                ));
            }
            return Ok((text.to_owned(), id));
        }
        if let Some((id, _)) = ProductId::parse_prefix(stem) {
            return Ok((id.to_string(), RowId::Product(id)));
        }
        if let Some((id, _)) = SceneId::parse_prefix(stem) {
            return Ok((id.to_string(), RowId::Scene(id)));
        }
        Ok((stem.to_owned(), RowId::Other))
    }

    fn overrides(&self, identity: &mut Identity) {
        if let Some(text) = self.text("collection") {
            identity.collection = match text.parse::<u8>() {
                Ok(number) => format!("{number:02}"),
                Err(_) => text.to_owned(),
            };
        }
        if let Some(text) = self.text("level") {
            identity.level = text.to_owned();
        }
        if let Some(text) = self.text("tier") {
            identity.tier = Some(text.to_owned());
        }
    }

    fn cloud_cover(&self) -> Result<Option<f64>, ManifestError> {
        let Some(text) = self.text("cloud_cover") else { return Ok(None) };
        let percent = text.parse::<f64>().ok().filter(|c| (0.0..=100.0).contains(c));
        percent
            .map(Some)
            .ok_or_else(|| self.error("cloud_cover", format!("`{text}` is not a percentage 0 to 100")))
    }
}
