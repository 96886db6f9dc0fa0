/** Lives visits through the stores. Time is the day's own: nobody waits for a clock. */
import type { CodeRedemption, SignIn, StoredUpstreamToken } from 'assistant-auth';
import { createSimulatedUser, type SimulatedUser } from '../day/person.ts';
import { hourOf, recheckInterval, type Step, simulateVisits, type Visit } from '../day/visits.ts';
import { clientId } from './population.ts';
import type { Stores } from './stores.ts';

export interface SimulationSlice {
  readonly from: number;
  readonly to: number;
  readonly hour: number;
  /** When the day begins, in seconds since 1970. */
  readonly midnight: number;
}

/** How many people are under way at once. */
const concurrency = 2400;
const day = 86_400;

/**
 * Lives every visit of people `from` up to `to` that begins in the hour.
 * @throws Error when a store refuses what it must grant
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
        if (hourOf(visit) === hour) await simulateVisit(stores, createSimulatedUser(number), visit, midnight);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runWorkerLoop));
};

/**
 * What runs beside the people in an hour: an isolate looks at the revocations, anew and then for news every ten seconds, and the
 * sweep comes once. Two minutes of looking stand for the hour.
 */
export const runMaintenance = async ({ storage }: Stores, hour: number, midnight: number): Promise<void> => {
  const start = midnight + hour * 3600;
  let cursor: number | undefined;
  for (let second = 0; second < 120; second += 10) {
    const page = await storage.readRevocations(cursor, start + second, 10_000);
    if (page.kind === 'too-many') throw new Error('too many revocations live');
    cursor = page.cursor;
  }
  const now = start + 3600;
  await storage.cleanUp({ now, deleteAuditBefore: now - 90 * day, sealingKey: 'bench', ringKeys: ['bench'] });
};

const simulateVisit = async (
  stores: Stores,
  who: SimulatedUser,
  visit: Visit,
  midnight: number,
): Promise<void> => {
  let due: StoredUpstreamToken | undefined;
  for (const { kind, second } of visit) {
    const now = midnight + second;
    if (kind === 'refresh') due = await refresh(stores, who, now);
    else if (!(await executeStep(stores, { who, due }, kind, now)))
      throw new Error(`${kind} of ${who.number} was refused`);
  }
};

/** Refreshes, and gives what the provider is to be asked with. */
const refresh = async (
  { storage }: Stores,
  { grantId, number }: SimulatedUser,
  now: number,
): Promise<StoredUpstreamToken | undefined> => {
  const use = {
    grantId,
    clientId,
    generation: 0,
    now,
    grace: 120,
    lateRefresh: 'recover',
    recheckLeaseDuration: 60,
    ...lifetimes(now),
  } as const;
  const outcome = await storage.refresh(use);
  if (outcome.kind === 'refused') throw new Error(`refresh of ${number} was refused: ${outcome.reason}`);
  return outcome.recheck;
};

interface SimulationState {
  readonly who: SimulatedUser;
  readonly due: StoredUpstreamToken | undefined;
}

/** Tells whether the store granted it. */
const executeStep = async (
  { storage, scores }: Stores,
  { who, due }: SimulationState,
  kind: Exclude<Step['kind'], 'refresh'>,
  now: number,
): Promise<boolean> => {
  const { grantId, userId } = who;
  switch (kind) {
    case 'sign-in':
      return (await storage.recordSignIn(buildSignIn(who, now))).kind === 'recorded';
    case 'redeem':
      return (await storage.redeemCode(buildRedemption(who, now))).kind === 'redeemed';
    case 'recheck':
      if (due === undefined) return false;
      await storage.recordRecheck({ usedToken: due, recheckAfter: now + recheckInterval });
      return true;
    case 'point':
      return (await scores.add(userId, 1)).kind === 'found';
    case 'read':
      return (await scores.read(userId)).kind === 'found';
    case 'sign-out':
      await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', now);
      return true;
  }
};

const lifetimes = (now: number) => ({
  accessExpiresAt: now + 1800,
  refreshIdleExpiresAt: now + 60 * day,
});

const buildRedemption = ({ grantId }: SimulatedUser, now: number): CodeRedemption => ({
  grantId,
  clientId,
  now,
  codeExpiresAt: now + 59,
  replayGrace: 10,
  ...lifetimes(now),
  refreshAbsoluteExpiresAt: now + 365 * day,
});

const buildSignIn = ({ provider, subject, userId, grantId }: SimulatedUser, now: number): SignIn => ({
  now,
  limits: { signIns: 20, period: 600, activeGrants: 200 },
  identity: { provider, subject, label: 'somebody@mail.example', sealedRefreshToken: 's'.repeat(200) },
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
