//! True area of a cell on the ellipsoid.
//!
//! No map keeps every area: a 30 m cell of Mexico's conformal conic (EPSG:6372) is 888 to 913 m² of ground. A
//! [`CellAreaModel`] says which projection a grid is in; [`CellAreaModel::evaluator`] prepares its constants once
//! for many cells.

use std::f64::consts::{FRAC_PI_2, PI};

use serde::{Deserialize, Serialize};

/// Size and shape of the earth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ellipsoid {
    /// Equatorial radius in metres.
    pub a_m: f64,
    /// 1 / flattening; above 1.
    pub inverse_flattening: f64,
}

impl Ellipsoid {
    /// Of ITRF and Mexico's official frame.
    pub const GRS80: Self = Self { a_m: 6_378_137.0, inverse_flattening: 298.257_222_101 };
    /// Of GPS and UTM scenes; 0.1 mm from GRS80.
    pub const WGS84: Self = Self { a_m: 6_378_137.0, inverse_flattening: 298.257_223_563 };

    /// Squared eccentricity.
    fn e2(&self) -> f64 {
        let f = 1.0 / self.inverse_flattening;
        f * (2.0 - f)
    }
}

/// How area on the map relates to area on the ground.
///
/// Angles in degrees, lengths in metres. Compound variants are named after their PROJ and EPSG methods.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CellAreaModel {
    /// Albers, EASE-2, sinusoidal and other maps that keep areas.
    EqualArea,
    /// Lambert's conformal conic with two standard parallels (EPSG method 9802), as EPSG:6372.
    #[serde(rename = "lambert_conformal_2sp")]
    LambertConformal2sp {
        /// First standard parallel.
        lat1_deg: f64,
        /// Second standard parallel; may equal the first.
        lat2_deg: f64,
        /// Latitude of origin.
        lat0_deg: f64,
        /// Central meridian.
        lon0_deg: f64,
        /// Easting at the origin.
        false_easting_m: f64,
        /// Northing at the origin.
        false_northing_m: f64,
        /// The ellipsoid of the CRS.
        ellipsoid: Ellipsoid,
    },
    /// Transverse Mercator (EPSG method 9807): UTM, Gauss–Krüger.
    TransverseMercator {
        /// Latitude of origin.
        lat0_deg: f64,
        /// Central meridian.
        lon0_deg: f64,
        /// Scale on the central meridian: 0.9996 for UTM.
        k0: f64,
        /// Easting at the origin.
        false_easting_m: f64,
        /// Northing at the origin.
        false_northing_m: f64,
        /// The ellipsoid of the CRS.
        ellipsoid: Ellipsoid,
    },
    /// Web Mercator (EPSG:3857): drawn with a sphere's formulas, measured here on the ellipsoid it is used with.
    WebMercator {
        /// The ellipsoid of the CRS.
        ellipsoid: Ellipsoid,
    },
    /// Longitude and latitude in degrees.
    Geographic {
        /// The ellipsoid of the CRS.
        ellipsoid: Ellipsoid,
    },
}

impl CellAreaModel {
    /// True area in m² of the cell of size `dx` × `dy` around (`x_center`, `y_center`), all in units of the CRS.
    ///
    /// For many cells use [`evaluator`](Self::evaluator). NaN outside the projection's domain.
    pub fn cell_area_m2(&self, x_center: f64, y_center: f64, dx: f64, dy: f64) -> f64 {
        self.evaluator().cell_area_m2(x_center, y_center, dx, dy)
    }

    /// The model with its constants worked out.
    pub fn evaluator(&self) -> CellAreas {
        CellAreas(match *self {
            Self::EqualArea => Prepared::EqualArea,
            Self::LambertConformal2sp {
                lat1_deg,
                lat2_deg,
                lat0_deg,
                lon0_deg: _, // turns the map, changes no area
                false_easting_m,
                false_northing_m,
                ellipsoid,
            } => Prepared::Conic(Conic::new(
                ellipsoid,
                [lat1_deg, lat2_deg, lat0_deg].map(f64::to_radians),
                [false_easting_m, false_northing_m],
            )),
            Self::TransverseMercator {
                lat0_deg,
                lon0_deg: _,
                k0,
                false_easting_m,
                false_northing_m,
                ellipsoid,
            } => Prepared::Transverse(Transverse::new(
                ellipsoid,
                lat0_deg.to_radians(),
                k0,
                [false_easting_m, false_northing_m],
            )),
            Self::WebMercator { ellipsoid } => Prepared::WebMercator(ellipsoid),
            Self::Geographic { ellipsoid } => Prepared::Geographic(ellipsoid),
        })
    }
}

/// A [`CellAreaModel`] ready for many cells.
///
/// Accuracy: `Geographic` is exact for any cell (closed form; relative rounding 1e-10 at 1″). The conformal
/// models take the areal scale at the cell's centre, exact to 1e-11 there (series truncation); as the scale of a
/// whole cell that is within 1e-8 up to 300 m and grows with the square of the size.
#[derive(Debug, Clone, Copy)]
pub struct CellAreas(Prepared);

#[derive(Debug, Clone, Copy)]
enum Prepared {
    EqualArea,
    Conic(Conic),
    Transverse(Transverse),
    WebMercator(Ellipsoid),
    Geographic(Ellipsoid),
}

impl CellAreas {
    /// True area in m² of the cell of size `dx` × `dy` around (`x_center`, `y_center`), all in units of the CRS.
    pub fn cell_area_m2(&self, x_center: f64, y_center: f64, dx: f64, dy: f64) -> f64 {
        let planar = (dx * dy).abs();
        match &self.0 {
            Prepared::EqualArea => planar,
            Prepared::Conic(conic) => planar * conic.ground_per_map_area(x_center, y_center),
            Prepared::Transverse(tm) => planar * tm.ground_per_map_area(x_center, y_center),
            Prepared::WebMercator(ellipsoid) => {
                planar * web_mercator_ground_per_map_area(ellipsoid, y_center)
            }
            Prepared::Geographic(ellipsoid) => geographic_area_m2(ellipsoid, y_center, dx, dy),
        }
    }

    /// True if the area depends on the row only, so that one cell a row is enough.
    pub fn is_constant_along_rows(&self) -> bool {
        !matches!(self.0, Prepared::Conic(_) | Prepared::Transverse(_))
    }
}

/// Zone between two parallels, cut to `dx` of longitude (Snyder 1987, eq. 3-12).
fn geographic_area_m2(ellipsoid: &Ellipsoid, lat_deg: f64, dx_deg: f64, dy_deg: f64) -> f64 {
    let e2 = ellipsoid.e2();
    let e = e2.sqrt();
    let q = |lat_deg: f64| {
        let sin = lat_deg.clamp(-90.0, 90.0).to_radians().sin();
        (1.0 - e2) * (sin / (1.0 - e2 * sin * sin) + (e * sin).atanh() / e)
    };
    let height = (q(lat_deg + dy_deg / 2.0) - q(lat_deg - dy_deg / 2.0)).abs();
    ellipsoid.a_m * ellipsoid.a_m / 2.0 * dx_deg.to_radians().abs() * height
}

/// Meridian × prime vertical radius of curvature × cos²φ / a², with φ from the sphere's inverse.
fn web_mercator_ground_per_map_area(ellipsoid: &Ellipsoid, y: f64) -> f64 {
    let e2 = ellipsoid.e2();
    let sin = (y / ellipsoid.a_m).tanh();
    let curvature = 1.0 - e2 * sin * sin;
    (1.0 - sin * sin) * (1.0 - e2) / (curvature * curvature)
}

/// Lambert's conformal conic (Snyder 1987, eqs. 14-15, 15-1 to 15-11).
#[derive(Debug, Clone, Copy)]
struct Conic {
    e2: f64,
    /// Cone constant n; negative in the south.
    cone: f64,
    /// (a·F)², so that ρ² = (a·F)² t^2n.
    scale2: f64,
    /// (a / n)².
    a_over_cone2: f64,
    apex: [f64; 2],
    latitude: LatitudeSeries,
}

impl Conic {
    fn new(
        ellipsoid: Ellipsoid,
        [lat1, lat2, lat0]: [f64; 3],
        [false_easting, false_northing]: [f64; 2],
    ) -> Self {
        let e2 = ellipsoid.e2();
        let e = e2.sqrt();
        let m = |lat: f64| lat.cos() / (1.0 - e2 * lat.sin().powi(2)).sqrt();
        let t = |lat: f64| (-(lat.sin().atanh() - e * (e * lat.sin()).atanh())).exp();
        let cone = if (lat1 - lat2).abs() < 1e-10 {
            lat1.sin()
        } else {
            (m(lat1) / m(lat2)).ln() / (t(lat1) / t(lat2)).ln()
        };
        let scale = ellipsoid.a_m * m(lat1) / (cone * t(lat1).powf(cone));
        let origin_radius = scale * t(lat0).powf(cone);
        Self {
            e2,
            cone,
            scale2: scale * scale,
            a_over_cone2: (ellipsoid.a_m / cone).powi(2),
            apex: [false_easting, false_northing + origin_radius],
            latitude: LatitudeSeries::new(e2),
        }
    }

    /// 1 / k², with k = nρ / (a·m(φ)): a function of latitude only, which depends on both x and y.
    fn ground_per_map_area(&self, x: f64, y: f64) -> f64 {
        let radius2 = (x - self.apex[0]).powi(2) + (y - self.apex[1]).powi(2);
        let t2 = (radius2 / self.scale2).powf(1.0 / self.cone); // t², t = tan(π/4 − χ/2)
        let (sin, cos) = self.latitude.geodetic((1.0 - t2) / (1.0 + t2), 2.0 * t2.sqrt() / (1.0 + t2));
        self.a_over_cone2 / radius2 * (cos * cos / (1.0 - self.e2 * sin * sin))
    }
}

/// Geodetic latitude from conformal latitude χ: a sine series to e⁸, 1e-12 rad (Snyder 1987, eq. 3-5).
#[derive(Debug, Clone, Copy)]
struct LatitudeSeries([f64; 4]);

impl LatitudeSeries {
    fn new(e2: f64) -> Self {
        let (e4, e6, e8) = (e2 * e2, e2.powi(3), e2.powi(4));
        Self([
            e2 / 2.0 + 5.0 * e4 / 24.0 + e6 / 12.0 + 13.0 * e8 / 360.0,
            7.0 * e4 / 48.0 + 29.0 * e6 / 240.0 + 811.0 * e8 / 11520.0,
            7.0 * e6 / 120.0 + 81.0 * e8 / 1120.0,
            4279.0 * e8 / 161_280.0,
        ])
    }

    /// (sin φ, cos φ) from (sin χ, cos χ).
    fn geodetic(&self, sin: f64, cos: f64) -> (f64, f64) {
        let (sin2, cos2) = (2.0 * sin * cos, 1.0 - 2.0 * sin * sin);
        let (sin4, cos4) = (2.0 * sin2 * cos2, 1.0 - 2.0 * sin2 * sin2);
        let sin6 = sin4 * cos2 + cos4 * sin2;
        let sin8 = 2.0 * sin4 * cos4;
        let [c2, c4, c6, c8] = self.0;
        let (sin_step, cos_step) = (c2 * sin2 + c4 * sin4 + c6 * sin6 + c8 * sin8).sin_cos();
        (sin * cos_step + cos * sin_step, cos * cos_step - sin * sin_step)
    }
}

/// Transverse Mercator by Krüger's series in the third flattening n, to n⁴: 1e-11 within 2,000 km of the central
/// meridian (Karney 2011, J. Geodesy 85, eqs. 12, 14, 35, 36 and the scale of his `TransverseMercator::Reverse`).
#[derive(Debug, Clone, Copy)]
struct Transverse {
    e2: f64,
    /// Radius of the rectifying sphere × k0.
    radius: f64,
    /// radius / a.
    sphere_scale: f64,
    beta: [f64; 4],
    latitude: LatitudeSeries,
    /// Easting and northing of the point on the equator and the central meridian.
    equator: [f64; 2],
}

impl Transverse {
    fn new(ellipsoid: Ellipsoid, lat0: f64, k0: f64, [false_easting, false_northing]: [f64; 2]) -> Self {
        let e2 = ellipsoid.e2();
        let e = e2.sqrt();
        let n = 1.0 / (2.0 * ellipsoid.inverse_flattening - 1.0);
        let (n2, n3, n4) = (n * n, n.powi(3), n.powi(4));
        let mean_radius_share = (1.0 + n2 / 4.0 + n4 / 64.0) / (1.0 + n);
        let alpha = [
            n / 2.0 - 2.0 * n2 / 3.0 + 5.0 * n3 / 16.0 + 41.0 * n4 / 180.0,
            13.0 * n2 / 48.0 - 3.0 * n3 / 5.0 + 557.0 * n4 / 1440.0,
            61.0 * n3 / 240.0 - 103.0 * n4 / 140.0,
            49_561.0 * n4 / 161_280.0,
        ];
        let beta = [
            n / 2.0 - 2.0 * n2 / 3.0 + 37.0 * n3 / 96.0 - n4 / 360.0,
            n2 / 48.0 + n3 / 15.0 - 437.0 * n4 / 1440.0,
            17.0 * n3 / 480.0 - 37.0 * n4 / 840.0,
            4397.0 * n4 / 161_280.0,
        ];
        let conformal = (lat0.sin().atanh() - e * (e * lat0.sin()).atanh()).sinh().atan();
        let conformal = if lat0.abs() >= FRAC_PI_2 { lat0 } else { conformal };
        let rectified =
            (1..).zip(alpha).fold(conformal, |sum, (j, a)| sum + a * (2.0 * f64::from(j) * conformal).sin());
        let radius = ellipsoid.a_m * mean_radius_share * k0;
        Self {
            e2,
            radius,
            sphere_scale: mean_radius_share * k0,
            beta,
            latitude: LatitudeSeries::new(e2),
            equator: [false_easting, false_northing - radius * rectified],
        }
    }

    fn ground_per_map_area(&self, x: f64, y: f64) -> f64 {
        let north = (y - self.equator[1]) / self.radius; // ξ
        let east = (x - self.equator[0]) / self.radius; // η
        if north.abs() > PI {
            return f64::NAN;
        }
        // ζ' = ζ − Σ βⱼ sin 2jζ and its derivative 1 − Σ 2jβⱼ cos 2jζ, with ζ = ξ + iη as (re, im); sines and
        // cosines of multiples by f(j + 1) = 2 cos 2ζ · f(j) − f(j − 1).
        let (sin, cos) = (2.0 * north).sin_cos();
        let (sinh, cosh) = ((2.0 * east).sinh(), (2.0 * east).cosh());
        let twice_cos = (2.0 * cos * cosh, -2.0 * sin * sinh);
        let next = |now: (f64, f64), before: (f64, f64)| {
            let (re, im) =
                (twice_cos.0 * now.0 - twice_cos.1 * now.1, twice_cos.0 * now.1 + twice_cos.1 * now.0);
            (re - before.0, im - before.1)
        };
        let (mut sines, mut sines_before) = ((sin * cosh, cos * sinh), (0.0, 0.0));
        let (mut cosines, mut cosines_before) = ((cos * cosh, -sin * sinh), (1.0, 0.0));
        let (mut sphere_north, mut sphere_east) = (north, east);
        let mut derivative = (1.0, 0.0);
        for (j, beta) in (1..).zip(self.beta) {
            let slope = 2.0 * f64::from(j) * beta;
            sphere_north -= beta * sines.0;
            sphere_east -= beta * sines.1;
            derivative = (derivative.0 - slope * cosines.0, derivative.1 - slope * cosines.1);
            (sines, sines_before) = (next(sines, sines_before), sines);
            (cosines, cosines_before) = (next(cosines, cosines_before), cosines);
        }
        // On the sphere sin χ = sin ξ' / cosh η'; k = sphere_scale / |dζ'/dζ| · cos χ cosh η' ·
        // √(1 − e² sin² φ) / cos φ.
        let (sin_north, cos_north) = sphere_north.sin_cos();
        let (sinh_east, cosh_east) = (sphere_east.sinh(), sphere_east.cosh());
        let r2 = sinh_east * sinh_east + cos_north * cos_north; // (cos χ cosh η')²
        let (sin_lat, cos_lat) = self.latitude.geodetic(sin_north / cosh_east, r2.sqrt() / cosh_east);
        let derivative2 = derivative.0 * derivative.0 + derivative.1 * derivative.1;
        derivative2 * cos_lat * cos_lat
            / (self.sphere_scale * self.sphere_scale * r2 * (1.0 - self.e2 * sin_lat * sin_lat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EPSG:6372, México ITRF2008 / LCC.
    const MX6372: CellAreaModel = CellAreaModel::LambertConformal2sp {
        lat1_deg: 17.5,
        lat2_deg: 29.5,
        lat0_deg: 12.0,
        lon0_deg: -102.0,
        false_easting_m: 2_500_000.0,
        false_northing_m: 0.0,
        ellipsoid: Ellipsoid::GRS80,
    };

    fn transverse(k0: f64, lat0_deg: f64, origin: [f64; 2], ellipsoid: Ellipsoid) -> CellAreaModel {
        CellAreaModel::TransverseMercator {
            lat0_deg,
            lon0_deg: -99.0,
            k0,
            false_easting_m: origin[0],
            false_northing_m: origin[1],
            ellipsoid,
        }
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64, relative: f64) {
        assert!((found / expected - 1.0).abs() <= relative, "{found} is not {expected}");
    }

    /// KAT-AR (science 9.3): latitude of the cell's centre and its area; eastings and northings of points on
    /// those latitudes, at longitudes −90 to −117, from PROJ 9.5.1 (pyproj 3.7.2), areas from its
    /// `get_factors().areal_scale`.
    #[test]
    fn kat_ar_thirty_metre_cells_of_epsg_6372() {
        for (latitude, easting, northing, kat, proj) in [
            (14.5, 2_500_000.0, 279458.8693, 888.0132, 888.013216984),
            (17.5, 3772906.7627, 665761.5481, 900.0, 899.999999989),
            (19.4326, 2800184.2637, 829057.9380, 905.2797, 905.279742742),
            (21.8853, 2470078.0358, 1096512.5297, 909.1310, 909.131033158),
            (23.5, 1687745.1021, 1297004.6722, 909.8878, 909.887793683),
            (25.6866, 2668225.4578, 1516270.5072, 908.6199, 908.619938499),
            (29.5, 1048155.9800, 2012684.0198, 900.0, 899.999999983),
            (32.5149, 1271520.4361, 2327768.9246, 887.3629, 887.362933256),
        ] {
            let area = MX6372.cell_area_m2(easting, northing, 30.0, 30.0);
            assert!((area - kat).abs() <= 6e-5, "at {latitude}: {area} is not {kat}");
            assert_close(area, proj, 2e-10);
        }
    }

    /// Science 9.3: geodesic polygon areas, given there to 1e-6 m².
    #[test]
    fn kat_ar_geodesic_checks() {
        for (easting, northing, expected) in [
            (2_800_170.0, 829_050.0, 905.279589),
            (1_079_580.0, 2_346_600.0, 887.362523),
            (3_553_170.0, 359_760.0, 889.871334),
            (2_500_000.0, 1_300_000.0, 909.878844),
        ] {
            assert_close(MX6372.cell_area_m2(easting, northing, 30.0, 30.0), expected, 4e-9);
        }
    }

    /// Science 9.3, and geodesic polygon areas by pyproj 3.7.2 (`Geod.polygon_area_perimeter`, sides drawn along
    /// the parallels with 40 to 4,000 points).
    #[test]
    fn kat_ar_geographic_cells() {
        let model = CellAreaModel::Geographic { ellipsoid: Ellipsoid::WGS84 };
        assert_close(model.cell_area_m2(-99.0, 19.5, 1.0, 1.0), 11_620_226_389.08, 1e-11);
        assert_close(model.cell_area_m2(-99.133, 19.4326, 0.00025, 0.00025), 726.568073, 1e-9);
        assert_close(model.cell_area_m2(-99.133, 32.5, 0.00025, 0.00025), 651.350556796, 1e-8);
        assert_close(model.cell_area_m2(0.0, -19.5, 1.0, -1.0), 11_620_226_389.08, 1e-11);
    }

    /// The whole earth: 4π times the squared authalic radius of WGS84, 6,371,007.180918 m.
    #[test]
    fn all_longitudes_and_latitudes_are_the_whole_earth() {
        let model = CellAreaModel::Geographic { ellipsoid: Ellipsoid::WGS84 };
        let authalic_radius_m: f64 = 6371007.180918;
        assert_close(model.cell_area_m2(0.0, 0.0, 360.0, 180.0), 4.0 * PI * authalic_radius_m.powi(2), 1e-12);
    }

    /// 900 / areal scale by PROJ 9.5.1 (`get_factors`, numeric: 5e-9); geodesic polygons agree to 1e-8.
    #[test]
    fn transverse_mercator_cells_agree_with_proj() {
        let utm_north = transverse(0.9996, 0.0, [500_000.0, 0.0], Ellipsoid::WGS84);
        for (easting, northing, expected) in [
            (500_015.0, 2_150_015.0, 900.720432222),
            (166_015.0, 1_550_015.0, 898.238537872),
            (833_985.0, 3_600_015.0, 898.246186949),
            (640_005.0, 2_500_005.0, 900.284163066),
            (500_015.0, -15.0, 900.720432209),
            (700_015.0, 9_000_015.0, 899.840161865),
        ] {
            assert_close(utm_north.cell_area_m2(easting, northing, 30.0, 30.0), expected, 5e-9);
        }
        let utm_south = transverse(0.9996, 0.0, [500_000.0, 10_000_000.0], Ellipsoid::WGS84);
        assert_close(utm_south.cell_area_m2(640_005.0, 7_500_005.0, 30.0, 30.0), 900.284163062, 5e-9);
    }

    /// The British grid, EPSG:27700, has a latitude of origin and another ellipsoid; by PROJ 9.5.1 as above.
    #[test]
    fn transverse_mercator_with_a_latitude_of_origin() {
        let airy = Ellipsoid { a_m: 6377563.396, inverse_flattening: 299.324_964_6 };
        let british = transverse(0.999_601_271_7, 49.0, [400_000.0, -100_000.0], airy);
        assert_close(british.cell_area_m2(400_015.0, 300_015.0, 30.0, 30.0), 900.718140477, 5e-9);
        assert_close(british.cell_area_m2(600_015.0, 150_015.0, 30.0, 30.0), 899.833346130, 5e-9);
    }

    /// A southern cone; by PROJ 9.5.1 as above.
    #[test]
    fn a_conic_of_the_southern_hemisphere() {
        let south = CellAreaModel::LambertConformal2sp {
            lat1_deg: -20.0,
            lat2_deg: -40.0,
            lat0_deg: -32.0,
            lon0_deg: -60.0,
            false_easting_m: 0.0,
            false_northing_m: 0.0,
            ellipsoid: Ellipsoid::GRS80,
        };
        assert_close(south.cell_area_m2(100_015.0, 200_015.0, 30.0, 30.0), 927.872974771, 5e-9);
        assert_close(south.cell_area_m2(-500_015.0, -900_015.0, 30.0, 30.0), 899.610711118, 5e-9);
    }

    /// Geodesic polygon areas by pyproj 3.7.2, whose noise is 2e-8 at this size.
    #[test]
    fn web_mercator_cells_are_measured_on_the_ellipsoid() {
        let web = CellAreaModel::WebMercator { ellipsoid: Ellipsoid::WGS84 };
        assert_close(web.cell_area_m2(-11_035_000.0, 2_200_000.0, 30.0, 30.0), 796.689039996, 3e-8);
        assert_close(web.cell_area_m2(0.0, 0.0, 30.0, 30.0), 893.975058007, 3e-8);
        assert_close(web.cell_area_m2(-11_035_000.0, 8_000_000.0, 30.0, 30.0), 251.288890470, 3e-8);
    }

    #[test]
    fn equal_area_maps_need_no_correction() {
        assert_eq!(CellAreaModel::EqualArea.cell_area_m2(1.0, 2.0, 30.0, -30.0), 900.0);
    }

    #[test]
    fn a_model_is_a_document() {
        let json = serde_json::to_string(&MX6372).unwrap();
        assert!(json.starts_with(r#"{"kind":"lambert_conformal_2sp","lat1_deg":17.5"#), "{json}");
        assert_eq!(serde_json::from_str::<CellAreaModel>(&json).unwrap(), MX6372);
    }
}
