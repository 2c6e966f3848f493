//! What Landsat itself fixes: names, sensors, quality bits, scaling and the solar day.
//!
//! Everything here is pure (no files, no pixels) and follows `science.md` section 1.
//!
//! | module | idea |
//! |---|---|
//! | [`product_id`] | `LC09_L2SP_010065_20220129_20220131_02_T1` taken apart, and the reprocessing key |
//! | [`scene_id`] | pre-collection ids such as `LE70220491999322EDC01` |
//! | [`platform`] | satellites, sensors, and the alias families of product definitions |
//! | [`qa`] | quality tables by name, named flags, masks built from names |
//! | [`radsat`] | the radiometric saturation word, which differs per sensor |
//! | [`scaling`] | stored number to physical value and back |
//! | [`mod@solar_day`] | the date a place sees, from an instant and a longitude |

pub mod platform;
pub mod product_id;
pub mod qa;
pub mod radsat;
pub mod scaling;
pub mod scene_id;
pub mod solar_day;

pub use platform::{Platform, PlatformError, Sensor, SensorFamily, resolve_alias};
pub use product_id::{Field, Level, ProductId, ProductIdError, SensorLetter, Tier, scene_key};
pub use qa::{DecodedFlags, FlagMask, FlagTable, QaError};
pub use radsat::{RadsatError, saturation_mask};
pub use scaling::Scaling;
pub use scene_id::{SceneId, SceneIdError};
pub use solar_day::{solar_day, solar_offset_seconds};
