//! A style and its legend, as data: clients draw their own.

use serde_json::{Value, json};
use tesela_model::{Style, StyleKind};

use crate::request::Lang;

/// A style; the first of a product is its default.
pub(super) fn document(style: &Style, is_default: bool, lang: Lang) -> Value {
    let mut out = json!({"name": style.name, "title": lang.text_or(&style.title, &style.name)});
    if is_default {
        out["default"] = true.into();
    }
    out["legend"] = legend(style, lang);
    out
}

fn legend(style: &Style, lang: Lang) -> Value {
    match style.kind() {
        Some(StyleKind::Rgb { bands, range, gamma }) => {
            json!({"type": "rgb", "bands": bands, "range": range, "gamma": gamma})
        }
        Some(StyleKind::Ramp { expression, stops }) => {
            let named = if style.expression.is_some() { "expression" } else { "band" };
            json!({"type": "ramp", named: expression, "unit": style.unit, "stops": stops})
        }
        Some(StyleKind::Classes { band, entries }) => {
            let entries: Vec<Value> = entries
                .iter()
                .map(|e| {
                    let value = e.value.to_string();
                    json!({"value": e.value, "color": e.color, "title": lang.text_or(&e.title, &value)})
                })
                .collect();
            json!({"type": "classes", "band": band, "entries": entries})
        }
        None => json!({"type": "none"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_legend() {
        let style = |text: &str| -> Style { serde_json::from_str(text).unwrap() };
        let en = Lang::of_code("en").unwrap();
        let rgb = style(r#"{"name":"c","title":{"en":"C"},"rgb":["red","green","blue"],"range":[0,0.3]}"#);
        assert_eq!(
            document(&rgb, true, en),
            json!({"name": "c", "title": "C", "default": true,
                   "legend": {"type": "rgb", "bands": ["red", "green", "blue"], "range": [0.0, 0.3], "gamma": 1.0}})
        );
        let ramp = style(
            r##"{"name":"n","title":{},"band":"ndvi","unit":"1",
                "ramp":[{"value":0,"color":"#000000"},{"value":1,"color":"#ffffff"}]}"##,
        );
        let out = document(&ramp, false, en);
        assert_eq!((&out["title"], &out["legend"]["band"]), (&json!("n"), &json!("ndvi")));
        assert_eq!(out["legend"]["stops"][1], json!({"value": 1.0, "color": "#ffffff"}));
        let classes = style(
            r##"{"name":"k","title":{},"band":"class","classes":[{"value":1,"color":"#ff0000","title":{"es":"Urbano"}}]}"##,
        );
        assert_eq!(document(&classes, false, en)["legend"]["entries"][0]["title"], "Urbano");
    }
}
