/** The app in workerd: its site, its migrated database, and waiting until it answers. */
import { join } from 'node:path';
import { layOutSite } from '../app/site.ts';
import { type Arrangement, type Platform, platforms } from '../platform/platform.ts';
import type { Served } from '../platform/serve.ts';
import { layOutSetup } from '../setup/site.ts';
import { firstAnswer } from './first-answer.ts';
import { withoutNotices } from './notices.ts';
import { StartRefused } from './ports.ts';
import { runWrangler, type WranglerOptions } from './wrangler.ts';

export interface WorkerOptions extends WranglerOptions {
  /** The port on loopback to listen on. */
  readonly port: number;
  /** Where the app is reached: through a tunnel when it is https. */
  readonly origin: string;
  /** As what it runs; left out: as a Worker. */
  readonly platform?: Platform;
  /** The app's other variables by name. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface Worker {
  /** Settles with the reason when it ends without having been told to. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}

/**
 * Lays out the site, migrates the database and starts the app.
 * @throws StartRefused when it does not come up; why, stands in the log
 */
export const startWorker = async (options: WorkerOptions): Promise<Worker> => {
  const { dataFolder, origin, platform = 'workers' } = options;
  const variables = { ...options.variables, ORIGIN: origin };
  const site = join(dataFolder, 'site');
  await layOutSite(site, variables);
  await layOutSetup(site, origin, variables);
  return startServed(platforms[platform], { ...options, variables, site });
};

/**
 * Migrates the database and starts what is arranged, which may be another project than the app's.
 * @throws StartRefused when it does not come up; why, stands in the log
 */
export const startServed = async (
  { config, serve }: Arrangement,
  { site, ...options }: Omit<WorkerOptions, 'platform'> & Pick<Served, 'site'>,
): Promise<Worker> => {
  const { dataFolder, origin, port, log, variables } = options;
  const stateFolder = join(dataFolder, 'state');
  await migrate(config, stateFolder, options);
  const { args, ...where } = await serve({ dataFolder, site, variables });
  const child = runWrangler(
    [
      ...args,
      ...['--persist-to', stateFolder],
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
      // The app answers to its origin alone, scheme included. Tunnels speak TLS to a port that does.
      ...['--local-protocol', new URL(origin).protocol.slice(0, -1)],
      ...['--log-level', 'log', '--show-interactive-dev-session=false'],
    ],
    { dataFolder, log: withoutNotices(log), ...where },
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

const migrate = async (config: string, stateFolder: string, options: WranglerOptions): Promise<void> => {
  const target = ['DB', '--local', '--persist-to', stateFolder, '--config', config];
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const { dataFolder } = options;
  const child = runWrangler(['d1', 'migrations', 'apply', ...target], { dataFolder, log });
  if ((await child.ended) === 0) return;
  for (const line of lines) options.log(line);
  throw new StartRefused('The local database could not be migrated.');
};
