//! An annual geomedian from the store, against decoding the same chunks and doing nothing with them.

use std::path::Path;

use tesela_compute::Cube;
use tesela_compute::recipe::ComputeOptions;
use tesela_model::{Silent, shipped_recipe};
use tesela_store::ObjectKey;

use crate::figures::{cpu_s, say};
use crate::keeping::{decode_array, plain, slot_groups};
use crate::scenes::BANDS;
use crate::{Fallible, PRODUCT, TILE};

/// Turns of each side; the least CPU time counts.
const TURNS: usize = 3;

/// Both sides take turns, one thread each. The composite is written, pyramid and facts too; what of its chunks the mask
/// hides wholly it does not decode, which is a share printed beside it.
pub fn measure(dir: &Path, dates: usize, pixels: usize) -> Fallible<()> {
    let cube = Cube::open(dir)?;
    // Of the tile itself: recipes do not read the mosaic's coarse levels.
    let tile = format!("/{}_{}/", TILE.0, TILE.1);
    let mut groups = slot_groups(cube.index())?;
    groups.retain(|group| group.contains(&tile));
    let mut recipe = shipped_recipe("geomedian_annual").ok_or("no such recipe")??;
    recipe.input = PRODUCT.into();
    let options = ComputeOptions { force: true, threads: Some(1), ..ComputeOptions::default() };
    let lock = cube.lock("bench")?;
    let [mut decoded, mut made, mut skipped] = [f64::INFINITY; 3];
    for _ in 0..TURNS {
        let store = plain(&cube);
        let start = cpu_s();
        for group in &groups {
            for band in BANDS {
                decode_array(&store, &store.open_array(&ObjectKey::new(group)?, band)?)?;
            }
        }
        decoded = decoded.min(cpu_s() - start);
        let fresh = Cube::open(dir)?;
        let start = cpu_s();
        let report = fresh.compute(&recipe, &options, &Silent)?;
        made = made.min(cpu_s() - start);
        if report.computed.len() != 1 || report.pixels == 0 {
            return Err(format!("{:?} were computed, {} pixels", report.computed, report.pixels).into());
        }
        skipped = report.chunks.share_skipped().unwrap_or(0.0);
    }
    drop(lock);
    say("composite_dates", dates as f64);
    say("composite_decode_cpu_s", decoded);
    say("composite_cpu_s", made);
    say("composite_mobs_per_cpu_s", (dates * pixels) as f64 / made / 1e6);
    say("composite_chunks_skipped_share", skipped);
    say("composite_share_of_decode", decoded / made);
    Ok(())
}
