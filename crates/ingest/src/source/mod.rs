//! From paths to scene descriptions: which scenes there are, what they say of themselves, where their bands lie.
//! No pixel is read here.
//!
//! | module | idea |
//! |---|---|
//! | [`mod@discover`] | paths in, scenes and refusals out |
//! | [`walk`] | folders under a path, to a bounded depth |
//! | [`listing`] | the files of one folder, metadata by product |
//! | [`folder`] | the scenes of one folder: USGS Collection 2, and Collection 1 as ESPA delivered it |
//! | [`bands`] | the band a file holds, from its name or from the MTL |
//! | [`mtl`] | metadata files (txt, xml, json, ESPA xml) as one tree, and typed facts from it |
//! | [`manifest`] | CSV lists of multi-band stacks |
//! | [`scene`] | [`SceneSource`], what all of these produce |
//! | [`accept`] | what a product takes, and which bands it must find |
//! | [`refusal`] | why something was left out, with a stable code |

pub mod accept;
pub mod bands;
pub mod discover;
pub mod folder;
pub mod listing;
pub mod manifest;
pub mod mtl;
pub mod refusal;
pub mod scene;
pub mod walk;

pub use accept::{AcceptRule, require_bands};
pub use discover::{DiscoverOptions, Discovery, discover, discover_with};
pub use manifest::{ManifestError, read_manifest};
pub use mtl::{Mtl, MtlError, MtlFacts};
pub use refusal::{RefusalReason, Refused};
pub use scene::{BandFile, MtlGeometry, SceneSource};

#[cfg(test)]
mod tests;
