//! A scan gives every stored chunk once, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use tesela_model::DType;
use tesela_store::{
    ArraySpec, Codec, CountingObjects, MemoryObjects, Objects, Pixels, Requests, Store, StoreError,
    StoreOptions, Window,
};

use crate::fixtures::{CASES, expected, fill_array, key, spec};

const ALL: Window = Window { y0: 0, x0: 0, height: 37, width: 45 };

/// Rows and columns of a chunk of `spec`, and its dates: what lies outside the array is fill.
fn truth(spec: &ArraySpec, [t, y, x]: [u64; 3]) -> Pixels {
    let [depth, rows, columns] = spec.inner;
    let dates: Vec<u64> = (t * depth..(t + 1) * depth).collect();
    let (y0, x0) = ((y * rows) as i64, (x * columns) as i64);
    expected(spec, &dates, Window { y0, x0, height: rows as usize, width: columns as usize })
}

fn bits(pixels: &Pixels) -> Vec<u64> {
    (0..pixels.len()).map(|i| pixels.get_f64(i).unwrap().to_bits()).collect()
}

#[test]
fn every_stored_chunk_comes_once_with_its_values() {
    for (dtype, fill) in CASES {
        let store = Store::in_memory();
        let spec = ArraySpec { codec: Codec::Lz4Bit, ..spec("band", dtype, fill) };
        let array = fill_array(&store, &key("p"), &spec);
        for window in [
            ALL,
            Window { y0: -50, x0: -50, height: 200, width: 200 },
            Window { y0: 15, x0: 15, height: 2, width: 2 },
            Window { y0: 33, x0: 2, height: 9, width: 40 },
            Window { y0: 37, x0: 0, height: 5, width: 5 },
            Window { y0: 0, x0: 0, height: 0, width: 9 },
        ] {
            let mut found = BTreeMap::new();
            let visit = &mut |chunk: [u64; 3], pixels: &Pixels| {
                assert!(found.insert(chunk, bits(pixels)).is_none(), "{chunk:?} came twice");
                Ok::<(), StoreError>(())
            };
            store.scan(&array, window, visit).unwrap();
            let mut stored = BTreeMap::new();
            for chunk in (0..3).flat_map(|t| (0..5).flat_map(move |y| (0..3).map(move |x| [t, y, x]))) {
                let (y, x) = ((chunk[1] * 8) as i64, (chunk[2] * 16) as i64);
                let meets = |first: i64, size: i64, start: i64, len: usize, end: i64| {
                    first.max(start) < (first + size).min(start + len as i64).min(end)
                };
                let under =
                    meets(y, 8, window.y0, window.height, 37) && meets(x, 16, window.x0, window.width, 45);
                // The north-west quarter is fill, which is not stored.
                if under && !(y < 16 && x < 16) {
                    stored.insert(chunk, bits(&truth(&spec, chunk)));
                }
            }
            assert!(
                found.keys().eq(stored.keys()),
                "{window:?}: {:?}, not {:?}",
                found.keys(),
                stored.keys()
            );
            let other = stored.iter().find(|(chunk, values)| found[*chunk] != **values);
            assert!(other.is_none(), "{window:?}: {:?}", other.map(|(chunk, _)| chunk));
        }
    }
}

#[test]
fn a_shard_is_read_by_two_requests_and_what_is_known_to_be_missing_by_none() {
    let counting = Arc::new(CountingObjects::new(Arc::new(MemoryObjects::new())));
    let objects = Arc::clone(&counting) as Arc<dyn Objects>;
    let store = Store::with_objects(objects, &StoreOptions::default());
    let spec = spec("band", DType::Uint16, 0.0);
    let array = fill_array(&store, &key("p"), &spec);
    let nothing = tesela_store::ArrayRef::from_spec(&key("nothing"), &spec).unwrap();
    counting.take();
    let mut chunks = 0;
    let mut scan = |array| {
        let visit = &mut |_: [u64; 3], _: &Pixels| {
            chunks += 1;
            Ok::<(), StoreError>(())
        };
        store.scan(array, ALL, visit).unwrap();
        let Requests { suffixes, ranges, .. } = counting.take();
        (suffixes, ranges)
    };
    // Two shards deep, two down, two across.
    assert_eq!(scan(&array), (8, 8));
    assert_eq!(scan(&array), (0, 8));
    assert_eq!(scan(&nothing), (8, 0));
    assert_eq!(scan(&nothing), (0, 0));
    assert_eq!(chunks, 2 * 3 * (5 * 3 - 2));
}

#[test]
fn an_error_of_the_visitor_ends_the_scan() {
    let store = Store::in_memory();
    let array = fill_array(&store, &key("p"), &spec("band", DType::Uint16, 0.0));
    let mut left = 3;
    let stop = store.scan(&array, ALL, &mut |_, _| {
        left -= 1;
        if left == 0 { Err(StoreError::ObjectMissing { key: key("enough") }) } else { Ok(()) }
    });
    assert!(matches!(stop, Err(StoreError::ObjectMissing { key }) if key.as_str() == "enough"));
    assert_eq!(left, 0);
}

#[test]
fn a_damaged_chunk_and_a_cut_shard_are_named() {
    let good = Store::in_memory();
    let spec = spec("red", DType::Uint16, 0.0);
    let array = fill_array(&good, &key("p"), &spec);
    let shard = array.shard_key([0, 0, 0]);
    let bytes = good.objects().get(&shard).unwrap().unwrap();
    // Chunk [0, 2, 0] lies third: [0, 0, 0] and [0, 1, 0] are fill.
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    // Another shard's index, which is longer than what is here.
    let mut cut = bytes[bytes.len() / 2..].to_vec();
    cut.rotate_left(1);
    for (bytes, expected) in [(flipped, "chunk (0,0,1) of p/red"), (cut, "shard index checksum mismatch")] {
        let objects = MemoryObjects::new();
        objects.put(&shard, &bytes).unwrap();
        let store = Store::with_objects(Arc::new(objects), &StoreOptions::default());
        let error = store.scan(&array, ALL, &mut |_, _| Ok::<(), StoreError>(())).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // The index is whole, and points past what there is.
    let objects = MemoryObjects::new();
    objects.put(&shard, &bytes[bytes.len() - (2 * 4 * 2 * 16 + 4)..]).unwrap();
    let store = Store::with_objects(Arc::new(objects), &StoreOptions::default());
    let error = store.scan(&array, ALL, &mut |_, _| Ok::<(), StoreError>(())).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn the_stored_part_of_a_window_is_whole_chunks_clipped_to_it() {
    let store = Store::in_memory();
    let spec = spec("band", DType::Uint16, 0.0);
    let array = tesela_store::ArrayRef::from_spec(&key("p"), &spec).unwrap();
    let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
    for inner in [[1, 2, 0], [1, 3, 1]] {
        writer.put_chunk(inner, &Pixels::filled(DType::Uint16, 256, 9.0)).unwrap();
    }
    writer.finish().unwrap();
    let mut writer = store.shard_writer(&array, [0, 1, 1]).unwrap();
    writer.put_chunk([1, 0, 0], &Pixels::filled(DType::Uint16, 256, 9.0)).unwrap();
    writer.finish().unwrap();
    let part = |t, y0, x0, height, width| {
        let found = store.stored_part(&array, t, Window { y0, x0, height, width }).unwrap();
        found.map(|w| (w.y0, w.x0, w.height, w.width))
    };
    for t in [2, 3] {
        // The array ends at row 37 and column 45.
        assert_eq!(part(t, 0, 0, 37, 45), Some((16, 0, 21, 45)));
        assert_eq!(part(t, 20, 3, 4, 12), Some((20, 3, 4, 12)));
        assert_eq!(part(t, 0, 16, 32, 29), Some((24, 16, 8, 16)));
        assert_eq!(part(t, 0, 0, 16, 45), None);
    }
    assert_eq!(part(0, 0, 0, 37, 45), None);
    assert_eq!(part(4, 0, 0, 37, 45), None);
    assert_eq!(part(99, 0, 0, 37, 45), None);
    let whole = store.stored_window(&array, 3).unwrap().unwrap();
    assert_eq!(whole, Window { y0: 16, x0: 0, height: 21, width: 45 });
}
