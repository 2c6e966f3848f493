//! CSV lists of multi-band stacks (design section 4).
//!
//! UTF-8, comma-separated, `#` begins a comment line. The header names the columns, in any order:
//!
//! | column | holds |
//! |---|---|
//! | `path` | the raster, relative to the manifest's folder (no `..`) or absolute; URLs and `/vsi…` are refused |
//! | `datetime` | an ISO date, or an instant with `Z` or an offset; a date alone counts as noon UTC |
//! | `platform` | `landsat-5`, `LT5`, `LANDSAT_8`, … |
//! | `scene_id` | optional: product id or pre-collection scene id; else it is read from the file name |
//! | `collection` | optional: `01`, `02`, `pre`; else from the id, else `pre` |
//! | `level` | optional: else from the id if it is Level-2, else `SR` |
//! | `tier` | optional: else from the id |
//! | `cloud_cover` | optional: percent |
//! | `band.<name>` | index of a band in the file, from 1; blank if the row has no such band |
//!
//! `band:<name>` is read like `band.<name>`. A manifest without band columns uses the map of the product. Errors
//! name file, line and column (the number of the field, from 1); a bad row leaves the others alone.

mod columns;
mod identity;
mod row;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::refusal::{RefusalReason, Refused};
use super::scene::SceneSource;
use columns::Columns;
use row::Row;

/// Why a manifest or one of its rows cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct ManifestError {
    /// The manifest.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Field within the line, from 1; 0 for the whole line.
    pub column: usize,
    /// What is wrong, and what is expected.
    pub problem: String,
}

/// Reads a manifest: scenes, refused rows, warnings. `shared` is used when there is no band column.
pub fn read_manifest(
    file: &Path,
    shared: &BTreeMap<String, usize>,
) -> (Vec<SceneSource>, Vec<Refused>, Vec<String>) {
    let (mut scenes, mut refused, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let refuse = |reason| Refused { path: file.to_owned(), reason };
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(e) => {
            let path = file.display().to_string();
            refused.push(refuse(RefusalReason::Unreadable { path, problem: e.to_string() }));
            return (scenes, refused, warnings);
        }
    };
    let mut reader =
        ReaderBuilder::new().trim(Trim::All).flexible(true).comment(Some(b'#')).from_reader(opened);
    let columns = match reader
        .headers()
        .map_err(|e| csv_error(file, &e))
        .and_then(|h| Columns::read(file, h, shared))
    {
        Ok(columns) => columns,
        Err(error) => {
            refused.push(refuse(error.into()));
            return (scenes, refused, warnings);
        }
    };
    if !columns.unknown.is_empty() {
        let names = columns.unknown.join(", ");
        warnings.push(format!("{}: columns not used: {names}", file.display()));
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    for record in reader.records() {
        let row = match &record {
            Ok(record) => Row { file, folder, columns: &columns, record, line: line_of(record) },
            Err(e) => {
                refused.push(refuse(csv_error(file, e).into()));
                continue;
            }
        };
        match row.scene() {
            Ok(scene) => scenes.push(scene),
            Err(error) => refused.push(refuse(error.into())),
        }
    }
    (scenes, refused, warnings)
}

fn line_of(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

fn csv_error(file: &Path, error: &csv::Error) -> ManifestError {
    let line = error.position().map_or(0, csv::Position::line);
    ManifestError { file: file.display().to_string(), line, column: 0, problem: error.to_string() }
}
