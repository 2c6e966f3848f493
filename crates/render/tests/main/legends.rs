use tesela_model::{shipped_product, shipped_recipe};
use tesela_render::{Painter, legend_picture, legend_size};

use crate::style;

#[test]
fn size_is_known_without_drawing() {
    let styles = [
        style(r#""rgb":["swir2","nir","red"],"range":[0,0.45]"#),
        style(
            r##""band":"x","unit":"m²","ramp":[{"value":0,"color":"#000000"},{"value":1000000,"color":"#ffffff"}]"##,
        ),
        style(
            r##""band":"x","classes":[{"value":1,"color":"#00ff00","title":{"es":"Cultivo de riego","en":"Irrigated crop"}},{"value":2,"color":"#0000ff"}]"##,
        ),
    ];
    for style in &styles {
        for (title, lang, scale) in
            [("", "es", 1), ("Un título muy largo, más largo que la barra de colores", "en", 2)]
        {
            let picture = legend_picture(style, title, lang, scale).unwrap();
            assert_eq!((picture.width(), picture.height()), legend_size(style, title, lang, scale).unwrap());
            assert!(picture.is_opaque());
            // The margin is free on every side: nothing is cut.
            for x in 0..picture.width() {
                assert_eq!(
                    (picture.color(x, 0), picture.color(x, picture.height() - 1)),
                    ([255; 4], [255; 4])
                );
            }
            for y in 0..picture.height() {
                assert_eq!(
                    (picture.color(0, y), picture.color(picture.width() - 1, y)),
                    ([255; 4], [255; 4])
                );
            }
        }
    }
}

#[test]
fn languages_change_only_the_words() {
    let classes = style(
        r##""band":"x","classes":[{"value":1,"color":"#00ff00","title":{"es":"Agua","en":"Open water"}}]"##,
    );
    let (es, en) =
        (legend_size(&classes, "", "es-MX", 1).unwrap(), legend_size(&classes, "", "en", 1).unwrap());
    assert!(es.0 < en.0 && es.1 == en.1);
    let picture = legend_picture(&classes, "", "es", 1).unwrap();
    assert_eq!(picture.color(12, 11), [0, 255, 0, 255]);
}

#[test]
fn the_bar_has_the_colours_of_the_map() {
    let ramp = style(
        r##""band":"x","ramp":[{"value":0,"color":"#ff0000"},{"value":5,"color":"#00ff00"},{"value":40,"color":"#0000ff"}]"##,
    );
    let painter = Painter::new(&ramp).unwrap();
    let picture = legend_picture(&ramp, "", "es", 1).unwrap();
    let row: Vec<[u8; 4]> = (0..picture.width()).map(|x| picture.color(x, 12)).collect();
    let first = row.iter().position(|color| *color == [255, 0, 0, 255]).unwrap();
    for col in 0..220 {
        let value = 40.0 * f64::from(col) / 219.0;
        assert_eq!(row[first + col as usize], painter.color_at(&[value as f32]), "{col}");
    }
}

#[test]
fn every_shipped_style_has_a_painter_and_a_legend() {
    let mut styles = Vec::new();
    for name in ["landsat_c2_sr", "landsat_c1_sr", "landsat_stack_fmask"] {
        styles.extend(shipped_product(name).unwrap().unwrap().styles);
    }
    for name in ["geomedian_annual", "ndvi_annual"] {
        styles.extend(shipped_recipe(name).unwrap().unwrap().styles);
    }
    assert!(styles.len() > 10);
    for style in &styles {
        Painter::new(style).unwrap();
        legend_picture(style, &style.title["es"], "es", 1).unwrap();
    }
}
