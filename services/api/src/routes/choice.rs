//! Which product and band a request means when it does not say.

use std::sync::Arc;

use tesela_compute::{Catalog, Product};
use tesela_index::ProductKind;

use crate::{ApiError, ApiResult};

/// The product asked for, else the only one of a kind.
///
/// # Errors
/// 404 for an unknown product; 400 lists the choices when none is given and there is not exactly one.
pub(crate) fn product_of(
    catalog: &Catalog,
    asked: Option<&str>,
    kind: ProductKind,
) -> ApiResult<Arc<Product>> {
    if let Some(id) = asked {
        return Ok(Arc::clone(catalog.product(id)?));
    }
    let mut candidates = catalog.products.values().filter(|p| p.kind == kind);
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(Arc::clone(only)),
        _ => Err(ApiError::parameter(
            "product",
            format!("product is needed; this cube has: {}", join(catalog.products.keys())),
        )),
    }
}

/// The band asked for, else the product's only one.
///
/// # Errors
/// 400 lists the bands.
pub(crate) fn band_of(product: &Product, asked: Option<&str>) -> ApiResult<String> {
    match (asked, &product.bands[..]) {
        (Some(name), _) => Ok(product.band(name)?.name.clone()),
        (None, [only]) => Ok(only.name.clone()),
        (None, _) => Err(ApiError::parameter(
            "band",
            format!(
                "band or expression is needed; {} has the bands {}",
                product.id,
                product.band_names().join(", ")
            ),
        )),
    }
}

fn join<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
