/** The storage contract for sign-ins. */
import { expect } from './expect.ts';
import {
  adasUpstreamToken,
  type CreateStorage,
  countValues,
  type DeclareTest,
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

export const signInContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('assigns an unknown identity to the new user', async () => {
    const storage = await createStorage();
    expect(await storage.recordSignIn(signIn())).toEqual(recorded('user-1'));
  });

  it('keeps the user of a known identity', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const secondSignIn = signIn({ grantId: 'grant-2', user: userByIdentity('user-2') });
    expect(await storage.recordSignIn(secondSignIn)).toEqual(recorded('user-1'));
  });

  it('treats the same subject at another provider as another user', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const otherSignIn = signIn({
      grantId: 'grant-2',
      identity: { provider: 'github' },
      user: userByIdentity('user-2'),
    });
    expect(await storage.recordSignIn(otherSignIn)).toEqual(recorded('user-2'));
  });

  it('never mixes up provider and subject', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ identity: { provider: 'a', subject: 'b:c' } }));
    const otherSignIn = signIn({
      grantId: 'grant-2',
      identity: { provider: 'a:b', subject: 'c' },
      user: userByIdentity('user-2'),
    });
    expect(await storage.recordSignIn(otherSignIn)).toEqual(recorded('user-2'));
  });

  it('maps an identity to the user that the publisher returns, from then on', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const mappedSignIn = signIn({ grantId: 'grant-2', user: publisherUser('their-7') });
    expect(await storage.recordSignIn(mappedSignIn)).toEqual(recorded('their-7'));
    const laterSignIn = signIn({ grantId: 'grant-3', user: userByIdentity('user-3') });
    expect(await storage.recordSignIn(laterSignIn)).toEqual(recorded('their-7'));
  });

  it('maps two identities to one user of the publisher', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ user: publisherUser('their-7') }));
    const second = signIn({
      grantId: 'grant-2',
      identity: { provider: 'github' },
      user: publisherUser('their-7'),
    });
    expect(await storage.recordSignIn(second)).toEqual(recorded('their-7'));
  });

  it('leaves earlier grants with the user who gave them', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    await storage.recordSignIn(signIn({ grantId: 'grant-2', user: publisherUser('their-7') }));
    expect(await storage.redeemCode(redemption())).toMatchObject({ grant: { userId: 'user-1' } });
  });

  it('creates one user if 50 first sign-ins arrive at the same time', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(
      fiftyIndexes.map((n) =>
        storage.recordSignIn(signIn({ grantId: `grant-${n}`, user: userByIdentity(`user-${n}`) })),
      ),
    );
    expect(outcomes.every(({ kind }) => kind === 'recorded')).toBe(true);
    expect(new Set(outcomes.map((outcome) => outcome.kind === 'recorded' && outcome.userId)).size).toBe(1);
  });

  it('returns whether an upstream token is stored for the identity', async () => {
    const storage = await createStorage();
    const signInAs = (
      grantId: string,
      identity: { subject?: string; sealedRefreshToken?: string },
      id: string,
    ) => storage.recordSignIn(signIn({ grantId, identity, user: userByIdentity(id) }));
    expect(await signInAs('grant-1', {}, 'user-1')).toEqual(recorded('user-1'));
    expect(await signInAs('grant-2', { sealedRefreshToken: 'sealed-1' }, 'x')).toEqual(
      recorded('user-1', true),
    );
    expect(await signInAs('grant-3', {}, 'x')).toEqual(recorded('user-1', true));
    expect(await signInAs('grant-4', { subject: 'bob' }, 'user-2')).toEqual(recorded('user-2'));
    await storage.storeUpstreamToken({ ...adasUpstreamToken, subject: 'bob' });
    expect(await signInAs('grant-5', { subject: 'bob' }, 'x')).toEqual(recorded('user-2', true));
    await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0);
    expect(await signInAs('grant-6', {}, 'x')).toEqual(recorded('user-1'));
  });

  it('stores no upstream token for someone who never signed in', async () => {
    const storage = await createStorage();
    await storage.storeUpstreamToken(adasUpstreamToken);
    expect(await storage.recordSignIn(signIn())).toEqual(recorded('user-1'));
  });

  replayContract(it, createStorage);
};

const replayContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('records one of 50 concurrent sign-ins of the same transaction', async () => {
    const storage = await createStorage();
    const outcomes = await Promise.all(fiftyIndexes.map(() => storage.recordSignIn(signIn())));
    expect(countValues(outcomes.map(({ kind }) => kind))).toEqual({ recorded: 1, replayed: 49 });
  });

  it('writes no user and no identity for a replayed transaction', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const eve = { subject: 'eve' };
    expect(await storage.recordSignIn(signIn({ identity: eve, user: userByIdentity('user-2') }))).toEqual({
      kind: 'replayed',
    });
    const firstSignIn = signIn({ grantId: 'grant-2', identity: eve, user: userByIdentity('user-3') });
    expect(await storage.recordSignIn(firstSignIn)).toEqual(recorded('user-3'));
  });

  it('does not map an identity to another user for a replayed transaction', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    expect(await storage.recordSignIn(signIn({ user: publisherUser('their-7') }))).toEqual({
      kind: 'replayed',
    });
    expect(
      await storage.recordSignIn(signIn({ grantId: 'grant-2', user: userByIdentity('user-2') })),
    ).toEqual(recorded('user-1'));
  });

  it('does not change the grant for a replayed transaction', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn());
    const changedSignIn = signIn({ clientId: 'claude', refreshPolicy: 'stable', now: t0 + 5 });
    expect(await storage.recordSignIn(changedSignIn)).toEqual({ kind: 'replayed' });
    expect(await storage.redeemCode(redemption({ clientId: 'claude' }))).toMatchObject({ reason: 'invalid' });
    expect(await storage.redeemCode(redemption())).toMatchObject({ grant: { refreshPolicy: 'rotating' } });
  });

  it('recognizes a replayed transaction after its code was redeemed', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage);
    expect(await storage.recordSignIn(signIn({ now: t0 + 9 }))).toEqual({ kind: 'replayed' });
    expect(await storage.redeemCode(redemption({ now: t0 + 9 }))).toMatchObject({ reason: 'invalid' });
  });
};
