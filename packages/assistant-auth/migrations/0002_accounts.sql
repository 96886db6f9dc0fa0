-- Until when the provider's last word on the person holds: somebody who goes on in a session is let in on it.
ALTER TABLE identities ADD COLUMN vouched_until INTEGER NOT NULL DEFAULT 0;
