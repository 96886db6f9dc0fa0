/**
 * `npm start -- --origin https://…`: runs the app for the real ChatGPT, behind a tunnel that you run.
 */

import { join } from 'node:path';
import { buildMcpUrl } from '../../apps/words/src/api/mcp-endpoint.ts';
import { playPath } from '../../apps/words/src/play/page.ts';
import { CommandError } from '../app/command.ts';
import { requireConfiguration } from '../app/configuration.ts';
import { getVariablesFile } from '../app/paths.ts';
import { ensurePrivateFolder } from '../app/private-file.ts';
import { readVariables, type Variables } from '../app/variables.ts';
import { requireFreePort } from '../local-system/ports.ts';
import { startApp } from '../local-system/worker.ts';
import { formatDebuggerLines, type RunningApp, type StartOptions } from './running-app.ts';

/**
 * Starts the app with the variables in the publisher's variables file.
 * @throws CommandError if the origin is on loopback, or if variables are wrong, with the names of all of them
 */
export const startTunneled = async (origin: string, options: StartOptions): Promise<RunningApp> => {
  if (!origin.startsWith('https:')) {
    throw new CommandError(
      '--origin must be the https URL of a tunnel. To run the app on this machine only, omit it.',
    );
  }
  const { port, log } = options;
  const configuredVariables = await readVariables(process.env);
  const variables = { ...configuredVariables, ORIGIN: origin };
  requireConfiguration(variables, getVariablesFile(process.env));
  for (const message of describeUnusedSettings(configuredVariables, process.env, origin)) log(message);
  await requireFreePort('PORT', port);
  // A separate database, without the users of the fake providers.
  const dataFolder = join(options.dataFolder, 'tunneled');
  await ensurePrivateFolder(options.dataFolder);
  await ensurePrivateFolder(dataFolder);
  const app = await startApp({ ...options, dataFolder, origin, variables });
  return { ...app, summary: formatSummary(origin, port) + formatDebuggerLines(app) };
};

/** Returns a line for each setting that has no effect behind a tunnel. */
const describeUnusedSettings = (
  { ORIGIN = '' }: Variables,
  { FAKE_PROVIDER_PORT = '' }: NodeJS.ProcessEnv,
  origin: string,
): readonly string[] => [
  ...(ORIGIN === '' || ORIGIN === origin ? [] : [`ORIGIN=${ORIGIN} is not used: --origin replaces it.`]),
  ...(FAKE_PROVIDER_PORT === ''
    ? []
    : ['FAKE_PROVIDER_PORT is not used: with --origin, no fake provider runs.']),
];

const formatSummary = (origin: string, port: number): string => `
  Play               ${origin}${playPath}, as soon as the tunnel is connected
  Words With Chat    ${origin}
  Listens on         https://127.0.0.1:${port}; sign-in and API respond for the host of ${origin} only
  MCP server         ${buildMcpUrl(origin)}
  Sign in with       the providers in your variables file; no fake provider runs

  Tunnel             cloudflared tunnel --url https://127.0.0.1:${port} --no-tls-verify
                     ngrok http https://127.0.0.1:${port} --url ${origin}
  Setup              npm run setup -- --origin ${origin} explains how to connect MCP clients and a GPT
  Stop               Ctrl-C; keys are in your variables file, and users and scores are kept
`;
