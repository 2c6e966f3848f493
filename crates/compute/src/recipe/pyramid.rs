//! Pyramid levels of derived rasters: means weighted by the number of valid level-0 pixels.

use tesela_grid::PixelWindow;
use tesela_model::{Band, PyramidRule};
use tesela_raster::{Sample, reduce_max, reduce_mean_weighted, reduce_mode};
use tesela_store::Pixels;

use crate::ComputeError;

/// One band's pixels at a level, and how many valid level-0 pixels stand behind each.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) values: Pixels,
    pub(crate) counts: Vec<u16>,
}

impl Counted {
    /// Level 0: every valid pixel counts one.
    pub(crate) fn base(values: Pixels, band: &Band) -> Self {
        fn count<T: Sample>(values: &[T], nodata: T) -> Vec<u16> {
            values.iter().map(|v| u16::from(!v.is_nodata(nodata))).collect()
        }
        let nodata = band.nodata;
        let counts = match &values {
            Pixels::U8(v) => count(v, nodata as u8),
            Pixels::U16(v) => count(v, nodata as u16),
            Pixels::I16(v) => count(v, nodata as i16),
            Pixels::F32(v) => count(v, nodata as f32),
        };
        Self { values, counts }
    }

    /// Nothing anywhere.
    pub(crate) fn empty(band: &Band, len: usize) -> Self {
        Self { values: Pixels::filled(band.dtype, len, band.nodata), counts: vec![0; len] }
    }

    /// The next level.
    pub(crate) fn halve(&self, band: &Band, width: usize, height: usize) -> Result<Self, ComputeError> {
        fn half<T: Sample>(
            v: &[T],
            c: &[u16],
            w: usize,
            h: usize,
            nodata: T,
            rule: PyramidRule,
        ) -> Result<(Vec<T>, Vec<u16>), tesela_raster::RasterError> {
            let (mean, counts) = reduce_mean_weighted(v, c, w, h, nodata)?;
            let values = match rule {
                PyramidRule::Mean => mean,
                PyramidRule::Max => reduce_max(v, w, h, nodata)?,
                PyramidRule::Mode | PyramidRule::Qa => reduce_mode(v, w, h, nodata)?,
            };
            Ok((values, counts))
        }
        let (w, h, rule) = (width, height, band.pyramid);
        let nodata = band.nodata;
        let (values, counts) = match &self.values {
            Pixels::U8(v) => half(v, &self.counts, w, h, nodata as u8, rule).map(|(v, c)| (Pixels::U8(v), c)),
            Pixels::U16(v) => {
                half(v, &self.counts, w, h, nodata as u16, rule).map(|(v, c)| (Pixels::U16(v), c))
            }
            Pixels::I16(v) => {
                half(v, &self.counts, w, h, nodata as i16, rule).map(|(v, c)| (Pixels::I16(v), c))
            }
            Pixels::F32(v) => {
                half(v, &self.counts, w, h, nodata as f32, rule).map(|(v, c)| (Pixels::F32(v), c))
            }
        }
        .map_err(|e| ComputeError::Parameter { parameter: "pyramid", problem: e.to_string() })?;
        Ok(Self { values, counts })
    }

    /// Appends values, then counts, little-endian: what [`Self::take_bytes`] reads.
    pub(crate) fn put_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.values.to_le_bytes());
        out.extend(self.counts.iter().flat_map(|c| c.to_le_bytes()));
    }

    /// Reads `len` pixels of a band from the front of `bytes`; `None` when there are too few.
    pub(crate) fn take_bytes(bytes: &mut &[u8], band: &Band, len: usize) -> Option<Self> {
        let (values, rest) = bytes.split_at_checked(len * band.dtype.size_bytes())?;
        let (counts, rest) = rest.split_at_checked(len * 2)?;
        *bytes = rest;
        let counts = counts.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        Some(Self { values: Pixels::from_le_bytes(band.dtype, values)?, counts })
    }

    /// Copies a part in.
    pub(crate) fn paste(&mut self, window: &PixelWindow, part: &Self, part_window: &PixelWindow) {
        crate::load::paste(&part.values, 0, part_window, &mut self.values, 0, window);
        let Some(shared) = window.intersection(part_window) else { return };
        for y in shared.py..shared.py_end() {
            let f = (y - part_window.py) as usize * part_window.width + (shared.px - part_window.px) as usize;
            let t = (y - window.py) as usize * window.width + (shared.px - window.px) as usize;
            self.counts[t..t + shared.width].copy_from_slice(&part.counts[f..f + shared.width]);
        }
    }
}

/// The window of the next level; edges of `w` are even, or the array's own.
pub(crate) fn halved(w: &PixelWindow) -> PixelWindow {
    PixelWindow::new(w.px.div_euclid(2), w.py.div_euclid(2), w.width.div_ceil(2), w.height.div_ceil(2))
}
