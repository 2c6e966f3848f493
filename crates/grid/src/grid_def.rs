use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BoundingBox, CrsName, GeoBox, PixelWindow};

/// A text in several languages, keyed by ISO 639-1 code (`es`, `en`).
pub type Titles = BTreeMap<String, String>;

/// A square of the grid, the unit of work. `ix` grows east, `iy` grows **north**.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TileId {
    /// Column of tiles from the origin, may be negative.
    pub ix: i32,
    /// Row of tiles from the origin, growing north, may be negative.
    pub iy: i32,
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.ix, self.iy)
    }
}

/// The tiles a grid may hold, half-open in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridExtent {
    /// `[first, one past last]` column of tiles.
    pub ix: [i32; 2],
    /// `[first, one past last]` row of tiles.
    pub iy: [i32; 2],
}

/// A cube grid: CRS, pixel size, origin and tiling. A grid is data, read from YAML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridDef {
    /// Identifier, e.g. `mx6372_30`.
    pub id: String,
    /// Human title by language.
    #[serde(default)]
    pub title: Titles,
    /// Registry name or WKT2.
    pub crs: CrsName,
    /// Pixel size, CRS units (metres for every shipped grid); pixels are square.
    pub resolution: f64,
    /// A corner shared by four pixels, `[x, y]`, CRS units.
    pub origin: [f64; 2],
    /// Tile side, pixels.
    pub tile_size: u32,
    /// Which tiles exist.
    pub extent: GridExtent,
}

/// Why a grid definition or a place on it is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// The YAML text does not describe a grid.
    #[error("grid definition: {message}")]
    Parse {
        /// What the parser said, with line and column.
        message: String,
    },
    /// A field holds a value no grid can have.
    #[error("grid {id}: {field} {problem}")]
    Field {
        /// The grid's id.
        id: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// No shipped grid has this name.
    #[error("unknown grid {id}; shipped grids: mx6372_30, mxaea_30, utm1_30 … utm60_30")]
    Unknown {
        /// The name asked for.
        id: String,
    },
}

impl GridDef {
    /// Reads a grid from its YAML text.
    ///
    /// # Errors
    /// [`GridError::Parse`] with line and column, [`GridError::Field`] for impossible values.
    pub fn from_yaml(text: &str) -> Result<Self, GridError> {
        let grid: Self =
            serde_saphyr::from_str(text).map_err(|e| GridError::Parse { message: e.to_string() })?;
        grid.validated()
    }

    /// The grid itself when its numbers make sense.
    ///
    /// # Errors
    /// [`GridError::Field`] names the field.
    pub fn validated(self) -> Result<Self, GridError> {
        let problem = if !(self.resolution.is_finite() && self.resolution > 0.0) {
            Some(("resolution", format!("must be a positive number, got {}", self.resolution)))
        } else if self.tile_size == 0 || !self.tile_size.is_multiple_of(16) || self.tile_size > 16384 {
            Some(("tile_size", format!("must be a multiple of 16 up to 16384, got {}", self.tile_size)))
        } else if !self.origin.iter().all(|v| v.is_finite()) {
            Some(("origin", "must be two finite numbers".into()))
        } else if self.extent.ix[0] >= self.extent.ix[1] || self.extent.iy[0] >= self.extent.iy[1] {
            Some(("extent", "must have first < last in ix and iy".into()))
        } else if self.id.is_empty() || !self.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            Some(("id", "must be letters, digits and underscores".into()))
        } else {
            None
        };
        match problem {
            Some((field, problem)) => Err(GridError::Field { id: self.id, field, problem }),
            None => Ok(self),
        }
    }

    /// Pixel size at a pyramid level: `resolution · 2^level`.
    pub fn level_resolution(&self, level: u32) -> f64 {
        self.resolution * f64::from(1u32 << level)
    }

    /// Tile side at a pyramid level, pixels (rounded up when odd).
    pub fn level_tile_size(&self, level: u32) -> usize {
        (self.tile_size as usize).div_ceil(1 << level)
    }

    /// The tile that holds a point; tiles are half-open, lower-left inclusive.
    pub fn tile_at(&self, x: f64, y: f64) -> TileId {
        let side = self.resolution * f64::from(self.tile_size);
        TileId {
            ix: ((x - self.origin[0]) / side).floor() as i32,
            iy: ((y - self.origin[1]) / side).floor() as i32,
        }
    }

    /// Global pixel `(px, py)` that holds a point; lower-left inclusive like the tiles.
    pub fn pixel_at(&self, x: f64, y: f64) -> (i64, i64) {
        (
            ((x - self.origin[0]) / self.resolution).floor() as i64,
            ((self.origin[1] - y) / self.resolution).ceil() as i64 - 1,
        )
    }

    /// The tile of a global level-0 pixel and the pixel's column and row inside it.
    pub fn tile_of_pixel(&self, px: i64, py: i64) -> (TileId, u32, u32) {
        let t = i64::from(self.tile_size);
        let tile = TileId { ix: px.div_euclid(t) as i32, iy: (-py - 1).div_euclid(t) as i32 };
        let top = -(i64::from(tile.iy) + 1) * t;
        (tile, px.rem_euclid(t) as u32, (py - top) as u32)
    }

    /// Bounds of a tile, CRS units.
    pub fn tile_bounds(&self, tile: TileId) -> BoundingBox {
        let side = self.resolution * f64::from(self.tile_size);
        let x = self.origin[0] + f64::from(tile.ix) * side;
        let y = self.origin[1] + f64::from(tile.iy) * side;
        BoundingBox::new(x, y, x + side, y + side)
    }

    /// The window a tile fills at a pyramid level.
    pub fn tile_window(&self, tile: TileId, level: u32) -> PixelWindow {
        let t = self.level_tile_size(level) as i64;
        PixelWindow::new(i64::from(tile.ix) * t, -(i64::from(tile.iy) + 1) * t, t as usize, t as usize)
    }

    /// Tiles that share a pixel with a window, west to east, then **south to north**.
    pub fn tiles_in_window(&self, window: &PixelWindow, level: u32) -> Vec<TileId> {
        if window.is_empty() {
            return Vec::new();
        }
        let t = self.level_tile_size(level) as i64;
        let ix = window.px.div_euclid(t)..=(window.px_end() - 1).div_euclid(t);
        let iy = (-window.py_end()).div_euclid(t)..=(-window.py - 1).div_euclid(t);
        iy.flat_map(|iy| ix.clone().map(move |ix| TileId { ix: ix as i32, iy: iy as i32 })).collect()
    }

    /// The level-0 window that covers a box, pixel edges outward.
    pub fn window_covering(&self, bounds: &BoundingBox) -> PixelWindow {
        let px = ((bounds.x_min - self.origin[0]) / self.resolution).floor() as i64;
        let px_end = ((bounds.x_max - self.origin[0]) / self.resolution).ceil() as i64;
        let py = ((self.origin[1] - bounds.y_max) / self.resolution).floor() as i64;
        let py_end = ((self.origin[1] - bounds.y_min) / self.resolution).ceil() as i64;
        PixelWindow::new(px, py, (px_end - px).max(0) as usize, (py_end - py).max(0) as usize)
    }

    /// The footprint of a window at a pyramid level.
    pub fn geobox(&self, window: &PixelWindow, level: u32) -> GeoBox {
        let r = self.level_resolution(level);
        GeoBox {
            crs: self.crs.clone(),
            x_min: self.origin[0] + window.px as f64 * r,
            y_max: self.origin[1] - window.py as f64 * r,
            dx: r,
            dy: r,
            width: window.width,
            height: window.height,
        }
    }

    /// Whether a tile lies in the grid's declared extent.
    pub fn has_tile(&self, tile: TileId) -> bool {
        (self.extent.ix[0]..self.extent.ix[1]).contains(&tile.ix)
            && (self.extent.iy[0]..self.extent.iy[1]).contains(&tile.iy)
    }

    /// Bounds of the declared extent, CRS units.
    pub fn extent_bounds(&self) -> BoundingBox {
        let low = self.tile_bounds(TileId { ix: self.extent.ix[0], iy: self.extent.iy[0] });
        let high = self.tile_bounds(TileId { ix: self.extent.ix[1] - 1, iy: self.extent.iy[1] - 1 });
        low.union(&high)
    }

    /// Whether a raster lies on this grid's own pixels (same CRS name, pixel size and phase), so that
    /// ingest copies it instead of warping.
    pub fn shares_pixels_with(&self, raster: &GeoBox) -> bool {
        let on_edge = |v: f64| (v / self.resolution - (v / self.resolution).round()).abs() < 1e-6;
        raster.crs == self.crs
            && (raster.dx - self.resolution).abs() < 1e-9
            && (raster.dy - self.resolution).abs() < 1e-9
            && on_edge(raster.x_min - self.origin[0])
            && on_edge(raster.y_max - self.origin[1])
    }
}

/// Names of the shipped grids that are not one of a family.
pub fn builtin_grid_ids() -> &'static [&'static str] {
    &["mx6372_30", "mxaea_30"]
}

/// A shipped grid by name: `mx6372_30`, `mxaea_30`, or `utm{zone}_30` for zones 1–60.
///
/// # Errors
/// [`GridError::Unknown`] lists what is shipped.
pub fn builtin_grid(id: &str) -> Result<GridDef, GridError> {
    let unknown = || GridError::Unknown { id: id.into() };
    match id {
        "mx6372_30" => GridDef::from_yaml(include_str!("../grids/mx6372_30.yaml")),
        "mxaea_30" => GridDef::from_yaml(include_str!("../grids/mxaea_30.yaml")),
        _ => {
            let zone: u32 = id
                .strip_prefix("utm")
                .and_then(|r| r.strip_suffix("_30"))
                .and_then(|z| z.parse().ok())
                .filter(|z| (1..=60).contains(z))
                .ok_or_else(unknown)?;
            let text = include_str!("../grids/utm_30.yaml.in")
                .replace("{zone}", &zone.to_string())
                .replace("{epsg}", &(32600 + zone).to_string());
            GridDef::from_yaml(&text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid_3200() -> GridDef {
        GridDef { tile_size: 3200, ..builtin_grid("mx6372_30").unwrap() }
    }

    /// KAT-GR: tile, tile bounds, column and row of real places (science 12).
    #[test]
    fn kat_gr() {
        let g = grid_3200();
        for (x, y, ix, iy, col, row) in [
            (2800163.326, 829057.519, 29, 8, 538, 1164),
            (2470016.341, 1096512.655, 25, 11, 2333, 1849),
            (1079572.045, 2346591.653, 11, 24, 785, 1780),
        ] {
            assert_eq!(g.tile_at(x, y), TileId { ix, iy });
            let (px, py) = g.pixel_at(x, y);
            assert_eq!(g.tile_of_pixel(px, py), (TileId { ix, iy }, col, row));
        }
        assert_eq!(
            g.tile_bounds(TileId { ix: 29, iy: 8 }),
            BoundingBox::new(2784000.0, 768000.0, 2880000.0, 864000.0)
        );
        // Lower-left inclusive: a corner belongs to the tile north-east of it.
        assert_eq!(g.tile_at(2880000.0, 864000.0), TileId { ix: 30, iy: 9 });
        let (px, py) = g.pixel_at(2880000.0, 864000.0);
        assert_eq!(g.tile_of_pixel(px, py), (TileId { ix: 30, iy: 9 }, 0, 3199));
    }

    /// KAT-GR, the DE Africa grid: 96 km tiles, origin (−181, −77) tiles, EPSG:6933.
    #[test]
    fn kat_gr_de_africa() {
        let g = GridDef::from_yaml(
            "{id: africa, crs: 'EPSG:6933', resolution: 30, origin: [-17376000, -7392000], tile_size: 3200, \
             extent: {ix: [0, 400], iy: [0, 200]}}",
        )
        .unwrap();
        assert_eq!(g.tile_at(3.0e6, 0.5e6), TileId { ix: 212, iy: 82 });
    }

    #[test]
    fn utm_grid_is_landsats_own_pixels() {
        let g = builtin_grid("utm18_30").unwrap();
        assert_eq!(g.origin, [15.0, 15.0]);
        // KAT-L4: a real Landsat 9 raster's upper-left corner, negative northing.
        let raster = GeoBox {
            crs: CrsName::epsg(32618),
            x_min: 491985.0,
            y_max: -683685.0,
            dx: 30.0,
            dy: 30.0,
            width: 7611,
            height: 7741,
        };
        assert!(g.shares_pixels_with(&raster));
        assert!(!g.shares_pixels_with(&GeoBox { x_min: 492000.0, ..raster.clone() }));
        let window = g.window_covering(&raster.bounds());
        assert_eq!((window.width, window.height), (7611, 7741));
        assert_eq!(g.geobox(&window, 0), raster);
    }

    #[test]
    fn windows_and_tiles_agree() {
        let g = builtin_grid("mx6372_30").unwrap();
        let corner = PixelWindow::new(56 * 2048 - 256, -7 * 2048 - 256, 512, 512);
        let tiles = g.tiles_in_window(&corner, 0);
        assert_eq!(tiles, [(55, 6), (56, 6), (55, 7), (56, 7)].map(|(ix, iy)| TileId { ix, iy }).to_vec());
        for tile in tiles {
            assert_eq!(g.tile_window(tile, 0).intersection(&corner).unwrap().len(), 256 * 256);
        }
        assert_eq!(
            g.tile_window(TileId { ix: 56, iy: 7 }, 3),
            PixelWindow::new(56 * 256, -8 * 256, 256, 256)
        );
    }

    #[test]
    fn typos_are_named() {
        let e = GridDef::from_yaml("id: a\ncrs: 'EPSG:6372'\nresolutoin: 30\n").unwrap_err().to_string();
        assert!(e.contains("resolutoin"), "{e}");
        let e = builtin_grid("utm61_30").unwrap_err().to_string();
        assert!(e.contains("utm61_30"), "{e}");
        // Multiples of 4 and of 8: no whole pixels at level 4.
        for tile_size in [100, 200] {
            let bad = GridDef { tile_size, ..grid_3200() }.validated().unwrap_err().to_string();
            assert!(bad.contains("tile_size"), "{bad}");
        }
    }
}
