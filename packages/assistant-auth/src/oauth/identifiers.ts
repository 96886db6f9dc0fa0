/** Who somebody is: the identity that a provider vouches for, and the user of ours that it stands for. */

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
