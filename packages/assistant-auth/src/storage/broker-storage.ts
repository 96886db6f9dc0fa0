/**
 * The storage interface. This file has its rechecks and revocations; `grant-storage.ts` has sign-ins, codes,
 * refresh tokens and clients, and `account-storage.ts` the rest, with the methods that only the account page
 * calls.
 *
 * Every method is one round trip and atomic: concurrent callers never see a partial change. Implementations
 * pass the storage contract in `testing/`. A method that cannot reach its storage throws
 * `StorageUnavailable`; it has then changed either nothing or everything.
 */
import type { EpochSeconds, GrantId, Seconds, TokenIdentifiers, UserId } from '../oauth/identifiers.ts';
import type {
  AccountStorage,
  MaintenanceStorage,
  NewUpstreamToken,
  SecurityEventStorage,
  StoredUpstreamToken,
} from './account-storage.ts';
import type { GrantStorage } from './grant-storage.ts';

export type * from './account-storage.ts';
export type * from './grant-storage.ts';

/**
 * The minimum time that a grant is stored. No login transaction is valid for longer, so a repeated callback
 * finds its grant.
 */
export const grantRetention: Seconds = 3600;

/**
 * How long expired rows and tokens still count as unexpired if a revocation depends on them: a cleanup keeps
 * expired rows, and an access token that has expired still needs an entry in the revocation list. The clock
 * of the server that decides may be ahead, so the token may still be valid on a server with the correct time.
 * In practice, the clocks of servers differ by less than five minutes, even after weeks without
 * synchronization.
 */
export const cleanupMargin: Seconds = 300;

/** The longest lifetime that an access token can have: a day. */
export const maxAccessLifetime: Seconds = 86_400;

/** A recheck in which the provider confirmed the identity. */
export interface RecordedRecheck {
  /**
   * The token that was used. The result is stored only if it is still the stored token, because a newer
   * sign-in takes precedence.
   */
  readonly usedToken: StoredUpstreamToken;
  /** When the next recheck is due. Until then, the identity counts as verified. */
  readonly recheckAfter: EpochSeconds;
  /** The token that replaces the one that was used, sealed. Absent if the used one stays stored. */
  readonly sealedRefreshToken?: string;
  /** The identifiers of the new token, if events of the provider use them. */
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** The deletion of an upstream token that can no longer be used. It revokes no grant. */
export interface UpstreamTokenDrop {
  /**
   * The token. It is deleted only if it is still the stored one, because a newer sign-in takes precedence.
   */
  readonly usedToken: StoredUpstreamToken;
  /**
   * When the recheck started. If the user has signed in at the provider since then, `refreshableUntil` is
   * not set.
   */
  readonly startedAt: EpochSeconds;
  /** The current time. */
  readonly now: EpochSeconds;
  /** The time from which grants of the identity cannot be refreshed. */
  readonly refreshableUntil: EpochSeconds;
  /** The reason for the audit log. */
  readonly reason: string;
}

/**
 * The result of revoking the grants of an identity. `revoked`: its active grants were revoked.
 * `superseded`: the token that was used is no longer the stored one, and nothing was changed.
 */
export type IdentityRevocationOutcome = 'revoked' | 'superseded';

/** What is revoked: one grant, or all grants of a user or a client. */
export type RevocationTarget =
  /** One grant. */
  | {
      readonly kind: 'grant';
      /** The ID of the grant. */
      readonly id: GrantId;
    }
  /** All grants and sessions of a user. */
  | {
      readonly kind: 'user';
      /** The ID of the user. */
      readonly id: UserId;
    }
  /** All grants of a client. */
  | {
      readonly kind: 'client';
      /** The ID of the client. */
      readonly id: string;
    };

/**
 * Who revokes, for the audit log: `user` at the account page, `client` at the revocation endpoint,
 * `operator`, or `broker`, because `refreshUser` refused a refresh.
 */
export type RevocationActor = 'user' | 'client' | 'operator' | 'broker';

/**
 * One entry of the revocation list: tokens of the target that were issued at or before `revokedAt` are
 * revoked. In an entry for all clients, `kind` is `client` and `id` is empty.
 */
export type Revocation = RevocationTarget & {
  /** Not before the newest token of the revoked grants was issued, even if the clocks of servers differ. */
  readonly revokedAt: EpochSeconds;
  /** From this time on, all of these tokens have expired, and the entry can be deleted. */
  readonly expiresAt: EpochSeconds;
};

/** The result of reading the revocation list from a cursor on. */
export type RevocationPage =
  /** All unexpired entries after the cursor. */
  | {
      readonly kind: 'page';
      /** The entries, in any order. */
      readonly revocations: readonly Revocation[];
      /**
       * The number of the newest stored entry, 0 if there is none: the cursor of the next call. It can be
       * lower than the requested cursor after a cleanup, or after a backup was restored. The page then
       * contains all unexpired entries.
       */
      readonly cursor: number;
    }
  /** There are more than `limit` of these entries: call `isRevoked` for each token instead. */
  | { readonly kind: 'too-many' };

/** The parts of an access token that determine whether it was revoked. */
export interface RevocableToken {
  /** The grant that the token was issued from. */
  readonly grantId: GrantId;
  /** The user of the grant. */
  readonly userId: UserId;
  /** The client of the grant. */
  readonly clientId: string;
  /** When the token was issued. */
  readonly issuedAt: EpochSeconds;
}

/** How many requests were refused for one reason on one day. Contains nothing about who sent them. */
export interface RefusalCount {
  /** The day in UTC, `YYYY-MM-DD`. */
  readonly day: string;
  /** The reason, as in the log event `refused`. At most 100 characters. */
  readonly reason: string;
  /** The number of requests, at least 1. */
  readonly count: number;
}

/**
 * Stores users, identities, grants, clients and revocations for one broker. Every method is one round trip
 * and atomic: concurrent callers never see a partial change. A method that cannot reach its storage throws
 * {@link StorageUnavailable}; it has then changed either nothing or everything. Secrets arrive sealed, so
 * storage never sees one in plaintext.
 *
 * The package has implementations for D1 (`assistant-auth/d1`), SQLite files (`assistant-auth/sqlite`) and
 * memory (`assistant-auth/memory`). An implementation of your own that is used with the account page must also
 * implement {@link AccountStorage}. It must pass `storageContract` of `assistant-auth/testing`, which tests
 * both.
 */
export interface BrokerStorage extends GrantStorage, SecurityEventStorage, MaintenanceStorage {
  /**
   * Stores a token that arrived after the sign-in was recorded. Changes nothing if the identity does not
   * exist.
   */
  storeUpstreamToken(token: NewUpstreamToken): Promise<void>;
  /**
   * Records that a provider confirmed an identity. Changes nothing if the token that was used is no longer
   * the stored one.
   * @param recorded the token that was used and when the next recheck is due
   */
  recordRecheck(recorded: RecordedRecheck): Promise<void>;
  /**
   * Revokes all grants of an identity and deletes its upstream token, if the token that was used is still the
   * stored one.
   * @param usedToken the token that the provider rejected
   * @param reason the reason, for the operator
   * @param now the current time
   */
  revokeGrantsOfIdentity(
    usedToken: StoredUpstreamToken,
    reason: string,
    now: EpochSeconds,
  ): Promise<IdentityRevocationOutcome>;
  /**
   * Records that a recheck ended without a result and that the provider did not replace the token, so that
   * the recheck no longer counts as unresolved. Changes nothing if the token is no longer the stored one.
   */
  resolveRecheck(usedToken: StoredUpstreamToken): Promise<void>;
  /**
   * Deletes the upstream token of an identity if it is still the stored one, without revoking any grant. From
   * `refreshableUntil` on, grants of the identity cannot be refreshed, unless the user has signed in at the
   * provider since `startedAt` or does so later.
   */
  dropUpstreamToken(drop: UpstreamTokenDrop): Promise<'dropped' | 'superseded'>;
  /**
   * Revokes a grant, or all grants of a user or a client, redeemed or not, and appends one entry if one of
   * them has an access token that has not expired, or that expired less than `cleanupMargin` ago. Grants that
   * are already revoked are not changed. (Every other method that revokes grants appends an entry for each
   * grant with such an access token, or one entry for the user if it revokes several such grants and no other
   * active grant of the user is left.)
   * @param target the grant, user or client
   * @param reason the reason, for the operator
   * @param now the current time
   * @param actor who revokes. Default: `operator`
   */
  revoke(target: RevocationTarget, reason: string, now: EpochSeconds, actor?: RevocationActor): Promise<void>;
  /**
   * Reads the unexpired revocations that were appended after `cursor`, or all unexpired ones if it is
   * `undefined`.
   * @param cursor the `cursor` of the previous page
   * @param now the current time
   * @param limit the maximum number of entries in the page. If there are more, the result is `too-many`
   */
  readRevocations(cursor: number | undefined, now: EpochSeconds, limit: number): Promise<RevocationPage>;
  /**
   * Returns whether one token was revoked: whether an unexpired entry for its grant, user or client, or for all
   * clients, has a `revokedAt` that is not before `issuedAt`.
   * @param token the parts of the access token
   * @param now the current time
   */
  isRevoked(token: RevocableToken, now: EpochSeconds): Promise<boolean>;
  /**
   * Adds each count to the stored count of its day and reason, for the operator. Storage without an audit log
   * can ignore them.
   * @param refusals the counts since the previous call of this process
   */
  recordRefusals(refusals: readonly RefusalCount[]): Promise<void>;
}

/** Storage with the methods that every broker needs, and those of the account page. */
export type CompleteStorage = BrokerStorage & AccountStorage;

/**
 * Storage is unavailable. Every method of a {@link BrokerStorage} and an
 * {@link AccountStorage} throws it if the storage cannot be reached,
 * with the driver's error as `cause`. If the broker cannot continue without storage, the request fails with
 * status 503. Any other error is a defect: the request fails with status 500.
 */
export class StorageUnavailable extends Error {
  /** The name of the class, so that the error can be recognized across copies of the package. */
  override readonly name = 'StorageUnavailable';
}
