//! Observations of one tile, window by window: what slots hold and what the mask leaves of it.

use tesela_grid::PixelWindow;
use tesela_index::SlotRow;
use tesela_model::landsat::{FlagTable, Platform, saturation_mask};
use tesela_model::{Band, RecipeDef};
use tesela_store::Pixels;

use super::harmonised::Harmonised;
use super::reduce::Observations;
use crate::catalog::Product;
use crate::load::{Neighbours, place};
use crate::mask::Masker;
use crate::skip::{ChunkReport, Grid, Known, Need, Needs, grids, known};
use crate::{ComputeError, Cube};

/// What may be used of a window.
struct Usable {
    /// `(slots, pixels)` of what the mask or saturation hides.
    hidden: Vec<bool>,
    /// Pixels ever observed.
    observed: Vec<bool>,
    /// What is looked at of each slot; `None` is everything.
    needs: Option<Needs>,
    /// Slots with anything to look at.
    live: Vec<usize>,
    chunks: ChunkReport,
}

/// What every block of one tile of scenes shares.
pub(super) struct SceneTile<'t> {
    cube: &'t Cube,
    input: &'t Product,
    bands: Vec<&'t Band>,
    slots: &'t [SlotRow],
    neighbours: &'t Neighbours,
    masker: Option<Masker>,
    saturated: Vec<u16>,
    /// How chunks lie in each slot; `None` when all are read.
    grids: Option<Vec<Grid>>,
    /// What facts say of each slot.
    known: Vec<Option<Known>>,
    harmonised: Option<Harmonised>,
}

impl<'t> SceneTile<'t> {
    /// Of the named bands under a mask of the product.
    pub(super) fn new(
        cube: &'t Cube,
        input: &'t Product,
        recipe: &RecipeDef,
        names: &[String],
        slots: &'t [SlotRow],
        neighbours: &'t Neighbours,
    ) -> Result<Self, ComputeError> {
        let mask = recipe.mask.as_str();
        let bands = names.iter().map(|n| input.band(n)).collect::<Result<Vec<_>, _>>()?;
        let harmonised = recipe.harmonise.map(|h| Harmonised::new(h, recipe, &bands)).transpose()?;
        let masker = match input.quality() {
            Some((quality, _)) => Some(Masker::new(input.mask(mask)?, quality.nodata)?),
            None => None,
        };
        let saturated = slots.iter().map(|s| saturation_bits(&s.platform, names)).collect();
        let (grids, known) = match &masker {
            Some(_) => {
                let grids = grids(cube, bands[0], slots)?;
                let mut known = known(cube, input, mask, slots)?;
                known.iter_mut().zip(&grids).for_each(|(k, g)| *k = k.take().filter(|k| k.is_of(g)));
                (Some(grids), known)
            }
            None => (None, vec![None; slots.len()]),
        };
        Ok(Self { cube, input, bands, slots, neighbours, masker, saturated, grids, known, harmonised })
    }

    /// Decodes every chunk, hidden or not.
    pub(super) fn read_all(&mut self) {
        self.grids = None;
        self.known.fill(None);
    }

    /// What there is in a window; `None` when nothing was ever observed there.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn observe(
        &self,
        window: &PixelWindow,
    ) -> Result<Option<(Observations<'_>, ChunkReport)>, ComputeError> {
        let len = window.len();
        let Some(usable) = self.usable(window)? else { return Ok(None) };
        let Usable { hidden, observed, needs, live, chunks } = usable;
        let stacks = self
            .bands
            .iter()
            .map(|b| self.cube.read_slots_where(self.input, b, self.slots, &live, needs.as_ref(), window))
            .collect::<Result<Vec<_>, _>>()?;
        let (bands, stacks) = match &self.harmonised {
            Some(h) => {
                let platforms: Vec<&str> = live.iter().map(|s| self.slots[*s].platform.as_str()).collect();
                (h.bands(), h.stacks(&self.bands, stacks, &platforms)?)
            }
            None => (self.bands.clone(), stacks),
        };
        let seen = Observations {
            bands,
            stacks,
            hidden: match live.len() == self.slots.len() {
                true => hidden,
                false => live.iter().map(|s| &hidden[s * len..(s + 1) * len]).collect::<Vec<_>>().concat(),
            },
            observed,
            times: live.iter().map(|s| self.slots[*s].time).collect(),
            days: live.iter().map(|s| self.slots[*s].solar_day.as_str()).collect(),
        };
        Ok(Some((seen, chunks)))
    }

    /// What may be used of a window; `None` when nothing was ever observed there.
    fn usable(&self, window: &PixelWindow) -> Result<Option<Usable>, ComputeError> {
        let n = self.slots.len();
        let len = window.len();
        let mut usable = Usable {
            hidden: vec![false; n * len],
            observed: vec![false; len],
            needs: None,
            live: (0..n).collect(),
            chunks: ChunkReport::default(),
        };
        if let (Some(masker), Some(quality)) = (&self.masker, self.input.quality()) {
            self.mask(masker, quality, window, &mut usable)?;
        } else {
            let first =
                self.cube.read_slot_stack(self.input, self.bands[0], self.slots, self.neighbours, window)?;
            for k in 0..n * len {
                let seen = first.get_f64(k).is_some_and(|v| !self.bands[0].is_nodata(v));
                usable.observed[k % len] |= seen;
            }
        }
        if !usable.observed.contains(&true) {
            return Ok(None);
        }
        let mut bands = self.bands.len() as u64;
        if let Some(name) = self.input.scenes().and_then(|d| d.saturation.as_deref()) {
            let band = self.input.band(name)?;
            let Usable { hidden, needs, live, .. } = &mut usable;
            let words =
                self.cube.read_slots_where(self.input, band, self.slots, live, needs.as_ref(), window)?;
            let words = whole(words);
            for (s, words) in live.iter().zip(words.chunks(len)) {
                for (h, w) in hidden[s * len..(s + 1) * len].iter_mut().zip(words) {
                    *h |= f64::from(*w) != band.nodata && w & self.saturated[*s] != 0;
                }
            }
            bands += 1;
        }
        if let Some((read, skipped)) = usable.needs.as_ref().map(Needs::count) {
            (usable.chunks.read, usable.chunks.skipped) = (bands * read, bands * skipped);
        }
        Ok(Some(usable))
    }

    /// Hides what the mask does. Slots of which facts say all are not read.
    fn mask(
        &self,
        masker: &Masker,
        (quality, table): (&Band, &FlagTable),
        window: &PixelWindow,
        usable: &mut Usable,
    ) -> Result<(), ComputeError> {
        let Some(home) = self.slots.first().map(|s| s.tile) else { return Ok(()) };
        let len = window.len();
        let halo = masker.halo();
        let grown = window.grown(halo);
        let inside = place(&self.input.grid.tile_window(home, 0), window);
        let told: Vec<Option<Vec<Need>>> =
            self.known.iter().map(|known| known.as_ref()?.needs(inside)).collect();
        let open: Vec<SlotRow> =
            self.slots.iter().zip(&told).filter(|(_, t)| t.is_none()).map(|(s, _)| s.clone()).collect();
        let words = whole(self.cube.read_slot_stack(self.input, quality, &open, self.neighbours, &grown)?);
        let mut words = words.chunks(grown.len().max(1));
        let fill = table.mask(&["fill"]).map(|m| m.table()).unwrap_or_default();
        let (mut needs, mut of_quality) = (Needs::new(inside), Needs::new(inside));
        let mut seen = vec![false; len];
        for (s, told) in told.into_iter().enumerate() {
            let hidden = &mut usable.hidden[s * len..(s + 1) * len];
            let grid = self.grids.as_ref().and_then(|g| g.get(s)).copied();
            if let (Some(told), Some(grid)) = (told, grid) {
                hidden.fill(true);
                needs.push_known(grid, told.clone());
                needs.seen(s, &mut usable.observed);
                of_quality.push_known(grid, told);
                continue;
            }
            let Some(words) = words.next() else { continue };
            hidden.copy_from_slice(&masker.hidden(|i| words[i], grown.width, grown.height, halo)?);
            let rows = words.chunks(grown.width).skip(halo).map(|row| &row[halo..halo + window.width]);
            let seen_rows = seen.chunks_mut(window.width).zip(usable.observed.chunks_mut(window.width));
            for (row, (seen, observed)) in rows.zip(seen_rows) {
                for ((w, seen), o) in row.iter().zip(seen).zip(observed) {
                    let filled = fill.get(usize::from(*w)).copied().unwrap_or(false);
                    *seen = f64::from(*w) != quality.nodata && !filled;
                    *o |= *seen;
                }
            }
            if let Some(grid) = grid {
                needs.push(grid, hidden, &seen);
                of_quality.push_seen(grid, &seen);
            }
        }
        if self.grids.is_some() {
            usable.live.retain(|s| needs.any(*s));
            (usable.chunks.quality_read, usable.chunks.quality_skipped) = of_quality.count();
            usable.needs = Some(needs);
        }
        Ok(())
    }
}

/// Words as numbers, whatever they are stored as.
fn whole(words: Pixels) -> Vec<u16> {
    match words {
        Pixels::U8(v) => v.into_iter().map(u16::from).collect(),
        Pixels::U16(v) => v,
        Pixels::I16(v) => v.into_iter().map(|w| w.max(0) as u16).collect(),
        Pixels::F32(v) => v.into_iter().map(|w| w as u16).collect(),
    }
}

/// Bits of the saturation word that spoil any of these bands on a platform.
pub(crate) fn saturation_bits(platform: &str, bands: &[String]) -> u16 {
    let Ok(platform) = platform.parse::<Platform>() else { return 0 };
    // Bands the table does not know have no bit of their own.
    let known: Vec<&String> =
        bands.iter().filter(|b| saturation_mask(platform.family(), &[b.as_str()]).is_ok()).collect();
    let names: Vec<&str> = known.iter().map(|b| b.as_str()).collect();
    saturation_mask(platform.family(), &names).unwrap_or(0)
}
