//! Tests on the sample data and on files made wrong on purpose.

mod bad_input;
mod manifests;
mod mtl_files;
mod products;
mod properties;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A part of the test data, or `None` with a note when it is not here.
fn data(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TESELA_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if path.exists() {
        Some(path)
    } else {
        eprintln!("skipped: {} is absent", path.display());
        None
    }
}

const ID: &str = "LC08_L2SP_017051_20151205_20200908_02_T1";

/// A small Collection 2 MTL with the fields that matter.
fn small_mtl(id: &str) -> String {
    format!(
        "GROUP = LANDSAT_METADATA_FILE
  GROUP = PRODUCT_CONTENTS
    ORIGIN = \"SYNTHETIC, seed 1\"
    LANDSAT_PRODUCT_ID = \"{id}\"
    PROCESSING_LEVEL = \"{level}\"
    COLLECTION_NUMBER = 02
    COLLECTION_CATEGORY = \"T1\"
    FILE_NAME_BAND_4 = \"{id}_SR_B4.TIF\"
    FILE_NAME_QUALITY_L1_PIXEL = \"{id}_QA_PIXEL.TIF\"
  END_GROUP = PRODUCT_CONTENTS
  GROUP = IMAGE_ATTRIBUTES
    SPACECRAFT_ID = \"LANDSAT_8\"
    SENSOR_ID = \"OLI_TIRS\"
    WRS_PATH = 17
    WRS_ROW = 51
    DATE_ACQUIRED = 2015-12-05
    SCENE_CENTER_TIME = \"16:07:55.1234560Z\"
    CLOUD_COVER = 12.5
  END_GROUP = IMAGE_ATTRIBUTES
END_GROUP = LANDSAT_METADATA_FILE
END
",
        level = id.get(5..9).unwrap_or("L2SP"),
    )
}

/// A product folder with an MTL and empty band files.
fn product(root: &Path, id: &str, bands: &[&str]) -> PathBuf {
    let folder = root.join(id);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{id}_MTL.txt")), small_mtl(id)).unwrap();
    for band in bands {
        fs::write(folder.join(format!("{id}_{band}.TIF")), b"").unwrap();
    }
    folder
}

fn codes(discovery: &Discovery) -> Vec<&'static str> {
    discovery.refused.iter().map(|r| r.reason.code()).collect()
}
