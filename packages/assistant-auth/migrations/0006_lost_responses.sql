-- The newest branch of a family of refresh tokens: the generation of its first token, and the generation of the late token that
-- started it. Null before the first branch, and without effect after the next rotation.
ALTER TABLE grants ADD COLUMN branch_generation INTEGER;
ALTER TABLE grants ADD COLUMN branch_started_from INTEGER;

-- The number of rechecks that started with the stored upstream token and whose outcome was not stored. After such a recheck, an issuer
-- that replaces refresh tokens can reject the stored one although the person is still active.
ALTER TABLE identities ADD COLUMN unresolved_rechecks INTEGER NOT NULL DEFAULT 0;
-- The time from which grants of the identity can't be refreshed, because a recheck was inconclusive and no token is left for another.
ALTER TABLE identities ADD COLUMN refreshable_until INTEGER;
