//! The same bytes however a recipe is worked: threads, blocks, several workers, cut off and taken up, tiles taken over.

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};

use tesela_model::{Progress, RecipeDef};

use super::*;
use crate::recipe::Share;

/// Objects of every raster of a product by name inside its group, documents apart.
fn objects(cube: &Cube, product: &str) -> BTreeMap<String, String> {
    let snapshot = cube.index().latest_snapshot().unwrap();
    let rows = cube.index().generations(product, snapshot).unwrap();
    let inside = |key: &str| {
        let row = rows.iter().find(|r| key.starts_with(&format!("{}/", r.prefix)))?;
        Some(format!("{}{}", row.period.label(), key.strip_prefix(&row.prefix)?))
    };
    let all = cube.index().objects().unwrap().into_iter();
    all.filter(|o| !o.key.ends_with("zarr.json")).filter_map(|o| Some((inside(&o.key)?, o.digest))).collect()
}

/// What `check` says of objects; the slots of these tests have neither scenes nor overviews.
fn faults(cube: &Cube) -> Vec<crate::check::Fault> {
    let all = cube.check(&Silent).unwrap().faults.into_iter();
    all.filter(|f| !f.kind.starts_with("index_")).collect()
}

fn recipe(name: &str) -> RecipeDef {
    let mut recipe = shipped_recipe(name).unwrap().unwrap();
    // Does not reach over edges.
    recipe.mask = if recipe.reducer.takes_scenes() { "clouds" } else { "none" }.into();
    recipe
}

fn run(cube: &Cube, name: &str, options: &ComputeOptions) -> ComputeReport {
    cube.compute(&recipe(name), options, &Silent).unwrap()
}

const RECIPES: [&str; 8] = [
    "geomedian_annual",
    "ndvi_annual",
    "ndvi_monthly",
    "wofs_annual",
    "phenology_annual",
    "trend",
    "urban_annual",
    "cropland_annual",
];

#[test]
fn bytes_depend_on_neither_threads_nor_blocks_nor_chunks() {
    let (_a, one) = cube(Form::Recent, true);
    let (_b, two) = cube(Form::Archive, true);
    for name in RECIPES {
        let many = run(&one, name, &ComputeOptions { threads: Some(2), ..ComputeOptions::default() });
        // One year is too little for a trend.
        assert!(!many.computed.is_empty() && (many.pixels > 0 || name == "trend"), "{name}: {many:?}");
        let most = 900 << 20;
        let little = (1..).map(|mb| mb << 20).find(|bytes| {
            let options =
                ComputeOptions { memory_bytes: Some(*bytes), dry_run: true, ..ComputeOptions::default() };
            *bytes > most || two.compute(&recipe(name), &options, &Silent).is_ok()
        });
        let tight = ComputeOptions { memory_bytes: little, threads: Some(1), ..ComputeOptions::default() };
        let few = run(&two, name, &tight);
        assert_eq!(many.pixels, few.pixels, "{name}");
        assert_eq!(objects(&one, name), objects(&two, name), "{name}");
        let again = run(&one, name, &ComputeOptions::default());
        assert!(again.computed.is_empty() && again.current == many.computed.len(), "{name}: {again:?}");
    }
}

#[test]
fn workers_share_a_plan_and_a_duplicate_does_no_harm() {
    let (_a, one) = cube(Form::Archive, true);
    let (_b, shared) = cube(Form::Archive, true);
    for name in ["geomedian_annual", "ndvi_annual", "trend"] {
        let options = ComputeOptions::default();
        run(&one, name, &options);
        let plan = shared.plan(&recipe(name), &options).unwrap().unwrap();
        let (units, run) = (plan.units().count(), plan.run.clone());
        let early = shared.commit_plan(&run).unwrap_err().to_string();
        assert!(early.contains(&format!("{units} of {units} units are not done")), "{early}");
        let before = shared.index().latest_snapshot().unwrap();
        let work = |share| shared.work(&run, share, &options, &Silent).unwrap();
        let done: usize = std::thread::scope(|scope| {
            let shares =
                [Share::Index { index: 0, of: 2 }, Share::Index { index: 1, of: 2 }, Share::All, Share::All];
            let workers: Vec<_> = shares.into_iter().map(|s| scope.spawn(move || work(s))).collect();
            workers.into_iter().map(|w| w.join().unwrap().done).sum()
        });
        assert_eq!(done, units, "{name}");
        assert_eq!(shared.index().latest_snapshot().unwrap(), before, "work is not visible");
        assert_eq!(faults(&shared), []);
        let report = shared.commit_plan(&run).unwrap();
        assert_eq!(report.units, units);
        assert_eq!(objects(&one, name), objects(&shared, name), "{name}");
        assert!(shared.plans().unwrap().is_empty());
        let gone = shared.commit_plan(&run).unwrap_err().to_string();
        assert!(gone.contains("there is no plan"), "{gone}");
    }
}

#[test]
fn a_dropped_plan_leaves_nothing() {
    let (_dir, cube) = cube(Form::Archive, true);
    let before = cube.store().list(None).unwrap().len();
    let plan = cube.plan(&recipe("geomedian_annual"), &ComputeOptions::default()).unwrap().unwrap();
    cube.work(&plan.run, Share::Index { index: 0, of: 2 }, &ComputeOptions::default(), &Silent).unwrap();
    assert!(cube.store().list(None).unwrap().len() > before);
    cube.drop_plan(&plan.run).unwrap();
    assert_eq!(cube.store().list(None).unwrap().len(), before);
    assert!(cube.index().planned_runs().unwrap().is_empty());
}

#[test]
fn a_plan_is_not_dropped_under_a_worker() {
    let (_dir, cube) = cube(Form::Archive, true);
    let before = cube.store().list(None).unwrap().len();
    let plan = cube.plan(&recipe("geomedian_annual"), &ComputeOptions::default()).unwrap().unwrap();
    let run = plan.run.clone();
    // Asked at every block, while the worker has the plan.
    let asks = Asks { cube: &cube, run: run.clone(), refused: AtomicU64::new(0) };
    cube.work(&run, Share::All, &ComputeOptions::default(), &asks).unwrap();
    assert!(asks.refused.load(Ordering::Relaxed) > 0);
    assert!(cube.store().list(None).unwrap().len() > before);
    // What a worker that was killed was about to write goes with the plan.
    let prefix = tesela_layout::names::generation_prefix("geomedian_annual", &plan.jobs[0].periods[0], &run);
    let staged = cube.store_dir().join(&prefix).join("red/c/0/0/.tmp-1-1");
    std::fs::write(&staged, b"half").unwrap();
    cube.drop_plan(&run).unwrap();
    assert_eq!(cube.store().list(None).unwrap().len(), before);
    assert!(!staged.exists() && cube.store().objects().leftovers(None).unwrap().is_empty());
    let gone = cube.work(&run, Share::All, &ComputeOptions::default(), &Silent).unwrap_err().to_string();
    assert!(gone.contains(&format!("no plan {run}")), "{gone}");
}

/// Tries to drop a plan, and to collect it as abandoned, at every step of those who work it.
struct Asks<'c> {
    cube: &'c Cube,
    run: String,
    refused: AtomicU64,
}

impl Progress for Asks<'_> {
    fn begin(&self, _phase: &str, _total: u64, _unit: &str) {}
    fn advance(&self, _n: u64) {
        let refused = self.cube.drop_plan(&self.run).unwrap_err().to_string();
        assert!(refused.contains("is being worked by another process"), "{refused}");
        assert!(self.cube.abandoned_plans(std::time::Duration::ZERO).unwrap().is_empty());
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
    fn note(&self, _message: &str) {}
    fn end(&self) {}
}

#[test]
fn garbage_collection_drops_plans_that_nobody_works() {
    let (_dir, cube) = cube(Form::Archive, true);
    let before = cube.store().list(None).unwrap().len();
    let plan = cube.plan(&recipe("geomedian_annual"), &ComputeOptions::default()).unwrap().unwrap();
    cube.work(&plan.run, Share::Index { index: 0, of: 2 }, &ComputeOptions::default(), &Silent).unwrap();
    let collect = |days: u64, dry_run: bool| {
        let keep = std::time::Duration::from_secs(days * 86_400);
        let options = crate::keep::GcOptions { keep, grace: std::time::Duration::ZERO, dry_run };
        cube.gc(&options, &Silent).unwrap().plans
    };
    assert_eq!(collect(90, false), Vec::<String>::new());
    // As if nothing had been done for it for a hundred days.
    let dir = cube.dir().join("plans").join(&plan.run);
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(100 * 86_400);
    for name in ["plan.json", "units"] {
        std::fs::File::open(dir.join(name)).unwrap().set_modified(then).unwrap();
    }
    assert_eq!(collect(110, false), Vec::<String>::new());
    assert_eq!(collect(90, true), std::slice::from_ref(&plan.run));
    assert!(dir.exists());
    assert_eq!(collect(90, false), std::slice::from_ref(&plan.run));
    assert!(!dir.exists() && cube.index().planned_runs().unwrap().is_empty());
    assert_eq!(cube.store().list(None).unwrap().len(), before);
    // A process died between noting its run and writing the plan, another while it removed one.
    cube.index().begin_run("plan").unwrap();
    std::fs::create_dir_all(cube.dir().join("plans/half/units")).unwrap();
    collect(90, false);
    assert!(cube.index().planned_runs().unwrap().is_empty() && !cube.dir().join("plans/half").exists());
}

/// Asks to stop after so many blocks.
struct StopsAfter {
    left: AtomicU64,
}

impl Progress for StopsAfter {
    fn begin(&self, _phase: &str, _total: u64, _unit: &str) {}
    fn advance(&self, n: u64) {
        let _ =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(n)));
    }
    fn note(&self, _message: &str) {}
    fn end(&self) {}
    fn cancelled(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn a_run_that_was_cut_off_goes_on_where_it_was() {
    let (_a, whole) = cube(Form::Recent, true);
    let (_b, cut) = cube(Form::Recent, true);
    run(&whole, "geomedian_annual", &ComputeOptions::default());
    // One block a tile: the first unit is done, the second is not begun.
    let stops = StopsAfter { left: AtomicU64::new(1) };
    let options = ComputeOptions { threads: Some(1), ..ComputeOptions::default() };
    let stopped = cut.compute(&recipe("geomedian_annual"), &options, &stops);
    assert!(matches!(stopped, Err(crate::ComputeError::Cancelled)), "{stopped:?}");
    let [(plan, done)] = cut.plans().unwrap().try_into().unwrap();
    assert_eq!((plan.units().count(), done), (2, 1));
    let report = run(&cut, "geomedian_annual", &ComputeOptions::default());
    assert_eq!(report.computed.len(), 1);
    assert_eq!(objects(&whole, "geomedian_annual"), objects(&cut, "geomedian_annual"));
    assert!(cut.plans().unwrap().is_empty());
    assert_eq!(faults(&cut), []);
}

#[test]
fn tiles_that_no_scene_touched_are_taken_over() {
    let (_dir, cube) = cube(Form::Recent, true);
    let name = "geomedian_annual";
    run(&cube, name, &ComputeOptions::default());
    let path = |cube: &Cube, end: &str| {
        let snapshot = cube.index().latest_snapshot().unwrap();
        let row = cube.index().generations(name, snapshot).unwrap().remove(0);
        cube.store_dir().join(format!("{}/{end}", row.prefix))
    };
    let inode = |cube: &Cube, end: &str| std::fs::metadata(path(cube, end)).unwrap().ino();
    let (west, east) = ("red/c/0/0/0", "red/c/0/0/1");
    let before = (inode(&cube, west), inode(&cube, east));
    // The eastern tile again, as another revision of its slots.
    commit(&cube, TileId { ix: 1, iy: 0 }, Form::Recent, true);
    let report = run(&cube, name, &ComputeOptions::default());
    assert_eq!((report.computed.len(), report.kept, report.units), (1, 1, 1));
    assert_eq!(inode(&cube, west), before.0, "the western tile is the same file");
    assert_ne!(inode(&cube, east), before.1);
    let taken_over = objects(&cube, name);
    run(&cube, name, &ComputeOptions { force: true, ..ComputeOptions::default() });
    assert_eq!(taken_over, objects(&cube, name), "as if all had been made again");
    assert_eq!(faults(&cube), []);
    // A mask that grows flags over edges touches the neighbour too.
    let shipped = shipped_recipe(name).unwrap().unwrap();
    let catalog = cube.fresh_catalog().unwrap();
    let input = catalog.product(SCENES).unwrap();
    assert!(crate::mask::Masker::new(input.mask(&shipped.mask).unwrap(), 1.0).unwrap().halo() > 0);
    cube.compute(&shipped, &ComputeOptions::default(), &Silent).unwrap();
    commit(&cube, TileId { ix: 1, iy: 0 }, Form::Recent, true);
    let report = cube.compute(&shipped, &ComputeOptions::default(), &Silent).unwrap();
    assert_eq!((report.kept, report.units), (0, 2));
}

#[test]
fn rasters_of_rasters_are_taken_over_where_the_input_has_the_same_bytes() {
    let (_dir, cube) = cube(Form::Recent, true);
    let any = ComputeOptions::default();
    for name in ["geomedian_annual", "ndvi_annual", "trend"] {
        run(&cube, name, &any);
    }
    // The eastern tile again: another revision, the same pixels. The geomedian is another raster of the same bytes.
    commit(&cube, TileId { ix: 1, iy: 0 }, Form::Recent, true);
    let again = |name: &str| {
        let report = run(&cube, name, &any);
        (report.computed.len(), report.kept, report.units)
    };
    assert_eq!(again("geomedian_annual"), (1, 1, 1));
    assert_eq!(again("ndvi_annual"), (1, 2, 0));
    assert_eq!(again("trend"), (1, 2, 0));
    // And with other pixels.
    let before = objects(&cube, "ndvi_annual");
    commit_brighter(&cube, TileId { ix: 1, iy: 0 }, Form::Recent, true, 777.0);
    assert_eq!(again("geomedian_annual"), (1, 1, 1));
    assert_eq!(again("ndvi_annual"), (1, 1, 1));
    assert_eq!(again("trend"), (1, 1, 1));
    for name in ["ndvi_annual", "trend"] {
        let taken_over = objects(&cube, name);
        run(&cube, name, &ComputeOptions { force: true, ..ComputeOptions::default() });
        assert_eq!(taken_over, objects(&cube, name), "{name}, as if all had been made again");
    }
    let after = objects(&cube, "ndvi_annual");
    assert_ne!(before, after);
    let west = "2020/ndvi/c/0/0/0";
    assert_eq!(before[west], after[west]);
    assert_eq!(faults(&cube), []);
    // A chain looks further than a tile: it is always made again.
    run(&cube, "urban_annual", &any);
    commit(&cube, TileId { ix: 1, iy: 0 }, Form::Recent, true);
    run(&cube, "geomedian_annual", &any);
    assert_eq!(again("urban_annual"), (1, 0, 2));
}

#[test]
fn provenance_names_recipe_software_and_inputs() {
    let (_dir, cube) = cube(Form::Recent, true);
    let any = ComputeOptions::default();
    run(&cube, "geomedian_annual", &any);
    run(&cube, "ndvi_annual", &any);
    let told = |name: &str| -> serde_json::Value {
        let snapshot = cube.index().latest_snapshot().unwrap();
        let row = cube.index().generations(name, snapshot).unwrap().remove(0);
        serde_json::from_str(&row.provenance).unwrap()
    };
    let (geomedian, ndvi) = (told("geomedian_annual"), told("ndvi_annual"));
    let made_by: RecipeDef = serde_json::from_value(ndvi["definition"].clone()).unwrap();
    assert_eq!((made_by.recipe.as_str(), &made_by.reducer), ("ndvi_annual", &recipe("ndvi_annual").reducer));
    assert!(ndvi["software"].as_str().unwrap().starts_with("tesela "));
    // These slots have no scenes.
    assert_eq!((&geomedian["slots"], &geomedian["inputs"]["count"]), (&(2 * DATES).into(), &0.into()));
    assert_eq!((&ndvi["inputs"]["kind"], &ndvi["inputs"]["count"]), (&"rasters".into(), &1.into()));
    let recorded = ndvi["inputs"]["digest"].clone();
    // The same bytes under another name have the same digest; other bytes have another.
    let force = ComputeOptions { force: true, ..ComputeOptions::default() };
    run(&cube, "geomedian_annual", &force);
    run(&cube, "ndvi_annual", &any);
    assert_eq!(told("ndvi_annual")["inputs"]["digest"], recorded);
    commit_brighter(&cube, TileId { ix: 1, iy: 0 }, Form::Recent, true, 777.0);
    run(&cube, "geomedian_annual", &any);
    run(&cube, "ndvi_annual", &any);
    assert_ne!(told("ndvi_annual")["inputs"]["digest"], recorded);
}

#[test]
fn expressions_that_do_not_add_up_are_refused() {
    let (_dir, cube) = cube(Form::Recent, true);
    let any = ComputeOptions::default();
    run(&cube, "geomedian_annual", &any);
    run(&cube, "urban_annual", &any);
    let says = |name: &str, input: &str, text: &str| {
        let mut recipe = recipe(name);
        recipe.input = input.into();
        match &mut recipe.reducer {
            tesela_model::Reducer::Statistics { expression, .. }
            | tesela_model::Reducer::Expression { expression, .. } => *expression = text.into(),
            other => panic!("{other:?}"),
        }
        cube.compute(&recipe, &any, &Silent).map_err(|e| e.to_string())
    };
    let flags = says("ndvi_monthly", SCENES, "red + qa_pixel").unwrap_err();
    assert!(
        flags.contains("column 7") && flags.contains("`codes`") && flags.contains("ndvi_monthly"),
        "{flags}"
    );
    let classes = says("ndvi_annual", "urban_annual", "class + evidence").unwrap_err();
    assert!(classes.contains("column 9") && classes.contains("codes"), "{classes}");
    let units = says("ndvi_annual", "urban_annual", "change_year - probability").unwrap_err();
    assert!(units.contains("column 15") && units.contains("`%`") && units.contains("`year`"), "{units}");
    assert!(says("ndvi_annual", "urban_annual", "probability / 100").is_ok());
}

#[test]
fn bad_requests_say_what_is_wrong() {
    let (_dir, cube) = cube(Form::Recent, true);
    let refused = |change: &dyn Fn(&mut RecipeDef), options: &ComputeOptions| {
        let mut recipe = recipe("ndvi_monthly");
        change(&mut recipe);
        cube.compute(&recipe, options, &Silent).unwrap_err().to_string()
    };
    let any = ComputeOptions::default();
    let says = refused(&|r| r.input = "nothing".into(), &any);
    assert!(says.contains("nothing") && says.contains(SCENES), "{says}");
    let says = refused(&|r| r.mask = "cloudz".into(), &any);
    assert!(says.contains("cloudz") && says.contains("standard"), "{says}");
    let unknown = |r: &mut RecipeDef| {
        let tesela_model::Reducer::Statistics { expression, .. } = &mut r.reducer else { panic!() };
        *expression = "(nir - rad) / nir".into();
    };
    let says = refused(&unknown, &any);
    assert!(says.contains("column 8") && says.contains("red"), "{says}");
    let little = ComputeOptions { memory_bytes: Some(64 << 20), ..ComputeOptions::default() };
    let says = refused(&|_| {}, &little);
    assert!(says.contains("64 MB") && says.contains("--memory"), "{says}");
    let years = ComputeOptions { years: Some((1900, 1901)), ..ComputeOptions::default() };
    assert!(cube.compute(&recipe("ndvi_monthly"), &years, &Silent).unwrap().computed.is_empty());
    run(&cube, "geomedian_annual", &any);
    let years = ComputeOptions { years: Some((2020, 2020)), ..ComputeOptions::default() };
    let says = cube.compute(&recipe("urban_annual"), &years, &Silent).unwrap_err().to_string();
    assert!(says.contains("--years"), "{says}");
    let says = refused(&|r| r.input = "geomedian_annual".into(), &any);
    assert!(says.contains("scenes product"), "{says}");
}
