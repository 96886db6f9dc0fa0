/**
 * The part of the storage port that the account page stands on: sessions, what is stored of a person, and what they change
 * about it. As everywhere in the port every method is one round trip and decides atomically.
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

/** A session is a grant of `accountClientId` that was redeemed. */
export interface SessionActivity {
  readonly grantId: GrantId;
  readonly now: EpochSeconds;
  /** Where the idle expiry moves to; the ledger caps it at the session's absolute expiry. */
  readonly idleExpiresAt: EpochSeconds;
}

export interface Session {
  readonly userId: UserId;
  /** With whom the person signed in. Once it was unlinked, or became another user's, the session is gone. */
  readonly identity: IdentityKey & {
    readonly label?: string;
    /** Whether a token of the provider's is stored, so that it can be asked. */
    readonly hasUpstreamToken: boolean;
  };
}

/** Whether somebody may ask a provider about an identity now. */
export interface RecheckLeaseRequest extends IdentityKey {
  readonly now: EpochSeconds;
  /** How long whoever is told so has for it, before another is told. */
  readonly recheckLeaseDuration: Seconds;
}

export type RecheckLeaseOutcome =
  /** The provider is to be asked, by this caller and no other. */
  | { readonly kind: 'acquired'; readonly lease: RecheckLease }
  /** It was asked, said that the person's grant there lives, and that word still holds. */
  | { readonly kind: 'verified' }
  /** It cannot be asked, somebody else asks it now, or it was asked and gave no clear word. */
  | { readonly kind: 'inconclusive' };

/** All that is stored of a person, ended grants and sessions included. */
export interface Account {
  readonly createdAt: EpochSeconds;
  /** The oldest first; of one second, by provider and subject. */
  readonly identities: readonly LinkedIdentity[];
  /** The newest first; of one second, by id. */
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
  /** The session at the provider that it began in, as the provider calls it. */
  readonly sid?: string;
  /** Who signed in for it. */
  readonly identity: IdentityKey;
  readonly refreshPolicy: RefreshPolicy;
  readonly createdAt: EpochSeconds;
  readonly revokedAt?: EpochSeconds;
  /** Nothing until the code is redeemed. */
  readonly use?: {
    readonly redeemedAt: EpochSeconds;
    /** When its newest token was issued. */
    readonly lastUsedAt: EpochSeconds;
    readonly accessExpiresAt: EpochSeconds;
    readonly refreshIdleExpiresAt: EpochSeconds;
  };
}

/** An identity that a person adds to those that they sign in with. */
export interface IdentityLink {
  readonly userId: UserId;
  /** In which they ask for it; nothing is linked once it has ended. */
  readonly session: GrantId;
  readonly identity: VerifiedIdentity;
  readonly now: EpochSeconds;
}

export type IdentityLinkOutcome =
  /** Also when it was theirs already. */
  | 'linked'
  /** It belongs to another user. Nothing was changed. */
  | 'linked-to-other-user'
  | 'session-ended';

export interface IdentityUnlink extends IdentityKey {
  readonly userId: UserId;
  readonly now: EpochSeconds;
}

export type IdentityUnlinkOutcome =
  /** With the provider's token that was stored, if any: nobody needs it any longer. */
  | { readonly kind: 'unlinked'; readonly token?: StoredUpstreamToken }
  /** It is the only one: without it nobody could sign in. Nothing was changed. */
  | { readonly kind: 'last-identity' }
  /** It is not one of theirs. Nothing was changed. */
  | { readonly kind: 'unknown' };

export interface GrantRevocation {
  readonly userId: UserId;
  /** Of this user; others are left alone. */
  readonly grantIds: readonly GrantId[];
  /** Kept for the operator. */
  readonly reason: string;
  readonly now: EpochSeconds;
}

export interface UserDeletion {
  readonly userId: UserId;
  readonly actor: 'user' | 'operator';
  readonly now: EpochSeconds;
}

export type UserDeletionOutcome =
  /** With the providers' tokens that were stored. */
  | { readonly kind: 'deleted'; readonly tokens: readonly StoredUpstreamToken[] }
  | { readonly kind: 'unknown' };

/** Something that happened, as the audit has it. */
export interface HistoryEntry {
  readonly at: EpochSeconds;
  readonly event: string;
  /** Who did it. */
  readonly actor: string;
  readonly reason?: string;
  readonly clientId?: string;
  readonly provider?: string;
}

export interface AccountStorage {
  /** Carries a session on; `undefined` when it has ended, by whatever means. */
  useSession(use: SessionActivity): Promise<Session | undefined>;
  /** Takes the turn to ask a provider about an identity, as `refresh` does. */
  acquireRecheckLease(request: RecheckLeaseRequest): Promise<RecheckLeaseOutcome>;
  /** Reads what is stored of a user. */
  readAccount(userId: UserId): Promise<Account | undefined>;
  /** Reads what the audit says of a user, the newest first; nothing where no audit is kept. */
  readHistory(userId: UserId): Promise<readonly HistoryEntry[]>;
  /** Finds whose identity it is. */
  findUser(identity: IdentityKey): Promise<UserId | undefined>;
  /** Adds an identity to a user; whoever has it already keeps it. */
  linkIdentity(link: IdentityLink): Promise<IdentityLinkOutcome>;
  /** Removes an identity from a user who has others, and revokes all grants of the user that are based on it. */
  unlinkIdentity(unlink: IdentityUnlink): Promise<IdentityUnlinkOutcome>;
  /** Revokes several grants of a user. */
  revokeGrants(revocation: GrantRevocation): Promise<void>;
  /**
   * Deletes a user with identities, grants and upstream tokens, and revokes the access tokens. If several grants have an unexpired access
   * token, one line for the user replaces all lines of the grants. Otherwise nothing that is stored contains the user's ID.
   */
  deleteUser(deletion: UserDeletion): Promise<UserDeletionOutcome>;
}

// What the storage port calls the parts of an identity: its key, its token, and all that a provider brings of it.

/** The key of an identity. */
export interface IdentityKey {
  readonly provider: string;
  /** The provider's own stable key of the person. */
  readonly subject: string;
}

/** A provider's refresh token as it is stored, sealed, and the identity that it belongs to. */
export interface StoredUpstreamToken extends IdentityKey {
  readonly sealedRefreshToken: string;
}

/** The right to recheck an identity now. No other caller gets it until the lease expires. The lease was stored before it was returned. */
export interface RecheckLease extends StoredUpstreamToken {
  /** Whether an earlier recheck with this token started but its outcome was never stored, so the provider may have replaced the token. */
  readonly isUnresolved: boolean;
  /** When the lease was acquired. */
  readonly startedAt: EpochSeconds;
}

/** A token as it is stored anew. */
export interface NewUpstreamToken extends StoredUpstreamToken {
  /** They go when the token goes. */
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** An identity as a provider vouched for it just now. */
export interface VerifiedIdentity extends IdentityKey {
  readonly label?: string;
  /** The provider's refresh token, sealed; when absent a stored one stays. */
  readonly sealedRefreshToken?: string;
  readonly tokenIdentifiers?: TokenIdentifiers;
}

/** How refresh tokens of a grant behave: none issued, the same one for ever, or a new one at each use. */
export type RefreshPolicy = 'none' | 'stable' | 'rotating';

// The part of the storage port that providers' signals stand on: what they have said before, and what ends because they said it.

/** A signal that was verified, and whose it is. */
export interface ReceivedSecurityEvent extends Omit<SecurityEvent, 'type'> {
  readonly provider: string;
  /** Kept for the operator. */
  readonly reason: string;
  readonly now: EpochSeconds;
}

/** `replayed`: it was received before; nothing was changed. */
export type SecurityEventOutcome = 'recorded' | 'replayed';

export interface SecurityEventStorage {
  /** Ends what a signal ends, each grant as `revoke` does, and remembers that it came. */
  recordSecurityEvent(event: ReceivedSecurityEvent): Promise<SecurityEventOutcome>;
}
