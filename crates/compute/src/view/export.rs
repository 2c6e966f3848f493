//! A view as a directory.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use tesela_model::Progress;
use tesela_store::{ObjectKey, Store, StoreOptions};

use super::build::to_export;
use super::{Source, View, ViewArray};
use crate::{ComputeError, Cube};

/// What an export wrote.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ViewExport {
    /// Product.
    pub product: String,
    /// Snapshot.
    pub snapshot: u64,
    /// Number of dates.
    pub dates: usize,
    /// Objects that share their bytes with the store (hard links).
    pub linked: u64,
    /// Objects written: copies, and those encoded anew.
    pub written: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// The name of the group in its staging directory.
const GROUP: &str = "view";

/// A directory being written; it goes when an export does not end well.
struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Cube {
    /// Writes the view of a product as a directory that any Zarr v3 reader opens, whole or not at all. Stored objects
    /// are hard-linked where the file system can, unless `copy`; a linked file is the cube's own and must not be
    /// written to. Scenes are encoded anew, one shard a date and tile.
    ///
    /// # Errors
    /// [`ComputeError::ExportExists`]; [`ComputeError::Cancelled`]; [`ComputeError::Export`]; as [`Cube::view`].
    pub fn export_view(
        &self,
        product: &str,
        snapshot: Option<u64>,
        to: &Path,
        copy: bool,
        progress: &dyn Progress,
    ) -> Result<ViewExport, ComputeError> {
        let failed = |action: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| ComputeError::Export { action, path, source }
        };
        let to = std::path::absolute(to).map_err(failed("name", to))?;
        if fs::symlink_metadata(&to).is_ok() {
            return Err(ComputeError::ExportExists { path: to });
        }
        let view = to_export(self, product, snapshot)?;
        let (Some(above), Some(name)) = (to.parent(), to.file_name()) else {
            return Err(ComputeError::ExportExists { path: to });
        };
        fs::create_dir_all(above).map_err(failed("create", above))?;
        let staging = above.join(format!(".{}.tesela-{}", name.to_string_lossy(), std::process::id()));
        fs::create_dir(&staging).map_err(failed("create", &staging))?;
        let staging = Staging(staging);
        let target =
            Store::open_local(&staging.0, &StoreOptions { chunk_cache_bytes: 0, ..StoreOptions::default() })?;

        let mut done = ViewExport {
            product: view.product.id.clone(),
            snapshot: view.snapshot,
            dates: view.group.time.len(),
            ..ViewExport::default()
        };
        match &view.source {
            Source::Objects(_) => self.link_objects(&view, &target, &staging.0, copy, &mut done, progress)?,
            Source::Generations(_) | Source::Days(_) => {
                self.write_shards(&view, &target, &mut done, progress)?;
            }
        }
        for (key, bytes) in &view.documents {
            target.objects().put(&ObjectKey::new(&format!("{GROUP}/{key}"))?, bytes)?;
            done.written += 1;
            done.bytes += bytes.len() as u64;
        }
        target.sync()?;
        // What was missing was fill only if nothing was swept meanwhile.
        self.fresh_catalog()?;
        self.snapshot(Some(view.snapshot))?;
        if fs::symlink_metadata(&to).is_ok() {
            return Err(ComputeError::ExportExists { path: to });
        }
        fs::rename(staging.0.join(GROUP), &to).map_err(failed("create", &to))?;
        Ok(done)
    }

    /// Links or copies every stored object of the view.
    fn link_objects(
        &self,
        view: &View,
        target: &Store,
        staging: &Path,
        copy: bool,
        done: &mut ViewExport,
        progress: &dyn Progress,
    ) -> Result<(), ComputeError> {
        let counts =
            |a: &ViewArray| -> [u64; 3] { std::array::from_fn(|i| a.spec.shape[i].div_ceil(a.chunk[i])) };
        progress.begin("export", view.arrays.values().map(|a| counts(a)[0]).sum(), "rasters");
        for (name, array) in &view.arrays {
            let [dates, rows, columns] = counts(array);
            for t in 0..dates {
                if progress.cancelled() {
                    return Err(ComputeError::Cancelled);
                }
                for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                    let Some(from) = view.stored_key(array, [t, y, x])? else { continue };
                    let Some(size) = self.store().objects().size(&from)? else { continue };
                    let to = ObjectKey::new(&format!("{GROUP}/{name}/c/{t}/{y}/{x}"))?;
                    let linked =
                        !copy && link(&self.store_dir().join(from.as_str()), &staging.join(to.as_str()));
                    if linked {
                        done.linked += 1;
                    } else {
                        let bytes = self.store().objects().get(&from)?;
                        let bytes = bytes.ok_or(tesela_store::StoreError::ObjectMissing { key: from })?;
                        target.objects().put(&to, &bytes)?;
                        done.written += 1;
                    }
                    done.bytes += size;
                }
                progress.advance(1);
            }
        }
        progress.end();
        Ok(())
    }

    /// Reads every raster of the view tile by tile and writes it as shards.
    fn write_shards(
        &self,
        view: &View,
        target: &Store,
        done: &mut ViewExport,
        progress: &dyn Progress,
    ) -> Result<(), ComputeError> {
        let grid = &view.product.grid;
        let prefix = ObjectKey::new(GROUP)?;
        let dates = view.group.time.len() as u64;
        progress.begin("export", dates, "dates");
        for t in 0..dates {
            let work: Vec<(&ViewArray, u64, u64)> = view
                .arrays
                .values()
                .flat_map(|a| {
                    let rows = a.spec.shape[1].div_ceil(a.chunk[1]);
                    let columns = a.spec.shape[2].div_ceil(a.chunk[2]);
                    (0..rows).flat_map(move |y| (0..columns).map(move |x| (a, y, x)))
                })
                .collect();
            let written: Vec<u64> = work
                .into_par_iter()
                .map(|(array, y, x)| {
                    if progress.cancelled() {
                        return Err(ComputeError::Cancelled);
                    }
                    let side = grid.level_tile_size(0);
                    let window = tesela_grid::PixelWindow::new(
                        array.window.px + (x as usize * side) as i64,
                        array.window.py + (y as usize * side) as i64,
                        side,
                        side,
                    );
                    let Some(pixels) = self.view_pixels(view, array, t, &window)? else { return Ok(0) };
                    let stored = tesela_store::ArrayRef::from_spec(&prefix, &array.spec)?;
                    let mut writer = target.shard_writer(&stored, [t, y, x])?;
                    writer.put_window(0, 0, 0, side, side, &pixels)?;
                    Ok(writer.finish()?.map_or(0, |object| object.bytes))
                })
                .collect::<Result<_, ComputeError>>()?;
            done.written += written.iter().filter(|&&bytes| bytes > 0).count() as u64;
            done.bytes += written.iter().sum::<u64>();
            progress.advance(1);
        }
        progress.end();
        Ok(())
    }
}

/// Makes `to` a hard link to `from`; whether that was possible.
fn link(from: &Path, to: &Path) -> bool {
    to.parent().is_some_and(|above| fs::create_dir_all(above).is_ok()) && fs::hard_link(from, to).is_ok()
}
