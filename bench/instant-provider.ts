/** The identity provider of the Workers under test. */
import type { IdentityProvider } from 'assistant-auth';

/** Identifies the same user at every sign-in, immediately and without a page. */
export const instantProvider: IdentityProvider = {
  id: 'instantly',
  displayName: 'Instantly',
  subjectNamespace: 'instantly',
  configuredUrls: [],
  responseMode: 'query',
  revokedErrors: [],
  recheckInterval: 600,
  validateRefreshToken: async () => ({ kind: 'active' }),
  authorizationUrl: async ({ redirectUri, state }) =>
    new URL(`${redirectUri}?${new URLSearchParams({ state })}`),
  handleCallback: async () => ({ provider: 'instantly', subject: 'ada', emailVerified: true, claims: {} }),
};
