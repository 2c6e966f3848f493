//! What a parent is, from four children and bits that say which of them count.

use crate::Sample;

/// Bits of the children that are not nodata.
#[inline]
fn valid<T: Sample>(children: [T; 4], nodata: T) -> u8 {
    (0..4).fold(0, |bits, k| bits | u8::from(!children[k].is_nodata(nodata)) << k)
}

/// Mean of the used children that are not nodata; nodata if there is none.
#[inline]
pub(crate) fn mean<T: Sample>(children: [T; 4], used: u8, nodata: T) -> T {
    let used = used & valid(children, nodata);
    let numbers = children.map(Sample::to_f64);
    if used == 0b1111 {
        return T::from_f64((numbers[0] + numbers[1] + numbers[2] + numbers[3]) * 0.25, nodata);
    }
    if used == 0 {
        return nodata;
    }
    let sum: f64 = (0..4).map(|k| if used & (1 << k) == 0 { 0.0 } else { numbers[k] }).sum();
    T::from_f64(sum / f64::from(used.count_ones()), nodata)
}

/// Largest of the used children that are not nodata; nodata if there is none.
#[inline]
pub(crate) fn max<T: Sample>(children: [T; 4], used: u8, nodata: T) -> T {
    let used = used & valid(children, nodata);
    let mut largest = nodata;
    let mut found = false;
    for (k, child) in children.into_iter().enumerate() {
        if used & (1 << k) != 0 && (!found || child > largest) {
            (largest, found) = (child, true);
        }
    }
    largest
}

/// Most frequent of the used children, ties to the smallest; `none` if none is used.
#[inline]
pub(crate) fn mode<T: Sample>(children: [T; 4], used: u8, none: T) -> T {
    let [a, b, c, d] = children;
    if used != 0 && a == b && b == c && c == d {
        return a;
    }
    let mut winner = none;
    let mut most = 0;
    for (k, child) in children.into_iter().enumerate() {
        if used & (1 << k) == 0 {
            continue;
        }
        let votes = (0..4).filter(|other| used & (1 << other) != 0 && children[*other] == child).count();
        if votes > most || (votes == most && child < winner) {
            (winner, most) = (child, votes);
        }
    }
    winner
}

/// [`mode`] of the used children that are not nodata.
#[inline]
pub(crate) fn valid_mode<T: Sample>(children: [T; 4], used: u8, nodata: T) -> T {
    mode(children, used & valid(children, nodata), nodata)
}
