-- What providers say unasked: of their sessions, of their tokens, of people; and what they have said before.

ALTER TABLE grants ADD COLUMN sid TEXT;
CREATE INDEX grants_by_session ON grants (provider, sid) WHERE sid IS NOT NULL;

-- Names under which a provider may speak of the stored token.
ALTER TABLE identities ADD COLUMN token_name TEXT;
ALTER TABLE identities ADD COLUMN other_token_name TEXT;
CREATE INDEX identities_by_token_name ON identities (token_name) WHERE token_name IS NOT NULL;
CREATE INDEX identities_by_other_token_name ON identities (other_token_name) WHERE other_token_name IS NOT NULL;

CREATE TABLE signals (
  provider TEXT NOT NULL,
  jti TEXT NOT NULL,
  needed_until INTEGER NOT NULL,
  PRIMARY KEY (provider, jti)
) STRICT, WITHOUT ROWID;

CREATE INDEX signals_by_need ON signals (needed_until);
