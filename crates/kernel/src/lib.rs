//! Numeric kernels: pure functions on slices, without I/O, clocks or threads of their own.
//!
//! Each kernel works on one pixel or one block and leaves the loop over blocks to the caller, so results do
//! not depend on chunking or on the number of threads.
//!
//! | module | idea |
//! |---|---|
//! | [`geomedian`] | geometric median and its dispersions (science 2) |
//! | [`temporal`] | percentiles, mean, medoid, best date over a stack of dates (science 4.1) |
//! | [`harmonic`] | seasons as waves (science 4.2) |
//! | [`trend`] | Mann–Kendall and Sen's slope (science 4.3) |
//! | [`phenology`] | start, peak and end of a season (science 4.4) |
//! | [`wofs`] | water observations from space (science 5.1) |
//! | [`hmm`] | classes made consistent over the years (science 6.3) |
//! | [`otsu`] | a threshold without training (science 6.2) |
//! | [`classes`] | majority and minimum mapping unit of class maps (science 7.3) |
//! | [`harmonise`] | one sensor as another would have seen it (science 1.10) |
//! | [`expr`] | band expressions: compiled once, evaluated by the block (science 3) |
//! | [`indices`] | spectral indices by name |
//! | [`morphology`] | masks grown and cleaned (science 1.8) |

pub mod classes;
pub mod expr;
pub mod geomedian;
pub mod harmonic;
pub mod harmonise;
pub mod hmm;
pub mod indices;
pub mod morphology;
pub mod otsu;
pub mod phenology;
pub mod temporal;
pub mod trend;
pub mod wofs;
