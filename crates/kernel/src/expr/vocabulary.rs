//! The names an expression may use.

use std::collections::BTreeMap;

/// The allow-list of names: bands, other names for them, and constants. Names are case sensitive; a name
/// given twice keeps its last meaning.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    names: BTreeMap<String, Meaning>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// The band of this name.
    Band(String),
    /// This number.
    Constant(f64),
}

impl Vocabulary {
    /// Nothing but numbers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also allows each of `bands`.
    #[must_use]
    pub fn with_bands<S: Into<String>>(mut self, bands: impl IntoIterator<Item = S>) -> Self {
        for band in bands.into_iter().map(Into::into) {
            self.names.insert(band.clone(), Meaning::Band(band));
        }
        self
    }

    /// Also allows `name` for `band`, such as `N` for `nir`; [`super::Expression::bands`] reports `band`.
    #[must_use]
    pub fn with_alias(mut self, name: impl Into<String>, band: impl Into<String>) -> Self {
        self.names.insert(name.into(), Meaning::Band(band.into()));
        self
    }

    /// Also allows `name` for the number `value`, such as `L` for 0.5.
    #[must_use]
    pub fn with_constant(mut self, name: impl Into<String>, value: f64) -> Self {
        self.names.insert(name.into(), Meaning::Constant(value));
        self
    }

    pub(super) fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.names.get(name)
    }

    /// All names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The known name that differs from `name` by at most two letters, and by fewer than it has; of several
    /// the one of most similar length.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        let limit = 2.min(name.chars().count().saturating_sub(1));
        let near = self.names().map(|known| (edits(name, known), known.len().abs_diff(name.len()), known));
        near.filter(|(edits, ..)| *edits <= limit).min().map(|(.., known)| known)
    }
}

/// Letters to change, add or remove to turn `a` into `b` (Levenshtein), ignoring case.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
