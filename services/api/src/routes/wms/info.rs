//! `GetFeatureInfo`.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::error::Exception;
use super::map::{layers, map_request};
use super::version::Version;
use crate::AppState;
use crate::picture::PictureLayer;
use crate::picture::http::{DATETIME, SNAPSHOT, insert};
use crate::picture::info_format::InfoFormat;
use crate::picture::point::{PointRequest, read};
use crate::request::text::shorten;
use crate::request::{Lang, Params};

/// Answers `GetFeatureInfo`.
pub(super) async fn get_feature_info(
    state: &AppState,
    params: &Params,
    headers: &HeaderMap,
    version: Version,
) -> Result<Response, Exception> {
    let lang = Lang::negotiate(params.any(&["lang", "language"]), headers);
    let format = format(params)?;
    let queried = queried(params)?;
    let request = map_request(state, params, version, queried)?;
    let [columns, rows] = version.pixel_parameters();
    let col = pixel(params, columns, request.target.width)?;
    let row = pixel(params, rows, request.target.height)?;
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

/// The layers of `QUERY_LAYERS`, each in the style the map has it in.
fn queried(params: &Params) -> Result<Vec<PictureLayer>, Exception> {
    let map = layers(params)?;
    let names = params.get("query_layers").ok_or_else(|| Exception::missing("QUERY_LAYERS"))?;
    let one = |name: &str| {
        let name = name.trim();
        map.iter().find(|layer| layer.product == name).cloned().ok_or_else(|| {
            let text = format!("layer {:?} is not among the map's", shorten(name));
            Exception::new(Some("LayerNotDefined"), Some("QUERY_LAYERS"), text)
        })
    };
    names.split(',').take(super::map::LAYER_LIMIT).map(one).collect()
}

fn pixel(params: &Params, names: [&'static str; 2], side: usize) -> Result<usize, Exception> {
    let text = params.any(&names).unwrap_or_default();
    text.parse().ok().filter(|n| *n < side).ok_or_else(|| {
        let name = names[0];
        let text = format!("{name} {:?} is not a pixel of the map, 0 to {}", shorten(text), side - 1);
        Exception::new(Some("InvalidPoint"), Some(name), text)
    })
}

/// The form of the answer; text if none is named.
fn format(params: &Params) -> Result<InfoFormat, Exception> {
    let text = params.get("info_format").unwrap_or(InfoFormat::Text.media_type());
    InfoFormat::of_media_type(text).ok_or_else(|| {
        let known = InfoFormat::ALL.map(InfoFormat::media_type).join(", ");
        let text = format!("info_format {:?} is none of {known}", shorten(text));
        Exception::new(Some("InvalidFormat"), Some("INFO_FORMAT"), text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_in_the_map() {
        let at = |value: &str| pixel(&Params::new([("i", value)]), ["I", "X"], 64);
        assert_eq!(at("63").unwrap(), 63);
        for bad in ["64", "-1", "9999", "x", ""] {
            assert_eq!(at(bad).unwrap_err().code, Some("InvalidPoint"), "{bad}");
        }
        assert_eq!(pixel(&Params::new([("x", "3")]), ["I", "X"], 64).unwrap(), 3);
    }

    #[test]
    fn layers_to_ask_are_of_the_map_in_its_styles() {
        let of =
            |q: &str| queried(&Params::new([("layers", "a,b"), ("styles", ",ndvi"), ("query_layers", q)]));
        assert_eq!(of("b").unwrap()[0].style, "ndvi");
        assert_eq!(of("b,a").unwrap().len(), 2);
        assert_eq!(of("bogus").unwrap_err().code, Some("LayerNotDefined"));
    }
}
