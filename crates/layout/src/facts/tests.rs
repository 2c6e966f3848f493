use std::collections::BTreeMap;

use tesela_grid::PixelWindow;
use tesela_model::{Band, DType, MaskDef, PyramidRule};
use tesela_store::Pixels;

use super::BandFacts;

fn band(name: &str, dtype: DType, nodata: f64, flags: Option<&str>) -> Band {
    Band {
        name: name.into(),
        title: BTreeMap::new(),
        dtype,
        nodata,
        scale: 1.0,
        offset: 0.0,
        unit: "1".into(),
        valid: None,
        flags: flags.map(Into::into),
        pyramid: PyramidRule::Mean,
    }
}

fn masks() -> BTreeMap<String, MaskDef> {
    let def = |flags: &[&str]| MaskDef {
        any_of: flags.iter().map(|f| (*f).to_owned()).collect(),
        dilate: BTreeMap::from([("cloud_shadow".into(), 3)]),
        cleanup: Vec::new(),
    };
    BTreeMap::from([("clouds".into(), def(&["cloud", "cloud_shadow"])), ("snow".into(), def(&["snow"]))])
}

/// A tile of 8 × 8 pixels somewhere on a grid.
const TILE: PixelWindow = PixelWindow { px: -16, py: 40, width: 8, height: 8 };

fn window(col: i64, row: i64, width: usize, height: usize) -> PixelWindow {
    PixelWindow::new(TILE.px + col, TILE.py + row, width, height)
}

#[test]
fn values_of_windows_that_cut_across_chunks() {
    // Chunks of 2 × 4 × 4; three dates, so the last chunk has one.
    let band = band("red", DType::Int16, -9999.0, None);
    let mut facts = BandFacts::new(&band, [2, 4, 4], [8, 8], &BTreeMap::new());
    // Columns 2 to 6 of rows 3 and 4: both rows of chunks, both columns.
    let plane = vec![5, -9999, 7, 8, 9, -3, 2, -9999, -9999, 1];
    facts.add(0, &TILE, &window(2, 3, 5, 2), &Pixels::I16(plane));
    facts.add(1, &TILE, &window(0, 0, 1, 1), &Pixels::I16(vec![100]));
    facts.add(2, &TILE, &window(7, 7, 1, 1), &Pixels::I16(vec![-9999]));
    assert_eq!(facts.names(), ["red.count", "red.min", "red.max"]);
    let planes = facts.planes(3);
    let (count, rest) = planes.split_at(8);
    let (min, max) = rest.split_at(8);
    assert_eq!(count, [2.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(min[..4], [5.0, 7.0, -3.0, 1.0]);
    assert_eq!(max[..4], [100.0, 9.0, 2.0, 1.0]);
    assert!(min[4..].iter().chain(&max[4..]).all(|v| v.is_nan()));
}

#[test]
fn the_extremes_of_each_type_count_and_not_a_number_does_not() {
    let whole = window(0, 0, 8, 8);
    let of = |band: &Band, first: Pixels| {
        let mut facts = BandFacts::new(band, [1, 8, 8], [8, 8], &BTreeMap::new());
        facts.add(0, &TILE, &whole, &first);
        facts.planes(1)
    };
    let mut v = vec![0u16; 64];
    (v[3], v[40]) = (65535, 1);
    assert_eq!(of(&band("a", DType::Uint16, 0.0, None), v.into()), [2.0, 1.0, 65535.0]);
    let mut v = vec![255u8; 64];
    v[63] = 0;
    assert_eq!(of(&band("a", DType::Uint8, 255.0, None), v.into()), [1.0, 0.0, 0.0]);
    let mut v = vec![-32768i16; 64];
    v[1] = 0;
    assert_eq!(of(&band("a", DType::Int16, 0.0, None), v.into()), [63.0, -32768.0, -32768.0]);
    let mut v = vec![f32::NAN; 64];
    (v[0], v[9], v[10]) = (-1.5, 0.25, -9999.0);
    assert_eq!(of(&band("a", DType::Float32, -9999.0, None), v.into()), [2.0, -1.5, 0.25]);
    let nothing = of(&band("a", DType::Float32, f64::NAN, None), vec![f32::NAN; 64].into());
    assert!(nothing[0] == 0.0 && nothing[1].is_nan() && nothing[2].is_nan());
}

#[test]
fn flags_and_masks_are_counted_over_the_whole_chunk() {
    let band = band("qa_pixel", DType::Uint16, 1.0, Some("landsat_c2_qa_pixel"));
    let mut facts = BandFacts::new(&band, [1, 4, 8], [8, 8], &masks());
    // One row of the second chunk: cloud twice, shadow with snow, clear, fill with cloud, nodata.
    let row = vec![8u16, 8, 16 + 32, 64, 9, 1];
    facts.add(0, &TILE, &window(1, 5, 6, 1), &Pixels::U16(row));
    let names = facts.names();
    let planes = facts.planes(1);
    let get = |name: &str| {
        let at = names.iter().position(|n| n == name).unwrap_or_else(|| panic!("{name} of {names:?}"));
        [planes[2 * at], planes[2 * at + 1]]
    };
    // 32 pixels a chunk; what was not written is nodata, whose word has the bit of fill.
    assert_eq!(get("qa_pixel.count"), [0.0, 5.0]);
    assert_eq!(get("qa_pixel.unobserved"), [32.0, 28.0]);
    assert_eq!(get("qa_pixel.mask.clouds"), [32.0, 31.0]);
    assert_eq!(get("qa_pixel.mask.snow"), [32.0, 28.0]);
    assert_eq!(get("qa_pixel.flag.fill"), [32.0, 28.0]);
    assert_eq!(get("qa_pixel.flag.cloud"), [0.0, 3.0]);
    assert_eq!(get("qa_pixel.flag.cloud_shadow"), [0.0, 1.0]);
    assert_eq!(get("qa_pixel.flag.snow"), [0.0, 1.0]);
    assert_eq!(get("qa_pixel.flag.clear"), [0.0, 1.0]);
    assert_eq!(get("qa_pixel.flag.cloud_confidence_none"), [32.0, 32.0]);
    assert_eq!(planes.len(), 2 * names.len());
}

#[test]
fn classes_are_flags_too() {
    let band = band("fmask", DType::Uint8, 255.0, Some("fmask_stack"));
    let masks = BTreeMap::from([(
        "standard".into(),
        MaskDef { any_of: vec!["fill".into(), "cloud".into()], dilate: BTreeMap::new(), cleanup: Vec::new() },
    )]);
    let mut facts = BandFacts::new(&band, [1, 8, 8], [8, 8], &masks);
    let words: Vec<u8> = (0..64).map(|i| [0, 0, 4, 4, 4, 2, 255, 255][i % 8]).collect();
    facts.add(0, &TILE, &window(0, 0, 8, 8), &Pixels::U8(words));
    let planes: BTreeMap<String, f32> = facts.names().into_iter().zip(facts.planes(1)).collect();
    assert_eq!(planes["fmask.count"], 48.0);
    assert_eq!(planes["fmask.unobserved"], 16.0);
    assert_eq!(planes["fmask.mask.standard"], 40.0);
    assert_eq!(planes["fmask.flag.cloud_shadow"], 8.0);
    assert_eq!(planes["fmask.flag.clear"], 16.0);
    assert_eq!(planes["fmask.flag.snow"], 0.0);
}

#[test]
fn a_chunk_of_millions_of_pixels_is_counted_whole() {
    // One chunk of 2048 × 2048: more than what a lane counts in 16 bits.
    let band = band("red", DType::Uint16, 0.0, None);
    let tile = PixelWindow::new(0, 0, 2048, 2048);
    let mut facts = BandFacts::new(&band, [1, 2048, 2048], [2048, 2048], &BTreeMap::new());
    let mut plane = vec![7; 2048 * 2048];
    (plane[5], plane[2048], plane[2048 * 2048 - 1]) = (0, 3, 65_535);
    facts.add(0, &tile, &tile, &Pixels::U16(plane));
    assert_eq!(facts.planes(1), [f32::from(2048_u16) * 2048.0 - 1.0, 3.0, 65_535.0]);
}

#[test]
fn runs_of_cells_count_as_windows_do() {
    // Chunks of 2 × 4 × 4 of 8 × 6 pixels: cells in the east are two columns wide.
    let tile = PixelWindow::new(TILE.px, TILE.py, 6, 8);
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    let cases = [
        (band("a", DType::Uint8, 255.0, None), 7),
        (band("a", DType::Uint16, 0.0, None), 3),
        (band("a", DType::Int16, -3.0, None), 9),
        (band("a", DType::Float32, f64::NAN, None), 5),
        (band("fmask", DType::Uint8, 255.0, Some("fmask_stack")), 5),
        (band("qa_pixel", DType::Uint16, 1.0, Some("landsat_c2_qa_pixel")), 200),
    ];
    for (band, kinds) in cases {
        let mut value = || {
            let n = random() % kinds;
            if n == 0 { band.nodata } else { f64::from(n) - 5.0 }
        };
        let mut by_windows = BandFacts::new(&band, [2, 4, 4], [8, 6], &masks());
        let mut by_runs = BandFacts::new(&band, [2, 4, 4], [8, 6], &masks());
        for date in 0..3 {
            let values: Vec<f64> = (0..48).map(|_| value()).collect();
            let pixels = |values: &[f64]| match band.dtype {
                DType::Uint8 => Pixels::U8(values.iter().map(|v| *v as u8).collect()),
                DType::Uint16 => Pixels::U16(values.iter().map(|v| *v as u16).collect()),
                DType::Int16 => Pixels::I16(values.iter().map(|v| *v as i16).collect()),
                DType::Float32 => Pixels::F32(values.iter().map(|v| *v as f32).collect()),
            };
            by_windows.add(date, &tile, &tile, &pixels(&values));
            for (y, x) in (0..2).flat_map(|y| (0..2).map(move |x| (y, x))) {
                // A pixel before and one behind that do not count.
                let mut run = vec![2.0];
                for row in 4 * y..4 * y + 4 {
                    run.extend_from_slice(&values[row * 6 + 4 * x..row * 6 + (4 * x + 4).min(6)]);
                }
                run.push(2.0);
                let len = run.len() - 1;
                by_runs.add_run([date / 2, y as u64, x as u64], &pixels(&run), 1..len);
            }
        }
        // Outside the tile, and past the end.
        by_runs.add_run([0, 2, 0], &Pixels::U8(vec![1; 4]), 0..4);
        by_runs.add_run([0, 0, 2], &Pixels::U8(vec![1; 4]), 0..4);
        by_runs.add_run([0, 0, 0], &Pixels::U8(vec![1; 4]), 2..5);
        let bits = |facts: &BandFacts| facts.planes(3).iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&by_runs), bits(&by_windows), "{}", band.name);
    }
}

#[test]
fn a_run_of_millions_of_pixels_is_counted_whole() {
    let band = band("red", DType::Uint16, 0.0, None);
    let mut facts = BandFacts::new(&band, [1, 2048, 2048], [2048, 2048], &BTreeMap::new());
    let mut plane = vec![7; 2048 * 2048];
    (plane[5], plane[2048], plane[2048 * 2048 - 1]) = (0, 3, 65_535);
    facts.add_run([0, 0, 0], &Pixels::U16(plane), 0..2048 * 2048);
    assert_eq!(facts.planes(1), [f32::from(2048_u16) * 2048.0 - 1.0, 3.0, 65_535.0]);
}
