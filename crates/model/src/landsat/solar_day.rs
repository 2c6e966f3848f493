//! The date a place on Earth sees (`science.md` 1.9): scenes of one solar day and platform are fused.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// Seconds to add to UTC for the solar time at a longitude: four minutes a degree, cut to whole seconds.
///
/// Longitudes outside ±180 are wrapped; one that is not finite counts as 0.
pub fn solar_offset_seconds(longitude: f64) -> i64 {
    if !longitude.is_finite() {
        return 0;
    }
    let wrapped = if (-180.0..=180.0).contains(&longitude) {
        longitude
    } else {
        (longitude + 180.0).rem_euclid(360.0) - 180.0
    };
    // At most ±43,200, so the conversion only cuts the fraction.
    #[allow(clippy::cast_possible_truncation)]
    let seconds = (wrapped * 240.0) as i64;
    seconds
}

/// The solar day of an instant at a longitude, which is the mid-longitude of a footprint.
pub fn solar_day(instant: Timestamp, longitude: f64) -> Date {
    let shifted =
        instant.checked_add(SignedDuration::from_secs(solar_offset_seconds(longitude))).unwrap_or(instant);
    Offset::UTC.to_datetime(shifted).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn kat_l6_offsets() {
        assert_eq!(solar_offset_seconds(-117.0), -28_080);
        assert_eq!(solar_offset_seconds(-99.0), -23_760);
        assert_eq!(solar_offset_seconds(-86.5), -20_760);
        assert_eq!(solar_offset_seconds(0.001), 0);
        assert_eq!(solar_offset_seconds(-0.001), 0);
        assert_eq!(solar_offset_seconds(181.0), solar_offset_seconds(-179.0));
        assert_eq!(solar_offset_seconds(f64::NAN), 0);
    }

    #[test]
    fn days_turn_at_solar_midnight() {
        let at = |text: &str, longitude| solar_day(text.parse().unwrap(), longitude);
        assert_eq!(at("2020-06-15T16:45:00Z", -99.0), date(2020, 6, 15));
        assert_eq!(at("2019-02-05T23:56:14.5Z", 149.1), date(2019, 2, 6));
        assert_eq!(at("2020-01-01T00:10:00Z", -99.0), date(2019, 12, 31));
        assert_eq!(at("2020-01-01T06:36:00Z", -99.0), date(2020, 1, 1));
        assert_eq!(at("2020-01-01T06:35:59Z", -99.0), date(2019, 12, 31));
        assert_eq!(solar_day(Timestamp::MAX, 180.0), Offset::UTC.to_datetime(Timestamp::MAX).date());
    }
}
