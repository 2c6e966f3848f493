//! Medians down the columns of lanes.

use super::count::{long, middle};
use super::lanes::Lanes;

/// Rows sorted at a time, in registers.
const BLOCK: usize = 8;

/// Rows that a column of `n` needs: whole blocks.
pub(super) fn room_for(n: usize) -> usize {
    n.next_multiple_of(BLOCK)
}

/// The two middle values of the `counts` defined ones of each lane, equal for an odd count and NaN for none.
///
/// Of `column`, whole blocks, the first `n` rows are filled, an even number. In these the undefined ones must be +∞ and
/// −∞ in turn, +∞ first: then the middle lies between the two middle rows in every lane, or below it where the count is
/// odd. Reorders `column`.
#[inline(always)]
pub(super) fn median<V: Lanes<L>, const L: usize>(column: &mut [[f32; L]], n: usize, counts: V) -> (V, V) {
    let (low, high) = match if n < long(L) { None } else { middle::<V, L>(&column[..n]) } {
        Some(found) => found,
        None => sorted_middle::<V, L>(column, n),
    };
    let (mut odd, mut none) = (0, 0);
    for (l, n) in counts.to_array().into_iter().enumerate() {
        odd |= u32::from(n as u32 % 2 == 1) << l;
        none |= u32::from(n == 0.0) << l;
    }
    let (odd, none, nan) = (V::mask(odd), V::mask(none), V::splat(f32::NAN));
    (V::choose(none, nan, low), V::choose(none, nan, V::choose(odd, low, high)))
}

/// The two middle rows of the first `n` of `column`, lane by lane.
#[inline(always)]
fn sorted_middle<V: Lanes<L>, const L: usize>(column: &mut [[f32; L]], n: usize) -> (V, V) {
    let endless = V::splat(f32::INFINITY);
    for row in &mut column[n..] {
        endless.store(row);
    }
    // The first part is whole blocks, half of the rows or a few more; the second is filled up with +∞.
    let half = n / 2;
    let (first, second) = column.split_at_mut(room_for(half));
    sort::<V, L>(first);
    sort::<V, L>(second);
    // The lower half of all is the lesser of each pair taken from opposite ends, beyond which the second is endless.
    let (mut low, mut high) = (V::splat(f32::NEG_INFINITY), endless);
    let alone = half.saturating_sub(second.len());
    for a in &first[..alone] {
        low = V::load(a).max(low);
    }
    for (a, b) in first[alone..half].iter().zip(second[..half - alone].iter().rev()) {
        let (a, b) = (V::load(a), V::load(b));
        low = a.min(b).max(low);
        high = a.max(b).min(high);
    }
    if let Some(a) = first.get(half) {
        high = V::load(a).min(high);
    }
    (low, high)
}

/// Sorts each lane: the same comparisons whatever the values, so all lanes at once.
///
/// Blocks are sorted, then runs of them merged two by two (Batcher 1968, the bitonic merge): the first run is compared
/// with the second from its end, then rows of ever smaller distance. A run that is missing counts as +∞.
#[inline(always)]
pub(super) fn sort<V: Lanes<L>, const L: usize>(rows: &mut [[f32; L]]) {
    let blocks = rows.as_chunks_mut::<BLOCK>().0;
    for block in blocks.iter_mut() {
        sort_block::<V, L>(block);
    }
    let mut run = 1;
    while run < blocks.len() {
        // The last run may have none beside it.
        let rest = blocks.len() % (2 * run);
        let paired = if rest <= run { blocks.len() - rest } else { blocks.len() };
        let blocks = &mut blocks[..paired];
        for pair in blocks.chunks_mut(2 * run) {
            let (first, second) = pair.split_at_mut(run);
            let missing = run - second.len();
            for (a, b) in first[missing..].iter_mut().zip(second.iter_mut().rev()) {
                for i in 0..BLOCK {
                    exchange::<V, L>(&mut a[i], &mut b[BLOCK - 1 - i]);
                }
            }
        }
        let mut distance = run / 2;
        while distance > 0 {
            for pair in blocks.chunks_mut(2 * distance) {
                let (first, second) = pair.split_at_mut(distance.min(pair.len()));
                for (a, b) in first.iter_mut().zip(second) {
                    for i in 0..BLOCK {
                        exchange::<V, L>(&mut a[i], &mut b[i]);
                    }
                }
            }
            distance /= 2;
        }
        for block in blocks {
            merge_block::<V, L>(block);
        }
        run *= 2;
    }
}

/// Puts the lesser of two rows in the first.
#[inline(always)]
fn exchange<V: Lanes<L>, const L: usize>(a: &mut [f32; L], b: &mut [f32; L]) {
    let (x, y) = (V::load(a), V::load(b));
    x.min(y).store(a);
    y.max(x).store(b);
}

/// Loads a block, exchanges pairs of its rows, stores it: written out, so that the rows stay in registers.
macro_rules! network {
    ($name:ident $($a:literal $b:literal),*) => {
        #[inline(always)]
        fn $name<V: Lanes<L>, const L: usize>(block: &mut [[f32; L]; BLOCK]) {
            let [a, b, c, d, e, f, g, h] = &*block;
            let mut rows = [
                V::load(a), V::load(b), V::load(c), V::load(d), V::load(e), V::load(f), V::load(g), V::load(h),
            ];
            $(
                let (x, y) = (rows[$a], rows[$b]);
                rows[$a] = x.min(y);
                rows[$b] = y.max(x);
            )*
            for (row, to) in rows.into_iter().zip(block) {
                row.store(to);
            }
        }
    };
}

// Of 19 comparisons, the fewest there can be (Knuth, 5.3.4).
network!(sort_block 0 2, 1 3, 4 6, 5 7, 0 4, 1 5, 2 6, 3 7, 0 1, 2 3, 4 5, 6 7, 2 4, 3 5, 1 4, 3 6, 1 2, 3 4, 5 6);
// The last three steps of a merge.
network!(merge_block 0 4, 1 5, 2 6, 3 7, 0 2, 1 3, 4 6, 5 7, 0 1, 2 3, 4 5, 6 7);
