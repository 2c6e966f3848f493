//! End to end: the built executable, through ingest, store, compute and HTTP, as a user runs it.
//!
//! | variable | holds |
//! |---|---|
//! | `TESELA_BIN` | the executable; else `target/debug/tesela` of the workspace, built before |
//! | `TESELA_TEST_DATA` | the real data; else `../shared/data` beside the workspace |
//! | `TESELA_TEST_CLIENTS` | the real clients' scripts; else `clients` beside the real data |
//! | `TESELA_REQUIRE_DATA` | `1`: missing data or tools fail the tests instead of skipping them |
//! | `TESELA_PYTHON` | a Python with zarr, xarray and rioxarray; else `python3` |
//! | `TESELA_TEST_TMP` | where cubes are made; else `/dev/shm` where there is one: they are fsynced file by file |
//!
//! GDAL's command-line tools read the source rasters and move coordinates: another path than the product's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

mod archive;
mod archive_scenes;
mod bad_rasters;
mod bad_recipes;
mod bad_requests;
mod bad_scenes;
mod bad_zones;
mod colorado;
mod crash;
mod damaged_shards;
mod disk_full;
mod edges;
mod faults;
mod harness;
mod keeping;
mod kills;
mod memory;
mod moved_days;
mod ndvi_and_zones;
mod plans;
mod provenance;
mod read_only;
mod real_inputs;
mod real_pixels;
mod repair;
mod reprojection;
mod same_scene_twice;
mod two_servers;
mod waiting;
