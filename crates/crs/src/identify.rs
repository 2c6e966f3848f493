//! A raster's own CRS text to a name.

use tesela_grid::CrsName;

use crate::error::{CrsError, shorten};
use crate::srs;

/// Certainty, percent, from which a registry entry is compared with the text.
const CERTAIN_ENOUGH: i32 = 70;

/// Names a raster's CRS: `EPSG:n` if its WKT (any version) means the same as that entry of the registry, axis
/// order aside, else WKT2:2019. `OGC:CRS84` keeps its name. A vertical part is dropped.
///
/// A code claimed by the text is believed only if the parameters agree with it.
///
/// # Errors
/// [`CrsError::Unknown`] if the text cannot be read, or is neither geographic nor projected.
pub fn identify(wkt: &str) -> Result<CrsName, CrsError> {
    let unknown = |reason: &str| CrsError::Unknown { crs: shorten(wkt), reason: reason.to_owned() };
    let srs = srs::open_wkt(wkt)?;
    if !srs.is_geographic() && !srs.is_projected() {
        return Err(unknown("neither geographic nor projected"));
    }
    let means = |name: &CrsName| srs::open(name).is_ok_and(|entry| srs::is_same(&srs, &entry));
    if let Some(name) = srs.authority().ok().and_then(registry_name)
        && means(&name)
    {
        return Ok(name);
    }
    for (authority, certainty) in srs::registry_matches(&srs) {
        let Some(name) = registry_name(authority) else { continue };
        if certainty >= CERTAIN_ENOUGH && means(&name) {
            return Ok(name);
        }
    }
    srs::wkt2(&srs).map(CrsName::new).ok_or_else(|| unknown("it cannot be written as WKT2"))
}

fn registry_name(authority: String) -> Option<CrsName> {
    let name = CrsName::new(authority);
    (name.epsg_code().is_some() || name == CrsName::lon_lat()).then_some(name)
}
