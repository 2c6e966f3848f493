-- What one commit adds lies together: a commit into a large index changes as many pages as one into a small index, not a
-- page for each tile. Foreign keys are not enforced while migrations run; they are checked at the end.

-- Found by the last part of the prefix first, which names the run: `name`.
CREATE TABLE groups_together (
  id INTEGER PRIMARY KEY,
  product TEXT NOT NULL REFERENCES products (id),
  kind TEXT NOT NULL CHECK (kind IN ('slots', 'overviews', 'generation')),
  prefix TEXT NOT NULL,
  run TEXT NOT NULL,
  archive INTEGER NOT NULL DEFAULT 0,
  name TEXT NOT NULL AS (replace(prefix, rtrim(prefix, replace(prefix, '/', '')), ''))
) STRICT;
INSERT INTO groups_together (id, product, kind, prefix, run, archive)
  SELECT id, product, kind, prefix, run, archive FROM groups ORDER BY id;
DROP TABLE groups;
ALTER TABLE groups_together RENAME TO groups;
CREATE UNIQUE INDEX groups_name ON groups (name, prefix);

-- An object's key begins with its group's prefix, so that no key is in two groups.
CREATE TABLE objects_together (
  group_id INTEGER NOT NULL REFERENCES groups (id),
  key TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (group_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO objects_together SELECT group_id, key, bytes, digest FROM objects ORDER BY group_id, key;
DROP TABLE objects;
ALTER TABLE objects_together RENAME TO objects;
