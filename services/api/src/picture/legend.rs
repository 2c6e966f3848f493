//! Legends: a style's colours with their values and titles.

use tesela_compute::Catalog;
use tesela_model::Style;

use super::cache::{self, Document};
use super::paint;
use crate::ApiResult;
use crate::request::Lang;

/// The legend of a product's style as PNG, with the snapshot of the catalogue it was looked up in.
///
/// # Errors
/// 404 for an unknown product or style, or a style that has no legend.
pub fn of_style(catalog: &Catalog, product: &str, style: &str, lang: Lang) -> ApiResult<(u64, Document)> {
    let style = catalog.product(product)?.style(style)?;
    let key = format!("legend|{lang}|{}", serde_json::to_string(style).unwrap_or_default());
    let drawn = cache::documents()
        .try_get_with(key, || Ok(Document::new(paint::legend(style, lang)?)))
        .map_err(|shared: std::sync::Arc<crate::ApiError>| (*shared).clone())?;
    Ok((catalog.snapshot, drawn))
}

/// Width and height of a style's legend, pixels; `None` if it has none.
pub fn size(style: &Style, lang: Lang) -> Option<(u32, u32)> {
    paint::size_of_legend(style, lang)
}
