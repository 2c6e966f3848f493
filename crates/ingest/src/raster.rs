//! Opening and reading the files of a scene. GeoTIFF only: no other driver is ever asked.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::path::{Path, PathBuf};

use gdal::raster::{GdalDataType, GdalType};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use tesela_crs::identify;
use tesela_grid::{CrsName, GeoBox};
use tesela_model::DType;
use tesela_store::Pixels;

use crate::IngestError;
use crate::geokeys;
use crate::source::BandFile;

/// Largest side of a source raster, pixels; Landsat scenes have about 8,000.
const MAX_SIDE: usize = 100_000;

/// What a band's file says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterInfo {
    /// Footprint, CRS named.
    pub geobox: GeoBox,
    /// Nodata tag.
    pub nodata: Option<f64>,
}

thread_local! {
    /// This thread's open files, most recently used last. GDAL handles are not shared between threads.
    static OPEN: RefCell<Vec<(PathBuf, Dataset)>> = const { RefCell::new(Vec::new()) };
}

/// Handles kept open per thread.
const KEEP_OPEN: usize = 16;

fn with_dataset<R>(
    path: &Path,
    band: &str,
    f: impl FnOnce(&Dataset) -> Result<R, IngestError>,
) -> Result<R, IngestError> {
    OPEN.with(|open| {
        let mut open = open.borrow_mut();
        if let Some(i) = open.iter().position(|(p, _)| p == path) {
            let entry = open.remove(i);
            open.push(entry);
        } else {
            if open.len() >= KEEP_OPEN {
                open.remove(0);
            }
            let options = DatasetOptions {
                open_flags: GdalOpenFlags::GDAL_OF_RASTER | GdalOpenFlags::GDAL_OF_READONLY,
                allowed_drivers: Some(&["GTiff"]),
                ..DatasetOptions::default()
            };
            if !path.is_file() {
                return Err(unreadable(path, band, "no such file"));
            }
            let dataset = Dataset::open_ex(path, options)
                .map_err(|_| unreadable(path, band, "it is none, or its header is damaged or cut short"))?;
            open.push((path.to_owned(), dataset));
        }
        match open.last() {
            Some((_, dataset)) => f(dataset),
            None => Err(IngestError::Cancelled),
        }
    })
}

/// The most bytes of blocks of source files that GDAL keeps decoded: enough for the blocks on the seam of two tiles,
/// where GDAL alone would take a twentieth of the memory.
const BLOCK_CACHE: u64 = 96 << 20;
/// The least, enough for the blocks of a file that is being read.
const LEAST_BLOCK_CACHE: u64 = 16 << 20;

/// Bytes of blocks that an ingest within so much memory lets GDAL keep.
pub(crate) fn cache_bytes(memory: Option<u64>) -> u64 {
    memory.map_or(BLOCK_CACHE, |memory| (memory / 16).clamp(LEAST_BLOCK_CACHE, BLOCK_CACHE))
}

/// Holds GDAL's block cache to a size that an ingest can count on, unless `GDAL_CACHEMAX` says otherwise.
pub fn limit_cache(memory: Option<u64>) {
    if std::env::var_os("GDAL_CACHEMAX").is_none() {
        // Bytes, as it is more than GDAL takes for megabytes. A refusal leaves the default, which is only larger.
        let _ = gdal::config::set_config_option("GDAL_CACHEMAX", &cache_bytes(memory).to_string());
    }
}

/// Closes this thread's handles, so that files may be replaced.
pub fn close_all() {
    OPEN.with(|open| open.borrow_mut().clear());
}

/// GDAL's own words name its functions; they go to the log.
fn unreadable(path: &Path, band: &str, message: impl Into<String>) -> IngestError {
    IngestError::Raster { path: path.into(), band: band.into(), message: message.into() }
}

/// A band of an open file, by its number from 1.
fn band_of<'d>(
    dataset: &'d Dataset,
    file: &BandFile,
    band: &str,
) -> Result<gdal::raster::RasterBand<'d>, IngestError> {
    dataset.rasterband(file.band_index).map_err(|_| {
        let message =
            format!("band {} was asked for, the file has {}", file.band_index, dataset.raster_count());
        unreadable(&file.path, band, message)
    })
}

/// Reads a band's footprint and nodata tag, and refuses geometry that cannot be used.
///
/// # Errors
/// [`IngestError::Raster`] when the file is not a readable GeoTIFF or lacks the band,
/// [`IngestError::Geometry`] without a CRS, rotated, with odd pixel sizes, or absurdly large.
pub fn probe(file: &BandFile, band: &str) -> Result<RasterInfo, IngestError> {
    let path = &file.path;
    with_dataset(path, band, |dataset| {
        let bad = |problem: String| IngestError::Geometry { path: path.clone(), problem };
        let (width, height) = dataset.raster_size();
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(bad(format!(
                "raster of {width} × {height} pixels; at most {MAX_SIDE} a side are read"
            )));
        }
        let t = dataset
            .geo_transform()
            .map_err(|_| bad("the file has no geotransform; a georeferenced GeoTIFF is expected".into()))?;
        if t.iter().any(|v| !v.is_finite()) || t[1] <= 0.0 || t[5] >= 0.0 {
            return Err(bad(format!("geotransform {t:?} is not north-up with positive pixel size")));
        }
        if t[2] != 0.0 || t[4] != 0.0 {
            return Err(bad("the raster is rotated; Landsat Level-2 is north-up".into()));
        }
        let crs: CrsName = geokeys::remembered(path, || {
            let wkt = dataset.projection();
            if wkt.trim().is_empty() {
                return Err(bad(
                    "the file has no coordinate reference system; write it into the GeoTIFF".into()
                ));
            }
            identify(&wkt).map_err(|e| bad(format!("its CRS is not usable: {e}")))
        })?;
        let raster = band_of(dataset, file, band)?;
        if raster.band_type() == GdalDataType::Unknown {
            return Err(unreadable(
                path,
                band,
                "it holds complex numbers, or a type of value that is not read",
            ));
        }
        let nodata = raster.no_data_value();
        let geobox = GeoBox { crs, x_min: t[0], y_max: t[3], dx: t[1], dy: -t[5], width, height };
        Ok(RasterInfo { geobox, nodata })
    })
}

/// Reads a window of raw values, row-major: 8- and 16-bit integers as they are, anything else as 32-bit floats. The
/// memory of `memory` serves again.
///
/// # Errors
/// [`IngestError::Raster`] when the pixels cannot be read (a truncated file, a broken block).
pub fn read_window(
    file: &BandFile,
    band: &str,
    offset: (usize, usize),
    size: (usize, usize),
    memory: Pixels,
) -> Result<Pixels, IngestError> {
    with_dataset(&file.path, band, |dataset| {
        let raster = band_of(dataset, file, band)?;
        let dtype = match raster.band_type() {
            GdalDataType::UInt8 => DType::Uint8,
            GdalDataType::UInt16 => DType::Uint16,
            GdalDataType::Int16 => DType::Int16,
            // Landsat's other types hold integers that 24 bits of mantissa keep exact.
            _ => DType::Float32,
        };
        let at = (offset.0 as isize, offset.1 as isize);
        let mut values = memory;
        values.reshape(dtype, size.0 * size.1);
        match &mut values {
            Pixels::U8(v) => raster.read_into_slice(at, size, size, v, None),
            Pixels::U16(v) => raster.read_into_slice(at, size, size, v, None),
            Pixels::I16(v) => raster.read_into_slice(at, size, size, v, None),
            Pixels::F32(v) => raster.read_into_slice(at, size, size, v, None),
        }
        .map_err(|_| unreadable(&file.path, band, "its pixels are damaged or cut short"))?;
        Ok(values)
    })
}

/// Reads a window of raw values straight into rows `stride` long, from the first of `values`. Whether it did: values of
/// another type than the file's are not converted here.
///
/// # Errors
/// [`IngestError::Raster`] when the pixels cannot be read, or `values` ends before the window.
pub fn read_window_into<T: GdalType>(
    file: &BandFile,
    band: &str,
    offset: (usize, usize),
    size: (usize, usize),
    values: &mut [T],
    stride: usize,
) -> Result<bool, IngestError> {
    with_dataset(&file.path, band, |dataset| {
        let raster = band_of(dataset, file, band)?;
        if raster.band_type() as u32 != T::gdal_ordinal() {
            return Ok(false);
        }
        let needed = size.1.saturating_sub(1) * stride + size.0;
        let [x, y, width, height] = [offset.0, offset.1, size.0, size.1].map(c_int::try_from);
        let (Ok(x), Ok(y), Ok(width), Ok(height), true) =
            (x, y, width, height, size.0 <= stride && needed <= values.len())
        else {
            return Err(unreadable(&file.path, band, "the window is not inside the slot"));
        };
        // SAFETY: the band lives as long as its dataset, which is borrowed; the last value written is the window's
        // last, row by row `stride` values apart, and that lies in `values`.
        let outcome = unsafe {
            gdal_sys::GDALRasterIO(
                raster.c_rasterband(),
                gdal_sys::GDALRWFlag::GF_Read,
                x,
                y,
                width,
                height,
                values.as_mut_ptr().cast::<c_void>(),
                width,
                height,
                T::gdal_ordinal(),
                0,
                c_int::try_from(stride * size_of::<T>()).unwrap_or(0),
            )
        };
        match outcome {
            gdal_sys::CPLErr::CE_None => Ok(true),
            _ => Err(unreadable(&file.path, band, "its pixels are damaged or cut short")),
        }
    })
}
