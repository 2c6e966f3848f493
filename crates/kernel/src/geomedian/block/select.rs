//! Medians down the columns of lanes.

use super::lanes::Lanes;

/// The two middle values of the `counts` defined ones of each lane, equal for an odd count and NaN for none.
///
/// The others must be +∞ and −∞ in turn, +∞ first, and the rows even in number: then the middle lies between the two
/// middle rows in every lane, or below it where the count is odd. Reorders `column`.
#[inline(always)]
pub(super) fn median<V: Lanes<L>, const L: usize>(column: &mut [[f32; L]], counts: V) -> (V, V) {
    let half = column.len() / 2;
    let (first, second) = column.split_at_mut(half);
    sort::<V, L>(first);
    sort::<V, L>(second);
    // Of two sorted halves, the lower half of all is the lesser of each pair taken from opposite ends.
    let (mut low, mut high) = (V::splat(f32::NEG_INFINITY), V::splat(f32::INFINITY));
    for (a, b) in first.iter().zip(second.iter().rev()) {
        let (a, b) = (V::load(a), V::load(b));
        low = a.min(b).max(low);
        high = a.max(b).min(high);
    }
    let (mut odd, mut none) = (0, 0);
    for (l, n) in counts.to_array().into_iter().enumerate() {
        odd |= u32::from(n as u32 % 2 == 1) << l;
        none |= u32::from(n == 0.0) << l;
    }
    let (odd, none, nan) = (V::mask(odd), V::mask(none), V::splat(f32::NAN));
    (V::choose(none, nan, low), V::choose(none, nan, V::choose(odd, low, high)))
}

/// Batcher's merge exchange (Knuth, 5.2.2 M): the same comparisons whatever the values, so all lanes at once.
#[inline(always)]
fn sort<V: Lanes<L>, const L: usize>(column: &mut [[f32; L]]) {
    let n = column.len();
    if n < 2 {
        return;
    }
    let top = n.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            // Every `i` with `i & p == r`, a run of `p` of them at a time. Many passes have runs of one, where a loop in
            // a loop costs more than the comparison.
            let mut start = r;
            if p == 1 {
                while start + d < n {
                    exchange::<V, L>(column, start, start + d);
                    start += 2;
                }
            }
            while start + d < n {
                let end = (start + p).min(n - d);
                for i in start..end {
                    exchange::<V, L>(column, i, i + d);
                }
                start += 2 * p;
            }
            if q == p {
                break;
            }
            d = q - p;
            q /= 2;
            r = p;
        }
        p /= 2;
    }
}

/// Puts the lesser of two rows in the first, `i < j`.
#[inline(always)]
fn exchange<V: Lanes<L>, const L: usize>(column: &mut [[f32; L]], i: usize, j: usize) {
    let (x, y) = (V::load(&column[i]), V::load(&column[j]));
    x.min(y).store(&mut column[i]);
    y.max(x).store(&mut column[j]);
}
