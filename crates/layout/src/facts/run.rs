//! Counting pixels that all lie in one cell, one behind the other: a decoded chunk.

use std::ops::Range as Run;

use tesela_store::Pixels;

use super::{BandFacts, Found, LANES, Lanes, NOTHING, Range, floats, words};

/// Values counted before lanes are put together: a lane counts to 32767.
const TOGETHER: usize = LANES * 16_384;

impl BandFacts {
    /// Adds pixels of the cell `[time, y, x]` of the tile, each once: those of `values` in `run`, in any order. A cell
    /// outside the tile, or a run past the end, is not counted.
    pub fn add_run(&mut self, cell: [u64; 3], values: &Pixels, run: Run<usize>) {
        let [t, y, x] = cell.map(|i| i as usize);
        if y >= self.cells[0] || x >= self.cells[1] || run.start > run.end || run.end > values.len() {
            return;
        }
        let at = (t * self.cells[0] + y) * self.cells[1] + x;
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the instructions, asked here.
            return unsafe { self.count_run_avx2(at, values, run) };
        }
        self.count_run(at, values, run);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn count_run_avx2(&mut self, at: usize, values: &Pixels, run: Run<usize>) {
        self.count_run(at, values, run);
    }

    /// Counts a run that is inside; in the vector lanes of whichever caller.
    #[inline(always)]
    fn count_run(&mut self, at: usize, values: &Pixels, run: Run<usize>) {
        let nodata = self.nodata;
        match &mut self.found {
            Found::Values(cells) => {
                cells.resize(cells.len().max(at + 1), NOTHING);
                let range = &mut cells[at];
                match values {
                    Pixels::U8(v) => integers(range, &v[run], nodata as u8, i16::from, f32::from),
                    Pixels::U16(v) => {
                        let key = |v: u16| (v ^ 0x8000) as i16;
                        let value = |k: i16| f32::from(k as u16 ^ 0x8000);
                        integers(range, &v[run], nodata as u16, key, value);
                    }
                    Pixels::I16(v) => integers(range, &v[run], nodata as i16, |v| v, f32::from),
                    Pixels::F32(v) => floats(range, &v[run], nodata as f32),
                }
            }
            Found::Words { cells, .. } => {
                cells.resize(cells.len().max(at + 1), Vec::new());
                let counts = &mut cells[at];
                match values {
                    Pixels::U8(v) => words(counts, &v[run], u16::from),
                    Pixels::U16(v) => words(counts, &v[run], |v| v),
                    Pixels::I16(v) => words(counts, &v[run], |v| v.max(0) as u16),
                    Pixels::F32(v) => words(counts, &v[run], |v| v as u16),
                }
            }
        }
    }
}

#[inline(always)]
fn integers<T: Copy>(
    range: &mut Range,
    values: &[T],
    nodata: T,
    key: impl Fn(T) -> i16,
    value: impl Fn(i16) -> f32,
) {
    let nodata = key(nodata);
    for part in values.chunks(TOGETHER) {
        let mut lanes = Lanes::new();
        lanes.add(part, nodata, &key);
        lanes.into_range(range, &value);
    }
}
