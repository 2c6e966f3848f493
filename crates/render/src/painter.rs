//! A style, ready to paint.

use std::sync::Arc;

use tesela_model::{Style, StyleKind};

use crate::classes::Classes;
use crate::error::RenderError;
use crate::picture::{Color, Picture, TRANSPARENT};
use crate::ramp::Ramp;
use crate::stretch::Stretch;

/// Paints pixels in one style. Make it once; painting takes it by reference from any thread.
#[derive(Debug, Clone)]
pub struct Painter {
    style: String,
    inputs: Vec<String>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Rgb(Stretch),
    Ramp(Ramp),
    Classes(Classes),
}

impl Painter {
    /// Prepares a style.
    ///
    /// # Errors
    /// [`RenderError::Style`] if the style contradicts itself: fields missing, a range or ramp that does not rise,
    /// a colour that is none.
    pub fn new(style: &Style) -> Result<Self, RenderError> {
        let refuse = |reason: String| RenderError::style(&style.name, reason);
        let kind = style.kind().ok_or_else(|| {
            refuse("give exactly one of rgb + range, ramp + band or expression, classes + band".into())
        })?;
        let (inputs, kind) = match kind {
            StyleKind::Rgb { bands, range, gamma } => {
                let rises = range[0].is_finite() && range[1].is_finite() && range[0] < range[1];
                if !rises || !gamma.is_finite() || gamma <= 0.0 {
                    return Err(refuse("range must rise and gamma be positive".into()));
                }
                (bands.to_vec(), Kind::Rgb(Stretch::new(range, gamma)))
            }
            StyleKind::Ramp { expression, stops } => {
                (vec![expression.to_owned()], Kind::Ramp(Ramp::new(stops).map_err(refuse)?))
            }
            StyleKind::Classes { band, entries } => {
                (vec![band.to_owned()], Kind::Classes(Classes::new(entries).map_err(refuse)?))
            }
        };
        Ok(Self { style: style.name.clone(), inputs, kind })
    }

    /// What is painted: three band names (red, green, blue), or one expression, of which a band name is the simplest.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Whether values are classes: to be sampled by nearest neighbour, and painted as stored.
    pub fn is_categorical(&self) -> bool {
        matches!(self.kind, Kind::Classes(_))
    }

    /// Paints `width × height` pixels, row-major, from one plane for each input: physical values, or stored ones
    /// for classes. NaN in any plane is transparent.
    ///
    /// # Errors
    /// [`RenderError::Inputs`] if there are more or fewer planes than inputs; [`RenderError::Size`] if a plane does
    /// not hold the pixels.
    pub fn paint(&self, width: u32, height: u32, planes: &[&[f32]]) -> Result<Picture, RenderError> {
        let wrong_inputs = || RenderError::Inputs {
            style: self.style.clone(),
            expected: self.inputs.len(),
            found: planes.len(),
        };
        let count = width as usize * height as usize;
        if let Some(plane) = planes.iter().find(|plane| plane.len() != count) {
            return Err(RenderError::Size { width, height, found: plane.len() });
        }
        match (&self.kind, planes) {
            (Kind::Rgb(stretch), [red, green, blue]) => {
                let mut pixels = vec![0; 4 * count];
                stretch.paint([red, green, blue], &mut pixels);
                Ok(Picture::Rgba { width, height, pixels })
            }
            (Kind::Ramp(ramp), [values]) => {
                let indices = values.iter().map(|value| ramp.index(*value)).collect();
                Ok(Picture::Palette { width, height, indices, palette: Arc::clone(ramp.palette()) })
            }
            (Kind::Classes(classes), [values]) => {
                let indices = values.iter().map(|value| classes.index(*value)).collect();
                Ok(Picture::Palette { width, height, indices, palette: Arc::clone(classes.palette()) })
            }
            _ => Err(wrong_inputs()),
        }
    }

    /// The colour of one pixel, a value for each input; transparent if one is NaN or missing. The same as
    /// [`paint`](Self::paint) gives.
    pub fn color_at(&self, values: &[f32]) -> Color {
        match (&self.kind, values) {
            (Kind::Rgb(stretch), [r, g, b]) if !values.iter().any(|value| value.is_nan()) => {
                [stretch.byte(*r), stretch.byte(*g), stretch.byte(*b), 255]
            }
            (Kind::Ramp(ramp), [value]) => ramp.palette()[usize::from(ramp.index(*value))],
            (Kind::Classes(classes), [value]) => classes.palette()[usize::from(classes.index(*value))],
            _ => TRANSPARENT,
        }
    }
}
