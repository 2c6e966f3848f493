//! Pixels that go through the lanes together.

use super::deviations::{Columns, deviations};
use super::lanes::{Lanes, dot};
use super::planes::Planes;
use super::solve::{Observations, solve};
use super::vertex::{FEW, vertex};
use super::{LANE_BANDS, set_bits};

/// `L` neighbouring pixels, the complete observations of each moved together.
#[derive(Debug)]
pub(super) struct Group<'a, const L: usize> {
    /// The `k`-th complete observation of every lane; something finite where a lane has fewer.
    rows: &'a mut [[[f32; L]; LANE_BANDS]],
    counts: &'a [usize; L],
    /// Bit `l` is lane `l`.
    active: u32,
}

impl<'a, const L: usize> Group<'a, L> {
    /// Takes the lanes of `wanted` from `rows`, one a time, of which `complete` says who is complete, the first lane
    /// being bit `first`.
    #[inline(always)]
    pub(super) fn new(
        rows: &'a mut [[[f32; L]; LANE_BANDS]],
        complete: &[u64],
        first: usize,
        counts: &'a [usize; L],
        wanted: u32,
    ) -> Self {
        if wanted != 0 {
            close_up(rows, complete, first);
        }
        let longest = counts.iter().copied().max().unwrap_or(0);
        Self { rows: &mut rows[..longest], counts, active: wanted }
    }

    /// Active lanes with an even count whose first three observations lie on a line, as far as `f32` can tell:
    /// the only ones that can have more than one minimiser. Bit `l` is lane `l`.
    #[inline(always)]
    pub(super) fn perhaps_on_a_line<V: Lanes<L>>(&self) -> u32 {
        let [origin, a, b, ..] = &*self.rows else {
            return 0;
        };
        let mut even = 0;
        for (l, n) in self.counts.iter().enumerate() {
            even |= u32::from(n.is_multiple_of(2)) << l;
        }
        if self.active & even == 0 {
            return 0;
        }
        let mut from = [V::splat(0.0); LANE_BANDS];
        let (mut to_a, mut to_b) = (from, from);
        for j in 0..LANE_BANDS {
            from[j] = V::load(&origin[j]);
            to_a[j] = V::load(&a[j]) - from[j];
            to_b[j] = V::load(&b[j]) - from[j];
        }
        let (aa, ab, bb) = (dot(&to_a, &to_a), dot(&to_a, &to_b), dot(&to_b, &to_b));
        let size = V::splat(1.0) + dot(&from, &from) + aa + bb;
        // The square of the area they span, beside what rounding the values and the products can make of nothing.
        let area = aa * bb - ab * ab;
        let rounding = V::splat(1e-12) * size * (aa + bb) + V::splat(1e-5) * aa * bb;
        self.active & even & !V::bits(rounding.less(area))
    }

    /// Leaves a lane to the scalar solver.
    pub(super) fn leave(&mut self, lane: usize) {
        self.active &= !(1 << lane);
    }

    /// Writes the lanes solved to the pixels from `first` on; says which they are, bit `l` being lane `l`.
    #[inline(always)]
    pub(super) fn answer<V: Lanes<L>>(
        &self,
        planes: &mut Planes,
        first: usize,
        columns: &mut Columns<L>,
    ) -> u32 {
        if self.active == 0 {
            return 0;
        }
        let Self { rows, counts, active } = self;
        let (point, answered) = minimisers::<V, L>(rows, counts, *active);
        if answered == 0 {
            return 0;
        }
        let found = deviations::<V, L, LANE_BANDS>(&observations(rows, counts, answered), &point, columns);
        let answered = answered & !found.flat;
        let mut bands = [[0.0; L]; LANE_BANDS];
        for (to, band) in bands.iter_mut().zip(point) {
            band.store(to);
        }
        let pixels = planes.count.len();
        let outputs = bands.iter().zip(planes.point.chunks_mut(pixels)).chain([
            (&found.emad, &mut planes.emad[..]),
            (&found.smad, &mut planes.smad[..]),
            (&found.bcmad, &mut planes.bcmad[..]),
        ]);
        for (from, plane) in outputs {
            if answered.count_ones() as usize == L {
                plane[first..first + L].copy_from_slice(from);
                continue;
            }
            for l in set_bits(answered) {
                plane[first + l] = from[l];
            }
        }
        answered
    }
}

/// The minimisers of the lanes of `active`, and which were found.
#[inline(always)]
fn minimisers<V: Lanes<L>, const L: usize>(
    rows: &[[[f32; L]; LANE_BANDS]],
    counts: &[usize; L],
    active: u32,
) -> ([V; LANE_BANDS], u32) {
    let mut few = 0;
    for (l, n) in counts.iter().enumerate() {
        few |= u32::from(*n <= FEW) << l;
    }
    let few = active & few;
    if few == 0 {
        let (point, solved) = solve(&observations(rows, counts, active), V::mask(active));
        return (point, V::bits(solved));
    }
    let (observed, is_observed) = vertex(&observations(rows, counts, few), V::mask(few));
    let rest = active & !V::bits(is_observed);
    if rest == 0 {
        return (observed, active);
    }
    let (mut point, solved) = solve(&observations(rows, counts, rest), V::mask(rest));
    for (point, observed) in point.iter_mut().zip(observed) {
        *point = V::choose(is_observed, observed, *point);
    }
    (point, V::bits(solved) | V::bits(is_observed))
}

/// Moves the complete observations of each lane to the front, in their order.
#[inline(always)]
fn close_up<const L: usize>(rows: &mut [[[f32; L]; LANE_BANDS]], complete: &[u64], first: usize) {
    let all = u64::MAX >> (64 - L);
    // Where the next observation of each lane goes, at or before where it is.
    let Some(start) = complete.iter().position(|c| c >> first & all != all) else {
        return;
    };
    let mut next = [start; L];
    let mut together = true;
    for (k, complete) in complete.iter().enumerate().skip(start) {
        let mut present = complete >> first & all;
        if present == all && together {
            rows[next[0]] = rows[k];
            for n in &mut next {
                *n += 1;
            }
            continue;
        }
        let (front, here) = rows.split_at_mut(k);
        while present != 0 {
            let l = present.trailing_zeros() as usize;
            present &= present - 1;
            together = false;
            if let (Some(to), Some(from)) = (front.get_mut(next[l]), here.first()) {
                for (to, from) in to.iter_mut().zip(from) {
                    to[l] = from[l];
                }
            }
            next[l] += 1;
        }
    }
}

/// What `lanes` have, bit `l` being lane `l`.
#[inline(always)]
fn observations<'a, V: Lanes<L>, const L: usize>(
    rows: &'a [[[f32; L]; LANE_BANDS]],
    counts: &[usize; L],
    lanes: u32,
) -> Observations<'a, V, L, LANE_BANDS> {
    let (mut full, mut longest) = (usize::MAX, 0);
    let mut numbers = [0.0; L];
    for (l, &n) in counts.iter().enumerate() {
        numbers[l] = n as f32;
        if lanes >> l & 1 == 1 {
            full = full.min(n);
            longest = longest.max(n);
        }
    }
    Observations { rows: &rows[..longest], counts: V::load(&numbers), full: full.min(longest) }
}
