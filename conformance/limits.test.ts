/**
 * Tests the rate limits over HTTP: someone who guesses ChatGPT's secret from ChatGPT's own address does not
 * affect its users, and a user or client that repeats a request too often is refused without affecting
 * others.
 */
import {
  buildGptAction,
  callApi,
  readCallback,
  redeemCode,
  refreshTokens,
  startSignIn,
} from '@words-with-chat/lab';
import { expect, inject, it } from 'vitest';
import { scoreWithoutRounds } from './scores.ts';
import { obtainTokens, signIn } from './sign-in.ts';
import { testUser } from './test-users.ts';

const { origin, gpt } = inject('system');

const action = buildGptAction(origin, gpt);

const guessSecret = () =>
  fetch(action.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: gpt.clientId,
      client_secret: 'wrong',
      code: 'x',
    }),
  });

/**
 * Guesses until the limit is reached. The limit is 20, and the platform's counters may be reset once in the
 * meantime.
 */
const guessUntilLimited = async (): Promise<Response> => {
  for (let attempt = 0; attempt < 60; attempt++) {
    const response = await guessSecret();
    if (response.status === 429) return response;
    expect(response.status).toBe(401);
    await response.body?.cancel();
  }
  throw new Error('60 wrong secrets in a row were not limited');
};

it('W5.3 shared egress: guesses from ChatGPT’s address are limited, but not its other requests', async () => {
  const startedSignIn = startSignIn(action, crypto.randomUUID());
  const callback = readCallback(startedSignIn, await signIn(startedSignIn.url, testUser('limits')));
  if (callback.kind !== 'code') throw new Error(`no code: ${callback.kind}`);

  const limited = await guessUntilLimited();
  expect(limited.headers.get('retry-after')).toBe('60');
  expect(await limited.json()).toEqual({
    error: 'temporarily_unavailable',
    error_description: 'Too many failed attempts. Try again in a minute.',
  });
  await Promise.all(Array.from({ length: 200 }, async () => (await guessSecret()).body?.cancel()));

  const tokens = await redeemCode(action, callback.code, fetch);
  if (tokens.kind === 'error') throw new Error(`the exchange was refused with ${tokens.status}`);
  const refreshed = await refreshTokens(action, tokens.refreshToken ?? '', fetch);
  if (refreshed.kind === 'error') throw new Error(`the refresh was refused with ${refreshed.status}`);
  const scoreResponse = await callApi(
    { method: 'GET', url: `${origin}/api/scoring` },
    refreshed.accessToken,
    fetch,
  );
  expect(scoreResponse).toEqual({ kind: 'response', status: 200, body: scoreWithoutRounds(0) });
});

it('W18.1 sign-ins of a user: the 21st within ten minutes gets an error page, and another user can sign in', async () => {
  const startedSignIns = Array.from({ length: 21 }, () => startSignIn(action, crypto.randomUUID()));
  for (const { url } of startedSignIns.slice(0, 20)) await signIn(url, testUser('user-limits'));
  const [lastSignIn] = startedSignIns.slice(20);
  if (lastSignIn === undefined) throw new Error('no sign-in is left');
  await expect(signIn(lastSignIn.url, testUser('user-limits'))).rejects.toThrow(
    'ended on /callback/google with status 429',
  );
  const otherSignIn = startSignIn(action, crypto.randomUUID());
  expect(readCallback(otherSignIn, await signIn(otherSignIn.url, testUser('user-limits-other'))).kind).toBe(
    'code',
  );
});

it('W18.3 refreshes of a grant: of 90 at once, some are refused with 429, and the others get working tokens', async () => {
  const { refreshToken = '' } = await obtainTokens(action, testUser('limits'));
  const results = await Promise.all(
    Array.from({ length: 90 }, () => refreshTokens(action, refreshToken, fetch)),
  );
  const limited = results.flatMap((result) => (result.kind === 'error' ? [result.status] : []));
  // The platform's counters may be reset once in the meantime.
  expect(limited.length).toBeGreaterThanOrEqual(30);
  expect(new Set(limited)).toEqual(new Set([429]));
  const [refreshed] = results.flatMap((result) => (result.kind === 'error' ? [] : [result]));
  expect(
    (await callApi({ method: 'GET', url: `${origin}/api/scoring` }, refreshed?.accessToken ?? '', fetch))
      .kind,
  ).toBe('response');
});
