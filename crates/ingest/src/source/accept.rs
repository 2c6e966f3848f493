//! What a product takes: collections, levels, tiers, platforms, and the bands it must find.

use serde::{Deserialize, Serialize};

use super::refusal::RefusalReason;
use super::scene::SceneSource;

/// The `accept` part of a product definition, with the product's name for messages. An empty list takes anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AcceptRule {
    /// The product.
    pub product: String,
    /// `01`, `02`, `pre`.
    pub collections: Vec<String>,
    /// `L2SP`, `L2SR`, `SR`.
    pub levels: Vec<String>,
    /// `T1`, `T2`, `RT`, and `none` for scenes from before collections.
    pub tiers: Vec<String>,
    /// STAC names of satellites.
    #[serde(default)]
    pub platforms: Vec<String>,
}

impl AcceptRule {
    /// Whether the product takes a scene; the reason says what it takes and what to change.
    pub fn accepts(&self, scene: &SceneSource) -> Result<(), RefusalReason> {
        let product = || self.product.clone();
        if let Some((found, accepts)) = refused_by(&self.collections, &scene.collection) {
            return Err(RefusalReason::CollectionNotAccepted { found, product: product(), accepts });
        }
        if let Some((found, accepts)) = refused_by(&self.levels, &scene.level) {
            return Err(RefusalReason::LevelNotAccepted { found, product: product(), accepts });
        }
        if let Some((found, accepts)) = refused_by(&self.tiers, scene.tier.as_deref().unwrap_or("none")) {
            return Err(RefusalReason::TierNotAccepted { found, product: product(), accepts });
        }
        if let Some((found, accepts)) = refused_by(&self.platforms, scene.platform.stac_name()) {
            return Err(RefusalReason::PlatformNotAccepted { found, product: product(), accepts });
        }
        Ok(())
    }
}

/// The value and the list, when the list is not empty and lacks the value.
fn refused_by(list: &[String], value: &str) -> Option<(String, String)> {
    let taken = list.is_empty() || list.iter().any(|v| v == value);
    (!taken).then(|| (value.to_owned(), list.join(", ")))
}

/// Whether a scene has every band a product needs, given as (measurement, file band) pairs; names all that lack.
pub fn require_bands(scene: &SceneSource, needed: &[(String, String)]) -> Result<(), RefusalReason> {
    let missing: Vec<String> = needed
        .iter()
        .filter(|(_, file)| !scene.bands.contains_key(file))
        .map(|(measurement, file)| {
            if measurement.eq_ignore_ascii_case(file) {
                file.clone()
            } else {
                format!("{file} ({measurement})")
            }
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(RefusalReason::MissingBands {
        product_id: scene.product_id.clone(),
        missing: missing.join(", "),
        present: scene.bands.keys().cloned().collect::<Vec<_>>().join(", "),
    })
}
