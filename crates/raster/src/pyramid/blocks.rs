//! Walking a raster by 2 × 2 blocks.

use crate::error::{RasterError, check_size};

/// Size of the next pyramid level, pixels: half, rounded up.
pub const fn half(size: usize) -> usize {
    size.div_ceil(2)
}

/// Four children in row order; bit k of the second value is set where child k exists (not past an odd edge).
pub(crate) type Block<T> = ([T; 4], u8);

const ALL: u8 = 0b1111;
const LEFT: u8 = 0b0101;
const TOP: u8 = 0b0011;
const UPPER_LEFT: u8 = 0b0001;

/// Makes the parents of a level, row-major, from the blocks of two rasters of one size.
pub(crate) fn parents_of_two<A: Copy, B: Copy, R>(
    first: &[A],
    second: &[B],
    width: usize,
    height: usize,
    mut parent: impl FnMut(Block<A>, [B; 4]) -> R,
) -> Result<Vec<R>, RasterError> {
    check_size("the level", first.len(), width * height)?;
    check_size("the second raster of the level", second.len(), width * height)?;
    let mut parents = Vec::with_capacity(half(width) * half(height));
    if width == 0 {
        return Ok(parents);
    }
    for (pair_a, pair_b) in first.chunks(2 * width).zip(second.chunks(2 * width)) {
        let (top_a, low_a) = pair_a.split_at(width);
        let (top_b, low_b) = pair_b.split_at(width);
        // At an odd lower edge the row stands for the missing one, whose bits are not set.
        let (low_a, low_b, both, single) =
            if low_a.is_empty() { (top_a, top_b, TOP, UPPER_LEFT) } else { (low_a, low_b, ALL, LEFT) };
        let blocks = top_a
            .chunks_exact(2)
            .zip(low_a.chunks_exact(2))
            .zip(top_b.chunks_exact(2).zip(low_b.chunks_exact(2)));
        parents.extend(
            blocks.map(|((a, c), (b, d))| parent(([a[0], a[1], c[0], c[1]], both), [b[0], b[1], d[0], d[1]])),
        );
        if width % 2 == 1 {
            let last = width - 1;
            let (a, c, b, d) = (top_a[last], low_a[last], top_b[last], low_b[last]);
            parents.push(parent(([a, a, c, c], single), [b, b, d, d]));
        }
    }
    Ok(parents)
}

/// Makes the parents of a level, row-major, from its blocks.
pub(crate) fn parents<T: Copy, R>(
    values: &[T],
    width: usize,
    height: usize,
    mut parent: impl FnMut(Block<T>) -> R,
) -> Result<Vec<R>, RasterError> {
    parents_of_two(values, values, width, height, |block, _| parent(block))
}
