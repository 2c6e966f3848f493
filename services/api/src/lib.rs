//! HTTP: every protocol is a translation into `PixelQuery` and its kin.
//!
//! | module | idea |
//! |---|---|
//! | [`state`] | what handlers share: the cube, caches, admission |
//! | [`error`] | one error type for JSON routes: RFC 9457 problem documents |
//! | [`request`] | language, times, boxes and snapshots as clients write them |
//! | [`picture`] | from a query and a style to encoded bytes, off the async threads |
//! | [`routes`] | one file a protocol |

pub mod error;
pub mod picture;
pub mod request;
pub mod routes;
pub mod state;

pub use error::{ApiError, ApiResult};
pub use routes::{openapi_document, router};
pub use state::{AppState, ServeConfig};
