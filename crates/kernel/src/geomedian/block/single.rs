//! Pixels that the scalar solver answers.

use super::super::collinear::minimiser_is_segment;
use super::super::rows::geomad_rows;
use super::super::{MAX_BANDS, Workspace};
use super::LANE_BANDS;
use super::planes::Planes;
use super::stack::Stack;
use super::strip::Seen;

/// One pixel at a time, in `f64`.
#[derive(Debug, Default)]
pub(super) struct Single {
    rows: Vec<f64>,
    workspace: Workspace,
}

impl Single {
    /// Solves pixel `lane` of a strip, which is pixel `pixel` of the block.
    #[inline(never)]
    pub(super) fn answer(
        &mut self,
        stack: &Stack<'_>,
        seen: &Seen,
        lane: usize,
        pixel: usize,
        planes: &mut Planes,
    ) {
        self.gather(stack, seen, lane, pixel);
        let bands = stack.layers.len();
        let mut point = [0.0; MAX_BANDS];
        let Ok(found) = geomad_rows(&self.rows, bands, 1, &mut point[..bands], &mut self.workspace) else {
            return; // the number of bands was checked with the stack
        };
        for (j, v) in point[..bands].iter().enumerate() {
            planes.point[j * stack.pixels + pixel] = *v as f32;
        }
        planes.emad[pixel] = found.mads.emad as f32;
        planes.smad[pixel] = found.mads.smad as f32;
        planes.bcmad[pixel] = found.mads.bcmad as f32;
        planes.flags[pixel] |= found.flags;
        planes.scalar_pixels += 1;
    }

    /// Whether every point of a segment is a minimiser for that pixel.
    #[inline(never)]
    pub(super) fn is_segment(&mut self, stack: &Stack<'_>, seen: &Seen, lane: usize, pixel: usize) -> bool {
        self.gather(stack, seen, lane, pixel);
        minimiser_is_segment(self.rows.as_chunks::<LANE_BANDS>().0, &mut self.workspace)
    }

    fn gather(&mut self, stack: &Stack<'_>, seen: &Seen, lane: usize, pixel: usize) {
        self.rows.clear();
        for (time, complete) in seen.times.iter().zip(&seen.complete) {
            if complete >> lane & 1 == 1 {
                let at = time * stack.pixels + pixel;
                self.rows.extend(stack.layers.iter().map(|b| b.samples.get(at) * b.scale + b.offset));
            }
        }
    }
}
