-- Clients that are not in the configuration: the stored copy of each client's registration or metadata document.
-- Not WITHOUT ROWID, because a row can have several kilobytes.
CREATE TABLE clients (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- JSON that only the broker interprets.
  metadata TEXT NOT NULL,
  retain_until INTEGER NOT NULL
) STRICT;

CREATE INDEX clients_by_retention ON clients (retain_until);

-- Client assertions that were used (RFC 7523 §3). The broker recognizes one that is used again by the error message
-- of the primary key, which contains the name of the table.
CREATE TABLE client_assertions (
  client_id TEXT NOT NULL,
  jti TEXT NOT NULL,
  retain_until INTEGER NOT NULL,
  PRIMARY KEY (client_id, jti)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_assertions_by_retention ON client_assertions (retain_until);
