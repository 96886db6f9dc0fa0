/**
 * `npm run demo`: runs ChatGPT's side of the protocol in the terminal, against a running `npm start` or a
 * system that it starts.
 */
import { buildGptCallbackUrl, fakeUsers, type GptAction, NavigationError } from '@words-with-chat/lab';
import { isUserFacing } from './app/command.ts';
import { readEnvironmentVariables } from './app/variables.ts';
import { UnexpectedResponse } from './demo/expectations.ts';
import { readMetadata } from './demo/metadata.ts';
import { runDemo } from './demo/run-demo.ts';
import { createTerminal, type Terminal } from './demo/terminal.ts';
import { getDataFolder } from './local-system/data-folder.ts';
import { readPorts } from './local-system/ports.ts';
import { buildSettingsVariables, readGptCredentials, readSettings } from './local-system/settings.ts';
import { type LocalSystem, startLocalSystem } from './local-system/system.ts';

const dataFolder = getDataFolder(process.env);

type System = Pick<LocalSystem, 'origin' | 'gptClientId' | 'gptClientSecret' | 'close'>;

const main = async (terminal: Terminal): Promise<void> => {
  const system = (await findRunningSystem(terminal)) ?? (await startSystem(terminal));
  try {
    await runDemo({
      action: await buildGptAction(system),
      origin: system.origin,
      user: fakeUsers[0],
      terminal,
    });
  } finally {
    await system.close();
  }
};

/** Finds the system on PORT, if it is this app. */
const findRunningSystem = async (terminal: Terminal): Promise<System | undefined> => {
  const origin = `http://localhost:${readPorts(process.env).port}`;
  const settings = await readSettings(dataFolder);
  if (settings === undefined || (await readMetadata(origin)) === undefined) return undefined;
  terminal.print(`Using the app that is running at ${origin}.`);
  const variables = { ...buildSettingsVariables(settings), ...(await readEnvironmentVariables(process.env)) };
  return { origin, ...readGptCredentials(variables), close: async () => {} };
};

const startSystem = async (terminal: Terminal): Promise<System> => {
  terminal.print('The app is not running. Starting it and the fake providers …');
  const variables = await readEnvironmentVariables(process.env);
  const log = (line: string): void => console.error(line);
  return startLocalSystem({ ...readPorts(process.env), dataFolder, variables, log });
};

/** The values that the publisher of a GPT enters in its editor. */
const buildGptAction = async ({ origin, gptClientId, gptClientSecret }: System): Promise<GptAction> => {
  const metadata = await readMetadata(origin);
  if (metadata === undefined) throw new UnexpectedResponse('The app returned no server metadata.');
  return {
    authorizationUrl: metadata.authorizationUrl,
    tokenUrl: metadata.tokenUrl,
    clientId: gptClientId,
    clientSecret: gptClientSecret,
    scope: '',
    redirectUri: buildGptCallbackUrl('g-5f0c1d2e3b4a59687786a5b4c3d2e1f0'),
    tokenExchange: 'post',
  };
};

const terminal = createTerminal((text) => process.stdout.write(text));
try {
  await main(terminal);
} catch (error) {
  const isExpected =
    isUserFacing(error) || error instanceof UnexpectedResponse || error instanceof NavigationError;
  if (!isExpected) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
