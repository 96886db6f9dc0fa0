/** The token endpoint and its grant types (RFC 6749 §4.1.3 and §6). */
import { describe, expect, it, vi } from 'vitest';
import { corsHeaders, gptAction, StorageUnavailable, staticClient } from '../../src/index.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import type { GrantState, RefreshPolicy } from '../../src/storage/broker-storage.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { issueTokens, sealRefreshToken } from '../../src/token-endpoint/endpoint.ts';
import type { TokenGrant } from '../../src/token-endpoint/grant-handler.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { callApi, expectTokens } from '../browser.ts';
import {
  app,
  gpt,
  obtainCode,
  obtainTokens,
  redeem,
  refresh,
  server,
  type TestClient,
  without,
} from '../clients.ts';
import { clients, deploy, gptRedirect, gptSecret, issuer, keys, serverSecret } from '../deployment.ts';
import { expectTokenError, invalidCodeError, invalidRefreshTokenError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('/token', () => {
  const token = /^[A-Za-z0-9_-]{100,}$/;

  const buildRequest = (body: string, headers: Readonly<Record<string, string>> = {}): Request =>
    new Request(`${issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    });

  const bodyOf = (form: Readonly<Record<string, string>>): string => new URLSearchParams(form).toString();

  describe('a successful response', () => {
    it.each([
      ['ChatGPT', gpt, 'words score'],
      ['a public client', app, 'words score offline_access'],
      ['a confidential client', server, 'words score'],
    ])('has exactly the expected fields for %s, and is not cached', async (_, testClient, scope) => {
      const deployment = deploy();
      const response = await redeem(deployment, testClient, await obtainCode(deployment, testClient));
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toEqual({
        ...corsHeaders,
        'cache-control': 'no-store',
        'content-type': 'application/json',
        pragma: 'no-cache',
        'x-content-type-options': 'nosniff',
      });
      expect(await response.json()).toEqual({
        access_token: expect.stringMatching(token),
        token_type: 'bearer',
        expires_in: 1800,
        refresh_token: expect.stringMatching(token),
        scope,
      });
      const { client_id: clientId } = testClient.request;
      expect(deployment.log.at(-1)).toEqual({
        event: 'tokens-issued',
        endpoint: 'token',
        requestId: expect.stringMatching(/^[\w-]{22}$/),
        clientId,
      });
    });

    it('shares no headers with other responses if Response keeps the object that it gets', async () => {
      // As that of `@hono/node-server`, which replaces the global one.
      class KeepingResponse extends Response {
        readonly kept: HeadersInit | undefined;
        constructor(body?: BodyInit | null, init?: ResponseInit) {
          super(body, init);
          this.kept = init?.headers;
        }
        override get headers(): Headers {
          return this.kept instanceof Headers ? this.kept : super.headers;
        }
      }
      vi.stubGlobal('Response', KeepingResponse);
      const deployment = deploy();
      const first = await redeem(deployment, gpt, await obtainCode(deployment, gpt));
      first.headers.append('set-cookie', 'session=ada');
      const second = await redeem(deployment, gpt, await obtainCode(deployment, gpt));
      expect(first.headers.getSetCookie()).toEqual(['session=ada']);
      expect([second.status, second.headers.getSetCookie()]).toEqual([200, []]);
      const headers = { authorization: `Basic ${btoa(`gpt:${gptSecret}`)}` };
      const isReadable = async (path: string): Promise<boolean | undefined> => {
        const init = { method: 'POST', headers, body: new URLSearchParams({ token: 'unknown' }) };
        const response = await deployment.broker.handle(new Request(issuer + path, init));
        expect(response?.status).toBe(200);
        return response?.headers.has('access-control-allow-origin');
      };
      expect(await isReadable('/revoke')).toBe(true);
      expect(await isReadable('/introspect')).toBe(false);
    });

    it('has no refresh token for a client that did not request offline_access', async () => {
      const onlineClient = { ...app, request: { ...app.request, scope: 'words' } };
      expect(await obtainTokens(deploy(), onlineClient)).toEqual({
        access_token: expect.stringMatching(token),
        token_type: 'bearer',
        expires_in: 1800,
        scope: 'words',
      });
    });

    it('has the exact lifetime of the token', async () => {
      const deployment = deploy({ lifetimes: { access: 600 } });
      const { access_token, expires_in } = await obtainTokens(deployment, gpt);
      expect(expires_in).toBe(600);
      deployment.advance(599);
      expect(await callApi(deployment, access_token)).toMatchObject({ ok: true });
      deployment.advance(1);
      expect(await callApi(deployment, access_token)).toMatchObject({ ok: false });
    });
  });

  describe('an invalid refresh token', () => {
    const registered = {
      gpt: gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words', 'score'] }),
      gptWithStatus400: gptAction({
        id: 'gpt',
        name: 'GPT',
        secrets: [gptSecret],
        scopes: ['words', 'score'],
        refreshFailureStatus: 400,
      }),
      server: staticClient({
        id: 'server',
        name: 'Server',
        secrets: [serverSecret],
        redirectUris: ['https://server.example/cb'],
        offlineAccess: 'always',
        scopes: ['words', 'score'],
      }),
    };

    it.each([
      ['401 and a challenge for ChatGPT, which then starts a new sign-in', 'gpt', gpt, 401],
      ['400 for ChatGPT if refreshFailureStatus is 400', 'gptWithStatus400', gpt, 400],
      ['400 for every other client', 'server', server, 400],
    ] as const)('gets %s', async (_, kind, testClient, status) => {
      const deployment = deploy({ clients: [registered[kind]] });
      for (const invalid of ['x', 'A'.repeat(200), (await obtainTokens(deployment, testClient)).access_token])
        await expectTokenError(await refresh(deployment, testClient, invalid), {
          ...invalidRefreshTokenError,
          status,
        });
    });

    it('is the only error for which ChatGPT gets this 401', async () => {
      const deployment = deploy();
      const { refresh_token } = await obtainTokens(deployment, gpt);
      expect((await redeem(deployment, gpt, 'x')).status).toBe(400);
      expect((await refresh(deployment, gpt, refresh_token, { scope: 'admin' })).status).toBe(400);
      expect((await refresh(deployment, gpt, '')).status).toBe(400);
    });
  });

  describe('a request', () => {
    const expectRefused = async (
      request: Request,
      status: number,
      error: string,
      error_description: string,
    ) => {
      const storage = createSpyStorage();
      const response = await deploy({ storage }).fetch(request);
      await expectTokenError(response, { status, error, error_description });
      expect(storage.calls).toEqual([]);
    };
    const form = gpt.codeRequest('x');

    it.each([
      ['no grant type', { grant_type: '' }, 'invalid_request', 'The parameter grant_type is missing.'],
      [
        'another grant type',
        { grant_type: 'client_credentials' },
        'unsupported_grant_type',
        'This grant type is not supported.',
      ],
      [
        'a password',
        { grant_type: 'password', username: 'ada', password: 'x' },
        'unsupported_grant_type',
        'This grant type is not supported.',
      ],
      ['no code', { code: '' }, 'invalid_request', 'The parameter code is missing.'],
      [
        'no refresh token',
        { grant_type: 'refresh_token' },
        'invalid_request',
        'The parameter refresh_token is missing.',
      ],
    ])('that has %s is refused', async (_, changes, error, description) => {
      await expectRefused(buildRequest(bodyOf({ ...form, ...changes })), 400, error, description);
    });

    it.each([
      ...['grant_type', 'code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'],
      ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
    ])('with %s given twice is refused', async (name) => {
      const body = `${bodyOf({ ...form, [name]: 'a' })}&${name}=a`;
      await expectRefused(buildRequest(body), 400, 'invalid_request', 'A parameter was sent more than once.');
    });

    it('for several resources is refused', async () => {
      const body = `${bodyOf(form)}&resource=${issuer}/api&resource=${issuer}/other`;
      await expectRefused(buildRequest(body), 400, 'invalid_target', 'Request one resource at a time.');
    });

    it('can name its one resource twice, and include unknown parameters', async () => {
      const deployment = deploy();
      const body = bodyOf(gpt.codeRequest(await obtainCode(deployment, gpt)));
      const resource = `&resource=${issuer}/api`;
      const response = await deployment.fetch(
        buildRequest(`${body}${resource}${resource}&x=1&x=2&audience=y`),
      );
      expect(await expectTokens(response)).toHaveProperty('access_token');
    });

    it.each(['application/json', 'multipart/form-data; boundary=x', 'text/plain', ''])(
      'with a body of type "%s" is refused',
      async (type) => {
        const description = 'The Content-Type must be application/x-www-form-urlencoded.';
        await expectRefused(
          buildRequest(bodyOf(form), { 'content-type': type }),
          400,
          'invalid_request',
          description,
        );
      },
    );

    it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('by %s is refused', async (method) => {
      const response = await deploy().fetch(new Request(`${issuer}/token`, { method }));
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    });

    it('can include its character set', async () => {
      const deployment = deploy();
      const body = bodyOf(gpt.codeRequest(await obtainCode(deployment, gpt)));
      const headers = { 'content-type': 'Application/X-WWW-Form-URLencoded ; charset=UTF-8' };
      expect((await deployment.fetch(buildRequest(body, headers))).status).toBe(200);
    });
  });

  describe('when storage is unavailable', () => {
    const testClients: TestClient[] = [gpt, app, server];
    it.each(testClients)(
      'responds with 503, and loses neither code nor refresh token',
      async (testClient) => {
        const memory = memoryStorage();
        let isUnavailable = false;
        const failIfUnavailable = async <Result>(work: () => Promise<Result>): Promise<Result> => {
          if (isUnavailable) throw new StorageUnavailable('out of reach');
          return work();
        };
        const deployment = deploy({
          storage: {
            ...memory,
            redeemCode: (redemption) => failIfUnavailable(() => memory.redeemCode(redemption)),
            refresh: (grantRefresh) => failIfUnavailable(() => memory.refresh(grantRefresh)),
          },
        });
        const code = await obtainCode(deployment, testClient);
        const expectOutage = async (response: Response) => {
          expect(response.status).toBe(503);
          expect(response.headers.get('retry-after')).toBe('10');
          expect(response.headers.get('cache-control')).toBe('no-store');
          expect(await response.json()).toEqual({
            error: 'temporarily_unavailable',
            error_description: 'The service is temporarily unavailable. Try again in a moment.',
          });
        };
        isUnavailable = true;
        await expectOutage(await redeem(deployment, testClient, code));
        isUnavailable = false;
        const { refresh_token } = await expectTokens(await redeem(deployment, testClient, code));
        isUnavailable = true;
        await expectOutage(await refresh(deployment, testClient, refresh_token));
        isUnavailable = false;
        await expectTokens(await refresh(deployment, testClient, refresh_token));
      },
    );
  });

  it('refuses a client assertion that was used before, and loses neither code nor refresh token', async () => {
    const memory = memoryStorage();
    let jti = 'used';
    const addAssertion = <Value extends { readonly clientId: string; readonly now: number }>(
      value: Value,
    ) => ({
      ...value,
      assertion: { clientId: value.clientId, jti, retainUntil: value.now + 60 },
    });
    const deployment = deploy({
      storage: {
        ...memory,
        redeemCode: (redemption) => memory.redeemCode(addAssertion(redemption)),
        refresh: (grantRefresh) => memory.refresh(addAssertion(grantRefresh)),
      },
    });
    await memory.recordAssertion({ clientId: 'app', jti, retainUntil: Number.MAX_SAFE_INTEGER });
    const expectReplay = async (response: Response) => {
      await expectTokenError(response, {
        ...{ status: 401, error: 'invalid_client' },
        error_description: 'The client could not be authenticated.',
      });
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'authentication.assertion-replayed' });
    };
    const code = await obtainCode(deployment, app);
    await expectReplay(await redeem(deployment, app, code));
    jti = 'new-1';
    const { refresh_token } = await expectTokens(await redeem(deployment, app, code));
    await expectReplay(await refresh(deployment, app, refresh_token));
    jti = 'new-2';
    await expectTokens(await refresh(deployment, app, refresh_token));
  });
});

describe('grant_type=authorization_code', () => {
  const otherResource = `${issuer}/other`;
  const otherResourceError = {
    status: 400,
    error: 'invalid_target',
    error_description: 'The code was issued for another resource.',
  };

  const call = ({ broker }: ReturnType<typeof deploy>, token: string, resource: string) =>
    broker.protect(new Request(issuer, { headers: { authorization: `Bearer ${token}` } }), { resource });

  it('returns tokens only for the requested resource', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, app, { resource: otherResource });
    const { access_token } = await expectTokens(
      await redeem(deployment, app, code, { resource: otherResource }),
    );
    expect(await call(deployment, access_token, otherResource)).toMatchObject({ ok: true });
    expect(await call(deployment, access_token, `${issuer}/api`)).toMatchObject({ ok: false });
  });

  it('requires no resource at the token endpoint, and a wrong one does not use up the code', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const code = await obtainCode(deployment, app, { resource: otherResource });
    for (const resource of [`${issuer}/api`, `${otherResource}/`, 'https://evil.example', 'x'])
      await expectTokenError(await redeem(deployment, app, code, { resource }), otherResourceError);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
    const { access_token } = await expectTokens(await redeem(deployment, app, code));
    expect(await call(deployment, access_token, otherResource)).toMatchObject({ ok: true });
  });

  it('refuses a code whose resource was removed in the meantime, without using it up', async () => {
    const storage = memoryStorage();
    const code = await obtainCode(deploy({ storage }), app, { resource: otherResource });
    const deploymentWithoutResource = deploy({ storage, resources: [`${issuer}/api`] });
    await expectTokenError(await redeem(deploymentWithoutResource, app, code), invalidCodeError);
    expect(deploymentWithoutResource.log.at(-1)).toMatchObject({ reason: 'code.resource-removed' });
    expect((await redeem(deploy({ storage }), app, code)).status).toBe(200);
  });

  it('grants no scope that was withdrawn from the client in the meantime', async () => {
    const storage = memoryStorage();
    const registered = { id: 'gpt', name: 'Words GPT', secrets: [gptSecret] };
    const deployWithScopes = (scopes: readonly string[]) =>
      deploy({ storage, clients: [gptAction({ ...registered, scopes })] });
    const code = await obtainCode(deploy({ storage }), gpt);
    expect(await expectTokens(await redeem(deployWithScopes(['words']), gpt, code))).toMatchObject({
      scope: 'words',
    });
    const scoreCode = await obtainCode(deploy({ storage }), gpt, { scope: 'score' });
    const deployment = deployWithScopes(['words']);
    await expectTokenError(await redeem(deployment, gpt, scoreCode), invalidCodeError);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.scopes-removed' });
  });

  it.each([
    ['a public client', app],
    ['a confidential client', server],
  ])('requires no redirect_uri from %s, which sends a verifier', async (_, testClient) => {
    const deployment = deploy();
    const code = await obtainCode(deployment, testClient);
    const clientWithoutRedirect = {
      ...testClient,
      codeRequest: (text: string) => without(testClient.codeRequest(text), 'redirect_uri'),
    };
    expect((await redeem(deployment, clientWithoutRedirect, code)).status).toBe(200);
  });

  it('requires redirect_uri from ChatGPT, which sends no verifier', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    const clientWithoutRedirect = {
      ...gpt,
      codeRequest: (text: string) => without(gpt.codeRequest(text), 'redirect_uri'),
    };
    await expectTokenError(await redeem(deployment, clientWithoutRedirect, code), invalidCodeError);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.redirect' });
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('refuses a code of another deployment with the same keys', async () => {
    const storage = memoryStorage();
    const code = await obtainCode(deploy({ storage }), gpt);
    const otherDeployment = deploy({ storage, issuer: 'https://elsewhere.example' });
    const response = await redeem(otherDeployment, gpt, code);
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'The authorization code is not valid.' },
    ]);
    expect(otherDeployment.log.at(-1)).toMatchObject({ reason: 'code.unreadable', cause: 'forged' });
  });
});

describe('grant_type=refresh_token', () => {
  const newKeys = `test-2.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ ${keys}`;

  const createGptClient = (scopes: readonly string[]) =>
    gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes });
  const createServerClient = (scopes: readonly string[]) =>
    staticClient({
      id: 'server',
      name: 'Server',
      secrets: [serverSecret],
      redirectUris: ['https://server.example/cb'],
      offlineAccess: 'always',
      scopes,
    });
  const clientCases: readonly (readonly [
    string,
    TestClient,
    typeof createGptClient | typeof createServerClient,
    400 | 401,
  ])[] = [
    ['ChatGPT', gpt, createGptClient, 401],
    ['a confidential client', server, createServerClient, 400],
  ];

  describe.each(clientCases)('a refresh token of %s', (_, testClient, createClient, status) => {
    it('loses the scopes that were withdrawn from the client', async () => {
      const storage = memoryStorage();
      const before = deploy({ storage });
      const { refresh_token } = await obtainTokens(before, testClient);
      const after = deploy({ storage, clients: [createClient(['words'])] });
      const tokens = await expectTokens(await refresh(after, testClient, refresh_token));
      expect(tokens.scope).toBe('words');
      expect(await callApi(after, tokens.access_token)).toMatchObject({ scopes: ['words'] });
      // A client that repeats the granted scopes gets the same response.
      const repeated = await refresh(after, testClient, tokens.refresh_token, { scope: 'words score' });
      expect((await expectTokens(repeated)).scope).toBe('words');
      const response = await refresh(after, testClient, tokens.refresh_token, { scope: 'score' });
      expect([response.status, await response.json()]).toEqual([
        400,
        { error: 'invalid_scope', error_description: 'The requested scope exceeds the granted scope.' },
      ]);
    });

    it('is refused if none of its scopes is left, without being used up', async () => {
      const storage = createSpyStorage();
      const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
      const after = deploy({
        storage,
        scopes: { words: 'a', score: 'b', new: 'c' },
        clients: [createClient(['new'])],
      });
      await expectTokenError(await refresh(after, testClient, refresh_token), {
        ...invalidRefreshTokenError,
        status,
      });
      expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.scopes-removed' });
      expect(storage.calls).not.toContain('refresh');
    });

    it('is refused if its resource was removed, without being used up', async () => {
      const storage = createSpyStorage();
      const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
      const after = deploy({ storage, resources: [`${issuer}/other`] });
      await expectTokenError(await refresh(after, testClient, refresh_token), {
        ...invalidRefreshTokenError,
        status,
      });
      expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.resource-removed' });
      expect(storage.calls).not.toContain('refresh');
    });

    it('works after a new key is added, until the key that sealed it is removed', async () => {
      const storage = memoryStorage();
      const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
      const rotatedDeployment = deploy({ storage, sealingKeys: newKeys });
      const tokens = await expectTokens(await refresh(rotatedDeployment, testClient, refresh_token));
      expect(await callApi(rotatedDeployment, tokens.access_token)).toMatchObject({ ok: true });
      const deploymentWithoutOldKey = deploy({ storage, sealingKeys: newKeys.split(' ')[0] ?? '' });
      await expectTokenError(await refresh(deploymentWithoutOldKey, testClient, refresh_token), {
        ...invalidRefreshTokenError,
        status,
      });
      expect(deploymentWithoutOldKey.log.at(-1)).toMatchObject({
        reason: 'refresh.unreadable',
        cause: 'unknown-key',
      });
    });

    it('is refused once its client is no longer registered', async () => {
      const storage = createSpyStorage();
      const { refresh_token } = await obtainTokens(deploy({ storage }), testClient);
      const after = deploy({ storage, clients: [clients[1]] });
      expect((await refresh(after, testClient, refresh_token)).status).toBe(401);
      expect(after.log.at(-1)).toMatchObject({ reason: 'authentication.unknown-client' });
      expect(storage.calls).not.toContain('refresh');
    });
  });

  it('returns a stable token unchanged, and a new rotating one', async () => {
    const deployment = deploy();
    const [stable, rotating] = [await obtainTokens(deployment, gpt), await obtainTokens(deployment, app)];
    const stableAgain = await expectTokens(await refresh(deployment, gpt, stable.refresh_token));
    const next = await expectTokens(await refresh(deployment, app, rotating.refresh_token));
    expect(stableAgain.refresh_token).toBe(stable.refresh_token);
    expect(next.refresh_token).not.toBe(rotating.refresh_token);
  });

  it('keeps a grant’s policy if the client’s registration changes', async () => {
    const storage = memoryStorage();
    const { refresh_token } = await obtainTokens(deploy({ storage }), server);
    const onRequest = staticClient({
      id: 'server',
      name: 'Server',
      secrets: [serverSecret],
      redirectUris: ['https://server.example/cb'],
      scopes: ['words', 'score'],
    });
    const after = deploy({ storage, clients: [onRequest] });
    const next = await expectTokens(await refresh(after, server, refresh_token));
    expect(next.refresh_token).not.toBe(refresh_token);
    expect((await refresh(after, server, next.refresh_token)).status).toBe(200);
  });
});

describe('issued tokens', () => {
  const resource = `${issuer}/api`;
  const now = 1_800_000_000;
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const sealers = createSealers(parseKeyRing(keys), issuer, [resource, `${issuer}/other`], randomBytes);

  const buildGrantState = (changes: Partial<GrantState> = {}): GrantState => ({
    userId: 'user-1',
    provider: 'google',
    redirectUri: gptRedirect,
    scopes: ['words', 'score'],
    resource,
    claims: { plan: 'free' },
    refreshPolicy: 'rotating',
    generation: 7,
    refreshIdleExpiresAt: now + 100,
    refreshAbsoluteExpiresAt: now + 1000,
    ...changes,
  });

  const buildTokenGrant = (changes: Partial<GrantState> = {}): TokenGrant => ({
    grantId: 'grant-1',
    clientId: 'gpt',
    grant: buildGrantState(changes),
    scopes: ['words'],
    now,
    accessExpiresAt: now + 1800,
    requiresAssertion: false,
  });

  describe('issueTokens', () => {
    it('returns the fields of RFC 6749 §5.1, in ChatGPT’s spelling', async () => {
      const tokens = await issueTokens(sealers, {}, { ...buildTokenGrant(), refreshToken: 'refresh-1' });
      expect(Object.entries(tokens).slice(1)).toEqual([
        ['token_type', 'bearer'],
        ['expires_in', 1800],
        ['refresh_token', 'refresh-1'],
        ['scope', 'words'],
      ]);
      expect(await issueTokens(sealers, {}, buildTokenGrant({ refreshPolicy: 'none' }))).not.toHaveProperty(
        'refresh_token',
      );
    });

    it('seals user and scopes for the grant’s resource only', async () => {
      const { access_token } = await issueTokens(sealers, {}, buildTokenGrant());
      expect(await sealers.access.get(resource)?.open(access_token)).toEqual({
        kind: 'opened',
        value: {
          userId: 'user-1',
          grantId: 'grant-1',
          clientId: 'gpt',
          scopes: ['words'],
          claims: { plan: 'free' },
          issuedAt: now,
          expiresAt: now + 1800,
          isChatGptMcpClient: false,
        },
      });
      expect(await sealers.access.get(`${issuer}/other`)?.open(access_token)).toMatchObject({
        kind: 'failed',
      });
    });

    it('seals that the client is ChatGPT as an MCP client', async () => {
      const redirectUri = 'https://chatgpt.com/connector/oauth/abc';
      const client = { isChatGptMcpClient: (uri: string) => uri === redirectUri };
      for (const sentTo of [redirectUri, 'https://app.example/callback']) {
        const grant = buildTokenGrant({ redirectUri: sentTo });
        const { access_token } = await issueTokens(sealers, client, grant);
        expect(await sealers.access.get(resource)?.open(access_token)).toMatchObject({
          value: { isChatGptMcpClient: sentTo === redirectUri },
        });
      }
    });

    it('fails for a resource that is not configured', async () => {
      await expect(
        issueTokens(sealers, {}, buildTokenGrant({ resource: 'https://gone.example' })),
      ).rejects.toThrow('the resource of this grant is not configured');
    });
  });

  describe('sealRefreshToken', () => {
    it.each<[RefreshPolicy, number]>([
      ['stable', now + 1000],
      ['rotating', now + 100],
    ])(
      'seals all scopes of the grant for the policy %s, even if the access token has fewer',
      async (refreshPolicy, expiresAt) => {
        const sealed = await sealRefreshToken(sealers, buildTokenGrant({ refreshPolicy }));
        expect(await sealers.refresh.open(sealed ?? '')).toEqual({
          kind: 'opened',
          value: {
            grantId: 'grant-1',
            clientId: 'gpt',
            scopes: ['words', 'score'],
            resource,
            provider: 'google',
            generation: 7,
            expiresAt,
            requiresAssertion: false,
          },
        });
      },
    );

    it('seals nothing for the policy none', async () => {
      expect(await sealRefreshToken(sealers, buildTokenGrant({ refreshPolicy: 'none' }))).toBeUndefined();
    });
  });
});
