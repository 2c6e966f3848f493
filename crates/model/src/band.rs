use tesela_grid::Titles;

use crate::{DType, Measurement, OutputBand, PyramidRule};

/// One band of any product, scenes or derived: what storing and reading it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Name.
    pub name: String,
    /// Title by language.
    pub title: Titles,
    /// Stored number type.
    pub dtype: DType,
    /// Stored value for "nothing here"; NaN for floats.
    pub nodata: f64,
    /// Physical = stored · scale + offset.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// Unit.
    pub unit: String,
    /// Closed range of stored values that composites accept.
    pub valid: Option<[f64; 2]>,
    /// Flag table, for quality bands.
    pub flags: Option<String>,
    /// Pyramid rule.
    pub pyramid: PyramidRule,
}

impl Band {
    /// Whether a stored value means "nothing here".
    pub fn is_nodata(&self, stored: f64) -> bool {
        stored.is_nan() || stored == self.nodata
    }

    /// The physical value of a stored one; NaN for nodata. f32, as pictures and series use it.
    pub fn physical(&self, stored: f64) -> f32 {
        if self.is_nodata(stored) { f32::NAN } else { (stored * self.scale + self.offset) as f32 }
    }
}

impl From<&Measurement> for Band {
    fn from(m: &Measurement) -> Self {
        Self {
            name: m.name.clone(),
            title: m.title.clone(),
            dtype: m.dtype,
            nodata: m.nodata,
            scale: m.scale,
            offset: m.offset,
            unit: m.unit.clone(),
            valid: m.valid,
            flags: m.flags.clone(),
            pyramid: m.pyramid,
        }
    }
}

impl From<&OutputBand> for Band {
    fn from(o: &OutputBand) -> Self {
        Self {
            name: o.name.clone(),
            title: o.title.clone(),
            dtype: o.dtype,
            nodata: o.nodata,
            scale: o.scale,
            offset: o.offset,
            unit: o.unit.clone(),
            valid: None,
            flags: None,
            pyramid: o.pyramid,
        }
    }
}
