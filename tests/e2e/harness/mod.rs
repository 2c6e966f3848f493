//! Cubes in temporary folders, the executable, the server, real data, and the tools that read it.

pub mod answers;
pub mod archive;
mod cube;
mod data;
mod mount;
mod python;
mod raster;
mod server;

pub use cube::{Outcome, TestCube, demo, files_under, tesela};
pub use data::{clients, copy_folder, data, require, stack_manifest};
pub use mount::Mount;
pub use python::{Window, python_with, read_store, run_python};
pub use raster::{Raster, lon_lat, transformed};
pub use server::Server;
