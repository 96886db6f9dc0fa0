/** The storage contract for the limits of a user: sign-ins in a period, active grants, and revocations. */

import { accountClientId } from '../../oauth/identifiers.ts';
import type { BrokerStorage, CompleteStorage } from '../../storage/broker-storage.ts';
import { equal, hasLength, isDefined, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  countValues,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  listActiveRevocations,
  type NamedChange,
  publisherUser,
  redemption,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';
import { continueInSession, createSession, createStorageWithSession, useAccountSession } from './sessions.ts';

type Overrides = NonNullable<Parameters<typeof signIn>[0]>;

const userByIdentity = (newId: string) => ({ kind: 'by-identity', newId }) as const;
const bob = { identity: { subject: 'bob' }, user: userByIdentity('user-2') } as const;
const threeSignIns = { signIns: 3 };
const limited = (retryAfter: number) => ({ kind: 'limited', retryAfter });

/** Signs Ada in three times, a second apart. */
const signInThreeTimes = async (
  createStorage: CreateStorage,
  overrides: Overrides = {},
): Promise<CompleteStorage> => {
  const storage = await createStorage();
  for (const n of [0, 1, 2])
    await storage.recordSignIn(signIn({ grantId: `first-${n}`, now: t0 + n, ...overrides }));
  return storage;
};

const signInAgain = (storage: BrokerStorage, overrides: Overrides = {}) =>
  storage.recordSignIn(signIn({ grantId: 'again', now: t0 + 3, limits: threeSignIns, ...overrides }));

/** Returns the tests of the limits of a user. */
export const userLimitTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...signInLimitTests(createStorage),
  ...limitExceptionTests(createStorage),
  ...activeGrantLimitTests(createStorage),
  ...userRevocationTests(createStorage),
];

const signInLimitTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('records sign-ins within a period up to the limit', async () => {
    const storage = await createStorage();
    const outcomes: string[] = [];
    for (const n of [0, 1, 2, 3, 4])
      outcomes.push((await signInAgain(storage, { grantId: `grant-${n}`, now: t0 + n })).kind);
    equal(outcomes, ['recorded', 'recorded', 'recorded', 'limited', 'limited']);
  }),

  test('returns how long to wait: until enough counted sign-ins are older than the period', async () => {
    const storage = await signInThreeTimes(createStorage);
    equal(await signInAgain(storage), limited(597));
    equal(await signInAgain(storage, { now: t0 + 599 }), limited(1));
    matches(await signInAgain(storage, { now: t0 + 600 }), { kind: 'recorded' });
    equal(await signInAgain(storage, { grantId: 'more', now: t0 + 600 }), limited(1));
    equal(await signInAgain(storage, { grantId: 'more', now: t0 + 600, limits: { signIns: 2 } }), limited(2));
  }),

  test('records only as many as the limit allows of 50 sign-ins at once', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(
      fiftyIndexes.map((n) => signInAgain(storage, { grantId: `grant-${n}` })),
    );
    equal(countValues(outcomes.map(({ kind }) => kind)), { recorded: 3, limited: 47 });
  }),

  test('counts all sign-ins of a user, with any identity and at any client', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ grantId: 'at-google', user: publisherUser }));
    await storage.recordSignIn(
      signIn({
        grantId: 'at-github',
        clientId: 'claude',
        user: publisherUser,
        identity: { provider: 'github' },
      }),
    );
    await createSession(storage, { user: publisherUser });
    const timing = { now: t0 + 5 };
    equal(await signInAgain(storage, { ...timing, identity: { provider: 'github' } }), limited(595));
    equal(
      await signInAgain(storage, { ...timing, identity: { provider: 'new' }, user: publisherUser }),
      limited(595),
    );
    matches(await continueInSession(storage, t0 + 5), { kind: 'recorded' });
  }),

  test('counts sign-ins that start in a session separately', async () => {
    const storage = await createStorageWithSession(createStorage);
    const continued = (grantId: string) => ({
      ...signIn({ grantId, now: t0 + 6, limits: { signIns: 1 } }),
      session: 'session-1',
    });
    matches(await storage.recordSignIn(continued('grant-2')), { kind: 'recorded' });
    equal(await storage.recordSignIn(continued('grant-3')), limited(600));
    // The session was a sign-in at the provider.
    equal(await signInAgain(storage, { now: t0 + 7, limits: { signIns: 1 } }), limited(593));
    matches(await signInAgain(storage, { now: t0 + 7, limits: { signIns: 2 } }), {
      kind: 'recorded',
    });
    isDefined(await useAccountSession(storage, t0 + 7));
  }),

  test('counts sign-ins whose grants have ended', async () => {
    const storage = await signInThreeTimes(createStorage);
    await storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3);
    equal(await signInAgain(storage), limited(597));
  }),

  test('does not count sign-ins of other users', async () => {
    const storage = await signInThreeTimes(createStorage);
    matches(await signInAgain(storage, bob), { kind: 'recorded', userId: 'user-2' });
    matches(await signInAgain(storage, { grantId: 'more', user: publisherUser }), {
      userId: 'their-7',
    });
  }),
];

const limitExceptionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('writes nothing if the limit is reached', async () => {
    const storage = await signInThreeTimes(createStorage, { identity: adasUpstreamToken });
    const before = await storage.readAccount('user-1');
    const identity = { label: 'New', sealedRefreshToken: 'sealed-2' };
    equal(await signInAgain(storage, { identity }), limited(597));
    equal(await storage.readGrantStatus('again'), 'unknown');
    equal(await storage.readAccount('user-1'), before);
    equal(await storage.findUpstreamTokens({ prefixes: ['sealed-2'], limit: 10 }), []);
  }),

  test('does not move an identity to a user who has reached the limit', async () => {
    const storage = await signInThreeTimes(createStorage, { user: publisherUser });
    await storage.recordSignIn(signIn({ grantId: 'bobs', ...bob }));
    equal(await signInAgain(storage, { ...bob, user: publisherUser }), limited(597));
    equal(await storage.findUser({ provider: 'google', subject: 'bob' }), 'user-2');
  }),

  test('still reports a replayed transaction and an ended session if the limit is reached', async () => {
    const storage = await signInThreeTimes(createStorage);
    equal(await signInAgain(storage, { grantId: 'first-1' }), { kind: 'replayed' });
    const continued = { ...signIn({ grantId: 'again', limits: threeSignIns }), session: 'session-1' };
    equal(await storage.recordSignIn(continued), { kind: 'session-ended' });
  }),

  test('does not count sign-ins that were refused', async () => {
    const storage = await signInThreeTimes(createStorage);
    for (const n of fiftyIndexes) await signInAgain(storage, { grantId: `refused-${n}`, now: t0 + n });
    matches(await signInAgain(storage, { now: t0 + 600 }), { kind: 'recorded' });
  }),
];

const listActiveGrants = async (storage: CompleteStorage): Promise<readonly string[]> => {
  const { grants = [] } = (await storage.readAccount('user-1')) ?? {};
  return grants.flatMap(({ id, revokedAt }) => (revokedAt === undefined ? [id] : [])).toSorted();
};

const limits = { activeGrants: 3 };

const activeGrantLimitTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('ends the least recently used grant if a sign-in adds one too many', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    await storage.refresh(grantRefresh(0, t0 + 50, { grantId: 'grant-1' }));
    await signInAndRedeem(storage, { grantId: 'grant-4', now: t0 + 60, limits });
    equal(await listActiveGrants(storage), ['grant-1', 'grant-3', 'grant-4']);
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 70, { grantId: 'grant-2' }))),
      'inactive',
    );
    equal(await listActiveRevocations(storage, t0 + 70), [
      { kind: 'grant', id: 'grant-2', revokedAt: t0 + 60, expiresAt: t0 + 3 + accessTokenLifetime },
    ]);
  }),

  test('never ends the new grant', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}` });
    await storage.recordSignIn(signIn({ grantId: 'a', now: t0 - 10, limits: { activeGrants: 1 } }));
    equal(await listActiveGrants(storage), ['a']);
  }),

  test('neither counts nor ends sessions', async () => {
    const storage = await createStorageWithSession(createStorage);
    await createSession(storage, { grantId: 'session-2' });
    for (const n of [1, 2, 3])
      await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + 10 + n, limits });
    await createSession(storage, { grantId: 'session-3', now: t0 + 20, limits });
    equal(await listActiveGrants(storage), [
      ...['grant-1', 'grant-2', 'grant-3'],
      ...['session-1', 'session-2', 'session-3'],
    ]);
  }),

  test('does not count grants that have ended or expired, or grants of other users', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { grantId: 'expired', refreshPolicy: 'none' });
    const now = t0 + 5000;
    await signInAndRedeem(storage, { grantId: 'revoked', now });
    await storage.revoke({ kind: 'grant', id: 'revoked' }, 'signed out', now + 2);
    await signInAndRedeem(storage, { ...bob, grantId: 'bobs', now });
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now, limits });
    equal(await listActiveGrants(storage), ['expired', 'grant-1', 'grant-2', 'grant-3']);
    matches((await storage.readAccount('user-2'))?.grants, [{ id: 'bobs' }]);
  }),

  test('ends several grants if the limit was lowered, with a revocation for each', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3, 4, 5]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    await signInAndRedeem(storage, { grantId: 'grant-6', now: t0 + 60, limits });
    equal(await listActiveGrants(storage), ['grant-4', 'grant-5', 'grant-6']);
    for (const grantId of ['grant-1', 'grant-2', 'grant-3'])
      equal(await storage.isRevoked(token({ grantId }), t0 + 60), true);
    equal(await storage.isRevoked(token({ grantId: 'grant-4' }), t0 + 60), false);
    hasLength(await listActiveRevocations(storage, t0 + 60), 3);
  }),

  test('ends each grant only once if two sign-ins happen in the same second', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    for (const grantId of ['grant-4', 'grant-5'])
      await storage.recordSignIn(signIn({ grantId, now: t0 + 60, limits }));
    equal(await listActiveGrants(storage), ['grant-3', 'grant-4', 'grant-5']);
    hasLength(await listActiveRevocations(storage, t0 + 60), 2);
  }),

  test('ends nothing for a sign-in that is not recorded', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
    const oneGrant = { activeGrants: 1 };
    await storage.recordSignIn(signIn({ grantId: 'new', now: t0 + 9, limits: { ...oneGrant, signIns: 1 } }));
    await storage.recordSignIn({ ...signIn({ grantId: 'new', limits: oneGrant }), session: 'nobody' });
    await storage.recordSignIn(signIn({ grantId: 'grant-3', now: t0 + 9, limits: oneGrant }));
    equal(await listActiveGrants(storage), ['grant-1', 'grant-2', 'grant-3']);
  }),
];

const now = t0 + 20;
const ada = { provider: 'google', subject: 'ada' } as const;
const cat = { provider: 'github', subject: '42' } as const;

/** Every method that can end several grants of a user. `unlinkIdentity` needs a second identity. */
const revokingCalls: readonly NamedChange[] = [
  [
    'revokeGrants',
    (storage) =>
      storage.revokeGrants({
        userId: 'user-1',
        grantIds: ['grant-1', 'grant-2'],
        reason: 'disconnected',
        now,
      }),
  ],
  ['deleteUser', (storage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now })],
  ['unlinkIdentity', (storage) => storage.unlinkIdentity({ userId: 'user-1', ...ada, now })],
  ['revokeGrantsOfIdentity', (storage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now)],
  [
    'recordSecurityEvent',
    (storage) =>
      storage.recordSecurityEvent({
        ...{
          provider: 'google',
          subjectNamespace,
          jti: 'event-1',
          retainUntil: now + 600,
          signedInBefore: now,
          reason: 'a security event',
          now,
        },
        revocations: [{ target: { kind: 'identity', subject: 'ada' }, revocationScope: 'identity' }],
      }),
  ],
];

/** Ada has a session, a second identity, and two grants with unexpired access tokens. */
const createStorageWithTwoGrants = async (createStorage: CreateStorage): Promise<CompleteStorage> => {
  const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
  await storage.linkIdentity({
    userId: 'user-1',
    session: 'session-1',
    identity: cat,
    subjectNamespace,
    now: t0 + 2,
  });
  for (const n of [1, 2]) await signInAndRedeem(storage, { grantId: `grant-${n}`, now: t0 + n });
  return storage;
};

/** Dated by the newest access token: no token that is issued later is revoked. */
const userRevocation = {
  kind: 'user',
  id: 'user-1',
  revokedAt: t0 + 3,
  expiresAt: t0 + 3 + accessTokenLifetime,
};

const userRevocationTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...revokingCalls.map(([label, revokeAll]) =>
    test(`appends one revocation for the user if all grants end: ${label}`, async () => {
      const storage = await createStorageWithTwoGrants(createStorage);
      await signInAndRedeem(storage, { ...bob, grantId: 'bobs' });
      await revokeAll(storage);
      equal(await listActiveRevocations(storage, now), [userRevocation]);
      for (const grantId of ['grant-1', 'grant-2'])
        equal(await storage.isRevoked(token({ grantId }), now), true);
      equal(await storage.isRevoked(token({ grantId: 'bobs', userId: 'user-2' }), now), false);
      equal(await storage.isRevoked(token({ grantId: 'new', issuedAt: now }), now), false);
    }),
  ),

  ...revokingCalls
    .filter(([name]) => name !== 'deleteUser')
    .map(([label, revokeAll]) =>
      test(`appends a revocation for each grant if another grant is still active: ${label}`, async () => {
        const storage = await createStorageWithTwoGrants(createStorage);
        await signInAndRedeem(storage, { grantId: 'left', identity: cat, user: userByIdentity('x') });
        await revokeAll(storage);
        const revocations = await listActiveRevocations(storage, now);
        equal(Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(), [
          'grant grant-1',
          'grant grant-2',
        ]);
        equal(await storage.isRevoked(token({ grantId: 'left' }), now), false);
      }),
    ),

  test('appends a revocation for each grant if the code of another grant has not been redeemed yet', async () => {
    const storage = await createStorageWithTwoGrants(createStorage);
    await storage.recordSignIn(signIn({ grantId: 'left', identity: cat, now: now - 1 }));
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now);
    hasLength(await listActiveRevocations(storage, now), 2);
    await storage.redeemCode(redemption({ grantId: 'left', now, codeExpiresAt: now + 1 }));
    equal(await storage.isRevoked(token({ grantId: 'left', issuedAt: now }), now), false);
  }),

  test('appends one revocation for the user if all other grants have expired', async () => {
    const storage = await createStorageWithTwoGrants(createStorage);
    const expired = { now: t0 - 2 * day, refreshPolicy: 'none' } as const;
    await signInAndRedeem(storage, { grantId: 'old', identity: cat, ...expired });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now);
    equal(await listActiveRevocations(storage, now), [userRevocation]);
  }),

  test('appends a revocation for the grant, without the user ID, if only one grant needs one', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'old', now: t0 - 5000 });
    await createSession(storage, { clientId: accountClientId });
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now });
    equal(await listActiveRevocations(storage, now), [
      { ...grant1, revokedAt: now, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
  }),

  ...[now, now + 5].map((at) =>
    test(`appends a separate revocation for a grant with a token from the same second, or from a server with a fast clock: ${at}`, async () => {
      for (const [, revokeAll] of revokingCalls.filter(([name]) => name !== 'revokeGrants')) {
        const storage = await createStorageWithTwoGrants(createStorage);
        await signInAndRedeem(storage, { grantId: 'grant-3', now: t0 + 1 });
        await storage.refresh(grantRefresh(0, at, { grantId: 'grant-3' }));
        await revokeAll(storage);
        const revocations = await listActiveRevocations(storage, now);
        equal(Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(), [
          'grant grant-3',
          'user user-1',
        ]);
        equal(await storage.isRevoked(token({ grantId: 'grant-3', issuedAt: at }), at), true);
        equal(await storage.isRevoked(token({ grantId: 'new', issuedAt: at }), at), false);
      }
    }),
  ),

  test('replaces earlier revocations of a user who is deleted', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    for (const round of [0, 1, 2]) {
      const grantIds = [1, 2].map((n) => `grant-${round}-${n}`);
      for (const grantId of grantIds) await signInAndRedeem(storage, { grantId, now: t0 + round });
      await storage.revokeGrants({
        userId: 'user-1',
        grantIds,
        reason: 'disconnected',
        now: t0 + 10 + round,
      });
    }
    hasLength(await listActiveRevocations(storage, now), 3);
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now });
    equal(await listActiveRevocations(storage, now), [
      { ...userRevocation, revokedAt: t0 + 3, expiresAt: t0 + 3 + accessTokenLifetime },
    ]);
  }),

  test('replaces the revocations of grants that were revoked before if the user is deleted', async () => {
    const storage = await createStorageWithTwoGrants(createStorage);
    await signInAndRedeem(storage, { grantId: 'grant-3', now: t0 + 3 });
    await signInAndRedeem(storage, { ...bob, grantId: 'bobs' });
    for (const id of ['grant-1', 'grant-2', 'bobs'])
      await storage.revoke({ kind: 'grant', id }, 'out', t0 + 9);
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now });
    const revocations = await listActiveRevocations(storage, now);
    equal(Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(), [
      'grant bobs',
      'user user-1',
    ]);
    for (const grantId of ['grant-1', 'grant-2', 'grant-3'])
      equal(await storage.isRevoked(token({ grantId, issuedAt: t0 + 4 }), now), true);
  }),

  test('appends revocations separately for each user if an identity moved from one user to another', async () => {
    const storage = await createStorage();
    for (const n of [1, 2])
      await signInAndRedeem(storage, { grantId: `grant-${n}`, identity: adasUpstreamToken });
    await signInAndRedeem(storage, { grantId: 'grant-3', user: publisherUser });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', now);
    const revocations = await listActiveRevocations(storage, now);
    equal(Array.isArray(revocations) && revocations.map(({ kind, id }) => `${kind} ${id}`).toSorted(), [
      'grant grant-3',
      'user user-1',
    ]);
  }),
];
