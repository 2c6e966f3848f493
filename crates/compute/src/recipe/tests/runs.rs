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
