-- Archive blocks, tags, snapshots that have expired, units staged before their commit, footprints for the search.

-- Whether the group is an archive block: full shards over many dates, which `compact` leaves alone.
ALTER TABLE groups ADD COLUMN archive INTEGER NOT NULL DEFAULT 0;
CREATE INDEX slot_locations_group ON slot_locations (group_id);

-- When `gc` let a snapshot go; its pixels may be gone since.
ALTER TABLE snapshots ADD COLUMN expired INTEGER;

-- A name keeps a snapshot, and all that is visible at it, for ever.
CREATE TABLE tags (
  name TEXT PRIMARY KEY,
  n INTEGER NOT NULL REFERENCES snapshots (n),
  note TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT;

-- A finished unit of work whose objects are durable and not yet visible: where a killed run goes on. `unit` names
-- the inputs, so that a unit is taken only for the work it was made for.
CREATE TABLE staged (
  product TEXT NOT NULL REFERENCES products (id),
  unit TEXT NOT NULL,
  prefix TEXT NOT NULL,
  result TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (product, unit)
) STRICT, WITHOUT ROWID;

-- Places on a group's time axis that hold pixels no row refers to any more: a slot that moved into an archive block,
-- or that `gc` let go.
CREATE TABLE vacated (
  group_id INTEGER NOT NULL REFERENCES groups (id),
  position INTEGER NOT NULL,
  PRIMARY KEY (group_id, position)
) STRICT, WITHOUT ROWID;

-- Prefixes whose rows are gone and whose objects are still to be deleted.
CREATE TABLE doomed (prefix TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Bounds of everything a path and row ever had in a product: the first step of a search by place. West above east is
-- a box across the antimeridian; where only some scenes cross it, the whole circle holds them all.
CREATE TABLE footprints (
  product TEXT NOT NULL REFERENCES products (id),
  wrs_path INTEGER NOT NULL,
  wrs_row INTEGER NOT NULL,
  west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,
  PRIMARY KEY (product, wrs_path, wrs_row)
) STRICT, WITHOUT ROWID;
INSERT INTO footprints
  SELECT product, wrs_path, wrs_row,
         iif(min(west > east) = max(west > east), min(west), -180.0), min(south),
         iif(min(west > east) = max(west > east), max(east), 180.0), max(north)
  FROM scenes GROUP BY product, wrs_path, wrs_row;

-- How often a place (slots of one tile, scenes of one path and row) was seen, by time.
CREATE INDEX scenes_place ON scenes (product, wrs_path, wrs_row, acquired);
DROP INDEX scenes_path_row;
-- A scene by its full identifier.
CREATE INDEX scenes_identifier ON scenes (product, product_id);
-- All that a list of dates needs, whatever the box.
CREATE INDEX scenes_day ON scenes (product, solar_day, acquired, platform, cloud_cover, added, retired, west, south,
  east, north);
-- Whether anything is generated: empty in an archive of observed scenes.
CREATE INDEX scenes_synthetic ON scenes (id) WHERE synthetic AND retired IS NULL;
