//! What the id of a row says, and whether the row agrees.

use jiff::civil::Date;
use tesela_model::landsat::{Platform, ProductId, SceneId, scene_key};

use crate::source::scene::{COLLECTION_PRE, LEVEL_SR};

/// The id of a row: a product id, a scene id, or any other text.
pub(super) enum RowId {
    Product(ProductId),
    Scene(SceneId),
    Other,
}

/// What the id of a row says.
pub(super) struct Identity {
    pub(super) key: String,
    pub(super) collection: String,
    pub(super) level: String,
    pub(super) tier: Option<String>,
    pub(super) path: u16,
    pub(super) row: u16,
    pub(super) processed: Option<Date>,
    says: Option<(Option<Platform>, Date)>,
}

impl Identity {
    pub(super) fn of(id: &RowId, text: &str, platform: Platform, date: Date) -> Self {
        let bare = Self {
            key: String::new(),
            collection: COLLECTION_PRE.to_owned(),
            level: LEVEL_SR.to_owned(),
            tier: None,
            path: 0,
            row: 0,
            processed: None,
            says: None,
        };
        match id {
            RowId::Product(id) => Self {
                key: scene_key(platform, id.path, id.row, date),
                collection: id.collection_text(),
                level: if id.level.is_level2() { id.level.name() } else { LEVEL_SR }.to_owned(),
                tier: Some(id.tier.name().to_owned()),
                path: id.path,
                row: id.row,
                processed: Some(id.processed),
                says: Some((id.platform().ok(), id.acquired)),
            },
            RowId::Scene(id) => Self {
                key: scene_key(platform, id.path, id.row, date),
                path: id.path,
                row: id.row,
                says: Some((id.platform().ok(), id.acquired)),
                ..bare
            },
            // Without path and row the text keeps two stacks of one day apart.
            RowId::Other => {
                Self { key: format!("{}_{text}_{}", platform.id_prefix(), date.strftime("%Y%m%d")), ..bare }
            }
        }
    }

    pub(super) fn check(&self, text: &str, platform: Platform, date: Date, warnings: &mut Vec<String>) {
        let Some((named, acquired)) = self.says else { return };
        if named != Some(platform) {
            warnings.push(format!("the id {text} is not of {platform}, as the manifest says"));
        }
        if acquired != date {
            warnings.push(format!("the id {text} says {acquired}, the manifest {date}"));
        }
    }
}
