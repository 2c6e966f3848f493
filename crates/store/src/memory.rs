//! What the C library's allocator is told.

/// How much of what is freed a process keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// 256 MiB, for commands that write: planes and stacks of chunks.
    Stacks,
    /// 64 MiB, for servers, which live long: planes of pictures.
    Pictures,
}

/// Lets the allocator keep what is freed, for the whole process: planes, chunks and pictures come and go by the thousand,
/// and mapping each anew costs a tenth of an ingest and a fifth of a map tile.
pub fn keep_freed_memory(kept: Kept) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: two settings of the C library's allocator, which takes them at any time.
    unsafe {
        let bytes = match kept {
            Kept::Stacks => 256 << 20,
            Kept::Pictures => 64 << 20,
        };
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes);
        libc::mallopt(libc::M_TRIM_THRESHOLD, bytes);
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = kept;
}
