//! Where the archive lies: the cube window, the scenes' pixel grid, and the transform between them.
//!
//! World coordinates are EPSG:6372 metres relative to [`CORNER`] (x east, y north).

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

use crate::SynthError;

/// Pixel size of everything, in metres.
pub const PIXEL_M: f64 = 30.0;
/// The corner shared by tiles (55, 6), (56, 6), (55, 7), (56, 7) of `mx6372_30`: EPSG:6372 metres.
pub const CORNER: (f64, f64) = (56.0 * 61_440.0, 7.0 * 61_440.0);
/// WRS-2 path of every scene.
pub const WRS_PATH: u16 = 22;
/// WRS-2 rows of every pass, north first.
///
/// The area lies in row 049; the seam with row 048, in reality some 100 km to the north, is moved
/// here so that overlapping rows of one pass cross the area.
pub const WRS_ROWS: [u16; 2] = [48, 49];
/// UTM zone (north) of the scenes.
pub const UTM_ZONE: u8 = 15;
/// EPSG code of the scenes.
pub const EPSG_SCENES: u32 = 32_615;
/// EPSG code of the cube grid.
pub const EPSG_CUBE: u32 = 6372;
/// Longitude and latitude of the corner, degrees: good enough for sun angles.
pub(crate) const CORNER_LON_LAT: (f64, f64) = (-93.258_36, 15.596_27);

/// A CRS with longitude/easting first.
pub(crate) fn srs(epsg: u32) -> Result<SpatialRef, SynthError> {
    let wrap = |source| SynthError::Transform { from: "EPSG registry", to: "WKT", source };
    let mut srs = SpatialRef::from_epsg(epsg).map_err(wrap)?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

fn name(epsg: u32) -> &'static str {
    match epsg {
        EPSG_SCENES => "EPSG:32615",
        EPSG_CUBE => "EPSG:6372",
        4326 => "EPSG:4326",
        _ => "other CRS",
    }
}

/// Transforms points in place between two EPSG systems, easting/longitude first.
pub(crate) fn transform(from: u32, to: u32, x: &mut [f64], y: &mut [f64]) -> Result<(), SynthError> {
    let wrap = |source| SynthError::Transform { from: name(from), to: name(to), source };
    let transform = CoordTransform::new(&srs(from)?, &srs(to)?).map_err(wrap)?;
    transform.transform_coords(x, y, &mut []).map_err(wrap)
}

/// A north-up raster of 30 m pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Raster {
    /// EPSG code.
    pub(crate) epsg: u32,
    /// West edge, metres.
    pub(crate) west: f64,
    /// North edge, metres.
    pub(crate) north: f64,
    /// Columns.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
}

impl Raster {
    /// The cube window: `size_px` squared pixels of EPSG:6372, centred at the corner.
    pub(crate) fn cube(size_px: usize) -> Raster {
        let half = size_px as f64 * PIXEL_M / 2.0;
        Raster {
            epsg: EPSG_CUBE,
            west: CORNER.0 - half,
            north: CORNER.1 + half,
            width: size_px,
            height: size_px,
        }
    }

    /// The grid that both rows of all passes are cut from: Landsat's own UTM pixels (centres on
    /// multiples of 30 m) over the cube window and `margin_px` around it.
    pub(crate) fn pass(size_px: usize) -> Result<Raster, SynthError> {
        let cube = Raster::cube(size_px);
        let margin_px = (size_px / 16).clamp(12, 40);
        let side = size_px as f64 * PIXEL_M;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for k in 0..=16 {
            let t = side * f64::from(k) / 16.0;
            x.extend([cube.west + t, cube.west + t, cube.west, cube.west + side]);
            y.extend([cube.north, cube.north - side, cube.north - t, cube.north - t]);
        }
        transform(EPSG_CUBE, EPSG_SCENES, &mut x, &mut y)?;
        let bound = |v: &[f64], pick: fn(f64, f64) -> f64| v.iter().copied().reduce(pick).unwrap_or(0.0);
        let snap_down = |v: f64| ((v - 15.0) / PIXEL_M).floor() as i64 - margin_px as i64;
        let snap_up = |v: f64| ((v - 15.0) / PIXEL_M).ceil() as i64 + margin_px as i64;
        let (x0, x1) = (snap_down(bound(&x, f64::min)), snap_up(bound(&x, f64::max)));
        let (y0, y1) = (snap_down(bound(&y, f64::min)), snap_up(bound(&y, f64::max)));
        Ok(Raster {
            epsg: EPSG_SCENES,
            west: x0 as f64 * PIXEL_M + 15.0,
            north: y1 as f64 * PIXEL_M + 15.0,
            width: usize::try_from(x1 - x0).unwrap_or(0),
            height: usize::try_from(y1 - y0).unwrap_or(0),
        })
    }

    /// Rows `first..first + height` of this raster.
    pub(crate) fn rows(&self, first: usize, height: usize) -> Raster {
        Raster { north: self.north - first as f64 * PIXEL_M, height, ..*self }
    }

    /// For every pixel of this raster, row by row, the pixel of `scenes` that its centre lies in.
    pub(crate) fn nearest_in(&self, scenes: &Raster) -> Result<Vec<u32>, SynthError> {
        let (mut x, mut y) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        for p in 0..self.len() {
            x.push(self.west + ((p % self.width) as f64 + 0.5) * PIXEL_M);
            y.push(self.north - ((p / self.width) as f64 + 0.5) * PIXEL_M);
        }
        transform(self.epsg, scenes.epsg, &mut x, &mut y)?;
        let clamp = |v: f64, size: usize| (v / PIXEL_M).floor().clamp(0.0, size as f64 - 1.0) as u32;
        let width = scenes.width as u32;
        let nearest = |(x, y): (f64, f64)| {
            clamp(scenes.north - y, scenes.height) * width + clamp(x - scenes.west, scenes.width)
        };
        Ok(x.into_iter().zip(y).map(nearest).collect())
    }

    /// GDAL geotransform.
    pub(crate) fn geo_transform(&self) -> [f64; 6] {
        [self.west, PIXEL_M, 0.0, self.north, 0.0, -PIXEL_M]
    }

    /// Number of pixels.
    pub(crate) fn len(&self) -> usize {
        self.width * self.height
    }

    /// World coordinates of every pixel centre, row by row.
    ///
    /// For UTM rasters the transform is exact on a lattice of 16 px and bilinear between (the error
    /// is below a millimetre at this size).
    pub(crate) fn world_coordinates(&self) -> Result<Vec<(f64, f64)>, SynthError> {
        const STEP: usize = 16;
        let centre =
            |col: f64, row: f64| (self.west + (col + 0.5) * PIXEL_M, self.north - (row + 0.5) * PIXEL_M);
        let mut out = Vec::with_capacity(self.len());
        if self.epsg == EPSG_CUBE {
            for row in 0..self.height {
                for col in 0..self.width {
                    let (x, y) = centre(col as f64, row as f64);
                    out.push((x - CORNER.0, y - CORNER.1));
                }
            }
            return Ok(out);
        }
        let nodes_x = self.width / STEP + 2;
        let nodes_y = self.height / STEP + 2;
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for j in 0..nodes_y {
            for i in 0..nodes_x {
                let (x, y) = centre((i * STEP) as f64, (j * STEP) as f64);
                xs.push(x);
                ys.push(y);
            }
        }
        transform(self.epsg, EPSG_CUBE, &mut xs, &mut ys)?;
        for row in 0..self.height {
            let (j, ty) = (row / STEP, (row % STEP) as f64 / STEP as f64);
            for col in 0..self.width {
                let (i, tx) = (col / STEP, (col % STEP) as f64 / STEP as f64);
                let k = j * nodes_x + i;
                let lerp = |v: &[f64]| {
                    let low = v[k] + tx * (v[k + 1] - v[k]);
                    let high = v[k + nodes_x] + tx * (v[k + nodes_x + 1] - v[k + nodes_x]);
                    low + ty * (high - low)
                };
                out.push((lerp(&xs) - CORNER.0, lerp(&ys) - CORNER.1));
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_lie_on_landsats_own_pixels() {
        let grid = Raster::pass(96).unwrap();
        assert_eq!((grid.west - 15.0).rem_euclid(30.0), 0.0);
        assert_eq!((grid.north - 15.0).rem_euclid(30.0), 0.0);
        assert_eq!(((grid.west + 15.0) % 30.0, (grid.north - 15.0) % 30.0), (0.0, 0.0));
    }

    #[test]
    fn interpolated_coordinates_agree_with_the_exact_transform() {
        let grid = Raster::pass(128).unwrap();
        let world = grid.world_coordinates().unwrap();
        for (col, row) in [(0, 0), (7, 9), (grid.width - 1, 3), (40, grid.height - 1)] {
            let mut x = [grid.west + (col as f64 + 0.5) * 30.0];
            let mut y = [grid.north - (row as f64 + 0.5) * 30.0];
            transform(EPSG_SCENES, EPSG_CUBE, &mut x, &mut y).unwrap();
            let (wx, wy) = world[row * grid.width + col];
            assert!((x[0] - CORNER.0 - wx).abs() < 0.01 && (y[0] - CORNER.1 - wy).abs() < 0.01);
        }
    }

    #[test]
    fn the_cube_window_is_centred_on_the_corner_of_four_tiles() {
        let cube = Raster::cube(512);
        assert_eq!((cube.west + 256.0 * 30.0, cube.north - 256.0 * 30.0), CORNER);
        assert_eq!(CORNER, (3_440_640.0, 430_080.0));
    }
}
