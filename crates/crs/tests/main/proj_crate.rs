use tesela_crs::{CrsError, proj_crate, transform_points};
use tesela_grid::{CrsName, builtin_grid};

/// Mexico and far beyond, degrees.
fn lon_lat_lattice() -> (Vec<f64>, Vec<f64>) {
    (0..81 * 61).map(|i| (-125.0 + f64::from(i % 81) * 0.6, 5.0 + f64::from(i / 81) * 0.55)).unzip()
}

#[test]
fn agrees_with_the_transforms_in_use() {
    let lon_lat = CrsName::lon_lat();
    let mut names: Vec<CrsName> = [3857, 6372, 4326, 4269, 6365].map(CrsName::epsg).to_vec();
    names.extend((11..=16).map(|zone| CrsName::epsg(32600 + zone)));
    names.push(builtin_grid("mxaea_30").unwrap().crs);
    for from in &names {
        let (mut x0, mut y0) = lon_lat_lattice();
        transform_points(&lon_lat, from, &mut x0, &mut y0).unwrap();
        for to in &names {
            let (mut x, mut y) = (x0.clone(), y0.clone());
            transform_points(from, to, &mut x, &mut y).unwrap();
            let (mut u, mut v) = (x0.clone(), y0.clone());
            proj_crate::transform_points(from, to, &mut u, &mut v).unwrap();
            // A metre is 1e-5 degrees; far from a zone's meridian a metre is worth less.
            let tolerance =
                if [4326, 4269, 6365].contains(&to.epsg_code().unwrap_or(0)) { 1e-10 } else { 1e-5 };
            for i in 0..x.len() {
                assert_eq!(x[i].is_nan(), u[i].is_nan(), "{from} to {to}: point {i} of the lattice");
                let apart = (x[i] - u[i]).abs().max((y[i] - v[i]).abs());
                assert!(
                    x[i].is_nan() || apart <= tolerance,
                    "{from} to {to}: {apart} at point {i} of the lattice"
                );
            }
        }
    }
}

#[test]
fn says_what_it_does_not_know_and_opens_nothing() {
    for text in ["EPSG:99999", "nonsense", "/etc/passwd", "+init=/etc/passwd"] {
        let error =
            proj_crate::transform_points(&CrsName::new(text), &CrsName::lon_lat(), &mut [0.0], &mut [0.0])
                .unwrap_err();
        assert!(matches!(&error, CrsError::Unknown { crs, .. } if crs == text), "{error}");
    }
    let (mut x, mut y) = ([-99.0, f64::NAN], [19.0, 19.0]);
    proj_crate::transform_points(&CrsName::lon_lat(), &CrsName::epsg(32614), &mut x, &mut y).unwrap();
    assert!((x[0] - 500_000.0).abs() < 1e-6 && x[1].is_nan() && y[1].is_nan());
}
