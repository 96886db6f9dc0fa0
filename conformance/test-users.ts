/** The users of each test. A score belongs to a user, so every test that changes one has its own user. */
import type { FakeUser } from '@words-with-chat/lab';

/** Append only. Do not reorder. */
const testUserNames = [
  'public-client',
  'gpt-action',
  'confidential-client',
  'two-clients',
  'restart',
  'browser',
  'browser-without-script',
  'browser-signed-in',
  'browser-client-redirects',
  'bystander',
  'limits',
  'http-every-provider',
  'browser-every-provider',
  'browser-apple-without-script',
  'account-phone',
  'account-dark',
  'account-without-script',
  'oidc-logout',
  'browser-app',
  'browser-two-tabs',
  'browser-30-tabs',
  'browser-reload',
  'browser-prefetch',
  'browser-tabs-account',
  'browser-30-tabs-other',
  'user-limits',
  'user-limits-other',
  'mcp-legacy',
  'mcp-auto',
  'mcp-and-action',
  'mcp-account',
  'mcp-authorization',
  'mcp-inspector',
  'mcp-suite',
  'mcp-suite-2025-11-25',
  'mcp-suite-2026-07-28',
  'mcp-document-legacy',
  'mcp-document-auto',
  'mcp-document-account',
  'mcp-registered-legacy',
  'mcp-registered-auto',
  'mcp-registered-account',
  'mcp-registration',
  'mcp-private-key-jwt',
  'mcp-remote',
  'account-german',
  'rounds',
  'rounds-other',
  'round-view',
] as const;

export type TestUserName = (typeof testUserNames)[number];

export const testUser = (testUserName: TestUserName): FakeUser => ({
  name: `Player ${testUserName}`,
  email: `${testUserName}@example.com`,
});

export const testUsers: readonly FakeUser[] = testUserNames.map(testUser);
