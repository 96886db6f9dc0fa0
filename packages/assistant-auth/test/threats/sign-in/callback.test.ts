import { describe, expect, it } from 'vitest';
import { appRequest, createTestBrowser, gptRequest, readRedirect } from '../../browser.ts';
import { gpt, redeem } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import {
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  expectErrorRedirect,
  gptDestination,
  missingTransactionMessage,
} from '../../expect-error.ts';
import { createProvider } from '../../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listTransactionCookies } from '../../flows.ts';
import { createSpyProvider } from '../../spy-provider.ts';
import { createSpyStorage } from '../../spy-storage.ts';

const stale =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';

const readCode = (response: Response): string => readRedirect(response).searchParams.get('code') ?? '';

/** A deployment whose provider and storage tell what they were asked. */
const monitored = () => {
  const provider = createSpyProvider();
  const storage = createSpyStorage();
  return {
    provider,
    storage,
    deployment: deploy({ providers: [provider, createProvider('other', 'Other')], storage }),
  };
};

it('B2.1 captured URL: a person who follows the attacker’s way to the provider comes back to a page', async () => {
  const { provider, storage, deployment } = monitored();
  const attacker = await continueToProvider(deployment);
  const answer = attacker.callbackUrl({ code: provider.buildCode(attacker.sent, 'victim') });
  await expectCookiesPage(await createTestBrowser(deployment).visit(answer), deployment, 'callback');
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.no-cookies' });
  const victim = (await continueToProvider(deployment)).browser;
  await expectErrorPage(await victim.visit(answer), deployment, missingTransactionMessage);
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.missing' });
  expect(provider.tokenRequests).toEqual([]);
  expect(storage.calls).toEqual([]);
});

it('B2.2 look-alike name: a login transaction that a neighbouring domain planted is none', async () => {
  const { provider, storage, deployment } = monitored();
  const attacker = await continueToProvider(deployment);
  const [name = ''] = listTransactionCookies(attacker.browser.cookies);
  const answer = attacker.callbackUrl({ code: provider.buildCode(attacker.sent, 'victim') });
  // Browsers keep the promises of `__Host-` for names that begin with it, and servers may take others for the same.
  for (const space of ['\u00a0', '\u2000', '\u3000', '\ufeff', '\v']) {
    const cookie = `${space}${name}=${attacker.browser.cookies.get(name)}`;
    const response = await createTestBrowser(deployment).visit(answer, { headers: { cookie } });
    await expectCookiesPage(response, deployment, 'callback');
    expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.no-cookies' });
  }
  expect(provider.tokenRequests).toEqual([]);
  expect(storage.calls).toEqual([]);
});

it('B5.1 mix-up: an answer at another provider’s callback goes to neither provider', async () => {
  const provider = createSpyProvider('google');
  const other = createSpyProvider('other');
  const deployment = deploy({ providers: [provider, other] });
  const { browser, returnFromProvider } = await continueToProvider(deployment);
  await expectErrorPage(await returnFromProvider({ code: 'ada' }, '/callback/other'), deployment, stale);
  expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.provider' });
  expect([...provider.tokenRequests, ...other.tokenRequests]).toEqual([]);
  expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  // The login transaction itself goes on at its own place.
  expect(readCode(await returnFromProvider({ code: 'ada' }))).not.toBe('');
});

describe('B6', () => {
  it('B6.1 login CSRF: the attacker’s own answer signs nobody in as the attacker', async () => {
    const { provider, storage, deployment } = monitored();
    const attacker = await continueToProvider(deployment);
    const victim = await continueToProvider(deployment);
    const answer = attacker.callbackUrl({ code: provider.buildCode(attacker.sent, 'attacker') });
    await expectErrorPage(await victim.browser.visit(answer), deployment, missingTransactionMessage);
    expect(provider.tokenRequests).toEqual([]);
    // The victim's own login transaction is untouched.
    const own = await victim.returnFromProvider({ code: provider.buildCode(victim.sent, 'victim') });
    expect(readCode(own)).not.toBe('');
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
  });

  it('B6.1 login CSRF: the attacker’s code under the victim’s state is held against the victim’s nonce', async () => {
    const { provider, storage, deployment } = monitored();
    const attacker = await continueToProvider(deployment);
    const victim = await continueToProvider(deployment);
    const response = await victim.returnFromProvider({ code: provider.buildCode(attacker.sent, 'attacker') });
    expect(readRedirect(response).searchParams.get('error')).toBe('server_error');
    expect(provider.tokenRequests.map(({ nonce }) => nonce)).toEqual([victim.sent.searchParams.get('nonce')]);
    expect(storage.calls).toEqual(['readGrantStatus', 'readGrantStatus']);
  });

  it.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['an empty state', (url: URL) => url.searchParams.set('state', '')],
    ['a guessed state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
    ['a state cut short', (url: URL) => url.searchParams.set('state', 'x')],
    ['the client’s state', (url: URL) => url.searchParams.set('state', gptRequest.state)],
  ])('B6.1 login CSRF: an answer with %s finds no login transaction', async (_, change) => {
    const { provider, deployment } = monitored();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const url = new URL(callbackUrl({ code: 'ada' }));
    change(url);
    await expectErrorPage(await browser.visit(url.href), deployment, missingTransactionMessage);
    expect(provider.tokenRequests).toEqual([]);
  });

  it('B6.1 login CSRF: one login transaction’s cookie under the name of another opens neither', async () => {
    const { provider, deployment } = monitored();
    const attacker = await continueToProvider(deployment);
    const victim = await continueToProvider(deployment);
    const [name = ''] = listTransactionCookies(victim.browser.cookies);
    const foreign =
      attacker.browser.cookies.get(listTransactionCookies(attacker.browser.cookies)[0] ?? '') ?? '';
    for (const value of [foreign, `${foreign}A`, '', 'x', buildCookieHeader(victim.browser.cookies)]) {
      victim.browser.cookies.set(name, value);
      const message = value === foreign ? missingTransactionMessage : stale;
      await expectErrorPage(await victim.returnFromProvider({ code: 'ada' }), deployment, message);
    }
    expect(provider.tokenRequests).toEqual([]);
  });
});

describe('B7', () => {
  it('B7.1 state replay: an answer that came once is known the second time, and makes nothing of it', async () => {
    const { provider, storage, deployment } = monitored();
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
    expect(provider.tokenRequests).toHaveLength(1);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'readGrantStatus']);
  });

  it('B7.1 state replay: with the cookie put back by hand no second code is made, and the first works', async () => {
    const { deployment } = monitored();
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

  it('B7.1 state replay: of two answers at once exactly one makes a code', async () => {
    const { deployment } = monitored();
    const { returnFromProvider } = await continueToProvider(deployment);
    const responses = await Promise.all([1, 2, 3, 4].map(() => returnFromProvider({ code: 'ada' })));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400]);
  });

  it('B7.2 expiry: a person may take ten minutes at the provider, and not a second more', async () => {
    const { deployment, provider } = monitored();
    const [quick, slow] = [await continueToProvider(deployment), await continueToProvider(deployment)];
    deployment.advance(599);
    expect(readCode(await quick.returnFromProvider({ code: 'ada' }))).not.toBe('');
    deployment.advance(1);
    await expectErrorPage(await slow.returnFromProvider({ code: 'ada' }), deployment, stale);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.expired' });
    expect(provider.tokenRequests).toHaveLength(1);
  });

  it('B7.3 two tabs: login transactions side by side end each at its own client, in any order', async () => {
    const { deployment } = monitored();
    const browser = createTestBrowser(deployment);
    const [one, two] = [await browser.openSignInPage(gptRequest), await browser.openSignInPage(appRequest)];
    const stateOf = (response: Response) => readRedirect(response).searchParams.get('state') ?? '';
    const second = stateOf(await browser.submitConsent(two.consent, { choice: 'other' }));
    const first = stateOf(await browser.submitConsent(one.consent, { choice: 'google' }));
    const back = async (provider: string, state: string) =>
      readRedirect(
        await browser.visit(`${issuer}/callback/${provider}?${new URLSearchParams({ state, code: 'ada' })}`),
      );
    const gptDestination = await back('google', first);
    expect(gptDestination.origin + gptDestination.pathname).toBe(gptRequest.redirect_uri);
    expect(gptDestination.searchParams.get('state')).toBe(gptRequest.state);
    const toApp = await back('other', second);
    expect(toApp.origin + toApp.pathname).toBe(appRequest.redirect_uri);
    expect(toApp.searchParams.get('state')).toBe(appRequest.state);
    expect([gptDestination, toApp].every(({ searchParams }) => searchParams.has('code'))).toBe(true);
  });

  it('B7.3 two tabs: a refusal in one leaves the other its login transaction', async () => {
    const { deployment } = monitored();
    const browser = createTestBrowser(deployment);
    const consents = [
      (await browser.openSignInPage(gptRequest)).consent,
      (await browser.openSignInPage(gptRequest)).consent,
    ];
    const states: string[] = [];
    for (const consent of consents) {
      const sent = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
      states.push(sent.searchParams.get('state') ?? '');
    }
    const [one = '', two = ''] = states;
    const refused = await browser.visit(`${issuer}/callback/google?error=access_denied&state=${one}`);
    expectErrorRedirect(withoutCookies(refused), {
      to: gptRequest.redirect_uri,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'The sign-in was refused or cancelled at the provider.',
    });
    expect(readCode(await browser.visit(`${issuer}/callback/google?code=ada&state=${two}`))).not.toBe('');
  });

  it('B7.3 two tabs: of six login transactions the newest five can end, also if all began in one second', async () => {
    const { deployment } = monitored();
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
      const answer = new URLSearchParams({ state, code: 'ada' });
      statuses.push((await browser.visit(`${issuer}/callback/google?${answer}`)).status);
    }
    expect(statuses).toEqual([400, 303, 303, 303, 303, 303]);
  });
});

const withoutCookies = (response: Response): Response => {
  response.headers.delete('set-cookie');
  return response;
};
