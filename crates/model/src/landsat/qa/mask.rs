//! "Any of these flags", compiled to tests on a stored word.

use serde::Serialize;

/// A compiled mask. Get one from [`super::FlagTable::mask`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FlagMask {
    bits: u16,
    /// Field mask and the value it must have, both in place.
    fields: Vec<(u16, u16)>,
    classes: Vec<i32>,
}

impl FlagMask {
    pub(super) fn add_bit(&mut self, bit: u8) {
        self.bits |= 1u16.checked_shl(bit.into()).unwrap_or(0);
    }

    pub(super) fn add_field(&mut self, bit: u8, value: u16) {
        let place = |v: u16| v.checked_shl(bit.into()).unwrap_or(0);
        let test = (place(3), place(value));
        if !self.fields.contains(&test) {
            self.fields.push(test);
        }
    }

    pub(super) fn add_classes(&mut self, values: &[i32]) {
        self.classes.extend(values);
        self.classes.sort_unstable();
        self.classes.dedup();
    }

    /// Whether any flag of the mask is set in a stored word.
    #[inline]
    pub fn matches(&self, value: impl Into<i32>) -> bool {
        let value = value.into();
        // Bit tables use 16-bit words; classes compare the whole number.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let word = (value & 0xFFFF) as u16;
        word & self.bits != 0
            || self.fields.iter().any(|(mask, expected)| word & mask == *expected)
            || self.classes.contains(&value)
    }

    /// The bits, when the mask is nothing but bits: then `word & bits != 0` is the whole test.
    pub fn as_bits(&self) -> Option<u16> {
        (self.fields.is_empty() && self.classes.is_empty()).then_some(self.bits)
    }

    /// The answer for every 16-bit word, to look pixels up.
    pub fn table(&self) -> Vec<bool> {
        (0..=u16::MAX).map(|word| self.matches(word)).collect()
    }

    /// True when no flag is in the mask, so that nothing matches.
    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.fields.is_empty() && self.classes.is_empty()
    }
}
