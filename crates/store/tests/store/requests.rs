//! The request budget (design 12): per shard touched, 0 with chunks cached, 1 with the index cached, 2 cold.

use std::sync::{Arc, Mutex};

use tesela_model::DType;
use tesela_store::{
    ArraySpec, CountingObjects, MemoryObjects, ObjectKey, ObjectRequest, Objects, Pixels, Requests, Slice,
    Store, StoreError, StoreOptions, Window,
};

use crate::fixtures::{assert_same, expected, fill_array, group, key, spec, write_all};

fn counted(options: &StoreOptions) -> (Store, Arc<CountingObjects>, Arc<dyn Objects>) {
    let memory: Arc<dyn Objects> = Arc::new(MemoryObjects::new());
    let counting = Arc::new(CountingObjects::new(Arc::clone(&memory)));
    (Store::with_objects(Arc::clone(&counting) as Arc<dyn Objects>, options), counting, memory)
}

const EAST: Window = Window { y0: 16, x0: 16, height: 8, width: 16 };

#[test]
fn two_cold_one_with_the_index_none_with_the_chunk() {
    let (store, counting, _) = counted(&StoreOptions::default());
    let array = fill_array(&store, &key("p"), &spec("band", DType::Uint16, 0.0));
    counting.take();
    let mut out = Pixels::empty(DType::Uint16);
    let mut read = |t, window| {
        store.read_window(&array, t, window, &mut out).unwrap();
        Requests { bytes_read: 0, ..counting.take() }
    };
    assert_eq!(read(0, EAST), Requests { suffixes: 1, ranges: 1, ..Requests::default() });
    assert_eq!(read(0, EAST), Requests::default());
    // The chunk is two dates deep.
    assert_eq!(read(1, EAST), Requests::default());
    assert_eq!(read(2, EAST), Requests { ranges: 1, ..Requests::default() });
    assert_eq!(read(4, EAST), Requests { suffixes: 1, ranges: 1, ..Requests::default() });
    // All fill by the index: nothing to ask for.
    assert_eq!(read(0, Window { y0: 0, x0: 0, height: 16, width: 16 }), Requests::default());
}

#[test]
fn chunks_of_a_shard_are_read_together() {
    let (store, counting, _) = counted(&StoreOptions::default());
    let array = fill_array(&store, &key("p"), &spec("band", DType::Uint16, 0.0));
    counting.take();
    let mut out = Pixels::empty(DType::Uint16);
    let window = Window { y0: 0, x0: 0, height: 37, width: 45 };
    store.read_windows(&array, &[0, 1, 2, 3], window, &mut out).unwrap();
    let requests = counting.take();
    assert_eq!((requests.suffixes, requests.ranges, requests.reads()), (4, 4, 8));
}

#[test]
fn a_missing_shard_is_asked_for_once() {
    let (store, counting, _) = counted(&StoreOptions::default());
    let array = tesela_store::ArrayRef::from_spec(&key("p"), &spec("band", DType::Uint16, 0.0)).unwrap();
    let mut out = Pixels::empty(DType::Uint16);
    for expected_reads in [1, 0] {
        store.read_window(&array, 0, EAST, &mut out).unwrap();
        assert_eq!(counting.take().reads(), expected_reads);
        assert!(out.is_all(0.0));
    }
    // This process's own write is seen at once.
    let mut writer = store.shard_writer(&array, [0, 0, 0]).unwrap();
    writer.put_chunk([0, 2, 1], &Pixels::filled(DType::Uint16, 256, 5.0)).unwrap();
    writer.finish().unwrap();
    store.read_window(&array, 0, EAST, &mut out).unwrap();
    assert!(out.is_all(5.0));
}

#[test]
fn a_batch_store_keeps_no_chunks() {
    let options = StoreOptions { chunk_cache_bytes: 0, ..StoreOptions::default() };
    let (store, counting, _) = counted(&options);
    let array = fill_array(&store, &key("p"), &spec("band", DType::Uint16, 0.0));
    counting.take();
    let mut out = Pixels::empty(DType::Uint16);
    for expected_reads in [2, 1, 1] {
        store.read_window(&array, 0, EAST, &mut out).unwrap();
        assert_eq!(counting.take().reads(), expected_reads);
    }
    assert_eq!(store.cached_bytes().0, 0);
}

#[test]
fn who_comes_by_once_leaves_only_chunks_that_others_share() {
    let (store, counting, _) = counted(&StoreOptions::default());
    let array = fill_array(&store, &key("p"), &spec("band", DType::Uint16, 0.0));
    let spec = spec("band", DType::Uint16, 0.0);
    let read = |dates: &[u64], window| {
        counting.take();
        let mut out = Pixels::empty(DType::Uint16);
        let slices: Vec<Slice> = dates.iter().map(|&t| Slice { array: array.clone(), t }).collect();
        store.read_stack_once(&slices, window, &|_, _| true, &mut out).unwrap();
        assert_same(&out, &expected(&spec, dates, window), "by once");
        counting.take().ranges
    };
    // `EAST` is a chunk, two dates deep.
    assert_eq!([read(&[0, 1], EAST), read(&[0, 1], EAST)], [1, 1]);
    // The array's last corner: half a chunk of one date is all that there is of it.
    let corner = Window { y0: 32, x0: 32, height: 5, width: 13 };
    assert_eq!([read(&[4], corner), read(&[4], corner)], [1, 1]);
    assert_eq!([read(&[3], EAST), read(&[2, 3], EAST)], [1, 0], "a date of two");
    assert_eq!([read(&[0, 1], Window { height: 7, ..EAST }), read(&[0, 1], EAST)], [1, 0], "rows");
}

#[test]
fn one_request_opens_a_group() {
    let (store, counting, _) = counted(&StoreOptions::default());
    let group = group("p");
    write_all(&store, &group);
    counting.take();
    assert_eq!(store.open_group(&group.prefix).unwrap().len(), 7);
    store.open_array(&group.prefix, "overviews/1/red").unwrap();
    assert_eq!(counting.take().reads(), 1);

    let (store, counting, memory) = counted(&StoreOptions::default());
    write_all(&Store::with_objects(memory, &StoreOptions::default()), &group);
    store.open_array(&group.prefix, "red").unwrap();
    store.open_array(&group.prefix, "red").unwrap();
    assert_eq!(counting.take().reads(), 1);
}

/// A bucket of sorts: remembers how many requests it was given together.
struct Bucket {
    memory: MemoryObjects,
    batches: Mutex<Vec<usize>>,
}

impl Objects for Bucket {
    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.memory.put(key, bytes)
    }
    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.get(key)
    }
    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.get_range(key, offset, len)
    }
    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.get_suffix(key, len)
    }
    fn get_many(&self, requests: &[ObjectRequest]) -> Vec<Result<Option<Vec<u8>>, StoreError>> {
        self.batches.lock().unwrap().push(requests.len());
        requests.iter().map(|request| self.get_one(request)).collect()
    }
    fn requests_in_flight(&self) -> usize {
        64
    }
    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.memory.size(key)
    }
    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.memory.delete(key)
    }
    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        self.memory.list(prefix)
    }
    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        self.memory.link_or_copy(from, to)
    }
}

/// A cold series over 100 slots is four waits, not two hundred.
#[test]
fn requests_are_issued_together() {
    let bucket = Arc::new(Bucket { memory: MemoryObjects::new(), batches: Mutex::default() });
    let store = Store::with_objects(Arc::clone(&bucket) as Arc<dyn Objects>, &StoreOptions::default());
    let spec = ArraySpec {
        shape: [1, 37, 45],
        shard: [1, 64, 64],
        inner: [1, 16, 16],
        ..spec("b", DType::Uint16, 0.0)
    };
    let slots: Vec<_> = (0..100)
        .map(|n| Slice { array: fill_array(&store, &key(&format!("slot{n}")), &spec), t: 0 })
        .collect();
    let mut out = Pixels::empty(DType::Uint16);
    store.read_stack(&slots, Window::pixel(20, 30), &mut out).unwrap();
    assert_eq!(*bucket.batches.lock().unwrap(), [64, 36, 64, 36]);
    let one = expected(&spec, &[0], Window::pixel(20, 30)).get_f64(0).unwrap();
    assert_same(&out, &Pixels::filled(DType::Uint16, 100, one), "series");
}
