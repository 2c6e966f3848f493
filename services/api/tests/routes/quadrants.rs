//! A cube that a map can be checked against by eye: one tile of 256 px on a UTM grid, its north-west red,
//! north-east green, south-west blue, south-east yellow, inside a border without data. Two years, the later
//! twice as bright.

use serde_json::json;
use tesela_compute::Cube;
use tesela_crs::{crs_info, transform_bounds};
use tesela_grid::{BoundingBox, CrsName, GridDef, GridExtent, PixelWindow, TileId};
use tesela_index::{
    GenerationCommit, IngestCommit, NewGeneration, NewGroup, NewObject, NewScene, ProductKind,
};
use tesela_layout::names::{TILE_LEVELS, generation_prefix, tiles_window};
use tesela_layout::{Shape, array_spec, group_spec};
use tesela_model::{Band, Period, RecipeDef, shipped_product};
use tesela_store::{ArrayRef, Codec, ObjectKey, Pixels};

use crate::harness::Server;

/// The product.
pub const LAYER: &str = "quadrants";
/// Pixels of the border, of 256.
pub const BORDER: usize = 16;

const TILE: TileId = TileId { ix: 61, iy: 281 };
const LEVELS: u32 = 4;

/// The tile's outer edges, EPSG:32614.
pub fn bounds() -> BoundingBox {
    grid().tile_bounds(TILE)
}

/// A server over the cube: the scene it pretends to be made from at snapshot 1, 2023 at 2, 2024 at 3.
pub fn server() -> Server {
    Server::over(|cube| {
        let grid = grid();
        let recipe = recipe();
        cube.index().put_grid(&grid).unwrap();
        commit_scene(cube, &grid);
        let definition = serde_json::to_string(&recipe).unwrap();
        cube.index().put_product(LAYER, ProductKind::Derived, &grid.id, &definition).unwrap();
        for (year, bright) in [(2023, 3000), (2024, 6000)] {
            commit_year(cube, &grid, &recipe, year, bright);
        }
    })
}

fn grid() -> GridDef {
    GridDef {
        id: "test_30".into(),
        title: [("en".to_owned(), "Test".to_owned())].into(),
        crs: CrsName::epsg(32614),
        resolution: 30.0,
        origin: [0.0, 0.0],
        tile_size: 256,
        extent: GridExtent { ix: [60, 64], iy: [280, 284] },
    }
}

fn recipe() -> RecipeDef {
    let band = |name: &str| json!({"name": name, "dtype": "uint16", "nodata": 0, "scale": 1.0e-4});
    serde_json::from_value(json!({
        "recipe": LAYER,
        "version": "1",
        "title": {"es": "Cuadrantes <de prueba>", "en": "Quadrants <for tests>"},
        "status": "experimental",
        "input": "landsat_c2_sr",
        "period": "year",
        "mask": "none",
        "reducer": {"expression": {"expression": "red", "band": "red"}},
        "outputs": [band("red"), band("green"), band("blue")],
        "styles": [
            {"name": "rgb", "title": {"es": "Color", "en": "Colour"},
             "rgb": ["red", "green", "blue"], "range": [0, 0.6]},
            {"name": "redness", "title": {"es": "Rojez", "en": "Redness"},
             "expression": "(red - green) / (red + green)",
             "ramp": [{"value": -1, "color": "#000000"}, {"value": 1, "color": "#ffffff"}]}
        ]
    }))
    .unwrap()
}

/// A scene without pixels: where the product's extent is known from.
fn commit_scene(cube: &Cube, grid: &GridDef) {
    let mut product = shipped_product("landsat_c2_sr").unwrap().unwrap();
    product.grid = grid.id.clone();
    let definition = serde_json::to_string(&product).unwrap();
    cube.index().put_product(&product.product, ProductKind::Scenes, &grid.id, &definition).unwrap();
    let acquired = Period::year(2023).unwrap().start;
    let scene = NewScene {
        scene_key: "LC08_026047_20230101".into(),
        product_id: "LC08_L2SP_026047_20230101_20230110_02_T1".into(),
        platform: "landsat-8".into(),
        wrs_path: 26,
        wrs_row: 47,
        acquired,
        solar_day: acquired.date().to_string(),
        processed: None,
        tier: None,
        cloud_cover: None,
        bbox: transform_bounds(&grid.crs, &CrsName::lon_lat(), &bounds()).unwrap(),
        synthetic: false,
        document: "{}".into(),
    };
    let run = cube.index().begin_run("test").unwrap();
    let commit = IngestCommit {
        product: product.product,
        run: run.clone(),
        scenes: vec![scene],
        ..IngestCommit::default()
    };
    cube.index().commit_ingest(&commit).unwrap();
    cube.index().end_run(&run).unwrap();
}

/// Stored values of a band at a level.
fn plane(band: &str, level: u32, bright: u16) -> Vec<u16> {
    let side = 256usize >> level;
    let border = BORDER >> level;
    let value = |i: usize| {
        let (row, col) = (i / side, i % side);
        let inside = |v: usize| (border..side - border).contains(&v);
        if !inside(row) || !inside(col) {
            return 0;
        }
        let (south, east) = (row >= side / 2, col >= side / 2);
        let lit = match band {
            "red" => south == east,
            "green" => east,
            _ => south && !east,
        };
        if lit { bright } else { 1 }
    };
    (0..side * side).map(value).collect()
}

fn commit_year(cube: &Cube, grid: &GridDef, recipe: &RecipeDef, year: i16, bright: u16) {
    let end = TileId { ix: TILE.ix + 1, iy: TILE.iy + 1 };
    let windows: Vec<PixelWindow> = (0..=LEVELS).map(|level| tiles_window(grid, TILE, end, level)).collect();
    let period = Period::year(year).unwrap();
    let run = cube.index().begin_run("test").unwrap();
    let prefix = ObjectKey::new(&generation_prefix(LAYER, &period, &run)).unwrap();
    let (mut objects, mut specs) = (Vec::new(), Vec::new());
    for (level, window) in (0..=LEVELS).zip(&windows) {
        let shape = if level <= TILE_LEVELS {
            Shape::tiled(1, window, 1, grid.level_tile_size(level), 256)
        } else {
            Shape::whole(1, window, 256)
        };
        for output in &recipe.outputs {
            let spec = array_spec(&Band::from(output), level, shape, Codec::Zstd5Byte);
            let array = ArrayRef::from_spec(&prefix, &spec).unwrap();
            let mut shard = cube.store().shard_writer(&array, [0, 0, 0]).unwrap();
            let pixels = Pixels::U16(plane(&output.name, level, bright));
            shard.put_window(0, 0, 0, window.height, window.width, &pixels).unwrap();
            objects.extend(shard.finish().unwrap());
            specs.push(spec);
        }
    }
    let crs = crs_info(&grid.crs).unwrap();
    let spec =
        group_spec(prefix.clone(), grid, &crs, &windows, vec![period.start], specs, serde_json::Map::new());
    objects.extend(cube.store().write_group(&spec).unwrap());
    cube.index()
        .commit_generations(&GenerationCommit {
            product: LAYER.into(),
            run: run.clone(),
            generations: vec![NewGeneration {
                period,
                group: NewGroup {
                    archive: false,
                    prefix: prefix.as_str().into(),
                    objects: objects
                        .iter()
                        .map(|o| NewObject {
                            key: o.key.as_str().into(),
                            bytes: o.bytes,
                            digest: o.digest.clone(),
                        })
                        .collect(),
                },
                tile_min: TILE,
                tile_end: end,
                provenance: "{}".into(),
                slots: Vec::new(),
                sources: Vec::new(),
            }],
            summary: "{}".into(),
            ..GenerationCommit::default()
        })
        .unwrap();
    cube.index().end_run(&run).unwrap();
}
