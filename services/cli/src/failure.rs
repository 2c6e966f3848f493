use std::path::PathBuf;

/// Why a command failed, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No cube was named.
    #[error("which cube? give --cube DIR or set TESELA_CUBE")]
    NoCube,
    /// A definition file is wrong.
    #[error("{0}")]
    Definition(#[from] tesela_model::DefinitionError),
    /// Asking the cube.
    #[error(transparent)]
    Compute(#[from] tesela_compute::ComputeError),
    /// Ingest.
    #[error(transparent)]
    Ingest(#[from] tesela_ingest::IngestError),
    /// The index.
    #[error(transparent)]
    Index(#[from] tesela_index::IndexError),
    /// The store.
    #[error(transparent)]
    Store(#[from] tesela_store::StoreError),
    /// A grid.
    #[error(transparent)]
    Grid(#[from] tesela_grid::GridError),
    /// A polygon layer.
    #[error(transparent)]
    Polygons(#[from] tesela_ingest::polygons::PolygonError),
    /// The synthetic archive.
    #[error(transparent)]
    Synth(#[from] tesela_synth::SynthError),
    /// A time.
    #[error(transparent)]
    Time(#[from] tesela_model::TimeError),
    /// A file.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Anything with its own words.
    #[error("{0}")]
    Message(String),
}

impl Failure {
    /// A file that cannot be read or written.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
