//! A job whose units are done becomes rasters that everyone sees: grid-wide levels, documents, one commit.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::{Value, json};
use tesela_crs::crs_info;
use tesela_grid::TileId;
use tesela_index::{GenerationCommit, GenerationRow, NewGeneration, NewGroup, NewObject, ObjectRow};
use tesela_layout::group_spec;
use tesela_layout::names::TILE_LEVELS;
use tesela_model::Period;
use tesela_store::{ArrayRef, ObjectInfo, ObjectKey};

use super::output::{Output, blocks, halve_all};
use super::plan::{Plan, PlannedInputs, PlannedJob};
use super::pyramid::{Counted, halved};
use super::unit::SIDE;
use crate::load::Item;
use crate::{ComputeError, Cube};

/// Objects and level-4 pixels of one period, gathered from units and from tiles taken over.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) objects: Vec<ObjectInfo>,
    /// By tile, band by band.
    pub(super) tops: Vec<(TileId, Vec<Counted>)>,
}

impl Cube {
    /// Commits the rasters of one job; returns the snapshot.
    ///
    /// # Errors
    /// Those of store and index.
    pub(super) fn commit_job(
        &self,
        plan: &Plan,
        job: &PlannedJob,
        output: &Output<'_>,
        gathered: Vec<Gathered>,
        pixels: u64,
    ) -> Result<(u64, u64), ComputeError> {
        let mut generations = Vec::new();
        let mut bytes = 0;
        let provenance = self.provenance(plan, job)?;
        for (period, gathered) in job.periods.iter().zip(gathered) {
            let generation = self.generation(plan, job, output, period, gathered, &provenance)?;
            bytes += generation.group.objects.iter().map(|o| o.bytes).sum::<u64>();
            generations.push(generation);
        }
        self.store().sync()?;
        let labels: Vec<String> = job.periods.iter().map(Period::label).collect();
        let mut summary = json!({"product": plan.recipe.recipe, "pixels": pixels});
        match labels.as_slice() {
            [one] => summary["period"] = json!(one),
            many => summary["periods"] = json!(many),
        }
        let snapshot = self.index().commit_generations(&GenerationCommit {
            product: plan.recipe.recipe.clone(),
            run: plan.run.clone(),
            summary: summary.to_string(),
            generations,
            ..GenerationCommit::default()
        })?;
        Ok((snapshot, bytes))
    }

    pub(super) fn generation(
        &self,
        plan: &Plan,
        job: &PlannedJob,
        output: &Output<'_>,
        period: &Period,
        gathered: Gathered,
        provenance: &Value,
    ) -> Result<NewGeneration, ComputeError> {
        let prefix = output.prefix(period, &plan.run)?;
        let mut objects = gathered.objects;
        objects.extend(self.put_wide_levels(output, &prefix, &gathered.tops)?);
        let (slots, sources) = match &job.inputs {
            PlannedInputs::Slots(ids) => (ids.clone(), Vec::new()),
            PlannedInputs::Rasters(ids) => (Vec::new(), ids.clone()),
        };
        let mut attributes = serde_json::Map::new();
        let title = plan.recipe.title.get("en").cloned().unwrap_or_default();
        attributes.insert("title".into(), title.into());
        attributes.insert("tesela_provenance".into(), provenance.clone());
        if self.catalog()?.synthetic {
            attributes.insert("synthetic".into(), true.into());
        }
        let crs = crs_info(&output.grid().crs)?;
        let mut spec = group_spec(
            prefix.clone(),
            output.grid(),
            &crs,
            &output.windows,
            vec![period.start],
            output.specs.iter().flatten().cloned().collect(),
            attributes,
        );
        spec.facts.clone_from(&output.facts);
        objects.extend(self.store().write_group(&spec)?);
        let named = |o: &ObjectInfo| NewObject {
            key: o.key.as_str().into(),
            bytes: o.bytes,
            digest: o.digest.clone(),
        };
        Ok(NewGeneration {
            period: *period,
            group: NewGroup {
                prefix: prefix.as_str().into(),
                archive: false,
                objects: objects.iter().map(named).collect(),
            },
            tile_min: job.tile_min,
            tile_end: job.tile_end,
            provenance: provenance.to_string(),
            slots,
            sources,
        })
    }

    /// Levels 4 and up over the whole extent.
    fn put_wide_levels(
        &self,
        output: &Output<'_>,
        prefix: &ObjectKey,
        tops: &[(TileId, Vec<Counted>)],
    ) -> Result<Vec<ObjectInfo>, ComputeError> {
        let bands = &output.product.bands;
        let first = TILE_LEVELS as usize + 1;
        let mut window = output.windows[first];
        let mut canvas: Vec<Counted> = bands.iter().map(|b| Counted::empty(b, window.len())).collect();
        for (tile, parts) in tops {
            let part = output.top_window(*tile);
            for (canvas, top) in canvas.iter_mut().zip(parts) {
                canvas.paste(&window, top, &part);
            }
        }
        let mut objects = Vec::new();
        for level in first..output.windows.len() {
            if level > first {
                canvas = halve_all(&canvas, bands, &window)?;
                window = output.windows[level];
            }
            let written: Vec<Option<ObjectInfo>> = canvas
                .par_iter()
                .zip(&output.specs[level])
                .map(|(counted, spec)| {
                    let array = ArrayRef::from_spec(prefix, spec)?;
                    let mut writer = self.store().shard_writer(&array, [0, 0, 0])?;
                    writer.put_window(0, 0, 0, window.height, window.width, &counted.values)?;
                    Ok::<_, ComputeError>(writer.finish()?)
                })
                .collect::<Result<_, _>>()?;
            objects.extend(written.into_iter().flatten());
        }
        Ok(objects)
    }

    /// Takes tiles over from a raster of the same extent: the same bytes under the new raster's names.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn take_over(
        &self,
        output: &Output<'_>,
        old: &GenerationRow,
        prefix: &ObjectKey,
        tiles: &[TileId],
        gathered: &mut Gathered,
    ) -> Result<(), ComputeError> {
        let of_old = |o: ObjectRow| {
            let name = o.key.strip_prefix(&old.prefix)?.strip_prefix('/')?.to_owned();
            Some((name, o))
        };
        let known: BTreeMap<String, ObjectRow> =
            self.index().group_objects(&old.prefix)?.into_iter().filter_map(of_old).collect();
        for tile in tiles {
            for name in output.tile_objects(*tile)? {
                let Some(object) = known.get(&name) else { continue };
                let key = prefix.join(&name)?;
                self.store().delete(&key)?;
                self.store().objects().link_or_copy(&ObjectKey::new(&object.key)?, &key)?;
                gathered.objects.push(ObjectInfo { key, bytes: object.bytes, digest: object.digest.clone() });
            }
            gathered.tops.push((*tile, self.top_of(output, old, *tile)?));
        }
        Ok(())
    }

    /// Level 4 of a tile that is there already, with how many pixels stand behind each: from level 0.
    fn top_of(
        &self,
        output: &Output<'_>,
        raster: &GenerationRow,
        tile: TileId,
    ) -> Result<Vec<Counted>, ComputeError> {
        let bands = &output.product.bands;
        let all: Vec<_> = bands.iter().collect();
        let item = Item::Generation(Box::new(raster.clone()));
        let parts = blocks(&output.grid().tile_window(tile, 0), SIDE)
            .into_par_iter()
            .map(|mut window| {
                let read = self.read_item(output.product, &item, &all, 0, &window)?;
                let mut levels: Vec<Counted> =
                    read.into_iter().zip(bands).map(|(p, b)| Counted::base(p, b)).collect();
                for _ in 0..=TILE_LEVELS {
                    levels = halve_all(&levels, bands, &window)?;
                    window = halved(&window);
                }
                Ok((window, levels))
            })
            .collect::<Result<Vec<_>, ComputeError>>()?;
        let whole = output.top_window(tile);
        let mut tops: Vec<Counted> = bands.iter().map(|b| Counted::empty(b, whole.len())).collect();
        for (window, levels) in &parts {
            for (top, level) in tops.iter_mut().zip(levels) {
                top.paste(&whole, level, window);
            }
        }
        Ok(tops)
    }
}
