//! Reading a pixel through time.

use tesela_crs::with_transformer;
use tesela_grid::{CrsName, PixelWindow, TileId};
use tesela_index::{ProductKind, SlotRow};
use tesela_layout::names::tiles_window;
use tesela_model::{Band, Instant, Period, TimeSelector};
use tesela_store::{ObjectKey, Pixels, Window};

use super::{Location, Observation, Series, SeriesQuery};
use crate::catalog::Product;
use crate::load::Neighbours;
use crate::mask::Masker;
use crate::query::Selection;
use crate::recipe::saturation_bits;
use crate::{ComputeError, Cube};
use tesela_kernel::expr::Expression;

/// Stored values and, for each observation, whether it is used and why not.
struct Raw {
    times: Vec<(String, Option<String>)>,
    /// `[band][observation]`, stored.
    values: Vec<Vec<f64>>,
    reasons: Vec<Option<String>>,
}

impl Cube {
    /// Every observation of the pixel that holds a point.
    ///
    /// Scenes where the pixel was not observed (fill) are left out always; masked ones unless `keep_masked`.
    ///
    /// # Errors
    /// Unknown product, band, mask or snapshot; coordinates that are no place on Earth; those of the store.
    pub fn series(&self, query: &SeriesQuery) -> Result<Series, ComputeError> {
        let catalog = self.catalog()?;
        let product = catalog.product(&query.product)?;
        let snapshot = self.snapshot(query.snapshot)?;
        let location = locate(product, query.lon, query.lat)?;
        let expression = match &query.selection {
            Selection::Expression(text) => Some(product.expression(text)?),
            Selection::Bands(_) => None,
        };
        let names: Vec<String> = match (&query.selection, &expression) {
            (_, Some(e)) => e.bands().to_vec(),
            (Selection::Bands(b), None) if b.is_empty() => product.band_names(),
            (Selection::Bands(b), None) => b.clone(),
            (Selection::Expression(_), None) => Vec::new(),
        };
        let bands = names.iter().map(|n| product.band(n)).collect::<Result<Vec<_>, _>>()?;
        let time = match query.time {
            TimeSelector::Latest => Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) },
            other => other.period(),
        };
        let raw = match product.kind {
            ProductKind::Derived => self.derived(product, &bands, &location, &time, snapshot)?,
            ProductKind::Scenes => self.scenes(product, &bands, &location, &time, query, snapshot)?,
        };
        let units = match &expression {
            Some(e) => vec![(e.source().to_owned(), "1".to_owned())],
            None => bands.iter().map(|b| (b.name.clone(), b.unit.clone())).collect(),
        };
        let observations = observations(&raw, &bands, expression.as_ref(), query.keep_masked);
        Ok(Series { product: product.id.clone(), snapshot, location, bands: units, observations })
    }

    fn derived(
        &self,
        product: &Product,
        bands: &[&Band],
        at: &Location,
        time: &Period,
        snapshot: u64,
    ) -> Result<Raw, ComputeError> {
        let (px, py) = product.grid.pixel_at(at.x, at.y);
        let mut raw = Raw { times: Vec::new(), values: vec![Vec::new(); bands.len()], reasons: Vec::new() };
        for g in self.generations(&product.id, snapshot)?.iter().filter(|g| g.period.overlap_s(time) > 0) {
            let base = tiles_window(&product.grid, g.tile_min, g.tile_end, 0);
            let pixel = Window::pixel(py - base.py, px - base.px);
            let prefix = ObjectKey::new(&g.prefix)?;
            let mut any = false;
            let mut values = Vec::with_capacity(bands.len());
            for band in bands {
                let array = self.store().open_array(&prefix, &band.name)?;
                let mut out = Pixels::empty(band.dtype);
                self.store().read_window(&array, 0, pixel, &mut out)?;
                let v = out.get_f64(0).unwrap_or(band.nodata);
                any |= !band.is_nodata(v);
                values.push(v);
            }
            if any {
                raw.times.push((g.period.start.date().to_string(), None));
                raw.reasons.push(None);
                for (list, v) in raw.values.iter_mut().zip(values) {
                    list.push(v);
                }
            }
        }
        Ok(raw)
    }

    fn scenes(
        &self,
        product: &Product,
        bands: &[&Band],
        at: &Location,
        time: &Period,
        query: &SeriesQuery,
        snapshot: u64,
    ) -> Result<Raw, ComputeError> {
        let tile = at.tile_id();
        let slots = self.index().slots(&product.id, Some(tile), time, snapshot)?;
        let (px, py) = product.grid.pixel_at(at.x, at.y);
        let pixel = PixelWindow::new(px, py, 1, 1);
        let mut raw = Raw {
            times: slots.iter().map(|s| (s.time.to_string(), Some(s.platform.clone()))).collect(),
            values: Vec::new(),
            reasons: vec![None; slots.len()],
        };
        if slots.is_empty() {
            raw.values = vec![Vec::new(); bands.len()];
            return Ok(raw);
        }
        let judged = product.quality().is_some();
        let mut observed = vec![true; slots.len()];
        if judged {
            observed = self.judge(product, &slots, query.mask.as_deref(), &pixel, snapshot, &mut raw)?;
        }
        // Nobody sees the other values.
        let shown = |i: &usize| observed[*i] && (query.keep_masked || raw.reasons[*i].is_none());
        let chosen: Vec<usize> = (0..slots.len()).filter(shown).collect();
        for band in bands {
            let stack = self.read_slots_where(product, band, &slots, &chosen, None, &pixel)?;
            let mut values = vec![band.nodata; slots.len()];
            for (k, i) in chosen.iter().enumerate() {
                values[*i] = stack.get_f64(k).unwrap_or(band.nodata);
            }
            raw.values.push(values);
        }
        if !judged {
            // A pixel with any value was observed.
            observed = (0..slots.len()).map(|i| raw.values.iter().any(|v| !v[i].is_nan())).collect();
        }
        range_reasons(bands, &mut raw);
        keep(&mut raw, &observed);
        Ok(raw)
    }

    /// Sets the reason of each observation that the mask or saturation hides; returns which pixels were observed.
    fn judge(
        &self,
        product: &Product,
        slots: &[SlotRow],
        mask: Option<&str>,
        pixel: &PixelWindow,
        snapshot: u64,
        raw: &mut Raw,
    ) -> Result<Vec<bool>, ComputeError> {
        let Some((quality, table)) = product.quality() else { return Ok(vec![true; slots.len()]) };
        let name = match mask {
            Some(m) => m,
            None if product.scenes().is_some_and(|d| d.masks.contains_key("standard")) => "standard",
            None => "none",
        };
        let masker = Masker::new(product.mask(name)?, quality.nodata)?;
        let halo = masker.halo();
        let grown = pixel.grown(halo);
        let neighbours = self.neighbours(product, slots, &grown, snapshot)?;
        let mut words = Pixels::empty(quality.dtype);
        self.read_slot_stack(product, quality, slots, &neighbours, &grown, &mut words)?;
        let fill = table.mask(&["fill"]).ok();
        let centre = halo * grown.width + halo;
        let mut observed = Vec::with_capacity(slots.len());
        for (i, reason) in raw.reasons.iter_mut().enumerate() {
            let at = i * grown.len();
            let word = |k: usize| words.get_f64(at + k).unwrap_or(quality.nodata) as u16;
            let own = word(centre);
            let is_fill = f64::from(own) == quality.nodata || fill.as_ref().is_some_and(|f| f.matches(own));
            observed.push(!is_fill);
            if is_fill || name == "none" {
                continue;
            }
            if masker.hidden(word, grown.width, grown.height, halo)?.first() == Some(&true) {
                let def = product.scenes().and_then(|d| d.masks.get(name));
                let flags: Vec<String> = def
                    .map(|d| d.any_of.iter().filter(|f| table.decode(own).has(f)).cloned().collect())
                    .unwrap_or_default();
                // Hidden without a flag of its own: within the grown edge of a neighbour's.
                *reason = Some(if flags.is_empty() { "near_masked".into() } else { flags.join("+") });
            }
        }
        if let Some(saturation) =
            product.scenes().and_then(|d| d.saturation.as_deref()).filter(|_| name != "none")
        {
            let band = product.band(saturation)?;
            let names: Vec<String> =
                product.scenes().map(|d| d.spectral().map(|m| m.name.clone()).collect()).unwrap_or_default();
            let clear = |i: &usize| observed[*i] && raw.reasons[*i].is_none();
            let clear: Vec<usize> = (0..slots.len()).filter(clear).collect();
            let words = self.read_slots_where(product, band, slots, &clear, None, pixel)?;
            for (k, i) in clear.into_iter().enumerate() {
                let w = words.get_f64(k).unwrap_or(band.nodata);
                if w != band.nodata && (w as u16) & saturation_bits(&slots[i].platform, &names) != 0 {
                    raw.reasons[i] = Some("saturated".into());
                }
            }
        }
        Ok(observed)
    }

    /// Slots of the tiles that a window reaches beyond its home tile.
    fn neighbours(
        &self,
        product: &Product,
        slots: &[SlotRow],
        window: &PixelWindow,
        snapshot: u64,
    ) -> Result<Neighbours, ComputeError> {
        let home = slots.first().map(|s| s.tile);
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return Ok(Neighbours::default());
        };
        let around = Period { start: Instant(first.time.0 - 86_400), end: Instant(last.time.0 + 86_400) };
        let mut all = Vec::new();
        for tile in product.grid.tiles_in_window(window, 0).into_iter().filter(|t| Some(*t) != home) {
            all.extend(self.index().slots(&product.id, Some(tile), &around, snapshot)?);
        }
        Ok(Neighbours::new(all))
    }
}

fn range_reasons(bands: &[&Band], raw: &mut Raw) {
    for (i, reason) in raw.reasons.iter_mut().enumerate().filter(|(_, r)| r.is_none()) {
        for (band, values) in bands.iter().zip(&raw.values) {
            if band.flags.is_some() {
                continue;
            }
            let v = values[i];
            if let Some([low, high]) = band.valid {
                if band.is_nodata(v) {
                    *reason = Some("nodata".into());
                } else if !(low..=high).contains(&v) {
                    *reason = Some("out_of_range".into());
                }
            }
        }
    }
}

fn keep(raw: &mut Raw, observed: &[bool]) {
    let mut kept = observed.iter();
    raw.times.retain(|_| *kept.next().unwrap_or(&false));
    let mut kept = observed.iter();
    raw.reasons.retain(|_| *kept.next().unwrap_or(&false));
    for values in &mut raw.values {
        let mut kept = observed.iter();
        values.retain(|_| *kept.next().unwrap_or(&false));
    }
}

fn observations(
    raw: &Raw,
    bands: &[&Band],
    expression: Option<&Expression>,
    keep_masked: bool,
) -> Vec<Observation> {
    let mut list = Vec::with_capacity(raw.times.len());
    for (i, (datetime, platform)) in raw.times.iter().enumerate() {
        let reason = raw.reasons[i].clone();
        if reason.is_some() && !keep_masked {
            continue;
        }
        let physical: Vec<Option<f64>> = bands
            .iter()
            .zip(&raw.values)
            .map(|(b, v)| (!b.is_nodata(v[i])).then(|| tidy(v[i] * b.scale + b.offset)))
            .collect();
        let values = match expression {
            None => physical,
            Some(e) => {
                let inputs: Vec<f64> = physical.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
                vec![e.evaluate_point(&inputs).ok().filter(|v| v.is_finite())]
            }
        };
        list.push(Observation {
            datetime: datetime.clone(),
            platform: platform.clone(),
            values,
            used: reason.is_none(),
            reason,
        });
    }
    list
}

/// Without the noise that binary scale factors leave in the last digits: ten decimals, where stored steps are 1e-5.
fn tidy(v: f64) -> f64 {
    let rounded = (v * 1e10).round() / 1e10;
    if rounded.is_finite() { rounded } else { v }
}

/// The pixel that holds a point.
pub(crate) fn locate(product: &Product, lon: f64, lat: f64) -> Result<Location, ComputeError> {
    if !(-180.0..=180.0).contains(&lon) {
        return Err(ComputeError::Parameter {
            parameter: "lon",
            problem: format!("{lon} is not within -180 to 180"),
        });
    }
    if !(-90.0..=90.0).contains(&lat) {
        return Err(ComputeError::Parameter {
            parameter: "lat",
            problem: format!("{lat} is not within -90 to 90"),
        });
    }
    let grid = &product.grid;
    let (mut x, mut y) = ([lon], [lat]);
    with_transformer(&CrsName::lon_lat(), &grid.crs, |t| t.transform(&mut x, &mut y))?;
    if !(x[0].is_finite() && y[0].is_finite()) {
        return Err(ComputeError::Parameter {
            parameter: "lon",
            problem: format!("({lon}, {lat}) has no place in {}", grid.crs),
        });
    }
    let (px, py) = grid.pixel_at(x[0], y[0]);
    let (TileId { ix, iy }, col, row) = grid.tile_of_pixel(px, py);
    let (cx, cy) = grid.geobox(&PixelWindow::new(px, py, 1, 1), 0).xy(0.5, 0.5);
    Ok(Location { lon, lat, crs: grid.crs.to_string(), x: cx, y: cy, tile: [ix, iy], col, row })
}
