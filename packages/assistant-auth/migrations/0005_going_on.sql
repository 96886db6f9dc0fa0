-- When the person had signed in at the provider, for a grant begun in a session; null where that was with the grant.
ALTER TABLE grants ADD COLUMN signed_in_at INTEGER;
