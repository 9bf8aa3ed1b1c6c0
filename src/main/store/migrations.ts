/**
 * The project file's schema, append-only: a migration that has been released is never edited. Entry
 * `i` takes a file from `user_version` i to i + 1. Rules that the tables keep:
 * - model output (`suggestion`) and human truth (`annotation`) never share a row; a suggestion is
 *   never changed after it was written, what a person thinks of it is a row of `decision`;
 * - `change` is the journal: replaying the diffs of an image gives its annotations and decisions;
 * - ids that leave the project (label, image, annotation_number) are never used twice.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE label (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  color TEXT NOT NULL CHECK (color GLOB '#[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]'),
  hotkey TEXT CHECK (hotkey GLOB '[1-9]'),
  position INTEGER NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX label_name ON label (name) WHERE removed = 0;
CREATE UNIQUE INDEX label_hotkey ON label (hotkey) WHERE hotkey IS NOT NULL AND removed = 0;

CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  model_id TEXT NOT NULL,
  model_version TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'failed', 'interrupted')),
  started_at INTEGER NOT NULL,
  provider TEXT,
  message TEXT
) STRICT;

CREATE TABLE image (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  sort_key TEXT NOT NULL,
  folded TEXT NOT NULL,
  width INTEGER NOT NULL CHECK (width >= 0),
  height INTEGER NOT NULL CHECK (height >= 0),
  orientation INTEGER NOT NULL CHECK (orientation BETWEEN 1 AND 8),
  bytes INTEGER NOT NULL,
  modified_ms REAL NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('new', 'predicted', 'in-progress', 'done', 'skipped')),
  revision INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0),
  missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
  error TEXT,
  note TEXT,
  newest_run_id INTEGER REFERENCES run (id)
) STRICT;
CREATE INDEX image_order ON image (sort_key, path);
CREATE INDEX image_state ON image (state);
CREATE INDEX image_sha256 ON image (sha256);

CREATE TABLE run_image (
  run_id INTEGER NOT NULL REFERENCES run (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
  reason TEXT,
  PRIMARY KEY (run_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_image_state ON run_image (run_id, state);

CREATE TABLE suggestion (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES run (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  label_id INTEGER NOT NULL REFERENCES label (id),
  score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
  x REAL NOT NULL,
  y REAL NOT NULL,
  width REAL NOT NULL,
  height REAL NOT NULL,
  rle_height INTEGER NOT NULL,
  rle_width INTEGER NOT NULL,
  counts TEXT NOT NULL
) STRICT;
CREATE INDEX suggestion_image ON suggestion (image_id, run_id);
CREATE INDEX suggestion_label ON suggestion (label_id);
CREATE INDEX suggestion_run ON suggestion (run_id);

CREATE TABLE decision (
  suggestion_id INTEGER PRIMARY KEY REFERENCES suggestion (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  decision TEXT NOT NULL CHECK (decision IN ('accepted', 'corrected', 'rejected'))
) STRICT;
CREATE INDEX decision_image ON decision (image_id);

CREATE TABLE annotation (
  id TEXT NOT NULL PRIMARY KEY,
  image_id INTEGER NOT NULL REFERENCES image (id),
  label_id INTEGER NOT NULL REFERENCES label (id),
  z REAL NOT NULL,
  crowd INTEGER NOT NULL CHECK (crowd IN (0, 1)),
  origin TEXT NOT NULL CHECK (origin IN ('drawn', 'accepted', 'corrected', 'imported')),
  suggestion_id INTEGER REFERENCES suggestion (id),
  geometry TEXT NOT NULL CHECK (json_valid(geometry))
) STRICT;
CREATE INDEX annotation_image ON annotation (image_id);
CREATE INDEX annotation_label ON annotation (label_id);

CREATE TABLE annotation_number (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  image_id INTEGER NOT NULL REFERENCES image (id),
  revision INTEGER NOT NULL CHECK (revision > 0),
  kind TEXT NOT NULL CHECK (kind IN ('edit', 'undo', 'redo')),
  target INTEGER REFERENCES change (seq),
  at INTEGER NOT NULL,
  diff TEXT NOT NULL CHECK (json_valid(diff)),
  CHECK ((kind = 'edit') = (target IS NULL))
) STRICT;
CREATE UNIQUE INDEX change_revision ON change (image_id, revision);
CREATE INDEX change_stack ON change (image_id, seq, kind, target);
`,
  // What a suggestion repeats: the instance it overlaps, the decided suggestion it equals. Not a
  // reference to annotation: undo takes instances away and brings them back.
  `
CREATE TABLE cover (
  suggestion_id INTEGER PRIMARY KEY REFERENCES suggestion (id),
  annotation_id TEXT,
  decided_id INTEGER REFERENCES suggestion (id),
  CHECK (annotation_id IS NOT NULL OR decided_id IS NOT NULL)
) STRICT;

CREATE TABLE former_name (
  name TEXT NOT NULL PRIMARY KEY,
  label_id INTEGER NOT NULL REFERENCES label (id)
) STRICT, WITHOUT ROWID;
`,
  // What the model was told beside the image, so that a run goes on as it began.
  `
ALTER TABLE run ADD COLUMN options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options));
`,
  // What classifiers proposed for whole images, and what people said; like suggestions and annotations, they never
  // share a row.
  `
CREATE TABLE tag_suggestion (
  run_id INTEGER NOT NULL REFERENCES run (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  label_id INTEGER NOT NULL REFERENCES label (id),
  score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
  PRIMARY KEY (image_id, run_id, label_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_tag (
  image_id INTEGER NOT NULL REFERENCES image (id),
  label_id INTEGER NOT NULL REFERENCES label (id),
  state TEXT NOT NULL CHECK (state IN ('accepted', 'rejected')),
  at INTEGER NOT NULL,
  PRIMARY KEY (image_id, label_id)
) STRICT, WITHOUT ROWID;
`,
  // What instances measure, so that statistics need not rasterise them again. `edits` only grows, whoever writes
  // annotations; measures hold while measured is the same. Splits, and the hashes that near-duplicates are found by.
  `
CREATE TABLE measure (
  image_id INTEGER NOT NULL REFERENCES image (id),
  annotation_id TEXT NOT NULL,
  label_id INTEGER NOT NULL REFERENCES label (id),
  crowd INTEGER NOT NULL CHECK (crowd IN (0, 1)),
  area REAL NOT NULL,
  x REAL NOT NULL,
  y REAL NOT NULL,
  width REAL NOT NULL,
  height REAL NOT NULL,
  PRIMARY KEY (image_id, annotation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX measure_label ON measure (label_id);

CREATE TABLE annotation_edits (
  image_id INTEGER PRIMARY KEY REFERENCES image (id),
  edits INTEGER NOT NULL,
  measured INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX annotation_edits_open ON annotation_edits (image_id) WHERE measured < edits;
INSERT INTO annotation_edits (image_id, edits) SELECT DISTINCT image_id, 1 FROM annotation;

CREATE TRIGGER annotation_added AFTER INSERT ON annotation BEGIN
  INSERT INTO annotation_edits (image_id, edits) VALUES (NEW.image_id, 1) ON CONFLICT (image_id) DO UPDATE SET edits = edits + 1;
END;
CREATE TRIGGER annotation_changed AFTER UPDATE OF image_id, label_id, crowd, geometry ON annotation BEGIN
  UPDATE annotation_edits SET edits = edits + 1 WHERE image_id = OLD.image_id;
  INSERT INTO annotation_edits (image_id, edits) VALUES (NEW.image_id, 1) ON CONFLICT (image_id) DO UPDATE SET edits = edits + 1;
END;
CREATE TRIGGER annotation_removed AFTER DELETE ON annotation BEGIN
  UPDATE annotation_edits SET edits = edits + 1 WHERE image_id = OLD.image_id;
END;

DROP INDEX annotation_image;
DROP INDEX annotation_label;
CREATE INDEX annotation_image ON annotation (image_id, label_id, crowd);
CREATE INDEX annotation_label ON annotation (label_id, image_id);

CREATE TABLE split (
  image_id INTEGER PRIMARY KEY REFERENCES image (id),
  name TEXT NOT NULL
) STRICT;
CREATE INDEX split_name ON split (name, image_id);

CREATE TABLE image_hash (
  sha256 TEXT NOT NULL PRIMARY KEY,
  hash BLOB NOT NULL CHECK (length(hash) = 16)
) STRICT, WITHOUT ROWID;
`,
  // What datasets were imported, and their texts as they stood. Rows of an import are never changed: the journal refers
  // to them instead of copying them, and an annotation whose geometry is JSON's null has that of its row here, by the
  // number in its id (imported-000000012). A row without geometry has it in its text. `form`: see `FORM` in imported.ts.
  `
CREATE TABLE import (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  format TEXT NOT NULL,
  file TEXT NOT NULL,
  at INTEGER NOT NULL,
  report TEXT NOT NULL CHECK (json_valid(report))
) STRICT;

CREATE TABLE import_rest (
  import_id INTEGER NOT NULL REFERENCES import (id),
  position INTEGER NOT NULL,
  key TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (import_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_category (
  import_id INTEGER NOT NULL REFERENCES import (id),
  label_id INTEGER NOT NULL REFERENCES label (id),
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  form INTEGER NOT NULL,
  text TEXT,
  PRIMARY KEY (label_id, import_id)
) STRICT;

CREATE TABLE import_image (
  import_id INTEGER NOT NULL REFERENCES import (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  position INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  form INTEGER NOT NULL,
  text TEXT,
  PRIMARY KEY (image_id, import_id)
) STRICT;
CREATE INDEX import_image_order ON import_image (import_id, position);

CREATE TABLE import_instance (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  import_id INTEGER NOT NULL REFERENCES import (id),
  image_id INTEGER NOT NULL REFERENCES image (id),
  label_id INTEGER NOT NULL REFERENCES label (id),
  z REAL NOT NULL,
  crowd INTEGER NOT NULL CHECK (crowd IN (0, 1)),
  form INTEGER NOT NULL,
  geometry TEXT
) STRICT;
CREATE INDEX import_instance_image ON import_instance (image_id, import_id);

CREATE TABLE import_text (
  seq INTEGER PRIMARY KEY REFERENCES import_instance (seq),
  text TEXT NOT NULL
) STRICT;

CREATE TABLE import_finding (
  import_id INTEGER NOT NULL REFERENCES import (id),
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  id TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (import_id, seq)
) STRICT, WITHOUT ROWID;
`,
  // What models reached on the images that were kept out of training, measured when one came back.
  `
CREATE TABLE model_score (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  model_id TEXT NOT NULL,
  model_version TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  at INTEGER NOT NULL,
  split TEXT NOT NULL,
  run_id INTEGER NOT NULL REFERENCES run (id),
  figures TEXT NOT NULL CHECK (json_valid(figures))
) STRICT;
`,
  // Nobody asks for measures by class alone: filters go by image first, and the index had as many rows as there are instances.
  // The project's figures are asked for twice a second while a folder is read: without looking at each image.
  `
DROP INDEX measure_label;
CREATE INDEX image_broken ON image (id) WHERE missing = 1 OR error IS NOT NULL;
`,
  // What an import did beside its instances, so that all of it can be taken back: the classes it made, and of each image the
  // state before and after and the split that it got from it. `undone`: the image's part was taken back; `undone_at`: all of it was.
  `
ALTER TABLE import ADD COLUMN undone_at INTEGER;
ALTER TABLE import_category ADD COLUMN made INTEGER NOT NULL DEFAULT 0 CHECK (made IN (0, 1));
ALTER TABLE import_image ADD COLUMN was TEXT;
ALTER TABLE import_image ADD COLUMN became TEXT;
ALTER TABLE import_image ADD COLUMN revision INTEGER;
ALTER TABLE import_image ADD COLUMN split TEXT;
ALTER TABLE import_image ADD COLUMN undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1));
`,
];
