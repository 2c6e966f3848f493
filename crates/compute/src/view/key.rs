//! What a client's key names. A key only ever looks things up: it never becomes part of a path.

use std::sync::Arc;

use super::{View, ViewArray};

/// Longest key that can name anything, bytes.
const LONGEST: usize = 512;

/// What a key names.
pub(super) enum Named<'v> {
    /// Metadata, or a coordinate.
    Document(&'v Arc<[u8]>),
    /// The chunk `[t, y, x]` of a data array; inside its chunk grid.
    Chunk(&'v ViewArray, [u64; 3]),
}

impl View {
    pub(super) fn named(&self, key: &str) -> Option<Named<'_>> {
        if let Some(document) = self.documents.get(key) {
            return Some(Named::Document(document));
        }
        let (path, chunk) = split(key)?;
        let array = self.arrays.get(path)?;
        let inside = (0..3).all(|i| chunk[i] < array.spec.shape[i].div_ceil(array.chunk[i]));
        inside.then_some(Named::Chunk(array, chunk))
    }
}

/// `overviews/1/red/c/0/2/3` is `overviews/1/red` and `[0, 2, 3]`.
fn split(key: &str) -> Option<(&str, [u64; 3])> {
    if key.len() > LONGEST {
        return None;
    }
    let (rest, x) = key.rsplit_once('/')?;
    let (rest, y) = rest.rsplit_once('/')?;
    let (rest, t) = rest.rsplit_once('/')?;
    let path = rest.strip_suffix("/c")?;
    Some((path, [number(t)?, number(y)?, number(x)?]))
}

/// A number as Zarr writes it: digits alone, and no zero before others.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::split;

    #[test]
    fn keys_are_an_array_and_three_numbers() {
        assert_eq!(split("red/c/0/2/30"), Some(("red", [0, 2, 30])));
        assert_eq!(split("overviews/1/red/c/0/2/3"), Some(("overviews/1/red", [0, 2, 3])));
        assert_eq!(split("red/c/18446744073709551615/0/0"), Some(("red", [u64::MAX, 0, 0])));
        let long = format!("{}/c/0/0/0", "a".repeat(600));
        for nothing in [
            "",
            "red",
            "/",
            "c/0/0/0",
            "red/c",
            "red/c/0",
            "red/c/0/0",
            "red/c/0/0/",
            "red/c/0/0/0/",
            "red/c/0//0",
            "red/c/-1/0/0",
            "red/c/+1/0/0",
            "red/c/00/0/0",
            "red/c/01/0/0",
            "red/c/1e3/0/0",
            "red/c/ 1/0/0",
            "red/c/٣/0/0",
            "red/c/0x1/0/0",
            "red/c/18446744073709551616/0/0",
            "red/c/99999999999999999999999999/0/0",
            "red/d/0/0/0",
            "red/c/0/0/../0",
            "../../etc/passwd",
            long.as_str(),
        ] {
            assert_eq!(split(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9/.c%-]{0,40}|.{0,40}") {
            if let Some((path, [t, y, x])) = split(&text) {
                prop_assert_eq!(text.clone(), format!("{path}/c/{t}/{y}/{x}"));
            }
        }
    }
}
