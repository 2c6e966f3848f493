//! What runs leave behind: objects that no row names, and units that no commit took.

use std::collections::BTreeSet;

use tesela_index::{Index, StagedRow};
use tesela_store::{ObjectKey, Store};

use crate::IngestError;

/// Removes what dead runs left in the store. The caller holds the writer lock.
///
/// # Errors
/// [`IngestError`] of the store or the index.
pub fn sweep(store: &Store, index: &dyn Index) -> Result<u64, IngestError> {
    let dead = index.unfinished_runs()?;
    if dead.is_empty() {
        return Ok(0);
    }
    let registered: BTreeSet<String> = index.group_prefixes()?.into_iter().collect();
    let mut orphans = BTreeSet::new();
    for (key, _) in store.list(None)? {
        let text = key.as_str();
        let mut at = 0;
        for part in text.split('/') {
            let of_dead = dead.iter().any(|run| {
                part == run || part.strip_prefix(run.as_str()).is_some_and(|r| r.starts_with('-'))
            });
            let prefix = &text[..at + part.len()];
            if of_dead && !registered.contains(prefix) {
                orphans.insert(prefix.to_owned());
            }
            at += part.len() + 1;
        }
    }
    let mut removed = 0;
    for prefix in orphans {
        removed += store.delete_under(&ObjectKey::new(&prefix)?)?;
    }
    // Workers of plans write without the lock: theirs go with the plan.
    let planned = index.planned_runs()?;
    let is_planned = |path: &str| path.split('/').any(|part| planned.iter().any(|run| run == part));
    for leftover in store.objects().leftovers(None)?.into_iter().filter(|l| !is_planned(&l.path)) {
        store.objects().remove_leftover(&leftover)?;
        removed += 1;
    }
    // A run has ended for good only when what it left cannot come back.
    store.sync()?;
    for run in dead {
        index.end_run(&run)?;
    }
    Ok(removed)
}

pub(crate) fn sweep_run(store: &Store, index: &dyn Index, run: &str) -> Result<(), IngestError> {
    let registered: BTreeSet<String> = index.group_prefixes()?.into_iter().collect();
    let mut orphans = BTreeSet::new();
    for (key, _) in store.list(None)? {
        let parts: Vec<&str> = key.as_str().split('/').collect();
        if let Some(i) = parts.iter().position(|p| p.strip_prefix(run).is_some_and(|r| r.starts_with('-'))) {
            let prefix = parts[..=i].join("/");
            if !registered.contains(&prefix) {
                orphans.insert(prefix);
            }
        }
    }
    for prefix in orphans {
        store.delete_under(&ObjectKey::new(&prefix)?)?;
    }
    Ok(store.sync()?)
}

/// Units that no commit took: the scenes they were made for are in the cube in another way, or are not wanted any more.
pub(crate) fn drop_staged(store: &Store, index: &dyn Index, product: &str) -> Result<(), IngestError> {
    let left: Vec<StagedRow> =
        index.staged_units()?.into_iter().filter(|staged| staged.product == product).collect();
    forget_staged(store, index, product, &left)
}

/// Deletes what staged units wrote, durably, before the rows that name it go.
pub(crate) fn forget_staged(
    store: &Store,
    index: &dyn Index,
    product: &str,
    units: &[StagedRow],
) -> Result<(), IngestError> {
    if units.is_empty() {
        return Ok(());
    }
    for staged in units {
        store.delete_under(&ObjectKey::new(&staged.prefix)?)?;
    }
    store.sync()?;
    let names: Vec<String> = units.iter().map(|staged| staged.unit.clone()).collect();
    index.drop_staged(product, &names)?;
    Ok(())
}
