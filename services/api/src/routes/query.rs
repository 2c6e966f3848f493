//! Query strings and paths as JSON routes read them: decoded strictly, every name checked.

use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use tesela_crs::lon_lat_bounds;
use tesela_grid::BoundingBox;
use tesela_model::TimeSelector;

use crate::request::text::shorten;
use crate::request::{space, time};
use crate::{ApiError, ApiResult};

/// The parameters of one request, in the order given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string in which only `known` names may stand, each once, and names that start with `_`.
    ///
    /// # Errors
    /// 400 for broken percent-encoding, text that is not UTF-8, an unknown name or one given twice.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> ApiResult<Self> {
        let params = Self::any(uri)?;
        for (i, (name, _)) in params.pairs.iter().enumerate() {
            if name.starts_with('_') {
                continue; // clients add such names to go round caches
            }
            if !known.contains(&name.as_str()) {
                let names = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(bad(
                    "unknown_parameter",
                    format!("unknown parameter {:?}; this address takes: {names}", shorten(name)),
                ));
            }
            if params.pairs[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(bad("repeated_parameter", format!("parameter {name} is given twice")));
            }
        }
        Ok(params)
    }

    /// Reads a query string whatever its names.
    ///
    /// # Errors
    /// 400 for broken percent-encoding or text that is not UTF-8.
    pub(crate) fn any(uri: &Uri) -> ApiResult<Self> {
        let query = uri.query().unwrap_or_default();
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decoded(name)?, decoded(value)?))
            })
            .collect::<ApiResult<_>>()?;
        Ok(Self { pairs })
    }

    /// A parameter's text; `None` when absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(given, _)| given == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// A finite number.
    ///
    /// # Errors
    /// 400 names the parameter.
    pub(crate) fn number(&self, name: &'static str) -> ApiResult<Option<f64>> {
        self.text(name).map(|text| finite(name, text)).transpose()
    }

    /// A whole number within a range.
    ///
    /// # Errors
    /// 400 names the parameter and the range.
    pub(crate) fn integer(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> ApiResult<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().ok().filter(|n| range.contains(n)).map(Some).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            let expected = if *high == u64::MAX {
                format!("a whole number from {low}")
            } else {
                format!("a whole number from {low} to {high}")
            };
            ApiError::parameter(name, format!("{name} must be {expected}, got {:?}", shorten(text)))
        })
    }

    /// A list of names separated by commas; `None` when absent.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.text(name)?;
        Some(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect())
    }

    /// One of a few words.
    ///
    /// # Errors
    /// 400 lists the words.
    pub(crate) fn word(&self, name: &'static str, words: &[&'static str]) -> ApiResult<Option<&'static str>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied().map(Some).ok_or_else(|| {
            ApiError::parameter(
                name,
                format!("{name} must be one of {}, got {:?}", words.join(", "), shorten(text)),
            )
        })
    }

    /// `snapshot`.
    ///
    /// # Errors
    /// 400 when it is not a whole number.
    pub(crate) fn snapshot(&self) -> ApiResult<Option<u64>> {
        time::snapshot(self.text("snapshot"))
    }

    /// `datetime`; the latest when absent.
    ///
    /// # Errors
    /// 400 with the accepted forms.
    pub(crate) fn datetime(&self) -> ApiResult<TimeSelector> {
        time::datetime(self.text("datetime"))
    }

    /// `bbox` in `bbox-crs` (longitude and latitude unless given), as longitude and latitude; west above east
    /// where it crosses the 180th meridian.
    ///
    /// # Errors
    /// 400 for anything that is not a box.
    pub(crate) fn bbox(&self) -> ApiResult<Option<BoundingBox>> {
        let Some(text) = self.text("bbox") else { return Ok(None) };
        let (crs, bounds) = space::bbox(text, self.text("bbox-crs"))?;
        let outside =
            || ApiError::parameter("bbox", "bbox lies where bbox-crs has no longitude and latitude");
        let found = if bounds.x_min <= bounds.x_max {
            lon_lat_bounds(&crs, &bounds)
        } else {
            // Degrees of some datum that pass 180: either side by itself.
            let west = lon_lat_bounds(&crs, &BoundingBox { x_max: 180.0, ..bounds });
            let east = lon_lat_bounds(&crs, &BoundingBox { x_min: -180.0, ..bounds });
            west.zip(east)
                .map(|(w, e)| BoundingBox::new(w.x_min, w.y_min.min(e.y_min), e.x_max, w.y_max.max(e.y_max)))
        };
        found.map(Some).ok_or_else(outside)
    }
}

fn finite(name: &'static str, text: &str) -> ApiResult<f64> {
    text.parse()
        .ok()
        .filter(|v: &f64| v.is_finite())
        .ok_or_else(|| ApiError::parameter(name, format!("{name} must be numbers, got {:?}", shorten(text))))
}

fn bad(code: &'static str, detail: String) -> ApiError {
    ApiError { status: StatusCode::BAD_REQUEST, code, detail, parameter: None }
}

/// Decodes `application/x-www-form-urlencoded` text: `+` is a space.
fn decoded(text: &str) -> ApiResult<String> {
    let broken =
        || bad("broken_encoding", format!("the query is not percent-encoded UTF-8: {:?}", shorten(text)));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let (Some(high), Some(low)) = (high, low) else { return Err(broken()) };
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

/// The decoded segments of a path, in order: `[set, key]` of `/v1/zones/{set}/items/{key}/series`.
#[derive(Debug, Clone)]
pub(crate) struct Segments<const N: usize>(pub(crate) [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Segments<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let broken = || bad("broken_encoding", "the path is not percent-encoded UTF-8".into());
        RawPathParams::from_request_parts(parts, state).await.map_err(|_| broken())?;
        let Path(all) = Path::<Vec<String>>::from_request_parts(parts, state).await.map_err(|_| broken())?;
        all.try_into().map(Self).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> ApiResult<Query> {
        Query::of(&format!("/x?{query}").parse().unwrap(), &["bbox", "bbox-crs", "limit", "f", "bands"])
    }

    fn code(query: &str) -> &'static str {
        params(query).unwrap_err().code
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(code("lmit=1"), "unknown_parameter");
        assert_eq!(code("limit=1&limit=2"), "repeated_parameter");
        assert_eq!(code("f=%ff%fe"), "broken_encoding");
        assert_eq!(code("f=%2"), "broken_encoding");
        assert_eq!(params("f=&&").unwrap().text("f"), None);
        assert_eq!(params("bands=a%2Cb,+c").unwrap().list("bands").unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn numbers_keep_to_their_range() {
        assert_eq!(params("limit=7").unwrap().integer("limit", 1..=10).unwrap(), Some(7));
        for text in ["0", "11", "-1", "1.5", "abc", "99999999999999999999999"] {
            let e = params(&format!("limit={text}")).unwrap().integer("limit", 1..=10).unwrap_err();
            assert_eq!((e.status, e.parameter), (StatusCode::BAD_REQUEST, Some("limit")), "{text}");
        }
    }

    #[test]
    fn boxes_come_in_any_crs_and_its_own_axis_order() {
        let read = |q: &str| params(q).unwrap().bbox();
        let lon_lat = BoundingBox::new(-102.5, 21.5, -102.0, 22.0);
        assert_eq!(read("bbox=-102.5,21.5,-102,22").unwrap(), Some(lon_lat));
        assert_eq!(read("bbox=21.5,-102.5,22,-102&bbox-crs=EPSG:4326").unwrap(), Some(lon_lat));
        assert_eq!(read("bbox=-102.5,21.5,0,-102,22,9").unwrap(), Some(lon_lat));
        let metres = read("bbox=-11410247,2452000,-11354588,2512000&bbox-crs=EPSG:3857").unwrap().unwrap();
        assert!((metres.x_min + 102.5).abs() < 1e-3 && (metres.x_max + 102.0).abs() < 1e-3);
        let fiji = read("bbox=60000,-1900000,290000,-1670000&bbox-crs=EPSG:32601").unwrap().unwrap();
        assert!(fiji.x_min > 178.0 && fiji.x_max < -178.0, "{fiji:?}");
        for q in ["bbox=1,2,3", "bbox=a,b,c,d", "bbox=1,2,1,nan", "bbox=1,4,3,2"] {
            assert_eq!(read(q).unwrap_err().parameter, Some("bbox"), "{q}");
        }
        assert_eq!(read("bbox=1,2,3,4&bbox-crs=EPSG:0").unwrap_err().parameter, Some("bbox-crs"));
    }
}
