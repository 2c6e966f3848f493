//! The metadata and coordinates of a whole group: what lets any Zarr reader use it where it lies.

use serde_json::{Map, Value, json};
use tesela_grid::GeoBox;

use crate::facts::FACTS_GROUP;
use crate::metadata::{COORDINATE_BYTES, array_document, coordinate_document, group_document};
use crate::{Codec, GroupSpec, ObjectKey, StoreError};

pub(crate) type Document = (ObjectKey, Vec<u8>);
/// A node's path inside the group, and its metadata document.
pub(crate) type Node = (String, Value);

impl GroupSpec {
    /// Every object of the group but its shards, by key: what [`Store::write_group`](crate::Store::write_group)
    /// puts, and what an assembled view serves of a group that was never written. Metadata first (consolidated
    /// as well), then the coordinates.
    /// # Errors
    /// As [`GroupSpec::validate`].
    pub fn documents(&self) -> Result<Vec<(ObjectKey, Vec<u8>)>, StoreError> {
        documents(self)
    }
}

fn documents(spec: &GroupSpec) -> Result<Vec<Document>, StoreError> {
    let (nodes, chunks) = parts(spec)?;
    whole(spec, nodes, chunks)
}

/// The nodes below the root in no order, and the chunks of the coordinates.
pub(crate) fn parts(spec: &GroupSpec) -> Result<(Vec<Node>, Vec<Document>), StoreError> {
    spec.validate()?;
    let mut nodes: Vec<Node> = Vec::new();
    let mut chunks: Vec<Document> = Vec::new();
    for (path, geobox) in spec.geoboxes() {
        coordinates(spec, &path, geobox, &mut nodes, &mut chunks)?;
        for array in &spec.arrays {
            if array.name.rsplit_once('/').map_or("", |(level, _)| level) == path {
                nodes.push((array.name.clone(), array_document(array)?));
            }
        }
    }
    if !spec.levels.is_empty() {
        nodes.push(("overviews".to_owned(), group_document(&Map::new())));
        for (path, geobox) in spec.geoboxes().skip(1) {
            nodes.push((path, group_document(&level_attributes(spec, geobox))));
        }
    }
    if let Some(facts) = &spec.facts {
        nodes.extend(facts.nodes()?);
    }
    Ok((nodes, chunks))
}

/// Every object of a group of these nodes and coordinate chunks: metadata first, consolidated as well.
pub(crate) fn whole(
    spec: &GroupSpec,
    mut nodes: Vec<Node>,
    mut chunks: Vec<Document>,
) -> Result<Vec<Document>, StoreError> {
    nodes.sort_by(|a, b| a.0.cmp(&b.0));

    let mut all = Vec::with_capacity(nodes.len() + chunks.len() + 1);
    all.push((spec.prefix.join("zarr.json")?, text(&consolidated(root(spec), "", &nodes))));
    for (path, node) in &nodes {
        let is_opened = path.starts_with("overviews/") || path == FACTS_GROUP;
        let document = if is_opened && node["node_type"] == "group" {
            text(&consolidated(node.clone(), path, &nodes))
        } else {
            text(node)
        };
        all.push((spec.prefix.join(path)?.join("zarr.json")?, document));
    }
    all.append(&mut chunks);
    Ok(all)
}

fn text(document: &Value) -> Vec<u8> {
    format!("{document:#}\n").into_bytes()
}

/// The document of the group at `path` with the documents of everything below it inside: one request
/// opens the group. Objects are immutable, so the copies cannot disagree.
fn consolidated(mut group: Value, path: &str, nodes: &[Node]) -> Value {
    let below = |name: &str| match path {
        "" => Some(name.to_owned()),
        _ => name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned),
    };
    let metadata: Map<String, Value> =
        nodes.iter().filter_map(|(name, node)| Some((below(name)?, node.clone()))).collect();
    group["consolidated_metadata"] =
        json!({"kind": "inline", "must_understand": false, "metadata": metadata});
    group
}

fn root(spec: &GroupSpec) -> Value {
    let mut attributes = spec.attributes.clone();
    attributes.extend(level_attributes(spec, &spec.geobox));
    attributes.insert("Conventions".to_owned(), "CF-1.10".into());
    if !spec.levels.is_empty() {
        attributes.insert("multiscales".to_owned(), multiscales(spec));
        if let Some(Value::Array(conventions)) = attributes.get_mut("zarr_conventions") {
            conventions.push(convention(
                "multiscales",
                "d35379db-88df-4056-af3a-620245f8e347",
                "Multiscale layout of zarr datasets",
            ));
        }
    }
    group_document(&attributes)
}

/// GeoZarr's `proj:` and `spatial:` conventions, version 0.1, for one level.
fn level_attributes(spec: &GroupSpec, geobox: &GeoBox) -> Map<String, Value> {
    let bounds = geobox.bounds();
    let mut attributes = Map::new();
    let mut set = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
    set(
        "zarr_conventions",
        json!([
            convention(
                "proj",
                "f17cb550-5864-4468-aeb7-f3180cfb622f",
                "Coordinate reference system information for geospatial data"
            ),
            convention("spatial", "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "Spatial coordinate information"),
        ]),
    );
    if let Some(epsg) = spec.epsg {
        set("proj:code", format!("EPSG:{epsg}").into());
    }
    set("proj:wkt2", spec.crs_wkt.clone().into());
    set("spatial:dimensions", json!(["y", "x"]));
    set("spatial:bbox", json!([bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]));
    set("spatial:transform_type", "affine".into());
    set("spatial:transform", affine(geobox));
    set("spatial:shape", json!([geobox.height, geobox.width]));
    set("spatial:registration", "pixel".into());
    attributes
}

fn convention(name: &str, uuid: &str, description: &str) -> Value {
    json!({
        "uuid": uuid,
        "name": name,
        "schema_url": format!("https://raw.githubusercontent.com/zarr-conventions/{name}/refs/tags/v0.1/schema.json"),
        "spec_url": format!("https://github.com/zarr-conventions/{name}/blob/v0.1/README.md"),
        "description": description,
    })
}

/// `[a, b, c, d, e, f]`: x = a·column + b·row + c, y = d·column + e·row + f, at pixel corners.
fn affine(geobox: &GeoBox) -> Value {
    json!([geobox.dx, 0.0, geobox.x_min, 0.0, -geobox.dy, geobox.y_max])
}

/// The pyramid's layout. `.` is the group itself; scales have one number per array axis, as GDAL demands.
fn multiscales(spec: &GroupSpec) -> Value {
    let mut layout = Vec::new();
    let mut finer: Option<(String, &GeoBox)> = None;
    for (path, geobox) in spec.geoboxes() {
        let asset = if path.is_empty() { ".".to_owned() } else { path };
        let mut level = json!({
            "asset": asset,
            "transform": {"scale": [1.0, 1.0, 1.0], "translation": [0.0, 0.0, 0.0]},
            "spatial:shape": [geobox.height, geobox.width],
            "spatial:transform": affine(geobox),
        });
        if let Some((from, source)) = finer {
            level["derived_from"] = from.into();
            level["transform"]["scale"] = json!([1.0, geobox.dy / source.dy, geobox.dx / source.dx]);
        }
        layout.push(level);
        finer = Some((asset, geobox));
    }
    json!({"layout": layout})
}

/// `time`, `y`, `x` and `spatial_ref` of one level.
fn coordinates(
    spec: &GroupSpec,
    level: &str,
    geobox: &GeoBox,
    nodes: &mut Vec<Node>,
    chunks: &mut Vec<Document>,
) -> Result<(), StoreError> {
    let at = |name: &str| if level.is_empty() { name.to_owned() } else { format!("{level}/{name}") };
    let mut axis =
        |name: &str, dtype: &str, values: Vec<[u8; 8]>, attributes: Value| -> Result<(), StoreError> {
            nodes.push((at(name), coordinate_document(name, dtype, Some(values.len()), attributes)?));
            let encoded = Codec::Zstd5Byte
                .compress(&values.concat(), COORDINATE_BYTES)
                .map_err(|reason| StoreError::Encode { array: spec.prefix.to_string(), reason })?;
            chunks.push((spec.prefix.join(&at(name))?.join("c/0")?, encoded));
            Ok(())
        };

    let [y_names, x_names] = axis_names(spec);
    axis(
        "time",
        "int64",
        spec.time.iter().map(|t| t.0.to_le_bytes()).collect(),
        json!({
            "standard_name": "time", "long_name": "time", "axis": "T",
            "units": "seconds since 1970-01-01 00:00:00", "calendar": "proleptic_gregorian",
        }),
    )?;
    let ys = (0..geobox.height).map(|row| geobox.xy(0.5, row as f64 + 0.5).1.to_le_bytes());
    axis("y", "float64", ys.collect(), y_names)?;
    let xs = (0..geobox.width).map(|column| geobox.xy(column as f64 + 0.5, 0.5).0.to_le_bytes());
    axis("x", "float64", xs.collect(), x_names)?;
    // Its value is 0, the fill value, so it needs no chunk.
    nodes.push((
        at("spatial_ref"),
        coordinate_document("spatial_ref", "int64", None, grid_mapping(spec, geobox))?,
    ));
    Ok(())
}

fn axis_names(spec: &GroupSpec) -> [Value; 2] {
    let geographic =
        spec.grid_mapping.get("grid_mapping_name").is_some_and(|name| name == "latitude_longitude");
    if geographic {
        return [
            json!({"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north", "axis": "Y"}),
            json!({"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east", "axis": "X"}),
        ];
    }
    ["y", "x"].map(|name| {
        json!({
            "standard_name": format!("projection_{name}_coordinate"),
            "long_name": format!("{name} coordinate of projection"),
            "units": "m", "axis": name.to_uppercase(),
        })
    })
}

/// CF's grid mapping, and GDAL's attributes beside it.
fn grid_mapping(spec: &GroupSpec, geobox: &GeoBox) -> Value {
    let mut attributes = spec.grid_mapping.clone();
    let mut set = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
    set("crs_wkt", spec.crs_wkt.clone().into());
    set("spatial_ref", spec.crs_wkt.clone().into());
    let GeoBox { x_min, y_max, dx, dy, .. } = geobox;
    set("GeoTransform", format!("{x_min} {dx} 0 {y_max} 0 {}", -dy).into());
    if let Some(epsg) = spec.epsg {
        set("proj:code", format!("EPSG:{epsg}").into());
    }
    Value::Object(attributes)
}
