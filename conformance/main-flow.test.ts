/** Tests the main flow over HTTP (RFC 6749, 7636, 8414, 9207): sign in, play, keep the score. */
import { buildGptCallbackUrl } from '@words-with-chat/lab';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  None,
  refreshTokenGrant,
  tokenIntrospection,
  tokenRevocation,
} from 'openid-client';
import { describe, expect, inject, it, vi } from 'vitest';
import { addPoint, callApi, discover, readScore, signInWithPkce } from './openid-client.ts';
import { scoreWithoutRounds } from './scores.ts';
import { signIn } from './sign-in.ts';
import { testUser } from './test-users.ts';

const { gpt, publicClientId, confidentialClient } = inject('system');

/** Signs in as ChatGPT does: without PKCE, and with a scope string that its editor accepts. */
const signInAsChatGpt = async (config: Configuration) => {
  const expectedState = crypto.randomUUID();
  const url = buildAuthorizationUrl(config, {
    redirect_uri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
    scope: 'words,score',
    state: expectedState,
  });
  return authorizationCodeGrant(config, await signIn(url, testUser('gpt-action')), { expectedState });
};

describe('a user who signs in for the first time', () => {
  it('plays through a public client, and reads the score with a refreshed token', async () => {
    const config = await discover(publicClientId, None());
    const first = await signInWithPkce(config, 'public-client', 'words score offline_access');
    expect(first).toEqual({
      access_token: expect.stringMatching(/^[\w.-]+$/),
      token_type: 'bearer',
      expires_in: 1800,
      scope: 'words score offline_access',
      refresh_token: expect.stringMatching(/^[\w.-]+$/),
    });
    expect(await readScore(config, first.access_token)).toEqual(scoreWithoutRounds(0));
    expect(await addPoint(config, first.access_token)).toEqual({ score: 1 });

    const second = await refreshTokenGrant(config, first.refresh_token ?? '');
    expect(second.access_token).not.toBe(first.access_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await readScore(config, second.access_token)).toEqual(scoreWithoutRounds(1));
  });

  it('plays through a GPT, whose refresh token stays the same', async () => {
    const config = await discover(gpt.clientId, ClientSecretPost(gpt.clientSecret));
    const first = await signInAsChatGpt(config);
    expect(await readScore(config, first.access_token)).toEqual(scoreWithoutRounds(0));
    expect(await addPoint(config, first.access_token)).toEqual({ score: 1 });

    const second = await refreshTokenGrant(config, first.refresh_token ?? '');
    expect(second.access_token).not.toBe(first.access_token);
    expect(second.refresh_token).toBe(first.refresh_token);
    expect(await readScore(config, second.access_token)).toEqual(scoreWithoutRounds(1));
  });

  it('plays through a confidential client that sends its secret as Basic', async () => {
    const config = await discover(
      confidentialClient.clientId,
      ClientSecretBasic(confidentialClient.clientSecret),
    );
    const first = await signInWithPkce(config, 'confidential-client', 'score');
    expect(first.scope).toBe('score');
    expect(await addPoint(config, first.access_token)).toEqual({ score: 1 });
    const second = await refreshTokenGrant(config, first.refresh_token ?? '');
    expect(await readScore(config, second.access_token)).toEqual(scoreWithoutRounds(1));
  });
});

describe('a client library', () => {
  it('revokes a token, and one that is not ours, and can parse the response as JSON', async () => {
    const { clientId, clientSecret } = confidentialClient;
    const config = await discover(clientId, ClientSecretBasic(clientSecret));
    const { access_token } = await signInWithPkce(config, 'confidential-client', 'score');
    expect(await tokenIntrospection(config, access_token)).toMatchObject({ active: true });
    const sent = vi.spyOn(globalThis, 'fetch');
    for (const token of [access_token, 'not-a-token', access_token]) await tokenRevocation(config, token);
    const responses = await Promise.all(sent.mock.results.map(({ value }) => value));
    sent.mockRestore();
    const bodies = await Promise.all(responses.map((response) => response.json()));
    expect(bodies).toEqual([{}, {}, {}]);
    expect(await tokenIntrospection(config, access_token)).toEqual({ active: false });
  });

  it('learns that a public client cannot introspect tokens', async () => {
    const config = await discover(publicClientId, None());
    const { access_token } = await signInWithPkce(config, 'public-client', 'words');
    await expect(tokenIntrospection(config, access_token)).rejects.toMatchObject({ status: 401 });
    await tokenRevocation(config, access_token);
  });
});

describe('the score', () => {
  it('belongs to the user, whichever client reads it', async () => {
    const publicConfig = await discover(publicClientId, None());
    const confidentialConfig = await discover(
      confidentialClient.clientId,
      ClientSecretBasic(confidentialClient.clientSecret),
    );
    const publicTokens = await signInWithPkce(publicConfig, 'two-clients', 'score');
    const confidentialTokens = await signInWithPkce(confidentialConfig, 'two-clients', 'score');
    expect(await addPoint(publicConfig, publicTokens.access_token)).toEqual({ score: 1 });
    expect(await addPoint(confidentialConfig, confidentialTokens.access_token)).toEqual({ score: 2 });
    expect(await readScore(publicConfig, publicTokens.access_token)).toEqual(scoreWithoutRounds(2));
  });
});

describe('the words', () => {
  it.each(['animals', 'places', 'colors'])('include at least thirty different %s', async (category) => {
    const config = await discover(publicClientId, None());
    const { access_token: token } = await signInWithPkce(config, 'bystander', 'words');
    const words = await callApi(config, token, 'GET', `/api/words/${category}`);
    if (!Array.isArray(words)) throw new Error('no list');
    expect(new Set(words).size).toBe(words.length);
    expect(words.length).toBeGreaterThanOrEqual(30);
  });

  it('are returned to a client that did not request a refresh token', async () => {
    const config = await discover(publicClientId, None());
    expect(await signInWithPkce(config, 'bystander', 'words')).not.toHaveProperty('refresh_token');
  });
});
