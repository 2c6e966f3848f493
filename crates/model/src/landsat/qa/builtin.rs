//! The quality tables shipped. A definition may bring its own; nothing else in the code knows a bit.

use std::sync::LazyLock;

use super::table::{BitFlag, ClassFlag, Confidence, FlagTable, QaError};

/// Collection 2 `QA_PIXEL`.
pub const C2_QA_PIXEL: &str = "landsat_c2_qa_pixel";

/// Collection 1 `pixel_qa`.
pub const C1_PIXEL_QA: &str = "landsat_c1_pixel_qa";

/// Fmask as the Open Data Cube programmes store it: 0 nothing, 1 clear, 2 cloud, 3 shadow, 4 snow, 5 water.
pub const FMASK: &str = "fmask";

/// Fmask as stacks of the original program store it: 0 clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255 nothing;
/// −9999 in 16-bit stacks where the whole pixel is missing.
pub const FMASK_STACK: &str = "fmask_stack";

static TABLES: LazyLock<[FlagTable; 4]> = LazyLock::new(|| [c2(), c1(), fmask(), fmask_stack()]);

impl FlagTable {
    /// The shipped table of this name; the error lists the names there are.
    pub fn builtin(name: &str) -> Result<&'static Self, QaError> {
        TABLES.iter().find(|t| t.name == name).ok_or_else(|| QaError::UnknownTable {
            name: name.to_owned(),
            expected: Self::builtin_names().join(", "),
        })
    }

    /// Names of the shipped tables.
    pub fn builtin_names() -> Vec<&'static str> {
        TABLES.iter().map(|t| t.name.as_str()).collect()
    }
}

fn bits(pairs: &[(u8, &str)]) -> Vec<BitFlag> {
    pairs.iter().map(|(bit, name)| BitFlag { name: (*name).to_owned(), bit: *bit }).collect()
}

fn confidences(pairs: &[(u8, &str)]) -> Vec<Confidence> {
    pairs.iter().map(|(bit, name)| Confidence { name: (*name).to_owned(), bit: *bit }).collect()
}

fn classes(pairs: &[(&str, &[i32])]) -> Vec<ClassFlag> {
    pairs
        .iter()
        .map(|(name, values)| ClassFlag { name: (*name).to_owned(), values: values.to_vec() })
        .collect()
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn c2() -> FlagTable {
    FlagTable {
        name: C2_QA_PIXEL.to_owned(),
        bits: bits(&[
            (0, "fill"),
            (1, "dilated_cloud"),
            (2, "cirrus"),
            (3, "cloud"),
            (4, "cloud_shadow"),
            (5, "snow"),
            (6, "clear"),
            (7, "water"),
        ]),
        confidences: confidences(&[
            (8, "cloud_confidence"),
            (10, "cloud_shadow_confidence"),
            (12, "snow_confidence"),
            (14, "cirrus_confidence"),
        ]),
        classes: Vec::new(),
        standard: names(&["fill", "dilated_cloud", "cirrus", "cloud", "cloud_shadow"]),
    }
}

fn c1() -> FlagTable {
    FlagTable {
        name: C1_PIXEL_QA.to_owned(),
        bits: bits(&[
            (0, "fill"),
            (1, "clear"),
            (2, "water"),
            (3, "cloud_shadow"),
            (4, "snow"),
            (5, "cloud"),
            (10, "terrain_occlusion"),
        ]),
        confidences: confidences(&[(6, "cloud_confidence"), (8, "cirrus_confidence")]),
        classes: Vec::new(),
        // Collection 2 sets its cirrus bit where Collection 1 only has the confidence.
        standard: names(&["fill", "cloud_shadow", "cloud", "cirrus_confidence_high"]),
    }
}

fn fmask() -> FlagTable {
    FlagTable {
        name: FMASK.to_owned(),
        bits: Vec::new(),
        confidences: Vec::new(),
        classes: classes(&[
            ("fill", &[0]),
            ("clear", &[1]),
            ("cloud", &[2]),
            ("cloud_shadow", &[3]),
            ("snow", &[4]),
            ("water", &[5]),
        ]),
        standard: names(&["fill", "cloud", "cloud_shadow"]),
    }
}

fn fmask_stack() -> FlagTable {
    FlagTable {
        name: FMASK_STACK.to_owned(),
        bits: Vec::new(),
        confidences: Vec::new(),
        classes: classes(&[
            ("clear", &[0]),
            ("water", &[1]),
            ("cloud_shadow", &[2]),
            ("snow", &[3]),
            ("cloud", &[4]),
            ("fill", &[255, -9999]),
        ]),
        standard: names(&["fill", "cloud", "cloud_shadow"]),
    }
}
