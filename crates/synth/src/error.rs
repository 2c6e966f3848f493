//! What can go wrong while writing an archive.

use std::path::PathBuf;

/// Failure of [`crate::generate`]; every variant names the file (and band) it concerns.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// A configuration value outside its range.
    #[error("synthetic archive: {field}: {reason}")]
    Config {
        /// Name of the offending field of `SynthConfig`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The output directory holds something that is not the requested archive; nothing was touched.
    #[error(
        "{path}: exists and is not a synthetic archive of this configuration; remove it or choose another directory"
    )]
    Occupied {
        /// The directory in the way.
        path: PathBuf,
    },
    /// A file or directory could not be read, written or renamed.
    #[error("{path}: {source}")]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// GDAL refused a raster.
    #[error("{path}, band {band}: {source}")]
    Raster {
        /// The raster concerned.
        path: PathBuf,
        /// Its band, from 1 (0: the dataset as a whole).
        band: usize,
        /// What GDAL answered.
        source: gdal::errors::GdalError,
    },
    /// GDAL refused a vector layer.
    #[error("{path}, layer {layer}: {source}")]
    Vector {
        /// The file concerned.
        path: PathBuf,
        /// Its layer.
        layer: String,
        /// What GDAL answered.
        source: gdal::errors::GdalError,
    },
    /// A coordinate transform between two named systems failed.
    #[error("transform {from} to {to}: {source}")]
    Transform {
        /// Source CRS.
        from: &'static str,
        /// Target CRS.
        to: &'static str,
        /// What PROJ answered through GDAL.
        source: gdal::errors::GdalError,
    },
    /// A document could not be encoded as JSON.
    #[error("{path}: {source}")]
    Json {
        /// The document concerned.
        path: PathBuf,
        /// What the encoder answered.
        source: serde_json::Error,
    },
}

impl SynthError {
    /// Wraps an I/O error with its path; for use in `map_err`.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> SynthError + '_ {
        move |source| SynthError::Io { path: path.to_path_buf(), source }
    }

    /// Wraps a raster error with its path and band; for use in `map_err`.
    pub(crate) fn raster(
        path: &std::path::Path,
        band: usize,
    ) -> impl FnOnce(gdal::errors::GdalError) -> SynthError + '_ {
        move |source| SynthError::Raster { path: path.to_path_buf(), band, source }
    }
}
