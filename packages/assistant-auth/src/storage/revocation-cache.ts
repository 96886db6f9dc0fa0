/**
 * Revocation without reads: an isolate keeps the living revocations in memory and asks the ledger for news at most every ten
 * seconds, before it answers. A revoked token is thus dead within ten seconds, and a call on a busy isolate reads nothing.
 */
import type { Clock, EpochSeconds, Seconds } from '../oauth/time.ts';
import {
  type Ledger,
  LedgerUnavailable,
  type Revocation,
  type RevocationTarget,
  type TokenOrigin,
} from './broker-storage.ts';

/** How old the picture may be when a call is answered. */
export const revocationHorizon: Seconds = 10;
/** How old it may be while the ledger is out of reach. */
export const outageTolerance: Seconds = 60;
/** Past this age the picture is read anew, and forgets what has died. */
const renewal: Seconds = 600;
/** More living revocations than this are not kept in memory. */
const mostKept = 10_000;

/** What of a ledger tells of revocations. */
export type RevocationSource = Pick<Ledger, 'revocationsSince' | 'isRevoked'>;

export interface RevocationWatch {
  /**
   * Tells whether a token was revoked; a promise only where memory does not suffice.
   * @throws LedgerUnavailable (as a rejection) when there is no picture fresh enough to answer from
   */
  isRevoked(token: TokenOrigin): boolean | Promise<boolean>;
}

/** One reading of the ledger. */
interface Reading {
  /** Which of two began later; instants do not tell, for a clock may be set back. */
  readonly turn: number;
  readonly at: EpochSeconds;
}

/** What an isolate knows: the living revocations, or that there are too many to keep. */
type Knowledge = Picture | { readonly kind: 'too-many'; readonly reading: Reading };

interface Picture {
  readonly kind: 'picture';
  readonly deadSince: DeadSince;
  readonly cursor: number;
  readonly startedAt: EpochSeconds;
  readonly reading: Reading;
}

/** By id: tokens of the target issued at or before the instant are dead. */
type DeadSince = Readonly<Record<RevocationTarget['kind'], ReadonlyMap<string, EpochSeconds>>>;

export const createRevocationWatch = (ledger: RevocationSource, now: Clock): RevocationWatch => {
  let known: Knowledge | undefined;
  let turn = 0;

  const learn = async (at: EpochSeconds): Promise<Knowledge> => {
    turn += 1;
    try {
      // Concurrent calls may each read: on Workers one request must not wait for another's promise.
      const found = await read(ledger, known, { turn, at });
      // Of two readings side by side the one that began later knows more.
      if (known === undefined || known.reading.turn < found.reading.turn) known = found;
      return known;
    } catch (error) {
      const outage = error instanceof LedgerUnavailable;
      if (outage && known?.kind === 'picture' && ageOf(known, at) <= outageTolerance) return known;
      throw error;
    }
  };

  const judge = (knowledge: Knowledge, token: TokenOrigin, at: EpochSeconds): boolean | Promise<boolean> =>
    knowledge.kind === 'picture' ? isDead(token, knowledge.deadSince) : ledger.isRevoked(token, at);

  return {
    isRevoked(token) {
      const at = now();
      if (known !== undefined && isFresh(known, at)) return judge(known, token, at);
      return learn(at).then((knowledge) => judge(knowledge, token, at));
    },
  };
};

const isFresh = (known: Knowledge, at: EpochSeconds): boolean =>
  ageOf(known, at) < (known.kind === 'picture' ? revocationHorizon : renewal);

const ageOf = ({ reading }: Knowledge, at: EpochSeconds): Seconds => distance(reading.at, at);

/** Without sign: requests side by side see slightly different times, and a clock that was set back makes nothing young. */
const distance = (one: EpochSeconds, other: EpochSeconds): Seconds => Math.abs(one - other);

const read = async (
  ledger: RevocationSource,
  known: Knowledge | undefined,
  reading: Reading,
): Promise<Knowledge> => {
  const { at } = reading;
  const base = known?.kind === 'picture' && distance(known.startedAt, at) < renewal ? known : undefined;
  const page = await ledger.revocationsSince(base?.cursor, at, mostKept);
  if (page.kind === 'too-many') return { kind: 'too-many', reading };
  const deadSince = add(page.revocations, base?.deadSince);
  if (deadSince.grant.size + deadSince.user.size + deadSince.client.size > mostKept)
    return { kind: 'too-many', reading };
  return { kind: 'picture', deadSince, cursor: page.cursor, startedAt: base?.startedAt ?? at, reading };
};

const add = (news: readonly Revocation[], before: DeadSince | undefined): DeadSince => {
  const deadSince = {
    grant: new Map(before?.grant),
    user: new Map(before?.user),
    client: new Map(before?.client),
  };
  for (const { kind, id, revokedAt } of news) {
    deadSince[kind].set(id, Math.max(revokedAt, deadSince[kind].get(id) ?? 0));
  }
  return deadSince;
};

const isDead = (
  { grantId, userId, clientId, issuedAt }: TokenOrigin,
  { grant, user, client }: DeadSince,
): boolean =>
  issuedAt <= (grant.get(grantId) ?? -1) ||
  issuedAt <= (user.get(userId) ?? -1) ||
  issuedAt <= (client.get(clientId) ?? -1);
