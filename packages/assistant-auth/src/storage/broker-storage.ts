/**
 * The storage interface: sign-ins, codes, refresh tokens, rechecks, revocations and cleanup.
 *
 * Every method is one round trip and atomic: concurrent callers never see a partial change. Implementations
 * pass the storage contract in `test/storage/`. A method that cannot reach its storage throws
 * `StorageUnavailable`; it has then changed either nothing or everything.
 */
import type {
  EpochSeconds,
  GrantId,
  Seconds,
  TokenIdentifiers,
  UserClaims,
  UserId,
} from '../oauth/identifiers.ts';
import type {
  AccountStorage,
  MaintenanceStorage,
  NewUpstreamToken,
  RecheckLease,
  RefreshPolicy,
  SecurityEventStorage,
  StoredUpstreamToken,
  VerifiedIdentity,
} from './account-storage.ts';

export type * from './account-storage.ts';

/**
 * The minimum time that a grant is stored. No login transaction is valid for longer, so a repeated callback
 * finds its grant.
 */
export const grantRetention: Seconds = 3600;

/** Limits of one user. Refused sign-ins do not count. */
export interface SignInLimits {
  /**
   * The maximum number of sign-ins at a provider that are recorded within any `period`, and of sign-ins that
   * start in a session. The two are counted separately, so that someone with a stolen session cookie can't
   * keep its owner from signing in.
   */
  readonly signIns: number;
  /** At most `grantRetention`. */
  readonly period: Seconds;
  /**
   * The maximum number of active grants of a user, not counting sessions of the account page. A sign-in that
   * adds one more revokes the least recently used grant. A grant is active if it was not revoked and its row
   * is still needed: its access token or refresh token has not expired, or the grant is less than
   * `grantRetention` old.
   */
  readonly activeGrants: number;
}

export interface SignIn {
  readonly now: EpochSeconds;
  readonly limits: SignInLimits;
  /**
   * The session that the sign-in continues, if it was not made at the provider. If the session has ended,
   * nothing is recorded.
   */
  readonly session?: GrantId;
  readonly identity: VerifiedIdentity;
  /**
   * `by-identity`: a known identity keeps its user, an unknown one gets a new user with `newId`.
   * `resolved`: `resolveUser` returned the user ID; the identity belongs to `id` from now on.
   */
  readonly user:
    | { readonly kind: 'by-identity'; readonly newId: UserId }
    | { readonly kind: 'resolved'; readonly id: UserId };
  readonly grant: {
    readonly id: GrantId;
    readonly clientId: string;
    readonly redirectUri: string;
    readonly scopes: readonly string[];
    /** The audience of the grant's access tokens. */
    readonly resource: string;
    readonly refreshPolicy: RefreshPolicy;
    readonly claims: UserClaims;
    /** The ID of the user's session at the provider when the user signed in (`sid`). */
    readonly sid?: string;
  };
}

export type SignInOutcome =
  /**
   * `hasUpstreamToken`: an upstream token is stored for the identity, from this sign-in or an earlier one.
   */
  | { readonly kind: 'recorded'; readonly userId: UserId; readonly hasUpstreamToken: boolean }
  /** A grant with this ID exists: the callback was repeated. Nothing was written. */
  | { readonly kind: 'replayed' }
  /** The session has ended. Nothing was written. */
  | { readonly kind: 'session-ended' }
  /**
   * The user has signed in too often. Nothing was written. After `retryAfter`, the user can sign in again.
   */
  | { readonly kind: 'limited'; readonly retryAfter: Seconds };

export interface CodeRedemption {
  readonly grantId: GrantId;
  readonly clientId: string;
  /** The current time. The access token is issued with the same time, which revocation relies on. */
  readonly now: EpochSeconds;
  readonly codeExpiresAt: EpochSeconds;
  /** A second redemption this soon after the first is refused without revoking the grant. */
  readonly replayGrace: Seconds;
  readonly accessExpiresAt: EpochSeconds;
  /** When the refresh token expires if it is not used. Storage caps it at `refreshAbsoluteExpiresAt`. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  readonly refreshAbsoluteExpiresAt: EpochSeconds;
}

export interface GrantState {
  readonly userId: UserId;
  readonly scopes: readonly string[];
  readonly resource: string;
  readonly claims: UserClaims;
  readonly refreshPolicy: RefreshPolicy;
  /**
   * The generation of the grant's current refresh token. Starts at 0, and never changes if the policy is
   * `stable`.
   */
  readonly generation: number;
  /** When the current refresh token expires if it is not used. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  readonly refreshAbsoluteExpiresAt: EpochSeconds;
}

export type CodeRedemptionOutcome =
  | { readonly kind: 'redeemed'; readonly grant: GrantState }
  /**
   * `invalid`: the code was already redeemed within the grace period, has expired, or belongs to another
   * client, or its grant was revoked or is unknown. `replayed`: it was redeemed earlier, and the grant is now
   * revoked.
   */
  | { readonly kind: 'refused'; readonly reason: 'invalid' | 'replayed' };

/** A refresh token that was presented, and when. */
export interface PresentedRefreshToken {
  readonly grantId: GrantId;
  readonly clientId: string;
  /** The generation in the presented token. */
  readonly generation: number;
  readonly now: EpochSeconds;
  /**
   * How long the previous refresh token is still accepted as a retry; the response then has the current
   * generation.
   */
  readonly grace: Seconds;
  /**
   * What happens if the previous refresh token is presented after the grace period and its successor was not
   * used: it starts a new branch of the family (`recover`), or the grant is revoked (`revoke`).
   */
  readonly lateRefresh: LateRefresh;
}

export type LateRefresh = 'recover' | 'revoke';

/**
 * The use of a refresh token. The access token is issued with the same time as `now`, which revocation relies
 * on.
 */
export interface GrantRefresh extends PresentedRefreshToken {
  readonly accessExpiresAt: EpochSeconds;
  /** The new idle expiry. Storage caps it at the grant's absolute expiry. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  /** How long a recheck lease is valid. After that, another caller can acquire it. */
  readonly recheckLeaseDuration: Seconds;
}

export type RefreshOutcome =
  | {
      readonly kind: 'refreshed';
      readonly grant: GrantState;
      /**
       * The caller must recheck the identity that signed in. No other caller gets the lease until it expires.
       */
      readonly recheck?: RecheckLease;
    }
  /**
   * `inactive`: the grant is unknown, expired, revoked or of another client, its identity can't be refreshed
   * anymore (`refreshableUntil`), or the token is of a generation that does not exist. `reused`: the token
   * was replaced, and the request can't be a retry; the grant is now revoked.
   */
  | { readonly kind: 'refused'; readonly reason: 'inactive' | 'reused' };

/**
 * Whether a grant is stored, and whether it was revoked. `active` does not say whether its tokens have
 * expired.
 */
export type GrantStatus = 'active' | 'revoked' | 'unknown';

/** A claim to issue the code of a grant, for a sign-in that issues it only after a reconsent request. */
export interface CodeClaim {
  readonly grantId: GrantId;
  readonly now: EpochSeconds;
}

/**
 * `claimed`: the caller issues the code, and no other caller can. `active`: it was claimed or redeemed
 * before. `revoked`, `unknown`: there is nothing to issue a code for.
 */
export type CodeClaimOutcome = 'claimed' | GrantStatus;

/** A recheck in which the provider confirmed the identity. */
export interface RecordedRecheck {
  /**
   * The token that was used. The result is stored only if it is still the stored token, because a newer
   * sign-in takes precedence.
   */
  readonly usedToken: StoredUpstreamToken;
  /** When the next recheck is due. Until then, the identity counts as verified. */
  readonly recheckAfter: EpochSeconds;
  /** The token that replaces the one that was used, sealed. */
  readonly sealedRefreshToken?: string;
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
  readonly now: EpochSeconds;
  /** The time from which grants of the identity can't be refreshed. */
  readonly refreshableUntil: EpochSeconds;
  /** The reason for the audit log. */
  readonly reason: string;
}

/** `superseded`: the token that was used is no longer the stored one. Nothing was changed. */
export type IdentityRevocationOutcome = 'revoked' | 'superseded';

export type RevocationTarget =
  | { readonly kind: 'grant'; readonly id: GrantId }
  | { readonly kind: 'user'; readonly id: UserId }
  | { readonly kind: 'client'; readonly id: string };

/** Who revokes. */
export type RevocationActor = 'user' | 'client' | 'operator';

/**
 * One entry of the revocation list: tokens of the target that were issued at or before `revokedAt` are
 * revoked.
 */
export type Revocation = RevocationTarget & {
  /** Not before the newest token of the revoked grants was issued, even if the clocks of servers differ. */
  readonly revokedAt: EpochSeconds;
  /** From this time on, all of these tokens have expired, and the entry can be deleted. */
  readonly expiresAt: EpochSeconds;
};

/**
 * `cursor` is the number of the newest stored entry, 0 if there is none. It can be lower than the requested
 * cursor after a cleanup, or after a backup was restored. The page then contains all unexpired entries.
 */
export type RevocationPage =
  | { readonly kind: 'page'; readonly revocations: readonly Revocation[]; readonly cursor: number }
  /** There are more than `limit` unexpired entries: call `isRevoked` for each token instead. */
  | { readonly kind: 'too-many' };

/** The parts of an access token that determine whether it was revoked. */
export interface RevocableToken {
  readonly grantId: GrantId;
  readonly userId: UserId;
  readonly clientId: string;
  readonly issuedAt: EpochSeconds;
}

export interface BrokerStorage extends AccountStorage, SecurityEventStorage, MaintenanceStorage {
  /**
   * Stores user, identity and grant together, unless the user has reached the limit of sign-ins. Revokes the
   * least recently used grants beyond `activeGrants`.
   */
  recordSignIn(signIn: SignIn): Promise<SignInOutcome>;
  /**
   * Returns whether a sign-in was recorded with this grant ID, and whether the grant was revoked. Changes
   * nothing.
   */
  readGrantStatus(grantId: GrantId): Promise<GrantStatus>;
  /**
   * Claims the code of a grant, exactly once, for a sign-in that issues its code only after a reconsent
   * request to the provider.
   */
  claimCode(claim: CodeClaim): Promise<CodeClaimOutcome>;
  /** Redeems a code exactly once. Call it only after every other check has passed. */
  redeemCode(redemption: CodeRedemption): Promise<CodeRedemptionOutcome>;
  /**
   * Refreshes a grant; call it only after every other check has passed. For a rotating grant, the current
   * token starts the next generation. Within the grace period, the previous token gets the current generation
   * again. After that, if its successor was not used and `lateRefresh` is `recover`, it starts a new branch:
   * the next generation, which replaces that successor. Any other replaced token revokes the grant (RFC 9700
   * §4.14.2).
   */
  refresh(request: GrantRefresh): Promise<RefreshOutcome>;
  /** Returns whether `refresh` would succeed. Changes nothing. */
  isRefreshable(presented: PresentedRefreshToken): Promise<boolean>;
  /**
   * Stores a token that arrived after the sign-in was recorded. Changes nothing if the identity does not
   * exist.
   */
  storeUpstreamToken(token: NewUpstreamToken): Promise<void>;
  /**
   * Records that a provider confirmed an identity. Changes nothing if the token that was used is no longer
   * the stored one.
   */
  recordRecheck(recorded: RecordedRecheck): Promise<void>;
  /**
   * Revokes all grants of an identity and deletes its upstream token, if the token that was used is still the
   * stored one.
   * @param reason the reason, for the operator
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
   * `refreshableUntil` on, grants of the identity can't be refreshed, unless the user has signed in at the
   * provider since `startedAt` or does so later.
   */
  dropUpstreamToken(drop: UpstreamTokenDrop): Promise<'dropped' | 'superseded'>;
  /**
   * Revokes a grant, or all grants of a user or a client, redeemed or not, and appends one entry if one of
   * them has an unexpired access token. Grants that are already revoked are not changed. (Every other method
   * that revokes grants appends an entry for each grant with an unexpired access token, or one entry for the
   * user if it revokes several such grants and no other active grant of the user is left.)
   * @param reason the reason, for the operator
   * @param actor who revokes. Default: `operator`
   */
  revoke(target: RevocationTarget, reason: string, now: EpochSeconds, actor?: RevocationActor): Promise<void>;
  /**
   * Reads the unexpired revocations that were appended after `cursor`, or all unexpired ones if it is
   * `undefined`.
   */
  readRevocations(cursor: number | undefined, now: EpochSeconds, limit: number): Promise<RevocationPage>;
  /** Returns whether one token was revoked. */
  isRevoked(token: RevocableToken, now: EpochSeconds): Promise<boolean>;
}

/** Storage is unavailable. If the caller can't continue without it, the request fails with status 503. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
}
