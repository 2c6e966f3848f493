//! The whole router over small cubes, without a network.

mod collections;
mod documents;
mod harness;
mod headers;
mod hostile;
mod openapi;
mod pictures;
mod quadrants;
mod values;
