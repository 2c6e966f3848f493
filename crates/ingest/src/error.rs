use std::path::PathBuf;

use tesela_crs::CrsError;
use tesela_index::IndexError;
use tesela_store::StoreError;

/// Why an ingest stops, or why one of its scenes is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// GDAL cannot read a file.
    #[error("{path}: cannot read band {band} as GeoTIFF: {message}", path = path.display())]
    Raster {
        /// The file.
        path: PathBuf,
        /// File band name.
        band: String,
        /// What is wrong with it.
        message: String,
    },
    /// A file's geometry is not usable.
    #[error("{path}: {problem}", path = path.display())]
    Geometry {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// Bands of one scene lie on different pixels.
    #[error("{path}: band {band} has {found}, the scene's first band has {expected}", path = path.display())]
    BandsDiffer {
        /// The file.
        path: PathBuf,
        /// File band name.
        band: String,
        /// Its geometry.
        found: String,
        /// The first band's geometry.
        expected: String,
    },
    /// The scene lies outside the grid.
    #[error(
        "{product_id} lies outside grid {grid} (scene bounds in its CRS: {bounds}); choose a product on another grid"
    )]
    OutsideGrid {
        /// The scene.
        product_id: String,
        /// The grid.
        grid: String,
        /// Scene bounds in the grid's CRS, or "cannot be projected".
        bounds: String,
    },
    /// The scene lies where the grid's map is cut.
    #[error(
        "{product_id} lies where the map of grid {grid} ({crs}) is cut, at its outer meridian or at a pole: neighbouring pixels of the scene would lie on opposite sides of it; choose a product on a grid that is whole there, such as one in the scene's own CRS {scene_crs}"
    )]
    Torn {
        /// The scene.
        product_id: String,
        /// The grid.
        grid: String,
        /// The grid's CRS.
        crs: String,
        /// The raster's CRS.
        scene_crs: String,
    },
    /// A scene of an existing slot can no longer be read for re-fusing.
    #[error("cannot fuse {product_id} with {other}, which shares its day: {reason}")]
    RefuseSource {
        /// The new scene.
        product_id: String,
        /// The earlier scene.
        other: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// A scene is not in the product.
    #[error(
        "no scene {product_id} in {product}; see `tesela scenes list` and `tesela scenes list --archived`"
    )]
    UnknownScene {
        /// The scene asked for.
        product_id: String,
        /// The product.
        product: String,
    },
    /// What is left of a slot cannot be fused again.
    #[error(
        "{product_id} stays: {other} shares its day and place and would have to be fused without it, but {reason}"
    )]
    CannotArchive {
        /// The scene to be archived.
        product_id: String,
        /// The scene that would stay.
        other: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// An archived scene cannot come back.
    #[error("{product_id} cannot be restored: {reason}")]
    CannotRestore {
        /// The archived scene.
        product_id: String,
        /// Why not, with the file that is missing.
        reason: String,
    },
    /// One unit alone needs more memory than may be used.
    #[error(
        "{given} MB are too little: one tile of this product takes {needed} MB; give --memory {needed}M or more (without --bulk less is enough)"
    )]
    TooLittleMemory {
        /// Megabytes that may be used.
        given: u64,
        /// Megabytes that one unit takes.
        needed: u64,
    },
    /// The operator stopped the run.
    #[error("stopped by the operator; what was committed stays, run the same command to go on")]
    Cancelled,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Coordinates.
    #[error(transparent)]
    Crs(#[from] CrsError),
}

impl IngestError {
    /// Stable code of a scene's refusal; `None` when the error is not about one scene.
    pub const fn scene_code(&self) -> Option<&'static str> {
        match self {
            Self::Raster { .. } => Some("unreadable_raster"),
            Self::Geometry { .. } => Some("bad_geometry"),
            Self::BandsDiffer { .. } => Some("bands_differ"),
            Self::OutsideGrid { .. } => Some("outside_grid"),
            Self::Torn { .. } => Some("across_the_cut"),
            Self::RefuseSource { .. } | Self::CannotArchive { .. } => Some("cannot_fuse"),
            _ => None,
        }
    }
}
