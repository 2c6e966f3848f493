//! Recipes: how a derived product is made from scenes or from another derived product. One raster per period.

mod period;
mod reducer;

pub use period::PeriodKind;
pub use reducer::{PercentileMethod, Reducer, Sieve, Statistic, Threshold, TwoStates};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tesela_grid::Titles;

use crate::locate::{DefinitionError, Problems, parse_yaml};
use crate::product::{DType, ProductStatus, PyramidRule, is_identifier};
use crate::style::Style;

/// One output band of a derived product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputBand {
    /// Band name.
    pub name: String,
    /// Title by language.
    #[serde(default)]
    pub title: Titles,
    /// Stored number type.
    pub dtype: DType,
    /// Nodata value; `nan` for floats.
    #[serde(with = "crate::number")]
    #[schemars(with = "f64")]
    pub nodata: f64,
    /// Physical value = stored · scale + offset.
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// Unit (UDUNITS).
    #[serde(default = "unit_one")]
    pub unit: String,
    /// Pyramid rule.
    #[serde(default)]
    pub pyramid: PyramidRule,
}

fn one() -> f64 {
    1.0
}

fn unit_one() -> String {
    "1".into()
}

/// A recipe as its YAML file defines it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipeDef {
    /// Identifier, also the derived product's.
    pub recipe: String,
    /// Method version; part of the provenance.
    pub version: String,
    /// Title by language.
    pub title: Titles,
    /// Longer text by language.
    #[serde(default)]
    pub description: Titles,
    /// How far the result may be relied on.
    pub status: ProductStatus,
    /// Input product.
    pub input: String,
    /// Time span of one raster.
    pub period: PeriodKind,
    /// Mask of the input product, or `none`.
    #[serde(default = "standard")]
    pub mask: String,
    /// Fewest observations that give a value; below it nodata, but `count` stays.
    #[serde(default = "min_obs_default")]
    pub min_obs: u16,
    /// The reduction.
    pub reducer: Reducer,
    /// Output bands, in order.
    pub outputs: Vec<OutputBand>,
    /// Styles; the first is the default.
    #[serde(default)]
    pub styles: Vec<Style>,
}

fn standard() -> String {
    "standard".into()
}

fn min_obs_default() -> u16 {
    1
}

impl RecipeDef {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// [`DefinitionError`] with line and column of every problem.
    pub fn from_yaml(file: &str, text: &str) -> Result<Self, DefinitionError> {
        let def: Self = parse_yaml(file, text)?;
        let mut p = Problems::new(file, text);
        if !is_identifier(&def.recipe) {
            p.at(
                "recipe:",
                &def.recipe,
                format!("recipe {:?} must be lower-case letters, digits and _", def.recipe),
            );
        }
        if def.status == ProductStatus::Official {
            p.at(
                "status:",
                "official",
                "status official needs an accuracy block, which this version cannot hold yet",
            );
        }
        for lang in ["es", "en"] {
            if !def.title.contains_key(lang) {
                p.at("title:", "title", format!("title has no {lang:?} text; both es and en are required"));
            }
        }
        for (word, problem) in def.reducer.problems() {
            p.at("reducer:", &word, problem);
        }
        let layers = def.reducer.layers();
        let names: Vec<&str> = def.outputs.iter().map(|o| o.name.as_str()).collect();
        if names.is_empty() {
            p.at("outputs:", "outputs", format!("outputs must name some of: {}", layers.join(", ")));
        }
        for (i, name) in names.iter().enumerate() {
            if !layers.iter().any(|l| l == name) {
                let kind = def.reducer.as_str();
                p.at("outputs:", name, format!("{kind} has no layer {name:?}; it has {}", layers.join(", ")));
            } else if names[..i].contains(name) {
                p.at("outputs:", name, format!("output {name:?} stands twice"));
            }
        }
        if matches!(def.reducer, Reducer::Trend { .. }) != (def.period == PeriodKind::All) {
            p.at("period:", def.period.as_str(), "period all is that of the reducer trend, and of no other");
        }
        crate::style::check_styles(&def.styles, &names, &mut p);
        p.finish()?;
        Ok(def)
    }

    /// The output band of that name.
    pub fn output(&self, name: &str) -> Option<&OutputBand> {
        self.outputs.iter().find(|o| o.name == name)
    }

    /// JSON Schema of a recipe file.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
