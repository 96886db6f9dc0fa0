/**
 * Defines what each sealed value contains: tokens, codes, cookies and forms. The issuer, and the audience of
 * an access token, are not fields, because the keys are derived from them.
 */
import type { TokenIdentifiers, UserClaims } from '../oauth/identifiers.ts';
import {
  flag,
  json,
  list,
  optional,
  record,
  text,
  trailingFlag,
  uint,
  type ValueOf,
  variant,
} from '../seal/codec.ts';

export const accessToken = record({
  userId: text,
  grantId: text,
  clientId: text,
  scopes: list(text),
  claims: json<UserClaims>(),
  issuedAt: uint,
  expiresAt: uint,
  /** See `isChatGptMcpClient` in `clients/chatgpt.ts`. */
  isChatGptMcpClient: trailingFlag,
});

export type AccessToken = ValueOf<typeof accessToken>;

export const authorizationCode = record({
  grantId: text,
  clientId: text,
  redirectUri: text,
  /** The API that the tokens are for (RFC 8707). */
  resource: text,
  codeChallenge: optional(text),
  expiresAt: uint,
});

export type AuthorizationCode = ValueOf<typeof authorizationCode>;

// Contains enough to check every parameter of the refresh request before storage is accessed.

export const refreshToken = record({
  grantId: text,
  clientId: text,
  scopes: list(text),
  resource: text,
  /**
   * The provider that the user signed in with. While it is not in the configuration, the token cannot be
   * used.
   */
  provider: text,
  generation: uint,
  expiresAt: uint,
  /**
   * Whether a refresh requires a client assertion, because the code or an earlier refresh token was used with
   * one.
   */
  requiresAssertion: trailingFlag,
});

export type RefreshToken = ValueOf<typeof refreshToken>;

// The account page: its session cookie, its forms, and an identity that is not linked yet.

/**
 * What `resolveUser` gets if the user continues to a client in this session: the profile that the provider
 * returned at the sign-in.
 */
interface VerifiedProfile {
  readonly email?: string;
  readonly emailVerified: boolean;
  /**
   * The session ID at the provider, so that a logout there can also revoke grants that were created in this
   * session.
   */
  readonly sid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export const session = record({
  grantId: text,
  /**
   * When the user authenticated: the `auth_time` of the ID token if it has one, otherwise the time of the
   * callback.
   */
  signedInAt: uint,
  expiresAt: uint,
  /**
   * Absent if it would not fit into a cookie. Then the user cannot continue to a client in this session, and
   * has to sign in at the provider.
   */
  verifiedProfile: optional(json<VerifiedProfile>()),
});

export type SessionCookie = ValueOf<typeof session>;

/** A form of the account page, bound to the browser and the session that it was shown in. */
export const accountForm = record({ session: optional(text), csrf: text, expiresAt: uint });

export type AccountForm = ValueOf<typeof accountForm>;

/** An identity that a provider verified during a session, until the user confirms the link. */
export const pendingLink = record({
  session: text,
  provider: text,
  /** The namespace of the provider that verified the identity. The configuration can change afterward. */
  subjectNamespace: text,
  subject: text,
  label: optional(text),
  sealedRefreshToken: optional(text),
  /** Identifiers of that token. */
  tokenIdentifiers: optional(json<TokenIdentifiers>()),
  expiresAt: uint,
});

export type PendingLink = ValueOf<typeof pendingLink>;

// A sign-in in progress: in the consent form, in a cookie while the user is at the provider, or in a URL.

/** A verified authorization request (RFC 6749 §4.1.1). */
export const authorizationRequest = record({
  clientId: text,
  redirectUri: text,
  /** Returned to the client unchanged. */
  state: optional(text),
  scopes: list(text),
  resource: text,
  codeChallenge: optional(text),
  /**
   * `max_age` (OpenID Connect Core §3.1.2.1): how long ago the user can have authenticated, in seconds. 0
   * with `prompt=login`: the user must authenticate again. Absent if the client accepts any sign-in.
   */
  maxAge: optional(uint),
  /** Whether the provider must show its account chooser (`prompt=select_account`). */
  selectAccount: flag,
});

export type AuthorizationRequest = ValueOf<typeof authorizationRequest>;

/** The consent form: the request, bound to the browser that the form was shown to. */
export const consent = record({
  request: authorizationRequest,
  csrf: text,
  expiresAt: uint,
  /** The session that the page offered to continue. The form cannot continue another one. */
  session: optional(text),
});

export type Consent = ValueOf<typeof consent>;

/** What a login transaction is for. */
const purpose = variant({
  /** A client requests an authorization code. */
  authorize: record({ request: authorizationRequest }),
  /** A user signs in to the account page. */
  account: record({
    /** The ID of the user that the identity must belong to. Default: any user. */
    user: optional(text),
  }),
  /** A signed-in user adds an identity to the account. */
  link: record({ session: text, user: text }),
});

export type TransactionPurpose = ValueOf<typeof purpose>;

/** A login transaction: one authorization request to a provider, until its callback. */
export const transaction = record({
  purpose,
  /**
   * Generated before the callback, so that a repeated callback finds the grant of the first one. A reconsent
   * request keeps the ID of the grant that already exists.
   */
  grantId: text,
  provider: text,
  state: text,
  nonce: text,
  codeVerifier: text,
  startedAt: uint,
  expiresAt: uint,
  /**
   * In a reconsent request, the subject that signed in with the first request. Only the refresh token of the
   * response is used.
   */
  reconsentSubject: optional(text),
});

export type Transaction = ValueOf<typeof transaction>;

/**
 * Replaces a transaction after its callback was handled, with success or not, so that the same callback is
 * recognized if it arrives again.
 */
export const completion = record({
  grantId: text,
  provider: text,
  purpose: variant({
    authorize: record({ clientId: text, redirectUri: text }),
    account: record({}),
    link: record({}),
  }),
  expiresAt: uint,
  /** The reason of the error if the sign-in failed. */
  failure: optional(text),
});

export type Completion = ValueOf<typeof completion>;

/**
 * A provider response that arrived as a form post, until the browser sends it again in a GET request, with
 * its cookies.
 */
export const formPost = record({
  provider: text,
  /** The posted parameters, form-encoded. */
  parameters: text,
  expiresAt: uint,
});

export type FormPost = ValueOf<typeof formPost>;
