//! Words with a closed list of values.

use tesela_model::Resampling;

use super::text::shorten;
use crate::{ApiError, ApiResult};

/// A `resampling`: `nearest` (also if absent), `bilinear`, `cubic`.
///
/// # Errors
/// 400 with the words there are.
pub fn resampling(text: Option<&str>) -> ApiResult<Resampling> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("nearest") => Ok(Resampling::Nearest),
        Some("bilinear") => Ok(Resampling::Bilinear),
        Some("cubic") => Ok(Resampling::Cubic),
        Some(other) => Err(ApiError::parameter(
            "resampling",
            format!("{:?} is not a resampling; expected nearest, bilinear or cubic", shorten(other)),
        )),
    }
}

/// A `mask` by name; absent, empty and `none` show everything.
pub fn mask(text: Option<&str>) -> Option<String> {
    text.filter(|name| *name != "none").map(str::to_owned)
}
