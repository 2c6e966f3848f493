//! The whole archive: from configuration to a directory that appears at once, complete.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::calendar::{self, Pass, Platform};
use crate::config::{Progress, Summary, SynthConfig, Timings};
use crate::cover::Cover;
use crate::place::{self, EPSG_CUBE, EPSG_SCENES, PIXEL_M, Raster};
use crate::render::{Stage, render};
use crate::scene::{self, Cut, SceneWriter};
use crate::tiff::NOTICE;
use crate::truth::Truth;
use crate::visible::PixelSet;
use crate::world::World;
use crate::{SynthError, zones};

/// Name of the manifest at the root of an archive.
pub const MANIFEST: &str = "synthetic.json";
/// Changes whenever equal configurations would give different pixels.
const REVISION: u32 = 2;

/// What `synthetic.json` says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    synthetic: bool,
    notice: String,
    generator: String,
    config: SynthConfig,
    scenes: usize,
    passes: usize,
    blocks: usize,
    agebs: usize,
}

fn generator() -> String {
    format!("tesela-synth {} revision {REVISION}", env!("CARGO_PKG_VERSION"))
}

/// Writes the archive that `config` describes to `out_dir`, or finds it there.
///
/// Everything is written to a hidden sibling of `out_dir` and renamed at the end. An `out_dir` that holds
/// the complete archive of an equal configuration and generator is reused; an empty or missing one is
/// created; anything else is [`SynthError::Occupied`] and stays untouched. `progress` is called from worker
/// threads after every scene.
pub fn generate(
    config: &SynthConfig,
    out_dir: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary, SynthError> {
    config.validate()?;
    remove_leftovers(out_dir)?;
    if let Some(summary) = existing(config, out_dir)? {
        return Ok(summary);
    }
    let work = Workspace::beside(out_dir)?;
    let (manifest, seconds) = build(config, &work.path, progress)?;
    write_json(&work.path.join(MANIFEST), &manifest)?;
    let bytes = size_of_tree(&work.path)?;
    if out_dir.exists() {
        // Empty, as `existing` has checked; someone else may have filled it since.
        std::fs::remove_dir(out_dir).map_err(SynthError::io(out_dir))?;
    }
    std::fs::rename(&work.path, out_dir).map_err(SynthError::io(out_dir))?;
    Ok(summary(out_dir, false, &manifest, bytes, seconds))
}

fn summary(root: &Path, reused: bool, manifest: &Manifest, bytes: u64, seconds: Timings) -> Summary {
    Summary {
        root: root.to_path_buf(),
        reused,
        scenes: manifest.scenes,
        passes: manifest.passes,
        blocks: manifest.blocks,
        agebs: manifest.agebs,
        bytes,
        seconds,
    }
}

/// The archive already at `dir`, if it is the one wanted; an error if something else is there.
fn existing(config: &SynthConfig, dir: &Path) -> Result<Option<Summary>, SynthError> {
    let occupied = || SynthError::Occupied { path: dir.to_path_buf() };
    let mut entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SynthError::io(dir)(error)),
    };
    if entries.next().is_none() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(dir.join(MANIFEST)).map_err(|_| occupied())?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| occupied())?;
    if manifest.config != *config || manifest.generator != generator() {
        return Err(occupied());
    }
    Ok(Some(summary(dir, true, &manifest, size_of_tree(dir)?, Timings::default())))
}

/// Removes what generator runs for `out_dir` left beside it when they were killed. Where the system does not
/// list its processes in `/proc`, nothing is removed.
fn remove_leftovers(out_dir: &Path) -> Result<(), SynthError> {
    let processes = Path::new("/proc");
    let Some(name) = out_dir.file_name().map(|n| n.to_string_lossy().into_owned()) else { return Ok(()) };
    if !processes.join("self").exists() {
        return Ok(());
    }
    let Ok(siblings) = std::fs::read_dir(out_dir.with_file_name(".")) else { return Ok(()) };
    for sibling in siblings {
        let path = sibling.map_err(SynthError::io(out_dir))?.path();
        let Some(process) = path.file_name().and_then(|own| writer(&own.to_string_lossy(), &name)) else {
            continue;
        };
        if !processes.join(process.to_string()).exists() {
            match std::fs::remove_dir_all(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(SynthError::io(&path)(e)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Process id in the name of a [`Workspace`] for the archive `name`.
fn writer(own: &str, name: &str) -> Option<u32> {
    let run = own.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".partial")?;
    let (process, count) = run.split_once('-')?;
    count.parse::<usize>().ok()?;
    process.parse().ok()
}

/// A hidden sibling directory, removed again unless it was renamed.
struct Workspace {
    path: PathBuf,
}

impl Workspace {
    fn beside(out_dir: &Path) -> Result<Workspace, SynthError> {
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        let Some(name) = out_dir.file_name() else {
            return Err(SynthError::Occupied { path: out_dir.to_path_buf() });
        };
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let own = format!(".{}.{}-{count}.partial", name.to_string_lossy(), std::process::id());
        let path = out_dir.with_file_name(own);
        if path.exists() {
            // Left by a dead process that had the same id.
            std::fs::remove_dir_all(&path).map_err(SynthError::io(&path))?;
        }
        std::fs::create_dir_all(&path).map_err(SynthError::io(&path))?;
        Ok(Workspace { path })
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Gone already when all went well.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn build(
    config: &SynthConfig,
    root: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(Manifest, Timings), SynthError> {
    let mut seconds = Timings::default();
    let started = Instant::now();
    let cube = Raster::cube(config.size_px);
    let raster = Raster::pass(config.size_px)?;
    let reach = raster.width.max(raster.height) as f64 * PIXEL_M / 2.0 + 500.0;
    let world = World::new(config.seed, reach);
    let cover = Cover::new(&world, &raster)?;
    let cube_cover = Cover::new(&world, &cube)?;
    let water: Vec<bool> = (0..raster.len()).map(|p| cover.is_water(&world, p)).collect();
    seconds.cover = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let passes = calendar::passes(config);
    let stage = Stage { seed: config.seed, world: &world, raster: &raster, cover: &cover, water: &water };
    let seen = write_scenes(&stage, &passes, &root.join("scenes"), progress)?;
    seconds.scenes = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let wkt = wkt(EPSG_CUBE)?;
    let truth = Truth {
        dir: &root.join("truth"),
        world: &world,
        cover: &cube_cover,
        raster: &cube,
        wkt: &wkt,
        seed: config.seed,
        passes: &passes,
        seen: &seen,
        nearest: &cube.nearest_in(&raster)?,
    };
    truth.write(config.years.clone())?;
    seconds.truth = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let (blocks, agebs) = zones::write(&root.join("zones"), world.town(), config.seed, config.size_px)?;
    seconds.zones = started.elapsed().as_secs_f64();

    let manifest = Manifest {
        synthetic: true,
        notice: NOTICE.to_owned(),
        generator: generator(),
        config: config.clone(),
        scenes: passes.iter().map(Pass::scenes).sum(),
        passes: passes.len(),
        blocks,
        agebs,
    };
    Ok((manifest, seconds))
}

fn wkt(epsg: u32) -> Result<String, SynthError> {
    let wrap = |source| SynthError::Transform { from: "EPSG registry", to: "WKT", source };
    place::srs(epsg)?.to_wkt().map_err(wrap)
}

/// Writes the scenes of all passes; returns where each pass saw the ground.
fn write_scenes(
    stage: &Stage<'_>,
    passes: &[Pass],
    dir: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<PixelSet>, SynthError> {
    std::fs::create_dir_all(dir).map_err(SynthError::io(dir))?;
    let wkt = wkt(EPSG_SCENES)?;
    let writer = SceneWriter { seed: stage.seed, raster: stage.raster, wkt: &wkt, water: stage.water };
    let cuts = Cut::both(stage.raster);
    let total = passes.iter().map(Pass::scenes).sum();
    let done = AtomicUsize::new(0);
    let first_of_2014 = passes.iter().position(|p| p.platform == Platform::Landsat8 && p.day.year() == 2014);
    let one = |(k, pass): (usize, &Pass)| {
        let sun = scene::sun_of(pass, scene::scene_time(pass, stage.seed, 0));
        let picture = render(stage, pass, &sun);
        for cut in cuts.iter().filter(|cut| pass.rows[cut.row]) {
            let level = scene::level(Some(k) == first_of_2014, cut.row);
            writer.write(dir, pass, cut, &picture, level)?;
            progress(Progress { done: 1 + done.fetch_add(1, Ordering::Relaxed), total });
        }
        Ok(writer.ground_seen(pass, &cuts, &picture))
    };
    passes.par_iter().enumerate().map(one).collect()
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), SynthError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|source| SynthError::Json { path: path.to_path_buf(), source })?;
    std::fs::write(path, text + "\n").map_err(SynthError::io(path))
}

fn size_of_tree(dir: &Path) -> Result<u64, SynthError> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).map_err(SynthError::io(dir))? {
        let entry = entry.map_err(SynthError::io(dir))?;
        let path = entry.path();
        let meta = entry.metadata().map_err(SynthError::io(&path))?;
        bytes += if meta.is_dir() { size_of_tree(&path)? } else { meta.len() };
    }
    Ok(bytes)
}
