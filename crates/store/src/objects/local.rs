use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::sync::Cache;

use super::staged::StagedPath;
use super::{Leftover, Objects, Staged};
use crate::key::STAGED;
use crate::{ObjectKey, StoreError};

/// Numbers staged files of this process, over all stores.
static STAGED_COUNT: AtomicU64 = AtomicU64::new(0);

/// Attempts against a directory that a sweep removes between its making and its use.
const DIRECTORY_ATTEMPTS: usize = 3;

/// Objects as files under one directory of a local (or parallel) file system.
///
/// *Put*: a staged sibling `.tmp-<pid>-<n>` is written, `fdatasync`ed, then renamed, which the file
/// system refuses when the name is taken: two writers cannot both win, and no reader ever sees half an
/// object. Where a rename cannot refuse it is linked, where hard links do not exist renamed after a look. Directories are made durable
/// together by [`Objects::sync`], before a commit.
///
/// Open files are kept in a small cache; a file deleted by another process stays readable until it is
/// evicted, which is what snapshots want.
pub struct LocalObjects {
    root: PathBuf,
    durable: bool,
    open: Cache<ObjectKey, Arc<OpenFile>>,
    touched: Mutex<BTreeSet<PathBuf>>,
}

struct OpenFile {
    file: File,
    size: u64,
}

impl LocalObjects {
    /// Objects under `root`, which is made if need be, keeping up to `open_files` files open.
    ///
    /// Not `durable` leaves out every fsync: for scratch stores that nobody commits to.
    /// # Errors
    /// [`StoreError::Io`] when `root` cannot be made or is not a directory.
    pub fn open(root: &Path, open_files: u64, durable: bool) -> Result<Self, StoreError> {
        let store = Self {
            root: root.to_owned(),
            durable,
            open: Cache::new(open_files),
            touched: Mutex::new(BTreeSet::new()),
        };
        store.make_directory(root)?;
        Ok(store)
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The directory an object lies in.
    fn directory(&self, key: &ObjectKey) -> PathBuf {
        key.parent().map_or_else(|| self.root.clone(), |parent| self.path(&parent))
    }

    fn touched(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self, directory: PathBuf) {
        if self.durable {
            self.touched().insert(directory);
        }
    }

    /// Makes a directory and those above it, remembering each that gained an entry.
    fn make_directory(&self, directory: &Path) -> Result<(), StoreError> {
        if directory.is_dir() {
            return Ok(());
        }
        if let Some(above) = directory.parent().filter(|above| !above.as_os_str().is_empty()) {
            self.make_directory(above)?;
            self.touch(above.to_owned());
        }
        match fs::create_dir(directory) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
            other => other.map_err(io_error("create directory", directory)),
        }
    }

    /// A new staged file beside where `key` will be.
    fn stage_file(&self, key: &ObjectKey) -> Result<(StagedPath, File), StoreError> {
        let directory = self.directory(key);
        let mut attempts = 0;
        loop {
            self.make_directory(&directory)?;
            let number = STAGED_COUNT.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!("{STAGED}{}-{number}", std::process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok((StagedPath(path), file)),
                // A dead process had this id.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) if e.kind() == ErrorKind::NotFound && attempts < DIRECTORY_ATTEMPTS => attempts += 1,
                Err(e) => return Err(io_error("create", &path)(e)),
            }
        }
    }

    /// Gives a staged file that is written its name.
    fn name(&self, key: &ObjectKey, file: File, staged: &StagedPath) -> Result<(), StoreError> {
        if self.durable && !SYNCS_WHOLE {
            file.sync_data().map_err(io_error("sync", staged.as_path()))?;
        }
        drop(file);
        publish(staged.as_path(), &self.path(key), key)?;
        self.touch(self.directory(key));
        Ok(())
    }

    fn open_file(&self, key: &ObjectKey) -> Result<Option<Arc<OpenFile>>, StoreError> {
        if let Some(open) = self.open.get(key) {
            return Ok(Some(open));
        }
        let path = self.path(key);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if is_absent(&e) => return Ok(None),
            Err(e) => return Err(io_error("open", &path)(e)),
        };
        let metadata = file.metadata().map_err(io_error("read the size of", &path))?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let open = Arc::new(OpenFile { file, size: metadata.len() });
        self.open.insert(key.clone(), Arc::clone(&open));
        Ok(Some(open))
    }

    fn read(&self, key: &ObjectKey, open: &OpenFile, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
        let truncated = || StoreError::ObjectTruncated { key: key.clone(), offset, len, size: open.size };
        if offset.checked_add(len).is_none_or(|end| end > open.size) {
            return Err(truncated());
        }
        let len = usize::try_from(len).map_err(|_| truncated())?;
        read_exact_at(&open.file, offset, len).map_err(io_error("read", &self.path(key)))
    }

    fn walk(&self, directory: &Path, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(e) if is_absent(&e) => return Ok(()),
            Err(e) => return Err(io_error("list", directory)(e)),
        };
        for entry in entries {
            let entry = entry.map_err(io_error("list", directory))?;
            let kind = entry.file_type().map_err(io_error("list", &entry.path()))?;
            if kind.is_dir() {
                self.walk(&entry.path(), visit)?;
            } else if kind.is_file() {
                match entry.metadata() {
                    Ok(metadata) => visit(&entry.path(), &metadata),
                    Err(e) if is_absent(&e) => {}
                    Err(e) => return Err(io_error("read the size of", &entry.path())(e)),
                }
            }
        }
        Ok(())
    }

    fn key_of(&self, path: &Path) -> Option<ObjectKey> {
        ObjectKey::new(path.strip_prefix(&self.root).ok()?.to_str()?).ok()
    }

    /// Removes a directory and those below it as far as they are empty.
    fn prune(&self, directory: &Path) {
        if let Ok(entries) = fs::read_dir(directory) {
            entries
                .flatten()
                .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
                .for_each(|e| self.prune(&e.path()));
        }
        // Not empty, or already gone: both are fine.
        let _ = fs::remove_dir(directory);
    }
}

/// Whether one call makes every earlier write of a file system durable, data and directories alike. Then objects are
/// not synced one by one: what a crash leaves half-written before the call is in no commit, and is swept.
const SYNCS_WHOLE: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
fn sync_file_system(root: &Path) -> std::io::Result<()> {
    let open = File::open(root)?;
    // SAFETY: the descriptor is open for the length of the call.
    if unsafe { libc::syncfs(open.as_raw_fd()) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_root: &Path) -> std::io::Result<()> {
    Ok(())
}

type Visit<'a> = dyn FnMut(&Path, &fs::Metadata) + 'a;

impl Objects for LocalObjects {
    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(key);
        if path.exists() {
            return Err(StoreError::ObjectExists { key: key.clone() });
        }
        let (staged, mut file) = self.stage_file(key)?;
        file.write_all(bytes).map_err(io_error("write", staged.as_path()))?;
        self.name(key, file, &staged)
    }

    fn stage(&self, key: &ObjectKey) -> Result<Staged, StoreError> {
        let (path, file) = self.stage_file(key)?;
        Ok(Staged::in_file(file, path))
    }

    fn put_staged(&self, key: &ObjectKey, staged: Staged) -> Result<(), StoreError> {
        match staged.into_file()? {
            Ok((file, path)) => self.name(key, file, &path),
            Err(bytes) => self.put(key, &bytes),
        }
    }

    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(open) = self.open_file(key)? else { return Ok(None) };
        self.read(key, &open, 0, open.size).map(Some)
    }

    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(open) = self.open_file(key)? else { return Ok(None) };
        self.read(key, &open, offset, len).map(Some)
    }

    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(open) = self.open_file(key)? else { return Ok(None) };
        let len = len.min(open.size);
        self.read(key, &open, open.size - len, len).map(Some)
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(io_error("read the size of", &path)(e)),
        }
    }

    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.open.invalidate(key);
        let path = self.path(key);
        match fs::remove_file(&path) {
            Ok(()) => {
                self.touch(self.directory(key));
                Ok(true)
            }
            Err(e) if is_absent(&e) => Ok(false),
            Err(e) => Err(io_error("delete", &path)(e)),
        }
    }

    fn delete_under(&self, prefix: &ObjectKey) -> Result<u64, StoreError> {
        let mut removed = 0;
        for (key, _) in self.list(Some(prefix))? {
            removed += u64::from(self.delete(&key)?);
        }
        let path = self.path(prefix);
        if path.is_dir() {
            self.prune(&path);
            self.touch(self.directory(prefix));
            // Directories above that hold nothing now go too; the first that is in use ends it.
            let above =
                path.ancestors().skip(1).take_while(|p| p.starts_with(&self.root) && **p != self.root);
            let _ = above.map(fs::remove_dir).take_while(Result::is_ok).count();
        }
        Ok(removed)
    }

    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        let mut found = Vec::new();
        if let Some(key) = prefix
            && let Some(size) = self.size(key)?
        {
            found.push((key.clone(), size));
            return Ok(found);
        }
        let directory = prefix.map_or_else(|| self.root.clone(), |prefix| self.path(prefix));
        self.walk(&directory, &mut |path, metadata| {
            found.extend(self.key_of(path).map(|key| (key, metadata.len())));
        })?;
        found.sort_unstable();
        Ok(found)
    }

    fn sync(&self) -> Result<(), StoreError> {
        let directories = std::mem::take(&mut *self.touched());
        if SYNCS_WHOLE && !directories.is_empty() {
            return sync_file_system(&self.root).map_err(|e| {
                self.touched().extend(directories);
                io_error("sync the file system of", &self.root)(e)
            });
        }
        let mut left = directories.iter();
        while let Some(directory) = left.next() {
            let synced = match File::open(directory) {
                Ok(open) => open.sync_all(),
                Err(e) if is_absent(&e) => Ok(()), // removed since, which its parent records
                Err(e) => Err(e),
            };
            if let Err(e) = synced {
                self.touched().extend(left.chain([directory]).cloned());
                return Err(io_error("sync directory", directory)(e));
            }
        }
        Ok(())
    }

    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        let (source, target) = (self.path(from), self.path(to));
        if !source.is_file() {
            return Err(StoreError::ObjectMissing { key: from.clone() });
        }
        self.make_directory(&self.directory(to))?;
        match fs::hard_link(&source, &target) {
            Ok(()) => {
                self.touch(self.directory(to));
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                Err(StoreError::ObjectExists { key: to.clone() })
            }
            // Another file system, too many links, or none at all.
            Err(_) => match self.get(from)? {
                Some(bytes) => self.put(to, &bytes),
                None => Err(StoreError::ObjectMissing { key: from.clone() }),
            },
        }
    }

    fn leftovers(&self, under: Option<&ObjectKey>) -> Result<Vec<Leftover>, StoreError> {
        let mut found = Vec::new();
        let directory = under.map_or_else(|| self.root.clone(), |prefix| self.path(prefix));
        self.walk(&directory, &mut |path, metadata| {
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(rest) = name.and_then(|name| name.strip_prefix(STAGED)) {
                found.push(Leftover {
                    path: path.to_string_lossy().into_owned(),
                    pid: rest.split_once('-').and_then(|(pid, _)| pid.parse().ok()),
                    bytes: metadata.len(),
                    modified: metadata.modified().ok(),
                });
            }
        })?;
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn remove_leftover(&self, leftover: &Leftover) -> Result<bool, StoreError> {
        let path = Path::new(&leftover.path);
        let staged =
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(STAGED));
        if !staged || !path.starts_with(&self.root) {
            let reason = "it is no staged write of this store";
            return Err(StoreError::InvalidKey { key: leftover.path.clone(), reason });
        }
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(e) if is_absent(&e) => Ok(false),
            Err(e) => Err(io_error("delete", path)(e)),
        }
    }
}

/// Reads so many bytes into memory that is not zeroed before.
fn read_exact_at(file: &File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::with_capacity(len);
    while bytes.len() < len {
        let at = i64::try_from(offset + bytes.len() as u64).map_err(io::Error::other)?;
        let left = len - bytes.len();
        // SAFETY: at most `left` bytes go into the capacity that is left.
        let n = unsafe {
            libc::pread(file.as_raw_fd(), bytes.spare_capacity_mut().as_mut_ptr().cast(), left, at)
        };
        match usize::try_from(n) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            // SAFETY: `pread` wrote that many.
            Ok(n) => unsafe { bytes.set_len(bytes.len() + n) },
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == ErrorKind::Interrupted => {}
                e => return Err(e),
            },
        }
    }
    Ok(bytes)
}

/// Gives a staged file its name, unless the name is taken.
fn publish(staged: &Path, path: &Path, key: &ObjectKey) -> Result<(), StoreError> {
    let taken = || StoreError::ObjectExists { key: key.clone() };
    match rename_unless_taken(staged, path) {
        Ok(()) => return Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(taken()),
        // Not every system and file system can.
        Err(_) => {}
    }
    match fs::hard_link(staged, path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(taken()),
        // No hard links here: a rename cannot refuse, so look first; one writer per cube makes that enough.
        Err(_) if path.exists() => Err(taken()),
        Err(_) => fs::rename(staged, path).map_err(io_error("rename into", path)),
    }
}

/// One change of the directory where a link and the removal of the staged name are two.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn rename_unless_taken(staged: &Path, path: &Path) -> io::Result<()> {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;
    let c_path = |p: &Path| CString::new(p.as_os_str().as_bytes()).map_err(io::Error::other);
    let (from, to) = (c_path(staged)?, c_path(path)?);
    // SAFETY: both are C strings that live until the call returns.
    let outcome = unsafe {
        libc::renameat2(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, to.as_ptr(), libc::RENAME_NOREPLACE)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn rename_unless_taken(_staged: &Path, _path: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.display().to_string();
    move |source| StoreError::Io { action, path, source }
}
