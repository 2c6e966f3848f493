//! What a cube does for those who read it and keep it, against design bars: a pixel's series and a stack, map tiles,
//! an annual geomedian, compaction, `check`.
//!
//! `cargo bench -p tesela-benches --profile dev --bench cube [-- --dates N] [--side PX] [--composite [--zstd] | --keeping |
//! --unit]`: `--composite` is the geomedian alone, `--zstd` from archive blocks of that codec instead of lz4; `--keeping` the geomedian, compaction and `check`; `--unit` is its
//! largest unit, a whole tile of 2048 pixels squared and 90 dates, for the memory that it takes (ten gigabytes of disk,
//! some minutes).
//!
//! One figure a line, `name value`; times are medians, CPU milliseconds where the name says so. Synthetic stacks (see
//! `scenes`) go in through `ingest`; everything is asked of a `Cube`, as the server asks. *Cached*: decoded chunks in
//! memory. *Fresh*: a cube just opened whose catalogue was read, files in the page cache. *Cold*: as fresh, every file
//! of the store dropped from the page cache; what a virtual machine's host holds is beyond reach.
//!
//! `check_recent_*`, `check_both_*` (compacted), `check_composite_*` (a year's archive and its geomedian): `objects_per_s`
//! and `mb_per_cpu_s` of the whole check, stored bytes; `hash_mb_per_cpu_s` of digests alone; `share_of_bound`, CPU time of
//! hashing every object and decoding to nothing, once, every chunk that a check looks at, over that of the check.

mod composite;
mod figures;
mod keeping;
mod reading;
mod scenes;
mod unit;

use std::path::Path;

use tesela_compute::Cube;
use tesela_grid::{BoundingBox, GridDef, builtin_grid};
use tesela_index::ProductKind;
use tesela_ingest::{IngestOptions, ingest};
use tesela_model::{ArchiveCodec, Silent, shipped_product};

use figures::{cpu_s, say};
use scenes::World;

/// What a bench may fail with.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The product of all cubes here.
pub const PRODUCT: &str = "landsat_stack_fmask";
/// Grid, and the corner of its tile (6, 28) where the data begin.
const GRID: &str = "utm15_30";
const TILE: (i32, i32) = (6, 28);
/// Dates of the cube that is compacted: one archive block.
const BLOCK_DATES: usize = 64;
/// Dates of one year, every eight days.
const YEAR_DATES: usize = 46;

fn main() -> Fallible<()> {
    let (mut dates, mut side) = (690, 512);
    let (mut composite_alone, mut keeping_alone, mut unit_alone) = (false, false, false);
    let mut codec = ArchiveCodec::Lz4;
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut number =
            || given.next().and_then(|n| n.parse().ok()).ok_or(format!("{argument} takes a number"));
        match argument.as_str() {
            "--dates" => dates = number()?,
            "--side" => side = number()?,
            "--composite" => composite_alone = true,
            "--zstd" => codec = ArchiveCodec::Zstd,
            "--keeping" => keeping_alone = true,
            "--unit" => unit_alone = true,
            // This program again, by itself: see `unit`.
            unit::CHILD => return unit::compute(Path::new(&given.next().ok_or("which cube?")?)),
            _ => {}
        }
    }
    if dates < BLOCK_DATES || !(256..=2048).contains(&side) {
        return Err(format!("at least {BLOCK_DATES} dates, and a side of 256 to 2048").into());
    }
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    if unit_alone {
        return unit::measure(scratch.path());
    }
    let world = World::new(side, 7_999);
    let year = scratch.path().join("year");
    fill_coded(&year, world.of_one_year(YEAR_DATES), YEAR_DATES, true, "year", codec)?;
    composite::measure(&year, YEAR_DATES, side)?;
    if !composite_alone {
        keeping::check(&year, "check_composite")?;
    }
    std::fs::remove_dir_all(&year)?;
    if composite_alone {
        return Ok(());
    }
    if !keeping_alone {
        let archive = scratch.path().join("archive");
        let bounds = fill(&archive, world, dates, true, "archive")?;
        reading::measure(&archive, world, dates, &bounds)?;
        std::fs::remove_dir_all(&archive)?;
    }
    let recent = scratch.path().join("recent");
    let bounds = fill(&recent, world, BLOCK_DATES, false, "recent")?;
    if !keeping_alone {
        reading::tiles(&recent, "recent", PRODUCT, &bounds)?;
    }
    keeping::measure(&recent)
}

/// Makes a cube of that many dates; the bounds of the data in the grid's CRS.
pub fn fill(dir: &Path, world: World, dates: usize, bulk: bool, name: &str) -> Fallible<BoundingBox> {
    fill_coded(dir, world, dates, bulk, name, ArchiveCodec::Lz4)
}

fn fill_coded(
    dir: &Path,
    world: World,
    dates: usize,
    bulk: bool,
    name: &str,
    codec: ArchiveCodec,
) -> Fallible<BoundingBox> {
    let grid: GridDef = builtin_grid(GRID)?;
    let mut product = shipped_product(PRODUCT).ok_or("no such product")??;
    product.grid.clone_from(&grid.id);
    product.layout.archive.codec = codec;
    let cube = Cube::create(dir)?;
    cube.index().put_grid(&grid)?;
    let definition = serde_json::to_string(&product)?;
    cube.index().put_product(PRODUCT, ProductKind::Scenes, &grid.id, &definition)?;
    let tile = grid.tile_bounds(tesela_grid::TileId { ix: TILE.0, iy: TILE.1 });
    let source = dir.with_extension("source");
    let manifest = world.write(&source, &grid, (tile.x_min, tile.y_max), dates)?;
    let options = IngestOptions { bulk, ..IngestOptions::default() };
    let start = cpu_s();
    let report = ingest(cube.store(), cube.index(), &product, &grid, &[manifest], &options, &Silent)?;
    if report.added != dates {
        return Err(format!("{} of {dates} dates went in: {:?}", report.added, report.refused.first()).into());
    }
    let values = (dates * scenes::BANDS.len() * world.side * world.side) as f64;
    say(&format!("{name}_dates"), dates as f64);
    say(&format!("{name}_ingest_cpu_s"), cpu_s() - start);
    say(&format!("{name}_stored_bytes_per_value"), report.bytes as f64 / values);
    std::fs::remove_dir_all(&source)?;
    let reach = world.side as f64 * grid.resolution;
    Ok(BoundingBox::new(tile.x_min, tile.y_max - reach, tile.x_min + reach, tile.y_max))
}
