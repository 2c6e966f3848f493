//! A cube on a read-only place: everything that reads works, and everything that writes says why it cannot.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Mount, Server, TestCube, demo, files_under};

const TILE: &str = "tiles/geomedian_annual/WebMercatorQuad/13/1973/3736.png";
const STATS: [&str; 7] = ["zones", "stats", "manzanas@2020", "--product", "ndvi_annual", "--band", "ndvi"];

/// A demo cube on a file system of its own, which can be made read-only.
fn mounted() -> Option<(TestCube, Mount)> {
    let made = demo("2019-2020");
    let cube = TestCube::unmade();
    let mount = Mount::memory(&cube.dir(), 64 << 20)?;
    let copied = Command::new("cp").arg("-r").arg(made.dir().join(".")).arg(cube.dir()).status().unwrap();
    assert!(copied.success());
    cube.ok(&["plan", "geomedian_annual", "--force"]);
    Some((cube, mount))
}

/// The journal and its index beside the database.
fn beside(cube: &TestCube) -> Vec<String> {
    let names = std::fs::read_dir(cube.dir()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with("index.db-")).collect();
    names.sort();
    names
}

#[test]
fn a_read_only_cube_is_read_and_not_written() {
    let Some((cube, mount)) = mounted() else { return };
    let zone_set = cube.json(&["zones", "list"])[0]["id"].as_str().unwrap().to_owned();
    let mut stats = STATS;
    stats[2] = &zone_set;
    let before = (cube.ok(&stats).stdout, cube.json(&["info"]));
    let server = Server::start(&cube);
    let tile = server.get(TILE);
    assert_eq!(tile.status, 200);
    drop(server);
    // A server leaves SQLite's journal behind; an ended writer takes it away. Both lie on disks.
    for clean in [false, true] {
        mount.remount("rw");
        if clean {
            cube.ok(&["products", "add", "landsat_c1_sr"]);
        }
        assert_eq!(beside(&cube).is_empty(), clean);
        mount.remount("ro");
        reads_and_refuses_to_write(&cube, &stats, &before, &tile.body);
    }
}

fn reads_and_refuses_to_write(cube: &TestCube, stats: &[&str], before: &(String, Value), tile: &[u8]) {
    let files = files_under(&cube.dir());
    assert_eq!((&cube.ok(stats).stdout, &cube.json(&["info"])), (&before.0, &before.1));
    cube.is_sound();
    cube.ok(&["scenes", "list"]);
    cube.ok(&["snapshots", "list"]);
    cube.ok(&["quarantine", "list"]);
    cube.ok(&["products", "list"]);
    let server = Server::start(cube);
    assert_eq!(server.get(TILE).body, tile);
    assert_eq!(server.get("collections").status, 200);
    drop(server);

    let scenes = cube.path("cube/synthetic/scenes");
    let zones = cube.path("cube/synthetic/zones/manzanas.geojson");
    let (scenes, zones) = (scenes.to_str().unwrap(), zones.to_str().unwrap());
    let plan = cube.json(&["plan", "list"])[0]["plan"].as_str().unwrap().to_owned();
    let writers: [&[&str]; 11] = [
        &["plan", "ndvi_annual", "--force"],
        &["plan", "drop", &plan],
        &["work", &plan, "--all"],
        &["work", &plan, "--index", "0/2"],
        &["commit", &plan],
        &["ingest", scenes],
        &["compute", "geomedian_annual", "--force"],
        &["zones", "add", zones, "--key", "CVEGEO", "--id", "new@1"],
        &["products", "add", "landsat_c2_sr"],
        &["quarantine", "retry"],
        &["demo", "--no-serve", "--size", "96", "--years", "2019-2020"],
    ];
    for writer in writers {
        let refused = cube.fails(writer);
        refused.says(&["read-only", cube.dir().to_str().unwrap()]);
        assert!(!refused.stderr.contains("SQL"), "{refused:#?}");
    }
    assert_eq!(files_under(&cube.dir()), files);
}

#[test]
fn a_cube_whose_writer_was_killed_is_read_where_it_cannot_be_written() {
    let Some((cube, mount)) = mounted() else { return };
    let scenes = cube.path("cube/synthetic/scenes");
    let before = files_under(&cube.store()).len();
    let mut command = cube.command(&["ingest", "--batch-days", "1", "--product", "again"]);
    let product = cube.write("again.yaml", &again());
    cube.ok(&["products", "add", &product]);
    let mut child = command.arg(&scenes).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    // Killed in a batch, after one was committed.
    let list = ["scenes", "list", "--product", "again", "--limit", "0"];
    let mut files = before;
    while cube.json(&list).as_array().unwrap().is_empty() || files_under(&cube.store()).len() <= files {
        files = files.max(files_under(&cube.store()).len());
        assert!(child.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(beside(&cube), ["index.db-shm", "index.db-wal"]);
    mount.remount("ro");
    let committed = cube.json(&list).as_array().unwrap().len();
    assert!(committed > 0);
    let check = cube.run(&["--json", "check"]).json();
    assert!(check["faults"].as_array().unwrap().iter().all(|f| f["kind"] == "leftover"), "{check:#}");
    assert_eq!(Server::start(&cube).get(TILE).status, 200);

    // Without the journal's index SQLite cannot read it there. Older values would be wrong, so none are given.
    mount.remount("rw");
    std::fs::remove_file(cube.dir().join("index.db-shm")).unwrap();
    mount.remount("ro");
    cube.fails(&["info"]).says(&["index.db-wal", "make the cube writable", "tesela info"]);
    mount.remount("rw");
    cube.ok(&["info"]);
    mount.remount("ro");
    assert_eq!(cube.json(&list).as_array().unwrap().len(), committed);
}

/// The shipped product under another name.
fn again() -> String {
    let text = crate::real_inputs::shipped_product("landsat_c2_sr");
    crate::real_inputs::replaced(&text, "product: landsat_c2_sr", "product: again")
}

#[test]
fn a_server_on_a_read_only_view_follows_a_writer_elsewhere() {
    let archive = demo("2019-2020");
    let scenes = archive.path("cube/synthetic/scenes");
    let cube = TestCube::init();
    let view = TestCube::unmade();
    let Some(_mount) = Mount::read_only(&cube.dir(), &view.dir()) else { return };
    let server = Server::start(&view);
    let collections = || server.json("v1/snapshots")["snapshots"].as_array().map_or(0, Vec::len);
    let first = collections();
    for (round, args) in [
        vec!["ingest", "--batch-days", "4", scenes.to_str().unwrap()],
        vec!["compute", "geomedian_annual"],
        vec!["compute", "ndvi_annual"],
    ]
    .into_iter()
    .enumerate()
    {
        let mut child = cube.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Asked all the while; an answer given while the writer begins or ends may be refused, never wrong.
        while child.try_wait().unwrap().is_none() {
            let status = server.get("v1/snapshots").status;
            assert!(matches!(status, 200 | 500), "{status}");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(child.wait().unwrap().success(), "round {round}");
    }
    std::thread::sleep(Duration::from_secs(2));
    assert!(collections() > first + 3);
    assert_eq!(server.get(TILE).status, 200);
    view.is_sound();
}
