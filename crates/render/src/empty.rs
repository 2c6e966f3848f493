//! The picture of nothing, which every map asks for most.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use png::{BitDepth, ColorType, Compression, Encoder};

use crate::error::RenderError;

/// Sizes kept; clients of WMS may ask for any.
const CACHED: usize = 64;

/// Files by width and height.
type Files = HashMap<(u32, u32), Arc<[u8]>>;

static CACHE: LazyLock<RwLock<Files>> = LazyLock::new(RwLock::default);

/// A wholly transparent PNG (one bit a pixel, 137 bytes at 256²); the same bytes every time, kept by size.
///
/// # Errors
/// [`RenderError::Png`] if a side is 0.
pub fn transparent_png(width: u32, height: u32) -> Result<Arc<[u8]>, RenderError> {
    let size = (width, height);
    if let Some(file) = CACHE.read().unwrap_or_else(PoisonError::into_inner).get(&size) {
        return Ok(Arc::clone(file));
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::One);
    encoder.set_palette(vec![0, 0, 0]);
    encoder.set_trns(vec![0]);
    encoder.set_compression(Compression::Balanced);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&vec![0; width.div_ceil(8) as usize * height as usize])?;
    writer.finish()?;
    let file: Arc<[u8]> = file.into();
    let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(size, Arc::clone(&file));
    Ok(file)
}
