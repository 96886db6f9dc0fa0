/**
 * Google as an identity provider: an OpenID Connect provider (`createOidcProvider`) with Google's reconsent
 * page, and without back-channel logout. Google's security events are opt-in (`google-events.ts`).
 */

import { rejectUnknownOptions } from '../oauth/errors.ts';
import { parseBuiltInOptions, resolveBaseUrl } from './config.ts';
import { createIssuer, type OidcIssuer } from './issuer.ts';
import { createOidcProvider } from './oidc.ts';
import type { IdentityProvider } from './provider.ts';

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
  /**
   * Google's security events, created by `googleSecurityEvents()` from `assistant-auth/google-events`. They
   * are accepted at `<issuer>/events/google`. Default: none, so the broker learns only at the next recheck
   * that an account was disabled.
   */
  readonly securityEvents?: GoogleSecurityEvents;
  /** Origin of a fake provider on loopback, for development. Default: `https://accounts.google.com`. */
  readonly baseUrl?: string;
}

/** Google's security events as an opt-in part of the provider. `googleSecurityEvents()` creates it. */
export interface GoogleSecurityEvents {
  /** Always `google-security-events`. */
  readonly kind: 'google-security-events';
  /**
   * Returns the members that replace those of the provider.
   * @internal
   */
  readonly extendProvider: (
    provider: IdentityProvider,
    issuer: OidcIssuer,
  ) => Pick<IdentityProvider, 'handleCallback' | 'validateRefreshToken' | 'securityEvents'>;
}

/**
 * Lets users sign in with Google. The provider's ID is `google`, and the subject of its identities is the
 * Google account ID (`sub`).
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
export const google = ({ baseUrl, ...options }: GoogleOptions): IdentityProvider => {
  const { clientId, clientSecret, securityEvents, ...unknown } = options;
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
    ...securityEvents?.extendProvider(provider, issuer),
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
 * Google's logo, in its four colors. The paths are those of `google-icon` in
 * https://github.com/gilbarbara/logos (CC0-1.0), with one decimal.
 * @see https://developers.google.com/identity/branding-guidelines
 */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 262">' +
  '<path fill="#4285f4" d="M255.9 133.5c0-10.8-.9-18.6-2.8-26.7H130.6v48.4h71.9c-1.5 12-9.3 30.2-26.7 42.4' +
  'l-.2 1.6 38.7 30 2.7.3c24.7-22.8 38.9-56.3 38.9-96"/>' +
  '<path fill="#34a853" d="M130.6 261.1c35.2 0 64.8-11.6 86.4-31.6l-41.2-32c-11 7.8-25.8 13.1-45.2 13.1' +
  '-34.6 0-63.9-22.8-74.3-54.2l-1.5.1-40.3 31.2-.6 1.5C35.4 231.8 79.5 261 130.6 261"/>' +
  '<path fill="#fbbc05" d="M56.3 156.4Q52 144 51.9 130.6q.1-13.6 4.2-25.9V103L15.3 71.3l-1.4.6' +
  'C5.1 89.6 0 109.5 0 130.6s5 40.9 14 58.6z"/>' +
  '<path fill="#ea4335" d="M130.6 50.5c24.5 0 41 10.6 50.4 19.4L218 34c-22.8-21-52.2-34-87.4-34' +
  'C79.5 0 35.4 29.3 13.9 72l42.2 32.7c10.6-31.4 40-54.2 74.4-54.2"/></svg>';
