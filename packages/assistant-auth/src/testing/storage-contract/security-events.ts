/** The storage contract for security events: each applies once, and revokes only grants of its target. */

import type { RequestedRevocation, RevocationScope, SecurityEventTarget } from '../../oauth/identifiers.ts';
import type { BrokerStorage, NewUpstreamToken, ReceivedSecurityEvent } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  buildCleanup,
  type CreateStorage,
  countValues,
  type DeclareTest,
  day,
  fiftyIndexes,
  grantRefresh,
  inactive,
  listActiveRevocations,
  signIn,
  signInAndRedeem,
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
const listRevokedGrants = async (storage: BrokerStorage, userId = 'user-1'): Promise<readonly string[]> => {
  const account = await storage.readAccount(userId);
  const grants = (account?.grants ?? []).filter(({ revokedAt }) => revokedAt !== undefined);
  return grants.map(({ id }) => id).toSorted();
};

/** Ada in `sid-1` of the provider: an account session, an online grant, and one with offline access. */
const createStorageWithGrants = async (createStorage: CreateStorage): Promise<BrokerStorage> => {
  const storage = await createStorage();
  await createSession(storage, { grantId: 'session', sid: 'sid-1' });
  await signInAndRedeem(storage, { grantId: 'now', refreshPolicy: 'none', sid: 'sid-1' });
  await signInAndRedeem(storage, { grantId: 'later', refreshPolicy: 'rotating', sid: 'sid-1' });
  return storage;
};

export const securityEventContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  replayContract(it, createStorage);
  revocationScopeContract(it, createStorage);
  targetContract(it, createStorage);
  tokenTargetContract(it, createStorage);
  retentionContract(it, createStorage);
};

const replayContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('applies a security event once: a repeated one changes nothing', async () => {
    const storage = await createStorageWithGrants(createStorage);
    expect(await recordEvent(storage, { kind: 'session', sid: 'sid-9' })).toBe('recorded');
    expect(await recordEvent(storage, ada)).toBe('replayed');
    expect(await listRevokedGrants(storage)).toEqual([]);
    expect(await listActiveRevocations(storage, now)).toEqual([]);
  });

  it('applies only one of 50 concurrent deliveries', async () => {
    const storage = await createStorageWithGrants(createStorage);
    expect(countValues(await Promise.all(fiftyIndexes.map(() => recordEvent(storage, ada))))).toEqual({
      recorded: 1,
      replayed: 49,
    });
    expect(await listActiveRevocations(storage, now)).toHaveLength(1);
  });

  it('distinguishes security events of two providers, and two events of one provider', async () => {
    const storage = await createStorageWithGrants(createStorage);
    expect(await recordEvent(storage, ada, 'grants', { provider: 'github' })).toBe('recorded');
    expect(await listRevokedGrants(storage)).toEqual([]);
    expect(await recordEvent(storage, ada, 'sessions')).toBe('recorded');
    expect(await recordEvent(storage, ada, 'grants', { jti: 'event-2' })).toBe('recorded');
    expect(await listRevokedGrants(storage)).toEqual(['later', 'now', 'session']);
  });

  it('recognizes a repeated security event that revoked nothing', async () => {
    const storage = await createStorage();
    expect(await storage.recordSecurityEvent(securityEvent([]))).toBe('recorded');
    expect(await storage.recordSecurityEvent(securityEvent([]))).toBe('replayed');
  });
};

const revocationScopeContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  for (const [revocationScope, expected] of [
    ['sessions', ['session']],
    ['online-grants', ['now', 'session']],
    ['grants', ['later', 'now', 'session']],
    ['identity', ['later', 'now', 'session']],
  ] as const)
    it(`revokes according to its scope: ${revocationScope}`, async () => {
      const storage = await createStorageWithGrants(createStorage);
      await recordEvent(storage, ada, revocationScope);
      expect(await listRevokedGrants(storage)).toEqual(expected);
      expect(await useAccountSession(storage, now, 'session')).toBeUndefined();
    });

  it('appends one revocation for all grants that have an unexpired access token', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await signInAndRedeem(storage, { grantId: 'old', now: t0 - accessTokenLifetime - 10 });
    await storage.recordSignIn(signIn({ grantId: 'unredeemed' }));
    await recordEvent(storage, ada);
    expect(await listActiveRevocations(storage, now)).toEqual([
      { kind: 'user', id: 'user-1', revokedAt: t0 + 1, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
    expect(await storage.isRevoked(token({ grantId: 'now' }), now)).toBe(true);
    expect(await storage.refresh(grantRefresh(0, now, { grantId: 'later' }))).toEqual(inactive);
    expect(await listRevokedGrants(storage)).toEqual(['later', 'now', 'old', 'session', 'unredeemed']);
  });

  it('applies every revocation of an event that has several', async () => {
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
    expect(await listRevokedGrants(storage)).toEqual(['session']);
    expect(await listRevokedGrants(storage, 'bob')).toEqual(['bobs']);
  });

  it('does not revoke grants that started after the event', async () => {
    const storage = await createStorageWithGrants(createStorage);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await signInAndRedeem(storage, {
      grantId: 'back-again',
      identity,
      now: t0 + 51,
      refreshPolicy: 'stable',
    });
    await recordEvent(storage, ada, 'identity', { signedInBefore: t0 + 50 });
    expect(await listRevokedGrants(storage)).toEqual(['later', 'now', 'session']);
    const outcome = await storage.refresh(grantRefresh(0, now, { grantId: 'back-again' }));
    expect(outcome).toMatchObject({ kind: 'refreshed', recheck: { ...adasUpstreamToken, ...identity } });
  });

  it('does not treat continuing in a session as a new sign-in', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await continueInSession(storage, t0 + 51);
    await recordEvent(storage, ada, 'identity', { signedInBefore: t0 + 50 });
    expect(await listRevokedGrants(storage)).toEqual(['grant-2', 'session-1']);
    await signInAndRedeem(storage, { grantId: 'back-again', now: now + 1, refreshPolicy: 'stable' });
    const outcome = await storage.refresh(grantRefresh(0, now + 3, { grantId: 'back-again' }));
    expect('recheck' in outcome).toBe(false);
  });

  it('does not revoke grants of a session that started after the event', async () => {
    const storage = await createStorageWithSession(createStorage);
    await continueInSession(storage, t0 + 51);
    await recordEvent(storage, ada, 'identity', { signedInBefore: t0 - 1 });
    expect(await listRevokedGrants(storage)).toEqual([]);
  });
};

const targetContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('finds users by their subject at the provider, and by nothing else', async () => {
    const storage = await createStorageWithGrants(createStorage);
    const sameUser = { user: { kind: 'resolved', id: 'user-1' } } as const;
    await signInAndRedeem(storage, { grantId: 'elsewhere', identity: { provider: 'github' }, ...sameUser });
    for (const [index, subject] of ['user-1', 'ADA', '', 'sid-1'].entries())
      await recordEvent(storage, { kind: 'identity', subject }, 'identity', { jti: `event-${index}` });
    expect(await listRevokedGrants(storage)).toEqual([]);
    await recordEvent(storage, ada, 'identity', { jti: 'event-5' });
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, now, { grantId: 'elsewhere' })))).toBe(
      'continued 1',
    );
  });

  it('revokes the named session at the provider, and no other session of the user', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await signInAndRedeem(storage, { grantId: 'other-browser', sid: 'sid-2' });
    await signInAndRedeem(storage, { grantId: 'nameless' });
    await recordEvent(storage, { kind: 'session', sid: 'sid-1' });
    expect(await listRevokedGrants(storage)).toEqual(['later', 'now', 'session']);
  });

  it('revokes a session only if it belongs to the user who is named with it', async () => {
    const storage = await createStorageWithGrants(createStorage);
    await recordEvent(storage, { kind: 'session', sid: 'sid-1', subject: 'bob' });
    expect(await listRevokedGrants(storage)).toEqual([]);
    await recordEvent(storage, { kind: 'session', sid: 'sid-1', subject: 'ada' }, 'grants', {
      jti: 'event-2',
    });
    expect(await listRevokedGrants(storage)).toEqual(['later', 'now', 'session']);
  });

  it('keeps the upstream token when a session ends', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable', sid: 'sid-1', identity: adasUpstreamToken });
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'stable' });
    await recordEvent(storage, { kind: 'session', sid: 'sid-1', subject: 'ada' }, 'identity');
    const outcome = await storage.refresh(grantRefresh(0, now, { grantId: 'grant-2' }));
    expect(outcome).toMatchObject({ recheck: adasUpstreamToken });
  });
};

const tokenTargetContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  const tokenWithIdentifiers = {
    ...adasUpstreamToken,
    tokenIdentifiers: ['start-1', 'digest-1'],
  } as const satisfies NewUpstreamToken;
  const buildTokenTarget = (identifier: string): SecurityEventTarget => ({ kind: 'token', identifier });

  /** Returns whether a security event with this token identifier revokes the grant. */
  const revokesGrant = async (storage: BrokerStorage, identifier: string): Promise<boolean> => {
    await recordEvent(storage, buildTokenTarget(identifier), 'identity', { jti: identifier });
    return !(await storage.isRefreshable(grantRefresh(0, now)));
  };

  for (const identifier of tokenWithIdentifiers.tokenIdentifiers)
    it(`finds the identity of the named token: ${identifier}`, async () => {
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
      expect(await revokesGrant(storage, identifier)).toBe(true);
      expect(await listRevokedGrants(storage, 'bob')).toEqual([]);
      await signInAndRedeem(storage, { grantId: 'grant-2', now: now + 1 });
      const after = await storage.refresh(grantRefresh(0, now + 3, { grantId: 'grant-2' }));
      expect('recheck' in after).toBe(false);
      await recordEvent(storage, buildTokenTarget(identifier), 'grants', {
        jti: 'again',
        signedInBefore: now + 9,
      });
      expect(await listRevokedGrants(storage)).toEqual(['grant-1']);
    });

  it('finds no user by the identifier of another provider’s token, nor by the token itself', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
    await recordEvent(storage, buildTokenTarget('start-1'), 'identity', { provider: 'github' });
    expect(await revokesGrant(storage, 'sealed-1')).toBe(false);
    expect(await revokesGrant(storage, '["start-1","digest-1"]')).toBe(false);
  });

  for (const [label, replace] of [
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
        expect(
          await storage.linkIdentity({ userId: 'user-1', session: 'session-1', identity, now: t0 + 5 }),
        ).toBe('linked');
      },
    ],
  ] satisfies readonly [string, (storage: BrokerStorage) => Promise<unknown>][])
    it(`finds a replaced token by its new identifier: ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
      await replace(storage);
      expect(await revokesGrant(storage, 'start-1')).toBe(false);
      expect(await revokesGrant(storage, 'digest-1')).toBe(false);
      expect(await revokesGrant(storage, 'start-2')).toBe(true);
    });

  for (const [label, replace] of [
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
  ] satisfies readonly [string, (storage: BrokerStorage) => Promise<unknown>][])
    it(`deletes the identifiers of a token that is replaced by one without identifiers: ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
      await replace(storage);
      expect(await revokesGrant(storage, 'start-1')).toBe(false);
    });

  it('keeps the identifiers if the token stays', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
    await storage.recordSignIn(signIn({ grantId: 'grant-2', identity: { label: 'Ada' } }));
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 9 });
    expect(await revokesGrant(storage, 'digest-1')).toBe(true);
  });

  it('deletes the identifiers together with the token', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: tokenWithIdentifiers });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 5);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 6 });
    await recordEvent(storage, buildTokenTarget('start-1'));
    expect(await listRevokedGrants(storage)).toEqual(['grant-1']);
  });
};

const retentionContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('recognizes a security event until it no longer needs to be stored', async () => {
    const storage = await createStorageWithGrants(createStorage);
    const unknownSession: SecurityEventTarget = { kind: 'session', sid: 'sid-9' };
    await recordEvent(storage, unknownSession);
    await storage.cleanUp(buildCleanup(now + day - 1));
    expect(await recordEvent(storage, unknownSession)).toBe('replayed');
    await storage.cleanUp(buildCleanup(now + day));
    expect(await recordEvent(storage, unknownSession)).toBe('recorded');
  });
};
