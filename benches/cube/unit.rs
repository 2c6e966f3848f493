//! The memory of the largest unit of a composite: a tile of 2048 pixels squared, 90 dates of seven bands, one thread.

use std::path::Path;
use std::process::{Command, Stdio};

use tesela_compute::Cube;
use tesela_compute::recipe::ComputeOptions;
use tesela_model::{RecipeDef, Silent, shipped_recipe};

use crate::figures::{cpu_s, say};
use crate::scenes::World;
use crate::{Fallible, PRODUCT, fill};

/// What this program is called with to work the unit alone, followed by the cube.
pub const CHILD: &str = "--compute-unit";

const SIDE: usize = 2048;
const DATES: usize = 90;
/// What may be used.
const GIVEN_BYTES: u64 = 1_500 << 20;

/// Makes the cube, and lets a process of its own work it: what ingest held does not count.
pub fn measure(scratch: &Path) -> Fallible<()> {
    let dir = scratch.join("unit");
    fill(&dir, World::new(SIDE, 7_999).of_one_year(DATES), DATES, true, "unit")?;
    let mut child = Command::new(std::env::current_exe()?);
    let code = child.arg(CHILD).arg(&dir).stdin(Stdio::null()).status()?;
    if code.success() { Ok(()) } else { Err(format!("the unit failed: {code}").into()) }
}

/// Works the unit within what is given, and says what was planned and what was held at most.
pub fn compute(dir: &Path) -> Fallible<()> {
    let mut recipe: RecipeDef = shipped_recipe("geomedian_annual").ok_or("no such recipe")??;
    recipe.input = PRODUCT.into();
    let cube = Cube::open(dir)?;
    let lock = cube.lock("bench")?;
    let options =
        ComputeOptions { memory_bytes: Some(GIVEN_BYTES), threads: Some(1), ..ComputeOptions::default() };
    let planned = cube.compute(&recipe, &ComputeOptions { dry_run: true, ..options.clone() }, &Silent)?;
    let planned = planned.estimate.ok_or("nothing was planned")?;
    let start = cpu_s();
    let made = cube.compute(&recipe, &options, &Silent)?;
    let cpu = cpu_s() - start;
    drop(lock);
    if made.computed.len() != 1 || made.pixels != (SIDE * SIDE) as u64 {
        return Err(format!("{:?} were computed, {} pixels", made.computed, made.pixels).into());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kb: f64 = line.split_whitespace().nth(1).ok_or("VmHWM has no value")?.parse()?;
    say("unit_cpu_s", cpu);
    say("unit_block_side_px", planned.block_side_px as f64);
    say("unit_given_mb", (GIVEN_BYTES >> 20) as f64);
    say("unit_planned_mb", planned.memory_mb as f64);
    say("unit_peak_rss_mb", kb / 1024.0);
    say("unit_peak_share_of_planned", kb / 1024.0 / planned.memory_mb as f64);
    Ok(())
}
