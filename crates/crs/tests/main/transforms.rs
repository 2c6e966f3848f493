use proj4rs::Proj;
use tesela_crs::{CrsError, transform_bounds, transform_points, with_transformer};
use tesela_grid::{BoundingBox, CrsName, builtin_grid};

const UTM14: &str = "+proj=utm +zone=14 +datum=WGS84 +units=m +no_defs";
const LCC: &str = "+proj=lcc +lat_0=12 +lon_0=-102 +lat_1=17.5 +lat_2=29.5 +x_0=2500000 +y_0=0 +ellps=GRS80 +towgs84=0,0,0 +units=m +no_defs";
const MERCATOR: &str = "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs";
const LON_LAT: &str = "+proj=longlat +datum=WGS84 +no_defs";

/// Mexico, degrees.
fn lon_lat_lattice() -> (Vec<f64>, Vec<f64>) {
    (0..41 * 31).map(|i| (-118.0 + f64::from(i % 41) * 0.8, 14.0 + f64::from(i / 41) * 0.62)).unzip()
}

#[test]
fn agrees_with_proj4rs_on_the_pairs_of_the_stack_notes() {
    let pairs = [
        (3857, MERCATOR, 32614, UTM14),
        (32614, UTM14, 3857, MERCATOR),
        (3857, MERCATOR, 6372, LCC),
        (6372, LCC, 3857, MERCATOR),
        (3857, MERCATOR, 4326, LON_LAT),
        (4326, LON_LAT, 32614, UTM14),
        (32614, UTM14, 6372, LCC),
        (6372, LCC, 32614, UTM14),
    ];
    for (from, from_text, to, to_text) in pairs {
        let (mut x, mut y) = lon_lat_lattice();
        transform_points(&CrsName::lon_lat(), &CrsName::epsg(from), &mut x, &mut y).unwrap();
        let (second_from, second_to) =
            (Proj::from_proj_string(from_text).unwrap(), Proj::from_proj_string(to_text).unwrap());
        let scale_in = if from == 4326 { 1f64.to_radians() } else { 1.0 };
        let scale_out = if to == 4326 { 1f64.to_degrees() } else { 1.0 };
        // A metre is 1e-5 degrees.
        let tolerance = if to == 4326 { 1e-11 } else { 1e-6 };
        let mut theirs: Vec<(f64, f64, f64)> =
            x.iter().zip(&y).map(|(x, y)| (x * scale_in, y * scale_in, 0.0)).collect();
        proj4rs::transform::transform(&second_from, &second_to, theirs.as_mut_slice()).unwrap();
        transform_points(&CrsName::epsg(from), &CrsName::epsg(to), &mut x, &mut y).unwrap();
        let worst = x
            .iter()
            .zip(&y)
            .zip(&theirs)
            .map(|((x, y), (u, v, _))| (x - u * scale_out).abs().max((y - v * scale_out).abs()))
            .fold(0.0, f64::max);
        assert!(worst < tolerance, "{from} to {to}: {worst}");
    }
}

#[test]
fn round_trips() {
    for crs in [
        CrsName::epsg(6372),
        CrsName::epsg(3857),
        CrsName::epsg(32614),
        builtin_grid("mxaea_30").unwrap().crs,
    ] {
        let (x0, y0) = lon_lat_lattice();
        let (mut x, mut y) = (x0.clone(), y0.clone());
        transform_points(&CrsName::lon_lat(), &crs, &mut x, &mut y).unwrap();
        transform_points(&crs, &CrsName::lon_lat(), &mut x, &mut y).unwrap();
        for i in 0..x.len() {
            assert!((x[i] - x0[i]).abs() < 1e-9 && (y[i] - y0[i]).abs() < 1e-9, "{crs} {i}");
        }
    }
}

/// KAT-GR and KAT-GA of the science notes; Mexico City as (-99.1332, 19.4326).
#[test]
fn known_points_of_the_national_grids() {
    let albers = builtin_grid("mxaea_30").unwrap().crs;
    for (lon, lat, crs, expected) in [
        (-99.1332, 19.4326, CrsName::epsg(6372), (2_800_163.326, 829_057.519)),
        (-99.1332, 19.4326, albers.clone(), (610_118.945, -499_233.022)),
        (-117.0382, 32.5149, CrsName::epsg(6372), (1_079_572.045, 2_346_591.653)),
        (-117.0382, 32.5149, albers, (-1_129_883.344, 998_210.007)),
    ] {
        let (mut x, mut y) = ([lon], [lat]);
        transform_points(&CrsName::lon_lat(), &crs, &mut x, &mut y).unwrap();
        assert!(
            (x[0] - expected.0).abs() < 1e-3 && (y[0] - expected.1).abs() < 1e-3,
            "{crs}: {} {}",
            x[0],
            y[0]
        );
    }
}

#[test]
fn axis_order_is_x_y_whatever_the_registry_says() {
    // EPSG:4326 is lat, lon and EPSG:6372 is north, east there.
    for geographic in [CrsName::epsg(4326), CrsName::lon_lat()] {
        let (mut x, mut y) = ([-102.0], [12.0]);
        transform_points(&geographic, &CrsName::epsg(6372), &mut x, &mut y).unwrap();
        assert!((x[0] - 2_500_000.0).abs() < 1e-6 && y[0].abs() < 1e-6);
    }
    with_transformer(&CrsName::epsg(4326), &CrsName::lon_lat(), |t| assert!(t.is_identity())).unwrap();
}

#[test]
fn points_that_fail_are_nan_and_the_rest_stand() {
    let mut x = [-99.0, -99.0, f64::NAN, -99.0, f64::INFINITY];
    let mut y = [19.0, 95.0, 19.0, 19.0, 19.0]; // no latitude is 95
    transform_points(&CrsName::lon_lat(), &CrsName::epsg(32614), &mut x, &mut y).unwrap();
    assert!(x[0].is_finite() && x[3] == x[0] && y[3] == y[0]);
    for i in [1, 2, 4] {
        assert!(x[i].is_nan() && y[i].is_nan(), "{i}: {} {}", x[i], y[i]);
    }
    let (mut x, mut y) = ([-10.0, -99.0], [0.0, 19.0]); // a quarter of the world from the zone
    transform_points(&CrsName::lon_lat(), &CrsName::epsg(32614), &mut x, &mut y).unwrap();
    assert!(x[0].is_nan() && (x[1] - 500_000.0).abs() < 1e-6 && y[1].is_finite());
}

#[test]
fn bounds_hold_every_inner_point() {
    let bounds = BoundingBox::new(-118.0, 14.0, -86.0, 33.0);
    let found = transform_bounds(&CrsName::lon_lat(), &CrsName::epsg(6372), &bounds).unwrap();
    let (mut x, mut y) = lon_lat_lattice();
    transform_points(&CrsName::lon_lat(), &CrsName::epsg(6372), &mut x, &mut y).unwrap();
    // The southern edge sags: the corners alone would miss it by hundreds of kilometres.
    let slack = 1000.0;
    for (x, y) in x.into_iter().zip(y) {
        assert!(x >= found.x_min - slack && x <= found.x_max + slack);
        assert!(y >= found.y_min - slack && y <= found.y_max + slack);
    }
    // An edge beyond the poles has no image, the inside has.
    let beyond = BoundingBox::new(-110.0, -95.0, -90.0, 95.0);
    let found = transform_bounds(&CrsName::lon_lat(), &CrsName::epsg(32614), &beyond).unwrap();
    assert!(found.y_min < -8e6 && found.y_max > 8e6);
    assert_eq!(transform_bounds(&CrsName::epsg(4326), &CrsName::lon_lat(), &bounds), Some(bounds));
    assert_eq!(transform_bounds(&CrsName::new("nonsense"), &CrsName::lon_lat(), &bounds), None);
}

#[test]
fn errors_name_the_crs() {
    for text in ["EPSG:99999", "nonsense", "/etc/passwd", "PROJCRS[\"broken", "EPSG:x"] {
        let error =
            transform_points(&CrsName::lon_lat(), &CrsName::new(text), &mut [0.0], &mut [0.0]).unwrap_err();
        assert!(matches!(&error, CrsError::Unknown { crs, .. } if crs == text), "{error}");
        assert!(error.to_string().contains(&text.replace('"', "\\\"")), "{error}");
    }
}

#[test]
fn many_short_threads_share_nothing_and_calls_nest() {
    let expected = {
        let (mut x, mut y) = ([-99.1332], [19.4326]);
        transform_points(&CrsName::lon_lat(), &CrsName::epsg(6372), &mut x, &mut y).unwrap();
        (x[0], y[0])
    };
    for _ in 0..8 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (from, to) = (CrsName::lon_lat(), CrsName::epsg(6372));
                    let (mut x, mut y) = ([-99.1332], [19.4326]);
                    with_transformer(&from, &to, |there| {
                        there.transform(&mut x, &mut y);
                        assert_eq!((x[0], y[0]), expected);
                        with_transformer(&to, &from, |back| back.transform(&mut x, &mut y)).unwrap();
                    })
                    .unwrap();
                    assert!((x[0] + 99.1332).abs() < 1e-10 && (y[0] - 19.4326).abs() < 1e-10);
                });
            }
        });
    }
}

#[test]
fn more_pairs_than_the_cache_keeps() {
    let zones: Vec<CrsName> = (32601..=32640).map(CrsName::epsg).collect();
    for zone in zones.iter().chain(&zones[..3]) {
        let (mut x, mut y) = ([500_000.0], [0.0]);
        transform_points(zone, &CrsName::lon_lat(), &mut x, &mut y).unwrap();
        let number = f64::from(zone.epsg_code().unwrap() - 32600);
        assert!((x[0] - (6.0 * number - 183.0)).abs() < 1e-9 && y[0].abs() < 1e-9);
    }
}
