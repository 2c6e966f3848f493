//! Scene to cube: discover, validate, plan by tile and day, read, warp, fuse, write, then commit.
//!
//! | module | idea |
//! |---|---|
//! | [`source`] | from paths to scene descriptions; no pixel is read |
//! | [`raster`] | opening and reading the files of a scene, GeoTIFF only |
//! | [`plan`] | which scenes go in, their tiles and solar days, batches closed over a day |
//! | [`fuse`] | one slot: the scenes of a day and platform in one tile |
//! | `sampler` | where a slot's pixels lie in one scene's rasters |
//! | `taken` | which of its pixels a scene gives |
//! | `quality` | what quality words say |
//! | `geokeys` | CRSs of files that say the same, made once |
//! | [`slots`] | a unit's slots and their pyramids into the store |
//! | [`repair`] | damaged groups of scenes made again |
//! | [`withdraw`] | scenes that the operator archives and restores |
//! | `join` | what the cube holds of a day |
//! | `batch` | days cut into units, each resumable, and one commit |
//! | `memory` | what is held at most, and so how many units at once |
//! | [`overviews`] | levels 4 and up, across the mosaic |
//! | [`run`] | the whole job |
//! | `sweep` | what dead runs left |
//! | [`polygons`] | zone layers: GeoPackage, GeoJSON, Shapefile |

mod batch;
pub mod fuse;
mod geokeys;
mod join;
mod memory;
pub mod overviews;
pub mod plan;
pub mod polygons;
mod quality;
pub mod raster;
pub mod repair;
pub mod run;
mod sampler;
pub mod slots;
pub mod source;
pub mod withdraw;

mod error;
mod sweep;
mod taken;

pub use error::IngestError;
pub use run::{IngestOptions, IngestReport, ingest};
pub use sweep::sweep;
pub use withdraw::{RestoreReport, WithdrawReport, archive_scenes, fuse_outdated, restore_scenes};
