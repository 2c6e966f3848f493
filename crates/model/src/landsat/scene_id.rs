//! Scene ids from before collections: `LE70220491999322EDC01`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::platform::{Platform, PlatformError};
use super::product_id::{SensorLetter, parse_digits, scene_key};

/// A pre-collection scene id, taken apart. Collection products still carry one as `LANDSAT_SCENE_ID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SceneId {
    /// Which instruments took part.
    pub sensor: SensorLetter,
    /// Satellite number.
    pub satellite: u8,
    /// WRS path.
    pub path: u16,
    /// WRS row.
    pub row: u16,
    /// Day of acquisition (UTC).
    pub acquired: Date,
    /// Three letters of the ground station, such as `EDC` or `XXX`.
    pub station: String,
    /// Archive version.
    pub version: u8,
}

/// Why a text is not a scene id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{id}` is not a pre-collection scene id: {field} is `{found}`, expected {expected} (form LXSPPPRRRYYYYDDDGSIVV)"
)]
pub struct SceneIdError {
    /// The whole text.
    pub id: String,
    /// The field that is wrong.
    pub field: &'static str,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: &'static str,
}

/// Every scene id has this many characters.
const ID_LENGTH: usize = 21;

impl SceneId {
    /// Reads an id; the error says which field is wrong.
    pub fn parse(id: &str) -> Result<Self, SceneIdError> {
        let fail = |field, found: &str, expected| {
            Err(SceneIdError { id: id.to_owned(), field, found: found.to_owned(), expected })
        };
        if id.len() != ID_LENGTH || !id.is_ascii() {
            return fail("length", &id.chars().count().to_string(), "21 characters");
        }
        if !id.starts_with('L') {
            return fail("first letter", &id[..1], "L");
        }
        let Some(sensor) = id[1..2].chars().next().and_then(SensorLetter::from_letter) else {
            return fail("sensor letter", &id[1..2], "one of C O T E M");
        };
        let number = |range: std::ops::Range<usize>| parse_digits(&id[range.clone()], range.len());
        let satellite = match number(2..3).and_then(|n| u8::try_from(n).ok()) {
            Some(satellite) if satellite > 0 => satellite,
            _ => return fail("satellite number", &id[2..3], "1 to 9"),
        };
        let (Some(path), Some(row)) = (
            number(3..6).and_then(|n| u16::try_from(n).ok()),
            number(6..9).and_then(|n| u16::try_from(n).ok()),
        ) else {
            return fail("path and row", &id[3..9], "six digits, PPPRRR");
        };
        let Some(acquired) =
            number(9..13).zip(number(13..16)).and_then(|(year, day)| date_of_year(year, day))
        else {
            return fail("year and day of year", &id[9..16], "YYYYDDD");
        };
        let station = &id[16..19];
        if !station.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return fail("ground station", station, "three letters");
        }
        let Some(version) = number(19..21).and_then(|n| u8::try_from(n).ok()) else {
            return fail("version", &id[19..21], "two digits");
        };
        Ok(Self { sensor, satellite, path, row, acquired, station: station.to_owned(), version })
    }

    /// Reads the id at the start of a longer name; also gives what follows it.
    pub fn parse_prefix(text: &str) -> Option<(Self, &str)> {
        let rest = text.get(ID_LENGTH..)?;
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        Some((Self::parse(text.get(..ID_LENGTH)?).ok()?, rest))
    }

    /// The satellite, or why its data cannot be held.
    pub fn platform(&self) -> Result<Platform, PlatformError> {
        let platform = Platform::from_number(self.satellite)?;
        if self.sensor.makes_reflectance(platform) {
            Ok(platform)
        } else {
            Err(PlatformError::Unknown { name: format!("L{}{}", self.sensor.letter(), self.satellite) })
        }
    }

    /// The key under which a newer processing of the scene replaces an older.
    pub fn scene_key(&self) -> Result<String, PlatformError> {
        Ok(scene_key(self.platform()?, self.path, self.row, self.acquired))
    }
}

/// The date of a one-based day of a year.
fn date_of_year(year: u32, day: u32) -> Option<Date> {
    let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    let day = i64::from(day);
    if day < 1 || day > i64::from(first.days_in_year()) {
        return None;
    }
    first.checked_add(jiff::Span::new().days(day - 1)).ok()
}

impl fmt::Display for SceneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "L{}{}{:03}{:03}{:04}{:03}{}{:02}",
            self.sensor.letter(),
            self.satellite,
            self.path,
            self.row,
            self.acquired.year(),
            self.acquired.day_of_year(),
            self.station,
            self.version
        )
    }
}

impl FromStr for SceneId {
    type Err = SceneIdError;

    fn from_str(text: &str) -> Result<Self, SceneIdError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn the_ids_of_the_sample_stacks() {
        let id = SceneId::parse("LE70220491999322EDC01").unwrap();
        assert_eq!(id.platform(), Ok(Platform::Landsat7));
        assert_eq!((id.path, id.row, id.acquired), (22, 49, date(1999, 11, 18)));
        assert_eq!((id.station.as_str(), id.version), ("EDC", 1));
        assert_eq!(id.scene_key(), Ok("LE07_022049_19991118".to_owned()));
        let tm = SceneId::parse("LT50350321984108XXX01").unwrap();
        assert_eq!(tm.acquired, date(1984, 4, 17));
        assert_eq!(tm.to_string(), "LT50350321984108XXX01");
        assert_eq!(SceneId::parse("LE70220492002106EDC00").unwrap().acquired, date(2002, 4, 16));
        let (_, rest) = SceneId::parse_prefix("LE70220492002106EDC00_stack").unwrap();
        assert_eq!(rest, "_stack");
    }

    #[test]
    fn errors_name_the_field() {
        let cases = [
            ("LE7022049199932EDC01", "length"),
            ("XE70220491999322EDC01", "first letter"),
            ("LX70220491999322EDC01", "sensor letter"),
            ("LE00220491999322EDC01", "satellite number"),
            ("LE7A220491999322EDC01", "path and row"),
            ("LE70220491999366EDC01", "year and day of year"),
            ("LE70220491999322EDCAA", "version"),
            ("LE70220491999322ed-01", "ground station"),
        ];
        for (text, field) in cases {
            assert_eq!(SceneId::parse(text).unwrap_err().field, field, "{text}");
        }
        assert!(SceneId::parse("LE70220492000366EDC01").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "\\PC{0,40}") {
            let _ = SceneId::parse(&text);
            let _ = SceneId::parse_prefix(&text);
        }
    }
}
