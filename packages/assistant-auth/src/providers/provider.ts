/** The port behind which every identity provider stands: where to send a person, and whom it says they are. */
import type {
  Clock,
  EpochSeconds,
  Identity,
  Milliseconds,
  Seconds,
  SecurityEvent,
  TokenIdentifiers,
} from '../oauth/identifiers.ts';

/** What a provider may use of the outside world. */
export interface ProviderIo {
  readonly fetch: typeof fetch;
  readonly now: Clock;
  /** Whether plain http to a loopback issuer is allowed: true only when the broker itself is on loopback. */
  readonly allowLoopbackHttp: boolean;
  /** How long one request may take, until the last byte of its answer. */
  readonly timeoutMs: Milliseconds;
}

/** The values of one journey to the provider, drawn at random for it alone. */
export interface UpstreamRequest {
  /** The broker's own callback for this provider. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE verifier (RFC 7636), a secret, 43 characters. */
  readonly codeVerifier: string;
  /** The person must prove themselves anew, and not before this instant. Left out: any sign-in will do. */
  readonly reauthenticate?: { readonly since: EpochSeconds };
}

/** One identity provider. `createBroker` is given a list of them. */
export interface IdentityProvider {
  /** Stands in the callback path and in stored identities: lower-case letters, digits and hyphens; not `continue`. */
  readonly id: string;
  /** The name on the button: `Google`. */
  readonly displayName: string;
  /**
   * An SVG beside the name on the button: the vendor's own and unaltered, where its rules for its brand allow that. Left out: the
   * name alone.
   */
  readonly icon?: string;
  /** Every URL that the settings name, so that `createBroker` can refuse an http one at the start. */
  readonly configuredUrls: readonly string[];
  /** How it sends people back: in the callback's query, or in a form that the browser posts there. */
  readonly responseMode: 'query' | 'form_post';
  /**
   * Error codes of its token endpoint that, in answer to a refresh, mean that the person's grant there has ended. Any other
   * error says something about us, or about the provider's health, and nothing about the person.
   */
  readonly revokedErrors: readonly string[];
  /**
   * Whether a refresh token can become invalid when it is used, because the provider issues a new one. If so, a rejected token proves
   * nothing if an earlier response was lost. Default: `true`.
   */
  readonly singleUseRefreshTokens?: boolean;
  /** How long its word on a person holds: no sooner is it asked again. */
  readonly recheckInterval: Seconds;
  /**
   * Builds the URL that the browser is sent to.
   * @throws ProviderError `unavailable` when the provider's metadata cannot be read, `invalid` when they do not verify
   */
  authorizationUrl(upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<URL>;
  /**
   * Exchanges the provider's answer for a fully verified identity. Its refresh token must outlive the person's session there, because
   * `check` uses it, and a token that expires with the session would sign the person out.
   * @param answer the callback URL with the provider's parameters, however they came
   * @throws ProviderError `denied` when the person refused, `unavailable` when the provider did not answer in
   *   time or with a server error, `invalid` for everything that does not verify
   */
  handleCallback(callbackUrl: URL, upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<Identity>;
  /**
   * Builds the URL for somebody who has just signed in without a refresh token, where one can be had by asking again; left out
   * where it cannot.
   * @throws ProviderError as `buildAuthorizationUrl`
   */
  reconsentUrl?(subject: string, upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<URL>;
  /**
   * Asks whether a person's grant there still lives. It never throws: what is no clear word is `unknown`.
   * @param refreshToken the newest that the provider gave for this person, a secret
   */
  validateRefreshToken(refreshToken: string, io: ProviderIo): Promise<RecheckResult>;
  /**
   * Revokes a refresh token there, for it is no longer needed; a dead one is no error. It does nothing where the provider's
   * metadata name no endpoint for it, and is left out where there can be none.
   * @param refreshToken a secret
   * @throws ProviderError `unavailable` or `invalid`, as `handleCallback`
   */
  revoke?(refreshToken: string, io: ProviderIo): Promise<void>;
  /**
   * Reads a logout token (OpenID Connect Back-Channel Logout 1.0); left out where the provider sends none.
   * @throws SecurityEventError for a token that is not to be believed, ProviderError when that cannot be told
   */
  readLogoutToken?(token: string, io: ProviderIo): Promise<SecurityEvent>;
  /** Reads the provider's security events; left out where it sends none. */
  readonly securityEvents?: SecurityEventReader;
}

/** How a provider's security events are read. */
export interface SecurityEventReader {
  /** The type of the body in which one is posted. */
  readonly contentType: string;
  /** @throws SecurityEventError for an event that is not to be believed, ProviderError when that cannot be told */
  read(body: string, io: ProviderIo): Promise<SecurityEvent>;
}

/** What a provider says of a person who signed in before. */
export type RecheckResult =
  /** With a refresh token, a secret, and its names when the provider has replaced the one that was asked with. */
  | { readonly kind: 'active'; readonly refreshToken?: string; readonly tokenIdentifiers?: TokenIdentifiers }
  /** Signed out, withdrawn or deleted there: the grants that rest on it end. */
  | { readonly kind: 'revoked' }
  /**
   * It speaks of us or of the provider's health, not of the person. The reason is for the log and holds no secret.
   * `isTokenUnchanged`: no request was sent, or the provider rejected it, so the provider can't have replaced the refresh token.
   * Default: not known.
   */
  | { readonly kind: 'unknown'; readonly reason: string; readonly isTokenUnchanged?: boolean };

/** Why a provider did not vouch. The reason is for the log, never for a client. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly kind: 'denied' | 'unavailable' | 'invalid';

  constructor(kind: ProviderError['kind'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.kind = kind;
  }
}

// What a provider said of a person becomes an identity.

/** Who it is in the provider's words; of the rest, what is no readable text is left out. */
export interface ProviderProfile {
  /** The provider's own stable key of the person. */
  readonly subject: string;
  /** The first of them that is a text is how the person is shown. */
  readonly labels: readonly unknown[];
  readonly email?: unknown;
  /** Whether the provider says that the address is theirs. */
  readonly emailVerified?: boolean;
  /** The session there that the person signed in with, if it has a name. */
  readonly sid?: unknown;
}

/** OpenID Connect Core §2; names of sessions are held to the same. */
const maxSubjectLength = 255;
/** Longer than any address (RFC 5321 §4.5.3.1) and than any name that a page could show. */
const maxLabelLength = 320;

/** @throws ProviderError `invalid` for a subject that is no text, empty or too long to be one */
export const createIdentity = (
  provider: string,
  profile: ProviderProfile,
  claims: Identity['claims'],
  refreshToken: string | undefined,
): Identity => {
  const { subject, labels, emailVerified = false } = profile;
  if (!isSubject(subject)) throw new ProviderError('invalid', 'the subject is no text, empty or too long');
  const email = parseLabel(profile.email);
  const sid = isSubject(profile.sid) ? profile.sid : undefined;
  const label = labels.map(parseLabel).find((text) => text !== undefined);
  return {
    provider,
    subject,
    emailVerified: emailVerified && email !== undefined,
    claims,
    ...(label === undefined ? {} : { label }),
    ...(email === undefined ? {} : { email }),
    ...(sid === undefined ? {} : { sid }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
  };
};

/** A number would be rounded on its way, and neighbours become one person; half a character is another one in storage. */
const isSubject = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= maxSubjectLength && value.isWellFormed();

/** Gives a text that may be shown; `undefined` for what is none, is empty, too long or cut within a character, which nothing seals. */
export const parseLabel = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= maxLabelLength && value.isWellFormed()
    ? value
    : undefined;
