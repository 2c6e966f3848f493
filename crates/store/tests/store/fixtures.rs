//! Small arrays with known values.

use serde_json::{Map, json};
use tesela_grid::{CrsName, GeoBox};
use tesela_model::{DType, Instant};
use tesela_store::{ArrayRef, ArraySpec, Codec, GroupSpec, LevelSpec, ObjectKey, Pixels, Store, Window};

pub(crate) const CASES: [(DType, f64); 5] = [
    (DType::Uint8, 255.0),
    (DType::Uint16, 0.0),
    (DType::Int16, -9999.0),
    (DType::Float32, f64::NAN),
    (DType::Float32, -1.0),
];

pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// An array off every chunk size: 5 dates × 37 × 45, shards of 4×32×32, inner chunks of 2×8×16.
pub(crate) fn spec(name: &str, dtype: DType, fill: f64) -> ArraySpec {
    ArraySpec {
        name: name.to_owned(),
        dtype,
        fill,
        mask_fill: true,
        shape: [5, 37, 45],
        shard: [4, 32, 32],
        inner: [2, 8, 16],
        codec: Codec::Zstd5Byte,
        scale: 1.0,
        offset: 0.0,
        unit: "1".to_owned(),
        long_name: name.to_owned(),
        attributes: Map::new(),
    }
}

/// The value at `[t, y, x]`; fill in the north-west quarter, and on every thirteenth pixel elsewhere.
pub(crate) fn value(spec: &ArraySpec, t: u64, y: u64, x: u64) -> f64 {
    let n = (t * 7919 + y * 101 + x * 3) % 1009;
    if (y < 16 && x < 16) || n.is_multiple_of(13) {
        return spec.fill;
    }
    match spec.dtype {
        DType::Uint8 => (n % 251) as f64,
        DType::Uint16 => 7000.0 + 31.0 * n as f64,
        DType::Int16 => n as f64 * 20.0 - 10_000.0,
        DType::Float32 => f64::from(n as f32 / 7.0),
    }
}

pub(crate) fn pixels_of(dtype: DType, values: impl Iterator<Item = f64>) -> Pixels {
    match dtype {
        DType::Uint8 => values.map(|v| v as u8).collect::<Vec<_>>().into(),
        DType::Uint16 => values.map(|v| v as u16).collect::<Vec<_>>().into(),
        DType::Int16 => values.map(|v| v as i16).collect::<Vec<_>>().into(),
        DType::Float32 => values.map(|v| v as f32).collect::<Vec<_>>().into(),
    }
}

/// What a read of the whole truth gives.
pub(crate) fn expected(spec: &ArraySpec, dates: &[u64], window: Window) -> Pixels {
    let inside = |at: i64, size: u64| u64::try_from(at).ok().filter(|&n| n < size);
    let mut values = Vec::new();
    for &t in dates {
        for y in window.y0..window.y0 + window.height as i64 {
            for x in window.x0..window.x0 + window.width as i64 {
                let at =
                    (inside(t as i64, spec.shape[0]), inside(y, spec.shape[1]), inside(x, spec.shape[2]));
                values.push(match at {
                    (Some(t), Some(y), Some(x)) => value(spec, t, y, x),
                    _ => spec.fill,
                });
            }
        }
    }
    pixels_of(spec.dtype, values.into_iter())
}

/// Bitwise, so that NaN equals NaN.
pub(crate) fn assert_same(found: &Pixels, expected: &Pixels, what: &str) {
    assert_eq!((found.dtype(), found.len()), (expected.dtype(), expected.len()), "{what}");
    if let Some(i) = (0..found.len()).find(|&i| {
        let (a, b) = (found.get_f64(i).unwrap(), expected.get_f64(i).unwrap());
        a.to_bits() != b.to_bits()
    }) {
        panic!("{what}: value {i} is {:?}, not {:?}", found.get_f64(i), expected.get_f64(i));
    }
}

/// Writes every shard of the array, date by date in windows of 11 × 13 that cut across chunks.
pub(crate) fn fill_array(store: &Store, prefix: &ObjectKey, spec: &ArraySpec) -> ArrayRef {
    let array = ArrayRef::from_spec(prefix, spec).unwrap();
    let [ts, ys, xs] = array.shard_counts();
    for shard in (0..ts).flat_map(|t| (0..ys).flat_map(move |y| (0..xs).map(move |x| [t, y, x]))) {
        let mut writer = store.shard_writer(&array, shard).unwrap();
        let [dates, height, width] = writer.extent();
        let first: [u64; 3] = std::array::from_fn(|i| shard[i] * spec.shard[i]);
        for t in 0..dates {
            for y0 in (0..height).step_by(11) {
                for x0 in (0..width).step_by(13) {
                    let (h, w) = (11.min(height - y0), 13.min(width - x0));
                    let window = Window {
                        y0: (first[1] + y0) as i64,
                        x0: (first[2] + x0) as i64,
                        height: h as usize,
                        width: w as usize,
                    };
                    let pixels = expected(spec, &[first[0] + t], window);
                    writer.put_window(t, y0, x0, h as usize, w as usize, &pixels).unwrap();
                }
            }
        }
        writer.finish().unwrap();
    }
    array
}

/// Seven data arrays over two levels in Mexico's own CRS.
pub(crate) fn group(prefix: &str) -> GroupSpec {
    let crs = CrsName::epsg(6372);
    let geobox = GeoBox {
        crs: crs.clone(),
        x_min: 2_400_000.0,
        y_max: 900_000.0,
        dx: 30.0,
        dy: 30.0,
        width: 45,
        height: 37,
    };
    let level = GeoBox { dx: 60.0, dy: 60.0, width: 23, height: 19, ..geobox.clone() };
    let mut red = spec("red", DType::Uint16, 0.0);
    (red.scale, red.offset) = (2.75e-5, -0.2);
    let mut qa = spec("qa_pixel", DType::Uint16, 1.0);
    qa.mask_fill = false;
    qa.attributes = json!({"flag_masks": [1, 2, 4], "flag_meanings": "fill dilated_cloud cirrus"})
        .as_object()
        .cloned()
        .unwrap();
    let mut overview = ArraySpec { shape: [5, 19, 23], ..red.clone() };
    overview.name = "overviews/1/red".to_owned();
    overview.codec = Codec::Lz4Bit;
    let mut arrays = vec![red, qa, overview];
    arrays.push(spec("count", DType::Uint8, 255.0));
    arrays.push(spec("elevation", DType::Int16, -9999.0));
    arrays.push(spec("mad", DType::Float32, f64::NAN));
    arrays.push(spec("depth", DType::Float32, -1.0));
    GroupSpec {
        prefix: key(prefix),
        geobox,
        crs_wkt: include_str!("epsg6372.wkt").to_owned(),
        epsg: Some(6372),
        grid_mapping: json!({
            "grid_mapping_name": "lambert_conformal_conic",
            "standard_parallel": [17.5, 29.5],
            "latitude_of_projection_origin": 12.0,
            "longitude_of_central_meridian": -102.0,
            "false_easting": 2_500_000.0,
            "false_northing": 0.0,
        })
        .as_object()
        .cloned()
        .unwrap(),
        time: (0..5).map(|year| Instant(1_704_128_601 + year * 31_557_600)).collect(),
        arrays,
        levels: vec![LevelSpec { level: 1, geobox: level }],
        facts: None,
        attributes: json!({"title": "Prueba"}).as_object().cloned().unwrap(),
    }
}

/// Writes the group and every array in it.
pub(crate) fn write_all(store: &Store, group: &GroupSpec) {
    store.write_group(group).unwrap();
    for array in &group.arrays {
        fill_array(store, &group.prefix, array);
    }
    store.sync().unwrap();
}
