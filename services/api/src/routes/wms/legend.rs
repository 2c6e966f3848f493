//! `GetLegendGraphic`.

use axum::http::HeaderMap;
use axum::response::Response;

use super::error::Exception;
use crate::AppState;
use crate::picture::http::respond_document;
use crate::picture::{ImageFormat, legend, off_thread};
use crate::request::text::shorten;
use crate::request::{Lang, Params};

/// Answers `GetLegendGraphic`.
pub(super) async fn get_legend_graphic(
    state: &AppState,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, Exception> {
    if let Some(text) = params.get("format").filter(|text| ImageFormat::of(text) != Some(ImageFormat::Png)) {
        let text = format!("format {:?} is not image/png", shorten(text));
        return Err(Exception::new(Some("InvalidFormat"), Some("FORMAT"), text));
    }
    let lang = Lang::negotiate(params.any(&["lang", "language"]), headers);
    let layer = params.any(&["layer", "layers"]).ok_or_else(|| Exception::missing("LAYER"))?.to_owned();
    let style = params.any(&["style", "styles"]).unwrap_or_default().to_owned();
    let (snapshot, drawn) =
        off_thread(state, move |cube| legend::of_style(&*cube.catalog()?, &layer, &style, lang)).await?;
    Ok(respond_document(drawn, "image/png", snapshot, headers))
}
