//! Satellites, sensors, and the sensor families that product definitions name in `aliases`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Landsat satellite whose surface reflectance a cube can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Platform {
    /// Landsat 4, 1982–1993, TM.
    #[serde(rename = "landsat-4")]
    Landsat4,
    /// Landsat 5, 1984–2013, TM.
    #[serde(rename = "landsat-5")]
    Landsat5,
    /// Landsat 7, 1999–, ETM+; scan-line gaps from 31 May 2003.
    #[serde(rename = "landsat-7")]
    Landsat7,
    /// Landsat 8, 2013–, OLI.
    #[serde(rename = "landsat-8")]
    Landsat8,
    /// Landsat 9, 2021–, OLI-2.
    #[serde(rename = "landsat-9")]
    Landsat9,
}

/// The imaging sensor behind the reflective bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sensor {
    /// Thematic Mapper (Landsat 4 and 5).
    #[serde(rename = "TM")]
    Tm,
    /// Enhanced Thematic Mapper Plus (Landsat 7).
    #[serde(rename = "ETM+")]
    EtmPlus,
    /// Operational Land Imager (Landsat 8).
    #[serde(rename = "OLI")]
    Oli,
    /// Operational Land Imager 2 (Landsat 9).
    #[serde(rename = "OLI-2")]
    Oli2,
}

/// Sensors that share band numbers: the keys of `aliases` in a product definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SensorFamily {
    /// TM; its aliases serve ETM+ too, unless `etm` is given.
    Tm,
    /// ETM+.
    Etm,
    /// OLI and OLI-2.
    Oli,
}

/// A platform name that is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// A Landsat without surface reflectance at 30 m (1–3), or a number no Landsat in orbit has.
    #[error(
        "Landsat {number} carries no sensor this cube reads; expected landsat-4, landsat-5, landsat-7, landsat-8 or landsat-9"
    )]
    Unsupported {
        /// The satellite number found.
        number: u8,
    },
    /// Not the name of a Landsat at all.
    #[error(
        "`{name}` is not a Landsat platform; expected landsat-4, landsat-5, landsat-7, landsat-8 or landsat-9"
    )]
    Unknown {
        /// The text found.
        name: String,
    },
}

impl Platform {
    /// All platforms, oldest first.
    pub const ALL: [Self; 5] =
        [Self::Landsat4, Self::Landsat5, Self::Landsat7, Self::Landsat8, Self::Landsat9];

    /// The platform with this satellite number.
    pub fn from_number(number: u8) -> Result<Self, PlatformError> {
        Self::ALL.into_iter().find(|p| p.number() == number).ok_or(PlatformError::Unsupported { number })
    }

    /// The satellite number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Landsat4 => 4,
            Self::Landsat5 => 5,
            Self::Landsat7 => 7,
            Self::Landsat8 => 8,
            Self::Landsat9 => 9,
        }
    }

    /// The STAC name, such as `landsat-8`.
    pub const fn stac_name(self) -> &'static str {
        match self {
            Self::Landsat4 => "landsat-4",
            Self::Landsat5 => "landsat-5",
            Self::Landsat7 => "landsat-7",
            Self::Landsat8 => "landsat-8",
            Self::Landsat9 => "landsat-9",
        }
    }

    /// The name in MTL files, such as `LANDSAT_8`.
    pub const fn mtl_name(self) -> &'static str {
        match self {
            Self::Landsat4 => "LANDSAT_4",
            Self::Landsat5 => "LANDSAT_5",
            Self::Landsat7 => "LANDSAT_7",
            Self::Landsat8 => "LANDSAT_8",
            Self::Landsat9 => "LANDSAT_9",
        }
    }

    /// The sensor that makes its surface reflectance.
    pub const fn sensor(self) -> Sensor {
        match self {
            Self::Landsat4 | Self::Landsat5 => Sensor::Tm,
            Self::Landsat7 => Sensor::EtmPlus,
            Self::Landsat8 => Sensor::Oli,
            Self::Landsat9 => Sensor::Oli2,
        }
    }

    /// The alias family of that sensor.
    pub const fn family(self) -> SensorFamily {
        self.sensor().family()
    }

    /// STAC `instruments`: lower case, reflective sensor first.
    pub const fn instruments(self) -> &'static [&'static str] {
        match self {
            Self::Landsat4 | Self::Landsat5 => &["tm"],
            Self::Landsat7 => &["etm+"],
            Self::Landsat8 | Self::Landsat9 => &["oli", "tirs"],
        }
    }

    /// The two letters and two digits USGS ids begin with (`LC08`), always `C` for OLI.
    pub const fn id_prefix(self) -> &'static str {
        match self {
            Self::Landsat4 => "LT04",
            Self::Landsat5 => "LT05",
            Self::Landsat7 => "LE07",
            Self::Landsat8 => "LC08",
            Self::Landsat9 => "LC09",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stac_name())
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Accepts `landsat-8`, `LANDSAT_8`, `Landsat8`, and the short forms `L8`, `LT5`, `LC08`.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let unknown = || PlatformError::Unknown { name: text.to_owned() };
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_start_matches(|c: char| !c.is_ascii_digit());
        let stem = lower[..lower.len() - digits.len()].trim_end_matches(['-', '_', ' ']);
        if !matches!(stem, "landsat" | "l" | "lc" | "lo" | "lt" | "le" | "lm") || digits.len() > 2 {
            return Err(unknown());
        }
        let platform = Self::from_number(digits.parse().map_err(|_| unknown())?)?;
        let sensor_fits = match stem {
            "lc" | "lo" => platform.family() == SensorFamily::Oli,
            "lt" => platform.family() == SensorFamily::Tm,
            "le" => platform.family() == SensorFamily::Etm,
            "lm" => false,
            _ => true,
        };
        if sensor_fits { Ok(platform) } else { Err(unknown()) }
    }
}

impl Sensor {
    /// The name USGS writes: `TM`, `ETM+`, `OLI`, `OLI-2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tm => "TM",
            Self::EtmPlus => "ETM+",
            Self::Oli => "OLI",
            Self::Oli2 => "OLI-2",
        }
    }

    /// The alias family.
    pub const fn family(self) -> SensorFamily {
        match self {
            Self::Tm => SensorFamily::Tm,
            Self::EtmPlus => SensorFamily::Etm,
            Self::Oli | Self::Oli2 => SensorFamily::Oli,
        }
    }
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SensorFamily {
    /// Every family name a product definition may use as an alias key.
    pub const NAMES: [&'static str; 3] = ["tm", "etm", "oli"];

    /// The key in `aliases`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tm => "tm",
            Self::Etm => "etm",
            Self::Oli => "oli",
        }
    }

    /// The alias keys to try, most specific first: ETM+ falls back on `tm`.
    pub const fn lookup(self) -> &'static [&'static str] {
        match self {
            Self::Tm => &["tm"],
            Self::Etm => &["etm", "tm"],
            Self::Oli => &["oli"],
        }
    }
}

impl fmt::Display for SensorFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The file band name of a measurement for a sensor family: `{oli: SR_B4, tm: SR_B3}` gives `SR_B3` for ETM+.
pub fn resolve_alias(aliases: &BTreeMap<String, String>, family: SensorFamily) -> Option<&str> {
    family.lookup().iter().find_map(|key| aliases.get(*key)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_all_their_spellings() {
        for text in ["landsat-8", "LANDSAT_8", "Landsat8", "Landsat 8", "L8", "LC8", "LC08", "lo08"] {
            assert_eq!(text.parse::<Platform>(), Ok(Platform::Landsat8), "{text}");
        }
        assert_eq!("LT5".parse::<Platform>(), Ok(Platform::Landsat5));
        assert_eq!("landsat-3".parse::<Platform>(), Err(PlatformError::Unsupported { number: 3 }));
        for text in ["", "8", "sentinel-2a", "LT08", "LM05", "landsat-", "landsat-800", "LX08", "ñ5"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
        for platform in Platform::ALL {
            assert_eq!(platform.to_string().parse(), Ok(platform));
            assert_eq!(platform.mtl_name().parse(), Ok(platform));
            assert_eq!(platform.id_prefix().parse(), Ok(platform));
            let json = serde_json::to_string(&platform).unwrap();
            assert_eq!(json, format!("\"{platform}\""));
        }
    }

    #[test]
    fn tm_aliases_serve_etm_unless_it_has_its_own() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let red = map(&[("oli", "SR_B4"), ("tm", "SR_B3")]);
        assert_eq!(resolve_alias(&red, SensorFamily::Oli), Some("SR_B4"));
        assert_eq!(resolve_alias(&red, SensorFamily::Tm), Some("SR_B3"));
        assert_eq!(resolve_alias(&red, SensorFamily::Etm), Some("SR_B3"));
        let own = map(&[("tm", "a"), ("etm", "b")]);
        assert_eq!(resolve_alias(&own, SensorFamily::Etm), Some("b"));
        assert_eq!(resolve_alias(&own, SensorFamily::Oli), None);
    }

    #[test]
    fn instruments_are_stac_words() {
        assert_eq!(Platform::Landsat9.instruments(), ["oli", "tirs"]);
        assert_eq!(Platform::Landsat9.sensor().name(), "OLI-2");
        assert_eq!(Platform::Landsat7.instruments(), ["etm+"]);
    }
}
