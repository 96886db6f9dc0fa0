/** What the ledger in memory remembers. */
import type { GrantId, UserId } from '../../protocol/identity.ts';
import type { EpochSeconds } from '../../protocol/time.ts';
import type { GrantFacts, Revocation, SignIn } from '../ledger.ts';

export interface Memory {
  /** By `identityKey`. */
  readonly identities: Map<string, StoredIdentity>;
  readonly grants: Map<GrantId, Grant>;
  lines: readonly (Revocation & { readonly seq: number })[];
  lastSeq: number;
}

export interface StoredIdentity {
  readonly userId: UserId;
  readonly sealedRefreshToken?: string;
  readonly checkAfter: EpochSeconds;
}

/** An identity's key. */
export const identityKey = ({ provider, subject }: IdentityName): string =>
  JSON.stringify([provider, subject]);

export type IdentityName = Pick<SignIn['identity'], 'provider' | 'subject'>;

export type Grant = SignIn['grant'] & {
  readonly userId: UserId;
  /** Who signed in. */
  readonly identity: IdentityName;
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
