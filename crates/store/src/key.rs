use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Names starting so are staged writes, never objects.
pub(crate) const STAGED: &str = ".tmp-";

const LONGEST_KEY: usize = 1024;
const LONGEST_SEGMENT: usize = 255;

/// The name of an object: relative, `/`-separated, safe to append to a directory or a bucket prefix.
///
/// `scenes/landsat/12_-7/red/c/0/0/0` is one; `/etc/passwd`, `a//b`, `a/../b` and `a\b` are not.
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey(Arc<str>);

impl ObjectKey {
    /// A key from its text.
    /// # Errors
    /// [`StoreError::InvalidKey`] when the text is empty or longer than 1,024 bytes, begins or ends with
    /// `/`, has an empty, `.`, `..` or over-long segment, a control character or a backslash, or a
    /// segment that begins with `.tmp-` (reserved for staged writes).
    pub fn new(text: &str) -> Result<Self, StoreError> {
        match fault(text) {
            None => Ok(Self(text.into())),
            Some(reason) => Err(StoreError::InvalidKey { key: text.to_owned(), reason }),
        }
    }

    /// This key with `relative` below it.
    /// # Errors
    /// [`StoreError::InvalidKey`] as [`ObjectKey::new`].
    pub fn join(&self, relative: &str) -> Result<Self, StoreError> {
        Self::new(&format!("{self}/{relative}"))
    }

    /// This key with a suffix known to be valid.
    pub(crate) fn join_known(&self, relative: fmt::Arguments<'_>) -> Self {
        Self(format!("{self}/{relative}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key above, if there is one.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(above, _)| Self(above.into()))
    }

    /// Whether this key is `prefix` or lies below it (`a/b` is below `a`, `ab` is not).
    pub fn is_under(&self, prefix: &Self) -> bool {
        match self.0.strip_prefix(&*prefix.0) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }
}

fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > LONGEST_KEY {
        return Some("it is longer than 1,024 bytes");
    }
    if text.chars().any(|c| c.is_control() || c == '\\') {
        return Some("it has a control character or a backslash");
    }
    text.split('/').find_map(|segment| match segment {
        "" => Some("it has an empty segment, or begins or ends with '/'"),
        "." | ".." => Some("it has a '.' or '..' segment"),
        s if s.starts_with(STAGED) => Some("'.tmp-' is reserved for staged writes"),
        s if s.len() > LONGEST_SEGMENT => Some("a segment is longer than 255 bytes"),
        _ => None,
    })
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::new(&text)
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectKey;

    #[test]
    fn keys_stay_inside_the_store() {
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/..",
            "a/../b",
            ".",
            "a/./b",
            "a\\b",
            "a\0b",
            "a\nb",
            ".tmp-1-2",
            "a/.tmp-1-2/b",
        ] {
            assert!(ObjectKey::new(bad).is_err(), "{bad:?}");
        }
        assert!(ObjectKey::new(&"a".repeat(256)).is_err());
        assert!(ObjectKey::new(&"a/".repeat(600)).is_err());
        for good in
            ["a", "a/b", "scenes/x=1/12_-7/red/c/0/0/0", "manzanas@2020/.zattrs", "ñ/年", "...", "a.tmp-b"]
        {
            assert_eq!(ObjectKey::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn prefixes_are_directories() {
        let key = |s| ObjectKey::new(s).unwrap();
        assert!(key("a/b").is_under(&key("a")));
        assert!(key("a").is_under(&key("a")));
        assert!(!key("ab").is_under(&key("a")));
        assert_eq!(key("a/b").parent(), Some(key("a")));
        assert_eq!(key("a").parent(), None);
        assert!(key("a").join("../b").is_err());
    }

    #[test]
    fn documents_cannot_smuggle_a_key() {
        assert!(serde_json::from_str::<ObjectKey>("\"../x\"").is_err());
        let key: ObjectKey = serde_json::from_str("\"a/b\"").unwrap();
        assert_eq!(serde_json::to_string(&key).unwrap(), "\"a/b\"");
    }
}
