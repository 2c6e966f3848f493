//! The little of OGR's spatial reference API that the `gdal` crate does not wrap, made safe.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
use gdal_sys::{OGRErr, OGRSpatialReferenceH};
use tesela_grid::CrsName;

use crate::error::{CrsError, shorten};

/// Keeps GDAL from printing to standard error on this thread while it lives.
pub(crate) struct Quiet(());

impl Quiet {
    pub(crate) fn new() -> Self {
        // SAFETY: the handler is GDAL's own; the stack it is pushed on belongs to this thread, and `Drop` pops it.
        unsafe {
            gdal_sys::CPLErrorReset();
            gdal_sys::CPLPushErrorHandler(Some(gdal_sys::CPLQuietErrorHandler));
        }
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: pairs with the push in `new`.
        unsafe { gdal_sys::CPLPopErrorHandler() };
    }
}

/// A CRS by name, `(x, y)` axis order. Registry names and WKT only: GDAL's own reader of user input would open
/// files and addresses.
pub(crate) fn open(crs: &CrsName) -> Result<SpatialRef, CrsError> {
    let _quiet = Quiet::new();
    let text = crs.as_str();
    let opened = if let Some(code) = crs.epsg_code() {
        SpatialRef::from_epsg(code)
    } else if text == CrsName::lon_lat().as_str() {
        SpatialRef::from_definition("OGC:CRS84")
    } else if looks_like_wkt(text) {
        SpatialRef::from_wkt(text)
    } else {
        return Err(unknown(text, "not EPSG:n, OGC:CRS84 or WKT"));
    };
    let mut srs = opened.map_err(|_| unknown(text, "PROJ does not know it"))?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

/// WKT of any version, `(x, y)` axis order, a vertical part removed.
pub(crate) fn open_wkt(wkt: &str) -> Result<SpatialRef, CrsError> {
    let _quiet = Quiet::new();
    let mut srs = SpatialRef::from_wkt(wkt).map_err(|_| unknown(wkt, "it is no WKT that PROJ can read"))?;
    if srs.is_compound() {
        // SAFETY: the handle is valid and owned by `srs`.
        unsafe { gdal_sys::OSRStripVertical(srs.to_c_hsrs()) };
    }
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

fn unknown(text: &str, reason: &str) -> CrsError {
    CrsError::Unknown { crs: shorten(text), reason: reason.to_owned() }
}

/// Whether the text begins with a word and an opening bracket.
fn looks_like_wkt(text: &str) -> bool {
    let word = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    word >= 6 && text[word..].trim_start().starts_with(['[', '('])
}

/// WKT2:2019 on one line.
pub(crate) fn wkt2(srs: &SpatialRef) -> Option<String> {
    let _quiet = Quiet::new();
    let options = [c"FORMAT=WKT2_2019".as_ptr(), c"MULTILINE=NO".as_ptr(), ptr::null()];
    let mut text: *mut c_char = ptr::null_mut();
    // SAFETY: a valid handle, a null-terminated list, and an out pointer that is freed below.
    let status = unsafe { gdal_sys::OSRExportToWktEx(srs.to_c_hsrs(), &raw mut text, options.as_ptr()) };
    let copied = (status == OGRErr::OGRERR_NONE && !text.is_null())
        // SAFETY: GDAL wrote a null-terminated string.
        .then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned());
    // SAFETY: allocated by GDAL, null allowed, not used again.
    unsafe { gdal_sys::VSIFree(text.cast()) };
    copied
}

/// Whether the two mean the same, axis order aside.
pub(crate) fn is_same(a: &SpatialRef, b: &SpatialRef) -> bool {
    let _quiet = Quiet::new();
    let options = [
        c"IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES".as_ptr(),
        c"CRITERION=EQUIVALENT_EXCEPT_AXIS_ORDER_GEOGCRS".as_ptr(),
        ptr::null(),
    ];
    // SAFETY: two valid handles and a null-terminated list.
    unsafe { gdal_sys::OSRIsSameEx(a.to_c_hsrs(), b.to_c_hsrs(), options.as_ptr()) == 1 }
}

/// Registry entries that may be this CRS, the most certain first, as `(AUTHORITY:code, certainty in percent)`.
pub(crate) fn registry_matches(srs: &SpatialRef) -> Vec<(String, i32)> {
    let _quiet = Quiet::new();
    let mut count: c_int = 0;
    let mut certainties: *mut c_int = ptr::null_mut();
    // SAFETY: a valid handle and out pointers; both arrays are freed below.
    let found = unsafe {
        gdal_sys::OSRFindMatches(srs.to_c_hsrs(), ptr::null_mut(), &raw mut count, &raw mut certainties)
    };
    let mut matches = Vec::new();
    if !found.is_null() && !certainties.is_null() {
        for i in 0..usize::try_from(count).unwrap_or(0) {
            // SAFETY: GDAL wrote `count` entries to both arrays; `from_c_obj` clones the handle.
            let (entry, certainty) = unsafe { (SpatialRef::from_c_obj(*found.add(i)), *certainties.add(i)) };
            if let Some(name) = entry.ok().and_then(|entry| entry.authority().ok()) {
                matches.push((name, certainty));
            }
        }
    }
    // SAFETY: allocated by GDAL, not used again.
    unsafe {
        if !found.is_null() {
            gdal_sys::OSRFreeSRSArray(found);
        }
        gdal_sys::VSIFree(certainties.cast());
    }
    matches
}

/// A projection parameter by its WKT1 name, in degrees or metres.
pub(crate) fn parameter(srs: &SpatialRef, name: &CStr) -> Option<f64> {
    let mut status: OGRErr::Type = OGRErr::OGRERR_NONE;
    // SAFETY: a valid handle, a null-terminated name and an out pointer.
    let value =
        unsafe { gdal_sys::OSRGetNormProjParm(srs.to_c_hsrs(), name.as_ptr(), f64::NAN, &raw mut status) };
    (status == OGRErr::OGRERR_NONE && value.is_finite()).then_some(value)
}

/// 1 / flattening; `None` for a sphere.
pub(crate) fn inverse_flattening(srs: &SpatialRef) -> Option<f64> {
    let mut status: OGRErr::Type = OGRErr::OGRERR_NONE;
    // SAFETY: a valid handle and an out pointer.
    let value = unsafe { gdal_sys::OSRGetInvFlattening(srs.to_c_hsrs(), &raw mut status) };
    (status == OGRErr::OGRERR_NONE && value.is_finite() && value > 1.0).then_some(value)
}

/// The first value of a WKT1 node such as `PROJECTION` or `DATUM`.
pub(crate) fn node(srs: &SpatialRef, name: &str) -> Option<String> {
    srs.get_attr_value(name, 0).ok().flatten()
}

/// Whether the registry's first axis is latitude or northing.
pub(crate) fn northing_first(srs: &SpatialRef) -> bool {
    let handle: OGRSpatialReferenceH = srs.to_c_hsrs();
    // SAFETY: a valid handle.
    unsafe {
        gdal_sys::OSREPSGTreatsAsLatLong(handle) == 1 || gdal_sys::OSREPSGTreatsAsNorthingEasting(handle) == 1
    }
}
