/** Browsers without cookies, prefetch requests, and several tabs at once. */
import { describe, expect, it } from 'vitest';
import {
  accountActions,
  createAccountBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
  readHiddenField,
  staleFormMessage,
} from '../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect, type TestBrowser } from '../browser.ts';
import { type Deployment, deploy, highUserLimits, issuer } from '../deployment.ts';
import { expectCookiesPage, expectErrorPage, missingTransactionMessage } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildCookieHeader,
  continueToProvider,
  listBindingCookies,
  listCompletionCookies,
  listTransactionCookies,
  startAuthorization,
} from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('blocked or deleted cookies', () => {
  const staleConsent = 'This page has expired or was opened in another browser.';

  const createSystem = () => {
    const provider = createSpyProvider();
    const storage = createSpyStorage();
    return { provider, storage, deployment: deploy({ providers: [provider], storage }) };
  };

  it.each([{ choice: 'google' }, { choice: 'continue' }, { cancel: '1' }])(
    'B23.1 at the consent: the response to %j explains that cookies are missing, and nothing starts',
    async (choice) => {
      const { provider, storage, deployment } = createSystem();
      const { browser, consent } = await startAuthorization(deployment);
      for (const hasNoCookies of [true, false]) {
        if (hasNoCookies) browser.cookies.clear();
        else browser.cookies.set('theme', 'dark');
        const response = await browser.submitConsent(consent, choice);
        await expectCookiesPage(response, deployment, 'consent');
        expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.no-cookies' });
      }
      expect(provider.authorizationRequests).toEqual([]);
      expect(storage.calls).toEqual([]);
    },
  );

  it('B23.1 at the consent: the same form works once its cookie is present', async () => {
    const { deployment } = createSystem();
    const { browser, consent } = await startAuthorization(deployment);
    const cookies = [...browser.cookies];
    browser.cookies.clear();
    await expectCookiesPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      'consent',
    );
    for (const [name, value] of cookies) browser.cookies.set(name, value);
    expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
  });

  it('B23.2 not blocked: an error in the form itself is reported first', async () => {
    const { deployment } = createSystem();
    const { consent } = await startAuthorization(deployment);
    const otherBrowser = createTestBrowser(deployment);
    const request = new Request(`${issuer}/authorize/consent`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ consent, choice: 'google' }),
    });
    await expectErrorPage(await deployment.fetch(request), deployment, staleConsent);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.origin' });
    await expectErrorPage(
      await otherBrowser.submitConsent('forged', { choice: 'google' }),
      deployment,
      staleConsent,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.unreadable' });
    deployment.advance(1800);
    await expectErrorPage(
      await otherBrowser.submitConsent(consent, { choice: 'google' }),
      deployment,
      staleConsent,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.expired' });
  });

  it('B23.2 not blocked: a browser with another binding cookie sees that the page was issued to another browser', async () => {
    const { deployment } = createSystem();
    const { consent } = await startAuthorization(deployment);
    const { browser } = await startAuthorization(deployment);
    await expectErrorPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      staleConsent,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.csrf' });
  });

  it('B23.3 at the callback: without any cookie of this host', async () => {
    const { provider, storage, deployment } = createSystem();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    browser.cookies.clear();
    for (const cookieName of [undefined, 'theme', '__Host-another-app', '__Secure-csrf-12345678']) {
      if (cookieName !== undefined) browser.cookies.set(cookieName, 'x');
      const response = await browser.visit(callbackUrl({ code: 'ada' }));
      await expectCookiesPage(response, deployment, 'callback');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.no-cookies' });
    }
    expect(provider.tokenRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
  });

  it('B23.3 at the callback: any other cookie of this host shows that cookies are not blocked', async () => {
    const { deployment } = createSystem();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    for (const name of listTransactionCookies(browser.cookies)) browser.cookies.delete(name);
    await expectErrorPage(
      await browser.visit(callbackUrl({ code: 'ada' })),
      deployment,
      missingTransactionMessage,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.missing' });
  });

  it.each(accountActions)(
    'B23.4 at the account page: POST /account%s changes nothing, and explains that cookies are missing',
    async (action) => {
      const { provider, storage, deployment } = createSystem();
      const accountBrowser = createAccountBrowser(deployment);
      const { form } = await accountBrowser.openAccountPage();
      accountBrowser.cookies.clear();
      const fields = { choice: 'google', all: '1', confirm: 'yes' };
      await expectCookiesPage(await accountBrowser.post(action, fields, form), deployment, 'account');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'account-form.no-cookies' });
      expect(provider.authorizationRequests).toEqual([]);
      expect(storage.calls).toEqual([]);
    },
  );

  it('B23.4 at the account page: an expired form is not blamed on cookies', async () => {
    const { deployment } = createSystem();
    const accountBrowser = createAccountBrowser(deployment);
    const { form } = await accountBrowser.openAccountPage();
    accountBrowser.cookies.clear();
    deployment.advance(1800);
    await expectFormRejected(
      await accountBrowser.post('/sign-in', { choice: 'google' }, form),
      deployment,
      staleFormMessage,
    );
  });

  it('B23.5 cleared in the middle: each later step explains that cookies are missing, and starting again works', async () => {
    const { deployment } = createSystem();
    const { browser, consent } = await startAuthorization(deployment);
    browser.cookies.clear();
    await expectCookiesPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      'consent',
    );
    const secondVisit = await browser.openSignInPage(gptRequest);
    expect(listBindingCookies(browser.cookies)).toHaveLength(1);
    await expectErrorPage(
      await browser.submitConsent(consent, { choice: 'google' }),
      deployment,
      staleConsent,
    );
    const authorizationUrl = readRedirect(
      await browser.submitConsent(secondVisit.consent, { choice: 'google' }),
    );
    const state = authorizationUrl.searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`;
    browser.cookies.clear();
    await expectCookiesPage(await browser.visit(url), deployment, 'callback');
    expect((await browser.signIn(gptRequest)).searchParams.has('code')).toBe(true);
  });

  it('B23.5 cleared in the middle: an account whose cookies are gone shows how to sign in', async () => {
    const { deployment } = createSystem();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const { form } = await accountBrowser.openAccountPage();
    accountBrowser.cookies.clear();
    await expectCookiesPage(await accountBrowser.post('/sign-out', {}, form), deployment, 'account');
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    await accountBrowser.signInToAccount();
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });
});

describe('prefetch requests', () => {
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
    const limiterKeys: string[] = [];
    const limiter = {
      take: async (key: string) => {
        limiterKeys.push(key);
        return 'allowed' as const;
      },
    };
    const formPostProvider = { ...createProvider('apple', 'Apple'), responseMode: 'form_post' as const };
    const deployment = deploy({
      ...{ providers: [provider, formPostProvider], storage },
      limits: { pageRequests: limiter },
      clientAddress: () => '192.0.2.1',
    });
    return { provider, storage, limiterKeys, deployment };
  };

  /** Expects an error page that is not cached, and that the broker did nothing. */
  const expectRefused = async (
    { provider, storage, limiterKeys, deployment }: ReturnType<typeof createSystem>,
    send: () => Promise<Response>,
  ) => {
    const before = [
      provider.tokenRequests.length,
      provider.authorizationRequests.length,
      storage.calls.length,
      limiterKeys.length,
    ];
    const response = await send();
    expect(response.status).toBe(503);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('retry-after')).toBe('10');
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).toContain(
      'Your browser tried to load this page in advance. Open it again to continue.',
    );
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'request.prefetch' });
    const after = [
      provider.tokenRequests.length,
      provider.authorizationRequests.length,
      storage.calls.length,
      limiterKeys.length,
    ];
    expect(after).toEqual(before);
  };

  it.each(prefetching)(
    'B21.1 the callback, with %s: signs in at the navigation that follows',
    async (_, headers) => {
      const system = createSystem();
      const { browser, callbackUrl } = await continueToProvider(system.deployment);
      const url = callbackUrl({ code: 'ada' });
      for (let attempt = 0; attempt < 2; attempt++)
        await expectRefused(system, () => browser.visit(url, { headers }));
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

  it.each(prefetching)('B21.3 forms and posted answers, with %s: start nothing', async (_, purpose) => {
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
    'B21.4 the account, with %s: changes neither session nor notice',
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
        'apps/disconnect',
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

  it('B21.5 what may be loaded in advance: serves public documents', async () => {
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
    ['a longer value', { purpose: 'prefetched' }],
  ])('B21.5 what may be loaded in advance: a navigation with %s continues', async (_, headers) => {
    const { deployment } = createSystem();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const redirect = readRedirect(await browser.visit(callbackUrl({ code: 'ada' }), { headers }));
    expect(redirect.searchParams.has('code')).toBe(true);
  });
});

describe('several tabs', () => {
  const authorizeUrl = `${issuer}/authorize?${new URLSearchParams(gptRequest)}`;
  const accountUrl = `${issuer}/account`;

  const orders = [
    ['in their order', (responses: readonly Response[]) => responses],
    ['in reverse', (responses: readonly Response[]) => responses.toReversed()],
    [
      'the first one last',
      ([first, ...others]: readonly Response[]) => (first === undefined ? others : [...others, first]),
    ],
  ] as const;

  /** Opens pages in one browser at the same moment: no request sends a cookie that another response sets. */
  const openAtOnce = async (
    deployment: Deployment,
    browser: TestBrowser,
    urls: readonly string[],
    orderResponses: (responses: readonly Response[]) => readonly Response[],
  ): Promise<readonly string[]> => {
    const cookie = buildCookieHeader(browser.cookies);
    const headers = cookie === '' ? {} : { cookie };
    const responses = await Promise.all(urls.map((url) => deployment.fetch(new Request(url, { headers }))));
    for (const response of orderResponses(responses))
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (line.endsWith('Max-Age=0')) browser.cookies.delete(name);
        else browser.cookies.set(name, value);
      }
    return Promise.all(responses.map((response) => response.text()));
  };

  const stateOf = (response: Response): string => readRedirect(response).searchParams.get('state') ?? '';

  /** Signs in from a sign-in page, and returns whether the client gets a code. */
  const signInFrom = async (browser: TestBrowser, page: string): Promise<boolean> => {
    const response = await browser.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' });
    const callbackQuery = new URLSearchParams({ state: stateOf(response), code: 'ada' });
    return readRedirect(await browser.visit(`${issuer}/callback/google?${callbackQuery}`)).searchParams.has(
      'code',
    );
  };

  it.each(orders)(
    'B20.1 two tabs opened at once at the first visit: both sign in, cookies arriving %s',
    async (_, orderResponses) => {
      const deployment = deploy();
      for (const orderPages of [
        (pages: readonly string[]) => pages,
        (pages: readonly string[]) => pages.toReversed(),
      ]) {
        const browser = createTestBrowser(deployment);
        const pages = await openAtOnce(deployment, browser, [authorizeUrl, authorizeUrl], orderResponses);
        expect(listBindingCookies(browser.cookies)).toHaveLength(2);
        for (const page of orderPages(pages)) expect(await signInFrom(browser, page)).toBe(true);
      }
    },
  );

  it.each(orders)(
    'B20.2 30 tabs at once: every one signs in, cookies arriving %s',
    async (_, orderResponses) => {
      const deployment = deploy({ limits: highUserLimits });
      const browser = createTestBrowser(deployment);
      const pages = await openAtOnce(deployment, browser, Array(30).fill(authorizeUrl), orderResponses);
      expect(listBindingCookies(browser.cookies)).toHaveLength(30);
      for (const page of pages) {
        expect(await signInFrom(browser, page)).toBe(true);
        expect(buildCookieHeader(browser.cookies).length).toBeLessThan(6_000);
      }
      expect(listBindingCookies(browser.cookies)).toHaveLength(30);
    },
  );

  it('B20.2 30 tabs at once: pages that are opened later add no cookie', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment);
    await openAtOnce(deployment, browser, Array(30).fill(authorizeUrl), (responses) => responses);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(
        await signInFrom(browser, await (await browser.openSignInPage(gptRequest)).response.text()),
      ).toBe(true);
      expect(listBindingCookies(browser.cookies)).toHaveLength(30);
    }
  });

  it('B20.2 30 tabs at once: with abandoned sign-ins and a session, all cookies stay below 6 kB', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const pages = await openAtOnce(
      deployment,
      accountBrowser,
      Array(30).fill(authorizeUrl),
      (responses) => responses,
    );
    await accountBrowser.signInToAccount();
    for (const page of pages.slice(0, 5)) await signInFrom(accountBrowser, page);
    for (const page of pages)
      await accountBrowser.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' });
    expect(listTransactionCookies(accountBrowser.cookies)).toHaveLength(5);
    expect(listCompletionCookies(accountBrowser.cookies)).toHaveLength(3);
    expect(listBindingCookies(accountBrowser.cookies)).toHaveLength(30);
    expect(buildCookieHeader(accountBrowser.cookies).length).toBeLessThan(6_000);
  });

  it.each(orders)('B20.3 account tabs: two first visits, cookies arriving %s', async (_, orderResponses) => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const [firstPage = '', secondPage = ''] = await openAtOnce(
      deployment,
      accountBrowser,
      [accountUrl, accountUrl],
      orderResponses,
    );
    for (const page of [firstPage, secondPage]) {
      const response = await accountBrowser.post(
        '/sign-in',
        { choice: 'google' },
        readHiddenField(page, 'form'),
      );
      expect(stateOf(response)).not.toBe('');
    }
  });

  it.each(orders)(
    'B20.3 account tabs: beside a sign-in page, cookies arriving %s',
    async (_, orderResponses) => {
      const deployment = deploy();
      const accountBrowser = createAccountBrowser(deployment);
      const [signInPage = '', accountPage = ''] = await openAtOnce(
        deployment,
        accountBrowser,
        [authorizeUrl, accountUrl],
        orderResponses,
      );
      const response = await accountBrowser.post(
        '/sign-in',
        { choice: 'google' },
        readHiddenField(accountPage, 'form'),
      );
      const callbackQuery = new URLSearchParams({ state: stateOf(response), code: 'ada' });
      await accountBrowser.visit(`${issuer}/callback/google?${callbackQuery}`);
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
      expect(await signInFrom(accountBrowser, signInPage)).toBe(true);
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    },
  );

  it('B20.3 account tabs: a page that arrives late does not end a session that started meanwhile', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const lateResponse = await deployment.fetch(new Request(accountUrl));
    await accountBrowser.signInToAccount();
    for (const line of lateResponse.headers.getSetCookie()) expect(line).toMatch(/^__Host-csrf-/);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it('B20.3 account tabs: a page that arrives late keeps the notice of another page', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const session = accountBrowser.cookies.get('__Host-session');
    const lateResponse = await deployment.fetch(
      new Request(accountUrl, { headers: { cookie: `__Host-session=${session}` } }),
    );
    expect(lateResponse.headers.getSetCookie()).toHaveLength(1);
    const { form } = await accountBrowser.openAccountPage();
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/delete', {}, form),
      'delete-not-confirmed',
    );
  });

  it('B20.3 account tabs: the page that confirms a link is bound to a browser without a binding cookie, too', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const response = await accountBrowser.post('/link', { choice: 'other' });
    for (const name of listBindingCookies(accountBrowser.cookies)) accountBrowser.cookies.delete(name);
    const callbackQuery = new URLSearchParams({ state: stateOf(response), code: 'cat' });
    const page = await (await accountBrowser.visit(`${issuer}/callback/other?${callbackQuery}`)).text();
    const fields = { link: readHiddenField(page, 'link'), confirm: '1' };
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/link/confirm', fields, readHiddenField(page, 'form')),
      'linked',
    );
    expect(readButtonValues(html, 'identity')).toHaveLength(2);
  });

  it('B20.4 30 consents submitted at once: the newest sign in, the others see what to do', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment);
    const pages = await openAtOnce(
      deployment,
      browser,
      Array(30).fill(authorizeUrl),
      (responses) => responses,
    );
    const responses = await Promise.all(
      pages.map((page) => browser.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' })),
    );
    const states = responses.map(stateOf);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(30);
    const visit = (state: string) =>
      browser.visit(`${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`);
    for (const state of states.slice(-6).toReversed())
      expect(readRedirect(await visit(state)).searchParams.has('code')).toBe(true);
    expect(listTransactionCookies(browser.cookies).length).toBeLessThanOrEqual(5);
    for (const state of states.slice(0, 8))
      await expectErrorPage(await visit(state), deployment, missingTransactionMessage);
  });

  it('B20.4 30 consents submitted at once: two at the same moment both sign in', async () => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment);
    const responses = await Promise.all(
      [1, 2].map(() => browser.submitConsent(consent, { choice: 'google' })),
    );
    for (const state of responses.map(stateOf)) {
      const callbackQuery = new URLSearchParams({ state, code: 'ada' });
      const redirect = readRedirect(await browser.visit(`${issuer}/callback/google?${callbackQuery}`));
      expect(redirect.searchParams.has('code')).toBe(true);
    }
  });

  it('B20.5 another browser’s form: is refused in a browser with 30 binding cookies', async () => {
    const deployment = deploy();
    const [victim, attacker] = [createTestBrowser(deployment), createTestBrowser(deployment)];
    const victimPages = await openAtOnce(
      deployment,
      victim,
      Array(30).fill(authorizeUrl),
      (responses) => responses,
    );
    const attackerPages = await openAtOnce(deployment, attacker, Array(30).fill(authorizeUrl), (all) => all);
    for (const page of attackerPages) {
      const response = await victim.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' });
      await expectErrorPage(response, deployment, 'This page has expired or was opened in another browser.');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.csrf' });
    }
    expect(await signInFrom(victim, victimPages[0] ?? '')).toBe(true);
  });

  it('B20.5 another browser’s form: is refused with the attacker’s cookies under look-alike names', async () => {
    const deployment = deploy();
    const attacker = createTestBrowser(deployment);
    const { consent } = await attacker.openSignInPage(gptRequest);
    const [name = ''] = listBindingCookies(attacker.cookies);
    const value = attacker.cookies.get(name);
    for (const plantedName of [
      `\u00a0${name}`,
      name.slice(7),
      name.toLowerCase(),
      `__Host-csrf`,
      `${name}x`,
    ]) {
      const victim = createTestBrowser(deployment, { cookie: `${plantedName}=${value}` });
      const { status } = await victim.submitConsent(consent, { choice: 'google' });
      expect([plantedName, status]).toEqual([plantedName, 400]);
    }
  });
});
