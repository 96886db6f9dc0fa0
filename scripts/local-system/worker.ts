/** The app in workerd: its variables, its migrated database, and waiting until it answers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layOutSite } from '../app/site.ts';
import { firstAnswer } from './first-answer.ts';
import { withoutNotices } from './notices.ts';
import { StartRefused } from './ports.ts';
import { runWrangler, type WranglerOptions } from './wrangler.ts';

export interface WorkerOptions extends WranglerOptions {
  /** The port on loopback to listen on. */
  readonly port: number;
  /** Where the app is reached: through a tunnel when it is https. */
  readonly origin: string;
  /** The Worker's other variables by name. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface Worker {
  /** Settles with the reason when it ends without having been told to. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}

const config = fileURLToPath(new URL('../../apps/words/wrangler.jsonc', import.meta.url));

/**
 * Migrates the database and starts the Worker.
 * @throws StartRefused when it does not come up; why, stands in the log
 */
export const startWorker = async (options: WorkerOptions): Promise<Worker> => {
  const { dataFolder, origin, port, log } = options;
  const variables = { ...options.variables, ORIGIN: origin };
  const stateFolder = join(dataFolder, 'state');
  await migrate(stateFolder, options);
  const envFile = await writeVariables(dataFolder, variables);
  const site = join(dataFolder, 'site');
  await layOutSite(site, variables);
  const child = runWrangler(
    [
      ...['dev', '--config', config, '--env-file', envFile, '--persist-to', stateFolder, '--assets', site],
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
      // The app answers to its origin alone, scheme included. Tunnels speak TLS to a port that does.
      ...['--local-protocol', new URL(origin).protocol.slice(0, -1)],
      ...['--log-level', 'log', '--show-interactive-dev-session=false'],
    ],
    { dataFolder, log: withoutNotices(log) },
  );
  const died = child.ended.then((code) => `The app in workerd ended by itself, with exit code ${code}.`);
  try {
    await firstAnswer(origin, port, died);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { died, close: () => child.stop() };
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
const writeVariables = async (
  dataFolder: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> => {
  const file = join(dataFolder, 'worker.env');
  const lines = Object.entries(variables).map(([name, value]) => {
    if (/['$\n]/.test(value))
      throw new StartRefused(`${name} cannot hold a quote, a dollar sign or a line break.`);
    return `${name}='${value}'\n`;
  });
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return file;
};
