//! Real data, where there is some.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A path under the real data; `None`, said aloud, where it is not there and not required.
pub fn data(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TESELA_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = root.join(relative);
    require(path.exists(), &format!("real data not found at {}", path.display())).then_some(path)
}

/// Whether something is there; missing things fail the test where `TESELA_REQUIRE_DATA` is 1.
pub fn require(there: bool, otherwise: &str) -> bool {
    if !there {
        assert!(std::env::var("TESELA_REQUIRE_DATA").as_deref() != Ok("1"), "required: {otherwise}");
        eprintln!("skipped: {otherwise}");
    }
    there
}

/// A manifest of eight-band stacks (six reflectances, thermal, Fmask): path, date, platform.
pub fn stack_manifest(rows: &[(PathBuf, String, &str)]) -> String {
    let mut text = String::from(
        "path,datetime,platform,band.blue,band.green,band.red,band.nir,band.swir1,band.swir2,band.fmask\n",
    );
    for (path, date, platform) in rows {
        let path = path.canonicalize().unwrap();
        writeln!(text, "{},{date},{platform},1,2,3,4,5,6,8", path.display()).unwrap();
    }
    text
}

/// Copies the files of a folder, writable, that a test wants to spoil.
pub fn copy_folder(from: &Path, to: &Path, keep: impl Fn(&str) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_file() && keep(&name) {
            std::fs::write(to.join(&name), std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// A script of the real clients' folder, run where it lies; `None`, said aloud, where it is not there and not required.
pub fn clients(script: &str) -> Option<PathBuf> {
    let beside_data = || Some(Path::new(&std::env::var_os("TESELA_TEST_DATA")?).join("../clients"));
    let root = std::env::var_os("TESELA_TEST_CLIENTS").map(PathBuf::from).or_else(beside_data);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/clients"));
    let path = root.join(script);
    require(path.exists(), &format!("clients' script not found at {}", path.display())).then_some(path)
}
