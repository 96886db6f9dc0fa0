/** All cookies of the broker together, over HTTP: proxies refuse requests whose headers are too large. */
import { describe, expect, it } from 'vitest';
import { gptAction, staticClient } from '../../src/index.ts';
import { createAccountBrowser } from '../account-browser.ts';
import { appRequest, createTestBrowser, gptRequest, readRedirect, type TestBrowser } from '../browser.ts';
import { type Deployment, deploy, gptSecret, highUserLimits, issuer } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildCookieHeader,
  listBindingCookies,
  listCompletionCookies,
  listTransactionCookies,
} from '../flows.ts';
import { readCode } from '../repeated-callback.ts';

const maxLength = 6_000;
const longState = 's'.repeat(2_048);
const longPath = 'a'.repeat(150);
const longRequest = {
  ...appRequest,
  redirect_uri: `https://app.example/callback/${longPath}`,
  state: longState,
  scope: 'words score',
};

/** A provider whose profile nearly fills the session cookie, unless `size` is another one. */
const createLargeProvider = (size = 740) => {
  const provider = createProvider('google', 'Google');
  const handleCallback: typeof provider.handleCallback = async (...args) => ({
    ...(await provider.handleCallback(...args)),
    claims: { sub: 'ada', text: 'x'.repeat(size) },
  });
  return { ...provider, handleCallback };
};

const deployLarge = (size?: number): Deployment =>
  deploy({
    providers: [createLargeProvider(size)],
    limits: highUserLimits,
    clients: [
      gptAction({ id: 'gpt', name: 'Words GPT', secrets: [gptSecret], scopes: ['words', 'score'] }),
      staticClient({
        id: 'app',
        name: 'A public app',
        redirectUris: [longRequest.redirect_uri],
        scopes: ['words', 'score'],
      }),
    ],
  });

/** Opens sign-in pages in tabs that don't know of each other’s cookies. */
const openTabs = async (deployment: Deployment, browser: TestBrowser, count: number): Promise<void> => {
  for (let tab = 0; tab < count; tab++) {
    const other = createTestBrowser(deployment);
    await other.openSignInPage(gptRequest);
    for (const [name, value] of other.cookies) browser.cookies.set(name, value);
  }
};

const startSignIn = async (
  browser: TestBrowser,
  request: Readonly<Record<string, string>>,
): Promise<string> => {
  const { consent } = await browser.openSignInPage(request);
  const url = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
  return url.searchParams.get('state') ?? '';
};

const finish = (browser: TestBrowser, state: string, response: Readonly<Record<string, string>>) =>
  browser.visit(`${issuer}/callback/google?${new URLSearchParams({ state, ...response })}`);

const measure = ({ cookies }: TestBrowser): number => buildCookieHeader(cookies).length;

/** The account page of the session is one more tab: a browser keeps the binding cookies of 30. */
const combinations = [1, 29].flatMap((tabs) =>
  [false, true].flatMap((hasSession) =>
    [0, 3].flatMap((completions) =>
      (['short', 'long', 'both'] as const).map((state) => ({ tabs, hasSession, completions, state })),
    ),
  ),
);

describe('all cookies together', () => {
  it.each(combinations)(
    'W21.1 below 6 kB: $tabs tabs, session: $hasSession, $completions completions, $state state',
    async ({ tabs, hasSession, completions, state }) => {
      const deployment = deployLarge();
      const browser = createAccountBrowser(deployment);
      if (hasSession) {
        await browser.signInToAccount();
        expect(browser.cookies.get('__Host-session')?.length).toBeGreaterThan(1_100);
      }
      await openTabs(deployment, browser, tabs);
      for (let index = 0; index < completions; index++)
        await finish(
          browser,
          await startSignIn(browser, gptRequest),
          index === 0 ? { error: 'x' } : { code: 'ada' },
        );
      const bindings = listBindingCookies(browser.cookies);
      const states: string[] = [];
      for (let index = 0; index < 8; index++) {
        const isLong = state === 'long' || (state === 'both' && index % 2 === 1);
        // With `login`, the page offers no session, so the provider is the only choice.
        states.push(await startSignIn(browser, { ...(isLong ? longRequest : gptRequest), prompt: 'login' }));
        expect(measure(browser)).toBeLessThan(maxLength);
        // A notice is set for a minute.
        browser.cookies.set('__Host-notice', 'session-ended');
        expect(measure(browser)).toBeLessThan(maxLength + 40);
        browser.cookies.delete('__Host-notice');
      }
      expect(listBindingCookies(browser.cookies)).toEqual(expect.arrayContaining([...bindings]));
      expect(browser.cookies.has('__Host-session')).toBe(hasSession);
      const kept = listTransactionCookies(browser.cookies).length;
      if (state === 'short') expect(kept).toBe(5);
      else expect(kept).toBeGreaterThan(0);
      expect(readCode(await finish(browser, states.at(-1) ?? '', { code: 'ada' }))).not.toBe('');
      expect(listCompletionCookies(browser.cookies).length).toBeGreaterThan(0);
      expect(measure(browser)).toBeLessThan(maxLength);
      if (hasSession) expect((await browser.openAccountPage()).kind).toBe('account');
    },
  );

  it('W21.1 below 6 kB: after a sign-in to the account page among abandoned sign-ins', async () => {
    const deployment = deployLarge();
    const browser = createAccountBrowser(deployment);
    await openTabs(deployment, browser, 30);
    for (let index = 0; index < 5; index++) await startSignIn(browser, index < 4 ? gptRequest : longRequest);
    for (let index = 0; index < 3; index++) {
      await browser.signInToAccount();
      expect(measure(browser)).toBeLessThan(maxLength);
    }
    await browser.reauthenticate();
    expect(browser.cookies.has('__Host-notice')).toBe(true);
    expect(measure(browser)).toBeLessThan(maxLength);
    expect(listBindingCookies(browser.cookies)).toHaveLength(30);
  });

  it('W21.2 the session: a profile that is too large is left out, and the session works without it', async () => {
    const deployment = deployLarge(900);
    const browser = createAccountBrowser(deployment);
    await browser.signInToAccount();
    expect(browser.cookies.get('__Host-session')?.length).toBeLessThan(200);
    expect((await browser.openAccountPage()).kind).toBe('account');
  });

  it('W21.3 response headers: those of a sign-in with a long state fit into 8 kB, with all that they clear', async () => {
    const deployment = deployLarge();
    const browser = createTestBrowser(deployment);
    for (let index = 0; index < 40; index++)
      browser.cookies.set(`__Host-tx-${String(index).padStart(8, '0')}`, 'x');
    for (let index = 0; index < 40; index++)
      browser.cookies.set(`__Host-done-${String(index).padStart(8, '0')}`, 'x');
    const { consent } = await browser.openSignInPage(longRequest);
    const response = await browser.submitConsent(consent, { choice: 'google' });
    const length = [...response.headers].reduce(
      (sum, [name, value]) => sum + name.length + value.length + 4,
      0,
    );
    expect(response.headers.getSetCookie()).toHaveLength(17);
    // The URLs of real providers are longer than that of the fake one.
    expect(length).toBeLessThan(8_192 - 2_000);
  });
});
