//! A writer killed at any moment leaves whole objects and, at most, staged leftovers.

use std::process::{Command, Stdio};
use std::time::Duration;

use tesela_store::{LocalObjects, Objects};

use crate::fixtures::key;

const DIRECTORY: &str = "TESELA_STORE_CRASH_DIR";
const ROUND: &str = "TESELA_STORE_CRASH_ROUND";

/// Bytes that prove themselves whole: a body, then its BLAKE3.
fn proving(n: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..40_000 + n % 7 * 90_000).map(|i| (i * 31 + n) as u8).collect();
    let digest = blake3::hash(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() > 32 && blake3::hash(&bytes[..bytes.len() - 32]).as_bytes() == &bytes[bytes.len() - 32..]
}

/// Not a test: the writer that is killed. Does nothing unless told where.
#[test]
fn child_that_writes_until_killed() {
    let (Ok(directory), Ok(round)) = (std::env::var(DIRECTORY), std::env::var(ROUND)) else { return };
    let objects = LocalObjects::open(directory.as_ref(), 16, true).unwrap();
    for n in 0.. {
        objects.put(&key(&format!("round{round}/{}/{n}", n % 5)), &proving(n)).unwrap();
        if n % 16 == 0 {
            objects.sync().unwrap();
        }
    }
}

#[test]
fn every_visible_object_is_whole_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut leftovers = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_that_writes_until_killed"])
            .env(DIRECTORY, directory.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + round * 37));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();

        let objects = LocalObjects::open(directory.path(), 16, true).unwrap();
        let written = objects.list(Some(&key(&format!("round{round}")))).unwrap();
        for (object, size) in &written {
            let bytes = objects.get(object).unwrap().unwrap();
            assert_eq!(bytes.len() as u64, *size);
            assert!(is_whole(&bytes), "{object} is torn");
        }
        for leftover in objects.leftovers(None).unwrap() {
            assert_eq!(leftover.pid, Some(child.id()));
            assert!(objects.remove_leftover(&leftover).unwrap());
            leftovers += 1;
        }
        if round == 11 {
            let total = objects.list(None).unwrap().len();
            println!("{total} objects whole after 12 kills, {leftovers} staged leftovers swept");
            assert!(total > 12, "{total}");
        }
    }
}
