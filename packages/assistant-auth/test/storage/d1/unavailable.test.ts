import { env } from 'cloudflare:workers';
import { StorageUnavailable } from 'assistant-auth';
import { describe, expect, it } from 'vitest';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import { signIn } from '../storage-contract/sample.ts';
import { emptyD1 } from './empty-d1.ts';
import { everyMethod } from './every-method.ts';

/** A D1 that prepares statements, as it does without its server, and fails at everything else. */
const createUnreachable = (db: D1Database, failure: Error): D1Database =>
  new Proxy(db, {
    get: (_, name) =>
      name === 'prepare' ? (query: string) => db.prepare(query) : () => Promise.reject(failure),
  });

const catchError = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe('D1 out of reach', () => {
  it.each(everyMethod)('is StorageUnavailable with the cause: %s', async (_, call) => {
    const failure = new Error('D1_ERROR: Network connection lost.');
    const error = await catchError(call(d1Storage(createUnreachable(env.DB, failure))));
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(error).toHaveProperty('cause', failure);
  });
});

describe('D1 without the migrations', () => {
  it.each(everyMethod)('is StorageUnavailable and its message says no SQL: %s', async (_, call) => {
    const error = await catchError(call(d1Storage(env.UNMIGRATED)));
    expect(error).toBeInstanceOf(StorageUnavailable);
    expect(String(error)).toBe('StorageUnavailable: D1 did not carry out the statements');
    expect(error).toHaveProperty('cause.message', expect.stringContaining('no such table'));
  });
});

describe('D1 failing half way through', () => {
  it('leaves nothing of a sign-in', async () => {
    const db = await emptyD1();
    await db.exec("CREATE TRIGGER fail BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'full'); END");
    expect(await catchError(d1Storage(db).recordSignIn(signIn()))).toBeInstanceOf(StorageUnavailable);
    await db.exec('DROP TRIGGER fail');
    const [users, identities] = await db.batch([
      db.prepare('SELECT * FROM users'),
      db.prepare('SELECT * FROM identities'),
    ]);
    expect(users?.results).toEqual([]);
    expect(identities?.results).toEqual([]);
    expect(await d1Storage(db).recordSignIn(signIn())).toMatchObject({ kind: 'recorded', userId: 'user-1' });
  });

  it('leaves a grant alive whose ending could not be marked, and remembers nothing', async () => {
    const db = await emptyD1();
    const storage = d1Storage(db);
    for (const [, call] of everyMethod.slice(0, 3)) await call(storage);
    await db.exec("CREATE TRIGGER fail BEFORE UPDATE ON grants BEGIN SELECT RAISE(ABORT, 'full'); END");
    const revocation = storage.revoke({ kind: 'grant', id: 'grant-1' }, 'signed out', signIn().now);
    expect(await catchError(revocation)).toBeInstanceOf(StorageUnavailable);
    await db.exec('DROP TRIGGER fail');
    expect(await storage.readRevocations(undefined, 0, 10)).toEqual({
      kind: 'page',
      revocations: [],
      cursor: 0,
    });
  });
});
