use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a coordinate reference system: `EPSG:6372`, `OGC:CRS84`, or a WKT2 text.
///
/// Equality is of the text; `tesela-crs` gives it meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CrsName(String);

impl CrsName {
    /// A CRS by its registry name or WKT.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A CRS by its EPSG code.
    pub fn epsg(code: u32) -> Self {
        Self(format!("EPSG:{code}"))
    }

    /// Longitude, latitude in degrees on WGS 84, longitude first.
    pub fn lon_lat() -> Self {
        Self("OGC:CRS84".into())
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The EPSG code when the name is `EPSG:n`.
    pub fn epsg_code(&self) -> Option<u32> {
        self.0.strip_prefix("EPSG:")?.parse().ok()
    }
}

impl fmt::Display for CrsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
