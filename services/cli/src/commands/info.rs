//! `info`, `config`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use tesela_compute::Cube;
use tesela_index::ProductKind;
use tesela_model::{Instant, Period};

use crate::failure::Failure;
use crate::output::Output;

/// What the cube holds, with paths that any Zarr v3 reader opens.
pub fn run(cube: &Cube, snapshot: Option<&str>, output: &Output) -> Result<(), Failure> {
    let catalog = cube.fresh_catalog()?;
    let snapshot = super::snapshot(cube, snapshot)?;
    let root = std::path::absolute(cube.store_dir()).unwrap_or_else(|_| cube.store_dir());
    let path = |prefix: &str| root.join(prefix).display().to_string();
    let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
    let archived: BTreeSet<String> =
        cube.index().groups()?.into_iter().filter(|g| g.archive).map(|g| g.prefix).collect();
    let mut products = Vec::new();
    let mut lines = vec![format!(
        "cube {}  snapshot {snapshot}{}",
        cube.dir().display(),
        if catalog.synthetic { "  SYNTHETIC DATA" } else { "" }
    )];
    for p in catalog.products.values() {
        let extent = cube.extent(&p.id, snapshot)?;
        let mut entry = json!({
            "id": p.id, "kind": p.kind, "grid": p.grid.id, "crs": p.grid.crs.as_str(), "status": p.status,
            "bands": p.band_names(),
            "bbox": extent.as_ref().map(|e| [e.lon_lat.x_min, e.lon_lat.y_min, e.lon_lat.x_max, e.lon_lat.y_max]),
        });
        match p.kind {
            ProductKind::Derived => {
                let rows = cube.index().generations(&p.id, snapshot)?;
                entry["periods"] = rows
                    .iter()
                    .map(|g| json!({"period": g.period.label(), "datetime": g.period.start.to_string(), "zarr": path(&g.prefix)}))
                    .collect::<Value>();
                lines.push(format!("{:<24} derived  {} periods", p.id, rows.len()));
                lines.extend(rows.last().map(|g| format!("    xarray.open_zarr({:?})", path(&g.prefix))));
            }
            ProductKind::Scenes => {
                let slots = cube.index().slots(&p.id, None, &always, snapshot)?;
                let mut groups: Vec<String> = slots.iter().map(|s| s.prefix.clone()).collect();
                groups.sort();
                groups.dedup();
                entry["slots"] = slots.len().into();
                entry["groups"] = groups
                    .iter()
                    .map(|g| {
                        let form = if archived.contains(g) { "archive" } else { "recent" };
                        let dates = slots.iter().filter(|s| s.prefix == *g).count();
                        json!({"zarr": path(g), "form": form, "dates": dates})
                    })
                    .collect::<Value>();
                lines.push(format!("{:<24} scenes   {} slots in {} groups", p.id, slots.len(), groups.len()));
                lines.extend(groups.first().map(|g| format!("    xarray.open_zarr({:?})", path(g))));
            }
        }
        products.push(entry);
    }
    let zone_sets: Vec<_> = catalog.zone_sets.values().filter(|z| z.added <= snapshot).collect();
    for z in &zone_sets {
        lines.push(format!("{:<24} zones    {}", z.id, z.zones));
    }
    // What is stale is known of the latest snapshot alone.
    let stale = if snapshot == catalog.snapshot { cube.index().stale()? } else { Vec::new() };
    if !stale.is_empty() {
        lines.push(format!("{} stale tile(s) of derived products; run `tesela compute`", stale.len()));
    }
    let value = json!({
        "cube": cube.dir(), "id": cube.index().fact("id")?, "version": env!("CARGO_PKG_VERSION"), "snapshot": snapshot,
        "synthetic": catalog.synthetic, "store": root, "products": products,
        "zone_sets": zone_sets.iter().map(|z| json!({"id": z.id, "zones": z.zones})).collect::<Vec<_>>(),
        "stale": stale,
    });
    output.answer(&value, || lines.join("\n"));
    Ok(())
}

/// Settings and where each comes from.
pub fn config(cube: Option<&Path>, output: &Output) {
    let from_env = |name: &str| std::env::var(name).ok();
    let source = |name: &str| if from_env(name).is_some() { name.to_owned() } else { "default".to_owned() };
    let value = json!({
        "cube": {"value": cube, "from": if cube.is_some() { "--cube or TESELA_CUBE" } else { "not set" }},
        "bind": {"value": from_env("TESELA_BIND").unwrap_or_else(|| "127.0.0.1:8080".into()), "from": source("TESELA_BIND")},
        "base_url": {"value": from_env("TESELA_BASE_URL"), "from": source("TESELA_BASE_URL")},
        "log": {"value": from_env("TESELA_LOG").unwrap_or_else(|| "warn".into()), "from": source("TESELA_LOG")},
    });
    output.answer(&value, || serde_json::to_string_pretty(&value).unwrap_or_default());
}
