//! The index against brute force.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

mod archived;
mod scene_search;
mod slot_days;
mod zones_and_objects;
