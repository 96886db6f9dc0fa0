/** The interface of an identity provider, which authenticates users and returns verified identities. */
import type {
  Clock,
  EpochSeconds,
  Identity,
  Milliseconds,
  Seconds,
  SecurityEvent,
  TokenIdentifiers,
} from '../oauth/identifiers.ts';
import { isLoopback } from '../oauth/resource.ts';

/** The platform functions that a provider can use. */
export interface ProviderIo {
  /** Sends a request. All requests of a provider must use it, with `timeoutMs` as the limit. */
  readonly fetch: typeof fetch;
  /** Returns the current time. */
  readonly now: Clock;
  /** Whether http to a loopback issuer is allowed. True only if the broker itself is on loopback. */
  readonly allowLoopbackHttp: boolean;
  /** How long one request can take, until the last byte of its response, in milliseconds. */
  readonly timeoutMs: Milliseconds;
}

/**
 * The values of one authorization request to the provider. `state`, `nonce` and `codeVerifier` are random and
 * never reused.
 */
export interface UpstreamRequest {
  /** The broker's callback URL for this provider: `<issuer>/callback/<id>`. */
  readonly redirectUri: string;
  /**
   * The `state` parameter, which binds the response to the browser (RFC 6749 §10.12): base64url, 43
   * characters.
   */
  readonly state: string;
  /** The `nonce` that the ID token must contain (OpenID Connect Core §3.1.2.1): base64url, 43 characters. */
  readonly nonce: string;
  /** The PKCE verifier (RFC 7636), 43 characters. Secret: only its challenge is sent with the browser. */
  readonly codeVerifier: string;
  /**
   * Requests that the user authenticate again if they last did so before `since`. Whether that is verified
   * depends on the provider. Default: any sign-in is accepted.
   */
  readonly reauthenticate?: {
    /** The earliest time of authentication that is accepted. */
    readonly since: EpochSeconds;
    /**
     * The maximum time between the user's authentication and the start of the sign-in, in seconds; at least
     * 1. Default: the user must authenticate again.
     */
    readonly maxAge?: Seconds;
  };
  /**
   * Requests that the user choose an account, even if only one is signed in at the provider. The response
   * does not prove it. Default: `false`.
   */
  readonly selectAccount?: boolean;
}

/**
 * An identity provider. `createBroker` takes a list of them. `google`, `github`, `microsoft`, `apple`, `oidc`
 * and `oauth2` create one; implement the interface for a provider that follows neither specification.
 *
 * The broker calls the methods in this order: `authorizationUrl` at the start of a sign-in, `handleCallback`
 * when the browser returns, `reconsentUrl` if that returned no refresh token and none is stored, and later
 * `validateRefreshToken` and `revoke`. The broker checks `state`, the browser binding and the expiry of the
 * sign-in before `handleCallback`. The provider must check everything else in the response: at least the
 * issuer, PKCE, the nonce and the signature of an ID token.
 */
export interface IdentityProvider {
  /**
   * The ID of the provider: 1 to 32 characters a–z, 0–9 and hyphen, but not `continue`. Part of the callback
   * path and of stored identities, so it must never change.
   */
  readonly id: string;
  /** The name on the button, such as `Google`. */
  readonly displayName: string;
  /**
   * The provider's logo, shown next to the name on the button: the text of an SVG file with its `xmlns`, and
   * at most 10,000 characters. If it contains `currentColor`, it is a logo of a single color, which is shown
   * in black, or in white on a dark button. Other logos are shown unchanged, so they must be visible on light
   * and dark buttons. Use attributes such as `fill`, not styles. Scripts do not run, and external files are not
   * loaded. Default: only the name.
   */
  readonly icon?: string;
  /**
   * The namespace that the subjects belong to, such as the issuer, at most 512 characters. A subject
   * identifies the same user only within one namespace. So if it differs from the stored one, sign-ins with
   * this provider are refused until the operator accepts the new one.
   */
  readonly subjectNamespace: string;
  /**
   * The URLs in the options that requests are sent to. `createBroker` checks that they use https, or http on
   * loopback.
   */
  readonly configuredUrls: readonly string[];
  /**
   * How the provider returns its response: in the `query` of the callback, or with `form_post`, in a form
   * that the browser posts there.
   */
  readonly responseMode: 'query' | 'form_post';
  /**
   * Error codes of the token endpoint that, in response to a refresh, mean that the user's grant at the
   * provider was revoked. Any other error is a problem with the broker or the provider, not with the user.
   */
  readonly revokedErrors: readonly string[];
  /**
   * Whether a refresh token can become invalid when it is used, because the provider issues a new one. If so,
   * a token that is rejected after a response was lost proves nothing. Default: `true`.
   */
  readonly singleUseRefreshTokens?: boolean;
  /**
   * How long a recheck with the result `active` is valid, in seconds. The identity is not rechecked before
   * that.
   */
  readonly recheckInterval: Seconds;
  /**
   * Builds the URL that the browser is sent to.
   * @param upstreamRequest the values that the URL must contain
   * @param io the platform functions
   * @throws ProviderError `unavailable` if the provider's metadata cannot be read, `invalid` if it cannot be
   *   verified
   */
  authorizationUrl(upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<URL>;
  /**
   * Exchanges the provider's response for a verified identity. The identity's refresh token must outlive the
   * user's session at the provider, because `validateRefreshToken` uses it: if it expired with the session,
   * the broker would revoke the user's grants.
   * @param callbackUrl the callback URL with the provider's parameters in its query, however they arrived
   * @param upstreamRequest the values that were passed to `authorizationUrl` or `reconsentUrl`
   * @param io the platform functions
   * @throws ProviderError `denied` if the user canceled, `unavailable` if the provider did not respond in
   *   time, had a server error or limited the rate of requests, `invalid` for everything that cannot be
   *   verified
   */
  handleCallback(callbackUrl: URL, upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<Identity>;
  /**
   * Reads the response to a request for admin consent, with which an administrator gives consent for an
   * organization. It belongs to no sign-in, so the broker only shows a page. Absent if the provider has no
   * such requests.
   * @param callbackUrl the callback URL with the provider's parameters in its query, not verified
   * @returns `undefined` for any other response
   */
  readAdminConsent?(callbackUrl: URL): AdminConsent | undefined;
  /**
   * Builds the URL of a reconsent request: a second authorization request that asks the user to consent
   * again, so that the provider returns a refresh token. Called if the sign-in returned none and none is
   * stored. Absent if the provider would not return one.
   * @param subject the user's ID at the provider
   * @param upstreamRequest the values that the URL must contain
   * @param io the platform functions
   * @throws ProviderError for the same reasons as `authorizationUrl`
   */
  reconsentUrl?(subject: string, upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<URL>;
  /**
   * Checks whether the user's grant at the provider is still active. Never throws: without a conclusive
   * response, the result is `unknown`.
   * @param refreshToken the user's newest refresh token, a secret
   * @param io the platform functions, with a timeout of three seconds: a client waits for the response
   */
  validateRefreshToken(refreshToken: string, io: ProviderIo): Promise<RecheckResult>;
  /**
   * Revokes a refresh token that is no longer needed. A token that is already invalid is not an error. Does
   * nothing if the provider's metadata has no revocation endpoint. Absent if the provider cannot revoke
   * tokens.
   * @param refreshToken a secret
   * @param io the platform functions
   * @throws ProviderError `unavailable` or `invalid`, for the same reasons as `handleCallback`
   */
  revoke?(refreshToken: string, io: ProviderIo): Promise<void>;
  /**
   * Reads a logout token (OpenID Connect Back-Channel Logout 1.0). Absent if the provider sends none.
   * @param token the token that was posted to `<issuer>/backchannel-logout/<id>`, not verified yet
   * @param io the platform functions
   * @throws SecurityEventError if the token is not valid, ProviderError if it cannot be verified now
   */
  readLogoutToken?(token: string, io: ProviderIo): Promise<SecurityEvent>;
  /**
   * Reads the provider's security events, which it posts to `<issuer>/events/<id>`. Absent if it sends none.
   */
  readonly securityEvents?: SecurityEventReader;
}

/** The outcome of a request for admin consent. */
export type AdminConsent =
  /** The administrator gave consent for the organization. */
  | 'given'
  /** The administrator did not give consent. */
  | 'declined';

/** Reads the security events of a provider. */
export interface SecurityEventReader {
  /** The content type of the request that contains an event. */
  readonly contentType: string;
  /**
   * Verifies an event.
   * @param body the body of the request, not verified yet
   * @param io the platform functions
   * @throws SecurityEventError if the event is not valid, ProviderError if it cannot be verified now
   */
  read(body: string, io: ProviderIo): Promise<SecurityEvent>;
}

/** The result of a recheck: whether the user's grant at the provider is still active. */
export type RecheckResult =
  /** The user's grant at the provider is active. */
  | {
      readonly kind: 'active';
      /** The new refresh token, if the provider has replaced the one that was used. Secret. */
      readonly refreshToken?: string;
      /** The identifiers of the new token, if events of the provider use them. */
      readonly tokenIdentifiers?: TokenIdentifiers;
    }
  /**
   * The provider rejected the token with one of `revokedErrors`, for example because the user withdrew
   * consent or deleted the account there. The grants of the identity are revoked, unless the rejection proves
   * nothing (`singleUseRefreshTokens`).
   */
  | { readonly kind: 'revoked' }
  /**
   * There was no conclusive response: the problem is with the broker or the provider, not with the user.
   */
  | {
      readonly kind: 'unknown';
      /** What happened, for the log. Contains no secret. */
      readonly reason: string;
      /**
       * Whether it is certain that the provider has not replaced the refresh token: no request was sent, or
       * the provider rejected it before it used the token. Default: `false`.
       */
      readonly isTokenUnchanged?: boolean;
    };

/** A request to a provider failed. The message is for the log, never for a client. */
export class ProviderError extends Error {
  /** The name of the class. */
  override readonly name = 'ProviderError';
  /**
   * `denied`: the user canceled, or the provider refused the user. `unavailable`: the provider did not
   * respond in time, had a server error or limited the rate of requests. `invalid`: the response could not be
   * verified.
   */
  readonly kind: 'denied' | 'unavailable' | 'invalid';

  /**
   * Creates the error.
   * @param kind determines the error that the client or the user gets
   * @param reason what happened, for the log; it must contain no secret
   * @param options the underlying error as `cause`
   */
  constructor(kind: ProviderError['kind'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.kind = kind;
  }
}

/**
 * A security event or a logout token is not valid. The provider gets a 400 response whose error code depends
 * on the fault (RFC 8935 §2.4).
 */
export class SecurityEventError extends Error {
  /** The name of the class. */
  override readonly name = 'SecurityEventError';
  /** What is wrong with the event. */
  readonly fault: SecurityEventFault;

  /**
   * Creates the error.
   * @param fault what is wrong with the event
   * @param cause for the log; it contains nothing from the token
   */
  constructor(fault: SecurityEventFault, cause: string) {
    super(cause);
    this.fault = fault;
  }
}

/** What is wrong with a security event or a logout token. */
export type SecurityEventFault =
  /** It is not a signed token. */
  | 'unreadable'
  /** The provider has no key with this ID. */
  | 'key'
  /** The signature is not valid, or its algorithm is not allowed. */
  | 'signature'
  /** It is from another issuer. */
  | 'issuer'
  /** It is for another audience. */
  | 'audience'
  /** Too old, or not valid yet. */
  | 'age'
  /** It lacks required content, or has content that is not allowed. */
  | 'content';

/** @throws ProviderError `invalid` with the reason */
export const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw new ProviderError('invalid', reason);
};

/**
 * Returns whether a value is text with a visible character: not only whitespace, control characters, and
 * characters without a glyph, such as the zero-width space, a variation selector or the Hangul filler.
 */
export const isVisible = (value: unknown): value is string =>
  typeof value === 'string' && /[^\s\p{Cc}\p{Cf}\p{DI}\u2800]/u.test(value);

/**
 * Returns a URL as a subject namespace: on loopback without its port, because the ports of fake providers
 * change.
 */
export const toSubjectNamespace = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !isLoopback(url)) return text;
  url.port = '';
  return url.href;
};

/** OpenID Connect Core §2. The same limit applies to the IDs of sessions and tokens. */
const maxIdentifierLength = 255;

/** @throws ProviderError `invalid` for a subject that is not text, is empty, or is too long */
export const parseSubject = (subject: unknown): string => {
  if (isIdentifier(subject)) return subject;
  throw new ProviderError('invalid', 'the subject is not a string, is empty, or is too long');
};

/**
 * Returns whether a value can identify a user, a session or a token. Numbers are rejected because rounding
 * could merge two people into one, and lone surrogates because storage changes them.
 */
export const isIdentifier = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= maxIdentifierLength && value.isWellFormed();
