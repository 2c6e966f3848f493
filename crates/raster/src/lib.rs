//! Pixels in memory: where a picture's pixels lie in a source, sampling, pyramids, physical values.
//!
//! Pure arithmetic, no I/O. Rasters are row-major slices, rows growing south. A pixel is *valid* if it is not the
//! raster's nodata value (nor NaN) and no mask hides it; masks are `true` where hidden.
//!
//! Source coordinates are `(u, v)` in pixels: `(0.5, 0.5)` is the centre of the first pixel, as in
//! [`tesela_grid::GeoBox::col_row`].

mod error;
mod gather;
mod lanes;
mod nearest;
mod physical;
mod pyramid;
mod sample;
mod warp;

pub use error::RasterError;
pub use gather::{Source, gather, gather_part};
pub use nearest::NearestIndex;
pub use physical::{mask_physical, to_physical};
pub use pyramid::{SceneReduction, half, reduce_max, reduce_mean, reduce_mean_weighted, reduce_mode};
pub use sample::Sample;
pub use warp::SourceGrid;
