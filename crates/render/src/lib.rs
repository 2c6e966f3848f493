//! Pixels to pictures: styles, palettes, legends, PNG and WebP. Pure: no I/O, no clock.
//!
//! A [`Painter`] is made once from a style and paints any number of tiles; a [`Picture`] is encoded by
//! [`encode_png`] or [`encode_webp`]. Colours are RGBA bytes, alpha not premultiplied; nodata is transparent.

mod classes;
mod empty;
mod encode;
mod error;
mod legend;
mod painter;
mod picture;
mod ramp;
mod steps;
mod stretch;

pub use empty::transparent_png;
pub use encode::{encode_png, encode_webp};
pub use error::RenderError;
pub use legend::{legend_picture, legend_size};
pub use painter::Painter;
pub use picture::{Color, Picture, TRANSPARENT};
