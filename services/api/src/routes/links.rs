//! Links of OGC documents.

use axum::http::HeaderMap;
use serde::Serialize;

use crate::AppState;
use crate::request::BaseUrl;

/// A link as OGC API documents write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    /// Address.
    pub(crate) href: String,
    /// Relation.
    pub(crate) rel: &'static str,
    /// Media type.
    #[serde(rename = "type")]
    pub(crate) media_type: &'static str,
    /// For people.
    pub(crate) title: String,
    /// Whether the address holds `{variables}`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) templated: bool,
}

/// Makes links below the server's public address.
#[derive(Debug, Clone)]
pub(crate) struct Links(BaseUrl);

impl Links {
    /// Below the address the client called.
    pub(crate) fn of(app: &AppState, headers: &HeaderMap) -> Self {
        Self(BaseUrl::of(&app.config, headers))
    }

    /// An absolute address; `path` starts with a slash.
    pub(crate) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// A link; `path` starts with a slash.
    pub(crate) fn link(
        &self,
        rel: &'static str,
        media_type: &'static str,
        path: &str,
        title: impl Into<String>,
    ) -> Link {
        let templated = path.contains('{');
        Link { href: self.href(path), rel, media_type, title: title.into(), templated }
    }
}

/// Percent-encodes one segment of a path or one value of a query; `@` stays readable.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn segments_are_encoded() {
        assert_eq!(encoded("manzanas@2020"), "manzanas@2020");
        assert_eq!(encoded("a/b ñ?"), "a%2Fb%20%C3%B1%3F");
    }
}
