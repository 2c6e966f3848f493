//! Which band a file holds: from the field of the MTL that names it, or from its own name.

/// File band names of Level-2 products, as USGS writes them: Collection 2, then ESPA.
const KNOWN: [&str; 49] = [
    "SR_B1",
    "SR_B2",
    "SR_B3",
    "SR_B4",
    "SR_B5",
    "SR_B6",
    "SR_B7",
    "QA_PIXEL",
    "QA_RADSAT",
    "SR_QA_AEROSOL",
    "SR_CLOUD_QA",
    "SR_ATMOS_OPACITY",
    "ST_B6",
    "ST_B10",
    "ST_QA",
    "ST_ATRAN",
    "ST_CDIST",
    "ST_DRAD",
    "ST_EMIS",
    "ST_EMSD",
    "ST_TRAD",
    "ST_URAD",
    "sr_band1",
    "sr_band2",
    "sr_band3",
    "sr_band4",
    "sr_band5",
    "sr_band6",
    "sr_band7",
    "pixel_qa",
    "radsat_qa",
    "sr_aerosol",
    "sr_cloud_qa",
    "sr_atmos_opacity",
    "sr_ndvi",
    "sr_evi",
    "sr_savi",
    "sr_msavi",
    "sr_ndmi",
    "sr_nbr",
    "sr_nbr2",
    "bt_band6",
    "bt_band10",
    "bt_band11",
    "cfmask",
    "cfmask_conf",
    "fmask",
    "sr_fill_qa",
    "sr_adjacent_cloud_qa",
];

/// The band a `FILE_NAME_…` field of a Collection 2 Level-2 MTL stands for.
pub fn band_of_field(field: &str) -> Option<String> {
    let rest = field.strip_prefix("FILE_NAME_")?;
    let fixed = match rest {
        "QUALITY_L1_PIXEL" => "QA_PIXEL",
        "QUALITY_L1_RADIOMETRIC_SATURATION" => "QA_RADSAT",
        "QUALITY_L2_AEROSOL" => "SR_QA_AEROSOL",
        "QUALITY_L2_SURFACE_REFLECTANCE_CLOUD" => "SR_CLOUD_QA",
        "QUALITY_L2_SURFACE_TEMPERATURE" => "ST_QA",
        "ATMOSPHERIC_OPACITY" => "SR_ATMOS_OPACITY",
        "ATMOSPHERIC_TRANSMITTANCE" => "ST_ATRAN",
        "CLOUD_DISTANCE" => "ST_CDIST",
        "DOWNWELL_RADIANCE" => "ST_DRAD",
        "UPWELL_RADIANCE" => "ST_URAD",
        "THERMAL_RADIANCE" => "ST_TRAD",
        "EMISSIVITY" => "ST_EMIS",
        "EMISSIVITY_STDEV" => "ST_EMSD",
        other => {
            let band = other.strip_prefix("BAND_")?;
            return if band.starts_with("ST_") { Some(band.to_owned()) } else { Some(format!("SR_B{band}")) };
        }
    };
    Some(fixed.to_owned())
}

/// The stem of a GeoTIFF file name, or `None` for other files.
pub fn tiff_stem(file: &str) -> Option<&str> {
    let (stem, extension) = file.rsplit_once('.')?;
    let tiff = ["tif", "tiff", "gtif"].iter().any(|e| extension.eq_ignore_ascii_case(e));
    (tiff && !stem.is_empty()).then_some(stem)
}

/// The band of a file whose stem is `{prefix}_{band}`. Known bands get their USGS spelling.
pub fn band_after_prefix(stem: &str, prefix: &str) -> Option<String> {
    let head = stem.get(..prefix.len())?;
    let band = stem.get(prefix.len()..)?.strip_prefix('_').filter(|b| !b.is_empty())?;
    head.eq_ignore_ascii_case(prefix).then(|| spelled(band))
}

/// The known band a stem ends with, whatever stands before it: for files that were renamed.
pub fn band_by_ending(stem: &str) -> Option<&'static str> {
    let endings = KNOWN.into_iter().filter(|known| {
        let start = stem.len().checked_sub(known.len());
        start.and_then(|start| Some((stem.get(..start)?, stem.get(start..)?))).is_some_and(|(before, end)| {
            end.eq_ignore_ascii_case(known) && (before.is_empty() || before.ends_with('_'))
        })
    });
    endings.max_by_key(|known| known.len()).map(|known| same_case(known, stem))
}

/// True when a file name alone says "a band of a Level-2 product".
pub fn looks_like_level2(file: &str) -> bool {
    tiff_stem(file).and_then(band_by_ending).is_some_and(|band| {
        let band = band.to_ascii_lowercase();
        band.starts_with("sr_b") || band == "qa_pixel" || band == "pixel_qa"
    })
}

fn spelled(band: &str) -> String {
    KNOWN
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(band))
        .map_or(band, |k| same_case(k, band))
        .to_owned()
}

/// `SR_CLOUD_QA` and `sr_cloud_qa` are both in the list: of two spellings the one the file has is meant.
fn same_case(known: &'static str, text: &str) -> &'static str {
    KNOWN.into_iter().find(|k| k.eq_ignore_ascii_case(known) && text.ends_with(k)).unwrap_or(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_prefix_and_by_ending() {
        let id = "LC08_L2SP_017051_20151205_20200908_02_T1";
        assert_eq!(band_after_prefix(&format!("{id}_SR_B4"), id).as_deref(), Some("SR_B4"));
        assert_eq!(band_after_prefix(&format!("{}_sr_b4", id.to_lowercase()), id).as_deref(), Some("SR_B4"));
        assert_eq!(band_after_prefix(&format!("{id}_sr_cloud_qa"), id).as_deref(), Some("sr_cloud_qa"));
        assert_eq!(band_after_prefix(&format!("{id}_SR_CLOUD_QA"), id).as_deref(), Some("SR_CLOUD_QA"));
        assert_eq!(band_after_prefix(id, id), None);
        assert_eq!(band_after_prefix("ñ", id), None);
        assert_eq!(band_by_ending("crop_SR_B4"), Some("SR_B4"));
        assert_eq!(band_by_ending("x_SR_QA_AEROSOL"), Some("SR_QA_AEROSOL"));
        assert_eq!(band_by_ending("x_sr_adjacent_cloud_qa"), Some("sr_adjacent_cloud_qa"));
        assert_eq!(band_by_ending("xSR_B4"), None);
        assert_eq!(band_by_ending("ñ4"), None);
        assert!(looks_like_level2("a_SR_B1.tif") && !looks_like_level2("a_B1.TIF"));
    }

    #[test]
    fn names_by_field() {
        let band = |field| band_of_field(field);
        assert_eq!(band("FILE_NAME_BAND_4").as_deref(), Some("SR_B4"));
        assert_eq!(band("FILE_NAME_BAND_ST_B10").as_deref(), Some("ST_B10"));
        assert_eq!(band("FILE_NAME_QUALITY_L1_PIXEL").as_deref(), Some("QA_PIXEL"));
        assert_eq!(band("FILE_NAME_METADATA_ODL"), None);
        assert_eq!(tiff_stem("a.TIF"), Some("a"));
        assert_eq!(tiff_stem("a.tif.aux.xml"), None);
    }
}
