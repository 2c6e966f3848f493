//! Numeric kernels: pure functions on slices, without I/O, clocks or threads of their own.
//!
//! Each kernel works on one pixel or one block and leaves the loop over blocks to the caller, so results do
//! not depend on chunking or on the number of threads.

pub mod expr;
pub mod geomedian;
pub mod indices;
pub mod morphology;
