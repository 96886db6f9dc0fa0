/**
 * The account page, where users manage connected apps, sign-in methods, signed-in devices and their data.
 * @module
 */
import type { BrokerContext } from '../context.ts';
import { rejectUnknownOptions } from '../oauth/errors.ts';
import { accountErrors } from '../oauth/protocol-error.ts';
import type { AccountFeature } from '../sign-in/callback.ts';
import { accountStorage } from '../storage/sqlite/account-methods.ts';
import type { ParsedBranding } from '../ui/branding.ts';
import { listErrorTexts } from '../ui/texts.ts';
import { accountCallback, linkCallback } from './complete.ts';
import { disconnectAppsEndpoint } from './connected-apps.ts';
import {
  type AccountContext,
  type AccountOptions,
  accountPaths,
  createAccountClient,
  defaultAccountPages,
} from './context.ts';
import { createSessions } from './continue-session.ts';
import { signOutDeviceEndpoint } from './devices.ts';
import { deleteAccountEndpoint, exportEndpoint } from './export-and-delete.ts';
import { confirmLinkEndpoint, linkEndpoint, linkSeenEndpoint, unlinkEndpoint } from './identities.ts';
import { accountEndpoint, accountSignInEndpoint, signOutEndpoint } from './page.ts';
import { renderSignInPageWithSession } from './ui/sign-in-with-session.ts';
import { type AccountBranding, defaultAccountTexts } from './ui/texts.ts';

export { accountStorage } from '../storage/sqlite/account-methods.ts';
export {
  type AccountOptions,
  type AccountPages,
  defaultAccountPages,
  type SummarizeUser,
} from './context.ts';
export type {
  AccountIdentity,
  AccountModel,
  AccountNotice,
  AccountProfile,
  ConnectedApp,
  ProfileIdentity,
  RecentAuth,
  SignedInDevice,
  UserFact,
} from './ui/account-model.ts';
export type { AccountSignInModel, AccountSignInNotice } from './ui/account-sign-in-page.ts';
export type { LinkConflictModel, LinkModel } from './ui/link-page.ts';
export { renderSignInPageWithSession } from './ui/sign-in-with-session.ts';
export type { AccountBranding } from './ui/texts.ts';

/**
 * Creates the account page, for the option `account` of `createBroker`. It is served at `/account` and below.
 * @param options the pages, and the publisher's own data about a user
 * @throws ConfigurationError `account.<name>` for an unknown option
 * @example
 * ```ts
 * import { accountPages } from 'assistant-auth/account';
 *
 * const scores = new Map<string, number>();
 * const account = accountPages({
 *   // The publisher's own data about the user.
 *   summarizeUser: async (userId) => [{ label: 'Score', value: String(scores.get(userId) ?? 0) }],
 *   onExportUser: async (userId) => ({ score: scores.get(userId) }),
 *   onDeleteUser: async (userId) => void scores.delete(userId),
 * });
 * ```
 */
export const accountPages = (options: AccountOptions = {}): AccountFeature => {
  const {
    pages: replacedPages = {},
    summarizeUser = async () => [],
    onExportUser = async () => undefined,
    onDeleteUser = async () => {},
    ...unknown
  } = options;
  rejectUnknownOptions('account.', unknown);
  rejectUnknownOptions('account.pages.', replacedPages, defaultAccountPages);
  const pages = { ...defaultAccountPages, ...replacedPages };
  const resolve = (context: BrokerContext): AccountContext => ({
    ...context,
    branding: {
      ...context.branding,
      select(request) {
        const branding = context.branding.select(request);
        if (hasAccountTexts(branding)) return branding;
        throw new Error('The texts of the account pages are missing.');
      },
    },
    accountPages: pages,
    account: createAccountClient(context.issuer),
    accountStorage: accountStorage(context.storage),
    summarizeUser,
    onExportUser,
    onDeleteUser,
  });
  return {
    kind: 'account-pages',
    texts: { ...listErrorTexts(accountErrors), ...defaultAccountTexts },
    pages: { signIn: renderSignInPageWithSession },
    stylesheet: pages.stylesheet,
    createSessions: (storage) => createSessions(accountStorage(storage)),
    endpoints(brokerContext) {
      const context = resolve(brokerContext);
      return [
        { path: accountPaths.page, definition: accountEndpoint(context) },
        { path: accountPaths.signIn, definition: accountSignInEndpoint(context) },
        { path: accountPaths.signOut, definition: signOutEndpoint(context) },
        { path: accountPaths.disconnectApps, definition: disconnectAppsEndpoint(context) },
        { path: accountPaths.signOutDevice, definition: signOutDeviceEndpoint(context) },
        { path: accountPaths.link, definition: linkEndpoint(context) },
        { path: accountPaths.confirmLink, definition: confirmLinkEndpoint(context) },
        { path: accountPaths.linkSeen, definition: linkSeenEndpoint(context) },
        { path: accountPaths.unlink, definition: unlinkEndpoint(context) },
        { path: accountPaths.exportData, definition: exportEndpoint(context) },
        { path: accountPaths.deleteAccount, definition: deleteAccountEndpoint(context) },
      ];
    },
    callbacks(brokerContext) {
      const context = resolve(brokerContext);
      return { account: accountCallback(context), link: linkCallback(context) };
    },
  };
};

/** `createBroker` adds the texts of this feature to each language. */
const hasAccountTexts = (branding: ParsedBranding): branding is AccountBranding =>
  branding.texts.account !== undefined;
