import { expect, test } from 'vitest';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { buildUpstreamRequest, createTransaction } from '../../src/sign-in/login-transaction.ts';
import { parseLifetimes } from '../../src/tokens/lifetimes.ts';
import type { TransactionPurpose } from '../../src/tokens/sealed-types.ts';

const request = {
  clientId: 'app',
  redirectUri: 'https://app.example/callback',
  state: 'client-state',
  scopes: ['words'],
  resource: 'https://words.example/api',
  codeChallenge: undefined,
};

/** Bytes that count up, so that a value drawn twice would show. */
const begin = (purpose: TransactionPurpose = { kind: 'authorize', request }) => {
  let last = 0;
  const randomBytes = (length: number) => Uint8Array.from({ length }, () => last++ % 256);
  return createTransaction(
    { randomBytes, lifetimes: parseLifetimes({ transaction: 120 }), now: () => 1_000 },
    purpose,
    'google',
  );
};

test('a login transaction starts with four values drawn apart, and ends when its time is over', () => {
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

test('an upstream request is what the provider needs, and nothing of the client or the grant', () => {
  const { state, nonce, codeVerifier } = begin();
  expect(buildUpstreamRequest(begin(), parseIssuer('https://words.example'))).toEqual({
    redirectUri: 'https://words.example/callback/google',
    state,
    nonce,
    codeVerifier,
  });
});

test.each([
  ['the account page', { kind: 'account', user: undefined }],
  ['one more identity', { kind: 'link', session: 'session-1', user: 'user-1' }],
] as const)(
  'an upstream request for %s wants the person to prove themselves after it began',
  (_, purpose) => {
    expect(buildUpstreamRequest(begin(purpose), parseIssuer('https://words.example')).reauthenticate).toEqual(
      {
        since: 1_000,
      },
    );
  },
);
