/** Token introspection (RFC 7662) and revocation (RFC 7009). */
import { describe, expect, it } from 'vitest';
import { corsHeaders, introspectionClient, StorageUnavailable } from '../src/index.ts';
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

describe('introspection', () => {
  const secrets = ['api-secret-0123456789-0123456789-0123456789'] as const;
  const api = { client_id: 'api', client_secret: secrets[0] };
  const otherApi = { client_id: 'other-api', client_secret: secrets[0] };

  /** A deployment with two resource servers: one for the default audience, one for another. */
  const deployWithApis = (changes: Parameters<typeof deploy>[0] = {}): Deployment =>
    deploy({
      introspectionClients: [
        introspectionClient({ id: 'api', secrets, resource: `${issuer}/api` }),
        introspectionClient({ id: 'other-api', secrets, resource: `${issuer}/other` }),
      ],
      ...changes,
    });

  const introspect = async (
    deployment: Deployment,
    credentials: Readonly<Record<string, string>>,
    token: string,
  ): Promise<unknown> => {
    const response = await postForm(deployment, '/introspect', { ...credentials, token });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    return response.json();
  };

  const inactive = { active: false };

  describe('a resource server', () => {
    it('gets the user of a token with its audience', async () => {
      const resolveUser = async () =>
        ({ kind: 'accepted', userId: 'user-7', claims: { plan: 'free' } }) as const;
      const deployment = deployWithApis({ resolveUser });
      const issuedAt = deployment.now();
      const { access_token } = await obtainTokens(deployment, gpt);
      deployment.advance(1799);
      expect(await introspect(deployment, api, access_token)).toEqual({
        active: true,
        iss: issuer,
        client_id: 'gpt',
        scope: 'words score',
        token_type: 'Bearer',
        aud: `${issuer}/api`,
        iat: issuedAt,
        exp: issuedAt + 1800,
        sub: 'user-7',
        claims: { plan: 'free' },
      });
    });

    it('learns nothing about a token with another audience or a refresh token', async () => {
      const deployment = deployWithApis();
      const { access_token, refresh_token } = await obtainTokens(deployment, gpt);
      expect(await introspect(deployment, otherApi, access_token)).toEqual(inactive);
      expect(await introspect(deployment, api, refresh_token)).toEqual(inactive);
    });

    it('is not a client: it can neither get nor revoke tokens', async () => {
      const deployment = deployWithApis();
      const { access_token: token } = await obtainTokens(deployment, gpt);
      await expectTokenError(await postForm(deployment, '/revoke', { ...api, token }), invalidClientError);
      const form = { ...api, grant_type: 'refresh_token', refresh_token: 'x' };
      const request = new Request(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
      await expectTokenError(await deployment.fetch(request), invalidClientError);
    });
  });

  describe('a client', () => {
    it('learns that its own access token is active, but not whose it is', async () => {
      const deployment = deployWithApis();
      const issuedAt = deployment.now();
      const { access_token } = await obtainTokens(deployment, server);
      expect(await introspect(deployment, clientCredentials.server, access_token)).toEqual({
        active: true,
        iss: issuer,
        client_id: 'server',
        scope: 'words score',
        token_type: 'Bearer',
        aud: `${issuer}/api`,
        iat: issuedAt,
        exp: issuedAt + 1800,
      });
    });

    it('learns that its own refresh token is active, without using it up', async () => {
      const deployment = deployWithApis();
      const first = await obtainTokens(deployment, server);
      const second = await expectTokens(await refresh(deployment, server, first.refresh_token));
      const expected = { active: true, iss: issuer, client_id: 'server', scope: 'words score' };
      expect(await introspect(deployment, clientCredentials.server, second.refresh_token)).toEqual({
        ...expected,
        exp: deployment.now() + 30 * 86_400,
      });
      deployment.advance(120);
      expect(await introspect(deployment, clientCredentials.server, first.refresh_token)).toMatchObject(
        expected,
      );
      deployment.advance(1);
      expect(await introspect(deployment, clientCredentials.server, first.refresh_token)).toMatchObject(
        expected,
      );
      expect(await introspect(deployment, clientCredentials.server, second.refresh_token)).toMatchObject(
        expected,
      );
      await expectTokens(await refresh(deployment, server, second.refresh_token));
      expect(await introspect(deployment, clientCredentials.server, first.refresh_token)).toEqual(inactive);
    });

    it('gets an inactive response for a late refresh token that would revoke the grant', async () => {
      const deployment = deployWithApis({ lateRefresh: 'revoke' });
      const first = await obtainTokens(deployment, server);
      const second = await expectTokens(await refresh(deployment, server, first.refresh_token));
      deployment.advance(121);
      expect(await introspect(deployment, clientCredentials.server, first.refresh_token)).toEqual(inactive);
      expect(await introspect(deployment, clientCredentials.server, second.refresh_token)).toMatchObject({
        active: true,
      });
    });

    it.each(['access_token', 'refresh_token'] as const)(
      'without a secret must authenticate, even for its own token: %s',
      async (kind) => {
        const deployment = deployWithApis();
        const tokens = await obtainTokens(deployment, app);
        const form = { ...clientCredentials.app, token: tokens[kind] };
        await expectTokenError(await postForm(deployment, '/introspect', form), invalidClientError);
      },
    );
  });

  describe('any token', () => {
    it.each(['x', 'A'.repeat(200), '%'])('is inactive if it was not issued here: %s', async (token) => {
      expect(await introspect(deployWithApis(), api, token)).toEqual(inactive);
    });

    it('is inactive once it has expired', async () => {
      const deployment = deployWithApis();
      const { access_token } = await obtainTokens(deployment, gpt);
      deployment.advance(1800);
      expect(await introspect(deployment, api, access_token)).toEqual(inactive);
    });

    it.each(['access_token', 'refresh_token'] as const)(
      'is inactive in the second in which its grant was revoked: %s',
      async (kind) => {
        const deployment = deployWithApis();
        const tokens = await obtainTokens(deployment, gpt);
        await postForm(deployment, '/revoke', { ...clientCredentials.gpt, token: tokens.refresh_token });
        const introspectingClient = kind === 'access_token' ? api : clientCredentials.gpt;
        expect(await introspect(deployment, introspectingClient, tokens[kind])).toEqual(inactive);
      },
    );

    it('is inactive in the second in which its user was deleted', async () => {
      const deployment = deployWithApis();
      const { access_token } = await obtainTokens(deployment, gpt);
      const { sub: userId } = Object(await introspect(deployment, api, access_token));
      await deployment.storage.deleteUser({ userId, actor: 'operator', now: deployment.now() });
      expect(await introspect(deployment, api, access_token)).toEqual(inactive);
    });
  });

  describe('a request', () => {
    it('without a token is refused', async () => {
      await expectTokenError(await postForm(deployWithApis(), '/introspect', api), {
        status: 400,
        error: 'invalid_request',
        error_description: 'The parameter token is missing.',
      });
    });

    it.each([
      ['no credentials', {}],
      ['a wrong secret', { ...api, client_secret: 'wrong' }],
      ['the ID of a resource server, but no secret', { client_id: 'api' }],
      ['the ID of an unknown client', { client_id: 'nobody', client_secret: 'x' }],
    ])('is refused if it has %s', async (_, credentials) => {
      const deployment = deployWithApis();
      const { access_token: token } = await obtainTokens(deployment, gpt);
      await expectTokenError(
        await postForm(deployment, '/introspect', { ...credentials, token }),
        invalidClientError,
      );
    });

    it('gets a 503 if storage is unavailable, and never an active response', async () => {
      const isRevoked = () => Promise.reject(new StorageUnavailable('no route'));
      const deployment = deployWithApis({ storage: { ...memoryStorage(), isRevoked } });
      const { access_token: token } = await obtainTokens(deployment, gpt);
      const response = await postForm(deployment, '/introspect', { ...api, token });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
      expect(await response.json()).toEqual({
        error: 'temporarily_unavailable',
        error_description: 'The service is temporarily unavailable. Try again in a moment.',
      });
    });
  });
});

describe('revocation', () => {
  // Libraries that parse every response as JSON must not fail after a revocation.
  const expectRevocationResponse = async (response: Response): Promise<void> => {
    expect([response.status, await response.json()]).toEqual([200, {}]);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/json',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
    });
  };

  /** Expects a revoked grant: its refresh token is refused at once, its access token within ten seconds. */
  const expectRevokedGrant = async (
    deployment: Deployment,
    testClient: typeof server,
    tokens: { readonly access_token: string; readonly refresh_token: string },
    status: number,
  ): Promise<void> => {
    const expectedError = { ...invalidRefreshTokenError, status };
    await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), expectedError);
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
    ] as const)(
      'revokes its grant: the %s (%s) of %s',
      async (_, kind, __, testClient, credentials, status) => {
        const deployment = deploy();
        const tokens = await obtainTokens(deployment, testClient);
        await callApi(deployment, tokens.access_token);
        await expectRevocationResponse(
          await postForm(deployment, '/revoke', { ...credentials, token: tokens[kind] }),
        );
        expect(deployment.log.at(-1)).toEqual({
          event: 'revoked',
          endpoint: 'revoke',
          requestId: expect.any(String),
          clientId: credentials.client_id,
        });
        await expectRevokedGrant(deployment, testClient, tokens, status);
      },
    );

    it('revokes its grant even after it expired, and keeps other grants', async () => {
      const deployment = deploy();
      const [tokens, otherTokens] = [
        await obtainTokens(deployment, server),
        await obtainTokens(deployment, server),
      ];
      deployment.advance(1801);
      await expectRevocationResponse(
        await postForm(deployment, '/revoke', { ...clientCredentials.server, token: tokens.access_token }),
      );
      await expectTokenError(
        await refresh(deployment, server, tokens.refresh_token),
        invalidRefreshTokenError,
      );
      expect((await refresh(deployment, server, otherTokens.refresh_token)).status).toBe(200);
    });

    it('revokes its grant even if it was replaced long ago', async () => {
      const deployment = deploy();
      const first = await obtainTokens(deployment, server);
      let newest = first;
      for (let attempt = 0; attempt < 3; attempt++) {
        deployment.advance(300);
        newest = await expectTokens(await refresh(deployment, server, newest.refresh_token));
      }
      await expectRevocationResponse(
        await postForm(deployment, '/revoke', { ...clientCredentials.server, token: first.refresh_token }),
      );
      await expectRevokedGrant(deployment, server, newest, 400);
    });

    it('can be revoked again with the same response', async () => {
      const deployment = deploy();
      const { refresh_token: token } = await obtainTokens(deployment, gpt);
      for (let attempt = 0; attempt < 2; attempt++)
        await expectRevocationResponse(
          await postForm(deployment, '/revoke', { ...clientCredentials.gpt, token }),
        );
    });

    it('can come with a token_type_hint, even a wrong one', async () => {
      const deployment = deploy();
      const tokens = await obtainTokens(deployment, gpt);
      const form = { ...clientCredentials.gpt, token: tokens.refresh_token, token_type_hint: 'access_token' };
      await expectRevocationResponse(await postForm(deployment, '/revoke', form));
      await expectRevokedGrant(deployment, gpt, tokens, 401);
    });

    it.each(['x', 'A'.repeat(200), '%', '{}'])(
      'that was not issued here is not an error: %s',
      async (token) => {
        const storage = createSpyStorage();
        await expectRevocationResponse(
          await postForm(deploy({ storage }), '/revoke', { ...clientCredentials.gpt, token }),
        );
        expect(storage.calls).toEqual([]);
      },
    );
  });

  describe('a request', () => {
    it('without a token is refused', async () => {
      await expectTokenError(await postForm(deploy(), '/revoke', clientCredentials.gpt), {
        status: 400,
        error: 'invalid_request',
        error_description: 'The parameter token is missing.',
      });
    });

    it('with a repeated token is refused', async () => {
      const body = new URLSearchParams([
        ...Object.entries(clientCredentials.gpt),
        ['token', 'a'],
        ['token', 'a'],
      ]);
      const response = await deploy().fetch(new Request(`${issuer}/revoke`, { method: 'POST', body }));
      expect([response.status, await response.json()]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'A parameter was sent more than once.' },
      ]);
    });

    it.each([
      ['no credentials', {}],
      ['a wrong secret', { ...clientCredentials.gpt, client_secret: 'wrong' }],
      ['the ID of a confidential client, but no secret', { client_id: 'gpt' }],
      ['the ID of an unknown client', { client_id: 'nobody', client_secret: 'x' }],
    ])('is refused if it has %s, and revokes nothing', async (_, credentials) => {
      const deployment = deploy();
      const { refresh_token: token } = await obtainTokens(deployment, gpt);
      await expectTokenError(
        await postForm(deployment, '/revoke', { ...credentials, token }),
        invalidClientError,
      );
      expect((await refresh(deployment, gpt, token)).status).toBe(200);
    });

    it.each(['GET', 'PUT', 'OPTIONS'])('to revoke with the method %s is refused', async (method) => {
      const response = await deploy().fetch(new Request(`${issuer}/revoke`, { method }));
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    });

    it('gets a 503 if storage is unavailable, so that the client retries', async () => {
      const revoke = () => Promise.reject(new StorageUnavailable('no route'));
      const deployment = deploy({ storage: { ...memoryStorage(), revoke } });
      const { refresh_token: token } = await obtainTokens(deployment, gpt);
      const response = await postForm(deployment, '/revoke', { ...clientCredentials.gpt, token });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
      expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
    });
  });
});
