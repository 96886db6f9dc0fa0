/** GitHub as an identity provider: a configuration of `oauth2`, because GitHub issues no ID tokens. */

import { rejectUnknownOptions } from '../oauth/errors.ts';
import { resolveBaseUrl } from './config.ts';
import { oauth2 } from './oauth2.ts';
import type { IdentityProvider } from './provider.ts';

/** The options of {@link github}. */
export interface GitHubOptions {
  /**
   * The client ID of a GitHub App or an OAuth app. Not secret. The app's callback URL must be
   * `<issuer>/callback/github`. Only a GitHub App with expiring user tokens issues refresh tokens, with which
   * identities are rechecked.
   */
  readonly clientId: string;
  /** The client secret of the app. Secret. */
  readonly clientSecret: string;
  /** Origin of a fake provider on loopback, for development. Default: `https://github.com`. */
  readonly baseUrl?: string;
}

/**
 * Lets users sign in with GitHub. The provider's ID is `github`, and the subject of its identities is the
 * numeric user ID. No scope is requested: the public profile is enough to recognize a user. Email addresses
 * are never marked as verified.
 * @param options the app from GitHub
 * @throws ConfigurationError `providers.github.<option>` for a missing or malformed option
 * @see https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 * @example
 * ```ts
 * import { github } from 'assistant-auth';
 *
 * const provider = github({
 *   clientId: env.GITHUB_CLIENT_ID,
 *   clientSecret: env.GITHUB_CLIENT_SECRET,
 * });
 * ```
 */
export const github = ({ clientId, clientSecret, baseUrl, ...unknown }: GitHubOptions): IdentityProvider => {
  rejectUnknownOptions('providers.github.', unknown);
  const origin = resolveBaseUrl('github', 'https://github.com', baseUrl);
  const provider = oauth2({
    id: 'github',
    displayName: 'GitHub',
    icon,
    // Since 2026, GitHub sends this as `iss` with every authorization response.
    issuer: `${origin}/login/oauth`,
    authorizationUrl: `${origin}/login/oauth/authorize`,
    tokenUrl: `${origin}/login/oauth/access_token`,
    profileUrl: `${baseUrl ?? 'https://api.github.com'}/user`,
    clientId,
    clientSecret,
    authorizationParameters: { prompt: 'select_account' },
    // GitHub has no parameter that requests reauthentication. The account chooser is the closest.
    reauthentication: { prompt: 'select_account' },
    accountSelection: { prompt: 'select_account' },
    // A login (username) can be released and taken by another user, so the ID is the subject. The email
    // address is the public one, if there is one, and is not verified.
    mapProfile: ({ id, login, name, email }) =>
      Number.isSafeInteger(id) ? { subject: String(id), labels: [login, name], email } : undefined,
    // Only apps with expiring tokens get a refresh token. Without one, the identity cannot be rechecked.
    revokedErrors: ['bad_refresh_token'],
    // Refresh tokens are valid for six months, whether or not the user is signed in at GitHub.
    offlineAccess: 'always',
  });
  return { ...provider, subjectNamespace: 'https://github.com' };
};

/**
 * GitHub's logo, the Invertocat. The path is that of `github` in
 * https://github.com/simple-icons/simple-icons (CC0-1.0), rounded to two decimals.
 * @see https://github.com/logos
 */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">' +
  '<path fill="currentColor" d="M12 .3a12 12 0 0 0-3.8 23.38c.6.12.83-.26.83-.57L9 21.07c-3.34.72-4.04' +
  '-1.61-4.04-1.61-.55-1.39-1.34-1.76-1.34-1.76-1.08-.74.09-.73.09-.73 1.2.09 1.84 1.24 1.84 1.24 1.07' +
  ' 1.83 2.8 1.3 3.49 1 .1-.78.42-1.31.76-1.61-2.66-.3-5.47-1.33-5.47-5.93 0-1.31.47-2.38 1.24-3.22-.14-.3' +
  '-.54-1.52.1-3.18 0 0 1-.32 3.3 1.23a11.5 11.5 0 0 1 6 0c2.28-1.55 3.29-1.23 3.29-1.23.64 1.66.24' +
  ' 2.88.12 3.18a4.7 4.7 0 0 1 1.23 3.22c0 4.61-2.8 5.63-5.48 5.92.42.36.81 1.1.81 2.22l-.01 3.29c0' +
  ' .31.2.69.82.57A12 12 0 0 0 12 .3"/></svg>';
