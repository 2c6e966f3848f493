//! The real pixels behind the stack, read as they lie.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gdal::Dataset;

pub type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Reflectance bands: blue, green, red, nir, swir1, swir2.
pub const BANDS: usize = 6;

const COLORADO: &str = "02-colorado-p035r032-447dates/p035r032_testdata.tar.gz";
const HARVARD: &str = "03-harvard-p013r030-row50-423dates/Y_int16_band_time_col.npy";
const CROPS: &str = "04-landsat8-c2l2-crops";
const SCENES: &str = "05-c2l2-whole-scenes-decimated";
const SITES: &str = "10-pixel-timeseries/landsatts_6sites_c2l2_qa.csv.gz";
const TABLES: [&str; 5] = [
    "10-pixel-timeseries/pyccd/sample_1.csv",
    "10-pixel-timeseries/pyccd/sample_WA_grid08_row12_col2265_fmask_fail.csv",
    "10-pixel-timeseries/pyccd/sample_WA_grid08_row9_col2267_persistent_snow.csv",
    "10-pixel-timeseries/pyccd/test_3657_3610_observations.csv",
    "10-pixel-timeseries/pycold/spectral_336_3980_obs.csv",
];
const CUBE: &str = "10-pixel-timeseries/stfit_landsat106_31x31.npy";

/// A series with fewer clear observations is left out.
const FEWEST_CLEAR: usize = 20;

/// A pixel's reflectances on its own dates, as Collection 2 stores them; where it was not clear, those of the
/// nearest date on which it was.
pub struct Series(pub Vec<[u16; BANDS]>);

/// Rows and columns of several bands.
pub struct Image {
    pub height: usize,
    pub width: usize,
    pub bands: Vec<Vec<u16>>,
}

/// A whole scene, decimated: reflectances and the QA word of each pixel.
pub struct Scene {
    pub reflectance: Image,
    pub qa: Vec<u16>,
}

/// A real cube of one band.
pub struct Cube {
    pub shape: [usize; 3],
    pub values: Vec<i16>,
}

/// Harvard's row: its series, and the clear share of each date.
pub struct Row {
    pub series: Vec<Series>,
    pub clear: Vec<f64>,
}

/// The folder of the real data: `TESELA_TEST_DATA`, else `../shared/data` beside the workspace.
pub fn folder() -> Fallible<PathBuf> {
    let path = std::env::var_os("TESELA_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    match path.is_dir() {
        true => Ok(path),
        false => Err(format!("no real data at {} (TESELA_TEST_DATA)", path.display()).into()),
    }
}

/// Reflectance × 10,000 as Collection 2 stores it.
fn rescaled(value: i16) -> u16 {
    ((f64::from(value) * 1e-4 + 0.2) / 2.75e-5).round() as u16
}

/// Fills the dates that are not clear from the nearest that are.
fn filled(observed: &[Option<[u16; BANDS]>]) -> Option<Series> {
    let clear: Vec<usize> = (0..observed.len()).filter(|&i| observed[i].is_some()).collect();
    if clear.len() < FEWEST_CLEAR {
        return None;
    }
    let nearest = |i: usize| clear.iter().min_by_key(|&&c| c.abs_diff(i)).and_then(|&c| observed[c]);
    (0..observed.len()).map(nearest).collect::<Option<_>>().map(Series)
}

/// What a stack of six reflectances × 10,000 and Fmask says of a pixel; `None` unless clear land or water.
fn clear(values: [i16; BANDS], fmask: i16) -> Option<[u16; BANDS]> {
    (matches!(fmask, 0 | 1) && values.iter().all(|v| (1..16_000).contains(v))).then(|| values.map(rescaled))
}

pub fn harvard(data: &Path) -> Fallible<Row> {
    let (shape, y) = npy(&data.join(HARVARD))?;
    let [8, dates, columns] = shape else { return Err("Harvard's array has another shape".into()) };
    let at = |band: usize, t: usize, x: usize| y[(band * dates + t) * columns + x];
    let observed = |t, x| clear([0, 1, 2, 3, 4, 5].map(|b| at(b, t, x)), at(7, t, x));
    let share = |t| (0..columns).filter(|&x| matches!(at(7, t, x), 0 | 1)).count() as f64 / columns as f64;
    let series = (0..columns).filter_map(|x| filled(&(0..dates).map(|t| observed(t, x)).collect::<Vec<_>>()));
    Ok(Row { series: series.collect(), clear: (0..dates).map(share).collect() })
}

/// The stacks, unpacked into `scratch`.
pub fn colorado(data: &Path, scratch: &Path) -> Fallible<Vec<Series>> {
    let done = Command::new("tar").arg("xzf").arg(data.join(COLORADO)).arg("-C").arg(scratch).status()?;
    if !done.success() {
        return Err("tar could not unpack the Colorado stacks".into());
    }
    // LT50350322000296XXX02: year and day of year begin at the tenth character.
    let date = |path: &PathBuf| {
        path.file_name().and_then(|n| n.to_str()).and_then(|n| n.get(9..16)).map(str::to_owned)
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(scratch.join("p035r032/images"))?
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort_by_key(date);
    let mut pixels: Vec<Vec<Option<[u16; BANDS]>>> = vec![Vec::new(); 25];
    for folder in folders {
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let dataset = open(&folder.join(format!("{name}_stack.gtif")))?;
        let bands = [1, 2, 3, 4, 5, 6, 8].map(|b| {
            dataset
                .rasterband(b)
                .and_then(|b| b.read_as::<i16>((0, 0), (5, 5), (5, 5), None))
                .map(|b| b.data().to_vec())
        });
        let bands: Vec<Vec<i16>> = bands.into_iter().collect::<Result<_, _>>()?;
        for (i, pixel) in pixels.iter_mut().enumerate() {
            pixel.push(clear([0, 1, 2, 3, 4, 5].map(|b: usize| bands[b][i]), bands[6][i]));
        }
    }
    Ok(pixels.iter().filter_map(|pixel| filled(pixel)).collect())
}

/// The Collection 2 sites of group 10, and its single pixels.
pub fn sites(data: &Path) -> Fallible<Vec<Series>> {
    let unpacked = Command::new("gzip").arg("-dc").arg(data.join(SITES)).output()?;
    let text = String::from_utf8(unpacked.stdout)?;
    let mut all: Vec<(&str, Vec<Option<[u16; BANDS]>>)> = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let columns = match cells.get(6) {
            Some(&("LANDSAT_8" | "LANDSAT_9")) => [14, 15, 16, 17, 18, 19],
            _ => [13, 14, 15, 16, 17, 19],
        };
        let number = |i: usize| cells.get(i).and_then(|c| c.parse::<f64>().ok()).map(|v| v as u16);
        let values: Vec<u16> = columns.into_iter().filter_map(number).filter(|&v| v > 0).collect();
        let is_clear = number(11).is_some_and(|qa| qa & 1 << 6 != 0);
        let observed = if is_clear { <[u16; BANDS]>::try_from(values).ok() } else { None };
        match all.last_mut() {
            Some((site, series)) if *site == cells[0] => series.push(observed),
            _ => all.push((cells[0], vec![observed])),
        }
    }
    for table in TABLES {
        let text = fs::read_to_string(data.join(table))?;
        let rows = text.lines().map(|line| {
            let row: Vec<i16> = line.split(',').skip(1).filter_map(|c| c.trim().parse().ok()).collect();
            let values = <[i16; BANDS]>::try_from(row.get(..BANDS)?).ok()?;
            clear(values, *row.get(7)?)
        });
        all.push((table, rows.collect()));
    }
    Ok(all.iter().filter_map(|(_, series)| filled(series)).collect())
}

/// A crop at 30 m whose scene id holds `name`: its six reflectances.
pub fn crop(data: &Path, name: &str) -> Fallible<Image> {
    reflectances(&find(&data.join(CROPS), |n| n.contains(name))?)
}

/// A decimated scene whose id holds `name`.
pub fn scene(data: &Path, name: &str) -> Fallible<Scene> {
    let folder = find(&data.join(SCENES), |n| n.contains(name))?;
    let (_, qa) = band(&find(&folder, |n| n.ends_with("QA_PIXEL.TIF"))?)?;
    Ok(Scene { reflectance: reflectances(&folder)?, qa })
}

fn reflectances(folder: &Path) -> Fallible<Image> {
    let (mut size, mut bands) = ((0, 0), Vec::new());
    for number in 2..=7 {
        let (found, values) = band(&find(folder, |n| n.ends_with(&format!("SR_B{number}.TIF")))?)?;
        size = found;
        bands.push(values);
    }
    Ok(Image { width: size.0, height: size.1, bands })
}

fn band(path: &Path) -> Fallible<((usize, usize), Vec<u16>)> {
    let dataset = open(path)?;
    let size = dataset.raster_size();
    let values = dataset.rasterband(1)?.read_as::<u16>((0, 0), size, size, None)?;
    Ok((size, values.data().to_vec()))
}

fn open(path: &Path) -> Fallible<Dataset> {
    Dataset::open(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn find(folder: &Path, named: impl Fn(&str) -> bool) -> Fallible<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&named) {
            return Ok(entry.path());
        }
    }
    Err(format!("something is missing in {}", folder.display()).into())
}

/// The real cube of group 10.
pub fn cube(data: &Path) -> Fallible<Cube> {
    let (shape, values) = npy(&data.join(CUBE))?;
    Ok(Cube { shape, values })
}

/// A three-dimensional `.npy` of little-endian 16-bit integers.
fn npy(path: &Path) -> Fallible<([usize; 3], Vec<i16>)> {
    let bytes = fs::read(path)?;
    let fault = || format!("{} is no such .npy", path.display());
    let (start, length) = match bytes.get(6) {
        Some(1) => (10, usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))),
        _ => (12, u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize),
    };
    let header = String::from_utf8_lossy(bytes.get(start..start + length).ok_or_else(fault)?).into_owned();
    let shape =
        header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')')).ok_or_else(fault)?.0;
    let shape: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let values: Vec<i16> =
        bytes[start + length..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let shape = <[usize; 3]>::try_from(shape).map_err(|_| fault())?;
    match header.contains("'<i2'") && values.len() == shape.iter().product::<usize>() {
        true => Ok((shape, values)),
        false => Err(fault().into()),
    }
}
