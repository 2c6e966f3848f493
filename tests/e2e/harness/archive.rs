//! A synthetic archive, and cubes for it on a grid of small tiles: the shipped ones' are mostly empty there.

use std::path::PathBuf;
use std::process::Command;

use super::{TestCube, run_python};

/// The national grid with tiles of 256 pixels.
const SMALL_TILES: &str = r#"
id: small_30
title: {es: "México, 30 m, cuadros pequeños", en: "Mexico, 30 m, small tiles"}
crs: "EPSG:6372"
resolution: 30
origin: [0, 0]
tile_size: 256
extent: {ix: [104, 552], iy: [32, 336]}
"#;

/// Digests of the values of every array below some groups, by `NAME array`; arguments are NAME=PATH.
const DIGESTS: &str = r#"
import hashlib, sys, zarr
for arg in sys.argv[1:]:
    name, path = arg.split("=", 1)
    for key, array in sorted(zarr.open_group(path, mode="r").members(max_depth=None)):
        if isinstance(array, zarr.Array):
            values = array[...]
            print(name, key, values.shape, values.dtype, hashlib.sha256(values.tobytes()).hexdigest())
"#;

/// Derived products that the tests compute, in order.
pub const DERIVED: [&str; 2] = ["geomedian_annual", "ndvi_annual"];
/// Zone sets of a prepared cube.
pub const ZONES: [&str; 2] = ["agebs@demo", "manzanas@demo"];

/// A synthetic archive.
pub struct Archive {
    folder: TestCube,
}

impl Archive {
    /// Makes one; a year has about seven dates, each of two scenes.
    pub fn of(years: &str, size: u32) -> Self {
        let folder = TestCube::init();
        let grid = folder.write("small.yaml", SMALL_TILES);
        folder.ok(&["products", "add", "landsat_c2_sr", "--grid", &grid]);
        folder.ok(&["demo", "--size", &size.to_string(), "--years", years, "--no-serve"]);
        Self { folder }
    }

    /// Where the scenes lie, as text.
    pub fn path(&self) -> String {
        self.folder.path("cube/synthetic/scenes").to_str().unwrap().to_owned()
    }

    /// Folders of the scenes.
    pub fn scenes(&self) -> Vec<PathBuf> {
        let mut all: Vec<_> = std::fs::read_dir(self.path()).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort_by_key(|p| (day(p), p.clone()));
        all
    }

    /// Scenes by the day they were acquired.
    pub fn days(&self) -> Vec<Vec<PathBuf>> {
        let scenes = self.scenes();
        scenes.chunk_by(|a, b| day(a) == day(b)).map(<[PathBuf]>::to_vec).collect()
    }

    /// A cube with the product and zones, without scenes.
    pub fn cube(&self) -> TestCube {
        let cube = TestCube::init();
        let grid = self.folder.path("small.yaml").to_str().unwrap().to_owned();
        cube.ok(&["products", "add", "landsat_c2_sr", "--grid", &grid]);
        for id in ZONES {
            let file = self.folder.path("cube/synthetic/zones").join(id.replace("@demo", ".gpkg"));
            cube.ok(&["zones", "add", file.to_str().unwrap(), "--key", "CVEGEO", "--id", id]);
        }
        cube
    }
}

/// The day in a scene's name.
pub fn day(scene: &std::path::Path) -> String {
    scene.file_name().unwrap().to_str().unwrap().split('_').nth(3).unwrap().to_owned()
}

/// A copy of a cube.
pub fn copied(cube: &TestCube) -> TestCube {
    let copy = TestCube::unmade();
    assert!(Command::new("cp").arg("-r").arg(cube.dir()).arg(copy.dir()).status().unwrap().success());
    copy
}

/// Computes every derived product.
#[track_caller]
pub fn compute(cube: &TestCube) {
    for recipe in DERIVED {
        cube.ok(&["compute", recipe]);
    }
}

/// Digests of the values of all derived arrays, by product, period and array.
#[track_caller]
pub fn derived_digests(cube: &TestCube) -> Vec<String> {
    let mut groups = Vec::new();
    for product in DERIVED {
        for period in cube.product(product)["periods"].as_array().unwrap() {
            let (name, path) = (period["period"].as_str().unwrap(), period["zarr"].as_str().unwrap());
            groups.push(format!("{product}/{name}={path}"));
        }
    }
    assert!(!groups.is_empty());
    run_python(DIGESTS, &groups).lines().map(str::to_owned).collect()
}

/// Bytes in use by form: `recent`, `archive`, `overviews`, `generation`.
#[track_caller]
pub fn usage(cube: &TestCube, form: &str) -> u64 {
    let rows = cube.json(&["info", "--usage"]);
    let rows = rows.as_array().unwrap().iter();
    rows.filter(|r| r["form"] == form).map(|r| r["bytes"].as_u64().unwrap()).sum()
}
