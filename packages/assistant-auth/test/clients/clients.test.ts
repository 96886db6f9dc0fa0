/** The kinds of clients, their options, and client authentication (RFC 6749 §2.3). */

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseClientCredentials, verifyClientCredentials } from '../../src/clients/authentication.ts';
import { isChatGptMcpClient } from '../../src/clients/chatgpt.ts';
import { acceptsAnyGpt, type Client } from '../../src/clients/client.ts';
import type { IntrospectionClientOptions } from '../../src/clients/introspection-client.ts';
import { type ClientRegistry, createClientRegistry, indexClients } from '../../src/clients/registry.ts';
import {
  type GptActionOptions,
  gptAction,
  introspectionClient,
  type StaticClientOptions,
  staticClient,
} from '../../src/index.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { ProtocolError } from '../../src/oauth/protocol-error.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { hasPattern } from '../../src/oauth/secrets.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { clients, deploy, gptSecret, issuer, serverSecret } from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';

const secret = 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';

const createRegistry = (configured: readonly Client[]): ClientRegistry =>
  createClientRegistry(indexClients(configured, parseIssuer(issuer)), undefined);

describe('the client registry', () => {
  const development = 'http://localhost:9000/aip/g-1234567890abcdef/oauth/callback';

  it('finds its clients by ID, case-sensitively', async () => {
    const registry = createRegistry(clients);
    const found = await Promise.all(clients.map(({ id }) => registry.find(id)));
    expect(found.map((client) => client?.id)).toEqual(['gpt', 'app', 'server', 'native']);
    for (const id of ['', 'GPT', 'gpt ', 'toString', '__proto__'])
      expect(await registry.find(id)).toBeUndefined();
  });

  it('refuses two clients with the same ID', () => {
    expect(() => indexClients([...clients, clients[0]], parseIssuer(issuer))).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'clients' }),
    );
  });

  it('refuses a client with the reserved ID of the account page', () => {
    const account = { id: 'account', name: 'Account', scopes: ['words'] };
    const problem = new ConfigurationError(
      'clients.account.id',
      'must not be account, which is reserved for the account page.',
    );
    expect(() => staticClient({ ...account, redirectUris: ['https://app.example/callback'] })).toThrow(
      problem,
    );
    expect(() => gptAction({ ...account, secrets: [secret] })).toThrow(problem);
  });

  it('allows development redirect URIs only for a loopback issuer', () => {
    const redirectKinds = (issuerUrl: string) =>
      indexClients(clients, parseIssuer(issuerUrl))
        .get('gpt')
        ?.redirects.map(({ kind }) => kind);
    expect(redirectKinds('http://localhost:8787')).toEqual(['gpt', 'gpt-development']);
    expect(redirectKinds('https://localhost:8787')).toEqual(['gpt']);
    expect(redirectKinds(issuer)).toEqual(['gpt']);
  });

  describe('a GPT in development', () => {
    const local = 'http://localhost:8787';

    it('signs in with a loopback redirect URI if the issuer is on loopback', async () => {
      const browser = createTestBrowser(deploy({ issuer: local }));
      const redirect = await browser.signIn({ ...gptRequest, redirect_uri: development });
      expect(redirect.origin + redirect.pathname).toBe(development);
      expect(redirect.searchParams.get('iss')).toBe(local);
      expect(redirect.searchParams.has('code')).toBe(true);
    });

    it('is refused there, too, if it is not one of the pinned GPTs', async () => {
      const pinned = gptAction({
        id: 'gpt',
        name: 'GPT',
        secrets: [gptSecret],
        scopes: ['words'],
        gptIds: ['g-0000567890abcdef'],
      });
      const deployment = deploy({ issuer: local, clients: [pinned] });
      const { response } = await createTestBrowser(deployment).openSignInPage({
        ...gptRequest,
        redirect_uri: development,
      });
      await expectErrorPage(response, deployment, 'The redirect URI is not registered for this app.');
    });
  });

  it('recognizes a client that any GPT can use', () => {
    const pinned = gptAction({
      id: 'gpt',
      name: 'GPT',
      secrets: [gptSecret],
      scopes: ['words'],
      gptIds: ['g-0000567890abcdef'],
    });
    expect([...clients, pinned].filter(acceptsAnyGpt).map(({ id }) => id)).toEqual(['gpt']);
  });
});

describe('client options', () => {
  const options: GptActionOptions = { id: 'gpt', name: 'GPT', secrets: [secret], scopes: ['words', 'score'] };

  /** Registers a client of each kind: both treat these options in the same way. */
  const register = (changes: Partial<GptActionOptions>) => [
    () => gptAction({ ...options, ...changes }),
    () => staticClient({ redirectUris: ['https://app.example/cb'], ...options, ...changes }),
  ];

  it.each<[string, Partial<GptActionOptions>, string]>([
    ['an empty ID', { id: '' }, 'clients..id'],
    ['a space in its ID', { id: 'a b' }, 'clients.a b.id'],
    ['a colon in its ID', { id: 'a:b' }, 'clients.a:b.id'],
    ['a line break in its ID', { id: 'a\n' }, 'clients.a\n.id'],
    ['a non-ASCII ID', { id: 'ä' }, 'clients.ä.id'],
    ['an ID that is too long', { id: 'a'.repeat(201) }, `clients.${'a'.repeat(201)}.id`],
    ['no name', { name: ' ' }, 'clients.gpt.name'],
    ['no secrets', { secrets: [] }, 'clients.gpt.secrets'],
    ['three secrets', { secrets: [secret, `${secret}2`, `${secret}3`] }, 'clients.gpt.secrets'],
    ['a short secret', { secrets: ['s'.repeat(31)] }, 'clients.gpt.secrets'],
    ['two secrets, one of them too short', { secrets: [secret, ''] }, 'clients.gpt.secrets'],
    ['a secret with a trailing line break', { secrets: [`${secret}\n`] }, 'clients.gpt.secrets'],
    ['a secret with a space', { secrets: [`${secret} `] }, 'clients.gpt.secrets'],
    ['a non-ASCII secret', { secrets: [`${secret}é`] }, 'clients.gpt.secrets'],
    ['no scope', { scopes: [] }, 'clients.gpt.scopes'],
    ['no scope of the API', { scopes: ['offline_access'] }, 'clients.gpt.scopes'],
    ['a malformed scope', { scopes: ['words score'] }, 'clients.gpt.scopes'],
    ['a scope with a comma', { scopes: ['words,score'] }, 'clients.gpt.scopes'],
    ['an empty scope', { scopes: [''] }, 'clients.gpt.scopes'],
    [
      'more scopes than fit into a token',
      { scopes: ['x'.repeat(750), 'y'.repeat(750)] },
      'clients.gpt.scopes',
    ],
    ['no default scope', { defaultScopes: [] }, 'clients.gpt.defaultScopes'],
    ['no default scope of the API', { defaultScopes: ['offline_access'] }, 'clients.gpt.defaultScopes'],
    [
      'a default scope that is not in its scopes',
      { defaultScopes: ['words', 'x'] },
      'clients.gpt.defaultScopes',
    ],
  ])('are refused with %s', (_, changes, option) => {
    for (const create of register(changes))
      expect(create).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }));
  });

  it('always add offline_access to the scopes, and to the default scopes only if listed there', () => {
    const all = ['words', 'score', 'offline_access'];
    for (const scopes of [options.scopes, all, ['offline_access', ...options.scopes]])
      for (const create of register({ scopes })) expect([...create().scopes].sort()).toEqual([...all].sort());
    for (const create of register({ scopes: ['words', 'offline_access'] }))
      expect(create().defaultScopes).toEqual(['words']);
    for (const create of register({ defaultScopes: ['words', 'offline_access'] }))
      expect(create().defaultScopes).toEqual(['words', 'offline_access']);
  });

  it('never repeat a secret in an error message', () => {
    for (const create of register({ secrets: [`${secret}\n`] }))
      expect(create).not.toThrow(new RegExp(secret));
  });

  it('can have any printable ID without a colon', () => {
    const id = '!"#$%&\'()*+,-./0123456789;<=>?@AZ[\\]^_`az{|}~';
    for (const create of register({ id })) expect(create().id).toBe(id);
  });
});

describe('static clients', () => {
  const options: StaticClientOptions = {
    id: 'app',
    name: 'An app',
    redirectUris: ['https://app.example/cb', 'http://127.0.0.1/cb'],
    scopes: ['words', 'score'],
  };

  it('are public without a secret, and get refresh tokens on request', () => {
    expect(staticClient(options)).toEqual({
      id: 'app',
      kind: 'static',
      name: 'An app',
      authentication: 'none',
      redirects: [
        { kind: 'exact', uri: 'https://app.example/cb' },
        { kind: 'loopback', host: '127.0.0.1', path: '/cb' },
      ],
      pkce: 'required',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words', 'score'],
      unknownScopes: 'refused',
      refresh: 'rotating',
      offlineAccess: 'on-request',
      refreshFailureStatus: 400,
    });
  });

  it('are confidential with a secret, and still require PKCE', () => {
    expect(staticClient({ ...options, secrets: [secret] })).toMatchObject({
      authentication: 'client_secret',
      secrets: [secret],
      pkce: 'required',
    });
  });

  it('always get refresh tokens if configured', () => {
    expect(staticClient({ ...options, offlineAccess: 'always', defaultScopes: ['words'] })).toMatchObject({
      offlineAccess: 'always',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words'],
    });
  });

  it.each<[string, Partial<StaticClientOptions>, string]>([
    ['no redirect URI', { redirectUris: [] }, 'clients.app.redirectUris'],
    [
      'an invalid redirect URI',
      { redirectUris: ['https://app.example/cb', 'http://app.example/cb'] },
      'clients.app.redirectUris',
    ],
    ['an empty list of secrets', { secrets: [] }, 'clients.app.secrets'],
  ])('are refused with %s', (_, changes, option) => {
    expect(() => staticClient({ ...options, ...changes })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });
});

describe('GPT Actions', () => {
  const options: GptActionOptions = {
    id: 'gpt',
    name: 'Words GPT',
    secrets: [secret],
    scopes: ['words', 'score'],
  };

  it('are confidential clients with optional PKCE and stable refresh tokens, as ChatGPT requires', () => {
    expect(gptAction(options)).toEqual({
      id: 'gpt',
      kind: 'gpt-action',
      name: 'Words GPT',
      authentication: 'client_secret',
      secrets: [secret],
      redirects: [{ kind: 'gpt' }, { kind: 'gpt-development' }],
      pkce: 'optional',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words', 'score'],
      unknownScopes: 'dropped',
      refresh: 'stable',
      offlineAccess: 'always',
      refreshFailureStatus: 401,
    });
  });

  it('use the publisher’s options', () => {
    const gptIds = ['g-68f0c2a1b4d8', 'g-1234-words'];
    expect(
      gptAction({ ...options, gptIds, defaultScopes: ['words'], refreshFailureStatus: 400 }),
    ).toMatchObject({
      redirects: [
        { kind: 'gpt', gptIds },
        { kind: 'gpt-development', gptIds },
      ],
      defaultScopes: ['words'],
      refreshFailureStatus: 400,
    });
  });

  it.each([
    ['no GPT', []],
    ['a malformed ID', ['g-12']],
    ['an ID without its prefix', ['68f0c2a1b4d8']],
    ['a whole URL', ['https://chatgpt.com/g/g-68f0c2a1b4d8']],
    ['two IDs, one of them malformed', ['g-68f0c2a1b4d8', 'g-68f0/c2a1']],
  ])('can’t be pinned to %s', (_, gptIds) => {
    expect(() => gptAction({ ...options, gptIds })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'clients.gpt.gptIds' }),
    );
  });

  it('are logged at startup unless they are pinned, once for each client', () => {
    const pinned = gptAction({ ...options, id: 'pinned', gptIds: ['g-68f0c2a1b4d8'] });
    const { log } = deploy({ clients: [gptAction(options), pinned, gptAction({ ...options, id: 'gpt-2' })] });
    expect(log).toEqual([
      { event: 'unrestricted-gpt', clientId: 'gpt' },
      { event: 'unrestricted-gpt', clientId: 'gpt-2' },
    ]);
  });
});

describe('introspection clients', () => {
  const options: IntrospectionClientOptions = {
    id: 'api',
    secrets: [secret],
    resource: `${issuer}/api`,
  };

  describe('introspectionClient', () => {
    it('authenticates with a secret and serves one resource', () => {
      expect(introspectionClient(options)).toEqual({
        ...options,
        kind: 'introspection-client',
        authentication: 'client_secret',
      });
    });

    it.each<[string, Partial<IntrospectionClientOptions>, string]>([
      ['an empty ID', { id: '' }, 'introspectionClients..id'],
      ['a colon in its ID', { id: 'a:b' }, 'introspectionClients.a:b.id'],
      ['no secret', { secrets: [] }, 'introspectionClients.api.secrets'],
      ['a short secret', { secrets: ['s'.repeat(31)] }, 'introspectionClients.api.secrets'],
    ])('is refused with %s', (_, changes, option) => {
      expect(() => introspectionClient({ ...options, ...changes })).toThrow(
        expect.objectContaining({ option }),
      );
    });
  });

  describe('all introspection clients', () => {
    const start =
      (...servers: readonly Partial<IntrospectionClientOptions>[]) =>
      () =>
        deploy({
          introspectionClients: servers.map((changes) => introspectionClient({ ...options, ...changes })),
        });

    it('are accepted with different IDs and existing resources', () => {
      expect(start({}, { id: 'other', resource: `${issuer}/other` })).not.toThrow();
    });

    it.each([
      ['the same ID twice', start({}, { resource: `${issuer}/other` }), 'introspectionClients'],
      ['the ID of a client', start({ id: 'gpt' }), 'introspectionClients'],
      ['an unknown resource', start({ resource: `${issuer}/nowhere` }), 'introspectionClients.api.resource'],
    ])('are refused with %s', (_, wrong, option) => {
      expect(wrong).toThrow(expect.objectContaining({ option }));
    });
  });
});

describe('client authentication', () => {
  const registry = createRegistry(clients);
  const rejection = (reason: string) => expect.objectContaining({ reason });
  const basic = (pair: string) => `Basic ${btoa(pair)}`;

  /** Parses and then verifies credentials, as the token endpoint does. */
  const authenticateClient = async (
    ...[header, form, knownClients]: [...Parameters<typeof parseClientCredentials>, ClientRegistry]
  ) => (await verifyClientCredentials(parseClientCredentials(header, form), knownClients)).party;

  /**
   * Encodes as RFC 6749 §2.3.1 requires: escapes all characters except letters, digits, `-`, `.` and `_`, and
   * writes a space as a plus sign.
   */
  const formEncode = (text: string): string =>
    new URLSearchParams({ '': text }).toString().slice(1).replaceAll('*', '%2A');

  /** Returns whether the text is not refused for its pattern. */
  const isAccepted = (text: string): boolean => !hasPattern([...new TextEncoder().encode(text)]);

  const createRegistryWith = (id: string, secrets: readonly string[]) =>
    createRegistry([gptAction({ id, name: 'GPT', secrets, scopes: ['words'] })]);

  it('does the same work for an unknown ID as for a known one', async () => {
    // The digests of configured secrets are computed once.
    for (const id of ['gpt', 'nobody'])
      await authenticateClient(basic(`${id}:wrong`), {}, registry).catch(() => undefined);
    const digest = vi.spyOn(crypto.subtle, 'digest');
    const counts: number[] = [];
    for (const id of ['gpt', 'nobody']) {
      for (const secret of ['wrong', 'wrong%41', `${gptSecret}%zz`, gptSecret.replace('-', '%2D')]) {
        digest.mockClear();
        await authenticateClient(basic(`${id}:${secret}`), {}, registry).catch(() => undefined);
        counts.push(digest.mock.calls.length);
      }
    }
    digest.mockRestore();
    // A secret that decodes to another text is compared in both forms, even if one of them is right.
    expect(counts).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  });

  it('authenticates a confidential client with a secret in the form or as Basic', async () => {
    const inForm = await authenticateClient(null, { client_id: 'gpt', client_secret: gptSecret }, registry);
    const inHeader = await authenticateClient(basic(`gpt:${gptSecret}`), {}, registry);
    expect([inForm, inHeader]).toEqual([registry.configured.get('gpt'), registry.configured.get('gpt')]);
  });

  it('keeps the secrets that it was created with, whatever happens to the array', async () => {
    const secrets = [gptSecret];
    const client = gptAction({ id: 'gpt', name: 'GPT', secrets, scopes: ['words'] });
    secrets[0] = 'weak';
    expect(client).toMatchObject({ secrets: [gptSecret] });
  });

  it('identifies a public client by client_id', async () => {
    expect(await authenticateClient(null, { client_id: 'app' }, registry)).toBe(
      registry.configured.get('app'),
    );
  });

  it('accepts either of two secrets, and no third one', async () => {
    const [older, newer] = [secret, serverSecret];
    const registryWithBoth = createRegistryWith('gpt', [newer, older]);
    for (const client_secret of [older, newer])
      expect(
        await authenticateClient(null, { client_id: 'gpt', client_secret }, registryWithBoth),
      ).toHaveProperty('id');
    for (const client_secret of [older + newer, `${newer} `, newer.slice(1), gptSecret])
      await expect(
        authenticateClient(null, { client_id: 'gpt', client_secret }, registryWithBoth),
      ).rejects.toThrow(rejection('authentication.secret'));
  });

  it('accepts any form-encoded ID and secret as Basic', async () => {
    const id = fc.stringMatching(/^[\x21-\x39\x3B-\x7E]{1,20}$/);
    const anySecret = fc.stringMatching(/^[\x21-\x7E]{32,60}$/).filter(isAccepted);
    await fc.assert(
      fc.asyncProperty(id, anySecret, async (clientId, clientSecret) => {
        const clientRegistry = createRegistryWith(clientId, [clientSecret]);
        const client = await authenticateClient(
          basic(`${formEncode(clientId)}:${formEncode(clientSecret)}`),
          {},
          clientRegistry,
        );
        expect(client.id).toBe(clientId);
        const sentAsIs = basic(`${formEncode(clientId)}:${clientSecret}`);
        expect(await authenticateClient(sentAsIs, {}, clientRegistry)).toBe(client);
      }),
    );
  });

  it('refuses any other header with invalid_client', async () => {
    const header = fc.oneof(
      fc.string(),
      fc.string().map((text) => `Basic ${text}`),
      fc.string().map((text) => basic(encodeURIComponent(text))),
      fc
        .string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
        .map(basic),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const outcome = await authenticateClient(authorization, {}, registry).catch(
          (error: unknown) => error,
        );
        expect(outcome).toBeInstanceOf(ProtocolError);
        expect(outcome).toMatchObject({ code: 'invalid_client', status: 401 });
      }),
    );
  });

  it('responds to an unknown client as to a wrong secret', async () => {
    const failures = await Promise.all(
      [
        { client_id: 'nobody', client_secret: gptSecret },
        { client_id: 'gpt', client_secret: 'wrong' },
        { client_id: 'gpt' },
        { client_id: 'app', client_secret: gptSecret },
        {},
      ].map((form) => authenticateClient(null, form, registry).catch((error: unknown) => error)),
    );
    expect(
      new Set(failures.map((failure) => failure instanceof ProtocolError && failure.description)),
    ).toEqual(new Set(['The client could not be authenticated.']));
    expect(failures.map((failure) => failure instanceof ProtocolError && failure.reason)).toEqual([
      'authentication.unknown-client',
      'authentication.secret',
      'authentication.method',
      'authentication.method',
      'authentication.missing',
    ]);
  });
});

describe('isChatGptMcpClient', () => {
  const id = 'https://chatgpt.com/oauth/client.json';
  const redirect = 'https://chatgpt.com/connector_platform_oauth_redirect';

  it.each([
    [id, redirect],
    [id, 'https://chatgpt.com/connector/oauth/Ab_c-1'],
    ['https://chatgpt.com/oauth/Ab_c-1/client.json', 'https://chatgpt.com/connector/oauth/Ab_c-1'],
    ['https://chatgpt.com/oauth/codex2/client.json', redirect],
  ])('recognizes the client ID %s if the code was sent to %s', (clientId, redirectUri) => {
    expect(isChatGptMcpClient(clientId, redirectUri)).toBe(true);
  });

  it.each([
    'https://chatgpt.com/oauth/codex/client.json',
    'https://chatgpt.com/oauth//client.json',
    'https://chatgpt.com/oauth/a/b/client.json',
    'https://chatgpt.com/oauth/a%2Fb/client.json',
    'https://chatgpt.com/oauth/client.json?x=1',
    'https://chatgpt.com/oauth/client.json\n',
    'https://chatgpt.com/oauth/clientXjson',
    'http://chatgpt.com/oauth/client.json',
    'https://chatgpt.com.evil.example/oauth/client.json',
    'https://evil.example/https://chatgpt.com/oauth/client.json',
    'https://chatgptXcom/oauth/client.json',
    'chatgpt',
    '',
  ])('does not recognize the client ID %j', (clientId) => {
    expect(isChatGptMcpClient(clientId, redirect)).toBe(false);
  });

  it.each([
    'https://chatgpt.com/connector_platform_oauth_redirect/',
    'https://chatgpt.com/connector/oauth/',
    'https://chatgpt.com/connector/oauth/a/b',
    'https://chatgpt.com/connector/oauth/a?b',
    'https://chatgpt.com/aip/g-1234567890abcdef/oauth/callback',
    'https://chatgpt.com.evil.example/connector_platform_oauth_redirect',
    'https://evil.example/https://chatgpt.com/connector_platform_oauth_redirect',
    'http://chatgpt.com/connector_platform_oauth_redirect',
    'http://127.0.0.1/callback',
    '',
  ])('does not recognize a code sent to %j', (redirectUri) => {
    expect(isChatGptMcpClient(id, redirectUri)).toBe(false);
  });
});
