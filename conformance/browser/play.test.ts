/**
 * Tests the page `/play` in a real Chromium: guests and players play with a mouse, with a keyboard and without
 * JavaScript, on a phone and on a desktop, in both languages. Takes screenshots of each state.
 */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { buildGptAction, callApi } from '@words-with-chat/lab';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { localFolder } from '../../scripts/local-system/data-folder.ts';
import { preRegistered } from '../mcp/registrations.ts';
import { callTool, createMcpApp } from '../mcp/sdk-client.ts';
import { obtainTokens } from '../sign-in.ts';
import { type TestUserName, testUser } from '../test-users.ts';
import { findWord } from '../words.ts';
import { launchChromium, openContext } from './chromium.ts';
import { expectSafePolicy, expectValidHtml } from './validators.ts';

const { platform, origin, gpt } = inject('system');

/** Ignored by git. */
const screenshotFolder = join(localFolder, 'screenshots', platform);

let chromium: Browser;
beforeAll(async () => {
  chromium = await launchChromium();
});
afterAll(() => chromium.close());

/** Opens a page in a new browser profile. `close` expects that no page had an error. */
const openPage = async (path = '/en/play', options: BrowserContextOptions = {}) => {
  const { context, pageErrors } = await openContext(chromium, options);
  const page = await context.newPage();
  await page.goto(origin + path);
  const close = async () => {
    await context.close();
    expect(pageErrors).toEqual([]);
  };
  return { page, close };
};

const readMask = async (page: Page): Promise<string> =>
  (await page.locator('.mask li').allTextContents()).join('');

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();

/** Takes a hint, and returns the word that has it. */
const takeHint = async (page: Page, language: 'en' | 'de' = 'en'): Promise<string> => {
  await press(page, language === 'en' ? /hint/i : /Tipp/);
  const hint = page.locator('.hints li').first();
  return findWord((await hint.innerText()).trim(), language);
};

/** Returns a letter that is not in a word. */
const findWrongLetter = (word: string): string =>
  [...'qxzjvkwy'].find((letter) => !toKeys(word).includes(letter)) ?? '';

const signIn = async (page: Page, testUserName: TestUserName): Promise<void> => {
  await page
    .getByRole('link', { name: /^(Sign in|Anmelden|Melde dich an)$/ })
    .first()
    .click();
  await press(page, 'Google');
  await press(page, testUser(testUserName).email);
  await page.getByRole('button', { name: /Sign out|Abmelden/ }).waitFor();
};

describe('a guest', () => {
  it('plays the daily word within a minute, from the landing page', async () => {
    const { page, close } = await openPage('/en/');
    await page.getByRole('link', { name: 'Play now' }).click();
    expect(await readMask(page)).toMatch(/^_*$/);
    const word = await takeHint(page);
    const wrong = findWrongLetter(word);
    await page.getByRole('button', { name: wrong.toUpperCase(), exact: true }).click();
    await page.locator('.message').waitFor();
    expect(await page.locator(`button[value="${wrong}"]`).isDisabled()).toBe(true);
    const [first = ''] = toKeys(word);
    await page.locator(`button[name=guess][value="${first}"]:enabled`).click();
    await page.locator(`button[name=guess][value="${first}"]:disabled`).waitFor();
    expect((await readMask(page)).startsWith(word.slice(0, 1))).toBe(true);
    await page.getByRole('textbox').fill(`the ${word}s`);
    await press(page, 'Guess');
    await page.getByRole('heading', { name: 'You got it!' }).waitFor();
    expect(await readMask(page)).toBe(word);
    expect(await page.locator('.share pre').innerText()).toMatch(
      /^Words With Chat, daily word of \d{4}-\d\d-\d\d\n💡🟥🟩🟩🏆\n12 points\nhttp:\/\/localhost:\d+\/play$/,
    );
    // The cookie keeps the result.
    await page.reload();
    expect(await readMask(page)).toBe(word);
    await close();
  });

  it('plays with a keyboard alone', async () => {
    const { page, close } = await openPage();
    const hintButton = page.getByRole('button', { name: /hint/i });
    for (let count = 0; count < 60; count++) {
      await page.keyboard.press('Tab');
      if (await hintButton.evaluate((button) => button === document.activeElement)) break;
    }
    await page.keyboard.press('Enter');
    const hint = page.locator('.hints li').first();
    const word = await findWord((await hint.innerText()).trim());
    // The button for the next hint has the focus, so a letter presses its key.
    for (const letter of toKeys(word)) {
      await page.keyboard.press(letter);
      await page
        .locator(`button[name=guess][value="${letter}"]:disabled`)
        .or(page.locator('.outcome'))
        .first()
        .waitFor();
    }
    await page.getByRole('heading', { name: 'You got it!' }).waitFor();
    expect(await page.getByRole('status').innerText()).toContain('You got it!');
    expect(await page.locator('#round').evaluate((round) => round === document.activeElement)).toBe(true);
    await close();
  });

  it.each(['en', 'de'] as const)('plays without JavaScript, in the language %s', async (language) => {
    const { page, close } = await openPage(`/${language}/play`, { javaScriptEnabled: false });
    const word = await takeHint(page, language);
    expect(new URL(page.url()).hash).toBe('#round');
    await page.locator(`button[value="${findWrongLetter(word)}"]`).click();
    expect(await page.locator('.message').innerText()).not.toBe('');
    await page.getByRole('textbox').fill(word);
    await page.locator('.whole button').click();
    expect(await readMask(page)).toBe(word);
    expect(await page.locator('.copy').isVisible()).toBe(false);
    await close();
  });

  it('gives up without JavaScript, after opening the question', async () => {
    const { page, close } = await openPage('/en/play', { javaScriptEnabled: false });
    await page.getByText('Give up', { exact: true }).click();
    await press(page, 'End the round');
    await page.getByRole('heading', { name: 'You gave up' }).waitFor();
    expect(await readMask(page)).not.toContain('_');
    await close();
  });

  it('is told if the browser refuses cookies', async () => {
    const { page, close } = await openPage();
    await page.locator('button[value="e"]').click();
    await page.locator('button[value="e"]:disabled').waitFor();
    await page.context().clearCookies();
    await page.evaluate(() => location.reload());
    await page.getByText('didn’t keep our cookie').waitFor();
    await close();
  });
});

describe('a player', () => {
  it.each([
    ['with JavaScript', 'play', true],
    ['without JavaScript', 'play-without-script', false],
  ] as const)('signs in, plays, sees the score, and signs out %s', async (_, testUserName, hasScripts) => {
    const { page, close } = await openPage('/en/play', { javaScriptEnabled: hasScripts });
    await signIn(page, testUserName);
    await press(page, /Food/);
    const word = await takeHint(page);
    await page.getByRole('textbox').fill(word);
    await press(page, 'Guess');
    await page.getByRole('heading', { name: 'You got it!' }).waitFor();
    await page.getByRole('link', { name: 'Your score and rounds' }).click();
    await page.locator('.score').waitFor();
    expect((await page.locator('.score dd').allInnerTexts()).slice(0, 4)).toEqual(['1', '13', '1', '1']);
    expect(await page.locator('.rounds li').allInnerTexts()).toEqual([
      expect.stringMatching(/^[\p{L} ]+\s+Food\s+Guessed \+13$/u),
    ]);
    await press(page, 'Sign out');
    await page.getByRole('link', { name: 'Sign in' }).first().waitFor();
    expect((await page.context().cookies()).map(({ name }) => name)).not.toContain('__Host-play');
    await close();
  });

  it('starts a round in the Action, takes a hint over MCP, wins on the web, and has one score', async () => {
    const user = testUser('play-three-ways');
    const { accessToken } = await obtainTokens(buildGptAction(origin, gpt), user);
    const callAction = async (
      path: string,
      method: 'GET' | 'POST',
      body?: Readonly<Record<string, unknown>>,
    ) => {
      const result = await callApi({ method, url: origin + path, ...(body && { body }) }, accessToken, fetch);
      if (result.kind === 'unauthorized') throw new Error(`${path} responded with 401`);
      return Object(result.body);
    };
    const app = createMcpApp({ registration: preRegistered, mode: 'auto', user });
    const callTools = (name: string, input?: Readonly<Record<string, unknown>>) =>
      app.use((client) => callTool(client, name, input));

    const { round } = await callAction('/api/rounds', 'POST', { category: 'places' });
    const { hints } = await callTools('get_hint', { round });
    const [hint] = Array.isArray(hints) ? hints : [];
    const word = await findWord(String(hint));

    const { page, close } = await openPage();
    await signIn(page, 'play-three-ways');
    await page.locator('.rounds a').click();
    expect(await page.locator('.hints li').innerText()).toBe(hint);
    await page.getByRole('textbox').fill(word);
    await press(page, 'Guess');
    await page.getByRole('heading', { name: 'You got it!' }).waitFor();
    await page.getByRole('link', { name: 'Your score and rounds' }).click();
    await page.locator('.score').waitFor();
    expect((await page.locator('.score dd').allInnerTexts()).slice(0, 4)).toEqual(['1', '13', '1', '1']);
    await close();

    const score = { score: 1, points: 13, rounds_started: 1, rounds_won: 1 };
    expect(await callAction('/api/scoring', 'GET')).toMatchObject(score);
    expect(await callTools('get_score')).toMatchObject(score);
    const late = await callTools('guess', { round, guess: word });
    expect(late).toMatchObject({ result: 'round_over', status: 'won', score: 1, points: 13 });
    const repeated = await callAction(`/api/rounds/${round}/guesses`, 'POST', { guess: word });
    expect(repeated).toMatchObject({ result: 'round_over', score: 1, points: 13 });
  });
});

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true };

/** The pages have the same bytes on both platforms, so most settings are tested once. */
const settings = [
  ['light', { colorScheme: 'light', ...desktop }],
  ['dark', { colorScheme: 'dark', ...desktop }],
  ['phone', { colorScheme: 'light', ...phone }],
  ['phone-dark', { colorScheme: 'dark', ...phone }],
  ['narrow', { colorScheme: 'light', viewport: { width: 320, height: 640 } }],
] as const;

const testedSettings = platform === 'pages' ? settings.slice(0, 1) : settings;

/** Takes a screenshot, and expects axe and the validators to find nothing. */
const checkPage = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({ path: join(screenshotFolder, `play-${name}.png`), fullPage: true });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
  const response = await page.reload();
  await expectValidHtml((await response?.text()) ?? '');
  expectSafePolicy((await response?.headerValue('content-security-policy')) ?? null);
};

describe.each(
  testedSettings.flatMap(([name, options]) =>
    (['en', 'de'] as const).map((language) => ({ name: `${name}-${language}`, language, options })),
  ),
)('with the settings $name, the page', ({ name, language, options }) => {
  const path = `/${language}/play`;

  it('has no errors or accessibility violations for a guest, from the first letter to the result', async () => {
    const { page, close } = await openPage(path, options);
    await checkPage(page, `guest-${name}`);
    const word = await takeHint(page, language);
    // At least two letters stay hidden, so that a short word such as "ox" does not end the round.
    const letters = toKeys(word).slice(0, Math.max(0, Math.min(2, toKeys(word).length - 2)));
    for (const letter of [findWrongLetter(word), ...letters]) {
      await page.locator(`button[name=guess][value="${letter}"]`).click();
      await page.locator(`button[name=guess][value="${letter}"]:disabled`).waitFor();
    }
    if (name.startsWith('phone')) await expectKeysVisible(page);
    await checkPage(page, `guest-guessing-${name}`);
    await page.getByRole('textbox').fill(word);
    await page.locator('.whole button').click();
    await page.locator('.outcome.won').waitFor();
    await checkPage(page, `guest-won-${name}`);
    await close();
  });

  it('has none for a player without and with a round', async () => {
    const { page, close } = await openPage(path, options);
    await signIn(page, `play-pages-${language}`);
    await checkPage(page, `lobby-${name}`);
    await page.locator('button[value=animals]').click();
    await page.locator('.tiles.mask').waitFor();
    await checkPage(page, `round-${name}`);
    await page
      .locator('details', { has: page.locator('button[value=give-up]') })
      .locator('summary')
      .click();
    await page.locator('button[value=give-up]').click();
    await page.locator('.outcome').waitFor();
    await checkPage(page, `given-up-${name}`);
    await close();
  });
});

/** Returns the keys of the letters of a word, each once. A letter with an accent has the key of its base letter. */
const toKeys = (word: string): readonly string[] => [
  ...new Set(
    word
      .normalize('NFD')
      .toLowerCase()
      .replace(/[^a-z]/g, ''),
  ),
];

/** Expects the word, the hint, the message and the keys to be visible without scrolling. */
const expectKeysVisible = async (page: Page): Promise<void> => {
  const height = page.viewportSize()?.height ?? 0;
  const top = await page.locator('.tiles.mask').evaluate((mask) => mask.getBoundingClientRect().top);
  const bottom = await page.locator('.keys').evaluate((keys) => keys.getBoundingClientRect().bottom);
  expect(top).toBeGreaterThanOrEqual(0);
  expect(bottom).toBeLessThanOrEqual(height);
};
