/** The storage contract for `revokeGrantsOfIdentity`, which a refused recheck calls. */
import { equal, hasLength } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import { createStorageWithToken, dueTokenAt } from './rechecks.ts';
import {
  accessTokenLifetime,
  adasUpstreamToken,
  day,
  fiftyIndexes,
  grant1,
  grantRefresh,
  inactive,
  listActiveRevocations,
  publisherUser,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

/** Returns the tests of `revokeGrantsOfIdentity`. */
export const identityRevocationTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('revokes every grant of the identity, with one revocation for those that have an unexpired access token', async () => {
    const storage = await createStorageWithToken(createStorage);
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'none', now: t0 + 10 });
    await signInAndRedeem(storage, {
      grantId: 'grant-3',
      clientId: 'claude',
      now: t0 - accessTokenLifetime - 10,
    });
    await storage.recordSignIn(signIn({ grantId: 'grant-4' }));
    const bob = { identity: { subject: 'bob' }, user: { kind: 'by-identity', newId: 'user-2' } } as const;
    await signInAndRedeem(storage, { grantId: 'grant-5', ...bob });
    equal(await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100), 'revoked');
    equal(await listActiveRevocations(storage, t0 + 100), [
      { kind: 'user', id: 'user-1', revokedAt: t0 + 11, expiresAt: t0 + 11 + accessTokenLifetime },
    ]);
    equal(await storage.isRevoked(token(), t0 + 100), true);
    equal(await storage.refresh(grantRefresh(0, t0 + 100)), inactive);
    equal(
      await storage.readRefreshable(grantRefresh(0, t0 + 100, { grantId: 'grant-3', clientId: 'claude' })),
      undefined,
    );
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 100, { grantId: 'grant-5' }))),
      'continued 1',
    );
  }),

  test('keeps the user’s grants of another identity', async () => {
    const storage = await createStorageWithToken(createStorage, { user: publisherUser });
    const identity = { provider: 'github' };
    await signInAndRedeem(storage, { grantId: 'grant-2', identity, user: publisherUser });
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100);
    equal(
      summarizeOutcome(await storage.refresh(grantRefresh(0, t0 + 100, { grantId: 'grant-2' }))),
      'continued 1',
    );
  }),

  test('revokes a token that a server with a fast clock has issued', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.refresh(grantRefresh(0, t0 + 103));
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100);
    equal(await storage.isRevoked(token({ issuedAt: t0 + 103 }), t0 + 104), true);
  }),

  test('deletes the upstream token, and rechecks again after a sign-in that has one', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100);
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'stable', now: t0 + 200 });
    equal(await dueTokenAt(storage, t0 + 300, { grantId: 'grant-2' }), undefined);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await storage.recordSignIn(signIn({ grantId: 'grant-3', identity, now: t0 + 400 }));
    equal(await dueTokenAt(storage, t0 + 500, { grantId: 'grant-2' }), { ...adasUpstreamToken, ...identity });
  }),

  test('changes nothing if another token or none is stored, or if the identity is unknown', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.recordRecheck({
      usedToken: adasUpstreamToken,
      recheckAfter: t0,
      sealedRefreshToken: 'sealed-2',
    });
    const newer = { ...adasUpstreamToken, sealedRefreshToken: 'sealed-2' };
    const otherTokens = [adasUpstreamToken, { ...newer, subject: 'eve' }, { ...newer, provider: 'github' }];
    for (const usedToken of otherTokens)
      equal(await storage.revokeGrantsOfIdentity(usedToken, 'revoked', t0 + 100), 'superseded');
    equal(await listActiveRevocations(storage, t0 + 100), []);
    equal(await dueTokenAt(storage, t0 + 100), newer);
    equal(await storage.revokeGrantsOfIdentity(newer, 'revoked', t0 + 100), 'revoked');
    equal(await storage.revokeGrantsOfIdentity(newer, 'revoked', t0 + 101), 'superseded');
    hasLength(await listActiveRevocations(storage, t0 + 101), 1);
  }),

  test('revokes once if 50 calls run at the same time, and revokes what concurrent refreshes issued', async () => {
    const storage = await createStorageWithToken(createStorage);
    const refreshes = fiftyIndexes.slice(0, 20).map(() => storage.refresh(grantRefresh(0, t0 + 100)));
    const revocations = fiftyIndexes.map(() =>
      storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100),
    );
    const [outcomes] = await Promise.all([Promise.all(revocations), ...refreshes]);
    hasLength(
      outcomes.filter((outcome) => outcome === 'revoked'),
      1,
    );
    hasLength(await listActiveRevocations(storage, t0 + 100), 1);
    equal(await storage.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 101), true);
    equal(await storage.refresh(grantRefresh(0, t0 + 101)), inactive);
  }),

  test('does not change a grant that was revoked earlier', async () => {
    const storage = await createStorageWithToken(createStorage);
    await storage.revoke(grant1, 'signed out', t0 + 50);
    equal(await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 100), 'revoked');
    equal(await listActiveRevocations(storage, t0 + 100), [
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 50, expiresAt: t0 + 1 + accessTokenLifetime },
    ]);
    equal(await storage.refresh(grantRefresh(0, t0 + 30 * day)), inactive);
  }),
];
