//! The whole router over small cubes, without a network.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod collections;
mod documents;
mod harness;
mod headers;
mod hostile;
mod openapi;
mod pictures;
mod quadrants;
mod values;
mod zarr;
