//! What a raster was made from and how, so that others can tell whether they have the same, and make it again.
//!
//! Every input has a digest that depends neither on where its files lay nor on how the cube has moved its pixels since:
//! of a scene, of its description as its supplier wrote it; of a raster, of the digests of its chunks.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};
use tesela_index::{GenerationRow, SceneRow};

use super::plan::{Plan, PlannedInputs, PlannedJob};
use super::thresholds::Decided;
use crate::{ComputeError, Cube};

/// The program that makes rasters.
const SOFTWARE: &str = concat!("tesela ", env!("CARGO_PKG_VERSION"));

/// What a scene's description says of this machine, and not of the scene.
const OF_THE_MACHINE: [&str; 2] = ["source", "bands"];

/// Something that a raster was made from.
#[derive(Debug, Clone, PartialEq)]
pub enum RasterInput {
    /// A scene.
    Scene(Box<SceneRow>),
    /// A raster of another product.
    Raster(Box<GenerationRow>),
}

impl RasterInput {
    /// Its product.
    pub fn product(&self) -> &str {
        match self {
            Self::Scene(row) => &row.product,
            Self::Raster(row) => &row.product,
        }
    }

    /// Its name within the product: a scene's full identifier, a raster's period.
    pub fn id(&self) -> String {
        match self {
            Self::Scene(row) => row.product_id.clone(),
            Self::Raster(row) => row.period.label(),
        }
    }
}

/// Inputs as provenance keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Summary {
    /// `scenes` or `rasters`.
    kind: &'static str,
    count: usize,
    /// blake3 of the lines `ID DIGEST`, in order of time.
    digest: String,
}

impl Cube {
    /// How the rasters of a job are made.
    ///
    /// # Errors
    /// Those of the index.
    pub(super) fn provenance(&self, plan: &Plan, job: &PlannedJob) -> Result<Value, ComputeError> {
        let recipe = &plan.recipe;
        let mut value = json!({
            "recipe": recipe.recipe,
            "recipe_version": recipe.version,
            "definition_digest": plan.digest,
            "definition": recipe,
            "software": SOFTWARE,
            "input": recipe.input,
            "mask": recipe.mask,
            "input_snapshot": plan.snapshot,
            "status": recipe.status.as_str(),
        });
        let inputs = match &job.inputs {
            PlannedInputs::Slots(ids) => {
                value["slots"] = json!(ids.len());
                self.scenes_of(ids, 0, 0)?
            }
            PlannedInputs::Rasters(ids) => {
                value["rasters"] = json!(ids.len());
                self.rasters_of(ids)?
            }
        };
        let mut lines = String::new();
        for input in &inputs {
            let _ = writeln!(lines, "{} {}", input.id(), self.input_digest(input)?);
        }
        value["inputs"] = json!(Summary {
            kind: match &job.inputs {
                PlannedInputs::Slots(_) => "scenes",
                PlannedInputs::Rasters(_) => "rasters",
            },
            count: inputs.len(),
            digest: blake3::hash(lines.as_bytes()).to_hex().to_string(),
        });
        if job.decided != Decided::default() {
            value["decided"] = json!(job.decided);
        }
        Ok(value)
    }

    /// What a raster was made from and is still known, in order of time, some of it: `limit` 0 means all.
    ///
    /// # Errors
    /// Those of the index.
    pub fn raster_inputs(
        &self,
        raster: &GenerationRow,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<RasterInput>, ComputeError> {
        let sources = self.index().generation_sources(raster.id)?;
        if sources.is_empty() {
            return self.scenes_of(&self.index().generation_slots(raster.id)?, offset, limit);
        }
        let most = if limit == 0 { usize::MAX } else { limit };
        Ok(self.rasters_of(&sources)?.into_iter().skip(offset).take(most).collect())
    }

    /// An input's digest: blake3, hex.
    ///
    /// # Errors
    /// Those of the index.
    pub fn input_digest(&self, input: &RasterInput) -> Result<String, ComputeError> {
        Ok(match input {
            RasterInput::Scene(row) => {
                scene_digest(&self.index().scene_document(row.id)?.unwrap_or_default())
            }
            RasterInput::Raster(row) => self.raster_digest(row)?,
        })
    }

    fn scenes_of(
        &self,
        slots: &[i64],
        offset: usize,
        limit: usize,
    ) -> Result<Vec<RasterInput>, ComputeError> {
        let scenes = self.index().slots_scenes(slots, offset, limit)?;
        Ok(scenes.into_iter().map(|row| RasterInput::Scene(Box::new(row))).collect())
    }

    fn rasters_of(&self, ids: &[i64]) -> Result<Vec<RasterInput>, ComputeError> {
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            rows.extend(self.index().generation(*id)?);
        }
        rows.sort_by_key(|row: &GenerationRow| row.period);
        Ok(rows.into_iter().map(|row| RasterInput::Raster(Box::new(row))).collect())
    }

    /// Of the digests of a raster's chunks. Metadata tell the program's version, and facts follow from the pixels:
    /// neither counts.
    fn raster_digest(&self, raster: &GenerationRow) -> Result<String, ComputeError> {
        let mut hasher = blake3::Hasher::new();
        for object in self.index().group_objects(&raster.prefix)? {
            let name = object.key.strip_prefix(&raster.prefix).unwrap_or_default().trim_start_matches('/');
            if name.contains("/c/") && !name.starts_with("facts/") {
                hasher.update(format!("{name} {}\n", object.digest).as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

/// Of a scene's description, without the places of its files.
fn scene_digest(document: &str) -> String {
    let told = match serde_json::from_str(document) {
        Ok(Value::Object(members)) => {
            let told: BTreeMap<String, Value> =
                members.into_iter().filter(|(name, _)| !OF_THE_MACHINE.contains(&name.as_str())).collect();
            json!(told).to_string()
        }
        _ => document.to_owned(),
    };
    blake3::hash(told.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::scene_digest;

    #[test]
    fn a_scene_has_one_digest_wherever_its_files_lie() {
        let here =
            scene_digest(r#"{"product_id":"A","source":"/a/MTL.json","bands":{"b":"/a/1.tif"},"row":1}"#);
        let there = scene_digest(r#"{"row":1,"product_id":"A","source":"/b/MTL.json","bands":{}}"#);
        assert_eq!(here, there);
        assert_ne!(here, scene_digest(r#"{"product_id":"A","source":"/a/MTL.json","row":2}"#));
        assert_ne!(scene_digest(""), scene_digest("{}"));
    }
}
