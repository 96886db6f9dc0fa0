/** Attacks on consent, on the callback, and by an identity provider. */
import { describe, expect, it } from 'vitest';
import type { BrokerOptions, ResolveUser, SignIn } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import {
  appRequest,
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
} from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh } from '../clients.ts';
import { deploy, issuer } from '../deployment.ts';
import {
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  expectErrorRedirect,
  expectInvalidToken,
  expectTokenError,
  gptDestination,
  invalidRefreshTokenError,
  missingTransactionMessage,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildCookieHeader,
  continueToProvider,
  listTransactionCookies,
  startAuthorization,
} from '../flows.ts';
import { createFakeIssuer, createOidcProvider, type IssuerOverrides } from '../providers/fake-issuer.ts';
import { jwtPrefix } from '../providers/signing.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('consent', () => {
  const missingTransactionMessage = 'This page has expired or was opened in another browser.';
  const choices = [{ choice: 'google' }, { cancel: '1' }];

  /** Two browsers at the sign-in page of one deployment: the victim's, and the attacker's own. */
  const openTwoBrowsers = async () => {
    const provider = createSpyProvider();
    const storage = createSpyStorage();
    const deployment = deploy({ providers: [provider], storage });
    const victim = await startAuthorization(deployment);
    const attacker = await startAuthorization(deployment, appRequest);
    return { deployment, provider, storage, victim, attacker };
  };

  it('B1.1 browser: accepts a form only from the browser that it was shown to', async () => {
    const { deployment, provider, victim, attacker } = await openTwoBrowsers();
    for (const choice of choices) {
      await expectErrorPage(
        await victim.browser.submitConsent(attacker.consent, choice),
        deployment,
        missingTransactionMessage,
      );
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'consent', reason: 'consent.csrf' });
    }
    expect(provider.authorizationRequests).toEqual([]);
    expect((await victim.browser.submitConsent(victim.consent, { choice: 'google' })).status).toBe(303);
  });

  it.each([
    [
      'B1.2 client: whatever else is posted, the code is issued to the client that the page named',
      { client_id: 'server', code_challenge: 'x'.repeat(43) },
    ],
    [
      'B1.3 redirect: whatever else is posted, the response goes to the redirect URI that the page named',
      { redirect_uri: 'https://server.example/cb', state: 'another-state' },
    ],
    [
      'B1.4 scope: whatever else is posted, the scopes that the page listed are granted',
      { scope: 'words score', resource: `${issuer}/other` },
    ],
  ])('%s', async (_, parameters) => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment, { ...appRequest, scope: 'words' });
    const choice = { choice: 'google', ...parameters };
    const authorizationUrl = readRedirect(await browser.submitConsent(consent, choice));
    const callbackQuery = new URLSearchParams({
      state: authorizationUrl.searchParams.get('state') ?? '',
      code: 'ada',
    });
    const redirect = readRedirect(await browser.visit(`${issuer}/callback/google?${callbackQuery}`));
    expect(redirect.origin + redirect.pathname).toBe(appRequest.redirect_uri);
    expect(redirect.searchParams.get('state')).toBe(appRequest.state);
    const response = await redeem(deployment, app, redirect.searchParams.get('code') ?? '');
    expect(await response.json()).toMatchObject({ scope: 'words' });
  });

  it('B1.1 browser: refuses a form that was changed, truncated or made of other sealed text', async () => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment);
    const { browser: otherBrowser } = await continueToProvider(deployment);
    const { access_token, refresh_token } = await obtainTokens(deployment, app);
    const transaction = otherBrowser.cookies.get(listTransactionCookies(otherBrowser.cookies)[0] ?? '') ?? '';
    const flipped = Array.from({ length: consent.length }, (_, index) => index)
      .filter((index) => index % 25 === 0)
      .map(
        (index) => consent.slice(0, index) + (consent[index] === 'A' ? 'B' : 'A') + consent.slice(index + 1),
      );
    const code = await obtainCode(deployment, app);
    const others = ['', consent.slice(0, -1), `${consent}A`, transaction, access_token, refresh_token, code];
    for (const forged of [...flipped, ...others]) {
      await expectErrorPage(
        await browser.submitConsent(forged, { choice: 'google' }),
        deployment,
        missingTransactionMessage,
      );
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.unreadable' });
    }
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  it('B1.5 transaction cookie: only a consent sets one', async () => {
    const { browser, consent } = await startAuthorization();
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    await browser.submitConsent(consent, { cancel: '1' });
    await browser.submitConsent(consent, { choice: 'nobody' });
    await browser.submitConsent('forged', { choice: 'google' });
    await browser.visit(`${issuer}/callback/google?state=x&code=y`);
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    await browser.submitConsent(consent, { choice: 'google' });
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });

  const buildOriginHeaders = (origin: string | null, site: string | null) => ({
    ...(origin === null ? {} : { origin }),
    ...(site === null ? {} : { 'sec-fetch-site': site }),
  });

  it.each([
    ['B3.1 other origin: a page on another site', buildOriginHeaders('https://evil.example', 'cross-site')],
    [
      'B3.1 other origin: a browser that sends no Sec-Fetch-Site',
      buildOriginHeaders('https://evil.example', null),
    ],
    ['B3.1 other origin: a sibling subdomain', buildOriginHeaders('https://evil.words.example', 'same-site')],
    ['B3.1 other origin: the same host over http', buildOriginHeaders('http://words.example', 'cross-site')],
    ['B3.1 other origin: another port', buildOriginHeaders('https://words.example:8443', 'same-site')],
    ['B3.1 other origin: a browser that sends no Origin', buildOriginHeaders(null, 'cross-site')],
    ['B3.1 other origin: a URL that was typed or opened by a program', buildOriginHeaders(null, 'none')],
    [
      'B3.1 other origin: an Origin in another case',
      buildOriginHeaders('HTTPS://WORDS.EXAMPLE', 'same-origin'),
    ],
    ['B3.2 Origin null: a sandboxed frame', buildOriginHeaders('null', 'cross-site')],
    ['B3.2 Origin null: a browser that sends no Sec-Fetch-Site', buildOriginHeaders('null', null)],
  ])('%s cannot submit the victim’s own form', async (_, headers) => {
    const { deployment, provider, victim } = await openTwoBrowsers();
    for (const choice of choices) {
      const response = await victim.browser.visit(`${issuer}/authorize/consent`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ consent: victim.consent, ...choice }),
      });
      await expectErrorPage(response, deployment, missingTransactionMessage);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.origin' });
    }
    expect(provider.authorizationRequests).toEqual([]);
  });

  it('B3.3 no cookie: refuses a form without its binding cookie', async () => {
    const { deployment, provider, victim } = await openTwoBrowsers();
    const cookies = [
      {},
      { cookie: '__Host-csrf-12345678=' },
      { cookie: 'csrf=x; __Host-csrf-12345678' },
      { cookie: `x=${'y'.repeat(43)}` },
    ];
    for (const cookie of cookies) {
      const response = await createTestBrowser(deployment, cookie).submitConsent(victim.consent, {
        choice: 'google',
      });
      await expectCookiesPage(response, deployment, 'consent');
    }
    expect(provider.authorizationRequests).toEqual([]);
  });

  it('B3.4 own form: refuses the attacker’s genuine form in the victim’s browser', async () => {
    const { deployment, provider, storage, victim, attacker } = await openTwoBrowsers();
    const thirdBrowser = createTestBrowser(deployment);
    for (const choice of choices) {
      await expectErrorPage(
        await victim.browser.submitConsent(attacker.consent, choice),
        deployment,
        missingTransactionMessage,
      );
      await expectCookiesPage(
        await thirdBrowser.submitConsent(attacker.consent, choice),
        deployment,
        'consent',
      );
    }
    expect(provider.authorizationRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
    // It is genuine: in the attacker's own browser it works.
    expect((await attacker.browser.submitConsent(attacker.consent, { choice: 'google' })).status).toBe(303);
  });

  it('B4.1 framing: no page can be framed', async () => {
    const deployment = deploy();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const replaced = deploy({ pages: { signIn: () => 'theirs', error: () => 'theirs' } });
    const pages = [
      (await browser.openSignInPage(gptRequest)).response,
      (await browser.openSignInPage({})).response,
      await browser.submitConsent('', {}),
      await browser.visit(callbackUrl({}, '/callback/nobody')),
      await createTestBrowser(deployment).visit(callbackUrl({ code: 'ada' })),
      await deployment.fetch(new Request('https://evil.example/authorize')),
      await browser.visit(`${issuer}/authorize`, { method: 'PUT' }),
      (await createTestBrowser(replaced).openSignInPage(gptRequest)).response,
      (await createTestBrowser(replaced).openSignInPage({})).response,
    ];
    for (const { headers } of pages) {
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('content-security-policy')?.split('; ')).toContain("frame-ancestors 'none'");
    }
    expect(pages.map(({ status }) => status)).toEqual([200, 400, 400, 404, 400, 421, 405, 200, 400]);
  });
});

describe('the callback', () => {
  const readCode = (response: Response): string => readRedirect(response).searchParams.get('code') ?? '';

  /** A deployment whose provider and storage record their calls. */
  const deployWithSpies = () => {
    const provider = createSpyProvider();
    const storage = createSpyStorage();
    return {
      provider,
      storage,
      deployment: deploy({ providers: [provider, createProvider('other', 'Other')], storage }),
    };
  };

  it('B2.1 captured URL: a victim who opens the attacker’s provider URL ends on an error page', async () => {
    const { provider, storage, deployment } = deployWithSpies();
    const attacker = await continueToProvider(deployment);
    const attackerUrl = attacker.callbackUrl({
      code: provider.buildCode(attacker.authorizationUrl, 'victim'),
    });
    await expectCookiesPage(await createTestBrowser(deployment).visit(attackerUrl), deployment, 'callback');
    expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.no-cookies' });
    const victim = (await continueToProvider(deployment)).browser;
    await expectErrorPage(await victim.visit(attackerUrl), deployment, missingTransactionMessage);
    expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.missing' });
    expect(provider.tokenRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
  });

  it('B2.2 look-alike name: ignores a login transaction that a sibling domain planted', async () => {
    const { provider, storage, deployment } = deployWithSpies();
    const attacker = await continueToProvider(deployment);
    const [name = ''] = listTransactionCookies(attacker.browser.cookies);
    const attackerUrl = attacker.callbackUrl({
      code: provider.buildCode(attacker.authorizationUrl, 'victim'),
    });
    // Browsers enforce `__Host-` only for names that start with it. A server might trim these spaces.
    for (const space of ['\u00a0', '\u2000', '\u3000', '\ufeff', '\v']) {
      const cookie = `${space}${name}=${attacker.browser.cookies.get(name)}`;
      const response = await createTestBrowser(deployment).visit(attackerUrl, { headers: { cookie } });
      await expectCookiesPage(response, deployment, 'callback');
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.no-cookies' });
    }
    expect(provider.tokenRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
  });

  it('B5.1 mix-up: a response at another provider’s callback is sent to neither provider', async () => {
    const provider = createSpyProvider('google');
    const other = createSpyProvider('other');
    const deployment = deploy({ providers: [provider, other] });
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    await expectErrorPage(
      await returnFromProvider({ code: 'ada' }, '/callback/other'),
      deployment,
      missingTransactionMessage,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.provider' });
    expect([...provider.tokenRequests, ...other.tokenRequests]).toEqual([]);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
    // The login transaction itself can still be completed.
    expect(readCode(await returnFromProvider({ code: 'ada' }))).not.toBe('');
  });

  it('B6.1 login CSRF: the attacker’s own response does not sign the victim in as the attacker', async () => {
    const { provider, storage, deployment } = deployWithSpies();
    const attacker = await continueToProvider(deployment);
    const victim = await continueToProvider(deployment);
    const attackerUrl = attacker.callbackUrl({
      code: provider.buildCode(attacker.authorizationUrl, 'attacker'),
    });
    await expectErrorPage(await victim.browser.visit(attackerUrl), deployment, missingTransactionMessage);
    expect(provider.tokenRequests).toEqual([]);
    // The victim's own login transaction is untouched.
    const victimResponse = await victim.returnFromProvider({
      code: provider.buildCode(victim.authorizationUrl, 'victim'),
    });
    expect(readCode(victimResponse)).not.toBe('');
    // The count of the refused request is stored together with the sign-in.
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'recordRefusals']);
  });

  it('B6.1 login CSRF: the attacker’s code with the victim’s state is checked against the victim’s nonce', async () => {
    const { provider, storage, deployment } = deployWithSpies();
    const attacker = await continueToProvider(deployment);
    const victim = await continueToProvider(deployment);
    const response = await victim.returnFromProvider({
      code: provider.buildCode(attacker.authorizationUrl, 'attacker'),
    });
    expect(readRedirect(response).searchParams.get('error')).toBe('server_error');
    expect(provider.tokenRequests.map(({ nonce }) => nonce)).toEqual([
      victim.authorizationUrl.searchParams.get('nonce'),
    ]);
    expect(storage.calls).toEqual(['readGrantStatus', 'readGrantStatus']);
  });

  it.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['an empty state', (url: URL) => url.searchParams.set('state', '')],
    ['a guessed state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
    ['a state that is too short', (url: URL) => url.searchParams.set('state', 'x')],
    ['the client’s state', (url: URL) => url.searchParams.set('state', gptRequest.state)],
  ])('B6.1 login CSRF: a response with %s finds no login transaction', async (_, change) => {
    const { provider, deployment } = deployWithSpies();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const url = new URL(callbackUrl({ code: 'ada' }));
    change(url);
    await expectErrorPage(await browser.visit(url.href), deployment, missingTransactionMessage);
    expect(provider.tokenRequests).toEqual([]);
  });

  it('B6.1 login CSRF: the cookie of one login transaction under the name of another opens neither', async () => {
    const { provider, deployment } = deployWithSpies();
    const attacker = await continueToProvider(deployment);
    const victim = await continueToProvider(deployment);
    const [name = ''] = listTransactionCookies(victim.browser.cookies);
    const attackerCookie =
      attacker.browser.cookies.get(listTransactionCookies(attacker.browser.cookies)[0] ?? '') ?? '';
    for (const value of [
      attackerCookie,
      `${attackerCookie}A`,
      '',
      'x',
      buildCookieHeader(victim.browser.cookies),
    ]) {
      victim.browser.cookies.set(name, value);
      const message = value === attackerCookie ? missingTransactionMessage : missingTransactionMessage;
      await expectErrorPage(await victim.returnFromProvider({ code: 'ada' }), deployment, message);
    }
    expect(provider.tokenRequests).toEqual([]);
  });

  it('B7.1 state replay: a repeated response is recognized and has no effect', async () => {
    const { provider, storage, deployment } = deployWithSpies();
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
    expect(provider.tokenRequests).toHaveLength(1);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'readGrantStatus']);
  });

  it('B7.1 state replay: with a restored cookie, no second code is created, and the first one works', async () => {
    const { deployment } = deployWithSpies();
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    const before = new Map(browser.cookies);
    const code = readCode(await returnFromProvider({ code: 'ada' }));
    for (const subject of ['ada', 'somebody-else']) {
      for (const [name, value] of before) browser.cookies.set(name, value);
      await expectCompletedPage(await returnFromProvider({ code: subject }), 'signed-in', gptDestination);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.replayed' });
    }
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('B7.1 state replay: exactly one of four concurrent callbacks creates a code', async () => {
    const { deployment } = deployWithSpies();
    const { returnFromProvider } = await continueToProvider(deployment);
    const responses = await Promise.all([1, 2, 3, 4].map(() => returnFromProvider({ code: 'ada' })));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400]);
  });

  it('B7.2 expiry: a sign-in at the provider can take ten minutes, and not a second more', async () => {
    const { deployment, provider } = deployWithSpies();
    const [inTime, late] = [await continueToProvider(deployment), await continueToProvider(deployment)];
    deployment.advance(599);
    expect(readCode(await inTime.returnFromProvider({ code: 'ada' }))).not.toBe('');
    deployment.advance(1);
    await expectErrorPage(
      await late.returnFromProvider({ code: 'ada' }),
      deployment,
      missingTransactionMessage,
    );
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.expired' });
    expect(provider.tokenRequests).toHaveLength(1);
  });

  it('B7.3 two tabs: each of two concurrent login transactions ends at its own client, in any order', async () => {
    const { deployment } = deployWithSpies();
    const browser = createTestBrowser(deployment);
    const [gptPage, appPage] = [
      await browser.openSignInPage(gptRequest),
      await browser.openSignInPage(appRequest),
    ];
    const stateOf = (response: Response) => readRedirect(response).searchParams.get('state') ?? '';
    const second = stateOf(await browser.submitConsent(appPage.consent, { choice: 'other' }));
    const first = stateOf(await browser.submitConsent(gptPage.consent, { choice: 'google' }));
    const visitCallback = async (provider: string, state: string) =>
      readRedirect(
        await browser.visit(`${issuer}/callback/${provider}?${new URLSearchParams({ state, code: 'ada' })}`),
      );
    const gptRedirectUrl = await visitCallback('google', first);
    expect(gptRedirectUrl.origin + gptRedirectUrl.pathname).toBe(gptRequest.redirect_uri);
    expect(gptRedirectUrl.searchParams.get('state')).toBe(gptRequest.state);
    const appDestination = await visitCallback('other', second);
    expect(appDestination.origin + appDestination.pathname).toBe(appRequest.redirect_uri);
    expect(appDestination.searchParams.get('state')).toBe(appRequest.state);
    expect([gptRedirectUrl, appDestination].every(({ searchParams }) => searchParams.has('code'))).toBe(true);
  });

  it('B7.3 two tabs: a refusal in one does not end the login transaction of the other', async () => {
    const { deployment } = deployWithSpies();
    const browser = createTestBrowser(deployment);
    const consents = [
      (await browser.openSignInPage(gptRequest)).consent,
      (await browser.openSignInPage(gptRequest)).consent,
    ];
    const states: string[] = [];
    for (const consent of consents) {
      const authorizationUrl = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
      states.push(authorizationUrl.searchParams.get('state') ?? '');
    }
    const [firstState = '', secondState = ''] = states;
    const response = await browser.visit(`${issuer}/callback/google?error=access_denied&state=${firstState}`);
    expectErrorRedirect(withoutCookies(response), {
      to: gptRequest.redirect_uri,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'The sign-in was denied or canceled at the provider.',
    });
    expect(readCode(await browser.visit(`${issuer}/callback/google?code=ada&state=${secondState}`))).not.toBe(
      '',
    );
  });

  it('B7.3 two tabs: the newest five of six login transactions can complete, even if all started in one second', async () => {
    const { deployment } = deployWithSpies();
    const browser = createTestBrowser(deployment);
    const states: string[] = [];
    for (let tab = 1; tab <= 6; tab++) {
      const { consent } = await browser.openSignInPage(gptRequest);
      const response = await browser.submitConsent(consent, { choice: 'google' });
      states.push(readRedirect(response).searchParams.get('state') ?? '');
      expect(response.headers.getSetCookie()).toHaveLength(tab <= 5 ? 1 : 2);
    }
    expect(listTransactionCookies(browser.cookies)).toHaveLength(5);
    const statuses: number[] = [];
    for (const state of states) {
      const callbackQuery = new URLSearchParams({ state, code: 'ada' });
      statuses.push((await browser.visit(`${issuer}/callback/google?${callbackQuery}`)).status);
    }
    expect(statuses).toEqual([400, 303, 303, 303, 303, 303]);
  });

  const withoutCookies = (response: Response): Response => {
    response.headers.delete('set-cookie');
    return response;
  };
});

describe('the identity provider', () => {
  /** A deployment with a real OpenID Connect provider, and storage that collects the recorded sign-ins. */
  const deployWithIssuer = (changes: Partial<BrokerOptions> = {}) => {
    const acme = createFakeIssuer();
    const signIns: SignIn[] = [];
    const memory = memoryStorage();
    const storage = {
      ...memory,
      recordSignIn: (signIn: SignIn) => {
        signIns.push(signIn);
        return memory.recordSignIn(signIn);
      },
    };
    const deployment = deploy({
      providers: [createOidcProvider(acme)],
      fetch: acme.io.fetch,
      storage,
      ...changes,
    });
    /** Redirects a user to Acme, whose ID token will contain the nonce of the login transaction. */
    const continueToAcme = async () => {
      const transaction = await continueToProvider(deployment, gptRequest, 'acme');
      const nonce = transaction.authorizationUrl.searchParams.get('nonce');
      acme.override({ claims: { nonce } });
      return { ...transaction, nonce };
    };
    return { acme, signIns, deployment, continueToAcme };
  };

  const readParameters = (response: Response) => Object.fromEntries(readRedirect(response).searchParams);

  /**
   * Expects that the client gets `error` with our own description, nothing is stored, and the login
   * transaction has ended.
   */
  const expectNoSignIn = async (
    { signIns, continueToAcme }: ReturnType<typeof deployWithIssuer>,
    providerResponse: Readonly<Record<string, string>>,
    [error, error_description]: readonly [string, string],
  ) => {
    const { browser, returnFromProvider } = await continueToAcme();
    const response = await returnFromProvider(providerResponse);
    expect(response.status).toBe(303);
    expect(readParameters(response)).toEqual({
      error,
      error_description,
      state: gptRequest.state,
      iss: issuer,
    });
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    expect(signIns).toEqual([]);
  };

  const denied = ['access_denied', 'The sign-in was denied or canceled at the provider.'] as const;
  const unavailable = [
    'temporarily_unavailable',
    'The sign-in provider is temporarily unavailable. Try again later.',
  ] as const;
  const invalid = ['server_error', "We couldn't verify the response from the sign-in provider."] as const;

  it.each([
    ['B12.1 provider error: access_denied', { error: 'access_denied', error_description: 'No!' }, denied],
    ['B12.1 provider error: access_denied with a code', { error: 'access_denied', code: 'x' }, denied],
    ['B12.1 provider error: temporarily_unavailable', { error: 'temporarily_unavailable' }, unavailable],
    [
      'B12.1 provider error: server_error',
      { error: 'server_error', error_uri: 'https://evil.example' },
      unavailable,
    ],
    ['B12.1 provider error: invalid_scope', { error: 'invalid_scope' }, invalid],
    [
      'B12.1 provider error: an unknown error code',
      { error: '<script>', error_description: '\r\nx: y' },
      invalid,
    ],
    ['B12.2 missing code: none', {}, invalid],
    ['B12.2 missing code: an empty one', { code: '' }, invalid],
  ])(
    '%s reaches the client as a fixed message, and stores no sign-in',
    async (_, providerResponse, expectedError) => {
      await expectNoSignIn(deployWithIssuer(), providerResponse, expectedError);
    },
  );

  it('B12.1 provider error: with an unknown state shows a page', async () => {
    const { deployment, continueToAcme } = deployWithIssuer();
    const { browser } = await continueToAcme();
    const response = await browser.visit(`${issuer}/callback/acme?error=access_denied&state=unknown`);
    await expectErrorPage(response, deployment, missingTransactionMessage);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });

  const rejectWithTimeout = () => Promise.reject(new DOMException('The operation timed out', 'TimeoutError'));

  it.each([
    ['B13.1 5xx', () => new Response('out of order', { status: 500 })],
    ['B13.1 5xx', () => new Response('out of order', { status: 503 })],
    ['B13.2 429', () => new Response('slow down', { status: 429 })],
    ['B24.1 rate limit', () => new Response(null, { status: 403, headers: { 'retry-after': '60' } })],
    ['B13.3 time-out', rejectWithTimeout],
  ])('%s of the provider makes the sign-in fail, and keeps the existing grants', async (_, token) => {
    const system = deployWithIssuer();
    const { acme, deployment, continueToAcme, signIns } = system;
    const { returnFromProvider } = await continueToAcme();
    const { code = '' } = readParameters(await returnFromProvider({ code: 'code-1' }));
    const tokens = await expectTokens(await redeem(deployment, gpt, code));
    signIns.length = 0;

    const secondTransaction = await continueToAcme();
    acme.override({ endpointOverrides: { token } });
    const response = await secondTransaction.returnFromProvider({ code: 'code-2' });
    const [error, error_description] = unavailable;
    expect(readParameters(response)).toEqual({
      error,
      error_description,
      state: gptRequest.state,
      iss: issuer,
    });
    expect(signIns).toEqual([]);
    const refreshed = await expectTokens(await refresh(deployment, gpt, tokens.refresh_token));
    for (const { access_token } of [tokens, refreshed])
      expect((await callApi(deployment, access_token)).ok).toBe(true);
  });

  describe('a recheck at a refresh', () => {
    const json = (body: unknown, status: number) => () => Response.json(body, { status });
    const rejectWithTimeout = () =>
      Promise.reject(new DOMException('The operation timed out', 'TimeoutError'));
    const signInAndRedeem = async () => {
      const { acme, deployment, continueToAcme } = deployWithIssuer();
      const { returnFromProvider } = await continueToAcme();
      const { code = '' } = readParameters(await returnFromProvider({ code: 'code-1' }));
      return { acme, deployment, tokens: await expectTokens(await redeem(deployment, gpt, code)) };
    };

    it.each([
      ['B13.1 5xx', json({ error: 'invalid_grant' }, 500)],
      ['B13.2 429', json({ error: 'invalid_grant' }, 429)],
      [
        'B24.1 rate limit',
        () =>
          Response.json(
            { error: 'invalid_grant' },
            { status: 403, headers: { 'x-ratelimit-remaining': '0' } },
          ),
      ],
      ['B13.3 time-out', rejectWithTimeout],
      ['B13.3 time-out of the body', () => new Response(new ReadableStream({ pull: rejectWithTimeout }))],
    ])('%s keeps the grant, whatever the body contains', async (_, token) => {
      const { acme, deployment, tokens } = await signInAndRedeem();
      acme.override({ endpointOverrides: { token } });
      const refreshed = await expectTokens(await refresh(deployment, gpt, tokens.refresh_token));
      expect(deployment.log.filter(({ event }) => event === 'recheck-failed')).toHaveLength(1);
      expect((await callApi(deployment, refreshed.access_token)).ok).toBe(true);
    });

    it('B13.4 invalid_grant revokes the grant and its access tokens for good', async () => {
      const { acme, deployment, tokens } = await signInAndRedeem();
      acme.override({ endpointOverrides: { token: json({ error: 'invalid_grant' }, 400) } });
      const invalid = { ...invalidRefreshTokenError, status: 401 };
      await expectTokenError(await refresh(deployment, gpt, tokens.refresh_token), invalid);
      acme.override({});
      await expectTokenError(await refresh(deployment, gpt, tokens.refresh_token), invalid);
      await expectInvalidToken(deployment, tokens.access_token);
    });
  });

  const secrets = ['their-access-token', 'their-refresh-token', jwtPrefix, 'our_client.secret'];

  it('B14.1 never to clients: no response contains a token of the provider', async () => {
    const { deployment, continueToAcme } = deployWithIssuer();
    const { returnFromProvider, authorizationUrl } = await continueToAcme();
    const callbackResponse = await returnFromProvider({ code: 'code-1' });
    const { code = '' } = readParameters(callbackResponse);
    const redemption = await redeem(deployment, gpt, code);
    const { refresh_token } = await expectTokens(redemption.clone());
    const responses = [callbackResponse, redemption, await refresh(deployment, gpt, refresh_token)];
    const texts = [
      authorizationUrl.href,
      ...(await Promise.all(responses.map(readWholeResponse))),
      JSON.stringify(deployment.log),
    ];
    for (const secret of secrets) for (const text of texts) expect(text).not.toContain(secret);
    expect(responses.map(({ status }) => status)).toEqual([303, 200, 200]);
  });

  it('B14.2 sealed at rest: storage gets only the refresh token, sealed differently each time', async () => {
    const { signIns, continueToAcme } = deployWithIssuer();
    for (let attempt = 0; attempt < 2; attempt++)
      await (await continueToAcme()).returnFromProvider({ code: 'code-1' });
    const stored = JSON.stringify(signIns);
    for (const secret of secrets) expect(stored).not.toContain(secret);
    const sealed = signIns.map(({ identity }) => identity.sealedRefreshToken);
    expect(sealed).toEqual([expect.stringMatching(/^[\w-]{60,}$/), expect.stringMatching(/^[\w-]{60,}$/)]);
    expect(new Set(sealed).size).toBe(2);
  });

  it('B14.2 sealed at rest: a sign-in without a refresh token keeps the stored one', async () => {
    const { acme, signIns, continueToAcme } = deployWithIssuer();
    const { returnFromProvider, nonce } = await continueToAcme();
    acme.override({ claims: { nonce }, tokens: { refresh_token: undefined } });
    await returnFromProvider({ code: 'code-1' });
    expect(signIns.map(({ identity }) => Object.keys(identity))).toEqual([['provider', 'subject', 'label']]);
  });

  /**
   * Signs in at the issuer with the given deviations, and returns the parameters of the redirect to the
   * client.
   */
  const signIn = async (
    { acme, continueToAcme }: ReturnType<typeof deployWithIssuer>,
    { claims, ...overrides }: IssuerOverrides = {},
  ) => {
    // The deviations must be set before the sign-in starts, because the metadata is read only once.
    acme.override(overrides);
    const { returnFromProvider, nonce } = await continueToAcme();
    acme.override({ ...overrides, claims: { nonce, ...claims } });
    return readParameters(await returnFromProvider({ code: 'code-1' }));
  };

  describe('a refresh token that is bound to a session', () => {
    const expired = () => Response.json({ error: 'invalid_grant' }, { status: 400 });

    /** Signs in, and refreshes 31 minutes later, when the session at the issuer has ended. */
    const refreshAfterExpiry = async (overrides: IssuerOverrides) => {
      const system = deployWithIssuer();
      const { acme, deployment } = system;
      const { code = '' } = await signIn(system, overrides);
      const { refresh_token } = await expectTokens(await redeem(deployment, gpt, code));
      deployment.advance(31 * 60);
      acme.takeRequestedEndpoints();
      acme.override({ endpointOverrides: { token: expired } });
      const response = await refresh(deployment, gpt, refresh_token);
      return { ...system, response, refresh_token, requestedEndpoints: acme.takeRequestedEndpoints() };
    };

    it.each<[string, IssuerOverrides]>([
      ['the issuer has no offline access', { metadata: { scopes_supported: ['openid'] } }],
      ['it was not granted', { tokens: { scope: 'openid email profile', refresh_expires_in: 1800 } }],
      ['it was not granted, in a list', { tokens: { scope: ['openid', 'email'] } }],
      ['its lifetime is half an hour', { tokens: { scope: 'offline_access', refresh_expires_in: 1800 } }],
    ])('B19.2 is not used for rechecks, so its expiry ends no grant: %s', async (_, overrides) => {
      const { deployment, response, refresh_token, signIns, requestedEndpoints } =
        await refreshAfterExpiry(overrides);
      expect((await expectTokens(response)).refresh_token).toBe(refresh_token);
      expect(signIns[0]?.identity).not.toHaveProperty('sealedRefreshToken');
      expect(requestedEndpoints).toEqual([]);
      expect(deployment.log.filter(({ event }) => event === 'recheck-failed')).toEqual([]);
      deployment.advance(31 * 60);
      expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    });

    it.each<[string, IssuerOverrides]>([
      ['granted', { tokens: { scope: 'openid email profile offline_access' } }],
      ['granted as requested', {}],
      ['granted without expiry', { tokens: { scope: ['openid', 'offline_access'], refresh_expires_in: 0 } }],
    ])(
      'B19.2 differs from one with offline access, whose rejection ends the grants: %s',
      async (_, overrides) => {
        const { deployment, response, refresh_token, requestedEndpoints } =
          await refreshAfterExpiry(overrides);
        const invalid = { ...invalidRefreshTokenError, status: 401 };
        expect(requestedEndpoints).toEqual(['token']);
        await expectTokenError(response, invalid);
        await expectTokenError(await refresh(deployment, gpt, refresh_token), invalid);
      },
    );
  });

  describe('a publisher that admits users by the domain of their email address', () => {
    const endpoint = { userinfo_endpoint: 'https://id.example/userinfo' };
    const bareToken: IssuerOverrides = {
      claims: { email: undefined, email_verified: undefined, name: undefined },
      metadata: endpoint,
      userInfo: { email: 'ada@example.com', email_verified: true, name: 'Ada Marlow' },
    };

    const deployWithDomainCheck = () => {
      const resolveUserCalls: unknown[] = [];
      const resolveUser: ResolveUser = async ({ email, emailVerified, claims }) => {
        const { email: emailClaim, email_verified: emailVerifiedClaim } = claims;
        resolveUserCalls.push([email, emailVerified, emailClaim, emailVerifiedClaim]);
        const isAllowed = emailVerified && email?.endsWith('@example.com') === true;
        return isAllowed ? { kind: 'accepted' } : { kind: 'refused', reason: 'another domain' };
      };
      return { ...deployWithIssuer({ resolveUser }), resolveUserCalls };
    };

    it('gets the email address from UserInfo, in the claims as well', async () => {
      const system = deployWithDomainCheck();
      expect(await signIn(system, bareToken)).toHaveProperty('code');
      expect(system.resolveUserCalls).toEqual([['ada@example.com', true, 'ada@example.com', true]]);
      expect(system.signIns.map(({ identity }) => identity.label)).toEqual(['ada@example.com']);
      expect(JSON.stringify(system.deployment.log)).not.toContain('their-access-token');
    });

    it.each<[string, IssuerOverrides]>([
      ['B19.7 503', { endpointOverrides: { userinfo: () => new Response(null, { status: 503 }) } }],
      ['B19.7 429', { endpointOverrides: { userinfo: () => new Response(null, { status: 429 }) } }],
      [
        'B19.7 time-out',
        {
          endpointOverrides: { userinfo: () => Promise.reject(new DOMException('too slow', 'TimeoutError')) },
        },
      ],
    ])('%s of UserInfo is a temporary error, and resolveUser is not called', async (_, overrides) => {
      const system = deployWithDomainCheck();
      const [error, error_description] = unavailable;
      expect(await signIn(system, { ...bareToken, ...overrides })).toMatchObject({
        error,
        error_description,
      });
      expect([system.resolveUserCalls, system.signIns]).toEqual([[], []]);
    });

    it('B19.3 another subject: the sign-in fails, and resolveUser is not called', async () => {
      const system = deployWithDomainCheck();
      const [error, error_description] = invalid;
      const userInfo = { ...bareToken.userInfo, sub: 'person-2' };
      expect(await signIn(system, { ...bareToken, userInfo })).toMatchObject({ error, error_description });
      expect([system.resolveUserCalls, system.signIns]).toEqual([[], []]);
    });

    it('B19.5 another source: an email address that UserInfo does not verify stays unverified', async () => {
      const system = deployWithDomainCheck();
      const claims = { ...bareToken.claims, email_verified: true };
      const userInfo = { email: 'ada@example.com' };
      expect(await signIn(system, { ...bareToken, claims, userInfo })).toMatchObject({
        error: 'access_denied',
      });
      expect(system.resolveUserCalls).toEqual([['ada@example.com', false, 'ada@example.com', undefined]]);
    });
  });

  it.each<[string, IssuerOverrides]>([
    ['a scope that is a list', { tokens: { scope: ['openid'] } }],
    ['an expires_in that is null', { tokens: { expires_in: null } }],
    ['a refresh token that is null', { tokens: { refresh_token: null } }],
    ['no token type', { tokens: { token_type: undefined } }],
    ['no access token', { tokens: { access_token: null } }],
  ])('a token response with %s signs the user in', async (_, overrides) => {
    const system = deployWithIssuer();
    expect(Object.keys(await signIn(system, overrides))).toContain('code');
    expect(system.signIns).toHaveLength(1);
  });

  const readWholeResponse = async (response: Response): Promise<string> =>
    JSON.stringify([...response.headers]) + (await response.clone().text());
});
