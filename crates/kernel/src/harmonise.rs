//! Reflectance of one Landsat sensor as another would have seen it.
//!
//! Ordinary least squares between ETM+ and OLI surface reflectance. An option, off by default: regression
//! attenuates contrast (the slope of nir is 0.85), the two directions are **not** inverses of each other, and
//! the fit was made over the United States before Collection 2. A harmonised year is never mixed with years
//! that are not. TM takes the ETM+ row by convention.
//!
//! # Source
//! Roy et al. (2016), RSE 185, table 2.

use crate::indices::BANDS;

/// Which sensor's reflectance is turned into which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// ETM+ (and TM) to OLI.
    EtmToOli,
    /// OLI to ETM+.
    OliToEtm,
}

/// `slope · ρ + intercept`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Slope, unitless.
    pub slope: f64,
    /// Intercept, reflectance.
    pub intercept: f64,
}

impl Line {
    /// The line at a reflectance (0..=1); NaN, which is nodata, stays NaN.
    pub fn at(self, reflectance: f64) -> f64 {
        self.slope * reflectance + self.intercept
    }
}

const ETM_TO_OLI: [(f64, f64); 6] = [
    (0.8474, 0.0003),
    (0.8483, 0.0088),
    (0.9047, 0.0061),
    (0.8462, 0.0412),
    (0.8937, 0.0254),
    (0.9071, 0.0172),
];
const OLI_TO_ETM: [(f64, f64); 6] = [
    (0.8850, 0.0183),
    (0.9317, 0.0123),
    (0.9372, 0.0123),
    (0.8339, 0.0448),
    (0.8639, 0.0306),
    (0.9165, 0.0116),
];

/// The line for a band, one of [`BANDS`]; `None` for any other.
pub fn line(band: &str, direction: Direction) -> Option<Line> {
    let at = BANDS.iter().position(|known| *known == band)?;
    let (slope, intercept) = match direction {
        Direction::EtmToOli => ETM_TO_OLI[at],
        Direction::OliToEtm => OLI_TO_ETM[at],
    };
    Some(Line { slope, intercept })
}

/// Turns a block of reflectances of one band, in place; NaN stays NaN.
pub fn harmonise(values: &mut [f32], line: Line) {
    let (slope, intercept) = (line.slope as f32, line.intercept as f32);
    for value in values {
        *value = slope * *value + intercept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KAT-L7 of science 1.10.
    #[test]
    fn known_spectra() {
        let spectrum = [0.05, 0.08, 0.10, 0.25, 0.22, 0.15];
        for (direction, expected) in [
            (Direction::EtmToOli, [0.04267, 0.076664, 0.09657, 0.25275, 0.222014, 0.153265]),
            (Direction::OliToEtm, [0.06255, 0.086836, 0.10602, 0.253275, 0.220658, 0.149075]),
        ] {
            for ((band, value), expected) in BANDS.into_iter().zip(spectrum).zip(expected) {
                let line = line(band, direction).unwrap();
                assert!((line.at(value) - expected).abs() < 1e-9, "{band} {}", line.at(value));
                let mut block = [value as f32, f32::NAN];
                harmonise(&mut block, line);
                assert!((f64::from(block[0]) - expected).abs() < 1e-7 && block[1].is_nan());
            }
        }
        assert_eq!(line("qa_pixel", Direction::EtmToOli), None);
    }

    #[test]
    fn the_directions_are_no_inverses() {
        let there = line("nir", Direction::EtmToOli).unwrap();
        let back = line("nir", Direction::OliToEtm).unwrap();
        assert!((back.at(there.at(0.4)) - 0.4).abs() > 0.01);
    }
}
