/** Runs the simulated visits against the stores. Times are simulated, so nothing waits. */
import type { CodeRedemption, SignIn, StoredUpstreamToken } from 'assistant-auth';
import {
  createSimulatedUser,
  getHour,
  recheckInterval,
  type SimulatedUser,
  type Step,
  simulateVisits,
  type Visit,
} from '../day.ts';
import { type Player, playRoundStep } from './rounds.ts';
import { clientId, type Stores } from './stores.ts';

export interface SimulationSlice {
  readonly from: number;
  readonly to: number;
  readonly hour: number;
  /** The start of the day, in seconds since 1970. */
  readonly midnight: number;
}

/** The number of users that are simulated concurrently. */
const concurrency = 2400;
const day = 86_400;

/**
 * Simulates every visit of the users `from` (inclusive) to `to` (exclusive) that begins in the hour.
 * @throws Error if a store refuses something that it must accept
 */
export const simulateHour = async (
  stores: Stores,
  { from, to, hour, midnight }: SimulationSlice,
): Promise<void> => {
  let next = from;
  const runWorkerLoop = async (): Promise<void> => {
    while (next < to) {
      const number = next++;
      for (const visit of simulateVisits(number)) {
        if (getHour(visit) === hour)
          await simulateVisit(stores, createSimulatedUser(number), visit, midnight);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runWorkerLoop));
};

/**
 * Runs the hourly work besides the visits: an isolate reads the revocations, first all and then the new ones
 * every ten seconds, and one cleanup runs. Two minutes of reads represent the hour.
 */
export const runMaintenance = async ({ storage }: Stores, hour: number, midnight: number): Promise<void> => {
  const start = midnight + hour * 3600;
  let cursor: number | undefined;
  for (let second = 0; second < 120; second += 10) {
    const page = await storage.readRevocations(cursor, start + second, 10_000);
    if (page.kind === 'too-many') throw new Error('there are too many active revocations');
    cursor = page.cursor;
  }
  const now = start + 3600;
  await storage.cleanUp({ now, deleteAuditBefore: now - 90 * day, sealingKey: 'bench', ringKeys: ['bench'] });
};

/** What a visit remembers from one step to the next. */
interface VisitState extends Player {
  readonly tokenToRecheck: StoredUpstreamToken | undefined;
}

const simulateVisit = async (
  stores: Stores,
  user: SimulatedUser,
  visit: Visit,
  midnight: number,
): Promise<void> => {
  let state: VisitState = { user, tokenToRecheck: undefined, round: undefined };
  for (const { kind, second } of visit) state = await executeStep(stores, state, kind, midnight + second);
};

/**
 * Executes a step.
 * @throws Error if the store refuses it
 */
const executeStep = async (
  { storage, game }: Stores,
  state: VisitState,
  kind: Step['kind'],
  now: number,
): Promise<VisitState> => {
  const { user, tokenToRecheck } = state;
  switch (kind) {
    case 'sign-in':
      expectKind('recorded', await storage.recordSignIn(buildSignIn(user, now)), user);
      return state;
    case 'redeem':
      expectKind('redeemed', await storage.redeemCode(buildRedemption(user, now)), user);
      return state;
    case 'refresh':
      return { ...state, tokenToRecheck: await refresh(storage, user, now) };
    case 'recheck':
      if (tokenToRecheck === undefined) throw new Error(`no recheck of ${user.number} is due`);
      await storage.recordRecheck({ usedToken: tokenToRecheck, recheckAfter: now + recheckInterval });
      return state;
    case 'start':
    case 'correct-letter':
    case 'wrong-letter':
    case 'hint':
    case 'win':
      return { ...state, round: await playRoundStep(game(kind), state, kind, now) };
    case 'read':
      expectKind('found', await game(kind).readHistory(user.userId), user);
      return state;
    case 'sign-out':
      await storage.revoke({ kind: 'grant', id: user.grantId }, 'signed out', now);
      return state;
  }
};

const expectKind = (expected: string, { kind }: { readonly kind: string }, user: SimulatedUser): void => {
  if (kind !== expected) throw new Error(`user ${user.number}: ${kind} instead of ${expected}`);
};

/** Refreshes, and returns the upstream token if a recheck is due. */
const refresh = async (
  storage: Stores['storage'],
  { grantId, number }: SimulatedUser,
  now: number,
): Promise<StoredUpstreamToken | undefined> => {
  const refreshRequest = {
    grantId,
    clientId,
    generation: 0,
    now,
    grace: 120,
    lateRefresh: 'recover',
    recheckLeaseDuration: 60,
    ...computeExpiries(now),
  } as const;
  const outcome = await storage.refresh(refreshRequest);
  if (outcome.kind === 'refused') throw new Error(`refresh of ${number} was refused: ${outcome.reason}`);
  return outcome.recheck;
};

const computeExpiries = (now: number) => ({
  accessExpiresAt: now + 1800,
  refreshIdleExpiresAt: now + 60 * day,
});

const buildRedemption = ({ grantId }: SimulatedUser, now: number): CodeRedemption => ({
  grantId,
  clientId,
  now,
  codeExpiresAt: now + 59,
  replayGrace: 10,
  ...computeExpiries(now),
  refreshAbsoluteExpiresAt: now + 365 * day,
});

const buildSignIn = ({ provider, subject, userId, grantId }: SimulatedUser, now: number): SignIn => ({
  now,
  limits: { signIns: 20, period: 600, activeGrants: 200 },
  identity: { provider, subject, label: 'somebody@mail.example', sealedRefreshToken: 's'.repeat(200) },
  subjectNamespace: 'https://provider.example',
  user: { kind: 'by-identity', newId: userId },
  grant: {
    id: grantId,
    clientId,
    redirectUri: 'https://chatgpt.com/aip/g-68f0c2a1b4d881918f2c5a7d3e9b6014/oauth/callback',
    scopes: ['words', 'score'],
    resource: 'https://words.example/api',
    refreshPolicy: 'stable',
    claims: {},
  },
});
