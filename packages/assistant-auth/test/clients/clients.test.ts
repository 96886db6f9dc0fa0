/** The kinds of clients, their options, and client authentication (RFC 6749 §2.3). */

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseClientCredentials, verifyClientCredentials } from '../../src/clients/authentication.ts';
import { acceptsAnyGpt, type ClientRegistry, createClientRegistry } from '../../src/clients/client.ts';
import type { IntrospectionClientOptions } from '../../src/clients/introspection-client.ts';
import {
  type GptActionOptions,
  gptAction,
  introspectionClient,
  type StaticClientOptions,
  staticClient,
} from '../../src/index.ts';
import { ConfigurationError, ProtocolError } from '../../src/oauth/errors.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { clients, deploy, gptSecret, issuer } from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';

const secret = 's'.repeat(43);

describe('the client registry', () => {
  const development = 'http://localhost:9000/aip/g-1234567890abcdef/oauth/callback';

  describe('a registry', () => {
    it('finds its clients by id, in the very same letters', () => {
      const registry = createClientRegistry(clients, parseIssuer(issuer));
      expect(clients.map(({ id }) => registry.get(id)?.id)).toEqual(['gpt', 'app', 'server', 'native']);
      for (const id of ['', 'GPT', 'gpt ', 'toString', '__proto__']) expect(registry.get(id)).toBeUndefined();
    });

    it('refuses two clients of one id', () => {
      expect(() => createClientRegistry([...clients, clients[0]], parseIssuer(issuer))).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: 'clients' }),
      );
    });

    it('refuses a client of the id that sessions at the account page go by', () => {
      const account = { id: 'account', name: 'Account', scopes: ['words'] };
      const problem = new ConfigurationError(
        'clients.account.id',
        'must not be account, which is the account page.',
      );
      expect(() => staticClient({ ...account, redirectUris: ['https://app.example/callback'] })).toThrow(
        problem,
      );
      expect(() => gptAction({ ...account, secrets: ['s'.repeat(32)] })).toThrow(problem);
    });

    it('keeps redirects for development on a loopback issuer only', () => {
      const kinds = (at: string) =>
        createClientRegistry(clients, parseIssuer(at))
          .get('gpt')
          ?.redirects.map(({ kind }) => kind);
      expect(kinds('http://localhost:8787')).toEqual(['gpt', 'gpt-development']);
      expect(kinds('https://localhost:8787')).toEqual(['gpt']);
      expect(kinds(issuer)).toEqual(['gpt']);
    });
  });

  describe('a GPT in development', () => {
    const local = 'http://localhost:8787';

    it('signs in at a loopback redirect of a loopback issuer', async () => {
      const browser = createTestBrowser(deploy({ issuer: local }));
      const back = await browser.signIn({ ...gptRequest, redirect_uri: development });
      expect(back.origin + back.pathname).toBe(development);
      expect(back.searchParams.get('iss')).toBe(local);
      expect(back.searchParams.has('code')).toBe(true);
    });

    it('is held to its pinned GPT there, too', async () => {
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
      await expectErrorPage(response, deployment, 'The address to return to is not registered for this app.');
    });
  });

  it('knows a client that any GPT may use', () => {
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

  /** Both kinds read these settings alike. */
  const register = (changes: Partial<GptActionOptions>) => [
    () => gptAction({ ...options, ...changes }),
    () => staticClient({ redirectUris: ['https://app.example/cb'], ...options, ...changes }),
  ];

  it.each<[string, Partial<GptActionOptions>, string]>([
    ['an empty id', { id: '' }, 'clients..id'],
    ['a blank in its id', { id: 'a b' }, 'clients.a b.id'],
    ['a colon in its id', { id: 'a:b' }, 'clients.a:b.id'],
    ['a line break in its id', { id: 'a\n' }, 'clients.a\n.id'],
    ['an id beyond ASCII', { id: 'ä' }, 'clients.ä.id'],
    ['an endless id', { id: 'a'.repeat(201) }, `clients.${'a'.repeat(201)}.id`],
    ['no name', { name: ' ' }, 'clients.gpt.name'],
    ['no secrets', { secrets: [] }, 'clients.gpt.secrets'],
    ['three secrets', { secrets: [secret, `${secret}2`, `${secret}3`] }, 'clients.gpt.secrets'],
    ['a short secret', { secrets: ['s'.repeat(31)] }, 'clients.gpt.secrets'],
    ['one short secret of two', { secrets: [secret, ''] }, 'clients.gpt.secrets'],
    [
      'a secret with the line break of the file that it came from',
      { secrets: [`${secret}\n`] },
      'clients.gpt.secrets',
    ],
    ['a secret with a blank', { secrets: [`${secret} `] }, 'clients.gpt.secrets'],
    ['a secret beyond ASCII', { secrets: [`${secret}é`] }, 'clients.gpt.secrets'],
    ['no scope', { scopes: [] }, 'clients.gpt.scopes'],
    ['no scope of the API', { scopes: ['offline_access'] }, 'clients.gpt.scopes'],
    ['a malformed scope', { scopes: ['words score'] }, 'clients.gpt.scopes'],
    ['a scope with a comma', { scopes: ['words,score'] }, 'clients.gpt.scopes'],
    ['an empty scope', { scopes: [''] }, 'clients.gpt.scopes'],
    ['more scopes than a token holds', { scopes: ['x'.repeat(750), 'y'.repeat(750)] }, 'clients.gpt.scopes'],
    ['no default scope', { defaultScopes: [] }, 'clients.gpt.defaultScopes'],
    ['no default scope of the API', { defaultScopes: ['offline_access'] }, 'clients.gpt.defaultScopes'],
    ['a default scope that it may not have', { defaultScopes: ['words', 'x'] }, 'clients.gpt.defaultScopes'],
  ])('is refused with %s', (_, changes, option) => {
    for (const make of register(changes))
      expect(make).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }));
  });

  it('may have offline_access, whether or not it is listed', () => {
    const all = ['words', 'score', 'offline_access'];
    for (const scopes of [options.scopes, all, ['offline_access', ...options.scopes]])
      for (const make of register({ scopes })) expect([...make().scopes].sort()).toEqual([...all].sort());
    for (const make of register({ scopes: ['words', 'offline_access'] }))
      expect(make().defaultScopes).toEqual(['words']);
    for (const make of register({ defaultScopes: ['words', 'offline_access'] }))
      expect(make().defaultScopes).toEqual(['words', 'offline_access']);
  });

  it('never shows a secret in what it complains about', () => {
    for (const make of register({ secrets: [`${secret}\n`] })) expect(make).not.toThrow(new RegExp(secret));
  });

  it('may have any printable id but for the colon', () => {
    const id = '!"#$%&\'()*+,-./0123456789;<=>?@AZ[\\]^_`az{|}~';
    for (const make of register({ id })) expect(make().id).toBe(id);
  });
});

describe('static clients', () => {
  const options: StaticClientOptions = {
    id: 'app',
    name: 'An app',
    redirectUris: ['https://app.example/cb', 'http://127.0.0.1/cb'],
    scopes: ['words', 'score'],
  };

  it('is public without a secret, and stays connected where it asks for that', () => {
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

  it('is confidential with one, and needs PKCE all the same', () => {
    expect(staticClient({ ...options, secrets: [secret] })).toMatchObject({
      authentication: 'client_secret',
      secrets: [secret],
      pkce: 'required',
    });
  });

  it('stays connected unasked where the publisher says so', () => {
    expect(staticClient({ ...options, offlineAccess: 'always', defaultScopes: ['words'] })).toMatchObject({
      offlineAccess: 'always',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words'],
    });
  });

  it.each<[string, Partial<StaticClientOptions>, string]>([
    ['no redirect', { redirectUris: [] }, 'clients.app.redirectUris'],
    [
      'a bad redirect',
      { redirectUris: ['https://app.example/cb', 'http://app.example/cb'] },
      'clients.app.redirectUris',
    ],
    ['no secret in its list', { secrets: [] }, 'clients.app.secrets'],
  ])('refuses %s', (_, changes, option) => {
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

  it('knows what ChatGPT’s OAuth leaves out', () => {
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

  it('takes what the publisher chooses', () => {
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
    ['a malformed id', ['g-12']],
    ['an id without its prefix', ['68f0c2a1b4d8']],
    ['a whole address', ['https://chatgpt.com/g/g-68f0c2a1b4d8']],
    ['one bad id of two', ['g-68f0c2a1b4d8', 'g-68f0/c2a1']],
  ])('refuses to be pinned to %s', (_, gptIds) => {
    expect(() => gptAction({ ...options, gptIds })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'clients.gpt.gptIds' }),
    );
  });

  it('is warned about at the start unless it is pinned, once for each client', () => {
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
    secrets: ['s'.repeat(43)],
    resource: `${issuer}/api`,
  };

  describe('introspectionClient', () => {
    it('is somebody who proves itself with a secret and serves one resource', () => {
      expect(introspectionClient(options)).toEqual({
        ...options,
        kind: 'introspection-client',
        authentication: 'client_secret',
      });
    });

    it.each<[string, Partial<IntrospectionClientOptions>, string]>([
      ['an empty id', { id: '' }, 'introspectionClients..id'],
      ['a colon in its id', { id: 'a:b' }, 'introspectionClients.a:b.id'],
      ['no secret', { secrets: [] }, 'introspectionClients.api.secrets'],
      ['a short secret', { secrets: ['s'.repeat(31)] }, 'introspectionClients.api.secrets'],
    ])('is refused with %s', (_, changes, option) => {
      expect(() => introspectionClient({ ...options, ...changes })).toThrow(
        expect.objectContaining({ option }),
      );
    });
  });

  describe('the resource servers together', () => {
    const start =
      (...servers: readonly Partial<IntrospectionClientOptions>[]) =>
      () =>
        deploy({
          introspectionClients: servers.map((changes) => introspectionClient({ ...options, ...changes })),
        });

    it('start with different ids and resources that exist', () => {
      expect(start({}, { id: 'other', resource: `${issuer}/other` })).not.toThrow();
    });

    it.each([
      ['one id twice', start({}, { resource: `${issuer}/other` }), 'introspectionClients'],
      ['a client’s id', start({ id: 'gpt' }), 'introspectionClients'],
      ['an unknown resource', start({ resource: `${issuer}/nowhere` }), 'introspectionClients.api.resource'],
    ])('are refused with %s', (_, wrong, option) => {
      expect(wrong).toThrow(expect.objectContaining({ option }));
    });
  });
});

describe('client authentication', () => {
  const registry = createClientRegistry(clients, parseIssuer(issuer));
  const rejection = (reason: string) => expect.objectContaining({ reason });
  const basic = (pair: string) => `Basic ${btoa(pair)}`;

  /** Both phases, as the token endpoint goes through them. */
  const authenticateClient = async (
    ...[header, form, known]: [...Parameters<typeof parseClientCredentials>, ClientRegistry]
  ) => verifyClientCredentials(parseClientCredentials(header, form), known);

  /** As RFC 6749 §2.3.1 has it: every character that is not of the unreserved ones is escaped, a blank is a plus sign. */
  const formEncode = (text: string): string =>
    new URLSearchParams({ '': text }).toString().slice(1).replaceAll('*', '%2A');

  const clientWith = (id: string, secrets: readonly string[]) =>
    createClientRegistry([gptAction({ id, name: 'GPT', secrets, scopes: ['words'] })], parseIssuer(issuer));

  it('does as much for an unknown id as for a known one, so that time does not tell them apart', async () => {
    const digest = vi.spyOn(crypto.subtle, 'digest');
    const counts: number[] = [];
    for (const client_id of ['gpt', 'nobody']) {
      digest.mockClear();
      await authenticateClient(null, { client_id, client_secret: 'wrong' }, registry).catch(() => undefined);
      counts.push(digest.mock.calls.length);
    }
    digest.mockRestore();
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBe(counts[0]);
  });

  it('finds a confidential client by its secret, in the form or as Basic', async () => {
    const inForm = await authenticateClient(null, { client_id: 'gpt', client_secret: gptSecret }, registry);
    const inHeader = await authenticateClient(basic(`gpt:${gptSecret}`), {}, registry);
    expect([inForm, inHeader]).toEqual([registry.get('gpt'), registry.get('gpt')]);
  });

  it('finds a public client by its name', async () => {
    expect(await authenticateClient(null, { client_id: 'app' }, registry)).toBe(registry.get('app'));
  });

  it('takes either of two secrets during a change, and not a third', async () => {
    const [older, newer] = ['o'.repeat(43), 'n'.repeat(43)];
    const both = clientWith('gpt', [newer, older]);
    for (const client_secret of [older, newer])
      expect(await authenticateClient(null, { client_id: 'gpt', client_secret }, both)).toHaveProperty('id');
    for (const client_secret of [older + newer, `${newer} `, newer.slice(1), gptSecret])
      await expect(authenticateClient(null, { client_id: 'gpt', client_secret }, both)).rejects.toThrow(
        rejection('authentication.secret'),
      );
  });

  it('takes any id and secret as Basic when they are form-encoded first', async () => {
    const id = fc.stringMatching(/^[\x21-\x39\x3B-\x7E]{1,20}$/);
    const secret = fc.stringMatching(/^[\x21-\x7E]{32,60}$/);
    await fc.assert(
      fc.asyncProperty(id, secret, async (name, word) => {
        const one = clientWith(name, [word]);
        const found = await authenticateClient(basic(`${formEncode(name)}:${formEncode(word)}`), {}, one);
        expect(found.id).toBe(name);
      }),
    );
  });

  it('answers any other header with one of its own refusals', async () => {
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

  it('says the same of an unknown client as of a wrong secret', async () => {
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
