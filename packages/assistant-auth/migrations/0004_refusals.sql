-- How many requests were refused: one row for each UTC day (YYYY-MM-DD) and reason. Refused requests insert no rows: each process
-- counts them in memory, and adds its counts together with work of an authenticated request or of a cleanup.
CREATE TABLE refusals (
  day TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  reason TEXT NOT NULL CHECK (length(reason) <= 100),
  count INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (day, reason)
) STRICT, WITHOUT ROWID;
