/**
 * Tests each fake provider over HTTP: its user is another one than at the other providers, and the same one
 * at the next sign-in.
 */
import {
  buildGptCallbackUrl,
  callApi,
  type GptAction,
  readCallback,
  redeemCode,
  refreshTokens,
  startSignIn,
} from '@words-with-chat/lab';
import { describe, expect, inject, it } from 'vitest';
import { testUser } from './clients.ts';
import { signIn } from './sign-in.ts';

const { origin, gpt, fakeProviders } = inject('system');

const action: GptAction = {
  authorizationUrl: `${origin}/authorize`,
  tokenUrl: `${origin}/token`,
  ...gpt,
  scope: '',
  redirectUri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
};

const tokensAt = async (provider: string) => {
  const startedSignIn = startSignIn(action, crypto.randomUUID());
  const callback = readCallback(
    startedSignIn,
    await signIn(startedSignIn.url, testUser('http-every-provider'), provider),
  );
  const answer = callback.kind === 'code' ? await redeemCode(action, callback.code, fetch) : undefined;
  if (answer?.kind !== 'tokens') throw new Error(`no tokens: ${callback.kind}`);
  return answer;
};

const score = (method: 'GET' | 'POST', accessToken: string) =>
  callApi({ method, url: `${origin}/api/scoring` }, accessToken, fetch);

const is = (points: number) => ({ kind: 'response', status: 200, body: { score: points } });

it('offers a button for each', async () => {
  const page = await (await fetch(startSignIn(action, 'a state').url)).text();
  const buttons = [...page.matchAll(/Continue with <bdi[^>]*>([^<]*)</g)].map(([, label]) => label);
  expect(buttons).toEqual(['Google', 'GitHub', 'Microsoft', 'Apple', 'OpenID Connect']);
  expect(fakeProviders.map(({ label }) => label)).toEqual(buttons);
});

describe.each(fakeProviders.map(({ label }) => label))('a person at %s', (provider) => {
  it('plays, and finds the score again with a refreshed token and with a new sign-in', async () => {
    const first = await tokensAt(provider);
    // A user with the same email address plays at the other providers, too. Accounts are not linked by email
    // address.
    expect(await score('GET', first.accessToken)).toEqual(is(0));
    expect(await score('POST', first.accessToken)).toEqual(is(1));
    const refreshed = await refreshTokens(action, first.refreshToken ?? '', fetch);
    if (refreshed.kind === 'error') throw new Error(`the refresh was refused with ${refreshed.status}`);
    expect(await score('GET', refreshed.accessToken)).toEqual(is(1));
    expect(await score('GET', (await tokensAt(provider)).accessToken)).toEqual(is(1));
  });
});
