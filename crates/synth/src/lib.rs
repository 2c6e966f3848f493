//! A seeded, deterministic generator of a SYNTHETIC Landsat Collection 2 Level-2 archive in the USGS layout.
//!
//! `tesela demo` ingests the archive by the same path as real scenes, so every file is valid: product
//! folders with SR bands, QA_PIXEL, QA_RADSAT and MTL, census zones of a fictional town, and the truth on
//! the cube grid to score results against. Every file says that it is synthetic (MTL
//! `PRODUCT_CONTENTS.ORIGIN` starts with `SYNTHETIC`, TIFF metadata `TESELA_SYNTHETIC=YES`).
//!
//! ```text
//! <out>/synthetic.json                      configuration, generator, counts
//! <out>/scenes/<PRODUCT_ID>/<PRODUCT_ID>_{SR_B*,QA_PIXEL,QA_RADSAT}.TIF, _MTL.{json,txt,xml}
//! <out>/zones/{manzanas,agebs}.gpkg, {manzanas,municipio}.geojson
//! <out>/truth/{geomedian,ndvi,visible,geomedian_all_passes,landclass}_<year>.tif, change_year.tif, README.md
//! ```
//!
//! Where to look:
//! - [`SynthConfig`], [`generate`], [`Summary`]: the way in (`config`, `archive`);
//! - `place`: the area, the pixel grids and their transform; `calendar`: which days were acquired;
//! - `world`, `town`, `spectra`: what lies where and what it reflects on a day;
//! - `cover`: the share of each surface in each pixel, sampled once per grid;
//! - `clouds`, `slc`, `qa`, `sun`, `render`: from reflectance to the digital numbers of a pass;
//! - `scene`, `mtl`, `tiff`: product folders; `zones`: census layers; `visible`, `truth`, `geomedian`: the
//!   answer, that is, the composite of what the passes of the archive truly saw of the ground.
//!
//! Same bytes on any number of threads: random numbers are hashes of (seed, pass, place) (`noise`). This
//! crate uses no other crate of the workspace, so that its truth is independent of what it checks.

mod archive;
pub mod calendar;
mod clouds;
mod config;
mod cover;
mod error;
mod geomedian;
mod mtl;
mod noise;
pub mod place;
pub mod qa;
mod render;
mod scene;
mod slc;
mod spectra;
mod sun;
mod tiff;
mod town;
mod truth;
mod visible;
mod world;
#[cfg(test)]
mod yardstick;
mod zones;

pub use archive::{MANIFEST, generate};
pub use config::{Progress, Summary, SynthConfig, Timings};
pub use error::SynthError;
pub use spectra::LAND_CLASSES;
pub use truth::TRUTH_BANDS;
pub use zones::MUNICIPALITY;
