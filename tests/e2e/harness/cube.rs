//! The executable, and cubes in temporary folders.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The executable under test.
pub fn binary() -> PathBuf {
    let path = std::env::var_os("TESELA_BIN")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/tesela"), PathBuf::from);
    assert!(path.is_file(), "{} is not built; build it first or set TESELA_BIN", path.display());
    path
}

/// The executable with a clean environment.
pub fn tesela() -> Command {
    let mut command = Command::new(binary());
    for name in ["TESELA_CUBE", "TESELA_BIND", "TESELA_BASE_URL", "TESELA_LOG"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    /// Fails the test unless every part is in what was printed.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) -> &Self {
        let text = self.text();
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        self
    }
}

/// A cube in a folder of its own, removed with it; the folder has room for inputs too.
pub struct TestCube {
    folder: TempDir,
}

impl TestCube {
    /// A folder without a cube yet.
    pub fn unmade() -> Self {
        let shm = Path::new("/dev/shm");
        let root = std::env::var_os("TESELA_TEST_TMP").map(PathBuf::from);
        let root = root.or_else(|| shm.is_dir().then(|| shm.into())).unwrap_or_else(std::env::temp_dir);
        Self { folder: tempfile::Builder::new().prefix("tesela-e2e-").tempdir_in(root).unwrap() }
    }

    /// An empty cube.
    pub fn init() -> Self {
        let cube = Self::unmade();
        cube.init_here();
        cube
    }

    /// Makes the cube where it shall lie.
    #[track_caller]
    pub fn init_here(&self) {
        let made = self.try_init();
        assert_eq!(made.code, Some(0), "{made:#?}");
    }

    /// Tries to make the cube where it shall lie.
    pub fn try_init(&self) -> Outcome {
        Outcome::of(tesela().arg("init").arg(self.dir()))
    }

    /// A cube with one shipped product put on another grid.
    pub fn with(product: &str, grid: &str) -> Self {
        let cube = Self::init();
        cube.ok(&["products", "add", product, "--grid", grid]);
        cube
    }

    /// The cube.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("cube")
    }

    /// A place for an input.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an input; its path as text.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The index.
    pub fn index(&self) -> PathBuf {
        self.dir().join("index.db")
    }

    /// Where the objects lie.
    pub fn store(&self) -> PathBuf {
        self.dir().join("store")
    }

    /// A command on this cube, not yet run.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Command {
        let mut command = tesela();
        command.arg("--cube").arg(self.dir()).args(args);
        command
    }

    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Outcome {
        Outcome::of(&mut self.command(args))
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub fn ok<S: AsRef<std::ffi::OsStr> + Debug>(&self, args: &[S]) -> Outcome {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(0), "{args:?} {outcome:#?}");
        outcome
    }

    /// Runs a command that must fail, with words.
    #[track_caller]
    pub fn fails<S: AsRef<std::ffi::OsStr> + Debug>(&self, args: &[S]) -> Outcome {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(1), "{args:?} {outcome:#?}");
        assert!(outcome.stderr.contains("error"), "{args:?} {outcome:#?}");
        outcome
    }

    /// The JSON answer of a command that must succeed.
    #[track_caller]
    pub fn json<S: AsRef<std::ffi::OsStr> + Debug>(&self, args: &[S]) -> Value {
        let mut all: Vec<&std::ffi::OsStr> = vec!["--json".as_ref()];
        all.extend(args.iter().map(AsRef::as_ref));
        self.ok(&all).json()
    }

    /// `tesela check` finds no difference.
    #[track_caller]
    pub fn is_sound(&self) {
        let outcome = self.run(&["check"]);
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    }

    /// A product's entry in `tesela info`.
    #[track_caller]
    pub fn product(&self, id: &str) -> Value {
        let info = self.json(&["info"]);
        let products = info["products"].as_array().unwrap();
        products.iter().find(|p| p["id"] == id).unwrap_or_else(|| panic!("no {id} in {info:#}")).clone()
    }

    /// The Zarr group of one period of a derived product.
    #[track_caller]
    pub fn period(&self, product: &str, period: &str) -> String {
        let entry = self.product(product);
        let periods = entry["periods"].as_array().unwrap();
        let found = periods.iter().find(|p| p["period"] == period);
        found.unwrap_or_else(|| panic!("no {period} in {entry:#}"))["zarr"].as_str().unwrap().to_owned()
    }

    /// The Zarr groups of a scenes product.
    #[track_caller]
    pub fn groups(&self, product: &str) -> Vec<String> {
        let entry = self.product(product);
        let groups = entry["groups"].as_array().unwrap();
        groups.iter().map(|g| g["zarr"].as_str().unwrap().to_owned()).collect()
    }
}

/// Files under a folder with their sizes; none where it is not there.
pub fn files_under(folder: &Path) -> Vec<(PathBuf, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(m) if m.is_dir() => found.extend(files_under(&entry.path())),
            Ok(m) => found.push((entry.path(), m.len())),
            Err(_) => {}
        }
    }
    found.sort();
    found
}

/// A small synthetic cube: scenes, yearly geomedians, NDVI, zones.
pub fn demo(years: &str) -> TestCube {
    let cube = TestCube::unmade();
    cube.ok(&["demo", "--size", "96", "--years", years, "--no-serve"]);
    cube
}
