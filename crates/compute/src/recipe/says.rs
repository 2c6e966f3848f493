//! What quality words say of the pixels that they lie in.

use tesela_model::Band;
use tesela_model::landsat::FlagTable;

use crate::mask::Masker;

/// Number of words there are.
const WORDS: usize = 1 << 16;
const HIDDEN: u8 = 1;
const SEEN: u8 = 2;

/// Words looked at together: most are those of their neighbours.
const ALIKE: usize = 32;

/// Of each word, whether a mask hides it where it lies, and whether anything was observed.
#[derive(Debug, Default)]
pub(super) struct Says(Vec<u8>);

impl Says {
    pub(super) fn new(masker: &Masker, quality: &Band, table: &FlagTable) -> Self {
        let fill = table.mask(&["fill"]).map(|m| m.table()).unwrap_or_default();
        let says = |word: u16| {
            let filled = fill.get(usize::from(word)).copied().unwrap_or(false);
            let seen = f64::from(word) != quality.nodata && !filled;
            (HIDDEN * u8::from(masker.hides(word))) | (SEEN * u8::from(seen))
        };
        Self((0..WORDS).map(|word| says(word as u16)).collect())
    }

    /// Notes of a row of words where they hide and where something was seen, and adds the latter to `observed`.
    pub(super) fn judge<T: Copy + PartialEq>(
        &self,
        words: &[T],
        word: impl Fn(T) -> u16,
        hidden: &mut [bool],
        seen: &mut [bool],
        observed: &mut [bool],
    ) {
        let says = |stored: T| self.0.get(usize::from(word(stored))).copied().unwrap_or(HIDDEN);
        let each = |words: &[T], hidden: &mut [bool], seen: &mut [bool], observed: &mut [bool]| {
            for (((word, hidden), seen), observed) in words.iter().zip(hidden).zip(seen).zip(observed) {
                let said = says(*word);
                *hidden = said & HIDDEN != 0;
                *seen = said & SEEN != 0;
                *observed |= *seen;
            }
        };
        // Of a length that the compiler knows, so that they are written by the vector and not by a call each.
        let (runs, words) = words.as_chunks::<ALIKE>();
        let (hidden_runs, hidden) = hidden.as_chunks_mut::<ALIKE>();
        let (seen_runs, seen) = seen.as_chunks_mut::<ALIKE>();
        let (observed_runs, observed) = observed.as_chunks_mut::<ALIKE>();
        let flags = hidden_runs.iter_mut().zip(seen_runs).zip(observed_runs);
        for (words, ((hidden, seen), observed)) in runs.iter().zip(flags) {
            let [first, ..] = words;
            if words.iter().fold(true, |same, w| same & (w == first)) {
                let said = says(*first);
                *hidden = [said & HIDDEN != 0; ALIKE];
                *seen = [said & SEEN != 0; ALIKE];
                observed.iter_mut().for_each(|o| *o |= said & SEEN != 0);
                continue;
            }
            each(words, hidden, seen, observed);
        }
        each(words, hidden, seen, observed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Rows of any length, of long runs of one word and of words that change.
        #[test]
        fn rows_are_judged_as_their_words_are(
            runs in prop::collection::vec((0u8..5, prop_oneof![1usize..4, 20usize..120]), 1..8),
            already in any::<bool>(),
        ) {
            // Words 0 to 4: seen, hidden and seen, hidden, neither, hidden and seen.
            let says = Says([SEEN, HIDDEN | SEEN, HIDDEN, 0, HIDDEN | SEEN].into_iter().cycle().take(WORDS).collect());
            let words: Vec<u8> = runs.iter().flat_map(|(word, n)| std::iter::repeat_n(*word, *n)).collect();
            let (mut hidden, mut seen) = (vec![false; words.len()], vec![true; words.len()]);
            let mut observed = vec![already; words.len()];
            says.judge(&words, u16::from, &mut hidden, &mut seen, &mut observed);
            for (i, word) in words.iter().enumerate() {
                let is_seen = [0, 1, 4].contains(word);
                prop_assert_eq!(hidden[i], [1, 2, 4].contains(word));
                prop_assert_eq!((seen[i], observed[i]), (is_seen, is_seen || already));
            }
        }
    }
}
