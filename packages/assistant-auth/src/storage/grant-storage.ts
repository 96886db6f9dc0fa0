/**
 * The part of the storage interface for sign-ins, codes, refresh tokens, clients that are not in the
 * configuration, and client assertions. As in the whole interface, every method is one round trip and atomic.
 */
import type { EpochSeconds, GrantId, Seconds, UserClaims, UserId } from '../oauth/identifiers.ts';
import type { IdentityKey, RecheckLease, RefreshPolicy, VerifiedIdentity } from './account-storage.ts';

/** The limits of one user. Refused sign-ins do not count. */
export interface UserLimits {
  /**
   * The maximum number of sign-ins at a provider that are recorded within any `period`, and of sign-ins that
   * start in a session. The two are counted separately, so that someone with a stolen session cookie cannot
   * keep its owner from signing in.
   */
  readonly signIns: number;
  /** The length of the period in which sign-ins are counted, in seconds. At most 3600. */
  readonly period: Seconds;
  /**
   * The maximum number of active grants of a user, not counting sessions of the account page. A sign-in that
   * adds one more revokes the least recently used grant. A grant is active if it was not revoked and its row
   * is still needed: its access token or refresh token has not expired, or the grant is less than an hour
   * old.
   */
  readonly activeGrants: number;
}

/** A sign-in to record: the identity, the user that it belongs to, and the grant that was consented to. */
export interface SignIn {
  /** The current time. It becomes the creation time of the rows that are written. */
  readonly now: EpochSeconds;
  /** The limits that are checked before anything is written. */
  readonly limits: UserLimits;
  /**
   * The session that the sign-in continues, if it was not made at the provider. If the session has ended,
   * nothing is recorded.
   */
  readonly session?: GrantId;
  /** The identity that signed in. */
  readonly identity: VerifiedIdentity;
  /**
   * The namespace of the provider's subjects, at most 512 characters. The first sign-in with the provider
   * stores it. If it differs from the stored one, nothing is recorded.
   */
  readonly subjectNamespace: string;
  /** The user that the identity belongs to. */
  readonly user: SignInUser;
  /** The grant to create. Its code has not been redeemed yet. */
  readonly grant: NewGrant;
  /**
   * The client of the grant, if it is not in the configuration. It is stored only if the sign-in is recorded,
   * and replaces a stored client with the same ID; its `retainUntil` never decreases.
   */
  readonly client?: StoredClient;
}

/** A client that is not in the configuration: the stored copy of its registration or metadata document. */
export interface StoredClient {
  /** The client ID, at most 1,300 characters. */
  readonly id: string;
  /** The name that users saw when they signed in. */
  readonly name: string;
  /**
   * The metadata of the client: JSON that storage returns unchanged and does not interpret. Contains no
   * secret.
   */
  readonly metadata: string;
  /** From this time on, a cleanup deletes the client, unless a grant with its client ID is stored. */
  readonly retainUntil: EpochSeconds;
}

/** Which user an identity belongs to. */
export type SignInUser =
  /** No `resolveUser` decided: a known identity keeps its user, an unknown one gets a new user. */
  | {
      readonly kind: 'by-identity';
      /** The ID of the new user, if the identity is unknown. */
      readonly newId: UserId;
    }
  /** `resolveUser` returned the user ID. The identity belongs to this user from now on. */
  | {
      readonly kind: 'resolved';
      /** The ID that `resolveUser` returned. The user is created if it does not exist. */
      readonly id: UserId;
    };

/** A grant that a sign-in creates. */
export interface NewGrant {
  /** The ID of the grant, generated when the login transaction started: base64url, 22 characters. */
  readonly id: GrantId;
  /** The client that the tokens will be issued to, or `account` for a session of the account page. */
  readonly clientId: string;
  /** The verified redirect URI that the code is sent to. */
  readonly redirectUri: string;
  /** The scopes that the user consented to, including `offline_access` if it was granted. */
  readonly scopes: readonly string[];
  /** The audience of the grant's access tokens: the canonical form of one of the broker's `resources`. */
  readonly resource: string;
  /** Whether the grant has a refresh token, and whether each use replaces it. */
  readonly refreshPolicy: RefreshPolicy;
  /** The claims that `resolveUser` returned. Access tokens contain them, until a refresh replaces them. */
  readonly claims: UserClaims;
  /** The ID of the user's session at the provider when the user signed in (`sid`). */
  readonly sid?: string;
  /**
   * The browser and operating system of a session of the account page, such as `Chrome, macOS`, at most 40
   * characters. Absent for other grants, and if neither was recognized.
   */
  readonly device?: string;
}

/** The result of recording a sign-in. */
export type SignInOutcome =
  /** The user, the identity and the grant were stored. */
  | {
      readonly kind: 'recorded';
      /** The user that the identity belongs to. */
      readonly userId: UserId;
      /** Whether an upstream token is stored for the identity, from this sign-in or an earlier one. */
      readonly hasUpstreamToken: boolean;
    }
  /** A grant with this ID exists: the callback was repeated. Nothing was written. */
  | { readonly kind: 'replayed' }
  /** The session has ended. Nothing was written. */
  | { readonly kind: 'session-ended' }
  /**
   * The stored namespace of the provider is another one. This outcome takes precedence over all others. Only
   * the refused namespace and the time of its first refusal were stored, for the operator.
   */
  | { readonly kind: 'provider-changed' }
  /** The user has signed in too often. Nothing was written. */
  | {
      readonly kind: 'limited';
      /** The time until the user can sign in again, in seconds. */
      readonly retryAfter: Seconds;
    };

/**
 * A client assertion: a client authenticates with it, and can use it only once.
 * @see RFC 7523 §3
 */
export interface ClientAssertion {
  /** The client that authenticated with the assertion. Another client can use the same `jti`. */
  readonly clientId: string;
  /** The ID of the assertion, which the client chose: any text of at most 255 characters. */
  readonly jti: string;
  /** When the assertion has expired. From this time on, a cleanup deletes the record of its use. */
  readonly retainUntil: EpochSeconds;
}

/**
 * The redemption of an authorization code.
 * @see RFC 6749 §4.1.2 and §4.1.3
 */
export interface CodeRedemption {
  /** The grant that the code belongs to. */
  readonly grantId: GrantId;
  /** The authenticated client. The code of another client is refused. */
  readonly clientId: string;
  /** The current time. The access token is issued with the same time, which revocation relies on. */
  readonly now: EpochSeconds;
  /** When the code expires. It is refused from this time on. */
  readonly codeExpiresAt: EpochSeconds;
  /**
   * How long a second redemption is refused without revoking the grant, in seconds, because it may be a
   * retry.
   */
  readonly replayGrace: Seconds;
  /** When the access token that is about to be issued expires. */
  readonly accessExpiresAt: EpochSeconds;
  /** When the refresh token expires if it is not used. Storage caps it at `refreshAbsoluteExpiresAt`. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  /** When the last refresh token of the grant expires, however often it is used. */
  readonly refreshAbsoluteExpiresAt: EpochSeconds;
  /**
   * The assertion that the client authenticated with, if it used one. It counts as used even if the code is
   * refused. If it was used before, nothing is changed.
   */
  readonly assertion?: ClientAssertion;
}

/** The stored state of a redeemed grant, from which its tokens are issued. */
export interface GrantState {
  /** The user who gave the consent. */
  readonly userId: UserId;
  /** The ID of the provider that the user signed in with. */
  readonly provider: string;
  /** The redirect URI that the code was sent to. */
  readonly redirectUri: string;
  /** The scopes that the user consented to. */
  readonly scopes: readonly string[];
  /** The audience of the grant's access tokens. */
  readonly resource: string;
  /** The claims that are sealed into the access token. */
  readonly claims: UserClaims;
  /** Whether a refresh token is issued, and whether each use replaces it. */
  readonly refreshPolicy: RefreshPolicy;
  /**
   * The generation of the grant's current refresh token. Starts at 0, and never changes if the policy is
   * `stable`.
   */
  readonly generation: number;
  /** When the current refresh token expires if it is not used. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  /** When the last refresh token of the grant expires, however often it is used. */
  readonly refreshAbsoluteExpiresAt: EpochSeconds;
}

/** The result of redeeming a code. */
export type CodeRedemptionOutcome =
  /** The code was redeemed by this call. It cannot be redeemed again. */
  | {
      readonly kind: 'redeemed';
      /** The grant, for which tokens can now be issued. */
      readonly grant: GrantState;
    }
  /** The code was not redeemed by this call. */
  | {
      readonly kind: 'refused';
      /**
       * `invalid`: the code was already redeemed within the grace period, has expired, or belongs to another
       * client, or its grant was revoked or is unknown. `replayed`: it was redeemed earlier, and the grant is
       * now revoked. `assertion-replayed`: the client assertion was used before. Nothing was changed, and the
       * code can still be redeemed with another assertion.
       */
      readonly reason: 'invalid' | 'replayed' | 'assertion-replayed';
    };

/** A refresh token that was presented, and when. */
export interface PresentedRefreshToken {
  /** The grant that the token belongs to. */
  readonly grantId: GrantId;
  /** The authenticated client. The token of another client is refused. */
  readonly clientId: string;
  /** The generation in the presented token. */
  readonly generation: number;
  /** The current time. */
  readonly now: EpochSeconds;
  /**
   * How long the previous refresh token is still accepted as a retry, in seconds; the response then has the
   * current generation. With 0, no replaced token is a retry, not even in the same second.
   */
  readonly grace: Seconds;
  /**
   * What happens if the previous refresh token is presented after the grace period and its successor was not
   * used.
   */
  readonly lateRefresh: LateRefresh;
}

/**
 * What happens if a replaced refresh token is presented after the grace period and its successor was never
 * used.
 * @see RFC 9700 §4.14.2
 */
export type LateRefresh =
  /** The token starts a new branch of the family, and its unused successor becomes invalid. */
  | 'recover'
  /** The grant is revoked. */
  | 'revoke';

/**
 * The use of a refresh token. The access token is issued with the same time as `now`, which revocation relies
 * on.
 */
export interface GrantRefresh extends PresentedRefreshToken {
  /** When the access token that is about to be issued expires. */
  readonly accessExpiresAt: EpochSeconds;
  /** The new idle expiry. Storage caps it at the grant's absolute expiry. */
  readonly refreshIdleExpiresAt: EpochSeconds;
  /** How long a recheck lease is valid, in seconds. After that, another caller can acquire it. */
  readonly recheckLeaseDuration: Seconds;
  /** The claims that replace those of the grant, if the refresh succeeds. Default: they stay the same. */
  readonly claims?: UserClaims;
  /**
   * The assertion that the client authenticated with, if it used one. It counts as used even if the refresh
   * is refused. If it was used before, nothing is changed: no grant is revoked, and no lease is acquired.
   */
  readonly assertion?: ClientAssertion;
}

/** The user and the identity of a grant that can be refreshed, and the claims of its access tokens. */
export interface RefreshableGrant extends IdentityKey {
  /** The user who gave the consent. */
  readonly userId: UserId;
  /** The claims that are sealed into the access token. */
  readonly claims: UserClaims;
}

/** The result of refreshing a grant. */
export type RefreshOutcome =
  /** New tokens can be issued. */
  | {
      readonly kind: 'refreshed';
      /** The grant after the refresh, with the generation of the new refresh token. */
      readonly grant: GrantState;
      /**
       * The lease if a recheck is due: the caller must recheck the identity that signed in. No other caller
       * gets the lease until it expires.
       */
      readonly recheck?: RecheckLease;
    }
  /** No tokens can be issued. */
  | {
      readonly kind: 'refused';
      /**
       * `inactive`: the grant is unknown, expired, revoked or of another client, grants of its identity can
       * no longer be refreshed (`refreshableUntil`), or the token is of a generation that does not exist.
       * `reused`: the token was replaced, and the request cannot be a retry; the grant is now revoked.
       * `assertion-replayed`: the client assertion was used before, and nothing was changed.
       */
      readonly reason: 'inactive' | 'reused' | 'assertion-replayed';
    };

/**
 * Whether a grant is stored, and whether it was revoked: `active`, `revoked`, or `unknown` if no grant with
 * this ID is stored. `active` does not say whether its tokens have expired.
 */
export type GrantStatus = 'active' | 'revoked' | 'unknown';

/** A claim to issue the code of a grant, for a sign-in that issues it only after a reconsent request. */
export interface CodeClaim {
  /** The grant whose code is to be issued. */
  readonly grantId: GrantId;
  /** The current time. */
  readonly now: EpochSeconds;
}

/**
 * The result of claiming a code. `claimed`: the caller issues the code, and no other caller can. `active`: it
 * was claimed or redeemed before. `revoked`, `unknown`: there is nothing to issue a code for.
 */
export type CodeClaimOutcome = 'claimed' | GrantStatus;

/**
 * The part of {@link BrokerStorage} that records sign-ins, with their clients, and issues tokens for their
 * grants.
 * @hidden its members are documented as those of `BrokerStorage`
 */
export interface GrantStorage {
  /**
   * Stores user, identity, grant and client together, unless the user has reached the limit of sign-ins.
   * Revokes the least recently used grants beyond `activeGrants`.
   */
  recordSignIn(signIn: SignIn): Promise<SignInOutcome>;
  /**
   * Returns whether a sign-in was recorded with this grant ID, and whether the grant was revoked. Changes
   * nothing.
   * @param grantId the ID of the grant that the login transaction would create
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
  /**
   * Returns whose grant `refresh` would refresh, or `undefined` if it would not succeed. Changes nothing.
   * @param presented the refresh token and the current time
   */
  readRefreshable(presented: PresentedRefreshToken): Promise<RefreshableGrant | undefined>;
  /**
   * Returns a client that `recordSignIn` stored, even if its `retainUntil` has passed, or `undefined` if
   * there is none.
   * @param id the client ID
   */
  readClient(id: string): Promise<StoredClient | undefined>;
  /**
   * Deletes a stored client. Its grants are not changed. Changes nothing if there is none.
   * @param id the client ID
   */
  deleteClient(id: string): Promise<void>;
  /**
   * Records the use of a client assertion, for requests that neither redeem a code nor refresh a grant.
   * Returns `replayed` if the assertion was used before.
   */
  recordAssertion(assertion: ClientAssertion): Promise<'recorded' | 'replayed'>;
}
