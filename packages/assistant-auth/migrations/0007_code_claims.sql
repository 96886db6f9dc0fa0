-- When the code of a grant was claimed, if it is not issued when the sign-in is recorded; null otherwise.
ALTER TABLE grants ADD COLUMN code_claimed_at INTEGER;
