/** Access token checks of an API, in the broker's process and in another one. */
import { describe, expect, it, vi } from 'vitest';
import { isChatGptMcpClient } from '../src/clients/chatgpt.ts';
import type { Client } from '../src/clients/client.ts';
import {
  type AuthorizedCall,
  corsHeaders,
  deriveResourceKeys,
  type LogEntry,
  memoryLimiter,
  type ProtectOptions,
  type RateLimiter,
  StorageUnavailable,
  staticClient,
} from '../src/index.ts';
import { createResourceServer, type ResourceServerOptions } from '../src/resource-server.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { expectTokens, gptSignIn } from './browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, type TestClient } from './clients.ts';
import { type Deployment, deploy, issuer, keys, metadataParameter } from './deployment.ts';
import { createSpyStorage } from './spy-storage.ts';

describe('protect', () => {
  type Headers = Readonly<Record<string, string>>;

  const call = (
    { broker }: ReturnType<typeof deploy>,
    headers: Headers = {},
    requirement: ProtectOptions = {},
    url = `${issuer}/api/scoring`,
  ) => broker.protect(new Request(url, { headers }), requirement);

  /** Expects a refusal with a problem document. */
  const expectRefused = async (
    pendingProtection: ReturnType<typeof call>,
    status: number,
    [title, detail]: readonly [string, string],
    challenge?: string,
  ) => {
    const protection = await pendingProtection;
    if (protection.ok) throw new Error('the API granted access');
    const { response } = protection;
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
      ...(status === 503 ? { 'retry-after': '10' } : {}),
    });
    expect(await response.json()).toEqual({ type: 'about:blank', title, status, detail });
  };

  const signIn = ['Unauthorized', 'Sign in to use this API.'] as const;
  const invalid = ['Unauthorized', 'The access token is not valid.'] as const;
  const signInChallenge = `Bearer realm="${issuer}", ${metadataParameter}`;
  const invalidTokenChallenge = `Bearer realm="${issuer}", error="invalid_token", error_description="The access token is not valid.", ${metadataParameter}`;

  it('returns user and scopes for a token, and nothing else', async () => {
    const deployment = deploy({
      resolveUser: async () => ({ kind: 'accepted', userId: 'u1', claims: { plan: 'free' } }),
    });
    const { access_token } = await obtainTokens(deployment, gpt);
    const protection = await call(deployment, { authorization: `Bearer ${access_token}` });
    const expected: AuthorizedCall = {
      ok: true,
      user: { id: 'u1' },
      client: { id: 'gpt', isChatGptMcpClient: false },
      grant: { id: expect.stringMatching(/^[\w-]{22}$/) },
      scopes: ['words', 'score'],
      claims: { plan: 'free' },
      expiresAt: deployment.now() + 1800,
    };
    expect(protection).toEqual(expected);
  });

  // A JavaScript caller could misspell `scopes`, or use `protect` as a guard, which gets the scopes themselves.
  it.each([[{ scope: ['score'] }], [['score']], [{ scopes: 'score' }], [{ scopes: null }]])(
    'authorizes no call with the options %j',
    async (options: object) => {
      const deployment = deploy();
      const { access_token } = await obtainTokens(deployment, gpt);
      const headers = { authorization: `Bearer ${access_token}` };
      expect(await call(deployment, headers, options)).toMatchObject({
        ok: false,
        response: { status: 500 },
      });
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'protect', reason: 'unexpected' });
    },
  );

  it('accepts the scheme in any case', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    for (const scheme of ['bearer', 'BEARER', 'Bearer '])
      expect(await call(deployment, { authorization: `${scheme} ${access_token}` })).toHaveProperty(
        'ok',
        true,
      );
  });

  it('responds to a call without a token with a challenge without an error', async () => {
    const deployment = deploy();
    await expectRefused(call(deployment), 401, signIn, signInChallenge);
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'protect',
      requestId: expect.stringMatching(/^[\w-]{22}$/),
      reason: 'token.missing',
    });
  });

  it('lists the required scopes in the challenge', async () => {
    const challenge = `Bearer realm="${issuer}", scope="words score", ${metadataParameter}`;
    await expectRefused(call(deploy(), {}, { scopes: ['words', 'score'] }), 401, signIn, challenge);
  });

  it.each([
    ['the default', undefined, '/mcp'],
    ['a path', `${issuer}/other`, '/other'],
    ['the issuer', issuer, ''],
    ['an equivalent form', 'HTTPS://Words.example:443/', ''],
  ])('names the metadata of the called resource in the challenge: %s', async (_, resource, path) => {
    const deployment = deploy({ resources: [`${issuer}/mcp`, `${issuer}/other`, issuer] });
    const metadataUrl = `https://words.example/.well-known/oauth-protected-resource${path}`;
    const requirement = resource === undefined ? {} : { resource };
    const pendingProtection = call(deployment, {}, requirement);
    const challenge = `Bearer realm="${issuer}", resource_metadata="${metadataUrl}"`;
    await expectRefused(pendingProtection, 401, signIn, challenge);
    expect((await deployment.fetch(new Request(metadataUrl))).status).toBe(200);
  });

  it.each(['https://api.example/mcp', 'https://words.example:8443', `${issuer}/mcp?tenant=a`])(
    'names no metadata of a resource that has none: %s',
    async (resource) => {
      const deployment = deploy({ resources: [issuer, resource] });
      await expectRefused(call(deployment, {}, { resource }), 401, signIn, `Bearer realm="${issuer}"`);
      const code = await obtainCode(deployment, app, { resource });
      const { access_token } = await expectTokens(await redeem(deployment, app, code));
      const detail = 'The access token does not have the required scope.';
      await expectRefused(
        call(deployment, { authorization: `Bearer ${access_token}` }, { resource, scopes: ['admin'] }),
        403,
        ['Forbidden', detail],
        `Bearer realm="${issuer}", error="insufficient_scope", error_description="${detail}", scope="admin"`,
      );
    },
  );

  it('lists challengeScopes in the challenge of a 401, and the required scopes in that of a 403', async () => {
    const deployment = deploy();
    const requirement = { scopes: ['score'], challengeScopes: ['words', 'score'] };
    await expectRefused(
      call(deployment, {}, requirement),
      401,
      signIn,
      `Bearer realm="${issuer}", scope="words score", ${metadataParameter}`,
    );
    await expectRefused(
      call(deployment, { authorization: 'Bearer x' }, requirement),
      401,
      invalid,
      `Bearer realm="${issuer}", error="invalid_token", error_description="${invalid[1]}", scope="words score", ${metadataParameter}`,
    );
    const narrowClient = { ...gpt, request: { ...gpt.request, scope: 'words' } };
    const { access_token } = await obtainTokens(deployment, narrowClient);
    const headers = { authorization: `Bearer ${access_token}` };
    const detail = 'The access token does not have the required scope.';
    await expectRefused(
      call(deployment, headers, requirement),
      403,
      ['Forbidden', detail],
      `Bearer realm="${issuer}", error="insufficient_scope", error_description="${detail}", scope="score", ${metadataParameter}`,
    );
    expect(await call(deployment, headers, { ...requirement, scopes: ['words'] })).toHaveProperty('ok', true);
    expect(await call(deployment, headers, { ...requirement, scopes: [] })).toHaveProperty('ok', true);
  });

  it('lists no scopes in the challenge of a 401 if challengeScopes is empty', async () => {
    const requirement = { scopes: ['score'], challengeScopes: [] };
    await expectRefused(call(deploy(), {}, requirement), 401, signIn, signInChallenge);
  });

  // A JavaScript caller could pass these.
  it.each<[object]>([[{ challengeScopes: 'score' }], [{ challengeScopes: null }], [{ scopes: 'score' }]])(
    'lists no scopes in the challenge of a 401 for the options %j',
    async (options) => {
      await expectRefused(call(deploy(), {}, options), 401, signIn, signInChallenge);
    },
  );

  it.each([[null], [7], [Symbol('resource')], [{}]])(
    'responds with 500 for a resource that is not a string: %s',
    async (resource) => {
      const { broker, log } = deploy();
      const request = new Request(`${issuer}/api/scoring`);
      const protection = await Reflect.apply(broker.protect, undefined, [request, { resource }]);
      expect(protection).toMatchObject({ ok: false, response: { status: 500 } });
      expect(log.at(-1)).toMatchObject({ endpoint: 'protect', reason: 'unexpected' });
    },
  );

  it('refuses a token that does not open, and logs the reason', async () => {
    const deployment = deploy();
    await expectRefused(call(deployment, { authorization: 'Bearer x' }), 401, invalid, invalidTokenChallenge);
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'protect',
      requestId: expect.stringMatching(/^[\w-]{22}$/),
      reason: 'token.unreadable',
      cause: 'malformed',
    });
  });

  it('responds with 403 and the required scopes if the token lacks one', async () => {
    const deployment = deploy();
    const narrowClient = { ...gpt, request: { ...gpt.request, scope: 'words' } };
    const { access_token } = await obtainTokens(deployment, narrowClient);
    const headers = { authorization: `Bearer ${access_token}` };
    expect(await call(deployment, headers, { scopes: ['words'] })).toHaveProperty('ok', true);
    const detail = 'The access token does not have the required scope.';
    await expectRefused(
      call(deployment, headers, { scopes: ['words', 'score'] }),
      403,
      ['Forbidden', detail],
      `Bearer realm="${issuer}", error="insufficient_scope", error_description="${detail}", scope="words score", ${metadataParameter}`,
    );
  });

  it('ignores a token in the query or the body', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const queryCall = call(deployment, {}, {}, `${issuer}/api/scoring?access_token=${access_token}`);
    await expectRefused(queryCall, 401, signIn, signInChallenge);
    const body = new URLSearchParams({ access_token });
    const bodyCall = deployment.broker.protect(new Request(`${issuer}/api`, { method: 'POST', body }));
    await expectRefused(bodyCall, 401, signIn, signInChallenge);
  });

  it('refuses a call for another host before it opens the token', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { access_token } = await obtainTokens(deployment, gpt);
    const before = storage.calls.length;
    const headers = { authorization: `Bearer ${access_token}` };
    for (const origin of ['https://evil.example', 'http://words.example', 'https://words.example.evil']) {
      await expectRefused(call(deployment, headers, {}, `${origin}/api?q=private`), 421, [
        'Misdirected Request',
        'This server does not serve the requested host.',
      ]);
      expect(deployment.log.at(-1)).toEqual({
        event: 'refused',
        endpoint: 'protect',
        requestId: expect.stringMatching(/^[\w-]{22}$/),
        reason: 'request.host',
        cause: `the origin is ${origin}`,
      });
    }
    expect(storage.calls).toHaveLength(before);
  });

  it('responds with 503 while no revocations are known', async () => {
    const memory = memoryStorage();
    const readRevocations = () => Promise.reject(new StorageUnavailable('out of reach'));
    const deployment = deploy({ storage: { ...memory, readRevocations } });
    const { access_token } = await obtainTokens(deployment, gpt);
    await expectRefused(call(deployment, { authorization: `Bearer ${access_token}` }), 503, [
      'Service Unavailable',
      'The service is temporarily unavailable. Try again in a moment.',
    ]);
  });

  it('responds with 500 for a resource that is not configured, with the reason in the log only', async () => {
    const deployment = deploy();
    const pendingProtection = call(
      deployment,
      { authorization: 'Bearer x' },
      { resource: 'https://typo.example' },
    );
    await expectRefused(pendingProtection, 500, [
      'Internal Server Error',
      'Something went wrong on our side.',
    ]);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'unexpected',
      cause: 'Error: protect was called for a resource that is not configured: https://typo.example',
    });
  });
});

describe('the client of a call', () => {
  const chatGptId = 'https://chatgpt.com/oauth/client.json';
  const chatGptRedirect = 'https://chatgpt.com/connector_platform_oauth_redirect';

  it.each([
    ['ChatGPT', chatGptId, chatGptRedirect, true],
    ['Codex', 'https://chatgpt.com/oauth/codex/client.json', 'http://127.0.0.1/callback', false],
    ['a client with ChatGPT’s ID and another redirect URI', chatGptId, 'http://127.0.0.1/callback', false],
    ['a client with ChatGPT’s redirect URI and another ID', 'chatgpt', chatGptRedirect, false],
  ])(
    'is recognized in the broker and in another process, also after a refresh: %s',
    async (name, clientId, redirectUri, isChatGpt) => {
      const registered = staticClient({ id: 'x', name, redirectUris: [redirectUri], scopes: ['words'] });
      // As `mcp-clients/metadata-document.ts` creates it.
      const recognizes = (sentTo: string) => isChatGptMcpClient(clientId, sentTo);
      const client: Client = { ...registered, id: clientId, isChatGptMcpClient: recognizes };
      const deployment = deploy({ clients: [client] });
      const identity = { client_id: clientId, redirect_uri: redirectUri };
      const testClient: TestClient = {
        request: { ...app.request, ...identity, scope: 'words offline_access' },
        codeRequest: (code) => ({ ...app.codeRequest(code), ...identity }),
        refreshRequest: (token) => ({ ...app.refreshRequest(token), client_id: clientId }),
      };
      const resource = `${issuer}/api`;
      const resourceServer = createResourceServer({
        ...{ issuer, resource, now: deployment.now, log: () => {} },
        keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource }),
      });
      const tokens = await obtainTokens(deployment, testClient);
      const refreshed = await expectTokens(await refresh(deployment, testClient, tokens.refresh_token));
      for (const { access_token } of [tokens, refreshed]) {
        const headers = { authorization: `Bearer ${access_token}`, 'user-agent': 'ChatGPT-User/1.0' };
        for (const guard of [deployment.broker, resourceServer])
          expect(await guard.protect(new Request(resource, { headers }))).toMatchObject({
            ok: true,
            client: { id: clientId, isChatGptMcpClient: isChatGpt },
          });
      }
    },
  );
});

describe('protect with a rate limit', () => {
  const call = (
    deployment: Deployment,
    token: string,
    limiter: RateLimiter,
    scopes: readonly string[] = [],
  ) =>
    deployment.broker.protect(
      new Request(`${issuer}/api/scoring`, { headers: { authorization: `Bearer ${token}` } }),
      { limiter, scopes },
    );

  it('responds to calls beyond the limit with 429, a problem document and Retry-After', async () => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const limiter = memoryLimiter({ limit: 2, period: 60 }, deployment.now);
    for (let attempt = 0; attempt < 2; attempt++)
      expect((await call(deployment, access_token, limiter)).ok).toBe(true);
    const protection = await call(deployment, access_token, limiter);
    if (protection.ok) throw new Error('the third call was granted');
    expect(protection.response.status).toBe(429);
    expect(Object.fromEntries(protection.response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'retry-after': '60',
      'x-content-type-options': 'nosniff',
    });
    expect(await protection.response.json()).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many calls for this user. Try again in a minute.',
    });
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'protect',
      requestId: expect.any(String),
      reason: 'calls.limited',
    });
    deployment.advance(30);
    expect((await call(deployment, access_token, limiter)).ok).toBe(true);
  });

  it('counts by user, for any token and address', async () => {
    const deployment = deploy();
    const limiter = memoryLimiter({ limit: 2, period: 60 }, deployment.now);
    const [first, second, bobsTokens] = [
      await gptSignIn(deployment, 'ada'),
      await gptSignIn(deployment, 'ada'),
      await gptSignIn(deployment, 'bob'),
    ];
    await call(deployment, first.access_token, limiter);
    await call(deployment, second.access_token, limiter);
    expect((await call(deployment, first.access_token, limiter)).ok).toBe(false);
    expect((await call(deployment, second.access_token, limiter)).ok).toBe(false);
    expect((await call(deployment, bobsTokens.access_token, limiter)).ok).toBe(true);
  });

  it('does not count calls that are refused for another reason', async () => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const keys: string[] = [];
    const limiter: RateLimiter = { take: async (key) => (keys.push(key) > 0 ? 'allowed' : 'limited') };
    expect((await call(deployment, 'x', limiter)).ok).toBe(false);
    expect((await call(deployment, access_token, limiter, ['unknown'])).ok).toBe(false);
    expect(keys).toEqual([]);
    expect((await call(deployment, access_token, limiter, ['score'])).ok).toBe(true);
    expect(keys).toHaveLength(1);
  });

  it('still allows calls if the limiter fails, and logs it', async () => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const limiter: RateLimiter = { take: () => Promise.reject(new Error('the counter is gone')) };
    expect((await call(deployment, access_token, limiter)).ok).toBe(true);
    expect(deployment.log.at(-1)).toEqual({ event: 'limiter-failed', cause: 'Error: the counter is gone' });
  });
});

describe('an API in another process', () => {
  const resource = 'https://api.example/v1';
  const otherResource = 'https://other.example';

  /** A broker that issues tokens for an API in another process, and that API, with a shared clock. */
  const deployResourceServer = async (
    storage = memoryStorage(),
    changes: Partial<ResourceServerOptions> = {},
  ) => {
    const deployment = deploy({ storage, resources: [resource, otherResource] });
    const log: LogEntry[] = [];
    const server = createResourceServer({
      issuer,
      resource,
      keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource }),
      log: (entry) => void log.push(entry),
      now: deployment.now,
      ...changes,
    });
    const call = (token: string | undefined, requirement = {}, url = `${resource}/score`) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return server.protect(new Request(url, { headers }), requirement);
    };
    return { deployment, log, call };
  };

  const tokenFor = async (deployment: Deployment): Promise<string> =>
    (await obtainTokens(deployment, gpt)).access_token;

  const buildRefusal = (status: number) => ({
    ok: false,
    response: expect.objectContaining({ status }),
  });

  it('grants the same access as the broker does, from the token alone', async () => {
    const { deployment, call } = await deployResourceServer();
    const token = await tokenFor(deployment);
    const fromResourceServer = await call(token, { scopes: ['score'] });
    const fromBroker = await deployment.broker.protect(
      new Request(`${issuer}/`, { headers: { authorization: `Bearer ${token}` } }),
    );
    expect(fromResourceServer).toMatchObject({
      ok: true,
      client: { id: 'gpt' },
      scopes: ['words', 'score'],
    });
    expect(fromResourceServer).toEqual(fromBroker);
  });

  it('responds to a call without a token with a challenge that names the issuer', async () => {
    const { call, log } = await deployResourceServer();
    const protection = await call(undefined, { scopes: ['score'] });
    if (protection.ok) throw new Error('the API granted access');
    expect(protection.response.status).toBe(401);
    expect(protection.response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${issuer}", scope="score"`,
    );
    expect(log).toMatchObject([{ event: 'refused', endpoint: 'protect', reason: 'token.missing' }]);
  });

  it('is protected even if its log can’t be written', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { call } = await deployResourceServer(memoryStorage(), {
      log: () => {
        throw new Error('the disk is full');
      },
    });
    const protection = await call('x');
    const logged = lines.mock.calls.map(([line]) => JSON.parse(line));
    lines.mockRestore();
    expect(protection).toEqual(buildRefusal(401));
    expect(logged).toEqual([{ event: 'log-failed', cause: 'Error: the disk is full', count: 1 }]);
  });

  it('refuses a token for another resource', async () => {
    const { deployment, call } = await deployResourceServer();
    const code = await obtainCode(deployment, app, { resource: otherResource });
    const { access_token: token } = await expectTokens(await redeem(deployment, app, code));
    expect(await call(token)).toEqual(buildRefusal(401));
  });

  it('refuses a token without the scope, an altered one and one that has expired', async () => {
    const { deployment, call, log } = await deployResourceServer();
    const token = await tokenFor(deployment);
    expect(await call(token, { scopes: ['admin'] })).toEqual(buildRefusal(403));
    expect(await call(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toEqual(buildRefusal(401));
    deployment.advance(1800);
    expect(await call(token)).toEqual(buildRefusal(401));
    expect(log.map(({ reason }) => reason)).toEqual(['token.scope', 'token.unreadable', 'token.expired']);
  });

  it('can’t open any other sealed type', async () => {
    const { deployment, call } = await deployResourceServer();
    const { refresh_token: refresh } = await obtainTokens(deployment, gpt);
    expect(await call(refresh)).toEqual(buildRefusal(401));
    expect(await call(await obtainCode(deployment, gpt))).toEqual(buildRefusal(401));
  });

  it('responds at another spelling of its origin, which a Worker gets from the client', async () => {
    const { deployment } = await deployResourceServer();
    const token = await tokenFor(deployment);
    for (const url of ['https://WORDS.example/x', 'https://words.example:443/x']) {
      const request = new Request(url, { headers: { authorization: `Bearer ${token}` } });
      Object.defineProperty(request, 'url', { value: url });
      expect(await deployment.broker.protect(request, { resource })).toMatchObject({ ok: true });
    }
  });

  it('responds at its own origin only', async () => {
    const { deployment, call } = await deployResourceServer();
    const token = await tokenFor(deployment);
    expect(await call(token, {}, 'https://api.example.evil/v1')).toEqual(buildRefusal(421));
    expect(await call(token, {}, `${issuer}/v1`)).toEqual(buildRefusal(421));
  });

  it('accepts a revoked token until it expires if it has no revocation source', async () => {
    const storage = memoryStorage();
    const { deployment, call } = await deployResourceServer(storage);
    const token = await tokenFor(deployment);
    await storage.revoke({ kind: 'client', id: 'gpt' }, 'test', deployment.now());
    deployment.advance(1799);
    expect(await call(token)).toMatchObject({ ok: true });
    deployment.advance(1);
    expect(await call(token)).toEqual(buildRefusal(401));
  });

  it('refuses a revoked token within ten seconds if it has a revocation source', async () => {
    const shared = memoryStorage();
    const { deployment, call } = await deployResourceServer(shared, { revocations: shared });
    const token = await tokenFor(deployment);
    expect(await call(token)).toMatchObject({ ok: true });
    await shared.revoke({ kind: 'client', id: 'gpt' }, 'test', deployment.now());
    deployment.advance(10);
    expect(await call(token)).toEqual(buildRefusal(401));
  });

  it('refuses every call while its revocation source is unavailable', async () => {
    const { deployment, call } = await deployResourceServer(memoryStorage(), {
      revocations: {
        readRevocations: () => Promise.reject(new StorageUnavailable('no route')),
        isRevoked: () => Promise.reject(new StorageUnavailable('no route')),
      },
    });
    expect(await call(await tokenFor(deployment))).toEqual(buildRefusal(503));
  });

  it('accepts tokens that were sealed with any key of the ring that its keys come from', async () => {
    const ring = `${'new-1.Y_EWFDw4Pt7muInnvySzcV8LKWyYjQ_TqZFlDL80OFM'} ${keys}`;
    const { deployment, call } = await deployResourceServer(memoryStorage(), {
      keys: await deriveResourceKeys({ sealingKeys: ring, issuer, resource }),
    });
    expect(await call(await tokenFor(deployment))).toMatchObject({ ok: true });
  });

  describe('an invalid option', () => {
    it.each([
      ['issuer', { issuer: 'words.example' }],
      ['resource', { resource: 'api.example' }],
      ['resource', { resource: 'http://api.example' }],
      ['resource', { resource: `${resource}#a` }],
      ['keys', { keys: '' }],
      ['keys', { keys }],
    ])('is named in the error at startup of an API: %s', async (option, changes) => {
      await expect(deployResourceServer(memoryStorage(), changes)).rejects.toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option }),
      );
    });

    it.each([
      ['sealingKeys', { sealingKeys: '' }],
      ['issuer', { issuer: '' }],
      ['resource', { resource: '/api' }],
    ])('is named in the error when keys are derived: %s', async (option, changes) => {
      await expect(deriveResourceKeys({ sealingKeys: keys, issuer, resource, ...changes })).rejects.toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option }),
      );
    });
  });
});
