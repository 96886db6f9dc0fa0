import type { Ledger } from 'assistant-auth';
import { beforeEach, describe, expect, it } from 'vitest';
import { d1Ledger } from '../../../src/storage/sqlite/d1.ts';
import {
  adasToken,
  begin,
  grant1,
  redemption,
  refreshUse,
  signIn,
  t0,
} from '../../ledger/ledger-contract/sample.ts';
import { beginSession } from '../../ledger/ledger-contract/sessions.ts';
import { emptyD1 } from './empty-d1.ts';

let db: D1Database;
let ledger: Ledger;
beforeEach(async () => {
  db = await emptyD1();
  ledger = d1Ledger(db);
});

const rows = async (): Promise<readonly unknown[]> =>
  (await db.prepare('SELECT * FROM audit ORDER BY seq').all()).results;

const row = (given: Readonly<Record<string, unknown>>) => ({
  seq: expect.any(Number),
  at: t0,
  event: 'signed-in',
  actor: 'user',
  reason: null,
  user_id: 'user-1',
  client_id: 'chatgpt',
  provider: 'google',
  ...given,
});

/** What the audit says after somebody signed in. */
const since = async () => (await rows()).slice(1);

describe('the audit', () => {
  it('has a row for a sign-in, in ids alone', async () => {
    await ledger.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
    expect(await rows()).toEqual([row({})]);
  });

  it('names the user that the publisher named', async () => {
    await ledger.recordSignIn(signIn({ user: { kind: 'theirs', id: 'their-7' } }));
    expect(await rows()).toEqual([row({ user_id: 'their-7' })]);
  });

  it.each<[string, Readonly<Record<string, unknown>>, () => Promise<unknown>]>([
    [
      'a code that comes again late',
      { event: 'reuse-detected', actor: 'client', reason: 'code replayed' },
      () => ledger.redeemCode(redemption({ now: t0 + 300 })),
    ],
    [
      'a refresh token that is reused',
      { event: 'reuse-detected', actor: 'client', reason: 'refresh token reused' },
      () => ledger.refresh(refreshUse(0, t0 + 300, { lateRefresh: 'revoke' })),
    ],
    [
      'a grant that its client ends',
      { event: 'revoked', actor: 'client', reason: 'revoked by its client' },
      () => ledger.revoke(grant1, 'revoked by its client', t0 + 300, 'client'),
    ],
    [
      'a user whom the operator signs out',
      { event: 'revoked', actor: 'operator', reason: 'signed out', client_id: null, provider: null },
      () => ledger.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 300),
    ],
    [
      'a client that the operator ends',
      { event: 'revoked', actor: 'operator', reason: 'withdrawn', user_id: null, provider: null },
      () => ledger.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 300),
    ],
    [
      'a person who is gone at the provider',
      { event: 'revoked', actor: 'provider', reason: 'gone', client_id: null },
      () => ledger.endIdentity(adasToken, 'gone', t0 + 300),
    ],
    [
      'an upstream token that can no longer be used',
      { event: 'upstream-token-dropped', actor: 'broker', reason: 'inconclusive', client_id: null },
      () =>
        ledger.dropUpstreamToken({
          ...{ asked: adasToken, startedAt: t0 + 300, now: t0 + 300, refreshableUntil: t0 + 900 },
          reason: 'inconclusive',
        }),
    ],
  ])('has one row for %s, however often it comes', async (_, said, happen) => {
    await begin(ledger, { identity: adasToken });
    await ledger.refresh(refreshUse(0, t0 + 100));
    await happen();
    await happen();
    expect(await since()).toEqual([row({ at: t0 + 300, ...said })]);
  });

  it('has one row for a user or a client of several grants', async () => {
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2' });
    await ledger.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 300);
    expect(await since()).toHaveLength(2);
  });

  it('has one row for what a provider’s signals end, however many of one second say so', async () => {
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2' });
    const ending = { target: { kind: 'identity', subject: 'ada' }, reach: 'identity' } as const;
    const signal = {
      provider: 'google',
      reason: 'the provider said logout',
      before: t0 + 300,
      now: t0 + 300,
    };
    for (const jti of ['signal-1', 'signal-2'])
      await ledger.recordSignal({ ...signal, jti, neededUntil: t0 + 999, endings: [ending, ending] });
    const said = { event: 'security-event', actor: 'provider', reason: signal.reason, client_id: null };
    expect((await since()).slice(1)).toEqual([row({ at: t0 + 300, ...said })]);
  });

  it('has no row for what did not happen', async () => {
    await begin(ledger, { identity: adasToken });
    await ledger.recordSignIn(signIn({ identity: { subject: 'eve' } }));
    await ledger.redeemCode(redemption({ now: t0 + 5 }));
    await ledger.redeemCode(redemption({ now: t0 + 300, clientId: 'claude' }));
    await ledger.refresh(refreshUse(0, t0 + 100));
    await ledger.refresh(refreshUse(0, t0 + 110));
    await ledger.refresh(refreshUse(0, t0 + 290));
    await ledger.refresh(refreshUse(7, t0 + 300));
    await ledger.revoke({ kind: 'grant', id: 'grant-9' }, 'signed out', t0 + 300);
    await ledger.revoke({ kind: 'user', id: 'user-9' }, 'signed out', t0 + 300);
    await ledger.revoke({ kind: 'client', id: 'claude' }, 'withdrawn', t0 + 300);
    await ledger.endIdentity({ ...adasToken, sealedRefreshToken: 'sealed-0' }, 'gone', t0 + 300);
    expect(await since()).toEqual([]);
  });

  it('has a row for each change at the account page, and none for what was refused', async () => {
    await begin(ledger);
    await beginSession(ledger);
    const before = (await rows()).length;
    const cat = { provider: 'github', subject: '42' };
    const link = { userId: 'user-1', session: 'session-1', identity: cat, now: t0 + 5 };
    await ledger.linkIdentity(link);
    await ledger.linkIdentity({ ...link, session: 'session-9' });
    await ledger.unlinkIdentity({ userId: 'user-9', ...cat, now: t0 + 6 });
    await ledger.unlinkIdentity({ userId: 'user-1', ...cat, now: t0 + 6 });
    await ledger.unlinkIdentity({ userId: 'user-1', provider: 'google', subject: 'ada', now: t0 + 6 });
    const ending = {
      userId: 'user-1',
      grantIds: ['grant-1'],
      reason: 'ended at the account page',
      now: t0 + 7,
    };
    await ledger.endApps(ending);
    await ledger.endApps(ending);
    expect((await rows()).slice(before)).toEqual([
      row({ at: t0 + 5, event: 'linked', client_id: null, provider: 'github' }),
      row({ at: t0 + 6, event: 'unlinked', client_id: null, provider: 'github' }),
      row({ at: t0 + 7, event: 'revoked', reason: ending.reason, client_id: null, provider: null }),
    ]);
  });

  it('keeps of a deletion that somebody was deleted, and by whom', async () => {
    await begin(ledger);
    for (const userId of ['user-1', 'user-9'])
      await ledger.deleteUser({ userId, by: 'operator', now: t0 + 9 });
    const nobody = { user_id: null, client_id: null, provider: null };
    expect(await rows()).toEqual([row({ at: t0 + 9, event: 'deleted', actor: 'operator', ...nobody })]);
  });

  it('forgets a user whose row is deleted', async () => {
    await begin(ledger);
    await ledger.recordSignIn(
      signIn({ grantId: 'grant-2', identity: { subject: 'bob' }, user: { kind: 'ours', newId: 'user-2' } }),
    );
    await db.prepare("DELETE FROM users WHERE id = 'user-1'").run();
    expect(await rows()).toEqual([row({ user_id: 'user-2' })]);
  });
});
