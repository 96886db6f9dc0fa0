/** The admin queries, the audit log and cleanups on D1. */
import { type CompleteStorage, cleanupMargin, StorageUnavailable } from 'assistant-auth';
import { accountStorage } from 'assistant-auth/account';
import { beforeEach, describe, expect, it } from 'vitest';
import { maxAccessLifetime } from '../../../src/storage/broker-storage.ts';
import { createRevocationCache } from '../../../src/storage/revocation-cache.ts';
import { d1Admin, d1Storage, type StorageAdmin } from '../../../src/storage/sqlite/d1.ts';
import {
  adasUpstreamToken,
  buildCleanup,
  chatgpt,
  day,
  grant1,
  grantRefresh,
  redemption,
  signIn,
  signInAndRedeem,
  subjectNamespace,
  t0,
} from '../../../src/testing/storage-contract/sample.ts';
import { createSession } from '../../../src/testing/storage-contract/sessions.ts';
import { emptyD1 } from './empty-d1.ts';

let storage: CompleteStorage;

let db: D1Database;

describe('admin queries', () => {
  const hour = 3600;
  const day = 24 * hour;
  const all = { limit: 100, skip: 0 };
  let admin: StorageAdmin;
  beforeEach(async () => {
    const db = await emptyD1();
    storage = accountStorage(d1Storage(db));
    admin = d1Admin(db);
  });

  it('return the database’s time', async () => {
    const before = Math.floor(Date.now() / 1000);
    const now = await admin.readClock();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
  });

  /** Another user, who signed in later. */
  const bob = {
    grantId: 'grant-b',
    now: t0 + day,
    user: { kind: 'by-identity', newId: 'user-b' },
    identity: { provider: 'github', subject: 'bob', label: 'Bob' },
  } as const;

  describe('users', () => {
    it('are listed, the newest first, a page at a time', async () => {
      await signInAndRedeem(storage, { identity: { label: 'Ada L.' } });
      await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 9 });
      await signInAndRedeem(storage, bob);
      await storage.revoke(grant1, 'signed out', t0 + day);
      const users = [
        { id: 'user-b', createdAt: t0 + day, identities: 1, activeGrants: 1, lastSignInAt: t0 + day },
        { id: 'user-1', createdAt: t0, identities: 1, activeGrants: 1, lastSignInAt: t0 + 9 },
      ];
      expect(await admin.listUsers(all, t0 + day + 2)).toEqual(users);
      expect(await admin.listUsers({ limit: 1, skip: 1 }, t0 + day + 2)).toEqual([users[1]]);
    });

    it('have no active grants if all have expired', async () => {
      await signInAndRedeem(storage);
      expect(await admin.listUsers(all, t0 + 400 * day)).toMatchObject([{ activeGrants: 0 }]);
    });
  });

  describe('the search for identities', () => {
    const find = async (text: string) =>
      (await admin.findIdentities(text, all, t0 + day)).map(({ userId }) => userId);

    /** Records users whose IDs are their labels. */
    const recordLabels = async (...labels: readonly string[]): Promise<void> => {
      for (const [index, label] of labels.entries())
        await storage.recordSignIn(
          signIn({
            ...{
              grantId: `grant ${index}`,
              now: t0 - index,
              identity: { subject: `subject ${index}`, label },
            },
            user: { kind: 'by-identity', newId: label },
          }),
        );
    };

    it('finds the address of a person, with the active grants of the user', async () => {
      await signInAndRedeem(storage, { identity: { label: 'ada@example.com' } });
      await signInAndRedeem(storage, {
        grantId: 'grant-2',
        identity: { label: 'ada@example.com' },
        now: t0 + 9,
      });
      await signInAndRedeem(storage, bob);
      const ada = { userId: 'user-1', provider: 'google', label: 'ada@example.com', lastSignInAt: t0 + 9 };
      expect(await admin.findIdentities('ada@example.com', all, t0 + 12)).toEqual([
        { ...ada, activeGrants: 2 },
      ]);
      await storage.revoke(grant1, 'signed out', t0 + 13);
      expect(await admin.findIdentities('DA@EX', all, t0 + 13)).toEqual([{ ...ada, activeGrants: 1 }]);
      expect(await find('bob')).toEqual(['user-b']);
    });

    it('shows exact matches first, then the newest sign-ins, a page at a time', async () => {
      await recordLabels('xada@a.example', 'Ada@A.example.org', 'nobody', 'ADA@A.EXAMPLE', 'ada@a.example2');
      const found = ['ADA@A.EXAMPLE', 'xada@a.example', 'Ada@A.example.org', 'ada@a.example2'];
      expect(await find('ada@a.example')).toEqual(found);
      for (const skip of [0, 1, 2, 3, 4])
        expect(await admin.findIdentities('ada@a.example', { limit: 2, skip }, t0)).toMatchObject(
          found.slice(skip, skip + 2).map((label) => ({ label })),
        );
    });

    it('has no wildcards, and treats the text as a value', async () => {
      await recordLabels('a_b%c', 'axbyc', "o'neill; --", 'back\\slash', '*?[a]');
      expect(await find('_b%')).toEqual(['a_b%c']);
      expect(await find('a_b')).toEqual(['a_b%c']);
      expect(await find("O'NEILL; --")).toEqual(["o'neill; --"]);
      expect(await find('k\\s')).toEqual(['back\\slash']);
      expect(await find('*?[A]')).toEqual(['*?[a]']);
      expect(await find('%')).toEqual(['a_b%c']);
      expect(await find('')).toEqual([]);
    });

    it.each([
      ['élodie müller', 'ÉLODIE MÜLLER'],
      ['ÉLODIE MÜLLER', 'Élodie Müller'],
      ['ИВАН', 'иван петров'],
      ['иван', 'Иван ПЕТРОВ'],
      ['ΆΛΦΑ', 'άλφα'],
      ['straße', 'Straße'],
      ['李明', '李明'],
      ['ı', 'ı'],
      ['İstanbul', 'İSTANBUL'],
      ['𐐨𐐩', '𐐀𐐁'],
    ])('ignores the case of letters outside ASCII: %s finds %s', async (text, label) => {
      await recordLabels(label, 'elodie muller');
      expect(await find(text)).toEqual([label]);
    });

    it('accepts a text that is longer than a pattern of D1 can be', async () => {
      const address = `${'a'.repeat(64)}@${'b'.repeat(200)}.example`;
      await recordLabels(address);
      expect(await find(address.toUpperCase())).toEqual([address]);
    });

    it('accepts a text with hundreds of different letters, and ignores the case of fifty', async () => {
      const letters = Array.from({ length: 900 }, (_, index) => String.fromCodePoint(0xe0 + index))
        .filter((letter) => [...letter.toUpperCase()].length === 1 && letter === letter.toLowerCase())
        .filter((letter) => letter !== letter.toUpperCase())
        .slice(0, 320);
      const firstFifty = letters.slice(0, 50).join('');
      await recordLabels(letters.join(''), firstFifty.toUpperCase());
      expect(letters).toHaveLength(320);
      expect(await find(letters.join(''))).toEqual([letters.join('')]);
      expect(await find(firstFifty)).toEqual([firstFifty.toUpperCase(), letters.join('')]);
    });

    it('does not find identities without a label', async () => {
      await storage.recordSignIn(signIn({ identity: { subject: 'ada@example.com' } }));
      expect(await find('ada@example.com')).toEqual([]);
      expect(await find('null')).toEqual([]);
    });
  });

  describe('statistics', () => {
    const midnight = Date.parse('2027-01-16T00:00:00Z') / 1000;

    it('are zero without users, and list every day', async () => {
      expect(await admin.readStatistics(3, midnight)).toEqual({
        ...{ users: 0, activeGrants: 0, activeClients: 0, topClients: [], refusals: [] },
        days: ['2027-01-16', '2027-01-15', '2027-01-14'].map((day) => ({ day, signIns: 0, refusals: 0 })),
      });
    });

    it('count users, active grants, and the sign-ins and refusals of each day in UTC', async () => {
      await signInAndRedeem(storage, { now: midnight - day - 1, client: chatgpt });
      await signInAndRedeem(storage, { grantId: 'grant-2', now: midnight - day });
      await signInAndRedeem(storage, { grantId: 'grant-3', now: midnight - 1, refreshPolicy: 'none' });
      await signInAndRedeem(storage, { ...bob, now: midnight + 60 });
      await storage.recordSignIn(signIn({ grantId: 'not redeemed', now: midnight - 2 * day }));
      await storage.recordSignIn(signIn({ grantId: 'too old', now: midnight - 2 * day - 1 }));
      await createSession(storage, { now: midnight });
      await storage.revoke({ kind: 'grant', id: 'grant-2' }, 'signed out', midnight);
      const refusal = { day: '2027-01-15', reason: 'token.code', count: 2 };
      const more = { ...refusal, reason: 'token.refresh', count: 5 };
      const today = { ...refusal, day: '2027-01-16', count: 1 };
      const outside = [
        { ...refusal, day: '2027-01-13' },
        { ...refusal, day: '2027-01-17' },
      ];
      await storage.recordRefusals([refusal, more, today, ...outside]);
      expect(await admin.readStatistics(3, midnight + 3600)).toEqual({
        ...{ users: 2, activeGrants: 3, activeClients: 2 },
        topClients: [
          { clientId: 'chatgpt', name: chatgpt.name, activeGrants: 2 },
          { clientId: 'account', activeGrants: 1 },
        ],
        days: [
          { day: '2027-01-16', signIns: 2, refusals: 1 },
          { day: '2027-01-15', signIns: 2, refusals: 7 },
          { day: '2027-01-14', signIns: 2, refusals: 0 },
        ],
        refusals: [today, more, refusal],
      });
    });

    it('contain the ten clients with the most active grants', async () => {
      for (let client = 0; client < 12; client++)
        for (let grant = 0; grant <= client % 6; grant++)
          await signInAndRedeem(storage, {
            grantId: `grant ${client} ${grant}`,
            clientId: `client ${client}`,
          });
      const { topClients, activeClients, activeGrants } = await admin.readStatistics(1, t0 + 3);
      expect({ activeClients, activeGrants }).toEqual({ activeClients: 12, activeGrants: 42 });
      expect(topClients.map(({ clientId, activeGrants: grants }) => `${clientId}: ${grants}`)).toEqual([
        ...['client 11: 6', 'client 5: 6', 'client 10: 5', 'client 4: 5', 'client 3: 4'],
        ...['client 9: 4', 'client 2: 3', 'client 8: 3', 'client 1: 2', 'client 7: 2'],
      ]);
    });

    it('have no sign-ins of users who were deleted, and count all refusals', async () => {
      await signInAndRedeem(storage, { now: midnight });
      await storage.recordRefusals([{ day: '2027-01-16', reason: 'token.code', count: 2 }]);
      await storage.deleteUser({ userId: 'user-1', actor: 'user', now: midnight + 5 });
      expect(await admin.readStatistics(1, midnight + 6)).toMatchObject({
        ...{ users: 0, activeGrants: 0, days: [{ day: '2027-01-16', signIns: 0, refusals: 2 }] },
      });
    });
  });

  describe('grants of a user', () => {
    it('are listed with their state, the newest first', async () => {
      await signInAndRedeem(storage, { identity: { label: 'Ada L.' } });
      await signInAndRedeem(storage, { grantId: 'grant-2', now: t0 + 1, refreshPolicy: 'none' });
      await signInAndRedeem(storage, { grantId: 'grant-3', now: t0 + 2 });
      await storage.recordSignIn(signIn({ grantId: 'grant-4', now: t0 + 3 }));
      await signInAndRedeem(storage, bob);
      await storage.revoke({ kind: 'grant', id: 'grant-3' }, 'signed out', t0 + 9);
      const expectedGrant = {
        clientId: 'chatgpt',
        redirectUri: 'https://chat.example/callback',
        scopes: ['score:read', 'score:write'],
        provider: 'google',
      };
      expect(await admin.listGrants('user-1', t0 + day)).toEqual([
        { ...expectedGrant, id: 'grant-4', createdAt: t0 + 3, state: 'pending' },
        {
          ...expectedGrant,
          id: 'grant-3',
          createdAt: t0 + 2,
          lastUsedAt: t0 + 3,
          state: 'revoked',
          reason: 'signed out',
        },
        { ...expectedGrant, id: 'grant-2', createdAt: t0 + 1, lastUsedAt: t0 + 2, state: 'expired' },
        { ...expectedGrant, id: 'grant-1', createdAt: t0, lastUsedAt: t0 + 1, state: 'active' },
      ]);
    });

    it('are distinguished from those of an unknown user', async () => {
      await signInAndRedeem(storage);
      expect(await admin.listGrants('user-9', t0)).toBeUndefined();
    });
  });

  describe('identities without an upstream token', () => {
    it('are those with active grants but no token, the oldest first', async () => {
      await signInAndRedeem(storage, { identity: adasUpstreamToken });
      await signInAndRedeem(storage, bob);
      await signInAndRedeem(storage, { ...bob, grantId: 'grant-c' });
      const cyd = { identity: { subject: 'cyd' }, user: { kind: 'by-identity', newId: 'user-c' } } as const;
      await signInAndRedeem(storage, { ...cyd, grantId: 'grant-d', now: t0 + hour });
      const dan = { identity: { subject: 'dan' }, user: { kind: 'by-identity', newId: 'user-d' } } as const;
      await signInAndRedeem(storage, { ...dan, grantId: 'grant-e' });
      await storage.revoke({ kind: 'user', id: 'user-d' }, 'signed out', t0 + 9);
      const withoutToken = [
        { provider: 'google', userId: 'user-c', since: t0 + hour, activeGrants: 1 },
        { provider: 'github', userId: 'user-b', since: t0 + day, activeGrants: 2 },
      ];
      expect(await admin.listIdentitiesWithoutUpstreamToken(all, t0 + day + 2)).toEqual(withoutToken);
      expect(await admin.listIdentitiesWithoutUpstreamToken({ limit: 1, skip: 1 }, t0 + day + 2)).toEqual([
        withoutToken[1],
      ]);
    });

    it('show until when their grants can be refreshed after an inconclusive recheck', async () => {
      await signInAndRedeem(storage, { identity: adasUpstreamToken });
      const drop = {
        usedToken: adasUpstreamToken,
        startedAt: t0 + 9,
        now: t0 + 9,
        refreshableUntil: t0 + day,
        reason: 'inconclusive',
      };
      await storage.dropUpstreamToken(drop);
      expect(await admin.listIdentitiesWithoutUpstreamToken(all, t0 + 10)).toEqual([
        { provider: 'google', userId: 'user-1', since: t0, activeGrants: 1, refreshableUntil: t0 + day },
      ]);
    });
  });

  describe('the audit log', () => {
    it('is read from the newest row, for one user or all', async () => {
      await signInAndRedeem(storage);
      await signInAndRedeem(storage, bob);
      await storage.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 2 * day);
      const ada = {
        at: t0,
        event: 'signed-in',
        actor: 'user',
        userId: 'user-1',
        clientId: 'chatgpt',
        provider: 'google',
      };
      const rows = [
        { at: t0 + 2 * day, event: 'revoked', actor: 'operator', reason: 'withdrawn', clientId: 'chatgpt' },
        { ...ada, at: t0 + day, userId: 'user-b', provider: 'github' },
        ada,
      ];
      expect(await admin.listAuditEntries(all)).toEqual(rows);
      expect(await admin.listAuditEntries({ limit: 1, skip: 1 })).toEqual([rows[1]]);
      expect(await admin.listAuditEntries(all, 'user-1')).toEqual([ada]);
    });
  });

  describe('providers', () => {
    const other = 'https://other.example';
    const cat = { provider: 'github', subject: '42' };

    const refuse = (subjectNamespace: string, now: number) =>
      storage.recordSignIn(signIn({ grantId: `at ${now}`, now, subjectNamespace }));

    const readUpstreamTokens = () => storage.findUpstreamTokens({ prefixes: ['sealed'], limit: 9 });

    it('are listed with the namespace that was refused last, and the time of its first refusal', async () => {
      expect(await admin.listProviders()).toEqual([]);
      await signInAndRedeem(storage);
      await storage.recordSignIn(
        signIn({ grantId: 'grant-2', identity: cat, user: { kind: 'by-identity', newId: 'user-2' } }),
      );
      for (const [namespace, now] of [
        ['https://third.example', t0 + 5],
        [other, t0 + 6],
        [other, t0 + 9],
      ] as const)
        await refuse(namespace, now);
      expect(await admin.listProviders()).toEqual([
        { id: 'github', subjectNamespace, identities: 1 },
        { id: 'google', subjectNamespace, identities: 1, refusedNamespace: other, refusedAt: t0 + 6 },
      ]);
    });

    it('are accepted with the refused namespace, once', async () => {
      await signInAndRedeem(storage);
      await refuse(other, t0 + 5);
      expect(await admin.acceptProvider('google', other, t0 + 9)).toEqual({
        ...{ previous: subjectNamespace, upstreamTokens: 0 },
      });
      expect(await admin.listProviders()).toEqual([{ id: 'google', subjectNamespace: other, identities: 1 }]);
      expect((await admin.listAuditEntries(all))[0]).toEqual({
        ...{ at: t0 + 9, event: 'provider-accepted', actor: 'operator', provider: 'google' },
        reason: `from ${subjectNamespace} to ${other}`,
      });
      expect(
        await storage.recordSignIn(signIn({ grantId: 'grant-2', subjectNamespace: other })),
      ).toMatchObject({
        ...{ kind: 'recorded', userId: 'user-1' },
      });
      expect(await refuse(subjectNamespace, t0 + 10)).toEqual({ kind: 'provider-changed' });
    });

    it.each([
      ['google', 'https://third.example', 'refused before the last one'],
      ['google', subjectNamespace, 'stored'],
      ['google', '', 'empty'],
      ['github', 'https://other.example', 'refused for another provider'],
      ["'; DROP TABLE providers; --", 'https://other.example', 'of no provider'],
    ])(
      'are not accepted with a namespace that was not refused last: %s %s is %s',
      async (provider, namespace) => {
        await signInAndRedeem(storage, { identity: adasUpstreamToken });
        await refuse('https://third.example', t0 + 4);
        await refuse(other, t0 + 5);
        const readAll = async () => [
          ...[await admin.listProviders(), await admin.listAuditEntries(all)],
          await readUpstreamTokens(),
        ];
        const before = await readAll();
        expect(await admin.acceptProvider(provider, namespace, t0 + 9)).toBeUndefined();
        expect(await readAll()).toEqual(before);
      },
    );

    it('lose the upstream tokens of the previous issuer when they are accepted, and no others', async () => {
      await signInAndRedeem(storage, { identity: adasUpstreamToken });
      await signInAndRedeem(storage, {
        ...{ grantId: 'grant-2', user: { kind: 'by-identity', newId: 'user-2' } },
        identity: { ...cat, sealedRefreshToken: 'sealed token of cat', tokenIdentifiers: ['a'] },
      });
      await refuse(other, t0 + 5);
      expect(await admin.acceptProvider('google', other, t0 + 9)).toEqual({
        ...{ previous: subjectNamespace, upstreamTokens: 1 },
      });
      expect(await readUpstreamTokens()).toMatchObject([cat]);
      expect((await admin.listAuditEntries(all)).slice(0, 2)).toEqual([
        {
          ...{ at: t0 + 9, event: 'provider-accepted', actor: 'operator', provider: 'google' },
          reason: `from ${subjectNamespace} to ${other}`,
        },
        {
          ...{ at: t0 + 9, event: 'upstream-token-dropped', actor: 'operator', provider: 'google' },
          reason: 'provider-accepted',
        },
      ]);
    });

    it('are revoked: all grants and sessions of their identities end, and their upstream tokens are deleted', async () => {
      await createSession(storage);
      for (const grantId of ['grant-1', 'grant-2'])
        await signInAndRedeem(storage, { grantId, identity: adasUpstreamToken });
      await storage.recordSignIn(signIn({ grantId: 'pending' }));
      const otherUser = { user: { kind: 'by-identity', newId: 'user-2' }, identity: cat } as const;
      await signInAndRedeem(storage, { ...otherUser, grantId: 'grant-3' });
      expect(await admin.revokeProvider('google', 'closed', t0 + 5)).toEqual({
        grants: 4,
        upstreamTokens: 1,
      });
      for (const grantId of ['session-1', 'grant-1', 'grant-2', 'pending'])
        expect(await storage.readGrantStatus(grantId)).toBe('revoked');
      expect(await storage.readGrantStatus('grant-3')).toBe('active');
      // One entry for a user of several grants, so that API calls do not have to read storage.
      expect(await storage.readRevocations(undefined, t0 + 5, 100)).toMatchObject({
        revocations: [{ kind: 'user', id: 'user-1' }],
      });
      expect((await storage.readAccount('user-1'))?.identities).toMatchObject([{ hasUpstreamToken: false }]);
      expect((await admin.listAuditEntries(all)).slice(0, 2)).toEqual([
        {
          ...{ at: t0 + 5, event: 'upstream-token-dropped', actor: 'operator', reason: 'closed' },
          provider: 'google',
        },
        { at: t0 + 5, event: 'revoked', actor: 'operator', reason: 'closed', provider: 'google' },
      ]);
      expect(await admin.revokeProvider('google', 'closed', t0 + 6)).toEqual({
        grants: 0,
        upstreamTokens: 0,
      });
    });

    it('are revoked without an entry for grants whose access tokens have expired', async () => {
      for (let n = 1; n <= 50; n++)
        await signInAndRedeem(storage, {
          ...{ grantId: `grant-${n}`, identity: { subject: `subject-${n}` } },
          user: { kind: 'by-identity', newId: `user-${n}` },
        });
      await storage.refresh(grantRefresh(0, t0 + day));
      expect(await admin.revokeProvider('google', 'closed', t0 + day + 1)).toEqual({
        ...{ grants: 50, upstreamTokens: 0 },
      });
      expect(await storage.readRevocations(undefined, t0 + day + 1, 100)).toMatchObject({
        revocations: [{ kind: 'grant', id: 'grant-1' }],
      });
    });
  });

  describe('the revocation of everything', () => {
    const later = t0 + 5 * day;
    /** A token of a grant that is not in the database, as after a restored backup. */
    const unknown = { grantId: 'lost', userId: 'lost', clientId: 'lost', issuedAt: later };

    it('ends all grants and sessions, and the access tokens of unknown users and clients', async () => {
      await createSession(storage);
      await signInAndRedeem(storage, { identity: adasUpstreamToken });
      await storage.recordSignIn(signIn({ grantId: 'pending' }));
      await signInAndRedeem(storage, bob);
      expect(await storage.isRevoked(unknown, later)).toBe(false);
      expect(await admin.revokeAll('restored', later)).toBe(4);
      for (const grantId of ['session-1', 'grant-1', 'pending', 'grant-b'])
        expect(await storage.readGrantStatus(grantId)).toBe('revoked');
      const issuedNext = { ...unknown, issuedAt: later + 1 };
      expect(await storage.isRevoked(unknown, later)).toBe(true);
      expect(await storage.isRevoked(issuedNext, later)).toBe(false);
      const cache = createRevocationCache(storage, () => later);
      expect(await cache.isRevoked(unknown)).toBe(true);
      expect(await cache.isRevoked(issuedNext)).toBe(false);
      expect((await admin.listAuditEntries(all))[0]).toEqual({
        ...{ at: later, event: 'revoked', actor: 'operator', reason: 'restored' },
      });
      expect(await admin.listUsers(all, later)).toMatchObject([{ id: 'user-b' }, { id: 'user-1' }]);
      expect((await storage.readAccount('user-1'))?.identities).toMatchObject([{ hasUpstreamToken: true }]);
    });

    it('ends access tokens of any lifetime until they have expired, and then its entry is deleted', async () => {
      expect(await admin.revokeAll('restored', later)).toBe(0);
      const longest = later + maxAccessLifetime + cleanupMargin;
      expect(await storage.isRevoked(unknown, longest - 1)).toBe(true);
      expect(await storage.isRevoked(unknown, longest)).toBe(false);
      const countEntries = async (now: number) => {
        await storage.cleanUp(buildCleanup(now));
        const page = await storage.readRevocations(undefined, 0, 100);
        return page.kind === 'page' ? page.revocations.length : page.kind;
      };
      expect(await countEntries(longest + cleanupMargin - 1)).toBe(2);
      expect(await countEntries(longest + cleanupMargin + 1)).toBe(0);
    });

    it('is read by a process with any cursor of the lost database', async () => {
      await signInAndRedeem(storage);
      await admin.revokeAll('restored', later);
      await storage.revoke({ kind: 'client', id: 'other' }, 'revoked later', later);
      for (const cursor of [1, 2, 3, 1000])
        expect(await storage.readRevocations(cursor, later, 100)).toMatchObject({
          revocations: [{ kind: 'client', id: '', revokedAt: later }],
        });
    });

    it('is read by such a process even if everything was revoked before, and the entries were deleted', async () => {
      await admin.revokeAll('restored', t0);
      const page = await storage.readRevocations(undefined, t0, 100);
      if (page.kind !== 'page') throw new Error('there were too many revocations');
      await storage.cleanUp(buildCleanup(later));
      await admin.revokeAll('restored', later);
      await signInAndRedeem(storage, { now: later });
      await storage.revoke({ kind: 'grant', id: 'grant-1' }, 'revoked later', later);
      // The process has read one revocation that only the lost database had.
      expect(await storage.readRevocations(page.cursor + 1, later, 100)).toMatchObject({
        revocations: expect.arrayContaining([
          expect.objectContaining({ kind: 'client', id: '', revokedAt: later }),
        ]),
      });
    });

    it('includes tokens of a server whose clock is ahead, but not by more than five minutes', async () => {
      const ahead = later + 60;
      await signInAndRedeem(storage, { now: ahead });
      await admin.revokeAll('restored', later);
      expect(await storage.isRevoked({ ...unknown, issuedAt: ahead }, later)).toBe(true);
      await signInAndRedeem(storage, { ...bob, now: later + day });
      await admin.revokeAll('restored', later);
      expect(await storage.isRevoked({ ...unknown, issuedAt: later + cleanupMargin }, later)).toBe(true);
      expect(await storage.isRevoked({ ...unknown, issuedAt: later + cleanupMargin + 1 }, later)).toBe(false);
    });
  });

  describe('the use of keys', () => {
    const keys = [
      { id: 'new', prefixes: ['n'] },
      { id: 'old', prefixes: ['o', 'l'] },
    ];
    const ring = ['new', 'old'];
    const cleanup = (now: number, sealingKey: string, ringKeys: readonly string[] = ring) =>
      storage.cleanUp({ ...buildCleanup(now), sealingKey, ringKeys });
    const readUsage = async (id: string, now: number) => {
      const usages = await admin.readKeyUsage({ keys, now });
      return usages.find((usage) => usage.id === id);
    };
    const rotated = t0 + 10 * day;
    const sealedUntil = rotated + hour;

    /** The usage of a key that has been in the ring since `t0`, and that nothing uses. */
    const unused = {
      sealedUpstreamTokens: 0,
      activeGrants: 0,
      promotableFrom: t0 + hour,
      isSealingPeriodUnknown: false,
    };

    /** `old` has sealed since `t0`, `new` since `rotated`. */
    const rotate = async () => {
      await cleanup(t0, 'old');
      await cleanup(rotated, 'new');
    };

    it('counts the stored tokens of each key by prefix', async () => {
      await signInAndRedeem(storage, { identity: { sealedRefreshToken: 'o1' } });
      await signInAndRedeem(storage, { ...bob, identity: { ...bob.identity, sealedRefreshToken: 'n1' } });
      expect(await admin.readKeyUsage({ keys, now: t0 })).toMatchObject([
        { id: 'new', sealedUpstreamTokens: 1 },
        { id: 'old', sealedUpstreamTokens: 1 },
      ]);
      expect(await admin.readKeyUsage({ keys: [], now: t0 })).toEqual([]);
    });

    it('has no end time for a key until a cleanup has seen the next key', async () => {
      await cleanup(t0, 'old');
      await signInAndRedeem(storage);
      expect(await readUsage('old', rotated)).toEqual({ ...unused, id: 'old' });
      expect(await readUsage('new', rotated)).toEqual({ ...unused, id: 'new' });
    });

    it('has the end time after the cleanup, plus an hour for older isolates', async () => {
      await rotate();
      expect(await readUsage('old', rotated)).toEqual({ ...unused, id: 'old', sealedUntil });
      expect(await readUsage('new', rotated)).toEqual({ ...unused, id: 'new' });
    });

    it.each([
      ['that sealed twice', ['old', 'other', 'old', 'new'], rotated + 3],
      ['that sealed once', ['old', 'other', 'new'], rotated + 1],
    ])('returns the end of the last period of a key %s', async (_, sealingKeys, periodEnd) => {
      for (const [index, key] of sealingKeys.entries()) await cleanup(rotated + index, key);
      expect(await readUsage('old', rotated + day)).toMatchObject({ sealedUntil: periodEnd + hour });
    });

    const policies = [
      ['stable', { refreshPolicy: 'stable' }, { activeGrants: 1, lastGrantExpiresAt: t0 + 1 + 180 * day }],
      ['rotating', { refreshPolicy: 'rotating' }, { activeGrants: 1, lastGrantExpiresAt: t0 + 1 + 30 * day }],
    ] as const;

    it.each(policies)(
      'counts an older %s grant until its token expires, also if the clock of the database is ahead',
      async (_, overrides, expectedUsage) => {
        await signInAndRedeem(storage, overrides);
        await rotate();
        const last = t0 + 30 * day + cleanupMargin;
        for (const now of [rotated, last]) expect(await readUsage('old', now)).toMatchObject(expectedUsage);
        const after = await readUsage('old', expectedUsage.lastGrantExpiresAt + cleanupMargin);
        expect(after).toMatchObject({ activeGrants: 0 });
        expect(after).not.toHaveProperty('lastGrantExpiresAt');
      },
    );

    it('counts a session as a grant with a stable cookie', async () => {
      await createSession(storage);
      const useSessionAt = (now: number) =>
        storage.useSession({ grantId: 'session-1', now, idleExpiresAt: t0 + 20 * day });
      await useSessionAt(t0 + hour);
      await rotate();
      expect(await useSessionAt(sealedUntil + 1)).toBeDefined();
      expect(await readUsage('old', sealedUntil + 2)).toMatchObject({ activeGrants: 1 });
    });

    it('counts a stable grant even if it was refreshed since', async () => {
      await signInAndRedeem(storage, { refreshPolicy: 'stable' });
      await rotate();
      for (const later of [0, 1]) await storage.refresh(grantRefresh(0, sealedUntil + later));
      expect(await readUsage('old', sealedUntil + 2)).toMatchObject({ activeGrants: 1 });
    });

    it('T16.6 previous refresh token: counts a rotating grant until its previous token was sealed with another key, too', async () => {
      await signInAndRedeem(storage);
      await rotate();
      await storage.refresh(grantRefresh(0, sealedUntil));
      expect(await readUsage('old', sealedUntil + 1)).toMatchObject({ activeGrants: 1 });
      // The response was lost: a late refresh with the same token starts a branch, and the token stays the previous one.
      const late = sealedUntil + hour;
      await storage.refresh(grantRefresh(0, late));
      expect(await readUsage('old', late + 1)).toMatchObject({ activeGrants: 1 });
      expect(await storage.readRefreshable(grantRefresh(0, late + 2 * hour))).toBeDefined();
      await storage.refresh(grantRefresh(2, late + hour));
      expect(await storage.readRefreshable(grantRefresh(0, late + 2 * hour))).toBeUndefined();
      expect(await readUsage('old', late + 2 * hour)).toMatchObject({ activeGrants: 0 });
    });

    it('counts a grant without refresh token while its access token is valid', async () => {
      await cleanup(t0, 'old');
      await signInAndRedeem(storage, { refreshPolicy: 'none' });
      await cleanup(t0 + 60, 'new');
      expect(await readUsage('old', t0 + 1800 + cleanupMargin)).toMatchObject({
        activeGrants: 1,
        lastGrantExpiresAt: t0 + 1801,
      });
      expect(await readUsage('old', t0 + 1801 + cleanupMargin)).toMatchObject({ activeGrants: 0 });
    });

    it('does not count a grant that is newer, was revoked, or has no redeemed code', async () => {
      await signInAndRedeem(storage);
      await storage.recordSignIn(signIn({ grantId: 'grant-2' }));
      await rotate();
      await signInAndRedeem(storage, { grantId: 'grant-3', now: sealedUntil });
      await storage.revoke(grant1, 'signed out', rotated);
      expect(await readUsage('old', sealedUntil)).toMatchObject({ activeGrants: 0 });
    });

    it('T16.4 unseen: returns no time for a key that no cleanup has found to be sealing, whenever it was added', async () => {
      // Each time, it may have been promoted and rolled back between two cleanup runs.
      await cleanup(t0, 'new');
      await signInAndRedeem(storage, { now: t0 + 60 });
      await cleanup(t0 + day, 'new');
      const unknownPeriod = {
        id: 'old',
        sealedUpstreamTokens: 0,
        activeGrants: 0,
        isSealingPeriodUnknown: true,
      };
      expect(await readUsage('old', rotated)).toEqual({ ...unknownPeriod, promotableFrom: t0 + hour });
      await cleanup(t0 + 2 * day, 'new', ['new']);
      await cleanup(t0 + 3 * day, 'new');
      expect(await readUsage('old', rotated)).toEqual({
        ...unknownPeriod,
        promotableFrom: t0 + 3 * day + hour,
      });
      const keysOfRing = [{ id: 'next', prefixes: ['x'] }, ...keys.toReversed()];
      await cleanup(rotated, 'next', ['next', ...ring]);
      const [, old, next] = await admin.readKeyUsage({ keys: keysOfRing, now: rotated });
      expect(old).toMatchObject({ id: 'old', isSealingPeriodUnknown: true });
      expect(next).toMatchObject({ id: 'new', sealedUntil, isSealingPeriodUnknown: false });
    });

    it('returns the time of a key that was added later if a cleanup has found it to be sealing', async () => {
      await cleanup(t0, 'new', ['new']);
      await cleanup(t0 + day, 'old');
      await cleanup(rotated, 'new');
      expect(await readUsage('old', rotated)).toMatchObject({ sealedUntil, isSealingPeriodUnknown: false });
    });

    it('T16.3 promote: returns no time from which a key can be promoted until a cleanup has found it in the ring', async () => {
      await cleanup(t0, 'new', ['new']);
      expect(await readUsage('old', t0)).not.toHaveProperty('promotableFrom');
      await cleanup(t0 + 9, 'new');
      expect(await readUsage('old', t0)).toHaveProperty('promotableFrom', t0 + 9 + hour);
    });
  });
});

describe('the audit log', () => {
  beforeEach(async () => {
    db = await emptyD1();
    storage = accountStorage(d1Storage(db));
  });

  const rows = async (): Promise<readonly unknown[]> =>
    (await db.prepare('SELECT * FROM audit ORDER BY seq').all()).results;

  const row = (changes: Readonly<Record<string, unknown>>) => ({
    seq: expect.any(Number),
    at: t0,
    event: 'signed-in',
    actor: 'user',
    reason: null,
    user_id: 'user-1',
    client_id: 'chatgpt',
    provider: 'google',
    ...changes,
  });

  /** The rows after that of the first sign-in. */
  const rowsAfterSignIn = async () => (await rows()).slice(1);

  it('has a row for a sign-in, with IDs only', async () => {
    await storage.recordSignIn(signIn({ identity: { label: 'Ada L.', sealedRefreshToken: 'sealed-1' } }));
    expect(await rows()).toEqual([row({})]);
  });

  it('has the user ID from the publisher', async () => {
    await storage.recordSignIn(signIn({ user: { kind: 'resolved', id: 'their-7' } }));
    expect(await rows()).toEqual([row({ user_id: 'their-7' })]);
  });

  it.each<[string, Readonly<Record<string, unknown>>, () => Promise<unknown>]>([
    [
      'a late replay of a code',
      { event: 'reuse-detected', actor: 'client', reason: 'code replayed' },
      () => storage.redeemCode(redemption({ now: t0 + 300 })),
    ],
    [
      'a reused refresh token',
      { event: 'reuse-detected', actor: 'client', reason: 'refresh token reused' },
      () => storage.refresh(grantRefresh(0, t0 + 300, { lateRefresh: 'revoke' })),
    ],
    [
      'a grant that its client revokes',
      { event: 'revoked', actor: 'client', reason: 'revoked by its client' },
      () => storage.revoke(grant1, 'revoked by its client', t0 + 300, 'client'),
    ],
    [
      'a user that the operator signs out',
      { event: 'revoked', actor: 'operator', reason: 'signed out', client_id: null, provider: null },
      () => storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 300),
    ],
    [
      'a client that the operator revokes',
      { event: 'revoked', actor: 'operator', reason: 'withdrawn', user_id: null, provider: null },
      () => storage.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 300),
    ],
    [
      'a user whose account at the provider was removed',
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
  ])('has one row for %s, however often it happens', async (_, expected, perform) => {
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.refresh(grantRefresh(0, t0 + 100));
    await perform();
    await perform();
    expect(await rowsAfterSignIn()).toEqual([row({ at: t0 + 300, ...expected })]);
  });

  it('has one row for the revocation of a user with several grants', async () => {
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    await storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 300);
    expect(await rowsAfterSignIn()).toHaveLength(2);
  });

  it('has one row for all revocations by security events of the same second', async () => {
    await signInAndRedeem(storage);
    await signInAndRedeem(storage, { grantId: 'grant-2' });
    const revocation = { target: { kind: 'identity', subject: 'ada' }, revocationScope: 'identity' } as const;
    const securityEvent = {
      provider: 'google',
      reason: 'logged out at the provider',
      signedInBefore: t0 + 300,
      now: t0 + 300,
    };
    for (const jti of ['event-1', 'event-2'])
      await storage.recordSecurityEvent({
        ...securityEvent,
        subjectNamespace,
        jti,
        retainUntil: t0 + 999,
        revocations: [revocation, revocation],
      });
    const expected = {
      event: 'security-event',
      actor: 'provider',
      reason: securityEvent.reason,
      client_id: null,
    };
    expect((await rowsAfterSignIn()).slice(1)).toEqual([row({ at: t0 + 300, ...expected })]);
  });

  it('has no row for an event that had no effect', async () => {
    await signInAndRedeem(storage, { identity: adasUpstreamToken });
    await storage.recordSignIn(signIn({ identity: { subject: 'eve' } }));
    await storage.redeemCode(redemption({ now: t0 + 5 }));
    await storage.redeemCode(redemption({ now: t0 + 300, clientId: 'claude' }));
    await storage.refresh(grantRefresh(0, t0 + 100));
    await storage.refresh(grantRefresh(0, t0 + 110));
    await storage.refresh(grantRefresh(0, t0 + 290));
    await storage.refresh(grantRefresh(7, t0 + 300));
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

  it('has a row for each change on the account page, and none for a refused one', async () => {
    await signInAndRedeem(storage);
    await createSession(storage);
    const before = (await rows()).length;
    const cat = { provider: 'github', subject: '42' };
    const link = { userId: 'user-1', session: 'session-1', identity: cat, subjectNamespace, now: t0 + 5 };
    await storage.linkIdentity(link);
    await storage.linkIdentity({ ...link, session: 'session-9' });
    await storage.unlinkIdentity({ userId: 'user-9', ...cat, now: t0 + 6 });
    await storage.unlinkIdentity({ userId: 'user-1', ...cat, now: t0 + 6 });
    await storage.unlinkIdentity({ userId: 'user-1', provider: 'google', subject: 'ada', now: t0 + 6 });
    const disconnection = {
      userId: 'user-1',
      grantIds: ['grant-1'],
      reason: 'ended at the account page',
      now: t0 + 7,
    };
    await storage.revokeGrants(disconnection);
    await storage.revokeGrants(disconnection);
    expect((await rows()).slice(before)).toEqual([
      row({ at: t0 + 5, event: 'linked', client_id: null, provider: 'github' }),
      row({ at: t0 + 6, event: 'unlinked', client_id: null, provider: 'github' }),
      row({ at: t0 + 7, event: 'revoked', reason: disconnection.reason, client_id: null, provider: null }),
    ]);
  });

  it('records a deletion and its actor', async () => {
    await signInAndRedeem(storage);
    for (const userId of ['user-1', 'user-9'])
      await storage.deleteUser({ userId, actor: 'operator', now: t0 + 9 });
    const withoutUser = { user_id: null, client_id: null, provider: null };
    expect(await rows()).toEqual([row({ at: t0 + 9, event: 'deleted', actor: 'operator', ...withoutUser })]);
  });

  it('has no user ID after the user’s row is deleted', async () => {
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

describe('cleanups', () => {
  beforeEach(async () => {
    db = await emptyD1();
  });

  const readRows = async (table: string) =>
    (await db.prepare(`SELECT * FROM ${table} ORDER BY seq`).all()).results;

  /** Adds rows to the audit log, a day apart. */
  const addRows = (count: number): Promise<unknown> =>
    db
      .prepare(
        `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1 - 1)
      INSERT INTO audit (at, event, actor) SELECT ?2 + n * ?3, 'deleted', 'user' FROM numbers`,
      )
      .bind(count, t0, day)
      .run();

  const cleanupAt = (now: number, deleteAuditBefore: number) => ({ ...buildCleanup(now), deleteAuditBefore });

  describe('a cleanup of the audit log', () => {
    it('deletes older rows, and nothing else', async () => {
      await addRows(10);
      await d1Storage(db).cleanUp(cleanupAt(t0 + 10 * day, t0 + 4 * day));
      expect((await readRows('audit')).map(({ at }) => at)).toEqual(
        [4, 5, 6, 7, 8, 9].map((n) => t0 + n * day),
      );
    });

    it('deletes all rows if all are old', async () => {
      await addRows(3);
      await d1Storage(db).cleanUp(cleanupAt(t0 + 10 * day, t0 + 9 * day));
      expect(await readRows('audit')).toEqual([]);
      await d1Storage(db).cleanUp(cleanupAt(t0 + 10 * day, t0 + 9 * day));
    });

    it('deletes ten thousand at a time', async () => {
      await addRows(10_500);
      await d1Storage(db).cleanUp(cleanupAt(t0 + 20_000 * day, t0 + 20_000 * day));
      expect(await readRows('audit')).toHaveLength(500);
      await d1Storage(db).cleanUp(cleanupAt(t0 + 20_000 * day, t0 + 20_000 * day));
      expect(await readRows('audit')).toEqual([]);
    });

    it('keeps new rows', async () => {
      await signInAndRedeem(d1Storage(db));
      await d1Storage(db).recordSignIn(signIn({ grantId: 'grant-2' }));
      await d1Storage(db).cleanUp(buildCleanup(t0 + 90 * day));
      expect(await readRows('audit')).toHaveLength(2);
      await d1Storage(db).cleanUp(buildCleanup(t0 + 90 * day + 1));
      expect(await readRows('audit')).toEqual([]);
    });
  });

  describe('a cleanup with another first key', () => {
    const cleanup = (now: number, sealingKey: string) =>
      d1Storage(db).cleanUp({ ...buildCleanup(now), sealingKey });

    it('stores the time from which each key has sealed', async () => {
      await cleanup(t0, 'key-1');
      await cleanup(t0 + 1, 'key-1');
      expect(await readRows('audit')).toEqual([]);
      await cleanup(t0 + 2, 'key-2');
      await cleanup(t0 + 3, 'key-2');
      expect(await readRows('sealing_keys')).toEqual([
        { seq: expect.any(Number), id: 'key-1', sealing_since: t0 },
        { seq: expect.any(Number), id: 'key-2', sealing_since: t0 + 2 },
      ]);
      expect(await readRows('audit')).toMatchObject([
        {
          at: t0 + 2,
          event: 'key-rotated',
          actor: 'operator',
          reason: 'key-2',
          user_id: null,
          client_id: null,
        },
      ]);
    });

    it('stores a key that comes back', async () => {
      for (const [index, key] of ['key-1', 'key-2', 'key-1'].entries()) await cleanup(t0 + index, key);
      expect(await readRows('sealing_keys')).toMatchObject([
        { id: 'key-1' },
        { id: 'key-2' },
        { id: 'key-1' },
      ]);
      expect(await readRows('audit')).toHaveLength(2);
    });

    it('stores a change once if 20 cleanups run at once', async () => {
      await cleanup(t0, 'key-1');
      await Promise.all(Array.from({ length: 20 }, () => cleanup(t0 + 1, 'key-2')));
      expect(await readRows('sealing_keys')).toHaveLength(2);
      expect(await readRows('audit')).toHaveLength(1);
    });
  });

  describe('the keys of the ring', () => {
    const cleanup = (now: number, ...ringKeys: readonly string[]) =>
      d1Storage(db).cleanUp({ ...buildCleanup(now), ringKeys });

    const readRingKeys = async () => {
      const { results } = await db
        .prepare('SELECT id, in_ring_since FROM ring_keys')
        .all<{ id: string; in_ring_since: number }>();
      return Object.fromEntries(results.map(({ id, in_ring_since: since }) => [id, since]));
    };

    it('are recorded with the time of the first cleanup that found them there', async () => {
      await cleanup(t0, 'key-1');
      await cleanup(t0 + 1, 'key-1', "o'key; --");
      await cleanup(t0 + 2, "o'key; --", 'key-1');
      expect(await readRingKeys()).toEqual({ 'key-1': t0, "o'key; --": t0 + 1 });
    });

    it('T16.3 rollback: are recorded with a new time after a cleanup that did not find them', async () => {
      await cleanup(t0, 'key-1', 'key-2');
      await cleanup(t0 + 1, 'key-1');
      expect(await readRingKeys()).toEqual({ 'key-1': t0 });
      await cleanup(t0 + 2, 'key-1', 'key-2');
      expect(await readRingKeys()).toEqual({ 'key-1': t0, 'key-2': t0 + 2 });
    });

    it('T16.3 rollback: never have a time before the last cleanup of a deployment without them', async () => {
      for (const at of [0, 2, 4]) {
        await cleanup(t0 + at, 'key-1', 'key-2');
        await cleanup(t0 + at + 1, 'key-1');
      }
      expect(await readRingKeys()).toEqual({ 'key-1': t0 });
      await cleanup(t0 + 6, 'key-1', 'key-2');
      expect(await readRingKeys()).toEqual({ 'key-1': t0, 'key-2': t0 + 6 });
    });

    it('are recorded once if 20 cleanups run at once', async () => {
      await Promise.all(Array.from({ length: 20 }, () => cleanup(t0, 'key-1', 'key-2')));
      expect(await readRingKeys()).toEqual({ 'key-1': t0, 'key-2': t0 });
    });
  });
});

describe('counts of refused requests', () => {
  beforeEach(async () => {
    db = await emptyD1();
  });

  const readCounts = async () => (await db.prepare('SELECT * FROM refusals').all()).results;

  it('are stored for each day and reason', async () => {
    const refusals = [
      { day: '2026-11-28', reason: 'token.code', count: 2 },
      { day: '2026-11-29', reason: 'client.unknown', count: 1 },
      { day: '2026-11-29', reason: "o'reason; --", count: 4_000_000_000 },
    ];
    await d1Storage(db).recordRefusals([...refusals].reverse());
    expect(await readCounts()).toEqual(refusals);
  });

  it('are added to the stored counts, also in one call and at the same time', async () => {
    const refusal = { day: '2026-11-29', reason: 'token.code', count: 2 };
    const other = { ...refusal, day: '2026-11-30', count: 5 };
    await d1Storage(db).recordRefusals([refusal, other, refusal]);
    expect(await readCounts()).toEqual([{ ...refusal, count: 4 }, other]);
    await Promise.all(Array.from({ length: 20 }, () => d1Storage(db).recordRefusals([refusal])));
    expect(await readCounts()).toEqual([{ ...refusal, count: 44 }, other]);
  });

  it('stay as they are if there is nothing to add', async () => {
    await d1Storage(db).recordRefusals([]);
    expect(await readCounts()).toEqual([]);
  });

  it.each([
    { day: '29.11.2026', reason: 'token.code', count: 1 },
    { day: '2026-11-29T00:00', reason: 'token.code', count: 1 },
    { day: '2026-11-29', reason: 'r'.repeat(101), count: 1 },
    { day: '2026-11-29', reason: 'token.code', count: 0 },
    { day: '2026-11-29', reason: 'token.code', count: 1.5 },
  ])('are all refused if one is not a day, a reason and a count: $day $count', async (refusal) => {
    const valid = { day: '2026-11-29', reason: 'other', count: 1 };
    await expect(d1Storage(db).recordRefusals([valid, refusal])).rejects.toThrow(StorageUnavailable);
    expect(await readCounts()).toEqual([]);
  });

  it('are deleted by a cleanup if the whole day is older than the audit log', async () => {
    const days = ['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30'];
    const refusals = days.map((day) => ({ day, reason: 'token.code', count: 1 }));
    await d1Storage(db).recordRefusals(refusals);
    const cleanup = (deleteAuditBefore: string) =>
      d1Storage(db).cleanUp({ ...buildCleanup(t0), deleteAuditBefore: Date.parse(deleteAuditBefore) / 1000 });
    await cleanup('2026-11-28T23:59:59Z');
    expect(await readCounts()).toEqual(refusals.slice(1));
    await cleanup('2026-11-29T00:00:00Z');
    expect(await readCounts()).toEqual(refusals.slice(2));
  });
});
