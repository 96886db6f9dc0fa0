-- The browser and operating system of a session of the account page, such as `Chrome, macOS`. Null if neither was recognized, and
-- for other grants.
ALTER TABLE grants ADD COLUMN device TEXT;

-- 1 if the identity was added on the account page and the user has not dismissed the notice about it, otherwise 0. Without a
-- CHECK constraint, which would read every row. For identities from before this migration, there is no notice.
ALTER TABLE identities ADD COLUMN newly_linked INTEGER NOT NULL DEFAULT 0;
