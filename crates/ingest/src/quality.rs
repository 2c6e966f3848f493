//! What quality words say, looked up by value where they are 16-bit.

use tesela_model::ProductDef;
use tesela_model::landsat::FlagMask;
use tesela_store::Pixels;

/// Bit of a judged pixel: no observation.
pub const FILL: u8 = 1;
/// Bit of a judged pixel: no observation, or hidden by the standard mask.
pub const HIDDEN: u8 = 2;

/// The judgement of every word of a product's quality band.
#[derive(Debug)]
pub struct QualityTable {
    nodata: f64,
    fill: Option<FlagMask>,
    hidden: Option<FlagMask>,
    words: Vec<u8>,
}

impl QualityTable {
    /// The table of a product's quality band, if it has one.
    pub fn new(product: &ProductDef) -> Option<Self> {
        let band = product.measurements.iter().find(|m| m.flags.is_some())?;
        let table = product.flag_table();
        let mask = |flags: &[String]| table.and_then(|t| t.mask(flags).ok());
        let mut made = Self {
            nodata: band.nodata,
            fill: mask(&["fill".to_owned()]),
            hidden: product.masks.get("standard").and_then(|m| mask(&m.any_of)),
            words: Vec::new(),
        };
        made.words = (0..=u16::MAX).map(|word| made.judge(f64::from(word))).collect();
        Some(made)
    }

    fn judge(&self, word: f64) -> u8 {
        let is = |mask: &Option<FlagMask>| mask.as_ref().is_some_and(|m| m.matches(word as i32));
        if word == self.nodata || is(&self.fill) {
            FILL | HIDDEN
        } else if is(&self.hidden) {
            HIDDEN
        } else {
            0
        }
    }

    /// [`FILL`] and [`HIDDEN`] of each word.
    pub fn judged(&self, words: &Pixels) -> Vec<u8> {
        if let (Pixels::U16(words), Some(table)) = (words, self.words.first_chunk::<{ 1 << 16 }>()) {
            return words.iter().map(|word| table[usize::from(*word)]).collect();
        }
        (0..words.len()).map(|i| words.get_f64(i).map_or(FILL | HIDDEN, |word| self.judge(word))).collect()
    }
}
