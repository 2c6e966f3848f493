//! Medians of columns against a sort.

use super::super::count::middle;
use super::super::lanes::Plain;
use super::super::select::{median, room_for};

#[test]
fn middle_values_of_any_number_of_rows() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % n
    };
    for rows in (0..=300).step_by(2).chain([690, 1024, 1030]) {
        for _ in 0..4 {
            let mut column = vec![[f32::NAN; 4]; room_for(rows)];
            let mut defined = [const { Vec::<f32>::new() }; 4];
            let mut next = [f32::INFINITY; 4];
            // Few different values now and then: many are equal.
            let values = [3, 1 << 20][below(2) as usize];
            let missing = below(4);
            for row in &mut column[..rows] {
                for l in 0..4 {
                    if below(10) < missing {
                        row[l] = next[l];
                        next[l] = -next[l];
                    } else {
                        row[l] = below(values) as f32;
                        defined[l].push(row[l]);
                    }
                }
            }
            let counts = Plain(std::array::from_fn(|l| defined[l].len() as f32));
            let (low, high) = median(&mut column, rows, counts);
            for (l, mut values) in defined.into_iter().enumerate() {
                values.sort_by(f32::total_cmp);
                let found = (low.0[l], high.0[l]);
                match values.len() {
                    0 => assert!(found.0.is_nan() && found.1.is_nan()),
                    n => assert_eq!(found, (values[(n - 1) / 2], values[n / 2]), "{n} of {rows} rows"),
                }
            }
        }
    }
}

#[test]
fn long_columns_are_seldom_left_to_be_sorted() {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32
    };
    let mut left = 0;
    for turn in 0..300 {
        // Deviations as they are: many small, some of clouds; now and then of few different values, or steps.
        let rows = 160 + 2 * (turn * 7 % 300);
        let mut one = |_| {
            let v = if next() < 0.1 { 0.3 + next() } else { 0.02 * next() * next() };
            match turn % 4 {
                0 => (v * 500.0).round(),
                1 => v.signum() * (v * 4.0).trunc(),
                _ => v,
            }
        };
        let column: Vec<[f32; 4]> = (0..rows).map(|_| [0; 4].map(&mut one)).collect();
        let Some((low, high)) = middle::<Plain, 4>(&column) else {
            left += 1;
            continue;
        };
        for l in 0..4 {
            let mut values: Vec<f32> = column.iter().map(|row| row[l]).collect();
            values.sort_by(f32::total_cmp);
            let found = [low.0[l], high.0[l]].map(f32::to_bits);
            assert_eq!(found, [values[rows / 2 - 1], values[rows / 2]].map(f32::to_bits), "{turn}");
        }
    }
    assert!(left < 3, "{left} of 300 columns");
}
