use proptest::prelude::*;
use tesela_render::{Painter, Picture, RenderError, TRANSPARENT};

use crate::style;

const NAN: f32 = f32::NAN;

#[test]
fn true_colour() {
    let painter = Painter::new(&style(r#""rgb":["red","green","blue"],"range":[0,0.3]"#)).unwrap();
    assert_eq!(painter.inputs(), ["red", "green", "blue"]);
    assert!(!painter.is_categorical());
    let (red, green, blue) = ([0.0, 0.15, 0.3, NAN], [0.3, 0.15, 9.0, 0.1], [-1.0, 0.15, 0.06, 0.1]);
    let picture = painter.paint(2, 2, &[&red, &green, &blue]).unwrap();
    #[rustfmt::skip]
    assert_eq!(picture.to_rgba(), [
        0, 255, 0, 255,      128, 128, 128, 255,
        255, 255, 51, 255,   0, 0, 0, 0,
    ]);
    assert_eq!(picture.color(0, 1), painter.color_at(&[0.3, 9.0, 0.06]));
    assert_eq!(painter.color_at(&[0.1, NAN, 0.1]), TRANSPARENT);
}

#[test]
fn ramps_and_classes_are_palettes() {
    let ramp = Painter::new(&style(
        r##""expression":"(nir - red) / (nir + red)","ramp":[{"value":-1,"color":"#ff0000"},{"value":1,"color":"#0000ff"}]"##,
    ))
    .unwrap();
    assert_eq!(ramp.inputs(), ["(nir - red) / (nir + red)"]);
    let picture = ramp.paint(3, 1, &[&[-1.0, NAN, 2.0]]).unwrap();
    let Picture::Palette { indices, palette, .. } = &picture else { panic!("{picture:?}") };
    assert_eq!((indices.as_slice(), palette.len()), ([1, 0, 254].as_slice(), 255));
    assert_eq!(picture.to_rgba(), [255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 255]);

    let classes = Painter::new(&style(
        r##""band":"cover","classes":[{"value":1,"color":"#102030"},{"value":2,"color":"#405060"}]"##,
    ))
    .unwrap();
    assert!(classes.is_categorical());
    let picture = classes.paint(2, 2, &[&[2.0, 0.0, 1.0, NAN]]).unwrap();
    assert_eq!(picture.color(0, 0), [0x40, 0x50, 0x60, 255]);
    assert_eq!([picture.color(1, 0), picture.color(1, 1), picture.color(7, 7)], [TRANSPARENT; 3]);
}

#[test]
fn nonsense_is_refused() {
    let painter = Painter::new(&style(r#""rgb":["r","g","b"],"range":[0,1]"#)).unwrap();
    assert!(matches!(painter.paint(1, 1, &[&[0.0]]), Err(RenderError::Inputs { expected: 3, found: 1, .. })));
    assert!(matches!(
        painter.paint(2, 1, &[&[0.0; 2], &[0.0; 2], &[0.0]]),
        Err(RenderError::Size { found: 1, .. })
    ));
    for bad in [
        r#""rgb":["r","g","b"]"#,
        r#""rgb":["r","g","b"],"range":[1,0]"#,
        r#""rgb":["r","g","b"],"range":[0,1],"gamma":0"#,
        r##""band":"x","ramp":[{"value":0,"color":"#000000"}]"##,
        r#""band":"x","classes":[{"value":0,"color":"red"}]"#,
    ] {
        let error = Painter::new(&style(bad)).unwrap_err();
        assert!(error.to_string().starts_with("style \"s\": "), "{error}");
    }
}

#[test]
fn a_picture_on_a_ground() {
    let rgba =
        Picture::Rgba { width: 3, height: 1, pixels: vec![10, 20, 30, 255, 0, 0, 0, 0, 255, 0, 0, 51] };
    assert!(!rgba.is_opaque() && !rgba.is_transparent());
    let palette = Picture::Palette {
        width: 3,
        height: 1,
        indices: vec![1, 77, 2],
        palette: vec![TRANSPARENT, [10, 20, 30, 255], [255, 0, 0, 51]].into(),
    };
    for picture in [rgba, palette] {
        let opaque = picture.opaque_on([255, 255, 0]);
        assert!(opaque.is_opaque());
        assert_eq!(opaque.to_rgba(), [10, 20, 30, 255, 255, 255, 0, 255, 255, 204, 0, 255]);
    }
}

proptest! {
    #[test]
    fn painting_is_one_pixel_at_a_time(
        values in prop::collection::vec(prop_oneof![1 => Just(NAN), 9 => -2f32..2.0], 12),
        gamma in prop_oneof![Just(1.0f64), 0.3..3.0],
    ) {
        let rgb = Painter::new(&style(&format!(r#""rgb":["a","b","c"],"range":[-0.5,1.5],"gamma":{gamma}"#))).unwrap();
        let picture = rgb.paint(2, 2, &[&values[..4], &values[4..8], &values[8..]]).unwrap();
        for i in 0..4 {
            let color = rgb.color_at(&[values[i], values[4 + i], values[8 + i]]);
            prop_assert_eq!(picture.color(i as u32 % 2, i as u32 / 2), color);
        }
        let ramp = Painter::new(&style(r##""band":"x","ramp":[{"value":-1,"color":"#ff0000"},{"value":0.9,"color":"#00ff00"},{"value":1,"color":"#0000ff00"}]"##)).unwrap();
        let picture = ramp.paint(4, 3, &[&values]).unwrap();
        for (i, value) in values.iter().enumerate() {
            prop_assert_eq!(picture.color(i as u32 % 4, i as u32 / 4), ramp.color_at(&[*value]));
        }
    }
}
