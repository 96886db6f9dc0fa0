import { describe, expect, it } from 'vitest';
import { appRequest, createTestBrowser, gptRequest, readRedirect } from '../../browser.ts';
import { app, obtainCode, obtainTokens, redeem } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import { expectCookiesPage, expectErrorPage } from '../../expect-error.ts';
import { continueToProvider, listTransactionCookies, startAuthorization } from '../../flows.ts';
import { createSpyProvider } from '../../spy-provider.ts';
import { createSpyStorage } from '../../spy-storage.ts';

const stale = 'This page has expired or belongs to another browser. Go back to the app and start again.';
const choices = [{ choice: 'google' }, { cancel: '1' }];

/** Two browsers at the sign-in page of one deployment: the victim's, and the attacker's own. */
const twoBrowsers = async () => {
  const provider = createSpyProvider();
  const storage = createSpyStorage();
  const deployment = deploy({ providers: [provider], storage });
  const victim = await startAuthorization(deployment);
  const attacker = await startAuthorization(deployment, appRequest);
  return { deployment, provider, storage, victim, attacker };
};

describe('B1', () => {
  it('B1.1 browser: takes a form from no browser but the one that was shown it', async () => {
    const { deployment, provider, victim, attacker } = await twoBrowsers();
    for (const choice of choices) {
      await expectErrorPage(await victim.browser.submitConsent(attacker.consent, choice), deployment, stale);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'consent', reason: 'consent.csrf' });
    }
    expect(provider.authorizationRequests).toEqual([]);
    expect((await victim.browser.submitConsent(victim.consent, { choice: 'google' })).status).toBe(303);
  });

  it.each([
    [
      'B1.2 client: whatever else is posted, the code is the asking client’s',
      { client_id: 'server', code_challenge: 'x'.repeat(43) },
    ],
    [
      'B1.3 redirect: whatever else is posted, the answer goes where the page said',
      { redirect_uri: 'https://server.example/cb', state: 'another-state' },
    ],
    [
      'B1.4 scope: whatever else is posted, what the page listed is granted',
      { scope: 'words score', resource: `${issuer}/other` },
    ],
  ])('%s', async (_, foreign) => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment, { ...appRequest, scope: 'words' });
    const choice = { choice: 'google', ...foreign };
    const sent = readRedirect(await browser.submitConsent(consent, choice));
    const answer = new URLSearchParams({ state: sent.searchParams.get('state') ?? '', code: 'ada' });
    const back = readRedirect(await browser.visit(`${issuer}/callback/google?${answer}`));
    expect(back.origin + back.pathname).toBe(appRequest.redirect_uri);
    expect(back.searchParams.get('state')).toBe(appRequest.state);
    const response = await redeem(deployment, app, back.searchParams.get('code') ?? '');
    expect(await response.json()).toMatchObject({ scope: 'words' });
  });

  it('B1.1 browser: takes no form that was changed, cut or made of something else', async () => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment);
    const { browser: traveller } = await continueToProvider(deployment);
    const { access_token, refresh_token } = await obtainTokens(deployment, app);
    const transaction = traveller.cookies.get(listTransactionCookies(traveller.cookies)[0] ?? '') ?? '';
    const flipped = Array.from({ length: consent.length }, (_, at) => at)
      .filter((at) => at % 25 === 0)
      .map((at) => consent.slice(0, at) + (consent[at] === 'A' ? 'B' : 'A') + consent.slice(at + 1));
    const code = await obtainCode(deployment, app);
    const others = ['', consent.slice(0, -1), `${consent}A`, transaction, access_token, refresh_token, code];
    for (const forged of [...flipped, ...others]) {
      await expectErrorPage(await browser.submitConsent(forged, { choice: 'google' }), deployment, stale);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.unreadable' });
    }
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  it('B1.5 transaction cookie: nothing but a consent sets one', async () => {
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
});

describe('B3', () => {
  const post = (origin: string | null, site: string | null) => ({
    ...(origin === null ? {} : { origin }),
    ...(site === null ? {} : { 'sec-fetch-site': site }),
  });

  it.each([
    ['B3.1 other origin: a page elsewhere', post('https://evil.example', 'cross-site')],
    ['B3.1 other origin: a browser that tells no site', post('https://evil.example', null)],
    ['B3.1 other origin: a neighbour under the same domain', post('https://evil.words.example', 'same-site')],
    ['B3.1 other origin: the same host over http', post('http://words.example', 'cross-site')],
    ['B3.1 other origin: another port', post('https://words.example:8443', 'same-site')],
    ['B3.1 other origin: a browser that tells no origin', post(null, 'cross-site')],
    ['B3.1 other origin: an address typed or opened by a program', post(null, 'none')],
    ['B3.1 other origin: in another case', post('HTTPS://WORDS.EXAMPLE', 'same-origin')],
    ['B3.2 Origin null: a sandboxed frame', post('null', 'cross-site')],
    ['B3.2 Origin null: a browser that tells no site', post('null', null)],
  ])('%s posts the victim’s own form in vain', async (_, headers) => {
    const { deployment, provider, victim } = await twoBrowsers();
    for (const choice of choices) {
      const response = await victim.browser.visit(`${issuer}/authorize/consent`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ consent: victim.consent, ...choice }),
      });
      await expectErrorPage(response, deployment, stale);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.origin' });
    }
    expect(provider.authorizationRequests).toEqual([]);
  });

  it('B3.3 no cookie: a form without the cookie behind it is nobody’s', async () => {
    const { deployment, provider, victim } = await twoBrowsers();
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

  it('B3.4 own form: the attacker’s genuine form does nothing in the victim’s browser', async () => {
    const { deployment, provider, storage, victim, attacker } = await twoBrowsers();
    const stranger = createTestBrowser(deployment);
    for (const choice of choices) {
      await expectErrorPage(await victim.browser.submitConsent(attacker.consent, choice), deployment, stale);
      await expectCookiesPage(await stranger.submitConsent(attacker.consent, choice), deployment, 'consent');
    }
    expect(provider.authorizationRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
    // It is genuine: in the attacker's own browser it works.
    expect((await attacker.browser.submitConsent(attacker.consent, { choice: 'google' })).status).toBe(303);
  });
});

it('B4.1 framing: no page may stand in a frame, whatever it says', async () => {
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
