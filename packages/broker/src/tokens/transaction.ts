/** What waits sealed during a sign-in: in the consent form, then in a cookie while people are at the provider, last in a URL. */
import { list, optional, record, text, uint, type ValueOf } from '../seal/payload.ts';

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
export const consent = record({ request: authorizationRequest, csrf: text, expiresAt: uint });

export type Consent = ValueOf<typeof consent>;

/** The journey to a provider, begun after consent. */
export const transaction = record({
  request: authorizationRequest,
  /** Drawn here and not at the callback: a grant that exists already is a journey that came back twice. */
  grantId: text,
  provider: text,
  state: text,
  nonce: text,
  codeVerifier: text,
  expiresAt: uint,
  /** On a second way to the provider, who signed in on the first: all that is left to bring is a refresh token. */
  signedIn: optional(text),
});

export type Transaction = ValueOf<typeof transaction>;

/** A provider's answer that came as a form, on its way round to where the cookies are. */
export const postedAnswer = record({
  provider: text,
  /** Form-encoded, as they were posted. */
  parameters: text,
  expiresAt: uint,
});

export type PostedAnswer = ValueOf<typeof postedAnswer>;
