use std::cell::RefCell;

use tesela_model::DType;

use crate::objects::{ObjectInfo, Staged};
use crate::shard::{ABSENT, assemble, index_bytes};
use crate::{ArrayRef, Codec, ObjectKey, Pixels, Store, StoreError};

/// Builds one shard in memory and puts it whole.
///
/// Inner chunks may come in any order, from windows of any size; the object's bytes depend on the pixels
/// alone. A chunk is compressed as soon as its last pixel is there, so what is held uncompressed is the
/// chunks begun and not finished: for inner chunks one date deep, next to nothing.
///
/// Who writes dates in order may [`ShardWriter::flush`] those behind, so that not even the compressed chunks of a
/// large shard are held. The bytes are the same either way.
pub struct ShardWriter {
    store: Store,
    array: ArrayRef,
    codec: Codec,
    key: ObjectKey,
    /// Dates, rows and columns of this shard that lie inside the array.
    extent: [u64; 3],
    chunks: Vec<Chunk>,
    /// Chunks before this place are in `spool`.
    flushed: usize,
    /// Whether dates come in order, so that chunks are written as soon as those before them are.
    streams: bool,
    spool: Option<Spool>,
}

enum Chunk {
    Untouched,
    Begun(Begun),
    Done(Option<Vec<u8>>),
    /// (offset, length) in the object.
    Flushed(u64, u64),
}

/// A chunk that is being written to.
struct Begun {
    /// Unspecified at dates that nothing was written to.
    pixels: Pixels,
    /// Pixels still to come.
    missing: u64,
    /// Bit k: date k of the chunk was written to, or filled.
    dates: u64,
}

thread_local! {
    /// Memory of chunks that this thread compressed, for those that come, whichever band's they are: fresh memory for
    /// each would cost a page fault every 4 kB.
    static SPARE: RefCell<Vec<Pixels>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that a thread keeps: the chunks of a band of one tile, eight dates deep.
const SPARE_BYTES: usize = 80 << 20;

/// Memory that fits a chunk; what it holds is unspecified.
fn spare(dtype: DType, len: usize) -> Option<Pixels> {
    SPARE.with_borrow_mut(|kept| {
        let at = kept.iter().rposition(|p| p.dtype() == dtype && p.len() == len)?;
        Some(kept.swap_remove(at))
    })
}

fn keep(pixels: Pixels) {
    SPARE.with_borrow_mut(|kept| {
        // Chunks are of a few sizes, so the count of those like this one is near enough.
        if (kept.len() + 1) * pixels.bytes().len() <= SPARE_BYTES {
            kept.push(pixels);
        }
    });
}

/// Dates of a chunk that are kept track of; deeper chunks are filled when they are begun.
const TRACKED_DATES: u64 = u64::BITS as u64;

/// Bytes gathered before they are hashed and written: hashing is several times quicker by large pieces.
const SPOOL_BYTES: usize = 256 << 10;

/// What of the object is written already.
struct Spool {
    staged: Staged,
    bytes: u64,
    hasher: blake3::Hasher,
    /// Neither hashed nor written yet.
    gathered: Vec<u8>,
}

impl Spool {
    fn append(&mut self, bytes: &[u8]) -> Result<(u64, u64), StoreError> {
        let place = (self.bytes, bytes.len() as u64);
        self.gathered.extend_from_slice(bytes);
        self.bytes += place.1;
        if self.gathered.len() >= SPOOL_BYTES {
            self.pass_on()?;
        }
        Ok(place)
    }

    fn pass_on(&mut self) -> Result<(), StoreError> {
        self.hasher.update(&self.gathered);
        self.staged.append(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

/// An inner chunk ready to be stored; made without the writer's help, so in any thread.
#[derive(Debug, Clone)]
pub struct EncodedChunk {
    inner: [u64; 3],
    bytes: Option<Vec<u8>>,
}

impl ShardWriter {
    pub(crate) fn new(store: Store, array: ArrayRef, shard: [u64; 3]) -> Result<Self, StoreError> {
        let info = array.info();
        let counts = array.shard_counts();
        if (0..3).any(|i| shard[i] >= counts[i]) {
            let reason = format!("no shard {shard:?} in an array of {counts:?} shards");
            return Err(StoreError::OutOfBounds { array: info.path.to_string(), reason });
        }
        let Some(codec) = info.encoder else {
            let reason = "written by another program with another codec; it can be read only".to_owned();
            return Err(StoreError::Metadata { object: info.path.clone(), reason });
        };
        let extent = std::array::from_fn(|i| info.shard[i].min(info.shape[i] - shard[i] * info.shard[i]));
        let chunks = (0..array.chunk_count()).map(|_| Chunk::Untouched).collect();
        Ok(Self {
            key: array.shard_key(shard),
            codec,
            extent,
            chunks,
            flushed: 0,
            streams: false,
            spool: None,
            store,
            array,
        })
    }

    /// The object that [`ShardWriter::finish`] will put.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// Dates, rows and columns of this shard that lie inside the array: what there is to write.
    pub fn extent(&self) -> [u64; 3] {
        self.extent
    }

    /// Compresses one inner chunk of `inner` index `[t, y, x]` in the shard, of all its `(time, y, x)`
    /// values. What lies outside the array is replaced by fill. All fill compresses to nothing.
    /// # Errors
    /// [`StoreError::OutOfBounds`], [`StoreError::PixelsMismatch`], [`StoreError::Encode`].
    pub fn encode_chunk(&self, inner: [u64; 3], pixels: &Pixels) -> Result<EncodedChunk, StoreError> {
        self.place(inner)?;
        self.check(pixels, self.array.chunk_len())?;
        let bytes = if self.missing_in(inner) == self.array.chunk_len() as u64 {
            self.encode(pixels)?
        } else {
            let mut clipped = Pixels::filled(self.array.dtype(), self.array.chunk_len(), self.array.fill());
            let [_, rows, columns] = self.array.inner();
            let [dates, height, width] = self.chunk_extent(inner);
            for (t, y) in (0..dates).flat_map(|t| (0..height).map(move |y| (t, y))) {
                let start = ((t * rows + y) * columns) as usize;
                self.copy(pixels, start, &mut clipped, start, width as usize);
            }
            self.encode(&clipped)?
        };
        Ok(EncodedChunk { inner, bytes })
    }

    /// Adds a chunk from [`ShardWriter::encode_chunk`].
    /// # Errors
    /// [`StoreError::ChunkWrittenTwice`], [`StoreError::OutOfBounds`].
    pub fn put_encoded(&mut self, chunk: EncodedChunk) -> Result<(), StoreError> {
        let place = self.place(chunk.inner)?;
        if !matches!(self.chunks[place], Chunk::Untouched) {
            return Err(StoreError::ChunkWrittenTwice { object: self.key.clone(), inner: chunk.inner });
        }
        self.chunks[place] = Chunk::Done(chunk.bytes);
        Ok(())
    }

    /// Adds one inner chunk: [`ShardWriter::encode_chunk`] and [`ShardWriter::put_encoded`].
    /// # Errors
    /// As those two.
    pub fn put_chunk(&mut self, inner: [u64; 3], pixels: &Pixels) -> Result<(), StoreError> {
        self.put_encoded(self.encode_chunk(inner, pixels)?)
    }

    /// Adds a window of one date: `height × width` values, row by row, whose first is `[t, y0, x0]` of the
    /// shard. It must lie inside [`ShardWriter::extent`] and may cut across chunks; each pixel is written
    /// once. Pixels never written are fill.
    /// # Errors
    /// [`StoreError::OutOfBounds`], [`StoreError::PixelsMismatch`], [`StoreError::Encode`];
    /// [`StoreError::ChunkWrittenTwice`] when a chunk that was complete is written to again.
    pub fn put_window(
        &mut self,
        t: u64,
        y0: u64,
        x0: u64,
        height: usize,
        width: usize,
        pixels: &Pixels,
    ) -> Result<(), StoreError> {
        self.check(pixels, height * width)?;
        self.put_part(t, [y0, x0], [height, width], pixels, [0, 0], width)
    }

    /// As [`ShardWriter::put_window`], of a rectangle of pixels whose rows are `stride` long, from its row and column
    /// `from`.
    /// # Errors
    /// As [`ShardWriter::put_window`].
    pub fn put_part(
        &mut self,
        t: u64,
        [y0, x0]: [u64; 2],
        [height, width]: [usize; 2],
        pixels: &Pixels,
        from: [usize; 2],
        stride: usize,
    ) -> Result<(), StoreError> {
        self.check(pixels, pixels.len())?;
        if from[1] + width > stride || (from[0] + height) * stride > pixels.len() {
            self.check(pixels, (from[0] + height) * stride.max(from[1] + width))?;
        }
        let ends = [t.checked_add(1), y0.checked_add(height as u64), x0.checked_add(width as u64)];
        if (0..3).any(|i| ends[i].is_none_or(|end| end > self.extent[i])) {
            let reason = format!(
                "window {height}×{width} at date {t}, row {y0}, column {x0} of a shard whose extent is {:?}",
                self.extent
            );
            return Err(StoreError::OutOfBounds { array: self.array.path().to_string(), reason });
        }
        if height == 0 || width == 0 {
            return Ok(());
        }
        let [depth, rows, columns] = self.array.inner();
        let size = self.array.dtype().size_bytes();
        let (y1, x1) = (y0 + height as u64, x0 + width as u64);
        for cy in y0 / rows..y1.div_ceil(rows) {
            for cx in x0 / columns..x1.div_ceil(columns) {
                let (top, bottom) = (y0.max(cy * rows), y1.min((cy + 1) * rows));
                let (left, right) = (x0.max(cx * columns), x1.min((cx + 1) * columns));
                let inner = [t / depth, cy, cx];
                let place = self.place(inner)?;
                let whole = bottom - top == rows && right - left == columns;
                if whole && depth == 1 && pixels.len() == self.array.chunk_len() {
                    // The pixels are the chunk.
                    let encoded = self.encode_chunk(inner, pixels)?;
                    self.put_encoded(encoded)?;
                    continue;
                }
                let mut chunk = self.begun(inner, place)?;
                chunk.touch(t % depth, [rows, columns], self.array.fill(), whole);
                let row = from[0] + (top - y0) as usize;
                let start = (row * stride + from[1] + (left - x0) as usize) * size;
                let to =
                    ((t % depth * rows + top - cy * rows) * columns + left - cx * columns) as usize * size;
                let run = (right - left) as usize * size;
                let lines = pixels.bytes()[start..].chunks(stride * size);
                let held = chunk.pixels.bytes_mut()[to..].chunks_mut(columns as usize * size);
                for (line, held) in lines.zip(held).take((bottom - top) as usize) {
                    held[..run].copy_from_slice(&line[..run]);
                }
                chunk.missing = chunk.missing.saturating_sub((bottom - top) * (right - left));
                self.chunks[place] = match chunk.missing {
                    0 => Chunk::Done(self.encode_begun(chunk)?),
                    _ => Chunk::Begun(chunk),
                };
            }
        }
        if self.streams { self.write_done() } else { Ok(()) }
    }

    /// Writes the chunks that are compressed and have none before them that is not.
    fn write_done(&mut self) -> Result<(), StoreError> {
        while let Some(Chunk::Done(bytes)) = self.chunks.get_mut(self.flushed) {
            let bytes = bytes.take();
            self.write_next(bytes)?;
        }
        Ok(())
    }

    /// Writes the first chunk that is not written yet.
    fn write_next(&mut self, encoded: Option<Vec<u8>>) -> Result<(), StoreError> {
        if let Some(bytes) = encoded {
            let spool = match &mut self.spool {
                Some(spool) => spool,
                none => none.insert(Spool {
                    staged: self.store.objects().stage(&self.key)?,
                    bytes: 0,
                    hasher: blake3::Hasher::new(),
                    gathered: Vec::new(),
                }),
            };
            let (offset, len) = spool.append(&bytes)?;
            self.chunks[self.flushed] = Chunk::Flushed(offset, len);
        }
        self.flushed += 1;
        Ok(())
    }

    /// Compresses and writes every inner chunk whose dates are all before `date`; they take no more pixels. The
    /// object gets its name only by [`ShardWriter::finish`].
    /// # Errors
    /// [`StoreError::Encode`], [`StoreError::Io`].
    pub fn flush(&mut self, date: u64) -> Result<(), StoreError> {
        let [_, rows, columns] = self.array.chunks_per_shard();
        let depth = self.array.inner()[0];
        let groups = if date >= self.extent[0] { date.div_ceil(depth) } else { date / depth };
        let end = ((groups * rows * columns) as usize).min(self.chunks.len());
        self.streams = true;
        while self.flushed < end {
            let place = self.flushed;
            let encoded = match std::mem::replace(&mut self.chunks[place], Chunk::Done(None)) {
                Chunk::Untouched => None,
                Chunk::Begun(chunk) => self.encode_begun(chunk)?,
                Chunk::Done(bytes) => bytes,
                flushed @ Chunk::Flushed(..) => {
                    self.chunks[place] = flushed;
                    None
                }
            };
            self.write_next(encoded)?;
        }
        Ok(())
    }

    /// Puts the shard; `None`, and no object, when there is nothing but fill. A shard that is there
    /// already with the same bytes is as good.
    /// # Errors
    /// [`StoreError::Encode`], [`StoreError::ObjectExists`], [`StoreError::Io`].
    pub fn finish(mut self) -> Result<Option<ObjectInfo>, StoreError> {
        if self.flushed > 0 {
            return self.finish_spool();
        }
        let chunks = std::mem::take(&mut self.chunks).into_iter().map(|chunk| match chunk {
            Chunk::Untouched => Ok(None),
            Chunk::Begun(chunk) => self.encode_begun(chunk),
            Chunk::Done(bytes) => Ok(bytes),
            Chunk::Flushed(..) => Ok(None),
        });
        match assemble(chunks.collect::<Result<_, _>>()?) {
            Some(shard) => self.store.put_object(&self.key, &shard).map(Some),
            None => Ok(None),
        }
    }

    fn finish_spool(mut self) -> Result<Option<ObjectInfo>, StoreError> {
        self.flush(self.extent[0])?;
        let Some(mut spool) = self.spool.take() else { return Ok(None) };
        let place = |chunk: &Chunk| match chunk {
            Chunk::Flushed(offset, len) => (*offset, *len),
            _ => (ABSENT, ABSENT),
        };
        spool.append(&index_bytes(self.chunks.iter().map(place).collect()))?;
        spool.pass_on()?;
        let digest = spool.hasher.finalize().to_hex().as_str().to_owned();
        let info = ObjectInfo { key: self.key.clone(), bytes: spool.bytes, digest };
        self.store.put_staged(info, spool.staged).map(Some)
    }

    /// Takes a chunk out to be written to.
    fn begun(&mut self, inner: [u64; 3], place: usize) -> Result<Begun, StoreError> {
        match std::mem::replace(&mut self.chunks[place], Chunk::Untouched) {
            Chunk::Begun(chunk) => Ok(chunk),
            Chunk::Untouched => {
                let missing = self.missing_in(inner);
                let (dtype, len) = (self.array.dtype(), self.array.chunk_len());
                if self.array.inner()[0] > TRACKED_DATES {
                    let pixels = Pixels::filled(dtype, len, self.array.fill());
                    return Ok(Begun { pixels, missing, dates: u64::MAX });
                }
                let pixels = spare(dtype, len).unwrap_or_else(|| Pixels::filled(dtype, len, 0.0));
                Ok(Begun { pixels, missing, dates: 0 })
            }
            done @ (Chunk::Done(_) | Chunk::Flushed(..)) => {
                self.chunks[place] = done;
                Err(StoreError::ChunkWrittenTwice { object: self.key.clone(), inner })
            }
        }
    }

    /// Compresses a chunk that takes no more pixels.
    fn encode_begun(&mut self, mut chunk: Begun) -> Result<Option<Vec<u8>>, StoreError> {
        let [depth, rows, columns] = self.array.inner();
        for date in 0..depth.min(TRACKED_DATES) {
            chunk.touch(date, [rows, columns], self.array.fill(), false);
        }
        let encoded = self.encode(&chunk.pixels)?;
        keep(chunk.pixels);
        Ok(encoded)
    }

    /// Row-major place of an inner chunk in the shard.
    fn place(&self, inner: [u64; 3]) -> Result<usize, StoreError> {
        let per = self.array.chunks_per_shard();
        if (0..3).any(|i| inner[i] >= per[i] || inner[i] * self.array.inner()[i] >= self.extent[i]) {
            let reason =
                format!("no inner chunk {inner:?} in a shard of {per:?} whose extent is {:?}", self.extent);
            return Err(StoreError::OutOfBounds { array: self.array.path().to_string(), reason });
        }
        Ok(((inner[0] * per[1] + inner[1]) * per[2] + inner[2]) as usize)
    }

    /// Dates, rows and columns of an inner chunk that lie inside the array.
    fn chunk_extent(&self, inner: [u64; 3]) -> [u64; 3] {
        let size = self.array.inner();
        std::array::from_fn(|i| size[i].min(self.extent[i] - inner[i] * size[i]))
    }

    fn missing_in(&self, inner: [u64; 3]) -> u64 {
        self.chunk_extent(inner).iter().product()
    }

    fn check(&self, pixels: &Pixels, expected_len: usize) -> Result<(), StoreError> {
        if pixels.dtype() == self.array.dtype() && pixels.len() == expected_len {
            return Ok(());
        }
        Err(StoreError::PixelsMismatch {
            array: self.array.path().to_string(),
            expected: self.array.dtype(),
            found: pixels.dtype(),
            expected_len,
            len: pixels.len(),
        })
    }

    /// Copies a run of values between two pixels of the array's type.
    fn copy(&self, from: &Pixels, start: usize, to: &mut Pixels, at: usize, len: usize) {
        let size = self.array.dtype().size_bytes();
        let source = &from.bytes()[start * size..(start + len) * size];
        to.bytes_mut()[at * size..(at + len) * size].copy_from_slice(source);
    }

    fn encode(&self, pixels: &Pixels) -> Result<Option<Vec<u8>>, StoreError> {
        if pixels.is_all(self.array.fill()) {
            return Ok(None);
        }
        self.codec
            .encode(&pixels.to_le_bytes(), self.array.dtype().size_bytes())
            .map(Some)
            .map_err(|reason| StoreError::Encode { array: self.array.path().to_string(), reason })
    }
}

impl Begun {
    /// Before the first pixels of a date come: all of it becomes fill, unless they are all there is of it.
    fn touch(&mut self, date: u64, [rows, columns]: [u64; 2], fill: f64, whole: bool) {
        let bit = 1u64.checked_shl(date as u32).unwrap_or(0);
        if self.dates & bit == 0 && !whole && bit != 0 {
            let len = (rows * columns) as usize;
            let first = date as usize * len;
            self.pixels.fill_run(first..first + len, fill);
        }
        self.dates |= bit;
    }
}
