/**
 * `npm run bench`: measures the CPU time that workerd needs to authenticate a call. Compares a guarded route
 * with an open one with the same body and with the lower bound for a sealed token, and the seal's `open` with
 * raw decryption. Also measures the token endpoint. The argument is the number of rounds.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { measure, type Round } from './measure.ts';
import { type Line, report } from './report.ts';
import { createScenarios, repetitions } from './scenarios.ts';
import { signIn } from './sign-in.ts';
import { startWorkerd } from './workerd.ts';

type Name = keyof ReturnType<typeof createScenarios>;

const measureOptions = { rounds: Number(process.argv[2] ?? 7), slices: 40 };

/** The cost of one repetition, without the cost of an empty call. */
const computeCostPerRepetition = (name: 'decrypt' | 'unseal') => (round: Round<Name>) =>
  (round[name] - round.idle) / repetitions;

const lines: readonly Line<Name>[] = [
  { label: 'open route, µs per call', digits: 1, compute: ({ open }) => open },
  { label: 'guarded route, µs per call', digits: 1, compute: ({ guarded }) => guarded },
  { label: 'lower bound (baseline), µs per call', digits: 1, compute: ({ baseline }) => baseline },
  { label: 'token endpoint (refresh), µs per call', digits: 1, compute: ({ refresh }) => refresh },
  { label: 'raw decryption, µs', digits: 2, compute: computeCostPerRepetition('decrypt') },
  { label: 'open() of the seal, µs', digits: 2, compute: computeCostPerRepetition('unseal') },
  { label: 'guarded ÷ open', digits: 2, compute: ({ guarded, open }) => guarded / open, goal: 1.35 },
  { label: 'baseline ÷ open', digits: 2, compute: ({ baseline, open }) => baseline / open },
  { label: 'token endpoint ÷ open', digits: 2, compute: ({ refresh, open }) => refresh / open },
  {
    label: 'open() ÷ raw decryption',
    digits: 2,
    compute: (round) =>
      computeCostPerRepetition('unseal')(round) / computeCostPerRepetition('decrypt')(round),
  },
];

const run = async (): Promise<void> => {
  const clientSecret = randomBytes(32).toString('base64url');
  const port = await findFreePort();
  const workerd = await startWorkerd(fileURLToPath(new URL('worker.ts', import.meta.url)), port, {
    ISSUER: `http://127.0.0.1:${port}`,
    SEALING_KEYS: generateKey('bench', (length) => Uint8Array.from(randomBytes(length))),
    CLIENT_SECRET: clientSecret,
  });
  try {
    const signedIn = await signIn(workerd.origin, clientSecret);
    const baselineToken = await (await fetch(new URL('/baseline-token', workerd.origin))).text();
    const rounds = await measure(
      workerd,
      createScenarios(workerd.origin, signedIn, baselineToken),
      measureOptions,
    );
    console.log(`CPU time of workerd, ${measureOptions.rounds} rounds of ${measureOptions.slices} slices`);
    if (report(rounds, lines) === 'missed') process.exitCode = 1;
  } finally {
    await workerd.stop();
  }
};

await run();
