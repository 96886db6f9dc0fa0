/** The ledger in memory: for tests, and for servers of one process that may forget everybody at a restart. */
import type { GrantId, UserId } from '../protocol/identity.ts';
import type { EpochSeconds } from '../protocol/time.ts';
import {
  type GrantFacts,
  grantRetention,
  type Ledger,
  type Redemption,
  type RedemptionOutcome,
  type RefreshOutcome,
  type RefreshQuestion,
  type RefreshUse,
  type Revocation,
  type RevocationPage,
  type RevocationTarget,
  type SignIn,
  type SignInOutcome,
  type TokenOrigin,
} from './ledger.ts';

/** Keeps everything in this process. No method awaits anything, so each one is atomic. */
export const memoryLedger = (): Ledger => {
  const memory: Memory = { users: new Map(), grants: new Map(), lines: [], lastSeq: 0 };
  return {
    recordSignIn: async (signIn) => recordSignIn(memory, signIn),
    redeemCode: async (redemption) => redeemCode(memory, redemption),
    refresh: async (use) => refresh(memory, use),
    isRefreshable: async (question) => isRefreshable(memory, question),
    revoke: async (target, _reason, now) => revoke(memory, target, now),
    revocationsSince: async (cursor, now, limit) => revocationsSince(memory, cursor, now, limit),
    isRevoked: async (token, now) => isRevoked(memory, token, now),
    sweep: async (now) => sweep(memory, now),
  };
};

interface Memory {
  /** By provider and subject. */
  readonly users: Map<string, UserId>;
  readonly grants: Map<GrantId, Grant>;
  lines: readonly (Revocation & { readonly seq: number })[];
  lastSeq: number;
}

type Grant = SignIn['grant'] & {
  readonly userId: UserId;
  readonly createdAt: EpochSeconds;
  readonly revoked: boolean;
  /** Nothing until the code is redeemed. */
  readonly use?: {
    readonly redeemedAt: EpochSeconds;
    readonly lastUsedAt: EpochSeconds;
    readonly accessDiesAt: EpochSeconds;
    readonly generation: number;
    readonly rotatedAt: EpochSeconds;
    readonly refreshIdleExpiresAt: EpochSeconds;
    readonly refreshAbsoluteExpiresAt: EpochSeconds;
  };
};

type Use = NonNullable<Grant['use']>;

const recordSignIn = ({ users, grants }: Memory, { now, identity, user, grant }: SignIn): SignInOutcome => {
  if (grants.has(grant.id)) return { kind: 'replayed' };
  const key = JSON.stringify([identity.provider, identity.subject]);
  const userId = user.kind === 'theirs' ? user.id : (users.get(key) ?? user.newId);
  users.set(key, userId);
  grants.set(grant.id, { ...grant, userId, createdAt: now, revoked: false });
  return { kind: 'recorded', userId };
};

const redeemCode = (memory: Memory, redemption: Redemption): RedemptionOutcome => {
  const { grantId, clientId, now, refreshAbsoluteExpiresAt } = redemption;
  const grant = memory.grants.get(grantId);
  if (grant === undefined || grant.clientId !== clientId || grant.revoked) return spent;
  if (grant.use !== undefined) {
    if (grant.use.redeemedAt >= now - redemption.replayGrace) return spent;
    revoke(memory, { kind: 'grant', id: grantId }, now);
    return { kind: 'refused', reason: 'replayed' };
  }
  if (now >= redemption.codeExpiresAt) return spent;
  const use: Use = {
    redeemedAt: now,
    lastUsedAt: now,
    accessDiesAt: redemption.accessExpiresAt,
    generation: 0,
    rotatedAt: now,
    refreshIdleExpiresAt: Math.min(redemption.refreshIdleExpiresAt, refreshAbsoluteExpiresAt),
    refreshAbsoluteExpiresAt,
  };
  return { kind: 'redeemed', grant: store(memory, grant, use) };
};

const refresh = (memory: Memory, used: RefreshUse): RefreshOutcome => {
  const { grantId, now, accessExpiresAt } = used;
  const grant = findLiving(memory, used);
  if (grant === undefined) return ended;
  const { use } = grant;
  const carriedOn: Use = {
    ...use,
    lastUsedAt: Math.max(use.lastUsedAt, now),
    accessDiesAt: Math.max(use.accessDiesAt, accessExpiresAt),
    refreshIdleExpiresAt: Math.min(used.refreshIdleExpiresAt, use.refreshAbsoluteExpiresAt),
  };
  switch (standing(grant, use, used)) {
    case 'current':
      return { kind: 'continued', grant: store(memory, grant, carriedOn) };
    case 'next': {
      const rotated = { ...carriedOn, generation: use.generation + 1, rotatedAt: now };
      return { kind: 'continued', grant: store(memory, grant, rotated) };
    }
    case 'reused':
      revoke(memory, { kind: 'grant', id: grantId }, now);
      return { kind: 'refused', reason: 'reused' };
    case 'none':
      return ended;
  }
};

const isRefreshable = (memory: Memory, question: RefreshQuestion): boolean => {
  const grant = findLiving(memory, question);
  if (grant === undefined) return false;
  const found = standing(grant, grant.use, question);
  return found === 'current' || found === 'next';
};

/** The grant, if any refresh token of it could be answered. */
const findLiving = ({ grants }: Memory, { grantId, clientId, now }: RefreshQuestion) => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== clientId || grant.revoked) return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};

/** What a presented generation gets: the current one (again), the next one, or a refusal. */
const standing = (
  { refreshPolicy }: Grant,
  { generation, rotatedAt }: Use,
  presented: RefreshQuestion,
): 'current' | 'next' | 'reused' | 'none' => {
  const behind = generation - presented.generation;
  switch (refreshPolicy) {
    case 'none':
      return 'none';
    case 'stable':
      return behind === 0 ? 'current' : 'none';
    case 'rotating':
      if (behind < 0) return 'none';
      if (behind === 0) return 'next';
      return behind === 1 && rotatedAt >= presented.now - presented.grace ? 'current' : 'reused';
  }
};

const revoke = (memory: Memory, target: RevocationTarget, now: EpochSeconds): void => {
  const targeted = [...memory.grants.values()].filter((grant) => isOf(grant, target));
  const living = targeted.filter(({ revoked }) => !revoked);
  for (const grant of living) memory.grants.set(grant.id, { ...grant, revoked: true });
  if (!living.some(({ use }) => use !== undefined && use.accessDiesAt > now)) return;
  const uses = targeted.flatMap(({ use }) => use ?? []);
  memory.lastSeq += 1;
  const line = {
    ...target,
    seq: memory.lastSeq,
    // Not before the newest token was issued, should the clock have been set back meanwhile.
    revokedAt: uses.reduce((latest, { lastUsedAt }) => Math.max(latest, lastUsedAt), now),
    deadAfter: uses.reduce((latest, { accessDiesAt }) => Math.max(latest, accessDiesAt), now),
  };
  memory.lines = [...memory.lines, line];
};

const revocationsSince = (
  { lines }: Memory,
  cursor: number | undefined,
  now: EpochSeconds,
  limit: number,
): RevocationPage => {
  const news = lines.filter(({ seq, deadAfter }) => seq > (cursor ?? 0) && deadAfter > now);
  if (news.length > limit) return { kind: 'too-many' };
  return {
    kind: 'page',
    revocations: news.map(({ seq: _, ...revocation }) => revocation),
    cursor: Math.max(cursor ?? 0, lines.at(-1)?.seq ?? 0),
  };
};

const isRevoked = ({ lines }: Memory, token: TokenOrigin, now: EpochSeconds): boolean =>
  lines.some(
    (line) =>
      line.revokedAt >= token.issuedAt && line.deadAfter > now && isOf({ ...token, id: token.grantId }, line),
  );

const sweep = (memory: Memory, now: EpochSeconds): void => {
  for (const grant of memory.grants.values()) if (neededUntil(grant) <= now) memory.grants.delete(grant.id);
  memory.lines = memory.lines.filter(({ deadAfter }) => deadAfter > now);
};

const neededUntil = ({ createdAt, refreshPolicy, revoked, use }: Grant): EpochSeconds => {
  const refreshable = !revoked && refreshPolicy !== 'none';
  return Math.max(
    createdAt + grantRetention,
    use?.accessDiesAt ?? 0,
    refreshable ? (use?.refreshIdleExpiresAt ?? 0) : 0,
  );
};

const isOf = (
  { id, userId, clientId }: { readonly id: GrantId; readonly userId: UserId; readonly clientId: string },
  target: RevocationTarget,
): boolean => {
  switch (target.kind) {
    case 'grant':
      return target.id === id;
    case 'user':
      return target.id === userId;
    case 'client':
      return target.id === clientId;
  }
};

/** Stores a grant's use, and says what tokens are issued from. */
const store = ({ grants }: Memory, grant: Grant, use: Use): GrantFacts => {
  grants.set(grant.id, { ...grant, use });
  const { userId, scopes, resource, claims, refreshPolicy } = grant;
  const { generation, refreshIdleExpiresAt, refreshAbsoluteExpiresAt } = use;
  return {
    userId,
    scopes,
    resource,
    claims,
    refreshPolicy,
    generation,
    refreshIdleExpiresAt,
    refreshAbsoluteExpiresAt,
  };
};

const spent: RedemptionOutcome = { kind: 'refused', reason: 'spent' };
const ended: RefreshOutcome = { kind: 'refused', reason: 'ended' };
