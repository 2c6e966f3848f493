//! What the two versions say differently.

use tesela_grid::{BoundingBox, CrsName};

use crate::ApiResult;
use crate::request::space::in_axis_order;

/// A version of WMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// 1.1.1: `SRS`, coordinates always `(x, y)`, `X` and `Y`.
    V111,
    /// 1.3.0: `CRS`, coordinates in the order of the CRS's axes, `I` and `J`.
    V130,
}

impl Version {
    /// The version a request names.
    pub(super) fn exact(text: &str) -> Option<Self> {
        match text {
            "1.3.0" => Some(Self::V130),
            "1.1.1" | "1.1.0" => Some(Self::V111),
            _ => None,
        }
    }

    /// The version to answer in (WMS 1.3.0, 6.2.4): the one asked for, else the next lower there is, else the
    /// lowest; the highest if none is asked for.
    pub(super) fn negotiated(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::V130 };
        let mut parts = text.splitn(3, '.').map(|part| part.trim().parse::<u64>());
        let number = match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            (Some(Ok(major)), None) => (major, 0),
            _ => return Self::V130,
        };
        if number >= (1, 3) { Self::V130 } else { Self::V111 }
    }

    /// As written.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::V111 => "1.1.1",
            Self::V130 => "1.3.0",
        }
    }

    /// Name of the parameter that names the CRS.
    pub(super) const fn crs_parameter(self) -> &'static str {
        match self {
            Self::V111 => "SRS",
            Self::V130 => "CRS",
        }
    }

    /// Code for a CRS that is not offered.
    pub(super) const fn invalid_crs(self) -> &'static str {
        match self {
            Self::V111 => "InvalidSRS",
            Self::V130 => "InvalidCRS",
        }
    }

    /// Names of the parameters for the column and row of `GetFeatureInfo`, this version's own first.
    pub(super) const fn pixel_parameters(self) -> [[&'static str; 2]; 2] {
        match self {
            Self::V111 => [["X", "I"], ["Y", "J"]],
            Self::V130 => [["I", "X"], ["J", "Y"]],
        }
    }

    /// Four numbers of a `BBOX` as a box in `(x, y)` order.
    pub(super) fn bounds(self, crs: &CrsName, numbers: [f64; 4]) -> ApiResult<BoundingBox> {
        let [a, b, c, d] = numbers;
        match self {
            Self::V111 => Ok(BoundingBox::new(a, b, c, d)),
            Self::V130 => in_axis_order(crs, numbers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_negotiated() {
        let of = |text| Version::negotiated(text).as_str();
        assert_eq!(of(None), "1.3.0");
        assert_eq!(of(Some("1.3.0")), "1.3.0");
        assert_eq!(of(Some("100.0.0")), "1.3.0");
        assert_eq!(of(Some("1.2.0")), "1.1.1");
        assert_eq!(of(Some("1.1.1")), "1.1.1");
        assert_eq!(of(Some("0.0.0")), "1.1.1");
        assert_eq!(of(Some("x")), "1.3.0");
    }

    #[test]
    fn only_the_newer_version_follows_the_axes() {
        let wgs84 = CrsName::epsg(4326);
        let xy = BoundingBox::new(-99.0, 19.0, -98.0, 20.0);
        assert_eq!(Version::V130.bounds(&wgs84, [19.0, -99.0, 20.0, -98.0]).unwrap(), xy);
        assert_eq!(Version::V111.bounds(&wgs84, [-99.0, 19.0, -98.0, 20.0]).unwrap(), xy);
        assert_eq!(Version::V130.bounds(&CrsName::lon_lat(), [-99.0, 19.0, -98.0, 20.0]).unwrap(), xy);
        let lcc = Version::V130.bounds(&CrsName::epsg(6372), [8e5, 27e5, 9e5, 29e5]).unwrap();
        assert_eq!(lcc, BoundingBox::new(27e5, 8e5, 29e5, 9e5));
    }
}
