//! Matrices a reader can check by eye, and property tests against naive versions.
#![allow(clippy::unwrap_used)]

mod pyramids;
mod sampling;
mod warping;
