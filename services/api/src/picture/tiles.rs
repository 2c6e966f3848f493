//! Tile matrix sets and addresses of tiles.

use tesela_compute::Catalog;
use tesela_grid::{BoundingBox, GeoBox, GridDef, TileCoord, TileMatrixSet, TmsError};

use crate::request::text::shorten;

/// Why an address names no tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTile {
    /// The set does not exist.
    Set(String),
    /// The level does not exist.
    Matrix(String),
    /// A row that is no number.
    Row(String),
    /// A column that is no number.
    Col(String),
    /// A row outside its level.
    RowOutside(String),
    /// A column outside its level.
    ColOutside(String),
}

impl NoTile {
    /// What is wrong, for people.
    pub fn message(&self) -> &str {
        match self {
            Self::Set(m)
            | Self::Matrix(m)
            | Self::Row(m)
            | Self::Col(m)
            | Self::RowOutside(m)
            | Self::ColOutside(m) => m,
        }
    }
}

/// Every tile matrix set: the two of the web, then one a grid.
pub fn sets(catalog: &Catalog) -> Vec<TileMatrixSet> {
    let web = [TileMatrixSet::web_mercator_quad(), TileMatrixSet::world_crs84_quad()];
    web.into_iter().chain(catalog.grids.values().map(|grid| TileMatrixSet::of_grid(grid))).collect()
}

/// The tile matrix set of that name.
pub fn set(catalog: &Catalog, id: &str) -> Result<TileMatrixSet, NoTile> {
    match id {
        "WebMercatorQuad" => Ok(TileMatrixSet::web_mercator_quad()),
        "WorldCRS84Quad" => Ok(TileMatrixSet::world_crs84_quad()),
        _ => catalog.grids.get(id).map(|grid| TileMatrixSet::of_grid(grid)).ok_or_else(|| {
            let known: Vec<String> = sets(catalog).into_iter().map(|set| set.id).collect();
            NoTile::Set(format!("unknown tile matrix set {:?}; sets: {}", shorten(id), known.join(", ")))
        }),
    }
}

/// The footprint of the tile at an address as clients write it.
pub fn tile(set: &TileMatrixSet, matrix: &str, row: &str, col: &str) -> Result<GeoBox, NoTile> {
    let z = index(matrix)
        .and_then(|z| u32::try_from(z).ok())
        .filter(|z| (*z as usize) < set.matrices.len())
        .ok_or_else(|| {
            let deepest = set.matrices.len().saturating_sub(1);
            NoTile::Matrix(format!(
                "tile matrix {:?} does not exist in {}; matrices are 0 to {deepest}",
                shorten(matrix),
                set.id
            ))
        })?;
    let number = |text: &str| format!("{:?} is not a whole number", shorten(text));
    let y = index(row).ok_or_else(|| NoTile::Row(number(row)))?;
    let x = index(col).ok_or_else(|| NoTile::Col(number(col)))?;
    set.tile_geobox(TileCoord { z, x, y }).map_err(|e| match e {
        TmsError::Row { .. } => NoTile::RowOutside(e.to_string()),
        TmsError::Col { .. } => NoTile::ColOutside(e.to_string()),
        _ => NoTile::Matrix(e.to_string()),
    })
}

/// A whole number; what is too large or negative is the largest there is, which is outside every matrix.
fn index(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// The first level whose pixels on the ground are no larger than the grid's, at the middle of a place.
pub fn deepest_useful(set: &TileMatrixSet, grid: &GridDef, lon_lat: &BoundingBox) -> u32 {
    const METRES_PER_DEGREE: f64 = 111_319.490_793_273_57;
    let last = set.matrices.len().saturating_sub(1) as u32;
    if set.id == grid.id {
        return last;
    }
    let latitude = (lon_lat.y_min + lon_lat.y_max) / 2.0;
    let ground = |cell: f64| match set.crs.as_str() {
        "EPSG:3857" => cell * latitude.to_radians().cos(),
        "OGC:CRS84" => cell * METRES_PER_DEGREE,
        _ => cell,
    };
    let fine = set.matrices.iter().find(|m| ground(m.cell_size) <= grid.resolution * 1.01);
    fine.map_or(last, |m| m.zoom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_part_by_part() {
        let set = TileMatrixSet::web_mercator_quad();
        let at = |m: &str, r: &str, c: &str| tile(&set, m, r, c);
        assert!(at("10", "455", "229").is_ok());
        assert!(matches!(at("99", "0", "0"), Err(NoTile::Matrix(_))));
        assert!(matches!(at("BOGUS", "0", "0"), Err(NoTile::Matrix(_))));
        assert!(matches!(at("-1", "0", "0"), Err(NoTile::Matrix(_))));
        assert!(matches!(at("+1", "0", "0"), Err(NoTile::Matrix(_))));
        assert!(matches!(at("1", "2", "0"), Err(NoTile::RowOutside(_))));
        assert!(matches!(at("1", "-1", "0"), Err(NoTile::RowOutside(_))));
        assert!(matches!(at("1", "0", &"9".repeat(400)), Err(NoTile::ColOutside(_))));
        assert!(matches!(at("1", "1.5", "0"), Err(NoTile::Row(_))));
        assert!(matches!(at("1", "0", ""), Err(NoTile::Col(_))));
    }

    #[test]
    fn the_deepest_useful_level_shows_every_pixel() {
        let grid = tesela_grid::builtin_grid("mx6372_30").unwrap();
        let place = BoundingBox::new(-103.0, 20.0, -102.0, 22.0);
        assert_eq!(deepest_useful(&TileMatrixSet::web_mercator_quad(), &grid, &place), 13);
        assert_eq!(deepest_useful(&TileMatrixSet::world_crs84_quad(), &grid, &place), 12);
        let own = TileMatrixSet::of_grid(&grid);
        assert_eq!(deepest_useful(&own, &grid, &place) as usize, own.matrices.len() - 1);
    }
}
