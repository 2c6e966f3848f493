//! Shards damaged under a server: an answer is an error or the same pixels as before, never others; the rest of the
//! cube goes on, and `tesela check` names the object.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Server, TestCube, demo, files_under};

/// Level 0 of one date of a product: the band's largest shard.
fn shard(cube: &TestCube, prefix: &str, band: &str) -> (PathBuf, String) {
    let files = files_under(&cube.store().join(prefix));
    let of_band = |p: &Path| {
        let path = p.to_str().unwrap();
        path.contains(&format!("/{band}/c/")) && !path.contains("/overviews/")
    };
    let (_, path) =
        files.into_iter().filter(|(p, _)| of_band(p)).map(|(p, n)| (n, p)).max().expect("a shard");
    let key = path.strip_prefix(cube.store()).unwrap().to_str().unwrap().to_owned();
    (path, key)
}

/// What is done to a shard, by name.
fn damages(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let flipped = |at: usize| {
        let mut spoilt = bytes.to_vec();
        spoilt[at] ^= 0x10;
        spoilt
    };
    let n = bytes.len();
    // The index lies at the end: 16 bytes a chunk, and a checksum.
    let mut all: Vec<(String, Vec<u8>)> =
        (1..8).map(|i| (format!("body flipped at {}", n * i / 16), flipped(n * i / 16))).collect();
    all.extend(
        [2, 5, 12, 20].map(|back| (format!("index flipped {back} before the end"), flipped(n - back))),
    );
    all.extend([n / 2, n - 1, 3].map(|len| (format!("truncated to {len}"), bytes[..len].to_vec())));
    all.push(("zero length".into(), Vec::new()));
    all.push(("a byte too many".into(), [bytes, &[0]].concat()));
    all.push(("all zeros".into(), vec![0; n]));
    all
}

/// Map tiles over the demo area at several zooms, of one year, with colours of several bands and of one.
fn tiles(layer: &str, year: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for z in [8, 11, 13, 14] {
        let (x, y) = (1973.5 / 8192.0, 3736.5 / 8192.0);
        let at = |share: f64| (share * f64::from(1 << z)) as u32;
        let (x, y) = (at(x), at(y));
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            paths.push(format!(
                "tiles/{layer}/WebMercatorQuad/{z}/{}/{}.png?datetime={year}",
                x + dx,
                y + dy
            ));
        }
    }
    paths
}

/// What the server says to each path.
fn answers(server: &Server, paths: &[String]) -> Vec<(u16, String, Vec<u8>)> {
    paths
        .iter()
        .map(|path| {
            let answer = server.get(path);
            (answer.status, answer.content_type, answer.body)
        })
        .collect()
}

fn damaged(product: &str, prefix: &str, year: &str, other_year: &str) {
    let sound = demo("2019-2020");
    let (here, elsewhere) = (tiles(product, year), tiles(product, other_year));
    let server = Server::start(&sound);
    let (was, was_elsewhere) = (answers(&server, &here), answers(&server, &elsewhere));
    assert!(was.iter().filter(|a| a.0 == 200).count() > 4 && was.iter().all(|a| a.0 < 300));
    drop(server);
    let (_, key) = shard(&sound, prefix, "red");
    let bytes = std::fs::read(sound.store().join(&key)).unwrap();
    for (what, spoilt) in damages(&bytes) {
        let cube = TestCube::unmade();
        assert!(Command::new("cp").arg("-r").arg(sound.dir()).arg(cube.dir()).status().unwrap().success());
        let server = Server::start(&cube);
        let path = cube.store().join(&key);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &spoilt).unwrap();
        let now = answers(&server, &here);
        let mut errors = 0;
        for ((path, was), now) in here.iter().zip(&was).zip(&now) {
            if now.0 == 500 {
                errors += 1;
                assert_eq!(now.1, "application/problem+json", "{what}: {path}");
                let text = String::from_utf8_lossy(&now.2);
                assert!(!text.contains(&key) && text.contains("\"status\""), "{what}: {text}");
            } else {
                assert!(was == now, "{what}: other pixels at {path}, status {}", now.0);
            }
        }
        let harmless = what == "a byte too many";
        assert!(errors > 0 || harmless || what.starts_with("body"), "{what}: nothing was noticed");
        assert!(errors < here.len(), "{what}: every tile failed");
        assert!(answers(&server, &elsewhere) == was_elsewhere, "{what}: another year changed");
        assert_eq!(server.get("healthz").status, 200);
        drop(server);
        let check = cube.run(&["check"]);
        assert_eq!(check.code, Some(1), "{what}: {check:#?}");
        let named = check.stdout.lines().any(|l| l.starts_with("object_damaged") && l.contains(&key));
        assert!(named, "{what}: {check:#?}");
        eprintln!("{product}, {what}: {errors} of {} tiles refused", here.len());
    }
}

#[test]
fn a_damaged_composite_is_refused_and_never_shown() {
    damaged("geomedian_annual", "derived/geomedian_annual/2020", "2020", "2019");
}

/// A lost shard would read as if nothing had been observed: composites would change and `compact` would make the loss
/// last. What lies in no row of the index stays fill: bands that a scene does not have, tiles without data.
fn lost(product: &str, prefix: &str, year: &str, other_year: &str) {
    let cube = demo("2019-2020");
    let (here, elsewhere) = (tiles(product, year), tiles(product, other_year));
    let server = Server::start(&cube);
    let (was, was_elsewhere) = (answers(&server, &here), answers(&server, &elsewhere));
    drop(server);
    let (path, key) = shard(&cube, prefix, "red");
    std::fs::remove_file(&path).unwrap();
    let server = Server::start(&cube);
    let now = answers(&server, &here);
    let refused = now.iter().filter(|a| a.0 == 500).count();
    for ((path, was), now) in here.iter().zip(&was).zip(&now) {
        assert!(now.0 == 500 || was == now, "other pixels at {path}, status {}", now.0);
    }
    assert!(refused > 0 && refused < here.len(), "{refused} of {} tiles refused", here.len());
    assert!(answers(&server, &elsewhere) == was_elsewhere, "another time changed");
    drop(server);
    cube.run(&["check"]).says(&["object_missing", &key]);
    if prefix.starts_with("scenes") {
        cube.fails(&["compact", "--all"]).says(&[&key, "tesela check"]);
    }
}

#[test]
fn a_lost_shard_of_a_composite_is_refused_and_never_shown_as_fill() {
    lost("geomedian_annual", "derived/geomedian_annual/2020", "2020", "2019");
}
