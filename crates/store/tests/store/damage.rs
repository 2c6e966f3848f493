//! Bad bytes give errors that name what is bad; never a panic, never a wait for gigabytes.

use std::sync::Arc;

use proptest::prelude::*;
use tesela_model::DType;
use tesela_store::{
    ArrayRef, ArraySpec, Codec, MemoryObjects, Objects, Pixels, Store, StoreError, StoreOptions, Window,
};

use crate::fixtures::{assert_same, expected, fill_array, group, key, spec};

const ALL: Window = Window { y0: 0, x0: 0, height: 37, width: 45 };
const INDEX_BYTES: usize = 2 * 4 * 2 * 16 + 4;

/// A shard of `spec("band", Uint16, 0)` and a store whose copy of it went through `damage`.
fn damaged(damage: impl FnOnce(&mut Vec<u8>)) -> (Store, ArrayRef) {
    damaged_as(Codec::Zstd5Byte, damage)
}

fn damaged_as(codec: Codec, damage: impl FnOnce(&mut Vec<u8>)) -> (Store, ArrayRef) {
    let good = Store::in_memory();
    let spec = ArraySpec { codec, ..spec("red", DType::Uint16, 0.0) };
    let array = fill_array(&good, &key("scenes/12_-7"), &spec);
    let shard = array.shard_key([0, 0, 0]);
    let mut bytes = good.objects().get(&shard).unwrap().unwrap();
    damage(&mut bytes);
    let objects = MemoryObjects::new();
    objects.put(&shard, &bytes).unwrap();
    (Store::with_objects(Arc::new(objects), &StoreOptions::default()), array)
}

fn read(store: &Store, array: &ArrayRef) -> Result<Pixels, StoreError> {
    let mut out = Pixels::empty(DType::Uint16);
    store.read_windows(array, &[0, 1, 2, 3], Window { height: 32, width: 32, ..ALL }, &mut out)?;
    Ok(out)
}

#[test]
fn the_index_checksum_names_object_array_and_chunk() {
    let (store, array) = damaged(|bytes| {
        let at = bytes.len() - 20;
        bytes[at] ^= 1;
    });
    let mut out = Pixels::empty(DType::Uint16);
    let error = store.read_window(&array, 3, Window::pixel(30, 17), &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "chunk (1,3,1) of scenes/12_-7/red: shard index checksum mismatch — object scenes/12_-7/red/c/0/0/0; \
         run `tesela check`"
    );
}

#[test]
fn a_truncated_shard_is_an_error() {
    for keep in [0, 1, INDEX_BYTES - 1, INDEX_BYTES, 1000] {
        let (store, array) = damaged(|bytes| bytes.truncate(keep));
        let error = read(&store, &array).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}

/// The index survives, the chunks it points at do not.
#[test]
fn a_shard_cut_in_the_middle_is_an_error() {
    let (store, array) = damaged(|bytes| {
        let index = bytes.split_off(bytes.len() - INDEX_BYTES);
        bytes.truncate(100);
        bytes.extend(index);
    });
    assert!(read(&store, &array).is_err());
}

#[test]
fn an_index_with_a_valid_checksum_and_wild_numbers_is_an_error() {
    for (offset, len) in
        [(u64::MAX - 5, 10), (0, u64::MAX), (u64::MAX, 7), (0, 1 << 40), (1 << 50, 100), (0, 0), (3, 90)]
    {
        let (store, array) = damaged(|bytes| {
            let start = bytes.len() - INDEX_BYTES;
            let entry = start + 15 * 16;
            bytes[entry..entry + 8].copy_from_slice(&offset.to_le_bytes());
            bytes[entry + 8..entry + 16].copy_from_slice(&len.to_le_bytes());
            let end = bytes.len() - 4;
            let checksum = crc32c::crc32c(&bytes[start..end]).to_le_bytes();
            bytes[end..].copy_from_slice(&checksum);
        });
        let error = read(&store, &array).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { chunk: [1, 3, 1], .. }), "({offset}, {len}): {error}");
    }
}

/// Names the gigabytes it would take, and does not take them.
#[test]
fn a_blosc_header_that_lies_is_an_error() {
    let (store, array) = damaged(|bytes| {
        bytes[4..8].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
        // With a checksum that holds, so that the header itself is looked at.
        let index = &bytes[bytes.len() - INDEX_BYTES..];
        let number = |at: usize| u64::from_le_bytes(index[at..at + 8].try_into().unwrap());
        let first = (0..INDEX_BYTES / 16).find(|entry| number(entry * 16) == 0).unwrap();
        let end = number(first * 16 + 8) as usize - 4;
        let checksum = crc32c::crc32c(&bytes[..end]).to_le_bytes();
        bytes[end..end + 4].copy_from_slice(&checksum);
    });
    let error = read(&store, &array).unwrap_err().to_string();
    assert!(error.contains("instead of 512"), "{error}");
}

#[test]
fn a_shard_deleted_behind_the_index_is_named() {
    let (store, array) = damaged(|_| {});
    let mut out = Pixels::empty(DType::Uint16);
    store.read_window(&array, 0, Window::pixel(20, 20), &mut out).unwrap();
    store.objects().delete(&array.shard_key([0, 0, 0])).unwrap();
    let error = store.read_window(&array, 2, Window::pixel(20, 20), &mut out).unwrap_err();
    assert!(matches!(error, StoreError::ObjectMissing { .. }), "{error}");
}

/// Every bit of a shard counts: a flip is an error, or was of a byte that is not read.
#[test]
fn no_flipped_bit_gives_other_pixels() {
    for codec in [Codec::Zstd5Byte, Codec::Lz4Bit] {
        let (good, array) = damaged_as(codec, |_| {});
        let sound = read(&good, &array).unwrap();
        let len = good.objects().size(&array.shard_key([0, 0, 0])).unwrap().unwrap() as usize;
        let mut errors = 0;
        for at in 0..len {
            let (store, array) = damaged_as(codec, |bytes| bytes[at] ^= 1 << (at % 8));
            match read(&store, &array) {
                Ok(pixels) => assert_same(&pixels, &sound, &format!("{codec:?} byte {at}")),
                Err(_) => errors += 1,
            }
        }
        assert!(errors > len / 2, "{errors} of {len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn flips_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..8),
        codec in prop_oneof![Just(Codec::Zstd5Byte), Just(Codec::Lz4Bit)],
    ) {
        let mut in_index = false;
        let (store, array) = damaged_as(codec, |bytes| {
            for (at, bits) in &flips {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
                in_index |= at >= bytes.len() - INDEX_BYTES;
            }
        });
        let answer = read(&store, &array);
        // Two flips may undo each other; one in the index may not pass.
        prop_assert!(!(in_index && flips.len() == 1 && answer.is_ok()));
    }

    #[test]
    fn truncations_and_tails_never_panic(cut in any::<prop::sample::Index>(), tail in prop::collection::vec(any::<u8>(), 0..600)) {
        let (store, array) = damaged(|bytes| {
            bytes.truncate(cut.index(bytes.len()));
            bytes.extend(&tail);
        });
        prop_assert!(read(&store, &array).is_err());
    }

    #[test]
    fn metadata_of_any_bytes_never_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let source = Store::in_memory();
        source.write_group(&group("p")).unwrap();
        let mut bytes = source.objects().get(&key("p/red/zarr.json")).unwrap().unwrap();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let store = Store::in_memory();
        store.objects().put(&key("p/red/zarr.json"), &bytes).unwrap();
        if let Ok(array) = store.open_array(&key("p"), "red") {
            let mut out = Pixels::empty(DType::Uint16);
            store.read_window(&array, 0, ALL, &mut out).unwrap();
        }
    }
}

#[test]
fn hostile_metadata_is_refused() {
    let source = Store::in_memory();
    source.write_group(&group("p")).unwrap();
    let text = String::from_utf8(source.objects().get(&key("p/red/zarr.json")).unwrap().unwrap()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let huge = 1_u64 << 62;
    for (pointer, value) in [
        ("/shape/0", serde_json::json!(huge)),
        ("/shape/1", serde_json::json!(0)),
        ("/chunk_grid/configuration/chunk_shape/2", serde_json::json!(huge)),
        ("/chunk_grid/configuration/chunk_shape/2", serde_json::json!(33)),
        ("/codecs/0/configuration/chunk_shape/0", serde_json::json!(0)),
        ("/codecs/0/configuration/chunk_shape", serde_json::json!([1, 2])),
        ("/codecs/0/configuration/index_location", serde_json::json!("start")),
        ("/codecs/0/configuration/index_codecs", serde_json::json!([])),
        ("/codecs/0/configuration/codecs/0/configuration/endian", serde_json::json!("big")),
        ("/data_type", serde_json::json!("float64")),
        ("/fill_value", serde_json::json!("NaN")),
        ("/fill_value", serde_json::json!(70000)),
        ("/zarr_format", serde_json::json!(2)),
    ] {
        let mut document = document.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        let store = Store::in_memory();
        store.objects().put(&key("p/red/zarr.json"), document.to_string().as_bytes()).unwrap();
        let error = store.open_array(&key("p"), "red").unwrap_err();
        assert!(matches!(error, StoreError::Metadata { .. }), "{pointer}: {error}");
    }
}

/// The undamaged twin of all this.
#[test]
fn no_damage_no_error() {
    let (store, array) = damaged(|_| {});
    let spec = spec("red", DType::Uint16, 0.0);
    let window = Window { height: 32, width: 32, ..ALL };
    assert_same(&read(&store, &array).unwrap(), &expected(&spec, &[0, 1, 2, 3], window), "whole");
}
