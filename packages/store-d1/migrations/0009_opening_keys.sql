-- Since when each key in the ring has opened tokens everywhere. What each column means, who writes it and when a row is deleted:
-- docs/storage-schema.md. The previous release neither reads nor writes this table.

CREATE TABLE opening_keys (
  id TEXT PRIMARY KEY,
  opens_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
