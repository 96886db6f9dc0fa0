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

const { platform, origin, fakeProviders } = inject('system');

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
const look = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({
    path: join(localFolder, 'screenshots', platform, `${name}.png`),
    fullPage: true,
  });
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
};

const heading = (page: Page): Promise<string> => page.locator('h1').innerText();

const pressGoogle = (page: Page) => page.getByRole('button', { name: 'Google' }).click();

/**
 * Responds to the requests of all tabs as if they were sent at the same time, so that no request has a cookie
 * from the response to another one.
 */
const answerAtOnce = async (context: BrowserContext, urls: readonly string[]): Promise<void> => {
  const responses = await Promise.all(urls.map((url) => fetch(url)));
  const answers = new Map(
    await Promise.all(
      responses.map(
        async (response, at) =>
          [urls[at], { headers: response.headers, body: await response.text() }] as const,
      ),
    ),
  );
  await context.route(`${origin}/authorize?**`, (route) => {
    const answer = answers.get(route.request().url());
    return answer === undefined
      ? route.continue()
      : route.fulfill({ headers: Object.fromEntries(answer.headers), body: answer.body });
  });
};

describe('tabs that are opened at the same time, in a browser without cookies', () => {
  it.each([
    ['two tabs', 2, 'browser-two-tabs', 'browser-two-tabs'],
    // With two users, because each one can sign in only 20 times in ten minutes.
    ['30 tabs', 30, 'browser-30-tabs', 'browser-30-tabs-other'],
  ] as const)('can all complete a sign-in: %s', async (_, count, testUserName, otherRole) => {
    const { context, pageErrors } = await openContext(chromium);
    const startedSignIn = Array.from({ length: count }, () =>
      startSignIn(createGptAction(callback), crypto.randomUUID()),
    );
    const pages = await Promise.all(startedSignIn.map(() => context.newPage()));
    await answerAtOnce(
      context,
      startedSignIn.map(({ url }) => url.href),
    );
    await Promise.all(startedSignIn.map(({ url }, at) => pages[at]?.goto(url.href)));
    const cookies = (await context.cookies(origin)).filter(({ name }) => name.startsWith('__Host-csrf-'));
    expect(cookies).toHaveLength(count);
    for (const [at, one] of startedSignIn.entries()) {
      const page = pages[at];
      if (page === undefined) throw new Error('no such tab');
      await signInAtGoogle(context, at < count / 2 ? testUserName : otherRole);
      // Chromium rarely renders background tabs.
      await page.bringToFront();
      await pressGoogle(page);
      await waitForClientPage(page);
      const query = callback.received.at(-1);
      const answer = readCallback(one, new URL(`${callback.redirectUri}?${query}`));
      expect([at, answer.kind]).toEqual([at, 'code']);
      await page.close();
    }
    const all = (await context.cookies(origin)).map(({ name, value }) => `${name}=${value}`).join('; ');
    expect(all.length).toBeLessThan(6_000);
    await context.close();
    expect(pageErrors).toEqual([]);
  });

  it('can complete sign-ins at the account page and at a client', async () => {
    const { context, pageErrors } = await openContext(chromium);
    await signInAtGoogle(context, 'browser-tabs-account');
    const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
    const [client, one, two] = await Promise.all([context.newPage(), context.newPage(), context.newPage()]);
    await Promise.all([
      client.goto(startedSignIn.url.href),
      one.goto(`${origin}/account`),
      two.goto(`${origin}/account`),
    ]);
    for (const page of [one, two]) {
      await pressGoogle(page);
      await page.waitForURL(`${origin}/account`);
      await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
    }
    await pressGoogle(client);
    await waitForClientPage(client);
    await one.reload();
    await one.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
    await context.close();
    expect(pageErrors).toEqual([]);
  });
});

/** Returns the callback URL to which the provider redirects. */
const callbackUrlOf = (context: BrowserContext): Promise<string> =>
  new Promise((resolve) => {
    context.on('request', (request) => {
      if (request.url().startsWith(`${origin}/callback/`)) resolve(request.url());
    });
  });

describe('a callback that is opened again', () => {
  it('shows that the user is already signed in, and does not redirect to the client', async () => {
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const url = callbackUrlOf(context);
    await signInThroughBrowser({ page, pageErrors }, callback, 'browser-reload', 'signed-in');
    const received = callback.received.length;
    const response = await page.goto(await url);
    expect(response?.status()).toBe(400);
    expect(await heading(page)).toBe('You’re already signed in');
    await look(page, 'already-signed-in');
    await page.reload();
    expect(await heading(page)).toBe('You’re already signed in');
    expect(callback.received).toHaveLength(received);
    await context.close();
    expect(pageErrors).toEqual([]);
  });
});

describe('a browser that blocks cookies', () => {
  it('gets a page that cookies are required, for a sign-in at a client and at the account page', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'no-cookies-'));
    await mkdir(join(profile, 'Default'));
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(blocked));
    const context = await playwright.launchPersistentContext(profile, launchOptions());
    context.setDefaultTimeout(timeoutMs);
    const page = await context.newPage();
    await page.goto(startSignIn(createGptAction(callback), crypto.randomUUID()).url.href);
    expect(await context.cookies(origin)).toEqual([]);
    await pressGoogle(page);
    expect(await heading(page)).toBe('Cookies are required');
    await look(page, 'cookies-required');
    await page.goto(`${origin}/account`);
    await pressGoogle(page);
    expect(await heading(page)).toBe('Cookies are required');
    await look(page, 'cookies-required-account');
    await context.close();
    await rm(profile, { recursive: true });
  });
});

/**
 * Goes to the provider, and stops at its redirect to the callback. Only the debugging protocol can intercept
 * redirects.
 */
const stopAtCallback = async (page: Page, go: () => Promise<void>): Promise<string> => {
  const session = await page.context().newCDPSession(page);
  const { promise, resolve } = Promise.withResolvers<string>();
  session.on('Fetch.requestPaused', async ({ requestId, request: { url } }) => {
    await session.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
    resolve(url);
  });
  await session.send('Fetch.enable', { patterns: [{ urlPattern: `${origin}/callback/*` }] });
  await go();
  const url = await promise;
  await session.send('Fetch.disable');
  return url;
};

/** Returns how many prefetch requests the server has refused. */
const refusedPrefetches = async (): Promise<number> => {
  const log = await readFile(join(localFolder, `conformance-${platform}.log`), 'utf8');
  return log.split('request.prefetch').length - 1;
};

/** Serves a page on the app's own host that makes the browser prefetch the callback URL. */
const startLoadingInAdvance = async (
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

const inAdvance: readonly (readonly [string, (url: string) => string])[] = [
  ['<link rel=prefetch>', (url) => `<link rel="prefetch" href="${url}">`],
  [
    'speculation rules that prefetch',
    (url) =>
      `<script type="speculationrules">{"prefetch":[{"source":"list","urls":["${url}"],"eagerness":"immediate"}]}</script>`,
  ],
];

describe('a callback that the browser prefetches', () => {
  it.each(inAdvance)('completes the sign-in at the navigation: %s', async (_, htmlFor) => {
    const { context } = await openContext(chromium);
    const page = await context.newPage();
    await signInAtGoogle(context, 'browser-prefetch');
    const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
    await page.goto(startedSignIn.url.href);
    const callbackUrl = await stopAtCallback(page, () =>
      page.getByRole('button', { name: 'Google' }).dispatchEvent('click'),
    );
    const before = await refusedPrefetches();
    const { server, url: elsewhere } = await startLoadingInAdvance(htmlFor(callbackUrl));
    const other = await context.newPage();
    await other.goto(elsewhere);
    await expect.poll(refusedPrefetches, { timeout: timeoutMs }).toBeGreaterThan(before);
    const received = callback.received.length;
    await other.goto(callbackUrl);
    await waitForClientPage(other);
    expect(callback.received).toHaveLength(received + 1);
    const answer = readCallback(
      startedSignIn,
      new URL(`${callback.redirectUri}?${callback.received.at(-1)}`),
    );
    expect(answer.kind).toBe('code');
    await context.close();
    server.close();
  });
});
