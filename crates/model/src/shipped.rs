//! Products and recipes that come with the program.

use crate::{DefinitionError, ProductDef, RecipeDef};

const PRODUCTS: [(&str, &str); 3] = [
    ("landsat_c2_sr", include_str!("../products/landsat_c2_sr.yaml")),
    ("landsat_c1_sr", include_str!("../products/landsat_c1_sr.yaml")),
    ("landsat_stack_fmask", include_str!("../products/landsat_stack_fmask.yaml")),
];

const RECIPES: [(&str, &str); 9] = [
    ("geomedian_annual", include_str!("../recipes/geomedian_annual.yaml")),
    ("ndvi_annual", include_str!("../recipes/ndvi_annual.yaml")),
    ("geomedian_semiannual", include_str!("../recipes/geomedian_semiannual.yaml")),
    ("ndvi_monthly", include_str!("../recipes/ndvi_monthly.yaml")),
    ("wofs_annual", include_str!("../recipes/wofs_annual.yaml")),
    ("phenology_annual", include_str!("../recipes/phenology_annual.yaml")),
    ("trend", include_str!("../recipes/trend.yaml")),
    ("urban_annual", include_str!("../recipes/urban_annual.yaml")),
    ("cropland_annual", include_str!("../recipes/cropland_annual.yaml")),
];

/// Names and texts of the shipped product definitions.
pub fn shipped_products() -> impl Iterator<Item = (&'static str, &'static str)> {
    PRODUCTS.into_iter()
}

/// Names and texts of the shipped recipes.
pub fn shipped_recipes() -> impl Iterator<Item = (&'static str, &'static str)> {
    RECIPES.into_iter()
}

/// A shipped product definition by name.
pub fn shipped_product(name: &str) -> Option<Result<ProductDef, DefinitionError>> {
    let (_, text) = PRODUCTS.into_iter().find(|(n, _)| *n == name)?;
    Some(ProductDef::from_yaml(name, text))
}

/// A shipped recipe by name.
pub fn shipped_recipe(name: &str) -> Option<Result<RecipeDef, DefinitionError>> {
    let (_, text) = RECIPES.into_iter().find(|(n, _)| *n == name)?;
    Some(RecipeDef::from_yaml(name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_definitions_are_valid() {
        for (name, text) in shipped_products() {
            let def = ProductDef::from_yaml(name, text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(def.product, name);
        }
        for (name, text) in shipped_recipes() {
            let def = RecipeDef::from_yaml(name, text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(def.recipe, name);
        }
    }

    #[test]
    fn a_typo_is_named_with_its_place() {
        let (_, text) = shipped_products().next().unwrap();
        for (good, bad, place) in [
            ("status: experimental", "status: experimental\nsatus: x", "satus"),
            ("any_of: [fill, dilated_cloud", "any_of: [fill, dilated_clowd", "dilated_clowd"),
            ("rgb: [red, green, blue]", "rgb: [red, grin, blue]", "grin"),
            ("flags: landsat_c2_qa_pixel", "flags: landsat_c2_qa_pixels", "landsat_c2_qa_pixels"),
            ("dtype: uint16", "dtype: uint61", "uint61"),
        ] {
            let broken = text.replacen(good, bad, 1);
            let e = ProductDef::from_yaml("p.yaml", &broken).unwrap_err();
            let at = broken.find(place).unwrap();
            let line = broken[..at].matches('\n').count() + 1;
            assert_eq!(e.problems[0].line, line, "{e}");
            assert!(e.to_string().contains(place), "{e}");
            assert!(e.to_string().starts_with(&format!("p.yaml:{line}:")), "{e}");
        }
    }
}
