//! Stored numbers to physical values.

use crate::Sample;
use crate::error::{RasterError, check_size};

/// Physical values `stored · scale + offset`, NaN where nodata; worked out in f64 and rounded once to f32.
///
/// # Errors
/// [`RasterError::Size`] if the slices differ in length.
pub fn to_physical<T: Sample>(
    stored: &[T],
    scale: f64,
    offset: f64,
    nodata: T,
    out: &mut [f32],
) -> Result<(), RasterError> {
    check_size("the physical values", out.len(), stored.len())?;
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions, asked here.
        unsafe { scaled_avx2(stored, scale, offset, nodata, out) };
        return Ok(());
    }
    scaled(stored, scale, offset, nodata, out);
    Ok(())
}

/// In more lanes, to the same values.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn scaled_avx2<T: Sample>(stored: &[T], scale: f64, offset: f64, nodata: T, out: &mut [f32]) {
    scaled(stored, scale, offset, nodata, out);
}

#[inline(always)]
fn scaled<T: Sample>(stored: &[T], scale: f64, offset: f64, nodata: T, out: &mut [f32]) {
    for (out, value) in out.iter_mut().zip(stored) {
        let physical = (value.to_f64() * scale + offset) as f32;
        *out = if value.is_nodata(nodata) { f32::NAN } else { physical };
    }
}

/// NaN where `hidden` is true.
///
/// # Errors
/// [`RasterError::Size`] if the slices differ in length.
pub fn mask_physical(values: &mut [f32], hidden: &[bool]) -> Result<(), RasterError> {
    check_size("the mask", hidden.len(), values.len())?;
    for (value, hidden) in values.iter_mut().zip(hidden) {
        if *hidden {
            *value = f32::NAN;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landsat_reflectance() {
        let mut out = [0.0; 4];
        to_physical(&[0u16, 7273, 10_000, 43_636], 2.75e-5, -0.2, 0, &mut out).unwrap();
        assert!(out[0].is_nan());
        assert_eq!(out[1..], [7.5e-6, 0.075, 0.99999]);
        mask_physical(&mut out, &[false, true, false, false]).unwrap();
        assert!(out[1].is_nan() && out[2] == 0.075);
        assert!(to_physical(&[1u8], 1.0, 0.0, 0, &mut out).is_err());
    }

    #[test]
    fn nan_is_nodata_in_floats() {
        let mut out = [0.0; 3];
        to_physical(&[f32::NAN, -999.0, 2.0], 10.0, 1.0, -999.0, &mut out).unwrap();
        assert!(out[0].is_nan() && out[1].is_nan() && out[2] == 21.0);
    }
}
