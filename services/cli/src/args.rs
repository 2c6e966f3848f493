//! The command line as users type it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tesela_compute::zones::DEFAULT_MIN_COVERAGE;
use tesela_grid::BoundingBox;

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
    /// Freeze a recipe's work as units that several processes can share; list or drop such plans
    Plan(PlanArgs),
    /// Work units of a plan; as many processes at once as you like
    Work(WorkArgs),
    /// Make a plan's rasters visible, once all its units are done
    Commit {
        /// Plan
        plan: String,
        /// Wait so many seconds for another writer of the cube to end
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        wait: u64,
    },
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
    /// Move scenes as they arrived into archive blocks; no answer changes
    Compact(CompactArgs),
    /// Let go of old untagged snapshots and abandoned plans, and delete what only they needed
    Gc(GcArgs),
    /// Copy the cube, while others read and write, into a directory or an earlier backup
    Backup {
        /// The directory
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Bring the index of a cube made by an earlier version up to this one
    Migrate,
    /// Serve maps, series and statistics over HTTP
    Serve(ServeArgs),
    /// Compare store and index: exit 0 when they agree, else name each fault and exit 1
    Check,
    /// Make again what `check` names as damaged or lost, from whole pixels, source files and recorded inputs
    Repair(RepairArgs),
    /// What the cube holds, and where its Zarr groups lie
    Info {
        /// What takes how much space instead, by product, form and year
        #[arg(long, conflicts_with = "snapshot")]
        usage: bool,
        /// At this snapshot, a number or a tag [default: the latest]
        #[arg(long, value_name = "N")]
        snapshot: Option<String>,
    },
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
    /// Compute every shipped recipe: also water, trend, half years and months
    #[arg(long)]
    pub all: bool,
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
    /// Solar days in one commit [default: 32, in bulk 512]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub batch_days: Option<u16>,
    /// Write archive blocks at once: for an archive that is loaded once, not for a night's scenes
    #[arg(long)]
    pub bulk: bool,
    #[command(flatten)]
    pub limits: Limits,
    /// Wait so many seconds for another writer of the cube to end
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub wait: u64,
    /// Scene folders, folders of them, MTL files, or manifest CSVs
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What a long command may use.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Memory to stay within, e.g. 4G or 800M [default: half of the machine's]
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub memory: Option<u64>,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Arguments of `compact`.
#[derive(Debug, Args)]
pub struct CompactArgs {
    /// Only this product
    #[arg(long, value_name = "PRODUCT")]
    pub product: Option<String>,
    /// Also what fills less than half a block
    #[arg(long)]
    pub all: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// How long untagged snapshots, and plans that nobody works, are kept: 90d, 12h, 0d
    #[arg(long, default_value = "90d", value_name = "TIME", value_parser = parse_duration)]
    pub keep: Duration,
    /// How long objects stay after nothing names them any more: what servers and running requests need
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = parse_duration)]
    pub grace: Duration,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// Take what comes out otherwise than it was recorded, as a new snapshot
    #[arg(long)]
    pub accept_changed: bool,
    /// How long replaced objects stay: what servers and running requests need
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = parse_duration)]
    pub grace: Duration,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Wait so many seconds for another writer of the cube to end
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub wait: u64,
}

/// Arguments of `compute`.
#[derive(Debug, Args)]
pub struct ComputeArgs {
    /// What to work
    #[command(flatten)]
    pub what: RecipeArgs,
    /// How much may be used
    #[command(flatten)]
    pub limits: Limits,
    /// Only say what would be done: units, bytes, memory, time
    #[arg(long)]
    pub dry_run: bool,
}

/// A recipe and what to do of it.
#[derive(Debug, Args)]
pub struct RecipeArgs {
    /// A shipped recipe (geomedian_annual, urban_annual, …: a wrong name lists them), a derived product of the cube, or a recipe file
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
    /// Wait so many seconds for another writer of the cube to end
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub wait: u64,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PlanArgs {
    /// What to work
    #[command(flatten)]
    pub what: Option<RecipeArgs>,
    /// List plans that are neither committed nor dropped
    #[command(subcommand)]
    pub command: Option<PlanCommand>,
}

/// What to do with plans.
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// List plans that are neither committed nor dropped
    List,
    /// Forget a plan and delete what its units wrote
    Drop {
        /// Plan
        plan: String,
    },
}

/// Arguments of `work`.
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// Plan
    pub plan: String,
    /// Whatever nobody has done yet
    #[arg(long, required_unless_present = "index", conflicts_with = "index")]
    pub all: bool,
    /// The I-th of N workers' share, I from 0: as an array job numbers its tasks
    #[arg(long, value_name = "I/N", value_parser = parse_task)]
    pub index: Option<(usize, usize)>,
    /// How much may be used
    #[command(flatten)]
    pub limits: Limits,
}

fn parse_task(text: &str) -> Result<(usize, usize), String> {
    let wrong = || format!("{text:?} is no share; write I/N with I from 0 to N-1, as 0/4");
    let (i, n) = text.split_once('/').ok_or_else(wrong)?;
    let (i, n): (usize, usize) = (i.parse().map_err(|_| wrong())?, n.parse().map_err(|_| wrong())?);
    if i < n { Ok((i, n)) } else { Err(wrong()) }
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
    /// At this snapshot, a number or a tag [default: the latest]
    #[arg(long, value_name = "N")]
    pub snapshot: Option<String>,
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
    List(ScenesListArgs),
    /// Print one scene's description
    Show {
        /// USGS product id
        id: String,
        /// At this snapshot, a number or a tag [default: the latest]
        #[arg(long, value_name = "N")]
        snapshot: Option<String>,
    },
    /// Take scenes out of every answer from now on; earlier snapshots keep them, ingests leave them out
    Archive(ScenesArchiveArgs),
    /// Bring archived scenes back
    Restore(ScenesRestoreArgs),
}

/// Arguments of `scenes archive`.
#[derive(Debug, Args)]
pub struct ScenesArchiveArgs {
    /// Why
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub reason: String,
    #[command(flatten)]
    pub chosen: ChosenScenes,
}

/// Arguments of `scenes restore`.
#[derive(Debug, Args)]
pub struct ScenesRestoreArgs {
    #[command(flatten)]
    pub chosen: ChosenScenes,
}

/// Some scenes of one product.
#[derive(Debug, Clone, Args)]
pub struct ChosenScenes {
    /// Their product; needed where several hold one of them
    #[arg(long, value_name = "PRODUCT")]
    pub product: Option<String>,
    #[command(flatten)]
    pub limits: Limits,
    /// Wait so many seconds for another writer of the cube to end
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub wait: u64,
    /// USGS product ids
    #[arg(required = true, value_name = "SCENE")]
    pub scenes: Vec<String>,
}

/// Arguments of `scenes list`.
#[derive(Debug, Args)]
pub struct ScenesListArgs {
    /// Only of this product
    #[arg(long, value_name = "PRODUCT")]
    pub product: Option<String>,
    /// Only at this time: 2020, 2020-03, 2020-03-01, start/end
    #[arg(long, value_name = "TIME")]
    pub datetime: Option<String>,
    /// Only meeting this box, degrees; west above east crosses the antimeridian
    #[arg(long, value_name = "W,S,E,N", value_parser = parse_bbox, allow_hyphen_values = true)]
    pub bbox: Option<BoundingBox>,
    /// Only of these platforms, e.g. landsat-8
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub platform: Vec<String>,
    /// Only at most so cloudy, per cent
    #[arg(long, value_name = "MAX")]
    pub cloud: Option<f64>,
    /// Only of this WRS-2 path and row
    #[arg(long, value_name = "PATH/ROW", value_parser = parse_path_row)]
    pub path_row: Option<(u16, u16)>,
    /// Newest first
    #[arg(long)]
    pub newest_first: bool,
    /// Most rows; 0 is all
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
    /// Scenes that were archived instead
    #[arg(long, conflicts_with_all = ["bbox", "cloud"])]
    pub archived: bool,
    /// At this snapshot, a number or a tag [default: the latest]
    #[arg(long, value_name = "N")]
    pub snapshot: Option<String>,
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
    List {
        /// At this snapshot, a number or a tag [default: the latest]
        #[arg(long, value_name = "N")]
        snapshot: Option<String>,
    },
    /// Print a zone set, or one zone
    Show {
        /// Zone set
        id: String,
        /// Key of one zone
        key: Option<String>,
        /// At this snapshot, a number or a tag [default: the latest]
        #[arg(long, value_name = "N")]
        snapshot: Option<String>,
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
        /// Null values below this share of valid area, 0 to 1
        #[arg(long, default_value_t = DEFAULT_MIN_COVERAGE, value_name = "SHARE", value_parser = parse_share)]
        min_coverage: f64,
        /// At this snapshot, a number or a tag [default: the latest]
        #[arg(long, value_name = "N")]
        snapshot: Option<String>,
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
    /// Give a snapshot a name, which keeps it for ever
    Tag {
        /// The name, e.g. census-2020
        name: String,
        /// The snapshot, a number or another tag; the latest when absent
        #[arg(long, value_name = "N")]
        snapshot: Option<String>,
        /// Why it is kept
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Take a name away; the snapshot expires as others do
    Untag {
        /// The name
        name: String,
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

/// `4G`, `800M`, or bytes.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        unit => return Err(format!("unknown unit {unit}; give e.g. 800M or 4G")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("{text} is no size; give e.g. 800M or 4G"))?;
    if number.is_finite() && number > 0.0 {
        Ok((number * factor as f64) as u64)
    } else {
        Err(format!("{text} is no size; give e.g. 800M or 4G"))
    }
}

/// `90d`, `12h`, `30m`, `5s`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no time; give e.g. 90d, 12h, 30m or 5s");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// `-103.5,21,-102,22.5`.
fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok().filter(|v| (0.0..=1.0).contains(v));
    share.ok_or_else(|| format!("{text:?} is not a share from 0 to 1, such as 0.5"))
}

fn parse_bbox(text: &str) -> Result<BoundingBox, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|n| n.trim().parse::<f64>()).collect();
    match numbers.as_deref() {
        Ok(&[w, s, e, n]) if [w, s, e, n].iter().all(|v| v.is_finite()) && s <= n => {
            Ok(BoundingBox::new(w, s, e, n))
        }
        _ => Err(format!("{text:?} is not west,south,east,north in degrees, such as -103.5,21,-102,22.5")),
    }
}

/// `29/45`, `029045` as USGS writes it.
fn parse_path_row(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once('/').or_else(|| {
        let usgs = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        usgs.then(|| text.split_at(3))
    });
    match parts.map(|(p, r)| (p.trim().parse::<u16>(), r.trim().parse::<u16>())) {
        Some((Ok(path @ 1..=251), Ok(row @ 1..=248))) => Ok((path, row)),
        _ => Err(format!("{text:?} is not a WRS-2 path and row, such as 29/45")),
    }
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
