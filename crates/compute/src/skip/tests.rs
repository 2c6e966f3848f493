use tesela_store::Window;

use super::{ChunkReport, Grid, Need, Needs};

/// Chunks of 4 × 4 pixels, `depth` dates.
fn grid(depth: u64, group: usize, position: u64) -> Grid {
    Grid { chunk: [depth, 4, 4], shared: (group, position / depth) }
}

/// A window of 6 × 7 pixels from row 2 and column 3: chunks 0 and 1 down, 0 to 2 across.
const WINDOW: Window = Window { y0: 2, x0: 3, height: 6, width: 7 };

fn at(row: usize, column: usize) -> usize {
    (row - 2) * 7 + column - 3
}

#[test]
fn a_chunk_is_looked_at_when_one_pixel_of_it_in_the_window_is() {
    let mut hidden = vec![true; 42];
    let mut seen = vec![false; 42];
    hidden[at(3, 3)] = false;
    hidden[at(4, 9)] = false;
    seen[at(7, 4)] = true;
    seen[at(3, 3)] = true;
    let mut needs = Needs::new(WINDOW);
    needs.push(grid(1, 0, 0), &hidden, &seen);
    let wanted: Vec<bool> = (0..2)
        .flat_map(|y| (0..3).map(move |x| [y, x]))
        .map(|cell| needs.wants(0, [1, 4, 4], cell))
        .collect();
    assert_eq!(wanted, [true, false, false, false, false, true]);
    // Row 7, column 4 was observed and is hidden; the others never were.
    assert_eq!(needs.count(), (2, 1));
    assert!(needs.any(0));
    // Of an array cut otherwise, and of a slot or chunk that nothing is known of, all is read.
    assert!(needs.wants(0, [1, 8, 8], [0, 1]) && needs.wants(1, [1, 4, 4], [0, 1]));
    assert!(needs.wants(0, [1, 4, 4], [0, 3]) && needs.wants(0, [1, 4, 4], [2, 0]));
}

#[test]
fn dates_that_share_a_chunk_are_one_chunk() {
    let window = Window { y0: 0, x0: 0, height: 4, width: 8 };
    let all = |hidden: bool| vec![hidden; 32];
    let mut needs = Needs::new(window);
    // Two dates in one pair of chunks; the second sees the western one.
    needs.push(grid(8, 0, 0), &all(true), &all(true));
    let mut west = all(true);
    west[1] = false;
    needs.push(grid(8, 0, 7), &west, &all(true));
    // A date of the next chunk, hidden; one of another group, never observed.
    needs.push(grid(8, 0, 8), &all(true), &all(true));
    needs.push(grid(8, 1, 0), &all(true), &all(false));
    assert_eq!(needs.count(), (1, 3));
    assert_eq!([0, 1, 2, 3].map(|s| needs.any(s)), [false, true, false, false]);
}

#[test]
fn known_slots_say_where_they_were_observed() {
    let mut needs = Needs::new(WINDOW);
    let cells = vec![Need::Hidden, Need::Nothing, Need::Nothing, Need::Nothing, Need::Nothing, Need::Hidden];
    needs.push_known(grid(1, 0, 0), cells);
    let mut observed = vec![false; 42];
    needs.seen(0, &mut observed);
    // Rows 2 and 3 of column 3; rows 4 to 7 of columns 8 and 9.
    let expected: Vec<bool> = (0..42)
        .map(|i| (2 + i / 7, 3 + i % 7))
        .map(|(y, x)| (y < 4 && x < 4) || (y >= 4 && x >= 8))
        .collect();
    assert_eq!(observed, expected);
    assert!(!needs.any(0));
    assert_eq!(needs.count(), (0, 2));
}

#[test]
fn quality_words_are_read_wherever_anything_was_observed() {
    let mut seen = vec![false; 42];
    seen[at(2, 9)] = true;
    let mut needs = Needs::new(WINDOW);
    needs.push_seen(grid(1, 0, 0), &seen);
    assert_eq!(needs.count(), (1, 0));
}

#[test]
fn the_share_is_of_all_bands() {
    let report = ChunkReport { read: 30, skipped: 50, quality_read: 10, quality_skipped: 10 };
    assert_eq!(report.share_skipped(), Some(0.6));
    assert_eq!(ChunkReport::default().share_skipped(), None);
}
