/** Lives visits through the stores. Time is the day's own: nobody waits for a clock. */
import type { Redemption, SignIn, StoredToken } from 'assistant-auth';
import { type Person, person } from '../day/person.ts';
import { hourOf, type Step, type Visit, visitsOf, wordLasts } from '../day/visits.ts';
import { clientId } from './population.ts';
import type { Stores } from './stores.ts';

export interface Part {
  readonly from: number;
  readonly to: number;
  readonly hour: number;
  /** When the day begins, in seconds since 1970. */
  readonly midnight: number;
}

/** How many people are under way at once. */
const together = 2400;
const day = 86_400;

/**
 * Lives every visit of people `from` up to `to` that begins in the hour.
 * @throws Error when a store refuses what it must grant
 */
export const play = async (stores: Stores, { from, to, hour, midnight }: Part): Promise<void> => {
  let next = from;
  const oneAfterAnother = async (): Promise<void> => {
    while (next < to) {
      const number = next++;
      for (const visit of visitsOf(number)) {
        if (hourOf(visit) === hour) await live(stores, person(number), visit, midnight);
      }
    }
  };
  await Promise.all(Array.from({ length: together }, oneAfterAnother));
};

/**
 * What runs beside the people in an hour: an isolate looks at the revocations, anew and then for news every ten seconds, and the
 * sweep comes once. Two minutes of looking stand for the hour.
 */
export const keepHouse = async ({ ledger }: Stores, hour: number, midnight: number): Promise<void> => {
  const start = midnight + hour * 3600;
  let cursor: number | undefined;
  for (let second = 0; second < 120; second += 10) {
    const page = await ledger.revocationsSince(cursor, start + second, 10_000);
    if (page.kind === 'too-many') throw new Error('too many revocations live');
    cursor = page.cursor;
  }
  const now = start + 3600;
  await ledger.sweep({ now, auditBefore: now - 90 * day, sealingKey: 'bench', openingKeys: ['bench'] });
};

const live = async (stores: Stores, who: Person, visit: Visit, midnight: number): Promise<void> => {
  let due: StoredToken | undefined;
  for (const { kind, second } of visit) {
    const now = midnight + second;
    if (kind === 'refresh') due = await refresh(stores, who, now);
    else if (!(await take(stores, { who, due }, kind, now)))
      throw new Error(`${kind} of ${who.number} was refused`);
  }
};

/** Refreshes, and gives what the provider is to be asked with. */
const refresh = async (
  { ledger }: Stores,
  { grantId, number }: Person,
  now: number,
): Promise<StoredToken | undefined> => {
  const use = {
    grantId,
    clientId,
    generation: 0,
    now,
    grace: 120,
    lateRefresh: 'recover',
    checkLease: 60,
    ...lifetimes(now),
  } as const;
  const outcome = await ledger.refresh(use);
  if (outcome.kind === 'refused') throw new Error(`refresh of ${number} was refused: ${outcome.reason}`);
  return outcome.due;
};

interface Visitor {
  readonly who: Person;
  readonly due: StoredToken | undefined;
}

/** Tells whether the store granted it. */
const take = async (
  { ledger, scores }: Stores,
  { who, due }: Visitor,
  kind: Exclude<Step['kind'], 'refresh'>,
  now: number,
): Promise<boolean> => {
  const { grantId, userId } = who;
  switch (kind) {
    case 'sign-in':
      return (await ledger.recordSignIn(signInOf(who, now))).kind === 'recorded';
    case 'redeem':
      return (await ledger.redeemCode(redemptionOf(who, now))).kind === 'redeemed';
    case 'check':
      if (due === undefined) return false;
      await ledger.recordCheck({ asked: due, checkAfter: now + wordLasts });
      return true;
    case 'point':
      return (await scores.add(userId, 1)).kind === 'known';
    case 'read':
      return (await scores.read(userId)).kind === 'known';
    case 'sign-out':
      await ledger.revoke({ kind: 'grant', id: grantId }, 'signed out', now);
      return true;
  }
};

const lifetimes = (now: number) => ({
  accessExpiresAt: now + 1800,
  refreshIdleExpiresAt: now + 60 * day,
});

const redemptionOf = ({ grantId }: Person, now: number): Redemption => ({
  grantId,
  clientId,
  now,
  codeExpiresAt: now + 59,
  replayGrace: 10,
  ...lifetimes(now),
  refreshAbsoluteExpiresAt: now + 365 * day,
});

const signInOf = ({ provider, subject, userId, grantId }: Person, now: number): SignIn => ({
  now,
  limits: { signIns: 20, period: 600, activeGrants: 200 },
  identity: { provider, subject, label: 'somebody@mail.example', sealedRefreshToken: 's'.repeat(200) },
  user: { kind: 'ours', newId: userId },
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
