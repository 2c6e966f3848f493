//! Groups: what they refuse, and what their documents say.

use serde_json::Value;
use tesela_model::{DType, Instant};
use tesela_store::{GroupSpec, Store, StoreError};

use crate::fixtures::{group, key, spec};

fn refused(change: impl FnOnce(&mut GroupSpec)) {
    let mut group = group("p");
    change(&mut group);
    let store = Store::in_memory();
    let error = store.write_group(&group).unwrap_err();
    assert!(matches!(error, StoreError::InvalidSpec { .. } | StoreError::InvalidKey { .. }), "{error}");
    assert!(store.list(None).unwrap().is_empty());
}

#[test]
fn contradictions_are_refused_before_anything_is_written() {
    refused(|g| g.time.clear());
    refused(|g| g.time[1] = g.time[0]);
    refused(|g| g.time.push(Instant(i64::MAX)));
    refused(|g| g.levels[0].level = 2);
    refused(|g| g.arrays[0].name = "x".to_owned());
    refused(|g| g.arrays[0].name = "overviews/7/red".to_owned());
    refused(|g| g.arrays[0].name = "../red".to_owned());
    refused(|g| g.arrays[1].name = "red".to_owned());
    refused(|g| g.arrays[0].shape[1] = 36);
    refused(|g| g.arrays[0].inner[1] = 7);
    refused(|g| g.arrays[0].inner[1] = 0);
    refused(|g| g.arrays[0].fill = f64::NAN);
    refused(|g| g.arrays[0].scale = 0.0);
}

fn document(store: &Store, object: &str) -> Value {
    serde_json::from_slice(&store.objects().get(&key(object)).unwrap().unwrap()).unwrap()
}

#[test]
fn the_documents_say_where_and_what() {
    let store = Store::in_memory();
    let group = group("p");
    let written = store.write_group(&group).unwrap();
    assert_eq!(written.len(), store.list(None).unwrap().len());
    // The same again is fine; another group at the same place is not.
    assert_eq!(store.write_group(&group).unwrap(), written);
    let other = GroupSpec { epsg: None, ..group };
    assert!(matches!(store.write_group(&other), Err(StoreError::ObjectExists { .. })));

    let root = document(&store, "p/zarr.json");
    let attributes = &root["attributes"];
    assert_eq!(attributes["title"], "Prueba");
    assert_eq!(attributes["Conventions"], "CF-1.10");
    assert_eq!(attributes["proj:code"], "EPSG:6372");
    assert_eq!(attributes["spatial:transform"].to_string(), "[30.0,0.0,2400000.0,0.0,-30.0,900000.0]");
    assert_eq!(attributes["spatial:bbox"].to_string(), "[2400000.0,898890.0,2401350.0,900000.0]");
    assert_eq!(attributes["spatial:shape"].to_string(), "[37,45]");
    let layout = &attributes["multiscales"]["layout"];
    assert_eq!(layout[1]["asset"], "overviews/1");
    assert_eq!(layout[1]["derived_from"], ".");
    assert_eq!(layout[1]["transform"]["scale"].to_string(), "[1.0,2.0,2.0]");
    assert_eq!(attributes["zarr_conventions"].as_array().unwrap().len(), 3);

    let nodes = root["consolidated_metadata"]["metadata"].as_object().unwrap();
    assert!(nodes.contains_key("overviews/1/spatial_ref") && nodes.contains_key("overviews"));
    for (name, node) in nodes.iter().filter(|(_, node)| node["node_type"] == "array") {
        assert_eq!(*node, document(&store, &format!("p/{name}/zarr.json")), "{name}");
    }
    let level = document(&store, "p/overviews/1/zarr.json");
    let names: Vec<_> = level["consolidated_metadata"]["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["red", "spatial_ref", "time", "x", "y"]);

    let red = document(&store, "p/red/zarr.json");
    assert_eq!(red["attributes"]["_FillValue"], 0);
    assert_eq!(red["attributes"]["scale_factor"], 2.75e-5);
    assert_eq!(red["attributes"]["coordinates"], "spatial_ref");
    let qa = document(&store, "p/qa_pixel/zarr.json");
    assert_eq!((qa["attributes"].get("_FillValue"), &qa["attributes"]["nodata"]), (None, &Value::from(1)));
    let spatial_ref = document(&store, "p/overviews/1/spatial_ref/zarr.json");
    assert_eq!(spatial_ref["attributes"]["GeoTransform"], "2400000 60 0 900000 0 -60");
}

#[test]
fn what_is_written_is_what_is_opened() {
    let store = Store::in_memory();
    let group = group("p");
    store.write_group(&group).unwrap();
    for spec in &group.arrays {
        let array = store.open_array(&group.prefix, &spec.name).unwrap();
        assert_eq!(array.dtype(), spec.dtype);
        assert_eq!(array.fill().to_bits(), spec.fill.to_bits());
        assert_eq!((array.shape(), array.shard(), array.inner()), (spec.shape, spec.shard, spec.inner));
        assert_eq!((array.scale(), array.offset()), (spec.scale, spec.offset));
        assert!(store.shard_writer(&array, [0, 0, 0]).is_ok());
    }
    assert!(matches!(store.open_array(&group.prefix, "nir"), Err(StoreError::NodeMissing { .. })));
    assert!(matches!(store.open_array(&group.prefix, "time"), Err(StoreError::Metadata { .. })));
    assert_eq!(store.delete_under(&group.prefix).unwrap() as usize, store.write_group(&group).unwrap().len());
    assert_eq!(spec("a", DType::Uint8, 0.0).validate().map_err(|e| e.to_string()), Ok(()));
}
