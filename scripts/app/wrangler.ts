/**
 * Starts child processes: Wrangler's CLI, quietly or in the user's terminal, and the development server of
 * `../local-system/dev-server.ts`, which uses Wrangler's API.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import {
  environmentWithoutKeys,
  localEnvironment,
  startWrangler,
} from '../../packages/assistant-auth/src/cli/database/wrangler.ts';
import type { DevServerOptions, Listening } from '../local-system/dev-server.ts';
import { CommandError } from './command.ts';
import { sourceCondition } from './paths.ts';

const cli = createRequire(import.meta.url).resolve('wrangler');
const devServer = fileURLToPath(new URL('../local-system/dev-server.ts', import.meta.url));

/**
 * Runs a command that contacts no other server and has no prompts. Its logs stay in the data folder.
 * @throws CommandError with its output if it fails
 */
export const runWrangler = async (command: readonly string[], dataFolder: string): Promise<void> => {
  const lines: string[] = [];
  const options = { dataFolder, log: (line: string) => void lines.push(line) };
  if ((await superviseProcess(startProcess([cli, ...command], 'ignore', options), options).exited) === 0)
    return;
  throw new CommandError(
    [...lines, `wrangler ${describeCommand(command)} failed. See the output above.`].join('\n'),
  );
};

/**
 * Runs a command in the user's terminal, where it can show prompts, for example to log in.
 * @throws CommandError if it fails, after it printed the reason
 */
export const runWranglerInTerminal = async (command: readonly string[]): Promise<void> => {
  await requireSuccess(startInTerminal(command, 'inherit'), command);
};

/**
 * Runs a command in the user's terminal, and returns its standard output instead of showing it.
 * @throws CommandError if it fails, after it printed the reason
 */
export const readWranglerOutput = async (command: readonly string[]): Promise<string> => {
  const child = startInTerminal(command, 'pipe');
  const output = child.stdout === null ? '' : text(child.stdout);
  await requireSuccess(child, command);
  return output;
};

/** The development server, and all processes that it started. */
export interface DevServer {
  /** Resolves when the server listens. Never settles if the process ends first. */
  readonly listening: Promise<Listening>;
  /** Resolves with the exit code when all of them have ended. */
  readonly exited: Promise<number>;
  /** Stops all of them and waits until they have ended. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly dataFolder: string;
  /** Receives every line that is not empty. */
  readonly log: (line: string) => void;
}

/** Starts the development server with the given options. */
export const startDevServer = (serverOptions: DevServerOptions, options: ProcessOptions): DevServer => {
  const child = startProcess([`--conditions=${sourceCondition}`, devServer], 'ipc', options);
  const listening = once(child, 'message').then(([message]): Listening => JSON.parse(String(message)));
  // An error here means that the process has already ended, which `exited` reports.
  child.send(JSON.stringify(serverOptions), () => {});
  return { ...superviseProcess(child, options), listening };
};

/** The words of a command before its first option, for messages. */
const describeCommand = (command: readonly string[]): string => {
  const optionIndex = command.findIndex((argument) => argument.startsWith('-'));
  return command.slice(0, optionIndex === -1 ? undefined : optionIndex).join(' ');
};

const startInTerminal = (command: readonly string[], stdout: 'inherit' | 'pipe'): ChildProcess =>
  startWrangler(cli, command, stdout, sourceBundleEnvironment);

const requireSuccess = async (child: ChildProcess, command: readonly string[]): Promise<void> => {
  const [code]: unknown[] = await once(child, 'close');
  if (code !== 0)
    throw new CommandError(`wrangler ${describeCommand(command)} failed. The remaining steps were not run.`);
};

/** How long the processes may take to end before they are killed, in milliseconds. */
const timeoutMs = 5_000;

const startProcess = (
  args: readonly string[],
  channel: 'ignore' | 'ipc',
  { dataFolder }: ProcessOptions,
): ChildProcess =>
  // In its own process group, so that Ctrl-C reaches only this process, and workerd can be stopped even if
  // Wrangler has already ended.
  spawn(process.execPath, ['--no-warnings', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', channel],
    env: { ...environmentWithoutKeys(), ...buildWranglerEnvironment(dataFolder) },
    detached: true,
  });

/**
 * Logs the output of a process that leads its own process group, and ends the group when this process exits.
 * @param options `log` receives each line
 */
export const superviseProcess = (
  child: ChildProcess,
  { log }: Pick<ProcessOptions, 'log'>,
): Omit<DevServer, 'listening'> => {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() !== '') log(line);
    });
  }
  const signalProcessGroup = (signal: NodeJS.Signals): void => sendSignalToGroup(child.pid, signal);
  const killAtExit = (): void => signalProcessGroup('SIGTERM');
  process.once('exit', killAtExit);
  child.once('exit', () => signalProcessGroup('SIGKILL'));
  const exited = once(child, 'close').then(([code]: readonly unknown[]) => {
    process.off('exit', killAtExit);
    return typeof code === 'number' ? code : 1;
  });
  const stop = async (): Promise<void> => {
    signalProcessGroup('SIGTERM');
    const timer = setTimeout(() => signalProcessGroup('SIGKILL'), timeoutMs);
    await exited;
    clearTimeout(timer);
  };
  return { exited, stop };
};

/** Sends a signal to a process group, which may already have ended. */
const sendSignalToGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/** Makes Wrangler bundle the packages from source. The other conditions are its default. */
export const sourceBundleEnvironment = {
  WRANGLER_BUILD_CONDITIONS: `${sourceCondition},workerd,worker,browser`,
};

/**
 * Environment variables that make Wrangler bundle the packages from source, keep it from contacting other
 * servers and from opening its own pages, and keep its logs in the data folder.
 */
const buildWranglerEnvironment = (dataFolder: string): Readonly<Record<string, string>> => ({
  ...localEnvironment,
  ...sourceBundleEnvironment,
  ...buildWranglerFolders(dataFolder),
});

/** Environment variables that keep the logs of Wrangler, and its list of running Workers, in the data folder. */
export const buildWranglerFolders = (dataFolder: string): Readonly<Record<string, string>> => ({
  WRANGLER_LOG_PATH: join(dataFolder, 'wrangler.log'),
  WRANGLER_REGISTRY_PATH: join(dataFolder, 'registry'),
});
