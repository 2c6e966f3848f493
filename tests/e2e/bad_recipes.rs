//! Recipes that cannot be worked: the file, line and column, the band, the parameter, and what was expected.

use crate::harness::{TestCube, demo};

const RECIPE: &str = "\
recipe: dryness
version: '1'
title: {es: Sequedad, en: Dryness}
status: experimental
input: landsat_c2_sr
period: year
reducer:
  statistics: {expression: '(swir1 - nir) / (swir1 + nir)', statistics: [median, count]}
outputs:
  - {name: median, dtype: float32, nodata: nan}
  - {name: count, dtype: uint16, nodata: 65535}
";

/// A recipe file with something else in it.
fn changed(cube: &TestCube, from: &str, to: &str) -> String {
    assert!(RECIPE.contains(from), "{from}");
    cube.write("dryness.yaml", &RECIPE.replacen(from, to, 1))
}

#[test]
fn a_wrong_recipe_is_refused_with_its_place() {
    let cube = demo("2020-2020");
    let before = cube.json(&["products", "list"]);
    for (from, to, says) in [
        // Typing errors: file, line, column.
        ("period: year", "period: yaer", &["dryness.yaml:6:9", "yaer"] as &[&str]),
        ("reducer:", "reducr:", &["dryness.yaml:7:1", "reducr"]),
        ("statistics: [median", "statistics: [medain", &["dryness.yaml:8:", "medain"]),
        ("name: count, dtype", "name: cuont, dtype", &["dryness.yaml:11:12", "cuont", "median, count"]),
        ("dtype: float32", "dtype: float23", &["dryness.yaml:10:", "float23"]),
        ("status: experimental", "status: official", &["dryness.yaml:4:9", "accuracy"]),
        // What the input has not.
        ("input: landsat_c2_sr", "input: landsat", &["landsat", "landsat_c2_sr"]),
        ("period: year", "period: year\nmask: cloudz", &["dryness", "cloudz", "standard"]),
        ("(swir1 - nir)", "(swir1 - nri)", &["dryness", "column 10", "nri", "did you mean `nir`"]),
        ("(swir1 - nir)", "(swir1 - qa_pixel)", &["dryness", "column 10", "codes"]),
        ("(swir1 - nir) /", "(swir1 - nir) (", &["dryness", "column 15"]),
        ("input: landsat_c2_sr", "input: ndvi_annual", &["dryness", "scenes product", "ndvi_annual"]),
    ] {
        let path = changed(&cube, from, to);
        cube.fails(&["compute", &path]).says(says);
        cube.fails(&["plan", &path]).says(says);
    }
    assert_eq!(cube.json(&["products", "list"]), before, "a refused recipe leaves nothing");
    cube.fails(&["compute", "drynes"]).says(&["drynes", "geomedian_annual", "recipe file"]);
    cube.is_sound();
}

#[test]
fn nothing_to_work_is_said() {
    let cube = demo("2020-2020");
    let path = cube.write("dryness.yaml", RECIPE);
    cube.ok(&["compute", &path, "--years", "1990-1995"]).says(&["0 periods computed"]);
    cube.ok(&["plan", &path, "--years", "1990-1995"]).says(&["nothing to plan"]);
    cube.ok(&["compute", &path]).says(&["1 periods computed", "2020"]);
    cube.ok(&["plan", &path]).says(&["up to date"]);
    let empty = TestCube::init();
    empty.ok(&["products", "add", "landsat_c2_sr"]);
    empty.ok(&["compute", &path]).says(&["0 periods computed"]);
    empty.fails(&["compute", "ndvi_annual"]).says(&["geomedian_annual"]);
}

#[test]
fn too_little_memory_says_how_much_is_needed() {
    let cube = demo("2020-2020");
    let path = cube.write("dryness.yaml", RECIPE);
    let refused = cube.fails(&["compute", &path, "--memory", "8M"]);
    refused.says(&["8 MB are too little", "--memory"]);
    let needed =
        refused.stderr.split("--memory ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let mb: u64 = needed.strip_suffix('M').unwrap().parse().unwrap();
    cube.fails(&["compute", &path, "--memory", &format!("{}M", mb - 1)]).says(&[&needed]);
    cube.ok(&["compute", &path, "--memory", &needed]).says(&["1 periods computed"]);
}

#[test]
fn one_product_is_of_one_input_and_one_grid() {
    let cube = demo("2020-2020");
    let recipe = cube.write("dryness.yaml", RECIPE);
    cube.ok(&["compute", &recipe]);
    // The other collection on the same grid: years of both would stand in one product.
    cube.ok(&["products", "add", "landsat_c1_sr"]);
    cube.fails(&["compute", &recipe, "--input", "landsat_c1_sr"]).says(&[
        "dryness",
        "2020",
        "landsat_c1_sr",
        "landsat_c2_sr",
        "another name",
    ]);
    // A product that takes both is no product.
    let shipped = crate::real_inputs::shipped_product("landsat_c2_sr");
    let both =
        crate::real_inputs::replaced(&shipped, "collections: [\"02\"]", "collections: [\"01\", \"02\"]");
    let both = cube.write("both.yaml", &both);
    cube.fails(&["products", "add", &both]).says(&["both.yaml:", "never mixes collections"]);
    // Another grid.
    let other = crate::real_inputs::replaced(&shipped, "product: landsat_c2_sr", "product: utm_sr");
    let other = cube.write("other.yaml", &other);
    cube.ok(&["products", "add", &other, "--grid", "utm14_30"]);
    let before = cube.json(&["snapshots", "list", "--limit", "1"]);
    let refused = cube.fails(&["compute", &recipe, "--input", "utm_sr"]);
    refused.says(&["dryness", "another"]);
    assert_eq!(cube.json(&["snapshots", "list", "--limit", "1"]), before);
    cube.is_sound();
}
