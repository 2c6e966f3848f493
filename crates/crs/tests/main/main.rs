//! Transforms against a second implementation, descriptions against published numbers.

mod around;
mod describe;
mod naming;
#[cfg(feature = "proj")]
mod proj_crate;
mod transforms;
