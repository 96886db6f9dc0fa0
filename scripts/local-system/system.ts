/** The whole product on this machine: the app in workerd, and stand-ins for the identity providers to sign in at. */
import { ensurePrivateFolder } from '../app/private-file.ts';
import { demandFree, type Ports } from './ports.ts';
import { ensureSettings, type Settings, settingsFile } from './settings.ts';
import { type StandIn, type StandInOptions, type StandIns, startStandIns } from './stand-ins/stand-ins.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';

export interface LocalSystemOptions
  extends Ports,
    StandInOptions,
    Pick<WorkerOptions, 'log' | 'platform' | 'debugger'> {
  /** Where database, keys and logs are kept; made when it is missing. */
  readonly dataFolder: string;
  /** Further clients, as the app's variable `STATIC_CLIENTS` takes them (JSON). */
  readonly staticClients?: string;
}

export interface LocalSystem extends Worker {
  /** Of the app: `http://localhost:<port>`. */
  readonly origin: string;
  readonly standIns: readonly StandIn[];
  readonly gptClientId: string;
  readonly gptClientSecret: string;
  /** The file that holds the secrets. */
  readonly settingsFile: string;
}

/**
 * Starts everything and waits until it answers.
 * @throws StartRefused when a port is taken, a file is damaged or the app does not come up
 */
export const startLocalSystem = async (options: LocalSystemOptions): Promise<LocalSystem> => {
  await demandFree('PORT', options.port);
  await ensurePrivateFolder(options.dataFolder);
  const settings = await ensureSettings(options.dataFolder);
  const standIns = await startStandIns(options);
  try {
    const variables = variablesOf(options, settings, standIns);
    const origin = `http://localhost:${options.port}`;
    const worker = await startWorker({ ...options, origin, variables });
    return {
      ...worker,
      origin,
      standIns: standIns.all,
      gptClientId: settings.gptClientId,
      gptClientSecret: settings.gptClientSecret,
      settingsFile: settingsFile(options.dataFolder),
      close: async () => {
        await worker.close();
        await standIns.close();
      },
    };
  } catch (error) {
    await standIns.close();
    throw error;
  }
};

const variablesOf = (
  { staticClients }: LocalSystemOptions,
  settings: Settings,
  standIns: StandIns,
): Readonly<Record<string, string>> => ({
  SEALING_KEYS: settings.sealingKeys,
  GPT_CLIENT_ID: settings.gptClientId,
  GPT_CLIENT_SECRET: settings.gptClientSecret,
  ...standIns.variables,
  ...(staticClients === undefined ? {} : { STATIC_CLIENTS: staticClients }),
});
