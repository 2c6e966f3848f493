//! Real series: known answers of independent tools, and the scalar solver.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// A file of the test data, or `None` with a note when it is not here.
fn test_data(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TESELA_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("TESELA_REQUIRE_DATA").is_some_and(|v| v == "1");
    assert!(!required, "{} is absent", path.display());
    eprintln!("skipped: {} is absent", path.display());
    None
}

/// Reflectance · 10,000, clear by Fmask: 0 clear, 1 water.
struct Clear {
    years: Vec<i32>,
    /// `(time, pixel)`, six bands.
    bands: [Vec<i16>; 6],
    hidden: Vec<bool>,
    pixels: usize,
}

impl Clear {
    /// The block of one year, or of all.
    fn solve(&self, year: Option<i32>) -> Planes {
        let times: Vec<usize> =
            (0..self.years.len()).filter(|&t| year.is_none_or(|y| self.years[t] == y)).collect();
        let n = self.pixels;
        let bands = self
            .bands
            .each_ref()
            .map(|b| times.iter().flat_map(|t| b[t * n..(t + 1) * n].to_vec()).collect::<Vec<i16>>());
        let hidden: Vec<bool> = times.iter().flat_map(|t| self.hidden[t * n..(t + 1) * n].to_vec()).collect();
        let layers = bands.each_ref().map(|b| Layer {
            samples: Samples::I16(b),
            scale: 1e-4,
            offset: 0.0,
            nodata: -9999.0,
            valid: [1.0, 10000.0],
        });
        let stack = Stack { layers: &layers, hidden: &hidden, pixels: n };
        let planes = geomad_block(&stack, 1).unwrap();
        for level in Level::available() {
            assert_eq!(bits(&geomad_block_at(level, &stack, 1).unwrap()), bits(&planes), "{}", level.name());
        }
        planes
    }

    /// The usable observations of a pixel (ρ).
    fn rows(&self, year: Option<i32>, pixel: usize) -> Vec<[f64; 6]> {
        (0..self.years.len())
            .filter(|&t| year.is_none_or(|y| self.years[t] == y))
            .map(|t| t * self.pixels + pixel)
            .filter(|&k| !self.hidden[k])
            .map(|k| self.bands.each_ref().map(|b| f64::from(b[k])))
            .filter(|v| v.iter().all(|v| (1.0..=10000.0).contains(v)))
            .map(|v| v.map(|v| v * 1e-4))
            .collect()
    }
}

fn lines(program: &str, arguments: &[&str], path: &Path) -> Vec<u8> {
    let (first, rest) = arguments.split_at(1);
    let done = Command::new(program).args(first).arg(path).args(rest).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// The 447 stacks of 5 × 5 pixels: uncompressed, all laid out alike, pixels of 8 bands from byte 814 on.
fn colorado(archive: &Path) -> Clear {
    const LENGTH: usize = 1214;
    const PIXELS_AT: usize = 814;
    let listing = String::from_utf8(lines("tar", &["-tzf", "--wildcards", "*_stack.gtif"], archive)).unwrap();
    let bytes = lines("tar", &["-xOzf", "--wildcards", "*_stack.gtif"], archive);
    assert_eq!(bytes.len(), 447 * LENGTH);
    // A name's day 366 of a year of 365 days is the first of the next year.
    let mut files: Vec<((i32, i32), &[u8])> = listing
        .lines()
        .zip(bytes.chunks(LENGTH))
        .map(|(name, file)| {
            let id = name.rsplit('/').next().unwrap();
            let (year, day): (i32, i32) = (id[9..13].parse().unwrap(), id[13..16].parse().unwrap());
            let days = if year % 4 == 0 { 366 } else { 365 };
            (if day > days { (year + 1, day - days) } else { (year, day) }, file)
        })
        .collect();
    files.sort();
    let mut clear = Clear { years: Vec::new(), bands: Default::default(), hidden: Vec::new(), pixels: 25 };
    for ((year, _), file) in files {
        assert_eq!(&file[..4], b"II*\0");
        clear.years.push(year);
        for pixel in file[PIXELS_AT..].as_chunks::<16>().0 {
            let values: Vec<i16> = pixel.as_chunks::<2>().0.iter().map(|v| i16::from_le_bytes(*v)).collect();
            for (band, v) in clear.bands.iter_mut().zip(&values) {
                band.push(*v);
            }
            clear.hidden.push(values[7] != 0 && values[7] != 1);
        }
    }
    clear
}

/// 705 pixels and periods: geomedians by Vardi–Zhang in `f64` to 1e-9, 4 digits after the point, and their deviations.
#[test]
fn geomedians_of_colorado_are_the_known_ones() {
    let Some(archive) = test_data("02-colorado-p035r032-447dates/p035r032_testdata.tar.gz") else { return };
    let Some(answers) = test_data("18-known-answers/geomedian_colorado.csv") else { return };
    let clear = colorado(&archive);
    let mut solved = std::collections::BTreeMap::new();
    let mut worst = [0.0f64; 4];
    let mut cases = 0;
    let mut reader = csv::Reader::from_path(answers).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let number = |i: usize| record[i].parse::<f64>().unwrap();
        let year = record[0].parse().ok();
        let planes: &Planes = solved.entry(year).or_insert_with(|| clear.solve(year));
        let pixel = (number(1) * 5.0 + number(2)) as usize;
        let at = format!("{} row {} column {}", &record[0], &record[1], &record[2]);
        assert_eq!(f64::from(planes.count[pixel]), number(3), "{at}");
        cases += 1;
        assert!(!planes.flags[pixel].contains(QaFlags::NON_UNIQUE), "{at}");
        for j in 0..6 {
            let off = (f64::from(planes.point[j * 25 + pixel]) * 1e4 - number(4 + j)).abs();
            worst[0] = worst[0].max(off);
            assert!(off <= 0.1, "{at} band {j}: {off} DN");
        }
        let found = [planes.emad[pixel] * 1e4, planes.smad[pixel], planes.bcmad[pixel]];
        for (i, found) in found.into_iter().enumerate() {
            let known = number(16 + i);
            let off = (f64::from(found) - known).abs() / known.abs();
            worst[i + 1] = worst[i + 1].max(off);
            assert!(off <= 1e-4, "{at}: deviation {i} is {found}, known {known}");
        }
    }
    assert_eq!(cases, 705);
    eprintln!(
        "705 cases: at most {:.4} DN off; EMAD {:.1e}, SMAD {:.1e}, BCMAD {:.1e} (relative)",
        worst[0], worst[1], worst[2], worst[3]
    );
}

/// 300 pixels and 423 dates, real gaps and clouds: every year and all years like the scalar solver.
#[test]
fn harvard_forest_is_as_the_scalar_solver_has_it() {
    const FOLDER: &str = "03-harvard-p013r030-row50-423dates";
    let Some(values) = test_data(&format!("{FOLDER}/Y_int16_band_time_col.npy")) else { return };
    let Some(dates) = test_data(&format!("{FOLDER}/images.csv")) else { return };
    let bytes = std::fs::read(values).unwrap();
    let (times, pixels) = (423, 300);
    let body = &bytes[bytes.len() - 8 * times * pixels * 2..];
    assert!(bytes.starts_with(b"\x93NUMPY"));
    let band = |b: usize| -> Vec<i16> {
        let samples = body.as_chunks::<2>().0;
        samples[b * times * pixels..(b + 1) * times * pixels].iter().map(|v| i16::from_le_bytes(*v)).collect()
    };
    let mut reader = csv::Reader::from_path(dates).unwrap();
    let years: Vec<i32> = reader.records().map(|r| r.unwrap()[1][..4].parse().unwrap()).collect();
    assert_eq!(years.len(), times);
    let hidden = band(7).iter().map(|&f| f != 0 && f != 1).collect();
    let clear = Clear { years, bands: std::array::from_fn(band), hidden, pixels };
    let mut workspace = Workspace::new();
    let mut differences = Vec::new();
    for year in (1984..=2014).map(Some).chain([None]) {
        let planes = clear.solve(year);
        for i in 0..pixels {
            let found = geomad(&clear.rows(year, i), 1, &mut workspace);
            assert_eq!((planes.count[i], planes.flags[i]), (found.count, found.flags), "{year:?} {i}");
            if found.count == 0 {
                continue;
            }
            differences.push(off_by(&planes, i, &found.point));
            let pairs = [
                (planes.emad[i], found.mads.emad),
                (planes.smad[i], found.mads.smad),
                (planes.bcmad[i], found.mads.bcmad),
            ];
            for (ours, theirs) in pairs {
                assert!((f64::from(ours) - theirs).abs() <= 1e-5, "{year:?} {i}: {ours} {theirs}");
            }
        }
    }
    differences.sort_by(f64::total_cmp);
    let (n, worst) = (differences.len(), differences[differences.len() - 1]);
    let p99 = differences[n * 99 / 100];
    eprintln!("{n} pixels and periods: at most {worst:.4} DN off, 99 in 100 {p99:.4}");
    assert!(n > 8000 && worst <= 0.5 && p99 <= 0.05, "{n} {worst} {p99}");
}

/// Six Arctic sites, Collection 2 of three sensors, 166 years with three clear observations or more: `arctic.csv` has the
/// minimisers by Vardi–Zhang and Newton's method in numpy, their gradients 0 to 14 digits, and the deviations. geomad run
/// to 1e-7 is within 0.36 digital numbers of them.
#[test]
fn annual_geomedians_of_arctic_sites_are_the_known_ones() {
    let Some(archive) = test_data("10-pixel-timeseries/landsatts_6sites_c2l2_qa.csv.gz") else { return };
    let text = lines("gzip", &["-dc"], &archive);
    let mut series: std::collections::BTreeMap<(String, String), Vec<[u16; 6]>> = Default::default();
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let names = reader.headers().unwrap().clone();
    let at = |name: &str| names.iter().position(|n| n == name).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let value = |name: &str| record[at(name)].parse::<u16>().ok();
        // Fill, dilated cloud, cirrus, cloud and shadow are the lowest five bits.
        if value("QA_PIXEL").unwrap() & 31 != 0 || value("QA_RADSAT").unwrap() != 0 {
            continue;
        }
        let bands = match &record[at("SPACECRAFT_ID")] {
            "LANDSAT_8" => ["SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "SR_B7"],
            _ => ["SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B7"],
        };
        // A band that is missing is nodata.
        let observation = bands.map(|b| value(b).unwrap_or(0));
        let year = record[at("date")][..4].to_owned();
        series.entry((record[at("sample_id")].to_owned(), year)).or_default().push(observation);
    }
    let (keys, series): (Vec<_>, Vec<_>) = series.into_iter().unzip();
    let scenes = Scenes::of(&series);
    let answers: Vec<csv::StringRecord> = csv::Reader::from_reader(include_bytes!("arctic.csv").as_slice())
        .into_records()
        .map(Result::unwrap)
        .collect();
    assert_eq!(answers.len(), 166);
    for level in Level::available() {
        let planes = scenes.solve(level, 1);
        assert_eq!(planes.count.iter().filter(|n| **n > 2).count(), answers.len());
        let mut worst = 0.0f64;
        for answer in &answers {
            let i = keys.iter().position(|(site, year)| *site == answer[0] && *year == answer[1]).unwrap();
            let number = |k: usize| answer[k].parse::<f64>().unwrap();
            let of = format!("{} {}, {}", &answer[0], &answer[1], level.name());
            assert_eq!(f64::from(planes.count[i]), number(2), "{of}");
            let off = off_by(&planes, i, &std::array::from_fn(|j| number(3 + j) * SCALE + OFFSET));
            worst = worst.max(off);
            assert!(off <= 0.5, "{of}: {off} DN");
            for (k, found) in [planes.emad[i], planes.smad[i], planes.bcmad[i]].into_iter().enumerate() {
                let off = (f64::from(found) - number(9 + k)).abs();
                assert!(off <= 1e-5, "{of}: deviation {k} is {found}, known {}", number(9 + k));
            }
        }
        eprintln!("{}: 166 site-years, at most {worst:.4} DN off", level.name());
    }
}
