//! Where each pixel of a picture lies in a source raster.

use tesela_grid::{BoundingBox, GeoBox, PixelWindow};
use tesela_model::Resampling;

/// Steps of the exact grid, tried in turn.
const STEPS: [usize; 3] = [16, 8, 4];
/// Largest error of interpolating between exact points, in source pixels or in picture pixels, whichever is larger.
const TOLERANCE_PX: f64 = 0.125;
/// Distances from a pixel's centre below this many pixels count as none.
const ALIGNED_PX: f64 = 1e-6;

/// Source position `(u, v)` of every pixel centre of a picture, in source pixels.
///
/// Exact points stand every 16 pixels (17 × 17 of them in a 256² tile) with bilinear interpolation between. The
/// error is measured at the centre of every cell; where it reaches 0.125 pixel the step is halved, down to 4, and
/// cells that still fail, or have a corner that cannot be projected, hold the exact position of each pixel. Cells
/// whose corners and centre all fail are taken as outside the projection. NaN where there is no position.
#[derive(Debug, Clone)]
pub struct SourceGrid {
    width: usize,
    height: usize,
    step: usize,
    /// Cells in a row and in a column; nodes are one more.
    cells: [usize; 2],
    nodes: Vec<Point>,
    kinds: Vec<Cell>,
    exact: Vec<Point>,
    error_px: f64,
}

/// 0, 1, 2 … for the pixels of a cell: at most one more than the largest step.
const COUNT: [f64; STEPS[0] + 1] = {
    let mut count = [0.0; STEPS[0] + 1];
    let mut k = 1;
    while k < count.len() {
        count[k] = count[k - 1] + 1.0;
        k += 1;
    }
    count
};

type Point = [f64; 2];
const NOWHERE: Point = [f64::NAN; 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// Interpolated between its corners.
    Smooth,
    /// No pixel has a position.
    Outside,
    /// Positions of its pixels, row by row, start here in `exact`.
    Exact(usize),
}

impl SourceGrid {
    /// Works out the positions of the pixel centres of `picture`.
    ///
    /// `to_source` turns coordinates of the picture's CRS (x in the first slice, y in the second) into source
    /// pixels `(u, v)`, in place; points without an image become NaN. It is called once or a few times with a few
    /// hundred points.
    pub fn new(picture: &GeoBox, mut to_source: impl FnMut(&mut [f64], &mut [f64])) -> Self {
        let mut locate = |pixels: &mut dyn Iterator<Item = [f64; 2]>| -> Vec<Point> {
            let (mut us, mut vs): (Vec<f64>, Vec<f64>) =
                pixels.map(|[col, row]| picture.xy(col + 0.5, row + 0.5)).unzip();
            to_source(&mut us, &mut vs);
            let finite = |(u, v): (f64, f64)| if u.is_finite() && v.is_finite() { [u, v] } else { NOWHERE };
            us.into_iter().zip(vs).map(finite).collect()
        };
        let mut grid = Self::coarse(picture, STEPS[0], &mut locate);
        for step in &STEPS[1..] {
            // Refining costs two points a finer cell; making the failed cells exact, one a pixel.
            let failed = grid.kinds.iter().filter(|kind| matches!(kind, Cell::Exact(_))).count();
            if failed * grid.step * grid.step <= 8 * grid.kinds.len() {
                break;
            }
            grid = Self::coarse(picture, *step, &mut locate);
        }
        grid.fill_exact(&mut locate);
        grid
    }

    /// Nodes and kinds of cells at one step; exact cells are marked and not yet filled.
    fn coarse(
        picture: &GeoBox,
        step: usize,
        locate: &mut impl FnMut(&mut dyn Iterator<Item = [f64; 2]>) -> Vec<Point>,
    ) -> Self {
        let cells = [picture.width, picture.height].map(|size| size.saturating_sub(1).div_ceil(step).max(1));
        let mut grid = Self {
            width: picture.width,
            height: picture.height,
            step,
            cells,
            nodes: Vec::new(),
            kinds: Vec::new(),
            exact: Vec::new(),
            error_px: 0.0,
        };
        if picture.width == 0 || picture.height == 0 {
            grid.cells = [0, 0];
            return grid;
        }
        let node = |i: usize, size: usize| (i * step).min(size - 1) as f64;
        grid.nodes =
            locate(&mut (0..=cells[1]).flat_map(|j| {
                (0..=cells[0]).map(move |i| [node(i, picture.width), node(j, picture.height)])
            }));
        let middle = |i: usize, size: usize| (node(i, size) + node(i + 1, size)) / 2.0;
        let centers =
            locate(&mut (0..cells[1]).flat_map(|j| {
                (0..cells[0]).map(move |i| [middle(i, picture.width), middle(j, picture.height)])
            }));
        let mut kinds = Vec::with_capacity(centers.len());
        for (index, center) in centers.iter().enumerate() {
            let (i, j) = (index % cells[0], index / cells[0]);
            let corners = grid.corners(i, j);
            let known = corners.iter().chain([center]).filter(|point| !point[0].is_nan()).count();
            let kind = match known {
                0 => Cell::Outside,
                5 => {
                    let error = [0, 1]
                        .map(|axis| {
                            (corners.iter().map(|point| point[axis]).sum::<f64>() / 4.0 - center[axis]).abs()
                        })
                        .into_iter()
                        .fold(0.0, f64::max);
                    let span = [grid.span(i, 0), grid.span(j, 1)].map(|pixels| pixels.max(1) as f64);
                    let (along, down) = (distance(corners[0], corners[1]), distance(corners[0], corners[2]));
                    let pixel = (along / span[0]).max(down / span[1]).max(1.0);
                    if error < TOLERANCE_PX * pixel {
                        grid.error_px = grid.error_px.max(error);
                        Cell::Smooth
                    } else {
                        Cell::Exact(0)
                    }
                }
                _ => Cell::Exact(0),
            };
            kinds.push(kind);
        }
        grid.kinds = kinds;
        grid
    }

    fn fill_exact(&mut self, locate: &mut impl FnMut(&mut dyn Iterator<Item = [f64; 2]>) -> Vec<Point>) {
        for j in 0..self.cells[1] {
            for i in 0..self.cells[0] {
                let index = j * self.cells[0] + i;
                if matches!(self.kinds[index], Cell::Exact(_)) {
                    let (cols, rows) = (self.pixels(i, 0), self.pixels(j, 1));
                    self.kinds[index] = Cell::Exact(self.exact.len());
                    self.exact.append(&mut locate(
                        &mut rows.flat_map(|row| cols.clone().map(move |col| [col as f64, row as f64])),
                    ));
                }
            }
        }
    }

    /// Pixels from a cell's first node to its last.
    fn span(&self, cell: usize, axis: usize) -> usize {
        let last = [self.width, self.height][axis] - 1;
        ((cell + 1) * self.step).min(last) - (cell * self.step).min(last)
    }

    /// The pixels a cell paints: up to the next cell's first, the last cell to the edge.
    fn pixels(&self, cell: usize, axis: usize) -> std::ops::Range<usize> {
        let size = [self.width, self.height][axis];
        let end = if cell + 1 == self.cells[axis] { size } else { (cell + 1) * self.step };
        cell * self.step..end
    }

    /// Upper left, upper right, lower left, lower right.
    fn corners(&self, i: usize, j: usize) -> [Point; 4] {
        let stride = self.cells[0] + 1;
        let first = j * stride + i;
        [first, first + 1, first + stride, first + stride + 1].map(|n| self.nodes[n])
    }

    /// Columns of the picture.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of the picture.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels between exact points.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Number of cells whose every pixel was transformed.
    pub fn exact_cells(&self) -> usize {
        self.kinds.iter().filter(|kind| matches!(kind, Cell::Exact(_))).count()
    }

    /// Whether every pixel has a position.
    pub fn is_complete(&self) -> bool {
        !self.kinds.contains(&Cell::Outside) && self.exact.iter().all(|point| !point[0].is_nan())
    }

    /// Largest error measured at the centre of an interpolated cell, source pixels.
    pub fn error_px(&self) -> f64 {
        self.error_px
    }

    /// Source positions of one row of pixels, written to `us` and `vs`; NaN where there is none. Slices shorter
    /// than the picture's width are filled as far as they go, as are rows past its end: with NaN.
    pub fn row(&self, row: usize, us: &mut [f64], vs: &mut [f64]) {
        self.row_from(row, 0, us, vs);
    }

    /// As [`SourceGrid::row`], from the pixel of a column on.
    pub fn row_from(&self, row: usize, first: usize, us: &mut [f64], vs: &mut [f64]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the instructions, asked here.
            return unsafe { self.positions_avx2(row, first, us, vs) };
        }
        self.positions(row, first, us, vs);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn positions_avx2(&self, row: usize, first: usize, us: &mut [f64], vs: &mut [f64]) {
        self.positions(row, first, us, vs);
    }

    #[inline(always)]
    fn positions(&self, row: usize, first: usize, us: &mut [f64], vs: &mut [f64]) {
        let len = us.len().min(vs.len());
        if row >= self.height || first >= self.width {
            us.fill(f64::NAN);
            vs.fill(f64::NAN);
            return;
        }
        let j = (row / self.step).min(self.cells[1] - 1);
        let down = (row - j * self.step) as f64 / self.span(j, 1).max(1) as f64;
        for i in (first / self.step).min(self.cells[0] - 1)..self.cells[0] {
            let pixels = self.pixels(i, 0);
            // Pixels of the cell that are left of the first.
            let before = first.saturating_sub(pixels.start);
            let from = (pixels.start + before - first).min(len);
            let to = (pixels.end - first).min(len);
            if from == to {
                break;
            }
            let (us, vs) = (&mut us[from..to], &mut vs[from..to]);
            match self.kinds[j * self.cells[0] + i] {
                Cell::Outside => {
                    us.fill(f64::NAN);
                    vs.fill(f64::NAN);
                }
                Cell::Exact(start) => {
                    let first = start + (row - j * self.step) * pixels.len() + before;
                    for ((u, v), point) in us.iter_mut().zip(vs).zip(&self.exact[first..]) {
                        [*u, *v] = *point;
                    }
                }
                Cell::Smooth => {
                    let [a, b, c, d] = self.corners(i, j);
                    let span = self.span(i, 0).max(1) as f64;
                    let at = |axis: usize| {
                        let left = a[axis] + (c[axis] - a[axis]) * down;
                        let right = b[axis] + (d[axis] - b[axis]) * down;
                        (left, (right - left) / span)
                    };
                    let ((left, along), (top, across)) = (at(0), at(1));
                    for ((u, v), k) in us.iter_mut().zip(vs).zip(&COUNT[before..]) {
                        *u = left + along * k;
                        *v = top + across * k;
                    }
                }
            }
        }
    }

    /// The box around all positions, in source pixels, `y` growing down; `None` if no pixel has one.
    pub fn source_bounds(&self) -> Option<BoundingBox> {
        self.bounds_of_rows(&(0..self.height))
    }

    /// The box around the positions of some rows, or around a little more.
    fn bounds_of_rows(&self, rows: &std::ops::Range<usize>) -> Option<BoundingBox> {
        let meets = |index: usize| {
            let of_cell = self.pixels(index / self.cells[0], 1);
            of_cell.start < rows.end && rows.start < of_cell.end
        };
        let smooth = self.kinds.iter().enumerate().filter(|(i, kind)| **kind == Cell::Smooth && meets(*i));
        let corners =
            smooth.flat_map(|(index, _)| self.corners(index % self.cells[0], index / self.cells[0]));
        BoundingBox::of_points(corners.chain(self.exact.iter().copied()).map(|[u, v]| (u, v)))
    }

    /// The source pixels that sampling reads, neighbours included; not clipped to the source. `None` if no pixel
    /// has a position.
    ///
    /// A picture that lies on the source's own pixels reads no neighbours (nearest and bilinear).
    pub fn source_window(&self, resampling: Resampling) -> Option<PixelWindow> {
        self.rows_window(resampling, &(0..self.height))
    }

    /// As [`SourceGrid::source_window`], for some rows of the picture.
    pub fn rows_window(&self, resampling: Resampling, rows: &std::ops::Range<usize>) -> Option<PixelWindow> {
        let bounds = self.bounds_of_rows(rows)?;
        let range = |min: f64, max: f64| -> (i64, i64) {
            let (min, max) = (min.clamp(-1e12, 1e12), max.clamp(-1e12, 1e12));
            let between = ((min - 0.5 + ALIGNED_PX).floor() as i64, (max - 0.5 - ALIGNED_PX).ceil() as i64);
            match resampling {
                Resampling::Nearest => (min.floor() as i64, max.floor() as i64),
                Resampling::Bilinear => between,
                Resampling::Cubic => (between.0 - 1, between.1 + 1),
            }
        };
        let (px, last_px) = range(bounds.x_min, bounds.x_max);
        let (py, last_py) = range(bounds.y_min, bounds.y_max);
        let size = |first: i64, last: i64| (last - first).max(0) as usize + 1;
        Some(PixelWindow::new(px, py, size(px, last_px), size(py, last_py)))
    }

    /// Source pixels passed from one pixel of the picture to the next: the median over the interpolated cells of the
    /// longer of the two directions. Log2 of it, rounded down, is the pyramid level to read. `None` if no cell is
    /// interpolated.
    pub fn source_pixels_per_pixel(&self) -> Option<f64> {
        let mut steps: Vec<f64> = Vec::new();
        for (index, kind) in self.kinds.iter().enumerate() {
            let (i, j) = (index % self.cells[0], index / self.cells[0]);
            if *kind == Cell::Smooth && self.span(i, 0) > 0 && self.span(j, 1) > 0 {
                let [a, b, c, _] = self.corners(i, j);
                let along = distance(a, b) / self.span(i, 0) as f64;
                steps.push(along.max(distance(a, c) / self.span(j, 1) as f64));
            }
        }
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied()
    }

    /// The same picture over a source whose pixels are `1 / factor` as large, with the same upper left corner of
    /// pixel (0, 0): 0.5 for the next pyramid level.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for point in self.nodes.iter_mut().chain(&mut self.exact) {
            *point = point.map(|position| position * factor);
        }
        self.error_px *= factor;
        self
    }
}

fn distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}
