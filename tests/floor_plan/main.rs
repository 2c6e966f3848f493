//! The crates use each other as the table of ARCHITECTURE.md says, exactly: neither more edges nor fewer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The table follows this heading; its rows are `| name | folder | may use |`.
const HEADING: &str = "## Allowed crate edges";

/// Written where a crate uses no other.
const NOTHING: &str = "nothing";

/// A crate's folder, and the crates of the workspace that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Room {
    folder: String,
    uses: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// What cargo says: normal dependencies by path, of every member.
fn built() -> BTreeMap<String, Room> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let folder = manifest.parent().expect("a manifest lies in a folder");
            let folder =
                folder.strip_prefix(root()).expect("members lie in the workspace").display().to_string();
            let uses = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|d| d["kind"].is_null() && d["path"].is_string())
                .map(|d| text(&d["name"]))
                .collect();
            (text(&package["name"]), Room { folder, uses })
        })
        .collect()
}

/// What ARCHITECTURE.md says.
fn planned() -> BTreeMap<String, Room> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut rooms = BTreeMap::new();
    let rows = text.lines().skip_while(|l| l.trim() != HEADING).skip(1).take_while(|l| !l.starts_with("## "));
    for row in rows.filter(|l| l.starts_with("| `")) {
        let cells: Vec<String> =
            row.trim_matches('|').split('|').map(|c| c.replace('`', "").trim().to_owned()).collect();
        let [name, folder, uses] = cells.as_slice() else { panic!("not three cells: {row}") };
        let uses = uses.split_whitespace().filter(|u| *u != NOTHING).map(str::to_owned).collect();
        let before = rooms.insert(name.clone(), Room { folder: folder.clone(), uses });
        assert_eq!(before, None, "{name} has two rows");
    }
    rooms
}

#[test]
fn crates_use_each_other_as_the_plan_says() {
    let (built, planned) = (built(), planned());
    let mut faults = Vec::new();
    for name in built.keys().chain(planned.keys()).collect::<BTreeSet<_>>() {
        match (built.get(name), planned.get(name)) {
            (Some(_), None) => faults.push(format!("{name} has no row")),
            (None, Some(_)) => faults.push(format!("{name} has a row, but there is no such crate")),
            (Some(b), Some(p)) => {
                if b.folder != p.folder {
                    faults.push(format!("{name} lies in {}, not in {}", b.folder, p.folder));
                }
                faults.extend(
                    b.uses
                        .difference(&p.uses)
                        .map(|u| format!("{name} uses {u}, which its row does not list")),
                );
                faults.extend(
                    p.uses
                        .difference(&b.uses)
                        .map(|u| format!("the row of {name} lists {u}, which it does not use")),
                );
            }
            (None, None) => {}
        }
    }
    assert!(faults.is_empty(), "ARCHITECTURE.md, {HEADING:?}:\n{}", faults.join("\n"));
}

#[test]
fn the_synthetic_truth_is_independent_of_what_it_checks() {
    let built = built();
    assert_eq!(built["tesela-synth"].uses, BTreeSet::new(), "tesela-synth uses no crate of the workspace");
    for name in ["tesela-compute", "tesela-stats", "tesela-render"] {
        assert!(!built[name].uses.contains("tesela-synth"), "{name} uses tesela-synth");
    }
}

#[test]
fn only_the_executable_ingests() {
    for (name, room) in built() {
        let may = ["tesela", "tesela-benches"].contains(&name.as_str());
        assert!(may || !room.uses.contains("tesela-ingest"), "{name} uses tesela-ingest");
    }
}
