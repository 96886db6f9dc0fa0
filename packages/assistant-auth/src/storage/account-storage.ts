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
  readonly grantId: GrantId;
  readonly now: EpochSeconds;
  /** The new idle expiry. Storage caps it at the session's absolute expiry. */
  readonly idleExpiresAt: EpochSeconds;
}

export interface Session {
  readonly userId: UserId;
  /** The identity that signed in. If it is unlinked or moves to another user, the session ends. */
  readonly identity: IdentityKey & {
    readonly label?: string;
    /** Whether an upstream token is stored, so that the identity can be rechecked. */
    readonly hasUpstreamToken: boolean;
  };
}

/** A request for the right to recheck an identity now. */
export interface RecheckLeaseRequest extends IdentityKey {
  readonly now: EpochSeconds;
  /** How long the lease is valid. After that, another caller can acquire it. */
  readonly recheckLeaseDuration: Seconds;
}

export type RecheckLeaseOutcome =
  /** The caller must recheck the identity. No other caller gets the lease until it expires. */
  | { readonly kind: 'acquired'; readonly lease: RecheckLease }
  /** An earlier recheck confirmed the identity, and its result is still valid. */
  | { readonly kind: 'verified' }
  /** No upstream token is stored, another caller has the lease, or a recent recheck was inconclusive. */
  | { readonly kind: 'inconclusive' };

/** A user's identities, grants and sessions, including revoked ones. */
export interface Account {
  readonly createdAt: EpochSeconds;
  /** Oldest first. Those from the same second are ordered by provider and subject. */
  readonly identities: readonly LinkedIdentity[];
  /** Newest first. Those from the same second are ordered by ID. */
  readonly grants: readonly StoredGrant[];
}

export interface LinkedIdentity extends IdentityKey {
  readonly label?: string;
  readonly hasUpstreamToken: boolean;
  readonly createdAt: EpochSeconds;
  readonly lastSignInAt: EpochSeconds;
}

export interface StoredGrant {
  readonly id: GrantId;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly resource: string;
  readonly claims: UserClaims;
  /** The ID of the user's session at the provider when the user signed in (`sid`). */
  readonly sid?: string;
  /** The identity that signed in. */
  readonly identity: IdentityKey;
  readonly refreshPolicy: RefreshPolicy;
  readonly createdAt: EpochSeconds;
  readonly revokedAt?: EpochSeconds;
  /** Absent until the code is redeemed. */
  readonly use?: {
    readonly redeemedAt: EpochSeconds;
    /** When the newest token was issued, or the session was last used. */
    readonly lastUsedAt: EpochSeconds;
    readonly accessExpiresAt: EpochSeconds;
    readonly refreshIdleExpiresAt: EpochSeconds;
  };
}

/** An identity that a user adds to their account. */
export interface IdentityLink {
  readonly userId: UserId;
  /** The session in which the user adds it. If it has ended, nothing is linked. */
  readonly session: GrantId;
  readonly identity: VerifiedIdentity;
  readonly now: EpochSeconds;
}

export type IdentityLinkOutcome =
  /** Also if the user already had the identity. */
  | 'linked'
  /** The identity belongs to another user. Nothing was changed. */
  | 'linked-to-other-user'
  | 'session-ended';

export interface IdentityUnlink extends IdentityKey {
  readonly userId: UserId;
  readonly now: EpochSeconds;
}

export type IdentityUnlinkOutcome =
  /** Contains the upstream token that was stored, if any, so that it can be revoked at the provider. */
  | { readonly kind: 'unlinked'; readonly token?: StoredUpstreamToken }
  /** It is the user's only identity: without it, they could not sign in. Nothing was changed. */
  | { readonly kind: 'last-identity' }
  /** It is not an identity of this user. Nothing was changed. */
  | { readonly kind: 'unknown' };

export interface GrantRevocation {
  readonly userId: UserId;
  /** Grants of this user. Grants of other users are not changed. */
  readonly grantIds: readonly GrantId[];
  /** The reason, for the operator. */
  readonly reason: string;
  readonly now: EpochSeconds;
}

export interface UserDeletion {
  readonly userId: UserId;
  readonly actor: 'user' | 'operator';
  readonly now: EpochSeconds;
}

export type UserDeletionOutcome =
  /** Contains the upstream tokens that were stored. */
  | { readonly kind: 'deleted'; readonly tokens: readonly StoredUpstreamToken[] }
  | { readonly kind: 'unknown' };

/** An entry of the audit log. */
export interface HistoryEntry {
  readonly at: EpochSeconds;
  readonly event: string;
  /** Who did it: an `actor` of the audit log, such as `user` or `operator`. */
  readonly actor: string;
  readonly reason?: string;
  readonly clientId?: string;
  readonly provider?: string;
}

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
  /** Unlinks an identity from a user who has others, and revokes all grants of the identity. */
  unlinkIdentity(unlink: IdentityUnlink): Promise<IdentityUnlinkOutcome>;
  /** Revokes several grants of a user. */
  revokeGrants(revocation: GrantRevocation): Promise<void>;
  /**
   * Deletes a user with identities, grants and upstream tokens, and revokes the access tokens. If several
   * grants have an unexpired access token, one entry for the user replaces the entries of the grants that it
   * covers. Afterwards, only entries for the user contain the user's ID, until the next cleanup after they
   * expire.
   */
  deleteUser(deletion: UserDeletion): Promise<UserDeletionOutcome>;
}

/** The key of an identity. */
export interface IdentityKey {
  readonly provider: string;
  /** The provider's own stable ID of the user. */
  readonly subject: string;
}

/** A provider's refresh token as it is stored, sealed, and the identity that it belongs to. */
export interface StoredUpstreamToken extends IdentityKey {
  readonly sealedRefreshToken: string;
}

/**
 * The right to recheck an identity now. No other caller gets it until the lease expires. The lease is stored
 * before it is returned.
 */
export interface RecheckLease extends StoredUpstreamToken {
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
  /** Deleted together with the token. */
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** An identity that a provider verified, now or at the start of the session. */
export interface VerifiedIdentity extends IdentityKey {
  readonly label?: string;
  /** The provider's refresh token, sealed. If absent, a stored one is kept. */
  readonly sealedRefreshToken?: string;
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** Whether a grant has no refresh token, one that stays the same, or one that each use replaces. */
export type RefreshPolicy = 'none' | 'stable' | 'rotating';

/** A verified security event, and the provider that sent it. */
export interface ReceivedSecurityEvent extends Omit<SecurityEvent, 'type'> {
  readonly provider: string;
  /** The reason, for the operator. */
  readonly reason: string;
  readonly now: EpochSeconds;
}

/** `replayed`: the event was received before, and nothing was changed. */
export type SecurityEventOutcome = 'recorded' | 'replayed';

export interface SecurityEventStorage {
  /**
   * Applies the revocations of an event, and stores that it was received. An event that was received before
   * changes nothing.
   */
  recordSecurityEvent(event: ReceivedSecurityEvent): Promise<SecurityEventOutcome>;
}

export interface Cleanup {
  readonly now: EpochSeconds;
  /** Audit entries from before this time are deleted. */
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
  readonly limit: number;
}

/** The same token, resealed. */
export interface ResealedToken extends IdentityKey {
  /** The previous sealed text. It is replaced only if it is still the stored one. */
  readonly previous: string;
  readonly sealedRefreshToken: string;
}

export interface UpstreamTokenReplacement {
  readonly tokens: readonly ResealedToken[];
  readonly now: EpochSeconds;
  /**
   * How long a recheck may take. A recheck finds the token by its sealed text, so its outcome would be lost
   * if the token were replaced meanwhile.
   */
  readonly recheckLeaseDuration: Seconds;
}

export interface MaintenanceStorage {
  /**
   * Deletes what is no longer needed: grants older than `grantRetention` without an unexpired access token
   * and without an unexpired refresh token (of a revoked grant, only the access token counts), records of
   * security events that would be rejected because of their age, expired revocations, and old audit entries.
   * Users and identities are kept.
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
