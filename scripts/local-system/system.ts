/** Starts the whole system on this machine: the app in workerd, and fake providers. */
import { requireVariables } from '../app/configuration.ts';
import { ensurePrivateFolder } from '../app/private-file.ts';
import type { Variables } from '../app/variables.ts';
import {
  type FakeProvidersOptions,
  planFakeProviders,
  type RunningFakeProvider,
} from './fake-providers/fake-providers.ts';
import { type Ports, requireFreePort } from './ports.ts';
import { buildSettingsVariables, ensureSettings, readGptCredentials, settingsFile } from './settings.ts';
import { type RunningProject, startApp, type WorkerOptions } from './worker.ts';

export interface LocalSystemOptions
  extends Ports,
    FakeProvidersOptions,
    Pick<WorkerOptions, 'log' | 'platform' | 'debugger'> {
  /** The folder for the database, keys and logs. It is created if it does not exist. */
  readonly dataFolder: string;
  /**
   * Variables of the app, by name, that replace the defaults of the local system. If they configure a
   * provider, its fake provider does not run. `ORIGIN` can't be replaced. Default: none.
   */
  readonly variables?: Variables;
}

export interface LocalSystem extends RunningProject {
  /** The origin of the app: `http://localhost:<port>`. */
  readonly origin: string;
  readonly fakeProviders: readonly RunningFakeProvider[];
  readonly gptClientId: string;
  readonly gptClientSecret: string;
  /** The file with the secrets. */
  readonly settingsFile: string;
}

/**
 * Starts everything and waits until the app responds.
 * @throws CommandError if a variable is wrong, a port is taken, a file is damaged, or the app does not start
 */
export const startLocalSystem = async (options: LocalSystemOptions): Promise<LocalSystem> => {
  const { port, dataFolder, variables: overrides = {} } = options;
  const origin = `http://localhost:${port}`;
  await requireFreePort('PORT', port);
  await ensurePrivateFolder(dataFolder);
  const settings = await ensureSettings(dataFolder);
  const planned = planFakeProviders(options, overrides);
  const variables = {
    ...buildSettingsVariables(settings),
    ...planned.variables,
    ...overrides,
    ORIGIN: origin,
  };
  requireVariables(
    variables,
    'the environment variables',
    'apps/words/.dev.vars.example explains them. If a required variable is not set, npm start uses a default.',
  );
  const fakeProviders = await planned.start();
  try {
    const worker = await startApp({ ...options, origin, variables });
    return {
      ...worker,
      ...readGptCredentials(variables),
      origin,
      fakeProviders: fakeProviders.all,
      settingsFile: settingsFile(dataFolder),
      close: async () => {
        await worker.close();
        await fakeProviders.close();
      },
    };
  } catch (error) {
    await fakeProviders.close();
    throw error;
  }
};
