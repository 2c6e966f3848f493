//! Pixels and facts where a chunk is not stored: what may not be there is named as what is wrong there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use tempfile::TempDir;
use tesela_crs::crs_info;
use tesela_grid::{CrsName, GridDef, GridExtent, PixelWindow, TileId};
use tesela_index::{IngestCommit, NewGroup, NewObject, NewSlot, ProductKind};
use tesela_layout::names::slots_prefix;
use tesela_layout::{Form, SlotsGroup};
use tesela_model::{DType, Instant, Silent, shipped_product, shipped_recipe};
use tesela_store::{ArrayRef, ArraySpec, Codec, FactsSpec, GroupSpec, ObjectKey, Pixels, Store, Window};

use super::{CheckReport, Fault};
use crate::Cube;
use crate::recipe::ComputeOptions;

const SCENES: &str = "landsat_c2_sr";
const RASTER: &str = "geomedian_annual";
const DATES: u64 = 3;

/// Two tiles of a product with three dates; only the pixels of `seen`, in rows and columns of the first tile, were ever
/// observed. Its annual geomedian.
fn cube(tile_size: u32, form: Form, seen: PixelWindow) -> (TempDir, Cube) {
    cube_of([0, 1], tile_size, form, seen)
}

/// As [`cube`], of two tiles in these columns.
fn cube_of(columns: [i32; 2], tile_size: u32, form: Form, seen: PixelWindow) -> (TempDir, Cube) {
    let dir = tempfile::tempdir().unwrap();
    let cube = Cube::create(&dir.path().join("cube")).unwrap();
    let grid = GridDef {
        id: "test_30".into(),
        title: BTreeMap::new(),
        crs: CrsName::epsg(32614),
        resolution: 30.0,
        origin: [0.0, 0.0],
        tile_size,
        extent: GridExtent { ix: [0, 99], iy: [0, 99] },
    };
    let mut product = shipped_product(SCENES).unwrap().unwrap();
    product.grid = grid.id.clone();
    cube.index().put_grid(&grid).unwrap();
    let definition = serde_json::to_string(&product).unwrap();
    cube.index().put_product(SCENES, ProductKind::Scenes, &grid.id, &definition).unwrap();
    for ix in columns {
        commit(&cube, TileId { ix, iy: 0 }, form, (ix == 0).then_some(seen));
    }
    let recipe = shipped_recipe(RASTER).unwrap().unwrap();
    let options = ComputeOptions { force: true, ..ComputeOptions::default() };
    let report = cube.compute(&recipe, &options, &Silent).unwrap();
    assert_eq!(report.computed.len(), 1);
    (dir, cube)
}

fn commit(cube: &Cube, tile: TileId, form: Form, seen: Option<PixelWindow>) {
    let catalog = cube.fresh_catalog().unwrap();
    let product = catalog.product(SCENES).unwrap();
    let masks = &product.scenes().unwrap().masks;
    let run = cube.index().begin_run("test").unwrap();
    let prefix = ObjectKey::new(&slots_prefix(SCENES, tile, &run, 0)).unwrap();
    let group = SlotsGroup {
        prefix: prefix.clone(),
        tile,
        bands: &product.bands,
        grid: &product.grid,
        crs: &crs_info(&product.grid.crs).unwrap(),
        layout: product.scenes().unwrap().layout,
        form,
        planned: DATES,
    };
    let window = product.grid.tile_window(tile, 0);
    let mut facts = group.facts(masks);
    let mut objects = Vec::new();
    for (band, facts) in product.bands.iter().zip(&mut facts) {
        let mut writer = group.band_writer(cube.store(), band).unwrap();
        for date in 0..DATES {
            let Some(seen) = seen else { continue };
            let part = PixelWindow::new(window.px + seen.px, window.py + seen.py, seen.width, seen.height);
            let value = |i: usize| match band.name.as_str() {
                "qa_pixel" => 64,
                "qa_radsat" => 0,
                _ => 9_000 + ((i as u64 * 37 + date * 11) % 900) as u16,
            };
            let plane = Pixels::U16((0..part.len()).map(value).collect());
            assert_eq!(band.dtype, DType::Uint16);
            facts.add(date, &window, &part, &plane);
            let mut whole = Pixels::filled(band.dtype, window.len(), band.nodata);
            crate::load::paste(&plane, 0, &part, &mut whole, 0, &window);
            writer.put(date, 0, &window, &window, &whole).unwrap();
        }
        objects.extend(writer.finish().unwrap());
    }
    let time = |date: u64| Instant(1_577_900_000 + date as i64 * 16 * 86_400 + i64::from(tile.ix));
    let mut spec = group.spec((0..DATES).map(time).collect());
    objects.extend(group.put_facts(cube.store(), &facts, masks, &mut spec).unwrap());
    objects.extend(cube.store().write_group(&spec).unwrap());
    let new = |o: &tesela_store::ObjectInfo| NewObject {
        key: o.key.as_str().into(),
        bytes: o.bytes,
        digest: o.digest.clone(),
    };
    let slots = (0..DATES).map(|date| NewSlot {
        tile,
        solar_day: time(date).date().to_string(),
        time: time(date),
        platform: "landsat-8".into(),
        prefix: prefix.as_str().into(),
        position: date,
        scenes: Vec::new(),
    });
    let commit = IngestCommit {
        product: SCENES.into(),
        run: run.clone(),
        slot_groups: vec![NewGroup {
            prefix: prefix.as_str().into(),
            archive: form == Form::Archive,
            objects: objects.iter().map(new).collect(),
        }],
        slots: slots.collect(),
        summary: "{}".into(),
        ..IngestCommit::default()
    };
    cube.index().commit_ingest(&commit).unwrap();
    cube.index().end_run(&run).unwrap();
}

fn faults(cube: &Cube) -> Vec<Fault> {
    let mut report = CheckReport::default();
    cube.check_pixels(&Silent, &mut report).unwrap();
    report.faults
}

#[track_caller]
fn one_fault(cube: &Cube, kind: &str, says: &str) {
    let found = faults(cube);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].kind == kind && found[0].detail.contains(says), "no {says} in {found:?}");
}

fn raster(cube: &Cube) -> ObjectKey {
    let snapshot = cube.index().latest_snapshot().unwrap();
    ObjectKey::new(&cube.index().generations(RASTER, snapshot).unwrap()[0].prefix).unwrap()
}

/// Puts a value at rows and columns of an array of a raster, whatever lay there; the object comes anew.
fn put(cube: &Cube, name: &str, [y, x]: [u64; 2], value: f64) {
    let array = cube.store().open_array(&raster(cube), name).unwrap();
    let [_, rows, columns] = array.shard();
    let shard = [0, y / rows, x / columns];
    let window = Window {
        y0: (shard[1] * rows) as i64,
        x0: (shard[2] * columns) as i64,
        height: rows.min(array.shape()[1] - shard[1] * rows) as usize,
        width: columns.min(array.shape()[2] - shard[2] * columns) as usize,
    };
    let fresh = Store::with_objects(cube.store().objects().clone(), &Default::default());
    let mut pixels = Pixels::empty(array.dtype());
    fresh.read_window(&array, 0, window, &mut pixels).unwrap();
    let at = (y % rows) as usize * window.width + (x % columns) as usize;
    match &mut pixels {
        Pixels::U8(v) => v[at] = value as u8,
        Pixels::U16(v) => v[at] = value as u16,
        Pixels::I16(v) => v[at] = value as i16,
        Pixels::F32(v) => v[at] = value as f32,
    }
    cube.store().delete(&array.shard_key(shard)).unwrap();
    let mut writer = cube.store().shard_writer(&array, shard).unwrap();
    writer.put_window(0, 0, 0, window.height, window.width, &pixels).unwrap();
    writer.finish().unwrap();
}

/// Chunks of `name` that are stored, of all there could be.
fn stored(cube: &Cube, name: &str) -> (usize, u64) {
    let array = cube.store().open_array(&raster(cube), name).unwrap();
    let [_, height, width] = array.shape();
    let mut count = 0;
    let whole = Window { y0: 0, x0: 0, height: height as usize, width: width as usize };
    let visit = &mut |_: [u64; 3], _: &Pixels| {
        count += 1;
        Ok::<(), tesela_store::StoreError>(())
    };
    cube.store().scan(&array, whole, visit).unwrap();
    (count, height.div_ceil(array.inner()[1]) * width.div_ceil(array.inner()[2]))
}

/// In the middle of the first tile, over four chunks of 16.
const SEEN: PixelWindow = PixelWindow::new(200, 300, 130, 90);

#[test]
fn a_level_with_pixels_over_nothing_is_stale() {
    let (_dir, cube) = cube(1024, Form::Recent, SEEN);
    assert_eq!(stored(&cube, "blue"), (2, 2 * 16));
    assert_eq!(faults(&cube), []);
    // Beside the chunks that are there, and in the tile that has none; each level by itself.
    for (tile, x) in [("0_0", 700), ("1_0", 1024 + 77)] {
        for level in 1..=3 {
            for (band, value) in [("blue", 5.0), ("smad", 0.25)] {
                let (name, at) = (format!("overviews/{level}/{band}"), [900 >> level, x >> level]);
                put(&cube, &name, at, value);
                let says =
                    format!("level {level} of tile {tile} of {RASTER} 2020 does not follow from level 0");
                // Level 4 does not follow from level 3 then; the tile is named first.
                one_fault(&cube, "pyramid_stale", &says);
                put(&cube, &name, at, if band == "blue" { 0.0 } else { f64::NAN });
                assert_eq!(faults(&cube), []);
            }
        }
    }
}

#[test]
fn a_coarse_level_with_pixels_over_nothing_is_stale() {
    let (_dir, cube) = cube(1024, Form::Recent, SEEN);
    for (level, at) in [(4, [60, 100]), (4, [0, 0])] {
        let name = format!("overviews/{level}/green");
        put(&cube, &name, at, 9_000.0);
        one_fault(
            &cube,
            "pyramid_stale",
            &format!("level {level} of {RASTER} 2020 does not follow from level 3"),
        );
        put(&cube, &name, at, 0.0);
        assert_eq!(faults(&cube), []);
    }
}

#[test]
fn a_pixel_that_a_level_lost_or_changed_is_stale() {
    let (_dir, cube) = cube(1024, Form::Recent, SEEN);
    for level in 1..=3 {
        for (band, value) in [("red", 0.0), ("red", 7.0), ("emad", f64::NAN), ("qa", 255.0)] {
            let (name, at) = (format!("overviews/{level}/{band}"), [340 >> level, 250 >> level]);
            let array = cube.store().open_array(&raster(&cube), &name).unwrap();
            let mut was = Pixels::empty(array.dtype());
            cube.store().read_window(&array, 0, Window::pixel(at[0] as i64, at[1] as i64), &mut was).unwrap();
            put(&cube, &name, at, value);
            let says = format!("level {level} of tile 0_0 of {RASTER} 2020 does not follow from level 0");
            one_fault(&cube, "pyramid_stale", &says);
            put(&cube, &name, at, was.get_f64(0).unwrap());
            assert_eq!(faults(&cube), []);
        }
    }
    // And one at the very top, which is only held to its children's range.
    put(&cube, "overviews/4/red", [340 >> 4, 250 >> 4], 1.0);
    one_fault(&cube, "pyramid_stale", "level 4 of geomedian_annual 2020 does not follow from level 3");
}

#[test]
fn tiles_of_any_side_are_compared() {
    // Chunks of 8 pixels, levels of 100, 50 and 25.
    let (_dir, cube) = cube(200, Form::Archive, PixelWindow::new(40, 30, 50, 37));
    let (count, all) = stored(&cube, "blue");
    assert!(count > 20 && all == 2 * 25 * 25, "{count} of {all}");
    assert_eq!(faults(&cube), []);
    put(&cube, "overviews/3/blue", [20, 20], 3.0);
    one_fault(&cube, "pyramid_stale", "level 3 of tile 0_0");
    put(&cube, "overviews/3/blue", [20, 20], 0.0);
    put(&cube, "overviews/2/blue", [12, 15], 3.0);
    one_fault(&cube, "pyramid_stale", "level 2 of tile 0_0");
}

#[test]
fn a_raster_whose_chunks_are_finer_than_a_parent_is_compared_too() {
    let (_dir, cube) = cube(128, Form::Recent, PixelWindow::new(20, 30, 50, 37));
    let prefix = raster(&cube);
    // The same pixels in chunks of 4.
    let array = cube.store().open_array(&prefix, "blue").unwrap();
    let whole = Window { y0: 0, x0: 0, height: 128, width: 256 };
    let mut pixels = Pixels::empty(array.dtype());
    cube.store().read_window(&array, 0, whole, &mut pixels).unwrap();
    let spec = ArraySpec {
        name: "blue".into(),
        dtype: array.dtype(),
        fill: array.fill(),
        mask_fill: true,
        shape: array.shape(),
        shard: [1, 128, 128],
        inner: [1, 4, 4],
        codec: Codec::Zstd5Byte,
        scale: array.scale(),
        offset: array.offset(),
        unit: "1".into(),
        long_name: "blue".into(),
        attributes: serde_json::Map::new(),
    };
    let document = array_document(&cube, &spec);
    let fresh = ArrayRef::from_spec(&prefix, &spec).unwrap();
    for column in 0..2 {
        cube.store().delete(&array.shard_key([0, 0, column])).unwrap();
        let mut writer = cube.store().shard_writer(&fresh, [0, 0, column]).unwrap();
        for y in 0..128 {
            let row = PixelWindow::new(128 * column as i64, y, 128, 1);
            let mut part = Pixels::empty(array.dtype());
            part.reshape(array.dtype(), 128);
            crate::load::paste(&pixels, 0, &PixelWindow::new(0, 0, 256, 128), &mut part, 0, &row);
            writer.put_window(0, y as u64, 0, 1, 128, &part).unwrap();
        }
        writer.finish().unwrap();
    }
    let key = array.path().join("zarr.json").unwrap();
    cube.store().delete(&key).unwrap();
    cube.store().put_object(&key, &document).unwrap();
    let cube = Cube::open(cube.dir()).unwrap();
    assert_eq!(cube.store().open_array(&prefix, "blue").unwrap().inner(), [1, 4, 4]);
    one_fault(&cube, "facts_wrong", "`blue: the number of chunks`");
    put(&cube, "overviews/1/blue", [30, 30], 77.0);
    let found = faults(&cube);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].detail.contains("level 1 of tile 0_0"), "{found:?}");
}

/// The document of an array as a group of its own would have it.
fn array_document(cube: &Cube, spec: &ArraySpec) -> Vec<u8> {
    let catalog = cube.fresh_catalog().unwrap();
    let grid = &catalog.product(RASTER).unwrap().grid;
    let crs = crs_info(&grid.crs).unwrap();
    let group: GroupSpec = tesela_layout::group_spec(
        ObjectKey::new("g").unwrap(),
        grid,
        &crs,
        &[PixelWindow::new(0, -(spec.shape[1] as i64), spec.shape[2] as usize, spec.shape[1] as usize)],
        vec![Instant(0)],
        vec![spec.clone()],
        serde_json::Map::new(),
    );
    let memory = Store::in_memory();
    memory.write_group(&group).unwrap();
    memory.objects().get(&ObjectKey::new("g/blue/zarr.json").unwrap()).unwrap().unwrap()
}

/// Changes one fact of one object of facts; the cell is counted within the object.
fn put_fact(cube: &Cube, prefix: &ObjectKey, at: [u64; 2], name: &str, cell: usize, value: f32) {
    let stored = cube.store().open_facts(prefix).unwrap().unwrap();
    let mut values: Vec<f32> =
        (0..stored.names().len()).flat_map(|f| cube.store().read_facts(&stored, f, at).unwrap()).collect();
    let plane = values.len() / stored.names().len();
    values[stored.names().iter().position(|n| n == name).unwrap() * plane + cell] = value;
    let spec = FactsSpec {
        names: stored.names().to_vec(),
        cells: stored.cells(),
        object: stored.object(),
        chunk: stored.chunk(),
        attributes: stored.attributes().clone(),
    };
    cube.store().delete(&spec.object_key(prefix, at).unwrap()).unwrap();
    cube.store().put_facts(prefix, &spec, at, &values).unwrap();
}

#[test]
fn a_wrong_fact_of_a_chunk_that_is_not_stored_is_named() {
    for form in [Form::Recent, Form::Archive] {
        let (_dir, cube) = cube(512, form, PixelWindow::new(70, 80, 150, 60));
        assert_eq!(faults(&cube), []);
        let slots = |ix| {
            let always = tesela_model::Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
            let all = cube.index().slots(SCENES, Some(TileId { ix, iy: 0 }), &always, 99).unwrap();
            ObjectKey::new(&all[0].prefix).unwrap()
        };
        // Chunks of 64: cell 5 of the first row holds nothing. The second tile has no pixel at all.
        for (prefix, name, was, wrong) in [
            (slots(0), "red.count", 0.0, 1.0),
            (slots(0), "red.min", f32::NAN, 9_000.0),
            (slots(0), "qa_pixel.unobserved", 4096.0, 4095.0),
            (slots(1), "nir.max", f32::NAN, 9_000.0),
            (slots(1), "qa_pixel.mask.standard", 4096.0, 0.0),
            (slots(1), "qa_pixel.flag.cloud", 0.0, 4096.0),
        ] {
            let dates = if form == Form::Archive && was == 4096.0 { DATES as f32 } else { 1.0 };
            put_fact(&cube, &prefix, [0, 0], name, 5, wrong);
            one_fault(&cube, "facts_wrong", &format!("{prefix}: the facts say of `{name}`"));
            put_fact(&cube, &prefix, [0, 0], name, 5, was * dates);
            assert_eq!(faults(&cube), [], "{name}");
        }
        // Chunks of 256 of the raster, an object of facts a tile: the upper right of the first, one of the second.
        let prefix = raster(&cube);
        for (at, cell) in [([0, 0], 1), ([0, 1], 3)] {
            put_fact(&cube, &prefix, at, "swir1.count", cell, 12.0);
            one_fault(&cube, "facts_wrong", "the facts say of `swir1.count`");
            put_fact(&cube, &prefix, at, "swir1.count", cell, 0.0);
            assert_eq!(faults(&cube), []);
        }
    }
}

#[test]
fn a_wrong_fact_of_a_chunk_that_is_stored_is_named() {
    let (_dir, cube) = cube(512, Form::Recent, PixelWindow::new(70, 80, 150, 60));
    let prefix = raster(&cube);
    put_fact(&cube, &prefix, [0, 0], "count.max", 0, 2.0);
    put_fact(&cube, &prefix, [0, 0], "bcmad.min", 0, -1.0);
    let found = faults(&cube);
    let named: Vec<bool> = ["`bcmad.min`", "`count.max`"]
        .iter()
        .zip(&found)
        .map(|(name, f)| f.kind == "facts_wrong" && f.detail.contains(name))
        .collect();
    assert!(named == [true, true] && found.len() == 2, "{found:?}");
}

#[test]
fn fill_that_counts_as_a_value_is_no_shortcut() {
    let (_dir, cube) = cube(512, Form::Recent, PixelWindow::new(70, 80, 150, 60));
    assert_eq!(faults(&cube), []);
    // Somebody changes what nodata is: the fill of what is not stored is a value then.
    let mut recipe = shipped_recipe(RASTER).unwrap().unwrap();
    let blue = recipe.outputs.iter_mut().find(|o| o.name == "blue").unwrap();
    blue.nodata = 60_000.0;
    let grid = cube.fresh_catalog().unwrap().product(RASTER).unwrap().grid.id.clone();
    let definition = serde_json::to_string(&recipe).unwrap();
    cube.index().put_product(RASTER, ProductKind::Derived, &grid, &definition).unwrap();
    let cube = Cube::open(cube.dir()).unwrap();
    let found = faults(&cube);
    // 0 is a valid value now: facts do not count it, and levels mixed no 0 in.
    let kinds: Vec<&str> = found.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, ["pyramid_stale", "facts_wrong"], "{found:?}");
    assert!(found[1].detail.contains("`blue.count`"), "{found:?}");
}

/// A tile of 400 px has 25 at level 4 and no whole number above: the pyramid of eleven of them ends there.
#[test]
fn pyramids_end_where_tiles_have_no_whole_pixels() {
    let (_dir, cube) = cube_of([0, 10], 400, Form::Recent, PixelWindow::new(100, 90, 130, 90));
    assert_eq!(faults(&cube), []);
    let catalog = cube.fresh_catalog().unwrap();
    let raster = &cube.index().generations(RASTER, catalog.snapshot).unwrap()[0];
    assert_eq!(raster.tile_end.ix - raster.tile_min.ix, 11);
    let grid = &catalog.product(RASTER).unwrap().grid;
    assert_eq!(tesela_layout::names::coarsest_level(grid, raster.tile_min, raster.tile_end), 4);
}
