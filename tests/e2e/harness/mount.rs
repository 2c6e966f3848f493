//! Small file systems of a test's own, where it may mount.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::require;

/// A mounted file system, unmounted when dropped.
pub struct Mount {
    at: PathBuf,
}

fn mount(options: &str, args: &[&Path]) -> bool {
    Command::new("mount").args(["-o", options]).args(args).output().is_ok_and(|o| o.status.success())
}

impl Mount {
    /// An empty file system in memory with room for so many bytes; `None`, said aloud, where mounting is not allowed.
    pub fn memory(at: &Path, bytes: u64) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(at)
            .output()
            .is_ok_and(|o| o.status.success());
        require(done, "cannot mount (root is needed)").then(|| Self { at: at.to_owned() })
    }

    /// A folder seen read-only at another place.
    pub fn read_only(of: &Path, at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        if !require(mount("bind", &[of, at]), "cannot mount (root is needed)") {
            return None;
        }
        let made = Self { at: at.to_owned() };
        made.remount("bind,ro");
        Some(made)
    }

    /// Changes its options: `size=…`, `ro`, `rw`.
    #[track_caller]
    pub fn remount(&self, options: &str) {
        assert!(mount(&format!("remount,{options}"), &[&self.at]), "cannot remount {options}");
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        let told = Command::new("df").args(["--output=used", "-B1"]).arg(&self.at).output().unwrap();
        let text = String::from_utf8(told.stdout).unwrap();
        text.lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.at).status();
        if !done.is_ok_and(|s| s.success()) {
            let _ = Command::new("umount").arg("-l").arg(&self.at).status();
        }
    }
}
