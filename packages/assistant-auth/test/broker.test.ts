import { describe, expect, test, vi } from 'vitest';
import {
  type BrokerOptions,
  type Cleanup,
  createBroker,
  github,
  google,
  gptAction,
  microsoft,
  oidc,
  staticClient,
} from '../src/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { createAccountBrowser } from './account-browser.ts';
import { callApi, createTestBrowser, gptRequest, readRedirect } from './browser.ts';
import { clients, deploy, gptSecret, issuer, keys } from './deployment.ts';
import { createProvider } from './fake-provider.ts';
import { createSpyStorage } from './spy-storage.ts';

const options = (): BrokerOptions => ({
  issuer,
  sealingKeys: keys,
  scopes: { words: 'read the word lists', score: 'see and raise your score' },
  clients,
  providers: [createProvider('google', 'Google')],
  storage: memoryStorage(),
});

const shortKey = 'test-1.AAECAwQFBgcICQoLDA0ODw';
const gpt = { id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words'] };
const app = { id: 'app', name: 'App', redirectUris: ['https://app.example/'], scopes: ['words'] };

describe('a wrong option', () => {
  test.each<[option: string, changes: () => Partial<BrokerOptions>]>([
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
    ['branding.logoPath', () => ({ branding: { logoPath: 'https://cdn.example/logo.svg' } })],
    ['branding.texts.cancel', () => ({ branding: { texts: { cancel: '' } } })],
  ])('stops the start and is named: %s', (option, changes) => {
    expect(() => createBroker({ ...options(), ...changes() })).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        option,
        message: expect.stringMatching(new RegExp(`^${option.replaceAll('.', '\\.')} \\S`)),
      }),
    );
  });

  test('never repeats a secret in what it says', () => {
    const wrong = [
      () => createBroker({ ...options(), sealingKeys: shortKey }),
      () => createBroker({ ...options(), sealingKeys: `${keys} ${keys}` }),
      () => gptAction({ ...gpt, secrets: ['hunter2'] }),
    ];
    for (const start of wrong) {
      expect(start).toThrow(/^(?!.*(AAECAwQF|hunter2))/);
    }
  });
});

describe('a broker', () => {
  test('has no account page unless it is configured', async () => {
    const before = deploy();
    const browser = createAccountBrowser(before);
    const { form } = await browser.openAccountPage();
    const sent = readRedirect(await browser.post('/sign-in', { choice: 'google' }, form));
    const after = deploy({ storage: before.storage }, { hasAccountPage: false });
    expect(after.broker.routes.map(({ path }) => path).filter((path) => path.startsWith('/account'))).toEqual(
      [],
    );
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const query = new URLSearchParams({ state: sent.searchParams.get('state') ?? '', code: 'ada' });
    const response = await after.fetch(
      new Request(`${after.issuer}/callback/google?${query}`, { headers: { cookie } }),
    );
    expect(response.status).toBe(400);
    expect(after.log.slice(1)).toEqual([
      {
        event: 'refused',
        reason: 'transaction.missing',
        endpoint: 'callback',
        requestId: expect.any(String),
      },
    ]);
  });

  test('has every endpoint to be mounted, and no other', () => {
    expect(deploy().broker.routes.map(({ path }) => path)).toEqual([
      '/authorize',
      '/authorize/consent',
      '/authorize/style.css',
      '/callback/*',
      '/token',
      '/revoke',
      '/introspect',
      '/account',
      '/account/sign-in',
      '/account/sign-out',
      '/account/apps/end',
      '/account/link',
      '/account/link/confirm',
      '/account/unlink',
      '/account/export',
      '/account/delete',
      '/.well-known/oauth-authorization-server',
    ]);
  });

  test('has endpoints for what providers tell, where one of them tells something', () => {
    const settings = { clientId: 'id', clientSecret: 'secret' };
    const acme = oidc({ id: 'acme', displayName: 'Acme', issuer: 'https://id.example', ...settings });
    const told = (providers: BrokerOptions['providers']) =>
      deploy({ providers })
        .broker.routes.map(({ path }) => path)
        .filter((path) => /^.(back|ev)/.test(path));
    expect(told([acme])).toEqual(['/backchannel-logout/*']);
    expect(told([google(settings)])).toEqual(['/events/*']);
    expect(told([google(settings), acme])).toEqual(['/backchannel-logout/*', '/events/*']);
    expect(told([github(settings), microsoft(settings)])).toEqual([]);
  });

  test('warns of a GPT client that any GPT may use, and only of that', () => {
    const warned = (changes: Partial<BrokerOptions>) => deploy(changes).log;
    expect(warned({})).toEqual([{ event: 'unrestricted-gpt', clientId: 'gpt' }]);
    expect(warned({ clients: [gptAction({ ...gpt, gptIds: ['g-1234'] }), staticClient(app)] })).toEqual([]);
  });

  test('cleans up storage at the instant of its clock, and keeps the audit for 90 days', async () => {
    const cleanedUp: Cleanup[] = [];
    const deployment = deploy({
      storage: {
        ...memoryStorage(),
        cleanUp: async (given) => {
          cleanedUp.push(given);
        },
      },
    });
    deployment.advance(5);
    await deployment.broker.cleanup();
    const now = 1_800_000_005;
    expect(cleanedUp).toEqual([
      { now, deleteAuditBefore: now - 90 * 86_400, sealingKey: 'test-1', ringKeys: ['test-1'] },
    ]);
  });

  test('answers whether or not its log can be written', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const log = () => {
      throw new Error('the disk is full');
    };
    const deployment = deploy({ log });
    const { status } = await deployment.fetch(new Request(`${issuer}/authorize`));
    const protection = await callApi(deployment, 'x');
    const logged = lines.mock.calls.map(([line]) => JSON.parse(line));
    lines.mockRestore();
    expect([status, protection.kind]).toEqual([400, 'refused']);
    const failed = { event: 'log-failed', cause: 'Error: the disk is full' };
    // At the start of the unpinned client, then of both refusals.
    expect(logged).toEqual([1, 2, 3].map((count) => ({ ...failed, count })));
  });

  test('touches storage neither when it is built nor when a page is shown', async () => {
    const storage = createSpyStorage();
    await createTestBrowser(deploy({ storage })).openSignInPage(gptRequest);
    expect(storage.calls).toEqual([]);
  });

  test('runs on the system’s clock and randomness, and logs lines of JSON, when nothing else is given', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { routes } = createBroker(options());
    const authorize = routes.find(({ path }) => path === '/authorize');
    const pages = await Promise.all(
      [1, 2].map(() =>
        authorize?.endpoint(new Request(`${issuer}/authorize?${new URLSearchParams(gptRequest)}`)),
      ),
    );
    const cookies = pages.map((page) => page?.headers.get('set-cookie'));
    await authorize?.endpoint(new Request(`${issuer}/authorize`));
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
