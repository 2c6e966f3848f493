//! Folders under a path, to a bounded depth, each once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::listing::Listing;
use super::refusal::{RefusalReason, Refused};

/// How deep folders are searched unless told otherwise: archive/sensor/year/path/row/product.
pub const DEFAULT_DEPTH: usize = 6;

/// What was found under a path.
#[derive(Debug, Default)]
pub struct Walked {
    /// Folders, sorted by path within each level.
    pub listings: Vec<Listing>,
    /// Folders that cannot be read.
    pub refused: Vec<Refused>,
    /// Folders not entered because they lie too deep.
    pub warnings: Vec<String>,
}

/// Lists a folder and those under it. Links are followed; no folder is listed twice.
pub fn walk(root: &Path, depth: usize) -> Walked {
    let mut walked = Walked::default();
    let mut seen = BTreeSet::new();
    visit(root, depth, &mut seen, &mut walked);
    walked
}

fn visit(folder: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, walked: &mut Walked) {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    if !seen.insert(real) {
        return;
    }
    let (listing, folders) = match list(folder) {
        Ok(found) => found,
        Err(reason) => {
            walked.refused.push(Refused { path: folder.to_owned(), reason });
            return;
        }
    };
    walked.listings.push(listing);
    if depth == 0 {
        if let Some(first) = folders.first() {
            walked.warnings.push(format!("{} lies too deep and was not searched", first.display()));
        }
        return;
    }
    for inner in folders {
        visit(&inner, depth - 1, seen, walked);
    }
}

/// Files and folders of one folder, sorted. Hidden folders, and names that are not text, are passed over.
pub fn list(folder: &Path) -> Result<(Listing, Vec<PathBuf>), RefusalReason> {
    let unreadable = |e: std::io::Error| RefusalReason::Unreadable {
        path: folder.display().to_string(),
        problem: e.to_string(),
    };
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Through links; a dangling one is neither file nor folder.
        let Ok(kind) = fs::metadata(entry.path()) else { continue };
        if kind.is_dir() && !name.starts_with('.') {
            folders.push(entry.path());
        } else if kind.is_file() {
            files.push(name);
        }
    }
    files.sort();
    folders.sort();
    Ok((Listing { folder: folder.to_owned(), files }, folders))
}
