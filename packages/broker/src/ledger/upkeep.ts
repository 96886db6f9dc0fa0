/** The part of the storage port that keeps house: what has expired goes, and stored tokens move on to the newest key. */
import type { EpochSeconds, Seconds } from '../protocol/time.ts';
import type { IdentityName, StoredToken } from './identities.ts';

export interface Sweep {
  readonly now: EpochSeconds;
  /** What the audit says of the time before it goes. */
  readonly auditBefore: EpochSeconds;
  /** The id of the key that seals: a ledger that has an audit keeps since when. */
  readonly sealingKey: string;
}

/** Which of the stored tokens are asked for, in an order of the ledger's own that stays. */
export interface TokenQuestion {
  /** How their sealed texts may begin. */
  readonly beginnings: readonly string[];
  /** The last one that was found before; left out: from the first on. */
  readonly after?: IdentityName;
  readonly limit: number;
}

/** The same token, sealed anew. */
export interface Resealed extends IdentityName {
  /** What it was made from: it counts only while that is stored. */
  readonly was: string;
  readonly sealedRefreshToken: string;
}

export interface Resealing {
  readonly tokens: readonly Resealed[];
  readonly now: EpochSeconds;
  /** How long a provider may be waited for. Whoever waits knows a token by its text, and would store in vain what takes its place. */
  readonly checkLease: Seconds;
}

export interface Upkeep {
  /**
   * Deletes what nothing can need: grants past `grantRetention` that were never redeemed or whose tokens all died, spent
   * revocations, and the audit of long ago. Users and identities stay.
   */
  sweep(sweep: Sweep): Promise<void>;
  /** Finds stored tokens by how their sealed texts begin. */
  findTokens(question: TokenQuestion): Promise<readonly StoredToken[]>;
  /**
   * Puts each in place of what it was made from. What is stored stays where that is something else by now, and where a provider may
   * be being asked with it: where the next check is due within twice the lease, for it may have been taken a while after `now`.
   */
  replaceTokens(resealing: Resealing): Promise<void>;
}
