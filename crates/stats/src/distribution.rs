//! The values of a zone with their weights: quantiles, modes and shares.

use serde::Serialize;

use crate::Quantile;

/// A value and its share of the whole weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ValueShare {
    /// The value.
    pub value: f64,
    /// Its weight over the weight of all values, 0..=1.
    pub share: f64,
}

/// Weighted values, equal ones merged; memory follows the number of distinct values.
///
/// Reading needs the values in order: call [`sorted`](Self::sorted) once, then ask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    entries: Vec<Entry>,
    sorted_len: usize, // this many at the front are in order and distinct
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Entry {
    value: f64,
    weight: f64,
}

impl Distribution {
    /// Adds a finite value with its weight.
    pub fn add(&mut self, value: f64, weight: f64) {
        const ROOM: usize = 1024;
        if self.entries.len() >= 2 * self.sorted_len + ROOM {
            self.compact();
        }
        self.entries.push(Entry { value: value + 0.0, weight }); // −0 becomes 0: one value, not two
    }

    /// Adds everything `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        for entry in &other.entries {
            self.add(entry.value, entry.weight);
        }
    }

    /// Brings the values in order and merges equal ones.
    pub fn sorted(&mut self) -> SortedDistribution<'_> {
        self.compact();
        SortedDistribution { entries: &self.entries }
    }

    fn compact(&mut self) {
        if self.sorted_len == self.entries.len() {
            return;
        }
        // Stable, so that equal values add up in the order they came.
        self.entries.sort_by(|a, b| a.value.total_cmp(&b.value));
        self.entries.dedup_by(|next, kept| {
            let equal = next.value == kept.value;
            if equal {
                kept.weight += next.weight;
            }
            equal
        });
        self.sorted_len = self.entries.len();
    }
}

/// A [`Distribution`] ready to be read. Everything is `None` or empty without values.
#[derive(Debug, Clone, Copy)]
pub struct SortedDistribution<'a> {
    entries: &'a [Entry],
}

impl SortedDistribution<'_> {
    /// Number of distinct values.
    pub fn variety(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Value of greatest weight; of several the greatest.
    pub fn majority(&self) -> Option<f64> {
        self.entries
            .iter()
            .copied()
            .reduce(|best, next| if next.weight >= best.weight { next } else { best })
            .map(|e| e.value)
    }

    /// Value of least weight; of several the smallest.
    pub fn minority(&self) -> Option<f64> {
        self.entries
            .iter()
            .copied()
            .reduce(|best, next| if next.weight < best.weight { next } else { best })
            .map(|e| e.value)
    }

    /// Every value with its share of the whole weight, smallest value first.
    pub fn shares(&self) -> Vec<ValueShare> {
        let total = self.total();
        self.entries
            .iter()
            .map(|entry| ValueShare { value: entry.value, share: entry.weight / total })
            .collect()
    }

    /// Weighted quantile, interpolated between values; never cut to integers.
    ///
    /// With N distinct values x₀ < x₁ < …, weights w and W₋ the weight of all smaller values, value k stands at
    /// sₖ = k·wₖ + (N − 1)·W₋; the result is read at q·(N − 1)·Σw by linear interpolation. With equal weights
    /// this is the common definition (Hyndman and Fan's type 7, numpy's `linear`).
    ///
    /// # Source
    /// exactextract 0.3, `weighted_quantiles.cpp`, except its cast to the raster's type.
    pub fn quantile(&self, quantile: Quantile) -> Option<f64> {
        let last = self.entries.last()?.value;
        let gaps = (self.entries.len() - 1) as f64;
        let target = quantile.probability() * gaps * self.total();
        let mut below = 0.0;
        let mut previous: Option<(f64, f64)> = None; // position, value
        for (k, entry) in self.entries.iter().enumerate() {
            let at = k as f64 * entry.weight + gaps * below;
            if at >= target {
                return Some(match previous {
                    Some((from, value)) if at > from => {
                        value + (entry.value - value) * ((target - from) / (at - from))
                    }
                    _ => entry.value,
                });
            }
            previous = Some((at, entry.value));
            below += entry.weight;
        }
        Some(last)
    }

    fn total(&self) -> f64 {
        self.entries.iter().map(|entry| entry.weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Distribution {
        let mut distribution = Distribution::default();
        values.iter().for_each(|&value| distribution.add(value, 1.0));
        distribution
    }

    fn quantile(values: &[f64], q: f64) -> Option<f64> {
        of(values).sorted().quantile(Quantile::new(q).unwrap())
    }

    #[test]
    fn equal_weights_give_the_common_definition() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.5));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), Some(1.75));
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.0), Some(1.0));
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 1.0), Some(4.0));
        assert_eq!(quantile(&[7.0], 0.3), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn both_zeros_are_one_value() {
        assert_eq!(of(&[0.0, -0.0]).sorted().variety(), 1);
    }

    #[test]
    fn a_long_stream_of_few_values_stays_small() {
        let mut classes = Distribution::default();
        (0..1_000_000).for_each(|i| classes.add(f64::from(i % 7), 0.5));
        assert!(classes.entries.capacity() < 4096);
        assert_eq!(classes.sorted().variety(), 7);
        assert_eq!(classes.sorted().total(), 500_000.0);
    }
}
