//! The command line as users type it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A geospatial data cube: Landsat scenes in, maps, series and statistics by census block out.
#[derive(Debug, Parser)]
#[command(name = "tesela", version, about, max_term_width = 100)]
pub struct Cli {
    /// The cube's directory
    #[arg(long, global = true, env = "TESELA_CUBE", value_name = "DIR")]
    pub cube: Option<PathBuf>,
    /// Print JSON to standard output, and progress as JSON lines to standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an empty cube with the shipped products
    Init {
        /// Its directory
        dir: PathBuf,
    },
    /// Make a small synthetic cube, compute its products, and open the map
    Demo(DemoArgs),
    /// Add scenes: folders of USGS products, single MTL files, or manifest CSVs
    Ingest(IngestArgs),
    /// Run a recipe for every period that is missing or stale
    Compute(ComputeArgs),
    /// Write a product as files that other programs read
    Export(ExportArgs),
    /// Products and their definitions
    #[command(subcommand)]
    Products(ProductsCommand),
    /// Scenes in the cube
    #[command(subcommand)]
    Scenes(ScenesCommand),
    /// Scenes that were refused
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Polygon layers and their statistics
    #[command(subcommand)]
    Zones(ZonesCommand),
    /// Commits
    #[command(subcommand)]
    Snapshots(SnapshotsCommand),
    /// Serve maps, series and statistics over HTTP
    Serve(ServeArgs),
    /// Compare store and index: exit 0 when they agree, else name each fault and exit 1
    Check,
    /// What the cube holds, and where its Zarr groups lie
    Info,
    /// Settings in force
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document
    Openapi,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Use your own USGS product folders instead of synthetic scenes
    #[arg(long, value_name = "DIR")]
    pub scenes: Option<PathBuf>,
    /// Grid of a new cube: mx6372_30, mxaea_30, utmZONE_30 or a grid file [default: mx6372_30; with --scenes that
    /// all lie outside it, the UTM zone of most of them]
    #[arg(long, value_name = "GRID", requires = "scenes")]
    pub grid: Option<String>,
    /// Stop after computing; do not serve
    #[arg(long)]
    pub no_serve: bool,
    /// Compare the estimates with the synthetic truth, and with a control that ignores the masks
    #[arg(long)]
    pub score: bool,
    /// Side of the synthetic area, pixels
    #[arg(long, default_value_t = 512, value_name = "PX")]
    pub size: usize,
    /// First and last year of the synthetic archive
    #[arg(long, default_value = "1994-2024", value_name = "YEARS", value_parser = parse_years)]
    pub years: (i32, i32),
    /// Seed of everything random in the synthetic archive
    #[arg(long, default_value_t = 7999, value_name = "N")]
    pub seed: u64,
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub bind: SocketAddr,
    /// Keep the synthetic archive in this directory [default: DIR/synthetic]
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
}

/// Arguments of `ingest`.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Product to add to
    #[arg(long, default_value = "landsat_c2_sr", value_name = "PRODUCT")]
    pub product: String,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Solar days in one commit
    #[arg(long, default_value_t = 32, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub batch_days: u16,
    /// Scene folders, folders of them, MTL files, or manifest CSVs
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Arguments of `compute`.
#[derive(Debug, Args)]
pub struct ComputeArgs {
    /// A shipped recipe (geomedian_annual, ndvi_annual), a derived product of the cube, or a recipe file
    pub recipe: String,
    /// Take this product as input instead of the recipe's own
    #[arg(long, value_name = "PRODUCT")]
    pub input: Option<String>,
    /// First and last year, as 1994-2024 or 2020
    #[arg(long, value_name = "YEARS", value_parser = parse_years)]
    pub years: Option<(i32, i32)>,
    /// Recompute periods that are up to date
    #[arg(long)]
    pub force: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Write the product as one Zarr v3 group of all dates and tiles: a new directory. On the cube's own file system
    /// its files are hard links to the cube's: read them, never write to them
    #[arg(long, value_name = "DIR")]
    pub zarr_view: PathBuf,
    /// Product
    #[arg(long, value_name = "PRODUCT")]
    pub product: String,
    /// At this snapshot [default: the latest]
    #[arg(long, value_name = "N")]
    pub snapshot: Option<u64>,
    /// Copy instead of linking: files that are yours to change
    #[arg(long)]
    pub copy: bool,
}

/// `products`.
#[derive(Debug, Subcommand)]
pub enum ProductsCommand {
    /// Register a definition file, or a shipped one by name
    Add {
        /// YAML file, or landsat_c2_sr, landsat_c1_sr, landsat_stack_fmask
        definition: String,
        /// Put it on this grid instead of its own: a shipped grid's name or a YAML file
        #[arg(long, value_name = "GRID")]
        grid: Option<String>,
    },
    /// List products
    List,
    /// Print a definition
    Show {
        /// Product
        id: String,
    },
    /// Check a definition file without registering it
    Validate {
        /// YAML file
        file: PathBuf,
        /// The file is a recipe
        #[arg(long)]
        recipe: bool,
    },
    /// Print the JSON Schema of product definitions, or of recipes
    Schema {
        /// Of recipes
        #[arg(long)]
        recipe: bool,
    },
}

/// `scenes`.
#[derive(Debug, Subcommand)]
pub enum ScenesCommand {
    /// List scenes, oldest first
    List {
        /// Only of this product
        #[arg(long, value_name = "PRODUCT")]
        product: Option<String>,
        /// Only at this time: 2020, 2020-03, 2020-03-01, start/end
        #[arg(long, value_name = "TIME")]
        datetime: Option<String>,
        /// Most rows; 0 is all
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Print one scene's description
    Show {
        /// USGS product id
        id: String,
    },
}

/// `quarantine`.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List refused scenes, newest first
    List,
    /// Print one refusal
    Show {
        /// Number from the list
        id: i64,
    },
    /// Ingest refused scenes again
    Retry {
        /// Number from the list; all when absent
        id: Option<i64>,
    },
}

/// `zones`.
#[derive(Debug, Subcommand)]
pub enum ZonesCommand {
    /// Register a polygon layer: GeoPackage, GeoJSON or Shapefile
    Add {
        /// The file
        file: PathBuf,
        /// Attribute that holds the key, text such as CVEGEO
        #[arg(long, value_name = "FIELD")]
        key: String,
        /// Identifier with edition, e.g. manzanas@2020
        #[arg(long, value_name = "NAME@EDITION")]
        id: String,
        /// Layer, when the file has several
        #[arg(long, value_name = "LAYER")]
        layer: Option<String>,
        /// Title in Spanish
        #[arg(long, value_name = "TEXT")]
        title_es: Option<String>,
        /// Title in English
        #[arg(long, value_name = "TEXT")]
        title_en: Option<String>,
    },
    /// List zone sets
    List,
    /// Print a zone set, or one zone
    Show {
        /// Zone set
        id: String,
        /// Key of one zone
        key: Option<String>,
    },
    /// Statistics by zone, as CSV (or JSON with --json)
    Stats {
        /// Zone set
        id: String,
        /// Derived product
        #[arg(long, value_name = "PRODUCT")]
        product: String,
        /// Band or expression
        #[arg(long, value_name = "BAND")]
        band: String,
        /// Time: 2020, start/end, or all; the latest when absent
        #[arg(long, value_name = "TIME")]
        datetime: Option<String>,
        /// Null values below this share of valid area
        #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
        min_coverage: f64,
        /// At this snapshot
        #[arg(long)]
        snapshot: Option<u64>,
        /// Write here instead of standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// `snapshots`.
#[derive(Debug, Subcommand)]
pub enum SnapshotsCommand {
    /// List commits, newest first
    List {
        /// Most rows
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8080", env = "TESELA_BIND", value_name = "HOST:PORT")]
    pub bind: SocketAddr,
    /// Public address, when a proxy stands before
    #[arg(long, env = "TESELA_BASE_URL", value_name = "URL")]
    pub base_url: Option<String>,
    /// Requests that compute pixels at once [default: number of cores]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print settings and where each comes from
    Show,
}

/// `1994-2024`, or one year.
fn parse_years(text: &str) -> Result<(i32, i32), String> {
    let year = |t: &str| t.trim().parse::<i32>().ok().filter(|y| (1970..=2200).contains(y));
    let (a, b) = text.split_once('-').unwrap_or((text, text));
    match (year(a), year(b)) {
        (Some(a), Some(b)) if a <= b => Ok((a, b)),
        _ => Err(format!("{text:?} is not a year or a range of years such as 1994-2024")),
    }
}
