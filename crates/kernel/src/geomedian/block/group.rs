//! Pixels that go through the lanes together.

use super::deviations::{Columns, deviations};
use super::lanes::{Kept, Lanes, dot};
use super::planes::Planes;
use super::solve::{Observations, solve};
use super::strip::Strip;
use super::{LANE_BANDS, set_bits};

/// `L` neighbouring pixels, the complete observations of each moved together.
#[derive(Debug)]
pub(super) struct Group<const L: usize> {
    /// The `k`-th complete observation of every lane; old values, all finite, where a lane has fewer.
    rows: Kept<L>,
    /// The most observations of a lane.
    longest: usize,
    counts: [usize; L],
    /// Bit `l` is lane `l`.
    active: u32,
    columns: Columns<L>,
}

impl<const L: usize> Group<L> {
    pub(super) fn new() -> Self {
        Self { rows: Kept::default(), longest: 0, counts: [0; L], active: 0, columns: Columns::default() }
    }

    /// Takes the lanes of `wanted` from the pixels of `strip` from `first` on.
    #[inline(always)]
    pub(super) fn fill(&mut self, strip: &Strip, first: usize, counts: &[usize; L], wanted: u32) {
        self.counts = *counts;
        self.active = wanted;
        self.longest = 0;
        if wanted == 0 {
            return;
        }
        self.longest = counts.iter().copied().max().unwrap_or(0);
        let rows = self.rows.room(self.longest * LANE_BANDS).as_chunks_mut::<LANE_BANDS>().0;
        let all = u64::MAX >> (64 - L);
        // Where the next observation of each lane goes; `together` while it is the same for all.
        let mut next = [0usize; L];
        let mut together = true;
        for (complete, values) in strip.complete.iter().zip(strip.values.as_chunks::<LANE_BANDS>().0) {
            let mut present = (complete >> first) & all;
            if present == all && together {
                let row = &mut rows[next[0]];
                for (to, from) in row.iter_mut().zip(values) {
                    to.copy_from_slice(&from.0[first..first + L]);
                }
                for n in &mut next {
                    *n += 1;
                }
                continue;
            }
            while present != 0 {
                let l = present.trailing_zeros() as usize;
                present &= present - 1;
                together = false;
                let row = &mut rows[next[l]];
                for (to, from) in row.iter_mut().zip(values) {
                    to[l] = from.0[first + l];
                }
                next[l] += 1;
            }
        }
    }

    /// Active lanes with an even count whose first three observations lie on a line, as far as `f32` can tell:
    /// the only ones that can have more than one minimiser. Bit `l` is lane `l`.
    #[inline(always)]
    pub(super) fn perhaps_on_a_line<V: Lanes<L>>(&mut self) -> u32 {
        let [origin, a, b, ..] = self.rows.room(self.longest * LANE_BANDS).as_chunks::<LANE_BANDS>().0 else {
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
    pub(super) fn answer<V: Lanes<L>>(&mut self, planes: &mut Planes, first: usize) -> u32 {
        if self.active == 0 {
            return 0;
        }
        let Self { rows, longest, counts, active, columns } = self;
        let rows: &[_] = rows.room(*longest * LANE_BANDS).as_chunks().0;
        let (point, solved) = solve(&observations(rows, counts, *active), V::mask(*active));
        let answered = V::bits(solved);
        if answered == 0 {
            return 0;
        }
        let found = deviations::<V, L, LANE_BANDS>(&observations(rows, counts, answered), &point, columns);
        let point = point.map(V::to_array);
        let pixels = planes.count.len();
        for l in set_bits(answered) {
            let i = first + l;
            for (j, band) in point.iter().enumerate() {
                planes.point[j * pixels + i] = band[l];
            }
            planes.emad[i] = found.emad[l];
            planes.smad[i] = found.smad[l];
            planes.bcmad[i] = found.bcmad[l];
        }
        answered
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
