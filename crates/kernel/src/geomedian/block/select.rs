//! Medians down the columns of lanes.

use super::lanes::Lanes;

/// The two middle values of each lane's first `counts` smallest, equal for an odd count and NaN for none. Absent
/// values are +∞. Sorts `column`.
#[inline(always)]
pub(super) fn median<V: Lanes<L>, const L: usize>(column: &mut [[f32; L]], counts: V) -> (V, V) {
    sort::<V, L>(column);
    let counts = counts.to_array();
    let (mut low, mut high) = ([f32::NAN; L], [f32::NAN; L]);
    for l in 0..L {
        let count = counts[l] as usize;
        if count > 0 && count <= column.len() {
            low[l] = column[(count - 1) / 2][l];
            high[l] = column[count / 2][l];
        }
    }
    (V::load(&low), V::load(&high))
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
            // Every `i` with `i & p == r`, a run of `p` of them at a time.
            let mut start = r;
            while start + d < n {
                let end = (start + p).min(n - d);
                let (head, tail) = column.split_at_mut(start + d);
                for (a, b) in head[start..].iter_mut().zip(tail).take(end - start) {
                    let (x, y) = (V::load(a), V::load(b));
                    x.min(y).store(a);
                    y.max(x).store(b);
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
