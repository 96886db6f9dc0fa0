/** What travels in an access token. Issuer and audience are not in it: they are in its key. */
import type { EpochSeconds, GrantId, TokenIdentifiers, UserClaims, UserId } from '../oauth/identifiers.ts';
import { json, list, optional, record, text, uint, type ValueOf, variant } from '../seal/codec.ts';

export const accessToken = record({
  userId: text,
  grantId: text,
  clientId: text,
  scopes: list(text),
  claims: json<UserClaims>(),
  issuedAt: uint,
  expiresAt: uint,
});

export type AccessToken = ValueOf<typeof accessToken>;

/** Who calls a guarded API, and what they may do. */
export interface Access {
  readonly userId: UserId;
  readonly clientId: string;
  readonly grantId: GrantId;
  readonly scopes: readonly string[];
  /** What `resolveUser` said of the user; empty without one. */
  readonly claims: UserClaims;
  readonly expiresAt: EpochSeconds;
}

// What travels in an authorization code.

export const authorizationCode = record({
  grantId: text,
  clientId: text,
  redirectUri: text,
  /** Which API the tokens will be for. */
  resource: text,
  codeChallenge: optional(text),
  expiresAt: uint,
});

export type AuthorizationCode = ValueOf<typeof authorizationCode>;

// What travels in a refresh token: enough to check a request whole before storage is touched.

export const refreshToken = record({
  grantId: text,
  clientId: text,
  scopes: list(text),
  resource: text,
  generation: uint,
  expiresAt: uint,
});

export type RefreshToken = ValueOf<typeof refreshToken>;

// What the account page keeps sealed: the session in its cookie, the mark of its forms, and an identity that waits to be linked.

/** What `resolveUser` is told of the person when they go on to a client in this session: as the provider said it at the sign-in. */
interface VerifiedProfile {
  readonly email?: string;
  readonly emailVerified: boolean;
  /** The session there, so that its end ends what is gone on to in this one. */
  readonly sid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export const session = record({
  grantId: text,
  /** When the person proved to the provider who they are. */
  signedInAt: uint,
  expiresAt: uint,
  /** Left out where it would not fit a cookie: then nobody goes on in this session, they sign in anew. */
  verifiedProfile: optional(json<VerifiedProfile>()),
});

export type SessionCookie = ValueOf<typeof session>;

/** A form of the account page, bound to the browser and the session that it was shown in. */
export const accountForm = record({ session: optional(text), csrf: text, expiresAt: uint });

export type AccountForm = ValueOf<typeof accountForm>;

/** An identity that a provider vouched for in a session, until the person has said that it is theirs, too. */
export const pendingLink = record({
  session: text,
  provider: text,
  subject: text,
  label: optional(text),
  sealedRefreshToken: optional(text),
  /** Of that token. */
  tokenIdentifiers: optional(json<TokenIdentifiers>()),
  expiresAt: uint,
});

export type PendingLink = ValueOf<typeof pendingLink>;

// What waits sealed during a sign-in: in the consent form, then in a cookie while people are at the provider, last in a URL.

/** A verified authorization request, as a client asked it. */
export const authorizationRequest = record({
  clientId: text,
  redirectUri: text,
  /** The client's own, given back unchanged. */
  state: optional(text),
  scopes: list(text),
  resource: text,
  codeChallenge: optional(text),
});

export type AuthorizationRequest = ValueOf<typeof authorizationRequest>;

/** The consent form: the request, bound to the browser that was shown it. */
export const consent = record({
  request: authorizationRequest,
  csrf: text,
  expiresAt: uint,
  /** The session that the page offered to go on in: in no other may they go on. */
  session: optional(text),
});

export type Consent = ValueOf<typeof consent>;

/** What a journey is for. */
const purpose = variant({
  /** A client asks for a code. */
  authorize: record({ request: authorizationRequest }),
  /** The account page asks who is there. */
  account: record({
    /** Whom the person has to prove to be; left out, whoever they are. */
    user: optional(text),
  }),
  /** The account page asks for one more identity of the person in this session. */
  link: record({ session: text, user: text }),
});

export type TransactionPurpose = ValueOf<typeof purpose>;

/** The journey to a provider, begun after consent. */
export const transaction = record({
  purpose: purpose,
  /** Drawn here and not at the callback: a grant that exists already is a journey that came back twice. */
  grantId: text,
  provider: text,
  state: text,
  nonce: text,
  codeVerifier: text,
  startedAt: uint,
  expiresAt: uint,
  /** On a second way to the provider, who signed in on the first: all that is left to bring is a refresh token. */
  reconsentSubject: optional(text),
});

export type Transaction = ValueOf<typeof transaction>;

/** What takes the place of a transaction once its callback was handled, so that the same callback is known when it arrives again. */
export const completion = record({
  grantId: text,
  provider: text,
  purpose: variant({
    authorize: record({ clientId: text, redirectUri: text }),
    account: record({}),
    link: record({}),
  }),
  expiresAt: uint,
});

export type Completion = ValueOf<typeof completion>;

/** A provider's answer that came as a form, on its way round to where the cookies are. */
export const formPost = record({
  provider: text,
  /** Form-encoded, as they were posted. */
  parameters: text,
  expiresAt: uint,
});

export type FormPost = ValueOf<typeof formPost>;
