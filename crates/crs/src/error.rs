/// Why a CRS cannot be used. Every message names the CRS as it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrsError {
    /// Not `EPSG:n`, `OGC:CRS84` or WKT, or not known to PROJ.
    #[error("unknown coordinate reference system {crs:?}: {reason}")]
    Unknown {
        /// The text as given, shortened if long.
        crs: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No transform between the two.
    #[error("no coordinate transform from {from:?} to {to:?}: {reason}")]
    NoTransform {
        /// Source CRS.
        from: String,
        /// Target CRS.
        to: String,
        /// PROJ's words.
        reason: String,
    },
    /// A client named a CRS in a way that is not accepted from clients.
    #[error(
        "{text:?} does not name a coordinate reference system; give one as EPSG:3857, CRS:84 or http://www.opengis.net/def/crs/EPSG/0/6372"
    )]
    ClientText {
        /// The text as given, shortened if long.
        text: String,
    },
    /// A client named a CRS that maps cannot be drawn in: geocentric, vertical, three-dimensional.
    #[error("{crs} is {kind}; a geographic or projected horizontal CRS is needed")]
    NotHorizontal {
        /// Its name.
        crs: String,
        /// What it is instead.
        kind: String,
    },
}

/// At most 120 characters of a name, for messages.
pub(crate) fn shorten(text: &str) -> String {
    const MAX: usize = 120;
    if text.chars().count() <= MAX {
        return text.to_owned();
    }
    text.chars().take(MAX).chain("…".chars()).collect()
}
