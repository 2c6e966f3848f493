use std::path::PathBuf;

/// Why the index refuses or fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// There is no cube there.
    #[error("no cube at {path}: {file} is missing; create one with `tesela init {path}`", path = path.display(), file = file)]
    Missing {
        /// The cube's directory.
        path: PathBuf,
        /// The file looked for.
        file: &'static str,
    },
    /// A cube is already there.
    #[error("{path} already holds a cube", path = path.display())]
    Exists {
        /// The cube's directory.
        path: PathBuf,
    },
    /// The database was written by another version.
    #[error("the index at {path} has schema {found}, this program knows {known}: {advice}", path = path.display())]
    Schema {
        /// The database file.
        path: PathBuf,
        /// Its schema number.
        found: i64,
        /// The newest this program knows.
        known: i64,
        /// What to do.
        advice: &'static str,
    },
    /// Another process writes to the cube.
    #[error("the cube is being written by {holder}; wait for it to end")]
    Locked {
        /// Host, pid and age of the holder.
        holder: String,
    },
    /// Nothing can be written there.
    #[error("the cube is read-only, {path} cannot be written; make it writable, or work on a copy", path = path.display())]
    ReadOnly {
        /// The file that would be written.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no space left for {path}; make room and run the same command again", path = path.display())]
    NoSpace {
        /// The file that would grow.
        path: PathBuf,
    },
    /// A read-only cube whose last commits lie in SQLite's journal, which cannot be opened without its `-shm` file.
    #[error(
        "{path} holds commits that a read-only cube cannot take in: make the cube writable, run `tesela info` on it, \
         and make it read-only again",
        path = path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
    },
    /// A read-only index was replaced or written to from elsewhere while it was read.
    #[error("{path} changed while it was read; ask again", path = path.display())]
    Changed {
        /// The database file.
        path: PathBuf,
    },
    /// A product is not registered.
    #[error("unknown product {id}; this cube has: {known}")]
    UnknownProduct {
        /// The id asked for.
        id: String,
        /// What exists.
        known: String,
    },
    /// A zone set is not registered.
    #[error("unknown zone set {id}; this cube has: {known}")]
    UnknownZoneSet {
        /// The id asked for.
        id: String,
        /// What exists.
        known: String,
    },
    /// A snapshot number does not exist.
    #[error("snapshot {n} does not exist; this cube has 0 to {latest}")]
    UnknownSnapshot {
        /// The number asked for.
        n: u64,
        /// The latest.
        latest: u64,
    },
    /// A snapshot that `gc` let go.
    #[error(
        "snapshot {n} has expired, its pixels are not kept any more; the nearest kept one is {nearest} (a tag keeps a snapshot for ever: `tesela snapshots tag`)"
    )]
    ExpiredSnapshot {
        /// The number asked for.
        n: u64,
        /// The nearest that can still be read.
        nearest: u64,
    },
    /// A tag is not there.
    #[error("no tag {name}; there are: {known}")]
    UnknownTag {
        /// The name asked for.
        name: String,
        /// What exists.
        known: String,
    },
    /// Something with that identity is there already, with other content.
    #[error("{what} {id} exists already{hint}")]
    Duplicate {
        /// Kind of thing.
        what: &'static str,
        /// Its identity.
        id: String,
        /// What to do, starting with a separator.
        hint: &'static str,
    },
    /// A stored document cannot be read back.
    #[error("the index holds a {what} that cannot be read ({id}): {message}; run `tesela check`")]
    Corrupt {
        /// Kind of document.
        what: &'static str,
        /// Its identity.
        id: String,
        /// Parser message.
        message: String,
    },
    /// The file system refuses.
    #[error("{action} {path}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The database refuses.
    #[error("index database: {context}")]
    Database {
        /// What was tried.
        context: &'static str,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
}

pub(crate) trait Context<T> {
    fn context(self, context: &'static str) -> Result<T, IndexError>;
}

impl<T> Context<T> for Result<T, rusqlite::Error> {
    fn context(self, context: &'static str) -> Result<T, IndexError> {
        self.map_err(|source| IndexError::Database { context, source })
    }
}
