//! Statistics over time: many dates of one place become one value per pixel.
//!
//! A [`Stack`] is what a cube delivers, dates of one band one after the other; the functions here read it as
//! it lies. Missing observations are those that are hidden (by a cloud mask), outside the valid range of the
//! stack (which is where nodata stands) or not a number. Output is `f32`, one value a pixel, in the units of
//! the stack; NaN is nodata.
//!
//! | function | value | needs |
//! |---|---|---|
//! | [`percentiles`], [`median`] | rank statistics, [`Method::Linear`] or [`Method::Odc`] | 1 observation; 3 |
//! | [`summarise`] | count, mean, standard deviation, least, greatest | 1 observation |
//! | [`medoid`] | the date closest to all others | 1 complete observation |
//! | [`best_date`], [`pick`] | the date of the greatest index, and the pixels of such dates | 1 observation |
//!
//! Fast forms for wider registers are chosen at run time and give the same bits: a pixel's arithmetic and its
//! order do not depend on its neighbours.

mod best;
mod lanes;
mod medoid;
mod percentiles;
mod stack;
mod summary;
#[cfg(test)]
mod tests;

pub use best::{NO_DATE, best_date, pick};
pub use medoid::medoid;
pub use percentiles::{Method, median, of_sorted, percentiles};
pub use stack::{Sample, Stack, TemporalError};
pub use summary::{Deviation, Summary, summarise};
