-- The generation that the current one replaced: a refresh token whose response was lost is known by it. Null before the first
-- rotation.
ALTER TABLE grants ADD COLUMN previous_generation INTEGER;
UPDATE grants SET previous_generation = generation - 1 WHERE generation > 0;

-- Rechecks with the stored upstream token that started and whose outcome was not stored. After such a one, an issuer that replaces
-- refresh tokens may refuse the stored one although the person is still active.
ALTER TABLE identities ADD COLUMN unresolved_rechecks INTEGER NOT NULL DEFAULT 0;
-- From when on grants of the identity can't be refreshed, because a recheck proved nothing and there is no token for another.
ALTER TABLE identities ADD COLUMN refreshable_until INTEGER;
