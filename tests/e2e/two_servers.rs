//! Two servers of one cube: a commit shows in both within two seconds, and at one snapshot both say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::answers::{Random, Watch, bounds, capabilities, dates, series_of, tiles, zone_tables};
use crate::harness::archive::{Archive, compute};
use crate::harness::{Server, TestCube};

/// How long a server may show what was before a commit.
const NOTICED: Duration = Duration::from_secs(2);

/// Sets the flag when dropped.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Notes when each snapshot is there, as the command line sees it: earlier than this it was committed.
fn commits(cube: &TestCube, stop: &AtomicBool, first: &Mutex<BTreeMap<u64, Instant>>) {
    while !stop.load(Ordering::Relaxed) {
        // Before the question: what the answer names was there by then or came while it was read.
        let rows = cube.json(&["snapshots", "list", "--limit", "20"]);
        let now = Instant::now();
        let mut first = first.lock().unwrap();
        for row in rows.as_array().unwrap() {
            first.entry(row["n"].as_u64().unwrap()).or_insert(now);
        }
        drop(first);
        std::thread::sleep(Duration::from_millis(25));
    }
}

#[test]
fn two_servers_show_a_commit_at_once_and_the_same() {
    let archive = Archive::of("2017-2020", 96);
    let cube = archive.cube();
    let days = archive.days();
    let ingest = |days: &[Vec<std::path::PathBuf>], batch: &str| {
        let mut args = vec!["ingest".to_owned(), "--batch-days".into(), batch.into()];
        args.extend(days.iter().flatten().map(|p| p.to_str().unwrap().to_owned()));
        cube.ok(&args);
    };
    let (before, after) = days.split_at(days.len() / 3);
    ingest(before, "8");
    compute(&cube);
    let servers = [Server::start(&cube), Server::start(&cube)];
    let area = bounds(&servers[0]);
    let mut random = Random(31);
    let mut questions: Vec<String> = (0..3).map(|_| series_of(&mut random, area)).collect();
    questions.extend(dates().into_iter().chain(capabilities()));
    questions.extend(tiles("landsat_c2_sr", area, &[9, 13], "current"));
    questions.extend(tiles("ndvi_annual", area, &[12], "2020"));
    questions.extend(zone_tables(&[("ndvi_annual", "ndvi")]));
    questions.push("tiles/landsat_c2_sr/WebMercatorQuad/tilejson.json".into());
    questions.push("collections/landsat_c2_sr".into());
    let watch = Watch::new(questions);
    let (stop, committed) = (AtomicBool::new(false), Mutex::default());
    std::thread::scope(|scope| {
        let _stop = (watch.stopper(), Set(&stop));
        for (number, server) in servers.iter().enumerate() {
            let watch = &watch;
            scope.spawn(move || watch.run(number, server));
        }
        scope.spawn(|| commits(&cube, &stop, &committed));
        watch.wait_for(2 * watch.round());
        // Commit after commit, some with time between them, some without.
        for part in after.chunks(after.len().div_ceil(4)) {
            ingest(part, "2");
            std::thread::sleep(NOTICED / 2);
            watch.wait_for(2 * watch.round());
        }
        cube.ok(&["compute", "geomedian_annual"]);
        cube.ok(&["compute", "ndvi_annual"]);
        cube.ok(&["compact", "--all"]);
        std::thread::sleep(NOTICED);
        watch.wait_for(2 * watch.round());
    });
    let latest = cube.json(&["info"])["snapshot"].as_u64().unwrap();
    let seen = watch.ended();
    let committed = committed.into_inner().unwrap();
    let mut worst = Duration::ZERO;
    let shown: [BTreeSet<u64>; 2] =
        [0, 1].map(|s| seen.first.keys().filter(|(server, _)| *server == s).map(|(_, n)| *n).collect());
    for (server, shown) in shown.iter().enumerate() {
        assert!(shown.contains(&latest), "server {server} does not show {latest}: {shown:?}");
        for (n, at) in &committed {
            // It shows this one or a later one two seconds on.
            let Some(first) = shown.range(n..).map(|m| seen.first[&(server, *m)]).min() else {
                panic!("server {server} never showed {n}: {shown:?}");
            };
            worst = worst.max(first.saturating_duration_since(*at));
        }
    }
    let both: Vec<u64> = shown[0].intersection(&shown[1]).copied().collect();
    assert!(both.len() >= 5, "{both:?} of {committed:?}");
    assert!(worst <= NOTICED, "shown {worst:?} after the commit");
    eprintln!(
        "{} answers at {} snapshots ({} in both servers); shown {worst:?} after the commit at worst",
        seen.asked,
        shown[0].union(&shown[1]).count(),
        both.len()
    );
}
