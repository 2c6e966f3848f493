//! The query string.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use super::text::shorten;
use crate::{ApiError, ApiResult};

/// Query parameters, names in any case, the first of equal names winning. As OGC services want them.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parameters from pairs.
    pub fn new<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// The value, which may be empty; `None` if the name does not occur.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value without surrounding space; `None` if it is empty or absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The value of the first name that has one: `crs` or `srs`.
    pub fn any(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Refuses names a route does not know, so that a misspelt one is never silently ignored. Names that begin
    /// with `_` pass: clients add them to go round caches.
    ///
    /// # Errors
    /// 400 naming the parameter and those there are.
    pub fn only(&self, known: &[&str]) -> ApiResult<()> {
        let stray = |key: &str| !key.starts_with('_') && !known.iter().any(|k| key.eq_ignore_ascii_case(k));
        match self.0.iter().find(|(key, _)| stray(key)) {
            None => Ok(()),
            Some((key, _)) => Err(ApiError {
                code: "unknown_parameter",
                ..ApiError::parameter(
                    "query",
                    format!("unknown parameter {:?}; known: {}", shorten(key), known.join(", ")),
                )
            }),
        }
    }

    /// Name and value pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_or_else(|_| Self::default(), |q| Self(q.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_the_first_wins() {
        let p = Params::new([("LaYeR", " a "), ("layer", "b"), ("empty", " ")]);
        assert_eq!(p.get("LAYER"), Some("a"));
        assert_eq!((p.get("empty"), p.raw("empty")), (None, Some(" ")));
        assert_eq!(p.any(&["srs", "layer"]), Some("a"));
        assert_eq!(p.raw("style"), None);
    }

    #[test]
    fn unknown_names_are_refused_by_name() {
        let p = Params::new([("Datetime", "2024"), ("_", "17")]);
        assert!(p.only(&["datetime"]).is_ok());
        let e = p.only(&["style"]).unwrap_err();
        assert!(e.detail.contains("Datetime") && e.detail.contains("style"), "{}", e.detail);
    }
}
