//! Paths in, scenes and refusals out. One bad scene never hides the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::folder;
use super::listing::{MetadataGroup, metadata_stem};
use super::manifest::read_manifest;
use super::refusal::{RefusalReason, Refused};
use super::scene::SceneSource;
use super::walk::{self, DEFAULT_DEPTH};

/// What was found under some paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovery {
    /// Scenes, by time, path, row and product id.
    pub scenes: Vec<SceneSource>,
    /// Further copies of those scenes in other folders: for when a copy turns out bad.
    pub doubles: Vec<SceneSource>,
    /// What was left out, in the order of the paths.
    pub refused: Vec<Refused>,
    /// What looks wrong: also every scene's own warnings, with its id before them.
    pub warnings: Vec<String>,
}

/// How to search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoverOptions {
    /// How deep folders are searched.
    pub max_depth: usize,
    /// Band map for manifests without `band.…` columns: file band name to index from 1.
    pub manifest_bands: BTreeMap<String, usize>,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self { max_depth: DEFAULT_DEPTH, manifest_bands: BTreeMap::new() }
    }
}

/// Finds the scenes under some paths: product folders, folders of them, MTL files, manifests (`.csv`).
pub fn discover(paths: &[PathBuf]) -> Discovery {
    discover_with(paths, &DiscoverOptions::default())
}

/// [`discover`] with options.
pub fn discover_with(paths: &[PathBuf], options: &DiscoverOptions) -> Discovery {
    let mut discovery = Discovery::default();
    for path in paths {
        discovery.add(path, options);
    }
    discovery.drop_doubles();
    discovery.scenes.sort_by(|a, b| {
        let key = |s: &SceneSource| (s.acquired, s.path, s.row);
        key(a).cmp(&key(b)).then_with(|| a.product_id.cmp(&b.product_id))
    });
    for scene in &discovery.scenes {
        discovery.warnings.extend(scene.warnings.iter().map(|w| format!("{}: {w}", scene.product_id)));
    }
    discovery
}

impl Discovery {
    fn add(&mut self, path: &Path, options: &DiscoverOptions) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            self.add_folder(path, options);
        } else if !path.exists() {
            self.refuse(path, RefusalReason::NotFound { path: path.display().to_string() });
        } else if name.to_ascii_lowercase().ends_with(".csv") {
            let (scenes, refused, warnings) = read_manifest(path, &options.manifest_bands);
            self.scenes.extend(scenes);
            self.refused.extend(refused);
            self.warnings.extend(warnings);
        } else {
            self.add_metadata_file(path, &name);
        }
    }

    fn refuse(&mut self, path: &Path, reason: RefusalReason) {
        self.refused.push(Refused { path: path.to_owned(), reason });
    }

    fn add_folder(&mut self, path: &Path, options: &DiscoverOptions) {
        let walked = walk::walk(path, options.max_depth);
        self.refused.extend(walked.refused);
        self.warnings.extend(walked.warnings);
        let before = (self.scenes.len(), self.refused.len());
        for listing in &walked.listings {
            let (scenes, refused) = folder::scenes(listing);
            if scenes.is_empty() && refused.is_empty() && listing.has_level2_bands() {
                let folder = listing.folder.display().to_string();
                self.refuse(&listing.folder, RefusalReason::NoMetadata { folder });
            }
            self.scenes.extend(scenes);
            self.refused.extend(refused);
        }
        if before == (self.scenes.len(), self.refused.len()) {
            self.refuse(path, RefusalReason::NoMetadata { folder: path.display().to_string() });
        }
    }

    /// One MTL file: its product alone, read from this format alone.
    fn add_metadata_file(&mut self, path: &Path, name: &str) {
        let Some((stem, _)) = metadata_stem(name) else {
            self.refuse(path, RefusalReason::NotASource { path: path.display().to_string() });
            return;
        };
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match walk::list(parent) {
            Err(reason) => self.refuse(path, reason),
            Ok((listing, _)) => {
                let alone = listing.metadata_groups().len() == 1;
                let group = MetadataGroup { stem: stem.to_owned(), files: vec![name.to_owned()] };
                match folder::scene(&listing, &group, alone) {
                    Ok(scene) => self.scenes.push(scene),
                    Err(refused) => self.refused.push(refused),
                }
            }
        }
    }

    /// The same product under two paths is one scene; two processings of a scene stay two.
    fn drop_doubles(&mut self) {
        let mut kept: BTreeMap<(String, String), Vec<SceneSource>> = BTreeMap::new();
        for scene in std::mem::take(&mut self.scenes) {
            let copies = kept.entry((scene.product_id.clone(), scene.scene_key.clone())).or_default();
            if let Some(first) = copies.first() {
                self.warnings.push(format!(
                    "{} is given twice; {} is used, {} only if that is bad",
                    scene.product_id,
                    first.source.display(),
                    scene.source.display()
                ));
            }
            // The same files by another way are no other copy.
            if !copies.iter().any(|c| same_files(c, &scene)) {
                copies.push(scene);
            }
        }
        for copies in kept.into_values() {
            let mut copies = copies.into_iter();
            self.scenes.extend(copies.next());
            self.doubles.extend(copies);
        }
    }
}

fn same_files(a: &SceneSource, b: &SceneSource) -> bool {
    let real = |s: &SceneSource| -> Vec<_> {
        s.bands
            .values()
            .map(|f| (f.path.canonicalize().unwrap_or_else(|_| f.path.clone()), f.band_index))
            .collect()
    };
    real(a) == real(b)
}
