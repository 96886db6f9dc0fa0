/** The app in workerd: its variables, its migrated database, and waiting until it answers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withoutNotices } from './notices.ts';
import { StartRefused } from './ports.ts';
import { runWrangler, type WranglerOptions } from './wrangler.ts';

export interface WorkerOptions extends WranglerOptions {
  readonly port: number;
  /** The Worker's variables by name. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface Worker {
  readonly origin: string;
  /** Settles with the reason when it ends without having been told to. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}

const config = fileURLToPath(new URL('../../apps/words/wrangler.jsonc', import.meta.url));

/** How long the first answer may take, in milliseconds. */
const patience = 60_000;

/**
 * Migrates the database and starts the Worker.
 * @throws StartRefused when it does not come up; why, stands in the log
 */
export const startWorker = async (options: WorkerOptions): Promise<Worker> => {
  const stateFolder = join(options.dataFolder, 'state');
  await migrate(stateFolder, options);
  const envFile = await writeVariables(options);
  const child = runWrangler(
    [
      ...['dev', '--config', config, '--env-file', envFile, '--persist-to', stateFolder],
      ...['--ip', '127.0.0.1', '--port', String(options.port), '--inspector-port', '0'],
      ...['--log-level', 'log', '--show-interactive-dev-session=false'],
    ],
    { ...options, log: withoutNotices(options.log) },
  );
  const origin = `http://localhost:${options.port}`;
  const died = child.ended.then((code) => `The app in workerd ended by itself, with exit code ${code}.`);
  try {
    await firstAnswer(origin, died);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { origin, died, close: () => child.stop() };
};

const migrate = async (stateFolder: string, options: WranglerOptions): Promise<void> => {
  const target = ['DB', '--local', '--persist-to', stateFolder, '--config', config];
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const child = runWrangler(['d1', 'migrations', 'apply', ...target], { ...options, log });
  if ((await child.ended) === 0) return;
  for (const line of lines) options.log(line);
  throw new StartRefused('The local database could not be migrated.');
};

/** In a file and not in the arguments, which every process on the machine can read. */
const writeVariables = async ({ dataFolder, variables }: WorkerOptions): Promise<string> => {
  const file = join(dataFolder, 'worker.env');
  const lines = Object.entries(variables).map(([name, value]) => {
    if (/['$\n]/.test(value))
      throw new StartRefused(`${name} cannot hold a quote, a dollar sign or a line break.`);
    return `${name}='${value}'\n`;
  });
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return file;
};

const firstAnswer = async (origin: string, died: Promise<string>): Promise<void> => {
  const end = new AbortController();
  void died.then((reason) => end.abort(new StartRefused(reason)));
  const signal = AbortSignal.any([end.signal, AbortSignal.timeout(patience)]);
  while (!signal.aborted) {
    const status = await ask(`${origin}/.well-known/oauth-authorization-server`, signal);
    if (status === 200) return;
    if (status !== undefined)
      throw new StartRefused(`The app answers its first request with status ${status}.`);
    await pause(100);
  }
  end.signal.throwIfAborted();
  throw new StartRefused(`The app did not answer within ${patience / 1000} s.`);
};

const ask = async (url: string, signal: AbortSignal): Promise<number | undefined> => {
  try {
    return (await fetch(url, { signal })).status;
  } catch {
    return undefined;
  }
};
