/** Attacks on the scope and resource parameters. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  deriveResourceKeys,
  gptAction,
  introspectionClient,
  staticClient,
} from '../../src/index.ts';
import { createResourceServer } from '../../src/resource-server.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, createTestBrowser, expectTokens, type TokenBody } from '../browser.ts';
import { app, gpt, obtainCode, redeem, refresh, server, type TestClient } from '../clients.ts';
import { clients, type Deployment, deploy, gptSecret, issuer, keys, serverSecret } from '../deployment.ts';
import { expectErrorRedirect, expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { clientCredentials, postForm } from '../token-requests.ts';

describe('scopes', () => {
  const testClients: readonly (readonly [string, TestClient])[] = [
    ['ChatGPT', gpt],
    ['a public client', app],
    ['a confidential client', server],
  ];

  /** Every scope exists, but `admin` is for another client. */
  const scopes = { words: 'read the word lists', score: 'see your score', admin: 'do everything' };
  const administrator = staticClient({
    id: 'administrator',
    name: 'Administrator',
    redirectUris: ['https://admin.example/cb'],
    scopes: ['admin'],
  });

  const options = { id: 'app', name: 'App', redirectUris: ['https://app.example/cb'] };

  const deployWithScopes = (changes: Partial<BrokerOptions> = {}): Deployment =>
    deploy({ scopes, clients: [...clients, administrator], ...changes });

  const readSupportedScopes = async ({ fetch }: Deployment): Promise<readonly string[]> => {
    const response = await fetch(new Request(`${issuer}/.well-known/oauth-authorization-server`));
    const { scopes_supported }: { scopes_supported: readonly string[] } = await response.json();
    return scopes_supported;
  };

  /**
   * Signs in with a requested scope, and refreshes if `refreshScope` is passed. Returns the scope of the last
   * token response.
   */
  const obtainScope = async (
    deployment: Deployment,
    testClient: TestClient,
    scope: string,
    refreshScope?: string,
  ) => {
    const first = await expectTokens(
      await redeem(deployment, testClient, await obtainCode(deployment, testClient, { scope })),
    );
    if (refreshScope === undefined) return first.scope;
    const next = await expectTokens(
      await refresh(deployment, testClient, first.refresh_token, { scope: refreshScope }),
    );
    expect(await callApi(deployment, next.access_token)).toMatchObject({
      ok: true,
      scopes: next.scope.split(' '),
    });
    return next.scope;
  };

  describe.each(testClients)('%s', (_, testClient) => {
    it.each([
      ['score offline_access', 'score offline_access'],
      ['score,offline_access,score', 'score offline_access'],
      ['openid profile email score offline_access', 'score offline_access'],
      ['offline_access score', 'offline_access score'],
    ])('gets tokens if it requests %s, at a refresh as well', async (scope, expected) => {
      expect(await obtainScope(deployWithScopes(), testClient, scope, scope)).toBe(expected);
    });

    it('gets tokens if it requests all of scopes_supported, at a refresh as well', async () => {
      const deployment = deployWithScopes();
      const all = (await readSupportedScopes(deployment)).join(' ');
      expect(all).toBe('offline_access words score admin');
      expect(await obtainScope(deployment, testClient, all, all)).toBe('offline_access words score');
    });

    it.each([
      'offline_access',
      'openid offline_access',
      ' offline_access ,',
      'openid,profile,email,offline_access',
    ])('gets its default scopes and offline_access if it requests only %j', async (scope) => {
      const expected = testClient === app ? 'words offline_access' : 'words score offline_access';
      expect(await obtainScope(deployWithScopes(), testClient, scope, scope)).toBe(expected);
    });

    it('gets its default scopes if it requests only openid, and no ID token', async () => {
      const deployment = deployWithScopes();
      const code = await obtainCode(deployment, testClient, { scope: 'openid profile' });
      const tokens = await expectTokens(await redeem(deployment, testClient, code));
      expect(tokens.scope).toBe(testClient === app ? 'words' : 'words score');
      expect(tokens).not.toHaveProperty('id_token');
    });
  });

  it('shows and introspects the granted scopes, and none that were dropped', async () => {
    const deployment = deployWithScopes();
    const scope = 'openid score admin offline_access';
    const { response } = await createTestBrowser(deployment).openSignInPage({ ...app.request, scope });
    const page = await response.text();
    expect(page).toContain('see your score');
    expect(page).toContain('stay connected without asking you again');
    for (const dropped of ['do everything', 'openid', 'read the word lists'])
      expect(page).not.toContain(dropped);
    const code = await obtainCode(deployment, server, { scope });
    const { access_token, refresh_token } = await expectTokens(await redeem(deployment, server, code));
    for (const token of [access_token, refresh_token])
      expect(
        await (await postForm(deployment, '/introspect', { ...clientCredentials.server, token })).json(),
      ).toMatchObject({
        active: true,
        scope: 'score offline_access',
      });
  });

  const invalidScope = {
    error: 'invalid_scope',
    description: 'The requested scope is unknown or not available to this client.',
  };
  const exceedingScopeError = {
    status: 400,
    error: 'invalid_scope',
    error_description: 'The requested scope exceeds the granted scope.',
  };

  const expectNoPage = async (testClient: TestClient, scope: string, reason: string) => {
    const storage = createSpyStorage();
    const deployment = deployWithScopes({ storage });
    const { response } = await createTestBrowser(deployment).openSignInPage({ ...testClient.request, scope });
    const { redirect_uri: to = '', state } = testClient.request;
    const malformed = { ...invalidScope, description: 'The parameter scope is malformed.' };
    expectErrorRedirect(response, {
      to,
      ...(state !== undefined && { state }),
      ...(reason === 'scope.malformed' ? malformed : invalidScope),
    });
    expect(deployment.log.at(-1)).toMatchObject({ reason });
    expect(storage.calls).toEqual([]);
  };

  it.each([
    'nothing',
    'words nothing',
    'words Score',
    'OpenID',
    'words Offline_Access',
    'words offline_accessx',
  ])('L11.1 unknown: refuses %s, and drops unknown scopes only for ChatGPT', async (scope) => {
    await expectNoPage(app, scope, 'scope.unknown');
    await expectNoPage(server, scope, 'scope.unknown');
    const deployment = deployWithScopes();
    if (scope.includes('words')) expect(await obtainScope(deployment, gpt, scope, scope)).toBe('words');
    else await expectNoPage(gpt, scope, 'scope.unavailable');
  });

  it.each([
    ['words admin', 'words'],
    ['admin,score', 'score'],
    ['admin offline_access words', 'offline_access words'],
  ])('L11.2 another client’s: drops it from %s', async (scope, expected) => {
    for (const [, testClient] of testClients)
      expect(await obtainScope(deployWithScopes(), testClient, scope)).toBe(expected);
  });

  it.each(testClients)(
    'L11.2 another client’s: lets %s repeat its request at a refresh',
    async (_, testClient) => {
      const scope = 'words admin offline_access';
      expect(await obtainScope(deployWithScopes(), testClient, scope, scope)).toBe('words offline_access');
    },
  );

  it.each(['admin', 'admin offline_access', 'openid admin', 'admin,admin'])(
    'L11.3 nothing left: refuses %s rather than grant the default scopes',
    async (scope) => {
      for (const [, testClient] of testClients) await expectNoPage(testClient, scope, 'scope.unavailable');
    },
  );

  it.each(testClients)(
    'L11.4 no scope of the API: no refresh by %s returns such a token',
    async (_, testClient) => {
      const storage = createSpyStorage();
      const deployment = deployWithScopes({ storage });
      const code = await obtainCode(deployment, testClient, { scope: 'words offline_access' });
      const { refresh_token } = await expectTokens(await redeem(deployment, testClient, code));
      const before = storage.calls.length;
      for (const scope of ['admin', 'admin offline_access', 'openid admin'])
        await expectTokenError(
          await refresh(deployment, testClient, refresh_token, { scope }),
          exceedingScopeError,
        );
      expect(storage.calls).toHaveLength(before);
      for (const scope of ['offline_access', 'openid'])
        expect(
          (await expectTokens(await refresh(deployment, testClient, refresh_token, { scope }))).scope,
        ).toBe('words offline_access');
    },
  );

  it.each(testClients)(
    'L11.4 no scope of the API: %s gets no tokens after all of its scopes were removed',
    async (_, testClient) => {
      const storage = memoryStorage();
      const before = deployWithScopes({ storage });
      const code = () => obtainCode(before, testClient, { scope: 'words offline_access' });
      const { refresh_token } = await expectTokens(await redeem(before, testClient, await code()));
      const clientsWithoutWords = clients.map((client) => ({
        ...client,
        scopes: ['score', 'offline_access'],
      }));
      const after = deployWithScopes({ storage, clients: [...clientsWithoutWords, administrator] });
      const redeemed = await redeem(after, testClient, await code());
      expect([redeemed.status, await redeemed.json()]).toEqual([
        400,
        { error: 'invalid_grant', error_description: 'The authorization code is not valid.' },
      ]);
      expect(after.log.at(-1)).toMatchObject({ reason: 'code.scopes-removed' });
      const status = testClient === gpt ? 401 : 400;
      await expectTokenError(await refresh(after, testClient, refresh_token), {
        ...invalidRefreshTokenError,
        status,
      });
      expect(after.log.at(-1)).toMatchObject({ reason: 'refresh.scopes-removed' });
    },
  );

  it.each(testClients)(
    'L11.5 wider at a refresh: refuses %s a scope that it could have requested at the sign-in',
    async (_, testClient) => {
      const storage = createSpyStorage();
      const deployment = deployWithScopes({ storage });
      const code = await obtainCode(deployment, testClient, { scope: 'words offline_access' });
      const { refresh_token } = await expectTokens(await redeem(deployment, testClient, code));
      const before = storage.calls.length;
      for (const scope of ['score', 'words score', 'words score openid', 'score offline_access'])
        await expectTokenError(
          await refresh(deployment, testClient, refresh_token, { scope }),
          exceedingScopeError,
        );
      expect(storage.calls).toHaveLength(before);
    },
  );

  it.each(['words "x"', 'words\\score', 'words\tscore', 'wörds', 'words\0', '\u00a0words'])(
    'L11.6 malformed: refuses %j, at a refresh as well',
    async (scope) => {
      await expectNoPage(app, scope, 'scope.malformed');
      await expectNoPage(gpt, scope, 'scope.malformed');
      const deployment = deployWithScopes();
      const code = await obtainCode(deployment, app);
      const { refresh_token } = await expectTokens(await redeem(deployment, app, code));
      await expectTokenError(await refresh(deployment, app, refresh_token, { scope }), {
        status: 400,
        error: 'invalid_scope',
        error_description: 'The parameter scope is malformed.',
      });
    },
  );

  it.each([
    [
      'a client without a scope of the API',
      () => gptAction({ id: 'g', name: 'G', secrets: [gptSecret], scopes: ['offline_access'] }),
    ],
    [
      'default scopes without a scope of the API',
      () => staticClient({ ...options, scopes: ['words'], defaultScopes: ['offline_access'] }),
    ],
    [
      'a description of openid',
      () => deployWithScopes({ scopes: { ...scopes, openid: 'know who you are' } }),
    ],
  ])('L11.7 configuration: createBroker fails for %s', (_, configure) => {
    expect(configure).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  });
});

describe('a resource', () => {
  /** The API at the origin, one at a path of it, and one at another host and port. */
  const resources = [issuer, `${issuer}/mcp`, 'https://api.example:8443'] as const;

  const equalToIssuer = [
    'https://words.example',
    'https://words.example/',
    'HTTPS://WORDS.example',
    'https://words.example:443',
    'https://Words.Example:443/',
  ];

  const protect = ({ broker }: Deployment, token: string, resource?: string) =>
    broker.protect(
      new Request(`${issuer}/api`, { headers: { authorization: `Bearer ${token}` } }),
      resource === undefined ? {} : { resource },
    );

  const obtainTokensFor = async (
    deployment: Deployment,
    testClient: TestClient,
    resource?: string,
  ): Promise<TokenBody> => {
    const code = await obtainCode(deployment, testClient, resource === undefined ? {} : { resource });
    return expectTokens(await redeem(deployment, testClient, code));
  };

  it.each(equalToIssuer)('is equivalent to %s at the authorization endpoint', async (resource) => {
    const deployment = deploy({ resources });
    for (const testClient of [gpt, app, server]) {
      const { access_token } = await obtainTokensFor(deployment, testClient, resource);
      expect(await protect(deployment, access_token)).toMatchObject({ ok: true });
      expect(await protect(deployment, access_token, `${issuer}/mcp`)).toMatchObject({ ok: false });
    }
  });

  it.each(equalToIssuer)('is equivalent to %s at the token endpoint', async (resource) => {
    const deployment = deploy({ resources });
    for (const testClient of [gpt, app, server]) {
      const code = await obtainCode(deployment, testClient);
      const first = await expectTokens(await redeem(deployment, testClient, code, { resource }));
      const next = await expectTokens(
        await refresh(deployment, testClient, first.refresh_token, { resource }),
      );
      for (const { access_token } of [first, next])
        expect(await protect(deployment, access_token)).toMatchObject({ ok: true });
    }
  });

  it('can be requested with its default port, and differs from one with another query', async () => {
    const tenants = ['https://api.example/?tenant=A', 'https://api.example/?tenant=a'] as const;
    const deployment = deploy({ resources: tenants });
    const { access_token } = await obtainTokensFor(deployment, app, 'https://API.example:443?tenant=A');
    expect(await protect(deployment, access_token, tenants[0])).toMatchObject({ ok: true });
    expect(await protect(deployment, access_token, tenants[1])).toMatchObject({ ok: false });
  });

  it.each(equalToIssuer)('is equivalent to %s for the guard', async (resource) => {
    const deployment = deploy({ resources: ['https://api.example', issuer] });
    const { access_token } = await obtainTokensFor(deployment, app, issuer);
    expect(await protect(deployment, access_token, resource)).toMatchObject({ ok: true });
    expect(await protect(deployment, access_token)).toMatchObject({ ok: false });
  });

  it.each(equalToIssuer)('is equivalent to %s in every option', async (resource) => {
    const secrets = [serverSecret];
    const deployment = deploy({
      resources: [resource],
      introspectionClients: [introspectionClient({ id: 'api', secrets, resource })],
    });
    const resourceServer = createResourceServer({
      issuer,
      resource,
      keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource }),
      now: deployment.now,
    });
    const canonicalDeployment = deploy({ resources: [issuer] });
    for (const issuingDeployment of [deployment, canonicalDeployment]) {
      const { access_token } = await obtainTokensFor(issuingDeployment, app);
      const headers = { authorization: `Bearer ${access_token}` };
      expect(await protect(deployment, access_token)).toMatchObject({ ok: true });
      expect(await resourceServer.protect(new Request(`${issuer}/x`, { headers }))).toMatchObject({
        ok: true,
      });
      const form = { client_id: 'api', client_secret: serverSecret, token: access_token };
      expect(await (await postForm(deployment, '/introspect', form)).json()).toMatchObject({ aud: issuer });
    }
  });

  it('keeps grants whose resource an earlier version stored as it was configured', async () => {
    const storedResource = 'https://Words.example:443/';
    const storage = memoryStorage();
    const refreshing: BrokerStorage = {
      ...storage,
      refresh: async (grantRefresh) => {
        const outcome = await storage.refresh(grantRefresh);
        if (outcome.kind === 'refused') return outcome;
        return { ...outcome, grant: { ...outcome.grant, resource: storedResource } };
      },
    };
    const deployment = deploy({ storage: refreshing, resources });
    const first = await obtainTokensFor(deployment, app);
    const second = await expectTokens(await refresh(deployment, app, first.refresh_token));
    // The refresh token now contains the stored form of the resource.
    const resource = { resource: `${issuer}/` };
    const third = await expectTokens(await refresh(deployment, app, second.refresh_token, resource));
    expect(await protect(deployment, third.access_token)).toMatchObject({ ok: true });
  });

  const lookAlikes: readonly (readonly [string, string, string])[] = [
    ['T15.1 userinfo', issuer, 'https://user@words.example'],
    ['T15.1 userinfo', issuer, 'https://words.example@evil.example'],
    ['T15.1 userinfo', `${issuer}/mcp`, 'https://@words.example/mcp'],
    ['T15.2 fragment', issuer, 'https://words.example#'],
    ['T15.2 fragment', issuer, 'https://words.example/#top'],
    ['T15.2 fragment', `${issuer}/mcp`, 'https://words.example/mcp#'],
    ['T15.3 dot segments', issuer, 'https://words.example/.'],
    ['T15.3 dot segments', issuer, 'https://words.example/mcp/..'],
    ['T15.3 dot segments', `${issuer}/mcp`, 'https://words.example/./mcp'],
    ['T15.3 dot segments', `${issuer}/mcp`, 'https://words.example/x/../mcp'],
    ['T15.4 percent-encoding', issuer, 'https://%77ords.example'],
    ['T15.4 percent-encoding', issuer, 'https://words.example%2f'],
    ['T15.4 percent-encoding', `${issuer}/mcp`, 'https://words.example/%6dcp'],
    ['T15.4 percent-encoding', `${issuer}/mcp`, 'https://words.example/%2e/mcp'],
    ['T15.5 trailing dot', issuer, 'https://words.example.'],
    ['T15.5 trailing dot', issuer, 'https://words.example./'],
    ['T15.5 trailing dot', `${issuer}/mcp`, 'https://words.example./mcp'],
    ['T15.6 IDN', issuer, 'https://wörds.example'],
    ['T15.6 IDN', issuer, 'https://words。example'],
    ['T15.6 IDN', issuer, 'https://ｗords.example'],
    ['T15.6 IDN', issuer, 'https://word\u017f.example'],
    ['T15.7 path', issuer, 'https://words.example//'],
    ['T15.7 path', issuer, 'https://words.example?'],
    ['T15.7 path', `${issuer}/mcp`, 'https://words.example/mcp/'],
    ['T15.7 path', `${issuer}/mcp`, 'https://words.example/MCP'],
    ['T15.7 path', `${issuer}/mcp`, 'https://words.example//mcp'],
    ['T15.7 path', `${issuer}/mcp`, 'https://words.example/mcp?'],
    ['T15.8 port', issuer, 'https://words.example:80'],
    ['T15.8 port', issuer, 'https://words.example:0443'],
    ['T15.8 port', issuer, 'https://words.example:443:443'],
    ['T15.8 port', 'https://api.example:8443', 'https://api.example'],
    ['T15.8 port', issuer, 'http://words.example'],
    ['T15.8 port', issuer, 'http://words.example:443'],
    ['T15.9 garbage', issuer, 'https:\\\\words.example'],
    ['T15.9 garbage', issuer, ' https://words.example'],
    ['T15.9 garbage', issuer, 'https://words.example\n'],
    ['T15.9 garbage', issuer, 'https://words.example\0'],
    ['T15.9 garbage', issuer, 'https:words.example'],
    ['T15.9 garbage', issuer, 'words.example'],
    ['T15.9 garbage', issuer, '\ud800'],
    ['T15.9 garbage', issuer, `${issuer}/${'x'.repeat(9000)}`],
  ];

  it.each(lookAlikes)('%s: %s is not the same as %j', async (_, resource, lookAlike) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage, resources });
    const { response } = await createTestBrowser(deployment).openSignInPage({
      ...app.request,
      resource: lookAlike,
    });
    expectErrorRedirect(response, {
      to: 'https://app.example/callback',
      state: 'app-state',
      error: 'invalid_target',
      description: 'The requested resource is unknown.',
    });
    const code = await obtainCode(deployment, app, { resource });
    await expectTokenError(await redeem(deployment, app, code, { resource: lookAlike }), {
      status: 400,
      error: 'invalid_target',
      error_description: 'The code was issued for another resource.',
    });
    const { access_token, refresh_token } = await expectTokens(await redeem(deployment, app, code));
    await expectTokenError(await refresh(deployment, app, refresh_token, { resource: lookAlike }), {
      status: 400,
      error: 'invalid_target',
      error_description: 'The refresh token was issued for another resource.',
    });
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'redeemCode']);
    expect(await protect(deployment, access_token, lookAlike)).toMatchObject({
      ok: false,
      response: { status: 500 },
    });
  });

  it.each([
    ['the slash', [issuer, `${issuer}/`]],
    ['the case', ['https://API.example/v1', 'HTTPS://api.example/v1']],
    ['the default port', ['https://api.example:443/v1', `${issuer}/mcp`, 'https://api.example/v1']],
    ['nothing', [issuer, issuer]],
  ] as const)(
    'T15.10 configured twice: createBroker fails if two resources differ only in %s',
    (_, [first, ...others]) => {
      expect(() => deploy({ resources: [first, ...others] })).toThrow(
        expect.objectContaining({
          name: 'ConfigurationError',
          option: 'resources',
          message: expect.stringMatching(/^resources must be unique, but this one is repeated: https:/),
        }),
      );
    },
  );

  it('T15.10 configured twice: accepts resources that differ in their paths', () => {
    expect(() =>
      deploy({ resources: [issuer, `${issuer}/mcp`, `${issuer}/mcp/`, `${issuer}/MCP`] }),
    ).not.toThrow();
  });
});
