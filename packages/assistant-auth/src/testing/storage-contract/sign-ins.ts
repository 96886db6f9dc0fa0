/** The storage contract for sign-ins. */
import { equal, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  adasUpstreamToken,
  countValues,
  fiftyIndexes,
  redemption,
  signIn,
  signInAndRedeem,
  t0,
} from './sample.ts';

const recorded = (userId: string, hasUpstreamToken = false) => ({
  kind: 'recorded',
  userId,
  hasUpstreamToken,
});
const userByIdentity = (newId: string) => ({ kind: 'by-identity', newId }) as const;
const publisherUser = (id: string) => ({ kind: 'resolved', id }) as const;

/** Returns the tests of `recordSignIn`. */
export const signInTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('assigns an unknown identity to the new user', async () => {
    const storage = await createStorage();
    equal(await storage.recordSignIn(signIn()), recorded('user-1'));
  }),

  test('keeps the user of a known identity', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const secondSignIn = signIn({ grantId: 'grant-2', user: userByIdentity('user-2') });
    equal(await storage.recordSignIn(secondSignIn), recorded('user-1'));
  }),

  test('treats the same subject at another provider as another user', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const otherSignIn = signIn({
      grantId: 'grant-2',
      identity: { provider: 'github' },
      user: userByIdentity('user-2'),
    });
    equal(await storage.recordSignIn(otherSignIn), recorded('user-2'));
  }),

  test('never mixes up provider and subject', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ identity: { provider: 'a', subject: 'b:c' } }));
    const otherSignIn = signIn({
      grantId: 'grant-2',
      identity: { provider: 'a:b', subject: 'c' },
      user: userByIdentity('user-2'),
    });
    equal(await storage.recordSignIn(otherSignIn), recorded('user-2'));
  }),

  test('maps an identity to the user that the publisher returns, from then on', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const mappedSignIn = signIn({ grantId: 'grant-2', user: publisherUser('their-7') });
    equal(await storage.recordSignIn(mappedSignIn), recorded('their-7'));
    const laterSignIn = signIn({ grantId: 'grant-3', user: userByIdentity('user-3') });
    equal(await storage.recordSignIn(laterSignIn), recorded('their-7'));
  }),

  test('maps two identities to one user of the publisher', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ user: publisherUser('their-7') }));
    const second = signIn({
      grantId: 'grant-2',
      identity: { provider: 'github' },
      user: publisherUser('their-7'),
    });
    equal(await storage.recordSignIn(second), recorded('their-7'));
  }),

  test('leaves earlier grants with the user who gave them', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordSignIn(signIn({ grantId: 'grant-2', user: publisherUser('their-7') }));
    matches(await storage.redeemCode(redemption()), { grant: { userId: 'user-1' } });
  }),

  test('creates one user if 50 first sign-ins arrive at the same time', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(
      fiftyIndexes.map((n) =>
        storage.recordSignIn(signIn({ grantId: `grant-${n}`, user: userByIdentity(`user-${n}`) })),
      ),
    );
    equal(
      outcomes.every(({ kind }) => kind === 'recorded'),
      true,
    );
    equal(new Set(outcomes.map((outcome) => outcome.kind === 'recorded' && outcome.userId)).size, 1);
  }),

  test('returns whether an upstream token is stored for the identity', async () => {
    const storage = await createStorage();
    const signInAs = (
      grantId: string,
      identity: { subject?: string; sealedRefreshToken?: string },
      id: string,
    ) => storage.recordSignIn(signIn({ grantId, identity, user: userByIdentity(id) }));
    equal(await signInAs('grant-1', {}, 'user-1'), recorded('user-1'));
    equal(await signInAs('grant-2', { sealedRefreshToken: 'sealed-1' }, 'x'), recorded('user-1', true));
    equal(await signInAs('grant-3', {}, 'x'), recorded('user-1', true));
    equal(await signInAs('grant-4', { subject: 'bob' }, 'user-2'), recorded('user-2'));
    await storage.storeUpstreamToken({ ...adasUpstreamToken, subject: 'bob' });
    equal(await signInAs('grant-5', { subject: 'bob' }, 'x'), recorded('user-2', true));
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0);
    equal(await signInAs('grant-6', {}, 'x'), recorded('user-1'));
  }),

  test('stores no upstream token for someone who never signed in', async () => {
    const storage = await createStorage();
    await storage.storeUpstreamToken(adasUpstreamToken);
    equal(await storage.recordSignIn(signIn()), recorded('user-1'));
  }),

  ...replayTests(createStorage),
];

const replayTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('records one of 50 concurrent sign-ins of the same transaction', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.recordSignIn(signIn())));
    equal(countValues(outcomes.map(({ kind }) => kind)), { recorded: 1, replayed: 49 });
  }),

  test('writes no user and no identity for a replayed transaction', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const eve = { subject: 'eve' };
    equal(await storage.recordSignIn(signIn({ identity: eve, user: userByIdentity('user-2') })), {
      kind: 'replayed',
    });
    const firstSignIn = signIn({ grantId: 'grant-2', identity: eve, user: userByIdentity('user-3') });
    equal(await storage.recordSignIn(firstSignIn), recorded('user-3'));
  }),

  test('does not map an identity to another user for a replayed transaction', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    equal(await storage.recordSignIn(signIn({ user: publisherUser('their-7') })), {
      kind: 'replayed',
    });
    equal(
      await storage.recordSignIn(signIn({ grantId: 'grant-2', user: userByIdentity('user-2') })),
      recorded('user-1'),
    );
  }),

  test('does not change the grant for a replayed transaction', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const changedSignIn = signIn({ clientId: 'claude', refreshPolicy: 'stable', now: t0 + 5 });
    equal(await storage.recordSignIn(changedSignIn), { kind: 'replayed' });
    matches(await storage.redeemCode(redemption({ clientId: 'claude' })), { reason: 'invalid' });
    matches(await storage.redeemCode(redemption()), { grant: { refreshPolicy: 'rotating' } });
  }),

  test('recognizes a replayed transaction after its code was redeemed', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    equal(await storage.recordSignIn(signIn({ now: t0 + 9 })), { kind: 'replayed' });
    matches(await storage.redeemCode(redemption({ now: t0 + 9 })), { reason: 'invalid' });
  }),
];
