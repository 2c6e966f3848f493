//! Definition errors that point at a line and column.

use std::fmt;

/// A message about one place in a definition file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// 1-based line, 0 when unknown.
    pub line: usize,
    /// 1-based column, 0 when unknown.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// A definition file that does not describe what it should. Displays one `file:line:column: message`
/// line for each problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    /// The file's name as the operator gave it.
    pub file: String,
    /// Every problem found, in file order.
    pub problems: Vec<Located>,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:{p}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for DefinitionError {}

/// Collects semantic problems and finds each one's place by the offending word.
pub(crate) struct Problems<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Located>,
}

impl<'t> Problems<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Records a problem whose place is the first whole-word occurrence of `word` after `section`.
    pub(crate) fn at(&mut self, section: &str, word: &str, message: impl Into<String>) {
        let (line, column) = position(self.text, section, word);
        self.found.push(Located { line, column, message: message.into() });
    }

    pub(crate) fn finish(mut self) -> Result<(), DefinitionError> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|p| (p.line, p.column));
        Err(DefinitionError { file: self.file.into(), problems: self.found })
    }
}

/// Reads YAML into a type, turning the parser's location into a [`DefinitionError`].
pub(crate) fn parse_yaml<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
) -> Result<T, DefinitionError> {
    serde_saphyr::from_str(text).map_err(|e| {
        let (line, column) = e.location().map_or((0, 0), |l| (l.line() as usize, l.column() as usize));
        let message = e.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default().to_owned();
        DefinitionError { file: file.into(), problems: vec![Located { line, column, message }] }
    })
}

fn position(text: &str, section: &str, word: &str) -> (usize, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
    let start = if section.is_empty() { 0 } else { text.find(section).unwrap_or(0) };
    let mut from = start;
    while let Some(at) = text[from..].find(word).map(|i| i + from) {
        let before = text[..at].chars().next_back().is_none_or(|c| !is_word(c));
        let after = text[at + word.len()..].chars().next().is_none_or(|c| !is_word(c));
        if before && after && !word.is_empty() {
            let line = text[..at].matches('\n').count() + 1;
            let column = at - text[..at].rfind('\n').map_or(0, |i| i + 1) + 1;
            return (line, column);
        }
        from = at + word.len().max(1);
        if from >= text.len() {
            break;
        }
    }
    (text[..start].matches('\n').count() + 1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole() {
        let text = "a: red_edge\nstyles:\n  - rgb: [red]\n";
        assert_eq!(position(text, "", "red"), (3, 11));
        assert_eq!(position(text, "styles", "missing"), (2, 1));
    }
}
