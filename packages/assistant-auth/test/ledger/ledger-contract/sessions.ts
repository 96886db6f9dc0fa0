/** The port's contract for sessions: a grant of the account page, which ends as any grant does. */
import { expect, it } from 'vitest';
import { accountClientId } from '../../../src/oauth/identifiers.ts';
import type { Ledger } from '../../../src/storage/broker-storage.ts';
import {
  adasToken,
  begin,
  day,
  ended,
  fifty,
  type MakeLedger,
  redemption,
  refreshUse,
  signIn,
  sweepAt,
  t0,
  tally,
} from './sample.ts';

/** Ada has a session, begun a second after `t0`, that lives 30 days at most. */
export const inSession = async (
  makeLedger: MakeLedger,
  identity: Parameters<typeof signIn>[0] = {},
): Promise<Ledger> => {
  const ledger = await makeLedger();
  await beginSession(ledger, identity);
  return ledger;
};

export const beginSession = async (
  ledger: Ledger,
  choice: Parameters<typeof signIn>[0] = {},
): Promise<void> => {
  const given = {
    grantId: 'session-1',
    clientId: accountClientId,
    refreshPolicy: 'stable',
    ...choice,
  } as const;
  const { now, grant } = signIn(given);
  await ledger.recordSignIn(signIn(given));
  await ledger.redeemCode(
    redemption({
      grantId: grant.id,
      clientId: accountClientId,
      now: now + 1,
      codeExpiresAt: now + 60,
      accessExpiresAt: now + 1,
      refreshIdleExpiresAt: now + 1 + 7 * day,
      refreshAbsoluteExpiresAt: now + 1 + 30 * day,
    }),
  );
};

/** Uses the session as the account page does. */
export const use = (ledger: Ledger, now: number, grantId = 'session-1') =>
  ledger.useSession({ grantId, now, idleExpiresAt: now + 7 * day });

export const sessionContract = (makeLedger: MakeLedger): void => {
  it('says whose it is, and with whom they signed in', async () => {
    const plain = await inSession(makeLedger);
    expect(await use(plain, t0 + 2)).toEqual({
      userId: 'user-1',
      identity: { provider: 'google', subject: 'ada', watched: false },
    });
    const watched = await inSession(makeLedger, {
      identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' },
    });
    expect(await use(watched, t0 + 2)).toEqual({
      userId: 'user-1',
      identity: { provider: 'google', subject: 'ada', label: 'Ada L.', watched: true },
    });
  });

  it('lives seven days from its last use, and thirty at most', async () => {
    const ledger = await inSession(makeLedger);
    const begun = t0 + 1;
    for (const days of [6.9, 13.8, 20.7, 27.6, 29.9])
      expect([days, (await use(ledger, begun + days * day))?.userId]).toEqual([days, 'user-1']);
    expect(await use(ledger, begun + 30 * day)).toBeUndefined();
    const idle = await inSession(makeLedger);
    expect(await use(idle, begun + 7 * day)).toBeUndefined();
    expect(await use(idle, begun + 7 * day - 1)).toBeDefined();
  });

  it.each([
    ['its own end', (ledger: Ledger) => ledger.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2)],
    ['the user’s end', (ledger: Ledger) => ledger.revoke({ kind: 'user', id: 'user-1' }, 'out', t0 + 2)],
    ['the provider’s word', (ledger: Ledger) => ledger.endIdentity(adasToken, 'gone', t0 + 2)],
    ['deletion', (ledger: Ledger) => ledger.deleteUser({ userId: 'user-1', by: 'user', now: t0 + 2 })],
  ])('ends with %s', async (_, end) => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await end(ledger);
    expect(await use(ledger, t0 + 3)).toBeUndefined();
  });

  it('ends when its identity is another user’s by the publisher’s word', async () => {
    const ledger = await inSession(makeLedger);
    const theirs = { kind: 'theirs', id: 'their-7' } as const;
    await ledger.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 2, user: theirs }));
    expect(await use(ledger, t0 + 3)).toBeUndefined();
  });

  it('is no grant of a client, one that was not redeemed, or unknown', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { refreshPolicy: 'stable' });
    await ledger.recordSignIn(signIn({ grantId: 'session-1', clientId: accountClientId }));
    for (const grantId of ['grant-1', 'session-1', 'nobody']) {
      expect(await use(ledger, t0 + 2, grantId)).toBeUndefined();
    }
  });

  it('is refreshed by nobody who names another client', async () => {
    const ledger = await inSession(makeLedger);
    expect(await ledger.refresh(refreshUse(0, t0 + 2, { grantId: 'session-1' }))).toEqual(ended);
  });

  it('leaves no line when it ends: no access token came from it', async () => {
    const ledger = await inSession(makeLedger);
    await use(ledger, t0 + 2);
    await ledger.revoke({ kind: 'grant', id: 'session-1' }, 'signed out', t0 + 3);
    expect(await ledger.revocationsSince(undefined, t0 + 3, 10)).toMatchObject({ revocations: [] });
  });

  it('is kept by the sweep while it lives', async () => {
    const ledger = await inSession(makeLedger);
    await ledger.sweep(sweepAt(t0 + 7 * day));
    expect(await use(ledger, t0 + 7 * day)).toBeDefined();
  });

  continuing(makeLedger);
  turns(makeLedger);
};

/** Signing in at a client on the strength of the session. */
export const goOn = (ledger: Ledger, now: number, grantId = 'grant-2') =>
  ledger.recordSignIn({
    ...signIn({ grantId, now, user: { kind: 'ours', newId: 'x' } }),
    session: 'session-1',
  });

const continuing = (makeLedger: MakeLedger): void => {
  it('lets its person sign in, as the user that they are', async () => {
    const ledger = await inSession(makeLedger);
    expect(await goOn(ledger, t0 + 5)).toEqual({ kind: 'recorded', userId: 'user-1', watched: false });
    expect(await ledger.redeemCode(redemption({ grantId: 'grant-2', now: t0 + 6 }))).toMatchObject({
      grant: { userId: 'user-1' },
    });
  });

  it.each([
    ['signed out', (ledger: Ledger) => ledger.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2)],
    ['deleted', (ledger: Ledger) => ledger.deleteUser({ userId: 'user-1', by: 'user', now: t0 + 2 })],
    ['idle for too long', async () => {}],
  ])('lets nobody sign in, and writes nothing, once %s', async (_, end) => {
    const ledger = await inSession(makeLedger);
    await end(ledger);
    const now = t0 + 1 + 7 * day;
    expect(await goOn(ledger, now)).toEqual({ kind: 'session-ended' });
    const later = redemption({ grantId: 'grant-2', now, codeExpiresAt: now + 60 });
    expect(await ledger.redeemCode(later)).toEqual({ kind: 'refused', reason: 'spent' });
    expect(await ledger.readAccount('x')).toBeUndefined();
  });

  it('does not bring back a person who is deleted at the same time', async () => {
    for (const n of fifty.slice(0, 5)) {
      const ledger = await inSession(makeLedger);
      const [outcome] = await Promise.all([
        goOn(ledger, t0 + 5, `grant-${n}`),
        ledger.deleteUser({ userId: 'user-1', by: 'user', now: t0 + 5 }),
      ]);
      expect(['recorded', 'session-ended']).toContain(outcome.kind);
      expect(await ledger.readAccount('user-1')).toBeUndefined();
      expect(await ledger.findUser({ provider: 'google', subject: 'ada' })).toBeUndefined();
    }
  });
};

const turns = (makeLedger: MakeLedger): void => {
  const ask = (ledger: Ledger, now: number, subject = 'ada') =>
    ledger.takeCheck({ provider: 'google', subject, now, checkLease: 60 });
  const due = { kind: 'due', token: expect.objectContaining(adasToken) };
  const noWord = { kind: 'no-word' };

  it('gives one of 50 the turn to ask the provider', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    const found = await Promise.all(fifty.map(() => ask(ledger, t0 + 5)));
    expect(tally(found.map(({ kind }) => kind))).toEqual({ due: 1, 'no-word': 49 });
  });

  it('holds a word for as long as it holds, and then asks anew', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    expect(await ask(ledger, t0 + 5)).toEqual(due);
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 605 });
    expect(await ask(ledger, t0 + 604)).toEqual({ kind: 'vouched' });
    expect(await ask(ledger, t0 + 605)).toEqual(due);
    expect(await ask(ledger, t0 + 606)).toEqual(noWord);
  });

  it('takes no lease for a word', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await ask(ledger, t0 + 5);
    expect(await ask(ledger, t0 + 64)).toEqual(noWord);
    expect(await ask(ledger, t0 + 65)).toEqual(due);
  });

  it('shares the turn with refreshes', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await begin(ledger, { refreshPolicy: 'stable', identity: {} });
    await ledger.refresh(refreshUse(0, t0 + 5));
    expect(await ask(ledger, t0 + 6)).toEqual(noWord);
  });

  it('has none for who cannot be asked, is gone, or never was', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 605 });
    await ledger.endIdentity(adasToken, 'gone', t0 + 6);
    expect(await ask(ledger, t0 + 7)).toEqual(noWord);
    expect(await ask(ledger, t0 + 7, 'nobody')).toEqual(noWord);
  });
};
