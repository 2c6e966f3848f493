//! One archive by three ways: scene by scene, in bulk, and scene by scene then compacted. No answer tells which.

use crate::harness::answers::{
    Random, Watch, all_same, ask, bounds, capabilities, dates, series_of, tiles, zone_tables,
};
use crate::harness::archive::{Archive, ZONES, compute, derived_digests, usage};
use crate::harness::{Server, TestCube, Window, python_with, read_store};

/// Every band of the derived products.
const BANDS: [(&str, &[&str]); 2] = [
    (
        "geomedian_annual",
        &["blue", "green", "red", "nir", "swir1", "swir2", "smad", "emad", "bcmad", "count"],
    ),
    ("ndvi_annual", &["ndvi"]),
];

/// Tables of every zone set, band and period, without their snapshot.
fn tables(cube: &TestCube) -> Vec<(String, Vec<csv::StringRecord>)> {
    let mut found = Vec::new();
    for (product, bands) in BANDS {
        for (set, band) in ZONES.iter().flat_map(|set| bands.iter().map(move |band| (set, band))) {
            let args = ["zones", "stats", set, "--product", product, "--band", band, "--datetime", "all"];
            let text = cube.ok(&args).stdout;
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let at = reader.headers().unwrap().iter().position(|h| h == "snapshot").unwrap();
            let rows: Vec<csv::StringRecord> = reader
                .records()
                .map(|r| r.unwrap().iter().enumerate().filter(|(i, _)| *i != at).map(|(_, v)| v).collect())
                .collect();
            assert!(rows.len() >= 20, "{set} {product} {band}: {} rows", rows.len());
            found.push((format!("{set} {product} {band}"), rows));
        }
    }
    found
}

/// The first, a middle and the last date of the scenes.
fn three_dates(server: &Server) -> [String; 3] {
    let json = server.json("v1/products/landsat_c2_sr/dates");
    let dates = json["dates"].as_array().unwrap();
    [0, dates.len() / 2, dates.len() - 1].map(|i| dates[i]["label"].as_str().unwrap().to_owned())
}

/// Two bands of all dates as xarray reads them, over the synthetic area.
fn pixels(cube: &TestCube, server: &Server) -> Vec<Vec<Vec<f64>>> {
    let [west, south, east, north] = bounds(server);
    let middle = ((west + east) / 2.0, (south + north) / 2.0);
    let at = server
        .json(&format!("v1/series?product=landsat_c2_sr&lon={}&lat={}&masked=keep", middle.0, middle.1));
    let centre = |axis: &str| at["location"][axis].as_f64().unwrap();
    let window = Window {
        x_min: centre("x") - 15.0 - 48.0 * 30.0,
        y_max: centre("y") + 15.0 + 48.0 * 30.0,
        resolution: 30.0,
        width: 96,
        height: 96,
    };
    let listed = server.json("v1/products/landsat_c2_sr/dates");
    let mut days: Vec<String> = listed["dates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["label"].as_str().unwrap()[..10].to_owned())
        .collect();
    days.dedup();
    read_store(&cube.groups("landsat_c2_sr"), &["red", "qa_pixel"], &days, &window)
}

#[test]
fn three_ways_in_give_one_archive() {
    let archive = Archive::of("2011-2020", 128);
    let scenes = archive.path();

    let by_scene = archive.cube();
    by_scene.ok(&["ingest", "--batch-days", "4", &scenes]);
    let bulk = archive.cube();
    bulk.ok(&["ingest", "--bulk", "--memory", "1G", "--threads", "2", &scenes]);
    let moved = archive.cube();
    moved.ok(&["ingest", "--batch-days", "4", &scenes]);
    for cube in [&by_scene, &bulk, &moved] {
        cube.is_sound();
    }
    let plan = moved.json(&["compact", "--all", "--dry-run"]);
    let report = moved.json(&["compact", "--all"]);
    moved.is_sound();
    let blocks = |r: &serde_json::Value| (r["blocks"].as_u64().unwrap(), r["slots"].as_u64().unwrap());
    assert_eq!(blocks(&plan), blocks(&report));
    // More dates than a block holds, in each of the four tiles.
    let slots = moved.product("landsat_c2_sr")["slots"].as_u64().unwrap();
    assert_eq!(blocks(&report).1, slots);
    assert!(slots > 4 * 64 && blocks(&report).0 == 8, "{report:#}");
    assert_eq!(blocks(&moved.json(&["compact", "--all"])).0, 0);
    assert_eq!(blocks(&bulk.json(&["compact", "--all"])).0, 0);
    assert!(usage(&bulk, "archive") > 0 && usage(&bulk, "recent") == 0);
    assert!(usage(&by_scene, "archive") == 0 && usage(&by_scene, "recent") > 0);

    for cube in [&by_scene, &bulk, &moved] {
        compute(cube);
        cube.is_sound();
    }
    if python_with("zarr, xarray") {
        let digests = derived_digests(&by_scene);
        assert!(digests.len() > 200, "{}", digests.len());
        assert_eq!(digests, derived_digests(&bulk), "bulk");
        assert_eq!(digests, derived_digests(&moved), "compacted");
    }
    let known = tables(&by_scene);
    for (name, cube) in [("bulk", &bulk), ("compacted", &moved)] {
        for ((what, rows), (_, others)) in known.iter().zip(tables(cube)) {
            assert!(*rows == others, "{name}: {what}");
        }
    }

    let servers = [&by_scene, &bulk, &moved].map(Server::start);
    let area = bounds(&servers[0]);
    let mut random = Random(20_201);
    let mut questions: Vec<String> = (0..1000).map(|_| series_of(&mut random, area)).collect();
    questions.extend(dates().into_iter().chain(capabilities()));
    questions.push("zarr/landsat_c2_sr/zarr.json".into());
    for day in three_dates(&servers[0]) {
        questions.extend(tiles("landsat_c2_sr", area, &[3, 6, 8, 9, 10, 11, 12, 13, 14, 15], &day));
    }
    for (layer, _) in BANDS {
        questions.extend(tiles(layer, area, &[4, 8, 10, 12, 14], "2016"));
    }
    let known = ask(&servers[0], &questions);
    let pictures = known.values().filter(|a| a.starts_with("200 image/png")).count();
    assert!(pictures >= 25 && known.values().all(|a| a.starts_with('2')), "{pictures} pictures");
    let observations: usize = known.values().map(|a| a.matches("\"used\":").count()).sum();
    assert!(observations > 10_000, "{observations} observations");
    all_same("bulk", &known, &ask(&servers[1], &questions));
    all_same("compacted", &known, &ask(&servers[2], &questions));
    if python_with("zarr, xarray") {
        let stored = pixels(&by_scene, &servers[0]);
        assert!(stored.iter().flatten().flatten().filter(|v| **v > 0.0).count() > 100_000);
        // NaN, where no group has the pixel, is unlike itself.
        let bits =
            |v: &[Vec<Vec<f64>>]| v.iter().flatten().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert!(bits(&stored) == bits(&pixels(&bulk, &servers[1])), "bulk: other pixels in the store");
        assert!(bits(&stored) == bits(&pixels(&moved, &servers[2])), "compacted: other pixels in the store");
    }
    eprintln!("{} questions, {observations} observations, {pictures} pictures", questions.len());
}

#[test]
fn compaction_changes_no_answer_of_a_running_server() {
    let archive = Archive::of("2017-2020", 96);
    let cube = archive.cube();
    cube.ok(&["ingest", "--batch-days", "4", &archive.path()]);
    compute(&cube);
    cube.is_sound();
    let server = Server::start(&cube);
    let area = bounds(&server);
    let mut random = Random(7);
    let mut questions: Vec<String> = (0..20).map(|_| series_of(&mut random, area)).collect();
    for day in three_dates(&server) {
        questions.extend(tiles("landsat_c2_sr", area, &[6, 10, 12, 14], &day));
    }
    questions.extend(dates());
    questions.extend(zone_tables(&[("geomedian_annual", "red"), ("ndvi_annual", "ndvi")]));
    let before = ask(&server, &questions);
    assert!(before.values().all(|a| a.starts_with('2')), "{before:#?}");
    let (recent, snapshot) = (usage(&cube, "recent"), cube.json(&["info"])["snapshot"].clone());
    let watch = Watch::new(questions.clone());
    std::thread::scope(|scope| {
        let _stop = watch.stopper();
        scope.spawn(|| watch.run(0, &server));
        watch.wait_for(watch.round());
        let report = cube.json(&["compact", "--all"]);
        assert!(report["blocks"].as_u64().unwrap() >= 4, "{report:#}");
        cube.is_sound();
        watch.wait_for(2 * watch.round());
        assert_eq!(cube.json(&["compact", "--all"])["blocks"], 0);
        assert_eq!(cube.json(&["compact"])["blocks"], 0);
        assert!(usage(&cube, "archive") > 0 && usage(&cube, "recent") == recent);
        // Places changed, and nothing else: no snapshot was taken.
        assert_eq!(cube.json(&["info"])["snapshot"], snapshot);
        let gone = cube.json(&["gc", "--keep", "0d"]);
        assert_eq!(gone["bytes"].as_u64(), Some(recent), "{gone:#}");
        watch.wait_for(2 * watch.round());
        assert!(usage(&cube, "archive") > 0 && usage(&cube, "recent") == 0);
        cube.is_sound();
    });
    let seen = watch.ended();
    assert_eq!(seen.first.len(), 1, "more than one snapshot");
    let after = ask(&server, &questions);
    all_same("after", &before, &after);
    // A server that starts now reads only what is left.
    all_same("a new server", &before, &ask(&Server::start(&cube), &questions));
    eprintln!("{} answers, all the same; {} bytes freed", seen.asked, recent);
}
