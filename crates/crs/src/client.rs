//! How clients spell a CRS.

use tesela_grid::CrsName;

use crate::error::{CrsError, shorten};
use crate::info::crs_info;

/// A CRS as a client names it: `EPSG:3857`, `CRS:84`, `OGC:CRS84`, `http://www.opengis.net/def/crs/EPSG/0/6372`,
/// `urn:ogc:def:crs:EPSG::6372`, any of them in brackets (`[EPSG:3857]`, a safe CURIE). Case does not matter.
///
/// Registry names only: WKT, PROJ strings, files and addresses are never opened for a client.
///
/// # Errors
/// [`CrsError::ClientText`] for any other spelling; [`CrsError::Unknown`] if the registry has no such code;
/// [`CrsError::NotHorizontal`] if the code is not of a two-dimensional map or longitude–latitude CRS.
pub fn parse_client_crs(text: &str) -> Result<CrsName, CrsError> {
    let name = spelled(text).ok_or_else(|| CrsError::ClientText { text: shorten(text) })?;
    let info = crs_info(&name)?;
    let kind = info.wkt2.split('[').next().unwrap_or_default();
    let flat = info.wkt2.contains("CS[ellipsoidal,2]") || info.wkt2.contains("CS[Cartesian,2]");
    if flat && matches!(kind, "GEOGCRS" | "PROJCRS" | "BOUNDCRS") {
        return Ok(name);
    }
    let kind = match kind {
        "VERTCRS" => "a vertical CRS",
        "COMPOUNDCRS" => "a compound CRS",
        "GEODCRS" => "a geocentric CRS",
        _ => "a three-dimensional or local CRS",
    };
    Err(CrsError::NotHorizontal { crs: name.as_str().to_owned(), kind: kind.to_owned() })
}

/// The registry name behind a spelling, unchecked.
fn spelled(text: &str) -> Option<CrsName> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if text.len() > 100 {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    // (authority, version, code) in each of the spellings
    let (authority, code) = if let Some(rest) = lower.strip_prefix("urn:ogc:def:crs:") {
        let mut parts = rest.split(':');
        let (authority, _version, code) = (parts.next()?, parts.next()?, parts.next()?);
        (parts.next().is_none()).then_some((authority, code))?
    } else if let Some(rest) = ["http://", "https://"]
        .iter()
        .find_map(|scheme| lower.strip_prefix(scheme)?.strip_prefix("www.opengis.net/def/crs/"))
    {
        let mut parts = rest.split('/');
        let (authority, _version, code) = (parts.next()?, parts.next()?, parts.next()?);
        (parts.next().is_none()).then_some((authority, code))?
    } else {
        lower.split_once(':')?
    };
    match (authority, code) {
        ("crs", "84") | ("ogc", "crs84") => Some(CrsName::lon_lat()),
        ("epsg", code) if !code.is_empty() && code.len() <= 6 && code.bytes().all(|b| b.is_ascii_digit()) => {
            code.parse().ok().map(CrsName::epsg)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_spelling_clients_use() {
        for (text, name) in [
            ("EPSG:3857", "EPSG:3857"),
            ("epsg:3857", "EPSG:3857"),
            ("[EPSG:3857]", "EPSG:3857"),
            ("CRS:84", "OGC:CRS84"),
            ("OGC:CRS84", "OGC:CRS84"),
            ("[OGC:CRS84]", "OGC:CRS84"),
            ("http://www.opengis.net/def/crs/EPSG/0/6372", "EPSG:6372"),
            ("https://www.opengis.net/def/crs/EPSG/9.9.1/4326", "EPSG:4326"),
            ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84"),
            ("urn:ogc:def:crs:EPSG::6372", "EPSG:6372"),
            ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"),
            ("urn:ogc:def:crs:OGC::CRS84", "OGC:CRS84"),
        ] {
            assert_eq!(parse_client_crs(text).unwrap().as_str(), name, "{text}");
        }
    }

    #[test]
    fn refuses_anything_that_is_not_a_registry_name() {
        for text in [
            "",
            "3857",
            "EPSG:",
            "EPSG:-1",
            "EPSG:32614/../x",
            "/etc/passwd",
            "http://example.org/x.wkt",
            "http://www.opengis.net/def/crs/EPSG/0/6372/more",
            "+proj=longlat",
            "GEOGCRS[\"x\"]",
            "IAU:49900",
        ] {
            assert!(matches!(parse_client_crs(text), Err(CrsError::ClientText { .. })), "{text}");
        }
        assert!(
            matches!(parse_client_crs("EPSG:99999"), Err(CrsError::Unknown { crs, .. }) if crs == "EPSG:99999")
        );
        // vertical, geocentric, geographic 3D
        for text in ["EPSG:5773", "EPSG:4978", "EPSG:4979"] {
            assert!(matches!(parse_client_crs(text), Err(CrsError::NotHorizontal { .. })), "{text}");
        }
    }
}
