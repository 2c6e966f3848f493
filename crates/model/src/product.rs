//! Product definitions: what a scenes product holds and how it is shown. A new sensor, band set, mask
//! or style is a file, not code.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tesela_grid::Titles;

use crate::landsat::FlagTable;
use crate::locate::{DefinitionError, Problems, parse_yaml};
use crate::style::Style;

/// How far a product may be relied on; shown with every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Method or data under test.
    Experimental,
    /// Will be revised.
    Preliminary,
    /// Released with an accuracy block.
    Official,
    /// Replaced by a later release.
    Superseded,
}

impl ProductStatus {
    /// The name as written in files and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Experimental => "experimental",
            Self::Preliminary => "preliminary",
            Self::Official => "official",
            Self::Superseded => "superseded",
        }
    }
}

/// Which scenes a product takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRule {
    /// Landsat collections: `"01"`, `"02"`, or `pre` for pre-Collection stacks.
    pub collections: Vec<String>,
    /// Processing levels: `L2SP`, `L2SR`, or `SR` for ESPA and stacks.
    #[serde(default)]
    pub levels: Vec<String>,
    /// Tiers: `T1`, `T2`, `RT`; empty accepts scenes without a tier only when the source has none.
    #[serde(default)]
    pub tiers: Vec<String>,
    /// Platforms (`landsat-8`); empty accepts all.
    #[serde(default)]
    pub platforms: Vec<String>,
}

/// Number type of a measurement in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// 8-bit unsigned.
    Uint8,
    /// 16-bit unsigned.
    Uint16,
    /// 16-bit signed.
    Int16,
    /// 32-bit IEEE float.
    Float32,
}

impl DType {
    /// Zarr's and numpy's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Int16 => "int16",
            Self::Float32 => "float32",
        }
    }

    /// Bytes per value.
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::Uint8 => 1,
            Self::Uint16 | Self::Int16 => 2,
            Self::Float32 => 4,
        }
    }

    /// Smallest and largest value that can be stored.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Uint8 => (0.0, 255.0),
            Self::Uint16 => (0.0, 65535.0),
            Self::Int16 => (-32768.0, 32767.0),
            Self::Float32 => (f32::MIN as f64, f32::MAX as f64),
        }
    }
}

/// How pixels are resampled where the source is not on the grid's own pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// Value of the nearest pixel; keeps spectra real.
    #[default]
    Nearest,
    /// 2 × 2 weights, mask renormalised.
    Bilinear,
    /// 4 × 4 weights, mask renormalised.
    Cubic,
}

/// How a pyramid level is made from the one below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PyramidRule {
    /// Mean of the valid children, rounded half to even for integers.
    #[default]
    Mean,
    /// Most frequent value, ties to the smallest.
    Mode,
    /// Largest value.
    Max,
    /// Most frequent whole QA word among the children used.
    Qa,
}

/// File band names by sensor family: `tm`, `etm`, `oli`, or `any`.
pub type Aliases = BTreeMap<String, String>;

/// One band of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Name used everywhere: `red`, `qa_pixel`.
    pub name: String,
    /// Title by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub title: Titles,
    /// File band by sensor family; a sensor not listed does not have the band.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: Aliases,
    /// Stored number type.
    pub dtype: DType,
    /// Value that means "no observation".
    #[serde(with = "crate::number")]
    #[schemars(with = "f64")]
    pub nodata: f64,
    /// Physical value = stored · scale + offset.
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// Unit of the physical value (UDUNITS; `1` for reflectance).
    #[serde(default = "unit_one")]
    pub unit: String,
    /// Closed range of stored values that composites accept; outside it an observation is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<[f64; 2]>,
    /// Flag table that decodes the values (`landsat_c2_qa_pixel`, `landsat_c1_pixel_qa`, `fmask_stack`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// Whether a source may lack the band (its pixels are then nodata).
    #[serde(default)]
    pub optional: bool,
    /// Warp kernel at ingest; flag bands must stay `nearest`.
    #[serde(default)]
    pub resampling: Resampling,
    /// Pyramid rule.
    #[serde(default)]
    pub pyramid: PyramidRule,
}

fn one() -> f64 {
    1.0
}

fn unit_one() -> String {
    "1".into()
}

impl Measurement {
    /// The physical value of a stored one, or `None` for nodata.
    pub fn physical(&self, stored: f64) -> Option<f64> {
        (stored != self.nodata && !stored.is_nan()).then_some(stored * self.scale + self.offset)
    }
}

/// A named mask: which flags hide an observation, and how each is grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskDef {
    /// Flag names; an observation is hidden when any is set.
    pub any_of: Vec<String>,
    /// Euclidean dilation radius by flag, pixels of the cube grid, applied at read time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dilate: BTreeMap<String, u32>,
    /// Steps that clean up what the flags hide, one after the other, at read time; `fill` is left out of them and stays
    /// hidden (science 1.8).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanup: Vec<CleanupStep>,
}

impl MaskDef {
    /// Whether it hides at least what its flags hide where they lie.
    pub fn only_grows(&self) -> bool {
        self.cleanup.iter().all(|s| matches!(s, CleanupStep::Closing(_) | CleanupStep::Dilation(_)))
    }
}

/// One step of a mask's clean-up: morphology with a Euclidean disk, radius in pixels of the cube grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CleanupStep {
    /// Takes away what the disk does not fit into: lone pixels, thin lines.
    Opening(u32),
    /// Fills what the disk does not fit into.
    Closing(u32),
    /// Grows.
    Dilation(u32),
    /// Shrinks.
    Erosion(u32),
}

impl CleanupStep {
    /// Radius of the disk, pixels.
    pub fn radius(self) -> u32 {
        match self {
            Self::Opening(r) | Self::Closing(r) | Self::Dilation(r) | Self::Erosion(r) => r,
        }
    }
}

/// Greatest radius of a mask's disks, pixels.
const MAX_MASK_RADIUS: u32 = 32;
/// Most steps of a mask's clean-up.
const MAX_CLEANUP: usize = 8;

/// How a scenes product's pixels are cut up. Recorded in each array; a change holds for what is written after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScenesLayout {
    /// *Recent* objects, one per slot and band: side of the inner chunk, pixels; a power of two.
    pub inner_chunk: u32,
    /// *Archive* blocks: many dates in one object.
    pub archive: ArchiveLayout,
}

impl Default for ScenesLayout {
    fn default() -> Self {
        Self { inner_chunk: 64, archive: ArchiveLayout::default() }
    }
}

/// How archive blocks are cut up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveLayout {
    /// Most dates in a block; a multiple of the inner chunk's.
    pub dates: u32,
    /// Side of an object, pixels; a power of two.
    pub side: u32,
    /// Dates, rows and columns of the inner chunk; powers of two.
    pub inner: [u32; 3],
    /// How it is compressed.
    pub codec: ArchiveCodec,
}

/// How archive blocks are compressed; both are lossless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArchiveCodec {
    /// LZ4 after a bit shuffle: written five times and read twice as fast.
    #[default]
    Lz4,
    /// Zstandard after a byte shuffle: 4 to 25 % smaller on real reflectance.
    Zstd,
}

impl Default for ArchiveLayout {
    fn default() -> Self {
        Self { dates: 64, side: 1024, inner: [8, 64, 64], codec: ArchiveCodec::Lz4 }
    }
}

impl ArchiveLayout {
    /// What is wrong with it.
    pub fn problem(&self) -> Option<&'static str> {
        let [depth, rows, columns] = self.inner;
        if !self.inner.iter().all(|n| n.is_power_of_two()) || depth > 64 || rows.max(columns) > 2048 {
            return Some("archive.inner must be powers of two, at most [64, 2048, 2048]");
        }
        if self.dates == 0 || self.dates > 512 || !self.dates.is_multiple_of(depth) {
            return Some("archive.dates must be a multiple of archive.inner's dates, at most 512");
        }
        if !self.side.is_power_of_two() || self.side < rows.max(columns) || self.side > 4096 {
            return Some(
                "archive.side must be a power of two from archive.inner's rows and columns up to 4096",
            );
        }
        None
    }
}

/// A scenes product as its YAML file defines it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductDef {
    /// Identifier: lower-case letters, digits, underscores.
    pub product: String,
    /// Title by language; `es` and `en` are required.
    pub title: Titles,
    /// Longer text by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub description: Titles,
    /// How far it may be relied on.
    pub status: ProductStatus,
    /// Version of this release, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Release that this one revises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<String>,
    /// Grid id.
    pub grid: String,
    /// Which scenes are taken.
    pub accept: AcceptRule,
    /// Bands, in order.
    pub measurements: Vec<Measurement>,
    /// Named masks; `standard` is the default one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masks: BTreeMap<String, MaskDef>,
    /// `none` declares that the product has no quality band and every pixel counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// Band saturation word, decoded by sensor (science 1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturation: Option<String>,
    /// Chunking.
    #[serde(default)]
    pub layout: ScenesLayout,
    /// Named styles; the first is the default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<Style>,
}

impl ProductDef {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] lists every problem with line and column: unknown or misspelt fields,
    /// unknown flags, bands, sensors, repeated names, impossible numbers.
    pub fn from_yaml(file: &str, text: &str) -> Result<Self, DefinitionError> {
        let def: Self = parse_yaml(file, text)?;
        def.check(file, text)?;
        Ok(def)
    }

    /// The measurement of that name.
    pub fn measurement(&self, name: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|m| m.name == name)
    }

    /// The quality measurement: the first with a flag table.
    pub fn quality(&self) -> Option<&Measurement> {
        self.measurements.iter().find(|m| m.flags.is_some())
    }

    /// The flag table of the quality measurement.
    pub fn flag_table(&self) -> Option<&'static FlagTable> {
        FlagTable::builtin(self.quality()?.flags.as_deref()?).ok()
    }

    /// Measurements that are numbers rather than flags or saturation words.
    pub fn spectral(&self) -> impl Iterator<Item = &Measurement> {
        self.measurements.iter().filter(|m| m.flags.is_none() && self.saturation.as_ref() != Some(&m.name))
    }

    /// JSON Schema of a product definition file.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    fn check(&self, file: &str, text: &str) -> Result<(), DefinitionError> {
        let mut p = Problems::new(file, text);
        if !is_identifier(&self.product) {
            p.at(
                "product:",
                &self.product,
                format!("product {:?} must be lower-case letters, digits and _", self.product),
            );
        }
        for lang in ["es", "en"] {
            if !self.title.contains_key(lang) {
                p.at("title:", "title", format!("title has no {lang:?} text; both es and en are required"));
            }
        }
        if self.status == ProductStatus::Official {
            p.at("status:", "official", "status official needs an accuracy block, which this version cannot hold yet; use experimental or preliminary");
        }
        if self.accept.collections.len() > 1 {
            p.at("accept:", "collections", "one composite never mixes collections: list exactly one");
        }
        if tesela_grid::builtin_grid(&self.grid).is_err() && !is_identifier(&self.grid) {
            p.at("grid:", &self.grid, format!("grid {:?} is neither shipped nor a valid grid id", self.grid));
        }
        if self.measurements.is_empty() {
            p.at("measurements:", "measurements", "a product needs at least one measurement");
        }
        self.check_measurements(&mut p);
        self.check_masks(&mut p);
        if let Some(s) = &self.saturation
            && self.measurement(s).is_none()
        {
            p.at(
                "saturation:",
                s,
                format!("saturation names {s:?}, which is not a measurement ({})", self.names()),
            );
        }
        let names: Vec<&str> = self.measurements.iter().map(|m| m.name.as_str()).collect();
        crate::style::check_styles(&self.styles, &names, &mut p);
        if !self.layout.inner_chunk.is_power_of_two() || !(32..=2048).contains(&self.layout.inner_chunk) {
            p.at("layout:", "inner_chunk", "inner_chunk must be a power of two from 32 to 2048");
        }
        if let Some(problem) = self.layout.archive.problem() {
            p.at("layout:", "archive", problem);
        }
        p.finish()
    }

    fn names(&self) -> String {
        self.measurements.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn check_measurements(&self, p: &mut Problems<'_>) {
        let mut seen = BTreeSet::new();
        for m in &self.measurements {
            if !is_identifier(&m.name) {
                p.at(
                    "measurements:",
                    &m.name,
                    format!("measurement {:?} must be lower-case letters, digits and _", m.name),
                );
            }
            if !seen.insert(&m.name) {
                p.at("measurements:", &m.name, format!("measurement {:?} stands twice", m.name));
            }
            let (low, high) = m.dtype.range();
            let storable = |v: f64| v.is_nan() || (low..=high).contains(&v);
            if !storable(m.nodata) {
                p.at(
                    "measurements:",
                    &m.name,
                    format!("{}: nodata {} does not fit {}", m.name, m.nodata, m.dtype.as_str()),
                );
            }
            if m.scale == 0.0 || !m.scale.is_finite() || !m.offset.is_finite() {
                p.at(
                    "measurements:",
                    &m.name,
                    format!("{}: scale must be a finite number other than 0", m.name),
                );
            }
            if let Some([a, b]) = m.valid
                && (a > b || !storable(a) || !storable(b))
            {
                p.at(
                    "measurements:",
                    &m.name,
                    format!("{}: valid [{a}, {b}] is not a range of {}", m.name, m.dtype.as_str()),
                );
            }
            for family in m.aliases.keys() {
                if !["tm", "etm", "oli", "any"].contains(&family.as_str()) {
                    p.at(
                        "measurements:",
                        family,
                        format!("{}: unknown sensor family {family:?}; known: tm, etm, oli, any", m.name),
                    );
                }
            }
            if let Some(table) = &m.flags {
                if FlagTable::builtin(table).is_err() {
                    p.at(
                        "measurements:",
                        table,
                        format!(
                            "{}: unknown flag table {table:?}; known: {}",
                            m.name,
                            FlagTable::builtin_names().join(", ")
                        ),
                    );
                }
                if m.resampling != Resampling::Nearest {
                    p.at(
                        "measurements:",
                        &m.name,
                        format!("{}: flag bands are always resampled nearest", m.name),
                    );
                }
            }
        }
    }

    fn check_masks(&self, p: &mut Problems<'_>) {
        if let Some(mask) = &self.mask {
            if mask != "none" {
                p.at(
                    "mask:",
                    mask,
                    format!("mask {mask:?}: the only value is none; named masks stand under masks"),
                );
            } else if !self.masks.is_empty() {
                p.at("masks:", "masks", "mask: none and masks exclude each other");
            }
        } else if self.masks.is_empty() {
            p.at("product:", &self.product, "no masks: define masks.standard, or declare `mask: none`");
        }
        let Some(table) = self.flag_table() else {
            if let Some(name) = self.masks.keys().next() {
                p.at("masks:", name, "masks need a measurement with a known flag table (flags: …)");
            }
            return;
        };
        for (name, mask) in &self.masks {
            for flag in mask.any_of.iter().chain(mask.dilate.keys()) {
                if table.mask(&[flag]).is_err() {
                    let known = table.flag_names().join(", ");
                    p.at(
                        "masks:",
                        flag,
                        format!("mask {name}: unknown flag {flag:?}; {} has {known}", table.name),
                    );
                }
            }
            for flag in mask.dilate.keys() {
                if !mask.any_of.contains(flag) {
                    p.at("dilate", flag, format!("mask {name}: {flag} is dilated but not in any_of"));
                }
            }
            let radii = mask.cleanup.iter().map(|s| s.radius()).chain(mask.dilate.values().copied());
            for r in radii.filter(|r| !(1..=MAX_MASK_RADIUS).contains(r)) {
                p.at(
                    "masks:",
                    name,
                    format!("mask {name}: radius {r} is not from 1 to {MAX_MASK_RADIUS} pixels"),
                );
            }
            if mask.cleanup.len() > MAX_CLEANUP {
                p.at("masks:", name, format!("mask {name}: more than {MAX_CLEANUP} steps of clean-up"));
            }
        }
    }
}

pub(crate) fn is_identifier(s: &str) -> bool {
    !s.is_empty()
        && s.len() <= 64
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && s.as_bytes()[0].is_ascii_lowercase()
}
