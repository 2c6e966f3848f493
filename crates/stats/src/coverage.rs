//! The covered part of a window, stored sparsely.

use serde::{Deserialize, Serialize};

use crate::StatsError;

/// A cell that a polygon covers in part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoverageCell {
    /// Column in the window.
    pub col: u32,
    /// Row in the window, 0 at the top.
    pub row: u32,
    /// Covered share of the cell's planar area, above 0 and at most 1.
    pub fraction: f32,
}

/// Neighbouring cells of one row that a polygon covers wholly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Row in the window, 0 at the top.
    pub row: u32,
    /// First column.
    pub col_start: u32,
    /// Number of cells, at least 1.
    pub len: u32,
}

/// Neighbouring cells of one row with one fraction: what [`Coverage::runs`] yields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoverageRun {
    /// Row in the window, 0 at the top.
    pub row: u32,
    /// First column.
    pub col_start: u32,
    /// Number of cells, at least 1; exactly 1 where the fraction is below 1.
    pub len: u32,
    /// Covered share of each of the cells.
    pub fraction: f32,
}

/// How much of each cell a zone covers: whole cells as spans, the others one by one.
///
/// Memory follows the zone's outline and height, not its area. Both lists are in row-major order and share no
/// cell; cells that are not covered are absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Coverage {
    spans: Vec<Span>,
    edges: Vec<CoverageCell>,
}

/// What a stored [`Coverage`] consists of, before it is checked.
#[derive(Deserialize)]
struct Parts {
    spans: Vec<Span>,
    edges: Vec<CoverageCell>,
}

impl TryFrom<Parts> for Coverage {
    type Error = StatsError;

    fn try_from(parts: Parts) -> Result<Self, StatsError> {
        Self::from_parts(parts.spans, parts.edges)
    }
}

impl Coverage {
    /// Puts a stored coverage together again.
    ///
    /// # Errors
    /// [`StatsError::MalformedCoverage`] if a list is not in row-major order, cells occur twice, a span is
    /// empty, or a fraction is not above 0 and at most 1.
    pub fn from_parts(spans: Vec<Span>, edges: Vec<CoverageCell>) -> Result<Self, StatsError> {
        let coverage = Self { spans, edges };
        let mut free_from = (0, 0);
        for run in coverage.runs() {
            let end = run.col_start.checked_add(run.len);
            let fits = (run.row, run.col_start) >= free_from && run.len > 0;
            match end {
                Some(end) if fits && run.fraction > 0.0 && run.fraction <= 1.0 => free_from = (run.row, end),
                _ => return Err(StatsError::MalformedCoverage { row: run.row, col: run.col_start }),
            }
        }
        Ok(coverage)
    }

    /// Wholly covered cells, in row-major order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Partly covered cells, in row-major order.
    pub fn edges(&self) -> &[CoverageCell] {
        &self.edges
    }

    /// True if the zone covers no part of the window.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.edges.is_empty()
    }

    /// Number of cells that are covered at all.
    pub fn cell_count(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.len)).sum::<u64>() + self.edges.len() as u64
    }

    /// Covered area in cells: the sum of all fractions.
    pub fn total(&self) -> f64 {
        let whole: u64 = self.spans.iter().map(|span| u64::from(span.len)).sum();
        whole as f64 + self.edges.iter().map(|cell| f64::from(cell.fraction)).sum::<f64>()
    }

    /// Runs of cells in row-major order: the form to walk a raster's rows with.
    pub fn runs(&self) -> impl Iterator<Item = CoverageRun> + '_ {
        let mut spans = self.spans.iter().peekable();
        let mut edges = self.edges.iter().peekable();
        std::iter::from_fn(move || {
            let span_first = match (spans.peek(), edges.peek()) {
                (Some(span), Some(edge)) => (span.row, span.col_start) < (edge.row, edge.col),
                (span, _) => span.is_some(),
            };
            if span_first { spans.next().map(CoverageRun::from) } else { edges.next().map(CoverageRun::from) }
        })
    }

    /// Covered cells one by one, in row-major order.
    pub fn cells(&self) -> impl Iterator<Item = CoverageCell> + '_ {
        self.runs().flat_map(|run| {
            let cols = run.col_start..run.col_start + run.len;
            cols.map(move |col| CoverageCell { col, row: run.row, fraction: run.fraction })
        })
    }

    /// Appends cells with one fraction, which must lie after all cells added so far.
    pub(crate) fn push(&mut self, row: u32, cols: std::ops::Range<u32>, fraction: f32) {
        if cols.is_empty() {
            return;
        }
        if fraction < 1.0 {
            self.edges.extend(cols.map(|col| CoverageCell { col, row, fraction }));
            return;
        }
        let len = cols.end - cols.start;
        match self.spans.last_mut() {
            Some(span) if span.row == row && span.col_start + span.len == cols.start => span.len += len,
            _ => self.spans.push(Span { row, col_start: cols.start, len }),
        }
    }
}

impl From<&Span> for CoverageRun {
    fn from(span: &Span) -> Self {
        Self { row: span.row, col_start: span.col_start, len: span.len, fraction: 1.0 }
    }
}

impl From<&CoverageCell> for CoverageRun {
    fn from(cell: &CoverageCell) -> Self {
        Self { row: cell.row, col_start: cell.col, len: 1, fraction: cell.fraction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_cells_come_in_row_major_order() {
        let mut coverage = Coverage::default();
        coverage.push(0, 1..2, 0.5);
        coverage.push(0, 2..4, 1.0);
        coverage.push(0, 4..5, 1.0);
        coverage.push(0, 5..6, 0.25);
        coverage.push(1, 0..1, 1.0);
        assert_eq!(coverage.spans().len(), 2, "neighbouring whole cells join");
        let cells: Vec<_> = coverage.cells().map(|cell| (cell.row, cell.col, cell.fraction)).collect();
        assert_eq!(cells, [(0, 1, 0.5), (0, 2, 1.0), (0, 3, 1.0), (0, 4, 1.0), (0, 5, 0.25), (1, 0, 1.0)]);
        assert_eq!(coverage.cell_count(), 6);
        assert_eq!(coverage.total(), 4.75);
    }

    #[test]
    fn parts_round_trip_and_faults_are_refused() {
        let span = |row, col_start, len| Span { row, col_start, len };
        let edge = |row, col, fraction| CoverageCell { col, row, fraction };
        let good = Coverage::from_parts(vec![span(0, 2, 3)], vec![edge(0, 1, 0.5), edge(1, 0, 0.5)]).unwrap();
        let json = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Coverage>(&json).unwrap(), good);
        for (spans, edges) in [
            (vec![span(0, 2, 3)], vec![edge(0, 4, 0.5)]), // overlap
            (vec![span(1, 0, 1), span(0, 0, 1)], vec![]), // order
            (vec![span(0, 0, 0)], vec![]),                // empty span
            (vec![span(0, u32::MAX, 2)], vec![]),         // overflow
            (vec![], vec![edge(0, 0, 0.0)]),              // not covered
            (vec![], vec![edge(0, 0, f32::NAN)]),         // not a number
            (vec![], vec![edge(0, 0, 1.5)]),              // above 1
        ] {
            assert!(Coverage::from_parts(spans, edges).is_err());
        }
    }
}
