import { beforeEach, describe, expect, it } from 'vitest';
import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import {
  adasUpstreamToken,
  fiftyIndexes,
  grant1,
  redemption,
  refreshUse,
  signIn,
  signInAndRedeem,
  summarizeOutcome,
  t0,
} from '../storage-contract/sample.ts';
import { emptyD1 } from './empty-d1.ts';

let db: D1Database;
beforeEach(async () => {
  db = await emptyD1();
});

const readRows = async (table: string) => (await db.prepare(`SELECT * FROM ${table}`).all()).results;

const readAllRows = async () => ({
  users: await readRows('users'),
  identities: await readRows('identities'),
  grants: await readRows('grants'),
  revocations: await readRows('revocations'),
});

describe('a sign-in', () => {
  it('stores user, identity and grant', async () => {
    await d1Storage(db).recordSignIn(
      signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }),
    );
    expect(await readAllRows()).toEqual({
      users: [{ id: 'user-1', created_at: t0 }],
      identities: [
        {
          provider: 'google',
          subject: 'ada',
          user_id: 'user-1',
          label: 'Ada L.',
          sealed_refresh_token: 'sealed-1',
          recheck_after: 0,
          verified_until: 0,
          unresolved_rechecks: 0,
          refreshable_until: null,
          created_at: t0,
          last_sign_in_at: t0,
          token_identifier: null,
          other_token_identifier: null,
        },
      ],
      grants: [
        {
          id: 'grant-1',
          user_id: 'user-1',
          provider: 'google',
          subject: 'ada',
          client_id: 'chatgpt',
          redirect_uri: 'https://chat.example/callback',
          scopes: '["score:read","score:write"]',
          resource: 'https://words.example',
          claims: '{"plan":"free","seats":3,"staff":false}',
          refresh_policy: 'rotating',
          created_at: t0,
          redeemed_at: null,
          last_used_at: null,
          access_expires_at: null,
          generation: 0,
          branch_generation: null,
          branch_started_from: null,
          previous_rotated_at: null,
          rotated_at: null,
          refresh_idle_expires_at: null,
          refresh_absolute_expires_at: null,
          revoked_at: null,
          revoked_reason: null,
          sid: null,
          signed_in_at: null,
          code_claimed_at: null,
          retain_until: t0 + 3600,
        },
      ],
      revocations: [],
    });
  });

  it('stores the name of the session at the provider', async () => {
    const { grant, ...rest } = signIn();
    await d1Storage(db).recordSignIn({ ...rest, grant: { ...grant, sid: 'session-1' } });
    expect(await readRows('grants')).toMatchObject([{ sid: 'session-1' }]);
  });

  it('keeps the provider’s refresh token and the label when a later sign-in brings none', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
    await storage.recordSignIn(signIn({ grantId: 'grant-2', now: t0 + 9 }));
    await storage.recordSignIn(signIn({ grantId: 'grant-3', user: { kind: 'resolved', id: 'their-7' } }));
    expect(await readRows('identities')).toMatchObject([
      { user_id: 'their-7', label: 'Ada L.', sealed_refresh_token: 'sealed-1', created_at: t0 },
    ]);
  });

  it('replaces the provider’s refresh token and the label by new ones', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
    const identity = { label: 'Ada King', sealedRefreshToken: 'sealed-2' };
    await storage.recordSignIn(signIn({ grantId: 'grant-2', identity, now: t0 + 9 }));
    expect(await readRows('identities')).toMatchObject([
      { label: 'Ada King', sealed_refresh_token: 'sealed-2', created_at: t0, last_sign_in_at: t0 + 9 },
    ]);
  });

  it('changes no row when its transaction comes back, whoever it says it is', async () => {
    const storage = d1Storage(db);
    await signInAndRedeem(storage, { identity: { sealedRefreshToken: 'sealed-1' } });
    const before = await readAllRows();
    const identity = { label: 'Eve', sealedRefreshToken: 'sealed-2' };
    for (const subject of ['ada', 'eve'])
      for (const user of [
        { kind: 'by-identity', newId: 'user-2' } as const,
        { kind: 'resolved', id: 'their-7' } as const,
      ])
        await storage.recordSignIn(
          signIn({ identity: { ...identity, subject }, user, clientId: 'claude', now: t0 + 9 }),
        );
    expect(await readAllRows()).toEqual(before);
  });

  it('leaves one user when 50 first sign-ins arrive at once', async () => {
    const storage = d1Storage(db);
    await Promise.all(
      fiftyIndexes.map((n) =>
        storage.recordSignIn(
          signIn({ grantId: `grant-${n}`, user: { kind: 'by-identity', newId: `user-${n}` } }),
        ),
      ),
    );
    expect(await readRows('users')).toHaveLength(1);
    expect(await readRows('grants')).toHaveLength(50);
  });

  it('never hands a new identity to a user that exists by chance', async () => {
    const storage = d1Storage(db);
    await storage.recordSignIn(signIn());
    const before = await readAllRows();
    const collision = storage.recordSignIn(signIn({ grantId: 'grant-2', identity: { subject: 'bob' } }));
    await expect(collision).rejects.toThrow('D1 did not carry out the statements');
    expect(await readAllRows()).toEqual(before);
  });
});

describe('a refusal', () => {
  it('changes no row', async () => {
    const storage = d1Storage(db);
    await signInAndRedeem(storage);
    await storage.refresh(refreshUse(0, t0 + 100));
    await signInAndRedeem(storage, { grantId: 'grant-2', refreshPolicy: 'none' });
    const before = await readAllRows();
    await storage.redeemCode(redemption({ now: t0 + 5 }));
    await storage.redeemCode(redemption({ now: t0 + 500, clientId: 'claude' }));
    await storage.refresh(refreshUse(0, t0 + 500, { clientId: 'claude' }));
    await storage.refresh(refreshUse(1, t0 + 500, { clientId: 'claude' }));
    await storage.refresh(refreshUse(2, t0 + 500));
    await storage.refresh(refreshUse(0, t0 + 500, { grantId: 'grant-2' }));
    expect(await readAllRows()).toEqual(before);
  });
});

describe('a release that does not know branches', () => {
  /** Rotates a token as that release does, after the migration or a rollback. */
  const rotateAsBefore = (generation: number, now: number) =>
    db
      .prepare('UPDATE grants SET generation = generation + 1, rotated_at = ?2 WHERE generation = ?1')
      .bind(generation, now)
      .run();

  it('rotates, and this release answers a retry', async () => {
    const storage = d1Storage(db);
    await signInAndRedeem(storage);
    await rotateAsBefore(0, t0 + 100);
    expect(summarizeOutcome(await storage.refresh(refreshUse(0, t0 + 110)))).toBe('continued 1');
  });

  it('rotates after a branch, and every earlier token counts as reused', async () => {
    for (const earlier of [0, 1]) {
      db = await emptyD1();
      const storage = d1Storage(db);
      await signInAndRedeem(storage);
      await storage.refresh(refreshUse(0, t0 + 100));
      await storage.refresh(refreshUse(0, t0 + 300));
      await rotateAsBefore(2, t0 + 400);
      expect(summarizeOutcome(await storage.refresh(refreshUse(2, t0 + 410)))).toBe('continued 3');
      expect(summarizeOutcome(await storage.refresh(refreshUse(earlier, t0 + 420)))).toBe('reused');
    }
  });
});

describe('an ending', () => {
  it.each<[string, (reason: string) => Promise<unknown>]>([
    ['signed out', (reason) => d1Storage(db).revoke(grant1, reason, t0 + 300)],
    [
      'gone at its provider',
      (reason) => d1Storage(db).revokeGrantsOfIdentity(adasUpstreamToken, reason, t0 + 300),
    ],
    ['code replayed', () => d1Storage(db).redeemCode(redemption({ now: t0 + 300 }))],
    ['refresh token reused', () => d1Storage(db).refresh(refreshUse(0, t0 + 300, { lateRefresh: 'revoke' }))],
  ])('notes when and why: %s', async (reason, end) => {
    await signInAndRedeem(d1Storage(db), { identity: adasUpstreamToken });
    await d1Storage(db).refresh(refreshUse(0, t0 + 100));
    await end(reason);
    expect(await readRows('grants')).toMatchObject([{ revoked_at: t0 + 300, revoked_reason: reason }]);
  });
});

describe('deleting a user', () => {
  it('takes identities and grants along, and nobody else’s', async () => {
    const storage = d1Storage(db);
    await signInAndRedeem(storage);
    await storage.recordSignIn(
      signIn({
        grantId: 'grant-2',
        identity: { subject: 'bob' },
        user: { kind: 'by-identity', newId: 'user-2' },
      }),
    );
    await db.prepare("DELETE FROM users WHERE id = 'user-1'").run();
    expect(await readAllRows()).toMatchObject({
      users: [{ id: 'user-2' }],
      identities: [{ subject: 'bob' }],
      grants: [{ id: 'grant-2' }],
    });
  });
});
