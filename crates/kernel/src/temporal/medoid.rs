//! The observation closest to all others: a composite of spectra that were really seen.

use super::NO_DATE;
use super::lanes::{Level, at_level};
use super::stack::{Sample, Stack, TemporalError, check};

/// Pixels side by side.
const LANES: usize = 8;

/// For every pixel the position of the date whose spectrum has the smallest sum of Euclidean distances to the
/// other spectra, over `bands` in their own units; the first of equals, and with two observations the first.
/// [`NO_DATE`] where no date is complete (every band there). [`super::pick`] then gives the bands.
///
/// Distances and sums are `f64`, in time order; cost `O(n²)` in the number of complete dates.
/// # Errors
/// [`TemporalError::NoBands`], [`TemporalError::Length`] unless all stacks have one shape.
/// # Source
/// Flood (2013), Remote Sensing 5(12).
pub fn medoid<T: Sample>(bands: &[Stack<'_, T>]) -> Result<Vec<u16>, TemporalError> {
    medoid_at(Level::best(), bands)
}

pub(super) fn medoid_at<T: Sample>(level: Level, bands: &[Stack<'_, T>]) -> Result<Vec<u16>, TemporalError> {
    let first = bands.first().ok_or(TemporalError::NoBands)?;
    for band in bands {
        check("a band", first.pixels(), band.pixels())?;
        check("a band", first.dates() * first.pixels(), band.dates() * band.pixels())?;
    }
    let mut dates = vec![NO_DATE; first.pixels()];
    let mut group = Group::new(first.dates(), bands.len());
    for (k, chosen) in dates.chunks_mut(LANES).enumerate() {
        for (lane, at) in chosen.iter_mut().enumerate() {
            group.load(bands, k * LANES + lane, lane);
            *at = NO_DATE;
        }
        for lane in chosen.len()..LANES {
            group.counts[lane] = 0;
        }
        add_distances(level, &mut group);
        for (lane, at) in chosen.iter_mut().enumerate() {
            *at = group.closest(lane);
        }
    }
    Ok(dates)
}

/// The complete observations of [`LANES`] pixels, packed to the front.
struct Group {
    bands: usize,
    /// `(observation, band, lane)`.
    spectra: Vec<[f64; LANES]>,
    /// `(observation, lane)`: its date, and its distance to all others.
    dates: Vec<[u16; LANES]>,
    sums: Vec<[f64; LANES]>,
    counts: [usize; LANES],
}

impl Group {
    fn new(dates: usize, bands: usize) -> Self {
        Self {
            bands,
            spectra: vec![[0.0; LANES]; dates * bands],
            dates: vec![[NO_DATE; LANES]; dates],
            sums: vec![[0.0; LANES]; dates],
            counts: [0; LANES],
        }
    }

    fn load<T: Sample>(&mut self, bands: &[Stack<'_, T>], pixel: usize, lane: usize) {
        let mut n = 0;
        'date: for date in 0..self.dates.len() {
            for (band, stack) in bands.iter().enumerate() {
                let Some(value) = stack.get(date, pixel) else { continue 'date };
                self.spectra[n * self.bands + band][lane] = value.to_f64();
            }
            self.dates[n][lane] = date as u16;
            n += 1;
        }
        self.counts[lane] = n;
    }

    fn closest(&self, lane: usize) -> u16 {
        let mut best = (f64::INFINITY, NO_DATE);
        for i in 0..self.counts[lane] {
            if self.sums[i][lane] < best.0 {
                best = (self.sums[i][lane], self.dates[i][lane]);
            }
        }
        best.1
    }
}

at_level!(add_distances = distances(group: &mut Group));

/// Every sum receives its terms in time order: from earlier observations while those are the outer ones, then
/// from later ones.
#[inline(always)]
fn distances(group: &mut Group) {
    let n = group.counts.into_iter().max().unwrap_or(0);
    let p = group.bands;
    group.sums[..n].fill([0.0; LANES]);
    for i in 0..n {
        let (before, after) = group.spectra[i * p..n * p].split_at(p);
        let (sums_i, sums_after) = group.sums[i..n].split_at_mut(1);
        for (j, (other, sum_j)) in after.chunks_exact(p).zip(sums_after).enumerate() {
            let mut squared = [0.0; LANES];
            for (a, b) in before.iter().zip(other) {
                for lane in 0..LANES {
                    let difference = a[lane] - b[lane];
                    squared[lane] += difference * difference;
                }
            }
            let later = i + 1 + j;
            for lane in 0..LANES {
                // A pixel of fewer observations has none in this place.
                let distance = if later < group.counts[lane] { squared[lane].sqrt() } else { 0.0 };
                sums_i[0][lane] += distance;
                sum_j[lane] += distance;
            }
        }
    }
}
