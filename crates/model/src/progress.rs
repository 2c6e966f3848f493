//! How long work tells what it does. The command line draws a bar or writes JSON lines; tests listen.

/// A listener to long work.
pub trait Progress: Sync {
    /// A phase begins: `total` pieces of `unit` are ahead.
    fn begin(&self, phase: &str, total: u64, unit: &str);
    /// `n` more pieces are done.
    fn advance(&self, n: u64);
    /// Something an operator should see: a refused scene, a warning.
    fn note(&self, message: &str);
    /// The phase is over.
    fn end(&self);
    /// Whether the operator asked to stop; work ends at the next safe place.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _phase: &str, _total: u64, _unit: &str) {}
    fn advance(&self, _n: u64) {}
    fn note(&self, _message: &str) {}
    fn end(&self) {}
}
