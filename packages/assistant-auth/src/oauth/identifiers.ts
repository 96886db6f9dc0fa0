/**
 * The basic types of the broker: users, grants, identities, reserved IDs, time, and the security events of
 * providers.
 */

/**
 * The ID of a user: opaque, 1 to 255 bytes. By default, the broker generates it (base64url, 22 characters);
 * otherwise, `resolveUser` returns it. OAuth clients never receive it; APIs that use introspection do, as
 * `sub`.
 */
export type UserId = string;

/**
 * The ID of a grant: the family of all tokens that are issued from one consent. base64url, 22 characters. Not
 * secret.
 */
export type GrantId = string;

/**
 * The identifiers that a provider's events can use for a refresh token. The token cannot be derived from
 * them.
 */
export type TokenIdentifiers = readonly [name: string, other?: string];

/** What a provider verified about the user who signed in. */
export interface Identity {
  /** The ID of the provider, for example `google`. */
  readonly provider: string;
  /** The provider's stable ID of the user, 1 to 255 characters. Never an email address. */
  readonly subject: string;
  /**
   * A name or an email address of the user, at most 320 characters. For display only, never a key. Absent if
   * it would be invisible, for example only whitespace.
   */
  readonly label?: string;
  /**
   * The user's email address, at most 320 characters. Absent if the provider sent none, or only invisible
   * characters. Do not look up users by it: an address can be given to another person.
   */
  readonly email?: string;
  /** Whether the provider asserts that it has verified the email address. Default: false. */
  readonly emailVerified: boolean;
  /**
   * The provider's refresh token, if this sign-in returned one that outlives the user's session there. A
   * secret.
   */
  readonly refreshToken?: string;
  /** Identifiers of that token, if events of the provider use them. */
  readonly tokenIdentifiers?: TokenIdentifiers;
  /**
   * The provider's ID of the session that the user signed in with, at most 255 characters. Absent if the
   * provider sends no valid one.
   */
  readonly sid?: string;
  /**
   * All verified claims as the provider sent them, for `resolveUser` (Google `hd`, Entra `tid`): those of the
   * ID token, completed from UserInfo. For an OAuth 2.0 provider, the profile.
   */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * A few facts about a user that are sealed into every access token, such as a plan or a role. At most 512
 * bytes of JSON. A change takes effect at the next sign-in, or with `refreshUser` at the next refresh.
 */
export type UserClaims = Readonly<Record<string, string | number | boolean>>;

// Reserved IDs, which a publisher cannot use.

/**
 * The client ID of the account page. A session is a grant of this client. No token is issued from such a
 * grant.
 */
export const accountClientId = 'account';

/** Stands for all clients in an entry of the revocation list. No client has an empty ID. */
export const allClients = '';

/** Not allowed as a provider ID: the choice in the consent form that continues the session. */
export const continueChoice = 'continue';

// Units of time. Every instant in the broker is a whole number of seconds since 1970-01-01T00:00:00Z.

/** A length of time in seconds. */
export type Seconds = number;

/** A length of time in milliseconds. */
export type Milliseconds = number;

/** An instant, in seconds since the Unix epoch. */
export type EpochSeconds = number;

/** Returns the current time. Passed in, so that tests control the time. */
export type Clock = () => EpochSeconds;

// Verified security events of a provider: what they are about, and what the broker revokes because of them.

/** What a security event is about. */
export type SecurityEventTarget =
  /** An identity of the provider. */
  | {
      readonly kind: 'identity';
      /** The user's ID at the provider. */
      readonly subject: string;
    }
  /** A session at the provider. */
  | {
      readonly kind: 'session';
      /** The provider's ID of the session. */
      readonly sid: string;
      /** The user's ID at the provider. Grants are revoked only if the session belongs to this user. */
      readonly subject?: string;
    }
  /** The identity whose stored upstream token has an identifier. */
  | {
      readonly kind: 'token';
      /** One of the token's `TokenIdentifiers`. */
      readonly identifier: string;
    };

/** Which grants of the target are revoked. */
export type RevocationScope =
  /** Sessions of the account page. */
  | 'sessions'
  /** Sessions of the account page, and grants without offline access. */
  | 'online-grants'
  /** Every grant. */
  | 'grants'
  /**
   * Every grant. The stored upstream token is deleted too, unless the target is a session or the user has
   * signed in after `signedInBefore`.
   */
  | 'identity';

/** A revocation that a security event requires. */
export interface RequestedRevocation {
  /** What the event is about. */
  readonly target: SecurityEventTarget;
  /** Which grants of the target are revoked. */
  readonly revocationScope: RevocationScope;
}

/** A verified security event or logout token of a provider. */
export interface SecurityEvent {
  /** The type of the event, as the broker logs it: `logout`, `account-disabled`. */
  readonly type: string;
  /** The provider's unique ID of the event, at most 255 characters. */
  readonly jti: string;
  /**
   * The time from which the event is rejected because of its age, so that its `jti` no longer needs to be
   * stored.
   */
  readonly retainUntil: EpochSeconds;
  /** Grants of sign-ins after this time are not revoked: the user has signed in at the provider again. */
  readonly signedInBefore: EpochSeconds;
  /** What is revoked because of the event. Empty if nothing is. */
  readonly revocations: readonly RequestedRevocation[];
}
