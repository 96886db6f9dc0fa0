/**
 * The operator's queries: users, grants, providers, the audit log, statistics, and what still needs a sealing
 * key. Only the results of `findIdentities` contain names or email addresses; the others identify users by
 * ID.
 */
import type { EpochSeconds, GrantId, UserId } from '../../oauth/identifiers.ts';
import type { RefusalCount } from '../broker-storage.ts';
import type { AuditActor, AuditEventName } from './statements.ts';

/**
 * The operator's queries on the storage's database. Only `revokeAll`, `revokeProvider` and `acceptProvider`
 * change anything.
 */
export interface StorageAdmin {
  /**
   * Reads the clock of the database, which agrees with the deployment's. The clock of the operator's computer
   * may not.
   */
  readClock(): Promise<EpochSeconds>;
  /**
   * Reads users, newest first.
   * @param page the part of the list to read
   * @param now the current time, from `readClock`
   */
  listUsers(page: Pagination, now: EpochSeconds): Promise<readonly UserSummary[]>;
  /**
   * Finds identities by what their provider shows for the person (`FoundIdentity.label`), whose case is
   * ignored. Reads all identities. The results contain email addresses and names.
   * @param text the text to find, or a part of it. Nothing is found for an empty text
   * @param page the part of the list to read: exact matches first, then the newest sign-ins
   * @param now the current time, from `readClock`
   */
  findIdentities(text: string, page: Pagination, now: EpochSeconds): Promise<readonly FoundIdentity[]>;
  /**
   * Reads a user's grants and sessions, newest first. Returns `undefined` if the user does not exist.
   * @param userId the ID of the user
   * @param now the current time, from `readClock`
   */
  listGrants(userId: UserId, now: EpochSeconds): Promise<readonly GrantSummary[] | undefined>;
  /**
   * Reads identities that have active grants but no upstream token, so they cannot be rechecked. Ordered by
   * last sign-in, oldest first.
   * @param page the part of the list to read
   * @param now the current time, from `readClock`
   */
  listIdentitiesWithoutUpstreamToken(
    page: Pagination,
    now: EpochSeconds,
  ): Promise<readonly IdentityWithoutUpstreamToken[]>;
  /**
   * Reads the audit log, newest first.
   * @param page the part of the log to read
   * @param userId reads only entries about this user. Default: all entries
   */
  listAuditEntries(page: Pagination, userId?: UserId): Promise<readonly AuditEntry[]>;
  /**
   * Reads the number of users and active grants, and the sign-ins and refused requests of each day. Reads all
   * users, grants and audit entries.
   * @param days the number of days in UTC, at least 1. Today is the last
   * @param now the current time, from `readClock`
   */
  readStatistics(days: number, now: EpochSeconds): Promise<Statistics>;
  /**
   * Reads what may still need each key in a ring, in the order of the ring. A key can be retired when nothing
   * needs it.
   * @param query the keys and the current time
   */
  readKeyUsage(query: KeyUsageQuery): Promise<readonly KeyUsage[]>;
  /**
   * Reads the providers that users have signed in with, whether they are configured or not. Ordered by ID.
   */
  listProviders(): Promise<readonly ProviderSummary[]>;
  /**
   * Revokes all grants and sessions, and with an entry of the revocation list all access tokens that were
   * issued until now, also those of grants that are not in the database, as after a restored backup. Of a
   * server whose clock is ahead, that includes tokens of the next five minutes at most, and only if the database
   * has the newest of them. All users sign in again. Users, identities and upstream tokens stay.
   * @param reason the reason, for the audit log
   * @param now the current time, from `readClock`
   * @returns the number of grants and sessions that were revoked
   */
  revokeAll(reason: string, now: EpochSeconds): Promise<number>;
  /**
   * Revokes all grants of the identities of a provider, and deletes their upstream tokens, whether the
   * provider is configured or not. Appends an entry to the revocation list for each grant with an access
   * token that has not expired, or that expired less than `cleanupMargin` ago, or one entry for the user
   * instead of several. The identities stay: if the provider is configured, their users can sign in again.
   * @param provider the ID of the provider
   * @param reason the reason, for the audit log
   * @param now the current time, from `readClock`
   */
  revokeProvider(provider: string, reason: string, now: EpochSeconds): Promise<ProviderRevocation>;
  /**
   * Replaces the stored namespace of a provider with the one that was refused last, so that sign-ins work
   * again, and deletes the upstream tokens of its identities, because they are from the previous issuer.
   * Returns `undefined`, and changes nothing, if that namespace was not refused, or not last.
   * @param provider the ID of the provider
   * @param subjectNamespace the namespace that was refused. A different one can have been refused since the
   *   operator last looked.
   * @param now the current time, from `readClock`
   */
  acceptProvider(
    provider: string,
    subjectNamespace: string,
    now: EpochSeconds,
  ): Promise<AcceptedProvider | undefined>;
}

/** A provider that users have signed in with. */
export interface ProviderSummary {
  /** The ID of the provider. */
  readonly id: string;
  /** The namespace that the subjects of its identities belong to. */
  readonly subjectNamespace: string;
  /** The number of its identities. */
  readonly identities: number;
  /** The namespace that was refused last. Absent if none was. */
  readonly refusedNamespace?: string;
  /** When that namespace was first refused. */
  readonly refusedAt?: EpochSeconds;
}

/** What `revokeProvider` has changed. */
export interface ProviderRevocation {
  /** The number of grants and sessions that were revoked. */
  readonly grants: number;
  /** The number of upstream tokens that were deleted. */
  readonly upstreamTokens: number;
}

/** What `acceptProvider` has changed. */
export interface AcceptedProvider {
  /** The namespace that was stored before. */
  readonly previous: string;
  /** The number of upstream tokens that were deleted. */
  readonly upstreamTokens: number;
}

/** An entry of the audit log. It contains no name, email address, token or grant ID. */
export interface AuditEntry {
  /** When it happened. */
  readonly at: EpochSeconds;
  /** What happened. */
  readonly event: AuditEventName;
  /** Who did it. */
  readonly actor: AuditActor;
  /** Why it happened. For `key-rotated`, the ID of the key that seals now. */
  readonly reason?: string;
  /**
   * The user that it concerns, if any. When a user is deleted, the entries about the user are deleted too.
   */
  readonly userId?: UserId;
  /** The client that it concerns, if any. */
  readonly clientId?: string;
  /** The ID of the provider that it concerns, if any. */
  readonly provider?: string;
}

/** A grant or a session of a user. */
export interface GrantSummary {
  /** The ID of the grant. */
  readonly id: GrantId;
  /** The client that the grant is for, or `account` for a session of the account page. */
  readonly clientId: string;
  /** The redirect URI that the code was sent to. */
  readonly redirectUri: string;
  /** The scopes that the user consented to. */
  readonly scopes: readonly string[];
  /** The ID of the provider that the user signed in with. */
  readonly provider: string;
  /** When the sign-in was recorded. */
  readonly createdAt: EpochSeconds;
  /** When the newest token was issued, or the session was last used. Absent if neither has happened. */
  readonly lastUsedAt?: EpochSeconds;
  /**
   * `active`: one of its tokens can still be used. `pending`: its code has not been redeemed. `expired`: all
   * of its tokens have expired. `revoked`: it was revoked.
   */
  readonly state: 'active' | 'pending' | 'expired' | 'revoked';
  /** Why the grant was revoked. Absent if it was not. */
  readonly reason?: string;
}

/** Which part of a list to read. */
export interface Pagination {
  /** The maximum number of rows to return. */
  readonly limit: number;
  /** The number of rows to skip. */
  readonly skip: number;
}

/** An identity that cannot be rechecked although it has active grants. */
export interface IdentityWithoutUpstreamToken {
  /** The ID of the provider. */
  readonly provider: string;
  /** The user that the identity belongs to. */
  readonly userId: UserId;
  /** When the user last signed in at the provider. */
  readonly since: EpochSeconds;
  /** The number of active grants of the identity. */
  readonly activeGrants: number;
  /**
   * The time from which those grants cannot be refreshed, after an inconclusive recheck. Absent if there is
   * no limit.
   */
  readonly refreshableUntil?: EpochSeconds;
}

/** A user, without names or addresses. */
export interface UserSummary {
  /** The ID of the user. */
  readonly id: UserId;
  /** When the user first signed in. */
  readonly createdAt: EpochSeconds;
  /** The number of identities that the user can sign in with. */
  readonly identities: number;
  /** The number of grants with a token that can still be used. Includes sessions of the account page. */
  readonly activeGrants: number;
  /** When the user last signed in at a provider. Absent for a user without identities. */
  readonly lastSignInAt?: EpochSeconds;
}

/** The keys whose usage is to be read. */
export interface KeyUsageQuery {
  /** The keys of a ring, in order. The first one seals. */
  readonly keys: readonly KeyPrefixes[];
  /** The current time, from `readClock`. */
  readonly now: EpochSeconds;
}

/** A key, and how to recognize what it sealed. */
export interface KeyPrefixes {
  /** The ID of the key. */
  readonly id: string;
  /** The prefixes that a text sealed with this key can begin with, from `listSealedPrefixes`. */
  readonly prefixes: readonly string[];
}

/** What may still need one key. */
export interface KeyUsage {
  /** The ID of the key. */
  readonly id: string;
  /** The number of stored upstream tokens that it sealed. */
  readonly sealedUpstreamTokens: number;
  /**
   * The time from which it cannot have sealed anything. Absent until a cleanup has found another first key
   * after it.
   */
  readonly sealedUntil?: EpochSeconds;
  /**
   * The number of active grants that may have a token or cookie from before `sealedUntil`. 0 for the first
   * key of the ring, because it still seals: every token and cookie may need it.
   */
  readonly activeGrants: number;
  /** When the last of these grants expires, unless it is revoked before. */
  readonly lastGrantExpiresAt?: EpochSeconds;
  /**
   * The time from which every isolate has the key, so that it can be promoted. Absent until a cleanup has
   * found the key in the deployed ring, and after a cleanup that did not find it.
   */
  readonly promotableFrom?: EpochSeconds;
  /**
   * Whether it is not the first key of the ring, and no cleanup has ever found it as the first one. It may
   * have sealed nothing, or it was promoted and rolled back between two cleanups.
   */
  readonly isSealingPeriodUnknown: boolean;
}

/** An identity that `findIdentities` found. */
export interface FoundIdentity {
  /** The user that the identity belongs to. */
  readonly userId: UserId;
  /** The ID of the provider. */
  readonly provider: string;
  /**
   * What the provider shows for the person: the email address for Google, Microsoft, Apple and `oidc()`,
   * otherwise the name; for GitHub the login. Personal data, chosen by the person or the provider, and not
   * proof of who they are.
   */
  readonly label: string;
  /** When the person last signed in at the provider. */
  readonly lastSignInAt: EpochSeconds;
  /** The number of active grants of the user. Includes sessions of the account page. */
  readonly activeGrants: number;
}

/** How much the broker is used. */
export interface Statistics {
  /** The number of users. */
  readonly users: number;
  /** The number of grants with a token that can still be used. Includes sessions of the account page. */
  readonly activeGrants: number;
  /** The number of clients with active grants. Includes the account page. */
  readonly activeClients: number;
  /** The ten clients with the most active grants, in that order. */
  readonly topClients: readonly ClientUsage[];
  /** Each day, newest first. */
  readonly days: readonly DayStatistics[];
  /** The refused requests of these days, by day and reason: newest day first, then the highest count. */
  readonly refusals: readonly RefusalCount[];
}

/** The active grants of one client. */
export interface ClientUsage {
  /** The ID of the client, or `account` for sessions of the account page. */
  readonly clientId: string;
  /** The name that a client sent when it registered. Absent for a client in the configuration. */
  readonly name?: string;
  /** The number of its active grants. */
  readonly activeGrants: number;
}

/** What happened on one day. */
export interface DayStatistics {
  /** The day in UTC, `YYYY-MM-DD`. */
  readonly day: string;
  /** The number of sign-ins in the audit log, which has none of users who were deleted. */
  readonly signIns: number;
  /** The number of refused requests, as far as the processes stored their counts. */
  readonly refusals: number;
}
