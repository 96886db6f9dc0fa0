/** The tables of the storage in memory, and functions that several of its methods use. */
import { accountClientId, type EpochSeconds, type GrantId, type UserId } from '../../oauth/identifiers.ts';
import {
  grantRetention,
  type IdentityKey,
  type Revocation,
  type SignIn,
  type StoredClient,
  type VerifiedIdentity,
} from '../broker-storage.ts';

export interface MemoryTables {
  /** The time at which each user was created. */
  readonly users: Map<UserId, EpochSeconds>;
  /** Keyed by `identityKey`. */
  readonly identities: Map<string, StoredIdentity>;
  readonly grants: Map<GrantId, Grant>;
  /** By provider ID: the namespace of its subjects. */
  readonly subjectNamespaces: Map<string, string>;
  /** By provider and `jti`: the time until which a repeated security event must be recognized. */
  readonly securityEvents: Map<string, EpochSeconds>;
  /** Keyed by the client ID. */
  readonly clients: Map<string, StoredClient>;
  /** By client ID and `jti`: the time until which a repeated client assertion must be recognized. */
  readonly clientAssertions: Map<string, EpochSeconds>;
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
  readonly isNewlyLinked: boolean;
}

/** Returns the key of an identity in `MemoryTables`. */
export const identityKey = ({ provider, subject }: IdentityKey): string =>
  JSON.stringify([provider, subject]);

export type Grant = SignIn['grant'] & {
  readonly userId: UserId;
  /** The identity that signed in. */
  readonly identity: IdentityKey;
  readonly createdAt: EpochSeconds;
  /**
   * When the user signed in at the provider: `createdAt`, or that of the session in which the grant was
   * created.
   */
  readonly signedInAt: EpochSeconds;
  readonly isFromSession: boolean;
  readonly revokedAt?: EpochSeconds;
  /** When its code was claimed. Absent if the code was issued when the sign-in was recorded. */
  readonly codeClaimedAt?: EpochSeconds;
  /** Absent until the code is redeemed. */
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

/**
 * Returns whether the stored namespace of a provider is another one. If none is stored yet, stores this one.
 */
export const checkNamespace = (
  { subjectNamespaces }: MemoryTables,
  provider: string,
  subjectNamespace: string,
): 'same' | 'changed' => {
  const stored = subjectNamespaces.get(provider);
  if (stored === undefined) subjectNamespaces.set(provider, subjectNamespace);
  return (stored ?? subjectNamespace) === subjectNamespace ? 'same' : 'changed';
};

/** Returns the stored namespace of a provider, as a member to spread. */
export const readNamespace = (
  { subjectNamespaces }: MemoryTables,
  provider: string,
): { readonly subjectNamespace?: string } => {
  const subjectNamespace = subjectNamespaces.get(provider);
  return subjectNamespace === undefined ? {} : { subjectNamespace };
};

/** Returns the time until which a grant must be stored. */
export const computeRetainUntil = ({ createdAt, refreshPolicy, revokedAt, use }: Grant): EpochSeconds => {
  const refreshable = revokedAt === undefined && refreshPolicy !== 'none';
  return Math.max(
    createdAt + grantRetention,
    use?.accessExpiresAt ?? 0,
    refreshable ? (use?.refreshIdleExpiresAt ?? 0) : 0,
  );
};

/** Returns whether a grant counts as active (`UserLimits`). */
export const isActiveGrant = (grant: Grant, now: EpochSeconds): boolean =>
  grant.revokedAt === undefined && grant.clientId !== accountClientId && computeRetainUntil(grant) > now;

/** Compares text by UTF-16 code unit, independent of the locale. For ASCII, SQLite compares the same way. */
export const compareText = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/**
 * Stores an identity that a provider verified. Values that the provider did not send this time are kept.
 * @param limit the limit on refreshes from now on. Default: none, as after a sign-in at the provider
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
      ? { recheckAfter: 0, verifiedUntil: 0, unresolvedRechecks: 0, createdAt: now, isNewlyLinked: false }
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

/** Returns what is kept of an identity: data about its token is dropped if a new token replaces it. */
export const clearReplacedToken = (
  existing: StoredIdentity,
  { sealedRefreshToken }: { readonly sealedRefreshToken?: string },
): StoredIdentity => {
  if (sealedRefreshToken === undefined) return existing;
  const { tokenIdentifiers: _, ...rest } = existing;
  return { ...rest, unresolvedRechecks: 0 };
};

/** Deletes an identity's upstream token, which can no longer be used. */
export const clearUpstreamToken = ({ identities }: MemoryTables, identity: StoredIdentity): void => {
  const { sealedRefreshToken: _, tokenIdentifiers: __, ...rest } = identity;
  identities.set(identityKey(identity), { ...rest, verifiedUntil: 0, unresolvedRechecks: 0 });
};
