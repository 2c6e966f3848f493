//! KAT-L2 and the decoded values of the sample data.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// A file of the test data, or `None` with a note when it is not here.
fn test_data(relative: &str) -> Option<String> {
    let root = std::env::var_os("TESELA_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(relative);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: {} is absent", path.display());
    }
    text
}

fn c2() -> &'static FlagTable {
    FlagTable::builtin(C2_QA_PIXEL).unwrap()
}

#[test]
fn kat_l2() {
    let cases: [(u16, &[&str]); 14] = [
        (1, &["fill"]),
        (5440, &["clear"]),
        (5504, &["water"]),
        (5896, &["cloud"]),
        (7440, &["cloud_shadow"]),
        (7824, &["cloud_shadow", "water"]),
        (13664, &["snow", "clear"]),
        (21824, &["clear"]),
        (21952, &["clear", "water"]),
        (22280, &["cloud"]),
        (23888, &["cloud_shadow", "clear"]),
        (30048, &["snow", "clear"]),
        (54596, &["cirrus", "clear"]),
        (55052, &["cirrus", "cloud"]),
    ];
    for (word, flags) in cases {
        assert_eq!(c2().decode(word).flags, flags, "{word}");
    }
    assert_eq!(c2().decode(5896u16).confidence("cloud_confidence"), Some("high"));
    assert_eq!(c2().decode(7824u16).confidence("cloud_confidence"), Some("medium"));
    assert_eq!(c2().decode(54596u16).confidence("cirrus_confidence"), Some("high"));
    assert_eq!(c2().decode(5440u16).confidence("cirrus_confidence"), Some("none"));
}

#[test]
fn presets_are_the_numbers_of_the_science() {
    let bits = |flags: &[&str]| c2().mask(flags).unwrap().as_bits();
    assert_eq!(c2().standard_mask().unwrap().as_bits(), Some(31));
    assert_eq!(bits(&["fill", "dilated_cloud", "cirrus", "cloud", "cloud_shadow", "snow"]), Some(63));
    assert_eq!(bits(&["fill", "cirrus", "cloud"]), Some(13));
    let standard = c2().standard_mask().unwrap();
    for (word, masked) in
        [(21824u16, false), (5504, false), (13664, false), (23888, true), (54596, true), (1, true)]
    {
        assert_eq!(standard.matches(word), masked, "{word}");
    }
}

#[test]
fn confidences_compare_by_value() {
    let high = c2().mask(&["cloud_confidence_high"]).unwrap();
    assert_eq!(high.as_bits(), None);
    assert!(high.matches(5896u16) && !high.matches(5440u16) && !high.matches(7824u16));
    let both = c2().mask(&["cloud_confidence_high", "cloud_confidence_medium", "fill"]).unwrap();
    assert!(both.matches(7824u16) && both.matches(5896u16) && both.matches(1u16) && !both.matches(5440u16));
    let shadow = c2().mask(&["cloud_shadow_confidence_high"]).unwrap();
    assert!(shadow.matches(7440u16) && !shadow.matches(5896u16));
    assert_eq!(both.table().iter().filter(|hit| **hit).count(), 65536 / 2 + 65536 / 4);
}

#[test]
fn fmask_in_both_spellings() {
    let odc = FlagTable::builtin(FMASK).unwrap();
    let stack = FlagTable::builtin(FMASK_STACK).unwrap();
    assert_eq!(odc.decode(2u8).flags, ["cloud"]);
    assert_eq!(stack.decode(2i16).flags, ["cloud_shadow"]);
    assert_eq!(stack.decode(-9999i16).flags, ["fill"]);
    assert!(stack.decode(7i16).flags.is_empty());
    let mask = stack.standard_mask().unwrap();
    for (value, masked) in
        [(0i16, false), (1, false), (2, true), (3, false), (4, true), (255, true), (-9999, true)]
    {
        assert_eq!(mask.matches(value), masked, "{value}");
    }
}

#[test]
fn names_that_are_not_there_are_answered_with_those_that_are() {
    let error = c2().mask(&["cloud", "clouds"]).unwrap_err().to_string();
    assert!(error.contains("`clouds`") && error.contains("dilated_cloud, cirrus"), "{error}");
    let error = FlagTable::builtin("qa").unwrap_err().to_string();
    assert!(error.contains("landsat_c2_qa_pixel"), "{error}");
    assert!(c2().mask(&["cloud_confidence"]).is_err());
    assert!(c2().mask::<&str>(&[]).unwrap().is_empty());
}

#[test]
fn shipped_tables_are_sound_and_travel_as_data() {
    for name in FlagTable::builtin_names() {
        let table = FlagTable::builtin(name).unwrap();
        table.validate().unwrap();
        let text = serde_json::to_string(table).unwrap();
        assert_eq!(&serde_json::from_str::<FlagTable>(&text).unwrap(), table);
    }
}

#[test]
fn tables_that_contradict_themselves_are_refused() {
    let table = |json: &str| serde_json::from_str::<FlagTable>(json).unwrap().validate();
    let cases = [
        (r#"{"name":"t","bits":[{"name":"a","bit":0},{"name":"b","bit":0}]}"#, "bit 0"),
        (r#"{"name":"t","confidences":[{"name":"a","bit":15}]}"#, "bit 16"),
        (r#"{"name":"t","bits":[{"name":"a","bit":255}]}"#, "bit 255"),
        (r#"{"name":"t","bits":[{"name":"a","bit":0},{"name":"a","bit":1}]}"#, "given twice"),
        (r#"{"name":"t","classes":[{"name":"a","values":[1]},{"name":"b","values":[1]}]}"#, "value 1"),
        (r#"{"name":"t"}"#, "either"),
        (r#"{"name":"t","bits":[{"name":"a","bit":0}],"standard":["b"]}"#, "no flag `b`"),
    ];
    for (json, expected) in cases {
        let error = table(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    }
}

/// Checks every row of a decoded table: columns named like flags hold 0 or 1, `*_conf` hold a level.
fn check_decoded(table: &FlagTable, text: &str, field: impl Fn(&str) -> String) -> usize {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut rows = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let decoded = table.decode(cells[0].parse::<u16>().unwrap());
        for (name, cell) in header.iter().zip(&cells).skip(1) {
            if name.ends_with("_conf") {
                let level = if *cell == "mid" { "medium" } else { cell };
                assert_eq!(decoded.confidence(&field(name)), Some(level), "{line}: {name}");
            } else {
                assert_eq!(decoded.has(name), *cell == "1", "{line}: {name}");
            }
        }
        rows += 1;
    }
    rows
}

#[test]
fn collection_2_values_of_the_sample_data() {
    let Some(text) = test_data("18-known-answers/qa_pixel_c2_decode.csv") else { return };
    let rows = check_decoded(c2(), &text, |name| match name {
        "shadow_conf" => "cloud_shadow_confidence".to_owned(),
        other => other.replace("_conf", "_confidence"),
    });
    assert_eq!(rows, 37);
}

#[test]
fn collection_1_values_of_the_sample_data() {
    let Some(text) = test_data("18-known-answers/pixel_qa_c1_decode_canberra.csv") else { return };
    let table = FlagTable::builtin(C1_PIXEL_QA).unwrap();
    let rows = check_decoded(table, &text, |name| name.replace("_conf", "_confidence"));
    assert_eq!(rows, 9);
}

proptest! {
    #[test]
    fn a_mask_matches_exactly_when_decoding_names_one_of_its_flags(word: u16, pick in 0usize..8) {
        let name = c2().bits[pick].name.clone();
        let mask = c2().mask(&[&name]).unwrap();
        prop_assert_eq!(mask.matches(word), c2().decode(word).has(&name));
    }
}

#[test]
fn a_table_that_was_not_validated_does_no_harm() {
    let table: FlagTable = serde_json::from_str(r#"{"name":"t","bits":[{"name":"a","bit":200}]}"#).unwrap();
    assert!(table.decode(u16::MAX).flags.is_empty());
    assert!(!table.mask(&["a"]).unwrap().matches(u16::MAX));
}
