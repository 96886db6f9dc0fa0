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

const simulateVisit = async (
  stores: Stores,
  user: SimulatedUser,
  visit: Visit,
  midnight: number,
): Promise<void> => {
  let tokenToRecheck: StoredUpstreamToken | undefined;
  for (const { kind, second } of visit) {
    const now = midnight + second;
    if (kind === 'refresh') tokenToRecheck = await refresh(stores, user, now);
    else if (!(await executeStep(stores, { user, tokenToRecheck }, kind, now)))
      throw new Error(`${kind} of ${user.number} was refused`);
  }
};

/** Refreshes, and returns the upstream token if a recheck is due. */
const refresh = async (
  { storage }: Stores,
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

interface SimulationState {
  readonly user: SimulatedUser;
  readonly tokenToRecheck: StoredUpstreamToken | undefined;
}

/** Returns whether the store accepted the step. */
const executeStep = async (
  { storage, scores }: Stores,
  { user, tokenToRecheck }: SimulationState,
  kind: Exclude<Step['kind'], 'refresh'>,
  now: number,
): Promise<boolean> => {
  const { grantId, userId } = user;
  switch (kind) {
    case 'sign-in':
      return (await storage.recordSignIn(buildSignIn(user, now))).kind === 'recorded';
    case 'redeem':
      return (await storage.redeemCode(buildRedemption(user, now))).kind === 'redeemed';
    case 'recheck':
      if (tokenToRecheck === undefined) return false;
      await storage.recordRecheck({ usedToken: tokenToRecheck, recheckAfter: now + recheckInterval });
      return true;
    case 'point':
      return (await scores.increaseScore(userId)).kind === 'found';
    case 'read':
      return (await scores.readHistory(userId)).kind === 'found';
    case 'sign-out':
      await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', now);
      return true;
  }
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
