/** Login transactions and their cookies. */
import { describe, expect, it } from 'vitest';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import {
  buildUpstreamRequest,
  completeTransaction,
  createTransaction,
  deriveCompletionCookieName,
  deriveTransactionCookieName,
  setTransactionCookie,
} from '../../src/sign-in/login-transaction.ts';
import { parseLifetimes } from '../../src/tokens/lifetimes.ts';
import type { Transaction, TransactionPurpose } from '../../src/tokens/sealed-types.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

describe('login transactions', () => {
  const request = {
    clientId: 'app',
    redirectUri: 'https://app.example/callback',
    state: 'client-state',
    scopes: ['words'],
    resource: 'https://words.example/api',
    codeChallenge: undefined,
  };

  /** Uses bytes that count up, so that a value that is used twice makes a test fail. */
  const begin = (purpose: TransactionPurpose = { kind: 'authorize', request }) => {
    let last = 0;
    const randomBytes = (length: number) => Uint8Array.from({ length }, () => last++ % 256);
    return createTransaction(
      { randomBytes, lifetimes: parseLifetimes({ transaction: 120 }), now: () => 1_000 },
      purpose,
      'google',
    );
  };

  it('a login transaction starts with four independent random values, and expires', () => {
    const transaction = begin();
    expect(transaction).toEqual({
      purpose: { kind: 'authorize', request },
      provider: 'google',
      grantId: expect.stringMatching(/^[\w-]{22}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      codeVerifier: expect.stringMatching(/^[\w-]{43}$/),
      startedAt: 1_000,
      expiresAt: 1_120,
    });
    const { grantId, state, nonce, codeVerifier } = transaction;
    expect(new Set([grantId, state, nonce, codeVerifier].map((value) => value.slice(0, 22))).size).toBe(4);
  });

  it('an upstream request contains nothing about the client or the grant', () => {
    const { state, nonce, codeVerifier } = begin();
    expect(buildUpstreamRequest(begin(), parseIssuer('https://words.example'))).toEqual({
      redirectUri: 'https://words.example/callback/google',
      state,
      nonce,
      codeVerifier,
    });
  });

  it.each([
    ['the account page', { kind: 'account', user: undefined }],
    ['linking another identity', { kind: 'link', session: 'session-1', user: 'user-1' }],
  ] as const)('an upstream request for %s requires authentication after it started', (_, purpose) => {
    expect(buildUpstreamRequest(begin(purpose), parseIssuer('https://words.example')).reauthenticate).toEqual(
      {
        since: 1_000,
      },
    );
  });
});

describe('transaction cookies', () => {
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const sealers = createSealers(parseKeyRing(keys), issuer, [issuer], randomBytes);
  const { transaction: seal } = sealers;

  const transaction = (state: string, expiresAt: number, clientState = 'client-state'): Transaction => ({
    purpose: {
      kind: 'authorize',
      request: {
        clientId: 'app',
        redirectUri: 'https://app.example/callback',
        state: clientState,
        scopes: ['words'],
        resource: issuer,
        codeChallenge: undefined,
      },
    },
    grantId: 'grant-1',
    provider: 'google',
    state,
    nonce: 'nonce-1',
    codeVerifier: 'verifier-1',
    reconsentSubject: undefined,
    startedAt: 0,
    expiresAt,
  });

  const browserWith = async (transactions: readonly Transaction[]): Promise<Map<string, string>> => {
    const cookies = transactions.map(
      async (one) => [await deriveTransactionCookieName(one.state), await seal.seal(one)] as const,
    );
    return new Map(await Promise.all(cookies));
  };

  const nameAndAttributes = '__Host-tx-12345678=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600';
  const lengthOfFirst = ([line = '']: readonly string[]) => line.length;
  const reasonOf = (rejection: unknown) => Reflect.get(Object(rejection), 'reason');
  const namesOf = (lines: readonly string[]) => lines.map((line) => line.slice(0, line.indexOf('=')));
  const namesFor = (...states: readonly string[]) => Promise.all(states.map(deriveTransactionCookieName));

  describe('the name of a transaction cookie', () => {
    it('is the same for the same state and does not reveal it', async () => {
      const name = await deriveTransactionCookieName('some-state');
      expect(name).toMatch(/^__Host-tx-[A-Za-z0-9_-]{8}$/);
      expect(await deriveTransactionCookieName('some-state')).toBe(name);
      expect(await deriveTransactionCookieName('some-statf')).not.toBe(name);
    });
  });

  describe('storing a login transaction', () => {
    it('sets one cookie that opens as that transaction', async () => {
      const begun = transaction('state-1', 2_000);
      const lines = await setTransactionCookie(begun, new Map(), seal, 600);
      const [line = '', ...others] = lines;
      expect(others).toEqual([]);
      const [, name, value = '', attributes] = /^([^=]+)=([^;]+); (.*)$/.exec(line) ?? [];
      expect(name).toBe(await deriveTransactionCookieName('state-1'));
      expect(attributes).toBe('Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600');
      expect(await seal.open(value)).toEqual({ kind: 'opened', value: begun });
    });

    it('keeps four other transactions, and unrelated cookies', async () => {
      const cookies = await browserWith([1, 2, 3, 4].map((at) => transaction(`old-${at}`, at)));
      cookies.set('__Host-csrf', 'x').set('theme', 'dark');
      expect(namesOf(await setTransactionCookie(transaction('new', 9), cookies, seal, 600))).toEqual(
        await namesFor('new'),
      );
    });

    it('drops the oldest of five, at any position in the header', async () => {
      const cookies = await browserWith([3, 1, 5, 2, 4].map((at) => transaction(`old-${at}`, at)));
      const lines = await setTransactionCookie(transaction('new', 9), cookies, seal, 600);
      expect(namesOf(lines)).toEqual(await namesFor('new', 'old-1'));
      expect(lines[1]).toMatch(/^__Host-tx-[^=]+=; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=0$/);
    });

    it('drops the one that the browser sends first if all started in the same second', async () => {
      const cookies = await browserWith(
        ['first', 'second', 'third', 'fourth', 'fifth'].map((s) => transaction(s, 5)),
      );
      const lines = await setTransactionCookie(transaction('new', 5), cookies, seal, 600);
      expect(namesOf(lines)).toEqual(await namesFor('new', 'first'));
    });

    it('drops cookies that do not open first, and then those above the maximum', async () => {
      const cookies = await browserWith([1, 2, 3, 4, 5].map((at) => transaction(`old-${at}`, at)));
      cookies.set('__Host-tx-garbage1', 'garbage').set('__Host-tx-garbage2', '');
      const lines = await setTransactionCookie(transaction('new', 9), cookies, seal, 600);
      expect(namesOf(lines).toSorted()).toEqual(
        ['__Host-tx-garbage1', '__Host-tx-garbage2', ...(await namesFor('new', 'old-1'))].toSorted(),
      );
    });

    it('opens no more cookies than a real browser could have, and clears no more than fit into response headers', async () => {
      let opened = 0;
      const counting = {
        ...seal,
        open: (sealed: string) => {
          opened += 1;
          return seal.open(sealed);
        },
      };
      const cookies = new Map<string, string>();
      for (let at = 0; at < 2_000; at++) cookies.set(`__Host-tx-${String(at).padStart(8, '0')}`, 'invented');
      for (let at = 0; at < 100; at++) cookies.set(`__Host-tx-${at}`, 'invented');
      const lines = await setTransactionCookie(transaction('new', 9), cookies, counting, 600);
      expect([opened, lines.length]).toEqual([16, 17]);
    });

    it('fails from 3,801 characters on, before a browser would drop the cookie', async () => {
      const outcomeOf = async (stateLength: number) => {
        const large = transaction('s', 9, 'x'.repeat(stateLength));
        const sealed = (await seal.seal(large)).length;
        const kept = setTransactionCookie(large, new Map(), seal, 600);
        return { sealed, outcome: await kept.then(lengthOfFirst, reasonOf) };
      };
      // These lengths give sealed texts on both sides of the limit, in steps of one or two characters.
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => outcomeOf(2_699 + at)));
      const limit = 3_800;
      const around = outcomes.map(({ sealed }) => sealed - limit);
      expect(Math.min(...around)).toBeLessThanOrEqual(0);
      expect(Math.max(...around)).toBeGreaterThan(0);
      for (const { sealed, outcome } of outcomes)
        expect(outcome).toBe(
          sealed > limit ? 'request.sign-in-too-large' : sealed + nameAndAttributes.length,
        );
      expect(limit + nameAndAttributes.length).toBeLessThan(4_096);
    });
  });

  /** The cookies of a browser after these `Set-Cookie` lines. */
  const after = (cookies: ReadonlyMap<string, string>, lines: readonly string[]): Map<string, string> => {
    const kept = new Map(cookies);
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.endsWith('Max-Age=0')) kept.delete(name);
      else kept.set(name, value);
    }
    return kept;
  };

  describe('completing a login transaction', () => {
    it('replaces it with a completion record without nonce, verifier and state, until it would have expired', async () => {
      const begun = transaction('state-1', 2_000);
      const lines = await completeTransaction(begun, await browserWith([begun]), sealers, 1_700);
      const [, value = ''] = /^[^=]+=([^;]*)/.exec(lines[1] ?? '') ?? [];
      expect(lines).toEqual([
        `${await deriveTransactionCookieName('state-1')}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
        `${await deriveCompletionCookieName('state-1')}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=300`,
      ]);
      expect(await deriveCompletionCookieName('state-1')).toMatch(/^__Host-done-[\w-]{8}$/);
      expect(await sealers.completion.open(value)).toEqual({
        kind: 'opened',
        value: {
          grantId: 'grant-1',
          provider: 'google',
          purpose: { kind: 'authorize', clientId: 'app', redirectUri: 'https://app.example/callback' },
          expiresAt: 2_000,
        },
      });
      expect((await seal.open(value)).kind).toBe('failed');
    });

    it('keeps the newest three completions and five others in progress', async () => {
      const states = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((at) => `state-${at}`);
      const transactions = states.map((state, at) => transaction(state, at + 1));
      let cookies = await browserWith(transactions);
      for (const done of transactions.slice(0, 4))
        cookies = after(cookies, await completeTransaction(done, cookies, sealers, 0));
      const completions = await Promise.all(states.slice(1, 4).map(deriveCompletionCookieName));
      expect([...cookies.keys()].toSorted()).toEqual(
        [...completions, ...(await namesFor(...states.slice(4)))].toSorted(),
      );
    });

    it('keeps only the newest five of 30 concurrent consents, within two responses', async () => {
      const states = Array.from({ length: 30 }, (_, at) => `state-${at}`);
      const transactions = states.map((state) => transaction(state, 600));
      const cookies = await browserWith(transactions);
      const [done, next] = transactions.slice(-2).toReversed();
      if (done === undefined || next === undefined) throw new Error('no such transaction');
      const first = await completeTransaction(done, cookies, sealers, 0);
      expect(first).toHaveLength(18);
      const left = after(cookies, first);
      expect([...left.keys()]).toEqual(
        expect.arrayContaining([...(await namesFor(...states.slice(-6, -1)))]),
      );
      const second = after(left, await completeTransaction(next, left, sealers, 0));
      expect([...second.keys()]).toEqual(
        expect.arrayContaining([...(await namesFor(...states.slice(-6, -2)))]),
      );
      expect(second.size).toBe(7);
    });
  });
});
