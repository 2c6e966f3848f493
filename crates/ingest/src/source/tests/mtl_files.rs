//! Every file of `14-mtl-metadata`, and KAT-L4.

use super::*;
use jiff::civil::date;

/// File, spacecraft, sensor, level, collection, tier (`-` for none), path, row, date.
const FILES: &str = "
LC08_L1GT_089074_20220506_20220512_02_T2_MTL.json LANDSAT_8 OLI_TIRS L1GT 02 T2 89 74 2022-05-06
LC08_L1GT_089074_20220506_20220512_02_T2_MTL.txt LANDSAT_8 OLI_TIRS L1GT 02 T2 89 74 2022-05-06
LC08_L1GT_089074_20220506_20220512_02_T2_MTL.xml LANDSAT_8 OLI_TIRS L1GT 02 T2 89 74 2022-05-06
LC08_L1TP_090084_20160121_20170405_01_T1_MTL.txt LANDSAT_8 OLI_TIRS L1TP 01 T1 90 84 2016-01-21
LC08_L1TP_090084_20160121_20200907_02_T1_MTL.txt LANDSAT_8 OLI_TIRS L1TP 02 T1 90 84 2016-01-21
LC08_L1TP_193024_20180824_20200831_02_T1_MTL.txt LANDSAT_8 OLI_TIRS L1TP 02 T1 193 24 2018-08-24
LC08_L1TP_195025_20130707_20170503_01_T1_MTL.txt LANDSAT_8 OLI_TIRS L1TP 01 T1 195 25 2013-07-07
LC08_L2SP_047027_20201204_20210313_02_T1_MTL.txt LANDSAT_8 OLI_TIRS L2SP 02 T1 47 27 2020-12-04
LC08_L2SP_047027_20201204_20210313_02_T1_MTL.xml LANDSAT_8 OLI_TIRS L2SP 02 T1 47 27 2020-12-04
LC08_L2SP_098084_20210503_20210508_02_T1_MTL.txt LANDSAT_8 OLI_TIRS L2SP 02 T1 98 84 2021-05-03
LC08_L2SP_098084_20210503_20210508_02_T1_MTL.xml LANDSAT_8 OLI_TIRS L2SP 02 T1 98 84 2021-05-03
LC08_L2SP_224078_20200127_02_T1_LC08_L2SP_224078_20200127_20200823_02_T1_MTL.txt LANDSAT_8 OLI_TIRS L2SP 02 T1 224 78 2020-01-27
LC08_L2SR_084024_20160111_20201016_02_T1_MTL.txt LANDSAT_8 OLI_TIRS L2SR 02 T1 84 24 2016-01-11
LC08_L2SR_084024_20160111_20201016_02_T1_MTL.xml LANDSAT_8 OLI_TIRS L2SR 02 T1 84 24 2016-01-11
LC09_L2SP_010065_20220129_20220131_02_T1_MTL.txt LANDSAT_9 OLI_TIRS L2SP 02 T1 10 65 2022-01-29
LC09_L2SP_010065_20220129_20220131_02_T1_MTL.xml LANDSAT_9 OLI_TIRS L2SP 02 T1 10 65 2022-01-29
LC80980762015235LGN00.xml LANDSAT_8 OLI_TIRS SR pre - 98 76 2015-08-23
LE07_L1TP_107068_20220310_20220405_02_T1_MTL.json LANDSAT_7 ETM L1TP 02 T1 107 68 2022-03-10
LE07_L1TP_107068_20220310_20220405_02_T1_MTL.txt LANDSAT_7 ETM L1TP 02 T1 107 68 2022-03-10
LE07_L1TP_107068_20220310_20220405_02_T1_MTL.xml LANDSAT_7 ETM L1TP 02 T1 107 68 2022-03-10
LE07_L1TP_160031_20110416_20161210_01_T1.xml LANDSAT_7 ETM SR 01 T1 160 31 2011-04-16
LE07_L1TP_160031_20110416_20161210_01_T1_MTL.TXT LANDSAT_7 ETM L1TP 01 T1 160 31 2011-04-16
LE07_L2SP_021030_20100109_20200911_02_T1_MTL.xml LANDSAT_7 ETM L2SP 02 T1 21 30 2010-01-09
LE07_L2SP_090084_20210331_20210426_02_T1_MTL.txt LANDSAT_7 ETM L2SP 02 T1 90 84 2021-03-31
LE07_L2SP_090084_20210331_20210426_02_T1_MTL.xml LANDSAT_7 ETM L2SP 02 T1 90 84 2021-03-31
LM01_L1GS_001010_19720908_20200909_02_T2_MTL.xml LANDSAT_1 MSS L1GS 02 T2 1 10 1972-09-08
LM01_L1GS_005037_19720823_20200909_02_T2_MTL.xml LANDSAT_1 MSS L1GS 02 T2 5 37 1972-08-23
LM01_L1GS_007019_19771009_20200907_02_T2_MTL.xml LANDSAT_1 MSS L1GS 02 T2 7 19 1977-10-09
LM02_L1GS_001004_19750411_20200908_02_T2_MTL.xml LANDSAT_2 MSS L1GS 02 T2 1 4 1975-04-11
LM03_L1GS_001001_19780510_20200907_02_T2_MTL.xml LANDSAT_3 MSS L1GS 02 T2 1 1 1978-05-10
LM04_L1GS_001001_19830527_20210902_02_T2_MTL.xml LANDSAT_4 MSS L1GS 02 T2 1 1 1983-05-27
LM05_L1GS_001001_19850524_20210918_02_T2_MTL.xml LANDSAT_5 MSS L1GS 02 T2 1 1 1985-05-24
LM50490251987214PAC00_MTL.txt LANDSAT_5 MSS L1T pre - 49 25 1987-08-02
LT04_L2SP_002026_19830110_20200918_02_T1_MTL.xml LANDSAT_4 TM L2SP 02 T1 2 26 1983-01-10
LT05_L1TP_047027_20101006_20160512_01_T1_MTL.txt LANDSAT_5 TM L1TP 01 T1 47 27 2010-10-06
LT05_L1TP_218072_20100801_20161015_01_T1_MTL.txt LANDSAT_5 TM L1TP 01 T1 218 72 2010-08-01
LT05_L2SP_010067_19860424_20200918_02_T2_MTL.xml LANDSAT_5 TM L2SP 02 T2 10 67 1986-04-24
LT05_L2SP_058014_20110312_20200823_02_T1_MTL.xml LANDSAT_5 TM L2SP 02 T1 58 14 2011-03-12
LT05_L2SP_090084_19980308_20200909_02_T1_MTL.json LANDSAT_5 TM L2SP 02 T1 90 84 1998-03-08
LT05_L2SP_090084_19980308_20200909_02_T1_MTL.txt LANDSAT_5 TM L2SP 02 T1 90 84 1998-03-08
LT05_L2SP_090084_19980308_20200909_02_T1_MTL.xml LANDSAT_5 TM L2SP 02 T1 90 84 1998-03-08
LT05_L2SR_087017_20090621_20200827_02_T2_MTL.xml LANDSAT_5 TM L2SR 02 T2 87 17 2009-06-21
mss_MTL.txt LANDSAT_3 MSS L1T pre - 52 25 1978-08-05
";

#[test]
fn every_file_says_what_it_is() {
    let Some(folder) = data("14-mtl-metadata") else { return };
    let mut tabled = Vec::new();
    for line in FILES.lines().filter(|l| !l.is_empty()) {
        let (file, expected) = line.split_once(' ').unwrap();
        let facts = mtl::read(&folder.join(file)).and_then(|m| m.facts()).unwrap_or_else(|e| panic!("{e}"));
        let found = format!(
            "{} {} {} {} {} {} {} {}",
            facts.spacecraft,
            facts.sensor,
            facts.level,
            facts.collection,
            facts.tier.as_deref().unwrap_or("-"),
            facts.path,
            facts.row,
            facts.acquired
        );
        assert_eq!(found, expected, "{file}");
        assert!(facts.center_time.is_some() && facts.geometry.is_some(), "{file}");
        // One ascending night scene of Landsat 1 is among them.
        assert!(facts.sun_elevation_deg.is_some_and(|e| (-31.0..90.0).contains(&e)), "{file}");
        tabled.push(file.to_owned());
    }
    let mut listed = walk::list(&folder).unwrap().0.files;
    listed.retain(|f| f != "README.md");
    tabled.sort();
    assert_eq!(tabled, listed);
}

#[test]
fn formats_of_one_product_agree() {
    let Some(folder) = data("14-mtl-metadata") else { return };
    let read =
        |id: &str, format| mtl::read(&folder.join(format!("{id}_MTL.{format}"))).unwrap().facts().unwrap();
    for (id, formats) in [
        ("LT05_L2SP_090084_19980308_20200909_02_T1", vec!["json", "txt", "xml"]),
        ("LE07_L1TP_107068_20220310_20220405_02_T1", vec!["json", "txt", "xml"]),
        ("LC08_L1GT_089074_20220506_20220512_02_T2", vec!["json", "txt", "xml"]),
        ("LC09_L2SP_010065_20220129_20220131_02_T1", vec!["txt", "xml"]),
        ("LC08_L2SP_098084_20210503_20210508_02_T1", vec!["txt", "xml"]),
    ] {
        for format in &formats[1..] {
            assert_eq!(read(id, formats[0]), read(id, format), "{id} {format}");
        }
    }
}

#[test]
fn kat_l4_corners_are_pixel_centres() {
    let Some(file) = data("14-mtl-metadata/LC09_L2SP_010065_20220129_20220131_02_T1_MTL.xml") else { return };
    let facts = mtl::read(&file).unwrap().facts().unwrap();
    let geometry = facts.geometry.unwrap();
    assert_eq!(geometry.corner_ul_center_xy, (492_000.0, -683_700.0));
    assert_eq!(geometry.corner_ul_edge_xy(), (491_985.0, -683_685.0));
    assert_eq!((geometry.samples, geometry.lines, geometry.utm_zone), (7611, 7741, Some(17)));
    assert_eq!(geometry.crs_hint.as_deref(), Some("EPSG:32617"));
    assert_eq!(facts.processed, Some(date(2022, 1, 31)));
    assert_eq!(facts.scene_id.as_deref(), Some("LC90100652022029LGN00"));
    assert_eq!(facts.metadata["algorithm_source_surface_reflectance"], "LaSRC_1.5.0");
    assert_eq!(facts.metadata["reflectance_mult_band_1"], 2.75e-5);
    assert_eq!(facts.metadata["corners_lonlat"][2], serde_json::json!([-78.99989, -8.28085]));
}

#[test]
fn espa_xml_gives_scene_id_and_files() {
    let Some(file) = data("14-mtl-metadata/LC80980762015235LGN00.xml") else { return };
    let facts = mtl::read(&file).unwrap().facts().unwrap();
    assert_eq!((facts.product_id, facts.scene_id.as_deref()), (None, Some("LC80980762015235LGN00")));
    assert_eq!(facts.processed, Some(date(2015, 8, 23)));
    let named = ("sr_band4".to_owned(), "LC80980762015235LGN00_sr_band4.tif".to_owned());
    assert!(facts.file_names.contains(&named), "{:?}", facts.file_names);
    let geometry = facts.geometry.unwrap();
    assert_eq!(geometry.corner_ul_center_xy, (328_800.0, -2_439_900.0));
    assert_eq!((geometry.lines, geometry.samples, geometry.cell_size), (7771, 7651, 30.0));
    assert!((facts.sun_elevation_deg.unwrap() - 43.769_821).abs() < 1e-6);
}

#[test]
fn metadata_without_rasters_is_refused_with_a_reason_per_product() {
    let Some(folder) = data("14-mtl-metadata") else { return };
    let found = discover(&[folder]);
    assert!(found.scenes.is_empty());
    let count = |code| codes(&found).iter().filter(|c| **c == code).count();
    assert_eq!((count("no_bands"), count("level_1"), count("unknown_sensor")), (13, 9, 9));
    assert_eq!(found.refused.len(), 31);
    let text = found.refused.iter().map(|r| r.reason.to_string()).collect::<Vec<_>>().join("\n");
    assert!(text.contains(
        "LC08_L1GT_089074_20220506_20220512_02_T2 is a Level-1 product (L1GT); expected L2SP or L2SR"
    ));
    assert!(text.contains("Landsat 1 carries no sensor"), "{text}");
}
