//! Products as map layers: titles, dates, styles and boxes, as every protocol advertises them.

use tesela_compute::query::{DateEntry, ProductExtent};
use tesela_compute::{Catalog, ComputeError, Cube, Product};
use tesela_grid::BoundingBox;
use tesela_model::Style;

use super::legend;
use crate::request::Lang;

/// A layer that has data.
#[derive(Debug, Clone)]
pub struct LayerView {
    /// Product id.
    pub id: String,
    /// Title in the client's language.
    pub title: String,
    /// Description in the client's language, never empty.
    pub description: String,
    /// `experimental`, `preliminary`, `official`, `superseded`.
    pub status: &'static str,
    /// Tight bounds, longitude and latitude.
    pub lon_lat: BoundingBox,
    /// Dates in one form, ascending: `2024-01-01`.
    pub dates: Vec<String>,
    /// Styles, `default` first.
    pub styles: Vec<StyleView>,
}

/// A style of a layer.
#[derive(Debug, Clone)]
pub struct StyleView {
    /// Name; `default` stands for the first of the product's.
    pub name: String,
    /// Title in the client's language.
    pub title: String,
    /// Whether it is the one called `default`.
    pub is_default: bool,
    /// Legend's width and height, pixels; `None` if there is no legend.
    pub legend: Option<(u32, u32)>,
}

impl LayerView {
    /// A layer of a product; `None` without data, so that it is not advertised.
    pub fn new(
        product: &Product,
        extent: Option<&ProductExtent>,
        dates: Vec<DateEntry>,
        lang: Lang,
        synthetic: bool,
    ) -> Option<Self> {
        let extent = extent?;
        let mut dates: Vec<String> = dates.into_iter().map(|entry| entry.datetime).collect();
        dates.sort();
        dates.dedup();
        if dates.is_empty() {
            return None;
        }
        let mut description = lang.text_or(&product.description, lang.say("abstract_none")).to_owned();
        if synthetic {
            description = format!("{description} {}", lang.say("synthetic_notice"));
        }
        Some(Self {
            id: product.id.clone(),
            title: lang.marked(lang.text_or(&product.title, &product.id), synthetic).into_owned(),
            description,
            status: product.status.as_str(),
            lon_lat: extent.lon_lat.not_across_180(),
            dates,
            styles: styles(product, lang),
        })
    }

    /// The date a client that names none gets.
    pub fn default_date(&self) -> &str {
        self.dates.last().map_or("", String::as_str)
    }
}

/// Every layer that has data at the catalogue's snapshot, by id. One that cannot be read is left out and logged:
/// it must not take the others' documents with it.
pub fn layers(cube: &Cube, catalog: &Catalog, lang: Lang) -> Vec<LayerView> {
    let read = |product: &Product| -> Result<Option<LayerView>, ComputeError> {
        let Some(extent) = cube.extent(&product.id, catalog.snapshot)? else { return Ok(None) };
        let dates = cube.dates(&product.id, None, catalog.snapshot)?;
        Ok(LayerView::new(product, Some(&extent), dates, lang, catalog.synthetic))
    };
    let with_styles = catalog.products.values().filter(|product| !product.styles.is_empty());
    let logged = |product: &std::sync::Arc<Product>| {
        read(product).unwrap_or_else(|cause| {
            tracing::error!(product = product.id, %cause, "layer left out of capabilities");
            None
        })
    };
    with_styles.filter_map(logged).collect()
}

fn styles(product: &Product, lang: Lang) -> Vec<StyleView> {
    let view = |style: &Style, is_default: bool| {
        let title = lang.text_or(&style.title, &style.name);
        StyleView {
            name: if is_default { "default".to_owned() } else { style.name.clone() },
            title: if is_default {
                format!("{}: {title}", lang.say("default_style"))
            } else {
                title.to_owned()
            },
            is_default,
            legend: legend::size(style, lang),
        }
    };
    let first = product.styles.first().map(|style| view(style, true));
    first.into_iter().chain(product.styles.iter().map(|style| view(style, false))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tesela_compute::catalog::Definition;
    use tesela_index::ProductKind;
    use tesela_model::{Band, Period};

    /// A catalogue of one shipped recipe on two grids, of generated data.
    pub(crate) fn catalog() -> Catalog {
        let recipe = tesela_model::shipped_recipe("geomedian_annual").unwrap().unwrap();
        let grid = std::sync::Arc::new(tesela_grid::builtin_grid("mx6372_30").unwrap());
        let utm = std::sync::Arc::new(tesela_grid::builtin_grid("utm14_30").unwrap());
        let product = Product {
            id: recipe.recipe.clone(),
            kind: ProductKind::Derived,
            title: recipe.title.clone(),
            description: recipe.description.clone(),
            status: recipe.status,
            grid: grid.clone(),
            bands: recipe.outputs.iter().map(Band::from).collect(),
            styles: recipe.styles.clone(),
            definition: Definition::Derived(Box::new(recipe)),
        };
        Catalog {
            version: 7,
            snapshot: 3,
            grids: [grid, utm].map(|g| (g.id.clone(), g)).into(),
            products: [(product.id.clone(), std::sync::Arc::new(product))].into(),
            synthetic: true,
            ..Catalog::default()
        }
    }

    /// Its layer, with data of two years.
    pub(crate) fn layer(lang: Lang) -> LayerView {
        let catalog = catalog();
        let extent = ProductExtent {
            lon_lat: BoundingBox::new(-99.5, 19.25, -98.75, 20.0),
            time: Period::year(2023).unwrap(),
        };
        let date = |year: &str| DateEntry {
            datetime: format!("{year}-01-01"),
            label: year.into(),
            platform: None,
            clear_fraction: None,
        };
        let dates = vec![date("2023"), date("2024")];
        LayerView::new(&catalog.products["geomedian_annual"], Some(&extent), dates, lang, true).unwrap()
    }

    #[test]
    fn default_comes_first_and_layers_without_data_are_left_out() {
        let layer = layer(Lang::default());
        assert_eq!(layer.styles[0].name, "default");
        assert_eq!(layer.styles[1].name, "true_color");
        assert_eq!(layer.styles.iter().filter(|style| style.is_default).count(), 1);
        assert_eq!(layer.default_date(), "2024-01-01");
        let product = &catalog().products["geomedian_annual"];
        assert!(LayerView::new(product, None, Vec::new(), Lang::default(), false).is_none());
    }
}
