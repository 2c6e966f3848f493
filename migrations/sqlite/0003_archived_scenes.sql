-- Scenes that the operator took out of the cube, and that no ingest brings back. What is needed to restore one stands
-- here, since `gc` lets go of its row in scenes. `added`: the snapshot that archived it; `retired`: that restored it.
CREATE TABLE archived_scenes (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  scene_id INTEGER NOT NULL,
  scene_key TEXT NOT NULL,
  product_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  wrs_path INTEGER NOT NULL,
  wrs_row INTEGER NOT NULL,
  acquired INTEGER NOT NULL,
  processed TEXT,
  document TEXT NOT NULL,
  reason TEXT NOT NULL,
  noted INTEGER NOT NULL,
  added INTEGER NOT NULL REFERENCES snapshots (n),
  retired INTEGER REFERENCES snapshots (n)
) STRICT;
CREATE INDEX archived_scenes_key ON archived_scenes (product, scene_key);

-- What refers to a group or to a source: a delete, and a raster that is retired, would read whole tables without.
CREATE INDEX overviews_group ON overviews (group_id);
CREATE INDEX generations_group ON generations (group_id);
CREATE INDEX generation_sources_source ON generation_sources (source_id);
