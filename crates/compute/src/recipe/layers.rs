//! What a reducer makes of one block, and how it is stored.

use tesela_kernel::geomedian::Quantizer;
use tesela_model::{Band, DType};
use tesela_store::Pixels;

use crate::ComputeError;

/// Named layers of one block: physical values, NaN where there is none.
pub(super) type Layers = Vec<(String, Vec<f32>)>;

/// Added to a value of less than 2⁵¹ it leaves the nearest whole number in the low bits of the sum.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// How values of one output band are stored.
pub(super) enum Encoder {
    U8 { scale: f64, offset: f64, nodata: u8 },
    U16(Quantizer<u16>),
    I16(Quantizer<i16>),
    F32,
}

impl Encoder {
    /// # Errors
    /// [`ComputeError::Parameter`] for a scale that is not above zero.
    pub(super) fn new(band: &Band) -> Result<Self, ComputeError> {
        let (scale, offset) = (band.scale, band.offset);
        let wrong = |e: &dyn std::fmt::Display| ComputeError::Parameter {
            parameter: "outputs",
            problem: format!("{}: {e}", band.name),
        };
        Ok(match band.dtype {
            DType::Uint8 if scale > 0.0 && scale.is_finite() => {
                Self::U8 { scale, offset, nodata: band.nodata as u8 }
            }
            DType::Uint8 => return Err(wrong(&format!("scale {scale} must be above zero"))),
            DType::Uint16 => {
                Self::U16(Quantizer::new(scale, offset, band.nodata as u16).map_err(|e| wrong(&e))?)
            }
            DType::Int16 => {
                Self::I16(Quantizer::new(scale, offset, band.nodata as i16).map_err(|e| wrong(&e))?)
            }
            DType::Float32 => Self::F32,
        })
    }

    /// Stored values: nodata for NaN; a value that would land on nodata is moved to the next one.
    pub(super) fn encode(&self, values: &[f32]) -> Pixels {
        match self {
            Self::U8 { scale, offset, nodata } => {
                let beside = if *nodata == u8::MAX { u8::MAX - 1 } else { nodata + 1 };
                let one = |v: &f32| {
                    let inside = ((f64::from(*v) - offset) / scale).clamp(0.0, 255.0);
                    // Halves to even.
                    let whole = (inside + ROUNDER).to_bits() as u8;
                    let whole = if whole == *nodata { beside } else { whole };
                    if v.is_finite() { whole } else { *nodata }
                };
                Pixels::U8(values.iter().map(one).collect())
            }
            Self::U16(q) => Pixels::U16(q.encode_all(values)),
            Self::I16(q) => Pixels::I16(q.encode_all(values)),
            Self::F32 => Pixels::F32(values.to_vec()),
        }
    }
}

/// Planes of the output bands, in their order. A band without a layer is an error of the reducer.
///
/// # Errors
/// [`ComputeError::Parameter`] names the band.
pub(super) fn planes(outputs: &[Band], layers: &Layers) -> Result<Vec<Pixels>, ComputeError> {
    outputs
        .iter()
        .map(|band| {
            let layer = layers.iter().find(|(name, _)| *name == band.name);
            let (_, values) = layer.ok_or_else(|| ComputeError::Parameter {
                parameter: "outputs",
                problem: format!("{} is none of the reducer's layers", band.name),
            })?;
            Ok(Encoder::new(band)?.encode(values))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tesela_model::OutputBand;

    use super::*;

    fn band(dtype: &str, nodata: f64, scale: f64) -> Band {
        let json = serde_json::json!({"name": "a", "dtype": dtype, "nodata": nodata, "scale": scale});
        Band::from(&serde_json::from_value::<OutputBand>(json).unwrap())
    }

    #[test]
    fn nodata_is_kept_free_of_values() {
        let bytes = Encoder::new(&band("uint8", 255.0, 1.0)).unwrap();
        assert_eq!(
            bytes.encode(&[f32::NAN, 0.0, 1.5, 254.9, 300.0, -3.0]),
            Pixels::U8(vec![255, 0, 2, 254, 254, 0])
        );
        let low = Encoder::new(&band("uint8", 0.0, 0.5)).unwrap();
        assert_eq!(low.encode(&[0.0, 0.2, 1.0]), Pixels::U8(vec![1, 1, 2]));
        let words = Encoder::new(&band("int16", -999.0, 1.0)).unwrap();
        assert_eq!(words.encode(&[f32::NAN, -999.0, 7.0]), Pixels::I16(vec![-999, -998, 7]));
        assert!(Encoder::new(&band("uint8", 0.0, 0.0)).is_err());
    }
}
