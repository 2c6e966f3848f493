//! Names to products, styles and moments, all at one snapshot.

use std::sync::Arc;

use tesela_compute::query::{Moment, Selection};
use tesela_compute::{Catalog, Cube, Product};
use tesela_model::{Style, StyleKind, TimeSelector};

use super::cache;
use super::request::{PictureLayer, PictureRequest};
use crate::request::text::shorten;
use crate::{ApiError, ApiResult};

/// A layer whose names are all known.
#[derive(Debug, Clone)]
pub struct ResolvedLayer {
    /// The product.
    pub product: Arc<Product>,
    /// The style, with a client's expression in place of its own if one was given.
    pub style: Style,
    /// Which values it paints.
    pub selection: Selection,
    /// When.
    pub moment: Arc<Moment>,
}

/// A request whose names are all known.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Layers, the lowest first.
    pub layers: Vec<ResolvedLayer>,
    /// Snapshot to read.
    pub snapshot: u64,
    /// The cube's directory: what tells pictures of two cubes in one process apart.
    pub cube: Arc<str>,
}

/// Whether [`resolve`] finds all that a request names in memory.
pub fn is_at_hand(cube: &Cube, request: &PictureRequest) -> bool {
    let Some(catalog) = cube.catalog_at_hand() else { return false };
    let latest = catalog.snapshot;
    request.snapshot.is_none_or(|asked| asked == latest)
        && request.layers.iter().all(|layer| {
            cache::moments().contains_key(&moment_key(cube, &catalog, &layer.product, &request.time, latest))
        })
}

/// Looks up what a request names.
///
/// # Errors
/// 404 for unknown products, styles, snapshots and times without data; 400 for masks and expressions.
pub fn resolve(cube: &Cube, request: &PictureRequest) -> ApiResult<Resolved> {
    let catalog = cube.catalog()?;
    let snapshot = cube.snapshot(request.snapshot)?;
    let layer = |asked: &PictureLayer| -> ApiResult<ResolvedLayer> {
        let product = catalog.product(&asked.product)?.clone();
        let style = styled(&product, asked)?;
        let selection = selection(&product, &style)?;
        if let Some(mask) = &request.mask {
            product.mask(mask)?;
        }
        let moment = moment(cube, &catalog, &product.id, &request.time, snapshot)?;
        Ok(ResolvedLayer { product, style, selection, moment })
    };
    let layers = request.layers.iter().map(layer).collect::<ApiResult<_>>()?;
    Ok(Resolved { layers, snapshot, cube: cube.dir().to_string_lossy().into() })
}

/// What a time means in a product; remembered, since a snapshot never changes.
///
/// # Errors
/// 404 if there is nothing at that time.
pub fn moment(
    cube: &Cube,
    catalog: &Catalog,
    product: &str,
    time: &TimeSelector,
    snapshot: u64,
) -> ApiResult<Arc<Moment>> {
    let key = moment_key(cube, catalog, product, time, snapshot);
    if let Some(kept) = cache::moments().get(&key) {
        return Ok(kept);
    }
    let found = Arc::new(cube.moment(product, time, snapshot)?);
    cache::moments().insert(key, found.clone());
    Ok(found)
}

fn moment_key(cube: &Cube, catalog: &Catalog, product: &str, time: &TimeSelector, snapshot: u64) -> String {
    format!("{}|{product}|{snapshot}|{}|{time:?}", cube.dir().display(), catalog.version)
}

/// The style asked for, a client's expression put in.
fn styled(product: &Product, asked: &PictureLayer) -> ApiResult<Style> {
    let style = product.style(&asked.style)?.clone();
    match &asked.expression {
        None => Ok(style),
        Some(expression) if style.ramp.is_some() => {
            Ok(Style { expression: Some(expression.clone()), band: None, ..style })
        }
        Some(_) => Err(ApiError::parameter(
            "expression",
            format!("style {} has no colour ramp to paint an expression with", shorten(&style.name)),
        )),
    }
}

/// The values a style paints.
fn selection(product: &Product, style: &Style) -> ApiResult<Selection> {
    match style.kind() {
        Some(StyleKind::Rgb { bands, .. }) => Ok(Selection::Bands(bands.to_vec())),
        Some(StyleKind::Ramp { expression, .. }) if style.expression.is_some() => {
            Ok(Selection::Expression(expression.to_owned()))
        }
        Some(StyleKind::Ramp { expression: band, .. } | StyleKind::Classes { band, .. }) => {
            Ok(Selection::Bands(vec![band.to_owned()]))
        }
        None => Err(ApiError::internal(&format!(
            "style {} of {} contradicts itself; run `tesela products validate`",
            style.name, product.id
        ))),
    }
}
