//! Medians of long columns, by counting: a few passes of comparisons with a guess cost less than sorting.

use super::lanes::Lanes;
use super::select::sort;

/// Columns of at least this many rows are worth it, where measured: the wider the lanes, the sooner.
pub(super) const fn long(lanes: usize) -> usize {
    if lanes == 16 { 256 } else { 448 }
}

/// Rows of the sample that the first guesses come from, and those of it that lie as far on either side of the middle as
/// the guesses may be wrong.
const SAMPLE: usize = 32;
const LOWER: usize = 10;
const MIDDLE: usize = 16;
const UPPER: usize = 21;

/// Passes before the column is left to be sorted; seven are usual.
const MAX_PASSES: usize = 24;

/// The two middle values of the `rows` of each lane, an even number of which none is NaN; `None` if some lane's were not
/// found, which is rare. They are the values that sorting would find.
#[inline(always)]
pub(super) fn middle<V: Lanes<L>, const L: usize>(rows: &[[f32; L]]) -> Option<(V, V)> {
    let (one, endless) = (V::splat(1.0), V::splat(f32::INFINITY));
    let half = V::splat((rows.len() / 2) as f32);
    let aim = half + V::splat(0.5);
    let mut sample = [[0.0; L]; SAMPLE];
    for (k, row) in sample.iter_mut().enumerate() {
        *row = *rows.get((2 * k + 1) * rows.len() / (2 * SAMPLE))?;
    }
    sort::<V, L>(&mut sample);
    // By how much values rise from row to row.
    let between = (UPPER - LOWER) as f32 / SAMPLE as f32 * rows.len() as f32;
    let mut rise = (V::load(&sample[UPPER]) - V::load(&sample[LOWER])) * V::splat(1.0 / between);
    let start = V::load(&sample[MIDDLE]);
    let below_start = count::<V, L>(rows, start);
    let mut guess = start + (aim - below_start) * rise;
    let below_guess = count::<V, L>(rows, guess);
    let apart = below_guess - below_start;
    let secant = (guess - start) / apart;
    rise = V::choose(V::splat(0.0).less(secant), secant, rise);
    guess = guess + (aim - below_guess) * rise;

    // The least value not counted by a guess too low, the greatest counted by one too high, and the counts.
    let (mut least, mut least_count) = (V::splat(f32::NEG_INFINITY), V::splat(0.0));
    let (mut greatest, mut greatest_count) = (endless, half + half);
    let (mut low, mut high) = (least, greatest);
    let all = u32::MAX >> (32 - L);
    let mut found = 0;
    for _ in 0..MAX_PASSES {
        let (counted, below, above) = around::<V, L>(rows, guess);
        let (too_low, too_high) = (counted.less(half), half.less(counted));
        least = V::choose(too_low, above, least);
        least_count = V::choose(too_low, counted, least_count);
        greatest = V::choose(too_high, below, greatest);
        greatest_count = V::choose(too_high, counted, greatest_count);
        // Between the two there is nothing else: all from one to the other are equal.
        let wrong = V::or(too_low, too_high);
        let open = V::and(wrong, least.less(greatest));
        let equal = V::and_not(wrong, open);
        low = V::choose(wrong, V::choose(equal, least, low), below);
        high = V::choose(wrong, V::choose(equal, least, high), above);
        found = all & !V::bits(open);
        if found == all {
            break;
        }
        let slope = (greatest - least) / (greatest_count - least_count - one);
        rise = V::choose(slope.less(endless), slope, rise);
        let near =
            V::choose(too_low, least + (aim - counted - one) * rise, greatest - (counted - aim) * rise);
        // One too few or one too many: the neighbour itself, or what is next to it.
        let beside = V::choose(too_low, least, before(greatest));
        let far = V::or((counted + one).less(half), (half + one).less(counted));
        let next = V::choose(far, near, beside);
        // Not a number, or none that could say anything new: the least that may be counted.
        let new = V::and_not(next.less(greatest), next.less(least));
        // A lane that is done asks the same again.
        guess = V::choose(open, V::choose(new, next, least), guess);
    }
    (found == all).then_some((low, high))
}

/// The number next below, of those that are above zero and not very small.
#[inline(always)]
fn before<V: Lanes<L>, const L: usize>(value: V) -> V {
    value * V::splat(1.0 - f32::EPSILON / 2.0)
}

/// How many of each lane are not above `guess`.
#[inline(always)]
fn count<V: Lanes<L>, const L: usize>(rows: &[[f32; L]], guess: V) -> V {
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    // Several sums, so that one need not wait for the other.
    let mut above = [zero; 4];
    let (fours, rest) = rows.as_chunks::<4>();
    for four in fours {
        for (above, row) in above.iter_mut().zip(four) {
            *above = *above + V::choose(guess.less(V::load(row)), one, zero);
        }
    }
    for (above, row) in above.iter_mut().zip(rest) {
        *above = *above + V::choose(guess.less(V::load(row)), one, zero);
    }
    V::splat(rows.len() as f32) - ((above[0] + above[1]) + (above[2] + above[3]))
}

/// How many of each lane are not above `guess`, the greatest of them, and the least of the others.
#[inline(always)]
fn around<V: Lanes<L>, const L: usize>(rows: &[[f32; L]], guess: V) -> (V, V, V) {
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    let (endless, nothing) = (V::splat(f32::INFINITY), V::splat(f32::NEG_INFINITY));
    let (mut counts, mut below, mut above) = ([zero; 2], [nothing; 2], [endless; 2]);
    for pair in rows.as_chunks::<2>().0 {
        for k in 0..2 {
            let row = V::load(&pair[k]);
            let is_above = guess.less(row);
            counts[k] = counts[k] + V::choose(is_above, one, zero);
            below[k] = V::choose(is_above, nothing, row).max(below[k]);
            above[k] = V::choose(is_above, row, endless).min(above[k]);
        }
    }
    let count = V::splat(rows.len() as f32) - (counts[0] + counts[1]);
    (count, below[0].max(below[1]), above[0].min(above[1]))
}
