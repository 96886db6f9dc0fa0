/**
 * The parts of the storage interface for accounts, sessions, security events and cleanup, and the types of
 * identities and upstream tokens. As in the whole interface, every method is one round trip and atomic.
 */

import type {
  EpochSeconds,
  GrantId,
  Seconds,
  SecurityEvent,
  TokenIdentifiers,
  UserClaims,
  UserId,
} from '../oauth/identifiers.ts';

/** A request with a session. A session is a redeemed grant of the client `accountClientId`. */
export interface SessionActivity {
  /** The ID of the session's grant, from the session cookie. */
  readonly grantId: GrantId;
  /** The current time. */
  readonly now: EpochSeconds;
  /** The new idle expiry. Storage caps it at the session's absolute expiry. */
  readonly idleExpiresAt: EpochSeconds;
}

/** A session of the account page that has not ended. */
export interface Session {
  /** The user who is signed in. */
  readonly userId: UserId;
  /** The identity that signed in. If it is unlinked or moves to another user, the session ends. */
  readonly identity: SessionIdentity;
}

/** The identity that a session was started with. */
export interface SessionIdentity extends IdentityKey {
  /** The user's name or email address at the provider, at most 320 characters. Absent if it sent neither. */
  readonly label?: string;
  /** Whether an upstream token is stored, so that the identity can be rechecked. */
  readonly hasUpstreamToken: boolean;
}

/** A request for the right to recheck an identity now. */
export interface RecheckLeaseRequest extends IdentityKey {
  /** The current time. */
  readonly now: EpochSeconds;
  /** How long the lease is valid, in seconds. After that, another caller can acquire it. */
  readonly recheckLeaseDuration: Seconds;
}

/** The result of requesting a recheck lease. */
export type RecheckLeaseOutcome =
  /** The caller must recheck the identity. No other caller gets the lease until it expires. */
  | {
      readonly kind: 'acquired';
      /** The lease, with the token to use. */
      readonly lease: RecheckLease;
    }
  /** An earlier recheck confirmed the identity, and its result is still valid. */
  | { readonly kind: 'verified' }
  /** No upstream token is stored, another caller has the lease, or a recent recheck was inconclusive. */
  | { readonly kind: 'inconclusive' };

/** A user's identities, grants and sessions, including revoked ones. */
export interface Account {
  /** When the user was created: at the first sign-in. */
  readonly createdAt: EpochSeconds;
  /** Oldest first. Those from the same second are ordered by provider and subject. */
  readonly identities: readonly LinkedIdentity[];
  /** Newest first. Those from the same second are ordered by ID. */
  readonly grants: readonly StoredGrant[];
}

/** An identity that a user can sign in with. */
export interface LinkedIdentity extends IdentityKey {
  /** The user's name or email address at the provider, at most 320 characters. Absent if it sent neither. */
  readonly label?: string;
  /** Whether an upstream token is stored, so that the identity can be rechecked. */
  readonly hasUpstreamToken: boolean;
  /** When the identity was first used to sign in, or was linked. */
  readonly createdAt: EpochSeconds;
  /** When the user last signed in at the provider. Continuing a session does not count. */
  readonly lastSignInAt: EpochSeconds;
  /** Whether `linkIdentity` added it, and `markLinkSeen` has not been called for it since. */
  readonly isNewlyLinked: boolean;
}

/** A grant of a user: the access of one app, or a session of the account page. */
export interface StoredGrant {
  /** The ID of the grant. */
  readonly id: GrantId;
  /** The client that the grant is for, or `account` for a session of the account page. */
  readonly clientId: string;
  /** The name of the stored client with this ID. Absent if none is stored. */
  readonly clientName?: string;
  /** The redirect URI that the code was sent to. */
  readonly redirectUri: string;
  /** The scopes that the user consented to. */
  readonly scopes: readonly string[];
  /** The audience of the grant's access tokens. */
  readonly resource: string;
  /** The claims of its access tokens: what `resolveUser` returned, or `refreshUser` at a later refresh. */
  readonly claims: UserClaims;
  /** The ID of the user's session at the provider when the user signed in (`sid`). */
  readonly sid?: string;
  /** The browser and operating system of a session of the account page, such as `Chrome, macOS`. */
  readonly device?: string;
  /** The identity that signed in. */
  readonly identity: IdentityKey;
  /** Whether the grant has a refresh token, and whether each use replaces it. */
  readonly refreshPolicy: RefreshPolicy;
  /** When the sign-in was recorded. */
  readonly createdAt: EpochSeconds;
  /** When the grant was revoked. Absent if it was not. */
  readonly revokedAt?: EpochSeconds;
  /** How the grant has been used. Absent until the code is redeemed. */
  readonly use?: GrantUse;
}

/** The times of a redeemed grant. */
export interface GrantUse {
  /** When the code was redeemed. */
  readonly redeemedAt: EpochSeconds;
  /** When the newest token was issued, or the session was last used. */
  readonly lastUsedAt: EpochSeconds;
  /** When the newest access token expires. */
  readonly accessExpiresAt: EpochSeconds;
  /** When the current refresh token expires if it is not used. */
  readonly refreshIdleExpiresAt: EpochSeconds;
}

/** An identity that a user adds to their account. */
export interface IdentityLink {
  /** The user who adds the identity. */
  readonly userId: UserId;
  /** The session in which the user adds it. If it has ended, nothing is linked. */
  readonly session: GrantId;
  /** The identity, verified by its provider just now. */
  readonly identity: VerifiedIdentity;
  /** The namespace of the provider's subjects, as in a sign-in. */
  readonly subjectNamespace: string;
  /** The current time. */
  readonly now: EpochSeconds;
}

/** The result of linking an identity. */
export type IdentityLinkOutcome =
  /** The user can sign in with the identity, or already could. */
  | 'linked'
  /** The identity belongs to another user. Nothing was changed. */
  | 'linked-to-other-user'
  /** The session has ended. Nothing was changed. */
  | 'session-ended'
  /**
   * The stored namespace of the provider is another one. This outcome takes precedence over all others. Only
   * the refused namespace and the time of its first refusal were stored, for the operator.
   */
  | 'provider-changed';

/** A linked identity, the notice about which a user has dismissed. */
export interface SeenLink extends IdentityKey {
  /** The user who dismissed it. */
  readonly userId: UserId;
  /** The `createdAt` of the identity that the user saw. If it was unlinked and linked again, nothing changes. */
  readonly linkedAt: EpochSeconds;
}

/** An identity that a user removes from their account. */
export interface IdentityUnlink extends IdentityKey {
  /** The user who removes the identity. */
  readonly userId: UserId;
  /** The current time. */
  readonly now: EpochSeconds;
}

/** The result of unlinking an identity. */
export type IdentityUnlinkOutcome =
  /** The user can no longer sign in with the identity, and its grants are revoked. */
  | {
      readonly kind: 'unlinked';
      /** The upstream token that was stored, if any, so that it can be revoked at the provider. */
      readonly token?: IssuedUpstreamToken;
    }
  /** It is the user's only identity: without it, they could not sign in. Nothing was changed. */
  | { readonly kind: 'last-identity' }
  /** It is not an identity of this user. Nothing was changed. */
  | { readonly kind: 'unknown' };

/** The revocation of several grants of one user. */
export interface GrantRevocation {
  /** The user, who revokes the grants at the account page. */
  readonly userId: UserId;
  /** Grants of this user. Grants of other users are not changed. */
  readonly grantIds: readonly GrantId[];
  /** The reason, for the operator. */
  readonly reason: string;
  /** The current time. */
  readonly now: EpochSeconds;
}

/** The deletion of a user. */
export interface UserDeletion {
  /** The user to delete. */
  readonly userId: UserId;
  /** Who deletes, for the audit log: `user` at the account page, or `operator`. */
  readonly actor: 'user' | 'operator';
  /** The current time. */
  readonly now: EpochSeconds;
}

/** The result of deleting a user. */
export type UserDeletionOutcome =
  /** The user was deleted. */
  | {
      readonly kind: 'deleted';
      /** The upstream tokens that were stored, so that they can be revoked at their providers. */
      readonly tokens: readonly IssuedUpstreamToken[];
    }
  /** The user does not exist. Nothing was changed. */
  | { readonly kind: 'unknown' };

/** An entry of the audit log about one user, as the account page exports it. */
export interface HistoryEntry {
  /** When it happened. */
  readonly at: EpochSeconds;
  /** What happened, such as `signed-in` or `revoked`. */
  readonly event: string;
  /** Who did it: an `actor` of the audit log, such as `user` or `operator`. */
  readonly actor: string;
  /** Why it happened, if there is a reason. */
  readonly reason?: string;
  /** The client that it concerns, if any. */
  readonly clientId?: string;
  /** The ID of the provider that it concerns, if any. */
  readonly provider?: string;
}

/**
 * Stores what only the account page needs, in the same database as the {@link BrokerStorage}. As there, every
 * method is one round trip and atomic, and throws `StorageUnavailable` if it cannot reach its storage.
 *
 * `memoryStorage()` has these methods. For `d1Storage` and `sqliteStorage`, `accountPages()` adds them, so that
 * a bundle without the account page does not contain them; `accountStorage` of `assistant-auth/account` returns
 * them.
 */
export interface AccountStorage {
  /** Extends a session. Returns `undefined` if it has ended, for any reason. */
  useSession(activity: SessionActivity): Promise<Session | undefined>;
  /** Acquires the lease for a recheck of an identity, as `refresh` does. */
  acquireRecheckLease(request: RecheckLeaseRequest): Promise<RecheckLeaseOutcome>;
  /** Reads a user's identities, grants and sessions. Returns `undefined` if the user does not exist. */
  readAccount(userId: UserId): Promise<Account | undefined>;
  /** Reads a user's audit log, newest first. Returns an empty list if the storage has no audit log. */
  readHistory(userId: UserId): Promise<readonly HistoryEntry[]>;
  /** Finds the user that an identity belongs to. */
  findUser(identity: IdentityKey): Promise<UserId | undefined>;
  /** Links an identity to a user, unless it belongs to another user. */
  linkIdentity(link: IdentityLink): Promise<IdentityLinkOutcome>;
  /** Stores that the user has dismissed the notice about a linked identity. */
  markLinkSeen(link: SeenLink): Promise<void>;
  /** Unlinks an identity from a user who has others, and revokes all grants of the identity. */
  unlinkIdentity(unlink: IdentityUnlink): Promise<IdentityUnlinkOutcome>;
  /** Revokes several grants of a user. */
  revokeGrants(revocation: GrantRevocation): Promise<void>;
  /**
   * Deletes a user with their identities, grants and upstream tokens, and revokes their access tokens. If
   * several grants have an unexpired access token, one entry for the user replaces the entries of the grants
   * that it covers. Afterwards, only entries for the user contain the user's ID, until the next cleanup after
   * they expire.
   */
  deleteUser(deletion: UserDeletion): Promise<UserDeletionOutcome>;
}

/** The key of an identity. */
export interface IdentityKey {
  /** The ID of the provider, for example `google`. At most 32 characters. */
  readonly provider: string;
  /** The provider's own stable ID of the user, at most 255 characters. Never an email address. */
  readonly subject: string;
}

/** A provider's refresh token as it is stored, sealed, and the identity that it belongs to. */
export interface StoredUpstreamToken extends IdentityKey {
  /** The refresh token, sealed with the key ring for this identity: base64url. */
  readonly sealedRefreshToken: string;
}

/** An upstream token, and who issued it. It must not be sent to anyone else. */
export interface IssuedUpstreamToken extends StoredUpstreamToken {
  /** The stored namespace of the provider. Absent if none is stored. */
  readonly subjectNamespace?: string;
}

/**
 * The right to recheck an identity now. No other caller gets it until the lease expires. The lease is stored
 * before it is returned.
 */
export interface RecheckLease extends IssuedUpstreamToken {
  /**
   * Whether an earlier recheck with this token started but its outcome was never stored, so the provider may
   * have replaced the token.
   */
  readonly isUnresolved: boolean;
  /** When the lease was acquired. */
  readonly startedAt: EpochSeconds;
}

/** A new upstream token to store. */
export interface NewUpstreamToken extends StoredUpstreamToken {
  /** The identifiers of the token, if events of the provider use them. Deleted together with the token. */
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** An identity that a provider verified, now or at the start of the session. */
export interface VerifiedIdentity extends IdentityKey {
  /** The user's name or email address at the provider, at most 320 characters. For display only. */
  readonly label?: string;
  /** The provider's refresh token, sealed. If absent, a stored one is kept. */
  readonly sealedRefreshToken?: string;
  /** The identifiers of that token, if events of the provider use them. */
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** Whether a grant has a refresh token, and whether each use replaces it. */
export type RefreshPolicy =
  /** The grant has no refresh token. */
  | 'none'
  /** The refresh token stays the same. */
  | 'stable'
  /** Each use replaces the refresh token (RFC 9700 §4.14.2). */
  | 'rotating';

/** A verified security event, and the provider that sent it. */
export interface ReceivedSecurityEvent extends Omit<SecurityEvent, 'type'> {
  /** The ID of the provider that sent the event. */
  readonly provider: string;
  /** The namespace of the provider's subjects, as in a sign-in. */
  readonly subjectNamespace: string;
  /** The reason, for the operator. */
  readonly reason: string;
  /** The current time. */
  readonly now: EpochSeconds;
}

/**
 * The result of recording a security event. `recorded`: its revocations were applied. `replayed`: the event
 * was received before, and nothing was changed. `provider-changed`: the stored namespace of the provider is
 * another one, and nothing was changed.
 */
export type SecurityEventOutcome = 'recorded' | 'replayed' | 'provider-changed';

/**
 * The part of {@link BrokerStorage} for security events of providers.
 * @hidden its members are documented as those of `BrokerStorage`
 */
export interface SecurityEventStorage {
  /**
   * Applies the revocations of an event, and stores that it was received. An event that was received before
   * changes nothing.
   */
  recordSecurityEvent(event: ReceivedSecurityEvent): Promise<SecurityEventOutcome>;
}

/** What a cleanup deletes, and which keys are in the ring. */
export interface Cleanup {
  /** The current time. */
  readonly now: EpochSeconds;
  /** Audit entries from before this time are deleted, and counts of refused requests of earlier UTC days. */
  readonly deleteAuditBefore: EpochSeconds;
  /** The ID of the first key in the ring, which seals. Storage with an audit log records each change. */
  readonly sealingKey: string;
  /**
   * The IDs of all keys in the ring, including `sealingKey`. All of them open. Storage with an audit log
   * records when a cleanup first found each key in the ring, and deletes the record if a later cleanup does
   * not find the key.
   */
  readonly ringKeys: readonly string[];
}

/** Selects stored upstream tokens, in an order that storage chooses and does not change. */
export interface UpstreamTokenQuery {
  /** The prefixes that their sealed texts can have. */
  readonly prefixes: readonly string[];
  /** The identity of the last token of the previous page. Default: starts with the first token. */
  readonly after?: IdentityKey;
  /** The maximum number of tokens to return. */
  readonly limit: number;
}

/** The same token, resealed. */
export interface ResealedToken extends IdentityKey {
  /** The previous sealed text. It is replaced only if it is still the stored one. */
  readonly previous: string;
  /** The new sealed text. */
  readonly sealedRefreshToken: string;
}

/** Stored upstream tokens to replace with the same tokens, sealed with another key. */
export interface UpstreamTokenReplacement {
  /** The tokens. Each one is replaced or not, independently of the others. */
  readonly tokens: readonly ResealedToken[];
  /** The current time. */
  readonly now: EpochSeconds;
  /**
   * How long a recheck may take, in seconds. A recheck finds the token by its sealed text, so its outcome
   * would be lost if the token were replaced meanwhile.
   */
  readonly recheckLeaseDuration: Seconds;
}

/**
 * The part of {@link BrokerStorage} for cleanup and key rotation.
 * @hidden its members are documented as those of `BrokerStorage`
 */
export interface MaintenanceStorage {
  /**
   * Deletes what is no longer needed: grants older than `grantRetention` without an unexpired access token
   * and without an unexpired refresh token (of a revoked grant, only the access token counts), records of
   * security events that would be rejected because of their age, expired revocations, old audit entries and
   * counts of refused requests, expired client assertions, and clients whose `retainUntil` has passed, unless
   * a grant with their client ID is still stored. Everything but the audit entries and the counts is kept for
   * another five minutes (`cleanupMargin`), because the clock of the server that runs the cleanup may be
   * ahead. Users and identities are kept.
   */
  cleanUp(cleanup: Cleanup): Promise<void>;
  /** Finds stored upstream tokens by the prefix of their sealed texts. */
  findUpstreamTokens(query: UpstreamTokenQuery): Promise<readonly StoredUpstreamToken[]>;
  /**
   * Replaces each token, unless it is no longer the stored one or a recheck may be in progress. A recheck may
   * be in progress if the next one is due within twice the lease duration, because a lease may be acquired a
   * while after `now`.
   */
  replaceUpstreamTokens(replacement: UpstreamTokenReplacement): Promise<void>;
}
