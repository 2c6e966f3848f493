//! Connected patches of a mask.

use super::{ClassMapError, check};

/// Which neighbours belong to one patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connectivity {
    /// Those that share an edge.
    Four,
    /// Those that share a corner too, as in `r.reclass.area` and for the minimum mapping unit here.
    #[default]
    Eight,
}

/// Clears every connected patch of set pixels that has fewer than `min_pixels`; row-major, changed in place.
/// Returns how many pixels were cleared. 11 pixels of 30 m are a hectare.
///
/// Patches end at the frame: a window whose border cuts a patch needs a margin of `min_pixels`.
/// # Errors
/// [`ClassMapError`] unless the mask is `width × height` long.
pub fn drop_patches(
    mask: &mut [bool],
    width: usize,
    height: usize,
    min_pixels: usize,
    connectivity: Connectivity,
) -> Result<usize, ClassMapError> {
    check(mask.len(), width, height)?;
    let mut seen = vec![false; mask.len()];
    let mut patch = Vec::new();
    let mut dropped = 0;
    for start in 0..mask.len() {
        if !mask[start] || seen[start] {
            continue;
        }
        // The list of the patch's pixels is also the queue of those whose neighbours are still to be seen.
        patch.clear();
        patch.push(start);
        seen[start] = true;
        let mut next = 0;
        while let Some(&at) = patch.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            for row in y.saturating_sub(1)..(y + 2).min(height) {
                for column in x.saturating_sub(1)..(x + 2).min(width) {
                    let diagonal = row != y && column != x;
                    let neighbour = row * width + column;
                    if mask[neighbour]
                        && !seen[neighbour]
                        && (connectivity == Connectivity::Eight || !diagonal)
                    {
                        seen[neighbour] = true;
                        patch.push(neighbour);
                    }
                }
            }
        }
        if patch.len() < min_pixels {
            dropped += patch.len();
            for &at in &patch {
                mask[at] = false;
            }
        }
    }
    Ok(dropped)
}
