/** The storage contract for accounts: the data of a user, and what linking, unlinking and deleting change. */

import type { BrokerStorage, IdentityLink } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  type CreateStorage,
  countValues,
  type DeclareTest,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  inactive,
  listActiveRevocations,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';
import { createSession, createStorageWithSession, useAccountSession } from './sessions.ts';

const cat = { provider: 'github', subject: '42' } as const;
const catsToken = { ...cat, sealedRefreshToken: 'sealed-2' } as const;
const ada = { provider: 'google', subject: 'ada' } as const;

const link = (storage: BrokerStorage, overrides: Partial<IdentityLink> = {}) =>
  storage.linkIdentity({ userId: 'user-1', session: 'session-1', identity: cat, now: t0 + 5, ...overrides });

const unlink = (storage: BrokerStorage, identity: { provider: string; subject: string }, userId = 'user-1') =>
  storage.unlinkIdentity({ userId, ...identity, now: t0 + 10 });

const deleteUser = (storage: BrokerStorage, userId = 'user-1') =>
  storage.deleteUser({ userId, actor: 'user', now: t0 + 10 });

export const accountContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  readContract(it, createStorage);
  linkContract(it, createStorage);
  unlinkContract(it, createStorage);
  revokeGrantsContract(it, createStorage);
  deleteContract(it, createStorage);
};

const readContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('reads the data of a user, and of no other user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { identity: { label: 'Ada L.' } });
    await storage.recordSignIn(
      signIn({ grantId: 'grant-2', now: t0 + 9, identity: { sealedRefreshToken: 's' } }),
    );
    await signInAndRedeem(storage, {
      grantId: 'grant-3',
      identity: { subject: 'bob' },
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    await storage.revoke(grant1, 'signed out', t0 + 20);
    const grant = {
      clientId: 'chatgpt',
      redirectUri: 'https://chat.example/callback',
      scopes: ['score:read', 'score:write'],
      resource: 'https://words.example',
      claims: { plan: 'free', seats: 3, staff: false },
      identity: ada,
      refreshPolicy: 'rotating',
    };
    expect(await storage.readAccount('user-1')).toEqual({
      createdAt: t0,
      identities: [{ ...ada, label: 'Ada L.', hasUpstreamToken: true, createdAt: t0, lastSignInAt: t0 + 9 }],
      grants: [
        { ...grant, id: 'grant-2', createdAt: t0 + 9 },
        {
          ...grant,
          id: 'grant-1',
          createdAt: t0,
          revokedAt: t0 + 20,
          use: {
            redeemedAt: t0 + 1,
            lastUsedAt: t0 + 1,
            accessExpiresAt: t0 + 1 + accessTokenLifetime,
            refreshIdleExpiresAt: t0 + 1 + 30 * day,
          },
        },
      ],
    });
    expect(await storage.readAccount('nobody')).toBeUndefined();
  });

  it('orders entries of the same second by name', async () => {
    const storage = await createStorageWithSession(createStorage);
    for (const grantId of ['grant-c', 'grant-b'])
      await storage.recordSignIn(signIn({ grantId, now: t0 + 5 }));
    const linkedIdentities = [
      { ...cat, subject: 'zoe' },
      { ...cat, subject: 'Zoe' },
      { provider: 'apple', subject: 'zoe' },
    ];
    for (const identity of linkedIdentities) expect(await link(storage, { identity })).toBe('linked');
    const { identities, grants } = (await storage.readAccount('user-1')) ?? {};
    expect(identities?.map(({ provider, subject }) => ({ provider, subject }))).toEqual([
      { provider: ada.provider, subject: ada.subject },
      linkedIdentities[2],
      linkedIdentities[1],
      linkedIdentities[0],
    ]);
    expect(grants?.map(({ id }) => id).slice(0, 2)).toEqual(['grant-b', 'grant-c']);
  });

  it('counts a refresh as a use', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    expect((await storage.readAccount('user-1'))?.grants[0]?.use).toMatchObject({
      redeemedAt: t0 + 1,
      lastUsedAt: t0 + 100,
    });
  });

  it('finds the user of an identity', async () => {
    const storage = await createStorageWithSession(createStorage);
    expect(await storage.findUser(ada)).toBe('user-1');
    expect(await storage.findUser(cat)).toBeUndefined();
    expect(await storage.findUser({ ...ada, provider: 'github' })).toBeUndefined();
  });
};

const linkContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('links an identity, and later sign-ins with it are sign-ins of the same user', async () => {
    const storage = await createStorageWithSession(createStorage);
    expect(await link(storage, { identity: { ...catsToken, label: 'cat' } })).toBe('linked');
    expect(await storage.findUser(cat)).toBe('user-1');
    const laterSignIn = signIn({
      grantId: 'grant-9',
      identity: cat,
      user: { kind: 'by-identity', newId: 'x' },
    });
    expect(await storage.recordSignIn(laterSignIn)).toEqual({
      kind: 'recorded',
      userId: 'user-1',
      hasUpstreamToken: true,
    });
    expect((await storage.readAccount('user-1'))?.identities).toEqual([
      { ...ada, hasUpstreamToken: false, createdAt: t0, lastSignInAt: t0 },
      { ...cat, label: 'cat', hasUpstreamToken: true, createdAt: t0 + 5, lastSignInAt: t0 },
    ]);
  });

  it('links an identity that the user already has, and keeps stored values that the new one lacks', async () => {
    const storage = await createStorageWithSession(createStorage, {
      identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' },
    });
    expect(await link(storage, { identity: ada })).toBe('linked');
    expect((await storage.readAccount('user-1'))?.identities).toEqual([
      { ...ada, label: 'Ada L.', hasUpstreamToken: true, createdAt: t0, lastSignInAt: t0 + 5 },
    ]);
  });

  it('does not move an identity of another user', async () => {
    const storage = await createStorageWithSession(createStorage);
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity: catsToken,
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    expect(await link(storage, { identity: { ...cat, sealedRefreshToken: 'sealed-3' } })).toBe(
      'linked-to-other-user',
    );
    expect(await storage.findUser(cat)).toBe('user-2');
    expect(await storage.revokeGrantsOfIdentity(catsToken, 'revoked', t0 + 6)).toBe('revoked');
  });

  for (const [label, prepare, overrides] of [
    [
      'signed out',
      (storage: BrokerStorage) => storage.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2),
      {},
    ],
    ['deleted', (storage: BrokerStorage) => deleteUser(storage), {}],
    ['idle for too long', async () => {}, { now: t0 + 1 + 7 * day }],
    ['of another user', async () => {}, { userId: 'user-2' }],
    ['a grant of a client', (storage: BrokerStorage) => signInAndRedeem(storage), { session: 'grant-1' }],
  ] as const)
    it(`links nothing in a session that is ${label}`, async () => {
      const storage = await createStorageWithSession(createStorage);
      await prepare(storage);
      expect(await link(storage, overrides)).toBe('session-ended');
      expect(await storage.findUser(cat)).toBeUndefined();
    });

  it('links an identity to only one of two users who link it at the same time', async () => {
    const storage = await createStorageWithSession(createStorage);
    await createSession(storage, {
      ...{ grantId: 'session-2', identity: { subject: 'bob' } },
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    const outcomes = await Promise.all([
      link(storage),
      link(storage, { userId: 'user-2', session: 'session-2' }),
    ]);
    expect(countValues(outcomes)).toEqual({ linked: 1, 'linked-to-other-user': 1 });
  });
};

const unlinkContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('unlinks one of several identities, revokes its grants and sessions, and returns its upstream token', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await link(storage);
    await signInAndRedeem(storage);
    const userByIdentity = { kind: 'by-identity', newId: 'x' } as const;
    await signInAndRedeem(storage, { grantId: 'grant-2', identity: cat, user: userByIdentity });
    expect(await unlink(storage, ada)).toEqual({ kind: 'unlinked', token: adasUpstreamToken });
    expect(await storage.findUser(ada)).toBeUndefined();
    expect(await useAccountSession(storage, t0 + 11)).toBeUndefined();
    expect(await storage.refresh(grantRefresh(0, t0 + 11))).toEqual(inactive);
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
    expect(await storage.isRevoked(token(), t0 + 11)).toBe(true);
    expect(await storage.isRevoked(token({ grantId: 'grant-2' }), t0 + 11)).toBe(false);
  });

  it('never unlinks the last identity', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    expect(await unlink(storage, ada)).toEqual({ kind: 'last-identity' });
    expect(await storage.findUser(ada)).toBe('user-1');
    expect(await useAccountSession(storage, t0 + 11)).toBeDefined();
  });

  it('keeps one of two identities that are unlinked at the same time', async () => {
    const storage = await createStorageWithSession(createStorage);
    await link(storage);
    const outcomes = await Promise.all([unlink(storage, ada), unlink(storage, cat)]);
    expect(countValues(outcomes.map(({ kind }) => kind))).toEqual({ unlinked: 1, 'last-identity': 1 });
  });

  it('unlinks no identity of another user, and none that does not exist', async () => {
    const storage = await createStorageWithSession(createStorage);
    await link(storage);
    expect(await unlink(storage, cat, 'user-2')).toEqual({ kind: 'unknown' });
    expect(await unlink(storage, { ...cat, subject: '43' })).toEqual({ kind: 'unknown' });
    expect((await storage.readAccount('user-1'))?.identities).toHaveLength(2);
  });

  it('unlinks no identity of another user for a user with several identities', async () => {
    const storage = await createStorageWithSession(createStorage);
    await link(storage);
    const bob = { provider: 'google', subject: 'bob' } as const;
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity: bob,
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    expect(await unlink(storage, bob)).toEqual({ kind: 'unknown' });
    expect(await storage.findUser(bob)).toBe('user-2');
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
  });
};

const revokeGrantsContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('revokes only the named grants of the user, and appends a revocation for each', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}` });
    const bob = { identity: { subject: 'bob' }, user: { kind: 'by-identity', newId: 'user-2' } } as const;
    await signInAndRedeem(storage, { grantId: 'grant-4', ...bob });
    const grantIds = ['grant-1', 'grant-2', 'grant-4', 'nobody'];
    await storage.revokeGrants({ userId: 'user-1', grantIds, reason: 'disconnected', now: t0 + 9 });
    const outcomes = [1, 2, 3, 4].map((n) =>
      storage.refresh(grantRefresh(0, t0 + 10, { grantId: `grant-${n}` })),
    );
    expect((await Promise.all(outcomes)).map(summarizeOutcome)).toEqual([
      'inactive',
      'inactive',
      'continued 1',
      'continued 1',
    ]);
    const revocations = await listActiveRevocations(storage, t0 + 10);
    expect(Array.isArray(revocations) && revocations.map(({ kind, id }) => [kind, id]).sort()).toEqual([
      ['grant', 'grant-1'],
      ['grant', 'grant-2'],
    ]);
  });
};

const deleteContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('deletes a user with all their data, and returns their upstream tokens', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await link(storage, { identity: catsToken });
    await signInAndRedeem(storage);
    const outcome = await deleteUser(storage);
    expect(outcome.kind).toBe('deleted');
    const tokens = outcome.kind === 'deleted' ? outcome.tokens : [];
    expect(tokens.toSorted((one, other) => one.subject.localeCompare(other.subject))).toEqual([
      catsToken,
      adasUpstreamToken,
    ]);
    expect(await storage.readAccount('user-1')).toBeUndefined();
    expect(await storage.findUser(ada)).toBeUndefined();
    expect(await storage.findUser(cat)).toBeUndefined();
    expect(await storage.refresh(grantRefresh(0, t0 + 11))).toEqual(inactive);
  });

  it('keeps revoking unexpired access tokens of a deleted user, without storing the user ID', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 - 5000 });
    await deleteUser(storage);
    expect(await storage.isRevoked(token(), t0 + 11)).toBe(true);
    expect(await listActiveRevocations(storage, t0 + 11)).toEqual([
      { ...grant1, revokedAt: t0 + 10, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
  });

  it('does not affect other users, and reports an unknown user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity: { subject: 'bob' },
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    await deleteUser(storage);
    expect(await deleteUser(storage)).toEqual({ kind: 'unknown' });
    expect(summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-2' })))).toBe(
      'continued 1',
    );
  });

  it('creates a new user if someone signs in again after the deletion', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await deleteUser(storage);
    const secondSignIn = signIn({ grantId: 'grant-2', user: { kind: 'by-identity', newId: 'user-2' } });
    expect(await storage.recordSignIn(secondSignIn)).toMatchObject({
      userId: 'user-2',
      hasUpstreamToken: false,
    });
  });

  it('keeps no old data for a user who signs in again with the same ID from the publisher', async () => {
    const storage = await createStorage();
    const publisherUser = { kind: 'resolved', id: 'their-7' } as const;
    await signInAndRedeem(storage, { user: publisherUser });
    await deleteUser(storage, 'their-7');
    await storage.recordSignIn(signIn({ grantId: 'grant-2', user: publisherUser }));
    expect((await storage.readAccount('their-7'))?.grants.map(({ id }) => id)).toEqual(['grant-2']);
  });

  it('deletes the user once if 50 deletions run at the same time', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const outcomes = await Promise.all(fiftyIndexes.map(() => deleteUser(storage)));
    expect(countValues(outcomes.map(({ kind }) => kind))).toEqual({ deleted: 1, unknown: 49 });
  });
};
