//! A row of parents at once, for the type and nodata that nearly every band has: written so that the compiler takes
//! several parents in one instruction. The numbers are those of [`super::rules::mean`].

/// Parents looked at together: where every child of all of them counts, the mean is one shift.
const TOGETHER: usize = 16;
const ALL: u8 = 0b1111;

/// Means of a row of parents whose children are 16-bit and whose nodata is 0: `top` and `low` hold two children a
/// parent, `used` the bits of those that count. In the vector lanes of the machine, which give the same numbers.
pub(crate) fn mean_u16_zero(top: &[u16], low: &[u16], used: &[u8], out: &mut Vec<u16>) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions, asked here.
        return unsafe { means_avx2(top, low, used, out) };
    }
    means(top, low, used, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn means_avx2(top: &[u16], low: &[u16], used: &[u8], out: &mut Vec<u16>) {
    means(top, low, used, out);
}

#[inline(always)]
fn means(top: &[u16], low: &[u16], used: &[u8], out: &mut Vec<u16>) {
    let (top, low) = (top.as_chunks::<2>().0, low.as_chunks::<2>().0);
    let (tops, top) = top.as_chunks::<TOGETHER>();
    let (lows, low) = low.as_chunks::<TOGETHER>();
    let (useds, used) = used.as_chunks::<TOGETHER>();
    for ((top, low), used) in tops.iter().zip(lows).zip(useds) {
        out.extend_from_slice(&means_together(top, low, used));
    }
    let blocks = top.iter().zip(low).zip(used);
    out.extend(blocks.map(|((a, c), used)| mean_of_used([a[0], a[1], c[0], c[1]], *used)));
}

#[inline(always)]
fn means_together(
    top: &[[u16; 2]; TOGETHER],
    low: &[[u16; 2]; TOGETHER],
    used: &[u8; TOGETHER],
) -> [u16; TOGETHER] {
    // Loops, for iterators put end to end are not taken together.
    let mut none_is_zero = true;
    for child in top.as_flattened() {
        none_is_zero &= *child != 0;
    }
    for child in low.as_flattened() {
        none_is_zero &= *child != 0;
    }
    let mut all_used = ALL;
    for used in used {
        all_used &= used;
    }
    let all_are_used = all_used == ALL;
    let mut means = [0; TOGETHER];
    let blocks = means.iter_mut().zip(top.iter().zip(low));
    if none_is_zero & all_are_used {
        for (mean, (above, below)) in blocks {
            let above = u32::from(above[0]).wrapping_add(u32::from(above[1]));
            let below = u32::from(below[0]).wrapping_add(u32::from(below[1]));
            *mean = quarter(above.wrapping_add(below)) as u16;
        }
    } else {
        for ((mean, (above, below)), used) in blocks.zip(used) {
            *mean = mean_of_used([above[0], above[1], below[0], below[1]], *used);
        }
    }
    means
}

/// A fourth, half to even. Wrapping arithmetic, here and below, because checked sums are not taken together.
#[inline(always)]
fn quarter(sum: u32) -> u32 {
    sum.wrapping_add(1).wrapping_add((sum >> 2) & 1) >> 2
}

/// Half to even, of the children that are used and not 0. No mean of positive numbers is 0.
#[inline(always)]
fn mean_of_used(children: [u16; 4], used: u8) -> u16 {
    let used = u32::from(used);
    let (mut sum, mut count) = (0u32, 0u32);
    for (k, child) in children.into_iter().enumerate() {
        let counts = (used >> k) & u32::from(child != 0);
        sum = sum.wrapping_add(u32::from(child) & counts.wrapping_neg());
        count = count.wrapping_add(counts);
    }
    let half = sum.wrapping_add((sum >> 1) & 1) >> 1;
    // No third is a half: one more makes the quotient the nearest number.
    let third = sum.wrapping_add(1) / 3;
    let mean = if count == 4 { quarter(sum) } else { sum };
    let mean = if count == 3 { third } else { mean };
    let mean = if count == 2 { half } else { mean };
    mean as u16
}

#[cfg(test)]
mod tests {
    use super::super::rules;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_has_the_means_of_the_rule(
            blocks in prop::collection::vec((prop::array::uniform4(prop_oneof![
                1 => Just(0u16), 3 => 1u16..12, 3 => any::<u16>(), 1 => 65_530u16..=65_535,
            ]), 0u8..16), 0..70),
        ) {
            let top: Vec<u16> = blocks.iter().flat_map(|(c, _)| [c[0], c[1]]).collect();
            let low: Vec<u16> = blocks.iter().flat_map(|(c, _)| [c[2], c[3]]).collect();
            let used: Vec<u8> = blocks.iter().map(|(_, used)| *used).collect();
            let mut row = Vec::new();
            mean_u16_zero(&top, &low, &used, &mut row);
            let expected: Vec<u16> = blocks.iter().map(|(c, used)| rules::mean(*c, *used, 0)).collect();
            prop_assert_eq!(&row, &expected);
            row.clear();
            means(&top, &low, &used, &mut row);
            prop_assert_eq!(&row, &expected);
        }
    }
}
