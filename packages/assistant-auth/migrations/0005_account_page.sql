-- The browser and the system of a session, as the account page shows them; null for other grants, and if neither was recognized.
ALTER TABLE grants ADD COLUMN device TEXT;

-- Whether the identity was added on the account page, and the user has not yet confirmed the notice about it. Identities that exist
-- before this migration count as confirmed.
ALTER TABLE identities ADD COLUMN newly_linked INTEGER NOT NULL DEFAULT 0 CHECK (newly_linked IN (0, 1));
