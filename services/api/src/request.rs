//! What clients write and what it means, one vocabulary for every protocol: `lang`, `datetime`, `snapshot`,
//! `bbox`, `bbox-crs`, `crs`, `mask`, `resampling`, and the server's own address.
//!
//! | module | idea |
//! |---|---|
//! | [`lang`] | which language an answer is written in, and the server's own texts |
//! | [`params`] | the query string: names in any case (OGC), or exactly those a route knows |
//! | [`range`] | `Range`: which bytes of an answer |
//! | [`space`] | CRS names, boxes and axis order |
//! | [`text`] | clients' texts made fit for messages, XML and addresses |
//! | [`time`] | `datetime` and `snapshot` |
//! | [`address`] | the address clients reach us by |
//! | [`values`] | words with a closed list of values: `resampling`, `mask` |

pub mod address;
pub mod lang;
pub mod params;
pub mod range;
pub mod space;
pub mod text;
pub mod time;
pub mod values;

pub use address::BaseUrl;
pub use lang::Lang;
pub use params::Params;
