//! ESPA xml (surface reflectance on demand, Collection 1 and before), told in MTL fields.

use roxmltree::Node;
use tesela_model::landsat::ProductId;

use super::tree::Group;
use crate::source::scene::LEVEL_SR;

/// The group in which band names and file names lie.
pub const BANDS: &str = "BANDS";

/// The MTL fields an `espa_metadata` document answers, in the groups of the Level-1 layout.
pub fn group(root: Node<'_, '_>) -> Group {
    let mut result = Group::new("ESPA_METADATA");
    let Some(global) = child(root, "global_metadata") else { return result };
    let bands = child(root, "bands");
    let mut product = Group::new("PRODUCT_METADATA");
    for (name, tag) in [
        ("SPACECRAFT_ID", "satellite"),
        ("SENSOR_ID", "instrument"),
        ("DATE_ACQUIRED", "acquisition_date"),
        ("SCENE_CENTER_TIME", "scene_center_time"),
        ("FILE_DATE", "level1_production_date"),
        ("EARTH_SUN_DISTANCE", "earth_sun_distance"),
        ("LANDSAT_PRODUCT_ID", "product_id"),
    ] {
        push(&mut product, name, child(global, tag).and_then(|n| n.text()));
    }
    identity(&mut product, global);
    wrs_and_sun(&mut product, global);
    let files = bands.map(band_files).unwrap_or_default();
    if files.fields.iter().any(|(name, _)| name.starts_with("SR_BAND")) {
        product.push("PROCESSING_LEVEL", LEVEL_SR);
    }
    geometry(&mut product, global, bands);
    result.groups = vec![product, files];
    result
}

/// Collection and tier from the product id; the scene id from the name of the Level-1 metadata.
fn identity(product: &mut Group, global: Node<'_, '_>) {
    if let Some(id) = product.field("LANDSAT_PRODUCT_ID").and_then(|id| ProductId::parse(id).ok()) {
        product.push("COLLECTION_NUMBER", &id.collection_text());
        product.push("COLLECTION_CATEGORY", id.tier.name());
        product.push("DATA_TYPE", id.level.name());
    } else if let Some(file) = child(global, "lpgs_metadata_file").and_then(|n| n.text()) {
        product.push("LANDSAT_SCENE_ID", file.trim().trim_end_matches("_MTL.txt"));
    }
}

fn wrs_and_sun(product: &mut Group, global: Node<'_, '_>) {
    if let Some(wrs) = child(global, "wrs") {
        push(product, "WRS_PATH", wrs.attribute("path"));
        push(product, "WRS_ROW", wrs.attribute("row"));
    }
    if let Some(sun) = child(global, "solar_angles") {
        push(product, "SUN_AZIMUTH", sun.attribute("azimuth"));
        let elevation = sun.attribute("zenith").and_then(|z| z.parse::<f64>().ok()).map(|z| 90.0 - z);
        push(product, "SUN_ELEVATION", elevation.map(|e| format!("{e:.6}")).as_deref());
    }
}

fn geometry(product: &mut Group, global: Node<'_, '_>, bands: Option<Node<'_, '_>>) {
    let Some(projection) = child(global, "projection_information") else { return };
    push(product, "MAP_PROJECTION", projection.attribute("projection"));
    push(product, "DATUM", projection.attribute("datum"));
    let zone = child(projection, "utm_proj_params").and_then(|n| child(n, "zone_code"));
    push(product, "UTM_ZONE", zone.and_then(|n| n.text()));
    // Only a corner that is a pixel centre, as in an MTL, is taken over.
    let centred = child(projection, "grid_origin").and_then(|n| n.text()).map(str::trim) == Some("CENTER");
    let corner = projection
        .children()
        .find(|n| n.has_tag_name_anywhere("corner_point") && n.attribute("location") == Some("UL"))
        .filter(|_| centred);
    if let Some(corner) = corner {
        push(product, "CORNER_UL_PROJECTION_X_PRODUCT", corner.attribute("x"));
        push(product, "CORNER_UL_PROJECTION_Y_PRODUCT", corner.attribute("y"));
    }
    let band = bands.and_then(|b| {
        b.children().filter(|n| n.has_tag_name_anywhere("band")).find(|n| {
            n.attribute("name").is_some_and(|name| name.starts_with("sr_band") || name == "pixel_qa")
        })
    });
    if let Some(band) = band {
        push(product, "REFLECTIVE_LINES", band.attribute("nlines"));
        push(product, "REFLECTIVE_SAMPLES", band.attribute("nsamps"));
        push(product, "GRID_CELL_SIZE_REFLECTIVE", child(band, "pixel_size").and_then(|n| n.attribute("x")));
    }
}

fn band_files(bands: Node<'_, '_>) -> Group {
    let mut files = Group::new(BANDS);
    for band in bands.children().filter(|n| n.has_tag_name_anywhere("band")) {
        let name = band.attribute("name");
        let file = child(band, "file_name").and_then(|n| n.text());
        if let (Some(name), Some(file)) = (name, file) {
            files.push(name, file);
        }
    }
    files
}

fn push(group: &mut Group, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        group.push(name, value);
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, tag: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.has_tag_name_anywhere(tag))
}

/// Element names without regard to the namespace: it changed with every ESPA version.
trait AnyNamespace {
    fn has_tag_name_anywhere(&self, tag: &str) -> bool;
}

impl AnyNamespace for Node<'_, '_> {
    fn has_tag_name_anywhere(&self, tag: &str) -> bool {
        self.is_element() && self.tag_name().name() == tag
    }
}
