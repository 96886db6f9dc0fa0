import { describe, expect, it } from 'vitest';
import { type BrokerStorage, deriveResourceKeys, introspectionClient } from '../../src/index.ts';
import { createResourceServer } from '../../src/resource-server.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createTestBrowser, expectTokens, type TokenBody } from '../browser.ts';
import { app, gpt, obtainCode, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy, issuer, keys, serverSecret } from '../deployment.ts';
import { expectErrorRedirect, expectTokenError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { postForm } from '../token-requests.ts';

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

const tokensAbout = async (
  deployment: Deployment,
  testClient: TestClient,
  resource?: string,
): Promise<TokenBody> => {
  const code = await obtainCode(deployment, testClient, resource === undefined ? {} : { resource });
  return expectTokens(await redeem(deployment, testClient, code));
};

describe('a resource', () => {
  it.each(equalToIssuer)('is the same at the authorization endpoint as %s', async (resource) => {
    const deployment = deploy({ resources });
    for (const testClient of [gpt, app, server]) {
      const { access_token } = await tokensAbout(deployment, testClient, resource);
      expect(await protect(deployment, access_token)).toMatchObject({ kind: 'granted' });
      expect(await protect(deployment, access_token, `${issuer}/mcp`)).toMatchObject({ kind: 'refused' });
    }
  });

  it.each(equalToIssuer)('is the same at the token endpoint alone as %s', async (resource) => {
    const deployment = deploy({ resources });
    for (const testClient of [gpt, app, server]) {
      const code = await obtainCode(deployment, testClient);
      const first = await expectTokens(await redeem(deployment, testClient, code, { resource }));
      const next = await expectTokens(
        await refresh(deployment, testClient, first.refresh_token, { resource }),
      );
      for (const { access_token } of [first, next])
        expect(await protect(deployment, access_token)).toMatchObject({ kind: 'granted' });
    }
  });

  it('may be requested with its default port, and differs from one with another query', async () => {
    const tenants = ['https://api.example/?tenant=A', 'https://api.example/?tenant=a'] as const;
    const deployment = deploy({ resources: tenants });
    const { access_token } = await tokensAbout(deployment, app, 'https://API.example:443?tenant=A');
    expect(await protect(deployment, access_token, tenants[0])).toMatchObject({ kind: 'granted' });
    expect(await protect(deployment, access_token, tenants[1])).toMatchObject({ kind: 'refused' });
  });

  it.each(equalToIssuer)('is the same for the guard as %s', async (resource) => {
    const deployment = deploy({ resources: ['https://api.example', issuer] });
    const { access_token } = await tokensAbout(deployment, app, issuer);
    expect(await protect(deployment, access_token, resource)).toMatchObject({ kind: 'granted' });
    expect(await protect(deployment, access_token)).toMatchObject({ kind: 'refused' });
  });

  it.each(equalToIssuer)('is the same in every configuration as %s', async (spelled) => {
    const secrets = [serverSecret];
    const deployment = deploy({
      resources: [spelled],
      introspectionClients: [introspectionClient({ id: 'api', secrets, resource: spelled })],
    });
    const elsewhere = createResourceServer({
      issuer,
      resource: spelled,
      keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource: spelled }),
      now: deployment.now,
    });
    const plain = deploy({ resources: [issuer] });
    for (const one of [deployment, plain]) {
      const { access_token } = await tokensAbout(one, app);
      const headers = { authorization: `Bearer ${access_token}` };
      expect(await protect(deployment, access_token)).toMatchObject({ kind: 'granted' });
      expect(await elsewhere.protect(new Request(`${issuer}/x`, { headers }))).toMatchObject({
        kind: 'granted',
      });
      const form = { client_id: 'api', client_secret: serverSecret, token: access_token };
      expect(await (await postForm(deployment, '/introspect', form)).json()).toMatchObject({ aud: issuer });
    }
  });

  it('keeps grants whose resource an earlier version stored as it was configured', async () => {
    const stored = 'https://Words.example:443/';
    const storage = memoryStorage();
    const refreshing: BrokerStorage = {
      ...storage,
      refresh: async (use) => {
        const outcome = await storage.refresh(use);
        if (outcome.kind === 'refused') return outcome;
        return { ...outcome, grant: { ...outcome.grant, resource: stored } };
      },
    };
    const deployment = deploy({ storage: refreshing, resources });
    const first = await tokensAbout(deployment, app);
    const second = await expectTokens(await refresh(deployment, app, first.refresh_token));
    // The refresh token now contains the stored form of the resource.
    const resource = { resource: `${issuer}/` };
    const third = await expectTokens(await refresh(deployment, app, second.refresh_token, resource));
    expect(await protect(deployment, third.access_token)).toMatchObject({ kind: 'granted' });
  });
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

describe('T15', () => {
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
      kind: 'refused',
      response: { status: 500 },
    });
  });

  it.each([
    ['the slash', [issuer, `${issuer}/`]],
    ['the case', ['https://API.example/v1', 'HTTPS://api.example/v1']],
    ['the default port', ['https://api.example:443/v1', `${issuer}/mcp`, 'https://api.example/v1']],
    ['nothing', [issuer, issuer]],
  ] as const)('T15.10 configured twice: two that differ in %s stop the start', (_, [first, ...others]) => {
    expect(() => deploy({ resources: [first, ...others] })).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        option: 'resources',
        message: expect.stringMatching(/^resources must be different; two of them are https:/),
      }),
    );
  });

  it('T15.10 configured twice: resources that differ in their paths start', () => {
    expect(() =>
      deploy({ resources: [issuer, `${issuer}/mcp`, `${issuer}/mcp/`, `${issuer}/MCP`] }),
    ).not.toThrow();
  });
});
