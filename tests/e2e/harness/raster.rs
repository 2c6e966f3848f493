//! Rasters and coordinates through GDAL's command-line tools.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// One band, north up.
pub struct Raster {
    pub width: usize,
    pub height: usize,
    /// West edge, pixel width, north edge, pixel height (positive).
    pub x_min: f64,
    pub dx: f64,
    pub y_max: f64,
    pub dy: f64,
    pub values: Vec<f64>,
}

impl Raster {
    /// Reads one band, from 1, through `gdal_translate` to raw doubles.
    pub fn read(path: &Path, band: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join("raw");
        let band = band.to_string();
        let mut translate = Command::new("gdal_translate");
        translate.args(["-q", "-of", "ENVI", "-ot", "Float64", "-b", &band]).arg(path).arg(&raw);
        let done = translate.output().expect("gdal_translate is needed (apt: gdal-bin)");
        assert!(done.status.success(), "{translate:?}: {}", String::from_utf8_lossy(&done.stderr));
        let info = Command::new("gdalinfo").arg("-json").arg(path).output().unwrap();
        let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
        let number = |pointer: &str| info.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
        let values: Vec<f64> =
            std::fs::read(&raw).unwrap().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        let (width, height) = (number("/size/0") as usize, number("/size/1") as usize);
        assert_eq!(values.len(), width * height);
        Self {
            width,
            height,
            x_min: number("/geoTransform/0"),
            dx: number("/geoTransform/1"),
            y_max: number("/geoTransform/3"),
            dy: -number("/geoTransform/5"),
            values,
        }
    }

    pub fn at(&self, col: usize, row: usize) -> f64 {
        self.values[row * self.width + col]
    }

    /// The value of the pixel that holds a point.
    pub fn value_at(&self, x: f64, y: f64) -> Option<f64> {
        let (col, row) = (((x - self.x_min) / self.dx).floor(), ((self.y_max - y) / self.dy).floor());
        let inside = col >= 0.0 && row >= 0.0 && col < self.width as f64 && row < self.height as f64;
        inside.then(|| self.at(col as usize, row as usize))
    }

    pub fn centre(&self, col: usize, row: usize) -> (f64, f64) {
        (self.x_min + (col as f64 + 0.5) * self.dx, self.y_max - (row as f64 + 0.5) * self.dy)
    }
}

/// Points from one CRS to another, `(x, y)` or longitude and latitude.
pub fn transformed(from: &str, to: &str, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut tool = Command::new("gdaltransform")
        .args(["-s_srs", from, "-t_srs", to, "-output_xy"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gdaltransform is needed (apt: gdal-bin)");
    let mut input = tool.stdin.take().unwrap();
    let text: String = points.iter().map(|(x, y)| format!("{x:.12} {y:.12}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = tool.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let moved: Vec<(f64, f64)> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let mut numbers = line.split_whitespace().map(|n| n.parse::<f64>().unwrap());
            (numbers.next().unwrap(), numbers.next().unwrap())
        })
        .collect();
    assert_eq!(moved.len(), points.len());
    moved
}

/// Points of a CRS as longitude and latitude.
pub fn lon_lat(crs: &str, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    transformed(crs, "OGC:CRS84", points)
}
