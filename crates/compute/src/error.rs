use tesela_crs::CrsError;
use tesela_index::IndexError;
use tesela_model::TimeError;
use tesela_store::StoreError;

use tesela_kernel::expr::ExprError;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// A band is not in the product.
    #[error("product {product} has no band {band}; bands: {known}")]
    UnknownBand {
        /// Product.
        product: String,
        /// Band asked for.
        band: String,
        /// Bands there are.
        known: String,
    },
    /// A style is not in the product.
    #[error("product {product} has no style {style}; styles: {known}")]
    UnknownStyle {
        /// Product.
        product: String,
        /// Style asked for.
        style: String,
        /// Styles there are.
        known: String,
    },
    /// A mask is not in the product.
    #[error("product {product} has no mask {mask}; masks: none{known}")]
    UnknownMask {
        /// Product.
        product: String,
        /// Mask asked for.
        mask: String,
        /// Masks there are, each after ", ".
        known: String,
    },
    /// A recipe does not exist.
    #[error("unknown recipe {name}; shipped: {known}; or give the path of a recipe file")]
    UnknownRecipe {
        /// Recipe asked for.
        name: String,
        /// Shipped recipes.
        known: String,
    },
    /// Nothing at that time.
    #[error("product {product} has nothing at {time}; {hint}")]
    NoData {
        /// Product.
        product: String,
        /// Time asked for.
        time: String,
        /// What there is.
        hint: String,
    },
    /// A zone key does not exist.
    #[error("zone set {set} has no zone {key}")]
    UnknownZone {
        /// Zone set.
        set: String,
        /// Key asked for.
        key: String,
    },
    /// A parameter's value cannot be used.
    #[error("{parameter}: {problem}")]
    Parameter {
        /// Parameter.
        parameter: &'static str,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// What was written is not what was read: nothing was moved.
    #[error(
        "{group}: level {level} of {band} at position {position} reads back differently from what was written; nothing was moved; run `tesela check` and look at the disk"
    )]
    NotTheSame {
        /// The new group.
        group: String,
        /// Band.
        band: String,
        /// Pyramid level.
        level: u32,
        /// Position on the time axis.
        position: u64,
    },
    /// Two maintenance commands exclude each other.
    #[error("{by}; wait for it to end")]
    Busy {
        /// What runs.
        by: &'static str,
    },
    /// A backup cannot be made there.
    #[error("{path}: {problem}", path = path.display())]
    Backup {
        /// Where.
        path: std::path::PathBuf,
        /// Why not.
        problem: String,
    },
    /// A stored definition cannot be read.
    #[error("the definition of {product} stored in the index cannot be read: {message}; run `tesela check`")]
    Definition {
        /// Product.
        product: String,
        /// Parser message.
        message: String,
    },
    /// A recipe does not fit its input.
    #[error("recipe {recipe}: {problem}")]
    Recipe {
        /// Recipe.
        recipe: String,
        /// What is wrong.
        problem: String,
    },
    /// A plan does not exist.
    #[error("there is no plan {plan}; plans: {known}")]
    UnknownPlan {
        /// Plan asked for.
        plan: String,
        /// Plans there are.
        known: String,
    },
    /// A plan cannot be committed yet.
    #[error("plan {plan}: {missing} of {units} units are not done; run `tesela work {plan} --all`")]
    PlanUnfinished {
        /// The plan.
        plan: String,
        /// Units that are not done.
        missing: usize,
        /// All its units.
        units: usize,
    },
    /// A plan cannot be dropped now.
    #[error("plan {plan} is being worked by another process; wait for it to end, or stop it, and try again")]
    PlanAtWork {
        /// The plan.
        plan: String,
    },
    /// A plan's files.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Plan {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// One block on one thread needs more memory than may be used.
    #[error(
        "{given} MB are too little: the smallest block takes {needed} MB; give --memory {needed}M or more"
    )]
    TooLittleMemory {
        /// Megabytes that may be used.
        given: u64,
        /// Megabytes that one thread needs.
        needed: u64,
    },
    /// A product's rasters do not make one Zarr group.
    #[error("product {product} cannot be presented as one Zarr group: {problem}")]
    View {
        /// Product.
        product: String,
        /// Which rasters disagree, and in what.
        problem: String,
    },
    /// A directory to export to exists already.
    #[error("{path} exists already; name a directory that does not", path = path.display())]
    ExportExists {
        /// The directory.
        path: std::path::PathBuf,
    },
    /// An export cannot be written.
    #[error("cannot {action} {path}", path = path.display())]
    Export {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The operator stopped the run.
    #[error("stopped by the operator; finished periods stay, run the same command to go on")]
    Cancelled,
    /// Expression.
    #[error("expression: {0}")]
    Expression(#[from] ExprError),
    /// Time text.
    #[error("datetime: {0}")]
    Time(#[from] TimeError),
    /// Store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Coordinates.
    #[error(transparent)]
    Crs(#[from] CrsError),
    /// Grid.
    #[error(transparent)]
    Grid(#[from] tesela_grid::GridError),
}

/// What kind of error this is; every protocol maps kinds to its own codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The client asked for something that cannot be.
    BadRequest,
    /// The client named something that does not exist.
    NotFound,
    /// Too much was asked for.
    TooLarge,
    /// The client named something that is kept no more.
    Gone,
    /// Pixels are not where they were a moment ago.
    Moved,
    /// Our fault.
    Internal,
}

impl ComputeError {
    /// The error's kind.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownBand { .. }
            | Self::UnknownMask { .. }
            | Self::Parameter { .. }
            | Self::View { .. }
            | Self::Expression(_)
            | Self::Time(_)
            | Self::Crs(_) => ErrorKind::BadRequest,
            Self::UnknownStyle { .. }
            | Self::UnknownRecipe { .. }
            | Self::NoData { .. }
            | Self::UnknownZone { .. }
            | Self::Index(
                IndexError::UnknownProduct { .. }
                | IndexError::UnknownZoneSet { .. }
                | IndexError::UnknownSnapshot { .. },
            ) => ErrorKind::NotFound,
            Self::Index(IndexError::ExpiredSnapshot { .. }) => ErrorKind::Gone,
            Self::Store(StoreError::ObjectMissing { .. } | StoreError::NodeMissing { .. }) => {
                ErrorKind::Moved
            }
            _ => ErrorKind::Internal,
        }
    }

    /// Stable machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownBand { .. } => "unknown_band",
            Self::UnknownStyle { .. } => "unknown_style",
            Self::UnknownMask { .. } => "unknown_mask",
            Self::UnknownRecipe { .. } => "unknown_recipe",
            Self::NoData { .. } => "no_data_at_time",
            Self::UnknownZone { .. } => "unknown_zone",
            Self::Parameter { .. } => "invalid_parameter",
            Self::View { .. } => "no_assembled_view",
            Self::Expression(_) => "invalid_expression",
            Self::Time(_) => "invalid_datetime",
            Self::Crs(_) => "invalid_crs",
            Self::Index(IndexError::UnknownProduct { .. }) => "unknown_product",
            Self::Index(IndexError::UnknownZoneSet { .. }) => "unknown_zone_set",
            Self::Index(IndexError::UnknownSnapshot { .. }) => "unknown_snapshot",
            Self::Index(IndexError::ExpiredSnapshot { .. }) => "expired_snapshot",
            Self::Store(StoreError::ObjectMissing { .. } | StoreError::NodeMissing { .. }) => "pixels_moved",
            _ => "internal",
        }
    }
}
