/**
 * Tests the account page in a real Chromium, from the first score to the deletion of the account. axe checks
 * every page.
 */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { callApi, readCallback, redeemCode, refreshTokens, startSignIn } from '@words-with-chat/lab';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { localFolder } from '../../scripts/local-system/data-folder.ts';
import { scoreWithoutRounds } from '../scores.ts';
import { type TestUserName, testUser } from '../test-users.ts';
import { launchChromium, openContext, timeoutMs } from './chromium.ts';
import { type ClientCallback, startClientCallback } from './client-callback.ts';
import { createGptAction, waitForClientPage } from './flows.ts';
import { expectValidHtml } from './validators.ts';

const { platform, origin } = inject('system');
const accountUrl = `${origin}/account`;

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

/** Sends ChatGPT's authorization request, clicks these buttons, and returns ChatGPT's tokens. */
const connect = async (page: Page, buttons: readonly (string | RegExp)[]) => {
  const startedSignIn = startSignIn(createGptAction(callback), crypto.randomUUID());
  await page.goto(startedSignIn.url.href);
  for (const name of buttons) await page.getByRole('button', { name }).click();
  await waitForClientPage(page);
  const callbackResult = readCallback(
    startedSignIn,
    new URL(`${callback.redirectUri}?${callback.received.at(-1)}`),
  );
  if (callbackResult.kind !== 'code')
    throw new Error(`The client was called back with ${callback.received.at(-1)}.`);
  const tokens = await redeemCode(createGptAction(callback), callbackResult.code, fetch);
  if (tokens.kind === 'error') throw new Error(`refused with ${tokens.status}`);
  return tokens;
};

const callScoring = (method: 'GET' | 'POST', token: string) =>
  callApi({ method, url: `${origin}/api/scoring` }, token, fetch);

const scoreResponse = (score: number) => ({
  kind: 'response',
  status: 200,
  body: scoreWithoutRounds(score),
});

/** Takes a screenshot of a page, and expects axe and a validator of its HTML to find nothing. */
const checkPage = async (page: Page, name: string, settingsName: string): Promise<void> => {
  await page.screenshot({
    path: join(localFolder, 'screenshots', platform, `${name}-${settingsName}.png`),
    fullPage: true,
  });
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
  await expectValidHtml(await page.content());
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
};

/** Waits until the API refuses a token. After a revocation, it may accept the token for up to ten seconds. */
const waitUntilRefused = (token: string): Promise<void> =>
  expect.poll(() => callScoring('GET', token), { timeout: timeoutMs }).toEqual({ kind: 'unauthorized' });

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click();

/** Opens a part of the page that is closed at first. */
const open = (page: Page, summary: string) => page.locator('summary', { hasText: summary }).click();

const readStatus = (page: Page) => page.getByRole('status').innerText();

describe('a user on the account page', () => {
  it.each([
    ['phone', 'account-phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ['dark', 'account-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
  ] as const)(
    'links GitHub, disconnects ChatGPT, continues in the session, and deletes the account (%s)',
    async (settingsName, testUserName, options) => {
      const { context, pageErrors } = await openContext(chromium, options);
      const page = await context.newPage();
      const user = testUser(testUserName);
      const firstTokens = await connect(page, ['Google', user.email]);
      await callScoring('POST', firstTokens.accessToken);

      await page.goto(accountUrl);
      await checkPage(page, 'account-sign-in', settingsName);
      await press(page, 'Google');
      await press(page, user.email);
      await page.waitForURL(accountUrl);
      await checkPage(page, 'account', settingsName);

      await open(page, 'Add a sign-in method');
      await press(page, /Add.*GitHub/);
      await press(page, user.email);
      await page.locator('button[name="confirm"]').waitFor();
      await checkPage(page, 'account-link', settingsName);
      await page.locator('button[name="confirm"]').click();
      await page.waitForURL(accountUrl);
      expect(await readStatus(page)).toMatch(/^Sign-in method added/);
      expect(await page.getByText(user.email).count()).toBeGreaterThan(1);
      await checkPage(page, 'account-linked', settingsName);

      expect(await page.getByText('was added as a sign-in method').count()).toBe(1);
      expect(await page.getByRole('button', { name: 'Got it' }).count()).toBe(0);
      expect(await page.getByText('This device').count()).toBe(1);

      await press(page, /^Disconnect/);
      await page.waitForURL(accountUrl);
      expect(await readStatus(page)).toBe('The app is disconnected.');
      expect(
        await refreshTokens(createGptAction(callback), firstTokens.refreshToken ?? '', fetch),
      ).toMatchObject({
        kind: 'error',
        status: 401,
      });
      await waitUntilRefused(firstTokens.accessToken);

      const secondTokens = await connect(page, [/Continue as/]);
      expect(await callScoring('GET', secondTokens.accessToken)).toEqual(scoreResponse(1));
      const gitHubTokens = await connect(page, [/Sign in with.*GitHub/, user.email]);
      expect(await callScoring('GET', gitHubTokens.accessToken)).toEqual(scoreResponse(1));

      // Another session, which started later, dismisses the notice.
      await page.goto(accountUrl);
      await press(page, 'Sign out');
      await press(page, 'Google');
      await press(page, user.email);
      await page.waitForURL(accountUrl);
      await press(page, 'Got it');
      await page.getByText('was added as a sign-in method').waitFor({ state: 'detached' });

      const [file] = await Promise.all([page.waitForEvent('download'), press(page, /Download/)]);
      expect(file.suggestedFilename()).toBe('my-data.json');

      await open(page, 'See what’s deleted, and delete your account');
      await press(page, /Delete my account/);
      expect(page.url()).toBe(accountUrl);
      expect(await page.getByRole('button', { name: 'Sign out', exact: true }).count()).toBe(1);
      await page.getByRole('checkbox').check();
      await press(page, /Delete my account/);
      await page.getByRole('status').waitFor();
      expect(await readStatus(page)).toBe(
        'Your account has been deleted. If you sign in again, you’ll start with a new one.',
      );
      await checkPage(page, 'account-deleted', settingsName);
      await waitUntilRefused(gitHubTokens.accessToken);
      const newAccountTokens = await connect(page, [/Sign in with.*Google/, user.email]);
      expect(await callScoring('GET', newAccountTokens.accessToken)).toEqual(scoreResponse(0));
      await context.close();
      expect(pageErrors).toEqual([]);
    },
  );

  it.each([
    ['light-de', { viewport: { width: 1280, height: 800 } }],
    ['dark-de', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
    ['phone-de', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ['narrow-de', { viewport: { width: 320, height: 640 } }],
  ] as const)('sees every page in German if the browser prefers it (%s)', async (settingsName, options) => {
    const { context, pageErrors } = await openContext(chromium, { ...options, locale: 'de-DE' });
    const page = await context.newPage();
    const { email } = testUser('account-german');
    await connect(page, ['Mit Google anmelden', email]);

    await page.goto(accountUrl);
    await checkPage(page, 'account-sign-in', settingsName);
    await press(page, /Mit Google anmelden/);
    await press(page, email);
    await page.waitForURL(accountUrl);
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
    expect(await page.locator('section li').first().innerText()).toMatch(
      /Die App kann:\s+die Wortlisten lesen/,
    );
    await checkPage(page, 'account', settingsName);

    await open(page, 'Anmeldemethode hinzufügen');
    await press(page, 'GitHub hinzufügen');
    await press(page, email);
    await page.locator('button[name="confirm"]').waitFor();
    await checkPage(page, 'account-link', settingsName);
    await page.locator('button[name="confirm"]').click();
    await page.waitForURL(accountUrl);
    expect(await readStatus(page)).toMatch(/^Anmeldemethode hinzugefügt/);
    await checkPage(page, 'account-linked', settingsName);

    await open(page, 'Folgen ansehen und Konto löschen');
    await page.getByRole('checkbox').check();
    await press(page, 'Mein Konto löschen');
    await page.getByRole('status').waitFor();
    expect(await readStatus(page)).toMatch(/^Dein Konto wurde gelöscht/);
    await checkPage(page, 'account-deleted', settingsName);
    await context.close();
    expect(pageErrors).toEqual([]);
  });

  it('works without JavaScript', async () => {
    const { context, pageErrors } = await openContext(chromium, { javaScriptEnabled: false });
    const page = await context.newPage();
    const testUserName: TestUserName = 'account-without-script';
    await page.goto(accountUrl);
    await press(page, 'Google');
    await press(page, testUser(testUserName).email);
    await page.waitForURL(accountUrl);
    await press(page, /Sign out and disconnect everything/);
    await page.getByRole('status').waitFor();
    expect(await readStatus(page)).toContain('signed out everywhere');
    expect(await page.locator('script').count()).toBe(0);
    await context.close();
    expect(pageErrors).toEqual([]);
  });
});
