/**
 * The storage port: sign-ins, spent codes, refresh generations and revocations. Every method is one storage round trip
 * and decides atomically; two callers at once never both win. Implementations pass `storageContract`.
 * A method that cannot reach its storage throws `StorageUnavailable`, having changed nothing or everything.
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
  IdentityKey,
  NewUpstreamToken,
  RecheckLease,
  RefreshPolicy,
  SecurityEventStorage,
  StoredUpstreamToken,
  VerifiedIdentity,
} from './account-storage.ts';

export type * from './account-storage.ts';

/** How long every grant is kept at least: no transaction lives longer, so one that comes back twice finds its grant. */
export const grantRetention: Seconds = 3600;

/** Limits of one user. Refused sign-ins do not count. */
export interface SignInLimits {
  /**
   * The maximum number of sign-ins at a provider that are recorded within any `period`, and of sign-ins that start in a session. The two are
   * counted separately, so that someone with a stolen session cookie can't keep its owner from signing in.
   */
  readonly signIns: number;
  /** At most `grantRetention`. */
  readonly period: Seconds;
  /**
   * The maximum number of active grants of a user, not counting sessions of the account page. A sign-in that adds one more revokes the
   * least recently used grant. A grant is active if it was not revoked and its row is still needed: its access token or refresh token
   * has not expired, or the grant is less than `grantRetention` old.
   */
  readonly activeGrants: number;
}

export interface SignIn {
  readonly now: EpochSeconds;
  readonly limits: SignInLimits;
  /** The session that vouches for the person where no provider was asked just now: once it has ended, nothing is recorded. */
  readonly session?: GrantId;
  readonly identity: VerifiedIdentity;
  /**
   * `ours`: a known identity keeps its user, an unknown one gets a new user with `newId`.
   * `theirs`: the publisher said who it is; the identity points to `id` from now on.
   */
  readonly user:
    | { readonly kind: 'by-identity'; readonly newId: UserId }
    | { readonly kind: 'resolved'; readonly id: UserId };
  readonly grant: {
    readonly id: GrantId;
    readonly clientId: string;
    readonly redirectUri: string;
    readonly scopes: readonly string[];
    /** The audience of its access tokens. */
    readonly resource: string;
    readonly refreshPolicy: RefreshPolicy;
    readonly claims: UserClaims;
    /** How the provider names the session there that the person signed in with. */
    readonly sid?: string;
  };
}

export type SignInOutcome =
  /** `watched`: a token of the provider's is stored for the identity, from this sign-in or an earlier one. */
  | { readonly kind: 'recorded'; readonly userId: UserId; readonly hasUpstreamToken: boolean }
  /** A grant with this id exists: the transaction came back twice. Nothing was written. */
  | { readonly kind: 'replayed' }
  /** The session that it rests on has ended. Nothing was written. */
  | { readonly kind: 'session-ended' }
  /** The user has signed in too often. Nothing was written. After `retryAfter`, the user can sign in again. */
  | { readonly kind: 'limited'; readonly retryAfter: Seconds };

export interface CodeRedemption {
  readonly grantId: GrantId;
  readonly clientId: string;
  /** Also the issue of the access token that follows: revocation relies on it. */
  readonly now: EpochSeconds;
  readonly codeExpiresAt: EpochSeconds;
  /** A second redemption this soon after the first is refused without revoking the grant. */
  readonly replayGrace: Seconds;
  readonly accessExpiresAt: EpochSeconds;
  /** When the refresh token dies unused (the ledger caps it at the next), and when it dies in any case. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  readonly refreshAbsoluteExpiresAt: EpochSeconds;
}

export interface GrantState {
  readonly userId: UserId;
  readonly scopes: readonly string[];
  readonly resource: string;
  readonly claims: UserClaims;
  readonly refreshPolicy: RefreshPolicy;
  /** The generation that the grant's refresh token bears now: 0 at first, never moves when stable. */
  readonly generation: number;
  /** When the current refresh token dies if it is not used. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  readonly refreshAbsoluteExpiresAt: EpochSeconds;
}

export type CodeRedemptionOutcome =
  | { readonly kind: 'redeemed'; readonly grant: GrantState }
  /** `spent`: within the grace, expired, revoked or unknown. `replayed`: late, and the grant is revoked now. */
  | { readonly kind: 'refused'; readonly reason: 'invalid' | 'replayed' };

/** A refresh token that was presented, and when. */
export interface PresentedRefreshToken {
  readonly grantId: GrantId;
  readonly clientId: string;
  /** The generation that the token names. */
  readonly generation: number;
  readonly now: EpochSeconds;
  /** How long the previous refresh token is still accepted as a retry; the response then has the current generation. */
  readonly grace: Seconds;
  /**
   * What happens if the previous refresh token is presented after the grace period and its successor was not used: it starts a new
   * branch of the family (`recover`), or the grant is revoked (`revoke`).
   */
  readonly lateRefresh: LateRefresh;
}

export type LateRefresh = 'recover' | 'revoke';

/** Its use; `now` is also the issue of the access token that follows: revocation relies on it. */
export interface GrantRefresh extends PresentedRefreshToken {
  readonly accessExpiresAt: EpochSeconds;
  /** Where the idle expiry moves to; the ledger caps it at the grant's absolute expiry. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  /** How long whoever is told that a check is due has for it, before another is told. */
  readonly recheckLeaseDuration: Seconds;
}

export type RefreshOutcome =
  | {
      readonly kind: 'refreshed';
      readonly grant: GrantState;
      /** The provider is to be asked about the identity that signed in, by this caller and no other. */
      readonly recheck?: RecheckLease;
    }
  /**
   * `inactive`: unknown, expired, revoked or ahead of the row. `reused`: the token was replaced, and the
   * request can't be a retry; the grant is now revoked.
   */
  | { readonly kind: 'refused'; readonly reason: 'inactive' | 'reused' };

/** Whether a grant is stored, and whether it was revoked. `active` does not say whether its tokens have expired. */
export type GrantStatus = 'active' | 'revoked' | 'unknown';

/** The one code of a grant that is issued only after the person went to the provider once more. */
export interface CodeClaim {
  readonly grantId: GrantId;
  readonly now: EpochSeconds;
}

/**
 * `claimed`: the caller issues the code, and nobody else ever does. `active`: it was claimed or redeemed before. `revoked`, `unknown`:
 * there is nothing to issue a code for.
 */
export type CodeClaimOutcome = 'claimed' | GrantStatus;

/** A provider's word that a person's grant there lives. */
export interface RecordedRecheck {
  /** What it was asked with: the word counts only while that is stored, for a newer sign-in knows better. */
  readonly usedToken: StoredUpstreamToken;
  /** When it is to be asked again; until then its word holds. */
  readonly recheckAfter: EpochSeconds;
  /** The token that takes the place of the one it was asked with, sealed. */
  readonly sealedRefreshToken?: string;
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** Deletes an upstream token that can no longer be used, without a conclusion about the person. */
export interface UpstreamTokenDrop {
  /** The token. It is deleted only if it is still the stored one, because a newer sign-in takes precedence. */
  readonly usedToken: StoredUpstreamToken;
  /** When the recheck started. If the person has signed in at the provider since then, `refreshableUntil` is not set. */
  readonly startedAt: EpochSeconds;
  readonly now: EpochSeconds;
  /** The time from which grants of the identity can't be refreshed. */
  readonly refreshableUntil: EpochSeconds;
  /** The reason for the audit log. */
  readonly reason: string;
}

/** `superseded`: another token is stored by now, or none; nothing was changed. */
export type IdentityRevocationOutcome = 'revoked' | 'superseded';

export type RevocationTarget =
  | { readonly kind: 'grant'; readonly id: GrantId }
  | { readonly kind: 'user'; readonly id: UserId }
  | { readonly kind: 'client'; readonly id: string };

/** Who asks for an ending. */
export type RevocationActor = 'user' | 'client' | 'operator';

/** One line of revocation memory: tokens of the target issued at or before `revokedAt` are dead. */
export type Revocation = RevocationTarget & {
  /** Never before the issue of a token of the target so far, however the clocks of two servers differ. */
  readonly revokedAt: EpochSeconds;
  /** From here on every such token has expired anyway and the line may be forgotten. */
  readonly expiresAt: EpochSeconds;
};

/**
 * `cursor` names the newest line that is stored, 0 when there is none. It may be below the one asked with, after a sweep or after
 * a backup was restored, whose numbers began again: then the page holds all lines that live.
 */
export type RevocationPage =
  | { readonly kind: 'page'; readonly revocations: readonly Revocation[]; readonly cursor: number }
  /** More than `limit` lines live: ask `isRevoked` per call instead. */
  | { readonly kind: 'too-many' };

/** What of an access token decides whether it was revoked. */
export interface RevocableToken {
  readonly grantId: GrantId;
  readonly userId: UserId;
  readonly clientId: string;
  readonly issuedAt: EpochSeconds;
}

export interface BrokerStorage extends AccountStorage, SecurityEventStorage, MaintenanceStorage {
  /** Stores user, identity and grant together, unless the user has reached the limit of sign-ins. Revokes grants beyond the limit. */
  recordSignIn(signIn: SignIn): Promise<SignInOutcome>;
  /** Tells whether a sign-in was recorded with this grant's id; changes nothing. */
  readGrantStatus(grantId: GrantId): Promise<GrantStatus>;
  /** Claims the code of a grant, exactly once, for a sign-in that issues its code only after a second trip to the provider. */
  claimCode(claim: CodeClaim): Promise<CodeClaimOutcome>;
  /** Spends a code exactly once; call it only after every other check passed. */
  redeemCode(redemption: CodeRedemption): Promise<CodeRedemptionOutcome>;
  /**
   * Refreshes a grant; call it only after every other check passed. For a rotating grant, the current token starts the next
   * generation. Within the grace period, the previous token gets the current generation again. After that, if its successor was not
   * used and `lateRefresh` is `recover`, it starts a new branch: the next generation, which replaces that successor. Any other replaced
   * token revokes the grant (RFC 9700 §4.14.2).
   */
  refresh(use: GrantRefresh): Promise<RefreshOutcome>;
  /** Tells whether `refresh` would answer, and changes nothing. */
  isRefreshable(presented: PresentedRefreshToken): Promise<boolean>;
  /** Stores a token that came after the sign-in was recorded; changes nothing if the identity does not exist. */
  storeUpstreamToken(token: NewUpstreamToken): Promise<void>;
  /** Records that a provider stands by a person; nothing if the token that it was asked with is no longer the stored one. */
  recordRecheck(recorded: RecordedRecheck): Promise<void>;
  /**
   * Ends all grants that rest on an identity, as `revoke` does each of them, and forgets its token; if that is still the stored one.
   * @param reason kept for the operator
   */
  revokeGrantsOfIdentity(
    usedToken: StoredUpstreamToken,
    reason: string,
    now: EpochSeconds,
  ): Promise<IdentityRevocationOutcome>;
  /**
   * Records that a recheck ended without a result and that the provider did not replace the token, so that the recheck no longer counts
   * as unresolved. Changes nothing if another token is stored by now.
   */
  resolveRecheck(usedToken: StoredUpstreamToken): Promise<void>;
  /**
   * Deletes the upstream token of an identity if it is still the stored one, without ending any grant. From `refreshableUntil` on,
   * grants of the identity can't be refreshed, unless the person has signed in at the provider since `startedAt` or does so later.
   */
  dropUpstreamToken(drop: UpstreamTokenDrop): Promise<'dropped' | 'superseded'>;
  /**
   * Ends a grant, or all grants of a user or a client, redeemed or not, and appends one line if an access token may
   * live on. (Every other method that ends grants appends a line for each grant with an unexpired access token, or one line for the user
   * if it ends several such grants and no other active grant of the user is left.) Ending what has ended changes nothing.
   * @param reason kept for the operator
   * @param by left out: the operator, who is the publisher
   */
  revoke(target: RevocationTarget, reason: string, now: EpochSeconds, actor?: RevocationActor): Promise<void>;
  /** Reads revocations appended after `cursor` that still matter; `undefined` reads all that live. */
  readRevocations(cursor: number | undefined, now: EpochSeconds, limit: number): Promise<RevocationPage>;
  /** Asks for one token. */
  isRevoked(token: RevocableToken, now: EpochSeconds): Promise<boolean>;
}

/** The storage did not answer: the caller says 503 and changes nothing else. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
}

// The maintenance part of the storage port: deletes what has expired, and replaces stored upstream tokens that were resealed.

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
