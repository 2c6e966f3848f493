//! A white sheet to draw legends on.

use super::font::{self, CELL_HEIGHT};
use crate::picture::{Color, Picture};

pub(crate) struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<Color>,
}

impl Canvas {
    pub(crate) fn new(width: i32, height: i32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, pixels: vec![[255; 4]; (width * height) as usize] }
    }

    /// Draws one pixel over what is there; outside the sheet nothing happens.
    pub(crate) fn dot(&mut self, x: i32, y: i32, color: Color) {
        if (0..self.width).contains(&x) && (0..self.height).contains(&y) {
            let pixel = &mut self.pixels[(y * self.width + x) as usize];
            let alpha = u32::from(color[3]);
            for (under, over) in pixel.iter_mut().zip(&color[..3]) {
                *under = ((u32::from(*over) * alpha + u32::from(*under) * (255 - alpha) + 127) / 255) as u8;
            }
        }
    }

    pub(crate) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, color: Color) {
        for row in y..y + height {
            for col in x..x + width {
                self.dot(col, row, color);
            }
        }
    }

    /// A one-pixel line around a rectangle, outside it.
    pub(crate) fn frame(&mut self, x: i32, y: i32, width: i32, height: i32, color: Color) {
        self.fill(x - 1, y - 1, width + 2, 1, color);
        self.fill(x - 1, y + height, width + 2, 1, color);
        self.fill(x - 1, y, 1, height, color);
        self.fill(x + width, y, 1, height, color);
    }

    /// One line of text, its cell's upper left corner at (x, y).
    pub(crate) fn text(&mut self, mut x: i32, y: i32, text: &str, color: Color) {
        for character in text.chars() {
            let glyph = font::glyph(character);
            for (row, bits) in (0..CELL_HEIGHT).zip(glyph.rows) {
                for col in 0..glyph.width {
                    if bits & (1 << col) != 0 {
                        self.dot(x + col, y + row, color);
                    }
                }
            }
            x += glyph.width + 1;
        }
    }

    /// The sheet with each pixel as a square of `scale` pixels.
    pub(crate) fn into_picture(self, scale: u32) -> Picture {
        let (width, scale_len) = (self.width as usize, scale as usize);
        let mut pixels = Vec::with_capacity(self.pixels.len() * scale_len * scale_len * 4);
        for row in self.pixels.chunks_exact(width) {
            for _ in 0..scale {
                pixels.extend(row.iter().flat_map(|color| color.repeat(scale_len)));
            }
        }
        Picture::Rgba { width: self.width as u32 * scale, height: self.height as u32 * scale, pixels }
    }
}
