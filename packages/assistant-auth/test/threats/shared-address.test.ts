/** Users who share an address with someone who uses up its rate limit. */
import { describe, expect, it } from 'vitest';
import { type BrokerOptions, defaultRateLimits } from '../../src/index.ts';
import { createAccountBrowser } from '../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
import {
  continueToProvider,
  listBindingCookies,
  listTransactionCookies,
  startAuthorization,
} from '../flows.ts';
import { readCode } from '../repeated-callback.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { attacker } from '../wrong-secrets.ts';

const { pageRequests, requestsPerSignIn } = defaultRateLimits;
const own = requestsPerSignIn.limit;

/** All requests come from one address. */
const deployAtOneAddress = (changes: Partial<BrokerOptions> = {}) =>
  deploy({
    clientAddress: () => attacker,
    providers: [
      createProvider('google', 'Google'),
      createProvider('other', 'Other'),
      { ...createProvider('apple', 'Apple'), responseMode: 'form_post' },
    ],
    ...changes,
  });

/** Sends requests that prove nothing, until the address has used up its limit. */
const sendGarbage = async (deployment: Deployment): Promise<void> => {
  for (let attempt = 0; attempt <= pageRequests.limit; attempt++)
    await deployment.fetch(new Request(`${issuer}/callback/google?code=x&state=${attempt}`));
  expect(deployment.log.at(-1)).toMatchObject({ reason: 'sign-in.limited' });
};

const countStatuses = async (times: number, send: () => Promise<Response>) => {
  const counts: Record<number, number> = {};
  for (let attempt = 0; attempt < times; attempt++) {
    const { status } = await send();
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
};

describe('after others at the same address used up its limit', () => {
  it('W20.1 a sign-in in progress: works from the open sign-in page to the code, and after a reload', async () => {
    const deployment = deployAtOneAddress();
    const { browser, consent } = await startAuthorization(deployment);
    await sendGarbage(deployment);
    const url = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
    const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'ada' });
    const callbackUrl = `${issuer}/callback/google?${query}`;
    expect(readCode(await browser.visit(callbackUrl))).not.toBe('');
    expect(await (await browser.visit(callbackUrl)).text()).toContain('already signed in');
    expect((await browser.openSignInPage(gptRequest)).response.status).toBe(429);
  });

  it('W20.1 a sign-in in progress: can be canceled', async () => {
    const deployment = deployAtOneAddress();
    const { browser, consent } = await startAuthorization(deployment);
    await sendGarbage(deployment);
    const response = await browser.submitConsent(consent, { cancel: '1' });
    expect(readRedirect(response).searchParams.get('error')).toBe('access_denied');
  });

  it('W20.1 a sign-in in progress: works with a response by form post, which has no cookies', async () => {
    const deployment = deployAtOneAddress();
    const { browser, state } = await continueToProvider(deployment, gptRequest, 'apple');
    await sendGarbage(deployment);
    const posted = await deployment.fetch(
      new Request(`${issuer}/callback/apple`, {
        method: 'POST',
        headers: { origin: 'https://apple.example', 'sec-fetch-site': 'cross-site' },
        body: new URLSearchParams({ state, code: 'ada' }),
      }),
    );
    expect(readCode(await browser.visit(readRedirect(posted).href))).not.toBe('');
  });

  it('W20.2 the account page: works in a session, and so does a sign-in to a client', async () => {
    const deployment = deployAtOneAddress();
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount();
    await sendGarbage(deployment);
    expect((await ada.openAccountPage()).kind).toBe('account');
    expect((await ada.reauthenticate()).status).toBe(303);
    expect((await ada.post('/export')).status).toBe(200);
    expect((await ada.signIn(gptRequest)).searchParams.has('code')).toBe(true);
    expect((await ada.post('/sign-out')).status).toBe(303);
  });

  it('W20.2 the account page: a sign-in from its open page works', async () => {
    const deployment = deployAtOneAddress();
    const ada = createAccountBrowser(deployment);
    const { form } = await ada.openAccountPage();
    await sendGarbage(deployment);
    const url = readRedirect(await ada.post('/sign-in', { choice: 'google' }, form));
    const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'ada' });
    expect(readRedirect(await ada.visit(`${issuer}/callback/google?${query}`)).pathname).toBe('/account');
    expect((await ada.openAccountPage()).kind).toBe('account');
  });
});

describe('requests that are not genuine', () => {
  const expectLimited = async (deployment: Deployment, send: () => Promise<Response>) => {
    await sendGarbage(deployment);
    expect(await countStatuses(3, send)).toEqual({ 429: 3 });
  };

  it('W20.3 made-up cookies: count by address', async () => {
    const deployment = deployAtOneAddress();
    const { browser, state } = await continueToProvider(deployment);
    const [name = ''] = listTransactionCookies(browser.cookies);
    const genuine = browser.cookies.get(name) ?? '';
    const visitWith =
      (cookie: string, query = `state=${state}&code=ada`) =>
      () =>
        deployment.fetch(new Request(`${issuer}/callback/google?${query}`, { headers: { cookie } }));
    await expectLimited(deployment, visitWith(`${name}=AAAA`));
    for (const send of [
      visitWith(`${name}=${genuine.slice(0, -4)}AAAA`),
      visitWith(`${name}=${genuine}`, 'state=another&code=ada'),
      visitWith(`${name}=${genuine}`, 'code=ada'),
      visitWith(`${name}=${genuine}`, `state=${state}&state=${state}`),
      visitWith('__Host-session=AAAA'),
    ])
      expect((await send()).status).toBe(429);
    expect(readCode(await visitWith(`${name}=${genuine}`)())).not.toBe('');
  });

  it('W20.3 made-up cookies: the sealed values of others prove nothing in another place', async () => {
    const deployment = deployAtOneAddress();
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount();
    const session = ada.cookies.get('__Host-session') ?? '';
    const { browser, consent, state } = await (async () => {
      const started = await startAuthorization(deployment);
      const url = readRedirect(await started.browser.submitConsent(started.consent, { choice: 'google' }));
      return { ...started, state: url.searchParams.get('state') ?? '' };
    })();
    const [name = ''] = listTransactionCookies(browser.cookies);
    await sendGarbage(deployment);
    for (const cookie of [`${name}=${session}`, `${name}=${consent}`])
      expect(
        (
          await deployment.fetch(
            new Request(`${issuer}/callback/google?state=${state}`, { headers: { cookie } }),
          )
        ).status,
      ).toBe(429);
    const transaction = browser.cookies.get(name);
    const cookie = `__Host-session=${transaction}`;
    expect((await deployment.fetch(new Request(`${issuer}/account`, { headers: { cookie } }))).status).toBe(
      429,
    );
  });

  it('W20.3 made-up cookies: an expired transaction, session or form counts by address', async () => {
    const deployment = deployAtOneAddress({
      lifetimes: { sessionAbsolute: 300, sessionIdle: 300, consent: 60 },
    });
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount();
    const { browser, consent } = await startAuthorization(deployment);
    const { returnFromProvider } = await continueToProvider(deployment);
    deployment.advance(600);
    await expectLimited(deployment, () => ada.visit(`${issuer}/account`));
    expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(429);
    expect((await returnFromProvider({ code: 'ada' })).status).toBe(429);
  });

  it('W20.3 made-up cookies: a form without its binding cookie, or from another origin, counts by address', async () => {
    const deployment = deployAtOneAddress();
    const { browser, consent } = await startAuthorization(deployment);
    await expectLimited(deployment, () =>
      createTestBrowser(deployment).submitConsent(consent, { choice: 'google' }),
    );
    const [name = ''] = listBindingCookies(browser.cookies);
    for (const body of [
      '',
      'consent=AAAA&choice=google',
      `consent=${consent}&consent=${consent}`,
      'x'.repeat(20_000),
    ])
      expect(
        (
          await browser.visit(`${issuer}/authorize/consent`, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded', origin: issuer },
            body,
          })
        ).status,
      ).toBe(429);
    expect(browser.cookies.has(name)).toBe(true);
    expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
  });
});

describe('the allowance of a sign-in', () => {
  it('W20.4 many genuine requests: those beyond the allowance of a transaction count by address', async () => {
    const provider = createSpyProvider();
    const storage = createSpyStorage();
    const deployment = deployAtOneAddress({ providers: [provider], storage });
    const { returnFromProvider } = await continueToProvider(deployment);
    await sendGarbage(deployment);
    const counts = await countStatuses(own + 10, () => returnFromProvider({ error: 'access_denied' }));
    expect(counts).toEqual({ 303: 1, 403: own - 1, 429: 10 });
    // Only the first request reached the provider.
    expect(provider.tokenRequests).toHaveLength(1);
    // Another transaction has its own allowance, which refills.
    deployment.advance(requestsPerSignIn.period / own);
    expect((await returnFromProvider({ error: 'access_denied' })).status).toBe(403);
  });

  it('W20.4 many genuine requests: each form and each session has its own allowance', async () => {
    const deployment = deployAtOneAddress();
    const [ada, bob] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    await ada.signInToAccount('ada');
    await bob.signInToAccount('bob');
    const first = await startAuthorization(deployment);
    const second = await startAuthorization(deployment);
    await sendGarbage(deployment);
    const visitAccount = () => ada.visit(`${issuer}/account`);
    // The callback of the sign-in used one of the session's allowance.
    expect(await countStatuses(own + 5, visitAccount)).toEqual({ 200: own - 1, 429: 6 });
    expect((await bob.visit(`${issuer}/account`)).status).toBe(200);
    const submit =
      ({ browser, consent }: typeof first) =>
      () =>
        browser.submitConsent(consent, { choice: 'google' });
    expect(await countStatuses(own + 5, submit(first))).toEqual({ 303: own, 429: 5 });
    expect((await submit(second)()).status).toBe(303);
  });

  it('W20.4 many genuine requests: those beyond the allowance still work if the address has not used up its own', async () => {
    const deployment = deployAtOneAddress();
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount();
    expect(await countStatuses(3 * own, () => ada.visit(`${issuer}/account`))).toEqual({ 200: 3 * own });
  });

  it('W20.4 many genuine requests: all forms of an address get at most ten times its limit', async () => {
    const deployment = deployAtOneAddress();
    const needed = (10 * pageRequests.limit) / own + 10;
    const forms: Awaited<ReturnType<typeof startAuthorization>>[] = [];
    for (let count = 0; count < needed; count++) forms.push(await startAuthorization(deployment));
    await sendGarbage(deployment);
    let allowed = 0;
    for (const { browser, consent } of forms) {
      const submit = () => browser.submitConsent(consent, { cancel: '1' });
      const { 303: canceled = 0, 429: limited = 0 } = await countStatuses(own, submit);
      expect(canceled + limited).toBe(own);
      allowed += canceled;
    }
    expect(allowed).toBeGreaterThan(pageRequests.limit);
    expect(allowed).toBeLessThanOrEqual(10 * pageRequests.limit);
  });

  it('W20.4 many genuine requests: collecting transactions counts by address', async () => {
    const deployment = deployAtOneAddress();
    let collected = 0;
    for (let attempt = 0; attempt < pageRequests.limit + 50; attempt++) {
      const browser = createTestBrowser(deployment);
      const { consent } = await browser.openSignInPage(gptRequest);
      if (consent !== '' && (await browser.submitConsent(consent, { choice: 'google' })).status === 303)
        collected += 1;
    }
    expect(collected).toBe(pageRequests.limit);
  });
});
