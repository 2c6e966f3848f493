//! One suite for every object store.

use std::fs;
use std::sync::Arc;

use tesela_store::{CountingObjects, Leftover, LocalObjects, MemoryObjects, ObjectKey, Objects, StoreError};

use crate::fixtures::key;

/// What any implementation must do, starting empty.
fn suite(objects: &dyn Objects) {
    let (a, b, deep) = (key("a"), key("dir/b"), key("dir/sub/deep/c"));
    assert!(objects.list(None).unwrap().is_empty());
    for missing in [&a, &b] {
        assert_eq!(objects.get(missing).unwrap(), None);
        assert_eq!(objects.get_range(missing, 0, 1).unwrap(), None);
        assert_eq!(objects.get_suffix(missing, 1).unwrap(), None);
        assert_eq!(objects.size(missing).unwrap(), None);
        assert!(!objects.delete(missing).unwrap());
    }

    objects.put(&a, b"0123456789").unwrap();
    objects.put(&b, b"").unwrap();
    objects.put(&deep, &[7; 100_000]).unwrap();
    assert_eq!(objects.get(&a).unwrap().unwrap(), b"0123456789");
    assert_eq!(objects.get(&b).unwrap().unwrap(), b"");
    assert_eq!(objects.size(&deep).unwrap(), Some(100_000));
    assert_eq!(objects.get_range(&a, 3, 4).unwrap().unwrap(), b"3456");
    assert_eq!(objects.get_range(&a, 10, 0).unwrap().unwrap(), b"");
    assert_eq!(objects.get_suffix(&a, 3).unwrap().unwrap(), b"789");
    assert_eq!(objects.get_suffix(&a, 999).unwrap().unwrap(), b"0123456789");
    for (offset, len) in [(8, 3), (11, 0), (u64::MAX, 1), (1, u64::MAX), (0, u64::MAX)] {
        let error = objects.get_range(&a, offset, len).unwrap_err();
        assert!(matches!(error, StoreError::ObjectTruncated { size: 10, .. }), "{error}");
    }
    // A directory is no object.
    for directory in [key("dir"), key("dir/sub")] {
        assert_eq!(objects.get(&directory).unwrap(), None);
        assert_eq!(objects.size(&directory).unwrap(), None);
    }
    assert_eq!(objects.get(&key("a/below")).unwrap(), None);

    for bytes in [&b"other"[..], b"0123456789"] {
        let error = objects.put(&a, bytes).unwrap_err();
        assert!(matches!(error, StoreError::ObjectExists { .. }), "{error}");
    }
    assert_eq!(objects.get(&a).unwrap().unwrap(), b"0123456789");

    let all = vec![(a.clone(), 10), (b.clone(), 0), (deep.clone(), 100_000)];
    assert_eq!(objects.list(None).unwrap(), all);
    assert_eq!(objects.list(Some(&key("dir"))).unwrap(), all[1..]);
    assert_eq!(objects.list(Some(&key("di"))).unwrap(), []);
    assert_eq!(objects.list(Some(&a)).unwrap(), all[..1]);

    let linked = key("generation2/shard");
    objects.link_or_copy(&deep, &linked).unwrap();
    assert_eq!(objects.get(&linked).unwrap().unwrap(), [7; 100_000]);
    let twice = objects.link_or_copy(&a, &linked).unwrap_err();
    assert!(matches!(twice, StoreError::ObjectExists { .. }), "{twice}");
    let from_nothing = objects.link_or_copy(&key("nothing"), &key("x")).unwrap_err();
    assert!(matches!(from_nothing, StoreError::ObjectMissing { .. }), "{from_nothing}");

    objects.sync().unwrap();
    assert!(objects.delete(&deep).unwrap());
    assert_eq!(objects.get(&deep).unwrap(), None);
    assert_eq!(objects.get(&linked).unwrap().unwrap().len(), 100_000);
    objects.put(&deep, b"again").unwrap();
    assert_eq!(objects.get(&deep).unwrap().unwrap(), b"again");

    assert_eq!(objects.delete_under(&key("dir")).unwrap(), 2);
    assert_eq!(objects.list(None).unwrap(), [(a, 10), (linked, 100_000)]);
    assert!(objects.leftovers(None).unwrap().is_empty());
    objects.sync().unwrap();
}

#[test]
fn memory() {
    suite(&MemoryObjects::new());
}

#[test]
fn counted_memory() {
    suite(&CountingObjects::new(Arc::new(MemoryObjects::new())));
}

#[test]
fn local() {
    let directory = tempfile::tempdir().unwrap();
    suite(&LocalObjects::open(&directory.path().join("new/store"), 16, true).unwrap());
}

#[test]
fn local_with_a_cache_of_one_file() {
    let directory = tempfile::tempdir().unwrap();
    suite(&LocalObjects::open(directory.path(), 1, false).unwrap());
}

/// Eight writers, one key: exactly one wins, and its bytes are whole.
#[test]
fn one_of_many_writers_wins() {
    let directory = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(directory.path(), 16, false).unwrap();
    for round in 0..50 {
        let target = key(&format!("race/{round}"));
        let winners: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8_u8)
                .map(|n| {
                    scope.spawn({
                        let (o, t) = (&objects, &target);
                        move || o.put(t, &[n; 5000]).is_ok()
                    })
                })
                .collect();
            writers.into_iter().map(|w| usize::from(w.join().unwrap())).sum()
        });
        assert_eq!(winners, 1);
        let bytes = objects.get(&target).unwrap().unwrap();
        assert!(bytes.len() == 5000 && bytes.iter().all(|&b| b == bytes[0]));
    }
    assert!(objects.leftovers(None).unwrap().is_empty());
}

#[test]
fn leftovers_are_named_and_only_they_can_be_swept() {
    let directory = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(directory.path(), 16, false).unwrap();
    objects.put(&key("a/real"), b"x").unwrap();
    fs::write(directory.path().join("a/.tmp-4242-7"), b"half").unwrap();
    assert_eq!(objects.list(None).unwrap(), [(key("a/real"), 1)]);

    let [leftover] = &objects.leftovers(None).unwrap()[..] else { panic!("one leftover") };
    assert_eq!((leftover.pid, leftover.bytes), (Some(4242), 4));
    let real = directory.path().join("a/real").display().to_string();
    assert!(objects.remove_leftover(&Leftover { path: real, ..leftover.clone() }).is_err());
    assert!(
        objects.remove_leftover(&Leftover { path: "/etc/.tmp-1-1".to_owned(), ..leftover.clone() }).is_err()
    );
    assert!(objects.remove_leftover(leftover).unwrap());
    assert!(!objects.remove_leftover(leftover).unwrap());
    assert_eq!(objects.list(None).unwrap(), [(key("a/real"), 1)]);
}

/// A staged file of a dead process with our id is no obstacle.
#[test]
fn a_stale_staged_file_blocks_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(directory.path(), 16, false).unwrap();
    for n in 0..200 {
        fs::write(directory.path().join(format!(".tmp-{}-{n}", std::process::id())), b"stale").unwrap();
    }
    objects.put(&key("a"), b"x").unwrap();
    assert_eq!(objects.get(&key("a")).unwrap().unwrap(), b"x");
}

#[test]
fn links_share_their_bytes() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(directory.path(), 16, false).unwrap();
    let inode = |k: &ObjectKey| fs::metadata(directory.path().join(k.as_str())).unwrap().ino();
    objects.put(&key("g1/s"), b"x").unwrap();
    objects.link_or_copy(&key("g1/s"), &key("g2/s")).unwrap();
    assert_eq!(inode(&key("g1/s")), inode(&key("g2/s")));
}
