//! The capabilities document.

use std::sync::Arc;

use askama::Template;
use axum::http::HeaderMap;
use axum::response::Response;
use tesela_compute::{Catalog, Cube};
use tesela_grid::{TileMatrix, TileMatrixSet};

use super::error::Exception;
use crate::picture::cache::{self, Document};
use crate::picture::http::respond_document;
use crate::picture::info_format::InfoFormat;
use crate::picture::layer::{LayerView, layers};
use crate::picture::{self, off_thread, tiles};
use crate::request::space::{corner, urn};
use crate::request::text::shorten;
use crate::request::{BaseUrl, Lang, Params};
use crate::{ApiError, ApiResult, AppState};

/// Which parts of the document are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sections {
    service_identification: bool,
    service_provider: bool,
    operations_metadata: bool,
    contents: bool,
}

const SECTION_NAMES: [&str; 6] =
    ["ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Contents", "Themes", "All"];

impl Sections {
    /// Every part.
    pub(super) const ALL: Self = Self {
        service_identification: true,
        service_provider: true,
        operations_metadata: true,
        contents: true,
    };

    /// The parts a list names; all for none.
    pub(super) fn of(list: Option<&str>) -> Result<Self, Exception> {
        let Some(list) = list else { return Ok(Self::ALL) };
        let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if let Some(stray) = names.iter().find(|name| !SECTION_NAMES.contains(name)) {
            let known = SECTION_NAMES.join(", ");
            return Err(Exception::invalid("Sections", format!("{:?} is none of {known}", shorten(stray))));
        }
        let wanted = |name| names.is_empty() || names.contains(&"All") || names.contains(&name);
        Ok(Self {
            service_identification: wanted(SECTION_NAMES[0]),
            service_provider: wanted(SECTION_NAMES[1]),
            operations_metadata: wanted(SECTION_NAMES[2]),
            contents: wanted(SECTION_NAMES[3]),
        })
    }

    const NONE: Self = Self {
        service_identification: false,
        service_provider: false,
        operations_metadata: false,
        contents: false,
    };
}

#[derive(Template)]
#[template(path = "wmts_capabilities.xml")]
struct Capabilities<'a> {
    base: &'a BaseUrl,
    lang: Lang,
    title: String,
    description: String,
    date_title: &'static str,
    update_sequence: u64,
    sections: Sections,
    section_names: [&'static str; 6],
    info_formats: [InfoFormat; 4],
    layers: Vec<LayerView>,
    sets: Vec<SetView>,
}

/// A tile matrix set in the axis order of its CRS.
struct SetView {
    id: String,
    crs: String,
    well_known_scale_set: Option<&'static str>,
    matrices: Vec<TileMatrix>,
}

/// Scale denominator of the first level of both well-known scale sets of the web.
const WHOLE_WORLD: f64 = 559_082_264.028_717_8;

impl SetView {
    /// `None` for a set whose CRS no registry names: WMTS has no other way to say it.
    fn new(set: TileMatrixSet) -> Option<Self> {
        let crs = urn(&set.crs)?;
        let mut matrices = set.matrices;
        for matrix in &mut matrices {
            matrix.top_left = corner(&set.crs, matrix.top_left.0, matrix.top_left.1);
        }
        // A scale set is named only by a set that begins where it does, as WMTS 1.0 (annex E) wants.
        let first = matrices.first().map_or(0.0, |matrix| matrix.scale_denominator);
        let whole = (first / WHOLE_WORLD - 1.0).abs() < 1e-9;
        Some(Self {
            id: set.id,
            crs,
            well_known_scale_set: set.well_known_scale_set.filter(|_| whole),
            matrices,
        })
    }
}

/// Answers `GetCapabilities`.
pub(super) async fn document(
    state: &AppState,
    params: &Params,
    headers: &HeaderMap,
    sections: Sections,
) -> Result<Response, Exception> {
    let lang = Lang::negotiate(params.any(&["lang", "language"]), headers);
    let base = BaseUrl::of(&state.config, headers);
    let seen: Option<u64> = params.get("UpdateSequence").and_then(|text| text.parse().ok());
    let catalog = picture::catalog(state).await?;
    let sections = match seen.map(|seen| seen.cmp(&catalog.version)) {
        Some(std::cmp::Ordering::Greater) => {
            let text = format!("updateSequence is {} now", catalog.version);
            return Err(Exception::new("InvalidUpdateSequence", Some("UpdateSequence"), text));
        }
        Some(std::cmp::Ordering::Equal) => Sections::NONE,
        _ => sections,
    };
    let snapshot = catalog.snapshot;
    let document = off_thread(state, move |cube| {
        let key = format!("wmts|{}|{}|{lang}|{base}|{sections:?}", cube.dir().display(), catalog.version);
        cache::documents()
            .try_get_with(key, || Ok(Document::new(written(cube, &catalog, lang, &base, sections)?)))
            .map_err(|shared: Arc<ApiError>| (*shared).clone())
    })
    .await?;
    Ok(respond_document(document, "application/xml", snapshot, headers))
}

fn written(
    cube: &Cube,
    catalog: &Catalog,
    lang: Lang,
    base: &BaseUrl,
    sections: Sections,
) -> ApiResult<String> {
    let layers = if sections.contents { layers(cube, catalog, lang) } else { Vec::new() };
    write(catalog, layers, lang, base, sections)
}

fn write(
    catalog: &Catalog,
    layers: Vec<LayerView>,
    lang: Lang,
    base: &BaseUrl,
    sections: Sections,
) -> ApiResult<String> {
    let mut description = lang.say("service_abstract").to_owned();
    if catalog.synthetic {
        description = format!("{description} {}", lang.say("synthetic_notice"));
    }
    let capabilities = Capabilities {
        base,
        lang,
        title: lang.marked(lang.say("service_title"), catalog.synthetic).into_owned(),
        description,
        date_title: lang.say("date"),
        update_sequence: catalog.version,
        sections,
        section_names: SECTION_NAMES,
        info_formats: InfoFormat::ALL,
        layers,
        sets: tiles::sets(catalog).into_iter().filter_map(SetView::new).collect(),
    };
    capabilities.render().map_err(|e| ApiError::internal(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::layer::tests::{catalog, layer};

    fn text(lang: &str, sections: Sections) -> String {
        let lang = Lang::of_code(lang).unwrap();
        let base = BaseUrl::new("https://datos.example");
        write(&catalog(), vec![layer(lang)], lang, &base, sections).unwrap()
    }

    #[test]
    fn the_document_in_spanish() {
        // The deep levels of the sets repeat the first ones' shape.
        let shown: Vec<String> = text("es", Sections::ALL)
            .split("      <TileMatrix>\n")
            .enumerate()
            .filter(|(i, part)| *i < 3 || part.contains("</TileMatrixSet>"))
            .map(|(_, part)| part.to_owned())
            .collect();
        insta::assert_snapshot!(shown.join("      <TileMatrix>\n"));
    }

    #[test]
    fn titles_follow_the_language_and_name_generated_data() {
        let en = text("en", Sections::ALL);
        assert!(en.contains("<ows:Title>Annual geomedian (synthetic data)</ows:Title>"), "{en}");
        assert!(en.contains("Default: True colour"));
        assert!(text("es", Sections::ALL).contains("Geomediana anual (datos sintéticos)"));
    }

    #[test]
    fn every_set_ends_at_its_own_matrices_and_northing_comes_first_where_it_must() {
        let doc = text("es", Sections::ALL);
        assert!(doc.contains("<TopLeftCorner>-20037508.342789244 20037508.342789244</TopLeftCorner>"));
        assert!(doc.contains("<ows:SupportedCRS>urn:ogc:def:crs:EPSG::6372</ows:SupportedCRS>"));
        let set = TileMatrixSet::of_grid(&tesela_grid::builtin_grid("mx6372_30").unwrap());
        let (x, y) = set.matrices[0].top_left;
        assert!(doc.contains(&format!("<TopLeftCorner>{y} {x}</TopLeftCorner>")));
        assert_eq!(doc.matches("<WellKnownScaleSet>").count(), 1);
    }

    #[test]
    fn sections_are_what_was_asked_for() {
        let one = text("es", Sections::of(Some("Contents")).unwrap());
        assert!(one.contains("<Contents>") && !one.contains("OperationsMetadata"));
        assert_eq!(Sections::of(Some("All")).unwrap(), Sections::ALL);
        let e = Sections::of(Some("Bogus")).unwrap_err();
        assert_eq!((e.code, e.locator), ("InvalidParameterValue", Some("Sections")));
    }
}
