-- The newest branch of a family of refresh tokens: the generation of its first token, and the generation of the token that it was
-- started with, whose response had been lost. Null before the first branch, and of no meaning once the generation has moved on.
ALTER TABLE grants ADD COLUMN branch_generation INTEGER;
ALTER TABLE grants ADD COLUMN branch_started_from INTEGER;

-- Rechecks with the stored upstream token that started and whose outcome was not stored. After such a one, an issuer that replaces
-- refresh tokens may refuse the stored one although the person is still active.
ALTER TABLE identities ADD COLUMN unresolved_rechecks INTEGER NOT NULL DEFAULT 0;
-- From when on grants of the identity can't be refreshed, because a recheck proved nothing and there is no token for another.
ALTER TABLE identities ADD COLUMN refreshable_until INTEGER;
