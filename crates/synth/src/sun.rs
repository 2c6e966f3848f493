//! Where the sun stands (low-precision almanac, about 0.1 degree).

use jiff::civil::Date;

use crate::calendar::day_of_year;

/// Direction and distance of the sun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sun {
    /// Degrees clockwise from north, in (-180, 180] as in an MTL.
    pub(crate) azimuth_deg: f64,
    /// Degrees above the horizon.
    pub(crate) elevation_deg: f64,
    /// Astronomical units.
    pub(crate) distance_au: f64,
}

/// The sun seen from a place at a UTC second of a day.
pub(crate) fn sun(day: Date, utc_s: f64, lon_deg: f64, lat_deg: f64) -> Sun {
    let doy = day_of_year(day) as f64;
    let year_angle = std::f64::consts::TAU * (doy - 1.0 + (utc_s / 3600.0 - 12.0) / 24.0) / 365.25;
    let (s1, c1) = year_angle.sin_cos();
    let (s2, c2) = (2.0 * year_angle).sin_cos();
    let (s3, c3) = (3.0 * year_angle).sin_cos();
    let equation_min =
        229.18 * (0.000_075 + 0.001_868 * c1 - 0.032_077 * s1 - 0.014_615 * c2 - 0.040_849 * s2);
    let declination = 0.006_918 - 0.399_912 * c1 + 0.070_257 * s1 - 0.006_758 * c2 + 0.000_907 * s2
        - 0.002_697 * c3
        + 0.001_48 * s3;
    let solar_min = utc_s / 60.0 + equation_min + 4.0 * lon_deg;
    let hour_angle = (solar_min / 4.0 - 180.0).to_radians();
    let lat = lat_deg.to_radians();
    let sin_elevation = lat.sin() * declination.sin() + lat.cos() * declination.cos() * hour_angle.cos();
    let east = -declination.cos() * hour_angle.sin();
    let north = lat.cos() * declination.sin() - lat.sin() * declination.cos() * hour_angle.cos();
    Sun {
        azimuth_deg: east.atan2(north).to_degrees(),
        elevation_deg: sin_elevation.asin().to_degrees(),
        distance_au: 1.0 - 0.016_72 * (0.985_6 * (doy - 4.0)).to_radians().cos(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// The Landsat 8 scene 008059 of 2019-12-01: 15:13:51.86Z, centre about (-75.07, 1.44).
    #[test]
    fn agrees_with_a_real_mtl() {
        let sun = sun(date(2019, 12, 1), 15.0 * 3600.0 + 13.0 * 60.0 + 51.86, -75.07, 1.44);
        assert!((sun.azimuth_deg - 136.317).abs() < 0.7, "{sun:?}");
        assert!((sun.elevation_deg - 57.087).abs() < 0.5, "{sun:?}");
        assert!((sun.distance_au - 0.98608).abs() < 0.0005, "{sun:?}");
    }
}
