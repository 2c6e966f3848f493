//! `compute` on tiles of 2048 pixels takes what it was given and no more.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{TestCube, files_under};

/// Most memory that a command held, MB; it must succeed.
#[track_caller]
fn peak_mb(cube: &TestCube, args: &[&str]) -> f64 {
    let mut command = cube.command(args);
    let program = std::fs::canonicalize(command.get_program()).unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let mut peak = 0.0;
    let code = loop {
        // Before it becomes the program, it shows the memory of the tests.
        let begun = std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program);
        let text = std::fs::read_to_string(process.join("status")).unwrap_or_default();
        if begun && let Some(line) = text.lines().find(|l| l.starts_with("VmHWM:")) {
            let kb: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            peak = f64::max(peak, kb / 1024.0);
        }
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(code.success() && peak > 50.0, "{args:?}: {peak} MB");
    peak
}

fn ask<'a>(memory: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let compute = ["compute", "geomedian_annual", "--force", "--threads", "2", "--memory", memory];
    [&compute[..], more].concat()
}

#[test]
fn memory_stays_below_what_was_given_and_does_not_change_the_bytes() {
    let folder = TestCube::init();
    // Scenes of 1500 pixels, on the shipped grid of tiles of 2048.
    folder.ok(&["demo", "--size", "1500", "--years", "2020-2020", "--no-serve"]);
    let path = folder.path("cube/synthetic/scenes").to_str().unwrap().to_owned();
    let cube = TestCube::init();
    cube.ok(&["products", "add", "landsat_c2_sr"]);
    cube.ok(&["ingest", "--bulk", &path]);
    let too_little = cube.run(&ask("1M", &[]));
    let needed: u64 =
        too_little.stderr.split("--memory ").nth(1).unwrap().split('M').next().unwrap().parse().unwrap();
    let mut made = Vec::new();
    let mut peaks = Vec::new();
    for given in [needed, needed + 150, 1500] {
        let memory = format!("{given}M");
        let planned = cube.json(&ask(&memory, &["--dry-run"]))["estimate"].clone();
        let most = planned["memory_mb"].as_u64().unwrap();
        assert!(most <= given, "{planned:#}");
        let peak = peak_mb(&cube, &ask(&memory, &[]));
        peaks.push(format!(
            "{peak:.0} of {given} MB (planned {most}, blocks of {})",
            planned["block_side_px"]
        ));
        assert!(peak <= given as f64, "{peak} MB of {given}");
        let group = cube.period("geomedian_annual", "2020");
        let chunks = files_under(Path::new(&group)).into_iter();
        let chunks = chunks.filter(|(file, _)| file.to_str().unwrap().contains("/c/"));
        made.push(
            chunks
                .map(|(file, _)| {
                    (file.strip_prefix(&group).unwrap().to_owned(), std::fs::read(&file).unwrap())
                })
                .collect::<Vec<_>>(),
        );
    }
    eprintln!("peaks: {peaks:?}");
    assert!(made[0].len() > 20 && made.iter().all(|m| *m == made[0]), "other bytes with other memory");
}
