//! What things are: products and their measurements, styles and masks; recipes; time; Landsat's own
//! vocabulary. Pure: no I/O, no clock.

mod band;
pub mod landsat;
mod locate;
mod number;
mod product;
mod progress;
mod recipe;
mod shipped;
mod style;
mod time;

pub use band::Band;
pub use locate::{DefinitionError, Located};
pub use product::{
    AcceptRule, Aliases, ArchiveCodec, ArchiveLayout, CleanupStep, DType, MaskDef, Measurement, ProductDef,
    ProductStatus, PyramidRule, Resampling, ScenesLayout,
};
pub use progress::{Progress, Silent};
pub use recipe::{
    Harmonise, OutputBand, PercentileMethod, PeriodKind, RecipeDef, Reducer, Sieve, Statistic, Threshold,
    TwoStates,
};
pub use shipped::{shipped_product, shipped_products, shipped_recipe, shipped_recipes};
pub use style::{ClassEntry, ColorStop, Style, StyleKind, parse_color};
pub use time::{Instant, Period, TimeError, TimeSelector};
