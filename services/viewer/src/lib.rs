//! The map viewer's files, built into the binary: no bundler, no network, nothing to install.
//!
//! The server answers `/` with [`index`] and `/viewer/{path}` with [`asset`]. The languages are the files in
//! `static/i18n`; their list, `i18n/languages.json`, is made here, so that a new language is one new file.

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// Path, below `/viewer/`, of the list of languages.
const LANGUAGES: &str = "i18n/languages.json";

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// One file, ready to be sent.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The body.
    pub bytes: Cow<'static, [u8]>,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Value of `ETag`, quotes included; it changes with the content.
    pub etag: String,
}

/// The file at `path` below `/viewer/`, as `js/main.js`.
pub fn asset(path: &str) -> Option<Asset> {
    if path == LANGUAGES {
        return Some(languages());
    }
    let file = Files::get(path)?;
    let etag =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    Some(Asset { bytes: file.data, content_type: content_type(path), etag: format!("\"{etag}\"") })
}

/// The page to serve at `/`.
pub fn index() -> Asset {
    asset("index.html").unwrap_or_else(|| Asset {
        bytes: Cow::Borrowed(b""),
        content_type: content_type("index.html"),
        etag: "\"\"".to_owned(),
    })
}

/// Codes of the languages there are, as a JSON array.
fn languages() -> Asset {
    let mut codes: Vec<String> = Files::iter()
        .filter_map(|path| Some(path.strip_prefix("i18n/")?.strip_suffix(".json")?.to_owned()))
        .collect();
    codes.sort();
    let quoted: Vec<String> = codes.iter().map(|code| format!("\"{code}\"")).collect();
    Asset {
        bytes: Cow::Owned(format!("[{}]", quoted.join(",")).into_bytes()),
        content_type: content_type(LANGUAGES),
        etag: format!("\"languages-{}\"", codes.join("-")),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        String::from_utf8(asset(path).unwrap_or_else(|| panic!("no {path}")).bytes.into_owned()).unwrap()
    }

    #[test]
    fn every_file_is_served_with_a_type_and_an_etag() {
        for path in Files::iter() {
            let file = asset(&path).unwrap();
            assert!(!file.bytes.is_empty(), "{path}");
            assert!(file.etag.len() > 2 && file.etag.starts_with('"') && file.etag.ends_with('"'), "{path}");
        }
        assert_eq!(asset("js/main.js").unwrap().content_type, "text/javascript; charset=utf-8");
        assert!(index().bytes.starts_with(b"<!doctype html>"));
        assert_ne!(asset("js/main.js").unwrap().etag, asset("js/map.js").unwrap().etag);
    }

    #[test]
    fn unknown_and_climbing_paths_have_no_file() {
        for path in ["", "js", "js/none.js", "../Cargo.toml", "js/../../Cargo.toml", "/etc/passwd"] {
            assert!(asset(path).is_none(), "{path}");
        }
    }

    #[test]
    fn languages_are_the_files_and_have_the_same_texts() {
        let codes = text(LANGUAGES);
        assert!(codes.starts_with('[') && codes.contains("\"en\"") && codes.contains("\"es\""), "{codes}");
        let keys = |path: &str| -> Vec<String> {
            text(path)
                .lines()
                .filter_map(|line| Some(line.trim().strip_prefix('"')?.split_once("\": ")?.0.to_owned()))
                .collect()
        };
        let english = keys("i18n/en.json");
        assert!(english.len() > 50);
        for path in Files::iter().filter(|path| path.starts_with("i18n/")) {
            assert_eq!(keys(&path), english, "{path}");
        }
    }

    #[test]
    fn modules_and_styles_that_are_named_exist() {
        for path in Files::iter().filter(|path| path.starts_with("js/")) {
            for name in text(&path).split("from './").skip(1).filter_map(|rest| rest.split('\'').next()) {
                assert!(asset(&format!("js/{name}")).is_some(), "{path} imports {name}");
            }
        }
        for name in text("index.html").split("=\"viewer/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(asset(name).is_some(), "index.html names {name}");
        }
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for path in Files::iter().filter(|path| !path.starts_with("vendor/") && !path.ends_with(".svg")) {
            let body = text(&path).replace("http://www.w3.org/2000/svg", "");
            assert!(!body.contains("http://") && !body.contains("https://"), "{path}");
        }
    }
}
