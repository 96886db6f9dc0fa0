/** What the ledger in memory remembers. */
import type { GrantId, UserId } from '../../protocol/identity.ts';
import type { EpochSeconds } from '../../protocol/time.ts';
import type { GrantFacts, IdentityName, Revocation, SignIn, VouchedIdentity } from '../ledger.ts';

export interface Memory {
  /** When each user was made. */
  readonly users: Map<UserId, EpochSeconds>;
  /** By `identityKey`, the oldest first. */
  readonly identities: Map<string, StoredIdentity>;
  /** The oldest first. */
  readonly grants: Map<GrantId, Grant>;
  /** Until when each signal is to be known again, by provider and name. */
  readonly signals: Map<string, EpochSeconds>;
  lines: readonly (Revocation & { readonly seq: number })[];
  lastSeq: number;
}

export interface StoredIdentity extends VouchedIdentity {
  readonly userId: UserId;
  readonly checkAfter: EpochSeconds;
  readonly vouchedUntil: EpochSeconds;
  readonly createdAt: EpochSeconds;
  readonly lastSignInAt: EpochSeconds;
}

/** An identity's key. */
export const identityKey = ({ provider, subject }: IdentityName): string =>
  JSON.stringify([provider, subject]);

export type Grant = SignIn['grant'] & {
  readonly userId: UserId;
  /** Who signed in. */
  readonly identity: IdentityName;
  readonly createdAt: EpochSeconds;
  /** At the provider: before the grant, where it was begun in a session. */
  readonly signedInAt: EpochSeconds;
  readonly revokedAt?: EpochSeconds;
  /** When its code was claimed; nothing if the code was issued when the sign-in was recorded. */
  readonly codeClaimedAt?: EpochSeconds;
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

export type Use = NonNullable<Grant['use']>;

/** Stores a grant's use, and says what tokens are issued from. */
export const store = ({ grants }: Memory, grant: Grant, use: Use): GrantFacts => {
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

/** Stores an identity as it was vouched for: what the provider did not bring this time stays. */
export const vouch = (
  { identities }: Memory,
  vouched: VouchedIdentity,
  userId: UserId,
  now: EpochSeconds,
): StoredIdentity => {
  const key = identityKey(vouched);
  const known = identities.get(key);
  const stored = {
    ...{ checkAfter: 0, vouchedUntil: 0, createdAt: now },
    ...(known !== undefined && keptOf(known, vouched)),
    ...vouched,
    ...{ userId, lastSignInAt: now },
  };
  identities.set(key, stored);
  return stored;
};

/** What stays of an identity: the names of a token that is replaced do not. */
export const keptOf = (
  known: StoredIdentity,
  { sealedRefreshToken }: { readonly sealedRefreshToken?: string },
): StoredIdentity => {
  const { tokenNames, ...rest } = known;
  return sealedRefreshToken === undefined || tokenNames === undefined ? known : rest;
};

/** Forgets an identity's token, for it is dead at the provider. */
export const forgetToken = ({ identities }: Memory, identity: StoredIdentity): void => {
  const { sealedRefreshToken: _, tokenNames: __, ...rest } = identity;
  identities.set(identityKey(identity), { ...rest, vouchedUntil: 0 });
};
