/**
 * Installs the MCP Inspector, the MCP conformance suite and `mcp-remote` in a temporary folder, because their
 * dependencies are not those of the workspace, and runs them.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrowser, type FakeUser } from '@words-with-chat/lab';
import type { TestProject } from 'vitest/node';
import { createFetch } from '../sign-in.ts';

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
  mcpRemote: 'mcp-remote/dist/proxy.js',
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
  /** The authorization requests that the tool printed. */
  readonly authorizationRequests: readonly URL[];
}

/** Returns the command that runs a tool. */
export const buildCommand = ({ toolsFolder, program, args, home }: Omit<Tool, 'user'>) => ({
  command: process.execPath,
  args: [join(toolsFolder, 'node_modules', programs[program]), ...args],
  cwd: home,
  // The tools sign in without a terminal only if they may open a browser. Without a PATH, they find none.
  env: {
    HOME: home,
    PATH: join(home, 'no-programs'),
    NO_COLOR: '1',
    MCP_AUTO_OPEN_ENABLED: 'true',
    MCP_INSPECTOR_SECRET_STORE: 'file',
    MCP_INSPECTOR_SECRET_KEY: 'a passphrase',
  },
});

/** Runs a tool until it ends. If it prints an authorization request, a user opens it and signs in. */
export const runTool = async ({ user, ...tool }: Tool): Promise<ToolResult> => {
  const { command, args, cwd, env } = buildCommand(tool);
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  // The tool would wait for its callback.
  const stop = () => void child.kill();
  const signIns = [child.stdout, child.stderr].map((output) => signInAsPrinted(output, user, stop));
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  const authorizationRequests = (await Promise.all(signIns.map(({ finish }) => finish()))).flat();
  return { code: typeof code === 'number' ? code : null, stdout, stderr, authorizationRequests };
};

/** The sign-ins that a tool asks for. */
interface SignIns {
  /**
   * Waits for the sign-ins that have started, and returns their authorization requests.
   * @throws Error if one has failed
   */
  readonly finish: () => Promise<readonly URL[]>;
}

/**
 * Opens each authorization request that a tool prints, and signs a user in.
 * @param onFailure called if a sign-in fails
 */
export const signInAsPrinted = (output: Readable, user: FakeUser, onFailure: () => void): SignIns => {
  const signIns: Promise<URL>[] = [];
  createInterface({ input: output }).on('line', (line) => {
    const [url] = /http:\/\/\S+\/authorize\?\S+/.exec(line) ?? [];
    if (url === undefined) return;
    const signIn = signInAtTool(new URL(url), user);
    signIns.push(signIn);
    signIn.catch(onFailure);
  });
  return { finish: () => Promise.all(signIns) };
};

/**
 * Opens an authorization request, chooses a user, and returns to the callback of the tool.
 * @returns the authorization request
 */
const signInAtTool = async (url: URL, user: FakeUser): Promise<URL> => {
  const browser = createBrowser({ fetch: createFetch() });
  let destination = await browser.open(url);
  for (const label of ['Google', user.email]) {
    if (destination.kind !== 'page') throw new Error(`stopped at ${destination.location.origin}`);
    destination = await browser.clickButton(destination, label);
  }
  if (destination.kind !== 'page' || destination.status !== 200)
    throw new Error('The callback of the tool did not accept the response.');
  return url;
};
