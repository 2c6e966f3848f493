//! Damaged groups of scenes made again: slots from what is whole of them or from their source files, overviews from
//! their slots. What was recorded of each object says whether it came out as it was; then the rows move to the new
//! group, and no answer changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;

use serde::Serialize;
use tesela_crs::crs_info;
use tesela_grid::{GridDef, TileId};
use tesela_index::{
    GroupKind, Index, IngestCommit, MoveCommit, NewGroup, NewObject, NewOverview, NewSlot, ObjectRow,
    SceneChange, SlotRow,
};
use tesela_layout::names::{array_name, slots_digest, slots_prefix, tiles_extent};
use tesela_layout::{BandWriter, Form, SlotsGroup};
use tesela_model::{Instant, Period, ProductDef, Progress};
use tesela_store::{ObjectKey, Pixels, Store, Window};

use crate::IngestError;
use crate::batch::{Beside, Job, commit_batch, make_batch};
use crate::fuse::{Content, Slot, decide};
use crate::join::placed;
use crate::overviews::{OverviewsGroup, Place, write_group};
use crate::plan::{Day, DayKey};
use crate::slots::{Context, new_object, write_slots};

/// A group with damaged or missing objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedGroup {
    /// Prefix in the store.
    pub prefix: String,
    /// Whether it is an archive block.
    pub archive: bool,
    /// Every object that the index has of it.
    pub objects: Vec<ObjectRow>,
    /// Keys of those that are damaged or missing.
    pub damaged: BTreeSet<String>,
}

/// What became of a damaged group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "detail")]
pub enum Outcome {
    /// Made again as it was; no answer changes.
    Repaired,
    /// Made again otherwise, as a new snapshot.
    Changed(String),
    /// Not made again, and why.
    Cannot(String),
}

/// What repairs of one product share.
pub struct Repairer<'r> {
    /// Pixels.
    pub store: &'r Store,
    /// What exists.
    pub index: &'r dyn Index,
    /// The product.
    pub product: &'r ProductDef,
    /// Its grid.
    pub grid: &'r GridDef,
    /// The run that writes.
    pub run: &'r str,
    /// Take what came out otherwise than recorded, as a new snapshot.
    pub accept_changed: bool,
    /// The latest snapshot when the repair began.
    pub began: u64,
    /// Numbers groups of the run.
    pub numbers: &'r AtomicUsize,
}

/// Why a group stays as it is; or what stops the whole repair.
enum Stop {
    Cannot(String),
    Error(IngestError),
}

impl<E: Into<IngestError>> From<E> for Stop {
    fn from(e: E) -> Self {
        Self::Error(e.into())
    }
}

/// Scenes of each tile of a day.
type Members = BTreeMap<TileId, Vec<String>>;

/// A slot's place in the group that is made anew.
struct Dated {
    time: Instant,
    /// Position in the damaged group.
    old: u64,
    /// Rows that lie there, of any snapshot.
    rows: Vec<SlotRow>,
}

impl Repairer<'_> {
    fn next(&self) -> usize {
        self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    fn context<'c>(&'c self, crs: &'c tesela_crs::CrsInfo, form: Form) -> Context<'c> {
        Context::new(self.product, self.grid, crs, self.store, self.run, form)
    }

    /// Makes a group of slots again.
    ///
    /// # Errors
    /// [`IngestError`] of the index, of writing, or [`IngestError::Cancelled`]; what is about this group alone is an
    /// [`Outcome::Cannot`].
    pub fn slots(&self, group: &DamagedGroup, progress: &dyn Progress) -> Result<Outcome, IngestError> {
        outcome(self.try_slots(group, progress))
    }

    fn try_slots(&self, damaged: &DamagedGroup, progress: &dyn Progress) -> Result<Outcome, Stop> {
        let mut by_position: BTreeMap<u64, Vec<SlotRow>> = BTreeMap::new();
        for row in self.index.group_slots(&damaged.prefix)? {
            by_position.entry(row.position).or_default().push(row);
        }
        let Some(tile) = by_position.values().flatten().map(|row| row.tile).next() else {
            self.index.doom_group(&damaged.prefix)?;
            return Ok(Outcome::Repaired);
        };
        let mut dates: Vec<Dated> = Vec::new();
        for (old, rows) in by_position {
            let Some(time) = rows.iter().map(|row| row.time).min() else { continue };
            dates.push(Dated { time, old, rows });
        }
        let crs = crs_info(&self.grid.crs)?;
        let form = if damaged.archive { Form::Archive } else { Form::Recent };
        let c = self.context(&crs, form);
        let layout = SlotsGroup {
            prefix: ObjectKey::new(&slots_prefix(&self.product.product, tile, self.run, self.next()))?,
            tile,
            bands: &c.bands,
            grid: self.grid,
            crs: &crs,
            layout: self.product.layout,
            form,
            planned: self.planned(&c, damaged).unwrap_or(dates.len() as u64),
        };
        let made = self.write_slots(&c, &layout, damaged, &dates, progress);
        let compared = made.and_then(|made| {
            let positions: BTreeMap<u64, u64> =
                dates.iter().enumerate().map(|(new, d)| (d.old, new as u64)).collect();
            // Dates lost at the end leave positions as they were, but not objects of several dates.
            let dense = self.dates_of(&c, damaged).is_none_or(|held| held == dates.len() as u64)
                && positions.iter().all(|(old, new)| old == new);
            let relocate = |key: &str| relocated(key, &positions, dense, !damaged.archive);
            let differing = self.differing(&c, damaged, &made, &dates, relocate)?;
            Ok((made, differing))
        });
        let (made, differing) = match compared {
            Ok(done) => done,
            Err(stop) => {
                self.store.delete_under(&layout.prefix)?;
                return Err(stop);
            }
        };
        if !differing.is_empty() && !self.accept_changed {
            self.store.delete_under(&layout.prefix)?;
            return Err(Stop::Cannot(format!(
                "made again from the sources, {} differ from what was recorded ({}): the files have changed since; \
                 --accept-changed takes them as they are now, as a new snapshot",
                differing.len(),
                differing.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
            )));
        }
        self.store.sync()?;
        if differing.is_empty() {
            let rows = dates.iter().enumerate();
            self.index.commit_move(&MoveCommit {
                product: self.product.product.clone(),
                run: self.run.into(),
                kind: GroupKind::Slots,
                group: made,
                rows: rows.flat_map(|(new, d)| d.rows.iter().map(move |r| (r.id, new as u64))).collect(),
                doomed: vec![damaged.prefix.clone()],
            })?;
            return Ok(Outcome::Repaired);
        }
        self.commit_changed(&c, tile, made, &dates, differing.len(), progress)
    }

    /// Dates of the damaged group, if any of its bands says so.
    fn dates_of(&self, c: &Context<'_>, damaged: &DamagedGroup) -> Option<u64> {
        let prefix = ObjectKey::new(&damaged.prefix).ok()?;
        c.bands.iter().find_map(|b| Some(self.store.open_array(&prefix, &b.name).ok()?.shape()[0]))
    }

    /// Dates of one object of the overview levels, as the damaged group has it; else unknown.
    fn planned(&self, c: &Context<'_>, damaged: &DamagedGroup) -> Option<u64> {
        let prefix = ObjectKey::new(&damaged.prefix).ok()?;
        c.bands.iter().find_map(|b| {
            let array = self.store.open_array(&prefix, &array_name(&b.name, 1)).ok()?;
            Some(array.shard()[0])
        })
    }

    fn write_slots(
        &self,
        c: &Context<'_>,
        layout: &SlotsGroup<'_>,
        damaged: &DamagedGroup,
        dates: &[Dated],
        progress: &dyn Progress,
    ) -> Result<NewGroup, Stop> {
        let windows = layout.windows();
        let mut writers =
            c.bands.iter().map(|b| layout.band_writer(self.store, b)).collect::<Result<Vec<_>, _>>()?;
        let mut facts = layout.facts(&self.product.masks);
        for (position, date) in dates.iter().enumerate() {
            if progress.cancelled() {
                return Err(Stop::Error(IngestError::Cancelled));
            }
            let position = position as u64;
            if let Some(planes) = self.kept_pixels(c, damaged, layout.tile, date.old) {
                let content = Content::Planes(planes);
                let slot = Slot { window: windows[0], pixels_read: 0, content };
                write_slots(c, &windows, &mut writers, &mut facts, position, vec![slot])?;
                continue;
            }
            let day = self.day_again(layout.tile, date)?;
            let table = c.quality.as_ref().map(|(_, table)| table);
            let written = decide(self.product, table, self.grid, layout.tile, &day).and_then(|slot| {
                let found = slot.is_some();
                slot.map(|s| write_slots(c, &windows, &mut writers, &mut facts, position, vec![s]))
                    .transpose()?;
                Ok(found)
            });
            match written {
                Ok(true) => {}
                Ok(false) => return Err(no_pixel(layout.tile, date)),
                Err(e) if e.scene_code().is_some() => return Err(Stop::Cannot(e.to_string())),
                Err(e) => return Err(Stop::Error(e)),
            }
        }
        let mut objects = Vec::new();
        for writer in writers {
            objects.extend(BandWriter::finish(writer)?);
        }
        let mut spec = layout.spec(dates.iter().map(|d| d.time).collect());
        objects.extend(layout.put_facts(self.store, &facts, &self.product.masks, &mut spec)?);
        objects.extend(self.store.write_group(&spec)?);
        Ok(NewGroup {
            prefix: layout.prefix.as_str().into(),
            archive: damaged.archive,
            objects: objects.iter().map(new_object).collect(),
        })
    }

    /// Level 0 of a slot as the damaged group holds it; `None` where any of it is damaged.
    fn kept_pixels(
        &self,
        c: &Context<'_>,
        damaged: &DamagedGroup,
        tile: TileId,
        position: u64,
    ) -> Option<Vec<Pixels>> {
        let prefix = ObjectKey::new(&damaged.prefix).ok()?;
        let window = self.grid.tile_window(tile, 0);
        let whole = Window { y0: 0, x0: 0, height: window.height, width: window.width };
        let mut planes = Vec::with_capacity(c.bands.len());
        for band in &c.bands {
            let array = self.store.open_array(&prefix, &band.name).ok()?;
            let shard = position / array.shard()[0].max(1);
            // A missing object would be read as fill.
            let under = format!("{}/{}/c/{shard}/", damaged.prefix, band.name);
            if damaged.damaged.iter().any(|key| key.starts_with(&under)) {
                return None;
            }
            let mut plane = Pixels::empty(band.dtype);
            self.store.read_window(&array, position, whole, &mut plane).ok()?;
            planes.push(plane);
        }
        Some(planes)
    }

    /// The scenes of a slot, from their files.
    fn day_again(&self, tile: TileId, date: &Dated) -> Result<Day, Stop> {
        let Some(row) = date.rows.first() else { return Err(Stop::Cannot("no row is left of it".into())) };
        let mut day: Option<Day> = None;
        for scene in self.index.slot_scenes(row.id)? {
            let placed = placed(self.index, self.product, self.grid, &scene)
                .map_err(|reason| Stop::Cannot(format!("{}: {reason}", scene.product_id)))?;
            let key = DayKey { solar_day: placed.solar_day, platform: placed.day().platform };
            day.get_or_insert_with(|| Day { key, scenes: Vec::new(), left: BTreeSet::new() })
                .scenes
                .push(placed);
        }
        let mut day = day.ok_or_else(|| no_pixel(tile, date))?;
        day.sort();
        Ok(day.within(&self.grid.tile_window(tile, 0)))
    }

    /// Objects, as the damaged group names them, that did not come out as they were: other bytes where the recorded
    /// digest can be compared, other values where the object is whole.
    fn differing(
        &self,
        c: &Context<'_>,
        damaged: &DamagedGroup,
        made: &NewGroup,
        dates: &[Dated],
        relocate: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, Stop> {
        let now = by_name(&made.prefix, &made.objects);
        let mut differing = Vec::new();
        let mut doubtful: BTreeSet<String> = BTreeSet::new();
        for object in &damaged.objects {
            let name = relative(&damaged.prefix, &object.key);
            if name.ends_with("zarr.json") {
                continue;
            }
            let there = relocate(name);
            let same = there.as_deref().and_then(|n| now.get(n)).is_some_and(|o| o.digest == object.digest);
            if same || !name.contains("/c/") {
                continue;
            }
            if !damaged.damaged.contains(&object.key) {
                doubtful.insert(array_of(name).to_owned());
            } else if there.is_some() {
                differing.push(name.to_owned());
            }
        }
        let known: BTreeSet<String> =
            damaged.objects.iter().filter_map(|o| relocate(relative(&damaged.prefix, &o.key))).collect();
        // An object of several dates has no counterpart to be found by.
        let new =
            |name: &&&str| is_band(c, array_of(name)) && name.contains("/c/") && !known.contains(**name);
        if damaged.objects.iter().all(|o| relocate(relative(&damaged.prefix, &o.key)).is_some()) {
            differing.extend(now.keys().filter(new).map(|name| (*name).to_owned()));
        }
        // Whole objects packed otherwise: what counts is their values.
        let (from, to) = (ObjectKey::new(&damaged.prefix)?, ObjectKey::new(&made.prefix)?);
        for name in doubtful.iter().filter(|name| is_band(c, name)) {
            let (Ok(old), Ok(new)) = (self.store.open_array(&from, name), self.store.open_array(&to, name))
            else {
                continue;
            };
            let [_, height, width] = new.shape();
            let whole = Window { y0: 0, x0: 0, height: height as usize, width: width as usize };
            let (mut a, mut b) = (Pixels::empty(old.dtype()), Pixels::empty(new.dtype()));
            for (position, date) in dates.iter().enumerate() {
                let under = format!("{}/{name}/c/{}/", damaged.prefix, date.old / old.shard()[0].max(1));
                if damaged.damaged.iter().any(|key| key.starts_with(&under)) {
                    continue;
                }
                self.store.read_window(&old, date.old, whole, &mut a)?;
                self.store.read_window(&new, position as u64, whole, &mut b)?;
                if a.bytes() != b.bytes() {
                    differing.push(format!("{name} of {}", date.time));
                }
            }
        }
        Ok(differing)
    }

    /// Takes slots as they came out: a new snapshot. What is not visible now keeps its damaged place.
    fn commit_changed(
        &self,
        c: &Context<'_>,
        tile: TileId,
        made: NewGroup,
        dates: &[Dated],
        differing: usize,
        progress: &dyn Progress,
    ) -> Result<Outcome, Stop> {
        let snapshot = self.index.latest_snapshot()?;
        let mut beside = Beside::default();
        for (position, date) in dates.iter().enumerate() {
            let around = Period { start: Instant(date.time.0 - 1), end: Instant(date.time.0 + 1) };
            let visible = self.index.slots(&self.product.product, Some(tile), &around, snapshot)?;
            let Some(row) = date.rows.iter().find(|r| visible.iter().any(|v| v.id == r.id)) else { continue };
            let scenes = self.index.slot_scenes(row.id)?;
            let key = self.day_key(row)?;
            beside.days.extend(key);
            beside.slots.push(NewSlot {
                tile,
                solar_day: row.solar_day.clone(),
                time: date.time,
                platform: row.platform.clone(),
                prefix: made.prefix.clone(),
                position: position as u64,
                scenes: scenes.into_iter().map(|s| s.product_id).collect(),
            });
        }
        if beside.slots.is_empty() {
            self.store.delete_under(&ObjectKey::new(&made.prefix)?)?;
            return Err(Stop::Cannot(
                "only earlier snapshots see it, and these cannot change; `tesela gc` lets go of them".into(),
            ));
        }
        beside.groups.push(made);
        let none = BTreeSet::new();
        let numbers = AtomicUsize::new(self.next());
        let job = Job { context: c, index: self.index, new_ids: &none, at_once: 1, numbers };
        let (mut commit, resumed) = make_batch(&job, &[], beside, progress)?;
        commit.change = SceneChange::Repair;
        let written = commit_batch(&job, commit, resumed)?;
        Ok(Outcome::Changed(format!(
            "{differing} objects came out otherwise, {} slots are new in snapshot {}; what is damaged goes with the \
             earlier snapshots (`tesela gc`)",
            written.slots, written.snapshot
        )))
    }

    fn day_key(&self, row: &SlotRow) -> Result<Option<DayKey>, Stop> {
        let unreadable =
            || Stop::Cannot(format!("the slot of {} has a row that cannot be read", row.solar_day));
        let platform: tesela_model::landsat::Platform = row.platform.parse().map_err(|_| unreadable())?;
        let solar_day = row.solar_day.parse().map_err(|_| unreadable())?;
        Ok(Some(DayKey { solar_day, platform: platform.stac_name() }))
    }

    /// Makes a group of overviews again; `broken` are groups whose objects are damaged still.
    ///
    /// # Errors
    /// As [`Repairer::slots`].
    pub fn overviews(&self, group: &DamagedGroup, broken: &BTreeSet<String>) -> Result<Outcome, IngestError> {
        outcome(match self.try_overviews(group, broken) {
            Err(Stop::Cannot(why)) if self.accept_changed => self.overviews_of_now(group, broken, &why),
            other => other,
        })
    }

    /// Takes the overviews that the slots of now give, as a new snapshot. What is not visible now keeps its damaged
    /// place. `why` they could not be made as they were.
    fn overviews_of_now(
        &self,
        damaged: &DamagedGroup,
        broken: &BTreeSet<String>,
        why: &str,
    ) -> Result<Outcome, Stop> {
        let snapshot = self.index.latest_snapshot()?;
        let mut overviews: Vec<NewOverview> = Vec::new();
        let mut places: Vec<Vec<Place>> = Vec::new();
        let mut replaced = false;
        for (row, _) in self.index.group_overviews(&damaged.prefix)? {
            let around = Period { start: Instant(row.time.0 - 1), end: Instant(row.time.0 + 1) };
            let visible = |snapshot| -> Result<bool, Stop> {
                let found = self.index.overviews(&self.product.product, &around, snapshot)?;
                Ok(found.iter().any(|found| found.id == row.id))
            };
            if !visible(snapshot)? {
                replaced |= visible(self.began)?;
                continue;
            }
            let (members, day) = self.members_of(&row, snapshot, broken)?;
            overviews.push(NewOverview {
                solar_day: row.solar_day,
                time: row.time,
                platform: row.platform,
                prefix: String::new(),
                position: places.len() as u64,
                slots_digest: slots_digest(&members),
                tile_min: row.tile_min,
                tile_end: row.tile_end,
            });
            places.push(day);
        }
        if places.is_empty() && replaced {
            return Ok(Outcome::Changed(format!(
                "{why}; its days were made again with their slots; what is damaged goes with the earlier snapshots \
                 (`tesela gc`)"
            )));
        }
        let Some((min, end)) = tiles_extent(places.iter().flatten().map(|place| place.tile)) else {
            return Err(Stop::Cannot(format!(
                "{why}; only earlier snapshots see it, and these cannot change; `tesela gc` lets go of them"
            )));
        };
        let crs = crs_info(&self.grid.crs)?;
        let c = self.context(&crs, Form::Recent);
        let times = overviews.iter().map(|o| o.time).collect();
        let made = write_group(&c, &OverviewsGroup { min, end, times, places }, self.next())?;
        for overview in &mut overviews {
            overview.prefix.clone_from(&made.prefix);
            (overview.tile_min, overview.tile_end) = (min, end);
        }
        let (days, bytes) = (overviews.len(), made.objects.iter().map(|o| o.bytes).sum::<u64>());
        let summary =
            serde_json::json!({"product": self.product.product, "scenes": 0, "slots": 0, "bytes": bytes});
        self.store.sync()?;
        let snapshot = self.index.commit_ingest(&IngestCommit {
            change: SceneChange::Repair,
            product: self.product.product.clone(),
            run: self.run.into(),
            summary: summary.to_string(),
            overview_groups: vec![made],
            overviews,
            ..IngestCommit::default()
        })?;
        Ok(Outcome::Changed(format!(
            "{why}; the overviews of {days} days are new in snapshot {snapshot}; what is damaged goes with the earlier \
             snapshots (`tesela gc`)"
        )))
    }

    fn try_overviews(&self, damaged: &DamagedGroup, broken: &BTreeSet<String>) -> Result<Outcome, Stop> {
        let rows = self.index.group_overviews(&damaged.prefix)?;
        let Some((first, _)) = rows.first() else {
            self.index.doom_group(&damaged.prefix)?;
            return Ok(Outcome::Repaired);
        };
        let (min, end) = (first.tile_min, first.tile_end);
        let (mut times, mut places, mut positions) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (row, added) in &rows {
            positions.insert(row.position, times.len() as u64);
            times.push(row.time);
            places.push(self.places_of(row, *added, broken)?);
        }
        let crs = crs_info(&self.grid.crs)?;
        let c = self.context(&crs, Form::Recent);
        let made = write_group(&c, &OverviewsGroup { min, end, times, places }, self.next())?;
        let now = by_name(&made.prefix, &made.objects);
        let differing: Vec<&str> = damaged
            .objects
            .iter()
            .filter_map(|object| {
                let name = relative(&damaged.prefix, &object.key);
                if name.ends_with("zarr.json") || !name.starts_with("overviews/") {
                    return None;
                }
                // A date that is let go of has no place any more.
                let there = relocated(name, &positions, false, true)?;
                let same = now.get(there.as_str()).is_some_and(|o| o.digest == object.digest);
                (!same).then_some(name)
            })
            .filter(|name| is_band(&c, array_of(name)))
            .collect();
        if !differing.is_empty() {
            self.store.delete_under(&ObjectKey::new(&made.prefix)?)?;
            return Err(Stop::Cannot(format!(
                "made again from its slots, {} objects differ from what was recorded ({}); --accept-changed takes them as \
                 they are now, as a new snapshot",
                differing.len(),
                differing[0]
            )));
        }
        self.store.sync()?;
        self.index.commit_move(&MoveCommit {
            product: self.product.product.clone(),
            run: self.run.into(),
            kind: GroupKind::Overviews,
            group: made,
            rows: rows.iter().enumerate().map(|(new, (row, _))| (row.id, new as u64)).collect(),
            doomed: vec![damaged.prefix.clone()],
        })?;
        Ok(Outcome::Repaired)
    }

    /// The slots an overview was made from.
    fn places_of(
        &self,
        row: &tesela_index::OverviewRow,
        added: u64,
        broken: &BTreeSet<String>,
    ) -> Result<Vec<Place>, Stop> {
        let (members, places) = self.members_of(row, added, broken)?;
        if slots_digest(&members) == row.slots_digest {
            Ok(places)
        } else {
            Err(Stop::Cannot(format!(
                "the slots that {} was made from are not there any more",
                row.solar_day
            )))
        }
    }

    /// The slots of an overview's day at a snapshot, with the scenes of each tile.
    fn members_of(
        &self,
        row: &tesela_index::OverviewRow,
        snapshot: u64,
        broken: &BTreeSet<String>,
    ) -> Result<(Members, Vec<Place>), Stop> {
        let around = Period { start: Instant(row.time.0 - 172_800), end: Instant(row.time.0 + 172_800) };
        let mut members = Members::new();
        let mut places = Vec::new();
        for slot in self.index.slots(&self.product.product, None, &around, snapshot)? {
            if slot.solar_day != row.solar_day || slot.platform != row.platform {
                continue;
            }
            if broken.contains(&slot.prefix) {
                return Err(Stop::Cannot(format!("its slots in {} are damaged themselves", slot.prefix)));
            }
            let scenes = self.index.slot_scenes(slot.id)?.into_iter().map(|s| s.product_id).collect();
            members.insert(slot.tile, scenes);
            places.push(Place { tile: slot.tile, prefix: slot.prefix, position: slot.position });
        }
        Ok((members, places))
    }
}

fn outcome(result: Result<Outcome, Stop>) -> Result<Outcome, IngestError> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Cannot(why)) => Ok(Outcome::Cannot(why)),
        Err(Stop::Error(e)) => Err(e),
    }
}

/// A key without its group's prefix.
fn relative<'k>(prefix: &str, key: &'k str) -> &'k str {
    key.strip_prefix(prefix).map_or(key, |rest| rest.trim_start_matches('/'))
}

fn by_name<'g>(prefix: &str, objects: &'g [NewObject]) -> BTreeMap<&'g str, &'g NewObject> {
    objects.iter().map(|o| (relative(prefix, &o.key), o)).collect()
}

/// The array that a chunk belongs to.
fn array_of(name: &str) -> &str {
    name.split_once("/c/").map_or(name, |(array, _)| array)
}

fn is_band(c: &Context<'_>, array: &str) -> bool {
    let band = array.rsplit('/').next().unwrap_or_default();
    c.bands.iter().any(|b| b.name == band)
}

fn no_pixel(tile: TileId, date: &Dated) -> Stop {
    let day = date.rows.first().map_or("a day", |row| row.solar_day.as_str());
    Stop::Cannot(format!("the files of {day} hold no pixel in tile {tile} any more"))
}

/// The name that an object has once positions on the time axis are others; `None` when it holds several of them and
/// so has no counterpart. `single`: objects of level 0 and of grid-wide levels hold one date.
fn relocated(name: &str, positions: &BTreeMap<u64, u64>, dense: bool, single: bool) -> Option<String> {
    if dense {
        return Some(name.to_owned());
    }
    let (array, chunk) = name.split_once("/c/")?;
    let (date, rest) = chunk.split_once('/')?;
    let in_tile = ["overviews/1/", "overviews/2/", "overviews/3/"].iter().any(|l| array.starts_with(l));
    // Facts are of all dates, and follow from them.
    if !single || in_tile || array.starts_with("facts/") {
        return None;
    }
    let new = positions.get(&date.parse().ok()?)?;
    Some(format!("{array}/c/{new}/{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_where_its_date_lies_now() {
        let positions = BTreeMap::from([(1, 0), (3, 1)]);
        let there = |name, single| relocated(name, &positions, false, single);
        assert_eq!(there("red/c/3/0/0", true).as_deref(), Some("red/c/1/0/0"));
        assert_eq!(there("overviews/5/red/c/1/0/0", true).as_deref(), Some("overviews/5/red/c/0/0/0"));
        assert_eq!(there("red/c/2/0/0", true), None, "a date that nothing refers to");
        assert_eq!(there("overviews/2/red/c/0/0/0", true), None, "an object of several dates");
        assert_eq!(there("red/c/0/0/0", false), None, "an object of an archive block");
        assert_eq!(relocated("red/c/0/0/0", &positions, true, false).as_deref(), Some("red/c/0/0/0"));
    }

    #[test]
    fn keys_fall_into_array_and_chunk() {
        assert_eq!(relative("scenes/p/1_2/r-0", "scenes/p/1_2/r-0/red/c/0/0/0"), "red/c/0/0/0");
        assert_eq!(array_of("overviews/2/red/c/0/0/0"), "overviews/2/red");
        assert_eq!(array_of("time/zarr.json"), "time/zarr.json");
    }
}
