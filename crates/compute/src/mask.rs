//! Quality words to masks: flags by name, grown by Euclidean disks on the cube grid (science 1.8).

use tesela_model::landsat::FlagMask;

use crate::ComputeError;
use tesela_kernel::morphology::{Disk, Morphology};

/// A mask ready to be applied to windows of quality words.
#[derive(Debug, Clone)]
pub struct Masker {
    groups: Vec<(Vec<bool>, Option<Disk>)>,
    nodata: usize,
    halo: usize,
}

impl Masker {
    /// From flag groups and the radius each is grown by, pixels; words equal to `nodata` are always hidden.
    ///
    /// # Errors
    /// [`ComputeError::Parameter`] for a radius that no disk has.
    pub fn new(groups: Vec<(FlagMask, u32)>, nodata: f64) -> Result<Self, ComputeError> {
        let mut halo = 0;
        let groups = groups
            .into_iter()
            .map(|(flags, radius)| {
                let disk =
                    if radius == 0 {
                        None
                    } else {
                        halo = halo.max(radius as usize);
                        Some(Disk::new(f64::from(radius)).map_err(|e| ComputeError::Parameter {
                            parameter: "mask",
                            problem: e.to_string(),
                        })?)
                    };
                Ok((flags.table(), disk))
            })
            .collect::<Result<Vec<_>, ComputeError>>()?;
        Ok(Self { groups, nodata: nodata.clamp(0.0, 65535.0) as usize, halo })
    }

    /// Pixels needed around a window so that the mask is exact inside it.
    pub fn halo(&self) -> usize {
        self.halo
    }

    /// Where a window of words is hidden; `words` reaches `halo` pixels beyond the answer on every side.
    ///
    /// `width` and `height` are of `words`, row-major.
    ///
    /// # Errors
    /// [`ComputeError::Parameter`] when sizes disagree.
    pub fn hidden(
        &self,
        words: impl Fn(usize) -> u16,
        width: usize,
        height: usize,
        halo: usize,
    ) -> Result<Vec<bool>, ComputeError> {
        let (w, h) = (width - 2 * halo, height - 2 * halo);
        let mut hidden = vec![false; w * h];
        for (y, row) in hidden.chunks_exact_mut(w.max(1)).enumerate() {
            for (x, out) in row.iter_mut().enumerate() {
                *out = usize::from(words((y + halo) * width + x + halo)) == self.nodata;
            }
        }
        for (table, disk) in &self.groups {
            if !hidden.contains(&false) {
                break;
            }
            let is = |i: usize| table.get(usize::from(words(i))).copied().unwrap_or(false);
            if let Some(disk) = disk {
                let mut grown: Vec<bool> = (0..width * height).map(is).collect();
                if !grown.contains(&true) {
                    continue;
                }
                Morphology::new(width, height)
                    .dilate(&mut grown, disk)
                    .map_err(|e| ComputeError::Parameter { parameter: "mask", problem: e.to_string() })?;
                for y in 0..h {
                    let from = (y + halo) * width + halo;
                    for (out, g) in hidden[y * w..(y + 1) * w].iter_mut().zip(&grown[from..from + w]) {
                        *out |= g;
                    }
                }
            } else {
                for y in 0..h {
                    for x in 0..w {
                        hidden[y * w + x] |= is((y + halo) * width + x + halo);
                    }
                }
            }
        }
        Ok(hidden)
    }
}
