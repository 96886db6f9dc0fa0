/** The port's contract for asking providers: who is told that a check is due, and what a word of theirs changes. */
import { expect, it } from 'vitest';
import type { Ledger } from '../../../src/storage/broker-storage.ts';
import {
  accessLife,
  adasToken,
  begin,
  day,
  ended,
  fifty,
  gist,
  grant1,
  linesAt,
  type MakeLedger,
  redemption,
  refreshUse,
  reused,
  signIn,
  t0,
  token,
} from './sample.ts';

const adasIdentity = { sealedRefreshToken: 'sealed-1' };

/** Refreshes a stable grant, and returns the lease of the recheck that is due. */
const leaseAt = async (ledger: Ledger, now: number, given: Parameters<typeof refreshUse>[2] = {}) => {
  const outcome = await ledger.refresh(refreshUse(0, now, given));
  expect(outcome.kind).toBe('continued');
  return outcome.kind === 'continued' ? outcome.due : undefined;
};

/** Returns the token of the lease only. */
const dueAt = async (...at: Parameters<typeof leaseAt>) => {
  const lease = await leaseAt(...at);
  if (lease === undefined) return undefined;
  const { isUnresolved: _, startedAt: __, ...token } = lease;
  return token;
};

const resolvedAt = (startedAt: number) => ({ ...adasToken, isUnresolved: false, startedAt });
const unresolvedAt = (startedAt: number) => ({ ...adasToken, isUnresolved: true, startedAt });

const watched = async (makeLedger: MakeLedger, given: Parameters<typeof begin>[1] = {}): Promise<Ledger> => {
  const ledger = await makeLedger();
  await begin(ledger, { refreshPolicy: 'stable', identity: adasIdentity, ...given });
  return ledger;
};

export const checkContract = (makeLedger: MakeLedger): void => {
  leases(makeLedger);
  words(makeLedger);
  unresolvedRechecks(makeLedger);
  drops(makeLedger);
  endings(makeLedger);
};

const leases = (makeLedger: MakeLedger): void => {
  it.each(['stable', 'rotating'] as const)(
    'tells the first refresh of a %s grant that its identity is due, and what to ask with',
    async (refreshPolicy) => {
      const ledger = await watched(makeLedger, { refreshPolicy });
      expect(await dueAt(ledger, t0 + 100)).toEqual(adasToken);
    },
  );

  it('tells one of 50 refreshes at once', async () => {
    for (const refreshPolicy of ['stable', 'rotating'] as const) {
      const ledger = await watched(makeLedger, { refreshPolicy });
      const found = await Promise.all(fifty.map(() => dueAt(ledger, t0 + 100)));
      expect(found.filter((due) => due !== undefined)).toEqual([adasToken]);
    }
  });

  it('tells one grant of an identity, and no other until the lease is over', async () => {
    const ledger = await watched(makeLedger);
    await begin(ledger, { refreshPolicy: 'stable', grantId: 'grant-2' });
    const other = { grantId: 'grant-2' };
    expect(await dueAt(ledger, t0 + 100, other)).toEqual(adasToken);
    expect(await dueAt(ledger, t0 + 159)).toBeUndefined();
    expect(await dueAt(ledger, t0 + 159, other)).toBeUndefined();
    expect(await dueAt(ledger, t0 + 160)).toEqual(adasToken);
  });

  it('has nothing to ask with where no sign-in brought a token', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable' });
    expect(await dueAt(ledger, t0 + 100)).toBeUndefined();
  });

  it('asks about who signed in, not about another identity of the same user', async () => {
    const ledger = await watched(makeLedger, { user: { kind: 'theirs', id: 'their-7' } });
    await begin(ledger, {
      refreshPolicy: 'stable',
      grantId: 'grant-2',
      identity: { provider: 'github', sealedRefreshToken: 'sealed-2' },
      user: { kind: 'theirs', id: 'their-7' },
    });
    expect(await dueAt(ledger, t0 + 100, { grantId: 'grant-2' })).toEqual({
      provider: 'github',
      subject: 'ada',
      sealedRefreshToken: 'sealed-2',
    });
    expect(await dueAt(ledger, t0 + 100)).toEqual(adasToken);
  });

  it('takes no lease for a refresh that is refused', async () => {
    const ledger = await watched(makeLedger, { refreshPolicy: 'rotating' });
    for (const [generation, given] of [
      [7, {}],
      [0, { clientId: 'claude' }],
      [0, { grantId: 'nobody' }],
    ] as const)
      expect(await ledger.refresh(refreshUse(generation, t0 + 50, given))).toEqual(ended);
    expect(await dueAt(ledger, t0 + 50)).toEqual(adasToken);
    expect(await ledger.refresh(refreshUse(0, t0 + 500, { lateRefresh: 'revoke' }))).toEqual(reused);
    await begin(ledger, { refreshPolicy: 'stable', grantId: 'grant-2' });
    expect(await dueAt(ledger, t0 + 500, { grantId: 'grant-2' })).toEqual(adasToken);
  });
};

const words = (makeLedger: MakeLedger): void => {
  it('lets an identity be until the word runs out', async () => {
    const ledger = await watched(makeLedger);
    await dueAt(ledger, t0 + 100);
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 700 });
    expect(await dueAt(ledger, t0 + 699)).toBeUndefined();
    expect(await dueAt(ledger, t0 + 700)).toEqual(adasToken);
  });

  it('asks with the token that took the place of the first, next time', async () => {
    const ledger = await watched(makeLedger);
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 700, sealedRefreshToken: 'sealed-2' });
    const next = { ...adasToken, sealedRefreshToken: 'sealed-2' };
    expect(await dueAt(ledger, t0 + 700)).toEqual(next);
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 9999, sealedRefreshToken: 'sealed-3' });
    expect(await dueAt(ledger, t0 + 800)).toEqual(next);
  });

  it('forgets what was said of an older token than a sign-in brought meanwhile', async () => {
    const ledger = await watched(makeLedger);
    await dueAt(ledger, t0 + 100);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await ledger.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 101 }));
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 9999, sealedRefreshToken: 'sealed-3' });
    expect(await dueAt(ledger, t0 + 160)).toEqual({ ...adasToken, ...identity });
  });

  it('records nothing of an identity that it does not know, nor of another provider’s', async () => {
    const ledger = await watched(makeLedger);
    for (const other of [{ subject: 'eve' }, { provider: 'github' }])
      await ledger.recordCheck({ asked: { ...adasToken, ...other }, checkAfter: t0 + 9999 });
    expect(await dueAt(ledger, t0 + 100)).toEqual(adasToken);
  });
};

const unresolvedRechecks = (makeLedger: MakeLedger): void => {
  it('reports that an earlier recheck started and its outcome was never stored', async () => {
    const ledger = await watched(makeLedger);
    expect(await leaseAt(ledger, t0 + 100)).toEqual(resolvedAt(t0 + 100));
    expect(await leaseAt(ledger, t0 + 160)).toEqual(unresolvedAt(t0 + 160));
    expect(await leaseAt(ledger, t0 + 30 * day)).toEqual(unresolvedAt(t0 + 30 * day));
  });

  it('reports it for rechecks of sessions, too', async () => {
    const ledger = await watched(makeLedger);
    const question = { provider: 'google', subject: 'ada', checkLease: 60 };
    expect(await ledger.takeCheck({ ...question, now: t0 + 100 })).toEqual({
      kind: 'due',
      token: resolvedAt(t0 + 100),
    });
    expect(await leaseAt(ledger, t0 + 160)).toEqual(unresolvedAt(t0 + 160));
    expect(await ledger.takeCheck({ ...question, now: t0 + 220 })).toEqual({
      kind: 'due',
      token: unresolvedAt(t0 + 220),
    });
  });

  it.each([
    ['its outcome', (l: Ledger) => l.recordCheck({ asked: adasToken, checkAfter: t0 + 150 })],
    ['that the provider can’t have replaced the token', (l: Ledger) => l.resolveRecheck(adasToken)],
    ['a token that came later', (l: Ledger) => l.storeToken(adasToken)],
    [
      'a sign-in that brings a token',
      (l: Ledger) => l.recordSignIn(signIn({ grantId: 'grant-2', identity: adasIdentity, now: t0 + 101 })),
    ],
  ])('resolves it: %s', async (_, resolve) => {
    const ledger = await watched(makeLedger);
    await leaseAt(ledger, t0 + 100);
    await resolve(ledger);
    expect(await leaseAt(ledger, t0 + 200)).toEqual(resolvedAt(t0 + 200));
  });

  it.each([
    [
      'a sign-in that brings no token',
      (l: Ledger) => l.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 101 })),
    ],
    ['another token', (l: Ledger) => l.resolveRecheck({ ...adasToken, sealedRefreshToken: 'sealed-9' })],
    ['another identity', (l: Ledger) => l.resolveRecheck({ ...adasToken, subject: 'eve' })],
    [
      'the same token sealed anew',
      (l: Ledger) =>
        l.replaceTokens({
          ...{ now: t0 + 9999, checkLease: 60 },
          tokens: [{ ...adasToken, was: 'sealed-1' }],
        }),
    ],
  ])('does not resolve it: %s', async (_, attempt) => {
    const ledger = await watched(makeLedger);
    await leaseAt(ledger, t0 + 100);
    await attempt(ledger);
    expect(await leaseAt(ledger, t0 + 200)).toEqual(unresolvedAt(t0 + 200));
  });

  it('does not resolve an earlier recheck when a later one is resolved', async () => {
    const ledger = await watched(makeLedger);
    await leaseAt(ledger, t0 + 100);
    await leaseAt(ledger, t0 + 160);
    await ledger.resolveRecheck(adasToken);
    expect(await leaseAt(ledger, t0 + 220)).toEqual(unresolvedAt(t0 + 220));
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 300 });
    await ledger.resolveRecheck(adasToken);
    expect(await leaseAt(ledger, t0 + 300)).toEqual(resolvedAt(t0 + 300));
  });
};

const drops = (makeLedger: MakeLedger): void => {
  const drop = {
    ...{ asked: adasToken, startedAt: t0 + 97, now: t0 + 100, refreshableUntil: t0 + 10 * day },
    reason: 'inconclusive',
  };

  it('drops the upstream token, ends no grant, and rejects refreshes from the given time on', async () => {
    for (const refreshPolicy of ['stable', 'rotating'] as const) {
      const ledger = await watched(makeLedger, { refreshPolicy });
      expect(await ledger.dropUpstreamToken(drop)).toBe('dropped');
      expect(await linesAt(ledger, t0 + 100)).toEqual([]);
      expect(await leaseAt(ledger, t0 + 200)).toBeUndefined();
      const generation = refreshPolicy === 'stable' ? 0 : 1;
      const last = refreshUse(generation, t0 + 10 * day - 1);
      expect(await ledger.isRefreshable(last)).toBe(true);
      expect(await ledger.refresh(last)).toMatchObject({ kind: 'continued' });
      const late = refreshUse(refreshPolicy === 'stable' ? 0 : 2, t0 + 10 * day);
      expect(await ledger.isRefreshable(late)).toBe(false);
      expect(await ledger.refresh(late)).toEqual(ended);
      expect(await ledger.refresh(refreshUse(0, t0 + 11 * day))).toEqual(ended);
    }
  });

  it('limits grants of the same identity that begin later in a session, but no others', async () => {
    const ledger = await watched(makeLedger);
    await begin(ledger, {
      ...{ grantId: 'grant-2', refreshPolicy: 'stable' },
      identity: { subject: 'bob' },
      user: { kind: 'ours', newId: 'user-2' },
    });
    await begin(ledger, { grantId: 'session', clientId: 'account' });
    await ledger.dropUpstreamToken(drop);
    const going = signIn({ grantId: 'grant-3', refreshPolicy: 'stable', now: t0 + 200 });
    await ledger.recordSignIn({ ...going, session: 'session' });
    await ledger.redeemCode(redemption({ grantId: 'grant-3', now: t0 + 201, codeExpiresAt: t0 + 260 }));
    const at = t0 + 10 * day;
    expect(await ledger.refresh(refreshUse(0, at, { grantId: 'grant-3' }))).toEqual(ended);
    expect(gist(await ledger.refresh(refreshUse(0, at, { grantId: 'grant-2' })))).toBe('continued 0');
  });

  it.each([
    ['with a token', adasIdentity],
    ['without one', {}],
  ])('lifts the limit when the person signs in at the provider again, %s', async (_, identity) => {
    const ledger = await watched(makeLedger);
    await ledger.dropUpstreamToken(drop);
    await ledger.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 9 * day }));
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 20 * day)))).toBe('continued 0');
  });

  it.each([96, 97, 98])(
    'does not limit someone who signed in since the recheck started: at %i',
    async (at) => {
      const ledger = await watched(makeLedger);
      await ledger.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + at }));
      expect(await ledger.dropUpstreamToken(drop)).toBe('dropped');
      const isLimited = at < 97;
      expect(gist(await ledger.refresh(refreshUse(0, t0 + 11 * day)))).toBe(
        isLimited ? 'ended' : 'continued 0',
      );
    },
  );

  it('lifts the limit when the person adds the identity again', async () => {
    const ledger = await watched(makeLedger);
    await begin(ledger, { grantId: 'session', clientId: 'account' });
    await ledger.dropUpstreamToken(drop);
    const link = { userId: 'user-1', session: 'session', now: t0 + day };
    expect(await ledger.linkIdentity({ ...link, identity: { provider: 'google', subject: 'ada' } })).toBe(
      'linked',
    );
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 20 * day)))).toBe('continued 0');
  });

  it('changes nothing if another token is stored, or none', async () => {
    const ledger = await watched(makeLedger);
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0, sealedRefreshToken: 'sealed-2' });
    expect(await ledger.dropUpstreamToken(drop)).toBe('superseded');
    const asked = { ...adasToken, sealedRefreshToken: 'sealed-2' };
    expect(await dueAt(ledger, t0 + 100)).toEqual(asked);
    expect(await ledger.dropUpstreamToken({ ...drop, asked })).toBe('dropped');
    expect(await ledger.dropUpstreamToken({ ...drop, asked })).toBe('superseded');
  });
};

const endings = (makeLedger: MakeLedger): void => {
  it('ends every grant of the identity, with one line for those that have an unexpired access token', async () => {
    const ledger = await watched(makeLedger);
    await begin(ledger, { grantId: 'grant-2', refreshPolicy: 'none', now: t0 + 10 });
    await begin(ledger, { grantId: 'grant-3', clientId: 'claude', now: t0 - accessLife - 10 });
    await ledger.recordSignIn(signIn({ grantId: 'grant-4' }));
    const bob = { identity: { subject: 'bob' }, user: { kind: 'ours', newId: 'user-2' } } as const;
    await begin(ledger, { grantId: 'grant-5', ...bob });
    expect(await ledger.endIdentity(adasToken, 'gone', t0 + 100)).toBe('ended');
    expect(await linesAt(ledger, t0 + 100)).toEqual([
      { kind: 'user', id: 'user-1', revokedAt: t0 + 11, deadAfter: t0 + 11 + accessLife },
    ]);
    expect(await ledger.isRevoked(token(), t0 + 100)).toBe(true);
    expect(await ledger.refresh(refreshUse(0, t0 + 100))).toEqual(ended);
    expect(
      await ledger.isRefreshable(refreshUse(0, t0 + 100, { grantId: 'grant-3', clientId: 'claude' })),
    ).toBe(false);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 100, { grantId: 'grant-5' })))).toBe('continued 1');
  });

  it('leaves the user’s grants by another identity', async () => {
    const ledger = await watched(makeLedger, { user: { kind: 'theirs', id: 'their-7' } });
    const identity = { provider: 'github' };
    await begin(ledger, { grantId: 'grant-2', identity, user: { kind: 'theirs', id: 'their-7' } });
    await ledger.endIdentity(adasToken, 'gone', t0 + 100);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 100, { grantId: 'grant-2' })))).toBe('continued 1');
  });

  it('lets a token die that a server whose clock runs ahead has issued', async () => {
    const ledger = await watched(makeLedger);
    await ledger.refresh(refreshUse(0, t0 + 103));
    await ledger.endIdentity(adasToken, 'gone', t0 + 100);
    expect(await ledger.isRevoked(token({ issuedAt: t0 + 103 }), t0 + 104)).toBe(true);
  });

  it('forgets the token, and starts anew with the next sign-in that brings one', async () => {
    const ledger = await watched(makeLedger);
    await ledger.endIdentity(adasToken, 'gone', t0 + 100);
    await begin(ledger, { grantId: 'grant-2', refreshPolicy: 'stable', now: t0 + 200 });
    expect(await dueAt(ledger, t0 + 300, { grantId: 'grant-2' })).toBeUndefined();
    const identity = { sealedRefreshToken: 'sealed-2' };
    await ledger.recordSignIn(signIn({ grantId: 'grant-3', identity, now: t0 + 400 }));
    expect(await dueAt(ledger, t0 + 500, { grantId: 'grant-2' })).toEqual({ ...adasToken, ...identity });
  });

  it('changes nothing once another token is stored, or none, or for an identity that it does not know', async () => {
    const ledger = await watched(makeLedger);
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0, sealedRefreshToken: 'sealed-2' });
    const newer = { ...adasToken, sealedRefreshToken: 'sealed-2' };
    for (const asked of [adasToken, { ...newer, subject: 'eve' }, { ...newer, provider: 'github' }])
      expect(await ledger.endIdentity(asked, 'gone', t0 + 100)).toBe('superseded');
    expect(await linesAt(ledger, t0 + 100)).toEqual([]);
    expect(await dueAt(ledger, t0 + 100)).toEqual(newer);
    expect(await ledger.endIdentity(newer, 'gone', t0 + 100)).toBe('ended');
    expect(await ledger.endIdentity(newer, 'gone', t0 + 101)).toBe('superseded');
    expect(await linesAt(ledger, t0 + 101)).toHaveLength(1);
  });

  it('ends one of 50 at once, and leaves no refresh alive that meets it', async () => {
    const ledger = await watched(makeLedger);
    const refreshes = fifty.slice(0, 20).map(() => ledger.refresh(refreshUse(0, t0 + 100)));
    const outcomes = await Promise.all(fifty.map(() => ledger.endIdentity(adasToken, 'gone', t0 + 100)));
    await Promise.all(refreshes);
    expect(outcomes.filter((outcome) => outcome === 'ended')).toHaveLength(1);
    expect(await linesAt(ledger, t0 + 100)).toHaveLength(1);
    expect(await ledger.isRevoked(token({ issuedAt: t0 + 100 }), t0 + 101)).toBe(true);
    expect(await ledger.refresh(refreshUse(0, t0 + 101))).toEqual(ended);
  });

  it('leaves what was revoked before as it was', async () => {
    const ledger = await watched(makeLedger);
    await ledger.revoke(grant1, 'signed out', t0 + 50);
    expect(await ledger.endIdentity(adasToken, 'gone', t0 + 100)).toBe('ended');
    expect(await linesAt(ledger, t0 + 100)).toEqual([
      { kind: 'grant', id: 'grant-1', revokedAt: t0 + 50, deadAfter: t0 + 1 + accessLife },
    ]);
    expect(await ledger.refresh(refreshUse(0, t0 + 30 * day))).toEqual(ended);
  });
};
