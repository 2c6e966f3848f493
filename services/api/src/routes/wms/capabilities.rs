//! The capabilities documents of both versions.

use std::cmp::Ordering;
use std::sync::Arc;

use askama::Template;
use axum::http::HeaderMap;
use axum::response::Response;
use tesela_compute::{Catalog, Cube};
use tesela_crs::transform_bounds;
use tesela_grid::{BoundingBox, CrsName};

use super::error::Exception;
use super::map::LAYER_LIMIT;
use super::version::Version;
use crate::picture::cache::{self, Document};
use crate::picture::http::respond_document;
use crate::picture::info_format::InfoFormat;
use crate::picture::layer::{LayerView, layers};
use crate::picture::{self, off_thread};
use crate::request::space::{corner, registry_name, wms_name};
use crate::request::{BaseUrl, Lang, Params};
use crate::{ApiError, ApiResult, AppState};

/// EPSG codes every layer is offered in, beside CRS:84 and the grids' own: web maps, degrees, INEGI's conic
/// projection, and Mexico's UTM zones.
const OFFERED: [u32; 9] = [3857, 4326, 6372, 32611, 32612, 32613, 32614, 32615, 32616];

/// What both documents say; the template chooses one by version.
#[derive(Template)]
#[template(path = "wms_capabilities.xml")]
struct Capabilities<'a> {
    version: Version,
    base: &'a BaseUrl,
    lang: Lang,
    title: String,
    description: String,
    root_title: &'static str,
    update_sequence: u64,
    layer_limit: usize,
    max_px: usize,
    info_formats: [InfoFormat; 4],
    crs_names: Vec<String>,
    bounds: Option<BoundingBox>,
    layers: Vec<LayerEntry>,
}

/// A layer with its boxes.
struct LayerEntry {
    view: LayerView,
    boxes: Vec<BoxView>,
}

/// A layer's bounds in one CRS.
struct BoxView {
    crs: String,
    /// `(x, y)` order, as 1.1.1 writes it.
    xy: BoundingBox,
    /// In the order of the CRS's axes, as 1.3.0 writes it.
    ordered: [f64; 4],
}

/// Answers `GetCapabilities`.
pub(super) async fn document(
    state: &AppState,
    params: &Params,
    headers: &HeaderMap,
    version: Version,
) -> Result<Response, Exception> {
    if params.get("service").is_none() {
        return Err(Exception::missing("SERVICE"));
    }
    let lang = Lang::negotiate(params.any(&["lang", "language"]), headers);
    let base = BaseUrl::of(&state.config, headers);
    let max_px = state.config.max_picture_px;
    let seen: Option<u64> = params.get("updatesequence").and_then(|text| text.parse().ok());
    let catalog = picture::catalog(state).await?;
    let code = match seen.map(|seen| seen.cmp(&catalog.version)) {
        Some(Ordering::Equal) => Some("CurrentUpdateSequence"),
        Some(Ordering::Greater) => Some("InvalidUpdateSequence"),
        _ => None,
    };
    if code.is_some() {
        let text = format!("updateSequence is {} now", catalog.version);
        return Err(Exception::new(code, Some("UPDATESEQUENCE"), text));
    }
    let snapshot = catalog.snapshot;
    let document = off_thread(state, move |cube| {
        let dir = cube.dir().display();
        let key = format!("wms|{dir}|{}|{lang}|{base}|{max_px}|{}", catalog.version, version.as_str());
        cache::documents()
            .try_get_with(key, || Ok(Document::new(written(cube, &catalog, lang, &base, max_px, version)?)))
            .map_err(|shared: Arc<ApiError>| (*shared).clone())
    })
    .await?;
    let media_type = match version {
        Version::V130 => "text/xml; charset=utf-8",
        Version::V111 => "application/vnd.ogc.wms_xml; charset=utf-8",
    };
    Ok(respond_document(document, media_type, snapshot, headers))
}

fn written(
    cube: &Cube,
    catalog: &Catalog,
    lang: Lang,
    base: &BaseUrl,
    max_px: usize,
    version: Version,
) -> ApiResult<String> {
    write(catalog, layers(cube, catalog, lang), lang, base, max_px, version)
}

fn write(
    catalog: &Catalog,
    layers: Vec<LayerView>,
    lang: Lang,
    base: &BaseUrl,
    max_px: usize,
    version: Version,
) -> ApiResult<String> {
    let mut description = lang.say("service_abstract").to_owned();
    if catalog.synthetic {
        description = format!("{description} {}", lang.say("synthetic_notice"));
    }
    let names = crs_names(catalog);
    let capabilities = Capabilities {
        version,
        base,
        lang,
        title: lang.marked(lang.say("service_title"), catalog.synthetic).into_owned(),
        description,
        root_title: lang.say("root_title"),
        update_sequence: catalog.version,
        layer_limit: LAYER_LIMIT,
        max_px,
        info_formats: InfoFormat::ALL,
        crs_names: names.iter().filter_map(|name| written_crs(name, version)).collect(),
        bounds: layers.iter().map(|layer| layer.lon_lat).reduce(|a, b| a.union(&b)),
        layers: layers
            .into_iter()
            .map(|view| LayerEntry { boxes: boxes(&view, &names, version), view })
            .collect(),
    };
    capabilities.render().map_err(|e| ApiError::internal(&e))
}

/// Every CRS offered, CRS:84 first.
fn crs_names(catalog: &Catalog) -> Vec<CrsName> {
    let mut names = vec![CrsName::lon_lat()];
    let grids = catalog.grids.values().filter_map(|grid| registry_name(&grid.crs));
    for name in OFFERED.into_iter().map(CrsName::epsg).chain(grids) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// CRS:84 is of 1.3.0; the older version has EPSG:4326 for it.
fn written_crs(crs: &CrsName, version: Version) -> Option<String> {
    wms_name(crs).filter(|name| version == Version::V130 || name != "CRS:84")
}

fn boxes(layer: &LayerView, names: &[CrsName], version: Version) -> Vec<BoxView> {
    let one = |crs: &CrsName| {
        let name = written_crs(crs, version)?;
        let xy = transform_bounds(&CrsName::lon_lat(), crs, &layer.lon_lat)?;
        let (low, high) = (corner(crs, xy.x_min, xy.y_min), corner(crs, xy.x_max, xy.y_max));
        Some(BoxView { crs: name, xy, ordered: [low.0, low.1, high.0, high.1] })
    };
    names.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::layer::tests::{catalog, layer};

    fn text(lang: &str, version: Version) -> String {
        let lang = Lang::of_code(lang).unwrap();
        let base = BaseUrl::new("https://datos.example");
        write(&catalog(), vec![layer(lang)], lang, &base, 4096, version).unwrap()
    }

    /// Projected boxes to the metre, since their last digits depend on the version of PROJ.
    fn rounded(text: &str) -> String {
        let round = |line: &str| {
            if !line.contains("<BoundingBox") || line.contains(":84\"") || line.contains(":4326\"") {
                return line.to_owned();
            }
            let parts: Vec<String> = line
                .split('"')
                .map(|part| part.parse::<f64>().map_or_else(|_| part.to_owned(), |v| format!("{v:.0}")))
                .collect();
            parts.join("\"")
        };
        text.lines().map(round).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_document_of_130_in_spanish() {
        insta::assert_snapshot!(rounded(&text("es", Version::V130)));
    }

    #[test]
    fn the_document_of_111_in_english() {
        insta::assert_snapshot!(rounded(&text("en", Version::V111)));
    }

    #[test]
    fn boxes_follow_the_axes_in_130_only() {
        let new = text("es", Version::V130);
        assert!(
            new.contains(
                r#"<BoundingBox CRS="EPSG:4326" minx="19.25" miny="-99.5" maxx="20" maxy="-98.75"/>"#
            )
        );
        assert!(
            new.contains(r#"<BoundingBox CRS="CRS:84" minx="-99.5" miny="19.25" maxx="-98.75" maxy="20"/>"#)
        );
        let old = text("es", Version::V111);
        assert!(
            old.contains(
                r#"<BoundingBox SRS="EPSG:4326" minx="-99.5" miny="19.25" maxx="-98.75" maxy="20"/>"#
            )
        );
        assert!(!old.contains("CRS:84"));
    }

    #[test]
    fn an_empty_cube_has_a_document_too() {
        let base = BaseUrl::new("http://localhost");
        let doc =
            write(&Catalog::default(), Vec::new(), Lang::default(), &base, 4096, Version::V130).unwrap();
        assert!(doc.contains("<CRS>EPSG:6372</CRS>") && !doc.contains("EX_Geographic"));
    }
}
