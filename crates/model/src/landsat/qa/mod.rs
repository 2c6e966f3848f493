//! Quality bands: tables of named flags, decoding, and masks built from names.
//!
//! | module | idea |
//! |---|---|
//! | [`table`] | [`FlagTable`]: bits, two-bit confidences and class values, as data |
//! | [`builtin`] | the tables shipped: `landsat_c2_qa_pixel`, `landsat_c1_pixel_qa`, `fmask`, `fmask_stack` |
//! | [`mask`] | [`FlagMask`]: "any of these flags" compiled to tests on a stored word |
//!
//! Two rules of `science.md` 1.3 are kept here: `clear` (bit 6) only means neither cloud nor dilated cloud and is
//! part of no preset, and confidences are compared by value, because their low bit is set on every clear pixel.

pub mod builtin;
pub mod mask;
pub mod table;

pub use builtin::{C1_PIXEL_QA, C2_QA_PIXEL, FMASK, FMASK_STACK};
pub use mask::FlagMask;
pub use table::{BitFlag, ClassFlag, Confidence, DecodedFlags, FlagTable, QaError};

#[cfg(test)]
mod tests;
