//! The files of one folder, and which of them are metadata of which product.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tesela_model::landsat::{ProductId, SceneId};

use super::bands::looks_like_level2;

/// A folder and the names of its files, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The folder.
    pub folder: PathBuf,
    /// Names of plain files.
    pub files: Vec<String>,
}

/// Metadata files of one product, the preferred format first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataGroup {
    /// What stands before `_MTL.…`.
    pub stem: String,
    /// File names: json, xml, txt, then ESPA xml.
    pub files: Vec<String>,
}

impl Listing {
    /// Metadata files by product.
    pub fn metadata_groups(&self) -> Vec<MetadataGroup> {
        let mut groups: BTreeMap<String, Vec<(u8, &String)>> = BTreeMap::new();
        for file in &self.files {
            if let Some((stem, rank)) = metadata_stem(file) {
                groups.entry(stem.to_owned()).or_default().push((rank, file));
            }
        }
        let ranked = groups.into_iter().map(|(stem, mut files)| {
            files.sort();
            MetadataGroup { stem, files: files.into_iter().map(|(_, file)| file.clone()).collect() }
        });
        ranked.collect()
    }

    /// True when there are bands of a Level-2 product, so that missing metadata is worth a word.
    pub fn has_level2_bands(&self) -> bool {
        self.files.iter().any(|f| looks_like_level2(f))
    }
}

/// Stem and rank of a metadata file: `…_MTL.json` 0, `.xml` 1, `.txt` 2, ESPA `{id}.xml` 3.
pub fn metadata_stem(file: &str) -> Option<(&str, u8)> {
    let (stem, extension) = file.rsplit_once('.')?;
    let rank = ["json", "xml", "txt"].iter().position(|e| extension.eq_ignore_ascii_case(e))?;
    let cut = stem.len().checked_sub(4);
    if let Some((before, mark)) = cut.and_then(|cut| Some((stem.get(..cut)?, stem.get(cut..)?)))
        && mark.eq_ignore_ascii_case("_MTL")
    {
        return Some((before, u8::try_from(rank).ok()?));
    }
    let espa = rank == 1 && (ProductId::parse(stem).is_ok() || SceneId::parse(stem).is_ok());
    espa.then_some((stem, 3))
}
