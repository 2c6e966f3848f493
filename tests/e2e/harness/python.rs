//! The store as Python users read it.

use std::ffi::OsStr;
use std::process::Command;

use super::{Outcome, require};

/// Reads windows with plain xarray, opening each group by its path alone.
const READ_STORE: &str = include_str!("read_store.py");

/// A window of pixels, north up: west edge, north edge, pixel size, columns, rows.
#[derive(Clone, Copy)]
pub struct Window {
    pub x_min: f64,
    pub y_max: f64,
    pub resolution: f64,
    pub width: usize,
    pub height: usize,
}

fn python() -> Command {
    Command::new(std::env::var_os("TESELA_PYTHON").unwrap_or_else(|| "python3".into()))
}

/// Whether Python has these modules; says so, or fails, where it has not.
pub fn python_with(modules: &str) -> bool {
    let there =
        python().args(["-c", &format!("import {modules}")]).output().is_ok_and(|o| o.status.success());
    require(there, &format!("no Python with {modules} (set TESELA_PYTHON)"))
}

/// Runs a script; what it prints.
#[track_caller]
pub fn run_python<S: AsRef<OsStr>>(script: &str, args: &[S]) -> String {
    let outcome = Outcome::of(python().args(["-c", script]).args(args));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    outcome.stdout
}

/// Bands of dates as stored, `[date][band]`, from the groups that hold them; NaN where none does.
#[track_caller]
pub fn read_store(
    groups: &[String],
    bands: &[&str],
    dates: &[String],
    window: &Window,
) -> Vec<Vec<Vec<f64>>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let Window { x_min, y_max, resolution, width, height } = window;
    let mut args = vec![out.to_str().unwrap().to_owned(), bands.join(","), dates.join(",")];
    args.extend([x_min, y_max, resolution].map(ToString::to_string));
    args.extend([width, height].map(ToString::to_string));
    args.extend_from_slice(groups);
    run_python(READ_STORE, &args);
    let bytes = std::fs::read(&out).unwrap();
    let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    let planes = values.chunks(width * height).map(<[f64]>::to_vec).collect::<Vec<_>>();
    assert_eq!(planes.len(), bands.len() * dates.len());
    planes.chunks(bands.len()).map(<[Vec<f64>]>::to_vec).collect()
}
