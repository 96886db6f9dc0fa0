/** The storage contract for security events: each applies once, and revokes only grants of its target. */

import type { RequestedRevocation, RevocationScope, SecurityEventTarget } from '../../oauth/identifiers.ts';
import type {
  BrokerStorage,
  CompleteStorage,
  NewUpstreamToken,
  ReceivedSecurityEvent,
} from '../../storage/broker-storage.ts';
import { equal, hasLength, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  buildDueCleanup,
  countValues,
  day,
  fiftyIndexes,
  grantRefresh,
  inactive,
  listActiveRevocations,
  type NamedChange,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';
import { continueInSession, createSession, createStorageWithSession, useAccountSession } from './sessions.ts';

const now = t0 + 100;
const ada: SecurityEventTarget = { kind: 'identity', subject: 'ada' };

const securityEvent = (
  revocations: readonly RequestedRevocation[],
  overrides: Partial<ReceivedSecurityEvent> = {},
): ReceivedSecurityEvent => ({
  provider: 'google',
  subjectNamespace,
  jti: 'event-1',
  retainUntil: now + day,
  signedInBefore: now,
  revocations,
  reason: 'a security event',
  now,
  ...overrides,
});

const recordEvent = (
  storage: BrokerStorage,
  target: SecurityEventTarget,
  revocationScope: RevocationScope = 'grants',
  overrides: Partial<ReceivedSecurityEvent> = {},
) => storage.recordSecurityEvent(securityEvent([{ target, revocationScope }], overrides));

/** Returns the IDs of a user's revoked grants, sorted. */
const listRevokedGrants = async (storage: CompleteStorage, userId = 'user-1'): Promise<readonly string[]> => {
  const account = await storage.readAccount(userId);
  const grants = (account?.grants ?? []).filter(({ revokedAt }) => revokedAt !== undefined);
  return grants.map(({ id }) => id).toSorted();
};

/** Ada in `sid-1` of the provider: an account session, an online grant, and one with offline access. */
const createStorageWithGrants = async (createStorage: CreateStorage): Promise<CompleteStorage> => {
  const storage = await createStorage();
  await createSession(storage, { grantId: 'session', sid: 'sid-1' });
  await signInAndRedeem(storage, { grantId: 'now', refreshPolicy: 'none', sid: 'sid-1' });
  await signInAndRedeem(storage, { grantId: 'later', refreshPolicy: 'rotating', sid: 'sid-1' });
  return storage;
};

/** Returns the tests of `recordSecurityEvent`. */
export const securityEventTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...replayTests(createStorage),
  ...revocationScopeTests(createStorage),
  ...targetTests(createStorage),
  ...tokenTargetTests(createStorage),
  ...retentionTests(createStorage),
];

const replayTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('applies a security event once: a repeated one changes nothing', async () => {
    const storage = await createStorageWithGrants(createStorage);
    equal(await recordEvent(storage, { kind: 'session', sid: 'sid-9' }), 'recorded');
    equal(await recordEvent(storage, ada), 'replayed');
    equal(await listRevokedGrants(storage), []);
    equal(await listActiveRevocations(storage, now), []);
  }),

  test('applies only one of 50 concurrent deliveries', async () => {
    const storage = await createStorageWithGrants(createStorage);
    equal(countValues(await Promise.all(fiftyIndexes.map(() => recordEvent(storage, ada)))), {
      recorded: 1,
      replayed: 49,
    });
    hasLength(await listActiveRevocations(storage, now), 1);
  }),

  test('distinguishes security events of two providers, and two events of one provider', async () => {
    const storage = await createStorageWithGrants(createStorage);
    equal(await recordEvent(storage, ada, 'grants', { provider: 'github' }), 'recorded');
    equal(await listRevokedGrants(storage), []);
    equal(await recordEvent(storage, ada, 'sessions'), 'recorded');
    equal(await recordEvent(storage, ada, 'grants', { jti: 'event-2' }), 'recorded');
    equal(await listRevokedGrants(storage), ['later', 'now', 'session']);
  }),

  test('recognizes a repeated security event that revoked nothing', async () => {
    const storage = await createStorage();
    equal(await storage.recordSecurityEvent(securityEvent([])), 'recorded');
    equal(await storage.recordSecurityEvent(securityEvent([])), 'replayed');
  }),
];

const revocationScopeTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...(
    [
      ['sessions', ['session']],
      ['online-grants', ['now', 'session']],
      ['grants', ['later', 'now', 'session']],
      ['identity', ['later', 'now', 'session']],
    ] as const
  ).map(([revocationScope, expected]) =>
    test(`revokes according to its scope: ${revocationScope}`, async () => {
      const storage = await createStorageWithGrants(createStorage);
      await recordEvent(storage, ada, revocationScope);
      equal(await listRevokedGrants(storage), expected);
      equal(await useAccountSession(storage, now, 'session'), undefined);
    }),
  ),

  test('appends one revocation for all grants that have an unexpired access token', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await signInAndRedeem(storage, { grantId: 'old', now: t0 - accessTokenLifetime - 10 });
    await storage.recordSignIn(signIn({ grantId: 'unredeemed' }));
    await recordEvent(storage, ada);
    equal(await listActiveRevocations(storage, now), [
      { kind: 'user', id: 'user-1', revokedAt: t0 + 1, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
    equal(await storage.isRevoked(token({ grantId: 'now' }), now), true);
    equal(await storage.refresh(grantRefresh(0, now, { grantId: 'later' })), inactive);
    equal(await listRevokedGrants(storage), ['later', 'now', 'old', 'session', 'unredeemed']);
  }),

  test('applies every revocation of an event that has several', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await signInAndRedeem(storage, {
      grantId: 'bobs',
      identity: { subject: 'bob' },
      user: { kind: 'by-identity', newId: 'bob' },
    });
    const bob: SecurityEventTarget = { kind: 'identity', subject: 'bob' };
    await storage.recordSecurityEvent(
      securityEvent([
        { target: ada, revocationScope: 'sessions' },
        { target: bob, revocationScope: 'grants' },
      ]),
    );
    equal(await listRevokedGrants(storage), ['session']);
    equal(await listRevokedGrants(storage, 'bob'), ['bobs']);
  }),

  test('does not revoke grants that started after the event', async () => {
    const storage = await createStorageWithGrants(createStorage);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await signInAndRedeem(storage, {
      grantId: 'back-again',
      identity,
      now: t0 + 51,
      refreshPolicy: 'stable',
    });
    await recordEvent(storage, ada, 'identity', { signedInBefore: t0 + 50 });
    equal(await listRevokedGrants(storage), ['later', 'now', 'session']);
    const outcome = await storage.refresh(grantRefresh(0, now, { grantId: 'back-again' }));
    matches(outcome, { kind: 'refreshed', recheck: { ...adasUpstreamToken, ...identity } });
  }),

  test('does not treat continuing in a session as a new sign-in', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await continueInSession(storage, t0 + 51);
    await recordEvent(storage, ada, 'identity', { signedInBefore: t0 + 50 });
    equal(await listRevokedGrants(storage), ['grant-2', 'session-1']);
    await signInAndRedeem(storage, { grantId: 'back-again', now: now + 1, refreshPolicy: 'stable' });
    const outcome = await storage.refresh(grantRefresh(0, now + 3, { grantId: 'back-again' }));
    equal([outcome.kind, 'recheck' in outcome], ['refreshed', false]);
  }),

  test('does not revoke grants of a session that started after the event', async () => {
    const storage = await createStorageWithSession(createStorage);
    await continueInSession(storage, t0 + 51);
    await recordEvent(storage, ada, 'identity', { signedInBefore: t0 - 1 });
    equal(await listRevokedGrants(storage), []);
  }),
];

const targetTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('finds users by their subject at the provider, and by nothing else', async () => {
    const storage = await createStorageWithGrants(createStorage);
    const sameUser = { user: { kind: 'resolved', id: 'user-1' } } as const;
    await signInAndRedeem(storage, { grantId: 'elsewhere', identity: { provider: 'github' }, ...sameUser });
    for (const [index, subject] of ['user-1', 'ADA', '', 'sid-1'].entries())
      await recordEvent(storage, { kind: 'identity', subject }, 'identity', { jti: `event-${index}` });
    equal(await listRevokedGrants(storage), []);
    await recordEvent(storage, ada, 'identity', { jti: 'event-5' });
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, now, { grantId: 'elsewhere' }))),
      'continued 1',
    );
  }),

  test('revokes the named session at the provider, and no other session of the user', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await signInAndRedeem(storage, { grantId: 'other-browser', sid: 'sid-2' });
    await signInAndRedeem(storage, { grantId: 'nameless' });
    await recordEvent(storage, { kind: 'session', sid: 'sid-1' });
    equal(await listRevokedGrants(storage), ['later', 'now', 'session']);
  }),

  test('revokes a session only if it belongs to the user who is named with it', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await recordEvent(storage, { kind: 'session', sid: 'sid-1', subject: 'bob' });
    equal(await listRevokedGrants(storage), []);
    await recordEvent(storage, { kind: 'session', sid: 'sid-1', subject: 'ada' }, 'grants', {
      jti: 'event-2',
    });
    equal(await listRevokedGrants(storage), ['later', 'now', 'session']);
  }),

  test('keeps the upstream token when a session ends', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable', sid: 'sid-1', identity: adasUpstreamToken });
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'stable' });
    await recordEvent(storage, { kind: 'session', sid: 'sid-1', subject: 'ada' }, 'identity');
    const outcome = await storage.refresh(grantRefresh(0, now, { grantId: 'grant-2' }));
    matches(outcome, { recheck: adasUpstreamToken });
  }),
];

const tokenWithIdentifiers = {
  ...adasUpstreamToken,
  tokenIdentifiers: ['start-1', 'digest-1'],
} as const satisfies NewUpstreamToken;

const buildTokenTarget = (identifier: string): SecurityEventTarget => ({ kind: 'token', identifier });

/** Returns whether a security event with this token identifier revokes the grant. */
const revokesGrant = async (storage: BrokerStorage, identifier: string): Promise<boolean> => {
  await recordEvent(storage, buildTokenTarget(identifier), 'identity', { jti: identifier });
  return (await storage.readRefreshable(grantRefresh(0, now))) === undefined;
};

/** What replaces a token by one that has an identifier. */
const replacements: readonly NamedChange[] = [
  [
    'a sign-in',
    (storage) =>
      storage.recordSignIn(
        signIn({
          grantId: 'grant-2',
          identity: { sealedRefreshToken: 'sealed-2', tokenIdentifiers: ['start-2'] },
        }),
      ),
  ],
  [
    'storeUpstreamToken',
    (storage) =>
      storage.storeUpstreamToken({
        ...adasUpstreamToken,
        sealedRefreshToken: 'sealed-2',
        tokenIdentifiers: ['start-2'],
      }),
  ],
  [
    'recordRecheck',
    (storage) =>
      storage.recordRecheck({
        usedToken: adasUpstreamToken,
        recheckAfter: t0 + 9,
        sealedRefreshToken: 'sealed-2',
        tokenIdentifiers: ['start-2'],
      }),
  ],
  [
    'linkIdentity',
    async (storage) => {
      await createSession(storage);
      const identity: NewUpstreamToken = {
        ...adasUpstreamToken,
        sealedRefreshToken: 'sealed-2',
        tokenIdentifiers: ['start-2'],
      };
      equal(
        await storage.linkIdentity({
          userId: 'user-1',
          session: 'session-1',
          identity,
          subjectNamespace,
          now: t0 + 5,
        }),
        'linked',
      );
    },
  ],
];

/** What replaces a token by one without identifiers. */
const replacementsWithoutIdentifiers: readonly NamedChange[] = [
  [
    'a sign-in',
    (storage) =>
      storage.recordSignIn(signIn({ grantId: 'grant-2', identity: { sealedRefreshToken: 'sealed-2' } })),
  ],
  [
    'storeUpstreamToken',
    (storage) => storage.storeUpstreamToken({ ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' }),
  ],
  [
    'recordRecheck',
    (storage) =>
      storage.recordRecheck({
        usedToken: adasUpstreamToken,
        recheckAfter: t0 + 9,
        sealedRefreshToken: 'sealed-2',
      }),
  ],
];

const tokenTargetTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...tokenWithIdentifiers.tokenIdentifiers.map((identifier) =>
    test(`finds the identity of the named token: ${identifier}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
      await signInAndRedeem(storage, {
        grantId: 'bobs',
        identity: {
          subject: 'bob',
          sealedRefreshToken: 'sealed-9',
          tokenIdentifiers: ['start-9', 'digest-9'],
        },
        user: { kind: 'by-identity', newId: 'bob' },
      });
      equal(await revokesGrant(storage, identifier), true);
      equal(await listRevokedGrants(storage, 'bob'), []);
      await signInAndRedeem(storage, { grantId: 'grant-2', now: now + 1 });
      const after = await storage.refresh(grantRefresh(0, now + 3, { grantId: 'grant-2' }));
      equal([after.kind, 'recheck' in after], ['refreshed', false]);
      await recordEvent(storage, buildTokenTarget(identifier), 'grants', {
        jti: 'again',
        signedInBefore: now + 9,
      });
      equal(await listRevokedGrants(storage), ['grant-1']);
    }),
  ),

  test('finds no user by the identifier of another provider’s token, nor by the token itself', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
    await recordEvent(storage, buildTokenTarget('start-1'), 'identity', { provider: 'github' });
    equal(await revokesGrant(storage, 'sealed-1'), false);
    equal(await revokesGrant(storage, '["start-1","digest-1"]'), false);
  }),

  ...replacements.map(([label, replace]) =>
    test(`finds a replaced token by its new identifier: ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
      await replace(storage);
      equal(await revokesGrant(storage, 'start-1'), false);
      equal(await revokesGrant(storage, 'digest-1'), false);
      equal(await revokesGrant(storage, 'start-2'), true);
    }),
  ),

  ...replacementsWithoutIdentifiers.map(([label, replace]) =>
    test(`deletes the identifiers of a token that is replaced by one without identifiers: ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
      await replace(storage);
      equal(await revokesGrant(storage, 'start-1'), false);
    }),
  ),

  test('keeps the identifiers if the token stays', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
    await storage.recordSignIn(signIn({ grantId: 'grant-2', identity: { label: 'Ada' } }));
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 9 });
    equal(await revokesGrant(storage, 'digest-1'), true);
  }),

  test('deletes the identifiers together with the token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 5);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 6 });
    await recordEvent(storage, buildTokenTarget('start-1'));
    equal(await listRevokedGrants(storage), ['grant-1']);
  }),
];

const retentionTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('recognizes a security event until it no longer needs to be stored', async () => {
    const storage = await createStorageWithGrants(createStorage);
    const unknownSession: SecurityEventTarget = { kind: 'session', sid: 'sid-9' };
    await recordEvent(storage, unknownSession);
    await storage.cleanUp(buildDueCleanup(now + day - 1));
    equal(await recordEvent(storage, unknownSession), 'replayed');
    await storage.cleanUp(buildDueCleanup(now + day));
    equal(await recordEvent(storage, unknownSession), 'recorded');
  }),
];
