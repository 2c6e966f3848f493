use proptest::prelude::*;
use tesela_render::{Picture, RenderError, TRANSPARENT, encode_png, encode_webp, transparent_png};

/// RGBA bytes of a PNG.
fn decode_png(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    pixels.truncate(info.buffer_size());
    assert_eq!(info.color_type, png::ColorType::Rgba);
    (info.width, info.height, pixels)
}

fn decode_webp(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(file)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    if !decoder.has_alpha() {
        pixels = pixels.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    }
    let (width, height) = decoder.dimensions();
    (width, height, pixels)
}

fn color_type(file: &[u8]) -> png::ColorType {
    png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap().info().color_type
}

fn pictures() -> impl Strategy<Value = Picture> {
    let alpha = prop_oneof![Just(255u8), Just(0), any::<u8>()];
    let color = (any::<[u8; 3]>(), alpha).prop_map(|([r, g, b], a)| [r, g, b, a]);
    let opaque = any::<[u8; 3]>().prop_map(|[r, g, b]| [r, g, b, 255]);
    let size = (1u32..70, 1u32..9);
    prop_oneof![
        (size.clone(), prop::collection::vec(color, 1..256)).prop_flat_map(|((width, height), palette)| {
            let indices = prop::collection::vec(any::<u8>(), (width * height) as usize);
            indices.prop_map(move |indices| Picture::Palette {
                width,
                height,
                indices,
                palette: palette.clone().into(),
            })
        }),
        size.clone().prop_flat_map(|(width, height)| {
            let pixels = prop::collection::vec(any::<u8>(), (width * height * 4) as usize);
            pixels.prop_map(move |pixels| Picture::Rgba { width, height, pixels })
        }),
        size.prop_flat_map(move |(width, height)| {
            let pixels = prop::collection::vec(opaque.clone(), (width * height) as usize);
            pixels.prop_map(move |pixels| Picture::Rgba { width, height, pixels: pixels.concat() })
        }),
    ]
}

proptest! {
    #[test]
    fn every_colour_survives(picture in pictures()) {
        let expected = (picture.width(), picture.height(), picture.to_rgba());
        prop_assert_eq!(&decode_png(&encode_png(&picture).unwrap()), &expected);
        prop_assert_eq!(&decode_webp(&encode_webp(&picture).unwrap()), &expected);
        let rgba = Picture::Rgba { width: expected.0, height: expected.1, pixels: expected.2.clone() };
        prop_assert_eq!(&decode_png(&encode_png(&rgba).unwrap()), &expected);
    }
}

#[test]
fn the_smallest_kind_of_png_is_chosen() {
    let opaque = Picture::Rgba { width: 1, height: 1, pixels: vec![1, 2, 3, 255] };
    assert_eq!(color_type(&encode_png(&opaque).unwrap()), png::ColorType::Rgb);
    let clear = Picture::Rgba { width: 1, height: 1, pixels: vec![1, 2, 3, 254] };
    assert_eq!(color_type(&encode_png(&clear).unwrap()), png::ColorType::Rgba);
    let palette = Picture::Palette { width: 1, height: 1, indices: vec![0], palette: vec![[9; 4]].into() };
    assert_eq!(color_type(&encode_png(&palette).unwrap()), png::ColorType::Indexed);
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    let pixels = (0..256 * 256 * 4).map(|i: u32| (i / 5 * 7 % 251) as u8).collect();
    let picture = Picture::Rgba { width: 256, height: 256, pixels };
    assert_eq!(encode_png(&picture).unwrap(), encode_png(&picture).unwrap());
    assert_eq!(encode_webp(&picture).unwrap(), encode_webp(&picture).unwrap());
}

#[test]
fn nothing_is_small_and_kept() {
    let tile = transparent_png(256, 256).unwrap();
    assert_eq!(decode_png(&tile), (256, 256, vec![0; 256 * 256 * 4]));
    assert!(tile.len() < 200, "{}", tile.len());
    assert!(std::sync::Arc::ptr_eq(&tile, &transparent_png(256, 256).unwrap()));
    assert_eq!(decode_png(&transparent_png(3, 700).unwrap()), (3, 700, vec![0; 3 * 700 * 4]));
    assert!(transparent_png(0, 5).is_err());
}

#[test]
fn impossible_pictures_are_refused() {
    let short = Picture::Rgba { width: 2, height: 2, pixels: vec![0; 12] };
    assert!(matches!(encode_png(&short), Err(RenderError::Size { found: 3, .. })));
    assert!(encode_webp(&short).is_err());
    let empty = Picture::Palette { width: 0, height: 0, indices: vec![], palette: vec![TRANSPARENT].into() };
    assert!(encode_png(&empty).is_err());
    assert!(encode_webp(&empty).is_err());
    let long = Picture::Rgba { width: 16_385, height: 1, pixels: vec![0; 4 * 16_385] };
    assert!(encode_png(&long).is_ok());
    assert!(matches!(encode_webp(&long), Err(RenderError::WebP { width: 16_385, .. })));
}
