//! Colour ramps: a value between two stops is painted between their colours.

use std::sync::Arc;

use tesela_model::{ColorStop, parse_color};

use crate::picture::{Color, TRANSPARENT};
use crate::steps::Steps;

/// Colours of a ramp; with the transparent one they leave a palette entry free.
pub(crate) const RAMP_COLORS: usize = 254;

/// A ramp as 254 palette entries (index 0 is transparent), shared evenly among the segments between stops, so that
/// every stop has its exact colour.
#[derive(Debug, Clone)]
pub(crate) struct Ramp {
    palette: Arc<[Color]>,
    /// Where each palette index from 2 on begins; index 1 is the first stop's and goes down without end.
    steps: Steps,
}

impl Ramp {
    /// # Errors
    /// Says what is wrong with the stops.
    pub(crate) fn new(stops: &[ColorStop]) -> Result<Self, String> {
        if stops.len() < 2 || stops.len() > RAMP_COLORS {
            return Err(format!("a ramp has 2 to {RAMP_COLORS} stops, not {}", stops.len()));
        }
        let rising = stops.windows(2).all(|pair| pair[0].value < pair[1].value);
        if !rising || stops.iter().any(|stop| !stop.value.is_finite()) {
            return Err("the stops of a ramp rise".into());
        }
        let color = |stop: &ColorStop| {
            parse_color(&stop.color).ok_or_else(|| format!("colour {:?} is not #rrggbb", stop.color))
        };
        let segments = stops.len() - 1;
        // Palette place of stop k, from 0 to 253.
        let place = |k: usize| (k * (RAMP_COLORS - 1) + segments / 2) / segments;
        let mut palette = vec![TRANSPARENT, color(&stops[0])?];
        let mut thresholds = Vec::with_capacity(RAMP_COLORS - 1);
        for (k, pair) in stops.windows(2).enumerate() {
            let (from, to) = (color(&pair[0])?, color(&pair[1])?);
            let count = place(k + 1) - place(k);
            for i in 1..=count {
                let part = |i: f64| i / count as f64;
                palette.push(mix(from, to, part(i as f64)));
                let begin = pair[0].value + (pair[1].value - pair[0].value) * part(i as f64 - 0.5);
                thresholds.push(begin as f32);
            }
        }
        Ok(Self { palette: palette.into(), steps: Steps::new(thresholds) })
    }

    pub(crate) fn palette(&self) -> &Arc<[Color]> {
        &self.palette
    }

    /// Palette index of a value; values beyond the ends are painted as the ends.
    #[inline]
    pub(crate) fn index(&self, value: f32) -> u8 {
        if value.is_nan() { 0 } else { self.steps.reached(value) + 1 }
    }
}

fn mix(from: Color, to: Color, part: f64) -> Color {
    let mut mixed = TRANSPARENT;
    for ((mixed, from), to) in mixed.iter_mut().zip(from).zip(to) {
        *mixed = (f64::from(from) + (f64::from(to) - f64::from(from)) * part).round() as u8;
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(stops: &[(f64, &str)]) -> Result<Ramp, String> {
        let stop = |(value, color): &(f64, &str)| ColorStop { value: *value, color: (*color).into() };
        Ramp::new(&stops.iter().map(stop).collect::<Vec<_>>())
    }

    #[test]
    fn stops_are_exact_and_the_rest_between() {
        let ramp =
            ramp(&[(0.0, "#000000"), (5.0, "#ff0000"), (10.0, "#ffff00"), (40.0, "#ffffff80")]).unwrap();
        assert_eq!(ramp.palette().len(), 255);
        let color = |value| ramp.palette()[usize::from(ramp.index(value))];
        assert_eq!(color(f32::NAN), [0; 4]);
        assert_eq!([-9.0, 0.0].map(color), [[0, 0, 0, 255]; 2]);
        assert_eq!(color(5.0), [255, 0, 0, 255]);
        assert_eq!(color(10.0), [255, 255, 0, 255]);
        assert_eq!([40.0, 41.0, f32::INFINITY].map(color), [[255, 255, 255, 128]; 3]);
        let [r, g, b, a] = color(2.5);
        assert!(r.abs_diff(128) <= 2 && (g, b, a) == (0, 0, 255), "{r}");
    }

    #[test]
    fn every_number_of_stops_fills_the_palette() {
        for count in 2..=RAMP_COLORS {
            let stops: Vec<(f64, &str)> = (0..count).map(|i| (i as f64, "#123456")).collect();
            assert_eq!(ramp(&stops).unwrap().palette().len(), 255, "{count}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(ramp(&[(0.0, "#000000")]).is_err());
        assert!(ramp(&[(0.0, "#000000"), (0.0, "#ffffff")]).is_err());
        assert!(ramp(&[(0.0, "#000000"), (1.0, "white")]).unwrap_err().contains("white"));
        assert!(ramp(&[(0.0, "#000000"), (f64::NAN, "#ffffff")]).is_err());
    }
}
