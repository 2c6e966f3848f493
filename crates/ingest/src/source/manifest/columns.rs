//! The header of a manifest: where each column is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use csv::StringRecord;

use super::{ManifestError, line_of};

/// Where each column is.
pub(super) struct Columns {
    pub(super) count: usize,
    pub(super) named: BTreeMap<&'static str, usize>,
    pub(super) bands: Vec<(String, BandColumn)>,
    pub(super) unknown: Vec<String>,
}

/// A band is given per row, or once by the product.
pub(super) enum BandColumn {
    At(usize),
    Shared(usize),
}

const NAMES: [&str; 8] =
    ["path", "datetime", "platform", "scene_id", "collection", "level", "tier", "cloud_cover"];

impl Columns {
    pub(super) fn read(
        file: &Path,
        header: &StringRecord,
        shared: &BTreeMap<String, usize>,
    ) -> Result<Self, ManifestError> {
        let fail = |column, problem| ManifestError {
            file: file.display().to_string(),
            line: line_of(header).max(1),
            column,
            problem,
        };
        let (mut named, mut bands, mut unknown) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for (at, title) in header.iter().enumerate() {
            let title = title.trim_start_matches('\u{feff}').trim();
            if !seen.insert(title.to_owned()) {
                return Err(fail(at + 1, format!("the column `{title}` is given twice")));
            }
            if let Some(band) = title.strip_prefix("band.").or_else(|| title.strip_prefix("band:")) {
                if band.trim().is_empty() {
                    return Err(fail(
                        at + 1,
                        "a band column without a name; expected band.<name>".to_owned(),
                    ));
                }
                bands.push((band.trim().to_owned(), BandColumn::At(at)));
            } else if let Some(name) = NAMES.into_iter().find(|n| n.eq_ignore_ascii_case(title)) {
                named.insert(name, at);
            } else {
                unknown.push(title.to_owned());
            }
        }
        for name in &NAMES[..3] {
            if !named.contains_key(name) {
                return Err(fail(
                    0,
                    format!("no column `{name}`; expected path, datetime, platform, band.<name>, …"),
                ));
            }
        }
        if bands.is_empty() {
            bands = shared.iter().map(|(name, index)| (name.clone(), BandColumn::Shared(*index))).collect();
        }
        if bands.is_empty() {
            return Err(fail(0, "no band.<name> column, and the product gives no band map".to_owned()));
        }
        Ok(Self { count: header.len(), named, bands, unknown })
    }
}
