//! Per-cell records to coverage: a running sum along each row.

use crate::Coverage;
use crate::trace::EdgeRecord;

/// Below this share of a cell (1e-6 m² at 30 m) a cell counts as not covered: rounding, not area.
const NOTHING: f64 = 1e-9;

/// Sorts the records and reads the covered fractions off.
pub(crate) fn sweep(records: &mut [EdgeRecord], cols: u32) -> Coverage {
    records.sort_unstable_by_key(|record| record.key);
    let mut coverage = Coverage::default();
    let mut rest = &*records;
    while let Some(first) = rest.first() {
        let row = (first.key >> 32) as u32;
        let in_row = rest.iter().take_while(|record| (record.key >> 32) as u32 == row).count();
        let (this_row, later) = rest.split_at(in_row);
        sweep_row(this_row, row, cols, &mut coverage);
        rest = later;
    }
    coverage
}

fn sweep_row(records: &[EdgeRecord], row: u32, cols: u32, coverage: &mut Coverage) {
    let mut inside = 0.0; // rise of everything to the left: the coverage of cells without an edge of their own
    let mut next_col = 0;
    for cell in records.chunk_by(|a, b| a.key == b.key) {
        let Some(first) = cell.first() else { continue };
        let col = (first.key & u64::from(u32::MAX)) as u32;
        let (rise, area) = cell.iter().fold((0.0, 0.0), |sum, r| (sum.0 + r.rise, sum.1 + r.area));
        emit(coverage, row, next_col..col, inside);
        emit(coverage, row, col..col + 1, inside + area);
        inside += rise;
        next_col = col + 1;
    }
    emit(coverage, row, next_col..cols, inside);
}

fn emit(coverage: &mut Coverage, row: u32, cols: std::ops::Range<u32>, signed_fraction: f64) {
    let fraction = signed_fraction.abs().min(1.0);
    if fraction >= NOTHING {
        coverage.push(row, cols, fraction as f32);
    }
}
