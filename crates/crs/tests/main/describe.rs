use tesela_crs::{CfValue, CrsInfo, crs_info, is_northing_first};
use tesela_grid::area::{CellAreaModel, Ellipsoid};
use tesela_grid::{CrsName, builtin_grid};

fn cf<'a>(info: &'a CrsInfo, name: &str) -> Option<&'a CfValue> {
    info.cf_grid_mapping.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn number(value: f64) -> Option<CfValue> {
    Some(CfValue::Number(value))
}

#[test]
fn mexico_conformal_conic() {
    let info = crs_info(&CrsName::epsg(6372)).unwrap();
    assert_eq!((info.epsg, info.is_geographic, info.unit_name.as_str()), (Some(6372), false, "metre"));
    assert_eq!(info.title, "Mexico ITRF2008 / LCC");
    assert!(info.wkt2.starts_with("PROJCRS[") && info.wkt1.starts_with("PROJCS["));
    assert!(info.proj4.starts_with("+proj=lcc"));
    assert!(info.northing_first);
    assert_eq!(
        info.area_model,
        Some(CellAreaModel::LambertConformal2sp {
            lat1_deg: 17.5,
            lat2_deg: 29.5,
            lat0_deg: 12.0,
            lon0_deg: -102.0,
            false_easting_m: 2_500_000.0,
            false_northing_m: 0.0,
            ellipsoid: Ellipsoid::GRS80,
        })
    );
    assert_eq!(cf(&info, "grid_mapping_name"), Some(&CfValue::Text("lambert_conformal_conic".into())));
    assert_eq!(cf(&info, "standard_parallel"), Some(&CfValue::Numbers(vec![17.5, 29.5])));
    assert_eq!(cf(&info, "longitude_of_central_meridian").cloned(), number(-102.0));
    assert_eq!(cf(&info, "latitude_of_projection_origin").cloned(), number(12.0));
    assert_eq!(cf(&info, "false_easting").cloned(), number(2.5e6));
    assert_eq!(cf(&info, "semi_major_axis").cloned(), number(6_378_137.0));
    assert_eq!(cf(&info, "inverse_flattening").cloned(), number(298.257_222_101));
    assert_eq!(cf(&info, "crs_wkt"), Some(&CfValue::Text(info.wkt2.clone())));
}

#[test]
fn mexico_albers_from_wkt() {
    let info = crs_info(&builtin_grid("mxaea_30").unwrap().crs).unwrap();
    assert_eq!((info.epsg, info.northing_first), (None, false));
    assert_eq!(info.area_model, Some(CellAreaModel::EqualArea));
    assert_eq!(info.title, "Mexico Albers (GRS 1980)");
    assert_eq!(cf(&info, "grid_mapping_name"), Some(&CfValue::Text("albers_conical_equal_area".into())));
    assert_eq!(cf(&info, "standard_parallel"), Some(&CfValue::Numbers(vec![14.5, 32.5])));
    assert_eq!(cf(&info, "longitude_of_central_meridian").cloned(), number(-105.0));
    assert_eq!(cf(&info, "latitude_of_projection_origin").cloned(), number(24.0));
}

#[test]
fn utm_web_mercator_and_degrees() {
    let utm = crs_info(&CrsName::epsg(32614)).unwrap();
    let Some(CellAreaModel::TransverseMercator { lon0_deg, k0, ellipsoid, .. }) = utm.area_model else {
        panic!("{:?}", utm.area_model)
    };
    assert_eq!((lon0_deg, k0, ellipsoid), (-99.0, 0.9996, Ellipsoid::WGS84));
    assert_eq!(cf(&utm, "scale_factor_at_central_meridian").cloned(), number(0.9996));

    let web = crs_info(&CrsName::epsg(3857)).unwrap();
    assert_eq!(web.area_model, Some(CellAreaModel::WebMercator { ellipsoid: Ellipsoid::WGS84 }));
    assert_eq!(cf(&web, "inverse_flattening").cloned(), number(0.0));

    for name in [CrsName::epsg(4326), CrsName::lon_lat()] {
        let info = crs_info(&name).unwrap();
        assert!(info.is_geographic && info.unit_name == "degree");
        assert_eq!(info.area_model, Some(CellAreaModel::Geographic { ellipsoid: Ellipsoid::WGS84 }));
        assert_eq!(cf(&info, "grid_mapping_name"), Some(&CfValue::Text("latitude_longitude".into())));
    }
    // Mercator on the ellipsoid has no area model here; feet have none; EASE-2 keeps areas.
    assert_eq!(crs_info(&CrsName::epsg(3395)).unwrap().area_model, None);
    assert_eq!(crs_info(&CrsName::epsg(2225)).unwrap().area_model, None);
    assert_eq!(crs_info(&CrsName::epsg(6933)).unwrap().area_model, Some(CellAreaModel::EqualArea));
}

#[test]
fn axis_order_of_the_authority() {
    for (name, northing_first) in [
        ("EPSG:4326", true),
        ("OGC:CRS84", false),
        ("EPSG:6372", true),
        ("EPSG:6365", true),
        ("EPSG:3857", false),
        ("EPSG:32611", false),
        ("EPSG:32614", false),
        ("EPSG:6933", false),
    ] {
        assert_eq!(is_northing_first(&CrsName::new(name)).unwrap(), northing_first, "{name}");
    }
    assert!(!is_northing_first(&builtin_grid("mxaea_30").unwrap().crs).unwrap());
    assert!(is_northing_first(&CrsName::new("nonsense")).is_err());
}
