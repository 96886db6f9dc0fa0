-- When a sweep first found each key in the ring. For what each column means, what writes it and when a row is deleted, see
-- docs/storage-schema.md. The previous release neither reads nor writes this table.

CREATE TABLE opening_keys (
  id TEXT PRIMARY KEY,
  opens_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
