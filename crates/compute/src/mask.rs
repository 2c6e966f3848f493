//! Quality words to masks: flags by name, grown and cleaned up by Euclidean disks on the cube grid (science 1.8).

use tesela_kernel::morphology::{Disk, Morphology, MorphologyError, Operation, Outside, halo};
use tesela_model::CleanupStep;
use tesela_model::landsat::FlagMask;

use crate::ComputeError;

/// What a product's mask hides.
#[derive(Debug, Clone, Default)]
pub struct MaskRule {
    /// Flags, and the radius each is grown by, pixels.
    pub groups: Vec<(FlagMask, u32)>,
    /// Steps over what `groups` hide together.
    pub cleanup: Vec<CleanupStep>,
    /// Flags that no step touches.
    pub fixed: Option<FlagMask>,
}

impl MaskRule {
    /// The flags alone, where they lie: for pyramid levels, on which disks of base pixels mean nothing.
    pub fn without_disks(mut self) -> Self {
        self.groups.iter_mut().for_each(|(_, radius)| *radius = 0);
        self.cleanup.clear();
        self
    }
}

/// A mask ready to be applied to windows of quality words.
#[derive(Debug, Clone)]
pub struct Masker {
    /// What a word hides where it lies, of all words.
    plain: Vec<bool>,
    /// What reaches beyond the pixel it lies in: flags, and how far they grow.
    groups: Vec<(Vec<bool>, Option<Disk>)>,
    cleanup: Vec<(Operation, Disk)>,
    halo: usize,
}

/// Number of words there are.
const WORDS: usize = 1 << 16;

fn unusable(e: MorphologyError) -> ComputeError {
    ComputeError::Parameter { parameter: "mask", problem: e.to_string() }
}

fn disk(radius: u32) -> Result<Disk, ComputeError> {
    Disk::new(f64::from(radius)).map_err(unusable)
}

impl Masker {
    /// Of a rule; words equal to `nodata` are always hidden.
    ///
    /// # Errors
    /// [`ComputeError::Parameter`] for a radius that no disk has.
    pub fn new(rule: MaskRule, nodata: f64) -> Result<Self, ComputeError> {
        let reach = rule.groups.iter().map(|(_, radius)| *radius as usize).max().unwrap_or(0);
        let groups = rule
            .groups
            .into_iter()
            .map(|(flags, radius)| Ok((flags.table(), (radius > 0).then(|| disk(radius)).transpose()?)))
            .collect::<Result<Vec<_>, ComputeError>>()?;
        let step = |step: CleanupStep| {
            let operation = match step {
                CleanupStep::Opening(_) => Operation::Opening,
                CleanupStep::Closing(_) => Operation::Closing,
                CleanupStep::Dilation(_) => Operation::Dilation,
                CleanupStep::Erosion(_) => Operation::Erosion,
            };
            Ok((operation, disk(step.radius())?))
        };
        let cleanup = rule.cleanup.into_iter().map(step).collect::<Result<Vec<_>, ComputeError>>()?;
        let fixed = rule.fixed.map(|f| f.table()).unwrap_or_default();
        // What is not grown and not cleaned up lies where its words do.
        let (groups, flat): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(_, disk)| disk.is_some() || !cleanup.is_empty());
        let mut plain = vec![false; WORDS];
        plain[nodata.clamp(0.0, 65535.0) as usize] = true;
        for table in flat.iter().map(|(table, _)| table).chain([&fixed]) {
            plain.iter_mut().zip(table).for_each(|(plain, hides)| *plain |= hides);
        }
        Ok(Self { plain, groups, halo: reach + halo(&cleanup), cleanup })
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
                *out = self.hides(words((y + halo) * width + x + halo));
            }
        }
        self.reach(words, width, height, halo, &mut hidden)?;
        Ok(hidden)
    }

    /// Whether a word hides the pixel that it lies in, whatever lies around.
    pub(crate) fn hides(&self, word: u16) -> bool {
        self.plain.get(usize::from(word)).copied().unwrap_or(false)
    }

    /// Adds to what words hide where they lie what they hide around; sizes as [`Masker::hidden`] takes them.
    pub(crate) fn reach(
        &self,
        words: impl Fn(usize) -> u16,
        width: usize,
        height: usize,
        halo: usize,
        hidden: &mut [bool],
    ) -> Result<(), ComputeError> {
        if !self.cleanup.is_empty() {
            return self.clean(&words, (width, height), halo, hidden);
        }
        let w = width - 2 * halo;
        for (table, disk) in &self.groups {
            let Some(disk) = disk else { continue };
            if !hidden.contains(&false) {
                break;
            }
            let mut grown: Vec<bool> = (0..width * height).map(|i| table_has(table, words(i))).collect();
            if !grown.contains(&true) {
                continue;
            }
            Morphology::new(width, height).dilate(&mut grown, disk).map_err(unusable)?;
            for (y, row) in hidden.chunks_exact_mut(w.max(1)).enumerate() {
                let from = (y + halo) * width + halo;
                row.iter_mut().zip(&grown[from..from + w]).for_each(|(out, grown)| *out |= grown);
            }
        }
        Ok(())
    }

    /// Adds what all groups hide together, cleaned up. Nothing enters from beyond the words.
    fn clean(
        &self,
        words: &impl Fn(usize) -> u16,
        (width, height): (usize, usize),
        halo: usize,
        hidden: &mut [bool],
    ) -> Result<(), ComputeError> {
        let mut morphology = Morphology::new(width, height);
        let mut all = vec![false; width * height];
        for (table, disk) in &self.groups {
            let mut of_group: Vec<bool> = (0..width * height).map(|i| table_has(table, words(i))).collect();
            if let Some(disk) = disk {
                morphology.dilate(&mut of_group, disk).map_err(unusable)?;
            }
            all.iter_mut().zip(of_group).for_each(|(all, one)| *all |= one);
        }
        if all.contains(&true) {
            morphology.apply(&mut all, &self.cleanup, Outside::Clear).map_err(unusable)?;
        }
        let w = width - 2 * halo;
        for (y, row) in hidden.chunks_exact_mut(w.max(1)).enumerate() {
            let from = (y + halo) * width + halo;
            row.iter_mut().zip(&all[from..from + w]).for_each(|(out, cleaned)| *out |= cleaned);
        }
        Ok(())
    }
}

fn table_has(table: &[bool], word: u16) -> bool {
    table.get(usize::from(word)).copied().unwrap_or(false)
}
