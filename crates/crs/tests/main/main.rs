//! Transforms against a second implementation, descriptions against published numbers.

mod describe;
mod naming;
mod transforms;
