//! Class maps tidied: stray pixels voted down, small patches dropped.
//!
//! | function | what it does |
//! |---|---|
//! | [`majority`] | each pixel takes the class of most of its 3 × 3 neighbourhood |
//! | [`drop_patches`] | clears connected patches below a minimum mapping unit |

mod majority;
mod patches;
#[cfg(test)]
mod tests;

pub use majority::majority;
pub use patches::{Connectivity, drop_patches};

/// The map is not `width × height` long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a class map of {width}×{height} pixels cannot hold {len} values")]
pub struct ClassMapError {
    /// Length of the map.
    pub len: usize,
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

fn check(len: usize, width: usize, height: usize) -> Result<(), ClassMapError> {
    if width.checked_mul(height) == Some(len) { Ok(()) } else { Err(ClassMapError { len, width, height }) }
}
