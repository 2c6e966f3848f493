//! The catalogue and our overlay, read from the files that are part of the program.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Domain, SpectralIndex};

const CATALOGUE: &str = include_str!("../../data/awesome-spectral-indices/spectral-indices-dict.json");
const CONSTANTS: &str = include_str!("../../data/awesome-spectral-indices/constants.json");
const OVERLAY: &str = include_str!("../../data/indices-overlay.json");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Catalogue {
    spectral_indices: BTreeMap<String, Record>,
}

/// A record of the catalogue; fields we do not use are passed over.
#[derive(Deserialize)]
struct Record {
    short_name: String,
    long_name: String,
    application_domain: Domain,
    /// Bands and constants.
    bands: Vec<String>,
    formula: String,
    reference: String,
}

#[derive(Deserialize)]
struct Constant {
    /// Missing where it depends on the place or the sensor.
    default: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Overlay {
    constants: OverlayConstants,
    indices: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayConstants {
    #[serde(rename = "why")]
    _why: String,
    values: BTreeMap<String, f64>,
}

/// What the overlay says of one index.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    title_en: Option<String>,
    title_es: Option<String>,
    domain: Option<Domain>,
    formula: Option<String>,
    #[serde(default)]
    constants: BTreeMap<String, f64>,
    typical_range: Option<(f32, f32)>,
    source: Option<String>,
    why: Option<String>,
}

/// All indices. The files are part of the program and a test reads them; one that cannot be read gives none.
pub(super) fn read() -> Vec<SpectralIndex> {
    try_read().unwrap_or_default()
}

pub(super) fn try_read() -> Result<Vec<SpectralIndex>, serde_json::Error> {
    let catalogue: Catalogue = serde_json::from_str(CATALOGUE)?;
    let constants: BTreeMap<String, Constant> = serde_json::from_str(CONSTANTS)?;
    let overlay: Overlay = serde_json::from_str(OVERLAY)?;
    let known = constants.into_iter().filter_map(|(name, constant)| Some((name, constant.default?)));
    let known: BTreeMap<String, f64> = known.chain(overlay.constants.values).collect();

    let mut indices: Vec<SpectralIndex> =
        catalogue.spectral_indices.into_values().map(|record| index(record, &known)).collect();
    for entry in overlay.indices {
        if let Some(index) = indices.iter_mut().find(|index| index.name == entry.name) {
            correct(index, entry);
        } else {
            indices.push(added(entry));
        }
    }
    Ok(indices)
}

fn index(record: Record, known: &BTreeMap<String, f64>) -> SpectralIndex {
    let (constants, mut inputs): (Vec<String>, Vec<String>) =
        record.bands.into_iter().partition(|name| known.contains_key(name));
    inputs.sort_unstable();
    let value = |name: String| known.get(&name).map(|&value| (name, value));
    SpectralIndex {
        name: record.short_name,
        title_en: record.long_name,
        title_es: None,
        domain: record.application_domain,
        formula: record.formula,
        inputs,
        constants: constants.into_iter().filter_map(value).collect(),
        typical_range: None,
        source: record.reference,
        correction: None,
    }
}

fn correct(index: &mut SpectralIndex, entry: Entry) {
    let replace = |field: &mut String, by: Option<String>| {
        if let Some(by) = by {
            *field = by;
        }
    };
    replace(&mut index.title_en, entry.title_en);
    replace(&mut index.formula, entry.formula);
    replace(&mut index.source, entry.source);
    index.domain = entry.domain.unwrap_or(index.domain);
    index.title_es = entry.title_es.or(index.title_es.take());
    index.typical_range = entry.typical_range.or(index.typical_range);
    index.constants.extend(entry.constants);
    index.correction = entry.why;
}

/// An index the catalogue lacks; its inputs are the letters of its formula.
fn added(entry: Entry) -> SpectralIndex {
    let formula = entry.formula.unwrap_or_default();
    let words = formula.split(|c: char| !c.is_ascii_alphanumeric());
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut inputs: Vec<String> = words.filter(is_name).map(str::to_owned).collect();
    inputs.sort_unstable();
    inputs.dedup();
    SpectralIndex {
        title_en: entry.title_en.unwrap_or_else(|| entry.name.clone()),
        name: entry.name,
        title_es: entry.title_es,
        domain: entry.domain.unwrap_or(Domain::Vegetation),
        formula,
        inputs,
        constants: entry.constants,
        typical_range: entry.typical_range,
        source: entry.source.unwrap_or_default(),
        correction: entry.why,
    }
}
