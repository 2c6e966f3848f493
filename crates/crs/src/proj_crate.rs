//! A second way to PROJ: the `proj` crate (feature `proj`), for comparison with the first and for programs that use
//! it already. Tesela itself goes through [`crate::with_transformer`], which is as fast and needs no libclang.

use proj::Proj;
use tesela_grid::CrsName;

use crate::error::{CrsError, shorten};
use crate::srs;

/// Transforms points in place, `(x, y)` order on both sides; a point that cannot be transformed becomes (NaN, NaN).
///
/// Makes a PROJ context each time (about 11 ms). If the slices differ in length, the points past the shorter one's
/// end are left alone.
///
/// # Errors
/// [`CrsError::Unknown`] if a name means nothing; [`CrsError::NoTransform`] if PROJ finds no way between them.
pub fn transform_points(
    from: &CrsName,
    to: &CrsName,
    xs: &mut [f64],
    ys: &mut [f64],
) -> Result<(), CrsError> {
    for name in [from, to] {
        srs::open(name)?; // PROJ would also take names of files and free text
    }
    let proj =
        Proj::new_known_crs(from.as_str(), to.as_str(), None).map_err(|error| CrsError::NoTransform {
            from: shorten(from.as_str()),
            to: shorten(to.as_str()),
            reason: error.to_string(),
        })?;
    for (x, y) in xs.iter_mut().zip(ys) {
        (*x, *y) = match proj.convert((*x, *y)) {
            Ok((u, v)) if u.is_finite() && v.is_finite() => (u, v),
            _ => (f64::NAN, f64::NAN),
        };
    }
    Ok(())
}
