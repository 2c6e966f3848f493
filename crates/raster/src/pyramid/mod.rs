//! Pyramid levels: each from the one below, 2 × 2 children to a pixel, odd sizes rounded up.

mod blocks;
mod reduce;
pub(crate) mod row;
mod rules;
mod scene;

pub use blocks::half;
pub use reduce::{reduce_max, reduce_mean, reduce_mean_weighted, reduce_mode};
pub use scene::SceneReduction;
