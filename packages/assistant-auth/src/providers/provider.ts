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

/** The platform functions that a provider can use. */
export interface ProviderIo {
  readonly fetch: typeof fetch;
  readonly now: Clock;
  /** Whether http to a loopback issuer is allowed. True only if the broker itself is on loopback. */
  readonly allowLoopbackHttp: boolean;
  /** How long one request can take, until the last byte of its response. */
  readonly timeoutMs: Milliseconds;
}

/**
 * The values of one authorization request to the provider. `state`, `nonce` and `codeVerifier` are random and
 * never reused.
 */
export interface UpstreamRequest {
  /** The broker's callback URL for this provider. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** The PKCE verifier (RFC 7636), 43 characters. A secret. */
  readonly codeVerifier: string;
  /**
   * Requests that the user authenticate again, not before `since`. Whether that is verified depends on the
   * provider. Default: any sign-in is accepted.
   */
  readonly reauthenticate?: { readonly since: EpochSeconds };
}

/** An identity provider. `createBroker` takes a list of them. */
export interface IdentityProvider {
  /**
   * Part of the callback path and of stored identities: lowercase letters, digits and hyphens, but not
   * `continue`.
   */
  readonly id: string;
  /** The name on the button: `Google`. */
  readonly displayName: string;
  /**
   * An SVG next to the name on the button: the provider's own logo, unaltered, if its brand rules allow that.
   * Default: only the name.
   */
  readonly icon?: string;
  /**
   * The URLs in the settings that requests are sent to. `createBroker` checks that they use https, or http on
   * loopback.
   */
  readonly configuredUrls: readonly string[];
  /**
   * How the provider returns its response: in the query of the callback, or in a form that the browser posts
   * there.
   */
  readonly responseMode: 'query' | 'form_post';
  /**
   * Error codes of the token endpoint that, in response to a refresh, mean that the user's grant at the
   * provider was revoked. Any other error is a problem with the broker or the provider, not with the user.
   */
  readonly revokedErrors: readonly string[];
  /**
   * Whether a refresh token can become invalid when it is used, because the provider issues a new one. If so,
   * a rejected token proves nothing after a lost response. Default: `true`.
   */
  readonly singleUseRefreshTokens?: boolean;
  /** How long a recheck with the result `active` is valid. The identity is not rechecked before that. */
  readonly recheckInterval: Seconds;
  /**
   * Builds the URL that the browser is sent to.
   * @throws ProviderError `unavailable` if the provider's metadata cannot be read, `invalid` if it cannot be
   *   verified
   */
  authorizationUrl(upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<URL>;
  /**
   * Exchanges the provider's response for a verified identity. The identity's refresh token must outlive the
   * user's session there, because `validateRefreshToken` uses it: if it expired with the session, the broker
   * would revoke the user's grants.
   * @param callbackUrl the callback URL with the provider's parameters in its query, however they arrived
   * @throws ProviderError `denied` if the user canceled, `unavailable` if the provider did not respond in
   *   time or had a server error, `invalid` for everything that cannot be verified
   */
  handleCallback(callbackUrl: URL, upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<Identity>;
  /**
   * Builds the URL of a reconsent request for a user who has just signed in without a refresh token. Absent
   * if a reconsent request would not return one.
   * @throws ProviderError as `authorizationUrl`
   */
  reconsentUrl?(subject: string, upstreamRequest: UpstreamRequest, io: ProviderIo): Promise<URL>;
  /**
   * Checks whether the user's grant at the provider is still active. Never throws: without a conclusive
   * response, the result is `unknown`.
   * @param refreshToken the user's newest refresh token, a secret
   */
  validateRefreshToken(refreshToken: string, io: ProviderIo): Promise<RecheckResult>;
  /**
   * Revokes a refresh token that is no longer needed. A token that is already invalid is not an error. Does
   * nothing if the provider's metadata has no revocation endpoint. Absent if the provider cannot revoke
   * tokens.
   * @param refreshToken a secret
   * @throws ProviderError `unavailable` or `invalid`, as `handleCallback`
   */
  revoke?(refreshToken: string, io: ProviderIo): Promise<void>;
  /**
   * Reads a logout token (OpenID Connect Back-Channel Logout 1.0). Absent if the provider sends none.
   * @throws SecurityEventError if the token is not valid, ProviderError if it cannot be verified now
   */
  readLogoutToken?(token: string, io: ProviderIo): Promise<SecurityEvent>;
  /** Reads the provider's security events. Absent if it sends none. */
  readonly securityEvents?: SecurityEventReader;
}

/** Reads the security events of a provider. */
export interface SecurityEventReader {
  /** The content type of the request that contains an event. */
  readonly contentType: string;
  /** @throws SecurityEventError if the event is not valid, ProviderError if it cannot be verified now */
  read(body: string, io: ProviderIo): Promise<SecurityEvent>;
}

/** The result of a recheck: whether the user's grant at the provider is still active. */
export type RecheckResult =
  /** If the provider has replaced the refresh token, contains the new one, a secret, and its identifiers. */
  | { readonly kind: 'active'; readonly refreshToken?: string; readonly tokenIdentifiers?: TokenIdentifiers }
  /**
   * The provider rejected the token with one of `revokedErrors`, for example because the user withdrew
   * consent or deleted the account there. The grants of the identity are revoked, unless the rejection proves
   * nothing (`singleUseRefreshTokens`).
   */
  | { readonly kind: 'revoked' }
  /**
   * There was no conclusive response: the problem is with the broker or the provider, not with the user. The
   * reason is for the log and contains no secret. `isTokenUnchanged`: no request was sent, or the provider
   * rejected it before it used the refresh token, so it cannot have replaced the token. Default: not known.
   */
  | { readonly kind: 'unknown'; readonly reason: string; readonly isTokenUnchanged?: boolean };

/** A request to a provider failed. The message is for the log, never for a client. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly kind: 'denied' | 'unavailable' | 'invalid';

  constructor(kind: ProviderError['kind'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.kind = kind;
  }
}
