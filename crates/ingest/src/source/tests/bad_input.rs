//! Files made wrong: each is refused with a code and a text that says what to do, and hides nothing else.

use super::*;

/// Discovers a folder holding one metadata file and one band, and gives code and text of the refusal.
fn refusal(name: &str, content: &[u8]) -> (&'static str, String) {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(name), content).unwrap();
    fs::write(root.path().join(format!("{ID}_SR_B4.TIF")), b"").unwrap();
    let found = discover(&[root.path().to_owned()]);
    assert!(found.scenes.is_empty(), "{name}: {:?}", found.scenes);
    assert_eq!(found.refused.len(), 1, "{:?}", found.refused);
    (found.refused[0].reason.code(), found.refused[0].reason.to_string())
}

#[test]
fn folders_without_metadata() {
    let root = tempfile::tempdir().unwrap();
    let found = discover(&[root.path().to_owned()]);
    assert_eq!(codes(&found), ["no_metadata"]);
    let text = found.refused[0].reason.to_string();
    assert!(text.starts_with("no *_MTL.{json,xml,txt} found in /"), "{text}");
    // A good scene beside a folder that lacks its metadata.
    product(root.path(), ID, &["SR_B4"]);
    fs::create_dir(root.path().join("lost")).unwrap();
    fs::write(root.path().join("lost/x_SR_B4.TIF"), b"").unwrap();
    fs::create_dir(root.path().join("notes")).unwrap();
    let found = discover(&[root.path().to_owned()]);
    assert_eq!((found.scenes.len(), codes(&found)), (1, vec!["no_metadata"]));
    assert!(found.refused[0].path.ends_with("lost"));
}

#[test]
fn paths_that_are_no_source() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("notes.txt");
    fs::write(&file, b"x").unwrap();
    let paths = [root.path().join("absent"), file, PathBuf::from("s3://bucket/scene")];
    assert_eq!(codes(&discover(&paths)), ["not_found", "not_a_source", "not_found"]);
}

#[test]
fn metadata_that_is_cut_short() {
    let mtl = small_mtl(ID);
    let (code, text) = refusal(&format!("{ID}_MTL.txt"), &mtl.as_bytes()[..mtl.len() / 2]);
    assert!(
        code == "bad_metadata" && text.contains("_MTL.txt, line") && text.contains("cut short"),
        "{text}"
    );
    let (code, text) =
        refusal(&format!("{ID}_MTL.json"), br#"{"LANDSAT_METADATA_FILE": {"PRODUCT_CONTENTS": {"#);
    assert!(code == "bad_metadata" && text.contains("cut short"), "{text}");
    let (code, text) = refusal(&format!("{ID}_MTL.xml"), b"<LANDSAT_METADATA_FILE><PRODUCT_CONTENTS>");
    assert!(code == "bad_metadata" && text.contains("cut short"), "{text}");
    let (_, text) = refusal(&format!("{ID}_MTL.xml"), b"");
    assert!(text.contains("the file is empty"), "{text}");
    let (_, text) = refusal(&format!("{ID}_MTL.txt"), b"<html>gateway timeout</html>");
    assert!(text.contains("not Landsat metadata") && text.contains("`HTML`"), "{text}");
}

#[test]
fn document_types_and_deep_nesting_are_refused() {
    let bomb = b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><LANDSAT_METADATA_FILE>&b;</LANDSAT_METADATA_FILE>";
    let (code, text) = refusal(&format!("{ID}_MTL.xml"), bomb);
    assert!(code == "bad_metadata" && text.contains("DTD"), "{text}");
    for deep in ["<a>".repeat(100_000), "{\"a\":".repeat(100_000), "GROUP = A\n".repeat(100_000)] {
        let (code, _) = refusal(&format!("{ID}_MTL.txt"), deep.as_bytes());
        assert_eq!(code, "bad_metadata");
    }
}

#[test]
fn fields_that_are_absent_or_wrong_are_named() {
    let cases = [
        ("    DATE_ACQUIRED = 2015-12-05\n", "", "has no DATE_ACQUIRED"),
        ("2015-12-05", "2015-13-05", "DATE_ACQUIRED is `2015-13-05`, expected a date"),
        ("\"16:07:55.1234560Z\"", "\"25:00:00Z\"", "SCENE_CENTER_TIME is `25:00:00Z`"),
        ("WRS_PATH = 17", "WRS_PATH = 999", "WRS_PATH is `999`"),
        ("CLOUD_COVER = 12.5", "CLOUD_COVER = NaN", "CLOUD_COVER is `NaN`, expected a finite number"),
        ("    SPACECRAFT_ID = \"LANDSAT_8\"\n", "", "has no SPACECRAFT_ID"),
        ("COLLECTION_NUMBER = 02", "COLLECTION_NUMBER = two", "COLLECTION_NUMBER is `two`"),
        ("    COLLECTION_NUMBER = 02\n", "", "has no COLLECTION_NUMBER"),
        ("    WRS_ROW = 51\n", "    WRS_ROW\n", "`WRS_ROW` is neither"),
    ];
    for (from, to, expected) in cases {
        let mtl = small_mtl(ID);
        assert!(mtl.contains(from), "{from}");
        let (code, text) = refusal(&format!("{ID}_MTL.txt"), mtl.replace(from, to).as_bytes());
        assert!(code == "bad_metadata" && text.contains(expected) && text.contains(ID), "{text}");
    }
}

#[test]
fn products_we_do_not_hold() {
    let name = format!("{ID}_MTL.txt");
    let level1 = "LC08_L1TP_017051_20151205_20200908_02_T1";
    let (code, text) = refusal(&name, small_mtl(level1).as_bytes());
    assert!(code == "level_1" && text.contains("expected L2SP or L2SR"), "{text}");
    let (code, text) = refusal(&name, small_mtl(&ID.replace("LC08", "LX08")).as_bytes());
    assert!(code == "unknown_sensor" && text.contains("sensor letter is `X`"), "{text}");
    let (code, text) = refusal(&name, small_mtl(ID).replace("LANDSAT_8", "SENTINEL-2A").as_bytes());
    assert!(code == "unknown_sensor" && text.contains("SENTINEL-2A"), "{text}");
    let (code, _) = refusal(&name, small_mtl(ID).replace("OLI_TIRS", "TIRS").as_bytes());
    assert_eq!(code, "unknown_sensor");
    let (code, text) = refusal(&name, small_mtl(ID).replace("LANDSAT_8", "LANDSAT_9").as_bytes());
    assert!(code == "contradictory_metadata" && text.contains("landsat-8"), "{text}");
    let (code, text) = refusal(&name, small_mtl(&ID.replace("_02_T1", "_02_T9")).as_bytes());
    assert!(code == "bad_product_id" && text.contains("tier is `T9`"), "{text}");
}

#[test]
fn padding_byte_order_marks_and_line_ends_do_no_harm() {
    let root = tempfile::tempdir().unwrap();
    let folder = product(root.path(), ID, &["SR_B4"]);
    let expected = discover(std::slice::from_ref(&folder)).scenes;
    let mut padded = small_mtl(ID).into_bytes();
    padded.resize(65_535, 0);
    let mut marked = "\u{feff}".as_bytes().to_vec();
    marked.extend(small_mtl(ID).replace('\n', "\r\n").as_bytes());
    for content in [padded, marked, small_mtl(ID).replace("\nEND\n", "").into_bytes()] {
        fs::write(folder.join(format!("{ID}_MTL.txt")), content).unwrap();
        assert_eq!(discover(std::slice::from_ref(&folder)).scenes, expected);
    }
}

#[test]
fn one_good_format_is_enough() {
    let root = tempfile::tempdir().unwrap();
    let folder = product(root.path(), ID, &["SR_B4"]);
    fs::write(folder.join(format!("{ID}_MTL.json")), b"{").unwrap();
    let found = discover(&[folder]);
    assert_eq!((found.scenes.len(), found.refused.len()), (1, 0));
    assert!(found.warnings[0].contains("was read instead"), "{:?}", found.warnings);
}

#[test]
fn a_time_that_is_absent_is_noon_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let folder = product(root.path(), ID, &["SR_B4"]);
    let mtl = small_mtl(ID).replace("    SCENE_CENTER_TIME = \"16:07:55.1234560Z\"\n", "");
    fs::write(folder.join(format!("{ID}_MTL.txt")), mtl).unwrap();
    let scene = &discover(&[folder]).scenes[0];
    assert!(scene.time_assumed);
    assert_eq!(scene.acquired.to_string(), "2015-12-05T12:00:00Z");
}

#[test]
fn metadata_cannot_lead_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let folder = product(root.path(), ID, &["QA_PIXEL"]);
    fs::write(root.path().join("secret_SR_B4.TIF"), b"").unwrap();
    let mtl = small_mtl(ID).replace(&format!("{ID}_SR_B4.TIF"), "../secret_SR_B4.TIF");
    fs::write(folder.join(format!("{ID}_MTL.txt")), mtl).unwrap();
    let found = discover(&[folder]);
    assert!(!found.scenes[0].bands.contains_key("SR_B4"));
    assert!(found.warnings[0].contains("FILE_NAME_BAND_4"), "{:?}", found.warnings);
}

#[test]
fn metadata_far_too_large_is_not_read() {
    let (code, text) = refusal(&format!("{ID}_MTL.txt"), &vec![b' '; (8 << 20) + 2]);
    assert!(code == "bad_metadata" && text.contains("too many for a metadata file"), "{text}");
}
