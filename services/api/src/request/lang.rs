//! Languages: a request's is taken from `lang`, then `Accept-Language`, then Spanish.
//!
//! The server's own texts are the files in `i18n/`; a language is one file. Titles of products, styles and
//! bands are in their definitions and may know more or fewer languages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use rust_embed::RustEmbed;
use tesela_grid::Titles;

/// The language of a request that names none.
const DEFAULT: &str = "es";
/// Tried in this order where a text lacks the language asked for.
const FALLBACK: [&str; 2] = ["es", "en"];

#[derive(RustEmbed)]
#[folder = "i18n/"]
struct Files;

type Texts = BTreeMap<String, String>;

/// Texts by language code.
static TEXTS: LazyLock<BTreeMap<String, Texts>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|path| {
            let code = path.strip_suffix(".json")?.to_owned();
            let texts = serde_json::from_slice(&Files::get(&path)?.data).ok()?;
            Some((code, texts))
        })
        .collect()
});

/// A language the server has texts in, by ISO 639-1 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lang(&'static str);

impl Default for Lang {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl Lang {
    /// Every language there is.
    pub fn all() -> impl Iterator<Item = Self> {
        TEXTS.keys().map(|code| Self(code))
    }

    /// The language of a code such as `en` or `en-GB`, in any case.
    pub fn of_code(code: &str) -> Option<Self> {
        let primary = code.trim().split(['-', '_']).next()?.to_ascii_lowercase();
        TEXTS.get_key_value(&primary).map(|(code, _)| Self(code))
    }

    /// The language a request wants: `lang`, else the best of `Accept-Language`, else Spanish. Languages
    /// there are no texts in are passed over.
    pub fn negotiate(lang: Option<&str>, headers: &HeaderMap) -> Self {
        if let Some(wanted) = lang.and_then(Self::of_code) {
            return wanted;
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.and_then(Self::of_accept_language).unwrap_or_default()
    }

    fn of_accept_language(value: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for entry in value.split(',').take(32) {
            let (code, quality) = entry.split_once(';').unwrap_or((entry, ""));
            let quality = quality.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse().ok());
            let (Some(lang), Some(quality)) = (Self::of_code(code), quality) else { continue };
            if quality > 0.0 && best.is_none_or(|(held, _)| quality > held) {
                best = Some((quality, lang));
            }
        }
        best.map(|(_, lang)| lang)
    }

    /// The code: `es`.
    pub fn code(self) -> &'static str {
        self.0
    }

    /// A title in this language, else in Spanish, English, or whatever there is; empty if there is none.
    pub fn text(self, titles: &Titles) -> &str {
        std::iter::once(self.0)
            .chain(FALLBACK)
            .find_map(|code| titles.get(code))
            .or_else(|| titles.values().next())
            .map_or("", String::as_str)
    }

    /// A title in this language, or the name of what it is a title of.
    pub fn text_or<'t>(self, titles: &'t Titles, name: &'t str) -> &'t str {
        Some(self.text(titles)).filter(|text| !text.is_empty()).unwrap_or(name)
    }

    /// One of the server's own texts; the key itself where no language has it.
    pub fn say(self, key: &'static str) -> &'static str {
        std::iter::once(self.0)
            .chain(FALLBACK)
            .find_map(|code| TEXTS.get(code)?.get(key))
            .map_or(key, String::as_str)
    }

    /// A title with the mark of generated data, if it is generated.
    pub fn marked(self, title: &str, synthetic: bool) -> Cow<'_, str> {
        if synthetic {
            Cow::Owned(format!("{title} {}", self.say("synthetic_mark")))
        } else {
            Cow::Owned(title.to_owned())
        }
    }
}

impl std::fmt::Display for Lang {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lang: Option<&str>, accept: &str) -> &'static str {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        }
        Lang::negotiate(lang, &headers).code()
    }

    #[test]
    fn the_parameter_wins_then_the_header_then_spanish() {
        assert_eq!(chosen(None, ""), "es");
        assert_eq!(chosen(None, "*"), "es");
        assert_eq!(chosen(Some("en"), "es-MX"), "en");
        assert_eq!(chosen(Some("EN-us"), ""), "en");
        assert_eq!(chosen(Some("xx"), "en"), "en");
        assert_eq!(chosen(None, "fr, en;q=0.8, es;q=0.5"), "en");
        assert_eq!(chosen(None, "fr, en;q=0.5, es-MX;q=0.9"), "es");
        assert_eq!(chosen(None, "en;q=0, de"), "es");
        assert_eq!(chosen(None, "en;q=x,,;;q=1"), "es");
    }

    #[test]
    fn titles_fall_back_to_any_language() {
        let titles = |pairs: &[(&str, &str)]| -> Titles {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let en = Lang::of_code("en").unwrap();
        assert_eq!(en.text(&titles(&[("en", "Red"), ("es", "Rojo")])), "Red");
        assert_eq!(en.text(&titles(&[("es", "Rojo")])), "Rojo");
        assert_eq!(en.text(&titles(&[("nah", "Chichiltic")])), "Chichiltic");
        assert_eq!(en.text_or(&titles(&[]), "red"), "red");
    }

    #[test]
    fn every_language_has_every_text() {
        let english: Vec<_> = TEXTS["en"].keys().collect();
        assert!(english.len() > 10);
        for lang in Lang::all() {
            assert_eq!(TEXTS[lang.code()].keys().collect::<Vec<_>>(), english, "{lang}");
        }
    }
}
