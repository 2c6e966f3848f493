//! Values to colours to bytes: the only code that knows the renderer.

use tesela_compute::query::Selection;
use tesela_compute::{Cube, PixelAnswer, PixelQuery};
use tesela_model::{Resampling, Style};
use tesela_render::transparent_png;
use tesela_render::{Painter, Picture, RenderError, encode_png, encode_webp, legend_picture, legend_size};

use super::cache::Painted;
use super::request::{ImageFormat, PictureRequest};
use super::resolve::{Resolved, ResolvedLayer};
use crate::request::Lang;
use crate::{ApiError, ApiResult};

/// Reads, paints and encodes a picture.
pub(super) fn paint(cube: &Cube, resolved: &Resolved, request: &PictureRequest) -> ApiResult<Painted> {
    let mut picture: Option<Picture> = None;
    for layer in &resolved.layers {
        let Some(upper) = painted(cube, layer, request, resolved.snapshot)? else { continue };
        picture = Some(match picture {
            Some(lower) => stacked(&lower, &upper),
            None => upper,
        });
    }
    let (width, height) = (request.target.width as u32, request.target.height as u32);
    let Some(picture) = picture else {
        let bytes = flat(width, height, request.background, request.format)?;
        return Ok(Painted { bytes: bytes.into(), empty: true });
    };
    let picture = match request.background {
        Some(color) => picture.opaque_on(color),
        None => picture,
    };
    Ok(Painted { bytes: encoded(&picture, request.format)?.into(), empty: false })
}

/// One layer; `None` if it shows nothing.
fn painted(
    cube: &Cube,
    layer: &ResolvedLayer,
    request: &PictureRequest,
    snapshot: u64,
) -> ApiResult<Option<Picture>> {
    let painter = Painter::new(&layer.style).map_err(|e| failed(&e))?;
    let selection = match &layer.selection {
        Selection::Bands(names) => Selection::Bands(distinct(names)),
        Selection::Expression(_) => layer.selection.clone(),
    };
    let mut answer = cube.load(&PixelQuery {
        product: layer.product.id.clone(),
        selection: selection.clone(),
        time: request.time,
        target: request.target.clone(),
        mask: request.mask.clone(),
        resampling: if painter.is_categorical() { Resampling::Nearest } else { request.resampling },
        snapshot: Some(snapshot),
    })?;
    if answer.is_empty() {
        return Ok(None);
    }
    if painter.is_categorical() {
        as_stored(layer, &mut answer);
    }
    let planes: Vec<&[f32]> = match (&selection, &layer.selection) {
        (Selection::Bands(read), Selection::Bands(painted)) => painted
            .iter()
            .filter_map(|name| answer.layers.get(read.iter().position(|r| r == name)?).map(Vec::as_slice))
            .collect(),
        _ => answer.layers.iter().map(Vec::as_slice).collect(),
    };
    let picture =
        painter.paint(answer.width as u32, answer.height as u32, &planes).map_err(|e| failed(&e))?;
    Ok(Some(picture).filter(|picture| !picture.is_transparent()))
}

fn distinct(names: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

/// Classes are painted by stored value.
fn as_stored(layer: &ResolvedLayer, answer: &mut PixelAnswer) {
    for (values, name) in answer.layers.iter_mut().zip(&answer.names) {
        let Some(band) = layer.product.bands.iter().find(|band| band.name == *name) else { continue };
        if band.scale != 1.0 || band.offset != 0.0 {
            for value in values {
                *value = ((f64::from(*value) - band.offset) / band.scale).round() as f32;
            }
        }
    }
}

/// One picture over another of the same size.
fn stacked(lower: &Picture, upper: &Picture) -> Picture {
    let mut pixels = lower.to_rgba();
    for (below, above) in pixels.chunks_exact_mut(4).zip(upper.to_rgba().chunks_exact(4)) {
        let (a, b) = (f32::from(above[3]) / 255.0, f32::from(below[3]) / 255.0);
        let alpha = a + b * (1.0 - a);
        if alpha > 0.0 {
            for k in 0..3 {
                let mixed = f32::from(above[k]) * a + f32::from(below[k]) * b * (1.0 - a);
                below[k] = (mixed / alpha).round() as u8;
            }
        }
        below[3] = (alpha * 255.0).round() as u8;
    }
    Picture::Rgba { width: lower.width(), height: lower.height(), pixels }
}

/// A picture of one colour, or of nothing.
pub fn flat(width: u32, height: u32, color: Option<[u8; 3]>, format: ImageFormat) -> ApiResult<Vec<u8>> {
    match (color, format) {
        (None, ImageFormat::Png) => Ok(transparent_png(width, height).map_err(|e| failed(&e))?.to_vec()),
        (color, format) => {
            let [r, g, b, a] = color.map_or([0; 4], |[r, g, b]| [r, g, b, 255]);
            let indices = vec![0; width as usize * height as usize];
            let palette = [[r, g, b, a]].into();
            encoded(&Picture::Palette { width, height, indices, palette }, format)
        }
    }
}

/// A text written on a picture of one colour, or of nothing: how WMS shows a refusal in a map.
pub fn with_text(
    (width, height): (u32, u32),
    color: Option<[u8; 3]>,
    format: ImageFormat,
    text: &str,
) -> ApiResult<Vec<u8>> {
    let note = note(text, width as usize / 7)?;
    let mut pixels: Vec<u8> = match color {
        Some([r, g, b]) => [r, g, b, 255].repeat(width as usize * height as usize),
        None => vec![0; 4 * width as usize * height as usize],
    };
    for row in 0..note.height().min(height) {
        for col in 0..note.width().min(width) {
            let at = 4 * (row as usize * width as usize + col as usize);
            pixels[at..at + 4].copy_from_slice(&note.color(col, row));
        }
    }
    encoded(&Picture::Rgba { width, height, pixels }, format)
}

/// A text in lines on white: a legend whose classes are the lines.
fn note(text: &str, line_chars: usize) -> ApiResult<Picture> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace().take(60) {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + word.chars().count() >= line_chars {
            lines.push(word.to_owned());
        } else {
            let space = if lines[last].is_empty() { "" } else { " " };
            lines[last].push_str(space);
            lines[last].push_str(word);
        }
    }
    let class = |(i, line): (usize, &String)| tesela_model::ClassEntry {
        value: i as f64,
        color: "#d62728".into(),
        title: [("en".to_owned(), line.clone())].into(),
    };
    let style = Style {
        name: "note".into(),
        title: tesela_grid::Titles::new(),
        rgb: None,
        range: None,
        gamma: None,
        band: Some("note".into()),
        expression: None,
        ramp: None,
        unit: None,
        classes: Some(lines.iter().enumerate().map(class).collect()),
    };
    legend_picture(&style, "", "en", 1).map_err(|e| failed(&e))
}

/// A style's legend as PNG.
pub(super) fn legend(style: &Style, lang: Lang) -> ApiResult<Vec<u8>> {
    let picture = legend_picture(style, lang.text_or(&style.title, &style.name), lang.code(), 1)
        .map_err(|e| failed(&e))?;
    encoded(&picture, ImageFormat::Png)
}

/// Width and height of a style's legend; `None` if it cannot be drawn.
pub(super) fn size_of_legend(style: &Style, lang: Lang) -> Option<(u32, u32)> {
    legend_size(style, lang.text_or(&style.title, &style.name), lang.code(), 1).ok()
}

fn encoded(picture: &Picture, format: ImageFormat) -> ApiResult<Vec<u8>> {
    match format {
        ImageFormat::Png => encode_png(picture),
        ImageFormat::Webp => encode_webp(picture),
    }
    .map_err(|e| failed(&e))
}

fn failed(e: &RenderError) -> ApiError {
    ApiError::internal(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(color: [u8; 4]) -> Picture {
        Picture::Rgba { width: 1, height: 1, pixels: color.to_vec() }
    }

    #[test]
    fn the_upper_layer_hides_the_lower_where_it_is_opaque() {
        let red = one([255, 0, 0, 255]);
        assert_eq!(stacked(&red, &one([0, 0, 255, 255])).color(0, 0), [0, 0, 255, 255]);
        assert_eq!(stacked(&red, &one([0, 0, 255, 0])).color(0, 0), [255, 0, 0, 255]);
        assert_eq!(stacked(&red, &one([0, 0, 255, 127])).color(0, 0), [128, 0, 127, 255]);
        let clear = one([0; 4]);
        assert_eq!(stacked(&clear, &one([9, 8, 7, 128])).color(0, 0), [9, 8, 7, 128]);
    }

    #[test]
    fn refusals_are_written_on_the_map() {
        let text = "unknown product bogus; products: geomedian_annual, ndvi_annual";
        let png = with_text((256, 64), None, ImageFormat::Png, text).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        assert!(note(text, 36).unwrap().height() > note("short", 36).unwrap().height());
        assert!(with_text((1, 1), Some([255, 0, 0]), ImageFormat::Webp, "").is_ok());
    }

    #[test]
    fn bands_are_read_once() {
        let names = ["b", "a", "b"].map(str::to_owned);
        assert_eq!(distinct(&names), ["b", "a"]);
    }
}
