/** GitHub as an identity provider: data over OAuth 2.0 and GitHub's API, for there is no ID token. */

import { resolveBaseUrl } from './config.ts';
import { oauth2 } from './oauth2.ts';
import type { IdentityProvider } from './provider.ts';

export interface GitHubSettings {
  /** Of a GitHub App or an OAuth app. */
  readonly clientId: string;
  /** A secret. */
  readonly clientSecret: string;
  /** Origin of a fake provider on loopback in development. Left out: GitHub itself. */
  readonly baseUrl?: string;
}

/**
 * Lets people sign in with GitHub. No scope is asked for: the public profile is enough to know somebody again.
 * @throws ConfigurationError `providers.github.<option>` for a missing or malformed setting
 * @see https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
export const github = ({ clientId, clientSecret, baseUrl }: GitHubSettings): IdentityProvider => {
  const origin = resolveBaseUrl('github', 'https://github.com', baseUrl);
  return oauth2({
    id: 'github',
    displayName: 'GitHub',
    // Sent as `iss` with every answer since 2026.
    issuer: `${origin}/login/oauth`,
    authorizationUrl: `${origin}/login/oauth/authorize`,
    tokenUrl: `${origin}/login/oauth/access_token`,
    profileUrl: `${baseUrl ?? 'https://api.github.com'}/user`,
    clientId,
    clientSecret,
    authorizationParameters: { prompt: 'select_account' },
    // The most that it can be asked for.
    reauthentication: { prompt: 'select_account' },
    // The login can be given up, and then be somebody else's. The address is public if there is one, and unproven.
    mapProfile: ({ id, login, name, email }) =>
      Number.isSafeInteger(id) ? { subject: String(id), labels: [login, name], email } : undefined,
    // Only apps with expiring tokens get a refresh token; without one GitHub cannot be asked about the person later.
    revokedErrors: ['bad_refresh_token'],
    // Refresh tokens last six months, whether or not the person is signed in at GitHub.
    offlineAccess: 'always',
  });
};
