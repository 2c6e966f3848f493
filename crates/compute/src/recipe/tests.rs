//! What is not read changes nothing: a cloudy stack over two tiles, with facts, without, and read whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kernel;
mod reducers;
mod runs;

use std::collections::BTreeMap;

use tempfile::TempDir;
use tesela_crs::crs_info;
use tesela_grid::{CrsName, GridDef, GridExtent, PixelWindow, TileId};
use tesela_index::{IngestCommit, NewGroup, NewObject, NewSlot, ProductKind};
use tesela_layout::names::slots_prefix;
use tesela_layout::{Form, SlotsGroup};
use tesela_model::{Instant, Silent, TimeSelector, shipped_product, shipped_recipe};
use tesela_store::{ObjectKey, Pixels};

use super::{ComputeOptions, ComputeReport};
use crate::query::Selection;
use crate::series::SeriesQuery;
use crate::{Cube, PixelQuery};

const SCENES: &str = "landsat_c2_sr";
const SIDE: i64 = 256;
const DATES: u64 = 19;

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

/// Something between 0 and 1 for each place and purpose.
fn noise(date: u64, what: u64, x: i64, y: i64) -> f64 {
    let mut h = (date << 40) ^ (what << 32) ^ ((x as u64) << 16) ^ y as u64;
    for _ in 0..3 {
        h = (h ^ (h >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (h >> 11) as f64 / (1u64 << 53) as f64
}

/// The quality word: many dates are cloudy nearly everywhere, in patches that cut across chunks and tiles, and eight of
/// them, which share an archive block's chunks, in all of the west; scenes end at a slope; shadows are thin, so that
/// growing them reaches over edges.
fn word(date: u64, x: i64, y: i64) -> u16 {
    if 3 * x + y < 40 * date as i64 - 300 || (date % 4 != 1 && noise(date, 9, x, y) < 2e-5) {
        return 1;
    }
    if (8..16).contains(&date) && x < 200 {
        return 8;
    }
    let patch = noise(date, 1, x.div_euclid(90), y.div_euclid(70));
    if noise(date, 2, x, y) < 3e-4 {
        return 16;
    }
    match date % 4 {
        0 => 64,
        1 => 8 + 2,
        _ if patch < 0.55 => 8,
        _ if patch < 0.7 => 4,
        _ => 64,
    }
}

/// What a measured band stores.
fn reflectance(date: u64, band: usize, x: i64, y: i64, word: u16) -> f64 {
    let cloud = if word == 64 { 0.0 } else { 9_000.0 };
    (9_000.0 + cloud + band as f64 * 700.0 + noise(date, band as u64, x, y) * 900.0).floor()
}

fn cube(form: Form, facts: bool) -> (TempDir, Cube) {
    let dir = tempfile::tempdir().unwrap();
    let cube = Cube::create(&dir.path().join("cube")).unwrap();
    let grid = grid();
    let mut product = shipped_product(SCENES).unwrap().unwrap();
    product.grid = grid.id.clone();
    cube.index().put_grid(&grid).unwrap();
    let scenes = serde_json::to_string(&product).unwrap();
    cube.index().put_product(SCENES, ProductKind::Scenes, &grid.id, &scenes).unwrap();
    for ix in 0..2 {
        commit(&cube, TileId { ix, iy: 0 }, form, facts);
    }
    cube.fresh_catalog().unwrap();
    (dir, cube)
}

fn commit(cube: &Cube, tile: TileId, form: Form, with_facts: bool) {
    commit_brighter(cube, tile, form, with_facts, 0.0);
}

/// Slots of a tile whose measured bands are so much brighter, in stored numbers.
fn commit_brighter(cube: &Cube, tile: TileId, form: Form, with_facts: bool, more: f64) {
    let catalog = cube.fresh_catalog().unwrap();
    let product = catalog.product(SCENES).unwrap();
    let def = product.scenes().unwrap();
    let crs = crs_info(&product.grid.crs).unwrap();
    let run = cube.index().begin_run("test").unwrap();
    let prefix = ObjectKey::new(&slots_prefix(SCENES, tile, &run, 0)).unwrap();
    let group = SlotsGroup {
        prefix: prefix.clone(),
        tile,
        bands: &product.bands,
        grid: &product.grid,
        crs: &crs,
        layout: def.layout,
        form,
        planned: DATES,
    };
    let window = product.grid.tile_window(tile, 0);
    let places: Vec<(i64, i64)> = (window.py..window.py_end())
        .flat_map(|y| (window.px..window.px_end()).map(move |x| (x, y)))
        .collect();
    let mut facts = group.facts(&def.masks);
    let mut objects = Vec::new();
    for (b, (band, facts)) in product.bands.iter().zip(&mut facts).enumerate() {
        let mut writer = group.band_writer(cube.store(), band).unwrap();
        for date in 0..DATES {
            let value = |(x, y): &(i64, i64)| match (band.name.as_str(), word(date, *x, *y)) {
                ("qa_pixel", word) => f64::from(word),
                (_, 1) => band.nodata,
                ("qa_radsat", _) => f64::from(u8::from(noise(date, 3, *x, *y) < 1e-3)) * 8.0,
                (_, word) => reflectance(date, b, *x, *y, word) + more,
            };
            let plane = match band.dtype {
                tesela_model::DType::Uint16 => Pixels::U16(places.iter().map(|p| value(p) as u16).collect()),
                other => panic!("{other:?}"),
            };
            facts.add(date, &window, &window, &plane);
            writer.put(date, 0, &window, &window, &plane).unwrap();
        }
        objects.extend(writer.finish().unwrap());
    }
    let time = |date: u64| Instant(1_577_900_000 + date as i64 * 16 * 86_400 + i64::from(tile.ix));
    let mut spec = group.spec((0..DATES).map(time).collect());
    if with_facts {
        objects.extend(group.put_facts(cube.store(), &facts, &def.masks, &mut spec).unwrap());
    }
    objects.extend(cube.store().write_group(&spec).unwrap());
    let objects = objects
        .iter()
        .map(|o| NewObject { key: o.key.as_str().into(), bytes: o.bytes, digest: o.digest.clone() })
        .collect();
    let slots = (0..DATES).map(|date| NewSlot {
        tile,
        solar_day: time(date).date().to_string(),
        time: time(date),
        platform: "landsat-8".into(),
        prefix: prefix.as_str().into(),
        position: date,
        scenes: Vec::new(),
    });
    cube.index()
        .commit_ingest(&IngestCommit {
            product: SCENES.into(),
            run: run.clone(),
            slot_groups: vec![NewGroup {
                prefix: prefix.as_str().into(),
                archive: form == Form::Archive,
                objects,
            }],
            slots: slots.collect(),
            summary: "{}".into(),
            ..IngestCommit::default()
        })
        .unwrap();
    cube.index().end_run(&run).unwrap();
}

/// Computes the geomedian; the report, and every object of it by name inside the group, documents apart.
fn compute(cube: &Cube, read_all: bool) -> (ComputeReport, BTreeMap<String, String>) {
    let mut recipe = shipped_recipe("geomedian_annual").unwrap().unwrap();
    recipe.min_obs = 2;
    let options = ComputeOptions { force: true, read_all, ..ComputeOptions::default() };
    let report = cube.compute(&recipe, &options, &Silent).unwrap();
    let row = cube.index().generations("geomedian_annual", report.snapshot).unwrap().remove(0);
    let objects = cube.index().objects().unwrap().into_iter();
    let inside = objects.filter_map(|o| Some((o.key.strip_prefix(&row.prefix)?.to_owned(), o.digest)));
    (report, inside.filter(|(key, _)| !key.ends_with("zarr.json")).collect())
}

#[test]
fn a_geomedian_does_not_depend_on_what_is_left_out() {
    for form in [Form::Recent, Form::Archive] {
        let (_with, with) = cube(form, true);
        let (_without, without) = cube(form, false);
        let (all, whole) = compute(&with, true);
        let (told, by_facts) = compute(&with, false);
        let (untold, by_words) = compute(&without, false);
        assert!(whole.len() > 40 && all.pixels > 50_000, "{} objects, {} pixels", whole.len(), all.pixels);
        assert_eq!(whole, by_facts, "{form:?} with facts");
        assert_eq!(whole, by_words, "{form:?} without facts");
        assert_eq!(all.chunks.share_skipped(), None);
        // Facts spare quality words, and change nothing else.
        assert_eq!((told.chunks.read, told.chunks.skipped), (untold.chunks.read, untold.chunks.skipped));
        assert!(untold.chunks.skipped > 0 && told.chunks.skipped < told.chunks.read * 4, "{told:?}");
        assert_eq!(untold.chunks.quality_skipped, 0);
        let quality = told.chunks.quality_read + told.chunks.quality_skipped;
        assert_eq!(quality, untold.chunks.quality_read);
        if form == Form::Recent {
            // One date in four is wholly cloudy where it was observed.
            assert!(told.chunks.quality_skipped * 8 > quality, "{:?}", told.chunks);
        }
    }
}

#[test]
fn facts_follow_from_the_pixels_and_a_wrong_one_is_named() {
    for form in [Form::Recent, Form::Archive] {
        let (_dir, cube) = cube(form, true);
        compute(&cube, false);
        let faults = |cube: &Cube| {
            let mut report = crate::check::CheckReport::default();
            cube.check_pixels(&Silent, &mut report).unwrap();
            report.faults
        };
        assert_eq!(faults(&cube), []);
        // The facts of the first tile are those of another date.
        let slot = &cube.index().slots(SCENES, None, &always(), 99).unwrap()[0];
        let prefix = ObjectKey::new(&slot.prefix).unwrap();
        let stored = cube.store().open_facts(&prefix).unwrap().unwrap();
        let mut values: Vec<f32> = (0..stored.names().len())
            .flat_map(|f| cube.store().read_facts(&stored, f, [0, 0]).unwrap())
            .collect();
        let plane = values.len() / stored.names().len();
        let nir = stored.names().iter().position(|n| n == "nir.max").unwrap();
        values[nir * plane + 5] += 1.0;
        let spec = tesela_store::FactsSpec {
            names: stored.names().to_vec(),
            cells: stored.cells(),
            object: stored.object(),
            chunk: stored.chunk(),
            attributes: stored.attributes().clone(),
        };
        cube.store().delete(&prefix.join("facts/chunks/c/0/0/0/0").unwrap()).unwrap();
        cube.store().put_facts(&prefix, &spec, [0, 0], &values).unwrap().unwrap();
        let found = faults(&cube);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].kind == "facts_wrong" && found[0].detail.contains("`nir.max`"), "{found:?}");
    }
}

#[test]
fn a_masked_picture_is_the_pixels_that_the_mask_leaves() {
    let (_dir, cube) = cube(Form::Archive, true);
    let catalog = cube.catalog().unwrap();
    let product = catalog.product(SCENES).unwrap();
    let nir = product.bands.iter().position(|b| b.name == "nir").unwrap();
    let band = &product.bands[nir];
    // From one tile into the next, not on chunks.
    let window = PixelWindow::new(150, -240, 190, 201);
    let mut shown = 0;
    for date in [0, 1, 2, 6, 7, 11, 18] {
        let time = Instant(1_577_900_000 + date as i64 * 16 * 86_400);
        let query = PixelQuery {
            product: SCENES.into(),
            selection: Selection::Bands(vec!["nir".into()]),
            time: TimeSelector::parse(&time.date().to_string()).unwrap(),
            target: product.grid.geobox(&window, 0),
            mask: Some("clouds".into()),
            resampling: tesela_model::Resampling::Nearest,
            snapshot: None,
        };
        let answer = cube.load(&query).unwrap();
        let places =
            (window.py..window.py_end()).flat_map(|y| (window.px..window.px_end()).map(move |x| (x, y)));
        for ((x, y), found) in places.zip(&answer.layers[0]) {
            let word = word(date, x, y);
            let expected = match word {
                64 => band.physical(reflectance(date, nir, x, y, word)),
                _ => f32::NAN,
            };
            assert!(
                *found == expected || (found.is_nan() && expected.is_nan()),
                "{date} {x} {y}: {found} {expected}"
            );
            shown += usize::from(word == 64);
        }
    }
    assert!(shown > 50_000, "{shown}");
}

#[test]
fn a_series_without_what_is_masked_is_the_rest_of_the_whole_one() {
    let (_dir, cube) = cube(Form::Recent, true);
    let mut used = 0;
    for step in 0..40 {
        let (x, y) = (7 + step * 12, -3 - step * 6);
        let grid = grid();
        let box_ = grid.geobox(&PixelWindow::new(x, y, 1, 1), 0);
        let (mut lon, mut lat) = ([box_.xy(0.5, 0.5).0], [box_.xy(0.5, 0.5).1]);
        tesela_crs::with_transformer(&grid.crs, &CrsName::lon_lat(), |t| t.transform(&mut lon, &mut lat))
            .unwrap();
        let ask = |keep_masked: bool| {
            let query = SeriesQuery {
                product: SCENES.into(),
                lon: lon[0],
                lat: lat[0],
                selection: Selection::Bands(Vec::new()),
                time: TimeSelector::Latest,
                mask: None,
                keep_masked,
                snapshot: None,
            };
            cube.series(&query).unwrap().observations
        };
        let (all, clear) = (ask(true), ask(false));
        let kept: Vec<_> = all.iter().filter(|o| o.used).cloned().collect();
        assert_eq!(kept, clear);
        assert!(all.iter().all(|o| o.values.iter().take(6).all(Option::is_some)), "{all:?}");
        used += clear.len();
    }
    assert!(used > 100, "{used}");
}

fn always() -> tesela_model::Period {
    tesela_model::Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) }
}
