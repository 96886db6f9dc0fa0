/**
 * Tests the user interface of a round in a real Chromium, in a host with the bridge of the MCP Apps SDK. Its calls
 * reach the running game over MCP, except in tests of what the game does not do, such as failing.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { CallToolResult } from '@modelcontextprotocol/client';
import type { McpUiHostContext } from '@modelcontextprotocol/ext-apps/app-bridge';
import { build } from 'esbuild';
import type { Browser, BrowserContextOptions, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { publicFolder } from '../../scripts/app/paths.ts';
import { localFolder } from '../../scripts/local-system/data-folder.ts';
import { preRegistered } from '../mcp/registrations.ts';
import { createMcpApp } from '../mcp/sdk-client.ts';
import { testUser } from '../test-users.ts';
import { launchChromium, openContext, timeoutMs } from './chromium.ts';
import { expectValidHtml } from './validators.ts';
import type { ToolCall } from './view-host.ts';

const { platform, origin } = inject('system');

const app = createMcpApp({ registration: preRegistered, mode: 'auto', user: testUser('round-view') });

type CallTool = (call: ToolCall) => Promise<CallToolResult>;

const callGame: CallTool = (call) => app.use((client) => client.callTool(call));

let chromium: Browser;
let hostScript: string;
let html: string;

beforeAll(async () => {
  chromium = await launchChromium();
  const entryPoints = [fileURLToPath(new URL('view-host.ts', import.meta.url))];
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: 'iife' });
  hostScript = outputFiles.map(({ text }) => text).join('');
  const uri = 'ui://words-with-chat/round.html';
  const { contents } = await app.use((client) => client.readResource({ uri }));
  html = contents.map((content) => ('text' in content ? content.text : '')).join('');
});

afterAll(() => chromium.close());

interface HostOptions {
  readonly browser?: BrowserContextOptions;
  /** Of the view, in pixels. */
  readonly width?: number;
  readonly hostContext?: McpUiHostContext;
  readonly callTool?: CallTool;
  /** The call that the view belongs to. */
  readonly call?: ToolCall;
  /** Default: that of `call`, which is sent to the game. */
  readonly result?: CallToolResult;
  /** How much earlier the result says that the round started, in milliseconds. */
  readonly age?: number;
}

const english: McpUiHostContext = { theme: 'light', locale: 'en-US' };
const startAnimals = { name: 'start_round', arguments: { category: 'animals', language: 'en' } };

/** Opens a chat in which the model has started a round. */
const openView = async ({
  browser = {},
  width = 400,
  hostContext = english,
  callTool = callGame,
  call = startAnimals,
  age = 0,
  ...given
}: HostOptions = {}) => {
  const { context, pageErrors } = await openContext(chromium, { reducedMotion: 'reduce', ...browser });
  const page = await context.newPage();
  const [calls, contexts, unexpected]: [ToolCall[], string[], string[]] = [[], [], []];
  page.on('request', (request) => unexpected.push(request.url()));
  await page.exposeFunction('callTool', (params: ToolCall) => {
    calls.push(params);
    return callTool(params);
  });
  await page.exposeFunction('receiveContext', (params: unknown) => contexts.push(JSON.stringify(params)));
  await page.exposeFunction('receiveUnexpected', (method: string) => unexpected.push(method));
  await page.setContent(
    '<!doctype html><html lang="en"><head><title>Chat</title></head><body><main><h1>Chat</h1></main></body></html>',
  );
  await page.addScriptTag({ content: hostScript });
  const result = makeOlder(given.result ?? (await callGame(call)), age);
  const options = JSON.stringify({ html, width, hostContext, call, result });
  await page.evaluate((text) => window.showView(JSON.parse(text)), options);
  return {
    page,
    view: page.frameLocator('iframe[title="Words With Chat"]'),
    /** The calls that the view made, in order. */
    calls,
    /** What the view told the model, in order, as JSON. */
    contexts,
    /** The state of the round that the view belongs to. */
    round: Object(result.structuredContent),
    /**
     * Closes the page. Returns console errors, requests over the network, and requests to the host to open a link or
     * to send a message.
     */
    stop: async () => {
      await context.close();
      return [...pageErrors, ...unexpected];
    },
    /** Closes the page, and expects none of these. */
    close: async () => {
      await context.close();
      expect([...pageErrors, ...unexpected]).toEqual([]);
    },
  };
};

/**
 * Returns the result of a call that started a round as if that was earlier. The clock of the page is not set
 * forward instead, because the view may read the clock of its iframe before Playwright has set it.
 */
const makeOlder = (result: CallToolResult, age: number): CallToolResult => {
  if (age === 0) return result;
  const started = Object(result.structuredContent);
  const earlier = new Date(Date.parse(started.started_at) - age).toISOString();
  return { ...result, structuredContent: { ...started, started_at: earlier } };
};

const button = (view: FrameLocator, name: string | RegExp) => view.getByRole('button', { name, exact: true });
/** Finds a key of the keyboard, whether its letter was guessed or not. */
const key = (view: FrameLocator, letter: string) => button(view, new RegExp(`^${letter}(:.*)?$`));
const status = (view: FrameLocator) => view.getByRole('status');

const waitForText = (view: FrameLocator, text: string | RegExp) =>
  expect.poll(() => status(view).innerText(), { timeout: timeoutMs }).toMatch(text);

/** Waits until the host has received `count` contexts. The view shows a result before it sends the context. */
const waitForContexts = (contexts: readonly string[], count: number) =>
  expect.poll(() => contexts.length, { timeout: timeoutMs }).toBe(count);

/** Takes a screenshot, and expects axe to find nothing. */
const check = async (page: Page, name: string): Promise<void> => {
  const path = join(localFolder, 'screenshots', platform, `round-view-${name}.png`);
  await page.locator('iframe').screenshot({ path });
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html: at }) => at) }))).toEqual([]);
};

interface Word {
  readonly word: string;
  readonly hints: readonly string[];
}

/** Returns the animal with this first hint. A player could only guess. */
const findAnimal = async (language: string, hint: string): Promise<string> => {
  const file = join(publicFolder, `words/${language}/animals.json`);
  const list: readonly Word[] = JSON.parse(await readFile(file, 'utf8'));
  const found = list.find(({ hints }) => hints[0] === hint);
  if (found === undefined) throw new Error(`no animal has the hint ${hint}`);
  return found.word;
};

const toBaseLetters = (word: string): readonly string[] => [
  ...new Set(word.toLowerCase().normalize('NFKD').replace(/ß/g, 's').match(/[a-z]/g)),
];

const settings = [
  ['desktop-light', 800, english, 'en'],
  ['desktop-dark', 800, { theme: 'dark', locale: 'en-GB' }, 'en'],
  ['phone-light-de', 360, { theme: 'light', locale: 'de-DE' }, 'de'],
  ['phone-dark-de', 320, { theme: 'dark', locale: 'de' }, 'de'],
] as const;

/** The document is the same on both platforms, so some tests run with fewer settings on one of them. */
const [testedSettings, testedWidths] =
  platform === 'pages' ? ([settings.slice(0, 1), [320]] as const) : ([settings, [320, 400, 800]] as const);

const labels = {
  en: {
    start: /^Guess a letter/,
    hint: /^Hint/,
    won: /^You got it!/,
    points: /^\+\d+ points/,
    rows: 'qwertyuiop',
  },
  de: {
    start: /^Rate einen/,
    hint: /^Tipp/,
    won: /^Erraten!/,
    points: /^\+\d+ Punkte/,
    rows: 'qwertzuiop',
  },
};

describe('a player', () => {
  it.each(testedSettings)('wins a round with clicks: %s', async (name, width, hostContext, language) => {
    const text = labels[language];
    const call = { name: 'start_round', arguments: { category: 'animals', language } };
    const chat = await openView({ width, hostContext, call });
    const { page, view, calls, contexts, round } = chat;
    await waitForText(view, text.start);
    expect(await view.locator('html').getAttribute('lang')).toBe(language);
    expect((await view.locator('#keys button').allInnerTexts()).join('').toLowerCase()).toContain(text.rows);
    await check(page, `start-${name}`);

    await button(view, text.hint).click();
    const word = await findAnimal(language, await view.getByRole('listitem').innerText());
    const letters = toBaseLetters(word);
    const wrong = [...'qxyjvzkw'].filter((letter) => !letters.includes(letter)).slice(0, 2);
    const [lastLetter = '', ...firstLetters] = letters.toReversed();
    const guesses = [...wrong, ...firstLetters];
    for (const letter of guesses) {
      await key(view, letter).click();
      await expect.poll(() => key(view, letter).getAttribute('class')).toMatch(/^(correct|wrong)$/);
    }
    await check(page, `played-${name}`);
    expect(await key(view, wrong[0] ?? '').getAttribute('aria-disabled')).toBe('true');
    await key(view, wrong[0] ?? '').dispatchEvent('click');
    for (const context of contexts) expect(context).not.toContain('\\"word\\"');

    await key(view, lastLetter).click();
    await waitForText(view, text.won);
    expect(await view.locator('#points').innerText()).toMatch(text.points);
    expect((await view.locator('#word span').allInnerTexts()).join('').toLowerCase()).toBe(
      word.toLowerCase(),
    );
    await check(page, `won-${name}`);
    expect(calls.slice(0, guesses.length + 2)).toEqual([
      { name: 'get_hint', arguments: { round: round.round } },
      ...[...guesses, lastLetter].map((guess) => ({
        name: 'guess',
        arguments: { round: round.round, guess },
      })),
    ]);
    await waitForContexts(contexts, calls.length);
    expect(contexts.at(-1)).toContain(String.raw`\"status\":\"won\"`);
    expect(contexts.at(-1)).toContain(String.raw`\"word\":\"${word}\"`);
    await chat.close();
  });

  it('wins a round with the keyboard only, and starts another one', async () => {
    const { page, view, contexts, round, close } = await openView();
    await waitForText(view, /^Guess a letter/);
    await page.keyboard.press('Tab');
    const focused = view.locator(':focus');
    await expect.poll(() => focused.count()).toBe(1);
    expect(await focused.innerText()).toMatch(/^q$/i);
    await page.keyboard.press('q');
    await expect.poll(() => key(view, 'q').getAttribute('class')).toMatch(/^(correct|wrong)$/);
    const tabTo = async (name: string | RegExp) => {
      for (let count = 0; count < 40 && !(await button(view, name).evaluate(isFocused)); count++)
        await page.keyboard.press('Tab');
      expect(await button(view, name).evaluate(isFocused)).toBe(true);
    };
    await tabTo(/^Hint/);
    await page.keyboard.press('Enter');
    const word = await findAnimal('en', await view.getByRole('listitem').innerText());
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.type(`The ${word}`);
    await page.keyboard.press('Enter');
    await waitForText(view, /^You got it!/);
    expect(await status(view).evaluate(isFocused)).toBe(true);
    await tabTo('Food');
    await page.keyboard.press('Space');
    await waitForText(view, /^Guess a letter/);
    expect(await view.locator('h1').innerText()).toBe('Food');
    await expect.poll(() => contexts.at(-1), { timeout: timeoutMs }).toMatch(/\\"round\\":\\"food-en-/);
    expect(contexts.at(-1)).not.toContain(round.round);
    await page.keyboard.press('e');
    await expect.poll(() => key(view, 'e').getAttribute('class')).toMatch(/^(correct|wrong)$/);
    await close();
  });

  it('gives up only after a confirmation', async () => {
    const { page, view, calls, close } = await openView();
    await button(view, 'Give up').click();
    await waitForText(view, /^Give up and see the word\?$/);
    await check(page, 'confirm');
    expect(await button(view, 'Keep playing').evaluate(isFocused)).toBe(true);
    await page.keyboard.press('Escape');
    expect(await button(view, 'Give up').evaluate(isFocused)).toBe(true);
    await button(view, 'Give up').click();
    await button(view, 'Keep playing').click();
    expect(calls).toEqual([]);
    await button(view, 'Give up').click();
    await button(view, 'Show the word').click();
    await waitForText(view, /^You gave up$/);
    expect((await view.locator('#word span').allInnerTexts()).join('')).toMatch(/^[A-Z]+$/);
    expect(await view.locator('#points').isVisible()).toBe(false);
    expect(calls.map(({ name }) => name)).toEqual(['give_up']);
    await close();
  });

  it('copies the result of a daily word', async () => {
    const { page, view, close } = await openView({
      call: { name: 'start_round', arguments: { category: 'daily' } },
    });
    expect(await view.locator('h1').innerText()).toMatch(/^Daily word · /);
    await button(view, 'Give up').click();
    await button(view, 'Show the word').click();
    await button(view, 'Copy the result').click();
    await button(view, 'Copied').waitFor();
    await check(page, 'daily');
    expect(await button(view, 'Daily word').count()).toBe(0);
    const shared = await view.getByRole('textbox').inputValue();
    expect(shared).toMatch(/^Words With Chat, daily word of [\s\S]*Not guessed\nhttp/);
    await page.evaluate(() => document.body.append(document.createElement('textarea')));
    await page.locator('body > textarea').focus();
    await page.keyboard.press('ControlOrMeta+V');
    expect(await page.locator('body > textarea').inputValue()).toBe(shared);
    await close();
  });

  it('learns that a sentence was not counted', async () => {
    const { view, close } = await openView();
    await view.getByRole('textbox').fill('is it an e');
    await button(view, 'Guess').click();
    await waitForText(view, /^Enter one letter or one word. That wasn’t counted\.$/);
    expect(await view.locator('#tries').innerText()).toBe('6 tries left');
    await close();
  });
});

const isFocused = (element: Element): boolean => element === element.ownerDocument.activeElement;

describe('a chat that is opened again', () => {
  const minutes = 60_000;

  it('shows the current state of an open round, without a guess that counts', async () => {
    const result = await callGame(startAnimals);
    const { round } = Object(result.structuredContent);
    const { structuredContent } = await callGame({ name: 'get_hint', arguments: { round } });
    const word = await findAnimal('en', Object(structuredContent).hints[0]);
    await callGame({ name: 'guess', arguments: { round, guess: word.slice(0, 1) } });
    await callGame({ name: 'guess', arguments: { round, guess: 'unicorn' } });
    const { view, calls, close } = await openView({ result, age: 5 * minutes });
    await waitForText(view, /Wrong words: unicorn$/);
    expect(await view.locator('#tries').innerText()).toBe('5 tries left');
    expect(await view.getByRole('listitem').count()).toBe(1);
    expect(await view.locator('#word span').first().innerText()).toBe(word.slice(0, 1).toUpperCase());
    expect(calls).toEqual([
      { name: 'get_score', arguments: {} },
      { name: 'guess', arguments: { round, guess: word.slice(0, 1) } },
    ]);
    await close();
  });

  it('shows how a round ended', async () => {
    const result = await callGame(startAnimals);
    const { round } = Object(result.structuredContent);
    await callGame({ name: 'give_up', arguments: { round } });
    const { view, close } = await openView({ result, age: 5 * minutes });
    await waitForText(view, /^You gave up$/);
    await close();
  });

  it('guesses nothing if no letter was found', async () => {
    const { view, calls, close } = await openView({ age: 5 * minutes });
    await expect.poll(() => view.locator('main').getAttribute('aria-busy')).toBe('false');
    expect(calls).toEqual([{ name: 'get_score', arguments: {} }]);
    await waitForText(view, /^Guess a letter/);
    await close();
  });
});

const round = {
  ...{ round: 'animals-en-000000000000', category: 'animals', language: 'en', status: 'open', length: 8 },
  ...{ mask: '_ _ _ _ _ _ _ _', wrong_guesses: [], tries_left: 6, hints: [], hints_left: 4 },
  ...{ started_at: '2100-01-01T00:00:00.000Z', expires_at: '2100-01-01T01:00:00.000Z' },
};

const toResult = (structuredContent: object): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
  structuredContent: { ...structuredContent },
});

const correct = (mask: string) => toResult({ ...round, result: 'correct', is_typo: false, mask });

describe('a call', () => {
  it('is sent once for a double click, and letters that are typed meanwhile are sent in order', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const callTool = async () => {
      await promise;
      return correct('e _ _ _ _ _ _ t');
    };
    const { page, view, calls, close } = await openView({ result: toResult(round), callTool });
    await key(view, 'e').dblclick();
    await page.keyboard.type('tte');
    await button(view, /^Hint/).click();
    expect(await key(view, 'e').getAttribute('class')).toBe('sent');
    expect(await key(view, 't').getAttribute('class')).toBe('sent');
    expect(calls).toHaveLength(1);
    resolve();
    await expect.poll(() => view.locator('main').getAttribute('aria-busy')).toBe('false');
    await expect
      .poll(() => calls.map((call) => call.arguments))
      .toEqual(['e', 't'].map((guess) => ({ round: round.round, guess })));
    await close();
  });

  const failures: readonly (readonly [string, CallTool])[] = [
    ['an error result', async () => ({ isError: true, content: [{ type: 'text', text: 'Secret detail.' }] })],
    ['a JSON-RPC error', async () => Promise.reject(new Error('Secret detail.'))],
    ['no structured content', async () => ({ content: [] })],
    ['another structure', async () => toResult({ score: 1 })],
    ['no response', () => new Promise(() => {})],
  ];

  it.each(failures)('that fails with %s shows a message, and the player can go on', async (_, fail) => {
    let hasFailed = false;
    const callTool: CallTool = (call) => {
      if (hasFailed) return Promise.resolve(correct('e _ _ _ _ _ _ _'));
      hasFailed = true;
      return fail(call);
    };
    const { page, view, calls, contexts, close } = await openView({ result: toResult(round), callTool });
    await page.clock.install();
    await key(view, 'e').click();
    await expect.poll(() => calls.length).toBe(1);
    await page.clock.runFor(30_000);
    await waitForText(view, /^That didn’t work\. Try again in a moment\.$/);
    expect(await key(view, 'e').getAttribute('class')).toBe('');
    expect(contexts).toEqual([]);
    await key(view, 'e').click();
    await waitForText(view, /^E: yes!$/);
    expect(calls).toHaveLength(2);
    await close();
  });

  it('of the model that fails lets the player start a round', async () => {
    const result: CallToolResult = { isError: true, content: [] };
    const { page, view, calls, close } = await openView({ result });
    await waitForText(view, /^That didn’t work/);
    await check(page, 'failed');
    await button(view, 'Colors').click();
    await waitForText(view, /^Guess a letter/);
    expect(calls).toEqual([{ name: 'start_round', arguments: { category: 'colors', language: 'en' } }]);
    await close();
  });
});

const longRound = {
  ...{ ...round, daily: '2100-01-01', category: 'places', length: 14 },
  ...{ mask: 'a _ ß m _ _ _ w _ _ _ _ _ _', tries_left: 1, hints_left: 0 },
  wrong_guesses: ['q', 'z', 'a'.repeat(60), 'unicorn', 'x'],
  hints: ['vague', 'less vague', 'clearer', 'clear'].map((hint) => `${hint} `.repeat(100 / hint.length)),
};

describe('the view', () => {
  it('is valid HTML', () => expectValidHtml(html));

  it.each(testedWidths.flatMap((width) => [[width, 'en'] as const, [width, 'de'] as const]))(
    'is at most 500 pixels high, and its targets are large enough: %i pixels wide, %s',
    async (width, locale) => {
      for (const theme of ['light', 'dark'] as const)
        for (const [name, state] of [
          ['long', longRound],
          ['lost', { ...longRound, status: 'lost', tries_left: 0, share_text: 'a line of text\n'.repeat(4) }],
        ] as const) {
          const result = toResult({ ...state, language: locale });
          const { page, view, close } = await openView({ width, hostContext: { theme, locale }, result });
          await view.locator('#word span').first().waitFor();
          await expect
            .poll(() =>
              view.locator('html').evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight),
            )
            .toBe(0);
          const { height = 0 } = (await page.locator('iframe').boundingBox()) ?? {};
          expect(height).toBeGreaterThan(200);
          expect(height).toBeLessThanOrEqual(500);
          const overflow = await view.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
          expect(overflow).toBe(0);
          const sizes = await view
            .locator('button:visible, input:visible')
            .evaluateAll((elements) =>
              elements
                .map((element) => element.getBoundingClientRect())
                .map((box) => [box.width, box.height]),
            );
          for (const [targetWidth = 0, targetHeight = 0] of sizes) {
            expect(targetWidth).toBeGreaterThanOrEqual(24);
            expect(targetHeight).toBeGreaterThanOrEqual(44);
          }
          await check(page, `${name}-${width}-${theme}-${locale}`);
          await close();
        }
    },
  );

  it('follows the theme, the language and the colors of the host', async () => {
    const { page, view, close } = await openView({ result: toResult(round) });
    const read = () => view.locator('html').evaluate((root) => getComputedStyle(root).backgroundColor);
    const change = (context: McpUiHostContext) =>
      page.evaluate((text) => window.bridge.setHostContext(JSON.parse(text)), JSON.stringify(context));
    expect(await read()).toBe('rgb(255, 255, 255)');
    await change({ ...english, theme: 'dark' });
    await expect.poll(read).toBe('rgb(33, 33, 33)');
    await check(page, 'theme-dark');
    await change({ theme: 'dark', locale: 'de-CH' });
    await expect.poll(() => view.locator('h1').innerText()).toBe('Tiere');
    expect(await view.locator('#status').innerText()).toMatch(/^Rate einen/);
    const background = { '--color-background-primary': 'light-dark(#fff, #102030)' };
    await change({ theme: 'dark', locale: 'fr', styles: { variables: { ...noVariables, ...background } } });
    await expect.poll(() => view.locator('h1').innerText()).toBe('Animals');
    expect(await read()).toBe('rgb(33, 33, 33)');
    const colors = { ...background, '--color-text-primary': '#fff', '--font-sans': 'monospace' };
    await change({ theme: 'dark', styles: { variables: { ...noVariables, ...colors } } });
    await expect.poll(read).toBe('rgb(16, 32, 48)');
    expect(await view.locator('html').evaluate((root) => getComputedStyle(root).fontFamily)).toBe(
      'monospace',
    );
    await close();
  });

  it.each([
    ['light', 'rgb(255, 255, 255)'],
    ['dark', 'rgb(33, 33, 33)'],
  ] as const)(
    'follows the system if the host names no theme and no language: %s',
    async (colorScheme, color) => {
      const browser = { colorScheme, locale: 'en-US' };
      const result = toResult({ ...round, language: 'de' });
      const { view, close } = await openView({ browser, hostContext: {}, result });
      expect(await view.locator('html').evaluate((root) => getComputedStyle(root).backgroundColor)).toBe(
        color,
      );
      await expect.poll(() => view.locator('h1').innerText()).toBe('Tiere');
      await close();
    },
  );

  it('M10.1 requests nothing over the network, and cannot', async () => {
    const { page, view, stop } = await openView({ result: toResult(longRound) });
    await view.locator('#word span').first().waitFor();
    const [, frame] = page.frames();
    const request = (url: string) => fetch(url).then(String, String);
    expect(await frame?.evaluate(request, `${origin}/robots.txt`)).toBe('TypeError: Failed to fetch');
    expect(await stop()).toEqual([
      expect.stringContaining('directive: "connect-src \'none\'"'),
      expect.stringMatching(/robots\.txt\. Refused to connect/),
    ]);
  });

  it('M10.3 ignores messages of other windows, and messages that it does not know', async () => {
    const { page, view, calls, close } = await openView({ result: toResult(round) });
    await view.locator('#word span').first().waitFor();
    const forged = toResult({ ...round, status: 'won', mask: 'f o r g e d', word: 'forged' });
    const notification = { jsonrpc: '2.0', method: 'ui/notifications/tool-result', params: forged };
    const delivered = await page.evaluate(async (text) => {
      const message = JSON.parse(text);
      const [view] = [window.frames[0]];
      const other = document.createElement('iframe');
      other.sandbox.add('allow-scripts');
      other.srcdoc = `<script>
        parent.frames[0].postMessage(${text}, '*');
        for (let id = 0; id < 100; id++) parent.frames[0].postMessage({ jsonrpc: '2.0', id, result: {} }, '*');
        parent.postMessage('done', '*');
      </script>`;
      const isDone = new Promise((resolve) =>
        addEventListener('message', ({ source, data }) => {
          if (source === other.contentWindow) resolve(data);
        }),
      );
      document.body.append(other);
      const done = await isDone;
      for (const data of [
        null,
        'text',
        7,
        [],
        {},
        { ...message, jsonrpc: '1.0' },
        { jsonrpc: '2.0', id: 'x', result: 1 },
      ])
        view?.postMessage(data, '*');
      return done;
    }, JSON.stringify(notification));
    expect(delivered).toBe('done');
    // Messages arrive in order, so the ones above have arrived when this one has an effect.
    await page.evaluate(() => window.bridge.setHostContext({ locale: 'de' }));
    await expect.poll(() => view.locator('h1').innerText()).toBe('Tiere');
    expect(await view.locator('#word span').allInnerTexts()).toEqual(Array(8).fill(''));
    expect(calls).toEqual([]);
    await close();
  });

  it('M10.4 shows what it receives as text', async () => {
    const markup = '<img src=x onerror="parent.postMessage(1)"><b>bold</b>';
    const state = { ...round, mask: '<b> _ <i>', hints: [markup], wrong_guesses: [markup], tries_left: 5 };
    const { page, view, close } = await openView({ result: toResult(state) });
    expect(await view.getByRole('listitem').innerText()).toBe(markup);
    expect(await status(view).innerText()).toContain('<b>bold</b>');
    expect(await view.locator('#word span').allInnerTexts()).toEqual(['<B>', '', '<I>']);
    expect(await view.locator('img, b').count()).toBe(0);
    await page.evaluate(
      (text) => window.bridge.sendToolResult(JSON.parse(text)),
      JSON.stringify(toResult({ ...state, status: 'lost', word: markup, share_text: markup, daily: markup })),
    );
    await waitForText(view, /^No tries left$/);
    expect(await view.getByRole('textbox').inputValue()).toBe(markup);
    expect(await view.locator('img, b').count()).toBe(0);
    await close();
  });

  it.each(['/views/round', '/views/round.html', '/views/', '/views', '/views/round/', '/views/Round.html'])(
    'M10.5 is not a page: %s',
    async (path) => {
      for (const accept of ['text/html', '*/*']) {
        const response = await fetch(origin + path, { headers: { accept }, redirect: 'manual' });
        expect(response.status).toBe(404);
        expect(await response.text()).not.toContain('ui/initialize');
      }
    },
  );

  it('M10.6 tells the model the word only after the round', async () => {
    const { view, contexts, calls, round: started, close } = await openView();
    await button(view, /^Hint/).click();
    const word = await findAnimal('en', await view.getByRole('listitem').innerText());
    await view.getByRole('textbox').fill('unicorn');
    await button(view, 'Guess').click();
    await waitForText(view, /unicorn/);
    await waitForContexts(contexts, 2);
    for (const context of contexts) {
      expect(context).not.toContain('\\"word\\"');
      expect(context).not.toContain(word);
    }
    const [{ text }] = JSON.parse(contexts[1] ?? '').content;
    expect(text).toMatch(/^The player plays in the game’s user interface, which shows \{/);
    expect(JSON.parse(text.replace(/^[^{]*/, ''))).toEqual({
      ...{ round: started.round, category: 'animals', language: 'en', status: 'open', mask: started.mask },
      ...{ wrong_guesses: ['unicorn'], tries_left: 5, hints_left: 3 },
    });
    await view.getByRole('textbox').fill(word);
    await button(view, 'Guess').click();
    await waitForText(view, /^You got it!/);
    await waitForContexts(contexts, 3);
    expect(contexts[2]).toContain(String.raw`\"word\":\"${word}\"`);
    expect(calls).toHaveLength(3);
    await close();
  });
});

/** The SDK declares every variable as required. */
const noVariables: NonNullable<NonNullable<McpUiHostContext['styles']>['variables']> = Object(null);
