//! Polygon layers that cannot be used, and one that is repaired.

use serde_json::{Value, json};

use crate::harness::TestCube;

fn layer(features: &[(Value, Value)]) -> String {
    let features: Vec<Value> = features
        .iter()
        .map(|(key, geometry)| json!({"type": "Feature", "properties": {"key": key}, "geometry": geometry}))
        .collect();
    json!({"type": "FeatureCollection", "features": features}).to_string()
}

fn square() -> Value {
    json!({"type": "Polygon", "coordinates": [[[-93.3, 15.7], [-93.2, 15.7], [-93.2, 15.8], [-93.3, 15.8], [-93.3, 15.7]]]})
}

#[test]
fn bad_layers_are_refused_by_name_and_leave_nothing() {
    let cube = TestCube::init();
    let line = json!({"type": "LineString", "coordinates": [[-93.3, 15.7], [-93.2, 15.8]]});
    let table: &[(&str, String, &str, &[&str])] = &[
        ("garbage.geojson", "not a layer".into(), "key", &["garbage.geojson", "cannot be read as"]),
        (
            "cut.geojson",
            layer(&[("a".into(), square())])[..60].into(),
            "key",
            &["cut.geojson", "cannot be read as"],
        ),
        ("empty.geojson", layer(&[]), "key", &["empty.geojson"]),
        ("line.geojson", layer(&[("a".into(), line)]), "key", &["line.geojson", "key a", "not a polygon"]),
        (
            "field.geojson",
            layer(&[("a".into(), square())]),
            "CVEGEO",
            &["field.geojson", "no field CVEGEO", "key"],
        ),
        (
            "null.geojson",
            layer(&[("a".into(), square()), (Value::Null, square())]),
            "key",
            &["null.geojson", "feature 2", "no key"],
        ),
        (
            "twice.geojson",
            layer(&[("010010001".into(), square()), ("010010001".into(), square())]),
            "key",
            &["twice.geojson", "010010001", "more than once"],
        ),
        (
            "number.geojson",
            layer(&[(10_010_001.into(), square())]),
            "key",
            &["number.geojson", "key is a number"],
        ),
    ];
    for (name, text, key, says) in table {
        let file = cube.write(name, text);
        cube.fails(&["zones", "add", &file, "--key", key, "--id", "bad@1"]).says(says);
    }
    cube.fails(&["zones", "add", "nowhere.gpkg", "--key", "key", "--id", "bad@1"]).says(&["nowhere.gpkg"]);
    let good = cube.write("good.geojson", &layer(&[("a".into(), square())]));
    cube.fails(&["zones", "add", &good, "--key", "key", "--id", "a/b"]).says(&["a/b"]);
    assert_eq!(cube.json(&["zones", "list"]), json!([]));
    cube.is_sound();

    cube.ok(&["zones", "add", &good, "--key", "key", "--id", "good@1"]);
    cube.fails(&["zones", "add", &good, "--key", "key", "--id", "good@1"]).says(&["good@1"]);
    cube.is_sound();
}

#[test]
fn a_bow_tie_is_repaired_and_reported() {
    let cube = TestCube::init();
    let bow = json!({"type": "Polygon", "coordinates": [[[-93.33, 15.70], [-93.31, 15.72], [-93.31, 15.70], [-93.33, 15.72], [-93.33, 15.70]]]});
    let file = cube.write("bow.geojson", &layer(&[("a".into(), bow)]));
    let added = cube.json(&["zones", "add", &file, "--key", "key", "--id", "bow@1"]);
    assert_eq!((&added["zones"], &added["report"]), (&json!(1), &json!(["a: invalid polygon repaired"])));
    // Two triangles, each a quarter of the box.
    let zone = cube.json(&["zones", "show", "bow@1", "a"]);
    let box_m2 = 0.02 * 110_640.0 * 0.02 * 107_200.0;
    let share = zone["area_m2"].as_f64().unwrap() / box_m2;
    assert!((share - 0.5).abs() < 0.005, "{zone:#}");
}
