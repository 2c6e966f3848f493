use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::local::io_error;
use crate::StoreError;

/// Bytes gathered before they are written to a staged file.
const BUFFER_BYTES: usize = 64 << 10;

/// The beginning of an object that has no name yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged(Place);

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    File { file: BufWriter<File>, path: StagedPath },
}

impl Staged {
    /// Parts held in memory.
    pub fn in_memory() -> Self {
        Self(Place::Memory(Vec::new()))
    }

    pub(super) fn in_file(file: File, path: StagedPath) -> Self {
        Self(Place::File { file: BufWriter::with_capacity(BUFFER_BYTES, file), path })
    }

    /// Adds bytes at the end.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        match &mut self.0 {
            Place::Memory(held) => held.extend_from_slice(bytes),
            Place::File { file, path } => file.write_all(bytes).map_err(io_error("write", path.as_path()))?,
        }
        Ok(())
    }

    /// All of it.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn into_bytes(self) -> Result<Vec<u8>, StoreError> {
        match self.0 {
            Place::Memory(held) => Ok(held),
            Place::File { mut file, path } => {
                file.flush().map_err(io_error("write", path.as_path()))?;
                fs::read(path.as_path()).map_err(io_error("read", path.as_path()))
            }
        }
    }

    /// The file, with everything in it; `Err` gives back what lies in memory.
    pub(super) fn into_file(self) -> Result<Result<(File, StagedPath), Vec<u8>>, StoreError> {
        match self.0 {
            Place::Memory(held) => Ok(Err(held)),
            Place::File { file, path } => {
                let file =
                    file.into_inner().map_err(|e| io_error("write", path.as_path())(e.into_error()))?;
                Ok(Ok((file, path)))
            }
        }
    }
}

/// A staged file's path; the file is removed when its put is over, however that ends.
#[derive(Debug)]
pub(super) struct StagedPath(pub(super) PathBuf);

impl StagedPath {
    pub(super) fn as_path(&self) -> &Path {
        &self.0
    }
}

impl Drop for StagedPath {
    fn drop(&mut self) {
        // Already renamed away, or for the sweep to find.
        let _ = fs::remove_file(&self.0);
    }
}
