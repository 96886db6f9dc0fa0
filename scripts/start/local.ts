/** `npm start`: runs the app on loopback with fake providers. */
import { fakeUsers } from '@words-with-chat/lab';
import { buildMcpUrl } from '../../apps/words/src/api/mcp-endpoint.ts';
import { playPath } from '../../apps/words/src/play/page.ts';
import { readEnvironmentVariables, type Variables } from '../app/variables.ts';
import type { RunningFakeProvider } from '../local-system/fake-providers/fake-providers.ts';
import { type LocalSystem, startLocalSystem } from '../local-system/system.ts';
import { formatDebuggerLines, type RunningApp, type StartOptions } from './running-app.ts';

/**
 * Starts the app with the variables that the environment sets, and with defaults for the other required ones.
 * @throws CommandError with the name of each variable that is wrong
 */
export const startLocal = async (options: StartOptions): Promise<RunningApp> => {
  const environmentVariables = readEnvironmentVariables(process.env);
  const origin = `http://localhost:${options.port}`;
  for (const message of describeUnusedSettings(environmentVariables, process.env, origin))
    options.log(message);
  const { ORIGIN: _, ...variables } = environmentVariables;
  const system = await startLocalSystem({ ...options, variables });
  return { ...system, summary: formatSummary(system, variables) + formatDebuggerLines(system) };
};

/** Returns a line for each setting that has no effect without `--origin`. */
const describeUnusedSettings = (
  { ORIGIN = '' }: Variables,
  { VARIABLES_FILE = '' }: NodeJS.ProcessEnv,
  origin: string,
): readonly string[] => [
  ...(ORIGIN === '' || ORIGIN === origin
    ? []
    : [`ORIGIN is not used: npm start runs the app at ${origin}. To run it behind a tunnel, pass --origin.`]),
  ...(VARIABLES_FILE === ''
    ? []
    : ['VARIABLES_FILE is not used: npm start reads a variables file only with --origin.']),
];

const formatSummary = (system: LocalSystem, variables: Variables): string => {
  const { origin, fakeProviders, gptClientId, settingsFile } = system;
  const secretLocation = 'GPT_CLIENT_SECRET' in variables ? 'GPT_CLIENT_SECRET' : settingsFile;
  return `
  Play               ${origin}${playPath}
  Words With Chat    ${origin}
  MCP server         ${buildMcpUrl(origin)}
  Account page       ${origin}/account
  API description    ${origin}/openapi.json
${[...formatSignInLines(fakeProviders), ...formatEnvironmentLines(variables)].join('\n')}
  GPT client         ${gptClientId}, its secret in ${secretLocation}
  Setup              ${origin}/setup explains how to connect MCP clients and a GPT

  Demo               ${formatDemoCommand(origin)} acts as a GPT, and with -- --mcp as an MCP client
  Stop               Ctrl-C; keys, users and scores are kept
`;
};

const formatSignInLines = (fakeProviders: readonly RunningFakeProvider[]): readonly string[] =>
  fakeProviders.length === 0
    ? ['  Sign in with       the providers that the environment configures; no fake provider runs']
    : [
        `  Sign in with       ${fakeProviders.map(formatFakeProvider).join('\n                     ')}`,
        `                     these are fake providers with the users ${userNames}`,
      ];

const formatEnvironmentLines = (variables: Variables): readonly string[] =>
  Object.keys(variables).length === 0
    ? []
    : [`  Environment        sets ${Object.keys(variables).join(', ')}`];

const formatFakeProvider = ({ label, issuer }: RunningFakeProvider): string =>
  `${issuer} in place of ${label}`;

const formatDemoCommand = (origin: string): string => {
  const { port } = new URL(origin);
  return port === '8787' ? 'npm run demo' : `PORT=${port} npm run demo`;
};

const userNames = fakeUsers.map(({ name }) => name).join(', ');
