/** The contract of the storage port for the limits of a user: sign-ins within a period, active grants, and revocation lines. */
import { expect, it } from 'vitest';
import { accountClientId } from '../../../src/oauth/identifiers.ts';
import type { Ledger } from '../../../src/storage/broker-storage.ts';
import {
  accessLife,
  adasToken,
  begin,
  day,
  fifty,
  gist,
  grant1,
  linesAt,
  type MakeLedger,
  redemption,
  refreshUse,
  signIn,
  t0,
  tally,
  token,
} from './sample.ts';
import { beginSession, goOn, inSession, use } from './sessions.ts';

type Choice = NonNullable<Parameters<typeof signIn>[0]>;

const ours = (newId: string) => ({ kind: 'ours', newId }) as const;
const theirs = { kind: 'theirs', id: 'their-7' } as const;
const bob = { identity: { subject: 'bob' }, user: ours('user-2') } as const;
const three = { signIns: 3 };
const limited = (retryAfter: number) => ({ kind: 'limited', retryAfter });

/** Signs Ada in three times, a second apart. */
const signedInThrice = async (makeLedger: MakeLedger, choice: Choice = {}): Promise<Ledger> => {
  const ledger = await makeLedger();
  for (const n of [0, 1, 2])
    await ledger.recordSignIn(signIn({ grantId: `first-${n}`, now: t0 + n, ...choice }));
  return ledger;
};

const again = (ledger: Ledger, choice: Choice = {}) =>
  ledger.recordSignIn(signIn({ grantId: 'again', now: t0 + 3, limits: three, ...choice }));

export const userLimitContract = (makeLedger: MakeLedger): void => {
  signIns(makeLedger);
  exceptions(makeLedger);
  activeGrants(makeLedger);
  lines(makeLedger);
};

const signIns = (makeLedger: MakeLedger): void => {
  it('records sign-ins within a period up to the limit', async () => {
    const ledger = await makeLedger();
    const outcomes: string[] = [];
    for (const n of [0, 1, 2, 3, 4])
      outcomes.push((await again(ledger, { grantId: `grant-${n}`, now: t0 + n })).kind);
    expect(outcomes).toEqual(['recorded', 'recorded', 'recorded', 'limited', 'limited']);
  });

  it('says how long to wait: until enough counted sign-ins are older than the period', async () => {
    const ledger = await signedInThrice(makeLedger);
    expect(await again(ledger)).toEqual(limited(597));
    expect(await again(ledger, { now: t0 + 599 })).toEqual(limited(1));
    expect(await again(ledger, { now: t0 + 600 })).toMatchObject({ kind: 'recorded' });
    expect(await again(ledger, { grantId: 'more', now: t0 + 600 })).toEqual(limited(1));
    expect(await again(ledger, { grantId: 'more', now: t0 + 600, limits: { signIns: 2 } })).toEqual(
      limited(2),
    );
  });

  it('records only as many as the limit allows of 50 sign-ins at once', async () => {
    const ledger = await makeLedger();
    const outcomes = await Promise.all(fifty.map((n) => again(ledger, { grantId: `grant-${n}` })));
    expect(tally(outcomes.map(({ kind }) => kind))).toEqual({ recorded: 3, limited: 47 });
  });

  it('counts all sign-ins of a user, with any identity and at any client', async () => {
    const ledger = await makeLedger();
    await ledger.recordSignIn(signIn({ grantId: 'at-google', user: theirs }));
    await ledger.recordSignIn(
      signIn({ grantId: 'at-github', clientId: 'claude', user: theirs, identity: { provider: 'github' } }),
    );
    await beginSession(ledger, { user: theirs });
    const at = { now: t0 + 5 };
    expect(await again(ledger, { ...at, identity: { provider: 'github' } })).toEqual(limited(595));
    expect(await again(ledger, { ...at, identity: { provider: 'new' }, user: theirs })).toEqual(limited(595));
    expect(await goOn(ledger, t0 + 5)).toMatchObject({ kind: 'recorded' });
  });

  it('counts sign-ins that start in a session separately', async () => {
    const ledger = await inSession(makeLedger);
    const continued = (grantId: string) => ({
      ...signIn({ grantId, now: t0 + 6, limits: { signIns: 1 } }),
      session: 'session-1',
    });
    expect(await ledger.recordSignIn(continued('grant-2'))).toMatchObject({ kind: 'recorded' });
    expect(await ledger.recordSignIn(continued('grant-3'))).toEqual(limited(600));
    // The session was a sign-in at the provider.
    expect(await again(ledger, { now: t0 + 7, limits: { signIns: 1 } })).toEqual(limited(593));
    expect(await again(ledger, { now: t0 + 7, limits: { signIns: 2 } })).toMatchObject({ kind: 'recorded' });
    expect(await use(ledger, t0 + 7)).toBeDefined();
  });

  it('counts sign-ins whose grants have ended', async () => {
    const ledger = await signedInThrice(makeLedger);
    await ledger.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3);
    expect(await again(ledger)).toEqual(limited(597));
  });

  it('does not count sign-ins of other users', async () => {
    const ledger = await signedInThrice(makeLedger);
    expect(await again(ledger, bob)).toMatchObject({ kind: 'recorded', userId: 'user-2' });
    expect(await again(ledger, { grantId: 'more', user: theirs })).toMatchObject({ userId: 'their-7' });
  });
};

const exceptions = (makeLedger: MakeLedger): void => {
  it('writes nothing if the limit is reached', async () => {
    const ledger = await signedInThrice(makeLedger, { identity: adasToken });
    const before = await ledger.readAccount('user-1');
    const identity = { label: 'New', sealedRefreshToken: 'sealed-2' };
    expect(await again(ledger, { identity })).toEqual(limited(597));
    expect(await ledger.grantStatus('again')).toBe('unknown');
    expect(await ledger.readAccount('user-1')).toEqual(before);
    expect(await ledger.findTokens({ beginnings: ['sealed-2'], limit: 10 })).toEqual([]);
  });

  it('does not move an identity to a user who has reached the limit', async () => {
    const ledger = await signedInThrice(makeLedger, { user: theirs });
    await ledger.recordSignIn(signIn({ grantId: 'bobs', ...bob }));
    expect(await again(ledger, { ...bob, user: theirs })).toEqual(limited(597));
    expect(await ledger.findUser({ provider: 'google', subject: 'bob' })).toBe('user-2');
  });

  it('still reports a replayed transaction and an ended session if the limit is reached', async () => {
    const ledger = await signedInThrice(makeLedger);
    expect(await again(ledger, { grantId: 'first-1' })).toEqual({ kind: 'replayed' });
    const continued = { ...signIn({ grantId: 'again', limits: three }), session: 'session-1' };
    expect(await ledger.recordSignIn(continued)).toEqual({ kind: 'session-ended' });
  });

  it('does not count sign-ins that were refused', async () => {
    const ledger = await signedInThrice(makeLedger);
    for (const n of fifty) await again(ledger, { grantId: `refused-${n}`, now: t0 + n });
    expect(await again(ledger, { now: t0 + 600 })).toMatchObject({ kind: 'recorded' });
  });
};

const activeOf = async (ledger: Ledger): Promise<readonly string[]> => {
  const { grants = [] } = (await ledger.readAccount('user-1')) ?? {};
  return grants.flatMap(({ id, revokedAt }) => (revokedAt === undefined ? [id] : [])).toSorted();
};

const limits = { activeGrants: 3 };

const activeGrants = (makeLedger: MakeLedger): void => {
  it('ends the least recently used grant if a sign-in adds one too many', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}`, now: t0 + n });
    await ledger.refresh(refreshUse(0, t0 + 50, { grantId: 'grant-1' }));
    await begin(ledger, { grantId: 'grant-4', now: t0 + 60, limits });
    expect(await activeOf(ledger)).toEqual(['grant-1', 'grant-3', 'grant-4']);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 70, { grantId: 'grant-2' })))).toBe('ended');
    expect(await linesAt(ledger, t0 + 70)).toEqual([
      { kind: 'grant', id: 'grant-2', revokedAt: t0 + 60, deadAfter: t0 + 3 + accessLife },
    ]);
  });

  it('never ends the new grant', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}` });
    await ledger.recordSignIn(signIn({ grantId: 'a', now: t0 - 10, limits: { activeGrants: 1 } }));
    expect(await activeOf(ledger)).toEqual(['a']);
  });

  it('neither counts nor ends sessions', async () => {
    const ledger = await inSession(makeLedger);
    await beginSession(ledger, { grantId: 'session-2' });
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}`, now: t0 + 10 + n, limits });
    await beginSession(ledger, { grantId: 'session-3', now: t0 + 20, limits });
    expect(await activeOf(ledger)).toEqual([
      ...['grant-1', 'grant-2', 'grant-3'],
      ...['session-1', 'session-2', 'session-3'],
    ]);
  });

  it('does not count grants that have ended or expired, or grants of other users', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { grantId: 'expired', refreshPolicy: 'none' });
    const now = t0 + 5000;
    await begin(ledger, { grantId: 'revoked', now });
    await ledger.revoke({ kind: 'grant', id: 'revoked' }, 'signed out', now + 2);
    await begin(ledger, { ...bob, grantId: 'bobs', now });
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}`, now, limits });
    expect(await activeOf(ledger)).toEqual(['expired', 'grant-1', 'grant-2', 'grant-3']);
    expect((await ledger.readAccount('user-2'))?.grants).toMatchObject([{ id: 'bobs' }]);
  });

  it('ends several grants if the limit was lowered, with a line for each', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2, 3, 4, 5]) await begin(ledger, { grantId: `grant-${n}`, now: t0 + n });
    await begin(ledger, { grantId: 'grant-6', now: t0 + 60, limits });
    expect(await activeOf(ledger)).toEqual(['grant-4', 'grant-5', 'grant-6']);
    for (const grantId of ['grant-1', 'grant-2', 'grant-3'])
      expect(await ledger.isRevoked(token({ grantId }), t0 + 60)).toBe(true);
    expect(await ledger.isRevoked(token({ grantId: 'grant-4' }), t0 + 60)).toBe(false);
    expect(await linesAt(ledger, t0 + 60)).toHaveLength(3);
  });

  it('ends each grant only once if two sign-ins happen in the same second', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}`, now: t0 + n });
    for (const grantId of ['grant-4', 'grant-5'])
      await ledger.recordSignIn(signIn({ grantId, now: t0 + 60, limits }));
    expect(await activeOf(ledger)).toEqual(['grant-3', 'grant-4', 'grant-5']);
    expect(await linesAt(ledger, t0 + 60)).toHaveLength(2);
  });

  it('ends nothing for a sign-in that is not recorded', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}`, now: t0 + n });
    const one = { activeGrants: 1 };
    await ledger.recordSignIn(signIn({ grantId: 'new', now: t0 + 9, limits: { ...one, signIns: 1 } }));
    await ledger.recordSignIn({ ...signIn({ grantId: 'new', limits: one }), session: 'nobody' });
    await ledger.recordSignIn(signIn({ grantId: 'grant-3', now: t0 + 9, limits: one }));
    expect(await activeOf(ledger)).toEqual(['grant-1', 'grant-2', 'grant-3']);
  });
};

type Ending = readonly [name: string, end: (ledger: Ledger) => Promise<unknown>];

const now = t0 + 20;
const ada = { provider: 'google', subject: 'ada' } as const;
const cat = { provider: 'github', subject: '42' } as const;

/** Every method that can end several grants of a user. `unlinkIdentity` needs a second identity. */
const endings: readonly Ending[] = [
  [
    'endApps',
    (ledger) =>
      ledger.endApps({ userId: 'user-1', grantIds: ['grant-1', 'grant-2'], reason: 'disconnected', now }),
  ],
  ['deleteUser', (ledger) => ledger.deleteUser({ userId: 'user-1', by: 'user', now })],
  ['unlinkIdentity', (ledger) => ledger.unlinkIdentity({ userId: 'user-1', ...ada, now })],
  ['endIdentity', (ledger) => ledger.endIdentity(adasToken, 'gone', now)],
  [
    'recordSignal',
    (ledger) =>
      ledger.recordSignal({
        ...{
          provider: 'google',
          jti: 'signal-1',
          neededUntil: now + 600,
          before: now,
          reason: 'a signal',
          now,
        },
        endings: [{ target: { kind: 'identity', subject: 'ada' }, reach: 'identity' }],
      }),
  ],
];

/** Ada has a session, a second identity, and two grants with unexpired access tokens. */
const twoGrants = async (makeLedger: MakeLedger): Promise<Ledger> => {
  const ledger = await inSession(makeLedger, { identity: adasToken });
  await ledger.linkIdentity({ userId: 'user-1', session: 'session-1', identity: cat, now: t0 + 2 });
  for (const n of [1, 2]) await begin(ledger, { grantId: `grant-${n}`, now: t0 + n });
  return ledger;
};

/** Dated by the newest access token: no token that is issued later is revoked. */
const userLine = { kind: 'user', id: 'user-1', revokedAt: t0 + 3, deadAfter: t0 + 3 + accessLife };

const lines = (makeLedger: MakeLedger): void => {
  it.each(endings)('appends one line for the user if all grants end: %s', async (_, end) => {
    const ledger = await twoGrants(makeLedger);
    await begin(ledger, { ...bob, grantId: 'bobs' });
    await end(ledger);
    expect(await linesAt(ledger, now)).toEqual([userLine]);
    for (const grantId of ['grant-1', 'grant-2'])
      expect(await ledger.isRevoked(token({ grantId }), now)).toBe(true);
    expect(await ledger.isRevoked(token({ grantId: 'bobs', userId: 'user-2' }), now)).toBe(false);
    expect(await ledger.isRevoked(token({ grantId: 'new', issuedAt: now }), now)).toBe(false);
  });

  it.each(endings.filter(([name]) => name !== 'deleteUser'))(
    'appends a line for each grant if another grant is still active: %s',
    async (_, end) => {
      const ledger = await twoGrants(makeLedger);
      await begin(ledger, { grantId: 'left', identity: cat, user: ours('x') });
      await end(ledger);
      const found = await linesAt(ledger, now);
      expect(Array.isArray(found) && found.map(({ kind, id }) => `${kind} ${id}`).toSorted()).toEqual([
        'grant grant-1',
        'grant grant-2',
      ]);
      expect(await ledger.isRevoked(token({ grantId: 'left' }), now)).toBe(false);
    },
  );

  it('appends a line for each grant if the code of another grant has not been redeemed yet', async () => {
    const ledger = await twoGrants(makeLedger);
    await ledger.recordSignIn(signIn({ grantId: 'left', identity: cat, now: now - 1 }));
    await ledger.endIdentity(adasToken, 'gone', now);
    expect(await linesAt(ledger, now)).toHaveLength(2);
    await ledger.redeemCode(redemption({ grantId: 'left', now, codeExpiresAt: now + 1 }));
    expect(await ledger.isRevoked(token({ grantId: 'left', issuedAt: now }), now)).toBe(false);
  });

  it('appends one line for the user if all other grants have expired', async () => {
    const ledger = await twoGrants(makeLedger);
    const long = { now: t0 - 2 * day, refreshPolicy: 'none' } as const;
    await begin(ledger, { grantId: 'old', identity: cat, ...long });
    await ledger.endIdentity(adasToken, 'gone', now);
    expect(await linesAt(ledger, now)).toEqual([userLine]);
  });

  it('appends a line for the grant, without the user ID, if only one grant needs a line', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, { grantId: 'old', now: t0 - 5000 });
    await beginSession(ledger, { clientId: accountClientId });
    await ledger.deleteUser({ userId: 'user-1', by: 'user', now });
    expect(await linesAt(ledger, now)).toEqual([
      { ...grant1, revokedAt: now, deadAfter: t0 + 1 + accessLife },
    ]);
  });

  it.each([now, now + 5])(
    'appends a line of its own for a grant with a token from the same second, or from a server whose clock is ahead: %d',
    async (at) => {
      for (const [, end] of endings.filter(([name]) => name !== 'endApps')) {
        const ledger = await twoGrants(makeLedger);
        await begin(ledger, { grantId: 'grant-3', now: t0 + 1 });
        await ledger.refresh(refreshUse(0, at, { grantId: 'grant-3' }));
        await end(ledger);
        const found = await linesAt(ledger, now);
        expect(Array.isArray(found) && found.map(({ kind, id }) => `${kind} ${id}`).toSorted()).toEqual([
          'grant grant-3',
          'user user-1',
        ]);
        expect(await ledger.isRevoked(token({ grantId: 'grant-3', issuedAt: at }), at)).toBe(true);
        expect(await ledger.isRevoked(token({ grantId: 'new', issuedAt: at }), at)).toBe(false);
      }
    },
  );

  it('replaces earlier lines of a user who is deleted', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    for (const turn of [0, 1, 2]) {
      const grantIds = [1, 2].map((n) => `grant-${turn}-${n}`);
      for (const grantId of grantIds) await begin(ledger, { grantId, now: t0 + turn });
      await ledger.endApps({ userId: 'user-1', grantIds, reason: 'disconnected', now: t0 + 10 + turn });
    }
    expect(await linesAt(ledger, now)).toHaveLength(3);
    await ledger.deleteUser({ userId: 'user-1', by: 'user', now });
    expect(await linesAt(ledger, now)).toEqual([
      { ...userLine, revokedAt: t0 + 3, deadAfter: t0 + 3 + accessLife },
    ]);
  });

  it('replaces the lines of grants that were revoked before if the user is deleted', async () => {
    const ledger = await twoGrants(makeLedger);
    await begin(ledger, { grantId: 'grant-3', now: t0 + 3 });
    await begin(ledger, { ...bob, grantId: 'bobs' });
    for (const id of ['grant-1', 'grant-2', 'bobs'])
      await ledger.revoke({ kind: 'grant', id }, 'out', t0 + 9);
    await ledger.deleteUser({ userId: 'user-1', by: 'user', now });
    const found = await linesAt(ledger, now);
    expect(Array.isArray(found) && found.map(({ kind, id }) => `${kind} ${id}`).toSorted()).toEqual([
      'grant bobs',
      'user user-1',
    ]);
    for (const grantId of ['grant-1', 'grant-2', 'grant-3'])
      expect(await ledger.isRevoked(token({ grantId, issuedAt: t0 + 4 }), now)).toBe(true);
  });

  it('appends lines separately for each user if an identity moved from one user to another', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2]) await begin(ledger, { grantId: `grant-${n}`, identity: adasToken });
    await begin(ledger, { grantId: 'grant-3', user: theirs });
    await ledger.endIdentity(adasToken, 'gone', now);
    const found = await linesAt(ledger, now);
    expect(Array.isArray(found) && found.map(({ kind, id }) => `${kind} ${id}`).toSorted()).toEqual([
      'grant grant-3',
      'user user-1',
    ]);
  });
};
