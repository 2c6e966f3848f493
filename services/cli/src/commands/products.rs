//! `init`, `products`.

use std::path::Path;

use serde_json::json;
use tesela_compute::Cube;
use tesela_grid::{GridDef, builtin_grid};
use tesela_index::ProductKind;
use tesela_model::{ProductDef, RecipeDef, shipped_products};

use super::{open, read_text};
use crate::args::ProductsCommand;
use crate::failure::Failure;
use crate::output::Output;

/// Makes a cube with the shipped products.
pub fn init(dir: &Path, output: &Output) -> Result<(), Failure> {
    let cube = create(dir)?;
    let catalog = cube.fresh_catalog()?;
    let products: Vec<&String> = catalog.products.keys().collect();
    output.answer(&json!({"cube": dir, "products": products}), || {
        format!(
            "cube made at {}\nproducts: {}",
            dir.display(),
            catalog.products.keys().cloned().collect::<Vec<_>>().join(", ")
        )
    });
    Ok(())
}

/// Makes a cube with the shipped products.
pub fn create(dir: &Path) -> Result<Cube, Failure> {
    let cube = Cube::create(dir)?;
    add_shipped(&cube, None)?;
    Ok(cube)
}

/// Registers the shipped products, on a grid of your choice.
pub fn add_shipped(cube: &Cube, grid: Option<&GridDef>) -> Result<(), Failure> {
    for (name, text) in shipped_products() {
        add(cube, &ProductDef::from_yaml(name, text)?, grid.cloned())?;
    }
    Ok(())
}

/// `products …`.
pub fn run(dir: Option<&Path>, command: ProductsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        ProductsCommand::Validate { file, recipe } => {
            let text = read_text(&file)?;
            let name = file.display().to_string();
            let id = if recipe {
                RecipeDef::from_yaml(&name, &text)?.recipe
            } else {
                ProductDef::from_yaml(&name, &text)?.product
            };
            output.answer(&json!({"valid": true, "id": id}), || format!("{name}: valid ({id})"));
        }
        ProductsCommand::Schema { recipe } => {
            let schema = if recipe { RecipeDef::json_schema() } else { ProductDef::json_schema() };
            output.print(&serde_json::to_string_pretty(&schema).unwrap_or_default());
        }
        ProductsCommand::Add { definition, grid } => {
            let cube = open(dir)?;
            let _lock = cube.lock("products add")?;
            let def = match shipped_products().find(|(n, _)| *n == definition) {
                Some((name, text)) => ProductDef::from_yaml(name, text)?,
                None => ProductDef::from_yaml(&definition, &read_text(Path::new(&definition))?)?,
            };
            let grid = grid.map(|g| read_grid(&g)).transpose()?;
            let id = def.product.clone();
            let on = add(&cube, &def, grid)?;
            output.answer(&json!({"product": id, "grid": on}), || format!("product {id} on grid {on}"));
        }
        ProductsCommand::List => {
            let catalog = open(dir)?.fresh_catalog()?;
            let rows: Vec<_> = catalog
                .products
                .values()
                .map(|p| json!({"id": p.id, "kind": p.kind, "grid": p.grid.id, "status": p.status, "bands": p.band_names()}))
                .collect();
            output.answer(&rows, || {
                let line = |p: &tesela_compute::Product| {
                    format!(
                        "{:<24} {:<8} {:<12} {:<13} {}",
                        p.id,
                        format!("{:?}", p.kind).to_lowercase(),
                        p.grid.id,
                        p.status.as_str(),
                        p.band_names().join(" ")
                    )
                };
                catalog.products.values().map(|p| line(p)).collect::<Vec<_>>().join("\n")
            });
        }
        ProductsCommand::Show { id } => {
            let cube = open(dir)?;
            cube.fresh_catalog()?.product(&id)?;
            let row = cube.index().products()?.into_iter().find(|p| p.id == id);
            let value: serde_json::Value =
                row.and_then(|r| serde_json::from_str(&r.definition).ok()).unwrap_or_default();
            output.print(&serde_json::to_string_pretty(&value).unwrap_or_default());
        }
    }
    Ok(())
}

/// A shipped grid by name, or a grid file.
pub fn read_grid(name: &str) -> Result<GridDef, Failure> {
    match builtin_grid(name) {
        Ok(grid) => Ok(grid),
        Err(unknown) => {
            let path = Path::new(name);
            if path.is_file() { Ok(GridDef::from_yaml(&read_text(path)?)?) } else { Err(unknown.into()) }
        }
    }
}

/// Registers a product, and its grid when the cube lacks it.
pub fn add(cube: &Cube, def: &ProductDef, grid: Option<GridDef>) -> Result<String, Failure> {
    let grid = match grid {
        Some(grid) => grid,
        None => match cube.index().grids()?.into_iter().find(|g| g.id == def.grid) {
            Some(known) => known,
            None => builtin_grid(&def.grid)?,
        },
    };
    cube.index().put_grid(&grid)?;
    let text = serde_json::to_string(def).map_err(|e| Failure::Message(e.to_string()))?;
    cube.index().put_product(&def.product, ProductKind::Scenes, &grid.id, &text)?;
    Ok(grid.id)
}
