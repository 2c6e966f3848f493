//! One writer a cube: an operating-system file lock that dies with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::IndexError;

/// Who holds, or last held, the writer lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Seconds since 1970 when the lock was taken.
    pub since_s: u64,
    /// What it does: `ingest`, `compute`.
    pub command: String,
}

/// How often a waiting writer looks whether the lock is free.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The right to write to a cube, held until dropped or until the process dies.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
    holder: LockHolder,
}

impl WriterLock {
    /// Takes the lock of the cube in `dir`, waiting so long for another process to end.
    ///
    /// # Errors
    /// [`IndexError::Locked`] names host, pid and age of the process that has it then; [`IndexError::ReadOnly`].
    pub fn acquire_within(dir: &Path, command: &str, wait: Duration) -> Result<Self, IndexError> {
        let started = Instant::now();
        loop {
            match Self::acquire(dir, command) {
                Err(IndexError::Locked { .. }) if started.elapsed() < wait => std::thread::sleep(LOOK_AGAIN),
                other => return other,
            }
        }
    }

    /// Takes the lock of the cube in `dir`.
    ///
    /// # Errors
    /// [`IndexError::Locked`] names host, pid and age of the process that has it; [`IndexError::ReadOnly`].
    pub fn acquire(dir: &Path, command: &str) -> Result<Self, IndexError> {
        let path = dir.join("writer.lock");
        let io = |action| {
            let path = path.clone();
            move |source| IndexError::Io { action, path, source }
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(
                |e| match e.kind() {
                    ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                        IndexError::ReadOnly { path: path.clone() }
                    }
                    _ => io("cannot open the writer lock")(e),
                },
            )?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                let holder = serde_json::from_str::<LockHolder>(&text).map_or_else(
                    |_| "another process".to_owned(),
                    |h| {
                        let age = now_s().saturating_sub(h.since_s);
                        format!("`tesela {}` on {} (pid {}, for {age} s)", h.command, h.host, h.pid)
                    },
                );
                return Err(IndexError::Locked { holder });
            }
            Err(TryLockError::Error(source)) => return Err(io("cannot lock")(source)),
        }
        let holder = LockHolder {
            host: host_name(),
            pid: std::process::id(),
            since_s: now_s(),
            command: command.to_owned(),
        };
        let text = serde_json::to_string(&holder).unwrap_or_default();
        // The text is for others to read; on a full disk the lock holds without it, so that the sweep can make room.
        match note(&mut file, &text) {
            Err(e) if e.kind() != ErrorKind::StorageFull => Err(io("cannot write")(e)),
            _ => Ok(Self { _file: file, holder }),
        }
    }

    /// This process, as others see it.
    pub fn holder(&self) -> &LockHolder {
        &self.holder
    }
}

fn note(file: &mut File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|h| h.trim().to_owned())
        .ok()
        .filter(|h| !h.is_empty())
        .unwrap_or_else(|| "localhost".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_learns_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(dir.path(), "ingest").unwrap();
        let refused = WriterLock::acquire(dir.path(), "compute").unwrap_err().to_string();
        assert!(refused.contains(&format!("pid {}", first.holder().pid)), "{refused}");
        assert!(refused.contains("tesela ingest"), "{refused}");
        let started = Instant::now();
        let wait = Duration::from_millis(300);
        assert!(matches!(
            WriterLock::acquire_within(dir.path(), "compute", wait),
            Err(IndexError::Locked { .. })
        ));
        assert!(started.elapsed() >= wait);
        let path = dir.path().to_owned();
        let waiting = std::thread::spawn(move || {
            WriterLock::acquire_within(&path, "compute", Duration::from_secs(60))
                .map(|l| l.holder().command.clone())
        });
        drop(first);
        assert_eq!(waiting.join().unwrap().unwrap(), "compute");
    }
}
