//! The embedded backend: one SQLite file, write-ahead log, fully synchronous commits.

mod archived;
mod frozen;
mod keep;
mod read;
mod repair;
mod search;
mod summary;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::IndexError;
use crate::error::Context;

/// Migrations in order; the schema number is how many have run.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/sqlite/0001_init.sql"),
    include_str!("../../../migrations/sqlite/0002_archive.sql"),
    include_str!("../../../migrations/sqlite/0003_archived_scenes.sql"),
    include_str!("../../../migrations/sqlite/0004_together.sql"),
];

/// What the writer keeps of the database in memory, KiB. A commit changes pages all over the indexes by place; with
/// less it would write some of them twice, and read them again.
const WRITER_CACHE_KIB: i64 = 32 << 10;
/// Pages of the journal that are taken into the database at once. A page that several commits changed is taken once.
const JOURNAL_PAGES: i64 = 8_192;

/// File name inside the cube's directory.
const FILE: &str = "index.db";

/// An index in one SQLite file.
#[derive(Debug)]
pub struct SqliteIndex {
    path: PathBuf,
    readers: Mutex<Vec<Reader>>,
    /// Dropped after the readers: the last connection to close takes the journal into the database, if it may write.
    writer: Mutex<Option<Connection>>,
}

/// A connection to read with, and what a read-only index looked like when it was opened.
#[derive(Debug)]
struct Reader {
    db: Connection,
    frozen: Option<frozen::Stamp>,
}

impl SqliteIndex {
    /// Creates the index of a new cube.
    ///
    /// # Errors
    /// [`IndexError::Exists`] when the directory holds one already.
    pub fn create(dir: &Path) -> Result<Self, IndexError> {
        let path = dir.join(FILE);
        if path.exists() {
            return Err(IndexError::Exists { path: dir.into() });
        }
        std::fs::create_dir_all(dir).map_err(|source| IndexError::Io {
            action: "cannot create",
            path: dir.into(),
            source,
        })?;
        // Built under another name, so that a killed `init` leaves no half cube.
        let staging = dir.join(format!(".{FILE}.{}", std::process::id()));
        let _ = std::fs::remove_file(&staging);
        let made = || {
            let mut db = Connection::open(&staging).context("create")?;
            migrate(&mut db)?;
            let now = crate::lock::now_s();
            let id = format!("{now:x}{:08x}", std::process::id());
            db.execute("INSERT INTO cube VALUES ('id', ?1), ('created', ?2)", (id, now.to_string()))
                .context("create")
        };
        made().map_err(|e| {
            let _ = std::fs::remove_file(&staging);
            explained(&path, e)
        })?;
        std::fs::rename(&staging, &path).map_err(|source| IndexError::Io {
            action: "cannot create",
            path: path.clone(),
            source,
        })?;
        Self::open(dir)
    }

    /// Opens the index of an existing cube.
    ///
    /// # Errors
    /// [`IndexError::Missing`] without a cube, [`IndexError::Schema`] for another version's.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        let path = dir.join(FILE);
        if !path.is_file() {
            return Err(IndexError::Missing { path: dir.into(), file: FILE });
        }
        let index = Self { path, writer: Mutex::new(None), readers: Mutex::new(Vec::new()) };
        let found: i64 = index.with_reader(|db| {
            db.query_row("PRAGMA user_version", (), |r| r.get(0)).context("read the schema number")
        })?;
        let known = MIGRATIONS.len() as i64;
        if found != known {
            let advice = if found > known {
                "use the program version that wrote it, or a newer one"
            } else {
                "run `tesela migrate` first"
            };
            return Err(IndexError::Schema { path: index.path.clone(), found, known, advice });
        }
        Ok(index)
    }

    /// Brings the index of a cube of an earlier version up to this one's schema; from which number to which. The
    /// index as it was is kept beside it, as `index.db.schema-N`. The caller holds the writer lock.
    ///
    /// # Errors
    /// [`IndexError::Missing`] without a cube; [`IndexError::Schema`] for the cube of a newer program;
    /// [`IndexError::Exists`] when an earlier migration's copy lies there.
    pub fn migrate(dir: &Path) -> Result<(i64, i64), IndexError> {
        let path = dir.join(FILE);
        if !path.is_file() {
            return Err(IndexError::Missing { path: dir.into(), file: FILE });
        }
        let mut db =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).context("migrate")?;
        db.busy_timeout(Duration::from_secs(30)).context("migrate")?;
        let found: i64 = db.query_row("PRAGMA user_version", (), |r| r.get(0)).context("migrate")?;
        let known = MIGRATIONS.len() as i64;
        if found > known {
            let advice = "use the program version that wrote it, or a newer one";
            return Err(IndexError::Schema { path, found, known, advice });
        }
        if found == known {
            return Ok((found, known));
        }
        let kept = dir.join(format!("{FILE}.schema-{found}"));
        if kept.exists() {
            return Err(IndexError::Exists { path: kept });
        }
        db.execute("VACUUM INTO ?1", [kept.to_string_lossy()]).context("copy the index")?;
        migrate(&mut db)
    }

    /// Writes a copy of the index as it is now to a new file, whatever is being read or committed meanwhile.
    ///
    /// # Errors
    /// [`IndexError::Exists`] when the file is there.
    pub fn copy_to(&self, file: &Path) -> Result<(), IndexError> {
        if file.exists() {
            return Err(IndexError::Exists { path: file.into() });
        }
        self.with_reader(|db| {
            db.execute("VACUUM INTO ?1", [file.to_string_lossy()]).context("copy the index")?;
            Ok(())
        })
    }

    fn connect_to_write(&self) -> Result<Connection, IndexError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.path, flags).context("open")?;
        prepare(&db)?;
        db.pragma_update(None, "journal_mode", "WAL").context("open")?;
        db.pragma_update(None, "synchronous", "FULL").context("open")?;
        db.pragma_update(None, "foreign_keys", "ON").context("open")?;
        db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB).context("open")?;
        db.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES).context("open")?;
        Ok(db)
    }

    fn connect_to_read(&self) -> Result<Reader, IndexError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let frozen = frozen::stamp(&self.path)?;
        let opened = match frozen {
            None => Connection::open_with_flags(&self.path, flags),
            Some(_) => {
                Connection::open_with_flags(frozen::uri(&self.path), flags | OpenFlags::SQLITE_OPEN_URI)
            }
        };
        let db = opened.context("open")?;
        prepare(&db)?;
        Ok(Reader { db, frozen })
    }

    /// Runs a read on a pooled connection.
    fn with_reader<R>(&self, f: impl FnOnce(&Connection) -> Result<R, IndexError>) -> Result<R, IndexError> {
        let pooled = lock(&self.readers).pop();
        let reader = match pooled {
            Some(reader) if reader.is_current(&self.path) => reader,
            _ => self.connect_to_read()?,
        };
        let result = f(&reader.db);
        if !reader.is_current(&self.path) {
            return Err(IndexError::Changed { path: self.path.clone() });
        }
        let mut pool = lock(&self.readers);
        if pool.len() < 16 {
            pool.push(reader);
        }
        result
    }

    /// Runs a write in one transaction.
    fn with_writer<R>(
        &self,
        f: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<R, IndexError>,
    ) -> Result<R, IndexError> {
        self.transact(true, f)
    }

    /// Runs a write in one transaction, which is undone unless it is to be kept.
    fn transact<R>(
        &self,
        keep: bool,
        f: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<R, IndexError>,
    ) -> Result<R, IndexError> {
        let written = || {
            let mut guard = lock(&self.writer);
            if guard.is_none() {
                *guard = Some(self.connect_to_write()?);
            }
            let Some(db) = guard.as_mut() else {
                return Err(IndexError::Missing { path: self.path.clone(), file: FILE });
            };
            let tx =
                db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).context("begin")?;
            let result = f(&tx)?;
            if keep {
                tx.commit().context("commit")?;
            } else {
                tx.rollback().context("undo")?;
            }
            Ok(result)
        };
        written().map_err(|e| explained(&self.path, e))
    }
}

/// What an operator can mend, in words of its own.
fn explained(path: &Path, error: IndexError) -> IndexError {
    use rusqlite::ErrorCode;
    let IndexError::Database { source, .. } = &error else { return error };
    let extended = source.sqlite_error().map(|e| e.extended_code);
    let path = path.to_owned();
    match source.sqlite_error_code() {
        // The shared memory beside the journal cannot grow either.
        _ if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => IndexError::NoSpace { path },
        Some(ErrorCode::DiskFull) => IndexError::NoSpace { path },
        Some(ErrorCode::ReadOnly) => IndexError::ReadOnly { path },
        _ if frozen::is_read_only(&path) => IndexError::ReadOnly { path },
        _ => error,
    }
}

impl Reader {
    fn is_current(&self, path: &Path) -> bool {
        self.frozen.is_none() || frozen::stamp(path).is_ok_and(|now| now == self.frozen)
    }
}

fn prepare(db: &Connection) -> Result<(), IndexError> {
    db.busy_timeout(Duration::from_secs(30)).context("open")?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the migrations a database lacks, each in a transaction; from which schema number to which.
fn migrate(db: &mut Connection) -> Result<(i64, i64), IndexError> {
    let version = "PRAGMA user_version";
    let before: i64 = db.query_row(version, (), |r| r.get(0)).context("migrate")?;
    // A table that others refer to is made anew under its name.
    db.pragma_update(None, "foreign_keys", "OFF").context("migrate")?;
    for (i, sql) in MIGRATIONS.iter().enumerate().skip(before.max(0) as usize) {
        let tx = db.transaction().context("migrate")?;
        tx.execute_batch(sql).context("migrate")?;
        tx.pragma_update(None, "user_version", i as i64 + 1).context("migrate")?;
        let broken =
            tx.prepare("PRAGMA foreign_key_check").and_then(|mut s| s.exists(())).context("migrate")?;
        if broken && i + 1 == MIGRATIONS.len() {
            return Err(IndexError::Corrupt {
                what: "index",
                id: format!("schema {before}"),
                message:
                    "rows point at rows that are missing; run `tesela check` with the version that wrote it"
                        .into(),
            });
        }
        tx.commit().context("migrate")?;
    }
    Ok((before, before.max(MIGRATIONS.len() as i64)))
}
