import { describe, expect, it } from 'vitest';
import { corsHeaders, StorageUnavailable } from '../src/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { callApi, expectTokens } from './browser.ts';
import { app, gpt, obtainTokens, refresh, server } from './clients.ts';
import { type Deployment, deploy, issuer } from './deployment.ts';
import {
  expectInvalidToken,
  expectTokenError,
  invalidClientError,
  invalidRefreshTokenError,
} from './expect-error.ts';
import { createSpyStorage } from './spy-storage.ts';
import { clientCredentials, postForm } from './token-requests.ts';

const expectDone = async (response: Response): Promise<void> => {
  expect([response.status, await response.text()]).toEqual([200, '']);
  expect(Object.fromEntries(response.headers)).toEqual({
    ...corsHeaders,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
};

/** The grant is over: its refresh token at once, its access token within the horizon. */
const expectEnded = async (
  deployment: Deployment,
  testClient: typeof server,
  tokens: { readonly access_token: string; readonly refresh_token: string },
  status: number,
): Promise<void> => {
  const refused = { ...invalidRefreshTokenError, status };
  await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), refused);
  deployment.advance(10);
  await expectInvalidToken(deployment, tokens.access_token);
};

describe('a token', () => {
  it.each([
    ['access token', 'access_token', 'ChatGPT', gpt, clientCredentials.gpt, 401],
    ['refresh token', 'refresh_token', 'ChatGPT', gpt, clientCredentials.gpt, 401],
    ['access token', 'access_token', 'a confidential client', server, clientCredentials.server, 400],
    ['refresh token', 'refresh_token', 'a confidential client', server, clientCredentials.server, 400],
    ['access token', 'access_token', 'a public client', app, clientCredentials.app, 400],
    ['refresh token', 'refresh_token', 'a public client', app, clientCredentials.app, 400],
  ] as const)('ends its grant: the %s (%s) of %s', async (_, kind, __, testClient, credentials, status) => {
    const deployment = deploy();
    const tokens = await obtainTokens(deployment, testClient);
    await callApi(deployment, tokens.access_token);
    await expectDone(await postForm(deployment, '/revoke', { ...credentials, token: tokens[kind] }));
    expect(deployment.log.at(-1)).toEqual({
      event: 'revoked',
      endpoint: 'revoke',
      requestId: expect.any(String),
      clientId: credentials.client_id,
    });
    await expectEnded(deployment, testClient, tokens, status);
  });

  it('ends its grant also after it expired, and leaves other grants alone', async () => {
    const deployment = deploy();
    const [tokens, others] = [await obtainTokens(deployment, server), await obtainTokens(deployment, server)];
    deployment.advance(1801);
    await expectDone(
      await postForm(deployment, '/revoke', { ...clientCredentials.server, token: tokens.access_token }),
    );
    await expectTokenError(await refresh(deployment, server, tokens.refresh_token), invalidRefreshTokenError);
    expect((await refresh(deployment, server, others.refresh_token)).status).toBe(200);
  });

  it('ends its grant also when it is of a generation long gone', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, server);
    let newest = first;
    for (let time = 0; time < 3; time++) {
      deployment.advance(300);
      newest = await expectTokens(await refresh(deployment, server, newest.refresh_token));
    }
    await expectDone(
      await postForm(deployment, '/revoke', { ...clientCredentials.server, token: first.refresh_token }),
    );
    await expectEnded(deployment, server, newest, 400);
  });

  it('may be revoked again, to the same effect', async () => {
    const deployment = deploy();
    const { refresh_token: token } = await obtainTokens(deployment, gpt);
    for (let time = 0; time < 2; time++)
      await expectDone(await postForm(deployment, '/revoke', { ...clientCredentials.gpt, token }));
  });

  it('may come with a hint, even a wrong one', async () => {
    const deployment = deploy();
    const tokens = await obtainTokens(deployment, gpt);
    const form = { ...clientCredentials.gpt, token: tokens.refresh_token, token_type_hint: 'access_token' };
    await expectDone(await postForm(deployment, '/revoke', form));
    await expectEnded(deployment, gpt, tokens, 401);
  });

  it.each(['x', 'A'.repeat(200), '%', '{}'])('that is none of ours is no error: %s', async (token) => {
    const storage = createSpyStorage();
    await expectDone(await postForm(deploy({ storage }), '/revoke', { ...clientCredentials.gpt, token }));
    expect(storage.calls).toEqual([]);
  });
});

describe('a request', () => {
  it('without a token is refused', async () => {
    await expectTokenError(await postForm(deploy(), '/revoke', clientCredentials.gpt), {
      status: 400,
      error: 'invalid_request',
      error_description: 'The parameter token is missing.',
    });
  });

  it('names its token once', async () => {
    const body = new URLSearchParams([
      ...Object.entries(clientCredentials.gpt),
      ['token', 'a'],
      ['token', 'a'],
    ]);
    const response = await deploy().fetch(new Request(`${issuer}/revoke`, { method: 'POST', body }));
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'A parameter is given more than once.' },
    ]);
  });

  it.each([
    ['nobody', {}],
    ['a wrong secret', { ...clientCredentials.gpt, client_secret: 'wrong' }],
    ['a client without its secret', { client_id: 'gpt' }],
    ['an unknown client', { client_id: 'nobody', client_secret: 'x' }],
  ])('of %s is refused, and ends nothing', async (_, credentials) => {
    const deployment = deploy();
    const { refresh_token: token } = await obtainTokens(deployment, gpt);
    await expectTokenError(
      await postForm(deployment, '/revoke', { ...credentials, token }),
      invalidClientError,
    );
    expect((await refresh(deployment, gpt, token)).status).toBe(200);
  });

  it.each(['GET', 'PUT', 'OPTIONS'])('to revoke by %s is refused', async (method) => {
    const response = await deploy().fetch(new Request(`${issuer}/revoke`, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is answered 503 when storage is out of reach, so that the client tries again', async () => {
    const revoke = () => Promise.reject(new StorageUnavailable('no route'));
    const deployment = deploy({ storage: { ...memoryStorage(), revoke } });
    const { refresh_token: token } = await obtainTokens(deployment, gpt);
    const response = await postForm(deployment, '/revoke', { ...clientCredentials.gpt, token });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
  });
});
