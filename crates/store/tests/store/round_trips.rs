//! What is written is what is read.

use proptest::prelude::*;
use tesela_model::DType;
use tesela_store::{ArrayRef, ArraySpec, Codec, Pixels, Slice, Store, StoreError, StoreOptions, Window};

use crate::fixtures::{CASES, assert_same, expected, fill_array, key, spec};

const ALL: Window = Window { y0: 0, x0: 0, height: 37, width: 45 };

#[test]
fn every_type_and_codec() {
    for (dtype, fill) in CASES {
        for codec in [Codec::Lz4Bit, Codec::Zstd5Byte] {
            let store = Store::in_memory();
            let spec = ArraySpec { codec, ..spec("band", dtype, fill) };
            let array = fill_array(&store, &key("p"), &spec);
            let mut out = Pixels::empty(DType::Uint8);
            for pass in ["cold", "cached"] {
                store.read_windows(&array, &[0, 1, 2, 3, 4], ALL, &mut out).unwrap();
                assert_same(&out, &expected(&spec, &[0, 1, 2, 3, 4], ALL), pass);
                store.read_windows(&array, &[4, 1, 1, 9, 0], ALL, &mut out).unwrap();
                assert_same(&out, &expected(&spec, &[4, 1, 1, 9, 0], ALL), pass);
            }
        }
    }
}

/// The north-west quarter of each shard-row is fill: those chunks are not stored, and a shard of
/// nothing else is no object.
#[test]
fn fill_costs_nothing() {
    let store = Store::in_memory();
    let spec = spec("band", DType::Uint16, 0.0);
    let array = ArrayRef::from_spec(&key("p"), &spec).unwrap();
    let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
    writer.put_chunk([0, 0, 0], &Pixels::filled(DType::Uint16, 256, 0.0)).unwrap();
    writer.put_window(3, 5, 5, 20, 20, &Pixels::filled(DType::Uint16, 400, 0.0)).unwrap();
    assert_eq!(writer.finish().unwrap(), None);
    assert!(store.list(None).unwrap().is_empty());

    let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
    writer.put_chunk([1, 2, 1], &Pixels::filled(DType::Uint16, 256, 9.0)).unwrap();
    let info = writer.finish().unwrap().unwrap();
    assert_eq!(info.key, key("p/band/c/0/0/0"));
    let index_bytes = 2 * 4 * 2 * 16 + 4;
    assert!(info.bytes < index_bytes + 100, "{} bytes", info.bytes);
    let mut out = Pixels::empty(DType::Uint16);
    store.read_window(&array, 3, ALL, &mut out).unwrap();
    let nines = (0..out.len()).filter(|&i| out.get_f64(i) == Some(9.0)).count();
    assert_eq!(nines, 8 * 16);
    assert_eq!(out.get_f64(16 * 45 + 16), Some(9.0));
}

/// The object's bytes depend on the pixels alone, not on the order or size of the windows.
#[test]
fn bytes_do_not_depend_on_the_way_of_writing() {
    let spec = spec("band", DType::Uint16, 0.0);
    let by_windows = Store::in_memory();
    fill_array(&by_windows, &key("p"), &spec);

    let by_chunks = Store::in_memory();
    let array = ArrayRef::from_spec(&key("p"), &spec).unwrap();
    for shard in [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]] {
        let mut writer = by_chunks.shard_writer(&array, shard).unwrap();
        let extent = writer.extent();
        for place in (0..16).rev() {
            let inner = [place / 8, place / 2 % 4, place % 2];
            if (0..3).any(|i| inner[i] * spec.inner[i] >= extent[i]) {
                continue;
            }
            let at: [u64; 3] = std::array::from_fn(|i| shard[i] * spec.shard[i] + inner[i] * spec.inner[i]);
            let window = Window { y0: at[1] as i64, x0: at[2] as i64, height: 8, width: 16 };
            // Outside the array: not fill, so that the writer has to see to it.
            let mut pixels = expected(&ArraySpec { fill: 0.0, ..spec.clone() }, &[at[0], at[0] + 1], window);
            if let Pixels::U16(values) = &mut pixels {
                for (i, v) in values.iter_mut().enumerate() {
                    let i = i as u64;
                    let p = [at[0] + i / 128, at[1] + i / 16 % 8, at[2] + i % 16];
                    if (0..3).any(|d| p[d] >= spec.shape[d]) {
                        *v = 12345;
                    }
                }
            }
            writer.put_chunk(inner, &pixels).unwrap();
        }
        writer.finish().unwrap();
    }
    let objects = by_windows.list(None).unwrap();
    assert_eq!(objects, by_chunks.list(None).unwrap());
    assert_eq!(objects.len(), 8);
    for (object, _) in objects {
        assert_eq!(by_windows.digest(&object).unwrap(), by_chunks.digest(&object).unwrap());
    }
}

/// Dates flushed behind the writer give the object that is written whole, in memory and in files.
#[test]
fn flushing_changes_no_byte() {
    let spec = spec("band", DType::Uint16, 0.0);
    let whole = Store::in_memory();
    let array = fill_array(&whole, &key("p"), &spec);
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { durable: false, ..StoreOptions::default() };
    for store in [Store::in_memory(), Store::open_local(directory.path(), &options).unwrap()] {
        for shard in (0..2).flat_map(|t| (0..4).map(move |at| [t, at / 2, at % 2])) {
            let mut writer = store.shard_writer(&array, shard).unwrap();
            let [dates, height, width] = writer.extent();
            for t in 0..dates {
                let [first, y0, x0]: [u64; 3] = std::array::from_fn(|i| shard[i] * spec.shard[i]);
                let window =
                    Window { y0: y0 as i64, x0: x0 as i64, height: height as usize, width: width as usize };
                let pixels = expected(&spec, &[first + t], window);
                writer.put_window(t, 0, 0, height as usize, width as usize, &pixels).unwrap();
                writer.flush(t + 1).unwrap();
                if t % 2 == 1 {
                    let late = writer.put_window(t - 1, 0, 0, height as usize, width as usize, &pixels);
                    assert!(matches!(late, Err(StoreError::ChunkWrittenTwice { .. })), "{late:?}");
                }
            }
            assert_eq!(store.objects().size(writer.key()).unwrap(), None, "named before it was whole");
            let info = writer.finish().unwrap();
            assert_eq!(info, whole.digest(&array.shard_key(shard)).unwrap());
        }
        assert_eq!(store.list(None).unwrap(), whole.list(None).unwrap());
        assert!(store.objects().leftovers(None).unwrap().is_empty());
        // A writer given up leaves nothing, and a shard of fill is no object.
        let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
        writer.put_window(0, 0, 0, 1, 1, &Pixels::filled(DType::Uint16, 1, 7.0)).unwrap();
        writer.flush(4).unwrap();
        drop(writer);
        assert!(store.objects().leftovers(None).unwrap().is_empty());
        let mut writer = store.shard_writer(&array, [0, 0, 1]).unwrap();
        writer.flush(4).unwrap();
        assert_eq!(writer.finish().unwrap(), None);
    }
}

/// Redoing a unit over what it left is fine; other bytes under the same key are not.
#[test]
fn a_shard_can_be_redone_but_not_changed() {
    let store = Store::in_memory();
    let array = ArrayRef::from_spec(&key("p"), &spec("band", DType::Uint8, 0.0)).unwrap();
    let write = |value: f64| {
        let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
        writer.put_chunk([0, 0, 0], &Pixels::filled(DType::Uint8, 256, value)).unwrap();
        writer.finish()
    };
    let first = write(1.0).unwrap();
    assert_eq!(write(1.0).unwrap(), first);
    assert!(matches!(write(2.0), Err(StoreError::ObjectExists { .. })));
}

#[test]
fn wrong_writes_are_refused() {
    let store = Store::in_memory();
    let array = ArrayRef::from_spec(&key("p"), &spec("band", DType::Uint8, 0.0)).unwrap();
    assert!(matches!(store.shard_writer(&array, [2, 0, 0]), Err(StoreError::OutOfBounds { .. })));
    let mut writer = store.shard_writer(&array, [1, 1, 1]).unwrap();
    assert_eq!(writer.extent(), [1, 5, 13]);
    let chunk = |dtype, len| Pixels::filled(dtype, len, 3.0);
    let out_of_bounds = |r: Result<(), StoreError>| assert!(matches!(r, Err(StoreError::OutOfBounds { .. })));
    out_of_bounds(writer.put_chunk([0, 0, 1], &chunk(DType::Uint8, 256)));
    out_of_bounds(writer.put_chunk([0, 9, 0], &chunk(DType::Uint8, 256)));
    out_of_bounds(writer.put_window(0, 0, 0, 6, 1, &chunk(DType::Uint8, 6)));
    out_of_bounds(writer.put_window(1, 0, 0, 1, 1, &chunk(DType::Uint8, 1)));
    out_of_bounds(writer.put_window(0, u64::MAX, 0, 1, 1, &chunk(DType::Uint8, 1)));
    let mismatch = |r: Result<(), StoreError>| assert!(matches!(r, Err(StoreError::PixelsMismatch { .. })));
    mismatch(writer.put_chunk([0, 0, 0], &chunk(DType::Uint16, 256)));
    mismatch(writer.put_window(0, 0, 0, 2, 2, &chunk(DType::Uint8, 5)));
    writer.put_window(0, 0, 0, 5, 13, &chunk(DType::Uint8, 65)).unwrap();
    let twice = writer.put_window(0, 0, 0, 1, 1, &chunk(DType::Uint8, 1)).unwrap_err();
    assert!(matches!(twice, StoreError::ChunkWrittenTwice { .. }), "{twice}");
    writer.put_window(0, 0, 0, 0, 0, &chunk(DType::Uint8, 0)).unwrap();
}

/// Slots in arrays of their own: read as one stack, in any order.
#[test]
fn a_stack_over_many_arrays() {
    let store = Store::in_memory();
    let slots: Vec<_> = (0..7)
        .map(|n| {
            let spec = ArraySpec {
                shape: [1, 37, 45],
                shard: [1, 40, 48],
                inner: [1, 8, 16],
                ..spec("red", DType::Int16, -9999.0)
            };
            let array = ArrayRef::from_spec(&key(&format!("slot{n}")), &spec).unwrap();
            let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
            if n != 3 {
                writer
                    .put_window(0, 0, 0, 37, 45, &Pixels::filled(DType::Int16, 37 * 45, f64::from(n)))
                    .unwrap();
            }
            writer.finish().unwrap();
            Slice { array, t: 0 }
        })
        .rev()
        .collect();
    let mut out = Pixels::empty(DType::Int16);
    store.read_stack(&slots, Window::pixel(36, 44), &mut out).unwrap();
    assert_eq!(out, Pixels::from(vec![6_i16, 5, 4, -9999, 2, 1, 0]));
    store.read_stack(&[], Window::pixel(0, 0), &mut out).unwrap();
    assert!(out.is_empty());
    let other = ArrayRef::from_spec(&key("p"), &spec("band", DType::Uint8, 0.0)).unwrap();
    let mixed = [slots[0].clone(), Slice { array: other, t: 0 }];
    assert!(store.read_stack(&mixed, Window::pixel(0, 0), &mut out).is_err());
}

fn windows() -> impl Strategy<Value = Window> {
    (-20_i64..60, -20_i64..60, 0_usize..50, 0_usize..60).prop_map(|(y0, x0, height, width)| Window {
        y0,
        x0,
        height,
        width,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_window_equals_the_truth(
        case in 0..CASES.len(),
        queries in prop::collection::vec((windows(), prop::collection::vec(0_u64..7, 0..6)), 1..4),
    ) {
        let (dtype, fill) = CASES[case];
        let spec = spec("band", dtype, fill);
        let store = Store::in_memory();
        let array = fill_array(&store, &key("p"), &spec);
        let mut out = Pixels::empty(dtype);
        for (window, dates) in queries {
            store.read_windows(&array, &dates, window, &mut out).unwrap();
            assert_same(&out, &expected(&spec, &dates, window), &format!("{window:?} {dates:?}"));
        }
    }
}

#[test]
fn extreme_windows_are_all_fill() {
    let store = Store::in_memory();
    let spec = spec("band", DType::Uint8, 255.0);
    let array = fill_array(&store, &key("p"), &spec);
    let mut out = Pixels::empty(DType::Uint8);
    for (y0, x0) in [(i64::MIN, 0), (i64::MAX, 0), (0, i64::MAX), (0, i64::MIN), (-1, -1), (37, 45)] {
        store.read_window(&array, 0, Window { y0, x0, height: 1, width: 1 }, &mut out).unwrap();
        assert_eq!(out, Pixels::from(vec![255_u8]));
    }
    store.read_window(&array, u64::MAX, Window::pixel(20, 20), &mut out).unwrap();
    assert_eq!(out, Pixels::from(vec![255_u8]));
}

/// Readers share one store, its caches and its open files.
#[test]
fn many_threads_read_one_store() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        StoreOptions { chunk_cache_bytes: 20_000, open_files: 2, durable: false, ..StoreOptions::default() };
    let store = Store::open_local(directory.path(), &options).unwrap();
    let spec = spec("band", DType::Int16, -9999.0);
    let array = fill_array(&store, &key("p"), &spec);
    std::thread::scope(|scope| {
        for thread in 0..6_u64 {
            let (store, array, spec) = (store.clone(), array.clone(), &spec);
            scope.spawn(move || {
                let mut out = Pixels::empty(DType::Int16);
                for n in 0..200 {
                    let n = n * 7 + thread * 31;
                    let window =
                        Window { y0: (n % 40) as i64 - 3, x0: (n % 47) as i64 - 3, height: 9, width: 21 };
                    let dates = [n % 5, (n + 2) % 5];
                    store.read_windows(&array, &dates, window, &mut out).unwrap();
                    assert_same(&out, &expected(spec, &dates, window), "threads");
                }
            });
        }
    });
}
