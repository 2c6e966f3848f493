//! An index on a read-only place. SQLite's journal mode needs to make files beside the database even to read it, so
//! there it is opened as immutable: as a file that nobody changes.
//!
//! Somebody may, from where it is writable. A stamp taken before and after each read tells.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::IndexError;

/// What a database file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// `None` where SQLite can open the index as usual: its place is writable, or a writer's journal and its index lie
/// beside it.
///
/// # Errors
/// [`IndexError::Journal`] when there is a journal that cannot be read there.
pub(super) fn stamp(path: &Path) -> Result<Option<Stamp>, IndexError> {
    if !is_read_only(path) {
        return Ok(None);
    }
    let journal = beside(path, "-wal");
    if std::fs::metadata(&journal).is_ok_and(|m| m.len() > 0) {
        return if beside(path, "-shm").is_file() {
            Ok(None)
        } else {
            Err(IndexError::Journal { path: journal })
        };
    }
    let io = |source| IndexError::Io { action: "cannot read", path: path.into(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    Ok(Some(Stamp { modified: metadata.modified().ok(), bytes: metadata.len() }))
}

/// Whether this process may not write to the database, or not beside it.
pub(super) fn is_read_only(path: &Path) -> bool {
    !(path.parent().is_some_and(is_writable) && (is_writable(path) || !path.exists()))
}

/// The address that opens a file as immutable.
pub(super) fn uri(path: &Path) -> String {
    let mut text = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                text.push(char::from(*byte));
            }
            other => text += &format!("%{other:02X}"),
        }
    }
    text + "?immutable=1"
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Asked without opening: closing a file of SQLite's would drop the locks this process has on it.
fn is_writable(path: &Path) -> bool {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    // SAFETY: a null-terminated path, not kept.
    CString::new(path.as_os_str().as_bytes())
        .is_ok_and(|p| unsafe { libc::access(p.as_ptr(), libc::W_OK) } == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_makes_an_address() {
        assert_eq!(uri(Path::new("/a b/ñ?#%/x.db")), "file:/a%20b/%C3%B1%3F%23%25/x.db?immutable=1");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("an index?.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
        let db = rusqlite::Connection::open_with_flags(uri(&path), flags).unwrap();
        let n: i64 = db.query_row("SELECT count(*) FROM t", (), |r| r.get(0)).unwrap();
        assert_eq!(n, 0);
    }
}
