//! Index reads off the async threads. Pixel work goes through [`AppState::run`](crate::AppState::run), which admits
//! by cost.

pub(crate) use crate::picture::off_thread as read;

use crate::ApiError;

/// An index error as clients see it.
pub(crate) fn index_error(error: tesela_index::IndexError) -> ApiError {
    tesela_compute::ComputeError::from(error).into()
}
