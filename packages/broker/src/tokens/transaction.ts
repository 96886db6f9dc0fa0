/** What waits sealed during a sign-in: in the consent form, then in a cookie while people are at the provider, last in a URL. */
import { list, optional, record, text, uint, type ValueOf, variant } from '../seal/payload.ts';

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
const errand = variant({
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

export type Errand = ValueOf<typeof errand>;

/** The journey to a provider, begun after consent. */
export const transaction = record({
  errand,
  /** Drawn here and not at the callback: a grant that exists already is a journey that came back twice. */
  grantId: text,
  provider: text,
  state: text,
  nonce: text,
  codeVerifier: text,
  beganAt: uint,
  expiresAt: uint,
  /** On a second way to the provider, who signed in on the first: all that is left to bring is a refresh token. */
  signedIn: optional(text),
});

export type Transaction = ValueOf<typeof transaction>;

/** What takes the place of a transaction once its callback was handled, so that the same callback is known when it arrives again. */
export const completion = record({
  grantId: text,
  provider: text,
  errand: variant({
    authorize: record({ clientId: text, redirectUri: text }),
    account: record({}),
    link: record({}),
  }),
  expiresAt: uint,
});

export type Completion = ValueOf<typeof completion>;

/** A provider's answer that came as a form, on its way round to where the cookies are. */
export const postedAnswer = record({
  provider: text,
  /** Form-encoded, as they were posted. */
  parameters: text,
  expiresAt: uint,
});

export type PostedAnswer = ValueOf<typeof postedAnswer>;
