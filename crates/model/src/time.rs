//! Time as clients write it: instants, periods and the `datetime` parameter.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// A UTC instant with second resolution, stored as CF does: seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// Midnight UTC at the start of a date.
    pub fn at_midnight(date: Date) -> Self {
        Self(utc_seconds(date.to_datetime(Time::midnight())))
    }

    /// The UTC calendar date.
    pub fn date(self) -> Date {
        self.datetime().date()
    }

    /// The UTC calendar year.
    pub fn year(self) -> i32 {
        i32::from(self.date().year())
    }

    fn datetime(self) -> DateTime {
        let clamped = self.0.clamp(-377_000_000_000, 253_000_000_000);
        Timestamp::from_second(clamped).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).datetime()
    }
}

/// `2024-01-01T17:03:21Z`
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.datetime())
    }
}

impl From<Timestamp> for Instant {
    fn from(t: Timestamp) -> Self {
        Self(t.as_second())
    }
}

fn utc_seconds(t: DateTime) -> i64 {
    t.to_zoned(TimeZone::UTC).map_or(0, |z| z.timestamp().as_second())
}

/// A half-open span of time `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// First instant inside.
    pub start: Instant,
    /// First instant outside.
    pub end: Instant,
}

impl Period {
    /// A calendar year.
    pub fn year(year: i16) -> Option<Self> {
        let start = Date::new(year, 1, 1).ok()?;
        let end = Date::new(year.checked_add(1)?, 1, 1).ok()?;
        Some(Self { start: Instant::at_midnight(start), end: Instant::at_midnight(end) })
    }

    /// Whether an instant lies inside.
    pub fn contains(&self, t: Instant) -> bool {
        self.start <= t && t < self.end
    }

    /// Seconds shared with another period.
    pub fn overlap_s(&self, other: &Self) -> i64 {
        (self.end.0.min(other.end.0) - self.start.0.max(other.start.0)).max(0)
    }

    /// A calendar month by any day in it.
    pub fn month(day: Date) -> Option<Self> {
        let first = day.first_of_month();
        let next = first.checked_add(1.month()).ok()?;
        Some(Self { start: Instant::at_midnight(first), end: Instant::at_midnight(next) })
    }

    /// `2024` for a calendar year, `2024-03` for a month, else the start date.
    pub fn label(&self) -> String {
        let start = self.start.date();
        if Self::year(start.year()) == Some(*self) {
            start.year().to_string()
        } else if Self::month(start) == Some(*self) {
            format!("{:04}-{:02}", start.year(), start.month())
        } else {
            start.to_string()
        }
    }
}

/// What a client asks of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeSelector {
    /// `default`, `current` or nothing: the latest there is.
    #[default]
    Latest,
    /// A named span: an instant is one second, a date one day, `YYYY-MM` a month, `YYYY` a year.
    Span(Period),
    /// `a/b`, `../b`, `a/..`; open ends are the far past and future.
    Interval(Period),
}

/// A time text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a time; expected YYYY, YYYY-MM, YYYY-MM-DD, YYYY-MM-DDThh:mm:ssZ, an interval start/end, default or current"
)]
pub struct TimeError {
    /// What was given.
    pub text: String,
}

impl TimeSelector {
    /// Reads a `datetime` / `TIME` value.
    ///
    /// # Errors
    /// [`TimeError`] with the text and the accepted forms.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError { text: text.chars().take(80).collect() };
        let t = text.trim();
        if t.is_empty() || t.eq_ignore_ascii_case("default") || t.eq_ignore_ascii_case("current") {
            return Ok(Self::Latest);
        }
        let Some((a, b)) = t.split_once('/') else {
            return parse_span(t).map(Self::Span).ok_or_else(error);
        };
        let b = b.split('/').next().unwrap_or(b);
        let open = |s: &str| s.is_empty() || s == "..";
        let start = if open(a) { Instant(i64::MIN / 4) } else { parse_span(a).ok_or_else(error)?.start };
        let end = if open(b) { Instant(i64::MAX / 4) } else { parse_span(b).ok_or_else(error)?.end };
        if end <= start {
            return Err(error());
        }
        Ok(Self::Interval(Period { start, end }))
    }

    /// Which of some periods (ascending by start) the selector means: the latest for
    /// [`Self::Latest`]; the one that holds a span's start; the one sharing most of an interval, the
    /// later of equals. `None` when none fits.
    pub fn pick(&self, periods: &[Period]) -> Option<usize> {
        match self {
            Self::Latest => periods.len().checked_sub(1),
            Self::Span(span) => {
                periods.iter().rposition(|p| p.contains(span.start)).or_else(|| most_shared(span, periods))
            }
            Self::Interval(i) => most_shared(i, periods),
        }
    }

    /// Whether an instant is meant; everything is for [`Self::Latest`].
    pub fn admits(&self, t: Instant) -> bool {
        match self {
            Self::Latest => true,
            Self::Span(p) | Self::Interval(p) => p.contains(t),
        }
    }

    /// The span as a period; everything for [`Self::Latest`].
    pub fn period(&self) -> Period {
        match self {
            Self::Latest => Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) },
            Self::Span(p) | Self::Interval(p) => *p,
        }
    }
}

fn most_shared(span: &Period, periods: &[Period]) -> Option<usize> {
    let mut best: Option<(i64, usize)> = None;
    for (i, p) in periods.iter().enumerate() {
        let shared = p.overlap_s(span);
        if shared > 0 && best.is_none_or(|(s, _)| shared >= s) {
            best = Some((shared, i));
        }
    }
    best.map(|(_, i)| i)
}

/// The span a single time text names.
fn parse_span(text: &str) -> Option<Period> {
    let t = text.trim();
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if t.len() > 40 || !t.is_ascii() {
        return None;
    }
    if t.len() == 4 && digits(t) {
        return Period::year(t.parse().ok()?);
    }
    if t.len() == 8 && digits(t) {
        return day(&format!("{}-{}-{}", &t[..4], &t[4..6], &t[6..]));
    }
    if t.len() == 7 && t.as_bytes()[4] == b'-' {
        let first = Date::new(t[..4].parse().ok()?, t[5..].parse().ok()?, 1).ok()?;
        return Period::month(first);
    }
    if t.len() == 10 {
        return day(t);
    }
    let stamp = if let Ok(with_zone) = t.parse::<Timestamp>() {
        with_zone.as_second()
    } else {
        utc_seconds(t.trim_end_matches(['Z', 'z']).parse::<DateTime>().ok()?)
    };
    Some(Period { start: Instant(stamp), end: Instant(stamp + 1) })
}

fn day(iso: &str) -> Option<Period> {
    let b = iso.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let date: Date = iso.parse().ok()?;
    let next = date.tomorrow().ok()?;
    Some(Period { start: Instant::at_midnight(date), end: Instant::at_midnight(next) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn years(range: std::ops::RangeInclusive<i16>) -> Vec<Period> {
        range.filter_map(Period::year).collect()
    }

    #[test]
    fn forms_that_clients_send() {
        let p = years(2015..=2024);
        let pick = |t: &str| TimeSelector::parse(t).unwrap().pick(&p).map(|i| 2015 + i);
        assert_eq!(pick(""), Some(2024));
        assert_eq!(pick("current"), Some(2024));
        for t in
            ["2019", "2019-01-01", "2019-06", "20190704", "2019-07-04T12:00:00Z", "2019-01-01T00:00:00.000Z"]
        {
            assert_eq!(pick(t), Some(2019), "{t}");
        }
        // What QGIS sends for one-year frames, with an open or a closed end.
        assert_eq!(pick("2019-01-01/2020-01-01"), Some(2019));
        assert_eq!(pick("2019-01-01T00:00:00Z/2020-01-01T00:00:00Z"), Some(2019));
        assert_eq!(pick("2019-01-01T00:00:00Z/2019-01-01T23:59:59Z"), Some(2019));
        assert_eq!(pick("2015/2020"), Some(2020));
        assert_eq!(pick("../2016"), Some(2016));
        assert_eq!(pick("1990"), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for t in
            ["yesterday", "2019-13", "2019-02-30", "99999", "2020/2019", "2019-01-01T99:00:00Z", "１９９９"]
        {
            assert!(TimeSelector::parse(t).is_err(), "{t}");
        }
    }

    #[test]
    fn instants_print_as_iso() {
        assert_eq!(Instant(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Period::year(2024).unwrap().label(), "2024");
        assert_eq!(Period::month(Date::constant(2024, 3, 9)).unwrap().label(), "2024-03");
    }
}
