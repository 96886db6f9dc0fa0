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
    maxAge: undefined,
    selectAccount: false,
  };

  /** Uses bytes that count up, so that a value that is used twice makes a test fail. */
  const createTestTransaction = (purpose: TransactionPurpose = { kind: 'authorize', request }) => {
    let counter = 0;
    const randomBytes = (length: number) => Uint8Array.from({ length }, () => counter++ % 256);
    return createTransaction(
      { randomBytes, lifetimes: parseLifetimes({ transaction: 120 }), now: () => 1_000 },
      purpose,
      'google',
    );
  };

  it('a login transaction starts with four independent random values, and expires', () => {
    const transaction = createTestTransaction();
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
    const { state, nonce, codeVerifier } = createTestTransaction();
    expect(buildUpstreamRequest(createTestTransaction(), parseIssuer('https://words.example'))).toEqual({
      redirectUri: 'https://words.example/callback/google',
      state,
      nonce,
      codeVerifier,
    });
  });

  it.each([
    ['the user must authenticate again', { maxAge: 0 }, { reauthenticate: { since: 1_000 } }],
    ['a sign-in in the last minute', { maxAge: 60 }, { reauthenticate: { since: 940, maxAge: 60 } }],
    ['a sign-in since 1970', { maxAge: 1_001 }, { reauthenticate: { since: 0, maxAge: 1_001 } }],
    ['the user must choose an account', { selectAccount: true }, { selectAccount: true }],
    ['both', { maxAge: 0, selectAccount: true }, { reauthenticate: { since: 1_000 }, selectAccount: true }],
  ])('an upstream request contains what the client requires: %s', (_, required, expected) => {
    const transaction = createTestTransaction({ kind: 'authorize', request: { ...request, ...required } });
    const { state, nonce, codeVerifier } = transaction;
    const common = { redirectUri: 'https://words.example/callback/google', state, nonce, codeVerifier };
    const build = (one: Transaction) => buildUpstreamRequest(one, parseIssuer('https://words.example'));
    expect(build(transaction)).toEqual({ ...common, ...expected });
    expect(build({ ...transaction, reconsentSubject: 'ada' })).toEqual(common);
  });

  it.each([
    ['the account page', { kind: 'account', user: undefined }],
    ['linking another identity', { kind: 'link', session: 'session-1', user: 'user-1' }],
  ] as const)('an upstream request for %s requires authentication after it started', (_, purpose) => {
    expect(
      buildUpstreamRequest(createTestTransaction(purpose), parseIssuer('https://words.example'))
        .reauthenticate,
    ).toEqual({
      since: 1_000,
    });
  });
});

describe('transaction cookies', () => {
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const sealers = createSealers(parseKeyRing(keys), issuer, [issuer], randomBytes);
  const { transaction: transactionSealer } = sealers;

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
        maxAge: undefined,
        selectAccount: false,
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

  const buildCookies = async (transactions: readonly Transaction[]): Promise<Map<string, string>> => {
    const cookies = transactions.map(
      async (one) =>
        [await deriveTransactionCookieName(one.state), await transactionSealer.seal(one)] as const,
    );
    return new Map(await Promise.all(cookies));
  };

  const nameAndAttributes = '__Host-tx-12345678=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600';
  const lengthOfFirst = ([line = '']: readonly string[]) => line.length;
  const reasonOf = (rejection: unknown) => Reflect.get(Object(rejection), 'reason');
  const readCookieNames = (lines: readonly string[]) => lines.map((line) => line.slice(0, line.indexOf('=')));
  const deriveCookieNames = (...states: readonly string[]) =>
    Promise.all(states.map(deriveTransactionCookieName));

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
      const started = transaction('state-1', 2_000);
      const lines = await setTransactionCookie(started, new Map(), transactionSealer, 600);
      const [line = '', ...others] = lines;
      expect(others).toEqual([]);
      const [, name, value = '', attributes] = /^([^=]+)=([^;]+); (.*)$/.exec(line) ?? [];
      expect(name).toBe(await deriveTransactionCookieName('state-1'));
      expect(attributes).toBe('Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600');
      expect(await transactionSealer.open(value)).toEqual({ kind: 'opened', value: started });
    });

    it('keeps four other transactions, and unrelated cookies', async () => {
      const cookies = await buildCookies([1, 2, 3, 4].map((index) => transaction(`old-${index}`, index)));
      cookies.set('__Host-csrf', 'x').set('theme', 'dark');
      expect(
        readCookieNames(await setTransactionCookie(transaction('new', 9), cookies, transactionSealer, 600)),
      ).toEqual(await deriveCookieNames('new'));
    });

    it('drops the oldest of five, at any position in the header', async () => {
      const cookies = await buildCookies([3, 1, 5, 2, 4].map((index) => transaction(`old-${index}`, index)));
      const lines = await setTransactionCookie(transaction('new', 9), cookies, transactionSealer, 600);
      expect(readCookieNames(lines)).toEqual(await deriveCookieNames('new', 'old-1'));
      expect(lines[1]).toMatch(/^__Host-tx-[^=]+=; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=0$/);
    });

    it('drops the one that the browser sends first if all started in the same second', async () => {
      const cookies = await buildCookies(
        ['first', 'second', 'third', 'fourth', 'fifth'].map((s) => transaction(s, 5)),
      );
      const lines = await setTransactionCookie(transaction('new', 5), cookies, transactionSealer, 600);
      expect(readCookieNames(lines)).toEqual(await deriveCookieNames('new', 'first'));
    });

    it('drops cookies that do not open first, and then those above the maximum', async () => {
      const cookies = await buildCookies([1, 2, 3, 4, 5].map((index) => transaction(`old-${index}`, index)));
      cookies.set('__Host-tx-garbage1', 'garbage').set('__Host-tx-garbage2', '');
      const lines = await setTransactionCookie(transaction('new', 9), cookies, transactionSealer, 600);
      expect(readCookieNames(lines).toSorted()).toEqual(
        ['__Host-tx-garbage1', '__Host-tx-garbage2', ...(await deriveCookieNames('new', 'old-1'))].toSorted(),
      );
    });

    it('opens no more cookies than a real browser could have, and clears no more than fit into response headers', async () => {
      let opened = 0;
      const countingSealer = {
        ...transactionSealer,
        open: (sealed: string) => {
          opened += 1;
          return transactionSealer.open(sealed);
        },
      };
      const cookies = new Map<string, string>();
      for (let index = 0; index < 2_000; index++)
        cookies.set(`__Host-tx-${String(index).padStart(8, '0')}`, 'invented');
      for (let index = 0; index < 100; index++) cookies.set(`__Host-tx-${index}`, 'invented');
      const lines = await setTransactionCookie(transaction('new', 9), cookies, countingSealer, 600);
      expect([opened, lines.length]).toEqual([16, 17]);
    });

    it('fails from 3,801 characters on, before a browser would drop the cookie', async () => {
      const trySetCookie = async (stateLength: number) => {
        const large = transaction('s', 9, 'x'.repeat(stateLength));
        const sealed = (await transactionSealer.seal(large)).length;
        const cookieLines = setTransactionCookie(large, new Map(), transactionSealer, 600);
        return { sealed, outcome: await cookieLines.then(lengthOfFirst, reasonOf) };
      };
      // These lengths give sealed texts on both sides of the limit, in steps of one or two characters.
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => trySetCookie(2_697 + index)),
      );
      const limit = 3_800;
      const distances = outcomes.map(({ sealed }) => sealed - limit);
      expect(Math.min(...distances)).toBeLessThanOrEqual(0);
      expect(Math.max(...distances)).toBeGreaterThan(0);
      for (const { sealed, outcome } of outcomes)
        expect(outcome).toBe(
          sealed > limit ? 'request.sign-in-too-large' : sealed + nameAndAttributes.length,
        );
      expect(limit + nameAndAttributes.length).toBeLessThan(4_096);
    });
  });

  /** The cookies of a browser after these `Set-Cookie` lines. */
  const applySetCookies = (
    cookies: ReadonlyMap<string, string>,
    lines: readonly string[],
  ): Map<string, string> => {
    const result = new Map(cookies);
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.endsWith('Max-Age=0')) result.delete(name);
      else result.set(name, value);
    }
    return result;
  };

  describe('completing a login transaction', () => {
    it('replaces it with a completion record without nonce, verifier and state, until it would have expired', async () => {
      const started = transaction('state-1', 2_000);
      const lines = await completeTransaction(started, await buildCookies([started]), sealers, 1_700);
      const [, value = ''] = /^[^=]+=([^;]*)/.exec(lines[1] ?? '') ?? [];
      expect(lines).toEqual([
        `${await deriveTransactionCookieName('state-1')}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
        `${await deriveCompletionCookieName('state-1')}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=300`,
        '__Host-provider=google; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000',
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
      expect((await transactionSealer.open(value)).kind).toBe('failed');
    });

    it('keeps the newest three completions and five others in progress', async () => {
      const states = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `state-${index}`);
      const transactions = states.map((state, index) => transaction(state, index + 1));
      let cookies = await buildCookies(transactions);
      for (const completed of transactions.slice(0, 4))
        cookies = applySetCookies(cookies, await completeTransaction(completed, cookies, sealers, 0));
      const completions = await Promise.all(states.slice(1, 4).map(deriveCompletionCookieName));
      expect([...cookies.keys()].toSorted()).toEqual(
        [...completions, '__Host-provider', ...(await deriveCookieNames(...states.slice(4)))].toSorted(),
      );
    });

    it('keeps only the newest five of 30 concurrent consents, within two responses', async () => {
      const states = Array.from({ length: 30 }, (_, index) => `state-${index}`);
      const transactions = states.map((state) => transaction(state, 600));
      const cookies = await buildCookies(transactions);
      const [completed, nextTransaction] = transactions.slice(-2).toReversed();
      if (completed === undefined || nextTransaction === undefined) throw new Error('no such transaction');
      const firstLines = await completeTransaction(completed, cookies, sealers, 0);
      expect(firstLines).toHaveLength(19);
      const remaining = applySetCookies(cookies, firstLines);
      expect([...remaining.keys()]).toEqual(
        expect.arrayContaining([...(await deriveCookieNames(...states.slice(-6, -1)))]),
      );
      const remainingAfterSecond = applySetCookies(
        remaining,
        await completeTransaction(nextTransaction, remaining, sealers, 0),
      );
      expect([...remainingAfterSecond.keys()]).toEqual(
        expect.arrayContaining([...(await deriveCookieNames(...states.slice(-6, -2)))]),
      );
      expect(remainingAfterSecond.size).toBe(8);
    });
  });
});
