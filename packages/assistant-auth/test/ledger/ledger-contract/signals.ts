/** The port's contract for providers' signals: each counts once, and ends what rests on whom it names, and no more. */
import { expect, it } from 'vitest';
import type { SignalEnding, SignalReach, SignalTarget } from '../../../src/oauth/security-event.ts';
import type { Ledger, NamedToken, ReceivedSignal } from '../../../src/storage/broker-storage.ts';
import {
  accessLife,
  adasToken,
  begin,
  day,
  ended,
  fifty,
  gist,
  linesAt,
  type MakeLedger,
  refreshUse,
  signIn,
  sweepAt,
  t0,
  tally,
  token,
} from './sample.ts';
import { beginSession, goOn, inSession, use } from './sessions.ts';

const now = t0 + 100;
const ada: SignalTarget = { kind: 'identity', subject: 'ada' };

const signal = (endings: readonly SignalEnding[], given: Partial<ReceivedSignal> = {}): ReceivedSignal => ({
  provider: 'google',
  jti: 'signal-1',
  neededUntil: now + day,
  before: now,
  endings,
  reason: 'a signal',
  now,
  ...given,
});

const tell = (
  ledger: Ledger,
  target: SignalTarget,
  reach: SignalReach = 'grants',
  given: Partial<ReceivedSignal> = {},
) => ledger.recordSignal(signal([{ target, reach }], given));

/** The ids of a user's grants that have ended, in order. */
const endedOf = async (ledger: Ledger, userId = 'user-1'): Promise<readonly string[]> => {
  const account = await ledger.readAccount(userId);
  const grants = (account?.grants ?? []).filter(({ revokedAt }) => revokedAt !== undefined);
  return grants.map(({ id }) => id).toSorted();
};

/** Ada in session-1 of the provider: in a session here, with a grant for now, and with one for later. */
const signedIn = async (makeLedger: MakeLedger): Promise<Ledger> => {
  const ledger = await makeLedger();
  await beginSession(ledger, { grantId: 'session', sid: 'sid-1' });
  await begin(ledger, { grantId: 'now', refreshPolicy: 'none', sid: 'sid-1' });
  await begin(ledger, { grantId: 'later', refreshPolicy: 'rotating', sid: 'sid-1' });
  return ledger;
};

export const signalContract = (makeLedger: MakeLedger): void => {
  onceOnly(makeLedger);
  reaches(makeLedger);
  targets(makeLedger);
  tokens(makeLedger);
  retention(makeLedger);
};

const onceOnly = (makeLedger: MakeLedger): void => {
  it('counts a signal once: what comes again changes nothing', async () => {
    const ledger = await signedIn(makeLedger);
    expect(await tell(ledger, { kind: 'session', sid: 'sid-9' })).toBe('first');
    expect(await tell(ledger, ada)).toBe('replayed');
    expect(await endedOf(ledger)).toEqual([]);
    expect(await linesAt(ledger, now)).toEqual([]);
  });

  it('counts one of 50 that come at once', async () => {
    const ledger = await signedIn(makeLedger);
    expect(tally(await Promise.all(fifty.map(() => tell(ledger, ada))))).toEqual({ first: 1, replayed: 49 });
    expect(await linesAt(ledger, now)).toHaveLength(1);
  });

  it('tells signals of two providers apart, and two of one', async () => {
    const ledger = await signedIn(makeLedger);
    expect(await tell(ledger, ada, 'grants', { provider: 'github' })).toBe('first');
    expect(await endedOf(ledger)).toEqual([]);
    expect(await tell(ledger, ada, 'sessions')).toBe('first');
    expect(await tell(ledger, ada, 'grants', { jti: 'signal-2' })).toBe('first');
    expect(await endedOf(ledger)).toEqual(['later', 'now', 'session']);
  });

  it('knows a signal again that ended nothing', async () => {
    const ledger = await makeLedger();
    expect(await ledger.recordSignal(signal([]))).toBe('first');
    expect(await ledger.recordSignal(signal([]))).toBe('replayed');
  });
};

const reaches = (makeLedger: MakeLedger): void => {
  it.each([
    ['sessions', ['session']],
    ['presence', ['now', 'session']],
    ['grants', ['later', 'now', 'session']],
    ['identity', ['later', 'now', 'session']],
  ] as const)('ends as much as it reaches: %s', async (reach, expected) => {
    const ledger = await signedIn(makeLedger);
    await tell(ledger, ada, reach);
    expect(await endedOf(ledger)).toEqual(expected);
    expect(await use(ledger, now, 'session')).toBeUndefined();
  });

  it('appends one line for all grants that have an unexpired access token', async () => {
    const ledger = await signedIn(makeLedger);
    await begin(ledger, { grantId: 'old', now: t0 - accessLife - 10 });
    await ledger.recordSignIn(signIn({ grantId: 'unredeemed' }));
    await tell(ledger, ada);
    expect(await linesAt(ledger, now)).toEqual([
      { kind: 'user', id: 'user-1', revokedAt: t0 + 1, deadAfter: t0 + 1 + accessLife },
    ]);
    expect(await ledger.isRevoked(token({ grantId: 'now' }), now)).toBe(true);
    expect(await ledger.refresh(refreshUse(0, now, { grantId: 'later' }))).toEqual(ended);
    expect(await endedOf(ledger)).toEqual(['later', 'now', 'old', 'session', 'unredeemed']);
  });

  it('does all that several endings say', async () => {
    const ledger = await signedIn(makeLedger);
    await begin(ledger, {
      grantId: 'bobs',
      identity: { subject: 'bob' },
      user: { kind: 'ours', newId: 'bob' },
    });
    const bob: SignalTarget = { kind: 'identity', subject: 'bob' };
    await ledger.recordSignal(
      signal([
        { target: ada, reach: 'sessions' },
        { target: bob, reach: 'grants' },
      ]),
    );
    expect(await endedOf(ledger)).toEqual(['session']);
    expect(await endedOf(ledger, 'bob')).toEqual(['bobs']);
  });

  it('leaves alone what began after the provider said it', async () => {
    const ledger = await signedIn(makeLedger);
    const identity = { sealedRefreshToken: 'sealed-2' };
    await begin(ledger, { grantId: 'back-again', identity, now: t0 + 51, refreshPolicy: 'stable' });
    await tell(ledger, ada, 'identity', { before: t0 + 50 });
    expect(await endedOf(ledger)).toEqual(['later', 'now', 'session']);
    const answered = await ledger.refresh(refreshUse(0, now, { grantId: 'back-again' }));
    expect(answered).toMatchObject({ kind: 'continued', due: { ...adasToken, ...identity } });
  });

  it('does not take going on in a session for coming back', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await goOn(ledger, t0 + 51);
    await tell(ledger, ada, 'identity', { before: t0 + 50 });
    expect(await endedOf(ledger)).toEqual(['grant-2', 'session-1']);
    await begin(ledger, { grantId: 'back-again', now: now + 1, refreshPolicy: 'stable' });
    const answered = await ledger.refresh(refreshUse(0, now + 3, { grantId: 'back-again' }));
    expect(answered).not.toHaveProperty('due');
  });

  it('leaves alone what is gone on to in a session that began after the provider said it', async () => {
    const ledger = await inSession(makeLedger);
    await goOn(ledger, t0 + 51);
    await tell(ledger, ada, 'identity', { before: t0 - 1 });
    expect(await endedOf(ledger)).toEqual([]);
  });
};

const targets = (makeLedger: MakeLedger): void => {
  it('finds people by their subject at the provider, and by nothing else', async () => {
    const ledger = await signedIn(makeLedger);
    const theirs = { user: { kind: 'theirs', id: 'user-1' } } as const;
    await begin(ledger, { grantId: 'elsewhere', identity: { provider: 'github' }, ...theirs });
    for (const [jti, subject] of ['user-1', 'ADA', '', 'sid-1'].entries())
      await tell(ledger, { kind: 'identity', subject }, 'identity', { jti: `signal-${jti}` });
    expect(await endedOf(ledger)).toEqual([]);
    await tell(ledger, ada, 'identity', { jti: 'signal-5' });
    expect(gist(await ledger.refresh(refreshUse(0, now, { grantId: 'elsewhere' })))).toBe('continued 1');
  });

  it('ends the session at the provider that is named, and leaves the person’s others', async () => {
    const ledger = await signedIn(makeLedger);
    await begin(ledger, { grantId: 'other-browser', sid: 'sid-2' });
    await begin(ledger, { grantId: 'nameless' });
    await tell(ledger, { kind: 'session', sid: 'sid-1' });
    expect(await endedOf(ledger)).toEqual(['later', 'now', 'session']);
  });

  it('ends a session of the person who is named with it, and of nobody else', async () => {
    const ledger = await signedIn(makeLedger);
    await tell(ledger, { kind: 'session', sid: 'sid-1', subject: 'bob' });
    expect(await endedOf(ledger)).toEqual([]);
    await tell(ledger, { kind: 'session', sid: 'sid-1', subject: 'ada' }, 'grants', { jti: 'signal-2' });
    expect(await endedOf(ledger)).toEqual(['later', 'now', 'session']);
  });

  it('forgets no token for the end of a session', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable', sid: 'sid-1', identity: adasToken });
    await begin(ledger, { grantId: 'grant-2', refreshPolicy: 'stable' });
    await tell(ledger, { kind: 'session', sid: 'sid-1', subject: 'ada' }, 'identity');
    const answered = await ledger.refresh(refreshUse(0, now, { grantId: 'grant-2' }));
    expect(answered).toMatchObject({ due: adasToken });
  });
};

const tokens = (makeLedger: MakeLedger): void => {
  const named = { ...adasToken, tokenNames: ['start-1', 'digest-1'] } as const satisfies NamedToken;
  const isToken = (name: string): SignalTarget => ({ kind: 'token', name });

  /** Whether a signal that names a token by it ends the grant. */
  const ends = async (ledger: Ledger, name: string): Promise<boolean> => {
    await tell(ledger, isToken(name), 'identity', { jti: name });
    return !(await ledger.isRefreshable(refreshUse(0, now)));
  };

  it.each(named.tokenNames)('finds whose token is named: %s', async (name) => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: named });
    await begin(ledger, {
      grantId: 'bobs',
      identity: { subject: 'bob', sealedRefreshToken: 'sealed-9', tokenNames: ['start-9', 'digest-9'] },
      user: { kind: 'ours', newId: 'bob' },
    });
    expect(await ends(ledger, name)).toBe(true);
    expect(await endedOf(ledger, 'bob')).toEqual([]);
    await begin(ledger, { grantId: 'grant-2', now: now + 1 });
    const after = await ledger.refresh(refreshUse(0, now + 3, { grantId: 'grant-2' }));
    expect(after).not.toHaveProperty('due');
    await tell(ledger, isToken(name), 'grants', { jti: 'again', before: now + 9 });
    expect(await endedOf(ledger)).toEqual(['grant-1']);
  });

  it('finds nobody by a name of another provider’s token, nor by the token', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: named });
    await tell(ledger, isToken('start-1'), 'identity', { provider: 'github' });
    expect(await ends(ledger, 'sealed-1')).toBe(false);
    expect(await ends(ledger, '["start-1","digest-1"]')).toBe(false);
  });

  it.each<[string, (ledger: Ledger) => Promise<unknown>]>([
    [
      'a sign-in',
      (ledger) =>
        ledger.recordSignIn(
          signIn({
            grantId: 'grant-2',
            identity: { sealedRefreshToken: 'sealed-2', tokenNames: ['start-2'] },
          }),
        ),
    ],
    [
      'storeToken',
      (ledger) =>
        ledger.storeToken({ ...adasToken, sealedRefreshToken: 'sealed-2', tokenNames: ['start-2'] }),
    ],
    [
      'recordCheck',
      (ledger) =>
        ledger.recordCheck({
          asked: adasToken,
          checkAfter: t0 + 9,
          sealedRefreshToken: 'sealed-2',
          tokenNames: ['start-2'],
        }),
    ],
    [
      'linkIdentity',
      async (ledger) => {
        await beginSession(ledger);
        const identity: NamedToken = {
          ...adasToken,
          sealedRefreshToken: 'sealed-2',
          tokenNames: ['start-2'],
        };
        expect(
          await ledger.linkIdentity({ userId: 'user-1', session: 'session-1', identity, now: t0 + 5 }),
        ).toBe('linked');
      },
    ],
  ])('knows a token that was replaced by its new name: %s', async (_, replace) => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: named });
    await replace(ledger);
    expect(await ends(ledger, 'start-1')).toBe(false);
    expect(await ends(ledger, 'digest-1')).toBe(false);
    expect(await ends(ledger, 'start-2')).toBe(true);
  });

  it.each<[string, (ledger: Ledger) => Promise<unknown>]>([
    [
      'a sign-in',
      (ledger) =>
        ledger.recordSignIn(signIn({ grantId: 'grant-2', identity: { sealedRefreshToken: 'sealed-2' } })),
    ],
    ['storeToken', (ledger) => ledger.storeToken({ ...adasToken, sealedRefreshToken: 'sealed-2' })],
    [
      'recordCheck',
      (ledger) =>
        ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 9, sealedRefreshToken: 'sealed-2' }),
    ],
  ])('forgets the names of a token that a nameless one replaced: %s', async (_, replace) => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: named });
    await replace(ledger);
    expect(await ends(ledger, 'start-1')).toBe(false);
  });

  it('keeps the names where the token stays', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: named });
    await ledger.recordSignIn(signIn({ grantId: 'grant-2', identity: { label: 'Ada' } }));
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 9 });
    expect(await ends(ledger, 'digest-1')).toBe(true);
  });

  it('forgets the names with the token', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: named });
    await ledger.endIdentity(adasToken, 'gone', t0 + 5);
    await begin(ledger, { grantId: 'grant-2', now: t0 + 6 });
    await tell(ledger, isToken('start-1'));
    expect(await endedOf(ledger)).toEqual(['grant-1']);
  });
};

const retention = (makeLedger: MakeLedger): void => {
  it('knows a signal until it is no longer needed', async () => {
    const ledger = await signedIn(makeLedger);
    const nobody: SignalTarget = { kind: 'session', sid: 'sid-9' };
    await tell(ledger, nobody);
    await ledger.sweep(sweepAt(now + day - 1));
    expect(await tell(ledger, nobody)).toBe('replayed');
    await ledger.sweep(sweepAt(now + day));
    expect(await tell(ledger, nobody)).toBe('first');
  });
};
