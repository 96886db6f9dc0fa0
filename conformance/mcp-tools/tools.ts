/**
 * Installs the MCP Inspector and the MCP conformance suite in a temporary folder, because their dependencies are
 * not those of the workspace, and runs them.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrowser, type FakeUser } from '@words-with-chat/lab';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder in which the tools are installed. */
    readonly toolsFolder: string;
  }
}

/** Installs the tools before the tests of the project. */
export const setup = async ({ provide }: Pick<TestProject, 'provide'>): Promise<() => void> => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-tools-')));
  for (const path of ['package.json', 'package-lock.json', '../../.npmrc'])
    copyFileSync(fileURLToPath(new URL(path, import.meta.url)), join(folder, path.replace(/^.*\//, '')));
  await promisify(execFile)('npm', ['ci', '--ignore-scripts'], { cwd: folder });
  provide('toolsFolder', folder);
  return () => rmSync(folder, { recursive: true });
};

const programs = {
  inspector: '@modelcontextprotocol/inspector/clients/launcher/build/index.js',
  conformance: '@modelcontextprotocol/conformance/dist/index.js',
} as const;

export interface Tool {
  readonly toolsFolder: string;
  readonly program: keyof typeof programs;
  readonly args: readonly string[];
  /** The home folder of the process, in which a tool can keep files. */
  readonly home: string;
  /** The user who signs in if the tool prints an authorization request. */
  readonly user: FakeUser;
}

export interface ToolResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How many authorization requests the tool printed. */
  readonly signIns: number;
}

/** Runs a tool until it ends. If it prints an authorization request, a user opens it and signs in. */
export const runTool = async ({ toolsFolder, program, args, home, user }: Tool): Promise<ToolResult> => {
  const file = join(toolsFolder, 'node_modules', programs[program]);
  const child = spawn(process.execPath, [file, ...args], {
    cwd: home,
    // The Inspector signs in without a terminal only if it may open a browser. Without a PATH, it finds none.
    env: {
      HOME: home,
      PATH: join(home, 'no-programs'),
      NO_COLOR: '1',
      MCP_AUTO_OPEN_ENABLED: 'true',
      MCP_INSPECTOR_SECRET_STORE: 'file',
      MCP_INSPECTOR_SECRET_KEY: 'a passphrase',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const signIns: Promise<void>[] = [];
  const startSignIn = (url: URL): void => {
    const finished = signInAtTool(url, user);
    signIns.push(finished);
    // The tool would wait for its callback.
    finished.catch(() => child.kill());
  };
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      const [url] = /http:\/\/\S+\/authorize\?\S+/.exec(line) ?? [];
      if (url !== undefined) startSignIn(new URL(url));
    });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  await Promise.all(signIns);
  return { code: typeof code === 'number' ? code : null, stdout, stderr, signIns: signIns.length };
};

/** Opens an authorization request, chooses a user, and returns to the callback of the tool. */
const signInAtTool = async (url: URL, user: FakeUser): Promise<void> => {
  const browser = createBrowser({ fetch });
  let destination = await browser.open(url);
  for (const label of ['Google', user.email]) {
    if (destination.kind !== 'page') throw new Error(`stopped at ${destination.location.origin}`);
    destination = await browser.clickButton(destination, label);
  }
  if (destination.kind !== 'page' || destination.status !== 200)
    throw new Error('The callback of the tool did not accept the response.');
};
