//! The store held to its promises: round trips, foreign readers and writers, requests, damage, crashes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod damage;
mod fixtures;
mod foreign;
mod groups;
mod objects;
mod requests;
mod round_trips;
mod scan;
mod zarrs_interop;
