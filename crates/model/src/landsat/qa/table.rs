//! A quality table as data: which names a stored word carries, and where.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::mask::FlagMask;

/// Names of the values of a two-bit confidence.
pub const CONFIDENCE_LEVELS: [&str; 4] = ["none", "low", "medium", "high"];

/// What a quality word can say, by name.
///
/// A table has bits and confidences (`QA_PIXEL`) or classes (`fmask`), not both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagTable {
    /// The name a measurement gives in `flags`.
    pub name: String,
    /// One-bit flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bits: Vec<BitFlag>,
    /// Two-bit confidences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confidences: Vec<Confidence>,
    /// Class values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassFlag>,
    /// The flags of the mask called `standard`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standard: Vec<String>,
}

/// One bit with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitFlag {
    /// Flag name.
    pub name: String,
    /// Bit, 0 is the lowest.
    pub bit: u8,
}

/// Two neighbouring bits holding none, low, medium or high.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Field name; its flags are `{name}_none`, `_low`, `_medium`, `_high`.
    pub name: String,
    /// The lower of the two bits.
    pub bit: u8,
}

/// Stored values that mean one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassFlag {
    /// Flag name.
    pub name: String,
    /// The values.
    pub values: Vec<i32>,
}

/// A word decoded by a table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DecodedFlags {
    /// Flags set, in table order.
    pub flags: Vec<String>,
    /// Confidence fields and their levels, in table order.
    pub confidences: Vec<(String, &'static str)>,
}

impl DecodedFlags {
    /// Whether a flag is set.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    /// The level of a confidence field.
    pub fn confidence(&self, field: &str) -> Option<&'static str> {
        self.confidences.iter().find(|(name, _)| name == field).map(|(_, level)| *level)
    }
}

/// A name or a table that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QaError {
    /// No table of that name.
    #[error("no quality table `{name}`; expected one of {expected}")]
    UnknownTable {
        /// The name asked for.
        name: String,
        /// The names there are.
        expected: String,
    },
    /// No flag of that name in the table.
    #[error("quality table `{table}` has no flag `{flag}`; expected one of {expected}")]
    UnknownFlag {
        /// The table.
        table: String,
        /// The name asked for.
        flag: String,
        /// The names there are.
        expected: String,
    },
    /// The table contradicts itself.
    #[error("quality table `{table}` cannot be used: {problem}")]
    BadTable {
        /// The table.
        table: String,
        /// What is wrong, and where.
        problem: String,
    },
}

impl FlagTable {
    /// Every name a mask may use, in table order: bits, `{confidence}_{level}`, classes.
    pub fn flag_names(&self) -> Vec<String> {
        let bits = self.bits.iter().map(|b| b.name.clone());
        let levels = self
            .confidences
            .iter()
            .flat_map(|c| CONFIDENCE_LEVELS.iter().map(move |level| format!("{}_{level}", c.name)));
        let classes = self.classes.iter().map(|c| c.name.clone());
        bits.chain(levels).chain(classes).collect()
    }

    /// The mask that any of these flags sets; the error lists the names there are.
    pub fn mask<S: AsRef<str>>(&self, flags: &[S]) -> Result<FlagMask, QaError> {
        let mut mask = FlagMask::default();
        for flag in flags {
            let flag = flag.as_ref();
            if !self.add(&mut mask, flag) {
                return Err(QaError::UnknownFlag {
                    table: self.name.clone(),
                    flag: flag.to_owned(),
                    expected: self.flag_names().join(", "),
                });
            }
        }
        Ok(mask)
    }

    /// The mask called `standard`.
    pub fn standard_mask(&self) -> Result<FlagMask, QaError> {
        self.mask(&self.standard)
    }

    /// Names for a stored word. Confidences are named even when they are `none`.
    pub fn decode(&self, value: impl Into<i32>) -> DecodedFlags {
        let value = value.into();
        let shifted = |bit: u8| value.checked_shr(bit.into()).unwrap_or(0);
        let bits = self.bits.iter().filter(|b| shifted(b.bit) & 1 == 1).map(|b| b.name.clone());
        let classes = self.classes.iter().filter(|c| c.values.contains(&value)).map(|c| c.name.clone());
        let level = |bit: u8| match shifted(bit) & 3 {
            0 => CONFIDENCE_LEVELS[0],
            1 => CONFIDENCE_LEVELS[1],
            2 => CONFIDENCE_LEVELS[2],
            _ => CONFIDENCE_LEVELS[3],
        };
        DecodedFlags {
            flags: bits.chain(classes).collect(),
            confidences: self.confidences.iter().map(|c| (c.name.clone(), level(c.bit))).collect(),
        }
    }

    /// Checks a table that came from a file: bits within 16 and apart, names unique, `standard` known.
    pub fn validate(&self) -> Result<(), QaError> {
        let bad = |problem: String| QaError::BadTable { table: self.name.clone(), problem };
        if self.classes.is_empty() == (self.bits.is_empty() && self.confidences.is_empty()) {
            return Err(bad("give either `bits` and `confidences`, or `classes`".to_owned()));
        }
        let mut taken = BTreeSet::new();
        let fields = self
            .bits
            .iter()
            .map(|b| (&b.name, u16::from(b.bit), 1))
            .chain(self.confidences.iter().map(|c| (&c.name, u16::from(c.bit), 2)));
        for (name, first, width) in fields {
            for bit in first..first + width {
                if bit > 15 {
                    return Err(bad(format!("`{name}` uses bit {bit}, the highest is 15")));
                }
                if !taken.insert(bit) {
                    return Err(bad(format!("`{name}` uses bit {bit}, which another flag has")));
                }
            }
        }
        let mut names = BTreeSet::new();
        if let Some(name) = self.flag_names().into_iter().find(|name| !names.insert(name.clone())) {
            return Err(bad(format!("the name `{name}` is given twice")));
        }
        let mut values = BTreeSet::new();
        for class in &self.classes {
            if let Some(value) = class.values.iter().find(|value| !values.insert(**value)) {
                return Err(bad(format!(
                    "class `{}` uses value {value}, which another class has",
                    class.name
                )));
            }
        }
        self.standard_mask().map(|_| ())
    }

    fn add(&self, mask: &mut FlagMask, flag: &str) -> bool {
        if let Some(found) = self.bits.iter().find(|b| b.name == flag) {
            mask.add_bit(found.bit);
            return true;
        }
        if let Some(found) = self.classes.iter().find(|c| c.name == flag) {
            mask.add_classes(&found.values);
            return true;
        }
        for field in &self.confidences {
            let level = flag.strip_prefix(field.name.as_str()).and_then(|rest| rest.strip_prefix('_'));
            let found =
                level.and_then(|level| (0u16..).zip(CONFIDENCE_LEVELS).find(|(_, name)| *name == level));
            if let Some((value, _)) = found {
                mask.add_field(field.bit, value);
                return true;
            }
        }
        false
    }
}
