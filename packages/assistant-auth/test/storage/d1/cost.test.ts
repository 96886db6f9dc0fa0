/** Round trips and rows of every storage method on D1. */
import { env } from 'cloudflare:workers';
import type {
  BrokerStorage,
  CompleteStorage,
  ReceivedSecurityEvent,
  RevocationScope,
  SecurityEventTarget,
} from 'assistant-auth';
import { accountStorage } from 'assistant-auth/account';
import { beforeAll, describe, expect, it } from 'vitest';
import schema from '../../../../../docs/reference/tables.md?raw';
import { d1Admin, d1Storage, type StorageAdmin } from '../../../src/storage/sqlite/d1.ts';
import {
  adasUpstreamToken,
  assertion1,
  buildDueCleanup,
  buildTokenReplacement,
  chatgpt,
  grant1,
  grantRefresh,
  redemption,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  t0,
  token,
} from '../../../src/testing/storage-contract/sample.ts';
import { createSession } from '../../../src/testing/storage-contract/sessions.ts';
import { countingD1 } from './counting-d1.ts';
import { emptyD1 } from './empty-d1.ts';
import { everyMethod } from './every-method.ts';
import { insertOtherUsers, otherUserCount } from './other-users.ts';

describe('round trips and rows', () => {
  describe('storage on D1', () => {
    beforeAll(emptyD1);

    it.each(everyMethod)('makes one round trip: %s', async (_, call) => {
      const { db, trips } = countingD1(env.DB);
      await call(accountStorage(d1Storage(db)));
      expect(trips()).toBe(1);
    });

    it('makes one round trip for a client assertion that was used before', async () => {
      await d1Storage(await emptyD1()).recordAssertion(assertion1);
      for (const call of [
        (storage: BrokerStorage) => storage.recordAssertion(assertion1),
        (storage: BrokerStorage) => storage.redeemCode(redemption({ assertion: assertion1 })),
        (storage: BrokerStorage) => storage.refresh(grantRefresh(0, t0 + 2, { assertion: assertion1 })),
      ]) {
        const { db, trips } = countingD1(env.DB);
        await call(accountStorage(d1Storage(db)));
        expect(trips()).toBe(1);
      }
    });
  });

  const wholeTableMethods: readonly string[] = ['cleanUp', 'readRevocations', 'findUpstreamTokens'];
  const singleTargetMethods = everyMethod.filter(([name]) => !wholeTableMethods.includes(name));

  describe('among many others', () => {
    beforeAll(async () => insertOtherUsers(await emptyD1(), t0));

    it.each(singleTargetMethods)('reads a handful of rows: %s', async (_, call) => {
      const { db, usage } = countingD1(env.DB);
      await call(accountStorage(d1Storage(db)));
      expect(usage().rowsRead + usage().rowsWritten).toBeGreaterThan(0);
      expect(usage().rowsRead).toBeLessThan(40);
    });

    it('reads a handful of rows: deleting a user with all their data', async () => {
      const { db, usage } = countingD1(env.DB);
      await db.batch([db.prepare("DELETE FROM users WHERE id = '!other-1'")]);
      expect(usage().rowsRead).toBeLessThan(20);
    });

    it('reads a handful of rows: readRevocations, up to date', async () => {
      const { db, usage } = countingD1(env.DB);
      await d1Storage(db).readRevocations(otherUserCount, t0, 10_000);
      expect(usage().rowsRead).toBeLessThan(20);
    });

    it('reads no active grant and no client: cleanUp', async () => {
      const { db, usage } = countingD1(env.DB);
      await env.DB.prepare('DELETE FROM revocations').run();
      await d1Storage(db).cleanUp(buildDueCleanup(t0 + 3600));
      expect(usage().rowsRead).toBeLessThan(30);
    });
  });

  describe('the operator’s queries', () => {
    const measure = async (call: (admin: StorageAdmin) => Promise<unknown>) => {
      const { db, usage } = countingD1(env.DB);
      await call(d1Admin(db));
      expect(usage()).toMatchObject({ trips: 1, rowsWritten: 0 });
      return usage().rowsRead;
    };
    const page = { limit: 10, skip: 0 };

    beforeAll(async () => {
      await insertOtherUsers(await emptyD1(), t0);
      await env.DB.prepare("UPDATE identities SET label = 'ada@example.com' WHERE subject LIKE '%1'").run();
    });

    it('findIdentities reads each identity once, and the grants of the listed users', async () => {
      const none = await measure((admin) => admin.findIdentities('nobody', page, t0));
      const some = await measure((admin) => admin.findIdentities('ada@', page, t0));
      expect(none).toBeLessThan(otherUserCount + 10);
      expect(some).toBeLessThan(none + 100);
    });

    it('readStatistics reads each user and audit entry once, each grant twice, and the refusals of the days', async () => {
      const rows = await measure((admin) => admin.readStatistics(14, t0));
      expect(rows).toBeGreaterThanOrEqual(4 * otherUserCount);
      expect(rows).toBeLessThan(4 * otherUserCount + 100);
      const day = new Date(t0 * 1000).toISOString().slice(0, 10);
      const refusals = (refusalDay: string) =>
        Array.from({ length: 50 }, (_, index) => ({ day: refusalDay, reason: `reason ${index}`, count: 1 }));
      await d1Storage(env.DB).recordRefusals(refusals('2000-01-01'));
      expect(await measure((admin) => admin.readStatistics(14, t0))).toBe(rows);
      await d1Storage(env.DB).recordRefusals(refusals(day));
      expect(await measure((admin) => admin.readStatistics(14, t0))).toBeLessThan(rows + 150);
    });
  });

  describe('countingD1', () => {
    it('counts every call to the database, and no prepare', async () => {
      const { db, trips } = countingD1(env.DB);
      const statement = db.prepare('SELECT ?1 AS n').bind(7);
      expect(trips()).toBe(0);
      expect(await statement.first()).toEqual({ n: 7 });
      expect(await statement.first('n')).toBe(7);
      expect((await statement.all()).results).toEqual([{ n: 7 }]);
      expect((await statement.run()).success).toBe(true);
      expect(await statement.raw()).toEqual([[7]]);
      expect(trips()).toBe(5);
      const results = await db.batch([statement, db.prepare('SELECT 8 AS n')]);
      expect(results.map(({ results: rows }) => rows)).toEqual([[{ n: 7 }], [{ n: 8 }]]);
      await db.exec('SELECT 9');
      expect(await db.withSession().prepare('SELECT 10 AS n').first('n')).toBe(10);
      expect(trips()).toBe(8);
    });

    it('counts the rows that are billed, with index entries', async () => {
      const { db, usage } = countingD1(await emptyD1());
      const insert = db.prepare(
        "INSERT INTO revocations (kind, id, revoked_at, expires_at) VALUES ('grant', ?1, 1, 2)",
      );
      await db.batch([insert.bind('a'), insert.bind('b')]);
      await insert.bind('c').run();
      expect(usage()).toMatchObject({ trips: 2, statements: 3, rowsWritten: 9 });
      const before = usage().rowsRead;
      expect(await db.prepare('SELECT id FROM revocations ORDER BY seq').first('id')).toBe('a');
      expect(usage().rowsRead - before).toBe(3);
    });

    it('fails if a result has no row counts', async () => {
      const { db, usage } = countingD1(env.DB);
      await db.prepare('SELECT 1').raw();
      expect(usage).toThrow('a call was made whose result has no row counts');
    });
  });
});

describe('docs/reference/tables.md', () => {
  type Step = (storage: CompleteStorage) => Promise<unknown>;

  const noSetup: Step = async () => {};
  const signedIn: Step = (storage) => signInAndRedeem(storage);
  const withUpstreamToken: Step = (storage) => signInAndRedeem(storage, { identity: adasUpstreamToken });
  const refreshed: Step = async (storage) => {
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 2));
  };
  const withTwoGrants: Step = async (storage) => {
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
  };
  const ada = { provider: 'google', subject: 'ada' } as const;
  const adasGitHubIdentity = { provider: 'github', subject: '42', sealedRefreshToken: 'sealed-2' } as const;
  const withClient: Step = (storage) => signInAndRedeem(storage, { client: chatgpt });
  const inAccountSession: Step = (storage) => createSession(storage);
  const linked: Step = async (storage) => {
    await createSession(storage);
    await storage.linkIdentity({
      userId: 'user-1',
      session: 'session-1',
      identity: adasGitHubIdentity,
      subjectNamespace,
      now: t0 + 3,
    });
    await signInAndRedeem(storage);
  };
  const afterCleanup: Step = async (storage) => {
    await storage.cleanUp(buildDueCleanup(t0 + 2));
    await env.DB.prepare('DELETE FROM revocations').run();
  };
  const buildSecurityEvent = (
    target: SecurityEventTarget,
    revocationScope: RevocationScope,
  ): ReceivedSecurityEvent => ({
    subjectNamespace,
    ...{ provider: 'google', jti: 'event-1', retainUntil: t0 + 9999, signedInBefore: t0 + 3, now: t0 + 3 },
    revocations: [{ target, revocationScope }],
    reason: 'a security event',
  });
  const session: SecurityEventTarget = { kind: 'session', sid: 'sid-1', subject: 'ada' };
  const identity: SecurityEventTarget = { kind: 'identity', subject: 'ada' };
  const tokenTarget: SecurityEventTarget = { kind: 'token', identifier: 'digest-ada' };
  const inUpstreamSession: Step = (storage) => createSession(storage, { sid: 'sid-1' });
  const withTokenIdentifiers: Step = (storage) =>
    signInAndRedeem(storage, {
      identity: { ...adasUpstreamToken, tokenIdentifiers: ['start-ada', 'digest-ada'] },
    });
  const afterSecurityEvent: Step = async (storage) => {
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.recordSecurityEvent(buildSecurityEvent(session, 'online-grants'));
  };
  const user1 = { kind: 'user', id: 'user-1' } as const;
  const refusals = ['token.code', 'token.refresh', 'client.unknown'].map((reason) => ({
    ...{ day: '2026-11-29', reason, count: 2 },
  }));

  /** The operations by their names in docs/reference/tables.md: the setup, and the measured call. */
  const operations: Readonly<Record<string, readonly [setup: Step, measured: Step]>> = {
    '`recordSignIn`, a new user': [
      noSetup,
      (storage) => storage.recordSignIn(signIn({ identity: adasUpstreamToken })),
    ],
    '`recordSignIn`, a known user': [
      signedIn,
      (storage) => storage.recordSignIn(signIn({ grantId: 'grant-2', identity: adasUpstreamToken })),
    ],
    '`recordSignIn`, a replay': [
      signedIn,
      (storage) => storage.recordSignIn(signIn({ identity: adasUpstreamToken })),
    ],
    '`recordSignIn`, a changed provider for the first time': [
      signedIn,
      (storage) =>
        storage.recordSignIn(signIn({ grantId: 'grant-2', subjectNamespace: 'https://other.example' })),
    ],
    '`recordSignIn`, a changed provider again': [
      async (storage) => {
        await signedIn(storage);
        await storage.recordSignIn(signIn({ grantId: 'grant-2', subjectNamespace: 'https://other.example' }));
      },
      (storage) =>
        storage.recordSignIn(signIn({ grantId: 'grant-2', subjectNamespace: 'https://other.example' })),
    ],
    '`recordSignIn`, a new client that is not in the configuration': [
      signedIn,
      (storage) => storage.recordSignIn(signIn({ grantId: 'grant-2', client: chatgpt })),
    ],
    '`recordSignIn`, a known client that is not in the configuration': [
      withClient,
      (storage) => storage.recordSignIn(signIn({ grantId: 'grant-2', client: chatgpt })),
    ],
    '`readGrantStatus`': [signedIn, (storage) => storage.readGrantStatus('grant-1')],
    '`readGrantStatus`, no such grant': [noSetup, (storage) => storage.readGrantStatus('grant-1')],
    '`claimCode`': [
      (storage) => storage.recordSignIn(signIn()),
      (storage) => storage.claimCode({ grantId: 'grant-1', now: t0 + 1 }),
    ],
    '`redeemCode`': [
      (storage) => storage.recordSignIn(signIn()),
      (storage) => storage.redeemCode(redemption()),
    ],
    '`redeemCode`, a late replay': [signedIn, (storage) => storage.redeemCode(redemption({ now: t0 + 30 }))],
    '`redeemCode` with a client assertion': [
      (storage) => storage.recordSignIn(signIn()),
      (storage) => storage.redeemCode(redemption({ assertion: assertion1 })),
    ],
    '`refresh`': [signedIn, (storage) => storage.refresh(grantRefresh(0, t0 + 2))],
    '`refresh`, with a due recheck': [
      withUpstreamToken,
      (storage) => storage.refresh(grantRefresh(0, t0 + 2)),
    ],
    '`refresh`, late': [refreshed, (storage) => storage.refresh(grantRefresh(0, t0 + 500))],
    '`refresh`, a reused token': [
      refreshed,
      (storage) => storage.refresh(grantRefresh(0, t0 + 500, { lateRefresh: 'revoke' })),
    ],
    '`refresh` with a client assertion': [
      signedIn,
      (storage) => storage.refresh(grantRefresh(0, t0 + 2, { assertion: assertion1 })),
    ],
    '`recordAssertion`': [noSetup, (storage) => storage.recordAssertion(assertion1)],
    '`readClient`': [withClient, (storage) => storage.readClient('chatgpt')],
    '`deleteClient`': [withClient, (storage) => storage.deleteClient('chatgpt')],
    '`readRefreshable`': [signedIn, (storage) => storage.readRefreshable(grantRefresh(0, t0 + 2))],
    '`storeUpstreamToken`': [signedIn, (storage) => storage.storeUpstreamToken(adasUpstreamToken)],
    '`recordRecheck`': [
      withUpstreamToken,
      (storage) => storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 3 }),
    ],
    '`resolveRecheck`': [withUpstreamToken, (storage) => storage.resolveRecheck(adasUpstreamToken)],
    '`dropUpstreamToken`': [
      withUpstreamToken,
      (storage) =>
        storage.dropUpstreamToken({
          ...{ usedToken: adasUpstreamToken, startedAt: t0 + 3, now: t0 + 3, refreshableUntil: t0 + 9 },
          reason: 'inconclusive',
        }),
    ],
    '`revokeGrantsOfIdentity` of one grant': [
      withUpstreamToken,
      (storage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 3),
    ],
    '`revoke` a grant': [signedIn, (storage) => storage.revoke(grant1, 'signed out', t0 + 3)],
    '`revoke` a user of two grants': [
      withTwoGrants,
      (storage) => storage.revoke(user1, 'signed out', t0 + 3),
    ],
    '`readRevocations`, nothing new': [
      noSetup,
      (storage) => storage.readRevocations(otherUserCount, t0, 10_000),
    ],
    '`isRevoked`': [signedIn, (storage) => storage.isRevoked(token(), t0 + 4)],
    '`useSession`': [
      inAccountSession,
      (storage) => storage.useSession({ grantId: 'session-1', now: t0 + 3, idleExpiresAt: t0 + 9 }),
    ],
    '`acquireRecheckLease`': [
      withUpstreamToken,
      (storage) => storage.acquireRecheckLease({ ...ada, now: t0 + 3, recheckLeaseDuration: 60 }),
    ],
    '`readAccount` of two grants': [withTwoGrants, (storage) => storage.readAccount('user-1')],
    '`readAccount` of a grant whose client is stored': [
      withClient,
      (storage) => storage.readAccount('user-1'),
    ],
    '`readHistory` of two sign-ins': [withTwoGrants, (storage) => storage.readHistory('user-1')],
    '`findUser`': [signedIn, (storage) => storage.findUser(ada)],
    '`linkIdentity`, the first one of a provider': [
      inAccountSession,
      (storage) =>
        storage.linkIdentity({
          userId: 'user-1',
          session: 'session-1',
          identity: adasGitHubIdentity,
          subjectNamespace,
          now: t0 + 3,
        }),
    ],
    '`markLinkSeen`': [
      linked,
      (storage) => storage.markLinkSeen({ userId: 'user-1', ...adasGitHubIdentity, linkedAt: t0 + 3 }),
    ],
    '`unlinkIdentity` with one grant': [
      linked,
      (storage) => storage.unlinkIdentity({ userId: 'user-1', ...ada, now: t0 + 5 }),
    ],
    '`revokeGrants` of two grants': [
      withTwoGrants,
      (storage) =>
        storage.revokeGrants({
          userId: 'user-1',
          grantIds: ['grant-1', 'grant-2'],
          reason: 'ended',
          now: t0 + 3,
        }),
    ],
    '`deleteUser` of two grants': [
      withTwoGrants,
      (storage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 3 }),
    ],
    '`findUpstreamTokens` among 501 identities, none found': [
      withUpstreamToken,
      (storage) => storage.findUpstreamTokens({ prefixes: ['AQV', 'AQZ'], limit: 100 }),
    ],
    '`replaceUpstreamTokens`, one': [
      withUpstreamToken,
      (storage) =>
        storage.replaceUpstreamTokens(
          buildTokenReplacement({ ...ada, previous: 'sealed-1', sealedRefreshToken: 'sealed-2' }),
        ),
    ],
    '`recordSecurityEvent`, a session of one grant': [
      inUpstreamSession,
      (storage) => storage.recordSecurityEvent(buildSecurityEvent(session, 'online-grants')),
    ],
    '`recordSecurityEvent`, an identity of one grant': [
      withUpstreamToken,
      (storage) => storage.recordSecurityEvent(buildSecurityEvent(identity, 'identity')),
    ],
    '`recordSecurityEvent`, a token of one grant': [
      withTokenIdentifiers,
      (storage) => storage.recordSecurityEvent(buildSecurityEvent(tokenTarget, 'identity')),
    ],
    '`recordSecurityEvent`, an unknown identity': [
      noSetup,
      (storage) => storage.recordSecurityEvent(buildSecurityEvent(identity, 'identity')),
    ],
    '`recordSecurityEvent`, a replay': [
      afterSecurityEvent,
      (storage) => storage.recordSecurityEvent(buildSecurityEvent(identity, 'identity')),
    ],
    '`recordRefusals`, three new counts': [noSetup, (storage) => storage.recordRefusals(refusals)],
    '`recordRefusals`, three stored counts': [
      (storage) => storage.recordRefusals(refusals),
      (storage) => storage.recordRefusals(refusals),
    ],
    '`cleanUp`, nothing to do': [afterCleanup, (storage) => storage.cleanUp(buildDueCleanup(t0 + 3))],
    '`cleanUp`, an expired client and an expired assertion': [
      async (storage) => {
        await afterCleanup(storage);
        await storage.recordSignIn(signIn({ clientId: 'claude', client: { ...chatgpt, retainUntil: t0 } }));
        await storage.recordAssertion({ ...assertion1, retainUntil: t0 });
      },
      (storage) => storage.cleanUp(buildDueCleanup(t0 + 3)),
    ],
    '`cleanUp`, three old counts of refused requests': [
      async (storage) => {
        await afterCleanup(storage);
        await storage.recordRefusals(refusals.map((refusal) => ({ ...refusal, day: '2000-01-01' })));
      },
      (storage) => storage.cleanUp(buildDueCleanup(t0 + 3)),
    ],
    '`cleanUp`, a client that is kept because of a grant': [
      async (storage) => {
        await afterCleanup(storage);
        await storage.recordSignIn(signIn({ client: { ...chatgpt, retainUntil: t0 } }));
      },
      (storage) => storage.cleanUp(buildDueCleanup(t0 + 3)),
    ],
  };

  const readDocumentedRows = (): readonly string[] => {
    const [, section = ''] = schema.split('\n## Round trips\n');
    return section.split('\n').filter((line) => line.startsWith('| `'));
  };

  it('has the costs of every operation among many users', async () => {
    const rows: string[] = [];
    for (const [name, [setup, measured]] of Object.entries(operations)) {
      await insertOtherUsers(await emptyD1(), t0);
      await setup(accountStorage(d1Storage(env.DB)));
      const { db, usage } = countingD1(env.DB);
      await measured(accountStorage(d1Storage(db)));
      const { trips, statements, rowsRead, rowsWritten } = usage();
      expect([name, trips]).toEqual([name, 1]);
      rows.push(`| ${name} | ${statements} | ${rowsRead} | ${rowsWritten} |`);
    }
    expect(rows).toEqual(readDocumentedRows());
  });
});
