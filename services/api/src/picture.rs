//! From a query and a style to encoded bytes, one way for every protocol.
//!
//! XYZ, WMTS and WMS each write a [`PictureRequest`]; [`picture`] answers it:
//! 1. products, styles and times are looked up in the index;
//! 2. what decides the bytes is hashed: that is the `ETag`, and a client that has it is told so;
//! 3. the hash is looked up among the pictures kept in memory;
//! 4. else pixels are read, painted and encoded, off the async threads.
//!
//! | module | idea |
//! |---|---|
//! | [`tiles`] | tile matrix sets and addresses of tiles |
//! | [`request`] | what is asked |
//! | [`resolve`] | names to products, styles and moments |
//! | [`info_format`] | the values under one pixel as JSON, text and HTML |
//! | [`key`] | what decides the bytes, hashed |
//! | [`cache`] | bounded memories of pictures, times and documents |
//! | [`paint`] | values to colours to bytes |
//! | [`http`] | headers, 304 and 204 |
//! | [`layer`] | products as map layers: titles, dates, styles, boxes |
//! | [`legend`] | legends |
//! | [`point`] | the values under one pixel |

pub mod cache;
pub mod http;
pub mod info_format;
pub mod key;
pub mod layer;
pub mod legend;
pub mod paint;
pub mod point;
pub mod request;
pub mod resolve;
pub mod tiles;

use std::sync::Arc;

use axum::body::Bytes;
use tesela_compute::{Catalog, Cube};

pub use request::{ImageFormat, PictureLayer, PictureRequest};
use resolve::{Resolved, is_at_hand, resolve};

use crate::{ApiError, ApiResult, AppState};

/// An answered [`PictureRequest`].
#[derive(Debug, Clone)]
pub struct PictureResponse {
    /// The file; `None` if the client's copy is current.
    pub bytes: Option<Bytes>,
    /// Its media type.
    pub content_type: &'static str,
    /// Entity tag, quotes included.
    pub etag: String,
    /// Which time it shows: `2024-01-01T00:00:00Z`.
    pub datetime: String,
    /// The snapshot it was read at.
    pub snapshot: u64,
    /// Whether it shows nothing at all.
    pub empty: bool,
    /// Whether the snapshot was asked for by number, so that the answer never changes.
    pub pinned: bool,
}

/// Answers a request for a picture.
///
/// # Errors
/// 400 and 404 for names and values that mean nothing, 413 for too large a picture, 429 when too much waits.
pub async fn picture(state: &AppState, request: PictureRequest) -> ApiResult<PictureResponse> {
    check_size(state, &request)?;
    let (request, resolved) = if is_at_hand(&state.cube, &request) {
        let resolved = resolve(&state.cube, &request)?;
        (request, resolved)
    } else {
        off_thread(state, move |cube| {
            let resolved = resolve(cube, &request)?;
            Ok((request, resolved))
        })
        .await?
    };
    let key = key::of(&resolved, &request);
    let etag = key::etag(&key);
    let mut response = PictureResponse {
        bytes: None,
        content_type: request.format.content_type(),
        datetime: resolved.datetime().to_owned(),
        snapshot: resolved.snapshot,
        empty: false,
        pinned: request.snapshot.is_some(),
        etag,
    };
    if http::is_current(request.if_none_match.as_deref(), &response.etag) {
        return Ok(response);
    }
    let painted = match cache::pictures().get(&key) {
        Some(kept) => kept,
        None => {
            let work = move |cube: &Cube| {
                // Equal requests at the same time are painted once.
                cache::pictures()
                    .try_get_with(key, || paint::paint(cube, &resolved, &request))
                    .map_err(|shared| (*shared).clone())
            };
            state.run(work).await?
        }
    };
    response.empty = painted.empty;
    response.bytes = Some(painted.bytes);
    Ok(response)
}

fn check_size(state: &AppState, request: &PictureRequest) -> ApiResult<()> {
    let (width, height, max) = (request.target.width, request.target.height, state.config.max_picture_px);
    if width == 0 || height == 0 {
        return Err(ApiError::parameter("width", "a picture has at least one column and one row"));
    }
    if width > max || height > max {
        return Err(ApiError::too_large(format!(
            "a picture of {width} x {height} px is too large; at most {max} x {max}"
        )));
    }
    Ok(())
}

/// What the cube offers now: what is kept, else read off the async threads.
///
/// # Errors
/// Those of the index.
pub async fn catalog(state: &AppState) -> ApiResult<Arc<Catalog>> {
    match state.cube.catalog_at_hand() {
        Some(catalog) => Ok(catalog),
        None => off_thread(state, |cube| Ok(cube.catalog()?)).await,
    }
}

/// Runs look-ups in the index off the async threads; they are short and wait for nobody.
///
/// # Errors
/// Whatever the work returns; 500 if it panics.
pub async fn off_thread<T, F>(state: &AppState, work: F) -> ApiResult<T>
where
    T: Send + 'static,
    F: FnOnce(&Cube) -> ApiResult<T> + Send + 'static,
{
    let cube = state.cube.clone();
    tokio::task::spawn_blocking(move || work(&cube)).await.map_err(|e| ApiError::internal(&e))?
}

impl Resolved {
    /// The time of the lowest layer.
    fn datetime(&self) -> &str {
        self.layers.first().map_or("", |layer| &layer.moment.datetime)
    }
}
