/** The whole product on this machine: the app in workerd, and fake identity providers to sign in at. */
import { demandVariables } from '../app/configuration.ts';
import { ensurePrivateFolder } from '../app/private-file.ts';
import type { Variables } from '../app/variables.ts';
import { demandFree, type Ports } from './ports.ts';
import { ensureSettings, gptCredentials, settingsFile, settingsVariables } from './settings.ts';
import { planStandIns, type StandIn, type StandInOptions } from './stand-ins/stand-ins.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';

export interface LocalSystemOptions
  extends Ports,
    StandInOptions,
    Pick<WorkerOptions, 'log' | 'platform' | 'debugger'> {
  /** Where database, keys and logs are kept; made when it is missing. */
  readonly dataFolder: string;
  /**
   * Variables of the app, by name, in place of those of the local system. No fake provider runs in place of one that they
   * configure. `ORIGIN` is always the local system's. Default: none.
   */
  readonly variables?: Variables;
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
 * @throws Refused when a variable is wrong, a port is taken, a file is damaged or the app does not come up
 */
export const startLocalSystem = async (options: LocalSystemOptions): Promise<LocalSystem> => {
  const { port, dataFolder, variables: given = {} } = options;
  const origin = `http://localhost:${port}`;
  await demandFree('PORT', port);
  await ensurePrivateFolder(dataFolder);
  const settings = await ensureSettings(dataFolder);
  const planned = planStandIns(options, given);
  const variables = { ...settingsVariables(settings), ...planned.variables, ...given, ORIGIN: origin };
  demandVariables(
    variables,
    'the variables of the environment',
    'apps/words/.dev.vars.example explains them. Without a variable, npm start uses a value of its own.',
  );
  const standIns = await planned.start();
  try {
    const worker = await startWorker({ ...options, origin, variables });
    return {
      ...worker,
      ...gptCredentials(variables),
      origin,
      standIns: standIns.all,
      settingsFile: settingsFile(dataFolder),
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
