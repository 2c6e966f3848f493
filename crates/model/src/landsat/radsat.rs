//! The radiometric saturation word QA_RADSAT, whose bits differ per sensor (`science.md` 1.4).

use super::platform::SensorFamily;

/// A band that has no saturation bit on a sensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RadsatError {
    /// The sensor has no such band.
    #[error("band `{band}` has no QA_RADSAT bit on {family}; expected one of {expected}")]
    NoBit {
        /// The band asked for.
        band: String,
        /// The sensor family.
        family: SensorFamily,
        /// The names that would do.
        expected: String,
    },
}

/// One band: our name, the file band name, and its bit.
type Row = (&'static str, &'static str, u8);

const TM: [Row; 6] = [
    ("blue", "SR_B1", 0),
    ("green", "SR_B2", 1),
    ("red", "SR_B3", 2),
    ("nir", "SR_B4", 3),
    ("swir1", "SR_B5", 4),
    ("swir2", "SR_B7", 6),
];

const OLI: [Row; 7] = [
    ("coastal", "SR_B1", 0),
    ("blue", "SR_B2", 1),
    ("green", "SR_B3", 2),
    ("red", "SR_B4", 3),
    ("nir", "SR_B5", 4),
    ("swir1", "SR_B6", 5),
    ("swir2", "SR_B7", 6),
];

/// Dropped pixel, TM and ETM+ (bit 9).
pub const DROPPED_PIXEL: u16 = 1 << 9;

/// Terrain occlusion, OLI (bit 11).
pub const TERRAIN_OCCLUSION: u16 = 1 << 11;

const fn rows(family: SensorFamily) -> &'static [Row] {
    match family {
        SensorFamily::Tm | SensorFamily::Etm => &TM,
        SensorFamily::Oli => &OLI,
    }
}

/// The bits of QA_RADSAT that spoil a pixel when these bands are used: their saturation bits, and the dropped
/// pixel (TM, ETM+) or the terrain occlusion (OLI). Bands by our names (`red`) or file names (`SR_B4`).
pub fn saturation_mask<S: AsRef<str>>(family: SensorFamily, bands: &[S]) -> Result<u16, RadsatError> {
    let rows = rows(family);
    let mut mask = match family {
        SensorFamily::Tm | SensorFamily::Etm => DROPPED_PIXEL,
        SensorFamily::Oli => TERRAIN_OCCLUSION,
    };
    for band in bands {
        let band = band.as_ref();
        let Some((_, _, bit)) = rows.iter().find(|(name, file, _)| *name == band || *file == band) else {
            let expected = rows.iter().map(|(name, file, _)| format!("{name} ({file})")).collect::<Vec<_>>();
            return Err(RadsatError::NoBit { band: band.to_owned(), family, expected: expected.join(", ") });
        };
        mask |= 1 << bit;
    }
    Ok(mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

    #[test]
    fn six_bands_differ_per_sensor() {
        assert_eq!(saturation_mask(SensorFamily::Tm, &SIX), Ok(0x5F | 0x200));
        assert_eq!(saturation_mask(SensorFamily::Etm, &SIX), Ok(0x5F | 0x200));
        assert_eq!(saturation_mask(SensorFamily::Oli, &SIX), Ok(0x7E | 0x800));
        assert_eq!(saturation_mask(SensorFamily::Oli, &["SR_B2", "SR_B4"]), Ok(0b1010 | 0x800));
        assert_eq!(saturation_mask::<&str>(SensorFamily::Oli, &[]), Ok(0x800));
    }

    #[test]
    fn a_band_the_sensor_lacks_is_named() {
        let error = saturation_mask(SensorFamily::Tm, &["coastal"]).unwrap_err();
        assert!(error.to_string().contains("`coastal`") && error.to_string().contains("tm"), "{error}");
    }
}
