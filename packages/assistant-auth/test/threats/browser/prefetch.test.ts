/** Requests that a browser or a link scanner makes before the person opens the page. */
import { describe, expect, it } from 'vitest';
import { createAccountBrowser } from '../../account-browser.ts';
import { gptRequest, readRedirect } from '../../browser.ts';
import { deploy, issuer } from '../../deployment.ts';
import { createProvider } from '../../fake-provider.ts';
import { buildCookieHeader, continueToProvider, startAuthorization } from '../../flows.ts';
import { createSpyProvider } from '../../spy-provider.ts';
import { createSpyStorage } from '../../spy-storage.ts';

const prefetching: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['Sec-Purpose: prefetch', { 'sec-purpose': 'prefetch' }],
  ['Sec-Purpose: prefetch;prerender', { 'sec-purpose': 'prefetch;prerender' }],
  ['Sec-Purpose: prefetch;anonymous-client-ip', { 'sec-purpose': 'prefetch;anonymous-client-ip' }],
  ['Sec-Purpose and Purpose', { 'sec-purpose': 'prefetch', purpose: 'prefetch' }],
  ['Purpose: prefetch', { purpose: 'prefetch' }],
  ['Purpose: Prefetch', { purpose: 'Prefetch' }],
  ['X-Purpose: preview', { 'x-purpose': 'preview' }],
  ['X-Moz: prefetch', { 'x-moz': 'prefetch' }],
];

const createSystem = () => {
  const provider = createSpyProvider();
  const storage = createSpyStorage();
  const counted: string[] = [];
  const limiter = {
    take: async (key: string) => {
      counted.push(key);
      return 'allowed' as const;
    },
  };
  const posting = { ...createProvider('apple', 'Apple'), responseMode: 'form_post' as const };
  const deployment = deploy({
    ...{ providers: [provider, posting], storage },
    limits: { signIns: limiter },
    clientAddress: () => '192.0.2.1',
  });
  return { provider, storage, counted, deployment };
};

/** A page that is not used for the navigation, and a broker that did nothing. */
const expectRefused = async (
  { provider, storage, counted, deployment }: ReturnType<typeof createSystem>,
  send: () => Promise<Response>,
) => {
  const before = [
    provider.tokenRequests.length,
    provider.authorizationRequests.length,
    storage.calls.length,
    counted.length,
  ];
  const response = await send();
  expect(response.status).toBe(503);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('retry-after')).toBe('10');
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(await response.text()).toContain(
    'This page cannot be loaded in advance. Open it again to continue.',
  );
  expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'request.prefetch' });
  const after = [
    provider.tokenRequests.length,
    provider.authorizationRequests.length,
    storage.calls.length,
    counted.length,
  ];
  expect(after).toEqual(before);
};

describe('B21', () => {
  it.each(prefetching)(
    'B21.1 the callback, with %s: signs in at the navigation that follows',
    async (_, headers) => {
      const system = createSystem();
      const { browser, callbackUrl } = await continueToProvider(system.deployment);
      const url = callbackUrl({ code: 'ada' });
      for (let time = 0; time < 2; time++) await expectRefused(system, () => browser.visit(url, { headers }));
      expect(readRedirect(await browser.visit(url)).searchParams.has('code')).toBe(true);
    },
  );

  it('B21.1 the callback, prefetched without cookies: signs in at the navigation that follows', async () => {
    const system = createSystem();
    const { browser, callbackUrl } = await continueToProvider(system.deployment);
    const url = callbackUrl({ code: 'ada' });
    const headers = { 'sec-purpose': 'prefetch' };
    await expectRefused(system, () => system.deployment.fetch(new Request(url, { headers })));
    expect(readRedirect(await browser.visit(url)).searchParams.has('code')).toBe(true);
  });

  it.each(prefetching)(
    'B21.2 the sign-in page, with %s: sets no cookie, and opens afterwards',
    async (_, headers) => {
      const system = createSystem();
      const url = `${issuer}/authorize?${new URLSearchParams(gptRequest)}`;
      await expectRefused(system, () => system.deployment.fetch(new Request(url, { headers })));
      const { browser, consent } = await startAuthorization(system.deployment);
      expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
    },
  );

  it.each(prefetching)('B21.3 forms and posted answers, with %s: begin nothing', async (_, purpose) => {
    const system = createSystem();
    const { browser, consent } = await startAuthorization(system.deployment);
    const headers = { origin: issuer, cookie: buildCookieHeader(browser.cookies), ...purpose };
    const post = (path: string, fields: Readonly<Record<string, string>>) => () =>
      system.deployment.fetch(
        new Request(issuer + path, { method: 'POST', headers, body: new URLSearchParams(fields) }),
      );
    await expectRefused(system, post('/authorize/consent', { consent, choice: 'google' }));
    await expectRefused(system, post('/callback/apple', { state: 's', code: 'ada' }));
    expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
  });

  it.each(prefetching)(
    'B21.4 the account, with %s: touches neither session nor notice',
    async (_, purpose) => {
      const system = createSystem();
      const accountBrowser = createAccountBrowser(system.deployment);
      await accountBrowser.signInToAccount();
      const { form } = await accountBrowser.openAccountPage();
      const headers = { origin: issuer, cookie: buildCookieHeader(accountBrowser.cookies), ...purpose };
      await expectRefused(system, () =>
        system.deployment.fetch(new Request(`${issuer}/account`, { headers })),
      );
      for (const action of [
        'sign-in',
        'sign-out',
        'apps/end',
        'link',
        'link/confirm',
        'unlink',
        'export',
        'delete',
      ]) {
        const body = new URLSearchParams({ form, choice: 'google', all: '1', confirm: 'yes' });
        const request = new Request(`${issuer}/account/${action}`, { method: 'POST', headers, body });
        await expectRefused(system, () => system.deployment.fetch(request));
      }
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    },
  );

  it('B21.5 what may be loaded in advance: public documents are', async () => {
    const { deployment } = createSystem();
    const headers = { 'sec-purpose': 'prefetch' };
    for (const path of ['/.well-known/oauth-authorization-server', '/authorize/style.css']) {
      const response = await deployment.fetch(new Request(issuer + path, { headers }));
      expect(response.status).toBe(200);
    }
  });

  it.each([
    ['no such header', {}],
    ['another purpose', { purpose: 'navigation', 'sec-purpose': '' }],
    ['a longer word', { purpose: 'prefetched' }],
  ])('B21.5 what may be loaded in advance: a navigation with %s goes on', async (_, headers) => {
    const { deployment } = createSystem();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const back = readRedirect(await browser.visit(callbackUrl({ code: 'ada' }), { headers }));
    expect(back.searchParams.has('code')).toBe(true);
  });
});
