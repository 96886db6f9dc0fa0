/** The port's contract for accounts: what is stored of a person, and what linking, unlinking and deleting change. */
import { expect, it } from 'vitest';
import type { Ledger, Link } from '../../../src/storage/broker-storage.ts';
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
  refreshUse,
  signIn,
  t0,
  tally,
  token,
} from './sample.ts';
import { beginSession, inSession, use } from './sessions.ts';

const cat = { provider: 'github', subject: '42' } as const;
const catsToken = { ...cat, sealedRefreshToken: 'sealed-2' } as const;
const ada = { provider: 'google', subject: 'ada' } as const;

const link = (ledger: Ledger, given: Partial<Link> = {}) =>
  ledger.linkIdentity({ userId: 'user-1', session: 'session-1', identity: cat, now: t0 + 5, ...given });

const unlink = (ledger: Ledger, name: { provider: string; subject: string }, userId = 'user-1') =>
  ledger.unlinkIdentity({ userId, ...name, now: t0 + 10 });

const remove = (ledger: Ledger, userId = 'user-1') => ledger.deleteUser({ userId, by: 'user', now: t0 + 10 });

export const accountContract = (makeLedger: MakeLedger): void => {
  reading(makeLedger);
  linking(makeLedger);
  unlinking(makeLedger);
  ending(makeLedger);
  deleting(makeLedger);
};

const reading = (makeLedger: MakeLedger): void => {
  it('reads what is stored of a user, and of nobody else', async () => {
    const ledger = await makeLedger();
    await begin(ledger, { identity: { label: 'Ada L.' } });
    await ledger.recordSignIn(
      signIn({ grantId: 'grant-2', now: t0 + 9, identity: { sealedRefreshToken: 's' } }),
    );
    await begin(ledger, {
      grantId: 'grant-3',
      identity: { subject: 'bob' },
      user: { kind: 'ours', newId: 'user-2' },
    });
    await ledger.revoke(grant1, 'signed out', t0 + 20);
    const grant = {
      clientId: 'chatgpt',
      redirectUri: 'https://chat.example/callback',
      scopes: ['score:read', 'score:write'],
      resource: 'https://words.example',
      claims: { plan: 'free', seats: 3, staff: false },
      identity: ada,
      refreshPolicy: 'rotating',
    };
    expect(await ledger.readAccount('user-1')).toEqual({
      createdAt: t0,
      identities: [{ ...ada, label: 'Ada L.', watched: true, createdAt: t0, lastSignInAt: t0 + 9 }],
      grants: [
        { ...grant, id: 'grant-2', createdAt: t0 + 9 },
        {
          ...grant,
          id: 'grant-1',
          createdAt: t0,
          revokedAt: t0 + 20,
          use: {
            redeemedAt: t0 + 1,
            lastUsedAt: t0 + 1,
            accessDiesAt: t0 + 1 + accessLife,
            refreshIdleExpiresAt: t0 + 1 + 30 * day,
          },
        },
      ],
    });
    expect(await ledger.readAccount('nobody')).toBeUndefined();
  });

  it('orders by name what came in the same second', async () => {
    const ledger = await inSession(makeLedger);
    for (const grantId of ['grant-c', 'grant-b']) await ledger.recordSignIn(signIn({ grantId, now: t0 + 5 }));
    const linked = [
      { ...cat, subject: 'zoe' },
      { ...cat, subject: 'Zoe' },
      { provider: 'apple', subject: 'zoe' },
    ];
    for (const identity of linked) expect(await link(ledger, { identity })).toBe('linked');
    const { identities, grants } = (await ledger.readAccount('user-1')) ?? {};
    expect(identities?.map(({ provider, subject }) => ({ provider, subject }))).toEqual([
      { provider: ada.provider, subject: ada.subject },
      linked[2],
      linked[1],
      linked[0],
    ]);
    expect(grants?.map(({ id }) => id).slice(0, 2)).toEqual(['grant-b', 'grant-c']);
  });

  it('counts a refresh as a use', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await ledger.refresh(refreshUse(0, t0 + 100));
    expect((await ledger.readAccount('user-1'))?.grants[0]?.use).toMatchObject({
      redeemedAt: t0 + 1,
      lastUsedAt: t0 + 100,
    });
  });

  it('finds whose an identity is', async () => {
    const ledger = await inSession(makeLedger);
    expect(await ledger.findUser(ada)).toBe('user-1');
    expect(await ledger.findUser(cat)).toBeUndefined();
    expect(await ledger.findUser({ ...ada, provider: 'github' })).toBeUndefined();
  });
};

const linking = (makeLedger: MakeLedger): void => {
  it('links an identity: whoever signs in with it is the same user from then on', async () => {
    const ledger = await inSession(makeLedger);
    expect(await link(ledger, { identity: { ...catsToken, label: 'cat' } })).toBe('linked');
    expect(await ledger.findUser(cat)).toBe('user-1');
    const signedIn = signIn({ grantId: 'grant-9', identity: cat, user: { kind: 'ours', newId: 'x' } });
    expect(await ledger.recordSignIn(signedIn)).toEqual({
      kind: 'recorded',
      userId: 'user-1',
      watched: true,
    });
    expect((await ledger.readAccount('user-1'))?.identities).toEqual([
      { ...ada, watched: false, createdAt: t0, lastSignInAt: t0 },
      { ...cat, label: 'cat', watched: true, createdAt: t0 + 5, lastSignInAt: t0 },
    ]);
  });

  it('links what is theirs already, and keeps what it does not bring anew', async () => {
    const ledger = await inSession(makeLedger, {
      identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' },
    });
    expect(await link(ledger, { identity: ada })).toBe('linked');
    expect((await ledger.readAccount('user-1'))?.identities).toEqual([
      { ...ada, label: 'Ada L.', watched: true, createdAt: t0, lastSignInAt: t0 + 5 },
    ]);
  });

  it('takes nobody’s identity from another user', async () => {
    const ledger = await inSession(makeLedger);
    await begin(ledger, { grantId: 'grant-2', identity: catsToken, user: { kind: 'ours', newId: 'user-2' } });
    expect(await link(ledger, { identity: { ...cat, sealedRefreshToken: 'sealed-3' } })).toBe('taken');
    expect(await ledger.findUser(cat)).toBe('user-2');
    expect(await ledger.endIdentity(catsToken, 'gone', t0 + 6)).toBe('ended');
  });

  it.each([
    ['signed out', (ledger: Ledger) => ledger.revoke({ kind: 'grant', id: 'session-1' }, 'out', t0 + 2), {}],
    ['deleted', (ledger: Ledger) => remove(ledger), {}],
    ['idle for too long', async () => {}, { now: t0 + 1 + 7 * day }],
    ['of another user', async () => {}, { userId: 'user-2' }],
    ['no session but a grant', (ledger: Ledger) => begin(ledger), { session: 'grant-1' }],
  ])('links nothing in a session that is %s', async (_, before, given) => {
    const ledger = await inSession(makeLedger);
    await before(ledger);
    expect(await link(ledger, given)).toBe('session-ended');
    expect(await ledger.findUser(cat)).toBeUndefined();
  });

  it('gives an identity to one of two users who ask at once', async () => {
    const ledger = await inSession(makeLedger);
    await beginSession(ledger, {
      ...{ grantId: 'session-2', identity: { subject: 'bob' } },
      user: { kind: 'ours', newId: 'user-2' },
    });
    const outcomes = await Promise.all([
      link(ledger),
      link(ledger, { userId: 'user-2', session: 'session-2' }),
    ]);
    expect(tally(outcomes)).toEqual({ linked: 1, taken: 1 });
  });
};

const unlinking = (makeLedger: MakeLedger): void => {
  it('unlinks one of several, with all grants and sessions that rest on it, and hands over its token', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await link(ledger);
    await begin(ledger);
    const ours = { kind: 'ours', newId: 'x' } as const;
    await begin(ledger, { grantId: 'grant-2', identity: cat, user: ours });
    expect(await unlink(ledger, ada)).toEqual({ kind: 'unlinked', token: adasToken });
    expect(await ledger.findUser(ada)).toBeUndefined();
    expect(await use(ledger, t0 + 11)).toBeUndefined();
    expect(await ledger.refresh(refreshUse(0, t0 + 11))).toEqual(ended);
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, { grantId: 'grant-2' })))).toBe('continued 1');
    expect(await ledger.isRevoked(token(), t0 + 11)).toBe(true);
    expect(await ledger.isRevoked(token({ grantId: 'grant-2' }), t0 + 11)).toBe(false);
  });

  it('never unlinks the last one', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    expect(await unlink(ledger, ada)).toEqual({ kind: 'last' });
    expect(await ledger.findUser(ada)).toBe('user-1');
    expect(await use(ledger, t0 + 11)).toBeDefined();
  });

  it('leaves one of two that are unlinked at once', async () => {
    const ledger = await inSession(makeLedger);
    await link(ledger);
    const outcomes = await Promise.all([unlink(ledger, ada), unlink(ledger, cat)]);
    expect(tally(outcomes.map(({ kind }) => kind))).toEqual({ unlinked: 1, last: 1 });
  });

  it('unlinks nothing of others, and nothing that is not there', async () => {
    const ledger = await inSession(makeLedger);
    await link(ledger);
    expect(await unlink(ledger, cat, 'user-2')).toEqual({ kind: 'unknown' });
    expect(await unlink(ledger, { ...cat, subject: '43' })).toEqual({ kind: 'unknown' });
    expect((await ledger.readAccount('user-1'))?.identities).toHaveLength(2);
  });

  it('unlinks nothing of others for somebody who has several of their own', async () => {
    const ledger = await inSession(makeLedger);
    await link(ledger);
    const bob = { provider: 'google', subject: 'bob' } as const;
    await begin(ledger, { grantId: 'grant-2', identity: bob, user: { kind: 'ours', newId: 'user-2' } });
    expect(await unlink(ledger, bob)).toEqual({ kind: 'unknown' });
    expect(await ledger.findUser(bob)).toBe('user-2');
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, { grantId: 'grant-2' })))).toBe('continued 1');
  });
};

const ending = (makeLedger: MakeLedger): void => {
  it('ends the named grants of the user, each with its own line, and no other', async () => {
    const ledger = await makeLedger();
    for (const n of [1, 2, 3]) await begin(ledger, { grantId: `grant-${n}` });
    const bob = { identity: { subject: 'bob' }, user: { kind: 'ours', newId: 'user-2' } } as const;
    await begin(ledger, { grantId: 'grant-4', ...bob });
    const grantIds = ['grant-1', 'grant-2', 'grant-4', 'nobody'];
    await ledger.endApps({ userId: 'user-1', grantIds, reason: 'disconnected', now: t0 + 9 });
    const outcomes = [1, 2, 3, 4].map((n) =>
      ledger.refresh(refreshUse(0, t0 + 10, { grantId: `grant-${n}` })),
    );
    expect((await Promise.all(outcomes)).map(gist)).toEqual(['ended', 'ended', 'continued 1', 'continued 1']);
    const lines = await linesAt(ledger, t0 + 10);
    expect(Array.isArray(lines) && lines.map(({ kind, id }) => [kind, id]).sort()).toEqual([
      ['grant', 'grant-1'],
      ['grant', 'grant-2'],
    ]);
  });
};

const deleting = (makeLedger: MakeLedger): void => {
  it('deletes a user with all that is stored of them, and hands over their tokens', async () => {
    const ledger = await inSession(makeLedger, { identity: adasToken });
    await link(ledger, { identity: catsToken });
    await begin(ledger);
    const outcome = await remove(ledger);
    expect(outcome).toEqual({ kind: 'deleted', tokens: expect.arrayContaining([adasToken, catsToken]) });
    expect(await ledger.readAccount('user-1')).toBeUndefined();
    expect(await ledger.findUser(ada)).toBeUndefined();
    expect(await ledger.findUser(cat)).toBeUndefined();
    expect(await ledger.refresh(refreshUse(0, t0 + 11))).toEqual(ended);
  });

  it('remembers living access tokens as dead, and names no user', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, { grantId: 'grant-2', now: t0 - 5000 });
    await remove(ledger);
    expect(await ledger.isRevoked(token(), t0 + 11)).toBe(true);
    expect(await linesAt(ledger, t0 + 11)).toEqual([
      { ...grant1, revokedAt: t0 + 10, deadAfter: t0 + 1 + accessLife },
    ]);
  });

  it('leaves others alone, and says when there is nobody', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await begin(ledger, {
      grantId: 'grant-2',
      identity: { subject: 'bob' },
      user: { kind: 'ours', newId: 'user-2' },
    });
    await remove(ledger);
    expect(await remove(ledger)).toEqual({ kind: 'unknown' });
    expect(gist(await ledger.refresh(refreshUse(0, t0 + 11, { grantId: 'grant-2' })))).toBe('continued 1');
  });

  it('makes a new user of who comes back', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    await remove(ledger);
    const again = signIn({ grantId: 'grant-2', user: { kind: 'ours', newId: 'user-2' } });
    expect(await ledger.recordSignIn(again)).toMatchObject({ userId: 'user-2', watched: false });
  });

  it('leaves nothing to a user of the publisher’s who comes back under the same id', async () => {
    const ledger = await makeLedger();
    const theirs = { kind: 'theirs', id: 'their-7' } as const;
    await begin(ledger, { user: theirs });
    await remove(ledger, 'their-7');
    await ledger.recordSignIn(signIn({ grantId: 'grant-2', user: theirs }));
    expect((await ledger.readAccount('their-7'))?.grants.map(({ id }) => id)).toEqual(['grant-2']);
  });

  it('deletes once of 50 at once', async () => {
    const ledger = await makeLedger();
    await begin(ledger);
    const outcomes = await Promise.all(fifty.map(() => remove(ledger)));
    expect(tally(outcomes.map(({ kind }) => kind))).toEqual({ deleted: 1, unknown: 49 });
  });
};
