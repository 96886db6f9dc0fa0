/** The maintenance part of the storage port: deletes what has expired, and replaces stored upstream tokens that were resealed. */

import type { EpochSeconds, Seconds } from '../oauth/time.ts';
import type { IdentityKey, StoredUpstreamToken } from './account-storage.ts';

export interface Cleanup {
  readonly now: EpochSeconds;
  /** What the audit says of the time before it goes. */
  readonly deleteAuditBefore: EpochSeconds;
  /** The ID of the first key in the ring, which seals. A ledger with an audit records since when. */
  readonly sealingKey: string;
  /**
   * The IDs of all keys in the ring, including `sealingKey`. All of them open. A ledger with an audit records when a sweep first found
   * each key in the ring, and deletes the record if a later sweep does not find the key.
   */
  readonly ringKeys: readonly string[];
}

/** Which of the stored tokens are asked for, in an order of the ledger's own that stays. */
export interface UpstreamTokenQuery {
  /** How their sealed texts may begin. */
  readonly prefixes: readonly string[];
  /** The last one that was found before; left out: from the first on. */
  readonly after?: IdentityKey;
  readonly limit: number;
}

/** The same token, sealed anew. */
export interface ResealedToken extends IdentityKey {
  /** What it was made from: it counts only while that is stored. */
  readonly previous: string;
  readonly sealedRefreshToken: string;
}

export interface UpstreamTokenReplacement {
  readonly tokens: readonly ResealedToken[];
  readonly now: EpochSeconds;
  /** How long a provider may be waited for. Whoever waits knows a token by its text, and would store in vain what takes its place. */
  readonly recheckLeaseDuration: Seconds;
}

export interface MaintenanceStorage {
  /**
   * Deletes what nothing can need: grants past `grantRetention` that were never redeemed or whose tokens all died, spent
   * revocations, and the audit of long ago. Users and identities stay.
   */
  cleanUp(cleanup: Cleanup): Promise<void>;
  /** Finds stored tokens by how their sealed texts begin. */
  findUpstreamTokens(query: UpstreamTokenQuery): Promise<readonly StoredUpstreamToken[]>;
  /**
   * Puts each in place of what it was made from. What is stored stays where that is something else by now, and where a provider may
   * be being asked with it: where the next check is due within twice the lease, for it may have been taken a while after `now`.
   */
  replaceUpstreamTokens(replacement: UpstreamTokenReplacement): Promise<void>;
}
