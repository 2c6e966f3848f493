//! Product folders of the sample data (04, 05, 06) and folders made up.

use super::*;
use tesela_model::landsat::Platform;

#[test]
fn collection_2_crops_without_quality_band() {
    let Some(folder) = data("04-landsat8-c2l2-crops") else { return };
    let found = discover(&[folder]);
    assert_eq!(
        (found.refused.len(), found.warnings.len()),
        (0, 0),
        "{:?} {:?}",
        found.refused,
        found.warnings
    );
    let keys: Vec<&str> = found.scenes.iter().map(|s| s.scene_key.as_str()).collect();
    assert_eq!(
        keys,
        ["LC08_017051_20151205", "LC08_218074_20190114", "LC08_218074_20190130", "LC08_204023_20200927"]
    );
    let bands = |i: usize| found.scenes[i].bands.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    assert_eq!(bands(0), "SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 ST_B10");
    assert_eq!(bands(1), "SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7");
    assert_eq!(bands(2), bands(1));
    assert_eq!(bands(3), "SR_B1 SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 ST_B10");
    let momotombo = &found.scenes[0];
    assert_eq!((momotombo.platform, momotombo.instrument.as_str()), (Platform::Landsat8, "OLI_TIRS"));
    assert_eq!((momotombo.collection.as_str(), momotombo.level.as_str()), ("02", "L2SP"));
    assert_eq!((momotombo.tier.as_deref(), momotombo.path, momotombo.row), (Some("T1"), 17, 51));
    assert!(!momotombo.time_assumed && !momotombo.synthetic);
    assert!(momotombo.bands["SR_B4"].path.is_file());
    assert_eq!(found.scenes[1].mtl.as_ref().unwrap().crs_hint.as_deref(), Some("EPSG:32623"));
    let needed = [("red".to_owned(), "SR_B4".to_owned()), ("qa_pixel".to_owned(), "QA_PIXEL".to_owned())];
    let error = require_bands(momotombo, &needed).unwrap_err();
    assert_eq!(error.code(), "missing_bands");
    assert!(error.to_string().contains("QA_PIXEL missing; the scene has SR_B2, SR_B3"), "{error}");
    assert!(require_bands(momotombo, &needed[..1]).is_ok());
}

#[test]
fn whole_scenes_are_the_same_from_json_xml_and_txt() {
    let Some(root) = data("05-c2l2-whole-scenes-decimated") else { return };
    let all = discover(std::slice::from_ref(&root));
    assert_eq!((all.refused.len(), all.warnings.len(), all.scenes.len()), (0, 0, 2), "{:?}", all.warnings);
    for scene in &all.scenes {
        assert_eq!(scene.bands.len(), 11);
        assert!(scene.bands.contains_key("QA_PIXEL") && scene.bands.contains_key("SR_QA_AEROSOL"));
        assert!(scene.source.to_string_lossy().ends_with("_MTL.json"), "{:?}", scene.source);
        for format in ["json", "xml", "txt"] {
            let one = discover(&[scene.source.with_extension(format)]);
            assert_eq!(one.refused, []);
            let mut same = one.scenes[0].clone();
            same.source.clone_from(&scene.source);
            assert_eq!(&same, scene, "{format}");
        }
    }
    assert_eq!(all.scenes[0].tier.as_deref(), Some("T2"));
    assert_eq!(all.scenes[0].cloud_cover_percent, Some(100.0));
    assert_eq!(all.scenes[1].acquired.to_string().split('T').next(), Some("2019-12-01"));
}

#[test]
fn tiers_and_collections_are_accepted_by_rule() {
    let Some(root) = data("05-c2l2-whole-scenes-decimated") else { return };
    let scenes = discover(&[root]).scenes;
    let list = |items: &[&str]| items.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();
    let rule = AcceptRule {
        product: "landsat_c2_sr".to_owned(),
        collections: list(&["02"]),
        levels: list(&["L2SP", "L2SR"]),
        tiers: list(&["T1"]),
        platforms: vec![],
    };
    assert_eq!(rule.accepts(&scenes[1]), Ok(()));
    let error = rule.accepts(&scenes[0]).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            "tier_not_accepted",
            "tier T2 is not accepted by product landsat_c2_sr (accepts T1); add T2 to accept.tiers or use another product"
        )
    );
    let refused = |rule: AcceptRule| rule.accepts(&scenes[1]).unwrap_err().code();
    assert_eq!(refused(AcceptRule { collections: list(&["01"]), ..rule.clone() }), "collection_not_accepted");
    assert_eq!(refused(AcceptRule { levels: list(&["L2SR"]), ..rule.clone() }), "level_not_accepted");
    assert_eq!(
        refused(AcceptRule { platforms: list(&["landsat-9"]), ..rule.clone() }),
        "platform_not_accepted"
    );
    let mut old = scenes[1].clone();
    old.tier = None;
    assert!(rule.accepts(&old).unwrap_err().to_string().starts_with("tier none is not accepted"));
    assert_eq!(AcceptRule::default().accepts(&old), Ok(()));
}

#[test]
fn collection_1_as_espa_delivers_it() {
    let Some(root) = data("06-canberra-ls5-1992-ls8-2019") else { return };
    let found = discover(&[root.join("ls8_espa_c1_sr_20190205")]);
    assert_eq!(
        (found.refused.len(), found.warnings.len()),
        (0, 0),
        "{:?} {:?}",
        found.refused,
        found.warnings
    );
    let scene = &found.scenes[0];
    assert_eq!(scene.product_id, "LC08_L1TP_091084_20190205_20190221_01_T1");
    assert_eq!(
        (scene.collection.as_str(), scene.level.as_str(), scene.tier.as_deref()),
        ("01", "SR", Some("T1"))
    );
    assert_eq!(scene.scene_key, "LC08_091084_20190205");
    assert_eq!(scene.acquired.to_string(), "2019-02-05T23:56:14.511542Z");
    let bands: Vec<&str> = scene.bands.keys().map(String::as_str).collect();
    assert_eq!(bands.len(), 15, "{bands:?}");
    for band in ["sr_band1", "sr_band7", "pixel_qa", "radsat_qa", "sr_aerosol", "bt_band10", "sr_ndvi"] {
        assert!(bands.contains(&band), "{band}");
    }
    // The ESPA xml alone describes the same scene.
    let espa = discover(&[root.join("ls8_espa_c1_sr_20190205/LC08_L1TP_091084_20190205_20190221_01_T1.xml")]);
    assert_eq!(espa.refused, []);
    assert_eq!((&espa.scenes[0].bands, &espa.scenes[0].level), (&scene.bands, &scene.level));
    assert_eq!(espa.scenes[0].acquired, scene.acquired);
}

#[test]
fn several_products_in_one_folder_keep_their_files() {
    let root = tempfile::tempdir().unwrap();
    let other = "LC08_L2SP_017051_20151221_20200908_02_T1";
    let level1 = "LC08_L1TP_017051_20151205_20200908_02_T1";
    for id in [ID, other, level1] {
        fs::write(root.path().join(format!("{id}_MTL.txt")), small_mtl(id)).unwrap();
        for band in ["SR_B4", "QA_PIXEL"] {
            fs::write(root.path().join(format!("{id}_{band}.TIF")), b"").unwrap();
        }
    }
    let found = discover(&[root.path().to_owned()]);
    assert_eq!(codes(&found), ["level_1"]);
    assert_eq!(found.scenes.len(), 2);
    for scene in &found.scenes {
        assert_eq!(scene.bands.len(), 2);
        assert!(scene.bands.values().all(|b| b.path.to_string_lossy().contains(&scene.product_id)));
        assert!(scene.synthetic);
    }
    // The small MTL always says 2015-12-05.
    assert!(found.warnings.iter().any(|w| w.contains("differ from the product id")), "{:?}", found.warnings);
}

#[test]
fn names_in_any_case_and_renamed_files() {
    let root = tempfile::tempdir().unwrap();
    let folder = product(root.path(), ID, &["sr_b4", "QA_PIXEL"]);
    fs::rename(
        folder.join(format!("{ID}_sr_b4.TIF")),
        folder.join(format!("{}_sr_b4.tif", ID.to_lowercase())),
    )
    .unwrap();
    fs::write(folder.join("cropped_SR_B5.tiff"), b"").unwrap();
    fs::write(folder.join("LC09_L2SP_010065_20220129_20220131_02_T1_SR_B6.TIF"), b"").unwrap();
    fs::write(folder.join(format!("{ID}_SR_B4.tif")), b"").unwrap();
    fs::write(folder.join(format!("{ID}_SR_B7.TIF.aux.xml")), b"").unwrap();
    let found = discover(&[folder]);
    assert_eq!(found.refused, []);
    let bands: Vec<&str> = found.scenes[0].bands.keys().map(String::as_str).collect();
    assert_eq!(bands, ["QA_PIXEL", "SR_B4", "SR_B5"]);
    assert!(found.warnings.iter().any(|w| w.contains("band SR_B4 is in")), "{:?}", found.warnings);
}

#[test]
fn folders_are_searched_once_and_to_a_depth() {
    let root = tempfile::tempdir().unwrap();
    let folder = product(&root.path().join("oli/2015/017/051"), ID, &["SR_B4"]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.path(), folder.join("loop")).unwrap();
    assert_eq!(discover(&[root.path().to_owned()]).scenes.len(), 1);
    let twice = discover(&[root.path().to_owned(), folder.clone()]);
    assert_eq!(twice.scenes.len(), 1);
    assert!(twice.warnings[0].contains("given twice"), "{:?}", twice.warnings);
    let shallow = DiscoverOptions { max_depth: 2, ..DiscoverOptions::default() };
    let found = discover_with(&[root.path().to_owned()], &shallow);
    assert_eq!((found.scenes.len(), codes(&found)), (0, vec!["no_metadata"]));
    assert!(found.warnings[0].contains("too deep"), "{:?}", found.warnings);
}

#[test]
fn reprocessings_share_the_key_and_stay_apart() {
    let root = tempfile::tempdir().unwrap();
    product(root.path(), ID, &["SR_B4"]);
    product(root.path(), "LC08_L2SP_017051_20151205_20230101_02_T1", &["SR_B4"]);
    let found = discover(&[root.path().to_owned()]);
    assert_eq!(found.scenes.len(), 2);
    assert_eq!(found.scenes[0].scene_key, found.scenes[1].scene_key);
    assert!(found.scenes[0].processed < found.scenes[1].processed);
}

#[test]
fn names_at_odds_are_warnings() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("LC08_L2SP_999999_20151205_20200908_02_T1");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("scene_MTL.txt"), small_mtl(ID)).unwrap();
    fs::write(folder.join(format!("{ID}_SR_B4.TIF")), b"").unwrap();
    let found = discover(&[folder]);
    assert_eq!(found.scenes.len(), 1);
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    assert!(found.warnings[0].contains("scene_MTL.txt") && found.warnings[1].contains("folder is called"));
}
