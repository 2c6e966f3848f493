//! What is painted is what is decoded.
#![allow(clippy::unwrap_used)]

mod files;
mod legends;
mod painting;

use tesela_model::Style;

/// A style from JSON.
fn style(json: &str) -> Style {
    let product = format!("{{\"name\":\"s\",\"title\":{{\"es\":\"S\",\"en\":\"S\"}},{json}}}");
    serde_json::from_str(&product).unwrap()
}
