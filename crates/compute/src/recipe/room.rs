//! Memory of the blocks of one tile, used again: fresh memory costs a page fault every 4 kB.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tesela_model::DType;
use tesela_store::Pixels;

/// Stacks and flags of blocks that are done, for those that come; as many as there were at once.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    pixels: Vec<Pixels>,
    flags: Vec<Vec<bool>>,
}

impl Room {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pixels of a type; how many and which is not said.
    pub(super) fn pixels(&self, dtype: DType) -> Pixels {
        let mut kept = self.kept();
        match kept.pixels.iter().rposition(|p| p.dtype() == dtype) {
            Some(at) => kept.pixels.swap_remove(at),
            None => Pixels::empty(dtype),
        }
    }

    /// So many flags; which is not said.
    pub(super) fn flags(&self, len: usize) -> Vec<bool> {
        let mut flags = self.kept().flags.pop().unwrap_or_default();
        flags.resize(len, false);
        flags
    }

    /// Keeps what is not needed any more.
    pub(super) fn keep(&self, pixels: Vec<Pixels>, flags: Option<Vec<bool>>) {
        let mut kept = self.kept();
        kept.pixels.extend(pixels);
        kept.flags.extend(flags);
    }
}
