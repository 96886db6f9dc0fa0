/**
 * Measures what the MCP endpoint adds to the startup of the game's Worker: the CPU time of workerd from its
 * start to the first response of a route that has nothing to do with MCP.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import type { Plugin } from 'esbuild';
import { load } from './load.ts';
import { createScenarios } from './mcp/scenarios.ts';
import type { Round } from './measure.ts';
import type { Line } from './report.ts';
import { bundleWorker, runWorkerd } from './workerd.ts';

/** The Workers that are compared. `empty` shows what workerd itself takes. */
const workerNames = ['empty', 'withoutMcp', 'game', 'staticImport'] as const;

export type StartupName = (typeof workerNames)[number] | 'firstMessage' | 'secondMessage';

const resolvePath = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const gameFolder = resolvePath('../apps/words/src');

/** Replaces a module, so that the bundle contains neither it nor what only it imports. */
const replaceModule = (filter: RegExp, contents: string): Plugin => ({
  name: 'replace-module',
  setup: (build) => {
    build.onLoad({ filter }, () => ({ contents }));
  },
});

const withoutMcp = replaceModule(
  /assistant-operations\/src\/mcp\.ts$/,
  'export const mcpHandler = () => async () => new Response();',
);

/** The scenarios that use the SDK directly import it at startup. */
const withoutSdkServers = replaceModule(
  /bench\/mcp\/sdk-servers\.ts$/,
  'export const serveWithSdk = async () => new Response(); export const serveWithTunedSdk = serveWithSdk;',
);

const gameCode = `export { default } from './worker.ts';`;

/** The SDK is evaluated at startup, with the code that uses it. */
const staticImportCode = `import * as server from ${JSON.stringify(
  resolvePath('../packages/assistant-operations/src/mcp/server.ts'),
)};\nglobalThis.mcpServer = server;\n${gameCode}`;

const bundleWorkers = async (): Promise<Readonly<Record<(typeof workerNames)[number], string>>> => ({
  empty: 'export default { fetch: () => new Response("{}") };',
  withoutMcp: await bundleWorker({ code: gameCode, folder: gameFolder }, [withoutMcp]),
  game: await bundleWorker({ code: gameCode, folder: gameFolder }),
  staticImport: await bundleWorker({ code: staticImportCode, folder: gameFolder }),
});

/** Starts every Worker once per round, in turn. */
export const measureStartup = async (rounds: number): Promise<readonly Round<StartupName>[]> => {
  const bundles = await bundleWorkers();
  const toolWorker = await bundleWorker(resolvePath('mcp/worker.ts'), [withoutSdkServers]);
  const measured: Round<StartupName>[] = [];
  for (let round = 0; round < rounds; round++) {
    const costs = { empty: 0, withoutMcp: 0, game: 0, staticImport: 0 };
    // Each round starts with a different Worker.
    const firstIndex = round % workerNames.length;
    for (const name of [...workerNames.slice(firstIndex), ...workerNames.slice(0, firstIndex)])
      costs[name] = await measureFirstResponse(bundles[name]);
    measured.push({ ...costs, ...(await measureFirstMessages(toolWorker)) });
  }
  return measured;
};

/** Returns milliseconds. */
const measureFirstResponse = async (bundle: string): Promise<number> => {
  const port = await findFreePort();
  const environment = { variables: buildVariables(port), databases: ['DB'], assets: ['ASSETS'] };
  const workerd = await runWorkerd(bundle, port, environment, '/.well-known/oauth-authorization-server');
  const milliseconds = workerd.cpuTime() * 1e3;
  await workerd.stop();
  return milliseconds;
};

/** Returns milliseconds for the first and the second message to the MCP endpoint of a new isolate. */
const measureFirstMessages = async (bundle: string) => {
  const port = await findFreePort();
  const workerd = await runWorkerd(bundle, port, { variables: buildVariables(port) }, '/open');
  const { initialized } = createScenarios(workerd.origin, { mcp: 'none', api: 'none' });
  const measureMessage = async (): Promise<number> => {
    const before = workerd.cpuTime();
    await load(initialized.requestSpec, 1);
    return (workerd.cpuTime() - before) * 1e3;
  };
  const [firstMessage, secondMessage] = [await measureMessage(), await measureMessage()];
  await workerd.stop();
  return { firstMessage, secondMessage };
};

/** The variables of the game, and those of the other Workers under test. */
const buildVariables = (port: number): Readonly<Record<string, string>> => ({
  ORIGIN: `http://127.0.0.1:${port}`,
  ISSUER: `http://127.0.0.1:${port}`,
  SEALING_KEYS: generateKey('bench', (length) => Uint8Array.from(randomBytes(length))),
  DAILY_SECRET: randomBytes(32).toString('base64url'),
  CLIENT_SECRET: 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ',
  GPT_CLIENT_ID: 'gpt',
  GPT_CLIENT_SECRET: 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ',
  GPT_IDS: 'g-1234567890abcdef',
  GOOGLE_CLIENT_ID: 'google',
  GOOGLE_CLIENT_SECRET: 'google',
});

const withoutWorkerd = (name: 'withoutMcp' | 'game' | 'staticImport') => (round: Round<StartupName>) =>
  round[name] - round.empty;

export const startupLines: readonly Line<StartupName>[] = [
  { label: 'empty Worker, ms', digits: 0, compute: ({ empty }) => empty },
  { label: 'game without MCP, ms more than empty', digits: 0, compute: withoutWorkerd('withoutMcp') },
  { label: 'game, ms more than empty', digits: 0, compute: withoutWorkerd('game') },
  { label: 'game with a static import, ms more', digits: 0, compute: withoutWorkerd('staticImport') },
  {
    label: 'game ÷ game without MCP',
    digits: 2,
    compute: ({ game, withoutMcp }) => game / withoutMcp,
    goal: 1.35,
  },
  {
    label: 'static import ÷ game without MCP',
    digits: 2,
    compute: ({ staticImport, withoutMcp }) => staticImport / withoutMcp,
  },
  { label: 'first MCP message of an isolate, ms', digits: 1, compute: ({ firstMessage }) => firstMessage },
  { label: 'second MCP message, ms', digits: 1, compute: ({ secondMessage }) => secondMessage },
];
