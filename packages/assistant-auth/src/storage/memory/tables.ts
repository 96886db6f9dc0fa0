/** What the ledger in memory remembers. */
import { accountClientId, type EpochSeconds, type GrantId, type UserId } from '../../oauth/identifiers.ts';
import {
  grantRetention,
  type IdentityKey,
  type Revocation,
  type SignIn,
  type VerifiedIdentity,
} from '../broker-storage.ts';

export interface MemoryTables {
  /** When each user was made. */
  readonly users: Map<UserId, EpochSeconds>;
  /** By `deriveOpaqueId`, the oldest first. */
  readonly identities: Map<string, StoredIdentity>;
  /** The oldest first. */
  readonly grants: Map<GrantId, Grant>;
  /** Until when each signal is to be known again, by provider and name. */
  readonly securityEvents: Map<string, EpochSeconds>;
  revocations: readonly (Revocation & { readonly seq: number })[];
  lastSeq: number;
}

export interface StoredIdentity extends VerifiedIdentity {
  readonly userId: UserId;
  readonly recheckAfter: EpochSeconds;
  readonly verifiedUntil: EpochSeconds;
  /** The number of rechecks that started with the stored token and whose outcome was not stored. */
  readonly unresolvedRechecks: number;
  /** The time from which grants of the identity can't be refreshed. Absent: no limit. */
  readonly refreshableUntil?: EpochSeconds;
  readonly createdAt: EpochSeconds;
  readonly lastSignInAt: EpochSeconds;
}

/** An identity's key. */
export const identityKey = ({ provider, subject }: IdentityKey): string =>
  JSON.stringify([provider, subject]);

export type Grant = SignIn['grant'] & {
  readonly userId: UserId;
  /** Who signed in. */
  readonly identity: IdentityKey;
  readonly createdAt: EpochSeconds;
  /** At the provider: before the grant, where it was begun in a session. */
  readonly signedInAt: EpochSeconds;
  readonly isFromSession: boolean;
  readonly revokedAt?: EpochSeconds;
  /** When its code was claimed; nothing if the code was issued when the sign-in was recorded. */
  readonly codeClaimedAt?: EpochSeconds;
  /** Nothing until the code is redeemed. */
  readonly use?: {
    readonly redeemedAt: EpochSeconds;
    readonly lastUsedAt: EpochSeconds;
    readonly accessExpiresAt: EpochSeconds;
    readonly generation: number;
    /** The newest branch. It has no effect after the next rotation. */
    readonly branch?: { readonly generation: number; readonly startedFrom: number };
    readonly rotatedAt: EpochSeconds;
    readonly refreshIdleExpiresAt: EpochSeconds;
    readonly refreshAbsoluteExpiresAt: EpochSeconds;
  };
};

export type Use = NonNullable<Grant['use']>;

/** Returns the time until which a grant is stored. */
export const computeRetainUntil = ({ createdAt, refreshPolicy, revokedAt, use }: Grant): EpochSeconds => {
  const refreshable = revokedAt === undefined && refreshPolicy !== 'none';
  return Math.max(
    createdAt + grantRetention,
    use?.accessExpiresAt ?? 0,
    refreshable ? (use?.refreshIdleExpiresAt ?? 0) : 0,
  );
};

/** Whether a grant counts as active (`SignInLimits`). */
export const isActiveGrant = (grant: Grant, now: EpochSeconds): boolean =>
  grant.revokedAt === undefined && grant.clientId !== accountClientId && computeRetainUntil(grant) > now;

/** Compares text by code unit, as a database does, whatever the language of the system. */
export const compareText = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/**
 * Stores an identity that a provider confirmed. Values that the provider did not send this time are kept.
 * @param limit the limit on refreshes from now on; empty after a sign-in at the provider
 */
export const storeVerifiedIdentity = (
  { identities }: MemoryTables,
  verified: VerifiedIdentity,
  userId: UserId,
  now: EpochSeconds,
  limit: Pick<StoredIdentity, 'refreshableUntil'> = {},
): StoredIdentity => {
  const key = identityKey(verified);
  const existing = identities.get(key);
  const { refreshableUntil: _, ...retained } =
    existing === undefined
      ? { recheckAfter: 0, verifiedUntil: 0, unresolvedRechecks: 0, createdAt: now }
      : { ...clearReplacedToken(existing, verified) };
  const stored = {
    ...retained,
    ...limit,
    ...verified,
    ...{ userId, lastSignInAt: now },
  };
  identities.set(key, stored);
  return stored;
};

/** Returns what is kept of an identity: facts about its token are dropped if a new token replaces it. */
export const clearReplacedToken = (
  existing: StoredIdentity,
  { sealedRefreshToken }: { readonly sealedRefreshToken?: string },
): StoredIdentity => {
  if (sealedRefreshToken === undefined) return existing;
  const { tokenIdentifiers: _, ...rest } = existing;
  return { ...rest, unresolvedRechecks: 0 };
};

/** Forgets an identity's token, for it is dead at the provider. */
export const clearUpstreamToken = ({ identities }: MemoryTables, identity: StoredIdentity): void => {
  const { sealedRefreshToken: _, tokenIdentifiers: __, ...rest } = identity;
  identities.set(identityKey(identity), { ...rest, verifiedUntil: 0, unresolvedRechecks: 0 });
};
