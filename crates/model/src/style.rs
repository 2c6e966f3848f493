//! How a product is painted. Styles are data, in product and recipe files.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tesela_grid::Titles;

use crate::locate::Problems;

/// One class of a categorical style.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassEntry {
    /// Stored value.
    pub value: f64,
    /// `#rrggbb` or `#rrggbbaa`.
    pub color: String,
    /// Title by language.
    #[serde(default)]
    pub title: Titles,
}

/// One stop of a colour ramp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColorStop {
    /// Physical value.
    pub value: f64,
    /// `#rrggbb` or `#rrggbbaa`.
    pub color: String,
}

/// What a style paints.
#[derive(Debug, Clone, PartialEq)]
pub enum StyleKind<'a> {
    /// Three bands stretched over one range.
    Rgb {
        /// Red, green and blue band names.
        bands: &'a [String; 3],
        /// Physical values painted 0 and 255.
        range: [f64; 2],
        /// Exponent is `1 / gamma`.
        gamma: f64,
    },
    /// One band or expression through a colour ramp.
    Ramp {
        /// Band name or expression over band names.
        expression: &'a str,
        /// Stops in rising order of value.
        stops: &'a [ColorStop],
    },
    /// One band of classes.
    Classes {
        /// Band name.
        band: &'a str,
        /// Colours by stored value; other values are transparent.
        entries: &'a [ClassEntry],
    },
}

/// A named style. Exactly one of `rgb`, `ramp` (with `band` or `expression`) and `classes` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// Identifier; `default` is reserved and always means the first style.
    pub name: String,
    /// Title by language.
    pub title: Titles,
    /// Three band names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rgb: Option<[String; 3]>,
    /// Physical range of an `rgb` style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// Gamma of an `rgb` style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// Band of a `ramp` or `classes` style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
    /// Expression of a `ramp` style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Colour ramp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Vec<ColorStop>>,
    /// Unit shown in the legend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<ClassEntry>>,
}

impl Style {
    /// What the style paints, or `None` when its fields contradict each other (which
    /// `products validate` reports).
    pub fn kind(&self) -> Option<StyleKind<'_>> {
        match (&self.rgb, &self.ramp, &self.classes) {
            (Some(bands), None, None) => {
                Some(StyleKind::Rgb { bands, range: self.range?, gamma: self.gamma.unwrap_or(1.0) })
            }
            (None, Some(stops), None) => Some(StyleKind::Ramp {
                expression: self.expression.as_deref().or(self.band.as_deref())?,
                stops,
            }),
            (None, None, Some(entries)) => Some(StyleKind::Classes { band: self.band.as_deref()?, entries }),
            _ => None,
        }
    }
}

/// `#rrggbb` or `#rrggbbaa` as RGBA bytes.
pub fn parse_color(text: &str) -> Option<[u8; 4]> {
    let hex = text.strip_prefix('#')?;
    if !hex.is_ascii() || !matches!(hex.len(), 6 | 8) {
        return None;
    }
    let byte = |i: usize| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok();
    Some([byte(0)?, byte(1)?, byte(2)?, if hex.len() == 8 { byte(3)? } else { 255 }])
}

pub(crate) fn check_styles(styles: &[Style], bands: &[&str], p: &mut Problems<'_>) {
    let mut seen = BTreeSet::new();
    let known = |b: &str| bands.contains(&b);
    for s in styles {
        let n = &s.name;
        if n == "default" {
            p.at("styles:", n, "style name default is reserved: it always means the first style");
        }
        if !seen.insert(n) {
            p.at("styles:", n, format!("style {n:?} stands twice"));
        }
        let Some(kind) = s.kind() else {
            p.at(
                "styles:",
                n,
                format!(
                    "style {n}: give exactly one of rgb + range, ramp + band or expression, classes + band"
                ),
            );
            continue;
        };
        match kind {
            StyleKind::Rgb { bands: rgb, range, gamma } => {
                for b in rgb {
                    if !known(b) {
                        p.at(
                            "styles:",
                            b,
                            format!("style {n}: unknown band {b:?}; bands: {}", bands.join(", ")),
                        );
                    }
                }
                if range[0] >= range[1] || gamma <= 0.0 {
                    p.at("styles:", n, format!("style {n}: range must rise and gamma be positive"));
                }
            }
            StyleKind::Ramp { expression, stops } => {
                if s.expression.is_none() && !known(expression) {
                    p.at(
                        "styles:",
                        expression,
                        format!("style {n}: unknown band {expression:?}; bands: {}", bands.join(", ")),
                    );
                }
                if stops.len() < 2 || stops.windows(2).any(|w| w[0].value >= w[1].value) {
                    p.at("styles:", n, format!("style {n}: a ramp needs two or more stops in rising order"));
                }
                for stop in stops {
                    if parse_color(&stop.color).is_none() {
                        p.at(
                            "styles:",
                            &stop.color,
                            format!("style {n}: colour {:?} is not #rrggbb", stop.color),
                        );
                    }
                }
            }
            StyleKind::Classes { band, entries } => {
                if !known(band) {
                    p.at(
                        "styles:",
                        band,
                        format!("style {n}: unknown band {band:?}; bands: {}", bands.join(", ")),
                    );
                }
                for e in entries {
                    if parse_color(&e.color).is_none() {
                        p.at("styles:", &e.color, format!("style {n}: colour {:?} is not #rrggbb", e.color));
                    }
                }
            }
        }
    }
}
