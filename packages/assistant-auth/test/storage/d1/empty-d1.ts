/** The real D1 database of the tests, migrated and empty. */
import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

export const emptyD1 = async (): Promise<D1Database> => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  // Deleting the users also deletes their identities and grants. Without its sequence, `revocations` counts
  // from one again.
  await env.DB.batch([
    env.DB.prepare('DELETE FROM users'),
    env.DB.prepare('DELETE FROM revocations'),
    env.DB.prepare('DELETE FROM audit'),
    env.DB.prepare('DELETE FROM refusals'),
    env.DB.prepare('DELETE FROM sealing_keys'),
    env.DB.prepare('DELETE FROM ring_keys'),
    env.DB.prepare('DELETE FROM security_events'),
    env.DB.prepare('DELETE FROM clients'),
    env.DB.prepare('DELETE FROM providers'),
    env.DB.prepare('DELETE FROM client_assertions'),
    env.DB.prepare("DELETE FROM sqlite_sequence WHERE name = 'revocations'"),
  ]);
  return env.DB;
};
