//! Which pixels of its part one scene gives to a slot, as runs along rows: what is copied is copied whole.

use tesela_grid::PixelWindow;

/// Runs of pixels taken, row by row of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Where each row's runs start in `runs`, and where the last row's end.
    rows: Vec<u32>,
    /// First column and the one past the last.
    runs: Vec<(u32, u32)>,
}

impl Taken {
    /// From one flag a pixel, `width` a row: the smallest window that holds all that is taken, and the runs in it;
    /// `None` when nothing is.
    pub(crate) fn of_flags(flags: &[bool], width: usize) -> Option<(PixelWindow, Self)> {
        let (mut rows, mut runs) = (vec![0], Vec::new());
        let (mut left, mut right) = (width, 0);
        for flags in flags.chunks_exact(width.max(1)) {
            let mut x = 0;
            while let Some(start) = flags[x..].iter().position(|taken| *taken).map(|n| x + n) {
                let end = flags[start..].iter().position(|taken| !taken).map_or(width, |n| start + n);
                runs.push((start as u32, end as u32));
                (left, right) = (left.min(start), right.max(end));
                x = end;
            }
            rows.push(runs.len() as u32);
        }
        let top = rows.iter().position(|end| *end > 0)?.saturating_sub(1);
        let bottom = rows.iter().position(|end| *end as usize == runs.len())?;
        let rows = rows[top..=bottom].to_vec();
        runs.iter_mut().for_each(|run| *run = (run.0 - left as u32, run.1 - left as u32));
        let window = PixelWindow::new(left as i64, top as i64, right - left, bottom - top);
        Some((window, Self { rows, runs }))
    }

    /// The runs of a row of the window: first column and the one past the last.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let [from, to] = [row, row + 1].map(|r| self.rows.get(r).map_or(self.runs.len(), |at| *at as usize));
        self.runs[from..to].iter().map(|(start, end)| *start as usize..*end as usize)
    }

    /// Whether every pixel of rows of this width is taken.
    pub(crate) fn is_all(&self, width: usize) -> bool {
        self.runs.len() + 1 == self.rows.len() && self.runs.iter().all(|run| *run == (0, width as u32))
    }

    /// Puts `nodata` between the runs of a row.
    pub(crate) fn clear<T: Copy>(&self, row: usize, values: &mut [T], nodata: T) {
        let mut from = 0;
        for run in self.row(row) {
            values[from..run.start].fill(nodata);
            from = run.end;
        }
        values[from..].fill(nodata);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_taken_is_none() {
        assert_eq!(Taken::of_flags(&[false; 12], 4), None);
        assert_eq!(Taken::of_flags(&[], 0), None);
    }

    #[test]
    fn all_taken_is_all() {
        let (window, taken) = Taken::of_flags(&[true; 12], 4).unwrap();
        assert_eq!(window, PixelWindow::new(0, 0, 4, 3));
        assert!(taken.is_all(4));
        // As many runs as rows, and yet not all.
        let (window, taken) =
            Taken::of_flags(&[true, false, true, false, false, false, true, true, true], 3).unwrap();
        assert_eq!(window, PixelWindow::new(0, 0, 3, 3));
        assert!(!taken.is_all(3));
    }

    proptest! {
        #[test]
        fn runs_in_their_window_are_the_flags(
            width in 1usize..20,
            bits in prop::collection::vec(prop_oneof![2 => Just(false), 1 => any::<bool>()], 0..200),
        ) {
            let flags = &bits[..bits.len() / width * width];
            let mut again = vec![false; flags.len()];
            if let Some((window, taken)) = Taken::of_flags(flags, width) {
                for row in 0..window.height {
                    let first = (window.py as usize + row) * width + window.px as usize;
                    let mut line = vec![true; window.width];
                    taken.clear(row, &mut line, false);
                    for run in taken.row(row) {
                        prop_assert!(line[run.clone()].iter().all(|v| *v));
                        again[first..][run].fill(true);
                    }
                    prop_assert_eq!(&line[..], &again[first..first + window.width]);
                }
                // No smaller window holds them.
                let edge = |x: usize, y: usize| again[(window.py as usize + y) * width + window.px as usize + x];
                prop_assert!((0..window.width).any(|x| edge(x, 0)));
                prop_assert!((0..window.width).any(|x| edge(x, window.height - 1)));
                prop_assert!((0..window.height).any(|y| edge(0, y)));
                prop_assert!((0..window.height).any(|y| edge(window.width - 1, y)));
                prop_assert_eq!(taken.is_all(window.width), again.iter().filter(|v| **v).count() == window.len());
            }
            prop_assert_eq!(flags, &again[..]);
        }
    }
}
