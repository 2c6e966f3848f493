//! A vote among neighbours.

use super::{ClassMapError, check};

/// The class most frequent among the 3 × 3 pixels around each pixel, itself included; row-major.
///
/// Where several are equally frequent the pixel keeps its own class, even if that is not one of them. Nodata
/// pixels do not vote and stay nodata, and nothing beyond the frame votes: give a window one pixel of margin and
/// cut it off.
/// # Errors
/// [`ClassMapError`] unless the map is `width × height` long.
pub fn majority(classes: &[u8], width: usize, height: usize, nodata: u8) -> Result<Vec<u8>, ClassMapError> {
    check(classes.len(), width, height)?;
    let mut out = vec![nodata; classes.len()];
    for y in 0..height {
        let rows = y.saturating_sub(1)..(y + 2).min(height);
        for x in 0..width {
            let own = classes[y * width + x];
            if own == nodata {
                continue;
            }
            let (left, right) = (x.saturating_sub(1), (x + 2).min(width));
            let mut window = [0u8; 9];
            let mut voters = 0;
            for row in rows.clone() {
                for &class in &classes[row * width + left..row * width + right] {
                    if class != nodata {
                        window[voters] = class;
                        voters += 1;
                    }
                }
            }
            out[y * width + x] = winner(&window[..voters], own);
        }
    }
    Ok(out)
}

/// The single most frequent class, or `own` if there is none.
fn winner(voters: &[u8], own: u8) -> u8 {
    let votes = |class: u8| voters.iter().filter(|&&voter| voter == class).count();
    let (mut best, mut most, mut tied) = (own, votes(own), false);
    for (at, &class) in voters.iter().enumerate() {
        if class == best || voters[..at].contains(&class) {
            continue;
        }
        let count = votes(class);
        if count > most {
            (best, most, tied) = (class, count, false);
        } else if count == most {
            tied = true;
        }
    }
    if tied { own } else { best }
}
