/** Key of a user of ours: opaque, never shown to clients in the clear. */
export type UserId = string;

/** Key of a grant: the family of all tokens issued from one consent. */
export type GrantId = string;

/** Under which a provider may speak of a refresh token that it gave; none of them tells what the token is. */
export type TokenIdentifiers = readonly [name: string, other?: string];

/** What a provider proved about the person who signed in. */
export interface Identity {
  /** Which provider vouches, for example `google`. */
  readonly provider: string;
  /** The provider's own stable key of the person; never an e-mail address. */
  readonly subject: string;
  /** How the provider shows the person (a name or an address): for display only, never a key. */
  readonly label?: string;
  readonly email?: string;
  /** True only if the provider says so; absent at the provider means false. */
  readonly emailVerified: boolean;
  /** The provider's refresh token, a secret, if this sign-in returned one that outlives the person's session there. */
  readonly refreshToken?: string;
  /** Names of that token, where the provider uses some. */
  readonly tokenIdentifiers?: TokenIdentifiers;
  /** How the provider names the session there that the person signed in with, at most 255 characters; absent where it names none. */
  readonly sid?: string;
  /**
   * All verified claims as the provider sent them, for `resolveUser` (Google `hd`, Entra `tid`): those of the ID token, completed from
   * UserInfo.
   */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Small facts about a user that travel sealed in every access token; 512 bytes of JSON at most. */
export type UserClaims = Readonly<Record<string, string | number | boolean>>;

// Names that a publisher may give to nothing, because they mean something here.

/** As a client: whose grants are sessions at the account page. No token is issued from such a grant. */
export const accountClientId = 'account';

/** As a provider: what a form says where a person goes on in their session. */
export const continueChoice = 'continue';

// Units of time. Every instant in the broker is a whole number of seconds since 1970-01-01T00:00:00Z.

/** A length of time in seconds. */
export type Seconds = number;

/** A length of time in milliseconds. */
export type Milliseconds = number;

/** An instant, in seconds since the Unix epoch. */
export type EpochSeconds = number;

/** Tells the current instant; passed in, so that tests own the time. */
export type Clock = () => EpochSeconds;

// What providers say unasked, once it was verified: whom it is about, and how much of what rests on them ends.

/** Whom a signal is about. */
export type SecurityEventTarget =
  | { readonly kind: 'identity'; readonly subject: string }
  /** A session at the provider; of one person only, if the subject is named too. */
  | { readonly kind: 'session'; readonly sid: string; readonly subject?: string }
  /** Whoever's stored token goes by this name. */
  | { readonly kind: 'token'; readonly identifier: string };

/** How much of what rests on it ends. */
export type RevocationScope =
  /** Sessions at the account page. */
  | 'sessions'
  /** Those, and grants without offline access: what was to last while the person is there. */
  | 'online-grants'
  /** Every grant. */
  | 'grants'
  /** Every grant, and the provider's stored token is forgotten, unless a session is all that is named. */
  | 'identity';

export interface RequestedRevocation {
  readonly target: SecurityEventTarget;
  readonly revocationScope: RevocationScope;
}

export interface SecurityEvent {
  /** What it is, in a word of ours that may stand in a log: `logout`, `account-disabled`. */
  readonly type: string;
  /** Its own name at the provider, which gives each one once; at most 255 characters. */
  readonly jti: string;
  /** From here on it is refused for its age, and need not be known again. */
  readonly retainUntil: EpochSeconds;
  /** Who signed in at the provider after this instant came back, and that counts more: what rests on it is left alone. */
  readonly signedInBefore: EpochSeconds;
  /** None where it asks for nothing. */
  readonly revocations: readonly RequestedRevocation[];
}
