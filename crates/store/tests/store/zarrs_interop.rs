//! Our shards under zarrs' reader, zarrs' shards under ours.

use std::num::NonZeroU64;
use std::sync::Arc;

use tesela_model::DType;
use tesela_store::{ArrayRef, Codec, Pixels, Store, Window};
use zarrs::array::codec::{
    BloscCodec, BloscCompressor, BloscShuffleMode, BytesCodec, Crc32cCodec, ShardingCodecBuilder,
};
use zarrs::array::{
    Array, ArrayBuilder, ArraySubset, BytesToBytesCodecTraits, ElementOwned, FillValue, data_type,
};
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{ReadableStorageTraits, StoreKey, WritableStorageTraits};

use crate::fixtures::{CASES, assert_same, expected, group, key, spec, value, write_all};

const ALL: Window = Window { y0: 0, x0: 0, height: 37, width: 45 };
const DATES: [u64; 5] = [0, 1, 2, 3, 4];

/// Everything of our store, as zarrs sees it.
fn as_zarrs(store: &Store) -> Arc<MemoryStore> {
    let target = MemoryStore::new();
    for (object, _) in store.list(None).unwrap() {
        let bytes = store.objects().get(&object).unwrap().unwrap();
        target.set(&StoreKey::new(object.as_str()).unwrap(), bytes.into()).unwrap();
    }
    Arc::new(target)
}

fn retrieve<T: ElementOwned>(array: &Array<MemoryStore>) -> Vec<T> {
    let all = ArraySubset::new_with_shape(array.shape().to_vec());
    array.retrieve_array_subset::<Vec<T>>(&all).unwrap()
}

#[test]
fn zarrs_reads_ours() {
    let store = Store::in_memory();
    let group = group("cube/p");
    write_all(&store, &group);
    let target = as_zarrs(&store);
    for spec in &group.arrays {
        let array = Array::open(Arc::clone(&target), &format!("/cube/p/{}", spec.name)).unwrap();
        let found = match spec.dtype {
            DType::Uint8 => Pixels::from(retrieve::<u8>(&array)),
            DType::Uint16 => Pixels::from(retrieve::<u16>(&array)),
            DType::Int16 => Pixels::from(retrieve::<i16>(&array)),
            DType::Float32 => Pixels::from(retrieve::<f32>(&array)),
        };
        let window = Window { height: spec.shape[1] as usize, width: spec.shape[2] as usize, ..ALL };
        assert_same(&found, &expected(spec, &DATES, window), &spec.name);
    }
    let time = Array::open(Arc::clone(&target), "/cube/p/time").unwrap();
    assert_eq!(retrieve::<i64>(&time), group.time.iter().map(|t| t.0).collect::<Vec<_>>());
    let y = Array::open(Arc::clone(&target), "/cube/p/overviews/1/y").unwrap();
    assert_eq!(retrieve::<f64>(&y)[..2], [899_970.0, 899_910.0]);
    let spatial_ref = Array::open(target, "/cube/p/spatial_ref").unwrap();
    assert_eq!(spatial_ref.shape(), [0_u64; 0]);
    assert_eq!(retrieve::<i64>(&spatial_ref), [0]);
    zarrs::group::Group::open(as_zarrs(&store), "/cube/p").unwrap();
}

fn foreign(
    dtype: DType,
    fill: f64,
    blosc: Option<(BloscCompressor, u8, BloscShuffleMode)>,
    checked: bool,
) -> (Store, ArrayRef) {
    let spec = spec("foreign", dtype, fill);
    let (zarrs_type, fill_value) = match dtype {
        DType::Uint8 => (data_type::uint8(), FillValue::from(fill as u8)),
        DType::Uint16 => (data_type::uint16(), FillValue::from(fill as u16)),
        DType::Int16 => (data_type::int16(), FillValue::from(fill as i16)),
        DType::Float32 => (data_type::float32(), FillValue::from(fill as f32)),
    };
    let inner: Vec<_> = spec.inner.iter().map(|&n| NonZeroU64::new(n).unwrap()).collect();
    let mut sharding = ShardingCodecBuilder::new(inner, &zarrs_type);
    sharding.array_to_bytes_codec(Arc::new(BytesCodec::little()));
    sharding.index_array_to_bytes_codec(Arc::new(BytesCodec::little()));
    if let Some((compressor, level, shuffle)) = blosc {
        let size = dtype.size_bytes();
        let codec =
            BloscCodec::new(compressor, level.try_into().unwrap(), None, shuffle, Some(size)).unwrap();
        let blosc: Arc<dyn BytesToBytesCodecTraits> = Arc::new(codec);
        let checksum: Arc<dyn BytesToBytesCodecTraits> = Arc::new(Crc32cCodec::new());
        sharding.bytes_to_bytes_codecs(if checked { vec![blosc, checksum] } else { vec![blosc] });
    }
    let source = Arc::new(MemoryStore::new());
    let array = ArrayBuilder::new(spec.shape.to_vec(), spec.shard.to_vec(), zarrs_type, fill_value)
        .array_to_bytes_codec(Arc::new(sharding.build()))
        .bytes_to_bytes_codecs(vec![])
        .build(Arc::clone(&source), "/p/foreign")
        .unwrap();
    array.store_metadata().unwrap();
    let all = ArraySubset::new_with_shape(spec.shape.to_vec());
    match expected(&spec, &DATES, ALL) {
        Pixels::U8(values) => array.store_array_subset(&all, &values).unwrap(),
        Pixels::U16(values) => array.store_array_subset(&all, &values).unwrap(),
        Pixels::I16(values) => array.store_array_subset(&all, &values).unwrap(),
        Pixels::F32(values) => array.store_array_subset(&all, &values).unwrap(),
    }
    let store = Store::in_memory();
    let copy = |name: &str| {
        if let Some(bytes) = source.get(&StoreKey::new(name).unwrap()).unwrap() {
            store.objects().put(&key(name), &bytes).unwrap();
        }
    };
    copy("p/foreign/zarr.json");
    for n in 0..8 {
        copy(&format!("p/foreign/c/{}/{}/{}", n / 4, n / 2 % 2, n % 2));
    }
    assert_eq!(store.list(None).unwrap().len(), 9);
    let array = store.open_array(&key("p"), "foreign").unwrap();
    (store, array)
}

#[test]
fn ours_reads_zarrs() {
    let codecs = [
        None,
        Some((BloscCompressor::Zstd, 5, BloscShuffleMode::Shuffle)),
        Some((BloscCompressor::LZ4, 5, BloscShuffleMode::BitShuffle)),
        Some((BloscCompressor::LZ4HC, 9, BloscShuffleMode::NoShuffle)),
        Some((BloscCompressor::BloscLZ, 1, BloscShuffleMode::Shuffle)),
        Some((BloscCompressor::Zlib, 3, BloscShuffleMode::Shuffle)),
    ];
    for (dtype, fill) in CASES {
        for (codec, checked) in codecs.into_iter().flat_map(|c| [(c, false), (c, true)]) {
            let (store, array) = foreign(dtype, fill, codec, checked);
            let mut out = Pixels::empty(dtype);
            store.read_windows(&array, &DATES, ALL, &mut out).unwrap();
            let what = format!("{dtype:?} {fill} {codec:?} {checked}");
            assert_same(&out, &expected(&spec("foreign", dtype, fill), &DATES, ALL), &what);
            let ours = checked && matches!(codec, Some((BloscCompressor::Zstd | BloscCompressor::LZ4, 5, _)));
            assert_eq!(store.shard_writer(&array, [0, 0, 0]).is_ok(), ours, "{what}");
        }
    }
    assert!(value(&spec("s", DType::Uint8, 255.0), 0, 0, 0) == 255.0);
}

/// With the same inner codecs the shard differs from zarrs' in nothing but the order of its chunks.
#[test]
fn shards_have_the_size_of_zarrs() {
    let (foreign, array) =
        foreign(DType::Uint16, 0.0, Some((BloscCompressor::Zstd, 5, BloscShuffleMode::Shuffle)), true);
    let ours = Store::in_memory();
    let spec = spec("foreign", DType::Uint16, 0.0);
    assert_eq!(spec.codec, Codec::Zstd5Byte);
    crate::fixtures::fill_array(&ours, &key("p"), &spec);
    let shard = array.shard_key([0, 0, 0]);
    assert_eq!(ours.objects().size(&shard).unwrap(), foreign.objects().size(&shard).unwrap());
}
