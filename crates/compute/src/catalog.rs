//! Products as clients see them: scenes and derived ones alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use tesela_grid::{GridDef, Titles};
use tesela_index::{Index, IndexError, ProductKind, ZoneSetRow};
use tesela_model::landsat::FlagTable;
use tesela_model::{Band, ProductDef, ProductStatus, RecipeDef, Style};

use crate::ComputeError;
use crate::mask::MaskRule;

/// Where a product's definition came from.
#[derive(Debug, Clone)]
pub enum Definition {
    /// A scenes product.
    Scenes(Box<ProductDef>),
    /// A derived product.
    Derived(Box<RecipeDef>),
}

/// A product ready to be asked.
#[derive(Debug, Clone)]
pub struct Product {
    /// Identifier, also the layer name.
    pub id: String,
    /// Scenes or derived.
    pub kind: ProductKind,
    /// Title by language.
    pub title: Titles,
    /// Longer text by language.
    pub description: Titles,
    /// How far it may be relied on.
    pub status: ProductStatus,
    /// Its grid.
    pub grid: Arc<GridDef>,
    /// Bands in order.
    pub bands: Vec<Band>,
    /// Styles; the first is the default.
    pub styles: Vec<Style>,
    /// The definition itself.
    pub definition: Definition,
}

impl Product {
    /// The band of that name.
    ///
    /// # Errors
    /// [`ComputeError::UnknownBand`] lists the bands there are.
    pub fn band(&self, name: &str) -> Result<&Band, ComputeError> {
        self.bands.iter().find(|b| b.name == name).ok_or_else(|| ComputeError::UnknownBand {
            product: self.id.clone(),
            band: name.chars().take(64).collect(),
            known: self.band_names().join(", "),
        })
    }

    /// Names of all bands.
    pub fn band_names(&self) -> Vec<String> {
        self.bands.iter().map(|b| b.name.clone()).collect()
    }

    /// The style of that name; `default` and the empty name mean the first.
    ///
    /// # Errors
    /// [`ComputeError::UnknownStyle`] lists the styles there are.
    pub fn style(&self, name: &str) -> Result<&Style, ComputeError> {
        let found = if name.is_empty() || name == "default" {
            self.styles.first()
        } else {
            self.styles.iter().find(|s| s.name == name)
        };
        found.ok_or_else(|| ComputeError::UnknownStyle {
            product: self.id.clone(),
            style: name.chars().take(64).collect(),
            known: self.styles.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The scenes definition, if it is one.
    pub fn scenes(&self) -> Option<&ProductDef> {
        match &self.definition {
            Definition::Scenes(d) => Some(d),
            Definition::Derived(_) => None,
        }
    }

    /// The recipe, if it is derived.
    pub fn recipe(&self) -> Option<&RecipeDef> {
        match &self.definition {
            Definition::Derived(d) => Some(d),
            Definition::Scenes(_) => None,
        }
    }

    /// The quality band and its flag table.
    pub fn quality(&self) -> Option<(&Band, &'static FlagTable)> {
        let band = self.bands.iter().find(|b| b.flags.is_some())?;
        Some((band, FlagTable::builtin(band.flags.as_deref()?).ok()?))
    }

    /// A named mask: its flags, and the radius each group of flags is grown by. `none` is empty.
    ///
    /// # Errors
    /// [`ComputeError::UnknownMask`] lists the masks there are.
    pub fn mask(&self, name: &str) -> Result<MaskRule, ComputeError> {
        if name == "none" || name.is_empty() {
            return Ok(MaskRule::default());
        }
        let unknown = || ComputeError::UnknownMask {
            product: self.id.clone(),
            mask: name.chars().take(64).collect(),
            known: self
                .scenes()
                .map_or_else(String::new, |d| d.masks.keys().map(|m| format!(", {m}")).collect()),
        };
        let def = self.scenes().and_then(|d| d.masks.get(name)).ok_or_else(unknown)?;
        let (_, table) = self.quality().ok_or_else(unknown)?;
        let mut by_radius: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
        // What was never observed is no cloud: a clean-up leaves it alone.
        let is_fixed = |flag: &str| !def.cleanup.is_empty() && flag == "fill";
        for flag in def.any_of.iter().filter(|f| !is_fixed(f)) {
            by_radius.entry(def.dilate.get(flag).copied().unwrap_or(0)).or_default().push(flag);
        }
        let flags = |names: &[&str]| table.mask(names).map_err(|_| unknown());
        Ok(MaskRule {
            groups: by_radius
                .into_iter()
                .map(|(r, names)| Ok((flags(&names)?, r)))
                .collect::<Result<_, ComputeError>>()?,
            cleanup: def.cleanup.clone(),
            fixed: def.any_of.iter().any(|f| is_fixed(f)).then(|| flags(&["fill"])).transpose()?,
        })
    }

    fn of_scenes(def: ProductDef, grid: Arc<GridDef>) -> Self {
        let bands = def.measurements.iter().map(Band::from).collect();
        Self {
            id: def.product.clone(),
            kind: ProductKind::Scenes,
            title: def.title.clone(),
            description: def.description.clone(),
            status: def.status,
            grid,
            bands,
            styles: def.styles.clone(),
            definition: Definition::Scenes(Box::new(def)),
        }
    }

    pub(crate) fn of_recipe(def: RecipeDef, grid: Arc<GridDef>) -> Self {
        let bands = def.outputs.iter().map(Band::from).collect();
        Self {
            id: def.recipe.clone(),
            kind: ProductKind::Derived,
            title: def.title.clone(),
            description: def.description.clone(),
            status: def.status,
            grid,
            bands,
            styles: def.styles.clone(),
            definition: Definition::Derived(Box::new(def)),
        }
    }
}

/// Everything a cube offers, at one state of the index.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The index's change counter when this was read.
    pub version: u64,
    /// Latest snapshot.
    pub snapshot: u64,
    /// Grids by id.
    pub grids: BTreeMap<String, Arc<GridDef>>,
    /// Products by id.
    pub products: BTreeMap<String, Arc<Product>>,
    /// Zone sets by id.
    pub zone_sets: BTreeMap<String, ZoneSetRow>,
    /// Whether anything in the cube is generated rather than observed.
    pub synthetic: bool,
}

impl Catalog {
    /// Reads the catalogue from the index.
    ///
    /// # Errors
    /// [`ComputeError::Definition`] for a definition that cannot be read back.
    pub fn read(index: &dyn Index) -> Result<Self, ComputeError> {
        let version = index.change_counter()?;
        let snapshot = index.latest_snapshot()?;
        let grids: BTreeMap<_, _> = index.grids()?.into_iter().map(|g| (g.id.clone(), Arc::new(g))).collect();
        let mut products = BTreeMap::new();
        for row in index.products()? {
            let grid = grids
                .get(&row.grid)
                .cloned()
                .ok_or_else(|| tesela_grid::GridError::Unknown { id: row.grid.clone() })?;
            let bad = |e: serde_json::Error| ComputeError::Definition {
                product: row.id.clone(),
                message: e.to_string(),
            };
            let product = match row.kind {
                ProductKind::Scenes => {
                    Product::of_scenes(serde_json::from_str(&row.definition).map_err(bad)?, grid)
                }
                ProductKind::Derived => {
                    Product::of_recipe(serde_json::from_str(&row.definition).map_err(bad)?, grid)
                }
            };
            products.insert(row.id, Arc::new(product));
        }
        let zone_sets: BTreeMap<_, _> = index.zone_sets()?.into_iter().map(|z| (z.id.clone(), z)).collect();
        let synthetic = index.has_synthetic()?;
        Ok(Self { version, snapshot, grids, products, zone_sets, synthetic })
    }

    /// The product of that id.
    ///
    /// # Errors
    /// [`IndexError::UnknownProduct`] lists the products there are.
    pub fn product(&self, id: &str) -> Result<&Arc<Product>, ComputeError> {
        self.products.get(id).ok_or_else(|| {
            ComputeError::Index(IndexError::UnknownProduct {
                id: id.chars().take(64).collect(),
                known: join(self.products.keys()),
            })
        })
    }

    /// The zone set of that id.
    ///
    /// # Errors
    /// [`IndexError::UnknownZoneSet`] lists the sets there are.
    pub fn zone_set(&self, id: &str) -> Result<&ZoneSetRow, ComputeError> {
        self.zone_sets.get(id).ok_or_else(|| {
            ComputeError::Index(IndexError::UnknownZoneSet {
                id: id.chars().take(64).collect(),
                known: join(self.zone_sets.keys()),
            })
        })
    }
}

fn join<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
