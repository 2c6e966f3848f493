//! The decision tree.

/// Whether a spectrum is water: surface reflectance × 10⁴ of blue, green, red, nir, swir1, swir2.
///
/// A ratio without a value (0/0) fails every comparison.
pub fn is_water([blue, green, red, nir, swir1, swir2]: [f64; 6]) -> bool {
    let ratio = |a: f64, b: f64| (a - b) / (a + b);
    let wetness = ratio(swir1, green); // below 0 where green outshines the infrared
    let greenness = ratio(nir, red);
    if wetness <= -0.01 {
        if blue > 2083.5 {
            false
        } else if swir2 <= 323.5 {
            greenness <= 0.61
        } else if blue <= 1400.5 {
            if ratio(swir2, green) <= -0.23 { greenness <= 0.22 || blue <= 473.0 } else { blue <= 379.0 }
        } else {
            greenness <= -0.01
        }
    } else if wetness <= 0.23 {
        if blue > 334.5 || greenness > 0.54 {
            false
        } else {
            wetness <= 0.12 || blue <= if red <= 364.5 { 129.5 } else { 300.5 }
        }
    } else {
        wetness <= 0.34 && blue <= 129.5 && greenness <= 0.45 && red <= 364.5
    }
}
