//! `demo`: a synthetic archive, or the user's own scenes, through the same path as everything else.

mod classes;
mod score;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;
use tesela_api::ServeConfig;
use tesela_compute::Cube;
use tesela_compute::recipe::{ComputeOptions, shipped};
use tesela_index::IndexError;
use tesela_ingest::IngestOptions;
use tesela_model::{Progress, Silent};
use tesela_synth::{SynthConfig, SynthError};

use super::{ingest, products, serve, zones};
use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::output::Output;

const DEMO_PRODUCT: &str = "landsat_c2_sr";
/// How many of [`RECIPES`] every demo has: all that `--score` compares; `--all` takes the rest.
const BASIC: usize = 5;
/// Products of the demo, each behind what it is made from.
const RECIPES: [&str; 9] = [
    "geomedian_annual",
    "ndvi_annual",
    "urban_annual",
    "phenology_annual",
    "cropland_annual",
    "wofs_annual",
    "trend",
    "geomedian_semiannual",
    "ndvi_monthly",
];

/// Seconds each phase took, and what came out.
#[derive(Debug, Default, Serialize)]
struct Phases {
    synthetic: bool,
    archive_s: f64,
    ingest_s: f64,
    compute_s: f64,
    zones_s: f64,
    scenes: usize,
    periods: usize,
    cube_mb: f64,
    archive_mb: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<score::Score>,
}

/// Makes, or completes, the demo cube and serves it.
pub fn run(
    dir: &Path,
    args: &DemoArgs,
    progress: &dyn Progress,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if args.score && args.scenes.is_some() {
        return Err(Failure::Message(
            "--score compares with the synthetic truth; it does not go with --scenes".into(),
        ));
    }
    let mut phases = Phases { synthetic: args.scenes.is_none(), ..Phases::default() };
    let cube = match Cube::open(dir) {
        Ok(cube) => {
            require_grid(&cube, args.grid.as_deref())?;
            cube
        }
        Err(tesela_compute::ComputeError::Index(IndexError::Missing { .. })) => {
            let cube = products::create(dir)?;
            if let Some(own) = &args.scenes {
                choose_grid(&cube, own, args.grid.as_deref(), progress)?;
            }
            cube
        }
        Err(e) => return Err(e.into()),
    };
    let archive = args.archive.clone().unwrap_or_else(|| dir.join("synthetic"));
    let scenes = match &args.scenes {
        Some(own) => own.clone(),
        None => {
            let started = Instant::now();
            let summary = generate(&archive, args, progress)?;
            phases.archive_s = started.elapsed().as_secs_f64();
            phases.archive_mb = summary.bytes as f64 / 1e6;
            archive.join("scenes")
        }
    };
    add_scenes(&cube, scenes, progress, output, &mut phases)?;
    compute(&cube, args.all, progress, &mut phases)?;
    if phases.synthetic {
        let started = Instant::now();
        add_zones(&cube, &archive)?;
        phases.zones_s = started.elapsed().as_secs_f64();
    }
    phases.cube_mb = folder_bytes(&cube.store_dir()) as f64 / 1e6;
    let mut code = ExitCode::SUCCESS;
    if args.score {
        let score = score::score(&cube, &archive, progress)?;
        if !score.passed {
            code = ExitCode::from(1);
        }
        phases.score = Some(score);
    }
    output.answer(&phases, || words(&phases));
    if args.no_serve {
        return Ok(code);
    }
    serve::serve(cube, ServeConfig::default(), args.bind, output)?;
    Ok(code)
}

/// A cube that stands keeps its grid: asking for another is refused.
fn require_grid(cube: &Cube, asked: Option<&str>) -> Result<(), Failure> {
    let Some(asked) = asked.map(products::read_grid).transpose()? else { return Ok(()) };
    let catalog = cube.fresh_catalog()?;
    let grid = &catalog.product(DEMO_PRODUCT)?.grid;
    if *grid.id == asked.id {
        return Ok(());
    }
    Err(Failure::Message(format!(
        "the cube is there already, on grid {}, not {}: leave --grid out or take a new --cube",
        grid.id, asked.id
    )))
}

/// Moves a new cube's products to the grid asked for or, when no scene lies on theirs, to the UTM zone of most.
fn choose_grid(
    cube: &Cube,
    scenes: &Path,
    asked: Option<&str>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    if let Some(name) = asked {
        return products::add_shipped(cube, Some(&products::read_grid(name)?));
    }
    let paths = [scenes.to_owned()];
    let dry_run = IngestOptions { dry_run: true, ..IngestOptions::default() };
    let report = ingest::add(cube, DEMO_PRODUCT, &paths, &dry_run, &Silent)?;
    if report.added > 0 || !report.refused.iter().any(|r| r.code == "outside_grid") {
        return Ok(());
    }
    let mut by_zone: BTreeMap<u8, usize> = BTreeMap::new();
    for scene in tesela_ingest::source::discover(&paths).scenes {
        if let Some(zone) = scene.mtl.and_then(|m| m.utm_zone) {
            *by_zone.entry(zone).or_default() += 1;
        }
    }
    if let Some((zone, _)) = by_zone.into_iter().max_by_key(|(_, scenes)| *scenes) {
        let grid = products::read_grid(&format!("utm{zone}_30"))?;
        progress.note(&format!("no scene lies on the national grid: the cube's grid is {}", grid.id));
        products::add_shipped(cube, Some(&grid))?;
    }
    Ok(())
}

fn generate(
    archive: &Path,
    args: &DemoArgs,
    progress: &dyn Progress,
) -> Result<tesela_synth::Summary, Failure> {
    let config = SynthConfig {
        seed: args.seed,
        years: args.years.0..=args.years.1,
        size_px: args.size,
        ..SynthConfig::default()
    };
    let told = AtomicU64::new(0);
    progress.begin("make synthetic scenes", 0, "scenes");
    let begun = AtomicU64::new(0);
    let summary = tesela_synth::generate(&config, archive, &|p| {
        if begun.swap(1, Ordering::Relaxed) == 0 {
            progress.begin("make synthetic scenes", p.total as u64, "scenes");
        }
        let done = p.done as u64;
        let before = told.fetch_max(done, Ordering::Relaxed);
        progress.advance(done.saturating_sub(before));
    });
    progress.end();
    summary.map_err(|e| match e {
        SynthError::Occupied { path } => Failure::Message(format!(
            "{}: holds something else than the synthetic archive asked for (another --seed, --years, --size or \
             version of tesela, or files of yours): give another --archive or remove it, and take a new --cube for \
             it, since one cube should not hold scenes of two archives",
            path.display()
        )),
        e => e.into(),
    })
}

fn add_scenes(
    cube: &Cube,
    scenes: PathBuf,
    progress: &dyn Progress,
    output: &Output,
    phases: &mut Phases,
) -> Result<(), Failure> {
    let started = Instant::now();
    let _lock = cube.lock("demo")?;
    let report =
        ingest::add(cube, DEMO_PRODUCT, std::slice::from_ref(&scenes), &IngestOptions::default(), progress)?;
    phases.ingest_s = started.elapsed().as_secs_f64();
    phases.scenes = report.added + report.already;
    if phases.scenes == 0 {
        let reasons: Vec<String> = report.refused.iter().take(5).map(|r| r.reason.clone()).collect();
        return Err(Failure::Message(format!(
            "no scene of {} could be used\n{}",
            scenes.display(),
            reasons.join("\n")
        )));
    }
    if !output.is_json() {
        output.print(&format!(
            "{} scenes in the cube ({} new, {} refused: see `tesela quarantine list`)",
            phases.scenes,
            report.added,
            report.refused.len()
        ));
    }
    Ok(())
}

fn compute(cube: &Cube, all: bool, progress: &dyn Progress, phases: &mut Phases) -> Result<(), Failure> {
    let started = Instant::now();
    let _lock = cube.lock("demo")?;
    for name in RECIPES.into_iter().take(if all { RECIPES.len() } else { BASIC }) {
        let report = cube.compute(&shipped(name)?, &ComputeOptions::default(), progress)?;
        phases.periods += report.computed.len() + report.current;
    }
    phases.compute_s = started.elapsed().as_secs_f64();
    Ok(())
}

fn add_zones(cube: &Cube, archive: &Path) -> Result<(), Failure> {
    let known = cube.fresh_catalog()?;
    for (id, file, es, en) in [
        ("manzanas@demo", "manzanas.gpkg", "Manzanas (sintéticas)", "Census blocks (synthetic)"),
        ("agebs@demo", "agebs.gpkg", "AGEB (sintéticas)", "AGEB (synthetic)"),
        (
            "municipio@demo",
            "municipio.geojson",
            "Municipio ficticio (sintético)",
            "Fictional municipality (synthetic)",
        ),
    ] {
        if known.zone_sets.contains_key(id) {
            continue;
        }
        let title = BTreeMap::from([("es".to_owned(), es.to_owned()), ("en".to_owned(), en.to_owned())]);
        zones::add(
            cube,
            &archive.join("zones").join(file),
            None,
            "CVEGEO",
            id,
            Some("demo".into()),
            title,
            true,
        )?;
    }
    Ok(())
}

fn folder_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|e| match e.metadata() {
            Ok(m) if m.is_dir() => folder_bytes(&e.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}

fn words(p: &Phases) -> String {
    let mut text = String::new();
    if p.synthetic {
        text += &format!(
            "SYNTHETIC DATA: made by tesela demo, not observed\nscenes made in {:.1} s ({:.0} MB)\n",
            p.archive_s, p.archive_mb
        );
    }
    text += &format!(
        "{} scenes ingested in {:.1} s\n{} rasters computed in {:.1} s\nzones in {:.1} s\ncube {:.0} MB",
        p.scenes, p.ingest_s, p.periods, p.compute_s, p.zones_s, p.cube_mb
    );
    if let Some(s) = &p.score {
        text += &format!("\n{}", s.words());
    }
    text
}
