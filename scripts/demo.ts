/**
 * `npm run demo`: acts as a GPT with an Action, or with `--mcp` as an MCP client, and prints every message.
 * It uses a running `npm start`, or a system that it starts.
 */
import { parseArgs } from 'node:util';
import { buildGptCallbackUrl, fakeUsers, type GptAction, NavigationError } from '@words-with-chat/lab';
import { buildMcpUrl } from '../apps/words/src/api/mcp-endpoint.ts';
import { escapeControlsInLines, isUserFacing, printHelpIfRequested } from './app/command.ts';
import { readEnvironmentVariables } from './app/variables.ts';
import { runActionDemo } from './demo/action-demo.ts';
import { UnexpectedResponse } from './demo/expectations.ts';
import { runMcpDemo } from './demo/mcp-demo.ts';
import { type Metadata, readMetadata } from './demo/metadata.ts';
import { createTerminal, type Terminal } from './demo/terminal.ts';
import { getDataFolder } from './local-system/data-folder.ts';
import { readPorts } from './local-system/ports.ts';
import { buildSettingsVariables, readGptCredentials, readSettings } from './local-system/settings.ts';
import { type LocalSystem, startLocalSystem } from './local-system/system.ts';

const usage = `Usage: npm run demo [-- --mcp]

Acts as a client of the game in the terminal, and prints every request and response: signs in, plays a round, and
refreshes the access token. Without --mcp, it acts as ChatGPT does for a GPT with an Action.

Options:
  --mcp    act as an MCP client instead, which needs only the URL of the MCP server and registers itself

It uses the app that npm start runs on PORT (default: 8787), or starts the app if it is not running.`;

const dataFolder = getDataFolder(process.env);

type System = Pick<LocalSystem, 'origin' | 'gptClientId' | 'gptClientSecret' | 'close'>;

const main = async (terminal: Terminal): Promise<void> => {
  const { mcp = false } = parseArgs({ options: { mcp: { type: 'boolean' } } }).values;
  const system = (await findRunningSystem(terminal)) ?? (await startSystem(terminal));
  try {
    await (mcp ? actAsMcpClient(system, terminal) : actAsGpt(system, terminal));
  } finally {
    await system.close();
  }
};

const actAsGpt = async (system: System, terminal: Terminal): Promise<void> =>
  runActionDemo({
    action: buildGptAction(system, await requireMetadata(system)),
    origin: system.origin,
    user: fakeUsers[0],
    terminal,
  });

const actAsMcpClient = async (system: System, terminal: Terminal): Promise<void> => {
  const { issuer, canRegister } = await requireMetadata(system);
  if (!canRegister)
    throw new UnexpectedResponse(
      `Clients cannot register themselves with the app at ${issuer}. Start it without MCP_CLIENTS, or with MCP_CLIENTS=registration.`,
    );
  await runMcpDemo({ url: buildMcpUrl(system.origin), user: fakeUsers[0], terminal });
};

/** Finds the system on PORT, if it is this app. */
const findRunningSystem = async (terminal: Terminal): Promise<System | undefined> => {
  const origin = `http://localhost:${readPorts(process.env).port}`;
  const settings = await readSettings(dataFolder);
  if (settings === undefined || (await readMetadata(origin)) === undefined) return undefined;
  terminal.print(`Using the app that is running at ${origin}.`);
  const variables = { ...buildSettingsVariables(settings), ...readEnvironmentVariables(process.env) };
  return { origin, ...readGptCredentials(variables), close: async () => {} };
};

const startSystem = async (terminal: Terminal): Promise<System> => {
  terminal.print('The app is not running. Starting it and the fake providers …');
  const variables = readEnvironmentVariables(process.env);
  const log = (line: string): void => console.error(line);
  return startLocalSystem({ ...readPorts(process.env), dataFolder, variables, log });
};

const requireMetadata = async ({ origin }: System): Promise<Metadata> => {
  const metadata = await readMetadata(origin);
  if (metadata === undefined) throw new UnexpectedResponse('The app returned no server metadata.');
  return metadata;
};

/** The values that the publisher of a GPT enters in its editor. */
const buildGptAction = ({ gptClientId, gptClientSecret }: System, metadata: Metadata): GptAction => ({
  authorizationUrl: metadata.authorizationUrl,
  tokenUrl: metadata.tokenUrl,
  clientId: gptClientId,
  clientSecret: gptClientSecret,
  scope: '',
  redirectUri: buildGptCallbackUrl('g-5f0c1d2e3b4a59687786a5b4c3d2e1f0'),
  tokenExchange: 'post',
});

const terminal = createTerminal((text) => process.stdout.write(text));
try {
  if (!printHelpIfRequested(usage)) await main(terminal);
} catch (error) {
  const isExpected =
    isUserFacing(error) || error instanceof UnexpectedResponse || error instanceof NavigationError;
  if (!isExpected) throw error;
  console.error(`\n${escapeControlsInLines(error.message)}`);
  process.exitCode = 1;
}
