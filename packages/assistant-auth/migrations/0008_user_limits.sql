-- Lets a query count a user's recent sign-ins without reading all grants of the user.
DROP INDEX grants_by_user;
CREATE INDEX grants_by_user ON grants (user_id, created_at);
