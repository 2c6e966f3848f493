//! Every kind of real scene the project holds: which product takes it, which refuses it, and with what words.

use std::path::Path;

use serde_json::Value;

use crate::harness::{TestCube, data, stack_manifest};

/// What happens to an input.
enum Outcome {
    /// It goes in, with warnings that say this (none: no warning).
    Added { scenes: u64, warning: Option<&'static str> },
    /// It stays out: code and words of the reason.
    Refused { code: &'static str, says: &'static [&'static str] },
}
use Outcome::{Added, Refused};

/// One member of the table.
struct Row {
    input: &'static str,
    /// Product, and a change of its definition.
    product: &'static str,
    change: fn(&str) -> String,
    grid: &'static str,
    outcome: Outcome,
}

const T1: &str = "05-c2l2-whole-scenes-decimated/LC08_L2SP_008059_20191201_20200825";
const T2: &str = "05-c2l2-whole-scenes-decimated/LC08_L2SP_017036_20130419_20200913";
const NICARAGUA: &str = "04-landsat8-c2l2-crops/LC08_L2SP_017051_20151205_20200908_02_T1";
const LIVERPOOL: &str = "04-landsat8-c2l2-crops/LC08_L2SP_204023_20200927_20201006_02_T1";
const BRUMADINHO: &str = "04-landsat8-c2l2-crops/LC08_L2SP_218074_20190114_20200829_02_T1";
const CANBERRA: &str = "06-canberra-ls5-1992-ls8-2019/ls8_espa_c1_sr_20190205";

/// Whole scenes decimated to 512 × 512 have pixels of 445 m × 454 m: a grid near that.
const UTM18_450: &str = "id: utm18_450\ntitle: {es: UTM 18, en: UTM 18}\ncrs: \"EPSG:32618\"\nresolution: 450\n\
    origin: [0, 0]\ntile_size: 512\nextent: {ix: [0, 5], iy: [-2, 4]}\n";
const UTM17_450: &str = "id: utm17_450\ntitle: {es: UTM 17, en: UTM 17}\ncrs: \"EPSG:32617\"\nresolution: 450\n\
    origin: [0, 0]\ntile_size: 512\nextent: {ix: [0, 5], iy: [14, 20]}\n";

fn as_shipped(text: &str) -> String {
    text.into()
}

fn both_tiers(text: &str) -> String {
    replaced(text, "tiers: [T1]", "tiers: [T1, T2]")
}

/// Without a quality band nothing can be masked.
fn reflectance_only(text: &str) -> String {
    without_quality(text)
}

const TABLE: &[Row] = &[
    Row {
        input: T1,
        product: "landsat_c2_sr",
        change: as_shipped,
        grid: UTM18_450,
        outcome: Added {
            scenes: 1,
            warning: Some("metadata says 7591 × 7741 pixels, the raster has 512 × 512; the raster is used"),
        },
    },
    Row {
        input: T2,
        product: "landsat_c2_sr",
        change: as_shipped,
        grid: UTM17_450,
        outcome: Refused { code: "tier_not_accepted", says: &["tier T2", "landsat_c2_sr", "accepts T1"] },
    },
    Row {
        input: T2,
        product: "landsat_c2_sr",
        change: both_tiers,
        grid: UTM17_450,
        outcome: Added { scenes: 1, warning: Some("512 × 512") },
    },
    Row {
        input: NICARAGUA,
        product: "landsat_c2_sr",
        change: as_shipped,
        grid: "utm16_30",
        outcome: Refused { code: "missing_bands", says: &["LC08_L2SP_017051_20151205", "QA_PIXEL missing"] },
    },
    Row {
        input: LIVERPOOL,
        product: "landsat_c2_sr",
        change: as_shipped,
        grid: "utm30_30",
        outcome: Refused { code: "missing_bands", says: &["LC08_L2SP_204023_20200927", "QA_PIXEL missing"] },
    },
    Row {
        input: BRUMADINHO,
        product: "landsat_c2_sr",
        change: as_shipped,
        grid: "utm23_30",
        outcome: Refused { code: "missing_bands", says: &["LC08_L2SP_218074_20190114", "QA_PIXEL missing"] },
    },
    Row {
        input: NICARAGUA,
        product: "landsat_c2_sr",
        change: reflectance_only,
        grid: "utm16_30",
        outcome: Added { scenes: 1, warning: None },
    },
    Row {
        input: LIVERPOOL,
        product: "landsat_c2_sr",
        change: reflectance_only,
        grid: "utm30_30",
        outcome: Added { scenes: 1, warning: None },
    },
    Row {
        input: BRUMADINHO,
        product: "landsat_c2_sr",
        change: reflectance_only,
        grid: "utm23_30",
        outcome: Added { scenes: 1, warning: None },
    },
    Row {
        input: "04-landsat8-c2l2-crops",
        product: "landsat_c2_sr",
        change: reflectance_only,
        grid: "utm23_30",
        // The two of zone 23; the others lie outside its grid.
        outcome: Added { scenes: 2, warning: None },
    },
    Row {
        input: CANBERRA,
        product: "landsat_c1_sr",
        change: as_shipped,
        grid: "utm55_30",
        outcome: Added {
            scenes: 1,
            warning: Some(
                "metadata puts the upper-left edge at (688770, -3903960), the raster at (688785, -3903975)",
            ),
        },
    },
    Row {
        input: CANBERRA,
        product: "landsat_c2_sr",
        change: as_shipped,
        grid: "utm55_30",
        outcome: Refused { code: "collection_not_accepted", says: &["collection 01", "accepts 02"] },
    },
    Row {
        input: T1,
        product: "landsat_c1_sr",
        change: as_shipped,
        grid: UTM18_450,
        outcome: Refused { code: "collection_not_accepted", says: &["collection 02", "accepts 01"] },
    },
];

#[test]
fn each_real_input_goes_where_the_table_says() {
    for row in TABLE {
        let Some(input) = data(row.input) else { return };
        eprintln!("{} into {} on {:.12}", row.input, row.product, row.grid);
        let cube = cube_for(row.product, row.change, row.grid);
        let arguments = ["--json", "ingest", "--product", row.product, input.to_str().unwrap()];
        let outcome = cube.run(&arguments);
        let report = outcome.json();
        match &row.outcome {
            Added { scenes, warning } => {
                assert_eq!((outcome.code, report["added"].as_u64()), (Some(0), Some(*scenes)), "{report:#}");
                let warnings = report["warnings"].to_string();
                match warning {
                    Some(part) => assert!(warnings.contains(part), "{warnings}"),
                    None => assert!(
                        !warnings.contains("raster is used") || row.input.contains("04"),
                        "{warnings}"
                    ),
                }
                // Once in, it is there already.
                let again = cube.json(&arguments[1..]);
                assert_eq!((&again["added"], &again["already"]), (&0.into(), &(*scenes).into()), "{again:#}");
            }
            Refused { code, says } => {
                assert_eq!((outcome.code, report["added"].as_u64()), (Some(1), Some(0)), "{report:#}");
                let quarantine = cube.json(&["quarantine", "list"]);
                let [refused] = quarantine.as_array().unwrap().as_slice() else { panic!("{quarantine:#}") };
                assert_eq!(refused["code"], *code);
                assert_eq!(report["refused"][0]["code"], *code);
                for part in *says {
                    assert!(refused["reason"].as_str().unwrap().contains(part), "{refused:#}");
                }
                assert_eq!(cube.json(&["scenes", "list"]), Value::Array(Vec::new()));
            }
        }
        cube.is_sound();
    }
}

#[test]
fn own_scenes_make_a_demo_on_the_grid_they_lie_on() {
    let Some(scenes) = data("05-c2l2-whole-scenes-decimated") else { return };
    let cube = TestCube::unmade();
    let demo = ["demo", "--no-serve", "--scenes", scenes.to_str().unwrap()];
    // Neither lies in Mexico, and one is of tier T2: the other's zone is taken.
    let report = cube.json(&demo);
    assert_eq!((&report["synthetic"], &report["scenes"]), (&false.into(), &1.into()), "{report:#}");
    let info = cube.json(&["info"]);
    assert_eq!(info["synthetic"], false);
    let products = cube.json(&["products", "list"]);
    for product in products.as_array().unwrap() {
        assert_eq!(product["grid"], "utm18_30", "{product:#}");
    }
    cube.period("geomedian_annual", "2019");
    cube.is_sound();
    // The same again finds all there; another grid does not go with it.
    assert_eq!(cube.json(&demo)["scenes"], 1);
    cube.fails(&[&demo[..], &["--grid", "mx6372_30"]].concat()).says(&["utm18_30", "--grid"]);
}

#[test]
fn stacks_go_in_by_manifest() {
    let Some(folder) = data("01-chiapas-l7-sr") else { return };
    let cube = TestCube::with("landsat_stack_fmask", "utm15_30");
    let manifest = cube.write("scenes.csv", &chiapas_manifest(&folder));
    let report = cube.json(&["ingest", "--product", "landsat_stack_fmask", &manifest]);
    assert_eq!((&report["added"], &report["refused"]), (&2.into(), &Value::Array(Vec::new())));
    let scenes = cube.json(&["scenes", "list"]);
    let days: Vec<&str> =
        scenes.as_array().unwrap().iter().map(|s| &s["datetime"].as_str().unwrap()[..10]).collect();
    assert_eq!(days, ["1999-11-18", "2002-04-16"]);
    cube.is_sound();
}

/// The manifest of the two dates of Chiapas.
pub fn chiapas_manifest(folder: &Path) -> String {
    stack_manifest(&[
        (folder.join("LE70220491999322EDC01_stack.gtif"), "1999-11-18".into(), "landsat-7"),
        (folder.join("LE70220492002106EDC00_stack.gtif"), "2002-04-16".into(), "landsat-7"),
    ])
}

/// A cube with a shipped product, changed, on a grid by name or by definition.
pub fn cube_for(product: &str, change: impl Fn(&str) -> String, grid: &str) -> TestCube {
    let cube = TestCube::init();
    let definition = cube.write("product.yaml", &change(&shipped_product(product)));
    let grid = if grid.contains('\n') { cube.write("grid.yaml", grid) } else { grid.to_owned() };
    cube.ok(&["products", "add", &definition, "--grid", &grid]);
    cube
}

/// The text of a shipped definition.
pub fn shipped_product(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/model/products");
    std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap()
}

/// A text with a part replaced, which it must hold.
pub fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the shipped file any more");
    text.replace(from, to)
}

/// `landsat_c2_sr` with its reflectances alone.
pub fn without_quality(text: &str) -> String {
    let first = text.find("  - name: qa_pixel").unwrap();
    let last = text.find("styles:").unwrap();
    format!("{}mask: none\n{}", &text[..first], &text[last..])
}
