//! Whatever the bytes, an answer comes back.

use proptest::prelude::*;

use super::*;

/// Bytes made of pieces that metadata files are made of, so that the parsers get past their first line.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("GROUP = LANDSAT_METADATA_FILE\n".to_owned()),
        Just("END_GROUP = LANDSAT_METADATA_FILE\n".to_owned()),
        Just("GROUP = IMAGE_ATTRIBUTES\n".to_owned()),
        Just("END_GROUP = IMAGE_ATTRIBUTES\n".to_owned()),
        Just("DATE_ACQUIRED = ".to_owned()),
        Just("SCENE_CENTER_TIME = \"".to_owned()),
        Just("<LANDSAT_METADATA_FILE>".to_owned()),
        Just("</LANDSAT_METADATA_FILE>".to_owned()),
        Just("<espa_metadata><global_metadata>".to_owned()),
        Just("{\"LANDSAT_METADATA_FILE\": {".to_owned()),
        Just("}".to_owned()),
        "\\PC{0,12}",
        Just("\n".to_owned()),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|p| p.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = mtl::parse(Path::new("x_MTL.txt"), &bytes).and_then(|m| m.facts());
    }

    #[test]
    fn likely_bytes_are_parsed_or_refused(bytes in pieces()) {
        let _ = mtl::parse(Path::new("x_MTL.txt"), &bytes).and_then(|m| m.facts());
    }

    #[test]
    fn any_values_are_read_or_refused(value in "\\PC{0,20}", field in 0usize..8) {
        let old = ["2015-12-05", "16:07:55.1234560Z", " 17\n", " 51\n", "LANDSAT_8", "OLI_TIRS", "12.5", ID];
        let text = small_mtl(ID).replace(old[field], &value);
        let _ = mtl::parse(Path::new("x_MTL.txt"), text.as_bytes()).and_then(|m| m.facts());
    }

    #[test]
    fn any_file_name_is_looked_at(name in "\\PC{0,40}") {
        let _ = listing::metadata_stem(&name);
        let _ = bands::tiff_stem(&name);
        let _ = bands::band_by_ending(&name);
        let _ = bands::band_after_prefix(&name, ID);
        let _ = bands::looks_like_level2(&name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_manifest_is_read_or_refused(body in "[ -~\n\u{e9}]{0,120}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("m.csv");
        let mut content = format!("path,datetime,platform,band.red\n{body}\n").into_bytes();
        content.extend(&bytes);
        fs::write(&file, content).unwrap();
        prop_assert!(discover(std::slice::from_ref(&file)).scenes.is_empty());
        fs::write(&file, bytes).unwrap();
        let _ = discover(&[file]);
    }
}
