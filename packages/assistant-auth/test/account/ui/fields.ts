/** Renders the account pages with one value in every field, and with every text. */

import type { AccountModel, ConnectedApp } from '../../../src/account/ui/account-model.ts';
import { defaultAccountTexts } from '../../../src/account/ui/texts.ts';
import type { PageOptions } from '../../../src/ui/branding.ts';
import {
  app,
  device,
  identity,
  otherDevice,
  recentlyAuthenticated,
  renderAccount,
  renderAccountSignIn,
  renderLink,
  renderLinkConflict,
} from './models.ts';
import { accountNotices, accountSignInNotices } from './notices.ts';

const identifiedApp: ConnectedApp = {
  ...app,
  clientIdentity: { kind: 'metadata-document', host: 'client.example' },
};
const { description: _, ...unknownDevice } = device;
const unverifiedApp: ConnectedApp = { ...app, clientIdentity: { kind: 'registration' } };

export const everyAccountPage = (options: PageOptions): string =>
  [
    renderAccount(options),
    renderAccount({ ...options, branding: { ...options.branding, links: { home: '/' } } }),
    renderAccount({ ...options, model: { apps: [] } }),
    renderAccount({ ...options, model: { apps: [identifiedApp, unverifiedApp] } }),
    renderAccount({ ...options, model: { ...recentlyAuthenticated, apps: [{ ...app, scopes: [] }] } }),
    renderAccount({ ...options, model: { identities: [{ ...identity, isNewlyLinked: true }] } }),
    renderAccount({
      ...options,
      model: { identities: [{ ...identity, isNewlyLinked: true, canDismissNotice: false }] },
    }),
    renderAccount({ ...options, model: { devices: [unknownDevice, otherDevice] } }),
    renderAccountSignIn(options),
    renderLink(options),
    renderLinkConflict(options),
  ].join('');

export const everyAccountNotice = (options: PageOptions): string =>
  [
    ...accountNotices.map(([notice]) => renderAccount({ ...options, model: { notice } })),
    ...accountSignInNotices.map(([notice]) => renderAccountSignIn({ ...options, model: { notice } })),
  ].join('');

/** Puts the value in front of every text of the account pages. */
const prefixAll = (value: string): PageOptions => ({
  texts: Object.fromEntries(Object.entries(defaultAccountTexts).map(([name, text]) => [name, value + text])),
});

/** All fields of a page at once, because the pages are long and parsing one takes milliseconds. */
export const accountFields: readonly (readonly [name: string, render: (value: string) => string])[] = [
  [
    'the account page’s fields',
    (value) => renderAccount({ model: { ...buildAccountModel(value), ...buildRecentAuth(value) } }),
  ],
  [
    'the account page’s fields after reauthentication',
    (value) =>
      renderAccount({ model: { ...buildAccountModel(value), recentAuth: recentlyAuthenticated.recentAuth } }),
  ],
  [
    'the account sign-in page’s fields',
    (value) =>
      renderAccountSignIn({
        model: { action: value, form: value, stylesheetPath: value, providers: [buildChoice(value)] },
      }),
  ],
  [
    'the link page’s fields',
    (value) =>
      renderLink({
        model: {
          action: value,
          form: value,
          link: value,
          stylesheetPath: value,
          currentIdentity: { provider: value, label: value },
          newIdentity: { provider: value, label: value },
        },
      }),
  ],
  [
    'the link conflict page’s fields',
    (value) =>
      renderLinkConflict({
        model: {
          accountPath: value,
          stylesheetPath: value,
          conflictingIdentity: { provider: value, label: value },
        },
      }),
  ],
  [
    'the account’s texts',
    (value) => everyAccountPage(prefixAll(value)) + everyAccountNotice(prefixAll(value)),
  ],
];

const buildChoice = (value: string) => ({
  ...{ id: value, displayName: value },
  icon: { path: value, isSingleColor: true },
});

const buildRecentAuth = (value: string) =>
  ({ recentAuth: { kind: 'stale', providers: [buildChoice(value)] } }) as const;

const buildAccountModel = (value: string): Partial<AccountModel> => {
  const icon = { path: value, isSingleColor: true };
  const identityModel = { ...identity, key: value, provider: value, label: value, icon };
  return {
    actions: {
      signOut: value,
      disconnectApps: value,
      signOutDevice: value,
      signIn: value,
      link: value,
      linkSeen: value,
      unlink: value,
      exportData: value,
      deleteAccount: value,
    },
    form: value,
    stylesheetPath: value,
    apps: [
      {
        ...app,
        key: value,
        clientName: value,
        clientIdentity: { kind: 'metadata-document', host: value },
        redirectHost: value,
        scopes: [{ name: 'a', description: value }],
      },
    ],
    profile: {
      identity: { provider: value, label: value, icon },
      facts: [{ label: value, value }],
    },
    identities: [identityModel, { ...identityModel, isCurrent: false, isNewlyLinked: true }],
    devices: [device, { ...otherDevice, key: value, description: value }],
    linkableProviders: [buildChoice(value)],
  };
};
