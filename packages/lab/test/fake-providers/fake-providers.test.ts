import { execFile } from 'node:child_process';
import crypto, { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { promisify } from 'node:util';
import { readForms } from 'assistant-auth/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderAccountChooser } from '../../src/fake-providers/account-chooser.ts';
import { forward, type ReverseProxy, startReverseProxy } from '../../src/fake-providers/reverse-proxy.ts';
import {
  type FakeProvider,
  fakeUsers,
  findConsecutivePorts,
  findFreePort,
  findPortBehindProxy,
  type Page,
  startGoogle,
  startGoogleWithSession,
  startOidcIssuer,
} from '../../src/index.ts';
import {
  buildAuthorizationUrl,
  clickAndReadCallback,
  client,
  collectSubjects,
  createTestBrowser,
  fakeProviders,
  findEndpoints,
  type ProviderName,
  providerNames,
  redeemForClaims,
  redirectUri,
  signIn,
  startFakeProvider,
} from './sign-in.ts';

const [ada, bruno] = fakeUsers;
const runProgram = promisify(execFile);
const realFunctions = { randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID };

describe.each(providerNames)('the %s fake provider', (name) => {
  const fakeProvider = fakeProviders[name];

  it('listens only on 127.0.0.1', async () => {
    const { issuer, close } = await startFakeProvider(fakeProvider.start);
    expect((await fetch(issuer)).status).toBeGreaterThan(0);
    for (const address of ['[::1]', '127.0.0.2'])
      await expect(fetch(issuer.replace('127.0.0.1', address))).rejects.toThrow('fetch failed');
    await close();
    expect(issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await expect(fetch(issuer)).rejects.toThrow('fetch failed');
  });

  it('returns the same user IDs after a restart', async () => {
    const first = await collectSubjects(name);
    expect(first.map((line) => line.split(' ')[0])).toEqual(fakeUsers.map(({ email }) => email));
    expect(new Set(first.map((line) => line.split(' ')[1])).size).toBe(fakeUsers.length);
    expect(await collectSubjects(name)).toEqual(first);
  });

  it('shows the account chooser that all fake providers have, with the users in the same order', async () => {
    const { issuer, close } = await startFakeProvider(fakeProvider.start);
    const { html, status } = await openAccountChooser(name, issuer);
    await close();
    const form = { method: 'POST', action: '', fields: [] } as const;
    const accounts = fakeUsers.map((user) => ({ user, form }));
    const expected = renderAccountChooser({ provider: displayNames[name], accounts, cancel: form });
    expect(status).toBe(200);
    expect(removeFormData(html)).toBe(removeFormData(expected));
    expect(html).toContain(`<h1>Fake ${displayNames[name]}</h1>`);
    expect(html).toContain('This is a fake provider for development. No real account is used.');
    expect(readForms(html).map(({ buttons }) => buttons.map(({ text }) => text))).toEqual([
      ...fakeUsers.map((user) => [`${user.name} ${user.email}`]),
      ['Cancel'],
    ]);
  });

  it('fails with EADDRINUSE if its port is in use', async () => {
    const { issuer, close } = await startFakeProvider(fakeProvider.start);
    const secondStart = startFakeProvider(fakeProvider.start, Number(new URL(issuer).port));
    await expect(secondStart).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await close();
  });

  it('does not change the randomness of the process', async () => {
    const { close } = await startFakeProvider(fakeProvider.start);
    await close();
    expect({ randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID }).toEqual(realFunctions);
    expect({ randomBytes, randomUUID }).toEqual(realFunctions);
    expect(randomBytes(16)).not.toEqual(randomBytes(16));
    expect(randomUUID()).not.toBe(randomUUID());
  });
});

const displayNames = {
  google: 'Google',
  github: 'GitHub',
  microsoft: 'Microsoft',
  apple: 'Apple',
  oidc: 'Acme',
} as const satisfies Record<ProviderName, string>;

const openAccountChooser = async (name: ProviderName, issuer: string): Promise<Page> => {
  const { authorizationEndpoint } = await findEndpoints(fakeProviders[name], issuer);
  const page = await createTestBrowser().open(
    buildAuthorizationUrl(authorizationEndpoint, fakeProviders[name]),
  );
  if (page.kind === 'stopped-redirect') throw new Error(`redirected to ${page.location}`);
  return page;
};

/** Removes what the forms submit, and where. */
const removeFormData = (html: string): string =>
  html.replaceAll(/<form[^>]*>\s*(?:<input type="hidden"[^>]*>\s*)*/g, '<form>');

it.each<[ProviderName, 'GET' | 'POST', string]>([
  ['google', 'GET', 'access_denied'],
  ['github', 'GET', 'access_denied'],
  ['microsoft', 'GET', 'access_denied'],
  ['apple', 'POST', 'user_cancelled_authorize'],
])(
  'the %s fake provider returns an error without a code if the user cancels',
  async (name, method, error) => {
    const { issuer, close } = await startFakeProvider(fakeProviders[name].start);
    const { html } = await openAccountChooser(name, issuer);
    await close();
    expect(readForms(html).at(-1)).toEqual({
      ...{ method, action: redirectUri, buttons: [{ text: 'Cancel' }] },
      fields: [
        ['error', error],
        ['state', 'a state'],
      ],
    });
  },
);

it.each(['google', 'github', 'microsoft', 'apple'] as const)(
  'the %s fake provider has no account chooser for an unregistered redirect URI',
  async (name) => {
    const { issuer, close } = await startFakeProvider(fakeProviders[name].start);
    const { authorizationEndpoint } = await findEndpoints(fakeProviders[name], issuer);
    const url = buildAuthorizationUrl(authorizationEndpoint, fakeProviders[name]);
    url.searchParams.set('redirect_uri', 'http://localhost:1/');
    const response = await fetch(url, { redirect: 'manual' });
    const html = await response.text();
    await close();
    expect(response.status).toBe(400);
    expect(html).not.toContain('localhost:1');
    expect(html).not.toContain(ada.email);
  },
);

it('the fake providers return the same user IDs in another process', async () => {
  const program = new URL('subjects.ts', import.meta.url).pathname;
  const { stdout } = await runProgram(process.execPath, ['--conditions=dev-source', program]);
  const subjects: (readonly string[])[] = [];
  for (const name of providerNames) subjects.push(await collectSubjects(name));
  expect(JSON.parse(stdout)).toEqual(subjects);
});

it.each<[ProviderName, object]>([
  ['google', { email: 'ada.marlow@example.com', nonce: 'a nonce' }],
  ['github', { id: expect.any(Number), login: 'ada-marlow', email: 'ada.marlow@example.com' }],
  [
    'microsoft',
    { tid: '9188040d-6c67-4c5b-b112-36a304b66dad', oid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ],
  ['apple', { email: 'ada.marlow@example.com', email_verified: 'true' }],
  ['oidc', { email: 'ada.marlow@example.com', email_verified: true, name: 'Ada Marlow' }],
])('the %s fake provider returns the claims of its provider', async (name, claims) => {
  const { issuer, close } = await startFakeProvider(fakeProviders[name].start);
  const receivedClaims = await signIn(fakeProviders[name], issuer, fakeUsers[0].email);
  await close();
  expect(receivedClaims).toMatchObject(claims);
});

it.each(['google', 'microsoft', 'apple'] as const)(
  'the %s fake provider responds with 503 to a refresh token from before its restart, and not with invalid_grant',
  async (name) => {
    const { issuer, close } = await startFakeProvider(fakeProviders[name].start);
    const { tokenEndpoint } = await findEndpoints(fakeProviders[name], issuer);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: 'of-an-earlier-start',
      client_id: client.clientId,
      client_secret: client.clientSecret,
    });
    const response = await fetch(tokenEndpoint, { method: 'POST', body });
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        error: 'temporarily_unavailable',
        error_description: 'This token was issued before the last restart.',
      },
    ]);
    await close();
  },
);

describe('the Google fake provider with a session', () => {
  let google: FakeProvider;
  beforeEach(async () => {
    google = await startFakeProvider(startGoogleWithSession);
  });
  afterEach(() => google.close());

  const authorize = async (cookie: string): Promise<Response> => {
    const { authorizationEndpoint: endpoint } = await findEndpoints(fakeProviders.google, google.issuer);
    return fetch(buildAuthorizationUrl(endpoint, fakeProviders.google), {
      redirect: 'manual',
      headers: { cookie },
    });
  };

  it('redirects a user with a session without showing a page', async () => {
    const response = await authorize(`other=1; signed-in=${ada.email}`);
    const location = new URL(response.headers.get('location') ?? '');
    expect(response.status).toBe(302);
    expect(location.origin + location.pathname).toBe(redirectUri);
    expect(location.searchParams.get('state')).toBe('a state');
    const claims = await redeemForClaims(
      fakeProviders.google,
      google.issuer,
      location.searchParams.get('code') ?? '',
    );
    expect(claims).toMatchObject({ iss: google.issuer, email: ada.email, nonce: 'a nonce' });
  });

  it('shows the page to users without a session', async () => {
    const response = await authorize('');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(ada.email);
  });

  it('rejects a session of an unknown user', async () => {
    const response = await authorize('signed-in=nobody@example.com');
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
  });

  it.each([startGoogleWithSession, startGoogle])(
    'fails with EADDRINUSE if its port is in use',
    async (start) => {
      const secondStart = startFakeProvider(start, Number(new URL(google.issuer).port));
      await expect(secondStart).rejects.toMatchObject({ code: 'EADDRINUSE' });
    },
  );
});

describe('the fake OpenID Connect issuer', () => {
  const fakeProvider = fakeProviders.oidc;
  let fakeIssuer: FakeProvider;
  beforeEach(async () => {
    fakeIssuer = await startFakeProvider(startOidcIssuer);
  });
  afterEach(() => fakeIssuer.close());

  const openAuthorizationUrl = async (
    change: (url: URL) => void = () => {},
    browser = createTestBrowser(),
  ) => {
    const url = buildAuthorizationUrl(
      (await findEndpoints(fakeProvider, fakeIssuer.issuer)).authorizationEndpoint,
      fakeProvider,
    );
    change(url);
    const page = await browser.open(url);
    return { browser, page };
  };

  const requirePage = ({ page }: Awaited<ReturnType<typeof openAuthorizationUrl>>): Page => {
    if (page.kind === 'stopped-redirect') throw new Error(`redirected to ${page.location}`);
    return page;
  };

  it('shows all users', async () => {
    const { html, status } = requirePage(await openAuthorizationUrl());
    expect(status).toBe(200);
    for (const { name, email } of fakeUsers) expect(html).toContain(`${name} <small>${email}`);
  });

  it('returns access_denied if the user cancels', async () => {
    const openedPage = await openAuthorizationUrl();
    const callback = await clickAndReadCallback(openedPage.browser, requirePage(openedPage), 'Cancel');
    expect(callback.get('error')).toBe('access_denied');
    expect(callback.get('state')).toBe('a state');
    expect(callback.get('code')).toBeNull();
  });

  it('shows all users again although one is signed in, and lets another one sign in', async () => {
    const first = await openAuthorizationUrl();
    await clickAndReadCallback(first.browser, requirePage(first), ada.email);
    const second = await openAuthorizationUrl(undefined, first.browser);
    // oidc-provider signs the first user out on its own page.
    const signOutPage = await first.browser.clickButton(requirePage(second), bruno.email);
    const callback =
      signOutPage.kind === 'page'
        ? await clickAndReadCallback(first.browser, signOutPage, '')
        : signOutPage.location.searchParams;
    expect(await redeemForClaims(fakeProvider, fakeIssuer.issuer, callback.get('code') ?? '')).toMatchObject({
      email: bruno.email,
    });
  });

  it('adds its issuer (`iss`) to the callback', async () => {
    const openedPage = await openAuthorizationUrl();
    expect(
      (await clickAndReadCallback(openedPage.browser, requirePage(openedPage), ada.email)).get('iss'),
    ).toBe(fakeIssuer.issuer);
  });

  it('rejects an authorization request without PKCE', async () => {
    const { page } = await openAuthorizationUrl((url) => url.searchParams.delete('code_challenge'));
    if (page.kind === 'page') throw new Error(`a page was shown: ${page.status}`);
    expect(page.location.searchParams.get('error')).toBe('invalid_request');
    expect(page.location.searchParams.get('code')).toBeNull();
  });

  it.each([
    ['client_id', 'another'],
    ['redirect_uri', 'http://localhost:1/'],
  ])('shows an error page for an unregistered %s', async (name, value) => {
    expect(requirePage(await openAuthorizationUrl((url) => url.searchParams.set(name, value))).status).toBe(
      400,
    );
  });
});

describe('the reverse proxy', () => {
  // The server closes every connection on its second request, as if it had been idle for too long.
  let target: Server;
  let proxy: ReverseProxy;
  let proxyUrl: string;

  beforeEach(async () => {
    const [port, targetPort] = [await findFreePort(), await findFreePort()];
    const usedSockets = new WeakSet<object>();
    target = createServer((request, response) => {
      if (usedSockets.has(request.socket)) return void request.socket.destroy();
      usedSockets.add(request.socket);
      response.end(`${request.method} ${request.url}`);
    });
    await once(target.listen(targetPort, '127.0.0.1'), 'listening');
    proxy = await startReverseProxy(port, targetPort, forward);
    proxyUrl = `http://127.0.0.1:${port}`;
  });

  afterEach(() => {
    proxy.close();
    target.close();
    target.closeAllConnections();
  });

  it('forwards every request on a new connection', async () => {
    for (const path of ['/one', '/two', '/three']) {
      const response = await fetch(proxyUrl + path, { method: 'POST', body: 'x' });
      expect([response.status, await response.text()]).toEqual([200, `POST ${path}`]);
    }
  });
});

const listen = (port: number) =>
  new Promise<() => void>((resolve, reject) => {
    const server = createServer((_, response) => response.end('open'));
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(() => void server.close()));
  });

describe('a free port', () => {
  it('is a port that a server can listen on', async () => {
    const close = await listen(await findFreePort());
    expect(close).not.toThrow();
  });

  it('is the first of several in a row', async () => {
    const first = await findConsecutivePorts(6);
    const closeServers = await Promise.all(Array.from({ length: 6 }, (_, index) => listen(first + index)));
    for (const close of closeServers) close();
    expect(closeServers).toHaveLength(6);
  });

  it('is neither one that the system assigns automatically nor one that fetch blocks', async () => {
    const firstPorts = await Promise.all(Array.from({ length: 50 }, () => findConsecutivePorts(6)));
    expect(Math.max(...firstPorts) + 5).toBeLessThan(32_768);
    expect(Math.min(...firstPorts)).toBeGreaterThan(10_080);
    const close = await listen(Math.min(...firstPorts));
    const response = await fetch(`http://127.0.0.1:${Math.min(...firstPorts)}/`, {
      headers: { connection: 'close' },
    });
    expect(await response.text()).toBe('open');
    close();
  });

  it('is found only once, because a test may use it much later', async () => {
    const firstPorts = await Promise.all(Array.from({ length: 50 }, () => findConsecutivePorts(6)));
    const ports = firstPorts.flatMap((first) => Array.from({ length: 6 }, (_, index) => first + index));
    expect(new Set(ports).size).toBe(300);
  });

  it('is never one of those for servers behind a proxy', async () => {
    const portsBehindProxy = await Promise.all(Array.from({ length: 50 }, findPortBehindProxy));
    const ports = await Promise.all(Array.from({ length: 50 }, findFreePort));
    expect(Math.max(...ports)).toBeLessThan(Math.min(...portsBehindProxy));
  });
});
