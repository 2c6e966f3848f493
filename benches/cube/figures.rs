//! Times, and files out of the page cache.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Instant;

use crate::Fallible;

/// One figure a line.
pub fn say(name: &str, value: f64) {
    println!("{name} {value:.3}");
}

/// CPU seconds of this process so far, all threads.
pub fn cpu_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Wall and CPU milliseconds of one call, and what it gave.
pub fn timed<R>(work: impl FnOnce() -> Fallible<R>) -> Fallible<([f64; 2], R)> {
    let (wall, cpu) = (Instant::now(), cpu_s());
    let found = work()?;
    Ok(([wall.elapsed().as_secs_f64() * 1e3, (cpu_s() - cpu) * 1e3], found))
}

/// Medians of wall and CPU milliseconds.
pub fn medians(mut times: Vec<[f64; 2]>) -> [f64; 2] {
    let mut middle = |k: usize| {
        times.sort_by(|a, b| a[k].total_cmp(&b[k]));
        times.get(times.len() / 2).map_or(f64::NAN, |t| t[k])
    };
    [middle(0), middle(1)]
}

/// Says `{name}_ms` and `{name}_cpu_ms`; the latter.
pub fn say_times(name: &str, times: Vec<[f64; 2]>) -> f64 {
    let [wall, cpu] = medians(times);
    say(&format!("{name}_ms"), wall);
    say(&format!("{name}_cpu_ms"), cpu);
    cpu
}

/// Drops every file of a folder from the page cache.
pub fn drop_pages(folder: &Path) -> Fallible<()> {
    for path in files(folder)? {
        let open = File::open(&path)?;
        // SAFETY: the descriptor is open for the length of the call.
        match unsafe { libc::posix_fadvise(open.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
            0 => {}
            code => return Err(std::io::Error::from_raw_os_error(code).into()),
        }
    }
    Ok(())
}

/// All files under a folder.
pub fn files(folder: &Path) -> Fallible<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
