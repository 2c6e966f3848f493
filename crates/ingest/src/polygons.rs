//! Polygon layers from GeoPackage, GeoJSON and Shapefile, through GDAL: keys as text, geometry valid or repaired.

use std::path::{Path, PathBuf};

use gdal::vector::{FieldValue, Geometry, LayerAccess, OGRwkbGeometryType};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use geo_types::{Geometry as Shape, MultiPolygon};
use tesela_crs::identify;
use tesela_grid::CrsName;

/// A layer as read.
#[derive(Debug, Clone)]
pub struct PolygonLayer {
    /// CRS of the polygons, `(x, y)` order.
    pub crs: CrsName,
    /// Key, attributes and polygons of each feature.
    pub features: Vec<PolygonFeature>,
    /// What was repaired or left out, and why.
    pub report: Vec<String>,
}

/// One feature.
#[derive(Debug, Clone)]
pub struct PolygonFeature {
    /// Key, text always.
    pub key: String,
    /// Attributes.
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// Its polygons.
    pub geometry: MultiPolygon<f64>,
}

/// Why a layer cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolygonError {
    /// GDAL cannot read it.
    #[error("{path}: cannot be read as GeoPackage, GeoJSON or Shapefile: {message}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The layer asked for does not exist, or several do and none was asked for.
    #[error("{path}: {problem}; layers: {layers}", path = path.display())]
    Layer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// Layers there are.
        layers: String,
    },
    /// No such attribute.
    #[error("{path}: no field {field}; fields: {fields}", path = path.display())]
    KeyField {
        /// The file.
        path: PathBuf,
        /// Field asked for.
        field: String,
        /// Fields there are.
        fields: String,
    },
    /// A feature has no key.
    #[error("{path}: feature {feature} has no {field}", path = path.display())]
    KeyMissing {
        /// The file.
        path: PathBuf,
        /// Feature number, from 1.
        feature: usize,
        /// Key field.
        field: String,
    },
    /// A key is a number and may have lost its zeros.
    #[error("{path}: {field} is a number in the file, so leading zeros of the keys are lost; store it as text", path = path.display())]
    KeyIsNumber {
        /// The file.
        path: PathBuf,
        /// Key field.
        field: String,
    },
    /// A feature's geometry is no polygon and cannot be made one.
    #[error("{path}: {field} {key}: {problem}", path = path.display())]
    Geometry {
        /// The file.
        path: PathBuf,
        /// Key field.
        field: String,
        /// Key of the feature.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// The layer says nothing of its CRS.
    #[error("{path}: the layer has no usable CRS: {problem}", path = path.display())]
    Crs {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

/// Reads a polygon layer.
///
/// Invalid polygons are repaired and reported; what remains empty, or is no polygon, is an error that names the key.
///
/// # Errors
/// [`PolygonError`] names file, field and key.
pub fn read_polygons(
    path: &Path,
    layer: Option<&str>,
    key_field: &str,
) -> Result<PolygonLayer, PolygonError> {
    let unreadable = |message: String| PolygonError::Unreadable { path: path.into(), message };
    if !path.is_file() {
        return Err(unreadable("no such file".into()));
    }
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
        allowed_drivers: Some(&["GPKG", "GeoJSON", "ESRI Shapefile"]),
        ..DatasetOptions::default()
    };
    let dataset = Dataset::open_ex(path, options)
        .map_err(|_| unreadable("it is none of them, or it is damaged or cut short".into()))?;
    let names: Vec<String> = dataset.layers().map(|l| l.name()).collect();
    let wrong_layer =
        |problem: String| PolygonError::Layer { path: path.into(), problem, layers: names.join(", ") };
    let index = match layer {
        Some(name) => {
            names.iter().position(|n| n == name).ok_or_else(|| wrong_layer(format!("no layer {name}")))?
        }
        None if names.len() == 1 => 0,
        None => return Err(wrong_layer("has several layers, say which with --layer".into())),
    };
    let mut layer =
        dataset.layer(index).map_err(|_| unreadable(format!("layer {} is damaged", names[index])))?;
    let crs = match layer.spatial_ref().map(|s| s.to_wkt()) {
        Some(Ok(wkt)) => {
            identify(&wkt).map_err(|e| PolygonError::Crs { path: path.into(), problem: e.to_string() })?
        }
        _ => return Err(PolygonError::Crs { path: path.into(), problem: "none is given".into() }),
    };
    let fields: Vec<String> = layer.defn().fields().map(|f| f.name()).collect();
    if !fields.iter().any(|f| f == key_field) {
        return Err(PolygonError::KeyField {
            path: path.into(),
            field: key_field.into(),
            fields: fields.join(", "),
        });
    }
    let mut features = Vec::new();
    let mut report = Vec::new();
    for (i, feature) in layer.features().enumerate() {
        let mut properties = serde_json::Map::new();
        for (name, value) in feature.fields() {
            properties.insert(name, json(value));
        }
        let missing =
            || PolygonError::KeyMissing { path: path.into(), feature: i + 1, field: key_field.into() };
        let key = match properties.get(key_field) {
            Some(serde_json::Value::String(s)) if !s.trim().is_empty() => s.trim().to_owned(),
            Some(serde_json::Value::Number(_)) => {
                return Err(PolygonError::KeyIsNumber { path: path.into(), field: key_field.into() });
            }
            _ => return Err(missing()),
        };
        let bad = |problem: String| PolygonError::Geometry {
            path: path.into(),
            field: key_field.into(),
            key: key.clone(),
            problem,
        };
        let geometry = feature.geometry().ok_or_else(|| bad("it has no geometry".into()))?;
        let geometry = polygons(geometry, &key, &mut report).map_err(bad)?;
        features.push(PolygonFeature { key, properties, geometry });
    }
    if features.is_empty() {
        return Err(unreadable("the layer has no features".into()));
    }
    Ok(PolygonLayer { crs, features, report })
}

fn json(value: Option<FieldValue>) -> serde_json::Value {
    use serde_json::json;
    match value {
        Some(FieldValue::IntegerValue(v)) => json!(v),
        Some(FieldValue::Integer64Value(v)) => json!(v),
        Some(FieldValue::RealValue(v)) => json!(v),
        Some(FieldValue::StringValue(v)) => json!(v),
        Some(FieldValue::DateValue(v)) => json!(v.to_string()),
        Some(FieldValue::DateTimeValue(v)) => json!(v.to_string()),
        _ => serde_json::Value::Null,
    }
}

/// A geometry's polygons, repaired when invalid.
fn polygons(geometry: &Geometry, key: &str, report: &mut Vec<String>) -> Result<MultiPolygon<f64>, String> {
    let is_area = |g: &Geometry| {
        matches!(
            g.geometry_type() % 1000,
            OGRwkbGeometryType::wkbPolygon | OGRwkbGeometryType::wkbMultiPolygon
        )
    };
    if !is_area(geometry) {
        return Err(format!("it is a {}, not a polygon", geometry.geometry_name()));
    }
    let repaired;
    let mut flat = geometry;
    if !geometry.is_valid() {
        repaired = geometry
            .make_valid(&gdal::cpl::CslStringList::new())
            .map_err(|_| "it is invalid and cannot be repaired".to_owned())?;
        report.push(format!("{key}: invalid polygon repaired"));
        flat = &repaired;
    }
    let shape = flat.to_geo().map_err(|_| "it is a geometry of a kind that is not read".to_owned())?;
    let mut found = Vec::new();
    collect(shape, &mut found);
    if found.is_empty() {
        return Err("nothing of it is a polygon after repair".into());
    }
    Ok(MultiPolygon::new(found))
}

fn collect(shape: Shape<f64>, found: &mut Vec<geo_types::Polygon<f64>>) {
    match shape {
        Shape::Polygon(p) => found.push(p),
        Shape::MultiPolygon(m) => found.extend(m.0),
        Shape::GeometryCollection(c) => c.0.into_iter().for_each(|g| collect(g, found)),
        _ => {}
    }
}
