-- When the previous refresh token was issued, which can still be used after a lost response: it needs the key that sealed it. Null
-- before the first rotation, and if the previous release made it.
ALTER TABLE grants ADD COLUMN previous_rotated_at INTEGER;
