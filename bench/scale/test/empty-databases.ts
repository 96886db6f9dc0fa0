/** Returns four real D1 databases with all tables and no rows. */
import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

export const emptyDatabases = async (): Promise<readonly D1Database[]> => {
  const databases = [env.SHARD_0, env.SHARD_1, env.SHARD_2, env.SHARD_3];
  await Promise.all(databases.map(empty));
  return databases;
};

const empty = async (db: D1Database): Promise<void> => {
  await applyD1Migrations(db, env.MIGRATIONS);
  await db.batch([
    db.prepare('DELETE FROM users'),
    db.prepare('DELETE FROM revocations'),
    db.prepare('DELETE FROM audit'),
    db.prepare('DELETE FROM sealing_keys'),
    db.prepare('DELETE FROM ring_keys'),
    db.prepare('DELETE FROM security_events'),
    db.prepare("DELETE FROM sqlite_sequence WHERE name = 'revocations'"),
  ]);
};
