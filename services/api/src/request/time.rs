//! `datetime` and `snapshot`.

use tesela_model::TimeSelector;

use super::text::shorten;
use crate::{ApiError, ApiResult};

/// A `datetime`, `TIME` or `{Time}`: `default`, `current`, a year, a month, a date, an instant, an interval.
/// Absent is the latest there is.
///
/// # Errors
/// 400 with the forms there are.
pub fn datetime(text: Option<&str>) -> ApiResult<TimeSelector> {
    text.map_or(Ok(TimeSelector::Latest), |text| {
        TimeSelector::parse(text).map_err(|e| ApiError {
            code: "invalid_datetime",
            ..ApiError::parameter("datetime", e.to_string())
        })
    })
}

/// A `snapshot` number.
///
/// # Errors
/// 400 if it is not a whole number; whether it exists is the cube's to say.
pub fn snapshot(text: Option<&str>) -> ApiResult<Option<u64>> {
    text.map(|text| {
        text.parse().map_err(|_| {
            ApiError::parameter(
                "snapshot",
                format!("{:?} is not a snapshot number; see /v1/snapshots", shorten(text)),
            )
        })
    })
    .transpose()
}
