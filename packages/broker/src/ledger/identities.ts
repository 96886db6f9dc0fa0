/** What the storage port calls the parts of an identity: its key, its token, and all that a provider brings of it. */
import type { TokenNames } from '../protocol/identity.ts';
import type { EpochSeconds } from '../protocol/time.ts';

/** The key of an identity. */
export interface IdentityName {
  readonly provider: string;
  /** The provider's own stable key of the person. */
  readonly subject: string;
}

/** A provider's refresh token as it is stored, sealed, and the identity that it belongs to. */
export interface StoredToken extends IdentityName {
  readonly sealedRefreshToken: string;
}

/** The right to recheck an identity now. No other caller gets it until the lease expires. The lease was stored before it was returned. */
export interface RecheckLease extends StoredToken {
  /** Whether an earlier recheck with this token started but its outcome was never stored, so the provider may have replaced the token. */
  readonly isUnresolved: boolean;
  /** When the lease was acquired. */
  readonly startedAt: EpochSeconds;
}

/** A token as it is stored anew. */
export interface NamedToken extends StoredToken {
  /** They go when the token goes. */
  readonly tokenNames?: TokenNames;
}

/** An identity as a provider vouched for it just now. */
export interface VouchedIdentity extends IdentityName {
  readonly label?: string;
  /** The provider's refresh token, sealed; when absent a stored one stays. */
  readonly sealedRefreshToken?: string;
  readonly tokenNames?: TokenNames;
}

/** How refresh tokens of a grant behave: none issued, the same one for ever, or a new one at each use. */
export type RefreshPolicy = 'none' | 'stable' | 'rotating';
