-- What exists where and when. Visibility (added, retired: snapshot numbers) stands apart from location
-- (groups, slot_locations). A read at snapshot N sees rows with added <= N and (retired is null or retired > N).

CREATE TABLE cube (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE grids (id TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT;

CREATE TABLE products (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('scenes', 'derived')),
  grid TEXT NOT NULL REFERENCES grids (id),
  definition TEXT NOT NULL,
  updated INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshots (
  n INTEGER PRIMARY KEY,
  created INTEGER NOT NULL,
  kind TEXT NOT NULL,
  summary TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER
) STRICT;

-- A Zarr group in the store: where bytes lie.
CREATE TABLE groups (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  kind TEXT NOT NULL CHECK (kind IN ('slots', 'overviews', 'generation')),
  prefix TEXT NOT NULL UNIQUE,
  run TEXT NOT NULL
) STRICT;

CREATE TABLE objects (
  key TEXT PRIMARY KEY,
  group_id INTEGER NOT NULL REFERENCES groups (id),
  bytes INTEGER NOT NULL,
  digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_group ON objects (group_id);

CREATE TABLE scenes (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  scene_key TEXT NOT NULL,
  product_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  wrs_path INTEGER NOT NULL,
  wrs_row INTEGER NOT NULL,
  acquired INTEGER NOT NULL,
  solar_day TEXT NOT NULL,
  processed TEXT,
  tier TEXT,
  cloud_cover REAL,
  west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,
  synthetic INTEGER NOT NULL,
  added INTEGER NOT NULL REFERENCES snapshots (n),
  retired INTEGER REFERENCES snapshots (n)
) STRICT;
CREATE INDEX scenes_key ON scenes (product, scene_key);
CREATE INDEX scenes_time ON scenes (product, acquired);
CREATE INDEX scenes_path_row ON scenes (wrs_path, wrs_row, acquired);

-- Whole source description (files, metadata, warnings) as JSON, apart from the searched columns.
CREATE TABLE scene_documents (
  scene_id INTEGER PRIMARY KEY REFERENCES scenes (id),
  document TEXT NOT NULL
) STRICT;

-- What scenes contribute to one tile on one solar day from one platform. Never reused: a change is a new revision.
CREATE TABLE slots (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  ix INTEGER NOT NULL, iy INTEGER NOT NULL,
  solar_day TEXT NOT NULL,
  time INTEGER NOT NULL,
  platform TEXT NOT NULL,
  revision INTEGER NOT NULL,
  added INTEGER NOT NULL REFERENCES snapshots (n),
  retired INTEGER REFERENCES snapshots (n)
) STRICT;
CREATE INDEX slots_tile ON slots (product, ix, iy, time);
CREATE INDEX slots_time ON slots (product, time);

CREATE TABLE slot_locations (
  slot_id INTEGER PRIMARY KEY REFERENCES slots (id),
  group_id INTEGER NOT NULL REFERENCES groups (id),
  position INTEGER NOT NULL
) STRICT;

CREATE TABLE slot_scenes (
  slot_id INTEGER NOT NULL REFERENCES slots (id),
  scene_id INTEGER NOT NULL REFERENCES scenes (id),
  rank INTEGER NOT NULL,
  PRIMARY KEY (slot_id, scene_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX slot_scenes_scene ON slot_scenes (scene_id);

-- Grid-wide overview (levels 4 and up) of one solar day and platform.
CREATE TABLE overviews (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  solar_day TEXT NOT NULL,
  time INTEGER NOT NULL,
  platform TEXT NOT NULL,
  group_id INTEGER NOT NULL REFERENCES groups (id),
  position INTEGER NOT NULL,
  -- digest of the slots it was made from: a stale pyramid is one whose slots differ
  slots_digest TEXT NOT NULL,
  ix_min INTEGER NOT NULL, iy_min INTEGER NOT NULL, ix_end INTEGER NOT NULL, iy_end INTEGER NOT NULL,
  added INTEGER NOT NULL REFERENCES snapshots (n),
  retired INTEGER REFERENCES snapshots (n)
) STRICT;
CREATE INDEX overviews_time ON overviews (product, time);

-- One derived raster of one period.
CREATE TABLE generations (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  period_start INTEGER NOT NULL,
  period_end INTEGER NOT NULL,
  group_id INTEGER NOT NULL REFERENCES groups (id),
  ix_min INTEGER NOT NULL, iy_min INTEGER NOT NULL, ix_end INTEGER NOT NULL, iy_end INTEGER NOT NULL,
  provenance TEXT NOT NULL,
  added INTEGER NOT NULL REFERENCES snapshots (n),
  retired INTEGER REFERENCES snapshots (n)
) STRICT;
CREATE INDEX generations_period ON generations (product, period_start);

-- Lineage: the slots or generations a generation was made from.
CREATE TABLE generation_slots (
  generation_id INTEGER NOT NULL REFERENCES generations (id),
  slot_id INTEGER NOT NULL REFERENCES slots (id),
  PRIMARY KEY (generation_id, slot_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX generation_slots_slot ON generation_slots (slot_id);

CREATE TABLE generation_sources (
  generation_id INTEGER NOT NULL REFERENCES generations (id),
  source_id INTEGER NOT NULL REFERENCES generations (id),
  PRIMARY KEY (generation_id, source_id)
) STRICT, WITHOUT ROWID;

-- Derived periods whose inputs changed since they were computed.
CREATE TABLE stale (
  product TEXT NOT NULL,
  period_start INTEGER NOT NULL,
  ix INTEGER NOT NULL, iy INTEGER NOT NULL,
  since INTEGER NOT NULL REFERENCES snapshots (n),
  PRIMARY KEY (product, period_start, ix, iy)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL,
  path TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  noted INTEGER NOT NULL,
  UNIQUE (product, path)
) STRICT;

CREATE TABLE zone_sets (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  edition TEXT,
  key_field TEXT NOT NULL,
  source TEXT NOT NULL,
  synthetic INTEGER NOT NULL,
  zones INTEGER NOT NULL,
  west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,
  report TEXT NOT NULL,
  added INTEGER NOT NULL REFERENCES snapshots (n)
) STRICT;

-- Geometry is GeoJSON text in longitude, latitude; ordinal is the order of keys.
CREATE TABLE zones (
  set_id TEXT NOT NULL REFERENCES zone_sets (id),
  ordinal INTEGER NOT NULL,
  key TEXT NOT NULL,
  properties TEXT NOT NULL,
  geometry TEXT NOT NULL,
  area_m2 REAL NOT NULL,
  west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,
  PRIMARY KEY (set_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX zones_key ON zones (set_id, key);

-- Exact coverage of a tile's cells by the zones that meet it, on one grid.
CREATE TABLE zone_coverage (
  set_id TEXT NOT NULL REFERENCES zone_sets (id),
  grid TEXT NOT NULL,
  ix INTEGER NOT NULL, iy INTEGER NOT NULL,
  coverage BLOB NOT NULL,
  PRIMARY KEY (set_id, grid, ix, iy)
) STRICT, WITHOUT ROWID;
