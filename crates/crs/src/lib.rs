//! What CRS names mean: transforms, descriptions, and the names rasters and clients use.
//!
//! The one room through which every coordinate transform goes (PROJ, by way of GDAL). Coordinates are
//! `(x, y)` on both sides, longitude or easting first, whatever the registry says; a point that cannot be
//! transformed becomes NaN, never an error.
//!
//! ```
//! use tesela_crs::transform_points;
//! use tesela_grid::CrsName;
//!
//! let mut x = [-99.1332]; // Mexico City
//! let mut y = [19.4326];
//! transform_points(&CrsName::lon_lat(), &CrsName::epsg(6372), &mut x, &mut y)?;
//! assert!((x[0] - 2_800_163.326).abs() < 1e-3 && (y[0] - 829_057.519).abs() < 1e-3);
//! # Ok::<(), tesela_crs::CrsError>(())
//! ```

mod area_model;
mod around;
mod cf;
mod client;
mod error;
mod identify;
mod info;
#[cfg(feature = "proj")]
pub mod proj_crate;
mod srs;
mod transform;

pub use around::{is_torn, lon_lat_bounds};
pub use cf::CfValue;
pub use client::parse_client_crs;
pub use error::CrsError;
pub use identify::identify;
pub use info::{CrsInfo, crs_info, is_northing_first};
pub use transform::{Transformer, transform_bounds, transform_points, with_transformer};
