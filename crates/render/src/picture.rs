//! A picture before it is encoded.

use std::sync::Arc;

use crate::error::RenderError;

/// Red, green, blue, alpha; not premultiplied.
pub type Color = [u8; 4];

/// Nothing.
pub const TRANSPARENT: Color = [0; 4];

/// A picture, row-major from the upper left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// One byte a pixel.
    Palette {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Palette index of each pixel; one past the palette's end is transparent.
        indices: Vec<u8>,
        /// At most 256 colours.
        palette: Arc<[Color]>,
    },
    /// Four bytes a pixel.
    Rgba {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Red, green, blue, alpha of each pixel.
        pixels: Vec<u8>,
    },
}

impl Picture {
    /// Columns.
    pub fn width(&self) -> u32 {
        let (Self::Palette { width, .. } | Self::Rgba { width, .. }) = self;
        *width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        let (Self::Palette { height, .. } | Self::Rgba { height, .. }) = self;
        *height
    }

    /// Refuses a picture whose bytes are not as many as its size says.
    pub(crate) fn check(&self) -> Result<(), RenderError> {
        let (found, per_pixel) = match self {
            Self::Palette { indices, .. } => (indices.len(), 1),
            Self::Rgba { pixels, .. } => (pixels.len(), 4),
        };
        let (width, height) = (self.width(), self.height());
        if found == width as usize * height as usize * per_pixel {
            Ok(())
        } else {
            Err(RenderError::Size { width, height, found: found / per_pixel })
        }
    }

    /// The colour at a column and a row; transparent outside the picture.
    pub fn color(&self, col: u32, row: u32) -> Color {
        if col >= self.width() || row >= self.height() {
            return TRANSPARENT;
        }
        let place = row as usize * self.width() as usize + col as usize;
        match self {
            Self::Palette { indices, palette, .. } => {
                let index = indices.get(place).copied().unwrap_or(u8::MAX);
                palette.get(usize::from(index)).copied().unwrap_or(TRANSPARENT)
            }
            Self::Rgba { pixels, .. } => {
                let pixel = pixels.get(4 * place..).and_then(|rest| rest.first_chunk::<4>());
                pixel.copied().unwrap_or(TRANSPARENT)
            }
        }
    }

    /// Four bytes a pixel: red, green, blue, alpha.
    pub fn to_rgba(&self) -> Vec<u8> {
        match self {
            Self::Rgba { pixels, .. } => pixels.clone(),
            Self::Palette { indices, palette, .. } => {
                let table = full_palette(palette);
                indices.iter().flat_map(|index| table[usize::from(*index)]).collect()
            }
        }
    }

    /// Whether there is nothing to see.
    pub fn is_transparent(&self) -> bool {
        match self {
            Self::Rgba { pixels, .. } => pixels.chunks_exact(4).all(|pixel| pixel[3] == 0),
            Self::Palette { indices, palette, .. } => {
                let table = full_palette(palette);
                indices.iter().all(|index| table[usize::from(*index)][3] == 0)
            }
        }
    }

    /// Whether every pixel hides what is under it.
    pub fn is_opaque(&self) -> bool {
        match self {
            Self::Rgba { pixels, .. } => pixels.chunks_exact(4).all(|pixel| pixel[3] == 255),
            Self::Palette { indices, palette, .. } => {
                let table = full_palette(palette);
                indices.iter().all(|index| table[usize::from(*index)][3] == 255)
            }
        }
    }

    /// The picture on a ground of one colour (red, green, blue), as WMS wants with `TRANSPARENT=FALSE`. A palette
    /// stays a palette.
    #[must_use]
    pub fn opaque_on(mut self, background: [u8; 3]) -> Self {
        match &mut self {
            Self::Rgba { pixels, .. } => {
                for pixel in pixels.chunks_exact_mut(4) {
                    let over = over([pixel[0], pixel[1], pixel[2], pixel[3]], background);
                    pixel.copy_from_slice(&over);
                }
            }
            // All 256, for indices past the palette's end.
            Self::Palette { palette, .. } => {
                *palette = full_palette(palette).map(|color| over(color, background)).to_vec().into();
            }
        }
        self
    }
}

/// The palette with transparent entries to its end.
fn full_palette(palette: &[Color]) -> [Color; 256] {
    let mut table = [TRANSPARENT; 256];
    for (entry, color) in table.iter_mut().zip(palette) {
        *entry = *color;
    }
    table
}

fn over(color: Color, background: [u8; 3]) -> Color {
    let alpha = u32::from(color[3]);
    let channel = |k: usize| {
        let sum = u32::from(color[k]) * alpha + u32::from(background[k]) * (255 - alpha);
        ((sum + 127) / 255) as u8
    };
    [channel(0), channel(1), channel(2), 255]
}
