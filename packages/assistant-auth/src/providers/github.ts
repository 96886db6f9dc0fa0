/** GitHub as an identity provider: a configuration of `oauth2`, because GitHub issues no ID tokens. */

import { rejectUnknownOptions } from '../oauth/errors.ts';
import { resolveBaseUrl } from './config.ts';
import { oauth2 } from './oauth2.ts';
import type { IdentityProvider } from './provider.ts';

/** The options of {@link github}. */
export interface GitHubOptions {
  /**
   * The client ID of a GitHub App or an OAuth app. Not secret. The app's callback URL must be
   * `<issuer>/callback/github`. GitHub issues refresh tokens, with which identities are rechecked, only if
   * the user tokens of the app expire: GitHub Apps have this by default, and OAuth apps can turn it on.
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
 * https://github.com/simple-icons/simple-icons (CC0-1.0), rounded to whole units of a larger grid.
 * @see https://github.com/logos
 */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240">' +
  '<path fill="currentColor" d="M120 3a120 120 0 0 0-38 234q8 0 8-6v-20c-33 7-40-16-40-16-6-14-14-18-14-18' +
  '-11-7 1-7 1-7 12 1 19 12 19 12 10 18 28 13 35 10q2-12 7-16c-27-3-55-13-55-59q0-20 13-33c-2-3-6-15 1-31' +
  ' 0 0 10-3 33 12a115 115 0 0 1 60 0c23-15 33-12 33-12 6 16 2 28 1 31q12 13 12 33c0 46-28 56-55 59q8 5 9' +
  ' 22l-1 33q-1 6 9 6A120 120 0 0 0 120 3"/></svg>';
