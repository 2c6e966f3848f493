//! Two writers at once: the second is told who the first is, or waits as long as it was told to.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{TestCube, demo, files_under};

/// Sends a signal to a process that this test started.
fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// An ingest that is stopped in the middle, holding the lock.
fn held(cube: &TestCube, scenes: &str) -> Child {
    let mut command = cube.command(&["ingest", "--batch-days", "1", scenes]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while files_under(&cube.store()).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, "-STOP");
    child
}

#[test]
fn a_second_writer_waits_as_long_as_it_was_told() {
    let archive = demo("2019-2020");
    let scenes = archive.path("cube/synthetic/scenes").to_str().unwrap().to_owned();
    let cube = TestCube::init();
    let mut first = held(&cube, &scenes);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let who = format!("`tesela ingest` on {} (pid {}, for ", host.trim(), first.id());
    let started = Instant::now();
    cube.fails(&["ingest", &scenes]).says(&[&who, " s)"]);
    assert!(started.elapsed() < Duration::from_secs(2));
    let started = Instant::now();
    cube.fails(&["ingest", "--wait", "2", &scenes]).says(&[&who]);
    assert!(started.elapsed() >= Duration::from_secs(2));
    cube.fails(&["compute", "--wait", "1", "geomedian_annual"]).says(&[&who]);

    // Both wait; whichever comes first, each does its work when its turn comes.
    let waiting: Vec<Child> =
        [vec!["ingest", "--wait", "120", &scenes], vec!["ingest", "--wait", "120", &scenes]]
            .iter()
            .map(|args| {
                let mut command = cube.command(args);
                command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
            })
            .collect();
    std::thread::sleep(Duration::from_millis(500));
    signal(&first, "-CONT");
    assert!(first.wait().unwrap().success());
    for child in waiting {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success());
        let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!((&report["added"], &report["already"]), (&0.into(), &report["found"]));
    }
    cube.ok(&["compute", "--wait", "5", "geomedian_annual"]);
    cube.is_sound();
}

#[test]
fn two_that_start_together_leave_one_cube() {
    let archive = demo("2019-2020");
    let scenes = archive.path("cube/synthetic/scenes").to_str().unwrap().to_owned();
    let cube = TestCube::init();
    let start = || {
        let mut command = cube.command(&["--json", "ingest", "--wait", "120", &scenes]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let added = both.map(|ended| {
        assert!(ended.status.success());
        let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        report["added"].as_u64().unwrap()
    });
    assert!(added.contains(&0) && added.iter().sum::<u64>() > 0, "{added:?}");
    cube.is_sound();
}
