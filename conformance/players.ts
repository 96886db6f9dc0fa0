/** Who plays in which test. A score belongs to a person, so every test that changes one has a person of its own. */
import type { Person } from '@words-with-chat/lab';

/** Append, never reorder. */
const roles = [
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
] as const;

export type Role = (typeof roles)[number];

export const player = (role: Role): Person => ({ name: `Player ${role}`, email: `${role}@example.com` });

export const players: readonly Person[] = roles.map(player);
