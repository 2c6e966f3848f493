//! The values under one pixel as JSON, text and HTML.

use askama::Template;

use super::point::{PointAnswer, geojson, text};
use crate::request::Lang;
use crate::{ApiError, ApiResult};

/// A form of `GetFeatureInfo` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InfoFormat {
    /// GeoJSON under the media type most clients know.
    Json,
    /// GeoJSON under its own media type.
    GeoJson,
    /// Lines `name = value unit`.
    Text,
    /// A table.
    Html,
}

#[derive(Template)]
#[template(path = "feature_info.html")]
struct Page<'a> {
    lang: &'a Lang,
    answers: &'a [PointAnswer],
}

impl InfoFormat {
    /// Every form there is.
    pub const ALL: [Self; 4] = [Self::Json, Self::GeoJson, Self::Text, Self::Html];

    /// By media type, in any case.
    pub fn of_media_type(text: &str) -> Option<Self> {
        let wanted = text.split(';').next()?.trim();
        Self::ALL.into_iter().find(|format| format.media_type().eq_ignore_ascii_case(wanted))
    }

    /// By file extension.
    pub fn of_extension(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension().eq_ignore_ascii_case(text))
    }

    /// Media type as advertised.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::Text => "text/plain",
            Self::Html => "text/html",
        }
    }

    /// Media type as sent.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Json | Self::GeoJson => self.media_type(),
        }
    }

    /// File extension in REST addresses.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::GeoJson => "geojson",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    /// Answers in this form.
    ///
    /// # Errors
    /// 500 if the page cannot be written.
    pub fn write(self, answers: &[PointAnswer], lang: Lang) -> ApiResult<String> {
        match self {
            Self::Json | Self::GeoJson => Ok(geojson(answers).to_string()),
            Self::Text => Ok(text(answers, lang)),
            Self::Html => Page { lang: &lang, answers }.render().map_err(|e| ApiError::internal(&e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::point::tests::answer;

    #[test]
    fn formats_are_found_by_type_and_extension() {
        assert_eq!(InfoFormat::of_media_type("Text/HTML; charset=utf-8"), Some(InfoFormat::Html));
        assert_eq!(InfoFormat::of_extension("geojson"), Some(InfoFormat::GeoJson));
        assert_eq!(InfoFormat::of_media_type("bogus/bogus"), None);
    }

    #[test]
    fn html_is_escaped() {
        let page = InfoFormat::Html.write(&[answer()], Lang::default()).unwrap();
        assert!(page.contains("Geomediana &#60;anual&#62;") && !page.contains("<anual>"), "{page}");
        assert!(page.contains("0.1055"));
    }
}
