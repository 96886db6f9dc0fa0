/**
 * The subpath `assistant-auth/account`: the account page, where users manage connected apps, sign-in methods
 * and their data.
 */
import type { BrokerContext } from '../context.ts';
import { rejectUnknownOptions } from '../oauth/errors.ts';
import type { AccountFeature } from '../sign-in/callback.ts';
import { accountCallback, linkCallback } from './complete.ts';
import { disconnectAppsEndpoint } from './connected-apps.ts';
import {
  type AccountContext,
  type AccountOptions,
  accountPaths,
  createAccountClient,
  defaultAccountPages,
} from './context.ts';
import { sessions } from './continue-session.ts';
import { deleteAccountEndpoint, exportEndpoint } from './export-and-delete.ts';
import { confirmLinkEndpoint, linkEndpoint, unlinkEndpoint } from './identities.ts';
import { accountEndpoint, accountSignInEndpoint, signOutEndpoint } from './page.ts';
import { defaultAccountTexts } from './ui/texts.ts';

export { type AccountOptions, type AccountPages, defaultAccountPages } from './context.ts';
export type {
  AccountModel,
  AccountNotice,
  AccountSignInModel,
  AccountSignInNotice,
  ConnectedApp,
  LinkedIdentity,
  RecentAuth,
} from './ui/account-page.ts';
export type { LinkConflictModel, LinkModel } from './ui/link-page.ts';
export type { AccountBranding } from './ui/texts.ts';

/**
 * Creates the account page, for the option `account` of `createBroker`. It is served at `/account` and below.
 * @throws ConfigurationError `account.<name>` for an unknown option
 * @example
 * ```ts
 * import { accountPages } from 'assistant-auth/account';
 *
 * const account = accountPages({
 *   onExportUser: async (userId) => ({ score: await readScore(userId) }),
 *   onDeleteUser: async (userId) => deleteScore(userId),
 * });
 * ```
 */
export const accountPages = (options: AccountOptions = {}): AccountFeature => {
  rejectUnknownOptions('account', options, ['pages', 'onExportUser', 'onDeleteUser']);
  const pages = { ...defaultAccountPages, ...options.pages };
  const resolve = (context: BrokerContext): AccountContext => ({
    ...context,
    branding: { ...context.branding, texts: { ...defaultAccountTexts, ...context.branding.texts } },
    accountPages: pages,
    account: createAccountClient(context.issuer),
    onExportUser: options.onExportUser ?? (async () => undefined),
    onDeleteUser: options.onDeleteUser ?? (async () => {}),
  });
  return {
    kind: 'account-pages',
    texts: defaultAccountTexts,
    stylesheet: pages.stylesheet,
    sessions,
    endpoints(brokerContext) {
      const context = resolve(brokerContext);
      return [
        { path: accountPaths.page, definition: accountEndpoint(context) },
        { path: accountPaths.signIn, definition: accountSignInEndpoint(context) },
        { path: accountPaths.signOut, definition: signOutEndpoint(context) },
        { path: accountPaths.disconnectApps, definition: disconnectAppsEndpoint(context) },
        { path: accountPaths.link, definition: linkEndpoint(context) },
        { path: accountPaths.confirmLink, definition: confirmLinkEndpoint(context) },
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
