//! Collection product identifiers (`science.md` 1.6), and the key under which reprocessing replaces.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::platform::{Platform, PlatformError};

/// Which part of a product id is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Number of `_`-separated parts.
    Parts,
    /// The second character, `C O T E M`.
    SensorLetter,
    /// `01` to `09`.
    Satellite,
    /// `L1TP L1GT L1GS L2SP L2SR`.
    Level,
    /// Path and row, six digits.
    PathRow,
    /// `YYYYMMDD`.
    Acquired,
    /// `YYYYMMDD`.
    Processed,
    /// Two digits.
    Collection,
    /// `RT T1 T2`.
    Tier,
}

impl Field {
    /// The words an error message uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parts => "number of parts",
            Self::SensorLetter => "sensor letter",
            Self::Satellite => "satellite number",
            Self::Level => "processing level",
            Self::PathRow => "path and row",
            Self::Acquired => "acquisition date",
            Self::Processed => "processing date",
            Self::Collection => "collection number",
            Self::Tier => "tier",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a product id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` is not a Landsat product id: {field} is `{found}`, expected {expected}")]
pub struct ProductIdError {
    /// The whole text.
    pub id: String,
    /// The field that is wrong.
    pub field: Field,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: &'static str,
}

/// The second letter of an id: which instruments took part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SensorLetter {
    /// `C`, OLI and TIRS together.
    C,
    /// `O`, OLI alone.
    O,
    /// `T`, TM, or TIRS alone on Landsat 8 and 9.
    T,
    /// `E`, ETM+.
    E,
    /// `M`, MSS.
    M,
}

impl SensorLetter {
    /// The letter itself.
    pub const fn letter(self) -> char {
        match self {
            Self::C => 'C',
            Self::O => 'O',
            Self::T => 'T',
            Self::E => 'E',
            Self::M => 'M',
        }
    }

    /// Reads the letter (upper case only, as USGS writes it).
    pub const fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'C' => Self::C,
            'O' => Self::O,
            'T' => Self::T,
            'E' => Self::E,
            'M' => Self::M,
            _ => return None,
        })
    }

    /// Whether this letter on this satellite means the sensor that makes surface reflectance.
    pub(crate) fn makes_reflectance(self, platform: Platform) -> bool {
        matches!(
            (self, platform),
            (Self::C | Self::O, Platform::Landsat8 | Platform::Landsat9)
                | (Self::T, Platform::Landsat4 | Platform::Landsat5)
                | (Self::E, Platform::Landsat7)
        )
    }
}

/// Processing level of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Terrain precision corrected top-of-atmosphere.
    L1TP,
    /// Systematic terrain corrected.
    L1GT,
    /// Systematic.
    L1GS,
    /// Surface reflectance and temperature.
    L2SP,
    /// Surface reflectance alone.
    L2SR,
}

impl Level {
    /// The four letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1TP => "L1TP",
            Self::L1GT => "L1GT",
            Self::L1GS => "L1GS",
            Self::L2SP => "L2SP",
            Self::L2SR => "L2SR",
        }
    }

    /// True for surface reflectance.
    pub const fn is_level2(self) -> bool {
        matches!(self, Self::L2SP | Self::L2SR)
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::L1TP, Self::L1GT, Self::L1GS, Self::L2SP, Self::L2SR].into_iter().find(|l| l.name() == text)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Collection category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Real time, replaced within weeks.
    RT,
    /// Tier 1, geometry good enough for series.
    T1,
    /// Tier 2.
    T2,
}

impl Tier {
    /// The two letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RT => "RT",
            Self::T1 => "T1",
            Self::T2 => "T2",
        }
    }

    /// Reads `RT`, `T1` or `T2`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::RT, Self::T1, Self::T2].into_iter().find(|t| t.name() == text)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A product id of Collection 1 or 2, taken apart. Its text form is always the original text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId {
    /// Which instruments took part.
    pub sensor: SensorLetter,
    /// Satellite number, 1 to 9.
    pub satellite: u8,
    /// Processing level.
    pub level: Level,
    /// WRS path.
    pub path: u16,
    /// WRS row.
    pub row: u16,
    /// Day of acquisition (UTC).
    pub acquired: Date,
    /// Day of processing.
    pub processed: Date,
    /// Collection number, 1 or 2 today.
    pub collection: u8,
    /// Collection category.
    pub tier: Tier,
}

impl ProductId {
    /// Reads an id; the error says which field is wrong.
    pub fn parse(id: &str) -> Result<Self, ProductIdError> {
        let fail = |field, found: &str, expected| {
            Err(ProductIdError { id: id.to_owned(), field, found: found.to_owned(), expected })
        };
        let parts: Vec<&str> = id.split('_').collect();
        let [head, level, path_row, acquired, processed, collection, tier] = parts.as_slice() else {
            return Err(wrong_number_of_parts(id, &parts));
        };
        let letters: Vec<char> = head.chars().collect();
        let ['L', letter, tens, ones] = letters.as_slice() else {
            return fail(Field::SensorLetter, head, "`L`, one of C O T E M, and two digits, as in LC08");
        };
        let Some(sensor) = SensorLetter::from_letter(*letter) else {
            return fail(Field::SensorLetter, &letter.to_string(), "one of C O T E M");
        };
        let ('0', Some(satellite @ 1..=9)) = (*tens, ones.to_digit(10).and_then(|n| u8::try_from(n).ok()))
        else {
            return fail(Field::Satellite, &format!("{tens}{ones}"), "01 to 09");
        };
        let Some(level) = Level::parse(level) else {
            return fail(Field::Level, level, "one of L1TP L1GT L1GS L2SP L2SR");
        };
        let Some((path, row)) = parse_path_row(path_row) else {
            return fail(Field::PathRow, path_row, "six digits, PPPRRR");
        };
        let Some(acquired) = parse_yyyymmdd(acquired) else {
            return fail(Field::Acquired, acquired, "a date YYYYMMDD");
        };
        let Some(processed) = parse_yyyymmdd(processed) else {
            return fail(Field::Processed, processed, "a date YYYYMMDD");
        };
        let Some(collection) = parse_digits(collection, 2).and_then(|n| u8::try_from(n).ok()) else {
            return fail(Field::Collection, collection, "two digits, 01 or 02");
        };
        let Some(tier) = Tier::parse(tier) else {
            return fail(Field::Tier, tier, "one of RT T1 T2");
        };
        Ok(Self { sensor, satellite, level, path, row, acquired, processed, collection, tier })
    }

    /// Reads the id at the start of a longer name, such as a file name; also gives what follows it.
    pub fn parse_prefix(text: &str) -> Option<(Self, &str)> {
        let id = text.get(..ID_LENGTH)?;
        let rest = text.get(ID_LENGTH..)?;
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        Some((Self::parse(id).ok()?, rest))
    }

    /// The satellite, or why its data cannot be held.
    pub fn platform(&self) -> Result<Platform, PlatformError> {
        let platform = Platform::from_number(self.satellite)?;
        if self.sensor.makes_reflectance(platform) {
            Ok(platform)
        } else {
            Err(PlatformError::Unknown { name: format!("L{}{:02}", self.sensor.letter(), self.satellite) })
        }
    }

    /// The reprocessing key: same satellite and sensor, path, row and acquisition date.
    pub fn scene_key(&self) -> String {
        match self.platform() {
            Ok(platform) => scene_key(platform, self.path, self.row, self.acquired),
            Err(_) => key_text(
                &format!("L{}{:02}", self.sensor.letter(), self.satellite),
                self.path,
                self.row,
                self.acquired,
            ),
        }
    }

    /// The collection as metadata and product definitions write it, `01` or `02`.
    pub fn collection_text(&self) -> String {
        format!("{:02}", self.collection)
    }
}

/// Every collection product id has this many characters.
const ID_LENGTH: usize = 40;

/// The key under which a newer processing of a scene replaces an older: `LC08_017051_20151205`.
///
/// OLI alone (`LO08`) and OLI with TIRS (`LC08`) are the same acquisition and share a key, whose prefix is
/// then `LC08`.
pub fn scene_key(platform: Platform, path: u16, row: u16, acquired: Date) -> String {
    key_text(platform.id_prefix(), path, row, acquired)
}

fn key_text(prefix: &str, path: u16, row: u16, acquired: Date) -> String {
    format!("{prefix}_{path:03}{row:03}_{}", acquired.strftime("%Y%m%d"))
}

fn wrong_number_of_parts(id: &str, parts: &[&str]) -> ProductIdError {
    let expected = match parts {
        [.., "SR" | "ST"] if parts.len() == 8 => {
            "seven parts: `_SR` and `_ST` end STAC item ids, leave the ending off"
        }
        _ if parts.len() == 6 && parse_yyyymmdd(parts[4]).is_none() => {
            "seven parts: the processing date is missing, this is a STAC item id"
        }
        _ => "seven parts, LXSS_LLLL_PPPRRR_YYYYMMDD_YYYYMMDD_CC_TX",
    };
    let field =
        if parts.len() == 6 && parse_yyyymmdd(parts[4]).is_none() { Field::Processed } else { Field::Parts };
    let found = if field == Field::Processed { parts[4].to_owned() } else { parts.len().to_string() };
    ProductIdError { id: id.to_owned(), field, found, expected }
}

pub(crate) fn parse_digits(text: &str, length: usize) -> Option<u32> {
    if text.len() == length && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn parse_path_row(text: &str) -> Option<(u16, u16)> {
    let number = parse_digits(text, 6)?;
    Some((u16::try_from(number / 1000).ok()?, u16::try_from(number % 1000).ok()?))
}

fn parse_yyyymmdd(text: &str) -> Option<Date> {
    let number = parse_digits(text, 8)?;
    let year = i16::try_from(number / 10_000).ok()?;
    let month = i8::try_from(number / 100 % 100).ok()?;
    let day = i8::try_from(number % 100).ok()?;
    Date::new(year, month, day).ok()
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "L{}{:02}_{}_{:03}{:03}_{}_{}_{:02}_{}",
            self.sensor.letter(),
            self.satellite,
            self.level,
            self.path,
            self.row,
            self.acquired.strftime("%Y%m%d"),
            self.processed.strftime("%Y%m%d"),
            self.collection,
            self.tier
        )
    }
}

impl FromStr for ProductId {
    type Err = ProductIdError;

    fn from_str(text: &str) -> Result<Self, ProductIdError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn kat_l3_accepts() {
        let id = ProductId::parse("LC09_L2SP_010065_20220129_20220131_02_T1").unwrap();
        assert_eq!((id.sensor, id.satellite, id.level), (SensorLetter::C, 9, Level::L2SP));
        assert_eq!((id.path, id.row), (10, 65));
        assert_eq!((id.acquired, id.processed), (date(2022, 1, 29), date(2022, 1, 31)));
        assert_eq!((id.collection, id.tier), (2, Tier::T1));
        assert_eq!(id.scene_key(), "LC09_010065_20220129");
        let tm = ProductId::parse("LT05_L2SP_010067_19860424_20200918_02_T2").unwrap();
        assert_eq!((tm.platform(), tm.tier), (Ok(Platform::Landsat5), Tier::T2));
        let c1 = ProductId::parse("LC08_L1TP_091084_20190205_20190221_01_T1").unwrap();
        assert_eq!((c1.collection_text().as_str(), c1.level.is_level2()), ("01", false));
    }

    #[test]
    fn kat_l3_rejects_and_names_the_field() {
        let cases = [
            ("LC08_L2SP_047027_20201204_02_T1", Field::Processed),
            ("LC09_L2SP_010065_20220129_20220131_02_T1_SR", Field::Parts),
            ("LX08_L2SP_010065_20220129_20220131_02_T1", Field::SensorLetter),
            ("XC08_L2SP_010065_20220129_20220131_02_T1", Field::SensorLetter),
            ("LC18_L2SP_010065_20220129_20220131_02_T1", Field::Satellite),
            ("LC00_L2SP_010065_20220129_20220131_02_T1", Field::Satellite),
            ("LC08_L3XX_010065_20220129_20220131_02_T1", Field::Level),
            ("LC08_L2SP_01006_20220129_20220131_02_T1", Field::PathRow),
            ("LC08_L2SP_010065_20220230_20220131_02_T1", Field::Acquired),
            ("LC08_L2SP_010065_20220129_2022013_02_T1", Field::Processed),
            ("LC08_L2SP_010065_20220129_20220131_2_T1", Field::Collection),
            ("LC08_L2SP_010065_20220129_20220131_02_A1", Field::Tier),
            ("lc08_L2SP_010065_20220129_20220131_02_T1", Field::SensorLetter),
            ("", Field::Parts),
        ];
        for (id, field) in cases {
            let error = ProductId::parse(id).unwrap_err();
            assert_eq!(error.field, field, "{id}: {error}");
            assert!(error.to_string().contains(field.name()), "{error}");
        }
    }

    #[test]
    fn reprocessing_shares_the_key_and_instruments_of_one_pass_do_too() {
        let key = |id: &str| ProductId::parse(id).unwrap().scene_key();
        assert_eq!(
            key("LC08_L2SP_017051_20151205_20200908_02_T1"),
            key("LC08_L2SR_017051_20151205_20230101_02_T2")
        );
        assert_eq!(
            key("LC08_L2SP_017051_20151205_20200908_02_T1"),
            key("LO08_L2SR_017051_20151205_20200908_02_T1")
        );
        assert_ne!(
            key("LM05_L1TP_017051_19871205_20200908_02_T1"),
            key("LT05_L2SP_017051_19871205_20200908_02_T1")
        );
    }

    #[test]
    fn platforms_without_reflectance_are_told_apart() {
        let platform = |id: &str| ProductId::parse(id).unwrap().platform();
        assert!(platform("LM05_L1TP_017051_19871205_20200908_02_T1").is_err());
        assert!(platform("LT08_L1TP_017051_20151205_20200908_02_T1").is_err());
        assert_eq!(
            platform("LM01_L1GS_001010_19720908_20200909_02_T2"),
            Err(PlatformError::Unsupported { number: 1 })
        );
    }

    #[test]
    fn prefix_of_a_file_name() {
        let (id, rest) =
            ProductId::parse_prefix("LC08_L1TP_091084_20190205_20190221_01_T1_sr_band4.tif").unwrap();
        assert_eq!((id.path, rest), (91, "_sr_band4.tif"));
        assert!(ProductId::parse_prefix("LC08_L1TP_091084_20190205_20190221_01_T12").is_none());
        assert!(ProductId::parse_prefix("LC08_L1TP_091084").is_none());
        assert!(ProductId::parse_prefix("ñññññññññññññññññññññññññññññ").is_none());
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "\\PC{0,60}") {
            let _ = ProductId::parse(&text);
            let _ = ProductId::parse_prefix(&text);
        }

        #[test]
        fn accepted_ids_print_as_they_came(
            text in "L[COTEM]0[1-9]_(L1TP|L1GT|L1GS|L2SP|L2SR)_[0-9]{6}_(19|20)[0-9]{2}0[1-9]1[0-9]_20[0-9]{2}1[0-2]0[1-9]_0[12]_(RT|T1|T2)",
        ) {
            let id = ProductId::parse(&text).unwrap();
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
