/** Google as an identity provider: data over any OpenID Connect issuer. */

import type { TokenNames } from '../oauth/identifiers.ts';
import { siteOf } from './config.ts';
import { createIssuer } from './issuer.ts';
import { signInAt } from './oidc.ts';
import type { IdentityProvider } from './provider.ts';
import { googleTokenNames, readGoogleEvent } from './security-events/google.ts';

export interface GoogleSettings {
  readonly clientId: string;
  /** A secret. */
  readonly clientSecret: string;
  /** Origin of a stand-in on loopback in development. Left out: Google itself. */
  readonly standIn?: string;
}

/**
 * Lets people sign in with Google.
 * @throws ConfigurationError `providers.google.<option>` for a missing or malformed setting
 * @see https://developers.google.com/identity/openid-connect/openid-connect
 */
export const google = ({ clientId, clientSecret, standIn }: GoogleSettings): IdentityProvider => {
  const issuer = createIssuer({
    id: 'google',
    label: 'Google',
    issuer: siteOf('google', 'https://accounts.google.com', standIn),
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
  const provider = signInAt(issuer);
  return {
    ...provider,
    identify: async (...journey) => withNames(await provider.identify(...journey)),
    async check(...asked) {
      const word = await provider.check(...asked);
      return word.kind === 'alive' ? withNames(word) : word;
    },
    events: {
      contentType: 'application/secevent+jwt',
      read: (body, io) => readGoogleEvent(body, issuer, io),
    },
    async askAgainUrl(subject, leg, io) {
      const url = await provider.authorizationUrl(leg, io);
      url.searchParams.set('prompt', 'consent');
      // Spares them the choice of account. Google takes an address, too; but no address stands in a URL of ours.
      url.searchParams.set('login_hint', subject);
      return url;
    },
  };
};

/** A token that came, with the names under which an event may speak of it. */
const withNames = async <Answer extends { readonly refreshToken?: string }>(
  answer: Answer,
): Promise<Answer & { readonly tokenNames?: TokenNames }> =>
  answer.refreshToken === undefined
    ? answer
    : { ...answer, tokenNames: await googleTokenNames(answer.refreshToken) };
