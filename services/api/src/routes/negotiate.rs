//! Which form of an answer a client wants: `f`, else `Accept`.

use axum::http::{HeaderMap, header};

use super::query::Query;
use crate::ApiResult;

/// A form that a route can answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/json`
    Json,
    /// `application/geo+json`
    GeoJson,
    /// `text/csv`
    Csv,
    /// `text/html`
    Html,
}

impl Form {
    /// The word of the `f` parameter.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::GeoJson => "geojson",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    /// The media type without parameters.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::Csv => "text/csv",
            Self::Html => "text/html",
        }
    }
}

/// Chooses among the forms a route offers, its own first: by `f`, else by `Accept`. A client that accepts none
/// of them gets the first, as RFC 9110 allows: a browser may open any JSON address.
///
/// # Errors
/// 400 when `f` names another form.
pub(crate) fn form_of(query: &Query, headers: &HeaderMap, offered: &[Form]) -> ApiResult<Form> {
    let words: Vec<&'static str> = offered.iter().map(|form| form.word()).collect();
    if let Some(word) = query.word("f", &words)? {
        return Ok(offered.iter().copied().find(|form| form.word() == word).unwrap_or(offered[0]));
    }
    let accept = accepted(headers);
    let mut best = (0.0, offered[0]);
    for form in offered {
        let quality = quality(&accept, form.media_type());
        if quality > best.0 {
            best = (quality, *form);
        }
    }
    Ok(best.1)
}

/// The `Accept` header on one line; empty when absent.
fn accepted(headers: &HeaderMap) -> String {
    let lines: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    lines.join(",")
}

/// Weight of a media type in an `Accept` header, 0 to 1; the most specific range counts.
fn quality(accept: &str, media_type: &str) -> f32 {
    let family = media_type.split('/').next().unwrap_or_default();
    let mut found = (0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let rank = if name.eq_ignore_ascii_case(media_type) {
            3
        } else if name.strip_suffix("/*").is_some_and(|f| f.eq_ignore_ascii_case(family)) {
            2
        } else if name == "*/*" {
            1
        } else {
            continue;
        };
        let weight = parts
            .find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")))
            .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0));
        if rank > found.0 {
            found = (rank, weight);
        }
    }
    found.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(query: &str, accept: &str) -> ApiResult<Form> {
        let parsed = Query::of(&format!("/?{query}").parse().unwrap(), &["f"]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        form_of(&parsed, &headers, &[Form::Json, Form::Html, Form::Csv])
    }

    #[test]
    fn browsers_get_html_and_programs_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(chosen("", browser).unwrap(), Form::Html);
        for accept in
            ["*/*", "", "application/json", "application/json, text/html;q=0.5", "image/png", "text/html;q=0"]
        {
            assert_eq!(chosen("", accept).unwrap(), Form::Json, "{accept}");
        }
        assert_eq!(chosen("", "text/csv").unwrap(), Form::Csv);
        assert_eq!(chosen("f=csv", browser).unwrap(), Form::Csv);
        assert!(chosen("f=xml", browser).is_err());
    }
}
