/** Limits over HTTP: somebody guesses ChatGPT's secret from ChatGPT's own address, and its users notice nothing. */
import {
  beginSignIn,
  callApi,
  type GptAction,
  gptCallback,
  readCallback,
  redeemCode,
  refreshTokens,
} from '@words-with-chat/lab';
import { expect, inject, it } from 'vitest';
import { player } from './players.ts';
import { signIn } from './sign-in.ts';

const { origin, gpt } = inject('system');

const action: GptAction = {
  authorizationUrl: `${origin}/authorize`,
  tokenUrl: `${origin}/token`,
  ...gpt,
  scope: '',
  redirectUri: gptCallback('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
};

const guess = () =>
  fetch(action.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: gpt.clientId,
      client_secret: 'wrong',
      code: 'x',
    }),
  });

/** Guesses until it is limited; the limit is 20, and the platform's counters may begin anew once meanwhile. */
const guessUntilLimited = async (): Promise<Response> => {
  for (let turn = 0; turn < 60; turn++) {
    const response = await guess();
    if (response.status === 429) return response;
    expect(response.status).toBe(401);
    await response.body?.cancel();
  }
  throw new Error('60 wrong secrets in a row were not limited');
};

it('W5.3 shared egress: guesses from ChatGPT’s address are limited, its exchange, refresh and calls are not', async () => {
  const begun = beginSignIn(action, crypto.randomUUID());
  const callback = readCallback(begun, await signIn(begun.url, player('limits')));
  if (callback.kind !== 'code') throw new Error(`no code: ${callback.kind}`);

  const limited = await guessUntilLimited();
  expect(limited.headers.get('retry-after')).toBe('60');
  expect(await limited.json()).toEqual({
    error: 'temporarily_unavailable',
    error_description: 'Too many failed attempts. Try again in a minute.',
  });
  await Promise.all(Array.from({ length: 200 }, async () => (await guess()).body?.cancel()));

  const tokens = await redeemCode(action, callback.code, fetch);
  if (tokens.kind === 'refused') throw new Error(`the exchange was refused with ${tokens.status}`);
  const refreshed = await refreshTokens(action, tokens.refreshToken ?? '', fetch);
  if (refreshed.kind === 'refused') throw new Error(`the refresh was refused with ${refreshed.status}`);
  const score = await callApi({ method: 'GET', url: `${origin}/api/scoring` }, refreshed.accessToken, fetch);
  expect(score).toEqual({ kind: 'answered', status: 200, body: { score: 0 } });
});
