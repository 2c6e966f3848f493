//! From a query to pixels: find the item, choose the level, read, sample.

use tesela_crs::with_transformer;
use tesela_model::{Band, Resampling};
use tesela_raster::{NearestIndex, Source, SourceGrid, gather, mask_physical, to_physical};
use tesela_store::Pixels;

use super::{PixelAnswer, PixelQuery, Selection};
use crate::catalog::Product;
use crate::load::Item;
use crate::mask::Masker;
use crate::{ComputeError, Cube};
use tesela_kernel::expr::{Expression, Vocabulary};

/// Most source pixels one query may read, per band.
const MAX_SOURCE_PIXELS: usize = 64 << 20;

impl Product {
    /// An expression over this product's band names.
    ///
    /// # Errors
    /// [`ComputeError::Expression`] points at the column.
    pub fn expression(&self, text: &str) -> Result<Expression, ComputeError> {
        Ok(Expression::parse(text, &Vocabulary::new().with_bands(self.band_names()))?)
    }
}

impl Cube {
    /// Answers a query.
    ///
    /// Reads the coarsest pyramid level that is at least as fine as the target. Pixels outside the data are NaN.
    ///
    /// # Errors
    /// Unknown products, bands, masks, times, snapshots; expressions that do not parse; a target whose source is
    /// too large; those of the store.
    pub fn load(&self, query: &PixelQuery) -> Result<PixelAnswer, ComputeError> {
        let catalog = self.catalog()?;
        let product = catalog.product(&query.product)?;
        let snapshot = self.snapshot(query.snapshot)?;
        let (item, moment) = self.find_item(product, &query.time, snapshot)?;
        let expression = match &query.selection {
            Selection::Expression(text) => Some(product.expression(text)?),
            Selection::Bands(_) => None,
        };
        let names: Vec<String> = match (&query.selection, &expression) {
            (Selection::Bands(names), _) => names.clone(),
            (_, Some(e)) => e.bands().to_vec(),
            _ => Vec::new(),
        };
        let bands = names.iter().map(|n| product.band(n)).collect::<Result<Vec<_>, _>>()?;
        let (layers, level) = self.sample(product, &item, &bands, query)?;
        let (layers, names) = match expression {
            None => (layers, names),
            Some(e) => {
                let inputs: Vec<&[f32]> = layers.iter().map(Vec::as_slice).collect();
                let mut out = vec![f32::NAN; query.target.width * query.target.height];
                e.evaluate(&inputs, &mut out).map_err(|e| ComputeError::Parameter {
                    parameter: "expression",
                    problem: e.to_string(),
                })?;
                (vec![out], vec![e.source().to_owned()])
            }
        };
        let (width, height) = (query.target.width, query.target.height);
        Ok(PixelAnswer { layers, names, width, height, moment, snapshot, level })
    }

    fn sample(
        &self,
        product: &Product,
        item: &Item,
        bands: &[&Band],
        query: &PixelQuery,
    ) -> Result<(Vec<Vec<f32>>, u32), ComputeError> {
        let target = &query.target;
        let pixels = target.width * target.height;
        let nothing = || bands.iter().map(|_| vec![f32::NAN; pixels]).collect::<Vec<_>>();
        let grid = &product.grid;
        let positions = with_transformer(&target.crs, &grid.crs, |t| {
            SourceGrid::new(target, |xs, ys| {
                t.transform(xs, ys);
                for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
                    *x = (*x - grid.origin[0]) / grid.resolution;
                    *y = (grid.origin[1] - *y) / grid.resolution;
                }
            })
        })?;
        let ratio = positions.source_pixels_per_pixel().unwrap_or(1.0).max(1.0);
        let level = ((ratio.log2() + 1e-6).floor() as u32).min(item.top_level(product));
        let positions = if level == 0 { positions } else { positions.scaled(0.5f64.powi(level as i32)) };
        let Some(window) = positions.source_window(query.resampling) else { return Ok((nothing(), level)) };
        // Only what the item can hold; the rest of the picture is NaN.
        let bounds = item_window(product, item, level);
        let Some(window) = window.intersection(&bounds) else { return Ok((nothing(), level)) };
        if window.len() > MAX_SOURCE_PIXELS {
            return Err(ComputeError::Parameter {
                parameter: "bbox",
                problem: format!(
                    "{} source pixels are too many; ask for a smaller area or fewer pixels",
                    window.len()
                ),
            });
        }
        let hidden = self.hidden(product, item, query.mask.as_deref(), level, &window)?;
        let read = self.read_item_where(product, item, bands, level, &window, hidden.as_deref())?;
        let nearest =
            (query.resampling == Resampling::Nearest).then(|| NearestIndex::new(&positions, &window));
        let mut layers = Vec::with_capacity(bands.len());
        let hidden = match (hidden, &nearest) {
            (Some(hidden), Some(index)) => Some(taken(&hidden, index, false, pixels)?),
            (hidden, _) => hidden,
        };
        for (plane, band) in read.iter().zip(bands) {
            let mut values = match &nearest {
                Some(index) => physical(&taken_plane(plane, index, band, pixels)?, band)?,
                None => physical(plane, band)?,
            };
            if let Some(h) = &hidden {
                mask_physical(&mut values, h).map_err(size)?;
            }
            if nearest.is_none() {
                let source = Source::new(&values, window, f32::NAN).map_err(size)?;
                let mut out = vec![f32::NAN; pixels];
                gather(&source, &positions, query.resampling, &mut out).map_err(size)?;
                values = out;
            }
            layers.push(values);
        }
        Ok((layers, level))
    }

    /// Where a named mask hides a window; disks are exact at level 0 and left out above it.
    fn hidden(
        &self,
        product: &Product,
        item: &Item,
        mask: Option<&str>,
        level: u32,
        window: &tesela_grid::PixelWindow,
    ) -> Result<Option<Vec<bool>>, ComputeError> {
        let Some(name) = mask.filter(|m| *m != "none") else { return Ok(None) };
        let rule = product.mask(name)?;
        let Some((quality, _)) = product.quality() else { return Ok(None) };
        let rule = if level > 0 { rule.without_disks() } else { rule };
        let masker = Masker::new(rule, quality.nodata)?;
        let grown = window.grown(masker.halo());
        let words = self.read_item(product, item, &[quality], level, &grown)?;
        let word = |i: usize| words[0].get_f64(i).unwrap_or(0.0) as u16;
        Ok(Some(masker.hidden(word, grown.width, grown.height, masker.halo())?))
    }
}

/// Level window of everything an item may hold.
fn item_window(product: &Product, item: &Item, level: u32) -> tesela_grid::PixelWindow {
    use tesela_layout::names::{tiles_extent, tiles_window};
    let extent = match item {
        Item::Generation(g) => Some((g.tile_min, g.tile_end)),
        Item::Day { slots, .. } => tiles_extent(slots.iter().map(|s| s.tile)),
    };
    match extent {
        Some((min, end)) => tiles_window(&product.grid, min, end, level),
        None => tesela_grid::PixelWindow::new(0, 0, 0, 0),
    }
}

/// The picture's pixels of a plane, as stored: nodata outside.
fn taken_plane(
    plane: &Pixels,
    index: &NearestIndex,
    band: &Band,
    pixels: usize,
) -> Result<Pixels, ComputeError> {
    Ok(match plane {
        Pixels::U8(v) => Pixels::U8(taken(v, index, band.nodata as u8, pixels)?),
        Pixels::U16(v) => Pixels::U16(taken(v, index, band.nodata as u16, pixels)?),
        Pixels::I16(v) => Pixels::I16(taken(v, index, band.nodata as i16, pixels)?),
        Pixels::F32(v) => Pixels::F32(taken(v, index, band.nodata as f32, pixels)?),
    })
}

fn taken<T: Copy>(
    values: &[T],
    index: &NearestIndex,
    fill: T,
    pixels: usize,
) -> Result<Vec<T>, ComputeError> {
    let mut out = vec![fill; pixels];
    index.gather(values, fill, &mut out).map_err(size)?;
    Ok(out)
}

pub(crate) fn physical(plane: &Pixels, band: &Band) -> Result<Vec<f32>, ComputeError> {
    let mut out = vec![f32::NAN; plane.len()];
    let (scale, offset) = (band.scale, band.offset);
    match plane {
        Pixels::U8(v) => to_physical(v, scale, offset, band.nodata as u8, &mut out),
        Pixels::U16(v) => to_physical(v, scale, offset, band.nodata as u16, &mut out),
        Pixels::I16(v) => to_physical(v, scale, offset, band.nodata as i16, &mut out),
        Pixels::F32(v) => to_physical(v, scale, offset, band.nodata as f32, &mut out),
    }
    .map_err(size)?;
    Ok(out)
}

fn size(e: tesela_raster::RasterError) -> ComputeError {
    ComputeError::Parameter { parameter: "picture", problem: e.to_string() }
}
