//! Votes and patches by eye, and against the definitions written out.

use proptest::prelude::*;

use super::*;

/// A picture of digits, `.` being nodata (0).
fn parse(picture: &str) -> (usize, Vec<u8>) {
    let rows: Vec<&str> = picture.split_whitespace().collect();
    (rows[0].len(), rows.concat().bytes().map(|b| if b == b'.' { 0 } else { b - b'0' }).collect())
}

#[test]
fn stray_pixels_are_outvoted() {
    let (width, classes) = parse(
        "11111 \
         12112 \
         11.22 \
         11222",
    );
    let (_, expected) = parse(
        "11111 \
         11112 \
         11.22 \
         11222",
    );
    assert_eq!(majority(&classes, width, 4, 0).unwrap(), expected);
}

#[test]
fn ties_keep_the_own_class() {
    assert_eq!(majority(&[1, 2], 2, 1, 0).unwrap(), [1, 2]);
    // 3 is not among the winners 1 and 2, four votes each, and stays.
    assert_eq!(majority(&[1, 1, 1, 1, 3, 2, 2, 2, 2], 3, 3, 0).unwrap()[4], 3);
    assert_eq!(majority(&[0, 0, 0, 0, 3, 0, 0, 2, 2], 3, 3, 0).unwrap()[4], 2);
    assert_eq!(majority(&[7; 9], 3, 3, 7).unwrap(), [7; 9]);
    assert!(majority(&[1; 5], 2, 2, 0).is_err());
    assert_eq!(majority(&[], 0, 4, 0).unwrap(), [0u8; 0]);
}

#[test]
fn small_patches_go() {
    let (width, picture) = parse(
        "11..1 \
         1..1. \
         ....1 \
         1.... \
         11...",
    );
    let mask: Vec<bool> = picture.iter().map(|&p| p == 1).collect();
    let count = |min_pixels, connectivity| {
        let mut mask = mask.clone();
        let dropped = drop_patches(&mut mask, width, 5, min_pixels, connectivity).unwrap();
        let left = mask.iter().filter(|&&set| set).count();
        assert_eq!(left + dropped, 9);
        left
    };
    assert_eq!(count(3, Connectivity::Eight), 9); // three patches of three
    assert_eq!(count(3, Connectivity::Four), 6); // the diagonal falls to pieces
    assert_eq!(count(4, Connectivity::Eight), 0);
    assert_eq!(count(0, Connectivity::Four), 9);
    assert!(drop_patches(&mut [true; 3], 2, 2, 1, Connectivity::Four).is_err());
}

fn maps() -> impl Strategy<Value = (usize, Vec<u8>)> {
    (1usize..12, 1usize..12).prop_flat_map(|(w, h)| (Just(w), prop::collection::vec(0u8..4, w * h)))
}

/// Positions around `at`, itself included, within the frame.
fn around(at: usize, width: usize, len: usize) -> Vec<usize> {
    let (x, y) = ((at % width) as i64, (at / width) as i64);
    let height = (len / width) as i64;
    (-1..=1)
        .flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)))
        .filter(|&(x, y)| (0..width as i64).contains(&x) && (0..height).contains(&y))
        .map(|(x, y)| (y as usize) * width + x as usize)
        .collect()
}

proptest! {
    #[test]
    fn every_vote_equals_its_definition((width, classes) in maps()) {
        let out = majority(&classes, width, classes.len() / width, 0).unwrap();
        for (at, &found) in out.iter().enumerate() {
            let mut votes = [0; 4];
            for k in around(at, width, classes.len()) {
                votes[usize::from(classes[k])] += 1;
            }
            let most = votes[1..].iter().max().copied().unwrap_or(0);
            let winners: Vec<u8> = (1..4).filter(|&c| votes[usize::from(c)] == most).collect();
            let expected = match (classes[at], &winners[..]) {
                (0, _) => 0,
                (_, [only]) => *only,
                (own, _) => own,
            };
            prop_assert_eq!(found, expected);
        }
    }

    /// Patches by labels that spread until nothing changes.
    #[test]
    fn every_patch_equals_its_definition((width, classes) in maps(), min_pixels in 0usize..8, eight in any::<bool>()) {
        let mask: Vec<bool> = classes.iter().map(|&c| c > 1).collect();
        let mut labels: Vec<usize> = (0..mask.len()).collect();
        loop {
            let before = labels.clone();
            for at in (0..mask.len()).filter(|&at| mask[at]) {
                for k in around(at, width, mask.len()) {
                    let diagonal = k % width != at % width && k / width != at / width;
                    if mask[k] && (eight || !diagonal) {
                        labels[at] = labels[at].min(labels[k]);
                    }
                }
            }
            if labels == before {
                break;
            }
        }
        let size = |label: usize| (0..mask.len()).filter(|&k| mask[k] && labels[k] == label).count();
        let expected: Vec<bool> =
            (0..mask.len()).map(|at| mask[at] && size(labels[at]) >= min_pixels).collect();
        let mut found = mask.clone();
        let connectivity = if eight { Connectivity::Eight } else { Connectivity::Four };
        drop_patches(&mut found, width, mask.len() / width, min_pixels, connectivity).unwrap();
        prop_assert_eq!(found, expected);
    }
}
