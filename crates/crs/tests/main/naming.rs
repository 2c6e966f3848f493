use tesela_crs::{crs_info, identify};
use tesela_grid::{CrsName, builtin_grid};

#[test]
fn registry_crs_are_named_from_either_wkt() {
    for code in [32611, 32614, 6372, 3857, 4326, 6362, 6933, 3577] {
        let info = crs_info(&CrsName::epsg(code)).unwrap();
        for wkt in [&info.wkt1, &info.wkt2] {
            assert_eq!(identify(wkt).unwrap(), CrsName::epsg(code), "{wkt}");
        }
    }
    let info = crs_info(&CrsName::lon_lat()).unwrap();
    assert_eq!(identify(&info.wkt2).unwrap(), CrsName::lon_lat());
}

#[test]
fn equivalents_without_a_code_are_found() {
    let esri_utm = r#"PROJCS["WGS_1984_UTM_Zone_14N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-99.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;
    assert_eq!(identify(esri_utm).unwrap(), CrsName::epsg(32614));
    let bare_utm = r#"PROJCS["unnamed",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",-105],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]]"#;
    assert_eq!(identify(bare_utm).unwrap(), CrsName::epsg(32613));
    let esri_degrees = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
    assert_eq!(identify(esri_degrees).unwrap(), CrsName::epsg(4326));
}

#[test]
fn others_keep_their_wkt_and_read_back() {
    let albers = builtin_grid("mxaea_30").unwrap().crs;
    let name = identify(albers.as_str()).unwrap();
    assert!(name.as_str().starts_with("PROJCRS["));
    assert_eq!(identify(name.as_str()).unwrap(), name);

    // INEGI's older mosaics: a conic on WGS 84, which no code has.
    let conic = r#"PROJCS["Mexico LCC WGS84",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["standard_parallel_1",17.5],PARAMETER["standard_parallel_2",29.5],PARAMETER["latitude_of_origin",12],PARAMETER["central_meridian",-102],PARAMETER["false_easting",2500000],PARAMETER["false_northing",0],UNIT["metre",1]]"#;
    assert!(identify(conic).unwrap().as_str().starts_with("PROJCRS["));

    // A text that claims a code it does not mean is not believed.
    let liar = crs_info(&CrsName::epsg(32614)).unwrap().wkt1.replace("-99", "-98");
    assert!(identify(&liar).unwrap().epsg_code().is_none());
    assert!(identify("nonsense").is_err());
    assert!(identify(r#"LOCAL_CS["plan"]"#).is_err());
}
