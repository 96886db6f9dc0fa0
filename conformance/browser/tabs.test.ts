/**
 * Tests browser behavior beyond following links: several tabs at once, reloaded and prefetched pages, and
 * blocked cookies.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { findFreePort, readCallback, startSignIn } from '@words-with-chat/lab';
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { localFolder } from '../../scripts/local-system/data-folder.ts';
import { type TestUserName, testUser } from '../test-users.ts';
import { launchChromium, launchOptions, openContext, timeoutMs } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { createGptAction, signInThroughBrowser, waitForClientPage } from './flows.ts';

const { platform, logFile, origin, fakeProviders } = inject('system');

let chromium: Browser;
let callback: ClientCallback;

beforeAll(async () => {
  chromium = await launchChromium();
  callback = await startClientCallback('show-page');
});

afterAll(async () => {
  await chromium.close();
  callback.close();
});

/** Gives the user a session at Google, so that a tab returns immediately after its button is pressed. */
const signInAtGoogle = (context: BrowserContext, testUserName: TestUserName): Promise<void> =>
  context.addCookies([
    { name: 'signed-in', value: testUser(testUserName).email, url: fakeProviders[0]?.issuer ?? '' },
  ]);

/** Takes a screenshot of a page, and expects axe to find no violations. */
const checkPage = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({
    path: join(localFolder, 'screenshots', platform, `${name}.png`),
    fullPage: true,
  });
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
};

const readHeading = (page: Page): Promise<string> => page.locator('h1').innerText();

const pressGoogle = (page: Page) => page.getByRole('button', { name: 'Google' }).click();

/**
 * Responds to the requests of all tabs as if they were sent at the same time, so that no request has a cookie
 * from the response to another one.
 */
const respondAtOnce = async (context: BrowserContext, urls: readonly string[]): Promise<void> => {
  const responses = await Promise.all(urls.map((url) => fetch(url)));
  const responsesByUrl = new Map(
    await Promise.all(
      responses.map(
        async (response, index) =>
          [urls[index], { headers: response.headers, body: await response.text() }] as const,
      ),
    ),
  );
  await context.route(`${origin}/authorize?**`, (route) => {
    const response = responsesByUrl.get(route.request().url());
    return response === undefined
      ? route.continue()
      : route.fulfill({ headers: Object.fromEntries(response.headers), body: response.body });
  });
};

describe('tabs that are opened at the same time, in a browser without cookies', () => {
  it.each([
    ['two tabs', 2, 'browser-two-tabs', 'browser-two-tabs'],
    // With two users, because each one can sign in only 20 times in ten minutes.
    ['30 tabs', 30, 'browser-30-tabs', 'browser-30-tabs-other'],
  ] as const)('can all complete a sign-in: %s', async (_, count, testUserName, otherTestUserName) => {
    const { context, pageErrors } = await openContext(chromium);
    const startedSignIns = Array.from({ length: count }, () =>
      startSignIn(createGptAction(callback), crypto.randomUUID()),
    );
    const pages = await Promise.all(startedSignIns.map(() => context.newPage()));
    await respondAtOnce(
      context,
      startedSignIns.map(({ url }) => url.href),
    );
    await Promise.all(startedSignIns.map(({ url }, index) => pages[index]?.goto(url.href)));
    const cookies = (await context.cookies(origin)).filter(({ name }) => name.startsWith('__Host-csrf-'));
    expect(cookies).toHaveLength(count);
    for (const [index, startedSignIn] of startedSignIns.entries()) {
      const page = pages[index];
      if (page === undefined) throw new Error('no such tab');
      await signInAtGoogle(context, index < count / 2 ? testUserName : otherTestUserName);
      // Chromium rarely renders background tabs.
      await page.bringToFront();
      await pressGoogle(page);
      await waitForClientPage(page);
      const query = callback.received.at(-1);
      const callbackResult = readCallback(startedSignIn, new URL(`${callback.redirectUri}?${query}`));
      expect([index, callbackResult.kind]).toEqual([index, 'code']);
      await page.close();
    }
    const cookieHeader = (await context.cookies(origin))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    expect(cookieHeader.length).toBeLessThan(6_000);
    await context.close();
    expect(pageErrors).toEqual([]);
  });

  it('can complete sign-ins at the account page and at a client', async () => {
    const { context, pageErrors } = await openContext(chromium);
    await signInAtGoogle(context, 'browser-tabs-account');
    const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
    const [clientTab, firstAccountTab, secondAccountTab] = await Promise.all([
      context.newPage(),
      context.newPage(),
      context.newPage(),
    ]);
    await Promise.all([
      clientTab.goto(startedSignIn.url.href),
      firstAccountTab.goto(`${origin}/account`),
      secondAccountTab.goto(`${origin}/account`),
    ]);
    for (const tab of [firstAccountTab, secondAccountTab]) {
      await pressGoogle(tab);
      await tab.waitForURL(`${origin}/account`);
      await tab.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
    }
    await pressGoogle(clientTab);
    await waitForClientPage(clientTab);
    await firstAccountTab.reload();
    await firstAccountTab.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
    await context.close();
    expect(pageErrors).toEqual([]);
  });
});

/** Returns the callback URL to which the provider redirects. */
const waitForCallbackUrl = (context: BrowserContext): Promise<string> =>
  new Promise((resolve) => {
    context.on('request', (request) => {
      if (request.url().startsWith(`${origin}/callback/`)) resolve(request.url());
    });
  });

describe('a callback that is opened again', () => {
  it('shows that the user is already signed in, and does not redirect to the client', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const url = waitForCallbackUrl(context);
    await signInThroughBrowser({ page, pageErrors }, callback, 'browser-reload', 'signed-in');
    const receivedCount = callback.received.length;
    const response = await page.goto(await url);
    expect(response?.status()).toBe(400);
    expect(await readHeading(page)).toBe('You’re already signed in');
    await checkPage(page, 'already-signed-in');
    await page.reload();
    expect(await readHeading(page)).toBe('You’re already signed in');
    expect(callback.received).toHaveLength(receivedCount);
    await context.close();
    expect(pageErrors).toEqual([]);
  });

  it('shows why the sign-in failed and where to start again, and does not redirect to the client', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const url = waitForCallbackUrl(context);
    await page.goto(startSignIn(createGptAction(callback), crypto.randomUUID()).url.href);
    await page.getByRole('button', { name: 'Acme' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await waitForClientPage(page);
    const receivedCount = callback.received.length;
    const response = await page.goto(await url);
    expect(response?.status()).toBe(403);
    expect(await page.locator('.lead').innerText()).toBe(
      'The sign-in was denied or canceled at the provider.',
    );
    expect(await page.getByText('and start again').count()).toBe(1);
    await checkPage(page, 'failed-sign-in');
    await page.reload();
    expect(await page.locator('.lead').innerText()).toBe(
      'The sign-in was denied or canceled at the provider.',
    );
    expect(callback.received).toHaveLength(receivedCount);
    await context.close();
    expect(pageErrors).toEqual([]);
  });
});

describe('a browser that blocks cookies', () => {
  it('gets the page "Cookies are required" for a sign-in at a client and at the account page', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'no-cookies-'));
    await mkdir(join(profile, 'Default'));
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
    const context = await playwright.launchPersistentContext(profile, launchOptions());
    context.setDefaultTimeout(timeoutMs);
    const page = await context.newPage();
    await page.goto(startSignIn(createGptAction(callback), crypto.randomUUID()).url.href);
    expect(await context.cookies(origin)).toEqual([]);
    await pressGoogle(page);
    expect(await readHeading(page)).toBe('Cookies are required');
    await checkPage(page, 'cookies-required');
    await page.goto(`${origin}/account`);
    await pressGoogle(page);
    expect(await readHeading(page)).toBe('Cookies are required');
    await checkPage(page, 'cookies-required-account');
    await context.close();
    await rm(profile, { recursive: true });
  });
});

/**
 * Goes to the provider, and stops at its redirect to the callback. Only the debugging protocol can intercept
 * redirects.
 */
const stopAtCallback = async (page: Page, navigate: () => Promise<void>): Promise<string> => {
  const debuggerSession = await page.context().newCDPSession(page);
  const { promise, resolve } = Promise.withResolvers<string>();
  debuggerSession.on('Fetch.requestPaused', async ({ requestId, request: { url } }) => {
    await debuggerSession.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
    resolve(url);
  });
  await debuggerSession.send('Fetch.enable', { patterns: [{ urlPattern: `${origin}/callback/*` }] });
  await navigate();
  const url = await promise;
  await debuggerSession.send('Fetch.disable');
  return url;
};

/** Returns how many prefetch requests the server has refused. */
const countRefusedPrefetches = async (): Promise<number> => {
  const log = await readFile(logFile, 'utf8');
  return log.split('request.prefetch').length - 1;
};

/** Serves a page on the app's own host that makes the browser prefetch the callback URL. */
const startPrefetchingPage = async (
  html: string,
): Promise<{ readonly server: Server; readonly url: string }> => {
  const port = await findFreePort();
  const server = createServer((_, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><link rel="icon" href="data:,">${html}`);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, url: `http://localhost:${port}/` };
};

const prefetchMethods: readonly (readonly [string, (url: string) => string])[] = [
  ['<link rel=prefetch>', (url) => `<link rel="prefetch" href="${url}">`],
  [
    'speculation rules that prefetch',
    (url) =>
      `<script type="speculationrules">{"prefetch":[{"source":"list","urls":["${url}"],"eagerness":"immediate"}]}</script>`,
  ],
];

describe('a callback that the browser prefetches', () => {
  it.each(prefetchMethods)('completes the sign-in when it is opened: %s', async (_, renderPrefetch) => {
    const { context } = await openContext(chromium);
    const page = await context.newPage();
    await signInAtGoogle(context, 'browser-prefetch');
    const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
    await page.goto(startedSignIn.url.href);
    const callbackUrl = await stopAtCallback(page, () =>
      page.getByRole('button', { name: 'Google' }).dispatchEvent('click'),
    );
    const before = await countRefusedPrefetches();
    const { server, url: prefetchingPageUrl } = await startPrefetchingPage(renderPrefetch(callbackUrl));
    const otherPage = await context.newPage();
    await otherPage.goto(prefetchingPageUrl);
    await expect.poll(countRefusedPrefetches, { timeout: timeoutMs }).toBeGreaterThan(before);
    const receivedCount = callback.received.length;
    await otherPage.goto(callbackUrl);
    await waitForClientPage(otherPage);
    expect(callback.received).toHaveLength(receivedCount + 1);
    const callbackResult = readCallback(
      startedSignIn,
      new URL(`${callback.redirectUri}?${callback.received.at(-1)}`),
    );
    expect(callbackResult.kind).toBe('code');
    await context.close();
    server.close();
  });
});
