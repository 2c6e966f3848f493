/// Why nothing can be painted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The style contradicts itself; `products validate` says more.
    #[error("style {style:?}: {reason}")]
    Style {
        /// The style's name.
        style: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not as many planes of values as the style has inputs.
    #[error("style {style:?} paints {expected} inputs, {found} given")]
    Inputs {
        /// The style's name.
        style: String,
        /// Inputs of the style.
        expected: usize,
        /// Planes given.
        found: usize,
    },
    /// A slice does not hold the pixels of the picture.
    #[error("{width} × {height} pixels asked for, {found} values given")]
    Size {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Values given.
        found: usize,
    },
    /// The picture cannot be written as PNG.
    #[error("cannot encode PNG")]
    Png(#[from] png::EncodingError),
    /// The picture cannot be written as WebP: a side is 0 or above 16,384 pixels.
    #[error("cannot encode WebP of {width} × {height} pixels")]
    WebP {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The encoder's words.
        #[source]
        source: image_webp::EncodingError,
    },
}

impl RenderError {
    /// A style that cannot be painted.
    pub(crate) fn style(style: &str, reason: impl Into<String>) -> Self {
        Self::Style { style: style.to_owned(), reason: reason.into() }
    }
}
