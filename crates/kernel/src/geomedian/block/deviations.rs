//! The three median deviations, one pixel a lane, `f32`.

use super::lanes::{Kept, Lanes, dot};
use super::select::{median, room_for};
use super::solve::Observations;

/// Columns of distances, one row an observation; made once and used again.
#[derive(Debug, Default)]
pub(super) struct Columns<const L: usize> {
    squared: Kept<L>,
    cosine: Kept<L>,
    bray_curtis: Kept<L>,
}

/// Observations lie along one line through the point if the squares of their cosines to the first of them, weighted by
/// `1/d`, have a mean above this. The mean is at most the factor by which the Weiszfeld map shortens what is left of the
/// way along that line: the cost hardly rises there, and a point that `f32` cannot tell from the minimiser may lie many
/// digital numbers off. One pixel of ten observations in a thousand, half of them cloud; none of twenty.
const ALONG_A_LINE: f32 = 0.9;

/// EMAD (ρ), SMAD and BCMAD of each lane; NaN where no distance is defined.
pub(super) struct Deviations<const L: usize> {
    pub(super) emad: [f32; L],
    pub(super) smad: [f32; L],
    pub(super) bcmad: [f32; L],
    /// Lanes whose observations lie along a line through the point; bit `l` is lane `l`.
    pub(super) flat: u32,
}

/// The deviations of the observations around `point`.
///
/// With `e = x − m` and `s = e·(x + m) = ‖x‖² − ‖m‖²`, the cosine distance is
/// `(‖e‖² − (s/(‖x‖ + ‖m‖))²) / (2‖x‖‖m‖)`: `1 − cos` itself would lose all its digits in `f32` for a steady pixel.
#[inline(always)]
pub(super) fn deviations<V: Lanes<L>, const L: usize, const P: usize>(
    obs: &Observations<'_, V, L, P>,
    point: &[V; P],
    columns: &mut Columns<L>,
) -> Deviations<L> {
    let (zero, one, two) = (V::splat(0.0), V::splat(1.0), V::splat(2.0));
    // What stands for an undefined distance, of each column: see `median`.
    let [mut no_squared, mut no_cosine, mut no_bray_curtis] = [V::splat(f32::INFINITY); 3];
    let point_length = dot(point, point).sqrt();
    let n = obs.rows.len().next_multiple_of(2);
    let [squared_column, cosine_column, bray_curtis_column] =
        [&mut columns.squared, &mut columns.cosine, &mut columns.bray_curtis]
            .map(|column| column.room(room_for(n)));
    let (mut cosine_counts, mut bray_curtis_counts) = (zero, zero);
    let (mut line, mut along_line, mut weights) = ([zero; P], zero, zero);
    if let Some(first) = obs.rows.first() {
        for j in 0..P {
            line[j] = V::load(&first[j]) - point[j];
        }
    }
    let distances = squared_column.iter_mut().zip(&mut *cosine_column).zip(&mut *bray_curtis_column);
    for ((k, x), ((squared_out, cosine_out), bray_curtis_out)) in obs.rows.iter().enumerate().zip(distances) {
        let here = V::splat(k as f32).less(obs.counts);
        let (mut squared, mut length_squared, mut excess, mut along) = (zero, zero, zero, zero);
        let (mut apart, mut together) = (zero, zero);
        for j in 0..P {
            let x = V::load(&x[j]);
            let (difference, sum) = (x - point[j], x + point[j]);
            squared = squared + difference * difference;
            excess = excess + difference * sum;
            along = along + difference * line[j];
            length_squared = length_squared + x * x;
            apart = apart + difference.abs();
            together = together + sum.abs();
        }
        let weight = V::choose(here, one / squared.sqrt(), zero);
        let along = along * weight;
        along_line = along_line + along * along * weight;
        weights = weights + weight;
        let length = length_squared.sqrt();
        let lengths = length + point_length;
        let lengths_squared = lengths * lengths;
        let product = two * length * point_length * lengths_squared;
        let cosine = (squared * lengths_squared - excess * excess) / product;
        let cosine_defined = V::and(here, zero.less(product));
        let together_defined = V::and(here, zero.less(together));
        cosine_counts = cosine_counts + V::choose(cosine_defined, one, zero);
        bray_curtis_counts = bray_curtis_counts + V::choose(together_defined, one, zero);
        V::choose(here, squared, no_squared).store(squared_out);
        V::choose(cosine_defined, cosine.max(zero), no_cosine).store(cosine_out);
        V::choose(together_defined, apart / together, no_bray_curtis).store(bray_curtis_out);
        no_squared = V::choose(here, no_squared, zero - no_squared);
        no_cosine = V::choose(cosine_defined, no_cosine, zero - no_cosine);
        no_bray_curtis = V::choose(together_defined, no_bray_curtis, zero - no_bray_curtis);
    }
    if n > obs.rows.len() {
        no_squared.store(&mut squared_column[n - 1]);
        no_cosine.store(&mut cosine_column[n - 1]);
        no_bray_curtis.store(&mut bray_curtis_column[n - 1]);
    }
    let half = V::splat(0.5);
    let (low, high) = median::<V, L>(squared_column, n, obs.counts);
    let emad = ((low.sqrt() + high.sqrt()) * half).to_array();
    let (low, high) = median::<V, L>(cosine_column, n, cosine_counts);
    let smad = ((low + high) * half).to_array();
    let (low, high) = median::<V, L>(bray_curtis_column, n, bray_curtis_counts);
    let bcmad = ((low + high) * half).to_array();
    let flat = (V::splat(ALONG_A_LINE) * dot(&line, &line) * weights).less(along_line);
    Deviations { emad, smad, bcmad, flat: V::bits(flat) }
}
