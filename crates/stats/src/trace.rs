//! Polygon edges to per-cell records.
//!
//! Each edge says two things about every cell it passes: its *rise*, the height it spans there, and its *area*,
//! the part of the cell to its right at those heights. Edges going down count as positive and edges going up as
//! negative, so in a whole ring everything outside cancels, and [`crate::sweep`] reads the covered fraction off
//! as a running sum along the row. The idea is the anti-aliasing of font rasterisers (LibArt; FreeType
//! `ftgrays.c`), done here in f64 and exact up to rounding. Nothing about the polygon's topology has to be
//! discovered, so holes, parts, slivers and vertices on cell corners need no special case.

use geo_types::Coord;

/// What one edge contributes to one cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EdgeRecord {
    /// Row in the upper, column in the lower half: sorts in row-major order.
    pub(crate) key: u64,
    /// Signed height the edge spans in this cell; counts in full for every cell to the right.
    pub(crate) rise: f64,
    /// Signed area of this cell to the right of the edge.
    pub(crate) area: f64,
}

/// Collects the records of edges given in cell coordinates (x = column, y = row, downwards).
#[derive(Debug, Default)]
pub(crate) struct Tracer {
    pub(crate) records: Vec<EdgeRecord>,
    cols: f64,
    rows: f64,
}

/// Rounds to a multiple of 2⁻³⁰ of a cell (28 nm at 30 m).
///
/// Rises are then sums of multiples of 2⁻³⁰ and exact: a cell beside an edge gets precisely 0 or 1, and a vertex
/// that lies on a cell edge but for the last digits of its decimal coordinates is on it.
pub(crate) fn snap(value: f64) -> f64 {
    const HALF_RANGE: f64 = (1u64 << 21) as f64;
    const SHIFT: f64 = 3.0 * HALF_RANGE; // 1.5 * 2^22: the last bit of the sum is worth 2^-30
    if value.abs() < HALF_RANGE { (value + SHIFT) - SHIFT } else { value }
}

impl Tracer {
    pub(crate) fn new(cols: u32, rows: u32) -> Self {
        Self { records: Vec::new(), cols: f64::from(cols), rows: f64::from(rows) }
    }

    /// Adds the edge from `a` to `b`, both snapped; `sign` is −1 for a ring walked the wrong way round.
    pub(crate) fn edge(&mut self, a: Coord<f64>, b: Coord<f64>, sign: f64) {
        // Always walked downwards, so that two zones round a shared border alike.
        if a.y < b.y {
            self.downward(Line { top: a, bottom: b }, sign);
        } else if a.y > b.y {
            self.downward(Line { top: b, bottom: a }, -sign);
        }
    }

    fn downward(&mut self, line: Line, sign: f64) {
        let first_y = line.top.y.max(0.0);
        let last_y = line.bottom.y.min(self.rows);
        if first_y >= last_y || (line.top.x >= self.cols && line.bottom.x >= self.cols) {
            return; // right of the window: of no effect on any cell in it
        }
        let mut upper = Coord { x: line.x_at(first_y), y: first_y };
        let mut row = first_y.floor();
        while upper.y < last_y {
            let lower_y = last_y.min(row + 1.0);
            let lower = Coord { x: line.x_at(lower_y), y: lower_y };
            self.within_row(line, row, upper, lower, sign);
            upper = lower;
            row += 1.0;
        }
    }

    /// Adds the piece of `line` between two points of one row.
    fn within_row(&mut self, line: Line, row: f64, upper: Coord<f64>, lower: Coord<f64>, sign: f64) {
        let (left, right) = if upper.x <= lower.x { (upper, lower) } else { (lower, upper) };
        let between = |y: f64| y.clamp(upper.y, lower.y);
        let mut at = left;
        if at.x < 0.0 {
            // Left of the window: as if it ran down the window's left side.
            let y = if right.x <= 0.0 { right.y } else { between(line.y_at(0.0)) };
            self.record(row, 0.0, sign * (y - at.y).abs(), 1.0);
            at = Coord { x: 0.0, y };
        }
        let mut col = at.x.floor();
        while col < self.cols && (at.x < right.x || at.y != right.y) {
            let next = if right.x <= col + 1.0 {
                right
            } else {
                Coord { x: col + 1.0, y: between(line.y_at(col + 1.0)) }
            };
            let share_right = 1.0 - (0.5 * (at.x + next.x) - col);
            self.record(row, col, sign * (next.y - at.y).abs(), share_right);
            at = next;
            col += 1.0;
        }
    }

    fn record(&mut self, row: f64, col: f64, rise: f64, share_right: f64) {
        if rise == 0.0 {
            return;
        }
        let key = ((row as u64) << 32) | col as u64;
        let area = rise * share_right;
        match self.records.last_mut() {
            Some(last) if last.key == key => {
                last.rise += rise;
                last.area += area;
            }
            _ => self.records.push(EdgeRecord { key, rise, area }),
        }
    }
}

/// An edge that goes down.
#[derive(Clone, Copy)]
struct Line {
    top: Coord<f64>,
    bottom: Coord<f64>,
}

impl Line {
    fn x_at(&self, y: f64) -> f64 {
        if y <= self.top.y {
            return self.top.x;
        }
        if y >= self.bottom.y {
            return self.bottom.x;
        }
        let x = self.top.x + (y - self.top.y) * ((self.bottom.x - self.top.x) / (self.bottom.y - self.top.y));
        snap(x).clamp(self.top.x.min(self.bottom.x), self.top.x.max(self.bottom.x))
    }

    /// Only for lines that are not vertical.
    fn y_at(&self, x: f64) -> f64 {
        snap(self.top.y + (x - self.top.x) * ((self.bottom.y - self.top.y) / (self.bottom.x - self.top.x)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snap_keeps_cell_edges_and_moves_nothing_by_a_billionth() {
        for value in [0.0, 1.0, -3.0, 2048.0, 0.5, 1_999_999.0] {
            assert_eq!(snap(value), value);
        }
        assert_eq!(snap(3.999_999_999_7), 4.0);
        for value in [0.1, 17.3, 2047.999, -5.123_456_789] {
            assert!((snap(value) - value).abs() < 1e-9);
        }
        assert_eq!(snap(1e12 + 0.3), 1e12 + 0.3, "far outside any window: left as it is");
    }
}
