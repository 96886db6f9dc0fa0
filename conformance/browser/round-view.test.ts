/**
 * Tests the user interface of a round in a real Chromium, in a host with the bridge of the MCP Apps SDK. Its calls
 * reach the running game over MCP, except in tests of states that cannot be produced there.
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
import { launchChromium, openContext } from './chromium.ts';
import type { ToolCall } from './view-host.ts';

const { platform } = inject('system');

const viewUri = 'ui://words-with-chat/round.html';
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
  hostScript = outputFiles[0]?.text ?? '';
  const { contents } = await app.use((client) => client.readResource({ uri: viewUri }));
  html = contents.map((content) => ('text' in content ? content.text : '')).join();
});

afterAll(() => chromium.close());

interface HostOptions {
  readonly browser?: BrowserContextOptions;
  readonly width?: number;
  readonly hostContext?: McpUiHostContext;
  readonly callTool?: CallTool;
  readonly call?: ToolCall;
  /** Default: that of `call`, which is sent to the game. */
  readonly result?: CallToolResult;
}

const light: McpUiHostContext = { theme: 'light', locale: 'en-US' };

/** Opens a chat in which the model has started a round. */
const openView = async ({
  browser = {},
  width = 400,
  hostContext = light,
  callTool = callGame,
  call = { name: 'start_round', arguments: { category: 'animals', language: 'en' } },
  ...given
}: HostOptions = {}) => {
  const monitored = await openContext(chromium, { reducedMotion: 'reduce', ...browser });
  const page = await monitored.context.newPage();
  const [calls, contexts, unexpected]: [ToolCall[], string[], string[]] = [[], [], []];
  page.on('request', (request) => unexpected.push(`request: ${request.url()}`));
  await page.exposeFunction('callTool', (params: ToolCall) => {
    calls.push(params);
    return callTool(params);
  });
  await page.exposeFunction('receiveContext', (params: unknown) => contexts.push(JSON.stringify(params)));
  await page.exposeFunction('receiveUnexpected', (method: string) => unexpected.push(method));
  await page.setContent(
    '<!doctype html><html lang="en"><head><title>Chat</title></head><body></body></html>',
  );
  await page.addScriptTag({ content: hostScript });
  const result = given.result ?? (await callGame(call));
  const options = JSON.stringify({ html, width, hostContext, call, result });
  await page.evaluate((text) => window.showView(JSON.parse(text)), options);
  const view = page.frameLocator('iframe');
  return {
    page,
    view,
    calls,
    contexts,
    /** Expects no errors in the console, no requests over the network, and no unexpected messages. */
    close: async () => {
      await monitored.context.close();
      expect([...monitored.pageErrors, ...unexpected]).toEqual([]);
    },
  };
};

const key = (view: FrameLocator, letter: string) =>
  view.getByRole('button', { name: new RegExp(`^${letter}(:.*)?$`) });

/** Takes a screenshot, and expects axe to find nothing. */
const check = async (page: Page, name: string): Promise<void> => {
  await page.locator('iframe').screenshot({
    path: join(localFolder, 'screenshots', platform, `round-view-${name}.png`),
  });
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('iframe').analyze();
  expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html: at }) => at) }))).toEqual([]);
};

interface Word {
  readonly word: string;
  readonly hints: readonly string[];
}

/** Returns the animal with this first hint. A player could only guess. */
const findAnimal = async (language: 'en' | 'de', hint: string): Promise<string> => {
  const list: readonly Word[] = JSON.parse(
    await readFile(join(publicFolder, `words/${language}/animals.json`), 'utf8'),
  );
  const found = list.find(({ hints }) => hints[0] === hint);
  if (found === undefined) throw new Error(`no animal has the hint ${hint}`);
  return found.word;
};

describe('a player', () => {
  it('wins a round by clicking', async () => {
    const { page, view, calls, contexts, close } = await openView();
    await view.getByRole('button', { name: /^Hint −2 points/ }).click();
    const word = await findAnimal('en', await view.getByRole('listitem').innerText());
    for (const letter of new Set(word)) await key(view, letter).click();
    await view.getByText('You got it!').waitFor();
    await check(page, 'won');
    expect(calls.map(({ name }) => name)).toEqual(['get_hint', ...[...new Set(word)].map(() => 'guess')]);
    expect(contexts.at(-1)).toContain(word);
    await close();
  });
});
