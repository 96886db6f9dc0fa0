/**
 * Google as an identity provider: an OpenID Connect provider (`createOidcProvider`) with Google's security
 * events and its reconsent page, and without back-channel logout.
 */

import { rejectUnknownOptions } from '../oauth/errors.ts';
import type { TokenIdentifiers } from '../oauth/identifiers.ts';
import { parseBuiltInOptions, resolveBaseUrl } from './config.ts';
import { createIssuer } from './issuer.ts';
import { createOidcProvider } from './oidc.ts';
import type { IdentityProvider } from './provider.ts';
import { computeGoogleTokenIdentifiers, readGoogleEvent } from './security-events/google.ts';

/** The options of {@link google}. */
export interface GoogleOptions {
  /**
   * The client ID of an OAuth client of the type "Web application", such as
   * `123.apps.googleusercontent.com`. Not secret. `<issuer>/callback/google` must be one of its authorized
   * redirect URIs.
   */
  readonly clientId: string;
  /** The client secret from the Google Cloud console. Secret. */
  readonly clientSecret: string;
  /** Origin of a fake provider on loopback, for development. Default: `https://accounts.google.com`. */
  readonly baseUrl?: string;
}

/**
 * Lets users sign in with Google. The provider's ID is `google`, and the subject of its identities is the
 * Google account ID (`sub`). Google's security events are accepted at `<issuer>/events/google`.
 * @param options the client from the Google Cloud console
 * @throws ConfigurationError `providers.google.<option>` for a missing or malformed option
 * @see https://developers.google.com/identity/openid-connect/openid-connect
 * @example
 * ```ts
 * import { google } from 'assistant-auth';
 *
 * const provider = google({
 *   clientId: env.GOOGLE_CLIENT_ID,
 *   clientSecret: env.GOOGLE_CLIENT_SECRET,
 * });
 * ```
 */
export const google = ({ clientId, clientSecret, baseUrl, ...unknown }: GoogleOptions): IdentityProvider => {
  rejectUnknownOptions('providers.google.', unknown);
  const config = parseBuiltInOptions({
    id: 'google',
    displayName: 'Google',
    issuer: resolveBaseUrl('google', 'https://accounts.google.com', baseUrl),
    clientId,
    clientSecret,
    scopes: ['openid', 'email', 'profile'],
    authorizationParameters: {
      // Requests a refresh token, because Google has no `offline_access` scope. Google returns one only at a
      // user's first consent, so a sign-in without one is normal and must not overwrite the stored one.
      // Google keeps 100 refresh tokens per user and client, and silently drops the oldest.
      access_type: 'offline',
      // Not `consent`, which would return a new refresh token but also show Google's consent page at every
      // sign-in.
      prompt: 'select_account',
    },
    // Google never forces a new sign-in, and sends `auth_time` only if this is enabled for the project.
    reauthentication: { prompt: 'select_account', max_age: '0' },
    authTime: 'optional',
    singleUseRefreshTokens: false,
  });
  const { host } = new URL(config.issuer);
  // Google documents both values of `iss`, with and without `https://`:
  // https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
  const issuer = createIssuer(config, { isIssuerName: (name) => name === config.issuer || name === host });
  // Without UserInfo: Google's ID tokens contain every claim that it returns. If `name` is missing, UserInfo
  // lacks it too.
  const provider = createOidcProvider(issuer, 'https://accounts.google.com');
  return {
    ...provider,
    icon,
    handleCallback: async (...args) => withTokenIdentifiers(await provider.handleCallback(...args)),
    async validateRefreshToken(...args) {
      const result = await provider.validateRefreshToken(...args);
      return result.kind === 'active' ? withTokenIdentifiers(result) : result;
    },
    securityEvents: {
      contentType: 'application/secevent+jwt',
      read: (body, io) => readGoogleEvent(body, issuer, io),
    },
    async reconsentUrl(subject, upstreamRequest, io) {
      const url = await provider.authorizationUrl(upstreamRequest, io);
      url.searchParams.set('prompt', 'consent');
      // Skips the account chooser. Google also accepts an email address, but the broker puts no address into
      // a URL.
      url.searchParams.set('login_hint', subject);
      return url;
    },
  };
};

/**
 * Google's logo, in its four colors. The geometry is that of `google-icon` in
 * https://github.com/gilbarbara/logos (CC0-1.0), as circular arcs between whole units: it differs by less
 * than a hundredth of the width.
 * @see https://developers.google.com/identity/branding-guidelines
 */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 262">' +
  '<path fill="#4285f4" d="M131 107v48h71a60 60 0 0 1-27 43l42 31q49-47 36-122"/>' +
  '<path fill="#34a853" d="M175 198A80 80 0 0 1 56 156l-42 34a131 131 0 0 0 203 39"/>' +
  '<path fill="#fbbc05" d="M56 156a84 84 0 0 1 0-51L14 72a131 131 0 0 0 0 118"/>' +
  '<path fill="#ea4335" d="M56 105A77 77 0 0 1 181 70l37-36A130 130 0 0 0 14 72"/></svg>';

/** Adds the identifiers that Google's events can use for the refresh token, if there is one. */
const withTokenIdentifiers = async <Result extends { readonly refreshToken?: string }>(
  result: Result,
): Promise<Result & { readonly tokenIdentifiers?: TokenIdentifiers }> =>
  result.refreshToken === undefined
    ? result
    : { ...result, tokenIdentifiers: await computeGoogleTokenIdentifiers(result.refreshToken) };
