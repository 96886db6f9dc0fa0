import type { BrokerStorage } from 'assistant-auth';
import { beforeEach, describe, expect, it } from 'vitest';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import {
  adasUpstreamToken,
  grant1,
  redemption,
  refreshUse,
  signIn,
  signInAndRedeem,
  t0,
} from '../storage-contract/sample.ts';
import { createSession } from '../storage-contract/sessions.ts';
import { emptyD1 } from './empty-d1.ts';

let db: D1Database;
let storage: BrokerStorage;
beforeEach(async () => {
  db = await emptyD1();
  storage = d1Storage(db);
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
const rowsAfterSignIn = async () => (await rows()).slice(1);

describe('the audit', () => {
  it('has a row for a sign-in, in ids alone', async () => {
    await storage.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
    expect(await rows()).toEqual([row({})]);
  });

  it('names the user that the publisher named', async () => {
    await storage.recordSignIn(signIn({ user: { kind: 'resolved', id: 'their-7' } }));
    expect(await rows()).toEqual([row({ user_id: 'their-7' })]);
  });

  it.each<[string, Readonly<Record<string, unknown>>, () => Promise<unknown>]>([
    [
      'a code that comes again late',
      { event: 'reuse-detected', actor: 'client', reason: 'code replayed' },
      () => storage.redeemCode(redemption({ now: t0 + 300 })),
    ],
    [
      'a refresh token that is reused',
      { event: 'reuse-detected', actor: 'client', reason: 'refresh token reused' },
      () => storage.refresh(refreshUse(0, t0 + 300, { lateRefresh: 'revoke' })),
    ],
    [
      'a grant that its client ends',
      { event: 'revoked', actor: 'client', reason: 'revoked by its client' },
      () => storage.revoke(grant1, 'revoked by its client', t0 + 300, 'client'),
    ],
    [
      'a user whom the operator signs out',
      { event: 'revoked', actor: 'operator', reason: 'signed out', client_id: null, provider: null },
      () => storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 300),
    ],
    [
      'a client that the operator ends',
      { event: 'revoked', actor: 'operator', reason: 'withdrawn', user_id: null, provider: null },
      () => storage.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 300),
    ],
    [
      'a person who is gone at the provider',
      { event: 'revoked', actor: 'provider', reason: 'revoked', client_id: null },
      () => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 300),
    ],
    [
      'an upstream token that can no longer be used',
      { event: 'upstream-token-dropped', actor: 'broker', reason: 'inconclusive', client_id: null },
      () =>
        storage.dropUpstreamToken({
          ...{ usedToken: adasUpstreamToken, startedAt: t0 + 300, now: t0 + 300, refreshableUntil: t0 + 900 },
          reason: 'inconclusive',
        }),
    ],
  ])('has one row for %s, however often it comes', async (_, expected, perform) => {
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.refresh(refreshUse(0, t0 + 100));
    await perform();
    await perform();
    expect(await rowsAfterSignIn()).toEqual([row({ at: t0 + 300, ...expected })]);
  });

  it('has one row for a user or a client of several grants', async () => {
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    await storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 300);
    expect(await rowsAfterSignIn()).toHaveLength(2);
  });

  it('has one row for what a provider’s security events end, however many of one second say so', async () => {
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    const ending = { target: { kind: 'identity', subject: 'ada' }, revocationScope: 'identity' } as const;
    const securityEvent = {
      provider: 'google',
      reason: 'the provider said logout',
      signedInBefore: t0 + 300,
      now: t0 + 300,
    };
    for (const jti of ['event-1', 'event-2'])
      await storage.recordSecurityEvent({
        ...securityEvent,
        jti,
        retainUntil: t0 + 999,
        revocations: [ending, ending],
      });
    const expected = {
      event: 'security-event',
      actor: 'provider',
      reason: securityEvent.reason,
      client_id: null,
    };
    expect((await rowsAfterSignIn()).slice(1)).toEqual([row({ at: t0 + 300, ...expected })]);
  });

  it('has no row for what did not happen', async () => {
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.recordSignIn(signIn({ identity: { subject: 'eve' } }));
    await storage.redeemCode(redemption({ now: t0 + 5 }));
    await storage.redeemCode(redemption({ now: t0 + 300, clientId: 'claude' }));
    await storage.refresh(refreshUse(0, t0 + 100));
    await storage.refresh(refreshUse(0, t0 + 110));
    await storage.refresh(refreshUse(0, t0 + 290));
    await storage.refresh(refreshUse(7, t0 + 300));
    await storage.revoke({ kind: 'grant', id: 'grant-9' }, 'signed out', t0 + 300);
    await storage.revoke({ kind: 'user', id: 'user-9' }, 'signed out', t0 + 300);
    await storage.revoke({ kind: 'client', id: 'claude' }, 'withdrawn', t0 + 300);
    await storage.revokeGrantsOfIdentity(
      { ...adasUpstreamToken, sealedRefreshToken: 'sealed-0' },
      'revoked',
      t0 + 300,
    );
    expect(await rowsAfterSignIn()).toEqual([]);
  });

  it('has a row for each change at the account page, and none for what was refused', async () => {
    await signInAndRedeem(storage);
    await createSession(storage);
    const before = (await rows()).length;
    const cat = { provider: 'github', subject: '42' };
    const link = { userId: 'user-1', session: 'session-1', identity: cat, now: t0 + 5 };
    await storage.linkIdentity(link);
    await storage.linkIdentity({ ...link, session: 'session-9' });
    await storage.unlinkIdentity({ userId: 'user-9', ...cat, now: t0 + 6 });
    await storage.unlinkIdentity({ userId: 'user-1', ...cat, now: t0 + 6 });
    await storage.unlinkIdentity({ userId: 'user-1', provider: 'google', subject: 'ada', now: t0 + 6 });
    const ending = {
      userId: 'user-1',
      grantIds: ['grant-1'],
      reason: 'ended at the account page',
      now: t0 + 7,
    };
    await storage.revokeGrants(ending);
    await storage.revokeGrants(ending);
    expect((await rows()).slice(before)).toEqual([
      row({ at: t0 + 5, event: 'linked', client_id: null, provider: 'github' }),
      row({ at: t0 + 6, event: 'unlinked', client_id: null, provider: 'github' }),
      row({ at: t0 + 7, event: 'revoked', reason: ending.reason, client_id: null, provider: null }),
    ]);
  });

  it('keeps of a deletion that somebody was deleted, and by whom', async () => {
    await signInAndRedeem(storage);
    for (const userId of ['user-1', 'user-9'])
      await storage.deleteUser({ userId, actor: 'operator', now: t0 + 9 });
    const nobody = { user_id: null, client_id: null, provider: null };
    expect(await rows()).toEqual([row({ at: t0 + 9, event: 'deleted', actor: 'operator', ...nobody })]);
  });

  it('forgets a user whose row is deleted', async () => {
    await signInAndRedeem(storage);
    await storage.recordSignIn(
      signIn({
        grantId: 'grant-2',
        identity: { subject: 'bob' },
        user: { kind: 'by-identity', newId: 'user-2' },
      }),
    );
    await db.prepare("DELETE FROM users WHERE id = 'user-1'").run();
    expect(await rows()).toEqual([row({ user_id: 'user-2' })]);
  });
});
