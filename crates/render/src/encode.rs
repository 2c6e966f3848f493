//! Pictures to files.

use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use crate::error::RenderError;
use crate::picture::{Color, Picture};

/// A PNG, encoded for speed: 8-bit palette, RGB if opaque, or RGBA.
///
/// # Errors
/// [`RenderError::Size`] if the picture's bytes do not match its size; [`RenderError::Png`] if a side is 0.
pub fn encode_png(picture: &Picture) -> Result<Vec<u8>, RenderError> {
    picture.check()?;
    let (width, height) = (picture.width(), picture.height());
    match picture {
        Picture::Palette { indices, palette, .. } => {
            let last = indices.iter().copied().max().map_or(0, usize::from);
            let colors: Vec<Color> =
                (0..=last).map(|index| palette.get(index).copied().unwrap_or_default()).collect();
            // Alpha of the trailing opaque colours may be left out.
            let with_alpha = colors.iter().rposition(|color| color[3] != 255).map_or(0, |last| last + 1);
            write(width, height, ColorType::Indexed, indices, |encoder| {
                encoder.set_palette(colors.iter().flat_map(|c| [c[0], c[1], c[2]]).collect::<Vec<u8>>());
                if with_alpha > 0 {
                    encoder.set_trns(colors[..with_alpha].iter().map(|c| c[3]).collect::<Vec<u8>>());
                }
            })
        }
        Picture::Rgba { pixels, .. } if picture.is_opaque() => {
            write(width, height, ColorType::Rgb, &without_alpha(pixels), |_| {})
        }
        Picture::Rgba { pixels, .. } => write(width, height, ColorType::Rgba, pixels, |_| {}),
    }
}

fn write(
    width: u32,
    height: u32,
    color: ColorType,
    data: &[u8],
    prepare: impl FnOnce(&mut Encoder<'_, &mut Vec<u8>>),
) -> Result<Vec<u8>, RenderError> {
    let mut file = Vec::with_capacity(data.len() / 2 + 1024);
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    // Fast compression expects filtered bytes, of palettes too: 28 KB instead of 66 KB for an index tile, in 0.13 ms.
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    prepare(&mut encoder);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(file)
}

/// A lossless WebP.
///
/// # Errors
/// [`RenderError::Size`] if the picture's bytes do not match its size; [`RenderError::WebP`] if a side is 0 or
/// above 16,384 pixels.
pub fn encode_webp(picture: &Picture) -> Result<Vec<u8>, RenderError> {
    picture.check()?;
    let (width, height) = (picture.width(), picture.height());
    let pixels;
    let rgba = match picture {
        Picture::Rgba { pixels, .. } => pixels,
        Picture::Palette { .. } => {
            pixels = picture.to_rgba();
            &pixels
        }
    };
    let mut file = Vec::with_capacity(rgba.len() / 2 + 1024);
    let encoder = image_webp::WebPEncoder::new(&mut file);
    let result = if picture.is_opaque() {
        encoder.encode(&without_alpha(rgba), width, height, image_webp::ColorType::Rgb8)
    } else {
        encoder.encode(rgba, width, height, image_webp::ColorType::Rgba8)
    };
    result.map_err(|source| RenderError::WebP { width, height, source })?;
    Ok(file)
}

fn without_alpha(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}
