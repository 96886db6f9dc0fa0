-- For each provider ID, the namespace that its subjects belong to. An identity of another namespace can belong to someone else
-- with the same subject, so it is refused until the operator accepts the namespace.
CREATE TABLE providers (
  id TEXT PRIMARY KEY,
  subject_namespace TEXT NOT NULL,
  -- The newest namespace that was refused, and when it was first refused. Null if none was, or after it was accepted.
  refused_namespace TEXT,
  refused_at INTEGER
) STRICT, WITHOUT ROWID;
