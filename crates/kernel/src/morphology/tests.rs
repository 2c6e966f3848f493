//! Known answers of science 1.8 and the laws of morphology, against the definition written out.

use proptest::prelude::*;

use super::*;

fn disk(radius: f64) -> Disk {
    Disk::new(radius).unwrap()
}

fn parse(picture: &str) -> (usize, Vec<bool>) {
    let rows: Vec<&str> = picture.split_whitespace().collect();
    (rows[0].len(), rows.concat().bytes().map(|b| b == b'#').collect())
}

/// The mask of KAT-L5: a 5×5 square, a lone pixel and a 1×3 bar on 40×40. The answer does not say where they
/// are; its count after dilation by 5 (368, not 369) needs two of the grown shapes to share one pixel.
fn known_mask() -> Vec<bool> {
    let mut mask = vec![false; 1600];
    for y in 10..15 {
        mask[y * 40 + 10..y * 40 + 15].fill(true);
    }
    mask[30 * 40 + 24] = true;
    mask[30 * 40 + 12..30 * 40 + 15].fill(true);
    mask
}

fn count_after(steps: &[(Operation, f64)]) -> usize {
    let steps: Vec<_> = steps.iter().map(|&(operation, radius)| (operation, disk(radius))).collect();
    let mut mask = known_mask();
    Morphology::new(40, 40).apply(&mut mask, &steps, Outside::Clear).unwrap();
    mask.iter().filter(|&&set| set).count()
}

#[test]
fn disks_have_the_known_sizes() {
    let sizes = [1., 2., 3., 4., 5., 6., 7., 3.5, 0.].map(|radius| disk(radius).size());
    assert_eq!(sizes, [5, 13, 29, 49, 81, 113, 149, 37, 1]);
    for radius in [-1.0, 254.5, f64::NAN] {
        assert!(matches!(Disk::new(radius), Err(MorphologyError::Radius { .. })));
    }
}

#[test]
fn known_counts() {
    use Operation::{Closing, Dilation, Erosion, Opening};
    assert_eq!(count_after(&[]), 29);
    for (radius, count) in [(1., 61), (2., 105), (3., 173), (5., 368)] {
        assert_eq!(count_after(&[(Dilation, radius)]), count);
    }
    assert_eq!(count_after(&[(Erosion, 1.)]), 9);
    assert_eq!(count_after(&[(Opening, 2.)]), 13);
    assert_eq!(count_after(&[(Opening, 2.), (Dilation, 5.)]), 149);
    assert_eq!(count_after(&[(Closing, 3.)]), 29);
}

#[test]
fn a_pixel_becomes_a_disk_cut_at_the_border() {
    let (width, mut mask) = parse(
        "....... \
         ....... \
         #...#.. \
         ....... \
         .......",
    );
    Morphology::new(width, 5).dilate(&mut mask, &disk(2.0)).unwrap();
    let (_, expected) = parse(
        "#...#.. \
         ##.###. \
         ####### \
         ##.###. \
         #...#..",
    );
    assert_eq!(mask, expected);
}

#[test]
fn an_all_set_mask_has_a_defined_erosion() {
    let mut morphology = Morphology::new(7, 7);
    let mut mask = vec![true; 49];
    morphology.erode(&mut mask, &disk(2.0), Outside::Set).unwrap();
    assert!(mask.iter().all(|&set| set));
    morphology.erode(&mut mask, &disk(2.0), Outside::Clear).unwrap();
    assert_eq!(mask.iter().filter(|&&set| set).count(), 9);
}

#[test]
fn halos_and_shapes() {
    let steps = [(Operation::Opening, disk(2.0)), (Operation::Dilation, disk(5.0))];
    assert_eq!(halo(&steps), 9);
    let wrong = Morphology::new(3, 3).dilate(&mut [false; 8], &disk(1.0));
    assert_eq!(wrong, Err(MorphologyError::MaskLength { len: 8, width: 3, height: 3 }));
    assert_eq!(Morphology::new(0, 3).close(&mut [], &disk(1.0)), Ok(()));
    assert_eq!(Morphology::new(3, 0).erode(&mut [], &disk(1.0), Outside::Clear), Ok(()));
}

/// Whether any pixel within `radius` of `(x, y)` equals `value`; outside the frame all are `outside`.
fn any_within(mask: &[bool], width: usize, at: usize, radius: f64, value: bool, outside: bool) -> bool {
    let (x, y) = ((at % width) as i64, (at / width) as i64);
    let reach = radius as i64;
    (-reach..=reach).any(|dy| {
        (-reach..=reach).any(|dx| {
            let inside = (dx * dx + dy * dy) as f64 <= radius * radius;
            let within = (0..width as i64).contains(&(x + dx)) && y + dy >= 0;
            let pixel = if within { mask.get(((y + dy) * width as i64 + x + dx) as usize) } else { None };
            inside && *pixel.unwrap_or(&outside) == value
        })
    })
}

fn masks() -> impl Strategy<Value = (usize, Vec<bool>)> {
    (1usize..24, 1usize..24, 0.0..1.0).prop_flat_map(|(width, height, share)| {
        (Just(width), prop::collection::vec(prop::bool::weighted(share), width * height))
    })
}

proptest! {
    #[test]
    fn every_operation_equals_its_definition((width, mask) in masks(), quarters in 0u8..30) {
        let radius = f64::from(quarters) / 4.0;
        let disk = disk(radius);
        let mut morphology = Morphology::new(width, mask.len() / width);
        let mut dilated = mask.clone();
        morphology.dilate(&mut dilated, &disk).unwrap();
        for (at, &set) in dilated.iter().enumerate() {
            prop_assert_eq!(set, any_within(&mask, width, at, radius, true, false));
        }
        for (outside, beyond) in [(Outside::Clear, false), (Outside::Set, true)] {
            let mut eroded = mask.clone();
            morphology.erode(&mut eroded, &disk, outside).unwrap();
            for (at, &set) in eroded.iter().enumerate() {
                prop_assert_eq!(set, !any_within(&mask, width, at, radius, false, beyond));
            }
            let mut opened = mask.clone();
            morphology.open(&mut opened, &disk, outside).unwrap();
            prop_assert!(opened.iter().zip(&mask).all(|(after, before)| !after | before));
        }
        let mut closed = mask.clone();
        morphology.close(&mut closed, &disk).unwrap();
        prop_assert!(closed.iter().zip(&mask).all(|(after, before)| *after | !before));
        let once = closed.clone();
        morphology.close(&mut closed, &disk).unwrap();
        prop_assert_eq!(once, closed);
    }
}
