/** Runs one of the project's commands in its own process, as a user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { findConsecutivePorts } from '@words-with-chat/lab';
import { expect } from 'vitest';
import { sourceCondition } from '../../scripts/app/paths.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly finished: Promise<CommandResult>;
}

/** A data folder and free ports, for a command that starts the app. */
export interface LocalApp {
  /** The data folder, which the test must remove. */
  readonly folder: string;
  readonly port: number;
  /** The first of the ports of the fake providers. */
  readonly fakeProviderPort: number;
  /** The variables with which the commands use the folder and the ports. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Creates the folder, and finds the ports. */
export const createLocalApp = async (): Promise<LocalApp> => {
  const folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  const port = await findConsecutivePorts(6);
  const fakeProviderPort = port + 1;
  const variables = {
    PORT: String(port),
    FAKE_PROVIDER_PORT: String(fakeProviderPort),
    LOCAL_DATA_FOLDER: folder,
  };
  return { folder, port, fakeProviderPort, variables };
};

/** Expects that nothing listens at a URL. */
export const expectNoServer = (url: string): Promise<void> =>
  expect(fetch(url)).rejects.toThrow('fetch failed');

type Script = 'start' | 'demo' | 'keys' | 'admin' | 'setup' | 'build' | 'deploy';

export const startCommand = (
  script: Script,
  variables: Readonly<Record<string, string>>,
  options: {
    readonly nodeArgs?: readonly string[];
    readonly args?: readonly string[];
    readonly input?: string;
  } = {},
): RunningCommand => {
  const { PATH, HOME } = process.env;
  const { nodeArgs = [], args = [], input = '' } = options;
  const file = (name: string): string => fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url));
  const scriptArguments = ['--import', file('require-node.mjs'), file(`${script}.ts`), ...args];
  const processArguments = [...nodeArgs, `--conditions=${sourceCondition}`, ...scriptArguments];
  const child = spawn(process.execPath, processArguments, {
    env: { PATH, HOME, NO_COLOR: '1', ...variables },
  });
  child.stdin.end(input);
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const finished = output.then(([stdout, stderr, [code]]) => ({
    code: typeof code === 'number' ? code : null,
    stdout,
    stderr,
  }));
  return { process: child, finished };
};

/** Runs a command until it ends. */
export const runCommand = (...parameters: Parameters<typeof startCommand>): Promise<CommandResult> =>
  startCommand(...parameters).finished;
