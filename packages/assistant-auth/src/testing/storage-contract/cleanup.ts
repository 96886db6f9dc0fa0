/** The storage contract for the cleanup. A repeated sign-in shows whether its grant is still stored. */

import {
  type BrokerStorage,
  type CompleteStorage,
  cleanupMargin,
  grantRetention,
  type ReceivedSecurityEvent,
} from '../../storage/broker-storage.ts';
import { equal, hasLength, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  accessTokenLifetime,
  assertion1,
  buildCleanup,
  buildDueCleanup,
  chatgpt,
  day,
  grant1,
  grantRefresh,
  hour,
  listActiveRevocations,
  redemption,
  refreshPolicies,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  summarizeOutcome,
  t0,
  token,
} from './sample.ts';

/** Runs the cleanup, and returns whether `grant-1` is still stored. Stores a new one if it was deleted. */
const retainedAfterCleanup = async (storage: BrokerStorage, now: number): Promise<boolean> => {
  await storage.cleanUp(buildDueCleanup(now));
  return (await storage.recordSignIn(signIn({ now }))).kind === 'replayed';
};

/** Returns the tests of `cleanUp`. */
export const cleanupTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('deletes a grant whose code was not redeemed within an hour', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    equal(grantRetention, hour);
    equal(await retainedAfterCleanup(storage, t0 + hour - 1), true);
    equal(await retainedAfterCleanup(storage, t0 + hour), false);
  }),

  test('keeps a grant whose code can still be redeemed', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.cleanUp(buildDueCleanup(t0 + 59));
    matches(await storage.redeemCode(redemption({ now: t0 + 59 })), { kind: 'redeemed' });
  }),

  ...refreshPolicies.map((refreshPolicy) =>
    test(`keeps a ${refreshPolicy} grant until its refresh token has expired`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy });
      const expiry = t0 + day + 30 * day;
      await storage.refresh(grantRefresh(0, t0 + day));
      equal(await retainedAfterCleanup(storage, expiry - 1), true);
      equal(await retainedAfterCleanup(storage, expiry), false);
    }),
  ),

  test('keeps a grant whose access token outlives its refresh token', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(
      redemption({ refreshIdleExpiresAt: t0 + 2 * hour, accessExpiresAt: t0 + 5 * hour }),
    );
    equal(await retainedAfterCleanup(storage, t0 + 5 * hour - 1), true);
    equal(await retainedAfterCleanup(storage, t0 + 5 * hour), false);
  }),

  test('keeps a grant without a refresh token until its access token has expired, and for at least an hour', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'none' });
    equal(await retainedAfterCleanup(storage, t0 + hour - 1), true);
    equal(await retainedAfterCleanup(storage, t0 + hour), false);
    await storage.revoke(grant1, 'signed out', t0 + hour);
    await storage.recordSignIn(signIn({ grantId: 'grant-2', refreshPolicy: 'none', now: t0 + hour }));
    await storage.redeemCode(
      redemption({
        grantId: 'grant-2',
        now: t0 + hour,
        codeExpiresAt: t0 + hour + 60,
        accessExpiresAt: t0 + 4 * hour,
      }),
    );
    await storage.cleanUp(buildDueCleanup(t0 + 4 * hour - 1));
    equal(await storage.recordSignIn(signIn({ grantId: 'grant-2' })), { kind: 'replayed' });
    await storage.cleanUp(buildDueCleanup(t0 + 4 * hour));
    matches(await storage.recordSignIn(signIn({ grantId: 'grant-2' })), { kind: 'recorded' });
  }),

  test('keeps a revoked grant until all its access tokens have expired', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(redemption({ accessExpiresAt: t0 + 3 * hour }));
    await storage.revoke(grant1, 'signed out', t0 + 10);
    equal(await retainedAfterCleanup(storage, t0 + 3 * hour - 1), true);
    equal(await retainedAfterCleanup(storage, t0 + 3 * hour), false);
  }),

  test('keeps a revocation until it has expired', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.redeemCode(redemption({ accessExpiresAt: t0 + 3 * hour }));
    await storage.revoke(grant1, 'signed out', t0 + 10);
    await storage.cleanUp(buildDueCleanup(t0 + 3 * hour - 1));
    hasLength(await listActiveRevocations(storage, t0 + 3 * hour - 1), 1);
    await storage.cleanUp(buildDueCleanup(t0 + 3 * hour));
    equal(await listActiveRevocations(storage, t0 + 10), []);
  }),

  test('does not change an active grant', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.refresh(grantRefresh(0, t0 + day));
    await storage.cleanUp(buildDueCleanup(t0 + 2 * day));
    equal(summarizeOutcome(await storage.refresh(grantRefresh(1, t0 + 2 * day))), 'continued 2');
  }),

  test('deletes and keeps the same data, whatever keys are in the ring', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const rings = [['key-1'], ['key-1', 'key-2'], ['key-2', 'key-1'], ['key-2'], ['key-1']] as const;
    for (const ringKeys of rings)
      await storage.cleanUp({ ...buildDueCleanup(t0 + 59), sealingKey: ringKeys[0], ringKeys });
    matches(await storage.redeemCode(redemption({ now: t0 + 59 })), { kind: 'redeemed' });
    await storage.cleanUp({ ...buildDueCleanup(t0 + 400 * day), sealingKey: 'key-2', ringKeys: ['key-2'] });
    matches(await storage.recordSignIn(signIn()), { kind: 'recorded' });
  }),

  test('keeps the record of a client assertion until the assertion has expired', async () => {
    const storage = await createStorage();
    await storage.recordAssertion(assertion1);
    await storage.cleanUp(buildDueCleanup(t0 + 299));
    equal(await storage.recordAssertion(assertion1), 'replayed');
    await storage.cleanUp(buildDueCleanup(t0 + 300));
    equal(await storage.recordAssertion(assertion1), 'recorded');
  }),

  ...clientCleanupTests(createStorage),
  ...clockTests(createStorage),

  test('keeps users and identities', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    await storage.cleanUp(buildDueCleanup(t0 + 9999 * day));
    const laterSignIn = signIn({
      grantId: 'grant-2',
      user: { kind: 'by-identity', newId: 'user-2' },
      now: t0 + 9999 * day,
    });
    matches(await storage.recordSignIn(laterSignIn), { kind: 'recorded', userId: 'user-1' });
  }),
];

/**
 * What is still needed on a server with the correct time, although the clock of the server that runs the
 * cleanup is ahead: how to store it, the last second in which it is needed, and whether it is still stored
 * then.
 */
const needed: readonly (readonly [
  name: string,
  lastSecond: number,
  store: (storage: CompleteStorage) => Promise<unknown>,
  isStored: (storage: CompleteStorage, lastSecond: number) => Promise<boolean>,
])[] = [
  [
    'a revocation',
    t0 + accessTokenLifetime,
    async (storage) => {
      await signInAndRedeem(storage);
      await storage.revoke(grant1, 'signed out', t0 + 10);
    },
    (storage, now) => storage.isRevoked(token(), now),
  ],
  [
    'a user’s revocation, after the user was deleted',
    t0 + accessTokenLifetime,
    async (storage) => {
      for (const grantId of ['grant-1', 'grant-2']) await signInAndRedeem(storage, { grantId });
      await storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 10 });
    },
    (storage, now) => storage.isRevoked(token(), now),
  ],
  [
    'the record of a security event',
    t0 + hour - 1,
    (storage) => storage.recordSecurityEvent(securityEvent),
    async (storage) => (await storage.recordSecurityEvent(securityEvent)) === 'replayed',
  ],
  [
    'the record of a client assertion',
    assertion1.retainUntil - 1,
    (storage) => storage.recordAssertion(assertion1),
    async (storage) => (await storage.recordAssertion(assertion1)) === 'replayed',
  ],
  [
    'a grant whose callback can arrive again',
    t0 + hour - 1,
    (storage) => storage.recordSignIn(signIn()),
    async (storage) => (await storage.recordSignIn(signIn())).kind === 'replayed',
  ],
  [
    'a grant whose refresh token is valid',
    t0 + 30 * day,
    (storage) => signInAndRedeem(storage),
    async (storage, now) => (await storage.refresh(grantRefresh(0, now))).kind === 'refreshed',
  ],
  [
    'a client that can still be used',
    chatgpt.retainUntil - 1,
    (storage) => storage.recordSignIn(signIn({ client: chatgpt })),
    async (storage) => (await storage.readClient('chatgpt')) !== undefined,
  ],
];

const securityEvent: ReceivedSecurityEvent = {
  ...{ provider: 'google', subjectNamespace, jti: 'event-1', retainUntil: t0 + hour, signedInBefore: t0 },
  revocations: [{ target: { kind: 'identity', subject: 'ada' }, revocationScope: 'grants' }],
  ...{ reason: 'a security event', now: t0 },
};

const clockTests = (createStorage: CreateStorage): readonly StorageContractTest[] =>
  needed.flatMap(([name, lastSecond, store, isStored]) =>
    [15, 240, cleanupMargin].map((ahead) =>
      test(`keeps ${name} if the clock of the cleanup is ${ahead} s ahead`, async () => {
        const storage = await createStorage();
        await store(storage);
        await storage.cleanUp(buildCleanup(lastSecond + ahead));
        equal(await isStored(storage, lastSecond), true);
      }),
    ),
  );

const clientCleanupTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('deletes a client without grants from its retainUntil on', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ client: chatgpt }));
    await storage.cleanUp(buildDueCleanup(chatgpt.retainUntil - 1));
    equal(await storage.readGrantStatus('grant-1'), 'unknown');
    equal(await storage.readClient('chatgpt'), chatgpt);
    await storage.cleanUp(buildDueCleanup(chatgpt.retainUntil));
    equal(await storage.readClient('chatgpt'), undefined);
  }),

  test('keeps a client while a grant with its client ID is stored, and deletes it with the last one', async () => {
    const storage = await createStorage();
    const client = { ...chatgpt, retainUntil: t0 + hour };
    await signInAndRedeem(storage, { client });
    await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
    const expiry = t0 + 1 + 30 * day;
    await storage.cleanUp(buildDueCleanup(expiry - 1));
    equal(await storage.readGrantStatus('grant-2'), 'unknown');
    equal(await storage.readClient('chatgpt'), client);
    await storage.cleanUp(buildDueCleanup(expiry));
    equal(await storage.readGrantStatus('grant-1'), 'unknown');
    equal(await storage.readClient('chatgpt'), undefined);
  }),

  test('keeps a client that has a revoked grant, until the user of the grant is deleted', async () => {
    const storage = await createStorage();
    const client = { ...chatgpt, retainUntil: t0 + 1 };
    await signInAndRedeem(storage, { client });
    await storage.revoke(grant1, 'signed out', t0 + 2);
    await storage.cleanUp(buildDueCleanup(t0 + 3));
    equal(await storage.readClient('chatgpt'), client);
    await storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 4 });
    equal(await storage.readClient('chatgpt'), client);
    await storage.cleanUp(buildDueCleanup(t0 + 5));
    equal(await storage.readClient('chatgpt'), undefined);
  }),

  test('does not keep a client because of the grants of another client', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    const claude = { ...chatgpt, id: 'claude', retainUntil: t0 + hour };
    await storage.recordSignIn(signIn({ grantId: 'grant-2', clientId: 'claude', client: claude }));
    await storage.cleanUp(buildDueCleanup(t0 + hour));
    equal(await storage.readClient('claude'), undefined);
    equal(await storage.readGrantStatus('grant-1'), 'active');
  }),
];
