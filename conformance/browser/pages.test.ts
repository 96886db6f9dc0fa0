/**
 * Tests every page of the app in a real Chromium: no axe violations and no errors in the console. Takes
 * screenshots.
 */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { None } from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { localFolder } from '../../scripts/local-system/data-folder.ts';
import { registerClient } from '../openid-client.ts';
import { launchChromium, openContext } from './chromium.ts';
import { expectSafePolicy, expectValidHtml } from './validators.ts';

const { platform, origin, gpt, publicClientId, documentClientId } = inject('system');

/** Ignored by git. */
const screenshotFolder = join(localFolder, 'screenshots', platform);

let chromium: Browser;
beforeAll(async () => {
  chromium = await launchChromium();
});
afterAll(() => chromium.close());

const signInQuery = new URLSearchParams({
  response_type: 'code',
  client_id: gpt.clientId,
  redirect_uri: 'https://chatgpt.com/aip/g-0123456789abcdef0123456789abcdef/oauth/callback',
  state: 'a state',
});

/** Redirects to an app on the user's device, about which the page warns, unless another URI is passed. */
const buildSignInPath = (client_id = '', redirect_uri = 'http://127.0.0.1:51234/callback'): string => {
  const code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
  const pkce = { code_challenge, code_challenge_method: 'S256' };
  return `/authorize?${new URLSearchParams({ response_type: 'code', client_id, redirect_uri, ...pkce })}`;
};

const claudeCallback = 'https://claude.ai/api/mcp/auth_callback';
const registered = await registerClient(
  { client_name: 'An app with a name of 80 characters: '.padEnd(80, 'W'), redirect_uris: [claudeCallback] },
  None(),
);

const onDevice = 'http://127.0.0.1/callback';
const registeredOnDevice = await registerClient(
  { client_name: 'An app with a name', redirect_uris: [onDevice] },
  None(),
);

const pages = [
  ['landing', '/', 200],
  ['landing-en', '/en/', 200],
  ['landing-de', '/de/', 200],
  ['privacy-en', '/en/privacy', 200],
  ['privacy-de', '/de/privacy', 200],
  ['terms-en', '/en/terms', 200],
  ['terms-de', '/de/terms', 200],
  ['not-found-en', '/en/nothing-here', 404],
  ['not-found-de', '/de/nothing-here', 404],
  ['setup', '/setup', 200],
  ['sign-in', `/authorize?${signInQuery}`, 200],
  ['sign-in-device', buildSignInPath(publicClientId), 200],
  ['sign-in-document', buildSignInPath(documentClientId), 200],
  ['sign-in-registered', buildSignInPath(registered.clientMetadata().client_id, claudeCallback), 200],
  ['sign-in-registered-device', buildSignInPath(registeredOnDevice.clientMetadata().client_id), 200],
  ['sign-in-play', buildSignInPath('play', `${origin}/play/callback`), 200],
  ['refusal', '/authorize?client_id=unknown', 400],
  ['admin-consent', '/callback/microsoft?admin_consent=True&tenant=acme', 200],
  ['lost-callback', '/callback/google?state=unknown&code=unknown', 400],
] as const;

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };

/**
 * Only the first one is tested on both platforms. The pages have the same bytes, so the others are tested
 * once.
 */
const settings = [
  ['light', { colorScheme: 'light', ...desktop }],
  ['dark', { colorScheme: 'dark', ...desktop }],
  ['phone', { colorScheme: 'light', ...phone }],
  ['phone-dark', { colorScheme: 'dark', ...phone }],
  ['narrow', { colorScheme: 'light', viewport: { width: 320, height: 640 } }],
] as const;

const testedSettings = platform === 'pages' ? settings.slice(0, 1) : settings;

/** The broker's pages are in the language of the browser. The files of the site have one language each. */
const isBrokerPage = (path: string): boolean => /^\/(authorize|callback)/.test(path);

const languages = [
  ['en', 'en-US', 'Cancel'],
  ['de', 'de-DE', 'Abbrechen'],
] as const;

/** Expects the last button of the page to be visible without scrolling. */
const expectVisible = async (page: Page, name: string): Promise<void> => {
  expect(await page.locator('button').last().innerText()).toBe(name);
  const box = await page.locator('button').last().boundingBox();
  if (box === null) throw new Error(`${name} is not visible.`);
  expect(box.y + box.height).toBeLessThanOrEqual(page.viewportSize()?.height ?? 0);
};

describe.each(['en', 'de'])('the landing page in the language %s', (language) => {
  it.each([
    ['desktop', desktop],
    ['phone', phone],
  ])('shows what the game is, how to start and an example without scrolling: %s', async (_, options) => {
    const { context } = await openContext(chromium, options);
    const page = await context.newPage();
    await page.goto(`${origin}/${language}/`);
    for (const selector of ['h1', '.lead', '.hero .button', '.chat']) {
      const box = await page.locator(selector).first().boundingBox();
      if (box === null) throw new Error(`${selector} is not visible.`);
      expect(box.y + box.height).toBeLessThanOrEqual(options.viewport.height);
    }
    await context.close();
  });

  it('leads to the play page first', async () => {
    const { context } = await openContext(chromium, phone);
    const page = await context.newPage();
    await page.goto(`${origin}/${language}/`);
    expect(await page.locator('.hero .button').first().getAttribute('href')).toBe(`/${language}/play`);
    await context.close();
  });

  it('leads to the steps, which start with the URL to copy', async () => {
    const { context } = await openContext(chromium, phone);
    const page = await context.newPage();
    await page.goto(`${origin}/${language}/`);
    await page.locator('.hero .button.secondary').click();
    expect(new URL(page.url()).hash).toBe('#connect');
    await page.locator('#connect .url code').click();
    expect(await page.evaluate(() => String(getSelection()))).toBe(`${origin}/mcp`);
    await context.close();
  });
});

describe.each(pages)('the %s page', (name, path, status) => {
  const testedLanguages = isBrokerPage(path) ? languages : languages.slice(0, 1);
  it.each(
    testedSettings.flatMap(([settingsName, options]) =>
      testedLanguages.map(([language, locale, cancel]) => ({
        ...{ settingsName, language, cancel },
        options: { ...options, locale },
      })),
    ),
  )(
    'has no errors or accessibility violations with the settings $settingsName in the language $language',
    async ({ settingsName, language, cancel, options }) => {
      const { context, pageErrors } = await openContext(chromium, options);
      const page = await context.newPage();
      const response = await page.goto(origin + path);
      expect(response?.status()).toBe(status);
      if (isBrokerPage(path)) expect(await page.locator('html').getAttribute('lang')).toBe(language);
      const screenshot = join(screenshotFolder, `${name}-${settingsName}-${language}.png`);
      await page.screenshot({ path: screenshot, fullPage: true });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(options.viewport.width);
      // Except on a narrow phone, and with a name of 80 wide characters.
      if (/^sign-in(?!-registered$)/.test(name) && settingsName !== 'narrow')
        await expectVisible(page, cancel);
      // Legacy mode needs no second page per analysis. It cannot analyze frames, but the pages have none.
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
      expect(
        violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map(({ html }) => html) })),
      ).toEqual([]);
      await context.close();
      expect(pageErrors).toEqual([]);
    },
  );

  it.each(testedLanguages)('has valid HTML, and a policy without findings: %s', async (language) => {
    const headers = { accept: 'text/html', 'accept-language': language };
    const response = await fetch(origin + path, { headers });
    expect(response.status).toBe(status);
    await expectValidHtml(await response.text());
    expectSafePolicy(response.headers.get('content-security-policy'));
  });

  it('works without JavaScript', async () => {
    const { context, pageErrors } = await openContext(chromium, { javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(origin + path);
    expect(await page.locator('main h1').innerText()).not.toBe('');
    expect(await page.locator('script').count()).toBe(0);
    await context.close();
    expect(pageErrors).toEqual([]);
  });
});
