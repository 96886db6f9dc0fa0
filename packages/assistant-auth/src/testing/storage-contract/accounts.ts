/** The storage contract for accounts: the data of a user, and what linking, unlinking and deleting change. */

import type { CompleteStorage, IdentityLink, LinkedIdentity } from '../../storage/broker-storage.ts';
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
  inactive,
  issued,
  listActiveRevocations,
  type NamedChange,
  publisherUser,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';
import { createSession, createStorageWithSession, useAccountSession } from './sessions.ts';

/** The identity that `link` links. */
export const cat = { provider: 'github', subject: '42' } as const;
const catsToken = { ...cat, sealedRefreshToken: 'sealed-2' } as const;
/** The identity that `signIn` signs in with. */
export const ada = { provider: 'google', subject: 'ada' } as const;
/** As `signIn` stores it. */
export const adasIdentity: LinkedIdentity = {
  ...ada,
  ...{ hasUpstreamToken: false, createdAt: t0, lastSignInAt: t0, isNewlyLinked: false },
};
/** As `link` stores it. */
export const catsIdentity: LinkedIdentity = {
  ...cat,
  ...{ hasUpstreamToken: false, createdAt: t0 + 5, lastSignInAt: t0 + 5, isNewlyLinked: true },
};

/** Links `cat` to Ada's user, unless overridden. */
export const link = (storage: CompleteStorage, overrides: Partial<IdentityLink> = {}) =>
  storage.linkIdentity({
    userId: 'user-1',
    session: 'session-1',
    identity: cat,
    subjectNamespace,
    now: t0 + 5,
    ...overrides,
  });

/** Unlinks an identity of Ada's user. */
export const unlink = (
  storage: CompleteStorage,
  identity: { provider: string; subject: string },
  userId = 'user-1',
) => storage.unlinkIdentity({ userId, ...identity, now: t0 + 10 });

const deleteUser = (storage: CompleteStorage, userId = 'user-1') =>
  storage.deleteUser({ userId, actor: 'user', now: t0 + 10 });

/** Returns the tests of the methods for the account page. */
export const accountTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  ...readTests(createStorage),
  ...linkTests(createStorage),
  ...unlinkTests(createStorage),
  ...revokeGrantsTests(createStorage),
  ...deleteTests(createStorage),
];

const readTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('reads the data of a user, and of no other user', async () => {
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
    equal(await storage.readAccount('user-1'), {
      createdAt: t0,
      identities: [{ ...adasIdentity, label: 'Ada L.', hasUpstreamToken: true, lastSignInAt: t0 + 9 }],
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
    equal(await storage.readAccount('nobody'), undefined);
  }),

  test('reads the device of a session', async () => {
    const storage = await createStorage();
    await createSession(storage, { device: 'Chrome, macOS' });
    await createSession(storage, { grantId: 'session-2' });
    const devices = (await storage.readAccount('user-1'))?.grants.map(({ id, device }) => [id, device]);
    equal(devices, [
      ['session-1', 'Chrome, macOS'],
      ['session-2', undefined],
    ]);
  }),

  test('orders entries of the same second by name', async () => {
    const storage = await createStorageWithSession(createStorage);
    for (const grantId of ['grant-c', 'grant-b'])
      await storage.recordSignIn(signIn({ grantId, now: t0 + 5 }));
    const linkedIdentities = [
      { ...cat, subject: 'zoe' },
      { ...cat, subject: 'Zoe' },
      { provider: 'apple', subject: 'zoe' },
    ];
    for (const identity of linkedIdentities) equal(await link(storage, { identity }), 'linked');
    const { identities, grants } = (await storage.readAccount('user-1')) ?? {};
    equal(
      identities?.map(({ provider, subject }) => ({ provider, subject })),
      [
        { provider: ada.provider, subject: ada.subject },
        linkedIdentities[2],
        linkedIdentities[1],
        linkedIdentities[0],
      ],
    );
    equal(grants?.map(({ id }) => id).slice(0, 2), ['grant-b', 'grant-c']);
  }),

  test('counts a refresh as a use', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + 100));
    matches((await storage.readAccount('user-1'))?.grants[0]?.use, {
      redeemedAt: t0 + 1,
      lastUsedAt: t0 + 100,
    });
  }),

  test('finds the user of an identity', async () => {
    const storage = await createStorageWithSession(createStorage);
    equal(await storage.findUser(ada), 'user-1');
    equal(await storage.findUser(cat), undefined);
    equal(await storage.findUser({ ...ada, provider: 'github' }), undefined);
  }),
];

/** Sessions in which nothing can be linked: what happened before, and what is requested. */
const invalidSessions: readonly [...NamedChange, overrides: Partial<IdentityLink>][] = [
  ['signed out', (storage) => storage.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2), {}],
  ['deleted', (storage) => deleteUser(storage), {}],
  ['idle for too long', async () => {}, { now: t0 + 1 + 7 * day }],
  ['of another user', async () => {}, { userId: 'user-2' }],
  ['a grant of a client', (storage) => signInAndRedeem(storage), { session: 'grant-1' }],
];

const linkTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('links an identity, and later sign-ins with it are sign-ins of the same user', async () => {
    const storage = await createStorageWithSession(createStorage);
    equal(await link(storage, { identity: { ...catsToken, label: 'cat' } }), 'linked');
    equal(await storage.findUser(cat), 'user-1');
    const laterSignIn = signIn({
      grantId: 'grant-9',
      identity: cat,
      user: { kind: 'by-identity', newId: 'x' },
    });
    equal(await storage.recordSignIn(laterSignIn), {
      kind: 'recorded',
      userId: 'user-1',
      hasUpstreamToken: true,
    });
    equal((await storage.readAccount('user-1'))?.identities, [
      adasIdentity,
      { ...catsIdentity, label: 'cat', hasUpstreamToken: true, lastSignInAt: t0 },
    ]);
  }),

  test('links an identity that the user already has, and keeps stored values that the new one lacks', async () => {
    const storage = await createStorageWithSession(createStorage, {
      identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' },
    });
    equal(await link(storage, { identity: ada }), 'linked');
    equal((await storage.readAccount('user-1'))?.identities, [
      { ...adasIdentity, label: 'Ada L.', hasUpstreamToken: true, lastSignInAt: t0 + 5 },
    ]);
  }),

  test('does not move an identity of another user', async () => {
    const storage = await createStorageWithSession(createStorage);
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity: catsToken,
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    equal(
      await link(storage, { identity: { ...cat, sealedRefreshToken: 'sealed-3' } }),
      'linked-to-other-user',
    );
    equal(await storage.findUser(cat), 'user-2');
    equal(await storage.revokeGrantsOfIdentity(catsToken, 'revoked', t0 + 6), 'revoked');
  }),

  ...invalidSessions.map(([label, prepare, overrides]) =>
    test(`links nothing in a session that is ${label}`, async () => {
      const storage = await createStorageWithSession(createStorage);
      await prepare(storage);
      equal(await link(storage, overrides), 'session-ended');
      equal(await storage.findUser(cat), undefined);
    }),
  ),

  test('links an identity to only one of two users who link it at the same time', async () => {
    const storage = await createStorageWithSession(createStorage);
    await createSession(storage, {
      ...{ grantId: 'session-2', identity: { subject: 'bob' } },
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    const outcomes = await Promise.all([
      link(storage),
      link(storage, { userId: 'user-2', session: 'session-2' }),
    ]);
    equal(countValues(outcomes), { linked: 1, 'linked-to-other-user': 1 });
  }),
];

const unlinkTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('unlinks one of several identities, revokes its grants and sessions, and returns its upstream token', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await link(storage);
    await signInAndRedeem(storage);
    const userByIdentity = { kind: 'by-identity', newId: 'x' } as const;
    await signInAndRedeem(storage, { grantId: 'grant-2', identity: cat, user: userByIdentity });
    equal(await unlink(storage, ada), { kind: 'unlinked', token: issued(adasUpstreamToken) });
    equal(await storage.findUser(ada), undefined);
    equal(await useAccountSession(storage, t0 + 11), undefined);
    equal(await storage.refresh(grantRefresh(0, t0 + 11)), inactive);
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-2' }))),
      'continued 1',
    );
    equal(await storage.isRevoked(token(), t0 + 11), true);
    equal(await storage.isRevoked(token({ grantId: 'grant-2' }), t0 + 11), false);
  }),

  test('never unlinks the last identity', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    equal(await unlink(storage, ada), { kind: 'last-identity' });
    equal(await storage.findUser(ada), 'user-1');
    isDefined(await useAccountSession(storage, t0 + 11));
  }),

  test('keeps one of two identities that are unlinked at the same time', async () => {
    const storage = await createStorageWithSession(createStorage);
    await link(storage);
    const outcomes = await Promise.all([unlink(storage, ada), unlink(storage, cat)]);
    equal(countValues(outcomes.map(({ kind }) => kind)), { unlinked: 1, 'last-identity': 1 });
  }),

  test('unlinks no identity of another user, and none that does not exist', async () => {
    const storage = await createStorageWithSession(createStorage);
    await link(storage);
    equal(await unlink(storage, cat, 'user-2'), { kind: 'unknown' });
    equal(await unlink(storage, { ...cat, subject: '43' }), { kind: 'unknown' });
    hasLength((await storage.readAccount('user-1'))?.identities, 2);
  }),

  test('unlinks no identity of another user for a user with several identities', async () => {
    const storage = await createStorageWithSession(createStorage);
    await link(storage);
    const bob = { provider: 'google', subject: 'bob' } as const;
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity: bob,
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    equal(await unlink(storage, bob), { kind: 'unknown' });
    equal(await storage.findUser(bob), 'user-2');
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-2' }))),
      'continued 1',
    );
  }),
];

const revokeGrantsTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('revokes only the named grants of the user, and appends a revocation for each', async () => {
    const storage = await createStorage();
    for (const n of [1, 2, 3]) await signInAndRedeem(storage, { grantId: `grant-${n}` });
    const bob = { identity: { subject: 'bob' }, user: { kind: 'by-identity', newId: 'user-2' } } as const;
    await signInAndRedeem(storage, { grantId: 'grant-4', ...bob });
    const grantIds = ['grant-1', 'grant-2', 'grant-4', 'nobody'];
    await storage.revokeGrants({ userId: 'user-1', grantIds, reason: 'disconnected', now: t0 + 9 });
    const outcomes = [1, 2, 3, 4].map((n) =>
      storage.refresh(grantRefresh(0, t0 + 10, { grantId: `grant-${n}` })),
    );
    equal((await Promise.all(outcomes)).map(summarizeOutcome), [
      'inactive',
      'inactive',
      'continued 1',
      'continued 1',
    ]);
    const revocations = await listActiveRevocations(storage, t0 + 10);
    equal(Array.isArray(revocations) && revocations.map(({ kind, id }) => [kind, id]).sort(), [
      ['grant', 'grant-1'],
      ['grant', 'grant-2'],
    ]);
  }),
];

const deleteTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('deletes a user with all their data, and returns their upstream tokens', async () => {
    const storage = await createStorageWithSession(createStorage, { identity: adasUpstreamToken });
    await link(storage, { identity: catsToken });
    await signInAndRedeem(storage);
    const outcome = await deleteUser(storage);
    const tokens = outcome.kind === 'deleted' ? outcome.tokens : [];
    const sortedTokens = tokens.toSorted((one, other) => (one.provider < other.provider ? -1 : 1));
    equal(
      { ...outcome, tokens: sortedTokens },
      { kind: 'deleted', tokens: [catsToken, adasUpstreamToken].map(issued) },
    );
    equal(await storage.readAccount('user-1'), undefined);
    equal(await storage.findUser(ada), undefined);
    equal(await storage.findUser(cat), undefined);
    equal(await storage.refresh(grantRefresh(0, t0 + 11)), inactive);
  }),

  test('keeps revoking unexpired access tokens of a deleted user, without storing the user ID', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 - 5000 });
    await deleteUser(storage);
    equal(await storage.isRevoked(token(), t0 + 11), true);
    equal(await listActiveRevocations(storage, t0 + 11), [
      { ...grant1, revokedAt: t0 + 10, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
  }),

  test('does not affect other users, and reports an unknown user', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, {
      grantId: 'grant-2',
      identity: { subject: 'bob' },
      user: { kind: 'by-identity', newId: 'user-2' },
    });
    await deleteUser(storage);
    equal(await deleteUser(storage), { kind: 'unknown' });
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 11, { grantId: 'grant-2' }))),
      'continued 1',
    );
  }),

  test('creates a new user if someone signs in again after the deletion', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await deleteUser(storage);
    const secondSignIn = signIn({ grantId: 'grant-2', user: { kind: 'by-identity', newId: 'user-2' } });
    matches(await storage.recordSignIn(secondSignIn), {
      userId: 'user-2',
      hasUpstreamToken: false,
    });
  }),

  test('keeps no old data for a user who signs in again with the same ID from the publisher', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { user: publisherUser });
    await deleteUser(storage, 'their-7');
    await storage.recordSignIn(signIn({ grantId: 'grant-2', user: publisherUser }));
    equal(
      (await storage.readAccount('their-7'))?.grants.map(({ id }) => id),
      ['grant-2'],
    );
  }),

  test('deletes the user once if 50 deletions run at the same time', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const outcomes = await Promise.all(fiftyIndexes.map(() => deleteUser(storage)));
    equal(countValues(outcomes.map(({ kind }) => kind)), { deleted: 1, unknown: 49 });
  }),
];
