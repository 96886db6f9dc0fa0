/** The whole product on this machine: the app in workerd, and a stand-in for Google to sign in at. */
import { mkdir } from 'node:fs/promises';
import { type Person, people, startGoogle } from '@words-with-chat/lab';
import type { Platform } from '../platform/platform.ts';
import { demandFree, type Ports } from './ports.ts';
import { ensureSettings, type Settings, settingsFile } from './settings.ts';
import { startWorker } from './worker.ts';

export interface LocalSystemOptions extends Ports {
  /** Where database, keys and logs are kept; made when it is missing. */
  readonly dataFolder: string;
  readonly log: (line: string) => void;
  /** As what the app runs; left out: as a Worker. */
  readonly platform?: Platform;
  /** Further clients, as the app's variable `STATIC_CLIENTS` takes them (JSON). */
  readonly staticClients?: string;
  /** Who has an account at the stand-in; left out: the lab's people. */
  readonly people?: readonly Person[];
  /** Starts the stand-in; left out: the one that asks at every sign-in. */
  readonly startGoogle?: typeof startGoogle;
}

export interface LocalSystem {
  /** Of the app: `http://localhost:<port>`. */
  readonly origin: string;
  /** Of the stand-in: on 127.0.0.1, so that it is another site than the app. */
  readonly googleIssuer: string;
  readonly gptClientId: string;
  readonly gptClientSecret: string;
  /** The file that holds the secrets. */
  readonly settingsFile: string;
  /** Settles with the reason when a part ends without having been told to. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts everything and waits until it answers.
 * @throws StartRefused when a port is taken, a file is damaged or the app does not come up
 */
export const startLocalSystem = async (options: LocalSystemOptions): Promise<LocalSystem> => {
  await demandFree('PORT', options.port);
  await demandFree('STANDIN_PORT', options.standInPort);
  await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  const settings = await ensureSettings(options.dataFolder);
  const google = await startStandIn(options, settings);
  try {
    const variables = variablesOf(options, settings, google.issuer);
    const origin = `http://localhost:${options.port}`;
    const worker = await startWorker({ ...options, origin, variables });
    return {
      origin,
      googleIssuer: google.issuer,
      gptClientId: settings.gptClientId,
      gptClientSecret: settings.gptClientSecret,
      settingsFile: settingsFile(options.dataFolder),
      died: worker.died,
      close: async () => {
        await worker.close();
        await google.close();
      },
    };
  } catch (error) {
    await google.close();
    throw error;
  }
};

const googleClientId = 'words-with-chat.local';

const startStandIn = (options: LocalSystemOptions, settings: Settings): ReturnType<typeof startGoogle> =>
  (options.startGoogle ?? startGoogle)({
    port: options.standInPort,
    clientId: googleClientId,
    clientSecret: settings.googleClientSecret,
    redirectUris: [`http://localhost:${options.port}/callback/google`],
    people: options.people ?? people,
  });

const variablesOf = (
  { staticClients }: LocalSystemOptions,
  settings: Settings,
  googleIssuer: string,
): Readonly<Record<string, string>> => ({
  SEALING_KEYS: settings.sealingKeys,
  GPT_CLIENT_ID: settings.gptClientId,
  GPT_CLIENT_SECRET: settings.gptClientSecret,
  GOOGLE_CLIENT_ID: googleClientId,
  GOOGLE_CLIENT_SECRET: settings.googleClientSecret,
  GOOGLE_ISSUER: googleIssuer,
  ...(staticClients === undefined ? {} : { STATIC_CLIENTS: staticClients }),
});
