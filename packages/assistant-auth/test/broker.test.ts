/** createBroker: its options, its endpoints, and one sign-in from end to end. */
import { describe, expect, it, vi } from 'vitest';
import { accountPages } from '../src/account/index.ts';
import { parseScopes } from '../src/clients/declared-scopes.ts';
import { parseProviders, resolveOptions } from '../src/config.ts';
import {
  apple,
  type BrokerOptions,
  type Cleanup,
  corsHeaders,
  createBroker,
  github,
  google,
  gptAction,
  type IdentityProvider,
  introspectionClient,
  memoryLimiter,
  microsoft,
  oauth2,
  oidc,
  type RateLimiter,
  staticClient,
} from '../src/index.ts';
import { pageLanguages } from '../src/languages/index.ts';
import { parseIssuer, parseResources } from '../src/oauth/resource.ts';
import { googleSecurityEvents } from '../src/providers/google-events.ts';
import { createResourceServer } from '../src/resource-server.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { createAccountBrowser } from './account-browser.ts';
import {
  buildGptCodeRequest,
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
  requestTokens,
} from './browser.ts';
import { clients, deploy, gptSecret, issuer, keys } from './deployment.ts';
import { createProvider } from './fake-provider.ts';
import { createSpyStorage } from './spy-storage.ts';

describe('one sign-in from end to end', () => {
  it('signs a user in through ChatGPT, calls the API, and refreshes', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment);

    const redirect = await browser.signIn(gptRequest, 'ada');
    expect(redirect.origin + redirect.pathname).toBe(gptRequest.redirect_uri);
    expect([...redirect.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    expect(redirect.searchParams.get('state')).toBe(gptRequest.state);

    const tokens = await expectTokens(
      await requestTokens(deployment, buildGptCodeRequest(redirect.searchParams.get('code') ?? '')),
    );
    const first = await callApi(deployment, tokens.access_token);
    expect(first).toMatchObject({
      ok: true,
      client: { id: 'gpt' },
      scopes: ['words', 'score'],
      claims: {},
    });

    deployment.advance(1800);
    expect(await callApi(deployment, tokens.access_token)).toMatchObject({
      ok: false,
      response: { status: 401 },
    });
    const refreshed = await expectTokens(
      await requestTokens(deployment, {
        grant_type: 'refresh_token',
        client_id: 'gpt',
        client_secret: gptSecret,
        refresh_token: tokens.refresh_token,
      }),
    );
    expect(refreshed.refresh_token).toBe(tokens.refresh_token);
    const later = await callApi(deployment, refreshed.access_token);
    if (!first.ok || !later.ok) throw new Error('the API refused');
    expect(later.user).toEqual(first.user);
  });
});

describe('handle and fetch', () => {
  const otherPaths = [
    ...['/', '/api', '/authorize/', '/authorize/other', '/AUTHORIZE', '/%61uthorize', '//authorize'],
    ...['/token/', '/callback', '/callbacks/google', '/account/', '/.well-known/openid-configuration'],
    ...['/backchannel-logout/google', '/events/google'],
  ];

  it.each(otherPaths)('leave %s to the app', async (path) => {
    const { broker, log } = deploy({ clients: clients.slice(1) });
    expect(await broker.handle(new Request(issuer + path))).toBeUndefined();
    const response = await broker.fetch(new Request(issuer + path));
    expect(response.status).toBe(404);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'This path does not exist.',
    });
    const requestId = expect.stringMatching(/^[\w-]{22}$/);
    expect(log).toEqual([{ event: 'refused', endpoint: 'fetch', requestId, reason: 'request.path' }]);
  });

  it('respond with 421 to one of the broker’s paths on another host', async () => {
    const { broker } = deploy();
    for (const handle of [broker.handle, broker.fetch]) {
      const response = await handle(new Request('https://other.example/token', { method: 'POST' }));
      expect(response?.status).toBe(421);
    }
  });

  /** Signs a user in with this function, and redeems the code. */
  const signInWith = async (fetch: (request: Request) => Promise<Response | undefined>) => {
    const deployment = {
      issuer,
      fetch: async (request: Request) => (await fetch(request)) ?? Response.error(),
    };
    const redirect = await createTestBrowser(deployment).signIn(gptRequest, 'ada');
    const code = redirect.searchParams.get('code') ?? '';
    await expectTokens(await requestTokens(deployment, buildGptCodeRequest(code)));
  };

  const noWaitUntil = () => {
    throw new Error('the option was used');
  };

  it('keep work running with the request’s waitUntil, not with the option', async () => {
    const { broker, log } = deploy({ waitUntil: noWaitUntil, cleanupInterval: 3600 });
    const work: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => void work.push(promise);
    await signInWith((request) => broker.handle(request, { waitUntil }));
    // The callback, and the cleanup that it started.
    expect(work).toHaveLength(2);
    await Promise.all(work);
    const eventNames = log.map(({ event }) => event);
    expect(eventNames).not.toContain('wait-until-failed');
    expect(eventNames).not.toContain('cleanup-failed');
  });

  it('use waitUntil of the context that a Worker’s fetch handler gets', async () => {
    const { broker, log } = deploy({ waitUntil: noWaitUntil });
    const { fetch } = broker;
    const context = {
      work: [] as Promise<unknown>[],
      waitUntil(promise: Promise<unknown>) {
        this.work.push(promise);
      },
    };
    await signInWith((request) => fetch(request, {}, context));
    expect(context.work).toHaveLength(1);
    expect(log.map(({ event }) => event)).not.toContain('wait-until-failed');
  });

  it('call waitUntil as a method, because that of a Worker’s context fails otherwise', async () => {
    class Context {
      readonly #work: Promise<unknown>[] = [];
      waitUntil(work: Promise<unknown>) {
        this.#work.push(work);
      }
      get count() {
        return this.#work.length;
      }
    }
    for (const isOption of [true, false]) {
      const context = new Context();
      const options = { waitUntil: (work: Promise<unknown>) => context.waitUntil(work) };
      const { broker, log } = deploy(isOption ? options : {});
      await signInWith((request) => broker.handle(request, isOption ? {} : context));
      expect(context.count).toBe(1);
      expect(log.map(({ event }) => event)).not.toContain('wait-until-failed');
    }
  });

  it('use the option if the platform passes no context, or something else', async () => {
    for (const rest of [[], [{ port: 3000 }], [{}, undefined], [{}, {}]]) {
      const work: Promise<unknown>[] = [];
      const { broker } = deploy({ waitUntil: (promise) => void work.push(promise) });
      await signInWith((request) => Reflect.apply(broker.fetch, undefined, [request, ...rest]));
      expect(work).toHaveLength(1);
    }
  });

  it('count the address of the request, not that of the option', async () => {
    const addressBlocks: string[] = [];
    const pageRequests: RateLimiter = {
      take: async (key) => {
        addressBlocks.push(key);
        return 'allowed';
      },
    };
    const { broker } = deploy({ limits: { pageRequests }, clientAddress: () => '192.0.2.1' });
    const request = new Request(`${issuer}/authorize?${new URLSearchParams(gptRequest)}`);
    await broker.handle(request, { clientAddress: '192.0.2.2' });
    await broker.handle(request, { clientAddress: undefined });
    await broker.handle(request);
    await broker.handle(request, { clientAddress: 'not an address' });
    expect(addressBlocks).toEqual(['192.0.2.2', '192.0.2.1', '192.0.2.1']);
  });
});

describe('createBroker', () => {
  const options = (): BrokerOptions => ({
    issuer,
    sealingKeys: keys,
    scopes: { words: 'read the word lists', score: 'see and increase your score' },
    clients,
    providers: [createProvider('google', 'Google')],
    storage: memoryStorage(),
  });

  const shortKey = 'test-1.AAECAwQFBgcICQoLDA0ODw';
  const gpt = { id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words'] };
  const app = { id: 'app', name: 'App', redirectUris: ['https://app.example/'], scopes: ['words'] };

  describe('an invalid option', () => {
    it.each<[option: string, changes: () => Partial<BrokerOptions>]>([
      ['issuer', () => ({ issuer: '' })],
      ['issuer', () => ({ issuer: 'words.example' })],
      ['issuer', () => ({ issuer: 'http://words.example' })],
      ['issuer', () => ({ issuer: `${issuer}/sign-in` })],
      ['issuer', () => ({ issuer: `${issuer}?a` })],
      ['issuer', () => ({ issuer: 'https://user@words.example' })],
      ['sealingKeys', () => ({ sealingKeys: '' })],
      ['sealingKeys', () => ({ sealingKeys: shortKey })],
      ['sealingKeys', () => ({ sealingKeys: `${keys} ${keys}` })],
      ['scopes', () => ({ scopes: { ...options().scopes, 'a b': 'x' } })],
      ['scopes', () => ({ scopes: { ...options().scopes, admin: '' } })],
      ['clients.gpt.scopes', () => ({ scopes: { score: 'see your score' } })],
      ['clients', () => ({ clients: [...clients, staticClient(app)] })],
      ['clients.app.redirectUris', () => ({ clients: [staticClient({ ...app, redirectUris: [] })] })],
      [
        'clients.app.redirectUris',
        () => ({ clients: [staticClient({ ...app, redirectUris: ['http://app.example'] })] }),
      ],
      ['clients.app.secrets', () => ({ clients: [staticClient({ ...app, secrets: [] })] })],
      ['clients.gpt.secrets', () => ({ clients: [gptAction({ ...gpt, secrets: ['short'] })] })],
      ['clients.gpt.gptIds', () => ({ clients: [gptAction({ ...gpt, gptIds: [] })] })],
      ['clients.gpt.name', () => ({ clients: [gptAction({ ...gpt, name: ' ' })] })],
      ['clients.a:b.id', () => ({ clients: [gptAction({ ...gpt, id: 'a:b' })] })],
      ['clients.gpt.defaultScopes', () => ({ clients: [gptAction({ ...gpt, defaultScopes: ['x'] })] })],
      ['resources', () => ({ resources: ['http://api.example'] })],
      ['providers', () => ({ providers: [] })],
      [
        'providers.up',
        () => ({ providers: [{ ...createProvider('up', 'Up'), configuredUrls: ['http://up'] }] }),
      ],
      ['lifetimes.access', () => ({ lifetimes: { access: 599 } })],
      ['lifetimes.code', () => ({ lifetimes: { code: 601 } })],
      ['lifetimes.consent', () => ({ lifetimes: { consent: 60.5 } })],
      ['branding.name', () => ({ branding: { name: '' } })],
      ['branding.logo', () => ({ branding: { logo: 'https://cdn.example/logo.svg' } })],
      ['texts.cancel', () => ({ texts: { cancel: '' } })],
      ['languages.fixed', () => ({ languages: pageLanguages([], { fixed: 'de' }) })],
    ])('is named in the error at startup: %s', (option, changes) => {
      expect(() => createBroker({ ...options(), ...changes() })).toThrow(
        expect.objectContaining({
          name: 'ConfigurationError',
          option,
          message: expect.stringMatching(new RegExp(`^${option.replaceAll('.', '\\.')} \\S`)),
        }),
      );
    });

    it.each(['issuer', 'sealingKeys', 'storage', 'scopes', 'clients', 'providers'])(
      'is named if it is missing, such as a variable that is not set: %s',
      (option) => {
        expect(() => createBroker(Object.assign(options(), { [option]: undefined }))).toThrow(
          expect.objectContaining({ name: 'ConfigurationError', option }),
        );
      },
    );

    it.each([
      ['a secret that is not set', [undefined]],
      ['no list', undefined],
      ['a text', gptSecret],
    ])('is named if the secrets of a client are not valid: %s', (_, secrets) => {
      expect(() => gptAction(Object.assign({ ...gpt }, { secrets }))).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: 'clients.gpt.secrets' }),
      );
    });

    it('never reveals a secret in the error message', () => {
      const wrong = [
        () => createBroker({ ...options(), sealingKeys: shortKey }),
        () => createBroker({ ...options(), sealingKeys: `${keys} ${keys}` }),
        () => gptAction({ ...gpt, secrets: ['hunter2'] }),
      ];
      for (const create of wrong) {
        expect(create).toThrow(/^(?!.*(AAECAwQF|hunter2))/);
      }
    });
  });

  // TypeScript rejects these. If they were ignored in JavaScript, the misspelled option would not apply.
  const gptOptions = { id: 'a', name: 'A', secrets: [gptSecret], scopes: ['words'] };
  const credentials = { clientId: 'a', clientSecret: 'b' };
  const issuerOptions = { ...credentials, id: 'acme', displayName: 'Acme', issuer: 'https://id.example' };
  it.each<[option: string, create: (...args: never) => unknown, options: object]>([
    ['onDeleteUser', createBroker, { ...options(), onDeleteUser: async () => {} }],
    ['lifetimes.acess', createBroker, { ...options(), lifetimes: { acess: 600 } }],
    ['pages.sigIn', createBroker, { ...options(), pages: { sigIn: () => '' } }],
    ['limits.signIns', createBroker, { ...options(), limits: { signIns: memoryLimiter } }],
    ['account.onDelete', accountPages, { onDelete: async () => {} }],
    ['account.pages.link2', accountPages, { pages: { link2: () => '' } }],
    ['clients.a.gptId', gptAction, { ...gptOptions, gptId: 'g-68f0c2a1b4d8' }],
    [
      'clients.a.secret',
      staticClient,
      { id: 'a', name: 'A', redirectUris: ['https://a.example/'], scopes: ['words'], secret: gptSecret },
    ],
    [
      'introspectionClients.a.resources',
      introspectionClient,
      { id: 'a', secrets: [gptSecret], resource: issuer, resources: [issuer] },
    ],
    ['providers.google.tenant', google, { ...credentials, tenant: 'x' }],
    ['providers.github.scopes', github, { ...credentials, scopes: ['repo'] }],
    ['providers.microsoft.tenantId', microsoft, { ...credentials, tenantId: 'x' }],
    ['providers.apple.key', apple, { clientId: 'a', teamId: 'b', keyId: 'c', privateKey: 'd', key: 'e' }],
    ['providers.acme.authtime', oidc, { ...issuerOptions, authtime: 'required' }],
    ['providers.acme.profile', oauth2, { ...issuerOptions, profile: () => undefined }],
    ['revocation', createResourceServer, { issuer, resource: issuer, keys: 'x', revocation: {} }],
  ])('refuses the unknown option %s', (option, create, untyped) => {
    expect(() => Reflect.apply(create, undefined, [untyped])).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option, message: `${option} is not an option.` }),
    );
  });

  it('has no account page unless it is configured', async () => {
    const before = deploy();
    const browser = createAccountBrowser(before);
    const { form } = await browser.openAccountPage();
    const authorizationUrl = readRedirect(await browser.post('/sign-in', { choice: 'google' }, form));
    const after = deploy({ storage: before.storage }, { hasAccountPage: false });
    expect(after.paths.filter((path) => path.startsWith('/account'))).toEqual([]);
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const query = new URLSearchParams({
      state: authorizationUrl.searchParams.get('state') ?? '',
      code: 'ada',
    });
    const response = await after.fetch(
      new Request(`${after.issuer}/callback/google?${query}`, { headers: { cookie } }),
    );
    expect(response.status).toBe(400);
    expect(after.log.slice(1)).toEqual([
      {
        event: 'refused',
        reason: 'transaction.account-removed',
        endpoint: 'callback',
        requestId: expect.any(String),
      },
    ]);
  });

  it('lists every endpoint, and no other', () => {
    expect(deploy().paths).toEqual([
      '/authorize',
      '/authorize/consent',
      '/authorize/style.css',
      '/callback/',
      '/token',
      '/revoke',
      '/introspect',
      '/account',
      '/account/sign-in',
      '/account/sign-out',
      '/account/apps/disconnect',
      '/account/devices/sign-out',
      '/account/link',
      '/account/link/confirm',
      '/account/linked/seen',
      '/account/unlink',
      '/account/export',
      '/account/delete',
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-protected-resource/api',
      '/.well-known/oauth-protected-resource/other',
    ]);
  });

  it('has endpoints for security events only if a provider sends them', () => {
    const settings = { clientId: 'id', clientSecret: 'secret' };
    const acme = oidc({ id: 'acme', displayName: 'Acme', issuer: 'https://id.example', ...settings });
    const listEventPaths = (providers: BrokerOptions['providers']) =>
      deploy({ providers }).paths.filter((path) => /^.(back|ev)/.test(path));
    expect(listEventPaths([acme])).toEqual(['/backchannel-logout/']);
    const googleWithEvents = google({ ...settings, securityEvents: googleSecurityEvents() });
    expect(listEventPaths([googleWithEvents])).toEqual(['/events/']);
    expect(listEventPaths([googleWithEvents, acme])).toEqual(['/backchannel-logout/', '/events/']);
    expect(listEventPaths([google(settings), github(settings), microsoft(settings)])).toEqual([]);
  });

  it('logs a warning only for a GPT client that any GPT can use', () => {
    const readStartupLog = (changes: Partial<BrokerOptions>) => deploy(changes).log;
    expect(readStartupLog({})).toEqual([{ event: 'unrestricted-gpt', clientId: 'gpt' }]);
    expect(
      readStartupLog({ clients: [gptAction({ ...gpt, gptIds: ['g-1234'] }), staticClient(app)] }),
    ).toEqual([]);
  });

  it('cleans up storage according to its clock, and keeps the audit log for 90 days', async () => {
    const cleanups: Cleanup[] = [];
    const deployment = deploy({
      storage: {
        ...memoryStorage(),
        cleanUp: async (cleanup) => {
          cleanups.push(cleanup);
        },
      },
    });
    deployment.advance(5);
    await deployment.broker.cleanup();
    const now = 1_800_000_005;
    expect(cleanups).toEqual([
      { now, deleteAuditBefore: now - 90 * 86_400, sealingKey: 'test-1', ringKeys: ['test-1'] },
    ]);
  });

  it('responds even if its log can’t be written', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const log = () => {
      throw new Error('the disk is full');
    };
    const deployment = deploy({ log });
    const { status } = await deployment.fetch(new Request(`${issuer}/authorize`));
    const protection = await callApi(deployment, 'x');
    const logged = lines.mock.calls.map(([line]) => JSON.parse(line));
    lines.mockRestore();
    expect([status, protection.ok]).toEqual([400, false]);
    const failed = { event: 'log-failed', cause: 'Error: the disk is full' };
    // One line at startup, about the client without gptIds, and one line for each refusal.
    expect(logged).toEqual([1, 2, 3].map((count) => ({ ...failed, count })));
  });

  it('does not call storage when it is created or when a page is shown', async () => {
    const storage = createSpyStorage();
    await createTestBrowser(deploy({ storage })).openSignInPage(gptRequest);
    expect(storage.calls).toEqual([]);
  });

  it('uses the system’s clock and randomness, and logs JSON lines, by default', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const broker = createBroker(options());
    const pages = await Promise.all(
      [1, 2].map(() => broker.handle(new Request(`${issuer}/authorize?${new URLSearchParams(gptRequest)}`))),
    );
    const cookies = pages.map((page) => page?.headers.get('set-cookie'));
    await broker.handle(new Request(`${issuer}/authorize`));
    const logged = lines.mock.calls.map(([line]) => JSON.parse(line));
    lines.mockRestore();
    expect(pages.map((page) => page?.status)).toEqual([200, 200]);
    expect(new Set(cookies).size).toBe(2);
    expect(logged).toEqual([
      { event: 'unrestricted-gpt', clientId: 'gpt', count: 1 },
      expect.objectContaining({ event: 'refused', endpoint: 'authorize', reason: 'client.missing' }),
    ]);
  });
});

describe('options', () => {
  const deployedIssuer = parseIssuer(issuer);
  const localIssuer = parseIssuer('http://localhost:8787');

  const alwaysClient = staticClient({
    id: 'always',
    name: 'Always connected',
    redirectUris: ['https://always.example/'],
    offlineAccess: 'always',
    scopes: ['words'],
  });

  describe('scopes', () => {
    const descriptions = { words: 'read the words', score: 'see your score' };
    const inEnglish = ['en'];
    const inBoth = ['en', 'de'];

    it('are those described, in their order, if no client can get refresh tokens', () => {
      const onlineClient = { ...alwaysClient, offlineAccess: 'on-request', scopes: ['words'] } as const;
      for (const none of [[], [onlineClient]])
        expect([...parseScopes(descriptions, inEnglish, none)]).toEqual([
          ['words', { en: 'read the words' }],
          ['score', { en: 'see your score' }],
        ]);
    });

    it('also contain offline_access if a client can get refresh tokens, always or on request', () => {
      const onRequestClients = clients.filter(({ offlineAccess }) => offlineAccess === 'on-request');
      for (const some of [onRequestClients, [alwaysClient], [{ ...alwaysClient, scopes: ['words'] }]])
        expect([...parseScopes(descriptions, inEnglish, some).keys()]).toEqual([
          'offline_access',
          'words',
          'score',
        ]);
    });

    it('keep a description of offline_access that the publisher wrote', () => {
      const offline_access = 'bleiben, bis du gehst';
      const scopes = parseScopes({ ...descriptions, offline_access }, inEnglish, clients);
      expect(scopes.get('offline_access')).toEqual({ en: offline_access });
    });

    it.each([
      [
        'a space',
        { 'read words': 'x' },
        'scopes must have names without spaces, commas, quotes or backslashes: read words',
      ],
      [
        'a comma',
        { 'a,b': 'x' },
        'scopes must have names without spaces, commas, quotes or backslashes: a,b',
      ],
      ['a quote', { 'a"': 'x' }, 'scopes must have names without spaces, commas, quotes or backslashes: a"'],
      ['no name', { '': 'x' }, 'scopes must have names without spaces, commas, quotes or backslashes: '],
      ['openid', { openid: 'x' }, 'scopes must not contain openid.'],
      ['no description', { words: ' ' }, 'scopes must have a description in en: words'],
      ['a number', { words: { en: JSON.parse('7') } }, 'scopes must have a description in en: words'],
      [
        'a description in another language',
        { words: { de: 'x' } },
        'scopes must have a description in en: words',
      ],
    ])('with %s fail at startup', (_, wrong: BrokerOptions['scopes'], message) => {
      expect(() => parseScopes(wrong, inEnglish, [])).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: 'scopes', message }),
      );
    });

    it('have a description in each language', () => {
      const words = { en: 'read the words', de: 'die Wörter lesen' };
      expect([...parseScopes({ words }, inBoth, [])]).toEqual([['words', words]]);
      expect(() => parseScopes(descriptions, inBoth, [])).toThrow(
        expect.objectContaining({ message: 'scopes must have descriptions by language (en, de): words' }),
      );
      for (const wrong of [{ en: 'read the words' }, { en: 'read the words', de: ' ' }])
        expect(() => parseScopes({ words: wrong }, inBoth, [])).toThrow(
          expect.objectContaining({ message: 'scopes must have a description in de: words' }),
        );
    });

    it('of a client must exist', () => {
      expect(() => parseScopes({ score: 'see your score' }, inEnglish, [alwaysClient])).toThrow(
        expect.objectContaining({
          option: 'clients.always.scopes',
          message: 'clients.always.scopes must be declared in scopes: words',
        }),
      );
    });
  });

  describe('resources', () => {
    it('default to the issuer', () => {
      expect(parseResources(undefined, deployedIssuer)).toEqual([issuer]);
    });

    it.each([[`${issuer}/api`], ['https://api.example/v1?tenant=1'], ['http://localhost:8787/api']])(
      'can be %s',
      (resource) => {
        expect(parseResources([resource], deployedIssuer)).toEqual([resource]);
      },
    );

    it.each([
      [`${issuer}/`, issuer],
      ['HTTPS://Words.Example:443', issuer],
      ['https://API.example/V1', 'https://api.example/V1'],
      ['http://LOCALHOST:80/', 'http://localhost'],
    ])('are converted to their canonical form: %s', (resource, canonical) => {
      expect(parseResources([resource], deployedIssuer)).toEqual([canonical]);
    });

    it.each([
      ...['', 'api', '/api', 'http://api.example', 'urn:example:api', `${issuer}/api#`, `${issuer}/#top`],
      ...['https://user@words.example/api', 'https://user:password@words.example', 'https://@words.example'],
      ...['https://words.example/a/../api', 'https://words.example/./api', 'https://words.example/%2e/api'],
      ...['https://words.example/a b', 'https://words.example/wörter', 'https://words.example\\api'],
      ...[
        'https://wörds.example',
        'https://%77ords.example',
        'https://words.example:0443',
        'https://2130706433',
      ],
      ...['https://words.example:99999', 'https://[0:0:0:0:0:0:0:1]/api', ' https://words.example'],
    ])('can’t be %j', (resource) => {
      expect(() => parseResources([`${issuer}/api`, resource], deployedIssuer)).toThrow(
        expect.objectContaining({
          name: 'ConfigurationError',
          option: 'resources',
          message: `resources must be absolute and normalized, use https, and have no user information or fragment: ${resource}`,
        }),
      );
    });
  });

  describe('providers', () => {
    const providerAt = (...configuredUrls: readonly string[]) => ({
      ...createProvider('google', 'Google'),
      configuredUrls,
    });

    it('are found by ID, in the order of their buttons', () => {
      const providers = [createProvider('b', 'B'), createProvider('a', 'A')];
      expect([...parseProviders(providers, deployedIssuer)]).toEqual([
        ['b', providers[0]],
        ['a', providers[1]],
      ]);
    });

    /** A provider with what a publisher's JavaScript returns as the namespace. */
    const namespaceOf = (value: unknown): IdentityProvider =>
      Object.assign(createProvider('google', 'Google'), { subjectNamespace: value });

    type Row = readonly [
      name: string,
      providers: readonly IdentityProvider[],
      option: string,
      message: string,
    ];

    it.each<Row>([
      ['none', [], 'providers', 'providers must contain at least one provider.'],
      [
        'two with the same ID',
        [createProvider('google', 'Google'), createProvider('google', 'Work')],
        'providers',
        'providers must have unique IDs.',
      ],
      ...['', 'Google', 'a/b', 'a b', '../a', 'é', 'continue', 'x'.repeat(33)].map(
        (id): Row => [
          `an ID such as ${JSON.stringify(id)}`,
          [createProvider(id, 'Google')],
          'providers',
          `providers must have IDs of 1 to 32 characters (a-z, 0-9 and hyphens) other than continue: ${id}`,
        ],
      ),
      ...['http://google.example', 'http://localhost:4000', 'ftp://google.example', 'google.example', ''].map(
        (url): Row => [
          `at the URL ${JSON.stringify(url)}`,
          [providerAt('https://google.example', url)],
          'providers.google',
          `providers.google must use https: ${url}`,
        ],
      ),
      ...['', 'x'.repeat(513), '\ud800', undefined, null, 7].map(
        (value): Row => [
          `with the subject namespace ${JSON.stringify(value)}`,
          [namespaceOf(value)],
          'providers.google.subjectNamespace',
          'providers.google.subjectNamespace must be a well-formed string of 1 to 512 characters.',
        ],
      ),
    ])('can’t be %s', (_, providers, option, message) => {
      expect(() => parseProviders(providers, deployedIssuer)).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option, message }),
      );
    });

    it('can use http if both the broker and the provider are on loopback', () => {
      expect(parseProviders([providerAt('http://127.0.0.1:4000')], localIssuer).size).toBe(1);
      expect(() => parseProviders([providerAt('http://google.example')], localIssuer)).toThrow(
        'providers.google must use https: http://google.example',
      );
    });
  });

  describe('lateRefresh', () => {
    const lateRefreshOf = (changes: Partial<BrokerOptions>) => {
      const { context } = resolveOptions({
        ...{ issuer, sealingKeys: keys, clients, scopes: { words: 'read words', score: 'see your score' } },
        ...{ providers: [createProvider('google', 'Google')], storage: memoryStorage() },
        ...changes,
      });
      return context.lateRefresh;
    };

    it.each([
      [{}, 'recover'],
      [{ lateRefresh: 'revoke' }, 'revoke'],
      [{ lifetimes: { refreshGrace: 0 } }, 'revoke'],
      [{ lifetimes: { refreshGrace: 0 }, lateRefresh: 'revoke' }, 'revoke'],
      [{ lifetimes: { refreshGrace: 1 } }, 'recover'],
      [{ lifetimes: { refreshGrace: 1 }, lateRefresh: 'recover' }, 'recover'],
    ] as const)('with the options %j', (changes, expected) => {
      expect(lateRefreshOf(changes)).toBe(expected);
    });

    it('can’t be recover without a grace period', () => {
      expect(() => lateRefreshOf({ lifetimes: { refreshGrace: 0 }, lateRefresh: 'recover' })).toThrow(
        'lateRefresh must be recover or revoke; revoke if lifetimes.refreshGrace is 0.',
      );
    });
  });

  describe('auditRetention', () => {
    it.each([86_400, 34_560_000])('of %s is accepted', async (auditRetention) => {
      const cleanups: Cleanup[] = [];
      const storage = {
        ...memoryStorage(),
        cleanUp: async (cleanup: Cleanup) => void cleanups.push(cleanup),
      };
      const deployment = deploy({ storage, auditRetention });
      await deployment.broker.cleanup();
      expect(cleanups.map(({ deleteAuditBefore }) => deleteAuditBefore)).toEqual([
        deployment.now() - auditRetention,
      ]);
    });

    it.each([0, 86_399, 34_560_001, 100_000.5, Number.NaN, -86_400])(
      'of %s fails at startup',
      (auditRetention) => {
        expect(() => deploy({ auditRetention })).toThrow(
          expect.objectContaining({
            name: 'ConfigurationError',
            message: 'auditRetention must be a whole number of seconds from 86400 to 34560000.',
          }),
        );
      },
    );
  });
});

describe('authorization server metadata', () => {
  const path = '/.well-known/oauth-authorization-server';

  it('describes the deployment, and can be cached for an hour', async () => {
    const response = await deploy().fetch(new Request(issuer + path));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'public, max-age=3600',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.json()).toEqual({
      issuer: 'https://words.example',
      authorization_endpoint: 'https://words.example/authorize',
      token_endpoint: 'https://words.example/token',
      revocation_endpoint: 'https://words.example/revoke',
      introspection_endpoint: 'https://words.example/introspect',
      scopes_supported: ['offline_access', 'words', 'score'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'none'],
      revocation_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'none'],
      introspection_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
  });

  it('is served at the issuer, including its port', async () => {
    const localUrl = 'http://localhost:8787';
    const response = await deploy({ issuer: localUrl, clients: [clients[0]] }).fetch(
      new Request(localUrl + path),
    );
    expect(await response.json()).toMatchObject({
      issuer: localUrl,
      authorization_endpoint: `${localUrl}/authorize`,
      token_endpoint: `${localUrl}/token`,
      scopes_supported: ['offline_access', 'words', 'score'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    });
  });

  it('responds to HEAD like GET, without a body', async () => {
    const response = await deploy().fetch(new Request(issuer + path, { method: 'HEAD' }));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.text()).toBe('');
  });

  it.each(['POST', 'PUT', 'OPTIONS'])('refuses the method %s with 405', async (method) => {
    const response = await deploy().fetch(new Request(issuer + path, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('refuses another host with 421', async () => {
    const response = await deploy().fetch(new Request(`https://evil.example${path}`));
    expect(response.status).toBe(421);
    expect(await response.text()).not.toContain('words.example');
  });
});

describe('protected resource metadata', () => {
  const path = '/.well-known/oauth-protected-resource';
  const mcp = `${issuer}/mcp`;

  const buildDocument = (resource: string) => ({
    resource,
    authorization_servers: ['https://words.example'],
    scopes_supported: ['words', 'score'],
    bearer_methods_supported: ['header'],
  });

  const listMetadataPaths = (resources: BrokerOptions['resources']) =>
    deploy(resources === undefined ? {} : { resources }).paths.filter((served) => served.startsWith(path));

  it('describes the resource, and can be cached for an hour', async () => {
    const response = await deploy({ resources: [issuer, mcp] }).fetch(new Request(`${issuer}${path}/mcp`));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'public, max-age=3600',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.json()).toEqual(buildDocument(mcp));
  });

  // RFC 9728 §3.3: a client refuses a document whose resource is not the one that the URL was built from.
  it.each([
    ['the issuer', 'https://words.example', path],
    ['the issuer with a slash', 'HTTPS://Words.example:443/', path],
    ['a path', mcp, `${path}/mcp`],
    ['a longer path', `${issuer}/mcp-other/v1`, `${path}/mcp-other/v1`],
    ['a path with a slash', `${issuer}/mcp/`, `${path}/mcp/`],
    ['a path with an empty segment', `${issuer}//mcp`, `${path}//mcp`],
    ['a path with characters of its own', `${issuer}/a;b=%7E'*`, `${path}/a;b=%7E'*`],
  ])('of %s has its canonical identifier', async (_, resource, url) => {
    const { fetch, paths } = deploy({ resources: [resource] });
    expect(paths.filter((served) => served.startsWith(path))).toEqual([url]);
    const document: unknown = await (await fetch(new Request(issuer + url))).json();
    expect(document).toEqual(buildDocument(resource.startsWith('HTTPS') ? issuer : resource));
  });

  it('is served for each resource at the issuer, and for no other', () => {
    expect(listMetadataPaths([issuer, mcp])).toEqual([path, `${path}/mcp`]);
    expect(listMetadataPaths([mcp])).toEqual([`${path}/mcp`]);
    expect(
      listMetadataPaths([
        'https://api.example/mcp',
        'https://words.example.evil/mcp',
        'https://words.example:8443/mcp',
        `${issuer}?tenant=a`,
        `${issuer}/mcp?tenant=a`,
        `${issuer}/mcp?`,
      ]),
    ).toEqual([]);
  });

  it.each([
    ['of a path that only begins like it', '/mcp-other'],
    ['with a slash', '/mcp/'],
    ['below it', '/mcp/v1'],
    ['in another case', '/MCP'],
    ['with an encoded character', '/%6dcp'],
    ['with an empty segment', '//mcp'],
    ['of the issuer, which is not a resource', ''],
    ['of the issuer with a slash', '/'],
  ])('leaves another path to the app: %s', async (_, other) => {
    const { broker } = deploy({ resources: [mcp] });
    expect(await broker.handle(new Request(issuer + path + other))).toBeUndefined();
    expect((await broker.fetch(new Request(issuer + path + other))).status).toBe(404);
  });

  it('is the same with a query', async () => {
    const response = await deploy({ resources: [mcp] }).fetch(new Request(`${issuer}${path}/mcp?a=1`));
    expect(await response.json()).toEqual(buildDocument(mcp));
  });

  it('lists no offline_access, even if the publisher describes it', async () => {
    const scopes = {
      words: 'read the word lists',
      offline_access: 'stay connected',
      score: 'see your score',
    };
    const { fetch } = deploy({ resources: [mcp], scopes });
    expect(await (await fetch(new Request(`${issuer}${path}/mcp`))).json()).toEqual(buildDocument(mcp));
  });

  it('responds to HEAD like GET, without a body', async () => {
    const request = new Request(`${issuer}${path}/mcp`, { method: 'HEAD' });
    const response = await deploy({ resources: [mcp] }).fetch(request);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.text()).toBe('');
  });

  it.each(['POST', 'PUT', 'OPTIONS'])('refuses the method %s with 405', async (method) => {
    const { fetch, log } = deploy({ resources: [mcp] });
    const response = await fetch(new Request(`${issuer}${path}/mcp`, { method }));
    expect(response.status).toBe(405);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      allow: 'GET, HEAD',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Method Not Allowed',
      status: 405,
      detail: 'Method not allowed.',
    });
    expect(log.at(-1)).toMatchObject({ endpoint: 'resource-metadata', reason: 'request.method' });
  });

  it('refuses another host with 421', async () => {
    const { fetch } = deploy({ resources: [mcp] });
    const response = await fetch(new Request(`https://evil.example${path}/mcp`));
    expect(response.status).toBe(421);
    expect(await response.text()).not.toContain('words.example');
  });
});

it('createResourceServer names `keys` if they are missing', () => {
  const untyped = { issuer, resource: issuer, keys: undefined };
  expect(() => Reflect.apply(createResourceServer, undefined, [untyped])).toThrow(
    expect.objectContaining({ name: 'ConfigurationError', option: 'keys' }),
  );
});
