//! Every stored chunk of an array, once: for those who look at all pixels and at nothing that is not there.

use std::ops::Range;

use crate::objects::{ByteRange, ObjectRequest};
use crate::pixels::swap_unless_little;
use crate::reader::{LARGEST_REQUEST, clip, truncated};
use crate::store::ShardState;
use crate::{ArrayRef, ObjectKey, Pixels, Store, StoreError, Window};

/// What is called with a stored chunk: its index `[t, y, x]` in the whole array, and its values.
type Visit<'v, E> = dyn FnMut([u64; 3], &Pixels) -> Result<(), E> + 'v;

/// Where a stored chunk lies in its object.
struct Place {
    /// Index `[t, y, x]` in the whole array.
    chunk: [u64; 3],
    offset: u64,
    len: u64,
}

impl Place {
    fn end(&self) -> u64 {
        self.offset + self.len
    }
}

impl Store {
    /// Calls with every stored inner chunk, of all dates, that shares a pixel with the window: its index `[t, y, x]` in the
    /// array and all its `(time, y, x)` values, those past the array's edges too. The chunks of a shard come as they lie
    /// in it, each decoded once. What is not stored costs nothing and is not told. The cache of chunks is left alone.
    /// # Errors
    /// As [`Store::read_window`], and those of `visit`.
    pub fn scan<E: From<StoreError>>(
        &self,
        array: &ArrayRef,
        window: Window,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let [dates, ..] = array.shape();
        let Some(chunks) = chunks_under(array, 0..dates, window) else { return Ok(()) };
        let mut pixels = Pixels::empty(array.dtype());
        pixels.reshape(array.dtype(), array.chunk_len());
        let gap = self.options().merge_gap_bytes;
        for shard in shards_of(array, &chunks) {
            let places = self.stored_in(array, shard, &chunks)?;
            let object = array.shard_key(shard);
            for near in places.chunk_by(|a, b| b.offset <= a.end().saturating_add(gap)) {
                self.scan_near(array, &object, near, &mut pixels, visit)?;
            }
        }
        Ok(())
    }

    /// The smallest window of whole inner chunks that holds everything stored of one date in a window, clipped to that
    /// window and the array; `None` when nothing is.
    /// # Errors
    /// As [`Store::read_window`], for the shard indexes.
    pub fn stored_part(
        &self,
        array: &ArrayRef,
        t: u64,
        window: Window,
    ) -> Result<Option<Window>, StoreError> {
        let [dates, height, width] = array.shape();
        let [_, rows, columns] = array.inner();
        let Some(chunks) = chunks_under(array, t..(t + 1).min(dates), window) else { return Ok(None) };
        let mut bounds: Option<[u64; 4]> = None;
        for shard in shards_of(array, &chunks) {
            for Place { chunk: [_, y, x], .. } in self.stored_in(array, shard, &chunks)? {
                let b = bounds.get_or_insert([y, x, y + 1, x + 1]);
                *b = [b[0].min(y), b[1].min(x), b[2].max(y + 1), b[3].max(x + 1)];
            }
        }
        Ok(bounds.map(|[top, left, bottom, right]| {
            let (y, x) = (clip(window.y0, window.height, height), clip(window.x0, window.width, width));
            let (y0, y1) = ((top * rows).max(y.start), (bottom * rows).min(y.end));
            let (x0, x1) = ((left * columns).max(x.start), (right * columns).min(x.end));
            Window { y0: y0 as i64, x0: x0 as i64, height: (y1 - y0) as usize, width: (x1 - x0) as usize }
        }))
    }

    /// Those of some chunks that lie in a shard and are stored, in the order they lie in.
    fn stored_in(
        &self,
        array: &ArrayRef,
        shard: [u64; 3],
        chunks: &[Range<u64>; 3],
    ) -> Result<Vec<Place>, StoreError> {
        let per = array.chunks_per_shard();
        let first: [u64; 3] = std::array::from_fn(|i| shard[i] * per[i]);
        let ShardState::Present(index) = self.shard_state(array, first, shard)? else {
            return Ok(Vec::new());
        };
        let [ts, ys, xs]: [Range<u64>; 3] = std::array::from_fn(|i| {
            chunks[i].start.max(first[i])..chunks[i].end.min(first[i].saturating_add(per[i]))
        });
        let largest = array.info().decoder.largest(array.chunk_bytes());
        let mut places = Vec::new();
        let rows = ts.flat_map(|t| ys.clone().map(move |y| (t, y)));
        for chunk in rows.flat_map(|(t, y)| xs.clone().map(move |x| [t, y, x])) {
            let corrupt = |reason| array.corrupt(chunk, &array.shard_key(shard), reason);
            let (_, inner) = array.locate(chunk);
            let Some((offset, len)) = index.get(inner as usize).map_err(corrupt)? else { continue };
            if len > largest {
                let reason = format!("the shard index says {len} bytes, and {largest} is the most");
                return Err(corrupt(reason));
            }
            places.push(Place { chunk, offset, len });
        }
        places.sort_unstable_by_key(|place| place.offset);
        Ok(places)
    }

    /// Reads chunks that lie near each other, some at a time, and calls with each.
    fn scan_near<E: From<StoreError>>(
        &self,
        array: &ArrayRef,
        object: &ObjectKey,
        near: &[Place],
        pixels: &mut Pixels,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let mut left = near;
        while let Some(first) = left.first() {
            let fits = left.iter().take_while(|place| place.end() - first.offset <= LARGEST_REQUEST);
            let (batch, rest) = left.split_at(fits.count().max(1));
            left = rest;
            let end = batch.iter().map(Place::end).max().unwrap_or(first.offset);
            let range = ByteRange::At { offset: first.offset, len: end - first.offset };
            let answer = self.objects().get_one(&ObjectRequest { key: object.clone(), range });
            let bytes = answer
                .map_err(|e| truncated(array, first.chunk, e))?
                .ok_or_else(|| StoreError::ObjectMissing { key: object.clone() })?;
            for place in batch {
                let start = (place.offset - first.offset) as usize;
                let mut decoded = array
                    .info()
                    .decoder
                    .decode(&bytes[start..start + place.len as usize], array.chunk_bytes())
                    .map_err(|reason| array.corrupt(place.chunk, object, reason))?;
                swap_unless_little(&mut decoded, array.dtype().size_bytes());
                pixels.bytes_mut().copy_from_slice(&decoded);
                visit(place.chunk, pixels)?;
            }
        }
        Ok(())
    }
}

/// The chunks along `(time, y, x)` that share a pixel with a window of some dates; `None` when none does.
fn chunks_under(array: &ArrayRef, dates: Range<u64>, window: Window) -> Option<[Range<u64>; 3]> {
    let [_, height, width] = array.shape();
    let inner = array.inner();
    let pixels = [dates, clip(window.y0, window.height, height), clip(window.x0, window.width, width)];
    if pixels.iter().any(Range::is_empty) {
        return None;
    }
    Some(std::array::from_fn(|i| pixels[i].start / inner[i]..pixels[i].end.div_ceil(inner[i])))
}

/// The shards that hold some chunks.
fn shards_of(array: &ArrayRef, chunks: &[Range<u64>; 3]) -> Vec<[u64; 3]> {
    let per = array.chunks_per_shard();
    let [ts, ys, xs]: [Range<u64>; 3] =
        std::array::from_fn(|i| chunks[i].start / per[i]..chunks[i].end.div_ceil(per[i]));
    let rows = ts.flat_map(|t| ys.clone().map(move |y| (t, y)));
    rows.flat_map(|(t, y)| xs.clone().map(move |x| [t, y, x])).collect()
}
