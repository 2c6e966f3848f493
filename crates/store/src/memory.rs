//! What the C library's allocator is told.

/// Lets the allocator keep what is freed, for the whole process: planes and chunks come and go by the thousand, and
/// mapping each anew costs a tenth of an ingest. For commands that write; a server gives memory back.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: two settings of the C library's allocator, which takes them at any time.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 256 << 20);
    }
}
