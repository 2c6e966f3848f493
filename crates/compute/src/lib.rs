//! Question to pixels: the open cube, its catalogue, [`PixelQuery`], series, zone statistics, and the
//! recipes that make derived products.
//!
//! | module | idea |
//! |---|---|
//! | [`cube`] | a cube opened for reading or writing |
//! | [`catalog`] | products as clients see them, refreshed when the index changes |
//! | [`query`] | the one question type and its answer |
//! | [`load`] | windows of the grid from slots, overviews and generations |
//! | [`mask`] | quality words to masks, grown on the cube grid |
//! | [`skip`] | chunks that need not be decoded |
//! | [`series`] | every observation of one pixel |
//! | [`view`] | a product of a snapshot as one Zarr group |
//! | [`zones`] | statistics by zone, exact coverage |
//! | [`recipe`] | derived products: units, pyramids, commit |
//! | [`archive`] | slots as they arrived into archive blocks |
//! | [`keep`] | garbage, usage, backups |
//! | [`check`] | does the store hold what the index says |
//! | [`error`] | why a question has no answer |

pub mod archive;
pub mod catalog;
pub mod check;
pub mod cube;
pub mod keep;
pub mod load;
pub mod mask;
pub mod query;
pub mod recipe;
mod registered;
pub mod series;
pub mod skip;
pub mod view;
pub mod zones;

/// Why a question has no answer.
pub mod error;

pub use catalog::{Catalog, Product};
pub use cube::Cube;
pub use error::ComputeError;
pub use query::{PixelAnswer, PixelQuery, Selection};
