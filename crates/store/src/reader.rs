//! From windows to chunks to requests.
//!
//! One call plans all it needs, then asks: first the shard indexes it does not know (one suffix read
//! each), then the chunks it does not hold (one ranged read each, close ones of a shard merged). So a
//! shard costs no request with its chunks cached, one with its index cached, two cold; and a store that
//! can have requests in flight together gets them together.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::objects::{ByteRange, ObjectRequest};
use crate::pixels::swap_unless_little;
use crate::shard::ShardIndex;
use crate::store::{ChunkName, ShardState};
use crate::{ArrayRef, ObjectKey, Pixels, Store, StoreError};

/// Most bytes one merged request reads.
pub(crate) const LARGEST_REQUEST: u64 = 8 << 20;
/// Most bytes of answers held before they are decoded.
const LARGEST_BATCH: u64 = 32 << 20;

/// A rectangle of an array's own rows and columns; may reach beyond the array, where there is fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First row; row 0 is the array's first (northernmost).
    pub y0: i64,
    /// First column; column 0 is the array's first (westernmost).
    pub x0: i64,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

impl Window {
    /// One pixel: what a series reads.
    pub const fn pixel(y: i64, x: i64) -> Self {
        Self { y0: y, x0: x, height: 1, width: 1 }
    }

    /// Number of pixels.
    pub const fn len(&self) -> usize {
        self.height * self.width
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.height == 0 || self.width == 0
    }
}

/// One date of one array.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The array.
    pub array: ArrayRef,
    /// The date's place on its time axis.
    pub t: u64,
}

impl Store {
    /// Reads a window of one date into `out`: `height × width` stored (unscaled) values, row by row.
    /// `out` becomes the array's type and that length. What lies outside the array, or was never written,
    /// is the array's fill.
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::ObjectTruncated`], [`StoreError::Io`]; `out` is then undefined.
    pub fn read_window(
        &self,
        array: &ArrayRef,
        t: u64,
        window: Window,
        out: &mut Pixels,
    ) -> Result<(), StoreError> {
        self.read_windows(array, &[t], window, out)
    }

    /// Reads the same window of several dates into `out`, shaped `(dates, height, width)` in the order of
    /// `dates`. Each inner chunk is decoded once, however many of its dates are asked for.
    /// # Errors
    /// As [`Store::read_window`].
    pub fn read_windows(
        &self,
        array: &ArrayRef,
        dates: &[u64],
        window: Window,
        out: &mut Pixels,
    ) -> Result<(), StoreError> {
        let layers = dates.iter().enumerate().map(|(layer, &t)| Layer { array, t, layer });
        self.read_layers(layers.collect(), window, &|_, _| true, Keep::All, out)
    }

    /// Reads the same window of dates that lie in several arrays of one type (slots, archive blocks) into
    /// `out`, shaped `(slices, height, width)` in the order of `slices`. Without slices `out` is emptied.
    /// # Errors
    /// [`StoreError::PixelsMismatch`] when the arrays' types differ; as [`Store::read_window`].
    pub fn read_stack(&self, slices: &[Slice], window: Window, out: &mut Pixels) -> Result<(), StoreError> {
        self.read_stack_where(slices, window, &|_, _| true, out)
    }

    /// As [`Store::read_stack`], of those chunks only that `wanted` names by the place of a slice in `slices` and the
    /// chunk's row and column in the slice's array. A chunk of several dates is read when any of the slices in it wants
    /// it. What is not read is fill: for callers who know that they will not look at it.
    /// # Errors
    /// As [`Store::read_stack`].
    pub fn read_stack_where(
        &self,
        slices: &[Slice],
        window: Window,
        wanted: &dyn Fn(usize, [u64; 2]) -> bool,
        out: &mut Pixels,
    ) -> Result<(), StoreError> {
        self.read_slices(slices, window, wanted, Keep::All, out)
    }

    /// As [`Store::read_stack_where`], for those who come by once: a chunk of which all pixels and all dates are in the
    /// window and in `slices` is not kept in memory, for nobody is expected to ask for it again.
    /// # Errors
    /// As [`Store::read_stack`].
    pub fn read_stack_once(
        &self,
        slices: &[Slice],
        window: Window,
        wanted: &dyn Fn(usize, [u64; 2]) -> bool,
        out: &mut Pixels,
    ) -> Result<(), StoreError> {
        self.read_slices(slices, window, wanted, Keep::Parts, out)
    }

    fn read_slices(
        &self,
        slices: &[Slice],
        window: Window,
        wanted: &dyn Fn(usize, [u64; 2]) -> bool,
        keep: Keep,
        out: &mut Pixels,
    ) -> Result<(), StoreError> {
        let Some(first) = slices.first() else {
            out.reshape(out.dtype(), 0);
            return Ok(());
        };
        if let Some(other) = slices.iter().find(|slice| slice.array.dtype() != first.array.dtype()) {
            return Err(StoreError::PixelsMismatch {
                array: other.array.path().to_string(),
                expected: first.array.dtype(),
                found: other.array.dtype(),
                expected_len: slices.len() * window.len(),
                len: slices.len() * window.len(),
            });
        }
        let layers = slices.iter().enumerate().map(|(layer, s)| Layer { array: &s.array, t: s.t, layer });
        self.read_layers(layers.collect(), window, wanted, keep, out)
    }

    /// The smallest window of whole inner chunks that holds everything stored of one date; `None` when nothing is.
    /// # Errors
    /// As [`Store::read_window`], for the shard indexes.
    pub fn stored_window(&self, array: &ArrayRef, t: u64) -> Result<Option<Window>, StoreError> {
        let [_, height, width] = array.shape();
        let whole = Window { y0: 0, x0: 0, height: height as usize, width: width as usize };
        self.stored_part(array, t, whole)
    }

    /// What is known of a shard, asked for if need be.
    pub(crate) fn shard_state(
        &self,
        array: &ArrayRef,
        chunk: [u64; 3],
        shard: [u64; 3],
    ) -> Result<ShardState, StoreError> {
        let object = array.shard_key(shard);
        if let Some(state) = self.indexes().get(&object) {
            return Ok(state);
        }
        let wanted = Wanted { array, chunk, name: ChunkName { object, inner: 0 }, layers: 0..0 };
        let request = index_request(&wanted);
        learn(self, &wanted, self.objects().get_one(&request)?)
    }

    fn read_layers(
        &self,
        mut layers: Vec<Layer<'_>>,
        window: Window,
        is_wanted: &dyn Fn(usize, [u64; 2]) -> bool,
        keep: Keep,
        out: &mut Pixels,
    ) -> Result<(), StoreError> {
        let Some(dtype) = layers.first().map(|layer| layer.array.dtype()) else {
            out.reshape(out.dtype(), 0);
            return Ok(());
        };
        out.reshape(dtype, layers.len() * window.len());
        if window.is_empty() {
            return Ok(());
        }
        // Dates of one inner chunk side by side, so that it is decoded once.
        layers.sort_unstable_by_key(|layer| (layer.array.address(), layer.t));
        let mut read = Read { store: self, layers: &layers, window, is_wanted, keep, out };
        let wanted = read.serve_from_memory();
        let located = read.locate(&wanted)?;
        read.fetch(&wanted, located)
    }
}

/// One layer of the output: a date of an array.
struct Layer<'a> {
    array: &'a ArrayRef,
    t: u64,
    /// Its place in the output.
    layer: usize,
}

/// An inner chunk that is not in memory.
struct Wanted<'a> {
    array: &'a ArrayRef,
    /// Index `[t, y, x]` in the whole array.
    chunk: [u64; 3],
    name: ChunkName,
    /// The layers it feeds.
    layers: Range<usize>,
}

/// Where a wanted chunk lies in its object.
struct Located {
    wanted: usize,
    offset: u64,
    len: u64,
}

/// One request: chunks of one object close to each other.
struct Span {
    object: ObjectKey,
    offset: u64,
    end: u64,
    /// The located chunks inside.
    chunks: Range<usize>,
}

/// One call of a read.
struct Read<'a> {
    store: &'a Store,
    layers: &'a [Layer<'a>],
    window: Window,
    /// Whether a layer wants the chunk of a row and column.
    is_wanted: &'a dyn Fn(usize, [u64; 2]) -> bool,
    keep: Keep,
    out: &'a mut Pixels,
}

/// Which decoded chunks stay in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// As many as fit.
    All,
    /// Those of which the read takes a part.
    Parts,
}

impl<'a> Read<'a> {
    /// Walks every chunk under the window: copies those in memory, returns the others.
    fn serve_from_memory(&mut self) -> Vec<Wanted<'a>> {
        let mut wanted = Vec::new();
        let mut start = 0;
        while let Some(&Layer { array, t, .. }) = self.layers.get(start) {
            let depth = array.inner()[0];
            let together = |l: &&Layer<'_>| l.array.is_same(array) && l.t / depth == t / depth;
            let group = start..start + self.layers[start..].iter().take_while(together).count();
            start = group.end;
            self.serve_group(array, group, &mut wanted);
        }
        wanted
    }

    /// As [`Read::serve_from_memory`], for the dates of one array that share their inner chunks.
    fn serve_group(&mut self, array: &'a ArrayRef, group: Range<usize>, wanted: &mut Vec<Wanted<'a>>) {
        let [dates, height, width] = array.shape();
        let [depth, rows, columns] = array.inner();
        let y = clip(self.window.y0, self.window.height, height);
        let x = clip(self.window.x0, self.window.width, width);
        let covered = (y.end - y.start) as usize * (x.end - x.start) as usize;
        for layer in &self.layers[group.clone()] {
            if covered < self.window.len() || layer.t >= dates {
                let start = layer.layer * self.window.len();
                self.out.fill_run(start..start + self.window.len(), array.fill());
            }
        }
        // Dates past the end are the last of their group.
        let inside = self.layers[group.clone()].iter().take_while(|layer| layer.t < dates).count();
        let group = group.start..group.start + inside;
        let Some(first) = self.layers[group.clone()].first().filter(|_| covered > 0) else { return };

        let mut object: Option<([u64; 3], ObjectKey)> = None;
        for cy in y.start / rows..y.end.div_ceil(rows) {
            for cx in x.start / columns..x.end.div_ceil(columns) {
                let chunk = [first.t / depth, cy, cx];
                let (shard, inner) = array.locate(chunk);
                if !self.layers[group.clone()].iter().any(|l| (self.is_wanted)(l.layer, [cy, cx])) {
                    // No key is made: most of a cloudy stack goes this way.
                    let name = ChunkName { object: array.path().clone(), inner };
                    self.place(&Wanted { array, chunk, name, layers: group.clone() }, None);
                    continue;
                }
                let object = match &object {
                    Some((same, key)) if *same == shard => key.clone(),
                    _ => object.insert((shard, array.shard_key(shard))).1.clone(),
                };
                let chunk = Wanted { array, chunk, name: ChunkName { object, inner }, layers: group.clone() };
                match self.cached(&chunk.name) {
                    Some(bytes) => self.place(&chunk, Some(&bytes)),
                    None => wanted.push(chunk),
                }
            }
        }
    }

    fn cached(&self, chunk: &ChunkName) -> Option<Arc<Vec<u8>>> {
        if self.store.options().chunk_cache_bytes == 0 {
            return None;
        }
        self.store.chunks().get(chunk)
    }

    /// Finds where the wanted chunks lie, asking for the shard indexes not known yet. Chunks that are not
    /// stored are filled.
    fn locate(&mut self, wanted: &[Wanted<'a>]) -> Result<Vec<Located>, StoreError> {
        let mut states: HashMap<&ObjectKey, Option<ShardState>> = HashMap::new();
        let mut unknown = Vec::new();
        let mut last = None;
        for chunk in wanted {
            // Neighbours lie in one object.
            if last.replace(&chunk.name.object) == Some(&chunk.name.object) {
                continue;
            }
            states.entry(&chunk.name.object).or_insert_with(|| {
                let state = self.store.indexes().get(&chunk.name.object);
                if state.is_none() {
                    unknown.push(chunk);
                }
                state
            });
        }
        for batch in unknown.chunks(self.in_flight()) {
            let requests: Vec<_> = batch.iter().map(|chunk| index_request(chunk)).collect();
            for (chunk, answer) in batch.iter().zip(self.store.objects().get_many(&requests)) {
                let state = learn(self.store, chunk, answer?)?;
                states.insert(&chunk.name.object, Some(state));
            }
        }
        let mut located = Vec::with_capacity(wanted.len());
        let mut last: Option<(&ObjectKey, &Option<ShardState>)> = None;
        for (i, chunk) in wanted.iter().enumerate() {
            let corrupt = |reason| chunk.array.corrupt(chunk.chunk, &chunk.name.object, reason);
            let object = &chunk.name.object;
            if last.is_none_or(|(same, _)| same != object) {
                last = states.get(object).map(|state| (object, state));
            }
            let place = match last {
                Some((_, Some(ShardState::Present(index)))) => {
                    index.get(chunk.name.inner as usize).map_err(corrupt)?
                }
                _ => None,
            };
            let Some((offset, len)) = place else {
                self.place(chunk, None);
                continue;
            };
            let largest = chunk.array.info().decoder.largest(chunk.array.chunk_bytes());
            if len > largest {
                return Err(corrupt(format!("the shard index says {len} bytes, and {largest} is the most")));
            }
            located.push(Located { wanted: i, offset, len });
        }
        Ok(located)
    }

    /// Reads, decodes and copies the located chunks.
    fn fetch(&mut self, wanted: &[Wanted<'a>], mut located: Vec<Located>) -> Result<(), StoreError> {
        located.sort_by(|a, b| {
            (&wanted[a.wanted].name.object, a.offset).cmp(&(&wanted[b.wanted].name.object, b.offset))
        });
        let spans = merge(wanted, &located, self.store.options().merge_gap_bytes);
        let mut left = &spans[..];
        while !left.is_empty() {
            let mut bytes = 0;
            let fits = left.iter().take_while(|span| {
                bytes += span.end - span.offset;
                bytes <= LARGEST_BATCH
            });
            let (batch, rest) = left.split_at(fits.count().clamp(1, self.in_flight().min(left.len())));
            left = rest;
            let requests: Vec<_> = batch.iter().map(Span::request).collect();
            for (span, answer) in batch.iter().zip(self.store.objects().get_many(&requests)) {
                let answer = answer.map_err(|e| explain(e, &wanted[located[span.chunks.start].wanted]))?;
                let bytes = answer.ok_or_else(|| StoreError::ObjectMissing { key: span.object.clone() })?;
                for chunk in &located[span.chunks.clone()] {
                    let start = (chunk.offset - span.offset) as usize;
                    self.decode(&wanted[chunk.wanted], &bytes[start..start + chunk.len as usize])?;
                }
            }
        }
        Ok(())
    }

    fn decode(&mut self, chunk: &Wanted<'_>, encoded: &[u8]) -> Result<(), StoreError> {
        let mut bytes = chunk
            .array
            .info()
            .decoder
            .decode(encoded, chunk.array.chunk_bytes())
            .map_err(|reason| chunk.array.corrupt(chunk.chunk, &chunk.name.object, reason))?;
        swap_unless_little(&mut bytes, chunk.array.dtype().size_bytes());
        self.place(chunk, Some(&bytes));
        if self.store.options().chunk_cache_bytes > 0 && !(self.keep == Keep::Parts && self.takes_all(chunk))
        {
            self.store.chunks().insert(chunk.name.clone(), Arc::new(bytes));
        }
        Ok(())
    }

    /// Whether every pixel of every date that a chunk has is read.
    fn takes_all(&self, chunk: &Wanted<'_>) -> bool {
        let ([dates, height, width], inner) = (chunk.array.shape(), chunk.array.inner());
        let [t, y, x] = std::array::from_fn(|i| chunk.chunk[i] * inner[i]);
        let holds = |start: i64, len: usize, first: u64, size: u64| {
            let end = start.saturating_add(i64::try_from(len).unwrap_or(i64::MAX));
            start <= first as i64 && size as i64 <= end
        };
        chunk.layers.len() as u64 >= inner[0].min(dates - t)
            && holds(self.window.y0, self.window.height, y, height.min(y + inner[1]))
            && holds(self.window.x0, self.window.width, x, width.min(x + inner[2]))
    }

    /// Copies a decoded chunk (native bytes), or fill, to every layer it feeds.
    fn place(&mut self, chunk: &Wanted<'_>, decoded: Option<&[u8]>) {
        let array = chunk.array;
        let [_, height, width] = array.shape();
        let [depth, rows, columns] = array.inner();
        let size = array.dtype().size_bytes();
        let [top, left] = [chunk.chunk[1] * rows, chunk.chunk[2] * columns];
        let y = overlap(clip(self.window.y0, self.window.height, height), top..top + rows);
        let x = overlap(clip(self.window.x0, self.window.width, width), left..left + columns);
        let run = (x.end - x.start) as usize;
        for layer in &self.layers[chunk.layers.clone()] {
            for row in y.clone() {
                let out_row = layer.layer * self.window.height + (row as i64 - self.window.y0) as usize;
                let to = out_row * self.window.width + (x.start as i64 - self.window.x0) as usize;
                match decoded {
                    None => self.out.fill_run(to..to + run, array.fill()),
                    Some(bytes) => {
                        let from =
                            (((layer.t % depth) * rows + row - top) * columns + x.start - left) as usize;
                        self.out.bytes_mut()[to * size..(to + run) * size]
                            .copy_from_slice(&bytes[from * size..(from + run) * size]);
                    }
                }
            }
        }
    }

    fn in_flight(&self) -> usize {
        self.store.objects().requests_in_flight().max(1)
    }
}

impl Span {
    fn request(&self) -> ObjectRequest {
        let range = ByteRange::At { offset: self.offset, len: self.end - self.offset };
        ObjectRequest { key: self.object.clone(), range }
    }
}

/// What a suffix read says of a shard, remembered.
fn learn(store: &Store, chunk: &Wanted<'_>, answer: Option<Vec<u8>>) -> Result<ShardState, StoreError> {
    let object = &chunk.name.object;
    let Some(bytes) = answer else {
        if store.options().verify_missing {
            let metadata = chunk.array.path().join("zarr.json")?;
            if store.objects().size(&metadata)?.is_none() {
                let path = chunk.array.path().to_string();
                return Err(StoreError::NodeMissing { what: "array", path });
            }
        }
        if store.options().remember_missing {
            store.indexes().insert(object.clone(), ShardState::Missing);
        }
        return Ok(ShardState::Missing);
    };
    let index = ShardIndex::parse(&bytes, chunk.array.chunk_count())
        .map_err(|reason| chunk.array.corrupt(chunk.chunk, object, reason))?;
    let state = ShardState::Present(Arc::new(index));
    store.indexes().insert(object.clone(), state.clone());
    Ok(state)
}

/// The rows (or columns) of `start..start + len` that an axis of `size` has; empty when none.
pub(crate) fn clip(start: i64, len: usize, size: u64) -> Range<u64> {
    let end = start.saturating_add(i64::try_from(len).unwrap_or(i64::MAX)).max(0) as u64;
    let start = (start.max(0) as u64).min(size);
    start..end.min(size).max(start)
}

fn overlap(a: Range<u64>, b: Range<u64>) -> Range<u64> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

fn index_request(chunk: &Wanted<'_>) -> ObjectRequest {
    let len = ShardIndex::byte_len(chunk.array.chunk_count()) as u64;
    ObjectRequest { key: chunk.name.object.clone(), range: ByteRange::Last(len) }
}

/// Joins neighbours (sorted by object and offset) that lie at most `gap` bytes apart.
fn merge(wanted: &[Wanted<'_>], located: &[Located], gap: u64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (i, chunk) in located.iter().enumerate() {
        let object = &wanted[chunk.wanted].name.object;
        let end = chunk.offset + chunk.len;
        match spans.last_mut() {
            Some(span)
                if span.object == *object
                    && chunk.offset <= span.end.saturating_add(gap)
                    && end.max(span.end) - span.offset <= LARGEST_REQUEST =>
            {
                span.end = span.end.max(end);
                span.chunks.end = i + 1;
            }
            _ => spans.push(Span { object: object.clone(), offset: chunk.offset, end, chunks: i..i + 1 }),
        }
    }
    spans
}

/// An object that ends too early is told as the chunk it damages.
fn explain(error: StoreError, chunk: &Wanted<'_>) -> StoreError {
    truncated(chunk.array, chunk.chunk, error)
}

/// As [`explain`], of a chunk of an array.
pub(crate) fn truncated(array: &ArrayRef, chunk: [u64; 3], error: StoreError) -> StoreError {
    match error {
        StoreError::ObjectTruncated { key, offset, len, size } => {
            let end = offset.saturating_add(len);
            let reason = format!("it lies in bytes {offset}..{end}, and the object has {size}");
            array.corrupt(chunk, &key, reason)
        }
        other => other,
    }
}
