/**
 * `npm run bench`: measures the CPU time that workerd needs to authenticate a call, to call a tool over MCP,
 * and to start. Compares a guarded route and the token endpoint with an open route, the lower bound for a
 * sealed token with both, the seal's `open` with raw decryption, and the whole game with the bare broker; the
 * MCP endpoint with the MCP SDK alone; and the game's Worker with the same Worker without MCP.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { printHelpIfRequested, runCommand, UsageError } from '../scripts/app/command.ts';
import * as mcp from './mcp/scenarios.ts';
import { measure, type Round, type Scenario } from './measure.ts';
import { type Line, report } from './report.ts';
import { createScenarios, repetitions } from './scenarios.ts';
import { issueDistinctTokens, signIn } from './sign-in.ts';
import { measureStartup, startupLines } from './startup.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

type Name = keyof ReturnType<typeof createScenarios>;

/** More than twice as many as a broker caches, so most of these calls decrypt their token. */
const distinctTokens = 10_000;

const usage = `Usage: npm run bench [-- <rounds>]

Measures what sign-in, MCP and the game cost in CPU time. Fails if a goal is missed.

  <rounds>    how many rounds to measure, from 1 to 1000. Default: 7`;

/** The cost of one repetition, without the cost of an empty call. */
const computeCostPerRepetition = (name: 'decrypt' | 'unseal') => (round: Round<Name>) =>
  (round[name] - round.idle) / repetitions;

const authenticationLines: readonly Line<Name>[] = [
  { label: 'open route, µs per call', digits: 1, compute: ({ open }) => open },
  { label: 'guarded route, µs per call', digits: 1, compute: ({ guarded }) => guarded },
  { label: 'lower bound (baseline), µs per call', digits: 1, compute: ({ baseline }) => baseline },
  { label: 'token endpoint (refresh), µs per call', digits: 1, compute: ({ refresh }) => refresh },
  { label: 'raw decryption, µs', digits: 2, compute: computeCostPerRepetition('decrypt') },
  { label: 'open() of the seal, µs', digits: 2, compute: computeCostPerRepetition('unseal') },
  {
    label: 'guarded, token in the cache ÷ open',
    digits: 2,
    compute: ({ guarded, open }) => guarded / open,
    goal: 1.12,
  },
  {
    label: 'guarded, 10,000 tokens in turn ÷ open',
    digits: 2,
    compute: ({ distinct, open }) => distinct / open,
    goal: 1.25,
  },
  { label: 'baseline ÷ open', digits: 2, compute: ({ baseline, open }) => baseline / open },
  { label: 'token endpoint ÷ open', digits: 2, compute: ({ refresh, open }) => refresh / open, goal: 2.3 },
  {
    label: 'the whole game ÷ bare broker, API call',
    digits: 2,
    compute: ({ gameOperation, operation }) => gameOperation / operation,
    goal: 1.08,
  },
  {
    label: 'the whole game ÷ bare broker, refresh',
    digits: 2,
    compute: ({ gameRefresh, refresh }) => gameRefresh / refresh,
    goal: 1.08,
  },
  {
    label: 'open() ÷ raw decryption',
    digits: 2,
    compute: (round) =>
      computeCostPerRepetition('unseal')(round) / computeCostPerRepetition('decrypt')(round),
  },
];

/** A Worker under test, with its scenarios and the figures that are computed from them. */
interface Comparison<ScenarioName extends string> {
  readonly title: string;
  readonly entry: string;
  readonly lines: readonly Line<ScenarioName>[];
  readonly slices: number;
  readonly prepare: (
    workerd: Workerd,
    clientSecret: string,
  ) => Promise<Readonly<Record<ScenarioName, Scenario>>>;
}

const authentication: Comparison<Name> = {
  title: 'Authentication',
  entry: 'worker.ts',
  lines: authenticationLines,
  slices: 40,
  prepare: async ({ origin }, clientSecret) => {
    const baselineToken = await (await fetch(new URL('/baseline-token', origin))).text();
    const signedIn = await signIn(origin, clientSecret);
    const tokens = await issueDistinctTokens(origin, signedIn, distinctTokens);
    return createScenarios(origin, signedIn, baselineToken, tokens);
  },
};

const toolCalls: Comparison<mcp.Name> = {
  title: 'Tools over MCP',
  entry: 'mcp/worker.ts',
  lines: mcp.lines,
  slices: 40,
  prepare: async ({ origin }, clientSecret) => {
    const { accessToken: api } = await signIn(origin, clientSecret);
    const signedIn = await signIn(origin, clientSecret, new URL('/mcp', origin).href);
    return mcp.createScenarios(origin, { api, mcp: signedIn.accessToken });
  },
};

const run = async <ScenarioName extends string>(
  { title, entry, lines, slices, prepare }: Comparison<ScenarioName>,
  rounds: number,
): Promise<void> => {
  const clientSecret = randomBytes(32).toString('base64url');
  const port = await findFreePort();
  const workerd = await startWorkerd(fileURLToPath(new URL(entry, import.meta.url)), port, {
    ISSUER: `http://127.0.0.1:${port}`,
    SEALING_KEYS: generateKey('bench', (length) => Uint8Array.from(randomBytes(length))),
    CLIENT_SECRET: clientSecret,
  });
  try {
    const measured = await measure(workerd, await prepare(workerd, clientSecret), { rounds, slices });
    console.log(`\n${title}: CPU time of workerd, ${rounds} rounds of ${slices} slices`);
    if (report(measured, lines) === 'missed') process.exitCode = 1;
  } finally {
    await workerd.stop();
  }
};

const main = async (): Promise<void> => {
  if (printHelpIfRequested(usage)) return;
  const rounds = Number(process.argv[2] ?? 7);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
    throw new UsageError(`The number of rounds must be from 1 to 1000.\n\n${usage}`);
  await run(authentication, rounds);
  await run(toolCalls, rounds);

  const startups = 3 * rounds;
  const startupRounds = await measureStartup(startups);
  console.log(`\nStartup: CPU time of workerd until the first response, ${startups} rounds`);
  if (report(startupRounds, startupLines) === 'missed') process.exitCode = 1;
};

await runCommand(main);
