//! How products lie in the store: names of groups and arrays, and what a band of a product looks like as a
//! Zarr array. Ingest and compute write through this, so that readers find both in one way.

pub mod facts;
pub mod names;
mod slots;
mod specs;

pub use slots::{BandWriter, Form, SlotsGroup};

pub use specs::{Shape, array_spec, group_spec, inner_chunk};
