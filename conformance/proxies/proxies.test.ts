/** The broker on Node behind nginx and Caddy, which terminate TLS as `docs/guides/proxy.md` shows. */
import { type IncomingMessage, request as sendHttp } from 'node:http';
import { createBrowser, type Page, type StoppedRedirect } from 'assistant-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy, redirectUri } from './deployment.ts';
import { proxyNames } from './proxy.ts';

type Deployment = Awaited<ReturnType<typeof deploy>>;

const buttons = ['Sign in with Acme', 'Ada Marlow'];
const longState = 's'.repeat(2048);

const openBrowser = ({ fetch, origins }: Deployment) =>
  createBrowser({ fetch, origins, shouldStopAt: ({ host }) => host === 'app.example' });

const expectPage = (result: Page | StoppedRedirect): Page => {
  if (result.kind !== 'page') throw new Error(`stopped at ${result.location.href}`);
  return result;
};

const expectCallback = (result: Page | StoppedRedirect): URL => {
  if (result.kind === 'page') throw new Error(`ended on a page with status ${result.status}: ${result.html}`);
  return result.location;
};

/** Returns the length of all cookies that the server has received in one request. */
const longestCookieHeader = ({ received }: Deployment): number =>
  Math.max(...received.map(({ cookie }) => cookie.length));

/** Sends a GET request over http to this machine, with the `Host` header. */
const sendHttpRequest = async ({ host, ...target }: { port: number; path: string; host: string }) => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = sendHttp({ ...target, host: '127.0.0.1', headers: { host } }, resolve);
  outgoing.on('error', reject).end();
  const response = await promise;
  return response.resume();
};

describe.each(proxyNames)('behind %s', (name) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await deploy(name);
  });
  afterAll(() => deployment.stop());

  /** Builds an authorization request with a `state` of the maximum length. */
  const buildLongRequest = async (): Promise<URL> => {
    const { url } = await deployment.client.startSignIn();
    url.searchParams.set('state', longState);
    return url;
  };

  it('serves the metadata, whose URLs have the scheme and host of the issuer', async () => {
    const { issuer } = deployment;
    const path = '/.well-known/oauth-authorization-server';
    const response = await deployment.fetch(new Request(issuer + path));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    });
  });

  it('signs a user in, refreshes, protects the API, and revokes', async () => {
    const { client, issuer } = deployment;
    const signedIn = await client.signIn(buttons);
    const response = await client.call(`${issuer}/score`, signedIn.accessToken);
    expect([response.status, await response.json()]).toEqual([200, { user: expect.any(String) }]);
    const refreshed = await client.refresh(signedIn.refreshToken);
    if (refreshed.kind === 'error') throw new Error(refreshed.error);
    expect((await client.call(`${issuer}/score`, refreshed.accessToken)).status).toBe(200);
    await client.revoke(refreshed.refreshToken ?? '');
    expect((await client.refresh(refreshed.refreshToken)).kind).toBe('error');
    const challenge = (await client.call(`${issuer}/score`, 'wrong')).headers.get('www-authenticate');
    expect(challenge).toContain(`Bearer realm="${issuer}"`);
  });

  it('returns the error to the client if the user cancels', async () => {
    await expect(deployment.client.signIn(['Sign in with Acme', 'Cancel'])).rejects.toThrow('access_denied');
  });

  it('serves the account page', async () => {
    const { client, issuer } = deployment;
    await client.signIn(buttons);
    const browser = openBrowser(deployment);
    const signInPage = expectPage(await browser.open(new URL(`${issuer}/account`)));
    const providerPage = expectPage(await browser.clickButton(signInPage, 'Sign in with Acme'));
    const account = expectPage(await browser.clickButton(providerPage, 'Ada Marlow'));
    expect([account.url.href, account.status]).toEqual([`${issuer}/account`, 200]);
    expect(account.html).toContain('Connected apps');
    const disconnected = expectPage(await browser.clickButton(account, 'Disconnect'));
    expect(disconnected.html).toContain('The app is disconnected.');
    const signedOut = expectPage(await browser.clickButton(disconnected, 'Sign out'));
    expect(signedOut.html).toContain('You’re signed out.');
  });

  it('redirects http to https, and tells browsers to use only https', async () => {
    const { httpPort, issuer } = deployment;
    const redirect = await sendHttpRequest({ port: httpPort, path: '/account?a=b', host: 'api.example' });
    expect([301, 308]).toContain(redirect.statusCode);
    // Caddy adds the port for https unless it is 443.
    expect(redirect.headers.location?.replace(/:\d+/, '')).toBe(`${issuer}/account?a=b`);
    const { headers } = await deployment.fetch(new Request(`${issuer}/account`));
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  it('never handles a request for another host', async () => {
    const { issuer, received } = deployment;
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const before = received.length;
    const response = await deployment.fetch(new Request(url, { headers: { host: 'evil.example' } }));
    // Caddy responds itself, with an empty body, to a host for which it has no site.
    expect([response.status, received.length - before]).toEqual(name === 'nginx' ? [421, 1] : [200, 0]);
    if (name === 'caddy') expect(await response.text()).toBe('');
  });

  it('ignores the host and the scheme in forwarded headers', async () => {
    const { issuer } = deployment;
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example',
    };
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const metadata = await (await deployment.fetch(new Request(url, { headers }))).json();
    expect(metadata).toMatchObject({ issuer });
    expect(JSON.stringify(metadata)).not.toContain('evil.example');
  });

  it('W5.2 only the platform’s own header: counts the address of the connection, and none that the client sends', async () => {
    const { issuer, countedKeys } = deployment;
    countedKeys.length = 0;
    const forged = '203.0.113.9';
    const names = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'x-client-ip', 'cf-connecting-ip'];
    for (const headers of [{}, Object.fromEntries(names.map((header) => [header, forged]))])
      await deployment.fetch(new Request(`${issuer}/account`, { headers }));
    expect(countedKeys).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('W21.1 below 6 kB: signs a user in after five abandoned sign-ins with a long state, and returns the state', async () => {
    const browser = openBrowser(deployment);
    for (let attempt = 0; attempt < 5; attempt++) {
      const page = expectPage(await browser.open(await buildLongRequest()));
      const providerPage = expectPage(await browser.clickButton(page, 'Sign in with Acme'));
      expect([providerPage.url.origin, providerPage.status]).toEqual([deployment.acme.issuer, 200]);
    }
    const page = expectPage(await browser.open(await buildLongRequest()));
    const providerPage = expectPage(await browser.clickButton(page, 'Sign in with Acme'));
    const callback = expectCallback(await browser.clickButton(providerPage, 'Ada Marlow'));
    expect(callback.origin + callback.pathname).toBe(redirectUri);
    expect(callback.searchParams.get('state')).toBe(longState);
    expect(callback.searchParams.has('code')).toBe(true);
    expect(longestCookieHeader(deployment)).toBeLessThan(6_000);
  });

  it('W21.1 below 6 kB: keeps the session and the newest sign-in among many abandoned ones', async () => {
    const { issuer } = deployment;
    const browser = openBrowser(deployment);
    const signInPage = expectPage(await browser.open(new URL(`${issuer}/account`)));
    const chooser = expectPage(await browser.clickButton(signInPage, 'Sign in with Acme'));
    expectPage(await browser.clickButton(chooser, 'Ada Marlow'));
    let last = chooser;
    for (let attempt = 0; attempt < 8; attempt++) {
      const url = attempt % 2 === 0 ? await buildLongRequest() : (await deployment.client.startSignIn()).url;
      url.searchParams.set('prompt', 'login');
      const page = expectPage(await browser.open(url));
      last = expectPage(await browser.clickButton(page, 'Sign in with Acme'));
    }
    expect((await browser.clickButton(last, 'Ada Marlow')).kind).toBe('stopped-redirect');
    expect(expectPage(await browser.open(new URL(`${issuer}/account`))).html).toContain('Connected apps');
    expect(longestCookieHeader(deployment)).toBeLessThan(6_000);
  });
});

describe('with a port in the issuer', () => {
  it('works behind nginx with $http_host', async () => {
    const deployment = await deploy('nginx', {
      hasPort: true,
      change: (documented) => documented.replace('Host $host', 'Host $http_host'),
    });
    try {
      expect((await deployment.client.signIn(buttons)).accessToken).not.toBe('');
    } finally {
      await deployment.stop();
    }
  });
});

describe('the server behind the proxy', () => {
  it('responds with 421 to a request for another host', async () => {
    const deployment = await deploy('caddy');
    try {
      const path = '/.well-known/oauth-authorization-server';
      const { statusCode } = await sendHttpRequest({
        ...{ port: deployment.backendPort, path },
        host: `127.0.0.1:${deployment.backendPort}`,
      });
      expect(statusCode).toBe(421);
    } finally {
      await deployment.stop();
    }
  });
});
