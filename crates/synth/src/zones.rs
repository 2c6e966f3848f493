//! Census layers of the fictional town: GeoPackage in the cube's CRS, GeoJSON in longitude and latitude.

use std::path::Path;

use gdal::DriverManager;
use gdal::config::set_thread_local_config_option;
use gdal::vector::{Defn, Feature, FieldDefn, Geometry, LayerOptions, OGRFieldType, OGRwkbGeometryType};

use crate::SynthError;
use crate::noise;
use crate::place::{self, CORNER, EPSG_CUBE, PIXEL_M};
use crate::town::{Ageb, Block, Town};

/// Key of the municipality. State 07 has no municipality 999: that is intended.
pub const MUNICIPALITY: &str = "07999";
const MUNICIPALITY_NAME: &str = "Municipio Ficticio (sintético)";

type Ring = Vec<(f64, f64)>;

/// A value of an attribute.
enum Field {
    Text(String),
    Integer(i32),
    Real(f64),
}

/// One polygon and its attributes; the ring is anticlockwise, not closed, EPSG:6372 metres.
struct Zone {
    ring: Ring,
    fields: Vec<(&'static str, Field)>,
}

/// Writes all layers; returns the number of blocks and AGEBs.
pub(crate) fn write(
    dir: &Path,
    town: &Town,
    seed: u64,
    size_px: usize,
) -> Result<(usize, usize), SynthError> {
    std::fs::create_dir_all(dir).map_err(SynthError::io(dir))?;
    let municipality = municipality(seed, size_px);
    let (agebs, blocks) = town.census(|x, y| contains(&municipality, x, y));
    let blocks: Vec<Zone> = blocks.iter().map(block_zone).collect();
    let agebs: Vec<Zone> = agebs.iter().map(ageb_zone).collect();
    geopackage(&dir.join("manzanas.gpkg"), "manzanas", &blocks)?;
    geojson(&dir.join("manzanas.geojson"), "manzanas", &blocks)?;
    geopackage(&dir.join("agebs.gpkg"), "agebs", &agebs)?;
    let fields = vec![
        ("CVEGEO", text(MUNICIPALITY)),
        ("CVE_ENT", text("07")),
        ("CVE_MUN", text("999")),
        ("NOMGEO", text(MUNICIPALITY_NAME)),
    ];
    let municipality = Zone { ring: absolute(&municipality), fields };
    geojson(&dir.join("municipio.geojson"), "municipio", &[municipality])?;
    Ok((blocks.len(), agebs.len()))
}

fn text(value: &str) -> Field {
    Field::Text(value.to_owned())
}

fn absolute(ring: &[(f64, f64)]) -> Ring {
    ring.iter().map(|(x, y)| (x + CORNER.0, y + CORNER.1)).collect()
}

fn codes(cvegeo: &str) -> Vec<(&'static str, Field)> {
    vec![
        ("CVEGEO", text(cvegeo)),
        ("CVE_ENT", text(&cvegeo[..2])),
        ("CVE_MUN", text(&cvegeo[2..5])),
        ("CVE_LOC", text(&cvegeo[5..9])),
        ("CVE_AGEB", text(&cvegeo[9..13])),
    ]
}

fn block_zone(block: &Block) -> Zone {
    let mut fields = codes(&block.cvegeo);
    fields.extend([
        ("CVE_MZA", text(&block.cvegeo[13..])),
        ("AMBITO", text("Urbana")),
        ("TIPOMZA", text("Típica")),
        ("NOM", text("SINTÉTICO")),
        ("ANIO_CONST", Field::Integer(i32::from(block.built_year))),
        ("AREA_M2", Field::Real((block.area_m2() * 10.0).round() / 10.0)),
    ]);
    Zone { ring: absolute(&block.corners), fields }
}

fn ageb_zone(ageb: &Ageb) -> Zone {
    let mut fields = codes(&ageb.cvegeo);
    fields.extend([("AMBITO", text("Urbana")), ("NOM", text("SINTÉTICO"))]);
    Zone { ring: absolute(&ageb.outline), fields }
}

/// A polygon of sixteen corners just inside the cube window, world metres.
fn municipality(seed: u64, size_px: usize) -> Ring {
    let half = size_px as f64 * PIXEL_M / 2.0;
    (0..16)
        .map(|k| {
            let angle = std::f64::consts::TAU * (f64::from(k) + 0.5) / 16.0;
            let (sin, cos) = angle.sin_cos();
            let to_square = 1.0 / sin.abs().max(cos.abs());
            let radius = half * to_square * (0.94 + 0.025 * noise::signed(seed ^ 81, i64::from(k), 0));
            (radius * cos, radius * sin)
        })
        .collect()
}

/// True when a point lies in a simple ring.
fn contains(ring: &[(f64, f64)], x: f64, y: f64) -> bool {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).fold(false, |inside, (a, b)| {
        let crosses = (a.1 > y) != (b.1 > y) && x < (b.0 - a.0) * (y - a.1) / (b.1 - a.1) + a.0;
        inside ^ crosses
    })
}

fn geopackage(path: &Path, layer: &str, zones: &[Zone]) -> Result<(), SynthError> {
    let srs = place::srs(EPSG_CUBE)?;
    let write = || -> Result<(), gdal::errors::GdalError> {
        // The file would otherwise carry the time of writing.
        set_thread_local_config_option("OGR_CURRENT_DATE", "2025-01-01T00:00:00.000Z")?;
        let driver = DriverManager::get_driver_by_name("GPKG")?;
        let mut dataset = driver.create_vector_only(path)?;
        let mut transaction = dataset.start_transaction()?;
        {
            let target = transaction.create_layer(LayerOptions {
                name: layer,
                srs: Some(&srs),
                ty: OGRwkbGeometryType::wkbPolygon,
                options: None,
            })?;
            let definition = zones.first().map_or(&[][..], |zone| zone.fields.as_slice());
            for (name, value) in definition {
                let kind = match value {
                    Field::Text(_) => OGRFieldType::OFTString,
                    Field::Integer(_) => OGRFieldType::OFTInteger,
                    Field::Real(_) => OGRFieldType::OFTReal,
                };
                FieldDefn::new(name, kind)?.add_to_layer(&target)?;
            }
            let defn = Defn::from_layer(&target);
            for zone in zones {
                let mut feature = Feature::new(&defn)?;
                for (k, (_, value)) in zone.fields.iter().enumerate() {
                    match value {
                        Field::Text(v) => feature.set_field_string(k, v)?,
                        Field::Integer(v) => feature.set_field_integer(k, *v)?,
                        Field::Real(v) => feature.set_field_double(k, *v)?,
                    }
                }
                feature.set_geometry(polygon(&zone.ring)?)?;
                feature.create(&target)?;
            }
        }
        transaction.commit()?;
        dataset.close()
    };
    write().map_err(|source| SynthError::Vector { path: path.to_path_buf(), layer: layer.to_owned(), source })
}

fn polygon(ring: &[(f64, f64)]) -> Result<Geometry, gdal::errors::GdalError> {
    let mut line = Geometry::empty(OGRwkbGeometryType::wkbLinearRing)?;
    for point in ring.iter().chain(ring.first()) {
        line.add_point_2d(*point);
    }
    let mut polygon = Geometry::empty(OGRwkbGeometryType::wkbPolygon)?;
    polygon.add_geometry(line)?;
    Ok(polygon)
}

/// RFC 7946: longitude and latitude to nine decimals (0.1 mm), outer rings anticlockwise.
fn geojson(path: &Path, name: &str, zones: &[Zone]) -> Result<(), SynthError> {
    let (mut x, mut y): (Vec<f64>, Vec<f64>) =
        zones.iter().flat_map(|zone| zone.ring.iter().copied()).unzip();
    if !x.is_empty() {
        place::transform(EPSG_CUBE, 4326, &mut x, &mut y)?;
    }
    let round = |v: f64| (v * 1e9).round() / 1e9;
    let mut at = 0;
    let mut features = Vec::with_capacity(zones.len());
    for zone in zones {
        let end = at + zone.ring.len();
        let ring: Vec<[f64; 2]> = (at..end).chain([at]).map(|k| [round(x[k]), round(y[k])]).collect();
        at = end;
        let properties: serde_json::Map<String, serde_json::Value> = zone
            .fields
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    Field::Text(v) => v.as_str().into(),
                    Field::Integer(v) => (*v).into(),
                    Field::Real(v) => (*v).into(),
                };
                ((*key).to_owned(), value)
            })
            .collect();
        features.push(serde_json::json!({
            "type": "Feature",
            "properties": properties,
            "geometry": { "type": "Polygon", "coordinates": [ring] },
        }));
    }
    let document = serde_json::json!({
        "type": "FeatureCollection",
        "name": name,
        "synthetic": true,
        "features": features,
    });
    std::fs::write(path, document.to_string()).map_err(SynthError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::town::ring_area;

    #[test]
    fn the_municipality_lies_inside_the_cube_window() {
        for size in [64, 96, 512] {
            let ring = municipality(1, size);
            let half = size as f64 * 15.0;
            assert!(ring.iter().all(|(x, y)| x.abs() < half && y.abs() < half));
            assert!(ring_area(&ring) > 0.6 * (2.0 * half).powi(2));
            assert!(contains(&ring, 0.0, 0.0) && !contains(&ring, half, half));
        }
    }
}
