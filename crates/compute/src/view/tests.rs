//! Views over a small cube: tiles of 64 px, rasters of different extents, slots in objects of their own and in
//! archive blocks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tesela_crs::crs_info;
use tesela_grid::{CrsName, GridDef, GridExtent, PixelWindow, TileId};
use tesela_index::{GenerationCommit, IngestCommit, NewGeneration, NewGroup, NewSlot, ProductKind};
use tesela_layout::names::{TILE_LEVELS, generation_prefix, slots_prefix, tiles_window};
use tesela_layout::{Shape, array_spec, group_spec};
use tesela_model::{Band, Instant, Period, RecipeDef, Silent, shipped_product};
use tesela_store::{ArrayRef, ArraySpec, Codec, ObjectKey, Pixels, Store, StoreOptions, Window};

use super::View;
use crate::{ComputeError, Cube};

const SIDE: usize = 64;
const DERIVED: &str = "squares";
const SCENES: &str = "landsat_c2_sr";
const DAY_S: i64 = 86_400;

const fn tile(ix: i32, iy: i32) -> TileId {
    TileId { ix, iy }
}

fn grid() -> GridDef {
    GridDef {
        id: "test_30".into(),
        title: BTreeMap::new(),
        crs: CrsName::epsg(32614),
        resolution: 30.0,
        origin: [0.0, 0.0],
        tile_size: SIDE as u32,
        extent: GridExtent { ix: [0, 99], iy: [0, 99] },
    }
}

fn recipe() -> RecipeDef {
    serde_json::from_value(json!({
        "recipe": DERIVED, "version": "1", "title": {"es": "Cuadros", "en": "Squares"}, "status": "experimental",
        "input": SCENES, "period": "year", "mask": "none",
        "reducer": {"expression": {"expression": "red", "band": "red"}},
        "outputs": [{"name": "red", "dtype": "uint16", "nodata": 0, "scale": 1.0e-4}],
        "styles": [{"name": "red", "title": {"es": "R", "en": "R"}, "band": "red",
                    "ramp": [{"value": 0, "color": "#000000"}, {"value": 1, "color": "#ffffff"}]}]
    }))
    .unwrap()
}

fn cube() -> (TempDir, Cube) {
    let dir = tempfile::tempdir().unwrap();
    let cube = Cube::create(&dir.path().join("cube")).unwrap();
    let (grid, recipe) = (grid(), recipe());
    let mut product = shipped_product(SCENES).unwrap().unwrap();
    product.grid = grid.id.clone();
    let index = cube.index();
    index.put_grid(&grid).unwrap();
    let scenes = serde_json::to_string(&product).unwrap();
    index.put_product(SCENES, ProductKind::Scenes, &grid.id, &scenes).unwrap();
    let derived = serde_json::to_string(&recipe).unwrap();
    index.put_product(DERIVED, ProductKind::Derived, &grid.id, &derived).unwrap();
    (dir, cube)
}

fn group(prefix: &ObjectKey) -> NewGroup {
    NewGroup { prefix: prefix.as_str().into(), archive: false, objects: Vec::new() }
}

/// A value for each pixel of the grid, date and band; never nodata.
fn value(date: i64, band: usize, px: i64, py: i64) -> u16 {
    (date * 7919 + band as i64 * 101 + px * 31 + py * 17).rem_euclid(40_000) as u16 + 2
}

fn values(date: i64, band: usize, window: &PixelWindow) -> Vec<u16> {
    let pixels = (window.py..window.py_end()).flat_map(|y| (window.px..window.px_end()).map(move |x| (x, y)));
    pixels.map(|(x, y)| value(date, band, x, y)).collect()
}

/// Commits a year over tiles `min` to before `end`; level 0 is full, the others are left empty but for their corner.
fn commit_year(
    cube: &Cube,
    year: i16,
    min: TileId,
    end: TileId,
    inner: u32,
    change: impl Fn(&mut ArraySpec),
) {
    let (grid, recipe) = (grid(), recipe());
    let period = Period::year(year).unwrap();
    let run = cube.index().begin_run("test").unwrap();
    let prefix = ObjectKey::new(&generation_prefix(DERIVED, &period, &run)).unwrap();
    let windows: Vec<PixelWindow> = (0..=4).map(|level| tiles_window(&grid, min, end, level)).collect();
    let mut specs = Vec::new();
    for (level, window) in (0..=4).zip(&windows) {
        let shape = if level <= TILE_LEVELS {
            Shape::tiled(1, window, 1, grid.level_tile_size(level), inner)
        } else {
            Shape::whole(1, window, inner)
        };
        let mut spec = array_spec(&Band::from(&recipe.outputs[0]), level, shape, Codec::Zstd5Byte);
        change(&mut spec);
        let array = ArrayRef::from_spec(&prefix, &spec).unwrap();
        let [_, rows, columns] = array.shard_counts();
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            let mut shard = cube.store().shard_writer(&array, [0, y, x]).unwrap();
            let [_, height, width] = shard.extent();
            let [_, sy, sx] = array.shard();
            let here = PixelWindow::new(
                window.px + (x * sx) as i64,
                window.py + (y * sy) as i64,
                width as usize,
                height as usize,
            );
            let pixels = Pixels::U16(values(i64::from(year), level as usize, &here));
            shard.put_window(0, 0, 0, here.height, here.width, &pixels).unwrap();
            shard.finish().unwrap();
        }
        specs.push(spec);
    }
    let crs = crs_info(&grid.crs).unwrap();
    let time = vec![period.start];
    cube.store()
        .write_group(&group_spec(prefix.clone(), &grid, &crs, &windows, time, specs, Map::new()))
        .unwrap();
    let generation = NewGeneration {
        period,
        group: group(&prefix),
        tile_min: min,
        tile_end: end,
        provenance: "{}".into(),
        slots: Vec::new(),
        sources: Vec::new(),
    };
    cube.index()
        .commit_generations(&GenerationCommit {
            product: DERIVED.into(),
            run: run.clone(),
            generations: vec![generation],
            summary: "{}".into(),
            ..GenerationCommit::default()
        })
        .unwrap();
    cube.index().end_run(&run).unwrap();
    cube.fresh_catalog().unwrap();
}

/// Commits slots of one tile, one a date (days since 1970, platform), in one group cut up as said.
fn commit_slots(cube: &Cube, tile: TileId, dates: &[(i64, &str)], shape: Shape, codec: Codec) {
    let grid = grid();
    let catalog = cube.fresh_catalog().unwrap();
    let product = catalog.product(SCENES).unwrap();
    let run = cube.index().begin_run("test").unwrap();
    let prefix = ObjectKey::new(&slots_prefix(SCENES, tile, &run, 0)).unwrap();
    let window = grid.tile_window(tile, 0);
    // The second tile's scenes come half a minute later.
    let time = |day: i64| Instant(day * DAY_S + 61_000 + i64::from(tile.ix) * 24);
    let specs: Vec<ArraySpec> = product.bands.iter().map(|b| array_spec(b, 0, shape, codec)).collect();
    for (i, (band, spec)) in product.bands.iter().zip(&specs).enumerate() {
        let array = ArrayRef::from_spec(&prefix, spec).unwrap();
        for shard in 0..array.shard_counts()[0] {
            let mut writer = cube.store().shard_writer(&array, [shard, 0, 0]).unwrap();
            for t in 0..writer.extent()[0] {
                let day = dates[(shard * array.shard()[0] + t) as usize].0;
                let pixels: Vec<f64> = values(day, i, &window).iter().map(|&v| f64::from(v)).collect();
                writer.put_window(t, 0, 0, SIDE, SIDE, &of_type(band, &pixels)).unwrap();
            }
            writer.finish().unwrap();
        }
    }
    let crs = crs_info(&grid.crs).unwrap();
    let times = dates.iter().map(|(day, _)| time(*day)).collect();
    cube.store()
        .write_group(&group_spec(prefix.clone(), &grid, &crs, &[window], times, specs, Map::new()))
        .unwrap();
    let slots = dates.iter().zip(0..).map(|((day, platform), position)| NewSlot {
        tile,
        solar_day: time(*day).date().to_string(),
        time: time(*day),
        platform: (*platform).to_owned(),
        prefix: prefix.as_str().into(),
        position,
        scenes: Vec::new(),
    });
    cube.index()
        .commit_ingest(&IngestCommit {
            product: SCENES.into(),
            run: run.clone(),
            slot_groups: vec![group(&prefix)],
            slots: slots.collect(),
            summary: "{}".into(),
            ..IngestCommit::default()
        })
        .unwrap();
    cube.index().end_run(&run).unwrap();
    cube.fresh_catalog().unwrap();
}

/// Values as a band stores them, wrapped into its range.
fn of_type(band: &Band, values: &[f64]) -> Pixels {
    match band.dtype {
        tesela_model::DType::Uint8 => Pixels::U8(values.iter().map(|&v| (v % 200.0) as u8 + 1).collect()),
        tesela_model::DType::Uint16 => Pixels::U16(values.iter().map(|&v| v as u16).collect()),
        tesela_model::DType::Int16 => Pixels::I16(values.iter().map(|&v| (v % 30_000.0) as i16).collect()),
        tesela_model::DType::Float32 => Pixels::F32(values.iter().map(|&v| v as f32).collect()),
    }
}

fn bytes(cube: &Cube, view: &View, key: &str) -> Option<Vec<u8>> {
    let object = cube.view_object(view, key).unwrap()?;
    let size = object.size;
    let bytes = cube.view_bytes(object, 0..size).unwrap();
    assert_eq!(bytes.len() as u64, size);
    Some(bytes)
}

fn document(cube: &Cube, view: &View, key: &str) -> Value {
    serde_json::from_slice(&bytes(cube, view, key).unwrap()).unwrap()
}

/// The exported directory as an array of a store.
fn exported(cube: &Cube, dir: &TempDir, product: &str, name: &str) -> (Store, ArrayRef) {
    let to = dir.path().join(product);
    if !to.exists() {
        cube.export_view(product, None, &to, false, &Silent).unwrap();
    }
    let store = Store::open_local(dir.path(), &StoreOptions::default()).unwrap();
    let array = store.open_array(&ObjectKey::new(product).unwrap(), name).unwrap();
    (store, array)
}

fn read(store: &Store, array: &ArrayRef, t: u64) -> Vec<u16> {
    let [_, height, width] = array.shape();
    let mut out = Pixels::empty(array.dtype());
    let window = Window { y0: 0, x0: 0, height: height as usize, width: width as usize };
    store.read_window(array, t, window, &mut out).unwrap();
    match out {
        Pixels::U16(values) => values,
        other => panic!("{:?}", other.dtype()),
    }
}

#[test]
fn rasters_of_different_extents_share_one_array_of_stored_objects() {
    let (dir, cube) = cube();
    commit_year(&cube, 2020, tile(1, 1), tile(3, 2), 32, |_| {});
    commit_year(&cube, 2021, tile(0, 1), tile(2, 3), 32, |_| {});
    let view = cube.view(DERIVED, None).unwrap();
    let red = document(&cube, &view, "red/zarr.json");
    assert_eq!(red["shape"], json!([2, 2 * SIDE, 3 * SIDE]));
    assert_eq!(red["chunk_grid"]["configuration"]["chunk_shape"], json!([1, SIDE, SIDE]));
    // Levels beyond the tiles' own are of one raster's extent: not here.
    assert!(bytes(&cube, &view, "overviews/3/red/zarr.json").is_some());
    assert_eq!(bytes(&cube, &view, "overviews/4/red/zarr.json"), None);
    let rows = cube.generations(DERIVED, 2).unwrap();
    for (key, row, stored) in [
        // 2020 lies in the southern row, east; 2021 everywhere but the east.
        ("c/0/0/0", 0, None),
        ("c/0/0/1", 0, None),
        ("c/0/1/0", 0, None),
        ("c/0/1/1", 0, Some("c/0/0/0")),
        ("c/0/1/2", 0, Some("c/0/0/1")),
        ("c/1/0/0", 1, Some("c/0/0/0")),
        ("c/1/1/1", 1, Some("c/0/1/1")),
        ("c/1/0/2", 1, None),
        ("c/2/0/0", 1, None),
        ("c/0/2/0", 1, None),
        ("c/0/0/3", 1, None),
    ] {
        for name in ["red", "overviews/2/red"] {
            let stored = stored.map(|stored| {
                let object = ObjectKey::new(&format!("{}/{name}/{stored}", rows[row].prefix)).unwrap();
                cube.store().objects().get(&object).unwrap().unwrap()
            });
            assert_eq!(bytes(&cube, &view, &format!("{name}/{key}")), stored, "{name}/{key}");
        }
    }
    let (store, array) = exported(&cube, &dir, DERIVED, "red");
    let all = read(&store, &array, 1);
    let window = tiles_window(&grid(), tile(0, 1), tile(3, 3), 0);
    let expected: Vec<u16> = values(2021, 0, &window)
        .into_iter()
        .enumerate()
        .map(|(i, v)| if i % (3 * SIDE) < 2 * SIDE { v } else { 0 })
        .collect();
    assert!(all == expected);
}

#[test]
fn rasters_of_one_extent_keep_every_level() {
    let (_dir, cube) = cube();
    for year in [2020, 2021] {
        commit_year(&cube, year, tile(1, 1), tile(3, 2), 32, |_| {});
    }
    let view = cube.view(DERIVED, None).unwrap();
    assert!(bytes(&cube, &view, "overviews/4/red/c/1/0/0").is_some());
    let root = document(&cube, &view, "zarr.json");
    assert_eq!(root["attributes"]["tesela_snapshot"], 2);
    assert_eq!(root["attributes"]["multiscales"]["layout"].as_array().unwrap().len(), 5);
    // A snapshot stays what it was.
    let before = cube.view(DERIVED, Some(1)).unwrap();
    assert_eq!(document(&cube, &before, "red/zarr.json")["shape"][0], 1);
    assert_ne!(before.tag("zarr.json"), view.tag("zarr.json"));
    assert!(matches!(cube.view(DERIVED, Some(0)), Err(ComputeError::NoData { .. })));
    assert!(cube.view(DERIVED, Some(3)).is_err());
}

#[test]
fn rasters_cut_up_differently_are_encoded_anew() {
    let (dir, cube) = cube();
    commit_year(&cube, 2020, tile(1, 1), tile(3, 2), 32, |_| {});
    commit_year(&cube, 2021, tile(1, 1), tile(3, 2), 16, |_| {});
    let view = cube.view(DERIVED, None).unwrap();
    let red = document(&cube, &view, "red/zarr.json");
    assert_eq!(red["codecs"][1]["name"], "blosc");
    let window = tiles_window(&grid(), tile(2, 1), tile(3, 2), 0);
    for (t, year) in [(0, 2020), (1, 2021)] {
        let spec = &view.arrays["red"].spec;
        let expected = spec.encode_plain(&Pixels::U16(values(year, 0, &window))).unwrap();
        assert!(bytes(&cube, &view, &format!("red/c/{t}/0/1")) == expected);
    }
    let (store, array) = exported(&cube, &dir, DERIVED, "red");
    let window = tiles_window(&grid(), tile(1, 1), tile(3, 2), 0);
    assert!(read(&store, &array, 0) == values(2020, 0, &window));
    assert!(read(&store, &array, 1) == values(2021, 0, &window));
}

#[test]
fn rasters_of_other_units_are_refused_by_name() {
    let (_dir, cube) = cube();
    commit_year(&cube, 2020, tile(1, 1), tile(3, 2), 32, |_| {});
    commit_year(&cube, 2021, tile(1, 1), tile(3, 2), 32, |spec| spec.scale = 2e-4);
    let Err(ComputeError::View { problem, .. }) = cube.view(DERIVED, None) else { panic!("not refused") };
    assert!(problem.contains("/2021/") && problem.contains("0.0002"), "{problem}");
    assert!(cube.view(DERIVED, Some(1)).is_ok());
}

#[test]
fn slots_are_one_axis_wherever_they_lie() {
    let (dir, cube) = cube();
    let side = SIDE as u64;
    let (east, west) = (tile(2, 1), tile(1, 1));
    // Ten dates of the western tile in an archive block; three of the eastern, each an object, one day of two platforms.
    let old: Vec<(i64, &str)> = (0..10).map(|i| (18_000 + 8 * i, "landsat-8")).collect();
    let block = Shape { array: [10, side, side], shard: [64, side, side], inner: [8, 16, 16] };
    commit_slots(&cube, west, &old, block, Codec::Zstd5Byte);
    let new = [(18_016, "landsat-7"), (18_040, "landsat-8"), (18_100, "landsat-9")];
    let recent = Shape { array: [3, side, side], shard: [1, side, side], inner: [1, 32, 32] };
    commit_slots(&cube, east, &new, recent, Codec::Lz4Bit);
    let view = cube.view(SCENES, None).unwrap();
    let root = document(&cube, &view, "zarr.json");
    let nodes = &root["consolidated_metadata"]["metadata"];
    // Day 18,040 of Landsat 8 is one date of both tiles; 18,016 of Landsat 7 and of Landsat 8 are two.
    assert_eq!(nodes["red"]["shape"], json!([12, SIDE, 2 * SIDE]));
    assert_eq!(nodes["red"]["attributes"]["coordinates"], "spatial_ref solar_day platform");
    assert_eq!(nodes["platform"]["attributes"]["flag_values"], json!([7, 8, 9]));
    assert_eq!(nodes["platform"]["dimension_names"], json!(["time"]));
    let days = cube.days(SCENES, 2).unwrap();
    let window = |t| grid().tile_window(t, 0);
    let mut found = 0;
    for (t, day) in days.iter().enumerate() {
        let number = day.time.0.div_euclid(DAY_S);
        for (x, tile, dates) in [(0, west, &old[..]), (1, east, &new[..])] {
            let there = dates.contains(&(number, day.platform.as_str()));
            found += usize::from(there);
            for (i, band) in view.product.bands.iter().enumerate() {
                let spec = &view.arrays[&band.name].spec;
                let pixels: Vec<f64> =
                    values(number, i, &window(tile)).iter().map(|&v| f64::from(v)).collect();
                let expected = there.then(|| spec.encode_plain(&of_type(band, &pixels)).unwrap()).flatten();
                let key = format!("{}/c/{t}/0/{x}", band.name);
                assert!(bytes(&cube, &view, &key) == expected, "{key} {there}");
            }
        }
    }
    assert_eq!(found, 13);
    let (store, array) = exported(&cube, &dir, SCENES, "red");
    assert_eq!(array.shape(), [12, side, 2 * side]);
    let at = days.iter().position(|d| d.time.0.div_euclid(DAY_S) == 18_040).unwrap();
    let band = view.product.bands.iter().position(|b| b.name == "red").unwrap();
    let both = tiles_window(&grid(), west, tile(3, 2), 0);
    assert!(read(&store, &array, at as u64) == values(18_040, band, &both));
}

#[test]
fn an_export_leaves_nothing_half_done() {
    struct Stop;
    impl tesela_model::Progress for Stop {
        fn begin(&self, _: &str, _: u64, _: &str) {}
        fn advance(&self, _: u64) {}
        fn note(&self, _: &str) {}
        fn end(&self) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (dir, cube) = cube();
    commit_year(&cube, 2020, tile(1, 1), tile(3, 2), 32, |_| {});
    let out = dir.path().join("a/b/out");
    let stopped = cube.export_view(DERIVED, None, &out, false, &Stop);
    assert!(matches!(stopped, Err(ComputeError::Cancelled)));
    assert_eq!(std::fs::read_dir(out.parent().unwrap()).unwrap().count(), 0);
    let first = cube.export_view(DERIVED, None, &out, false, &Silent).unwrap();
    assert!(first.linked > 0 && first.dates == 1);
    let again = cube.export_view(DERIVED, None, &out, false, &Silent);
    assert!(matches!(again, Err(ComputeError::ExportExists { .. })));
    let copied = cube.export_view(DERIVED, None, &dir.path().join("copy"), true, &Silent).unwrap();
    assert_eq!((copied.linked, copied.bytes), (0, first.bytes));
}

#[test]
fn keys_that_name_nothing_cost_nothing() {
    let (_dir, cube) = cube();
    commit_year(&cube, 2020, tile(1, 1), tile(3, 2), 32, |_| {});
    let view = cube.view(DERIVED, None).unwrap();
    for key in [
        "",
        "/",
        ".",
        "..",
        "../index.db",
        "/etc/passwd",
        "red",
        "red/",
        "red/c",
        "red/c/0",
        "red/c/0/0",
        "red/c/0/0/0/0",
        "red/c/0/0/-1",
        "red/c/1/0/0",
        "red/c/18446744073709551615/18446744073709551615/18446744073709551615",
        "red/c/99999999999999999999999999/0/0",
        "blue/c/0/0/0",
        "overviews/9/red/c/0/0/0",
        "overviews/1/../red/c/0/0/0",
        "time/c/1",
        "zarr.json/c/0/0/0",
        "c/0/0/0",
    ] {
        assert_eq!(bytes(&cube, &view, key), None, "{key:?}");
    }
}
