//! Counter-based randomness: every value is a hash of (seed, place, time), never of call order.

/// Finaliser of SplitMix64: 64 well-mixed bits.
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Hash of a seed and two signed counters.
#[inline]
pub(crate) fn hash(seed: u64, a: i64, b: i64) -> u64 {
    mix(mix(seed ^ a.cast_unsigned()) ^ b.cast_unsigned().rotate_left(32))
}

/// The top 53 bits as a number in [0, 1).
#[inline]
pub(crate) fn unit(h: u64) -> f64 {
    (h >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// A number in [0, 1) from a seed and two counters.
#[inline]
pub(crate) fn uniform(seed: u64, a: i64, b: i64) -> f64 {
    unit(hash(seed, a, b))
}

/// A number in [-1, 1) from a seed and two counters.
#[inline]
pub(crate) fn signed(seed: u64, a: i64, b: i64) -> f64 {
    2.0 * uniform(seed, a, b) - 1.0
}

/// Hermite step: 0 below `lo`, 1 above `hi`.
#[inline]
pub(crate) fn smoothstep(lo: f64, hi: f64, x: f64) -> f64 {
    let t = ((x - lo) / (hi - lo)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Value noise in [-1, 1], smooth, with a lattice of unit spacing.
#[inline]
pub(crate) fn value_noise(seed: u64, x: f64, y: f64) -> f64 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i64, fy as i64);
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let at = |dx, dy| signed(seed, ix + dx, iy + dy);
    let low = at(0, 0) + sx * (at(1, 0) - at(0, 0));
    let high = at(0, 1) + sx * (at(1, 1) - at(0, 1));
    low + sy * (high - low)
}

/// Sum of `octaves` value noises, each twice as fine and half as strong; about [-1, 1].
pub(crate) fn fbm(seed: u64, x: f64, y: f64, octaves: u32) -> f64 {
    let (mut sum, mut norm, mut amp, mut freq) = (0.0, 0.0, 1.0, 1.0);
    for k in 0..octaves {
        sum += amp * value_noise(seed.wrapping_add(u64::from(k)), x * freq, y * freq);
        norm += amp;
        amp *= 0.5;
        freq *= 2.0;
    }
    sum / norm
}

/// Eight independent noise values of unit variance (triangular distribution) from two hashes.
#[inline]
pub(crate) fn noise8(seed: u64, a: i64, b: i64) -> [f32; 8] {
    let h = [hash(seed, a, b), 0];
    let h = [h[0], mix(h[0] ^ 0x5851_f42d_4c95_7f2d)];
    std::array::from_fn(|k| {
        let sixteen = (h[k / 4] >> (16 * (k % 4))) as u16;
        let sum = i32::from(sixteen & 0xff) + i32::from(sixteen >> 8) - 255;
        sum as f32 * (1.0 / 104.512)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_zero_mean_and_unit_variance() {
        let (mut sum, mut squares, n) = (0.0_f64, 0.0_f64, 20_000);
        for k in 0..n {
            for v in noise8(1, k, 2) {
                sum += f64::from(v);
                squares += f64::from(v) * f64::from(v);
            }
        }
        let n = (n * 8) as f64;
        assert!((sum / n).abs() < 0.02);
        assert!((squares / n - 1.0).abs() < 0.02);
    }

    #[test]
    fn value_noise_is_continuous_across_cells() {
        let (a, b) = (value_noise(3, 1.0 - 1e-9, 0.4), value_noise(3, 1.0 + 1e-9, 0.4));
        assert!((a - b).abs() < 1e-6);
    }
}
