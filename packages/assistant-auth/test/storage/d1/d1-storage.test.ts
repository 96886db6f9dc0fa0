/** Storage on D1: the storage contract, the rows that it writes, and failures. */

import { env } from 'cloudflare:workers';
import { StorageUnavailable } from 'assistant-auth';
import { accountStorage } from 'assistant-auth/account';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CompleteStorage } from '../../../src/storage/broker-storage.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import {
  token as accessToken,
  adasUpstreamToken,
  buildCleanup,
  fiftyIndexes,
  grant1,
  grantRefresh,
  redemption,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
} from '../../../src/testing/storage-contract/sample.ts';
import { testStorageContract } from '../test-storage-contract.ts';
import { emptyD1 } from './empty-d1.ts';
import { everyMethod } from './every-method.ts';

testStorageContract('storage on D1', async () => d1Storage(await emptyD1()));

describe('rows', () => {
  let db: D1Database;
  beforeEach(async () => {
    db = await emptyD1();
  });

  const readRows = async (table: string) => (await db.prepare(`SELECT * FROM ${table}`).all()).results;

  const readAllRows = async () => ({
    users: await readRows('users'),
    identities: await readRows('identities'),
    grants: await readRows('grants'),
    revocations: await readRows('revocations'),
  });

  describe('a sign-in', () => {
    it('stores user, identity and grant', async () => {
      await d1Storage(db).recordSignIn(
        signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }),
      );
      expect(await readAllRows()).toEqual({
        users: [{ id: 'user-1', created_at: t0 }],
        identities: [
          {
            provider: 'google',
            subject: 'ada',
            user_id: 'user-1',
            label: 'Ada L.',
            sealed_refresh_token: 'sealed-1',
            recheck_after: 0,
            verified_until: 0,
            unresolved_rechecks: 0,
            refreshable_until: null,
            created_at: t0,
            last_sign_in_at: t0,
            token_identifier: null,
            other_token_identifier: null,
            newly_linked: 0,
          },
        ],
        grants: [
          {
            id: 'grant-1',
            user_id: 'user-1',
            provider: 'google',
            subject: 'ada',
            client_id: 'chatgpt',
            redirect_uri: 'https://chat.example/callback',
            scopes: '["score:read","score:write"]',
            resource: 'https://words.example',
            claims: '{"plan":"free","seats":3,"staff":false}',
            refresh_policy: 'rotating',
            created_at: t0,
            redeemed_at: null,
            last_used_at: null,
            access_expires_at: null,
            generation: 0,
            branch_generation: null,
            branch_started_from: null,
            previous_rotated_at: null,
            rotated_at: null,
            refresh_idle_expires_at: null,
            refresh_absolute_expires_at: null,
            revoked_at: null,
            revoked_reason: null,
            sid: null,
            signed_in_at: null,
            code_claimed_at: null,
            device: null,
            retain_until: t0 + 3600,
          },
        ],
        revocations: [],
      });
    });

    it('stores the session ID of the provider', async () => {
      const { grant, ...rest } = signIn();
      await d1Storage(db).recordSignIn({ ...rest, grant: { ...grant, sid: 'session-1' } });
      expect(await readRows('grants')).toMatchObject([{ sid: 'session-1' }]);
    });

    it('keeps the provider’s refresh token and the label if a later sign-in has none', async () => {
      const storage = d1Storage(db);
      await storage.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
      await storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 9 }));
      await storage.recordSignIn(signIn({ grantId: 'grant-3', user: { kind: 'resolved', id: 'their-7' } }));
      expect(await readRows('identities')).toMatchObject([
        { user_id: 'their-7', label: 'Ada L.', sealed_refresh_token: 'sealed-1', created_at: t0 },
      ]);
    });

    it('replaces the provider’s refresh token and the label by new ones', async () => {
      const storage = d1Storage(db);
      await storage.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
      const identity = { label: 'Ada King', sealedRefreshToken: 'sealed-2' };
      await storage.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 9 }));
      expect(await readRows('identities')).toMatchObject([
        { label: 'Ada King', sealed_refresh_token: 'sealed-2', created_at: t0, last_sign_in_at: t0 + 9 },
      ]);
    });

    it('changes no row if it is repeated, even with another identity', async () => {
      const storage = d1Storage(db);
      await signInAndRedeem(storage, { identity: { sealedRefreshToken: 'sealed-1' } });
      const before = await readAllRows();
      const identity = { label: 'Eve', sealedRefreshToken: 'sealed-2' };
      for (const subject of ['ada', 'eve'])
        for (const user of [
          { kind: 'by-identity', newId: 'user-2' } as const,
          { kind: 'resolved', id: 'their-7' } as const,
        ])
          await storage.recordSignIn(
            signIn({ identity: { ...identity, subject }, user, clientId: 'claude', now: t0 + 9 }),
          );
      expect(await readAllRows()).toEqual(before);
    });

    it('creates one user if 50 first sign-ins arrive at once', async () => {
      const storage = d1Storage(db);
      await Promise.all(
        fiftyIndexes.map((n) =>
          storage.recordSignIn(
            signIn({ grantId: `grant-${n}`, user: { kind: 'by-identity', newId: `user-${n}` } }),
          ),
        ),
      );
      expect(await readRows('users')).toHaveLength(1);
      expect(await readRows('grants')).toHaveLength(50);
    });

    it('never assigns a new identity to an existing user with the same new ID', async () => {
      const storage = d1Storage(db);
      await storage.recordSignIn(signIn());
      const before = await readAllRows();
      const secondSignIn = storage.recordSignIn(signIn({ grantId: 'grant-2', identity: { subject: 'bob' } }));
      await expect(secondSignIn).rejects.toThrow('the database failed');
      expect(await readAllRows()).toEqual(before);
    });
  });

  describe('a refusal', () => {
    it('changes no row', async () => {
      const storage = d1Storage(db);
      await signInAndRedeem(storage);
      await storage.refresh(grantRefresh(0, t0 + 100));
      await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'none' });
      const before = await readAllRows();
      await storage.redeemCode(redemption({ now: t0 + 5 }));
      await storage.redeemCode(redemption({ now: t0 + 500, clientId: 'claude' }));
      await storage.refresh(grantRefresh(0, t0 + 500, { clientId: 'claude' }));
      await storage.refresh(grantRefresh(1, t0 + 500, { clientId: 'claude' }));
      await storage.refresh(grantRefresh(2, t0 + 500));
      await storage.refresh(grantRefresh(0, t0 + 500, { grantId: 'grant-2' }));
      expect(await readAllRows()).toEqual(before);
    });
  });

  describe('an older release without branches', () => {
    /** Rotates a token as that release does, after the migration or a rollback. */
    const rotateAsOlderRelease = (generation: number, now: number) =>
      db
        .prepare('UPDATE grants SET generation = generation + 1, rotated_at = ?2 WHERE generation = ?1')
        .bind(generation, now)
        .run();

    it('rotates a token, and this release accepts a retry', async () => {
      const storage = d1Storage(db);
      await signInAndRedeem(storage);
      await rotateAsOlderRelease(0, t0 + 100);
      expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 110)))).toBe('continued 1');
    });

    it('rotates a token after a branch, and every earlier token counts as reused', async () => {
      for (const earlier of [0, 1]) {
        db = await emptyD1();
        const storage = d1Storage(db);
        await signInAndRedeem(storage);
        await storage.refresh(grantRefresh(0, t0 + 100));
        await storage.refresh(grantRefresh(0, t0 + 300));
        await rotateAsOlderRelease(2, t0 + 400);
        expect(summarizeOutcome(await storage.refresh(grantRefresh(2, t0 + 410)))).toBe('continued 3');
        expect(summarizeOutcome(await storage.refresh(grantRefresh(earlier, t0 + 420)))).toBe('reused');
      }
    });
  });

  describe('a revocation', () => {
    it.each<[string, (reason: string) => Promise<unknown>]>([
      ['signed out', (reason) => d1Storage(db).revoke(grant1, reason, t0 + 300)],
      [
        'removed at its provider',
        (reason) => d1Storage(db).revokeGrantsOfIdentity(adasUpstreamToken, reason, t0 + 300),
      ],
      ['code replayed', () => d1Storage(db).redeemCode(redemption({ now: t0 + 300 }))],
      [
        'refresh token reused',
        () => d1Storage(db).refresh(grantRefresh(0, t0 + 300, { lateRefresh: 'revoke' })),
      ],
    ])('stores its time and reason: %s', async (reason, revokeGrant) => {
      await signInAndRedeem(d1Storage(db), { identity: adasUpstreamToken });
      await d1Storage(db).refresh(grantRefresh(0, t0 + 100));
      await revokeGrant(reason);
      expect(await readRows('grants')).toMatchObject([{ revoked_at: t0 + 300, revoked_reason: reason }]);
    });
  });

  describe('deleting a user', () => {
    it('deletes identities and grants of this user only', async () => {
      const storage = d1Storage(db);
      await signInAndRedeem(storage);
      await storage.recordSignIn(
        signIn({
          grantId: 'grant-2',
          identity: { subject: 'bob' },
          user: { kind: 'by-identity', newId: 'user-2' },
        }),
      );
      await db.prepare("DELETE FROM users WHERE id = 'user-1'").run();
      expect(await readAllRows()).toMatchObject({
        users: [{ id: 'user-2' }],
        identities: [{ subject: 'bob' }],
        grants: [{ id: 'grant-2' }],
      });
    });
  });
});

describe('random calls', () => {
  /** A call that is made on both implementations. */
  type Call = (storage: CompleteStorage) => Promise<unknown>;

  interface CallContext {
    readonly now: number;
    /** An ID that no user has. */
    readonly newId: string;
    /** The generation that each grant returned last. Calls update it. */
    readonly generations: Map<string, number>;
  }

  const grantId = fc.constantFrom('grant-1', 'grant-1', 'grant-1', 'grant-2', 'grant-3');
  const clientId = fc.constantFrom(
    'chatgpt',
    'chatgpt',
    'chatgpt',
    'chatgpt',
    'chatgpt',
    'claude',
    'account',
    'account',
  );
  const userId = fc.constantFrom('user-1', 'user-1', 'their-7');
  const subject = fc.constantFrom('ada', 'ada', 'bob');
  const sealedRefreshToken = fc.constantFrom('sealed-1', 'sealed-2');
  const tokenIdentifier = fc.constantFrom('name-1', 'name-2', 'name-3');
  const tokenIdentifiers = fc.oneof(fc.tuple(tokenIdentifier), fc.tuple(tokenIdentifier, tokenIdentifier));
  const sid = fc.constantFrom('sid-1', 'sid-2');

  /** Identifiers occur only together with a token. */
  const token = fc.record({ sealedRefreshToken, tokenIdentifiers }, { requiredKeys: ['sealedRefreshToken'] });

  const flattenToken = <Value extends { readonly token?: object }>({ token, ...value }: Value) => ({
    ...value,
    ...token,
  });
  const refreshPolicy = fc.constantFrom('none', 'stable', 'rotating', 'rotating');
  /** Few, so that many are used again. The clients have different names, and are retained for a while or not. */
  const assertion = fc.record({
    clientId,
    jti: fc.constantFrom('assertion-1', 'assertion-2', 'assertion-3', 'assertion-4'),
    retainUntil: fc.constantFrom(t0, t0 + 60, t0 + 3600),
  });
  const assertionOption = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ assertion }) },
  );
  /** Usually the same, so that most calls are not refused because the provider was changed. */
  const namespace = fc.constantFrom(...Array(9).fill(subjectNamespace), 'https://other.example');
  const client = fc.record({
    id: clientId,
    name: fc.constantFrom('One', 'Other'),
    metadata: fc.constantFrom('{}', '[]'),
    retainUntil: fc.constantFrom(t0, t0 + 60, t0 + 86_400),
  });

  const recordSignIn = fc
    .record({
      ...{ grantId, clientId, refreshPolicy, isResolved: fc.boolean(), subjectNamespace: namespace },
      limits: fc.constantFrom({}, {}, {}, { signIns: 1 }, { signIns: 2, period: 10 }, { activeGrants: 1 }),
      upstreamSession: fc.record({ sid }, { requiredKeys: [] }),
      sessionOption: fc.record({ session: grantId }, { requiredKeys: [] }),
      clientOption: fc.record({ client }, { requiredKeys: [] }),
      identity: fc.record({ subject, token }, { requiredKeys: ['subject'] }).map(flattenToken),
    })
    .map(
      ({ isResolved, upstreamSession, sessionOption, clientOption, ...changes }) =>
        ({ now, newId }: CallContext): Call => {
          const user = isResolved
            ? { kind: 'resolved' as const, id: 'their-7' }
            : { kind: 'by-identity' as const, newId };
          return async (storage) => {
            const outcome = await storage.recordSignIn({
              ...signIn({ ...changes, ...upstreamSession, ...clientOption, user, now }),
              ...sessionOption,
            });
            // A sign-in that continues in a session generates the grant's ID just before, so outside a test it never exists yet.
            return sessionOption.session !== undefined && outcome.kind === 'replayed'
              ? { kind: 'session-ended' }
              : outcome;
          };
        },
    );

  const redeemCode = fc.record({ grantId, clientId, assertionOption }).map(
    ({ assertionOption: used, ...changes }) =>
      ({ now, generations }: CallContext): Call =>
      async (storage) => {
        const outcome = await storage.redeemCode(
          redemption({ ...changes, ...used, now, codeExpiresAt: now + 1 }),
        );
        if (outcome.kind === 'redeemed') generations.set(changes.grantId, 0);
        return outcome;
      },
  );

  const lateRefresh = fc.constantFrom('recover', 'recover', 'revoke');
  const grace = fc.constantFrom(120, 120, 120, 0);
  const claims = fc.constantFrom({}, { plan: 'pro' });
  const claimsOption = fc.record({ claims }, { requiredKeys: [] });

  const refresh = fc
    .record({
      ...{ grantId, clientId, lateRefresh, grace, assertionOption, claimsOption },
      generationsBack: fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 2, -1),
    })
    .map(
      ({ generationsBack, assertionOption: used, claimsOption: changedClaims, ...changes }) =>
        ({ now, generations }: CallContext): Call => {
          const generation = Math.max(0, (generations.get(changes.grantId) ?? 0) - generationsBack);
          return async (storage) => {
            const outcome = await storage.refresh(
              grantRefresh(generation, now, { ...changes, ...used, ...changedClaims }),
            );
            if (outcome.kind === 'refreshed') generations.set(changes.grantId, outcome.grant.generation);
            return outcome;
          };
        },
    );

  const readRefreshable = fc
    .record({ grantId, clientId, lateRefresh, grace, generationsBack: fc.constantFrom(0, 0, 1, 1, 2, -1) })
    .map(({ generationsBack, ...changes }) => ({ now, generations }: CallContext): Call => {
      const generation = Math.max(0, (generations.get(changes.grantId) ?? 0) - generationsBack);
      return (storage) => storage.readRefreshable(grantRefresh(generation, now, changes));
    });

  const recordAssertion = assertion.map((used) => (): Call => (storage) => storage.recordAssertion(used));

  const readClient = clientId.map((id) => (): Call => (storage) => storage.readClient(id));

  const deleteClient = clientId.map((id) => (): Call => (storage) => storage.deleteClient(id));

  const readGrantStatus = grantId.map((id) => (): Call => (storage) => storage.readGrantStatus(id));

  const claimCode = grantId.map(
    (id) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.claimCode({ grantId: id, now }),
  );

  const usedToken = fc.record({ provider: fc.constant('google'), subject, sealedRefreshToken });

  const storeUpstreamToken = fc
    .record({ usedToken, identifiers: fc.record({ tokenIdentifiers }, { requiredKeys: [] }) })
    .map(
      ({ usedToken: token, identifiers }) =>
        (): Call =>
        (storage) =>
          storage.storeUpstreamToken({ ...token, ...identifiers }),
    );

  const recordRecheck = fc
    .record(
      { usedToken, token, recheckDelay: fc.constantFrom(0, 60, 600) },
      { requiredKeys: ['usedToken', 'recheckDelay'] },
    )
    .map(flattenToken)
    .map(
      ({ recheckDelay, ...recheck }) =>
        ({ now }: CallContext): Call =>
        (storage) =>
          storage.recordRecheck({ ...recheck, recheckAfter: now + recheckDelay }),
    );

  const revokeGrantsOfIdentity = usedToken.map(
    (token) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.revokeGrantsOfIdentity(token, 'revoked', now),
  );

  const resolveRecheck = usedToken.map((token) => (): Call => (storage) => storage.resolveRecheck(token));

  const dropUpstreamToken = fc.record({ usedToken, limit: fc.constantFrom(0, 600, 86_400) }).map(
    ({ usedToken: token, limit }) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.dropUpstreamToken({
          ...{ usedToken: token, startedAt: now - 3, now, refreshableUntil: now + limit },
          reason: 'inconclusive',
        }),
  );

  const revoke = fc
    .oneof(
      fc.record({ kind: fc.constant('grant' as const), id: grantId }),
      fc.record({ kind: fc.constant('user' as const), id: userId }),
      fc.record({ kind: fc.constant('client' as const), id: clientId }),
    )
    .map(
      (target) =>
        ({ now }: CallContext): Call =>
        (storage) =>
          storage.revoke(target, 'signed out', now),
    );

  const readRevocations = fc
    .record({ cursor: fc.constantFrom(undefined, undefined, 0, 1, 2), limit: fc.constantFrom(1, 2, 100) })
    .map(
      ({ cursor, limit }) =>
        ({ now }: CallContext): Call =>
        async (storage) => {
          const page = await storage.readRevocations(cursor, now, limit);
          return page.kind === 'page' ? { ...page, revocations: sortRows(page.revocations) } : page;
        },
    );

  /** Revocations that were appended at once have no order among themselves. */
  const sortRows = <Row>(rows: readonly Row[]): readonly Row[] =>
    rows.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));

  const isRevoked = fc.record({ grantId, clientId, userId, age: fc.constantFrom(0, 1, 10, 100, 1000) }).map(
    ({ age, ...origin }) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.isRevoked(accessToken({ ...origin, issuedAt: now - age }), now),
  );

  const useSession = grantId.map(
    (id) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.useSession({ grantId: id, now, idleExpiresAt: now + 600 }),
  );

  const acquireRecheckLease = subject.map(
    (name) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.acquireRecheckLease({ provider: 'google', subject: name, now, recheckLeaseDuration: 60 }),
  );

  const readAccount = userId.map(
    (id) => (): Call => async (storage) => {
      const account = await storage.readAccount(id);
      // Rows of the same second have no order among themselves.
      return (
        account && { ...account, grants: sortRows(account.grants), identities: sortRows(account.identities) }
      );
    },
  );

  const findUser = subject.map(
    (name) => (): Call => (storage) => storage.findUser({ provider: 'google', subject: name }),
  );

  const linkIdentity = fc
    .record({
      userId,
      session: grantId,
      subjectNamespace: namespace,
      identity: fc.record({ subject, token }, { requiredKeys: ['subject'] }).map(flattenToken),
    })
    .map(
      ({ identity, ...link }) =>
        ({ now }: CallContext): Call =>
        (storage) =>
          storage.linkIdentity({
            ...link,
            identity: { provider: 'google', ...identity },
            now,
          }),
    );

  const unlinkIdentity = fc.record({ userId, subject }).map(
    (unlink) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.unlinkIdentity({ ...unlink, provider: 'google', now }),
  );

  const revokeGrants = fc.record({ userId, grantIds: fc.array(grantId, { maxLength: 3 }) }).map(
    (revocation) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.revokeGrants({ ...revocation, reason: 'disconnected', now }),
  );

  const deleteUser = userId.map(
    (id) =>
      ({ now }: CallContext): Call =>
      (storage) =>
        storage.deleteUser({ userId: id, actor: 'user', now }),
  );

  const findUpstreamTokens = fc
    .record(
      {
        prefixes: fc.array(fc.constantFrom('sealed-1', 'sealed-', 'sealed-3', 'x')),
        after: fc.record({ provider: fc.constantFrom('github', 'google'), subject }),
        limit: fc.constantFrom(1, 2, 10),
      },
      { requiredKeys: ['prefixes', 'limit'] },
    )
    .map((query) => (): Call => (storage) => storage.findUpstreamTokens(query));

  const replaceUpstreamTokens = fc
    .array(
      usedToken.map(({ sealedRefreshToken: previous, ...identity }) => ({
        ...identity,
        previous,
        sealedRefreshToken: 'sealed-3',
      })),
      {
        maxLength: 2,
      },
    )
    .map(
      (tokens) =>
        ({ now }: CallContext): Call =>
        (storage) =>
          storage.replaceUpstreamTokens({ tokens, now, recheckLeaseDuration: 60 }),
    );
  const target = fc.oneof(
    fc.record({ kind: fc.constant('identity' as const), subject }),
    fc.record({ kind: fc.constant('session' as const), sid, subject }, { requiredKeys: ['kind', 'sid'] }),
    fc.record({ kind: fc.constant('token' as const), identifier: tokenIdentifier }),
  );

  const recordSecurityEvent = fc
    .record({
      jti: fc.constantFrom('event-1', 'event-2', 'event-3', 'event-4'),
      age: fc.constantFrom(0, 0, 1, 100),
      revocationScope: fc.constantFrom('sessions', 'online-grants', 'grants', 'identity'),
      targets: fc.array(target, { minLength: 1, maxLength: 2 }),
      eventNamespace: namespace,
    })
    .map(
      ({ jti, age, revocationScope, targets, eventNamespace }) =>
        ({ now }: CallContext): Call =>
        (storage) =>
          storage.recordSecurityEvent({
            ...{
              provider: 'google',
              subjectNamespace: eventNamespace,
              jti,
              retainUntil: now + 600,
              signedInBefore: now - age,
              reason: 'a security event',
              now,
            },
            revocations: targets.map((one) => ({ target: one, revocationScope })),
          }),
    );

  const cleanup = fc
    .constantFrom<readonly [string, ...string[]]>(['key-1'], ['key-1', 'key-2'], ['key-2', 'key-1'])
    .map(
      (ringKeys) =>
        ({ now }: CallContext): Call =>
        (storage) =>
          storage.cleanUp({ ...buildCleanup(now), sealingKey: ringKeys[0], ringKeys }),
    );

  const call = fc.oneof(
    { weight: 4, arbitrary: recordSignIn },
    { weight: 3, arbitrary: redeemCode },
    { weight: 12, arbitrary: refresh },
    { weight: 3, arbitrary: readRefreshable },
    { weight: 1, arbitrary: recordAssertion },
    { weight: 2, arbitrary: readClient },
    { weight: 1, arbitrary: deleteClient },
    { weight: 2, arbitrary: readGrantStatus },
    { weight: 2, arbitrary: claimCode },
    { weight: 1, arbitrary: storeUpstreamToken },
    { weight: 2, arbitrary: recordRecheck },
    { weight: 1, arbitrary: revokeGrantsOfIdentity },
    { weight: 1, arbitrary: resolveRecheck },
    { weight: 1, arbitrary: dropUpstreamToken },
    { weight: 1, arbitrary: revoke },
    { weight: 3, arbitrary: readRevocations },
    { weight: 3, arbitrary: isRevoked },
    { weight: 2, arbitrary: findUpstreamTokens },
    { weight: 1, arbitrary: replaceUpstreamTokens },
    { weight: 1, arbitrary: cleanup },
    { weight: 3, arbitrary: useSession },
    { weight: 2, arbitrary: acquireRecheckLease },
    { weight: 3, arbitrary: readAccount },
    { weight: 1, arbitrary: findUser },
    { weight: 2, arbitrary: linkIdentity },
    { weight: 1, arbitrary: unlinkIdentity },
    { weight: 1, arbitrary: revokeGrants },
    { weight: 1, arbitrary: deleteUser },
    { weight: 2, arbitrary: recordSecurityEvent },
  );

  /** Steps around the limits of the contract, and backwards, as between the clocks of two servers. */
  const wait = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(-3, 0, 0, 1, 1, 1, 10, 11) },
    { weight: 3, arbitrary: fc.constantFrom(119, 120, 121, 600) },
    { weight: 1, arbitrary: fc.constantFrom(1799, 1800, 3600, 86_400, 30 * 86_400) },
  );

  const sequences = fc.array(fc.tuple(wait, call), { minLength: 10, maxLength: 50, size: 'max' });

  it('D1 and memory storage return the same for any sequence of calls', () =>
    fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        const d1 = accountStorage(d1Storage(await emptyD1()));
        const memory = memoryStorage();
        for (const storage of [d1, memory]) await signInAndRedeem(storage, { identity: adasUpstreamToken });
        const generations = new Map<string, number>();
        let now = t0 + 1;
        for (const [index, [elapsed, makeCall]] of sequence.entries()) {
          now += elapsed;
          const callStorage = makeCall({ now, newId: `user-${index + 2}`, generations });
          expect(await callStorage(d1)).toEqual(await callStorage(memory));
        }
      }),
      { numRuns: 50 },
    ));
});

describe('failures', () => {
  /** A D1 that prepares statements, which works without a connection, and fails at everything else. */
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

  describe('an unreachable database', () => {
    it.each(everyMethod)('causes StorageUnavailable with the original cause: %s', async (_, call) => {
      const failure = new Error('D1_ERROR: Network connection lost.');
      const error = await catchError(call(accountStorage(d1Storage(createUnreachable(env.DB, failure)))));
      expect(error).toBeInstanceOf(StorageUnavailable);
      expect(error).toHaveProperty('cause', failure);
    });
  });

  describe('a database without the migrations', () => {
    it.each(everyMethod)('causes StorageUnavailable, with a message without SQL: %s', async (_, call) => {
      const error = await catchError(call(accountStorage(d1Storage(env.UNMIGRATED))));
      expect(error).toBeInstanceOf(StorageUnavailable);
      expect(String(error)).toBe('StorageUnavailable: the database failed');
      expect(error).toHaveProperty('cause.message', expect.stringContaining('no such table'));
    });
  });

  describe('a failure in the middle of a batch', () => {
    it('stores nothing of a sign-in', async () => {
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
      expect(await d1Storage(db).recordSignIn(signIn())).toMatchObject({
        kind: 'recorded',
        userId: 'user-1',
      });
    });

    it('keeps a grant active whose revocation could not be stored', async () => {
      const db = await emptyD1();
      const storage = accountStorage(d1Storage(db));
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
});
