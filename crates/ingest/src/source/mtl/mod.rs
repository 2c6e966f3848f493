//! Metadata files of Landsat products, read leniently into one tree.
//!
//! | module | idea |
//! |---|---|
//! | [`tree`] | groups and fields, the same from every format |
//! | [`odl`] | `GROUP = …` text, also NUL-padded and with CRLF |
//! | [`xml`] | the same tree as elements; document type declarations are refused |
//! | [`json`] | the same tree as objects |
//! | [`espa`] | ESPA xml of Collection 1 and before, turned into MTL fields |
//! | [`facts`] | typed values, with errors naming field and file |

pub mod espa;
pub mod facts;
pub mod json;
pub mod odl;
pub mod tree;
pub mod xml;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use facts::MtlFacts;
pub use tree::Group;

/// Real files have 5 to 66 kB.
const MAX_BYTES: u64 = 8 << 20;

/// The generations of metadata files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `LANDSAT_METADATA_FILE`, Collection 2.
    Collection2,
    /// `L1_METADATA_FILE`, Collection 1 and before.
    Level1,
    /// ESPA xml.
    Espa,
}

/// A metadata file as a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Mtl {
    /// The file, for messages.
    pub file: PathBuf,
    /// Which generation.
    pub layout: Layout,
    /// Groups and fields below the root element.
    pub root: Group,
}

/// Why a metadata file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MtlError {
    /// It cannot be read.
    #[error("cannot read metadata {file}: {problem}")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        problem: String,
    },
    /// It is far larger than any metadata file.
    #[error("{file} has more than {limit} bytes, too many for a metadata file")]
    TooLarge {
        /// The file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// It is malformed.
    #[error("{file}, line {line}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// Line, from 1; 0 if unknown.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// It is well-formed but something else.
    #[error(
        "{file} is not Landsat metadata: it begins with `{found}`, expected LANDSAT_METADATA_FILE, L1_METADATA_FILE or espa_metadata"
    )]
    NotMtl {
        /// The file.
        file: String,
        /// The root found.
        found: String,
    },
    /// A field is absent.
    #[error("{file} has no {field}")]
    MissingField {
        /// The file.
        file: String,
        /// The field.
        field: String,
    },
    /// A field holds something else than it should.
    #[error("{file}: {field} is `{found}`, expected {expected}")]
    BadField {
        /// The file.
        file: String,
        /// The field.
        field: String,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
}

/// How far groups may nest; real files have two levels.
const MAX_DEPTH: usize = 16;

/// Reads a metadata file; the format follows from its first character, not its name.
pub fn read(file: &Path) -> Result<Mtl, MtlError> {
    let problem =
        |e: std::io::Error| MtlError::Read { file: file.display().to_string(), problem: e.to_string() };
    let mut bytes = Vec::new();
    File::open(file).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(problem)?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n > MAX_BYTES) {
        return Err(MtlError::TooLarge { file: file.display().to_string(), limit: MAX_BYTES });
    }
    parse(file, &bytes)
}

/// Parses the bytes of a metadata file; `file` is for messages only.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Mtl, MtlError> {
    let text = clean(bytes);
    let syntax = |(line, problem)| MtlError::Syntax { file: file.display().to_string(), line, problem };
    let root = match text.chars().next() {
        None => return Err(syntax((0, "the file is empty".to_owned()))),
        Some('{') => json::parse(&text),
        Some('<') => xml::parse(&text),
        Some(_) => odl::parse(&text),
    }
    .map_err(syntax)?;
    let layout = match root.name.as_str() {
        "LANDSAT_METADATA_FILE" => Layout::Collection2,
        "L1_METADATA_FILE" => Layout::Level1,
        "ESPA_METADATA" => Layout::Espa,
        found => return Err(MtlError::NotMtl { file: file.display().to_string(), found: found.to_owned() }),
    };
    Ok(Mtl { file: file.to_owned(), layout, root })
}

/// Text without the byte order mark, the padding and stray NULs old deliveries carry.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', " ");
    text.trim_start_matches('\u{feff}').trim().to_owned()
}

/// A problem and its line, before the file name is known to it.
type Problem = (usize, String);
