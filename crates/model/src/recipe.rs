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

/// Turns the reflectance of one Landsat sensor into another's, for all periods alike (science 1.10; Roy et al. 2016).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Harmonise {
    /// TM and ETM+ as OLI; OLI stays.
    EtmToOli,
    /// OLI as ETM+; TM and ETM+ stay.
    OliToEtm,
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
    /// Reflectance of one sensor as another would have seen it, before anything else; scenes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harmonise: Option<Harmonise>,
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
        if def.harmonise.is_some() && !def.reducer.takes_scenes() {
            p.at(
                "harmonise:",
                "harmonise",
                format!("{} takes rasters: only scenes can be harmonised", def.reducer.as_str()),
            );
        }
        let all = def.period == PeriodKind::All;
        let problem = match &def.reducer {
            Reducer::Trend { .. } if !all => Some("trend takes all periods together: period must be all"),
            Reducer::Phenology { .. } if all => {
                Some("phenology is of one season's year: period cannot be all")
            }
            Reducer::Expression { .. } | Reducer::States { .. } if all => {
                Some("this reducer makes a raster for each of its input's: period cannot be all")
            }
            _ => None,
        };
        if let Some(problem) = problem {
            p.at("period:", def.period.as_str(), problem);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A shipped recipe with one text in place of another; what is said of it.
    fn said(name: &str, from: &str, to: &str) -> String {
        let text = crate::shipped_recipes().find(|(n, _)| *n == name).unwrap().1;
        assert!(text.contains(from), "{from}");
        RecipeDef::from_yaml("r.yaml", &text.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_go_together_is_named_where_it_stands() {
        let says = said("trend", "period: all", "period: year");
        assert!(says.contains("r.yaml:10:") && says.contains("period must be all"), "{says}");
        let says = said("phenology_annual", "period: agricultural_year", "period: all");
        assert!(says.contains("cannot be all"), "{says}");
        let says = said("ndvi_annual", "period: year", "period: year\nharmonise: etm_to_oli");
        assert!(says.contains("only scenes"), "{says}");
        let says = said("ndvi_monthly", "period: month", "period: month\nharmonise: oli_to_tm");
        assert!(says.contains("etm_to_oli"), "{says}");
    }

    #[test]
    fn reducers_check_their_numbers() {
        let yaml = |reducer: &str, output: &str| {
            format!(
                "recipe: a\nversion: '1'\ntitle: {{es: a, en: a}}\nstatus: experimental\ninput: b\nperiod: year\n\
                 reducer:\n  {reducer}\noutputs: [{{name: {output}, dtype: float32, nodata: nan}}]\n"
            )
        };
        let parse = |reducer: &str, output: &str| RecipeDef::from_yaml("r.yaml", &yaml(reducer, output));
        assert!(parse("harmonic: {expression: nir, order: 2}", "amplitude_2").is_ok());
        let says = parse("harmonic: {expression: nir}", "amplitude_2").unwrap_err().to_string();
        assert!(says.contains("amplitude_1, peak_day_1"), "{says}");
        let says = parse("harmonic: {expression: nir, order: 5}", "level").unwrap_err().to_string();
        assert!(says.contains("r.yaml:8:") && says.contains("1 to 4"), "{says}");
        assert!(parse("best_pixel: {expression: nir, bands: [red]}", "day").is_ok());
        let says = parse("best_pixel: {expression: nir, bands: []}", "day").unwrap_err().to_string();
        assert!(says.contains("1 to 16 bands"), "{says}");
    }
}
