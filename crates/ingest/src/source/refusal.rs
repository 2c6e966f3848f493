//! Why a path, a scene or a manifest row was left out. The rest is never stopped by it.

use std::path::PathBuf;

use tesela_model::landsat::ProductIdError;

use super::manifest::ManifestError;
use super::mtl::MtlError;

/// Something left out, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The path, metadata file or stack.
    pub path: PathBuf,
    /// Why.
    pub reason: RefusalReason,
}

/// Reasons, each with what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RefusalReason {
    /// The path is not there.
    #[error("{path} does not exist")]
    NotFound {
        /// The path given.
        path: String,
    },
    /// The path cannot be listed or read.
    #[error("cannot read {path}: {problem}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system said.
        problem: String,
    },
    /// A file that is neither metadata nor a manifest.
    #[error("{path} is not a scene: give a product folder, a folder of them, an MTL file or a manifest .csv")]
    NotASource {
        /// The path given.
        path: String,
    },
    /// A folder without metadata.
    #[error("no *_MTL.{{json,xml,txt}} found in {folder}")]
    NoMetadata {
        /// The folder.
        folder: String,
    },
    /// Metadata that cannot be read.
    #[error(transparent)]
    Metadata(#[from] MtlError),
    /// The product id in the metadata is malformed.
    #[error("{file}: {source}")]
    BadProductId {
        /// The metadata file.
        file: String,
        /// Which field.
        source: ProductIdError,
    },
    /// A satellite or sensor whose reflectance the cube does not hold.
    #[error("{file}: unknown sensor: {detail}")]
    UnknownSensor {
        /// The metadata file.
        file: String,
        /// What was found and what is expected.
        detail: String,
    },
    /// The metadata contradicts itself.
    #[error("{file}: {problem}")]
    Contradiction {
        /// The metadata file.
        file: String,
        /// The fields at odds.
        problem: String,
    },
    /// Top-of-atmosphere data.
    #[error(
        "{product_id} is a Level-1 product ({level}); expected L2SP or L2SR: order surface reflectance from USGS"
    )]
    Level1 {
        /// The product.
        product_id: String,
        /// Its level.
        level: String,
    },
    /// Metadata without any raster beside it.
    #[error("no band files (.TIF) of {product_id} in {folder}")]
    NoBands {
        /// The product.
        product_id: String,
        /// The folder looked in.
        folder: String,
    },
    /// A manifest, or a row of one, that cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The product does not take this collection.
    #[error(
        "collection {found} is not accepted by product {product} (accepts {accepts}); use another product"
    )]
    CollectionNotAccepted {
        /// Collection of the scene.
        found: String,
        /// The product.
        product: String,
        /// What it takes.
        accepts: String,
    },
    /// The product does not take this level.
    #[error(
        "level {found} is not accepted by product {product} (accepts {accepts}); add {found} to accept.levels or use another product"
    )]
    LevelNotAccepted {
        /// Level of the scene.
        found: String,
        /// The product.
        product: String,
        /// What it takes.
        accepts: String,
    },
    /// The product does not take this tier.
    #[error(
        "tier {found} is not accepted by product {product} (accepts {accepts}); add {found} to accept.tiers or use another product"
    )]
    TierNotAccepted {
        /// Tier of the scene, `none` before collections.
        found: String,
        /// The product.
        product: String,
        /// What it takes.
        accepts: String,
    },
    /// The product does not take this satellite.
    #[error(
        "platform {found} is not accepted by product {product} (accepts {accepts}); add {found} to accept.platforms or use another product"
    )]
    PlatformNotAccepted {
        /// Satellite of the scene.
        found: String,
        /// The product.
        product: String,
        /// What it takes.
        accepts: String,
    },
    /// Bands the product needs are not there.
    #[error("{product_id}: {missing} missing; the scene has {present}")]
    MissingBands {
        /// The scene.
        product_id: String,
        /// File bands and the measurements they serve.
        missing: String,
        /// File bands there are.
        present: String,
    },
}

impl RefusalReason {
    /// A word that stays the same in every version and language, for scripts and the quarantine.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Unreadable { .. } => "unreadable",
            Self::NotASource { .. } => "not_a_source",
            Self::NoMetadata { .. } => "no_metadata",
            Self::Metadata(_) => "bad_metadata",
            Self::BadProductId { .. } => "bad_product_id",
            Self::UnknownSensor { .. } => "unknown_sensor",
            Self::Contradiction { .. } => "contradictory_metadata",
            Self::Level1 { .. } => "level_1",
            Self::NoBands { .. } => "no_bands",
            Self::Manifest(_) => "bad_manifest",
            Self::CollectionNotAccepted { .. } => "collection_not_accepted",
            Self::LevelNotAccepted { .. } => "level_not_accepted",
            Self::TierNotAccepted { .. } => "tier_not_accepted",
            Self::PlatformNotAccepted { .. } => "platform_not_accepted",
            Self::MissingBands { .. } => "missing_bands",
        }
    }
}
