/** Google as an identity provider: data over any OpenID Connect issuer. */

import type { TokenIdentifiers } from '../oauth/identifiers.ts';
import { resolveBaseUrl } from './config.ts';
import { createIssuer } from './issuer.ts';
import { createOidcProvider } from './oidc.ts';
import type { IdentityProvider } from './provider.ts';
import { computeGoogleTokenIdentifiers, readGoogleEvent } from './security-events/google.ts';

export interface GoogleSettings {
  readonly clientId: string;
  /** A secret. */
  readonly clientSecret: string;
  /** Origin of a fake provider on loopback in development. Left out: Google itself. */
  readonly baseUrl?: string;
}

/**
 * Lets people sign in with Google.
 * @throws ConfigurationError `providers.google.<option>` for a missing or malformed setting
 * @see https://developers.google.com/identity/openid-connect/openid-connect
 */
export const google = ({ clientId, clientSecret, baseUrl }: GoogleSettings): IdentityProvider => {
  const issuer = createIssuer({
    id: 'google',
    displayName: 'Google',
    issuer: resolveBaseUrl('google', 'https://accounts.google.com', baseUrl),
    clientId,
    clientSecret,
    scopes: ['openid', 'email', 'profile'],
    authorizationParameters: {
      // Asks for a refresh token; the scope `offline_access` does not exist here. It comes only with a person's first
      // consent, so a sign-in without one is normal and must never overwrite the stored one. Google keeps 100 per person
      // and client and drops the oldest unasked.
      access_type: 'offline',
      // Not `consent`: that brings a new refresh token, and Google's own consent page, at every sign-in.
      prompt: 'select_account',
    },
    // Google makes nobody sign in again for the asking, and says when they did only where its project has that switched on.
    reauthentication: { prompt: 'select_account', max_age: '0' },
    authTime: 'optional',
    singleUseRefreshTokens: false,
    // With `access_type=offline`, Google issues long-lived refresh tokens.
    offlineAccess: 'always',
    // Google's ID tokens contain every claim that UserInfo returns: if `name` is missing, UserInfo lacks it too.
    userInfo: 'never',
  });
  const provider = createOidcProvider(issuer);
  return {
    ...provider,
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
      // Spares them the choice of account. Google takes an address, too; but no address stands in a URL of ours.
      url.searchParams.set('login_hint', subject);
      return url;
    },
  };
};

/** A token that came, with the names under which an event may speak of it. */
const withTokenIdentifiers = async <Result extends { readonly refreshToken?: string }>(
  result: Result,
): Promise<Result & { readonly tokenIdentifiers?: TokenIdentifiers }> =>
  result.refreshToken === undefined
    ? result
    : { ...result, tokenIdentifiers: await computeGoogleTokenIdentifiers(result.refreshToken) };
