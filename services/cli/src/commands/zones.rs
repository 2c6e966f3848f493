//! `zones`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;
use tesela_compute::Cube;
use tesela_compute::zones::{ZoneInput, ZoneQuery, ZoneRegistration, ZoneTable};
use tesela_ingest::polygons::read_polygons;
use tesela_model::TimeSelector;

use crate::args::ZonesCommand;
use crate::failure::Failure;
use crate::output::Output;

/// `zones …`.
pub fn run(cube: &Cube, command: ZonesCommand, output: &Output) -> Result<(), Failure> {
    match command {
        ZonesCommand::Add { file, key, id, layer, title_es, title_en } => {
            let (name, edition) = match id.split_once('@') {
                Some((name, edition)) => (name.to_owned(), Some(edition.to_owned())),
                None => (id.clone(), None),
            };
            let mut title = BTreeMap::new();
            title.insert("es".to_owned(), title_es.unwrap_or_else(|| name.clone()));
            title.insert("en".to_owned(), title_en.unwrap_or_else(|| name.clone()));
            let n = add(cube, &file, layer.as_deref(), &key, &id, edition, title, false)?;
            output.answer(&json!({"zone_set": id, "zones": n.0, "report": n.1}), || {
                let mut text = format!("zone set {id}: {} zones", n.0);
                for line in &n.1 {
                    let _ = write!(text, "\n{line}");
                }
                text
            });
        }
        ZonesCommand::List { snapshot } => {
            let snapshot = super::snapshot(cube, snapshot.as_deref())?;
            let mut sets = cube.index().zone_sets()?;
            sets.retain(|z| z.added <= snapshot);
            let rows: Vec<_> = sets
                .iter()
                .map(|z| json!({"id": z.id, "zones": z.zones, "key_field": z.key_field}))
                .collect();
            output.answer(&rows, || {
                sets.iter()
                    .map(|z| format!("{:<28} {:>8} zones, key {}", z.id, z.zones, z.key_field))
                    .collect::<Vec<_>>()
                    .join("\n")
            });
        }
        ZonesCommand::Show { id, key, snapshot } => {
            let snapshot = super::snapshot(cube, snapshot.as_deref())?;
            show(cube, &id, key.as_deref(), snapshot, output)?;
        }
        ZonesCommand::Stats { id, product, band, datetime, min_coverage, snapshot, output: file } => {
            let all_periods = datetime.as_deref() == Some("all");
            let time = match datetime.as_deref().filter(|_| !all_periods) {
                Some(t) => TimeSelector::parse(t)?,
                None => TimeSelector::Latest,
            };
            let snapshot = snapshot.map(|asked| super::snapshot(cube, Some(&asked))).transpose()?;
            let table = cube.zone_stats(&ZoneQuery {
                set: id,
                product,
                band,
                time,
                all_periods,
                key: None,
                min_coverage,
                snapshot,
            })?;
            let text = if output.is_json() {
                serde_json::to_string_pretty(&table).map_err(|e| Failure::Message(e.to_string()))?
            } else {
                csv(&table)
            };
            match file {
                Some(path) => std::fs::write(&path, text).map_err(Failure::file("write", path))?,
                None => output.print(&text),
            }
        }
    }
    Ok(())
}

/// Registers a polygon layer; returns the number of zones and what was repaired.
#[allow(clippy::too_many_arguments)]
pub fn add(
    cube: &Cube,
    file: &std::path::Path,
    layer: Option<&str>,
    key_field: &str,
    id: &str,
    edition: Option<String>,
    title: BTreeMap<String, String>,
    synthetic: bool,
) -> Result<(usize, Vec<String>), Failure> {
    let usable = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    if id.is_empty() || id.len() > 64 || !id.chars().all(usable) {
        return Err(Failure::Message(format!(
            "zone set id {id:?} must be letters, digits, _ - . and one @edition"
        )));
    }
    let layer = read_polygons(file, layer, key_field)?;
    let _lock = cube.lock("zones add")?;
    let zones: Vec<ZoneInput> = layer
        .features
        .into_iter()
        .map(|f| ZoneInput { key: f.key, properties: f.properties, geometry: f.geometry })
        .collect();
    let n = zones.len();
    cube.add_zones(ZoneRegistration {
        id: id.into(),
        title,
        edition,
        key_field: key_field.into(),
        source: file.display().to_string(),
        crs: layer.crs,
        synthetic,
        report: layer.report.clone(),
        zones,
    })?;
    Ok((n, layer.report))
}

fn show(cube: &Cube, id: &str, key: Option<&str>, snapshot: u64, output: &Output) -> Result<(), Failure> {
    let catalog = cube.fresh_catalog()?;
    let set = catalog.zone_set(id)?;
    if set.added > snapshot {
        let words = format!("zone set {id} came in at snapshot {}, after {snapshot}", set.added);
        return Err(Failure::Message(words));
    }
    let value = match key {
        None => json!({
            "id": set.id, "zones": set.zones, "key_field": set.key_field, "edition": set.edition,
            "title": serde_json::from_str::<serde_json::Value>(&set.title).unwrap_or_default(),
            "bbox": [set.bbox.x_min, set.bbox.y_min, set.bbox.x_max, set.bbox.y_max],
            "synthetic": set.synthetic,
            "report": serde_json::from_str::<serde_json::Value>(&set.report).unwrap_or_default(),
        }),
        Some(key) => {
            let zone = cube
                .index()
                .zone(id, key)?
                .ok_or_else(|| Failure::Message(format!("zone set {id} has no zone {key}")))?;
            json!({
                "key": zone.key, "area_m2": zone.area_m2,
                "properties": serde_json::from_str::<serde_json::Value>(&zone.properties).unwrap_or_default(),
                "geometry": serde_json::from_str::<serde_json::Value>(&zone.geometry).unwrap_or_default(),
            })
        }
    };
    output.print(&serde_json::to_string_pretty(&value).unwrap_or_default());
    Ok(())
}

fn csv(table: &ZoneTable) -> String {
    let mut text = String::from(
        "key,datetime,band,count,mean,sd,min,max,median,coverage,valid_area_m2,area_m2,clear_obs_mean,emad_mean,method,status,snapshot,reason\n",
    );
    let n = |v: Option<f64>| v.map_or_else(String::new, |v| v.to_string());
    for r in &table.rows {
        let _ = writeln!(
            text,
            "\"{}\",{},\"{}\",{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            r.key.replace('"', "\"\""),
            r.datetime,
            r.band.replace('"', "\"\""),
            r.count,
            n(r.mean),
            n(r.sd),
            n(r.min),
            n(r.max),
            n(r.median),
            r.coverage,
            r.valid_area_m2,
            r.area_m2,
            n(r.clear_obs_mean),
            n(r.emad_mean),
            r.method,
            r.status,
            r.snapshot,
            r.reason.unwrap_or("")
        );
    }
    text
}
