/** The identity provider of the Workers under test. */
import type { IdentityProvider } from 'assistant-auth';

/**
 * Identifies the same user at every sign-in, immediately and without a page. It has the ID of one of the game's
 * providers, because the game refreshes the grants, too.
 */
export const instantProvider: IdentityProvider = {
  id: 'google',
  displayName: 'Instantly',
  subjectNamespace: 'instantly',
  configuredUrls: [],
  responseMode: 'query',
  revokedErrors: [],
  recheckInterval: 600,
  validateRefreshToken: async () => ({ kind: 'active' }),
  authorizationUrl: async ({ redirectUri, state }) =>
    new URL(`${redirectUri}?${new URLSearchParams({ state })}`),
  handleCallback: async () => ({ provider: 'google', subject: 'ada', emailVerified: true, claims: {} }),
};
