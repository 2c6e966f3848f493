//! `/zarr/{product}@{snapshot}/…`: a product as one Zarr v3 group, key by key.
//!
//! Listing is not needed: the metadata is consolidated. What is not there is 404, which readers take for a chunk of
//! nothing but fill.
//!
//! Without `@{snapshot}` each request is answered at the latest snapshot there is. A reader that opened the group before
//! a commit and reads on after it would then take pixels of one snapshot by the axes of another, and no request says
//! which it opened. So `/zarr/{product}` itself leads to the address of the latest snapshot, which never changes.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tesela_compute::Cube;

use super::reply::SNAPSHOT_HEADER;
use crate::picture::http::{if_none_match, insert, is_current};
use crate::picture::off_thread;
use crate::request::range::{Wanted, wanted};
use crate::request::text::shorten;
use crate::request::{BaseUrl, Params};
use crate::{ApiError, ApiResult, AppState};

/// Metadata of the group itself.
const ROOT: &str = "zarr.json";

/// The routes of this file.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/zarr/{product}", get(root)).route("/zarr/{product}/{*key}", get(key))
}

async fn root(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    method: Method,
    params: Params,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Path(name) = path.map_err(|e| bad_path(&e))?;
    params.only(&[])?;
    let (product, snapshot) = pinned(&name);
    if snapshot.is_some() {
        return answer(state, name, ROOT.to_owned(), method, headers).await;
    }
    let base = BaseUrl::of(&state.config, &headers);
    let product = product.to_owned();
    let (product, snapshot) = off_thread(&state, move |cube| {
        let catalog = cube.catalog()?;
        let snapshot = cube.view(&product, Some(catalog.snapshot))?.snapshot();
        Ok((product, snapshot))
    })
    .await?;
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    insert(response.headers_mut(), header::LOCATION, &format!("{base}/zarr/{product}@{snapshot}"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(SNAPSHOT_HEADER, HeaderValue::from(snapshot));
    Ok(response)
}

async fn key(
    State(state): State<AppState>,
    path: Result<Path<[String; 2]>, PathRejection>,
    method: Method,
    params: Params,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Path([name, key]) = path.map_err(|e| bad_path(&e))?;
    params.only(&[])?;
    answer(state, name, key, method, headers).await
}

/// What a key's answer is made of.
struct Answer {
    snapshot: u64,
    etag: String,
    /// `None` when the client has it already.
    body: Option<(Wanted, u64, Vec<u8>)>,
}

async fn answer(
    state: AppState,
    name: String,
    key: String,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (_, snapshot) = pinned(&name);
    let is_document = !key.contains("/c/");
    let content_type = if key.ends_with(ROOT) { "application/json" } else { "application/octet-stream" };
    let request = headers.clone();
    let head = method == Method::HEAD;
    let work = move |cube: &Cube| read(cube, &name, &key, &request, head);
    // Chunks are pixel work, and wait their turn.
    let found = if is_document { off_thread(&state, work).await? } else { state.run(work).await? };

    let mut response = match found.body {
        None => StatusCode::NOT_MODIFIED.into_response(),
        Some((Wanted::Nothing, size, _)) => {
            let mut refused = ApiError {
                status: StatusCode::RANGE_NOT_SATISFIABLE,
                code: "range_not_satisfiable",
                detail: format!("there are {size} bytes"),
                parameter: None,
            }
            .into_response();
            insert(refused.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{size}"));
            refused
        }
        Some((range, size, bytes)) => {
            let len = match &range {
                Wanted::Part(range) => range.end - range.start,
                _ => size,
            };
            let mut response = Response::new(bytes.into());
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(len));
            if let Wanted::Part(range) = range {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                insert(response.headers_mut(), header::CONTENT_RANGE, &text);
            }
            response
        }
    };
    let cache = if snapshot.is_some() { "public, max-age=86400" } else { "no-cache" };
    let headers = response.headers_mut();
    insert(headers, header::ETAG, &found.etag);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(SNAPSHOT_HEADER, HeaderValue::from(found.snapshot));
    Ok(response)
}

/// Finds a key and reads what is wanted of it; a `HEAD` reads nothing.
fn read(cube: &Cube, name: &str, key: &str, headers: &HeaderMap, head: bool) -> ApiResult<Answer> {
    let (product, snapshot) = pinned(name);
    let view = cube.view(product, snapshot)?;
    let snapshot = view.snapshot();
    let etag = format!("\"{}\"", view.tag(key));
    let no_such_key = || ApiError::not_found("no_such_key", format!("{product} has no {:?}", shorten(key)));
    let object = cube.view_object(&view, key)?.ok_or_else(no_such_key)?;
    if is_current(if_none_match(headers).as_deref(), &etag) {
        return Ok(Answer { snapshot, etag, body: None });
    }
    let size = object.size;
    // A HEAD is of the whole, whatever its Range.
    let range = if head { Wanted::All } else { wanted(headers, &etag, size) };
    let bytes = match &range {
        Wanted::All if !head => cube.view_bytes(object, 0..size)?,
        Wanted::Part(part) => cube.view_bytes(object, part.clone())?,
        _ => Vec::new(),
    };
    Ok(Answer { snapshot, etag, body: Some((range, size, bytes)) })
}

/// `product@7` is a product and the snapshot to read it at.
fn pinned(name: &str) -> (&str, Option<u64>) {
    match name.rsplit_once('@').map(|(product, n)| (product, n.parse())) {
        Some((product, Ok(n))) => (product, Some(n)),
        _ => (name, None),
    }
}

fn bad_path(rejection: &PathRejection) -> ApiError {
    ApiError::parameter("path", rejection.body_text())
}

#[cfg(test)]
mod tests {
    use super::pinned;

    #[test]
    fn a_snapshot_stands_behind_the_product() {
        assert_eq!(pinned("ndvi@7"), ("ndvi", Some(7)));
        assert_eq!(pinned("a@b@0"), ("a@b", Some(0)));
        for name in ["ndvi", "ndvi@", "ndvi@-1", "ndvi@x", "ndvi@99999999999999999999999"] {
            assert_eq!(pinned(name), (name, None));
        }
    }
}
