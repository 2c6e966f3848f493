//! Legends for WMS GetLegendGraphic and WMTS LegendURL.

mod canvas;
mod font;
mod layout;

use tesela_model::Style;

use crate::error::RenderError;
use crate::picture::Picture;
use layout::Layout;

/// Draws a style's legend on white: the title, then a colour bar with ticks and unit, a swatch for each class, or
/// the three bands and their range.
///
/// `title` may be empty. Class titles are in `lang`, else in Spanish, English or whatever there is. `scale`
/// enlarges everything by a whole number, 1 to 4: 2 for screens of high density.
///
/// # Errors
/// [`RenderError::Style`] if the style cannot be painted.
pub fn legend_picture(style: &Style, title: &str, lang: &str, scale: u32) -> Result<Picture, RenderError> {
    Ok(Layout::new(style, title, lang)?.draw(scale))
}

/// Width and height of [`legend_picture`] with the same arguments, pixels.
///
/// # Errors
/// As [`legend_picture`].
pub fn legend_size(style: &Style, title: &str, lang: &str, scale: u32) -> Result<(u32, u32), RenderError> {
    Ok(Layout::new(style, title, lang)?.size(scale))
}
