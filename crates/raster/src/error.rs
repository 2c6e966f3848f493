/// Why pixels cannot be worked on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RasterError {
    /// A slice does not hold the number of pixels that its size says.
    #[error("{what} holds {found} pixels where {expected} are needed")]
    Size {
        /// Which slice.
        what: &'static str,
        /// Pixels needed.
        expected: usize,
        /// Pixels given.
        found: usize,
    },
}

/// Refuses a slice of another length.
pub(crate) fn check_size(what: &'static str, found: usize, expected: usize) -> Result<(), RasterError> {
    if found == expected { Ok(()) } else { Err(RasterError::Size { what, expected, found }) }
}
