//! xarray, zarr-python, rioxarray and odc-geo on a group as it lies on disk; our reader on zarr-python's.
//!
//! Needs `TESELA_PYTHON`, a Python with zarr ≥ 3, xarray and rioxarray; skipped without.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use tesela_store::{ArraySpec, ObjectKey, Pixels, Store, StoreOptions, Window};

use crate::fixtures::{CASES, assert_same, expected, group, key, spec, write_all};

const DATES: [u64; 5] = [0, 1, 2, 3, 4];

/// Runs a script of ours with two paths; `false`, with a word about it, where there is no Python.
fn python(script: &str, directory: &Path, truth: &Path) -> bool {
    let Ok(python) = std::env::var("TESELA_PYTHON") else {
        println!("skipped: TESELA_PYTHON names no Python");
        return false;
    };
    let script = format!("{}/tests/python/{script}", env!("CARGO_MANIFEST_DIR"));
    let output =
        Command::new(python).arg(script).arg(directory).arg(truth).env_remove("PROJ_DATA").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.trim_end().ends_with("ok"), "{out}\n{err}");
    true
}

/// Everything in the array, and how Python is told.
fn truth(spec: &ArraySpec) -> (Window, Pixels, Value) {
    let window = Window { y0: 0, x0: 0, height: spec.shape[1] as usize, width: spec.shape[2] as usize };
    let pixels = expected(spec, &DATES, window);
    let values: Vec<_> = (0..pixels.len()).map(|i| pixels.get_f64(i).filter(|v| !v.is_nan())).collect();
    let fill = Some(spec.fill).filter(|v| !v.is_nan());
    let told = json!({
        "shape": spec.shape, "shard": spec.shard, "inner": spec.inner,
        "dtype": spec.dtype.as_str(), "fill": fill, "values": values,
    });
    (window, pixels, told)
}

#[test]
fn xarray_reads_a_group() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_local(directory.path(), &StoreOptions::default()).unwrap();
    let group = group("derived/p/2024");
    write_all(&store, &group);
    let arrays: Map<_, _> = group.arrays.iter().map(|spec| (spec.name.clone(), truth(spec).2)).collect();
    let told = directory.path().join("truth.json");
    std::fs::write(&told, json!({"time": group.time, "arrays": arrays}).to_string()).unwrap();
    python("read_group.py", &directory.path().join("derived/p/2024"), &told);
}

#[test]
fn ours_reads_zarr_python() {
    let directory = tempfile::tempdir().unwrap();
    let specs = CASES.map(|(dtype, fill)| spec(&format!("{}_{fill}", dtype.as_str()), dtype, fill));
    let told: Map<_, _> = specs.iter().map(|spec| (spec.name.clone(), truth(spec).2)).collect();
    let file = directory.path().join("truth.json");
    std::fs::write(&file, Value::Object(told).to_string()).unwrap();
    if !python("write_arrays.py", &directory.path().join("arrays"), &file) {
        return;
    }
    let store = Store::open_local(directory.path(), &StoreOptions::default()).unwrap();
    let prefix: ObjectKey = key("arrays");
    for spec in &specs {
        let array = store.open_array(&prefix, &spec.name).unwrap();
        assert_eq!((array.dtype(), array.inner(), array.shard()), (spec.dtype, spec.inner, spec.shard));
        let (window, pixels, _) = truth(spec);
        let mut out = Pixels::empty(spec.dtype);
        store.read_windows(&array, &DATES, window, &mut out).unwrap();
        assert_same(&out, &pixels, &spec.name);
    }
}
