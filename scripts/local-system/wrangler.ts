/**
 * Runs Wrangler as a child process: its command line, or the development server of `dev-server.ts`. It sends
 * no data to other servers, and its logs stay in the data folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DevServerOptions, Listening } from './dev-server.ts';

/** A child process and all processes that it started. */
export interface Child {
  /** Resolves with the exit code when all of them have ended. */
  readonly exited: Promise<number>;
  /** Stops all of them and waits until they have ended. */
  stop(): Promise<void>;
}

export interface DevServer extends Child {
  /** Resolves when the server listens. Never settles if the process ends first. */
  readonly listening: Promise<Listening>;
}

export interface WranglerOptions {
  readonly dataFolder: string;
  /** Receives every line that is not empty. */
  readonly log: (line: string) => void;
}

const cli = createRequire(import.meta.url).resolve('wrangler');
const devServer = fileURLToPath(new URL('dev-server.ts', import.meta.url));

/** How long a child may take to end before it is killed, in milliseconds. */
const timeoutMs = 5_000;

/** Runs a Wrangler command. */
export const runWrangler = (args: readonly string[], options: WranglerOptions): Child =>
  watch(start([cli, ...args], 'ignore', options), options);

/** Starts the development server with the given options. */
export const startDevServer = (server: DevServerOptions, options: WranglerOptions): DevServer => {
  const child = start([devServer], 'ipc', options);
  const listening = once(child, 'message').then(([text]): Listening => JSON.parse(String(text)));
  // An error here means that the process has already ended, which `exited` reports.
  child.send(JSON.stringify(server), () => {});
  return { ...watch(child, options), listening };
};

const start = (
  args: readonly string[],
  channel: 'ignore' | 'ipc',
  { dataFolder }: WranglerOptions,
): ChildProcess =>
  // In its own process group, so that Ctrl-C reaches only this process, and workerd can be stopped even if
  // Wrangler has already ended.
  spawn(process.execPath, ['--no-warnings', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', channel],
    env: { ...process.env, ...buildWranglerEnvironment(dataFolder) },
    detached: true,
  });

const watch = (child: ChildProcess, { log }: WranglerOptions): Child => {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() !== '') log(line);
    });
  }
  const endGroup = (signal: NodeJS.Signals): void => signalGroup(child.pid, signal);
  const killAtExit = (): void => endGroup('SIGTERM');
  process.once('exit', killAtExit);
  child.once('exit', () => endGroup('SIGKILL'));
  const exited = once(child, 'close').then(([code]: readonly unknown[]) => {
    process.off('exit', killAtExit);
    return typeof code === 'number' ? code : 1;
  });
  const stop = async (): Promise<void> => {
    endGroup('SIGTERM');
    const timer = setTimeout(() => endGroup('SIGKILL'), timeoutMs);
    await exited;
    clearTimeout(timer);
  };
  return { exited, stop };
};

/** Sends a signal to a process group, which may already have ended. */
const signalGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/**
 * Environment variables that keep Wrangler from contacting other servers, and its logs in the data folder.
 */
export const buildWranglerEnvironment = (dataFolder: string): Readonly<Record<string, string>> => ({
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
  WRANGLER_LOG_PATH: join(dataFolder, 'wrangler.log'),
  WRANGLER_REGISTRY_PATH: join(dataFolder, 'registry'),
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
  CLOUDFLARE_INCLUDE_PROCESS_ENV: 'false',
  // Pages that read and write the database, open to every request with `Host: localhost`.
  X_LOCAL_EXPLORER: 'false',
  // A record of every request's URL, including the codes in callbacks.
  X_LOCAL_OBSERVABILITY: 'false',
});
