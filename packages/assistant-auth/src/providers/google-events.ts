/**
 * Google's security events about user accounts, for the option `securityEvents` of `google`.
 * @module
 */

import type { TokenIdentifiers } from '../oauth/identifiers.ts';
import type { GoogleSecurityEvents } from './google.ts';
import { computeGoogleTokenIdentifiers, readGoogleEvent } from './security-events/google.ts';

/**
 * Lets the broker receive Google's security events (Cross-Account Protection, RISC), so that it learns at
 * once that a user revoked access or that an account was disabled. Register `<issuer>/events/google` with
 * Google: it sends no events otherwise.
 *
 * An event for a single refresh token does not say whose token it is. So the broker also stores digests of
 * the identifiers of each refresh token that it receives from Google from then on.
 * @see https://developers.google.com/identity/protocols/risc
 * @see RFC 8417, RFC 8935
 * @example
 * ```ts
 * import { google } from 'assistant-auth';
 * import { googleSecurityEvents } from 'assistant-auth/google-events';
 *
 * const provider = google({
 *   clientId: env.GOOGLE_CLIENT_ID,
 *   clientSecret: env.GOOGLE_CLIENT_SECRET,
 *   securityEvents: googleSecurityEvents(),
 * });
 * ```
 */
export const googleSecurityEvents = (): GoogleSecurityEvents => ({
  kind: 'google-security-events',
  extendProvider: (provider, issuer) => ({
    handleCallback: async (...args) => withTokenIdentifiers(await provider.handleCallback(...args)),
    async validateRefreshToken(...args) {
      const result = await provider.validateRefreshToken(...args);
      return result.kind === 'active' ? withTokenIdentifiers(result) : result;
    },
    securityEvents: {
      contentType: 'application/secevent+jwt',
      read: (body, io) => readGoogleEvent(body, issuer, io),
    },
  }),
});

/** Adds the identifiers that Google's events can use for the refresh token, if there is one. */
const withTokenIdentifiers = async <Result extends { readonly refreshToken?: string }>(
  result: Result,
): Promise<Result & { readonly tokenIdentifiers?: TokenIdentifiers }> =>
  result.refreshToken === undefined
    ? result
    : { ...result, tokenIdentifiers: await computeGoogleTokenIdentifiers(result.refreshToken) };
