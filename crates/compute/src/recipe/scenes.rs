//! Observations of one tile, window by window: what slots hold and what the mask leaves of it.

use tesela_grid::PixelWindow;
use tesela_index::SlotRow;
use tesela_model::landsat::{Platform, saturation_mask};
use tesela_model::{Band, RecipeDef};
use tesela_store::{Pixels, Slice, Window};

use super::harmonised::Harmonised;
use super::reduce::Observations;
use super::room::Room;
use super::says::Says;
use crate::catalog::Product;
use crate::load::{Neighbours, place};
use crate::mask::Masker;
use crate::skip::{ChunkReport, Grid, Known, Need, Needs, grids, known};
use crate::{ComputeError, Cube};

/// What may be used of a window.
#[derive(Default)]
struct Usable {
    /// `(live slots, pixels)` of what the mask or saturation hides.
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
    /// Where each band of the slots lies; saturation and quality words.
    slices: Vec<Vec<Slice>>,
    saturation: Option<(&'t Band, Vec<Slice>)>,
    quality: Option<Vec<Slice>>,
    neighbours: &'t Neighbours,
    masker: Option<Masker>,
    /// What each quality word says by itself.
    says: Says,
    saturated: Vec<u16>,
    /// How chunks lie in each slot; `None` when all are read.
    grids: Option<Vec<Grid>>,
    /// What facts say of each slot.
    known: Vec<Option<Known>>,
    harmonised: Option<Harmonised>,
    room: Room,
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
        let slices = bands.iter().map(|b| cube.slices(b, slots.iter())).collect::<Result<_, _>>()?;
        let harmonised = recipe.harmonise.map(|h| Harmonised::new(h, recipe, &bands)).transpose()?;
        let (masker, says, quality) = match input.quality() {
            Some((quality, table)) => {
                let masker = Masker::new(input.mask(mask)?, quality.nodata)?;
                let says = Says::new(&masker, quality, table);
                (Some(masker), says, Some(cube.slices(quality, slots.iter())?))
            }
            None => (None, Says::default(), None),
        };
        let saturation = match input.scenes().and_then(|d| d.saturation.as_deref()) {
            Some(name) => {
                let band = input.band(name)?;
                Some((band, cube.slices(band, slots.iter())?))
            }
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
        let room = Room::default();
        Ok(Self {
            cube,
            input,
            bands,
            slots,
            slices,
            saturation,
            quality,
            neighbours,
            masker,
            says,
            saturated,
            grids,
            known,
            harmonised,
            room,
        })
    }

    /// Decodes every chunk, hidden or not.
    pub(super) fn read_all(&mut self) {
        self.grids = None;
        self.known.fill(None);
    }

    /// What there is in a window; `None` when nothing was ever observed there. Who is done with it gives it to
    /// [`SceneTile::take_back`].
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn observe(
        &self,
        window: &PixelWindow,
    ) -> Result<Option<(Observations<'_>, ChunkReport)>, ComputeError> {
        let Some(home) = self.slots.first().map(|s| s.tile) else { return Ok(None) };
        let inside = place(&self.input.grid.tile_window(home, 0), window);
        let Some(usable) = self.usable(window, inside)? else { return Ok(None) };
        let Usable { hidden, observed, needs, live, chunks } = usable;
        let mut stacks = Vec::with_capacity(self.bands.len());
        for (band, slices) in self.bands.iter().zip(&self.slices) {
            stacks.push(self.read(band, slices, &live, needs.as_ref(), inside)?);
        }
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
            hidden,
            observed,
            times: live.iter().map(|s| self.slots[*s].time).collect(),
            days: live.iter().map(|s| self.slots[*s].solar_day.as_str()).collect(),
        };
        Ok(Some((seen, chunks)))
    }

    /// Takes the memory of a block that is done, for those that come.
    pub(super) fn take_back(&self, seen: Observations<'_>) {
        // Harmonised stacks are of another type than what is read.
        let stacks = if self.harmonised.is_none() { seen.stacks } else { Vec::new() };
        self.room.keep(stacks, Some(seen.hidden));
    }

    /// One band of some slots, in memory of the tile's.
    fn read(
        &self,
        band: &Band,
        slices: &[Slice],
        chosen: &[usize],
        needs: Option<&Needs>,
        inside: Window,
    ) -> Result<Pixels, ComputeError> {
        let mut out = self.room.pixels(band.dtype);
        let slices: Vec<Slice> = chosen.iter().filter_map(|s| slices.get(*s)).cloned().collect();
        self.cube.read_slices_where(&slices, chosen, needs, inside, &mut out)?;
        Ok(out)
    }

    /// What may be used of a window; `None` when nothing was ever observed there.
    fn usable(&self, window: &PixelWindow, inside: Window) -> Result<Option<Usable>, ComputeError> {
        let len = window.len();
        let usable = match (&self.masker, self.input.quality(), &self.quality) {
            (Some(masker), Some((quality, _)), Some(slices)) => {
                self.mask(masker, quality, slices, window, inside)?
            }
            _ => Some(self.unmasked(window)?),
        };
        let Some(mut usable) = usable else { return Ok(None) };
        if !usable.observed.contains(&true) {
            self.room.keep(Vec::new(), Some(usable.hidden));
            return Ok(None);
        }
        let mut bands = self.bands.len() as u64;
        if let Some((band, slices)) = &self.saturation {
            let Usable { hidden, needs, live, .. } = &mut usable;
            let words = self.read(band, slices, live, needs.as_ref(), inside)?;
            for ((k, s), hidden) in live.iter().enumerate().zip(hidden.chunks_mut(len.max(1))) {
                let (bits, part) = (self.saturated[*s], k * len..(k + 1) * len);
                match &words {
                    Pixels::U8(w) => hide_saturated(&w[part], u16::from, band.nodata, bits, hidden),
                    Pixels::U16(w) => hide_saturated(&w[part], |w| w, band.nodata, bits, hidden),
                    Pixels::I16(w) => hide_saturated(&w[part], word_of_i16, band.nodata, bits, hidden),
                    Pixels::F32(w) => hide_saturated(&w[part], word_of_f32, band.nodata, bits, hidden),
                }
            }
            self.room.keep(vec![words], None);
            bands += 1;
        }
        if let Some((read, skipped)) = usable.needs.as_ref().map(Needs::count) {
            (usable.chunks.read, usable.chunks.skipped) = (bands * read, bands * skipped);
        }
        Ok(Some(usable))
    }

    /// Of a product without a quality band: nothing is hidden, and observed is where the first band has a value.
    fn unmasked(&self, window: &PixelWindow) -> Result<Usable, ComputeError> {
        let (n, len, band) = (self.slots.len(), window.len(), self.bands[0]);
        let mut observed = vec![false; len];
        let mut first = self.room.pixels(band.dtype);
        self.cube.read_slot_stack(self.input, band, self.slots, self.neighbours, window, &mut first)?;
        for k in 0..n * len {
            observed[k % len] |= first.get_f64(k).is_some_and(|v| !band.is_nodata(v));
        }
        self.room.keep(vec![first], None);
        let mut hidden = self.room.flags(n * len);
        hidden.fill(false);
        Ok(Usable { hidden, observed, live: (0..n).collect(), ..Usable::default() })
    }

    /// What the mask leaves; `None` when facts say that nothing was observed. Slots of which facts say all are not read.
    fn mask(
        &self,
        masker: &Masker,
        quality: &Band,
        slices: &[Slice],
        window: &PixelWindow,
        inside: Window,
    ) -> Result<Option<Usable>, ComputeError> {
        let halo = masker.halo();
        let told: Vec<Option<Vec<Need>>> =
            self.known.iter().map(|known| known.as_ref()?.needs(inside)).collect();
        let is_nothing = |needs: &Option<Vec<Need>>| {
            needs.as_ref().is_some_and(|needs| needs.iter().all(|need| *need == Need::Nothing))
        };
        if told.iter().all(is_nothing) {
            return Ok(None);
        }
        let open: Vec<usize> = (0..self.slots.len()).filter(|s| told[*s].is_none()).collect();
        let words = if halo == 0 {
            self.read(quality, slices, &open, None, inside)?
        } else {
            let open: Vec<SlotRow> = open.iter().map(|s| self.slots[*s].clone()).collect();
            let (mut out, grown) = (self.room.pixels(quality.dtype), window.grown(halo));
            self.cube.read_slot_stack(self.input, quality, &open, self.neighbours, &grown, &mut out)?;
            out
        };
        let block = MaskedBlock { masker, told, open: open.len(), window, inside };
        let usable = match &words {
            Pixels::U8(w) => self.judge(block, w, u16::from),
            Pixels::U16(w) => self.judge(block, w, |w| w),
            Pixels::I16(w) => self.judge(block, w, word_of_i16),
            Pixels::F32(w) => self.judge(block, w, word_of_f32),
        }?;
        self.room.keep(vec![words], None);
        Ok(Some(usable))
    }

    /// What quality words `(open slots, pixels)` leave of a window; they reach as far around it as the mask looks.
    fn judge<T: Copy + PartialEq>(
        &self,
        block: MaskedBlock<'_>,
        words: &[T],
        word: impl Fn(T) -> u16 + Copy,
    ) -> Result<Usable, ComputeError> {
        let MaskedBlock { masker, told, open, window, inside } = block;
        let (len, halo) = (window.len(), masker.halo());
        let grown = window.grown(halo);
        let mut usable = Usable { observed: vec![false; len], ..Usable::default() };
        usable.hidden = self.room.flags(open * len);
        let (mut needs, mut of_quality) = (Needs::new(inside), Needs::new(inside));
        let mut seen = vec![false; len];
        let mut words = words.chunks(grown.len().max(1));
        for (s, told) in told.into_iter().enumerate() {
            let grid = self.grids.as_ref().and_then(|g| g.get(s)).copied();
            if let (Some(told), Some(grid)) = (told, grid) {
                // Facts know of hidden pixels and of none: the slot has nothing to look at.
                needs.push_known(grid, told.clone());
                needs.seen(s, &mut usable.observed);
                of_quality.push_known(grid, told);
                continue;
            }
            let Some(words) = words.next() else { continue };
            // The plane of a slot that turns out to have nothing to look at is written over by the next.
            let first = usable.live.len() * len;
            let hidden = &mut usable.hidden[first..first + len];
            let rows = words.chunks(grown.width).skip(halo).map(|row| &row[halo..halo + window.width]);
            let flags = hidden.chunks_mut(window.width).zip(seen.chunks_mut(window.width));
            for ((row, (hidden, seen)), observed) in
                rows.zip(flags).zip(usable.observed.chunks_mut(window.width))
            {
                self.says.judge(row, word, hidden, seen, observed);
            }
            masker.reach(|i| word(words[i]), grown.width, grown.height, halo, hidden)?;
            if let Some(grid) = grid {
                needs.push(grid, hidden, &seen);
                of_quality.push_seen(grid, &seen);
                if !needs.any(s) {
                    continue;
                }
            }
            usable.live.push(s);
        }
        usable.hidden.truncate(usable.live.len() * len);
        if self.grids.is_some() {
            (usable.chunks.quality_read, usable.chunks.quality_skipped) = of_quality.count();
            usable.needs = Some(needs);
        }
        Ok(usable)
    }
}

/// What is masked, and how.
struct MaskedBlock<'m> {
    masker: &'m Masker,
    /// What facts say of each slot.
    told: Vec<Option<Vec<Need>>>,
    /// Slots of which they do not.
    open: usize,
    window: &'m PixelWindow,
    /// The window from the tile's first pixel.
    inside: Window,
}

/// Hides where a saturation word has one of some bits.
fn hide_saturated<T: Copy>(
    words: &[T],
    word: impl Fn(T) -> u16,
    nodata: f64,
    bits: u16,
    hidden: &mut [bool],
) {
    for (hidden, stored) in hidden.iter_mut().zip(words) {
        let word = word(*stored);
        *hidden |= f64::from(word) != nodata && word & bits != 0;
    }
}

/// A quality word stored as a signed number; none is below 0.
fn word_of_i16(stored: i16) -> u16 {
    stored.max(0) as u16
}

fn word_of_f32(stored: f32) -> u16 {
    stored as u16
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
