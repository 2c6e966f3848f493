//! What both encodings become: a tile, or the values under one of its pixels.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tesela_grid::GeoBox;

use super::error::Exception;
use crate::AppState;
use crate::picture::http::{DATETIME, Empty, SNAPSHOT, if_none_match, insert, respond};
use crate::picture::info_format::InfoFormat;
use crate::picture::point::{PointRequest, read};
use crate::picture::tiles::{set, tile};
use crate::picture::{ImageFormat, PictureRequest, catalog, picture};
use crate::request::text::shorten;
use crate::request::{Lang, Params, time, values};

/// A tile's address as a client wrote it.
#[derive(Debug, Clone)]
pub(super) struct TileRequest {
    pub(super) layer: String,
    pub(super) style: String,
    /// `default` and `current` among them; absent is the default.
    pub(super) time: Option<String>,
    pub(super) set: String,
    pub(super) matrix: String,
    pub(super) row: String,
    pub(super) col: String,
    /// Where the parameters outside the standard stand: `snapshot`, `mask`, `resampling`, `lang`.
    pub(super) params: Params,
}

/// Answers `GetTile`.
pub(super) async fn get_tile(
    state: &AppState,
    asked: TileRequest,
    format: ImageFormat,
    headers: &HeaderMap,
) -> Result<Response, Exception> {
    let mut request = asked.picture(state).await?;
    request.format = format;
    request.if_none_match = if_none_match(headers);
    Ok(respond(picture(state, request).await?, Empty::Picture))
}

/// Answers `GetFeatureInfo` for the pixel in column `i` and row `j` of a tile.
pub(super) async fn get_feature_info(
    state: &AppState,
    asked: TileRequest,
    (i, j): (&str, &str),
    format: InfoFormat,
    headers: &HeaderMap,
) -> Result<Response, Exception> {
    let lang = Lang::negotiate(asked.params.get("lang"), headers);
    let request = asked.picture(state).await?;
    let col = pixel("I", i, &request.target)?;
    let row = pixel("J", j, &request.target)?;
    let point = PointRequest {
        time: request.time,
        mask: request.mask,
        snapshot: request.snapshot,
        ..PointRequest::at_pixel(request.layers, &request.target, col, row)
    };
    let answers = state.run(move |cube| read(cube, &point, lang)).await?;
    let mut response = format.write(&answers, lang)?.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    if let Some(answer) = answers.first() {
        headers.insert(SNAPSHOT, HeaderValue::from(answer.snapshot));
        insert(headers, DATETIME, &answer.datetime);
    }
    Ok(response)
}

impl TileRequest {
    /// The picture a tile is.
    async fn picture(self, state: &AppState) -> Result<PictureRequest, Exception> {
        let catalog = catalog(state).await?;
        let product = catalog.product(&self.layer).map_err(crate::ApiError::from)?;
        product.style(&self.style).map_err(crate::ApiError::from)?;
        let target = tile(&set(&catalog, &self.set)?, &self.matrix, &self.row, &self.col)?;
        Ok(PictureRequest {
            time: time::datetime(self.time.as_deref())?,
            mask: values::mask(self.params.get("mask")),
            resampling: values::resampling(self.params.get("resampling"))?,
            snapshot: time::snapshot(self.params.get("snapshot"))?,
            ..PictureRequest::new(&self.layer, &self.style, target)
        })
    }
}

/// A column or row of a tile's pixels.
fn pixel(name: &'static str, text: &str, target: &GeoBox) -> Result<usize, Exception> {
    let last = target.width.saturating_sub(1);
    match text.parse::<i64>() {
        Ok(n) if (0..=last as i64).contains(&n) => Ok(n as usize),
        Ok(n) => {
            let text = format!("{name} is {n}; pixels of a tile are 0 to {last}");
            Err(Exception::new("PointIJOutOfRange", Some(name), text))
        }
        Err(_) => Err(Exception::invalid(name, format!("{name} {:?} is not a whole number", shorten(text)))),
    }
}
