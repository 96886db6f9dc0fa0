/** Renders the account pages of an ordinary deployment. Tests can change single values. */
import type { AccountModel } from '../../../src/account/ui/account-model.ts';
import { renderAccountPage } from '../../../src/account/ui/account-page.ts';
import {
  type AccountSignInModel,
  renderAccountSignInPage,
} from '../../../src/account/ui/account-sign-in-page.ts';
import {
  type LinkConflictModel,
  type LinkModel,
  renderLinkConflictPage,
  renderLinkPage,
} from '../../../src/account/ui/link-page.ts';
import { type AccountBranding, defaultAccountTexts } from '../../../src/account/ui/texts.ts';
import type { PageOptions } from '../../../src/ui/branding.ts';
import { type Changes, parsePageOptions } from '../../ui/models.ts';

const providers = [
  { id: 'google', displayName: 'Google' },
  { id: 'github', displayName: 'GitHub' },
] as const;

const actions: AccountModel['actions'] = {
  signOut: '/account/sign-out',
  disconnectApps: '/account/apps/disconnect',
  signOutDevice: '/account/devices/sign-out',
  signIn: '/account/sign-in',
  link: '/account/link',
  linkSeen: '/account/linked/seen',
  unlink: '/account/unlink',
  exportData: '/account/export',
  deleteAccount: '/account/delete',
};

export const app: AccountModel['apps'][number] = {
  key: 'app-key',
  clientName: 'ChatGPT',
  clientIdentity: { kind: 'configured' },
  redirectHost: 'chatgpt.com',
  scopes: [
    { name: 'score.read', description: 'Read your score' },
    { name: 'score.write', description: 'Add to your score' },
  ],
  connectedAt: Date.UTC(2026, 10, 3, 23, 59) / 1000,
  lastUsedAt: Date.UTC(2026, 10, 20) / 1000,
};

/** The identity that the session signed in with. */
export const identity: AccountModel['identities'][number] = {
  key: 'identity-key',
  provider: 'Google',
  label: 'ada@words.example',
  linkedAt: Date.UTC(2026, 4, 28) / 1000,
  lastSignInAt: Date.UTC(2026, 10, 20) / 1000,
  isCurrent: true,
  isNewlyLinked: false,
  canDismissNotice: true,
};

export const otherIdentity: AccountModel['identities'][number] = {
  key: 'other-key',
  provider: 'GitHub',
  label: 'ada',
  linkedAt: Date.UTC(2026, 8, 21) / 1000,
  lastSignInAt: Date.UTC(2026, 8, 21) / 1000,
  isCurrent: false,
  isNewlyLinked: false,
  canDismissNotice: true,
};

/** The device of this session. */
export const device: AccountModel['devices'][number] = {
  key: 'device-key',
  description: 'Chrome, macOS',
  signedInAt: Date.UTC(2026, 10, 19) / 1000,
  lastUsedAt: Date.UTC(2026, 10, 20) / 1000,
  isCurrent: true,
};

export const otherDevice: AccountModel['devices'][number] = {
  key: 'other-device-key',
  description: 'Safari, iPhone',
  signedInAt: Date.UTC(2026, 10, 17) / 1000,
  lastUsedAt: Date.UTC(2026, 10, 18) / 1000,
  isCurrent: false,
};

/** A user with two identities who has just reauthenticated. */
export const recentlyAuthenticated: Pick<AccountModel, 'identities' | 'recentAuth'> = {
  identities: [identity, otherIdentity],
  recentAuth: { kind: 'fresh', until: Date.UTC(2026, 10, 24) / 1000 },
};

const parseAccountBranding = (changes: PageOptions): AccountBranding => {
  const parsed = parsePageOptions(changes);
  return { ...parsed, texts: { ...defaultAccountTexts, ...parsed.texts } };
};

/** The page of a user with one app, one identity and one device who has not reauthenticated recently. */
export const renderAccount = (changes: Changes<AccountModel> = {}): string =>
  renderAccountPage({
    branding: parseAccountBranding(changes),
    stylesheetPath: '/sign-in.css',
    actions,
    form: 'sealed-form',
    profile: { identity: { provider: 'Google', label: 'ada@words.example' }, facts: [] },
    apps: [app],
    identities: [identity],
    devices: [device],
    linkableProviders: providers,
    recentAuth: { kind: 'stale', providers: providers.slice(0, 1) },
    ...changes.model,
  });

export const renderAccountSignIn = (changes: Changes<AccountSignInModel> = {}): string =>
  renderAccountSignInPage({
    branding: parseAccountBranding(changes),
    stylesheetPath: '/sign-in.css',
    action: '/account/sign-in',
    form: 'sealed-form',
    providers,
    ...changes.model,
  });

export const renderLink = (changes: Changes<LinkModel> = {}): string =>
  renderLinkPage({
    branding: parseAccountBranding(changes),
    stylesheetPath: '/sign-in.css',
    action: '/account/link/confirm',
    form: 'sealed-form',
    link: 'sealed-link',
    currentIdentity: { provider: 'Google', label: 'ada@words.example' },
    newIdentity: { provider: 'GitHub', label: 'ada' },
    ...changes.model,
  });

export const renderLinkConflict = (changes: Changes<LinkConflictModel> = {}): string =>
  renderLinkConflictPage({
    branding: parseAccountBranding(changes),
    stylesheetPath: '/sign-in.css',
    accountPath: '/account',
    conflictingIdentity: { provider: 'GitHub', label: 'ada' },
    ...changes.model,
  });
