//! Pixels to numbers: how much of each cell a zone covers, and what the zone's values add up to.
//!
//! Pure: no files, no threads, no clock. In reading order:
//!
//! 1. [`CellWindow`]: where the cells are.
//! 2. [`CoverageBuilder`], [`cover_polygon`]: exact covered fraction of every cell, as a sparse [`Coverage`];
//!    [`centre_coverage`] is the explicit pixel-centre rule.
//! 3. [`ZoneAccumulator`]: cells in, [`ZonalSummary`] out; built from [`Moments`] (cheap) and, when quantiles
//!    or modes are asked for, a [`Distribution`] (keeps values).
//! 4. [`WeightedMoments`]: the same with a second raster as weight.
//! 5. [`CategoryAccumulator`]: true area of every class.
//! 6. [`planar_area`]: area and centroid of polygons on the plane.
//!
//! Definitions are those of exactextract 0.3 (isciences/exactextract, `docs/operations.rst`), with these
//! differences: quantiles are never cut to the raster's integer type, and the valid share of every zone is
//! always reported. A cell without a finite value is nodata and enters no statistic (exactextract
//! lets infinities in).

mod category;
mod centre;
mod coverage;
mod coverage_builder;
mod distribution;
mod error;
mod moments;
mod polygon_area;
mod quantile;
mod rule;
mod sweep;
mod trace;
mod weighted;
mod window;
mod zonal;

pub use category::{CategoryAccumulator, CategoryArea, CategoryAreas};
pub use centre::centre_coverage;
pub use coverage::{Coverage, CoverageCell, CoverageRun, Span};
pub use coverage_builder::{CoverageBuilder, cover_multi_polygon, cover_polygon};
pub use distribution::{Distribution, SortedDistribution, ValueShare};
pub use error::StatsError;
pub use moments::Moments;
pub use polygon_area::{planar_area, planar_centroid};
pub use quantile::Quantile;
pub use rule::{CellRule, CellWeighting};
pub use weighted::WeightedMoments;
pub use window::CellWindow;
pub use zonal::{QuantileValue, ZonalSummary, ZoneAccumulator};
